# SPDX-License-Identifier: ISC
"""What was due while leadd did not run: a few late timers fire, many are held with one
notice until a person decides; after a restore nothing leaves twice."""
import os

import pytest

import company
from daemon import CtlError, Daemon

START, LATER = "2026-11-02T09:00:00Z", "2026-11-09T09:00:00Z"
RULES = """
lang = 1;
rules : { rest : { on = "lead.created"; do = [ "assign tom", "sequence nurture" ]; };
          chase : { on = "lead"; when = "lead.status == 'new'"; after = "2d"; do = "tag chased"; }; };
sequences : { nurture : { steps = ( { email = "hello"; }, { wait = "3d"; }, { email = "again"; } ); }; };
"""
TEMPLATES = {"templates/%s.txt" % n: "Subject: %s\n\nHello.\n" % n for n in ("hello", "again")}


class Company(Daemon):
    def __init__(self, limit=10, **more):
        super().__init__(company.conf(settings="late_limit = %d;" % limit), company.files(RULES, **TEMPLATES),
                         args=["--pretend-time", START], **more)

    def leads(self, n):
        for i in range(1, n + 1):
            self.ingest(company.mail("p%d@shop%d.example" % (i, i)))
        self.pass_time("1h")

    def pass_time(self, span):
        self.ctl("clock", "advance", span)

    def down_until(self, when):
        self.stop()
        self.args = ["--pretend-time", when]
        self.start()

    def mails(self, subject):
        return sorted(r["to"] for r in self.ctl("outbox", "list", "limit=1000")["rows"] if r["subject"] == subject)

    def late(self):
        return [(r["record"], r["rule"]) for r in self.ctl("due", "--late", "limit=1000")["rows"]]

    def notices(self):
        return [r["to"] for r in self.ctl("outbox", "list", "limit=1000")["rows"] if "late timers" in (r["subject"] or "")]

    def delivered(self):
        found = []
        for name in os.listdir(self.dir + "/outbox/new"):
            with open(self.dir + "/outbox/new/" + name) as f:
                head = f.read().split("\n\n")[0]
            found += [line[9:] for line in head.splitlines() if line.startswith("Subject: ")]
        return found


def to(*numbers):
    return sorted("p%d@shop%d.example" % (i, i) for i in numbers)


def test_few_late_timers_fire_once_each():
    with Company(limit=10) as d:
        d.leads(3)
        d.down_until(LATER)
        d.pass_time("1m")
        assert d.mails("again") == to(1, 2, 3) and d.late() == [] and d.notices() == []
        assert len(d.ctl("list", "leads", "tag=chased")["rows"]) == 3


def test_many_late_timers_are_held_with_one_notice_and_released_by_selection():
    with Company() as d:
        d.leads(8)
        d.down_until(LATER)
        d.pass_time("2d")
        assert d.mails("again") == [] and d.notices() == ["mia@example.com"]
        assert len(d.late()) == 16 and "16 late, which are held" in d.ctl_text("status")
        assert "16 held as late" in d.ctl_text("due", "--late")
        d.down_until("2026-11-12T09:00:00Z")
        d.pass_time("1h")
        assert len(d.late()) == 16 and d.notices() == ["mia@example.com"]  # not told again

        d.ctl("due", "release", "L1", "L2")
        d.pass_time("1h")
        assert d.mails("again") == to(1, 2)
        d.ctl("due", "release", "rule=chase")
        d.pass_time("1h")
        assert len(d.ctl("list", "leads", "tag=chased")["rows"]) == 8
        d.ingest(company.mail("p3@shop3.example", subject="Re: hello"))  # an answer ends it as ever
        assert ("L3", "nurture") not in d.late() and len(d.late()) == 5
        d.ctl("due", "drop", "L4")
        assert "late, and dropped by" in d.ctl_text("why", "L4", width=300)
        with pytest.raises(CtlError, match="nothing of L4 is held"):
            d.ctl("due", "release", "L5", "L4")
        assert len(d.late()) == 4
        d.ctl("due", "drop", "all")
        d.pass_time("30d")
        assert d.mails("again") == to(1, 2) and d.late() == []
        with pytest.raises(CtlError, match="nothing is held"):
            d.ctl("due", "release", "all")


def test_what_becomes_due_later_is_not_held():
    with Company() as d:
        d.leads(8)
        d.down_until(LATER)
        d.ingest(company.mail("new@shop99.example"))
        d.pass_time("4d")
        assert d.mails("again") == ["new@shop99.example"] and len(d.late()) == 16


def test_an_old_backup_that_comes_back_sends_nothing_twice():
    with Company() as d:
        d.leads(8)
        d.ctl("backup", d.dir + "/old.db")
        d.pass_time("6d")
        assert d.mails("again") == to(*range(1, 9))
        before = sorted(d.delivered())
        assert before.count("hello") == before.count("again") == 8
        d.stop()
        d.ctl("restore", "--force", d.dir + "/old.db")
        d.args = ["--pretend-time", LATER]
        d.start()
        d.pass_time("2d")
        assert "nothing is sent until" in d.ctl_text("status", width=300)
        assert len(d.late()) == 16 and len(d.notices()) == 1 and sorted(d.delivered()) == before
        d.ctl("due", "drop", "rule=nurture")
        d.ctl("release", "none", "rest=drop")
        d.pass_time("1d")
        assert sorted(d.delivered()) == before
        assert "8 late timers released" in d.ctl_text("resume")
        d.pass_time("1d")
        assert len(d.ctl("list", "leads", "tag=chased")["rows"]) == 8 and sorted(d.delivered()) == before
