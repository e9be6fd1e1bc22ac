# SPDX-License-Identifier: ISC
"""leadctl rules test: the tests that stand beside the rules, without a daemon."""
import json
import os
import subprocess
import time

import pytest

from daemon import LEADCTL

CONF = """company = "A"; address = "crm@example.com"; default_owner = "mia";
time_zone = "Europe/Vienna"; undo_window = "30s";
users : { mia : { name = "Mia"; email = "mia@example.com"; role = "admin"; };
          tom : { name = "Tom"; email = "tom@example.com"; }; };
mailboxes : { sales : { type = "maildir"; path = "in"; };
              help : { type = "maildir"; path = "in2"; creates = "case"; }; };
relays = ( { name = "out"; type = "maildir"; path = "out"; } );
forms : { contact : { fields : { email = "contact.email"; country = "contact.country";
                                 employees = "lead.employees"; };
                      required = [ "email" ]; }; };
fields : { lead : { employees : { type = "int"; }; }; };
"""

RULES = """lang = 1;
rules : {
  dach : { first = "a"; on = "lead.created"; when = "contact.country in ['DE', 'AT']"; do = "assign tom"; };
  rest : { first = "a"; on = "lead.created"; do = "assign mia"; };
  welcome : { on = "lead.created"; when = "not lead.contacted"; do = "send welcome"; };
  greeted : { on = "outbox.sent"; do = "tag greeted"; };
  machine : { on = "message.received"; when = "message.subject starts 'Out of'"; stop = "all"; };
};
tests : {
%s
};
"""

ADA = '{ form = "contact"; fields : { email = "ada@shop.example"; country = "DE"; }; }'


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "rules.d").mkdir()
    (tmp_path / "templates").mkdir()
    (tmp_path / "templates/welcome.txt").write_text("Subject: Hello\n\nYou are {{lead.id}}.\n")
    (tmp_path / "leadd.conf").write_text(CONF)
    return tmp_path


def run(folder, *args):
    env = dict(os.environ, LEADD_RUN_DIR="/nonexistent", LEADD_HOOKS="rules.test_short")
    p = subprocess.run([LEADCTL, "rules", "test", str(folder)] + list(args), env=env, check=False,
                       capture_output=True, text=True, timeout=120)
    return p.returncode, p.stdout.replace(str(folder) + "/", ""), p.stderr


def try_out(folder, tests, *args):
    (folder / "rules.d/10.conf").write_text(RULES % tests)
    return run(folder, *args)


def one(given, expect, at="2026-11-20 10:00"):
    return '  t : { at = "%s"; given = ( %s ); expect : { %s }; };' % (at, given, expect)


def failures(folder, given, expect, **kw):
    code, out, err = try_out(folder, one(given, expect, **kw), "--json")
    data = json.loads(out)
    assert "tests" in data, data
    assert (code, data["failed"], err) == ((1, 1, "") if data["tests"][0]["failures"] else (0, 0, ""))
    return data["tests"][0]["failures"]


def test_one_line_for_each_test_and_a_count(folder):
    code, out, err = try_out(folder, """
  german-to-tom : { at = "2026-11-20 10:00"; given = ( %s ); expect : { owner = "tom"; }; };
  other-to-mia  : { at = "2026-11-20 10:00";
    given = ( { form = "contact"; fields : { email = "b@c.example"; country = "FR"; }; } );
    expect : { owner = "mia"; rules = "rest"; not_rules = "dach"; }; };""" % ADA)
    assert (code, err) == (0, "")
    assert out == "ok      german-to-tom\nok      other-to-mia\n2 tests passed, 0 failed\n"
    code, out, _ = run(folder, "other-to-mia")
    assert (code, out) == (0, "ok      other-to-mia\n1 test passed, 0 failed\n")
    code, out, _ = run(folder, "other-to-mai")
    assert code == 1 and 'no test "other-to-mai"; did you mean "other-to-mia"?' in out


def test_a_failure_says_where_what_and_why(folder):
    code, out, _ = try_out(folder, """  t : {
    at = "2026-11-20 10:00";
    given = ( { form = "contact"; fields : { email = "b@c.example"; country = "FR"; }; } );
    expect : {
      owner = "tom";
    };
  };""")
    assert code == 1
    assert out == (
        "FAILED  t\n"
        "rules.d/10.conf:14: t: expected owner of L1: tom, found mia\n"
        '    it was set by "assign mia" of rule rest (rules.d/10.conf:4)\n'
        "    dach (rules.d/10.conf:3): did not match: contact.country in ['DE', 'AT'] is false "
        "(rules.d/10.conf:3): contact.country is 'FR'\n"
        "0 tests passed, 1 failed\n")


WRONG = [
    ('owner = "mia"', "owner of L1: mia", "tom"),
    ('status = "closed"', "status of L1: closed", "new"),
    ('stage = "proposal"', "stage of L1: proposal", "none"),
    ('tags = "hot"', "tag of L1: hot", "no tags"),
    ('when = [ "lead.employees > 5", "lead.status == \'new\'" ]', "lead.employees > 5",
     "lead.employees is not set"),
    ('sent = "welcome to eve@shop.example"', "sent: welcome to eve@shop.example",
     "welcome to ada@shop.example"),
    ('sent = [ "welcome", "welcome" ]', "sent: welcome", "welcome to ada@shop.example"),
    ('not_sent = "to ada@shop.example"', "not sent: to ada@shop.example",
     "welcome to ada@shop.example"),
    ('rules = "rest"', "rule rest runs", "it did not"),
    ('not_rules = "dach"', "rule dach does not run", "it ran"),
    ('timers = "dach at 2026-11-20 10:30"', "timer: dach at 2026-11-20 10:30", "no timer"),
    ("leads = 0", "leads: 0", "1"),
    ("cases = 1", "cases: 1", "0"),
    ("tasks = 1", "tasks: 1", "0"),
    ("mails = 0", "mails: 0", "welcome to ada@shop.example"),
    ('answer = "invalid"', "answer: invalid", "ok"),
    ('about = "eve@shop.example"; owner = "tom"', "about eve@shop.example",
     "there is no lead, case or contact of eve@shop.example"),
]


def test_every_expectation_can_fail(folder):
    code, out, _ = try_out(folder, "\n".join(
        '  t%d : { at = "2026-11-20 10:00"; given = ( %s ); expect : { %s; }; };' % (n, ADA, w[0])
        for n, w in enumerate(WRONG)), "--json")
    data = json.loads(out)
    assert (code, data["passed"], data["failed"]) == (1, 0, len(WRONG))
    for n, (test, (_, expected, found)) in enumerate(zip(data["tests"], WRONG)):
        got = test["failures"][0]
        assert (got["expected"], got["found"]) == (expected, found)
        assert got["at"] == "rules.d/10.conf:%d" % (10 + n)


def test_every_expectation_can_hold(folder):
    assert not failures(folder, ADA, """owner = "tom"; status = "new"; not_tags = [ "hot" ];
        when = "contact.country == 'DE'"; sent = [ "welcome to ada@shop.example" ];
        not_sent = [ "to tom", "welcome to eve@shop.example" ]; rules = [ "dach", "welcome" ];
        not_rules = "rest"; no_timers = true; leads = 1; cases = 0; tasks = 0; mails = 1;
        answer = "ok"; about = "L1";""")


def test_mail_leaves_when_time_passes(folder):
    """The undo window is half a minute."""
    assert not failures(folder, ADA + """, { expect : { not_tags = "greeted"; }; },
        { advance = "29s"; }, { expect : { not_tags = "greeted"; rules = []; mails = 0; }; },
        { until = "2026-11-20 10:01"; }""", 'tags = "greeted"; rules = "greeted";')


def test_a_day_with_a_change_of_the_clocks_has_its_own_length(folder):
    """On 2026-10-25 the clocks go back at 03:00: noon to noon is 25 hours."""
    given = ADA + ', { until = "2026-10-25 12:00"; }'
    at = "2026-10-24 12:00"
    assert not failures(folder, given, 'when = "lead.age >= 25h";', at=at)
    assert failures(folder, given, 'when = "lead.age > 25h";', at=at)
    # 02:30 is there twice: the first is meant, unless the offset says the second
    assert not failures(folder, ADA + ', { until = "2026-10-25T02:30:00+01:00"; }',
                        'when = [ "lead.age >= 1h", "lead.age <= 1h" ];', at="2026-10-25 02:30")


def test_mails_come_in_as_text_file_and_answer(folder):
    (folder / "rules.d/out.eml").write_text(
        "From: Ada <ada@shop.example>\nTo: crm@example.com\nSubject: Out of office\n\nbye\n")
    given = """{ mail : { from = "Ada <ada@shop.example>"; subject = "price"; text = "how" " much?\\n"; }; },
      { expect : { leads = 1; when = [ "contact.name == 'Ada'", "lead.subject == 'price'" ];
                   rules = "rest"; sent = "welcome"; answer = "filed"; }; },
      { mail : { from = "ada@shop.example"; answers = "welcome"; text = "thanks"; }; },
      { expect : { leads = 1; mails = 0; when = "lead.last_in is set"; }; },
      { mail_file = "out.eml"; }, { expect : { rules = "machine"; leads = 1; }; },
      { mail : { from = "bob@shop.example"; to = "crm@example.com"; text = "broken"; }; mailbox = "help"; },
      { expect : { cases = 1; status = "open"; owner = "mia"; about = "K1"; }; },
      { mail : { from = "eve@shop.example"; text = "x"; headers = [ "Auto-Submitted: auto-replied" ]; }; }"""
    assert not failures(folder, given, 'answer = "ignored"; leads = 1;')


def test_commands_run_as_their_user(folder):
    given = ADA + """, { command = "assign mia"; by = "mia"; }, { expect : { owner = "mia"; }; },
        { command = "tag vip"; on = "ada@shop.example"; }"""
    assert not failures(folder, given, 'tags = "vip"; answer = "ok";')


def test_a_step_that_is_refused_fails_the_test_unless_it_is_expected(folder):
    got = failures(folder, ADA + ', { command = "assign nobody"; }', "leads = 1;")
    assert got[0]["expected"] == "the command runs" and got[0]["found"] == "refused"
    assert "nobody" in got[0]["why"][0]
    assert not failures(folder, ADA + ', { command = "assign nobody"; }', 'answer = "refused";')
    got = failures(folder, '{ form = "contact"; fields : { country = "DE"; }; }', "leads = 0;")
    assert got[0]["found"] == "invalid" and "email" in got[0]["why"][0]
    got = failures(folder, ADA + ', { until = "2026-11-19 10:00"; }', "leads = 1;")
    assert "later than that already" in got[0]["found"]
    got = failures(folder, '{ command = "tag x"; }', "leads = 0;")
    assert "no record yet" in got[0]["found"]


def test_each_test_begins_with_nothing(folder):
    code, out, _ = try_out(folder, "\n".join(
        '  t%d : { at = "2026-11-20 10:00"; given = ( %s ); expect : { leads = 1; mails = 1; }; };'
        % (n, ADA.replace("ada@", "ada%d@" % n)) for n in range(20)))
    assert code == 0 and out.endswith("20 tests passed, 0 failed\n")


NOT_THERE = [
    ('{ form = "contct"; }', "leads = 0;", 'no form "contct"; did you mean "contact"?'),
    ('{ form = "contact"; fields : { emial = "x"; }; }', "leads = 0;",
     'the form contact has no field "emial"; did you mean "email"?'),
    ('{ mail : { from = "a@b.example"; }; mailbox = "saels"; }', "leads = 0;",
     'no mailbox "saels"; did you mean "sales"?'),
    ('{ mail : { from = "a@b.example"; answers = "welcom"; }; }', "leads = 0;",
     'no template "welcom"; did you mean "welcome"?'),
    ('{ mail : { from = "a@b.example"; headers = "Auto"; }; }', "leads = 0;", "is no header field"),
    ('{ mail_file = "none.eml"; }', "leads = 0;", "none.eml: No such file"),
    ('{ command = "tag x"; by = "tim"; }', "leads = 0;", 'no user "tim"; did you mean "tom"?'),
    ('{ until = "tomorrow"; }', "leads = 0;", '"tomorrow" is no date and time'),
    ('{ advance = "1d"; }', 'owner = "tim";', 'no user "tim"'),
    ('{ advance = "1d"; }', 'stage = "propsal";', 'no stage "propsal"; did you mean "proposal"?'),
    ('{ advance = "1d"; }', 'when = "lead.scor > 5";', 'unknown field "lead.scor"'),
    ('{ advance = "1d"; }', 'sent = "welcom to tom";', 'no template "welcom"'),
    ('{ advance = "1d"; }', 'sent = "welcome to tim";', 'no user "tim"'),
    ('{ advance = "1d"; }', 'rules = "dahc";', 'no rule, escalation or step "dahc"; did you mean "dach"?'),
    ('{ advance = "1d"; }', 'timers = "dahc at 2026-11-20 10:00";', 'no rule, escalation or step "dahc"'),
    ('{ advance = "1d"; }', 'timers = "dach at noon";', '"noon" is no date and time'),
    ('{ advance = "1d"; }', 'answer = "fine";', 'no answer "fine"'),
    ('{ advance = "1d"; form = "contact"; }', "leads = 0;", "has both form and advance"),
    ('{ }', "leads = 0;", "nothing happens in this step"),
    ('{ advance = "1d"; by = "tom"; }', "leads = 0;", '"by" belongs to command'),
    ('{ advanc = "1d"; }', "leads = 0;", 'did you mean "advance"?'),
    ('{ advance = "1d"; }', "", "expects nothing"),
    ('', "leads = 0;", "must not be empty"),
    ('{ advance = "1d"; }', "leads = \"1\";", "expected a whole number, got \"1\""),
    ('{ advance = "1d"; }', "no_timers = false;", "expected true, got false"),
]


@pytest.mark.parametrize("given,expect,message", NOT_THERE)
def test_what_a_test_names_and_is_not_there_is_told_before_it_runs(folder, given, expect, message):
    code, out, err = try_out(folder, one(given, expect))
    assert code == 1 and message in out and "rules.d/10.conf:10: " in out
    assert err.endswith("no test was run\n")


def test_mistakes_in_rules_are_told_as_rules_check_tells_them(folder):
    (folder / "rules.d/10.conf").write_text('lang = 1;\nrules : { a : { on = "lead.craeted"; do = "tag x"; }; };\n')
    code, out, err = run(folder)
    assert code == 1 and 'did you mean "lead.created"?' in out and err == "1 error; no test was run\n"
    code, out, _ = run(folder, "--json")
    assert code == 1 and json.loads(out)["ok"] is False


def test_without_tests_it_says_where_they_stand(folder):
    (folder / "rules.d/10.conf").write_text('lang = 1;\n')
    code, out, _ = run(folder)
    assert code == 0 and out.startswith("no tests: ")


def test_v_tells_the_whole_story(folder):
    _, out, _ = try_out(folder, one(ADA, 'owner = "tom";'), "-v")
    assert "2026-11-20 10:00:00  form contact M1" in out
    assert "dach (rules.d/10.conf:3): matched\n      assign tom -> L1 is assigned to tom" in out


WAITS = """lang = 1;
rules : {
  wait : { on = "lead"; when = "not lead.contacted"; after = "30m"; do = "tag slow"; again = "%s"; %s };
  once : { on = "lead"; when = "lead.tags contains 'slow'"; once = true; do = "task 'call'"; };
};
tests : {
  t : { at = "2026-11-20 10:00"; given = ( { mail : { from = "ada@shop.example"; text = "hi"; }; }, %s ); };
};
"""


def test_time_that_passes_fires_timers_each_at_its_own_time(folder):
    (folder / "rules.d/10.conf").write_text(WAITS % ("10m", "max = 3;", """
      { expect : { timers = "wait at 2026-11-20 10:30"; not_rules = "wait"; }; }, { advance = "29m"; },
      { expect : { not_tags = "slow"; timers = "wait"; }; }, { advance = "1m"; },
      { expect : { tags = "slow"; rules = [ "wait", "once" ]; timers = "wait at 2026-11-20 10:40"; }; },
      { advance = "2d"; }, { expect : { rules = "wait"; not_rules = "once"; tasks = 1; no_timers = true; }; },
      { advance = "2d"; }, { expect : { not_rules = "wait"; }; }"""))
    code, out, _ = run(folder)
    assert code == 0, out
    (folder / "rules.d/10.conf").write_text(WAITS % ("10m", "max = 3;", """{ advance = "35m"; },
      { expect : { timers = "wait at 2026-11-20 10:41"; rules = "wait"; }; },
      { expect : { no_timers = true; rules = "wait"; }; }"""))
    code, out, _ = run(folder)
    assert code == 1
    assert "expected timer: wait at 2026-11-20 10:41, found wait at 2026-11-20 10:40\n" in out
    assert "expected no timers, found wait at 2026-11-20 10:40\n" in out
    assert "wait (rules.d/10.conf:3): was not asked since the expect before: no event lead\n" in out


LATER = """lang = 1;
calendars : { office : { zone = "Europe/Vienna"; hours = "Mon-Fri 09:00-17:00"; }; };
rules : {
  first : { on = "lead.created"; do = "assign tom"; };
  weekly : { every = "Mon 08:00 Europe/Vienna"; over = "lead"; when = "lead.status == 'new'"; do = "tag weekly"; };
};
escalations : { slow : { on = "lead"; when = "lead.status == 'new'"; since = "created"; calendar = "office";
    levels = ( { after = "30m"; do = "tag late"; }, { after = "2h"; do = "assign mia"; } ); }; };
tests : { t : { at = "2026-11-20 16:45"; given = ( { mail : { from = "ada@shop.example"; text = "x"; }; }, %s ); }; };
"""


def test_escalations_and_scheduled_rules_are_seen_as_timers_and_rules(folder):
    """From Friday evening over the weekend."""
    (folder / "rules.d/10.conf").write_text(LATER % """
      { expect : { timers = [ "slow at 2026-11-23 09:15", "weekly at 2026-11-23 08:00" ]; }; },
      { until = "2026-11-23 09:14"; }, { expect : { tags = "weekly"; not_tags = "late"; rules = "weekly"; }; },
      { advance = "1m"; }, { expect : { tags = "late"; rules = "slow"; timers = "slow at 2026-11-23 10:45"; }; },
      { advance = "1d"; }, { expect : { owner = "mia"; rules = "slow"; not_rules = "weekly"; no_timers = true; }; }""")
    code, out, _ = run(folder)
    assert code == 0, out
    (folder / "rules.d/10.conf").write_text(LATER % '{ expect : { rules = "slow"; no_timers = true; }; }')
    code, out, _ = run(folder)
    assert code == 1
    assert "expected rule slow runs, found it did not\n    slow (rules.d/10.conf:7): waits" in out
    assert "expected no timers, found weekly at 2026-11-23 08:00, slow at 2026-11-23 09:15" in out


CALLS = """lang = 1;
rules : {
  ask : { on = "lead.created"; when = "contact.country == 'DE'"; do = [ "enrich score", "webhook erp" ]; };
  hot : { on = "lead.enriched"; when = "lead.score >= 60"; do = "tag hot"; };
  dark : { on = "lead.enrich_failed"; do = "tag dark"; };
};
enrichments : { score : { endpoint = "scorer"; send = "lead.source"; set : { score = "lead.score"; }; }; };
tests : { t : { at = "2026-11-20 10:00"; given = ( { form = "contact"; fields : { email = "a@b.example"; country = "DE"; }; }, %s ); }; };
"""
ENDPOINTS = """endpoints : { scorer : { url = "https://score.example/v1"; }; erp : { url = "https://erp.example/"; }; };
"""


def test_other_programs_are_played_by_the_test(folder):
    """Nobody is called; what they answer stands in the test."""
    (folder / "leadd.conf").write_text(CONF + ENDPOINTS)
    (folder / "rules.d/10.conf").write_text(CALLS % """
      { expect : { called = [ "score", "erp", "scorer" ]; not_tags = "hot"; }; },
      { answered = "score"; fields : { score = "80"; }; },
      { answered = "erp"; code = 204; },
      { expect : { tags = "hot"; when = "lead.score == 80"; not_called = [ "score", "erp" ]; }; }""")
    code, out, _ = run(folder)
    assert code == 0, out
    (folder / "rules.d/10.conf").write_text(CALLS % """
      { answered = "score"; code = 404; answer = "{ \\"score\\": 80 }"; }, { expect : { not_tags = "hot"; tags = "dark"; }; },
      { expect : { called = "erp"; }; }, { answered = "score"; }""")
    code, out, _ = run(folder)
    assert code == 1
    assert "expected called: erp, found no call" in out
    assert 'nothing waits for an answer of "score"' in out
    (folder / "rules.d/10.conf").write_text(CALLS % """{ expect : { not_called = "erp"; called = "scoer"; }; }""")
    code, out, _ = run(folder)
    assert code == 1 and 'no endpoint or enrichment "scoer"; did you mean "scorer"?' in out


def test_a_test_that_would_never_end_is_stopped(folder):
    """A rule that runs once a second for ten years."""
    (folder / "rules.d/10.conf").write_text(WAITS % ("1s", "", """{ advance = "3650d"; },
      { expect : { leads = 1; }; }"""))
    start = time.monotonic()
    code, out, _ = run(folder)
    assert time.monotonic() - start < 60 and code == 1
    assert "the test comes to its end, found it " in out or "does not come to an end" in out
