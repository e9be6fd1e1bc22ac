# SPDX-License-Identifier: ISC
"""Rules that wait, repeat and run at most so often: what becomes of them, and where
people see it. (That they fire when they should is shown in tests/sim/test_timer_time.py.)
"""
import os
import re
import urllib.request

import pytest

import company
from daemon import CtlError, Daemon, until

START = "2026-11-02T09:00:00Z"
REST = 'rest : { on = "lead.created"; do = "assign tom"; };\n'


def rules(text, more=""):
    return "lang = 1;\nrules : {\n" + REST + text + "};\n" + more


class Company(Daemon):
    def __init__(self, text, start=START, more="", **kind):
        self.number = 0
        super().__init__(company.conf(), company.files(rules(text, more), **kind),
                         args=["--pretend-time", start])

    def lead(self, **more):
        self.number += 1
        self.ingest(company.mail("p%d@shop%d.example" % (self.number, self.number), **more))
        return "L%d" % self.number

    def set(self, lead, score):
        self.ctl("do", lead, "set", "lead.score", str(score))

    def pass_time(self, span):
        self.ctl("clock", "advance", span)

    def timers(self, *what):
        return [(t["rule"], t["record"], t["due"][11:16]) for t in self.ctl("timers", *what)["rows"]]

    def why(self, lead):
        return self.ctl_text("why", lead, width=400)

    def new_rules(self, text):
        mark = self.mark()
        self.write("rules.d/10-rules.conf", rules(text))
        assert "done" in self.reload()
        self.wait_log("role.ready role=engine", after=mark)

    def tags(self, lead):
        fields = dict(f[:2] for f in self.ctl("show", lead)["fields"])
        return " ".join(fields.get("Tags") or [])


def test_pretended_time_goes_on_over_a_reload_and_is_the_time_of_mail_from_a_maildir():
    with Daemon(company.conf(), company.files(), args=["--pretend-time", "2027-03-01T09:00:00Z"]) as d:
        d.ctl("clock", "advance", "3d")
        pid = d.pid("engine")
        d.write("rules.d/20-more.conf", 'lang = 1;\nrules : { more : { on = "deal.won"; do = "tag won"; }; };\n')
        d.reload()
        until(lambda: d.pid("engine") not in (None, pid), why="another engine")
        assert d.ctl_text("clock").startswith("2027-03-04")
        company.deliver(d.dir + "/inbox", "1", company.mail("ada@shop.example"))
        until(lambda: d.ctl("list", "leads")["rows"], why="the lead")
        assert d.ctl("list", "leads")["rows"][0]["created"][:10] == "2027-03-04"


def test_a_rule_waits_as_long_as_its_conditions_hold_and_the_journal_says_what_ended_it():
    with Company('''
      hot : { on = "lead"; when = [ "lead.score >= 10", "contact.country != 'FR'" ];
              after = "2h"; do = "tag hot"; };''') as d:
        d.lead()
        d.ctl("do", "L1", "set", "contact.country", "AT")
        d.set("L1", 20)
        assert d.timers() == d.timers("L1") == d.timers("rule=hot") == [("hot", "L1", "11:00")]
        assert d.timers("rule=cold") == []
        assert "hot (%s/rules.d/10-rules.conf:" % d.dir in d.why("L1")
        assert "waits until 2026-11-02 12:00:00" in d.why("L1")
        assert re.search(r"12:00:00 *to come: rule hot on L1, after 2h", d.why("L1"))
        (row,) = [r for r in d.ctl("timeline", "L1")["rows"] if r["kind"] == "timer"]
        assert row["who"] == "rule hot" and "to come" in row["text"]
        assert "Timers" in [s["title"] for s in d.ctl("show", "L1")["sections"]]
        assert dict(f[:2] for f in d.ctl("status")["fields"])["timers"] == "1 pending, 0 late"
        d.pass_time("1h")
        d.ctl("do", "C1", "set", "contact.country", "FR")  # not the lead itself
        assert d.timers() == []
        told = d.why("L1") + d.why("C1")
        assert "timer.cancelled L1" in told
        assert re.search(r"hot \(.*: did not match: contact.country != 'FR' is false \(.*10-rules.conf:\d+\): "
                         "contact.country is 'FR'", told)
        d.pass_time("3h")
        assert d.tags("L1") == ""


def test_a_timer_that_is_untrue_at_the_end_of_its_own_input_does_not_begin():
    with Company('''
      slow : { on = "lead"; when = "lead.score >= 10"; after = "2h"; do = "tag slow"; };
      calm : { on = "lead"; when = "lead.score >= 10"; do = "set lead.score 1"; };''') as d:
        d.lead()
        d.set("L1", 20)
        assert d.timers() == []
        assert "timer.cancelled L1" in d.why("L1")


def test_what_asks_about_the_event_is_decided_at_the_event():
    with Company('''
      ask  : { on = "message.received"; when = [ "message.subject contains 'offer'",
               "not lead.contacted" ]; after = "1h"; do = "tag asked"; };
      gone : { on = "message.received"; when = [ "message.subject contains 'offer'",
               "not lead.contacted" ]; after = "2h"; do = "tag gone"; };''') as d:
        d.lead(subject="an offer please")
        d.lead(subject="hello")
        assert [t[:2] for t in d.timers()] == [("ask", "L1"), ("gone", "L1")]
        d.pass_time("90m")
        d.ctl("do", "L1", "call", "spoke with them")
        d.pass_time("90m")
        assert d.tags("L1") == "asked" and d.tags("L2") == ""


def test_the_commands_of_a_timer_are_an_input_of_their_own():
    with Company('''
      slow : { on = "lead"; when = "lead.score >= 10"; after = "30m"; again = "1h"; max = 2;
               do = [ "tag slow", "send welcome" ]; };
      next : { on = "lead"; when = "lead.tags contains 'slow'"; do = "note 'seen'"; };''') as d:
        d.lead()
        d.set("L1", 20)
        d.pass_time("30m")
        passes = d.ctl("why", "L1")["passes"]
        (row,) = [p for p in passes if p["cause"] == "timer slow on L1"]
        assert [e["event"] for e in row["body"]["events"]][:2] == ["timer.due", "lead.changed"]
        assert [x["rule"] for x in row["body"]["decisions"] if "did" in x] == ["slow", "next"]
        assert d.timers() == [("slow", "L1", "10:30")]
        (t,) = d.ctl("timers")["rows"]
        assert t["what"].startswith("again after 1h, firing 2 of 2")
        d.pass_time("5h")
        assert d.timers() == []
        mails = [r for r in d.ctl("outbox", "list")["rows"] if r["template"] == "welcome"]
        assert len(mails) == 2 and {m["state"] for m in mails} == {"sent"}
        # sent at their own times, not where the clock was told to go
        assert sorted(m["created_ms"] // 60000 % 1440 for m in mails) == [9 * 60 + 30, 10 * 60 + 30]


def test_a_daemon_that_was_down_fires_once_for_each_timer_and_says_how_many_were_late():
    with Company('''
      slow : { on = "lead"; when = "lead.score >= 10"; after = "30m"; again = "1h";
               do = "note 'slow'"; };''') as d:
        for n in range(1, 4):
            d.set(d.lead(), 20)
        d.stop()
        d.args = ["--pretend-time", "2026-11-05T09:00:00Z"]
        d.start()
        d.wait_log("timers.late count=3 next")
        until(lambda: {t[2] for t in d.timers()} == {"10:00"}, why="three firings")
        for n in range(1, 4):
            (row,) = [p for p in d.ctl("why", "L%d" % n)["passes"] if p["cause"].startswith("timer")]


def test_shadow_canary_dates_and_limits_are_kept_and_told():
    with Company('''
      shad  : { first = "g"; on = "lead.created"; mode = "shadow"; do = [ "tag shadow", "assign eva" ]; };
      early : { first = "g"; on = "lead.created"; valid_from = "2026-11-03"; do = "tag early"; };
      late  : { first = "g"; on = "lead.created"; valid_to = "2026-11-01"; do = "tag late"; };
      real  : { first = "g"; on = "lead.created"; do = "tag real"; };
      some  : { on = "lead.created"; mode = "canary"; canary = 30; do = "tag canary"; };
      once  : { on = "lead"; when = "lead.score >= 10"; once = true; do = "tag once"; };''') as d:
        for _ in range(60):
            d.lead()
        rows = [d.tags("L%d" % n) for n in range(1, 61)]
        assert all("real" in t for t in rows)
        assert not any(bad in t for t in rows for bad in ("shadow", "early", "late"))
        share = {n for n, t in enumerate(rows) if "canary" in t}
        assert 8 <= len(share) <= 30  # 18 +- 3.4 sigma
        out = min(set(range(60)) - share) + 1
        told = d.why("L%d" % out)
        assert re.search(r"shad \(.*\): shadow: would run\n +tag shadow -> not done\n +assign eva -> "
                         "not done", told)
        assert re.search(r"early \(.*\): not in effect: valid from 2026-11-03 00:00:00", told)
        assert re.search(r"late \(.*\): not in effect: valid until 2026-11-01 23:59:59", told)
        assert re.search(r"some \(.*\): canary: not in the 30 %", told)
        d.set("L1", 20)
        d.set("L1", 1)
        d.set("L1", 20)
        assert "did not run: fired once already, 2026-11-02 10:00:00" in d.why("L1")
        d.pass_time("1d")
        lead = d.lead()
        assert "early" in d.tags(lead) and "real" not in d.tags(lead)  # now it takes the group


def test_timers_of_rules_that_are_gone_are_cancelled_and_the_others_keep_their_time():
    def text(stay, gone, lost):
        return '''stay : { on = "lead"; when = "lead.score >= 10"; after = "%s"; do = "tag stay"; };
          %s : { on = "lead"; when = "lead.score >= 10"; after = "2h"; do = "tag gone"; };
          lost : { on = "lead"; when = "lead.score >= 10"; %s do = "tag lost"; };
          ''' % (stay, gone, lost)
    with Company(text("3h", "gone", 'after = "4h";')) as d:
        d.set(d.lead(), 20)
        assert len(d.timers()) == 3
        d.new_rules(text("9h", "renamed", ""))
        until(lambda: d.timers() == [("stay", "L1", "12:00")], why="two timers cancelled")
        d.wait_log(r'timers.rule_gone rule=gone why="not in the rules any more" '
                   r'renamed="perhaps to renamed \(.*10-rules.conf:\d+\)" next="its timers are cancelled"')
        d.wait_log(r'timers.rule_gone rule=lost why="waits no longer"')
        told = d.why("L1")
        assert "timer of rule gone cancelled: it is not in the rules any more" in told
        assert "timer of rule lost cancelled: it does not wait any more" in told
        d.pass_time("12h")
        assert d.tags("L1") == "stay"


def test_a_loop_is_stopped_and_the_rules_in_it_are_named_once_to_the_administrator():
    with Company('''
      start : { on = "lead"; when = "lead.score >= 10"; do = "tag a"; };
      one : { on = "lead.changed"; when = "lead.tags contains 'a'"; do = "untag a"; stop = true; };
      two : { on = "lead.changed"; when = "lead.score >= 10"; do = "tag a"; stop = true; };
      ''') as d:
        d.lead()
        d.set("L1", 20)
        circle = r"(one|two) \(\S+10-rules.conf:\d+\) -> (one|two) \(\S+10-rules.conf:\d+\)"
        d.wait_log(r'rules.loop what="lead.changed would be the 9th event in a chain" rules="' + circle)
        assert re.search("the 9th event in a chain: " + circle, d.why("L1"))
        d.lead()
        d.set("L2", 20)
        until(lambda: [m for m in company.sent(d.dir) if "circle" in m["Subject"]], why="the notice")
        (mail,) = [m for m in company.sent(d.dir) if "circle" in m["Subject"]]
        assert mail["To"] == "mia@example.com" and re.search(circle, mail.get_content())


def test_rules_that_spread_without_end_are_named_too():
    with Company('''
      one : { on = "lead.changed"; when = "lead.tags contains 'a'"; do = [ "untag a", "tag b" ]; };
      two : { on = "lead.changed"; when = "lead.tags contains 'b'"; do = [ "untag b", "tag a" ]; };
      ''') as d:
        d.lead()
        d.ctl("do", "L1", "tag", "a")
        d.wait_log(r"rules.loop what=.more than 128 (events|commands) of one input. rules=.*(one|two) \(")
        assert d.why("L1").count("stopped: ") == 1


def test_a_loop_through_timers_ends_with_the_budget_of_the_day():
    with Company('''
      tick : { on = "lead"; when = "lead.score >= 10"; after = "1m"; again = "1m";
               do = "note 'tick'"; };
      calm : { on = "lead"; when = "lead.score >= 10"; after = "1h"; do = "tag calm"; };''') as d:
        d.set(d.lead(), 20)
        d.set(d.lead(), 1)
        d.pass_time("5h")
        ran = [x for p in d.ctl("why", "L1", "limit=10000")["passes"]
               for x in p["body"].get("decisions", []) if "did" in x]
        assert len(ran) == 300
        assert "held back: rules ran 300 times for L1 today" in d.why("L1")
        assert d.timers() == [("tick", "L1", "00:00")]  # tomorrow
        until(lambda: [m for m in company.sent(d.dir) if "too many rules" in m["Subject"]], why="notice")
        d.wait_log(r"rules.budget record=L1 rule=tick at=\S+ most=300")
        d.set("L2", 20)  # others are not concerned
        assert ("tick", "L2", "14:01") in d.timers()
        d.stop()
        d.args = ["--pretend-time", "2026-11-02T14:00:00Z"]
        d.start()
        d.set("L1", 1)
        d.set("L1", 20)
        d.pass_time("2h")  # what was spent is known after a restart, but for a few
        ran = [x for p in d.ctl("why", "L1", "limit=10000")["passes"]
               for x in p["body"].get("decisions", []) if "did" in x]
        assert 300 <= len(ran) < 320


def test_metrics_tell_what_waits_and_what_is_late():
    with Company('slow : { on = "lead"; when = "lead.score >= 10"; after = "30m"; do = "tag x"; };') as d:
        def metric(name):
            with urllib.request.urlopen("http://127.0.0.1:%d/metrics" % d.port("web-ui")) as r:
                return re.search(r"^leadd_%s (\S+)" % name, r.read().decode(), re.M).group(1)
        assert metric("timers_pending") == "0"
        d.set(d.lead(), 20)
        assert (metric("timers_pending"), metric("timers_next_in")) == ("1", "1800")
        d.pass_time("1h")
        assert (metric("timers_pending"), metric("timers_fired_total")) == ("0", "1")


def test_a_mistake_in_the_new_keys_is_found_at_load_with_its_place():
    with Company("") as d:
        d.write("rules.d/20-bad.conf", '''lang = 1;
rules : {
  a : { on = "lead"; when = "lead.score > 1"; do = "tag x"; after = "2 fortnights"; };
  b : { on = "lead.created"; do = "tag x"; after = "2h business"; };
  c : { on = "lead.created"; do = "tag x"; until = "lead.score > 1"; };
};
''')
        assert "failed" in d.reload()
        with pytest.raises(CtlError):
            d.ctl("reload")
        told = d.log()
        for text in (r"20-bad.conf:3: rule a: after: expected a duration",
                     r'20-bad.conf:4: rule b: after: \\?"business\\?" needs a calendar',
                     r"20-bad.conf:5: rule c: until ends the waiting"):
            assert re.search(text, told), text
