# SPDX-License-Identifier: ISC
"""What leadctl says is what is: the words of its answers, where somebody new to it reads them
for the first time."""
import os
import subprocess

import company
from daemon import LEADCTL, Daemon, until

AT = "2026-11-20T09:00:00Z"  # a Friday; 10:00 in Vienna
TEMPLATES = {"templates/welcome.de.txt": "Subject: Danke\n\nGuten Tag.\n"}


def start(settings="", rules=company.RULES, relays=company.MAILDIR_OUT, at=AT, more=None):
    return Daemon(company.conf(settings=settings, relays=relays),
                  company.files(rules, **dict(TEMPLATES, **(more or {}))), args=("--pretend-time", at))


def lead(d, sender="ada@shop.example"):
    d.ingest(company.mail(sender))
    until(lambda: d.ctl("list", "leads")["rows"], why="the lead")
    return d.ctl("list", "leads")["rows"][0]["id"]


def conf_alone(folder, settings=""):
    """A configuration without a daemon."""
    for name, text in company.files(company.RULES, **TEMPLATES).items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    (folder / "leadd.conf").write_text(company.conf(settings=settings).replace("@DIR@", str(folder)))
    return folder


def run(*argv):
    p = subprocess.run([str(a) for a in (LEADCTL,) + argv], capture_output=True, text=True, check=False,
                       timeout=120, env=dict(os.environ, LEADD_RUN_DIR="/nonexistent", COLUMNS="200"))
    return p.returncode, p.stdout, p.stderr


def test_form_test_tells_times_in_the_companys_zone(tmp_path):
    code, out, err = run("form", "test", "contact", "email=ada@shop.example", "message=hi", "-c",
                         conf_alone(tmp_path))
    assert code == 0, err
    created = [line for line in out.splitlines() if line.startswith("Created")]
    assert created and not [line for line in created if line.endswith("Z")], created


def test_who_took_an_opt_out_back_is_not_taken_for_who_granted_it():
    with start() as d:
        lead(d)
        d.ctl("do", "C1", "optout", "said", "so", "by", "phone")
        d.ctl("do", "C1", "undo")
        newest = d.ctl("consent", "show", "C1")["sections"][0]["rows"][0]
        assert newest["consent"] == "granted"
        assert newest["source"].startswith("undo of J") and " by " in newest["source"], newest


def test_the_timers_of_a_lead_have_its_tasks_and_those_of_a_contact_have_all():
    with start() as d:
        name = lead(d)
        d.ctl("do", name, "task mon 10:00 call")
        d.ctl("do", "C1", "task tue 10:00 write")
        assert [(r["record"], r["kind"]) for r in d.ctl("timers", name)["rows"]] == [("T1", "task")]
        assert [r["record"] for r in d.ctl("timers", "C1")["rows"]] == ["T1", "T2"]


def test_a_mail_without_a_template_says_in_the_outbox_what_it_is():
    with start(rules=company.RULES.replace("rules : {", "rules : {\n  told : { on = \"lead.created\"; "
                                           "do = \"notify tom\"; };", 1)) as d:
        lead(d)
        until(lambda: len(d.ctl("outbox", "list")["rows"]) >= 2, why="welcome and notice")
        what = {r["what"] for r in d.ctl("outbox", "list")["rows"]}
        assert what == {"welcome", "notice"}
        assert "WHAT" in d.ctl_text("outbox", "list") and "notice" in d.ctl_text("outbox", "list")


def test_a_preview_in_a_language_that_is_not_written_says_which_one_it_is():
    with start(settings='language = "en";') as d:
        name = lead(d)
        assert "Language: de\n" in d.ctl_text("template", "preview", "welcome", name, "--lang", "de")
        told = d.ctl_text("template", "preview", "welcome", name, "--lang", "fr")
        assert "Language: en, of welcome.txt, since there is no welcome.fr.txt\n" in told


def test_a_language_that_lacks_is_not_explained_with_a_setting_that_is_there(tmp_path):
    for settings, said in (("", "name the language of the files without one"),
                           ('language = "fr";', "its readers get welcome.txt, which is in fr")):
        folder = conf_alone(tmp_path, settings)
        (folder / "templates/other.es.txt").write_text("Subject: x\n\ny\n")
        (folder / "templates/other.txt").write_text("Subject: x\n\ny\n")
        code, out, err = run("template", "check", "-c", folder)
        assert code == 1 and "[language]" in out and said in out, (out, err)
