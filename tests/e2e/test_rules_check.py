# SPDX-License-Identifier: ISC
"""leadctl rules check: what somebody sees who writes rules, without a daemon."""
import json
import os
import re
import subprocess
import tempfile

import pytest

from daemon import LEADCTL
from roles import LEADD

CONF = """company = "A"; address = "crm@example.com"; default_owner = "mia";
users : { mia : { name = "Mia"; email = "mia@example.com"; }; };
mailboxes : { in : { type = "maildir"; path = "in"; }; };
relays = ( { name = "out"; type = "maildir"; path = "out"; } );
"""


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "rules.d").mkdir()
    (tmp_path / "templates").mkdir()
    (tmp_path / "leadd.conf").write_text(CONF)
    return tmp_path


def rules(*args):
    env = dict(os.environ, LEADD_RUN_DIR="/nonexistent")
    p = subprocess.run([LEADCTL, "rules"] + [str(a) for a in args], env=env, check=False,
                       capture_output=True, text=True, timeout=120)
    return p.returncode, p.stdout, p.stderr


def test_a_sound_rule_set_needs_no_daemon(folder):
    (folder / "rules.d/10.conf").write_text('lang = 1;\n')
    assert rules("check", folder) == (0, "%s/leadd.conf: rules OK\n" % folder, "")
    assert rules("check", str(folder) + "/") == (0, "%s/leadd.conf: rules OK\n" % folder, "")
    assert rules("check", folder / "leadd.conf")[0] == 0


def test_rules_are_checked_where_the_passwords_are_not(folder):
    (folder / "rules.d/10.conf").write_text('lang = 1;\n')
    (folder / "leadd.conf").write_text(CONF.replace(
        'in : { type = "maildir"; path = "in"; }',
        'in : { type = "imap"; host = "imap.example.com"; user = "u"; password_file = "pw"; }'))
    assert rules("check", "--strict", folder)[0] == 0
    leadd = subprocess.run([LEADD, "-t", "-c", str(folder / "leadd.conf")], capture_output=True,
                           text=True, check=False, timeout=120)
    assert leadd.returncode == 78 and "put the secret there" in leadd.stderr


def test_all_mistakes_are_told_in_one_run_with_place_and_caret(folder):
    (folder / "rules.d/10.conf").write_text(
        'lang = 1;\nrules : {\n'
        '  a : { on = "lead.created"; when = "lead.scor > 5"; do = "assign tom"; };\n'
        '  b : { on = "lead.craeted"; do = "tag x"; };\n};\n')
    code, out, err = rules("check", folder)
    at = "%s/rules.d/10.conf" % folder
    assert (code, err) == (1, "3 errors\n")
    assert '%s:3: rule a: unknown field "lead.scor"' % at in out
    assert "    lead.scor > 5\n    ^\n" in out
    assert "%s:3: rule a: assign: no user 'tom'" % at in out
    assert '%s:4: rule b: unknown event "lead.craeted"; did you mean "lead.created"?' % at in out


def test_json_says_the_same_to_programs(folder):
    (folder / "rules.d/10.conf").write_text('lang = 1;\nrules : { a : { on = "x"; do = "tag x"; }; };\n')
    code, out, err = rules("check", "--json", folder)
    data = json.loads(out)
    assert (code, err, data["ok"], data["warnings"]) == (1, "", False, [])
    assert len(data["errors"]) == 1 and "10.conf:2: rule a: unknown event" in data["errors"][0]
    (folder / "rules.d/10.conf").write_text('lang = 1;\n')
    code, out, _ = rules("check", folder, "--json")
    assert (code, json.loads(out)) == (0, {"ok": True, "errors": [], "warnings": [], "findings": [],
                                      "tests_passed": 0})


DOUBTFUL = """lang = 1;
rules : {
  all  : { first = "g"; on = "lead.created"; do = "assign mia"; };
  some : { first = "g"; on = "lead.created"; when = "lead.score > 5"; do = "tag x"; };
  none : { on = "lead.created"; when = "lead.score > 5 and lead.score < 3"; do = "tag y"; };
  loop : { on = "lead.changed"; do = "score +1"; };
};
tables : { unused = [ "a" ]; };
"""


def test_what_is_hardly_meant_is_a_warning_and_with_strict_an_error(folder):
    (folder / "rules.d/10.conf").write_text(DOUBTFUL)
    at = "%s/rules.d/10.conf" % folder
    code, out, err = rules("check", folder)
    assert (code, err) == (0, "4 warnings\n")
    assert out == """\
{0}:4: warning: rule some: is never reached: all ({0}:3) of the group "g" always matches before it [shadowed]
    move it before all, or make that one narrower
{0}:5: warning: rule none: can never match: `lead.score > 5` and `lead.score < 3` cannot both hold [never]
    lead.score > 5 and lead.score < 3
                       ^
    the rule does nothing: correct the condition, or remove it
{0}:6: warning: rule loop: wakes itself again and again: it causes lead.changed [cycle]
    add a condition that is false afterwards, or once = true
{0}:8: warning: the table "unused" is used nowhere [unused]
    remove it, or name it where it was meant to be used
""".format(at)
    assert rules("check", "--strict", folder)[:2] == (1, out)
    code, out, _ = rules("check", "--json", "--strict", folder)
    data = json.loads(out)
    assert (code, data["ok"], data["errors"]) == (1, False, [])
    assert [(f["at"], f.get("rule"), f["finding"]) for f in data["findings"]] == [
        (at + ":4", "some", "shadowed"), (at + ":5", "none", "never"), (at + ":6", "loop", "cycle"),
        (at + ":8", None, "unused")]
    assert data["findings"][1]["col"] == 19


def test_a_rule_that_runs_in_no_test_is_told_where_there_are_tests(folder):
    (folder / "rules.d/10.conf").write_text("""lang = 1;
rules : { a : { on = "lead.created"; when = "not lead.subject contains 'x'"; do = "tag a"; };
  b : { on = "lead.created"; when = "lead.subject contains 'x'"; do = "tag b"; };
  c : { on = "lead"; when = "lead.tags contains 'a'"; after = "3d business"; do = "tag c"; }; };
calendars : { office : { hours = "Mon-Fri 09:00-17:00"; }; };
tests : { t : { at = "2026-11-20 10:00"; given = ( { mail : { from = "a@b.example"; subject = "y"; }; } );
                expect : { tags = "a"; }; }; };
""")
    (folder / "leadd.conf").write_text(CONF + 'calendar = "office";\n')
    code, out, _ = rules("check", "--json", folder)
    assert code == 0
    assert [(f["rule"], f["finding"]) for f in json.loads(out)["findings"]] == [
        ("b", "untested"), ("c", "days")]


def test_tests_are_run_and_one_that_fails_is_told(folder):
    (folder / "rules.d/10.conf").write_text("""lang = 1;
rules : { a : { on = "lead.created"; do = "tag a"; }; };
tests : {
  good : { at = "2026-11-20 10:00"; given = ( { mail : { from = "a@b.example"; }; } ); expect : { tags = "a"; }; };
  bad  : { at = "2026-11-20 10:00"; given = ( { mail : { from = "a@b.example"; }; } ); expect : { tags = "b"; }; };
};
""")
    code, out, err = rules("check", folder)
    assert (code, err) == (0, "1 warning\n") and "10.conf:5: warning: test bad: fails: expected tag" in out
    assert "leadctl rules test tells why" in out and rules("check", "--strict", folder)[0] == 1
    text = (folder / "rules.d/10.conf").read_text().replace('tags = "b"', 'tags = "a"')
    (folder / "rules.d/10.conf").write_text(text)
    assert rules("check", folder) == (0, "%s/leadd.conf: rules OK, 2 tests pass\n" % folder, "")


SEQUENCES = """lang = 1;
rules : { rest : { on = "lead.created"; do = [ "sequence ends", "sequence ring", "sequence loud",
                                               "sequence words" ]; }; };
sequences : {
  ends : { until = "lead.score > 50"; steps = (
    { email = "hi"; when = "lead.score > 60"; },
    { email = "hi"; when = "lead.score > 5 and lead.score < 3"; },
    { branch = "lead.score > 1"; then = ( { end = true; }, { email = "hi"; } ); else = ( { end = true; } ); },
    { task = "tomorrow call"; }
  ); };
  loud : { stop = [ "closed" ]; steps = ( { email = "hi"; }, { wait = "3d"; }, { email = "hi"; }, { wait = "1d"; } ); };
  ring : { steps = ( { wait = "1d"; }, { do = [ "sequence stop", "sequence round" ]; } ); };
  round : { several = true; steps = ( { wait = "1d"; }, { do = "sequence ring"; } ); };
  never : { by_hand = true; steps = ( { do = "sequence loud"; }, { do = "sequence never"; } ); };
  alone : { steps = ( { do = "tag x"; } ); };
  words : { steps = (
    { task = "tomorrow call them; tag hot"; }, { wait = "3d business"; },
    { variants = ( { steps = ( { do = "note hello; tag x"; } ); }, { steps = ( { sms = "long"; } ); } ); } ); };
};
calendars : { office : { hours = "Mon-Fri 09:00-17:00"; }; };
"""


def test_what_is_hardly_meant_in_a_sequence_is_told_step_by_step(folder):
    (folder / "rules.d/10.conf").write_text(SEQUENCES)
    (folder / "templates/hi.txt").write_text("Subject: Hi\n\nHello.\n")
    (folder / "templates/long.txt").write_text("Subject: x\n\n" + "Grüße, " * 30 + "a@b.example")
    (folder / "leadd.conf").write_text(CONF + 'calendar = "office"; presets_dir = "%s";\n'
        'gateways : { main : { preset = "kannel"; url = "http://127.0.0.1:1"; number = "+43720123456";\n'
        '                      user = "crm"; verify : { scheme = "none"; }; }; };\n'
        % os.path.abspath(os.path.join(SHIPPED, "..", "contrib")))
    code, out, err = rules("check", "--json", folder)
    assert (code, err) == (0, ""), out
    assert [(f.get("sequence"), f["finding"]) for f in json.loads(out)["findings"]] == [
        ("ends/1", "unreachable"), ("ends/2", "never"), ("ends/3.then.2", "unreachable"),
        ("ends/4", "unreachable"), ("loud/4", "useless"), ("loud", "unguarded"), ("ring", "endless"),
        ("round", "endless"), ("never/1", "never"), ("never/2", "never"), ("alone", "unused"),
        ("words/1", "words"), ("words/2", "days"), ("words/3.1.1", "words"), ("words/3.2.1", "sms")]
    text = rules("check", folder)[1]
    assert "warning: sequence ends/1: whenever its conditions hold, until = \"lead.score > 50\" has ended" in text
    assert "warning: sequence loud: writes up to 2 times, also to who has answered [unguarded]" in text
    assert "warning: sequence never/2: begins never, which is refused while never runs [never]" in text


def test_a_step_that_runs_in_no_test_is_told_where_there_are_tests(folder):
    (folder / "templates/hi.txt").write_text("Subject: Hi\n\nHello.\n")
    (folder / "rules.d/10.conf").write_text("""lang = 1;
rules : { a : { on = "lead.created"; do = "sequence two"; }; };
sequences : { two : { steps = ( { email = "hi"; }, { wait = "3d"; }, { do = "tag late"; } ); }; };
tests : { t : { at = "2026-11-20 10:00"; given = ( { mail : { from = "a@b.example"; subject = "y"; }; }, { advance = "1h"; } );
                expect : { sent = "hi"; }; }; };
""")
    code, out, _ = rules("check", "--json", folder)
    assert [(f.get("sequence"), f["finding"]) for f in json.loads(out)["findings"]] == [("two/3", "untested")]


def test_a_folder_without_leadd_conf_is_told_apart(folder, tmp_path):
    code, out, err = rules("check", folder / "rules.d")
    assert (code, out) == (1, "") and "there is no leadd.conf in" in err
    code, _, err = rules("check", folder / "nowhere")
    assert code == 1 and err.endswith("nowhere: No such file or directory\n")


def test_a_wrong_word_is_answered_with_the_usage():
    code, out, err = rules("chekc")
    assert (code, out) == (64, "") and 'did you mean "rules check"?' in err
    assert rules()[0] == 64 and rules("check", "a", "b")[0] == 64 and rules("check", "-x")[0] == 64
    code, out, err = rules("help")
    assert (code, err) == (0, "") and "usage: leadctl rules check [--strict] [DIR|FILE]" in out


# ---- what is shipped ----

SHIPPED = os.path.join(os.path.dirname(__file__), "..", "..", "rules")


def test_the_shipped_rules_have_no_mistake_and_nothing_hardly_meant():
    code, out, err = rules("check", "--strict", SHIPPED)
    assert (code, err) == (0, "") and out.startswith("%s/leadd.conf: rules OK, " % SHIPPED)
    assert out.endswith(" tests pass\n")


def test_a_route_is_told_and_another_one_than_expected_fails():
    code, out, err = rules("route", "country=DE", "employees=20", "--expect", "dach", SHIPPED)
    assert (code, err) == (0, "") and out.startswith("world > dach\n")
    code, out, err = rules("route", "lead.employees=900", "contact.country=US", "--json", SHIPPED)
    assert (code, json.loads(out)["territory"]) == (0, "large-company")
    code, _, err = rules("route", "country=US", "--expect", "dach", SHIPPED)
    assert (code, err) == (1, "leadctl: expected dach, not world\n")
    code, _, err = rules("route", "contry=US", SHIPPED)
    assert code == 1 and "contry" in err


def test_the_shipped_rules_pass_their_tests():
    code, out, err = rules("test", SHIPPED)
    assert (code, err) == (0, ""), out
    assert int(out.rsplit("\n", 2)[1].split(" ")[0]) >= 9, out


def test_mistakes_of_all_kinds_are_told_in_one_run(folder):
    (folder / "leadd.conf").write_text(CONF.replace("relays = (", "relay = 1; relays = ("))
    (folder / "rules.d/10.conf").write_text("""lang = 1;
rules : { large : { on = "lead.created"; whn = "lead.score > 3"; do = "assign nobody-here"; };
          other : { on = "lead.creatd"; do = "send welcom"; };
          third : { on = "lead.created"; when = "lead.scor > 3"; do = "tag x"; }; };
sequences : { slow : { by_hand = true; steps = ( { email = "nothing"; }, { wait = "3 parsecs"; } ); }; };
tests : { pays : { at = "2026-11-20 10:00"; given = ( { form = "contct"; fields : { email = "a@b.example"; }; } );
                   expect : { rules = "nope"; }; }; };
""")
    (folder / "templates/hi.txt").write_text("Subject: Hi {{contact.nme}}\n\nHello\n")
    code, out, err = rules("check", folder)
    assert code == 1
    for said in ("relay: unknown key", "rules.large.whn: unknown key", 'unknown event "lead.creatd"',
                 "no template 'welcom'", 'unknown field "lead.scor"', "no template 'nothing'", "3 parsecs",
                 'unknown name "contact.nme"', 'no form "contct"', 'no rule, escalation or step "nope"'):
        assert said in out, (said, out)
    assert "nobody-here" not in out  # of a rule with a mistake of notation: told when that is mended
    (folder / "rules.d/20.conf").write_text("lang = 1;\nrules : {")
    assert "lead.creatd" not in rules("check", folder)[1]  # what cannot be read may be what is missed


# ---- fixtures/config/wrong-rules.txt ----

WRONG = os.path.join(os.path.dirname(__file__), "..", "fixtures", "config", "wrong-rules.txt")
WRONG_CONF = """company = "A"; address = "crm@example.com"; default_owner = "mia";
users : { mia : { name = "Mia"; email = "mia@example.com"; };
          tom : { name = "Tom"; email = "tom@example.com"; }; };
mailboxes : { in : { type = "maildir"; path = "in"; }; };
relays = ( { name = "out"; type = "maildir"; path = "out"; } );
"""


def wrong_cases():
    with open(WRONG, encoding="utf-8") as f:
        for case in re.split(r"(?m)^>>> ", f.read())[1:]:
            name, rest = case.split("\n", 1)
            rules_file, want = rest.split("===\n", 1)
            yield name, rules_file, want


def wrong_run(rules_file):
    """Exit status and all that is printed for this file."""
    for written, meant in (("\\t", "\t"), ("\\r", "\r"), ("\\ufeff", "\ufeff")):
        rules_file = rules_file.replace(written, meant)
    with tempfile.TemporaryDirectory(prefix="leadd-") as folder:
        for name, text in (("leadd.conf", WRONG_CONF), ("rules.d/10-a.conf", rules_file),
                           ("rules.d/05-other.conf",
                            'lang = 1;\nrules : { first : { on = "deal.won"; do = "send welcome"; }; };\n'),
                           ("templates/welcome.txt", "Subject: Hello\n\nHello\n")):
            path = os.path.join(folder, name)
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "w", encoding="utf-8", newline="") as f:
                f.write(text)
        code, out, _ = rules("check", folder)
        return code, out.replace(folder + "/", "").replace(folder, "DIR")


def test_each_wrong_rule_file_has_its_message():
    cases = list(wrong_cases())
    assert len(cases) >= 60
    for name, rules_file, want in cases:
        code, got = wrong_run(rules_file)
        assert got == want, name
        assert code == (1 if re.search(r"(?m)^[^ :]+:\d+(:\d+)?: (?!warning: )", got) else 0), name
