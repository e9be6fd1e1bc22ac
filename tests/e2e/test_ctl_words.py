# SPDX-License-Identifier: ISC
"""What leadctl says is what is: the words of its answers, where somebody new to it reads them
for the first time."""
import os
import subprocess

import company
from daemon import LEADCTL, Daemon, until
from roles import SRC

AT = "2026-11-20T09:00:00Z"  # a Friday; 10:00 in Vienna
TEMPLATES = {"templates/welcome.de.txt": "Subject: Danke\n\nGuten Tag.\n"}


def start(settings="", rules=company.RULES, relays=company.MAILDIR_OUT, at=AT, more=None):
    return Daemon(company.conf(settings=settings, relays=relays),
                  company.files(rules, **dict(TEMPLATES, **(more or {}))), args=("--pretend-time", at))


def lead(d, sender="ada@shop.example"):
    d.ingest(company.mail(sender))
    until(lambda: d.ctl("list", "leads")["rows"], why="the lead")
    return d.ctl("list", "leads")["rows"][0]["id"]


def conf_alone(folder, settings="", rules=company.RULES):
    """A configuration without a daemon."""
    for name, text in company.files(rules, **TEMPLATES).items():
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


# ---- tasks: what is nearly a time ---------------------------------------------------------------

NEARLY = {
    "tomorow 10:00 call": "tomorrow", "by frday call": "by friday", "in 3 dys call": "in 3 days",
    "3 days call": "in 3 days", "next wek call": "next week", "fri 10.30 call": "10:30", "fri at 9 call": "9:00",
    "fri, 10.30 call": "10:30", "1.12 call": "or the day 1.12.", "12/01 call": "2026-12-01", "1st dec call": "1 dec",
    "@fri call": "fri", "evry Monday 9:00 look": "every Monday 9:00", "every Mondy look": "every Monday 9:00",
    "every 2 wks look": "every 2 weeks", "montly report": "monthly", "every month on 15 pay": "on the 15th",
    "every Monday at 9 report": "9:00", "fri remind 2hrs call": "remind 2h", "fri remidn 2 hours call": "remind 2h",
    "fri for tim call": "for tom", "due frday call": "friday", "\"call Ada\" frday": "friday", "tonight call": "evening",
}
WORDS = ["fridge is broken", "money transfer", "monthly numbers", "24/7 support", "Monte Carlo", "fri 10:00 at 9 Main Street",
         "tomorrow Friday report", "remind Ada of it", "for the team lunch", "fri 3 offers", "\"tomorow\" is no word",
         "Sundays: opening hours", "due diligence", "sum up", "every child gets one", "every invoice is checked", "every week's figures", "morning call", "weekday plan", "fri: 9.5 tonnes"]


def test_what_is_nearly_a_time_is_refused_with_the_form_that_was_meant():
    with start() as d:
        name = lead(d)
        for line, meant in NEARLY.items():
            r = d.leadctl("do", name, "task " + line)
            assert r.returncode == 1 and meant.encode() in r.stderr.split(b"did you mean")[-1], (line, r.stderr)
            assert b"In quotes it is words" in r.stderr
        assert d.ctl("list", "tasks")["rows"] == []
        for line in WORDS:
            d.ctl("do", name, "task " + line)
        assert len(d.ctl("list", "tasks")["rows"]) == len(WORDS)


# ---- tests of rules ---------------------------------------------------------------------------------

REMINDED = """
lang = 1;
rules : {
  call : { on = "lead.created"; do = [ "assign tom", "task 'call Ada' for owner due mon 10:00 remind 2h" ]; };
  late : { on = "task.overdue"; do = "notify mia"; };
};
tests : {
  somebody-calls : {
    at = "2026-11-20 10:00";
    given = ( { form = "contact"; fields : { email = "ada@shop.example"; }; }, { expect : { tasks = 1;
                timers = "task at 2026-11-23 08:00"; not_reminded = "tom"; overdue = 0; }; },
              { until = "2026-11-23 08:30"; }, { expect : { %s }; },
              { until = "2026-11-23 10:30"; }, { expect : { reminded = "tom"; }; },
              { until = "2026-11-24 10:30"; } );
    expect : { overdue = 1; mails = 1; not_reminded = [ "tom", "eva" ]; };
  };
};
"""


def rules_test(folder, *expect):
    return run("rules", "test", conf_alone(folder, rules=REMINDED % expect))


def test_rules_can_be_tested_for_reminders_and_for_what_is_overdue(tmp_path):
    code, out, err = rules_test(tmp_path, "reminded = \"tom\"; not_reminded = \"eva\"; mails = 0;")
    assert code == 0, out + err
    for expect, said in (("reminded = \"eva\";", "tom of T1"), ("overdue = 1;", "overdue: 1, found 0"),
                         ("timers = \"task at 2026-11-30 10:00\";", "task at 2026-11-23 10:00"),
                         ("not_reminded = \"tom\";", "tom of T1"), ("timers = \"call\";", "task at 2026-11-23 10:00"),
                         ("reminded = \"tim\";", "tom")):
        code, out, err = rules_test(tmp_path, expect)
        assert code == 1 and said in out + err, (expect, out, err)


# ---- simulate -----------------------------------------------------------------------------------------

NURTURE = """
lang = 1;
rules : {
  begin : { on = "lead.created"; do = [ "assign tom", "sequence nurture", "task 'call {{contact.name}}' for owner due +1d" ]; };
};
sequences : { nurture : { stop = [ "reply" ]; steps = ( { wait = "1d"; }, { email = "welcome"; },
  { email = "welcome"; when = "lead.score > 3"; }, { do = "sequence nurture"; }, { wait = "2d"; }, { email = "welcome"; } ); }; };
"""


def simulated(folder, *more):
    conf_alone(folder, rules=NURTURE)
    (folder / "in.jsonl").write_text('{"at": "2026-11-20T09:00:00Z", "form": "contact", '
                                     '"fields": {"email": "ada@shop.example", "name": "Ada"}}\n')
    code, out, err = run("simulate", "--rules", folder, *more, folder / "in.jsonl")
    assert code == 0, err
    return out


def test_simulate_tells_what_is_refused_passed_over_and_ended_and_whose_times_they_are(tmp_path):
    out = simulated(tmp_path, "--days", "9")
    assert out.startswith("times of Europe/Vienna\n")
    assert "task 'call Ada' (T1 for tom, due 2026-11-21 10:00), by begin at" in out and "{{" not in out
    assert "is in the sequence nurture already" in out and "sequence nurture: refused, " in out
    assert "by nurture/4 at %s/rules.d/10-rules.conf:6" % tmp_path in out
    assert "passed over: lead.score > 3 is false, by nurture/3 at" in out
    assert "T1 is overdue" in out and "sequence nurture: done" in out and "refused commands 1" in out
    out = simulated(tmp_path, "--days", "9", "--answered", "3h")
    assert "sequence nurture: ended: the contact has answered" in out


# ---- sequence preview ---------------------------------------------------------------------------------

GAPS = """
lang = 1;
rules : { rest : { on = "lead.created"; do = "assign tom"; }; };
sequences : { nurture : { by_hand = true; stop = [ "reply" ]; steps = ( { email = "welcome"; }, { wait = "1d"; },
  { email = "gap"; }, { sms = "hey"; }, { email = "welcome"; when = "lead.score > 3"; }, { wait = "9d"; },
  { do = "tag x"; } ); }; };
"""
GATEWAY = """presets_dir = "%s"; gateways : { main : { preset = "generic"; url = "http://127.0.0.1:1"; user = "a";
  number = "+43660123456"; secret_file = "@DIR@/sms.secret"; verify : { scheme = "none"; }; }; };
""" % os.path.join(os.path.abspath(SRC), "contrib")


def test_the_preview_of_a_sequence_tells_what_will_not_go_and_why():
    with start(settings=GATEWAY, rules=GAPS, more={
            "sms.secret": "x\n", "templates/gap.txt": "Subject: Hi {{contact.title}}\n\nHello.\n",
            "templates/hey.sms.txt": "Hello\n"}) as d:
        name = lead(d)
        notes = {r["step"]: r["note"] for r in d.ctl("sequence", "preview", name, "nurture")["rows"]}
        assert notes["1"] == ""
        assert "would be held: contact.title is not set" in notes["3"], notes
        assert "does not go: " in notes["4"] and "no phone" in notes["4"], notes
        assert notes["5"] == "as it is now: passed over, lead.score > 3 is false", notes
        d.ctl("do", name, "sequence nurture")
        d.ctl("do", name, "sequence pause nurture")
        assert "leadctl do L1 sequence resume" in d.ctl_text("sequence", "preview", name, "nurture")
        d.ctl("do", "C1", "optout")
        notes = {r["step"]: r["note"] for r in d.ctl("sequence", "preview", name, "nurture")["rows"]}
        assert "does not go: " in notes["3"] and "opted out" in notes["3"], notes
        sent = [r for r in d.ctl("outbox", "list")["rows"] if r["template"] in ("welcome", "gap", "hey")]
        assert len(sent) == 1  # the first step: nothing of what was tried is kept


def test_a_preview_beyond_the_ladder_says_so_and_nobody_hears_of_a_mail_that_is_not_sent():
    with start(settings=GATEWAY, rules=GAPS, more={
            "sms.secret": "x\n", "templates/gap.txt": "Subject: Hi {{contact.title}}\n\nHello.\n",
            "templates/hey.sms.txt": "Hello\n"}) as d:
        name = lead(d)
        for _ in range(10):
            d.ctl("do", name, "send welcome")
        notes = {r["step"]: r["note"] for r in d.ctl("sequence", "preview", name, "nurture")["rows"]}
        assert "would be held: 10 automatic mails to this address" in notes["1"], notes
        assert "out.ladder" not in d.log()


# ---- what there is ---------------------------------------------------------------------------------------

def test_every_command_has_help_and_stands_in_the_manual():
    with open(os.path.join(SRC, "contrib", "man", "leadctl.1"), encoding="utf-8") as f:
        manual = {line.split()[2].rstrip(",") for line in f if line.startswith(".It Cm ")}
    code, out, err = run("help")
    names = [line.split()[0] for line in out.splitlines() if line.startswith("  ")]
    assert code == 0 and len(names) > 40, err
    assert sorted(set(names) - manual) == [] and sorted(manual - set(names)
        - {"ready", "claimed", "deferred", "sent", "failed", "unknown", "held"}) == []
    for name in names:
        code, out, err = run("help", name)
        assert code == 0 and "leadctl " + name in (out + err), (name, out, err)
    assert run("nothing-of-the-kind")[0] in (64, 69) and run("help", "nothing")[0] == 64
