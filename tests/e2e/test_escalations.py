# SPDX-License-Identifier: ISC
"""Escalations and scheduled rules: what becomes of them, and where people see it. (That
they run when they should is shown in tests/sim/test_escalation_time.py.)
"""
import company
from daemon import Daemon, until

START = "2026-11-02T09:00:00Z"  # a Monday, 10:00 in Vienna
CALENDARS = """
calendars : { vienna : { zone = "Europe/Vienna"; hours = "Mon-Fri 09:00-17:00"; }; };
"""
REST = 'rest : { on = "lead.created"; do = "assign tom"; };\n'


def rules(escalations, more=""):
    return "lang = 1;\nrules : {\n" + REST + more + "};\n" + CALENDARS + (
        "escalations : {\n" + escalations + "};\n" if escalations else "")


class Company(Daemon):
    def __init__(self, escalations="", more="", start=START):
        self.number = 0
        super().__init__(company.conf(), company.files(rules(escalations, more)),
                         args=["--pretend-time", start])

    def lead(self, **more):
        self.number += 1
        self.ingest(company.mail("p%d@shop%d.example" % (self.number, self.number), **more))
        return "L%d" % self.number

    def do(self, record, *command):
        self.ctl("do", record, *command)

    def pass_time(self, span):
        self.ctl("clock", "advance", span)

    def timers(self, *what):
        return [(t["rule"], t["record"], t["due"][5:16] if t["due"] != "paused" else "paused", t["what"].split(",")[0])
                for t in self.ctl("timers", *what)["rows"] if t["kind"] == "escalation"]

    def why(self, record):
        return self.ctl_text("why", record, width=400)

    def tags(self, record):
        fields = dict(f[:2] for f in self.ctl("show", record)["fields"])
        return " ".join(fields.get("Tags") or [])

    def again_at(self, now):
        """Down until then."""
        self.stop()
        self.args = ["--pretend-time", now]
        self.start()


def test_levels_run_in_order_and_leaving_the_state_cancels_with_the_condition():
    with Company('''
      slow : { on = "lead"; when = "lead.score < 50"; calendar = "vienna";
               levels = ( { after = "1h"; do = "tag one"; }, { after = "8h"; do = "tag two"; },
                          { after = "12h"; do = "tag three"; } ); };''') as d:
        d.lead()
        assert d.timers() == [("slow", "L1", "11-02T10:00", "level 1 of 3")]
        assert "slow (" in d.why("L1") and "waits level 1 of 3, until 2026-11-02 11:00:00" in d.why("L1")
        d.pass_time("30h")  # Tuesday 16:00 in Vienna; 13 hours of business time, all but the last
        assert d.tags("L1") == "one three two"
        assert d.timers() == d.timers("L1") == []  # nothing is to come
        (row,) = [r for r in d.ctl("rules", "coverage")["rows"] if r["rule"] == "slow"]
        assert (row["hits"], row["fired"], row["last_hit"][:10]) == (3, 3, "2026-11-03")
        d.lead()
        d.do("L2", "set", "lead.score", "70")
        assert d.timers("L2") == []
        told = d.why("L2")
        assert "escalation.ended" in told and "lead.score < 50 is false" in told and "lead.score is 70" in told
        d.do("L2", "set", "lead.score", "10")  # the state again: another episode, with the same clock
        assert d.timers("L2") == [("slow", "L2", "11-03T16:00", "level 1 of 3")]


def test_the_set_that_decided_is_shown_as_it_would_be_written():
    with Company('''
      slow : { on = "lead"; when = "lead.score < 50";
               levels = ( { after = "1h"; do = "tag one"; }, { after = "8h"; do = "tag two"; } ); };''') as d:
        shown = d.ctl_text("rules", "show", d.ctl("rules", "history")["rows"][0]["hash"], width=400)
        assert 'levels = ( { after = "1h"; do = [ "tag one" ]; }, { after = "8h"' in shown
        with open(d.dir + "/rules.d/10-rules.conf", "w", encoding="utf-8") as f:
            f.write("lang = 1;\n" + shown)
        assert "done" in d.reload()


def test_a_touch_of_ours_ends_it_or_starts_it_over_and_nobody_elses_does():
    with Company('''
      alone : { on = "lead"; when = "lead.status == 'new'"; since = "created unless touched";
                levels = ( { after = "2h"; do = "tag alone"; } ); };
      quiet : { on = "lead"; when = "lead.status != 'closed'"; since = "touched";
                levels = ( { after = "5h"; do = "tag quiet"; } ); };''',
                 'bot : { on = "message.received"; do = "score +1"; };') as d:
        d.lead()
        d.lead()
        both = [("alone", "L1", "11-02T11:00", "level 1 of 1"), ("quiet", "L1", "11-02T14:00", "level 1 of 1")]
        d.pass_time("30m")
        d.ingest(company.mail("p1@shop1.example", text="Hello again"))  # the lead, and a rule
        until(lambda: len(d.ctl("timeline", "L1")["rows"]) > 2, why="filed")
        assert d.timers("L1") == both
        d.do("L1", "note", "called", "them", "tomorrow")
        assert d.timers("L1") == [("quiet", "L1", "11-02T14:30", "level 1 of 1")]
        assert "somebody of ours acted on it, 2026-11-02 10:30:00" in d.why("L1")
        d.pass_time("5h")
        assert (d.tags("L1"), d.tags("L2")) == ("quiet", "alone quiet")
        d.do("L1", "note", "again")
        assert d.timers("L1") == [("quiet", "L1", "11-02T19:30", "level 1 of 1")]


def test_the_clock_stands_still_while_the_customer_is_to_answer():
    with Company('''
      due  : { on = "case"; when = "case.status != 'closed'"; pause_while_waiting = true; calendar = "vienna";
               levels = ( { after = "2h"; do = "tag due"; } ); };
      word : { on = "lead"; when = "lead.status != 'closed'"; pause_while_waiting = true;
               levels = ( { after = "3h"; do = "tag word"; } ); };''') as d:
        d.lead()
        d.do("L1", "case", "new", "broken")
        assert d.timers("K1") == [("due", "K1", "11-02T11:00", "level 1 of 1")]
        d.pass_time("30m")
        d.do("K1", "status", "waiting")
        d.do("L1", "call", "said", "hello")  # our word
        assert d.timers("K1") == [("due", "K1", "paused", "level 1 of 1")]
        assert d.timers("L1") == [("word", "L1", "paused", "level 1 of 1")]
        d.pass_time("20h")
        assert (d.tags("K1"), d.tags("L1")) == ("", "")
        d.do("K1", "status", "open")  # Tuesday 06:30 in Vienna: an hour and a half from nine on
        assert d.timers("K1") == [("due", "K1", "11-03T09:30", "level 1 of 1")]
        d.ingest(company.mail("p1@shop1.example", text="Hello"))
        until(lambda: d.timers("L1")[0][2] != "paused", why="goes on")
        assert d.timers("L1") == [("word", "L1", "11-03T08:00", "level 1 of 1")]
        d.pass_time("5h")
        assert (d.tags("K1"), d.tags("L1")) == ("due", "word")


def test_what_was_missed_runs_in_order_at_the_start_and_the_rest_in_its_time():
    with Company('''
      slow : { on = "lead"; when = "lead.status == 'new'";
               levels = ( { after = "1h"; do = "tag one"; }, { after = "2h"; do = "tag two"; },
                          { after = "2d"; do = "tag three"; } ); };''') as d:
        d.lead()
        d.again_at("2026-11-03T09:00:00Z")
        until(lambda: d.tags("L1") == "one two", why="missed levels")
        assert d.timers() == [("slow", "L1", "11-04T09:00", "level 3 of 3")]
        told = d.why("L1")
        assert told.index("slow, level 1, on L1") < told.index("slow, level 2, on L1")
        d.pass_time("1d")
        assert d.tags("L1") == "one three two"


ICS = """BEGIN:VCALENDAR
BEGIN:VEVENT
DTSTART;VALUE=DATE:%s
RRULE:FREQ=YEARLY;BYMONTH=11;BYDAY=1TU
SUMMARY:A day off
END:VEVENT
END:VCALENDAR
"""


def test_holidays_of_a_file_beside_the_rules_count_from_the_next_reload():
    """The daemon's sandbox is around all of it: nobody but the process that loads opens the file."""
    slow = '''slow : { on = "lead"; when = "lead.score < 50"; calendar = "off";
                      levels = ( { after = "9h"; do = "tag one"; } ); };'''
    off = 'calendars : { off : { hours = "Mon-Fri 09:00-17:00"; holidays = "at.ics"; }; };'
    files = company.files(rules(slow).replace(CALENDARS, off), **{"rules.d/at.ics": ICS % "20201103"})
    with Daemon(company.conf(), files, args=["--pretend-time", START]) as d:
        d.ingest(company.mail("p1@shop1.example"))
        assert [t["due"] for t in d.ctl("timers", "L1")["rows"]] == ["2026-11-04T10:00:00.000Z"]
        mark = d.mark()
        d.write("rules.d/at.ics", ICS % "20271102")  # from next year on
        assert "done" in d.reload()
        d.wait_log("role.ready role=engine", after=mark)
        d.ingest(company.mail("p2@shop2.example"))
        assert [t["due"] for t in d.ctl("timers", "L2")["rows"]] == ["2026-11-03T10:00:00.000Z"]
        d.write("rules.d/at.ics", "BEGIN:VEVENT")
        assert "failed" in d.reload()
        d.wait_log("no calendar .VCALENDAR.")


def test_a_scheduled_rule_runs_for_every_record_for_which_it_holds():
    with Company(more='''
      weekly : { every = "Mon 08:00"; over = "lead"; when = "lead.score >= 50"; do = "tag weekly"; };''') as d:
        for score in (10, 60, 70):
            d.do(d.lead(), "set", "lead.score", str(score))
        assert [(t["rule"], t["record"], t["due"]) for t in d.ctl("timers")["rows"]] == [
            ("weekly", "", "2026-11-09T07:00:00.000Z")]
        d.pass_time("7d")
        assert [d.tags("L%d" % n) for n in (1, 2, 3)] == ["", "weekly", "weekly"]
        assert "schedule weekly on L2" in d.why("L2") and "schedule" not in d.why("L1")
        d.wait_log("schedule.done rule=weekly looked=3 ran=2 failed=0")
        assert d.ctl("timers")["rows"][0]["due"] == "2026-11-16T07:00:00.000Z"


def test_a_missed_time_is_made_up_for_within_a_day_and_not_later():
    with Company(more='''
      daily : { every = "daily 09:30"; over = "lead"; do = "tag seen"; };''') as d:
        d.lead()
        d.again_at("2026-11-03T20:00:00Z")  # missed by eleven hours
        until(lambda: d.tags("L1") == "seen", why="made up for")
        d.do("L1", "untag", "seen")
        mark = d.mark()
        d.again_at("2026-11-06T20:00:00Z")
        d.wait_log("schedule.missed rule=daily", after=mark)
        d.pass_time("1h")
        assert d.tags("L1") == ""
        d.pass_time("1d")
        assert d.tags("L1") == "seen"
