# SPDX-License-Identifier: ISC
"""A broadcast with a test of two templates, and a daemon that is killed while it plans,
sends, decides and sends the rest: everybody gets one letter, by the receiver's own log, and
the test deals its templates evenly. See test_outbox_kills.py for the receiver.

    LEADD_BROADCAST_RECIPIENTS=5000   (default 150)
    LEADD_BROADCAST_KILLS=60          (default 6)
    LEADD_OUTBOX_SEED=N               of a run that failed
"""
import contextlib
import os
import sqlite3

import check
import test_outbox_kills as outbox
from daemon import CtlError, until
from points import needs_hooks
from test_broadcasts import LISTS, TEMPLATES
from traffic import HOOKS

MANY = int(os.environ.get("LEADD_BROADCAST_RECIPIENTS", "150"))
KILLS = int(os.environ.get("LEADD_BROADCAST_KILLS", "6"))
RULES = """
lang = 1;
segments : { all : { when = "contact.email is set"; }; };
broadcasts : { ab : { segment = "all"; list = "news"; template = [ "first", "second" ];
                      test = 50; wait = "60d"; confirm_over = 10000000; }; };
"""


class Campaign(outbox.Sending):
    def __enter__(self):
        d = self.daemon
        with open(d.conf_path, encoding="utf-8") as f:
            conf = f.read()
        for name, text in dict(TEMPLATES, **{"leadd.conf": conf + LISTS, "rules.d/10-rules.conf": RULES}).items():
            d.write(name, text)
        d.start()
        d.stop()
        self.who = ["%s-%d@shop%d.example" % (outbox.kind_of(self.chance).replace("hang", "gone"), n, n)
                    for n in range(1, MANY + 1)]
        self.write([("INSERT INTO contact (name, created_ms, updated_ms) VALUES (?, 1, 1)", (to,))
                    for to in self.who] +
                   [("INSERT INTO address (channel, value, contact_id, created_ms)"
                     " SELECT 'email', name, id, 1 FROM contact", ())])
        d.env = {"LEADD_HOOKS": HOOKS, "LEADD_CRASH_TABLE": d.dir + "/points"}
        d.start()
        return self

    def write(self, statements):
        with contextlib.closing(sqlite3.connect(self.store)) as db, db:
            for sql, values in statements:
                db.execute(sql, values)

    def one(self, sql):
        return (check.rows(self.store, sql) or [(None,)])[0][0]

    def state(self):
        return self.one("SELECT state FROM broadcast")

    def open(self):
        waiting = self.one("SELECT count(*) FROM broadcast_part WHERE state = 'waiting'")
        return super().open() + (waiting if self.state() == "sending" else 0)

    def begin(self):
        with contextlib.suppress(CtlError):  # the engine ended meanwhile
            self.daemon.ctl("broadcast", "start", "ab")

    def fired(self, *names):
        for name in names:
            until(lambda n=name: self.points.fired(n), why=name)
            self.kills["at a point"] += 1

    def some_kills(self, since, goal):
        """Spread over what goes out until so many are sent."""
        done = lambda: self.count("sent") + self.count("unknown")
        for n in range(KILLS // 2):
            share = since + (goal - since) * n // (KILLS // 2 + 1)
            until(lambda s=share: done() >= s or self.open() == 0, timeout=600, why="mail number %d" % share)
            self.kill(n)


def plan(s):
    """Around a commit on the way, and behind what begins the plan."""
    points = ("commit.before", "timer.fire.after")
    for point in points:
        s.points.arm(point)
    until(lambda: s.begin() or s.state(), why="a broadcast that has begun")
    s.fired(*points)


def decide(s):
    """Its day is brought forward; the engine ends when it has decided and not kept it."""
    until(lambda: s.state() == "deciding" and s.open() == 0, timeout=600, why="the end of the test")
    s.daemon.crash()
    s.write([("UPDATE timer SET due_ms = 1 WHERE kind = 'broadcast'", ())])
    before = s.points.fired("timer.fire.after")
    s.points.arm("timer.fire.after")
    s.daemon.start(ready=False)
    until(lambda: s.points.fired("timer.fire.after") > before, why="a decision")
    s.kills["at a point"] += 1
    until(lambda: s.one("SELECT winner FROM broadcast") == 1, why="the first template, nobody having answered")


@needs_hooks
def test_killed_while_it_plans_decides_and_sends_everybody_gets_one_letter():
    with Campaign(outbox.SEED) as s:
        print("seed %d, %d recipients" % (outbox.SEED, MANY), flush=True)
        plan(s)
        s.some_kills(0, MANY // 2)
        decide(s)
        tested = s.one("SELECT count(*) FROM broadcast_part WHERE test = 1")
        s.some_kills(tested, MANY)
        until(lambda: s.open() == 0, timeout=600, why="a settled outbox")
        unknown = outbox.arrived_once(s, "broadcast:ab:C%")
        listed = s.daemon.ctl("outbox", "list", "state=unknown", "limit=1000")["rows"]
        assert {r["to"] for r in listed} >= set(unknown[:1000])
        assert len(unknown) <= outbox.CONNECTIONS * s.deaths() + s.gone_after_dot()
        dealt = dict(check.rows(s.store, "SELECT variant, count(*) FROM broadcast_part WHERE test = 1"
                                         " GROUP BY variant"))
        assert abs(dealt[1] - dealt[2]) <= 1 and sum(dealt.values()) == tested
        assert s.one("SELECT count(*) FROM broadcast_part WHERE test = 0 AND variant <> 1") == 0
        check.quiet_log(type("World", (), {"daemon": s.daemon}))
        print("seed %d: %d recipients, killed %s, %d unknown of %d connections cut after DATA"
              % (outbox.SEED, MANY, dict(s.kills), len(unknown), len(s.receiver.cut())))
