# SPDX-License-Identifier: ISC
"""Sequences: steps over days, what begins and ends them, and what a person sees of them."""
import pytest

import company
from daemon import CtlError, Daemon

START = "2026-11-02T09:00:00Z"  # a Monday, 10:00 in Vienna
REST = 'rest : { on = "lead.created"; do = [ "assign tom"%s ]; };\n'
TEMPLATES = {"templates/%s.txt" % n: "Subject: %s\n\nDear {{contact.name|you}}, this is %s.\n" % (n, n)
             for n in ("hello", "again", "last", "other")}
NURTURE = '''
  nurture : {
    window = "Mon-Fri 09:00-17:00";
    steps = (
      { email = "hello"; },
      { wait = "3d"; },
      { email = "again"; when = "lead.score < 50"; },
      { branch = "lead.score >= 20";
        then = ( { task = "tomorrow 10:00 call them"; }, { wait = "1d"; } );
        else = ( { wait = "2d"; } ); },
      { email = "last"; }
    );
  };'''


class Company(Daemon):
    def __init__(self, sequences=NURTURE, begins="nurture", start=START, **more):
        self.number = 0
        rest = REST % (', "sequence %s"' % begins if begins else "")
        self.rules = "lang = 1;\nrules : {\n%s};\nsequences : {%s};\n" % (rest, sequences)
        files = company.files(self.rules, **TEMPLATES)
        files.update(more.pop("files", {}))
        super().__init__(company.conf(**more), files, args=["--pretend-time", start])

    def lead(self, sender=None, **more):
        self.number += 1
        self.ingest(company.mail(sender or "p%d@shop%d.example" % (self.number, self.number), **more))
        return "L%d" % self.number

    def pass_time(self, span):
        self.ctl("clock", "advance", span)

    def mails(self, to=None):
        """Subject and UTC time of what left to a contact."""
        rows = [r for r in self.ctl("outbox", "list", "limit=200")["rows"] if "shop" in r["to"]]
        return [(r["subject"], r["created"][5:16]) for r in reversed(rows)
                if to is None or r["to"] == to]

    def enrolments(self, *what):
        return [(r["record"], r["sequence"], r["state"], r["reason"])
                for r in self.ctl("sequence", "enrolments", *what)["rows"]]

    def why(self, record):
        return self.ctl_text("why", record, width=400)


def test_steps_follow_each_other_inside_the_window():
    with Company() as d:
        d.lead()
        assert d.enrolments() == [("L1", "nurture", "active", "")]
        d.pass_time("20d")
        # Thursday 10:00, a branch that waits two days more: Saturday, so Monday 09:00 in Vienna
        assert d.mails() == [("hello", "11-02T09:00"), ("again", "11-05T09:00"), ("last", "11-09T08:00")]
        assert d.enrolments() == [("L1", "nurture", "done", "")]
        assert "nurture/3" in d.why("L1")


def test_conditions_pass_a_step_over_and_branches_part():
    with Company() as d:
        d.lead()
        d.pass_time("1d")
        d.ctl("do", "L1", "set", "lead.score", "60")
        d.pass_time("20d")
        assert [m[0] for m in d.mails()] == ["hello", "last"]
        assert [t["title"] for t in d.ctl("list", "tasks")["rows"]] == ["call them"]
        told = d.why("L1")
        assert "lead.score < 50 is false" in told and "lead.score is 60" in told


def test_an_answer_ends_it_before_the_next_step():
    with Company() as d:
        d.lead(sender="ada@shop1.example")
        d.pass_time("1d")
        d.ingest(company.mail("ada@shop1.example", subject="Re: hello", text="Thank you, call me.\n"))
        assert d.enrolments() == [("L1", "nurture", "stopped", "the contact has answered")]
        d.pass_time("20d")
        assert [m[0] for m in d.mails()] == ["hello"]


def test_an_automatic_answer_does_not_end_it():
    with Company() as d:
        d.lead(sender="ada@shop1.example")
        d.pass_time("1d")
        d.ingest(company.mail("ada@shop1.example", subject="Out of office", text="I am away.\n",
                              **{"Auto-Submitted": "auto-replied"}))
        assert d.enrolments() == [("L1", "nurture", "active", "")]


def test_what_ends_it():
    with Company() as d:
        for n, (command, reason) in enumerate((
                (("optout",), "the contact has opted out"),
                (("call", "talked for long"), "one of ours has written or called"),
                (("close",), "the lead is closed"),
                (("sequence", "stop"), "by operator"),
        ), 1):
            record = d.lead()
            d.pass_time("1m")
            d.ctl("do", record, *command)
            (row,) = [r for r in d.enrolments() if r[0] == record]
            assert row[2] == "stopped" and row[3].startswith(reason), (command, row)


def test_one_at_a_time_pause_resume_and_undo():
    with Company(NURTURE + '\n  other : { steps = ( { email = "other"; } ); };') as d:
        d.lead()
        with pytest.raises(CtlError, match="L1 is in the sequence nurture already"):
            d.ctl("do", "L1", "sequence", "other")
        d.ctl("do", "L1", "sequence", "pause")
        assert d.enrolments()[0][2] == "paused"
        d.pass_time("10d")
        assert d.mails() == [("hello", "11-02T09:00")]
        d.ctl("do", "L1", "sequence", "resume")
        d.pass_time("5d")  # what was left, and a weekend
        assert [m[0] for m in d.mails()] == ["hello", "again"]
        d.ctl("do", "L1", "sequence", "stop")
        d.ctl("undo", "L1")
        assert d.enrolments()[0][2] == "active"
        d.pass_time("10d")
        assert [m[0] for m in d.mails()] == ["hello", "again", "last"]


def test_who_is_in_it_keeps_the_version_and_migrates_when_told():
    with Company() as d:
        d.lead()
        d.lead()
        d.pass_time("1d")
        d.ctl("do", "L2", "sequence", "pause")
        d.write("rules.d/10-rules.conf", d.rules.replace('email = "last"', 'email = "other"'))
        d.reload()
        d.lead()
        d.pass_time("20d")
        assert d.mails("p1@shop1.example")[-1][0] == "last"   # as it was when it began
        assert d.mails("p3@shop3.example")[-1][0] == "other"
        assert "1 of 1 go on in the present version" in d.ctl_text("sequence", "migrate", "nurture")
        d.ctl("do", "L2", "sequence", "resume")
        d.pass_time("20d")
        assert d.mails("p2@shop2.example")[-1][0] == "other"


def test_the_preview_says_what_goes_out_when():
    with Company(begins=None) as d:
        d.lead()
        rows = d.ctl("sequence", "preview", "L1", "nurture")["rows"]
        assert [(r["step"], r["what"], r["time"][5:16]) for r in rows if r["what"].startswith("email")] == [
            ("1", "email hello", "11-02T09:00"), ("3", "email again", "11-05T09:00"),
            ("5", "email last", "11-09T08:00")]
        assert rows[0]["local"] == "2026-11-02 10:00"
        d.ctl("do", "L1", "sequence", "nurture")
        d.pass_time("20d")
        assert [m[1] for m in d.mails()] == ["11-02T09:00", "11-05T09:00", "11-09T08:00"]


def test_variants_are_dealt_by_share_and_a_record_keeps_its_own():
    split = '''split : { steps = ( { variants = ( { share = 1; steps = ( { email = "hello"; } ); },
                                                  { share = 3; steps = ( { email = "other"; } ); } ); } ); };'''
    with Company(split, begins="split") as d:
        for _ in range(40):
            d.lead()
        d.pass_time("1m")
        got = [m[0] for m in d.mails()]
        assert len(got) == 40 and 3 <= got.count("hello") <= 18
        assert {r["variants"] for r in d.ctl("sequence", "enrolments", "limit=100")["rows"]} == {"1:1", "1:2"}


def test_a_step_may_end_its_own_sequence_and_begin_another():
    two = '''nurture : { steps = ( { email = "hello"; }, { wait = "1d"; },
                            { do = [ "sequence stop", "sequence other" ]; }, { email = "again"; } ); };
             other : { steps = ( { wait = "1d"; }, { email = "other"; } ); };'''
    with Company(two) as d:
        d.lead()
        d.pass_time("5d")
        assert [m[0] for m in d.mails()] == ["hello", "other"]
        assert sorted(d.enrolments()) == [("L1", "nurture", "stopped", "by rule nurture/3"), ("L1", "other", "done", "")]


def test_a_step_may_pause_its_own_sequence_which_goes_on_behind_it():
    with Company('nurture : { steps = ( { do = "sequence pause"; }, { email = "hello"; } ); };') as d:
        d.lead()
        d.pass_time("5d")
        assert (d.mails(), d.enrolments()[0][2]) == ([], "paused")
        d.ctl("do", "L1", "sequence", "resume")
        d.pass_time("1d")
        assert ([m[0] for m in d.mails()], d.enrolments()[0][2]) == (["hello"], "done")


def test_conditions_lists_and_show_know_who_is_in_a_sequence():
    rest = 'other : { steps = ( { email = "other"; when = "not contact.sequence contains \'nurture\'"; } ); several = true; };'
    with Company(NURTURE + rest) as d:
        d.lead()
        d.lead()
        d.ctl("do", "L2", "sequence", "stop")
        assert [r["id"] for r in d.ctl("list", "leads", "sequence=nurture")["rows"]] == ["L1"]
        assert [r["id"] for r in d.ctl("list", "leads", "sequence=")["rows"]] == ["L2"]
        assert [r["id"] for r in d.ctl("list", "contacts", "sequence=nurture")["rows"]] == ["C1"]
        assert "nurture" in d.ctl_text("show", "L1")
        for record in ("L1", "L2"):
            d.ctl("do", record, "sequence", "other")
        d.pass_time("1h")
        assert [(r["subject"], r["to"]) for r in d.ctl("outbox", "list")["rows"] if r["subject"] == "other"] == [
            ("other", "p2@shop2.example")]


TESTED = """
tests : {
  steps : { at = "2026-11-02 10:00";
            given = ( { mail : { from = "a@shop1.example"; }; }, { advance = "1h"; },
                      { expect : { rules = [ "nurture/1" ]; sent = "hello to a@shop1.example"; timers = "nurture at 2026-11-05 10:00";
                                   when = "lead.sequence contains 'nurture'"; }; },
                      { advance = "10d"; } );
            expect : { rules = [ "nurture/3", "nurture/5" ]; not_rules = "nurture/4.then.1"; sent = [ "again", "last" ];
                       no_timers = true; when = "lead.sequence is not set"; }; };
};
"""


def test_rule_tests_expect_steps_and_time_passes_in_them():
    with Company() as d:
        def told(was="-", now="-"):
            d.write("rules.d/20-tests.conf", "lang = 1;\n" + TESTED.replace(was, now))
            r = d.leadctl("rules", "test", d.dir)
            return (r.stdout + r.stderr).decode()
        assert "1 test passed, 0 failed" in told()
        assert "nurture/4.then.1 runs, found it did not" in told('"nurture/5"', '"nurture/4.then.1"')
        assert "no rule, escalation or step" in told('"nurture/5"', '"nurture/9"')
