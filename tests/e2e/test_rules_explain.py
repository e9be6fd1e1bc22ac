# SPDX-License-Identifier: ISC
"""leadctl rules explain: what would be done with one mail or form, and why."""
import json
import os
import subprocess

import pytest

import company
from daemon import LEADCTL

RULES = """lang = 1;
rules : {
  large : { first = "a"; on = "lead.created"; when = "lead.employees >= 500"; do = "assign mia"; };
  rest  : { first = "a"; on = "lead.created"; do = "assign tom"; };
  welcome : { on = "lead.created"; when = "contact.email is set"; do = "send welcome"; };
  untouched : { on = "lead"; when = "not lead.contacted"; after = "30m"; do = "tag slow"; };
};
"""
MAIL = b"From: Ada <ada@shop.example>\nTo: sales@example.com\nSubject: 40 widgets\n\nHow much?\n"


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "leadd.conf").write_text(company.conf().replace("@DIR@", str(tmp_path)))
    for name, text in company.files(RULES).items():
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True, parents=True)
        path.write_text(text)
    return tmp_path


def explain(folder, came, *args):
    env = dict(os.environ, LEADD_RUN_DIR="/nonexistent", COLUMNS="200")
    p = subprocess.run([LEADCTL, "rules", "explain", str(folder), *args], input=came, env=env,
                       check=False, capture_output=True, timeout=120)
    return p.returncode, p.stdout.decode().replace(str(folder) + "/", ""), p.stderr.decode()


def test_a_mail_is_explained_and_nothing_is_left_behind(folder):
    before = sorted(folder.rglob("*"))
    code, out, err = explain(folder, MAIL, "--at", "2026-11-20 10:00")
    assert (code, err) == (0, "")
    assert out.startswith("filed\n\n2026-11-20 10:00:00  mail M1 from maildir:inbox")
    assert ("    large (rules.d/10-rules.conf:3): did not match: lead.employees >= 500 is false "
            "(rules.d/10-rules.conf:3): lead.employees is not set\n"
            "    rest (rules.d/10-rules.conf:4): matched\n"
            "      assign tom -> L1 is assigned to tom\n") in out
    assert "untouched (rules.d/10-rules.conf:6): waits until 2026-11-20 10:30:00" in out
    mails, timers, leads = (out.split("\n%s\n" % t)[1].split("\n\n")[0].split("\n")
                            for t in ("Mails", "Timers", "Leads"))
    assert "welcome" in mails[1] and "ada@shop.example" in mails[1] and "Your request" in mails[1]
    assert timers[1].split() == ["2026-11-20", "10:30:00", "untouched", "L1", "rules.d/10-rules.conf:6"]
    assert leads[1].split()[:3] == ["L1", "new", "tom"]
    assert sorted(folder.rglob("*")) == before


def test_a_form_comes_as_lines_or_as_json(folder):
    code, out, _ = explain(folder, b"email=ada@shop.example\nemployees = 900\n", "--form", "contact")
    assert code == 0 and "L1 is assigned to mia" in out
    code, out, _ = explain(folder, b'{"email": "ada@shop.example", "employees": 900}', "--form",
                           "contact", "--json")
    data = json.loads(out)
    assert code == 0 and data["answer"] == {"status": "ok", "text": ""}
    assert [s["title"] for s in data["sections"]] == ["Mails", "Timers", "Leads", "Contacts", "Companies"]
    assert data["sections"][0]["rows"][0]["to"] == "ada@shop.example"
    assert data["passes"][0]["body"]["decisions"][0]["rule"] == "large"


def test_what_would_be_refused_says_so(folder):
    code, out, _ = explain(folder, b"employees=3\n", "--form", "contact")
    assert code == 0 and out.startswith('invalid: The field "email" is missing.\n')
    code, out, _ = explain(folder, b"just words\n")
    assert code == 0 and out.startswith("quarantined: ")


@pytest.mark.parametrize("args,came,message", [
    (("--form", "contct"), b"a=b\n", 'no form "contct"'),
    (("--mailbox", "inbx"), MAIL, 'no mailbox "inbx"'),
    (("--at", "yesterday"), MAIL, '"yesterday" is no date and time'),
    (("--form", "contact"), b"email\n", "NAME=VALUE"),
    (("--form", "contact"), b"{", "JSON")])
def test_what_cannot_be_played_is_told(folder, args, came, message):
    code, out, err = explain(folder, came, *args)
    assert (code, out) == (1, "") and message in err


def test_rules_that_are_wrong_are_told_with_their_place(folder):
    (folder / "rules.d/10-rules.conf").write_text('lang = 1;\nrules : { a : { on = "x"; do = "tag y"; }; };\n')
    code, _, err = explain(folder, MAIL)
    assert code == 1 and "rules.d/10-rules.conf:2: rule a: unknown event" in err
    assert explain(folder, MAIL, "--no-such")[0] == 64
    assert explain(folder, MAIL, "--form", "contact", "--mailbox", "inbox")[0] == 64
