# SPDX-License-Identifier: ISC
"""What rules and sequences say of a time that has passed by far: run, skip, hold."""
import company
from test_late import START, TEMPLATES
from test_late import Company as Late
from daemon import Daemon

RULES = """
lang = 1;
rules : {
  rest : { on = "lead.created"; do = [ "assign tom", "sequence runs", "sequence skips", "sequence holds" ]; };
  told : { on = "lead"; when = "lead.status == 'new'"; after = "2d"; do = "tag told"; };
  left : { on = "lead"; when = "lead.status == 'new'"; after = "2d"; late = "skip"; do = "tag left"; };
  drum : { on = "lead"; when = "lead.status == 'new'"; again = "1d"; late = "skip"; do = "score +1"; };
  week : { every = "Mon 08:00"; over = "lead"; do = "tag week"; };
  gone : { every = "Mon 08:00"; over = "lead"; late = "skip"; do = "tag gone"; };
};
sequences : { %s };
""" % "".join("""
  %s : { several = true; late = "%s"; steps = ( { wait = "3d"; }, { email = "hello"; }, { task = "+1d call"; },
         { wait = "2d"; }, { email = "again"; } ); };""" % pair for pair in
              (("runs", "run"), ("skips", "skip"), ("holds", "hold")))


class Company(Late):
    def __init__(self, rules=RULES):
        Daemon.__init__(self, company.conf(), company.files(rules, **TEMPLATES), args=["--pretend-time", START])

    def tags(self):
        return dict(self.ctl("show", "L1")["fields"])["Tags"]

    def score(self):
        return dict(self.ctl("show", "L1")["fields"])["Score"]

    def count(self, subject):
        return len(self.mails(subject))

    def enrolment(self, name):
        (row,) = self.ctl("sequence", "enrolments", name)["rows"]
        return row["state"], row["reason"]

    def why(self):
        return self.ctl_text("why", "L1", "limit=200", width=400)


def test_after_a_week_each_does_with_what_is_late_as_it_says():
    with Company() as d:
        d.leads(1)
        assert d.score() == 1
        d.down_until("2026-11-09T10:00:00Z")  # a Monday again, 11:00 in Vienna
        d.pass_time("1m")
        assert d.tags() == ["told", "week"] and d.score() == 1
        told = d.why()
        assert "timer of left skipped: late, it was due" in told
        assert "sequence skips, step 2: passed over, it is late" in told
        assert d.count("hello") == 1 and d.enrolment("holds")[0] == "paused"
        assert d.enrolment("holds")[1].startswith("late: it was due 2026-11-05")
        assert len(d.ctl("list", "tasks")["rows"]) == 1  # of runs alone
        d.pass_time("25h")
        assert d.score() == 2  # drum goes on at its next time
        d.pass_time("2d")
        assert d.count("again") == 2 and d.enrolment("skips") == ("done", "")
        d.ctl("do", "L1", "sequence", "resume", "holds")
        d.pass_time("1m")
        assert d.count("hello") == 2 and len(d.ctl("list", "tasks")["rows"]) == 2
        d.pass_time("3d")
        assert d.count("again") == 3 and "left" not in d.tags() and "gone" not in d.tags()


def test_what_is_late_by_less_than_late_after_runs_all_the_same():
    with Company() as d:
        d.leads(1)
        d.pass_time("46h")
        d.down_until("2026-11-04T09:30:00Z")
        d.pass_time("1m")
        assert d.tags() == ["left", "told"]


def test_a_time_that_was_skipped_counts_for_nothing_of_max():
    rules = RULES.replace('again = "1d";', 'again = "1d"; max = 3;')
    assert rules != RULES
    with Company(rules) as d:
        d.leads(1)
        d.down_until("2026-11-09T10:00:00Z")
        d.pass_time("1m")
        assert d.score() == 1
        d.pass_time("5d")
        assert d.score() == 3  # once before, twice after


def test_late_on_a_rule_that_waits_for_nothing_is_a_mistake():
    with Company() as d:
        d.write("rules.d/20-more.conf", 'lang = 1;\nrules : { x : { on = "lead.created"; late = "skip"; '
                                        'do = "tag x"; }; };\n')
        r = d.leadctl("reload")
        assert r.returncode != 0 and b"late is for what waits for a time" in r.stdout + r.stderr
