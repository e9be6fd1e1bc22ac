# SPDX-License-Identifier: ISC
"""An outbox full of mails, a receiver of every kind, and a daemon that is killed
while it sends.

The receiver takes a mail, defers it, hangs after DATA with the whole mail read, drops
the connection before the mail or behind its final dot: the recipient's name says which.
Engine, courier and supervisor are killed in turn, at a random moment or at a named point
of sending. What is claimed then:

  - every mail whose last dot was not on its way unanswered arrives exactly once;
  - the rows that a kill leaves unknown are at most as many as there are connections,
    each was cut at the receiver, and `outbox list state=unknown` names them all.

    LEADD_OUTBOX_MAILS=20000    (default 150)
    LEADD_OUTBOX_KILLS=300      (default 6)
    LEADD_OUTBOX_SEED=N         of a run that failed
"""
import collections
import contextlib
import os
import random
import signal
import sqlite3
import threading
import time

import check
import company
import peers
import points
from daemon import Daemon, until
from points import needs_hooks
from traffic import HOOKS, Receiver

MAILS = int(os.environ.get("LEADD_OUTBOX_MAILS", "150"))
KILLS = int(os.environ.get("LEADD_OUTBOX_KILLS", "6"))
SEED = int(os.environ.get("LEADD_OUTBOX_SEED", "0")) or int(time.time())
CONNECTIONS = 8
WHO = ["courier", "engine", "supervisor"]
POINTS = [p for p in points.names() if p.split(".")[0] in ("slots", "courier", "settle", "receipt")]


class Odd(Receiver):
    """As Receiver, and: "hang" reads the mail and says nothing, "gone" ends behind the dot.
    Not more hang at a time than leave half of the connections to the others."""

    def __init__(self):
        self.hanging, self.lock = 0, threading.Lock()
        super().__init__()

    def do_data(self, conn, line):
        if not conn.first or conn.kind not in ("hang", "gone") or not self._may_hang(conn.kind):
            super().do_data(conn, line)
            return
        conn.attempt.granted = True
        conn.write(b"354 go on\r\n")
        self._read_body(conn)
        if conn.kind == "hang":
            try:
                conn.until_closed()
            finally:
                with self.lock:
                    self.hanging -= 1
        raise peers.Gone()

    def _may_hang(self, kind):
        with self.lock:
            if kind == "hang":
                if self.hanging >= CONNECTIONS // 2:
                    return False
                self.hanging += 1
        return True


def kind_of(chance):
    x = chance.random()
    return ("defer" if x < 0.06 else "later" if x < 0.10 else "reset-data" if x < 0.14
            else "busy" if x < 0.16 else "hang" if x < 0.19 else "gone" if x < 0.20 else "ok")


def fill(path, count, chance):
    """Copies of the one mail that is there, each to somebody else; all are due."""
    db = sqlite3.connect(path)
    who = ["%s-%d@shop%d.example" % (kind_of(chance), n, n) for n in range(count)]
    columns = [r[1] for r in db.execute("PRAGMA table_info(outbox)") if r[1] != "id"]
    taken = {"intent": "'copy/' || ?1", "to_addr": "?2", "state": "'ready'", "next_ms": "1",
             "msgid_hash": "?1", "done_ms": "NULL", "gen": "NULL", "slot": "NULL", "reply": "NULL",
             "lane": "1"}
    (first,) = db.execute("SELECT min(id) FROM outbox").fetchone()
    for n, to in enumerate(who):
        db.execute("INSERT INTO outbox (%s) SELECT %s FROM outbox WHERE id = ?3"
                   % (", ".join(columns), ", ".join(taken.get(c, c) for c in columns)),
                   (n + 1, to, first))
        db.execute("INSERT INTO outbox_body (outbox_id, mail_from, rcpt_to, subject, raw) "
                   "SELECT last_insert_rowid(), mail_from, ?, subject, raw FROM outbox_body "
                   "WHERE outbox_id = ?", (to, first))
    db.commit()
    db.close()
    return who


class Sending:
    def __init__(self, seed):
        self.chance, self.stack = random.Random(seed), contextlib.ExitStack()
        self.receiver = self.stack.enter_context(Odd())
        conf = company.conf(relays=company.smtp(self.receiver.port, connections=CONNECTIONS,
                                                reply_timeout="1h"))
        self.daemon = Daemon(conf, company.files(), start=False)
        self.points = points.Points(self.daemon.dir + "/points")
        self.kills, self.at_point = collections.Counter(), 0

    def __enter__(self):
        d = self.daemon
        d.start()
        d.ingest(company.mail(sender="ok-first@first.example"))
        until(lambda: check.rows(self.store, "SELECT 1 FROM outbox WHERE state = 'sent'"),
              why="the mail that is copied")
        d.stop()
        self.who = fill(self.store, MAILS, self.chance)
        d.env = {"LEADD_HOOKS": HOOKS, "LEADD_CRASH_TABLE": d.dir + "/points"}
        d.start(ready=False)
        return self

    def __exit__(self, kind, value, tb):
        with contextlib.suppress(Exception):
            self.daemon.close()
        self.stack.close()

    @property
    def store(self):
        return self.daemon.state + "/leadd.db"

    def count(self, state):
        return check.rows(self.store, "SELECT count(*) FROM outbox WHERE state = ?", state)[0][0]

    def open(self):
        return check.rows(self.store, "SELECT count(*) FROM outbox WHERE next_ms IS NOT NULL OR "
                                      "state = 'claimed'")[0][0]

    def gone_after_dot(self):
        with self.receiver.changed:
            return sum(1 for to in self.receiver.attempts if to.startswith("gone-"))

    def pid(self, who):
        if self.daemon.proc.poll() is not None:
            self.daemon.start(ready=False)
        return self.daemon.proc.pid if who == "supervisor" else self.daemon.roles().get(who)

    def killed(self, who, pid):
        """SIGKILL, or a point that is passed on the way."""
        if who != "supervisor" and self.chance.random() < 0.5:
            name = self.chance.choice(POINTS)
            self.points.arm(name, after=self.chance.randint(1, 40))
            before = self.points.fired(name)
            with contextlib.suppress(TimeoutError, AssertionError):
                until(lambda: self.points.fired(name) > before, timeout=5, why=name)
            self.points.disarm(name)
            if self.points.fired(name) > before:
                self.at_point += 1
                self.kills["at a point"] += 1
                return
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
        self.kills[who] += 1
        if who == "supervisor":
            self.daemon.proc.wait()

    def kill(self, n):
        who = WHO[n % len(WHO)]
        pid = until(lambda: self.pid(who), why=who)
        self.killed(who, pid)
        sent = self.count("sent")
        until(lambda: self.pid("engine") and self.pid("courier"), why="engine and courier again")
        until(lambda: self.count("sent") > sent or self.open() == 0, timeout=600, why="mail again")

    def deaths(self):
        """Those that may have ended a courier: the engine's own end cuts no connection."""
        return sum(self.kills.values()) - self.kills["engine"]


def arrived_once(s, intents="copy/%"):
    """By the receiver's own log; those that are unknown."""
    arrived = collections.Counter(m.recipient for m in s.receiver.mails)
    cut = s.receiver.cut()
    rows = check.rows(s.store, "SELECT to_addr, state, reply FROM outbox WHERE intent LIKE ?", intents)
    assert sorted(r[0] for r in rows) == sorted(s.who)
    for to, state, reply in rows:
        if state == "unknown":
            assert to in cut and arrived[to] <= 1, (to, arrived[to], reply)
        else:
            assert (state, arrived[to]) == ("sent", 1), (to, state, arrived[to], reply)
    return [to for to, state, _ in rows if state == "unknown"]


@needs_hooks
def test_killed_while_sending_what_was_not_in_flight_arrives_exactly_once():
    with Sending(SEED) as s:
        print("seed %d, %d mails, %d kills" % (SEED, MAILS, KILLS), flush=True)
        for n in range(KILLS):
            share = MAILS * (n + 1) // (KILLS + 2)
            until(lambda: s.count("sent") + s.count("unknown") >= share or s.open() == 0,
                  timeout=600, why="mail number %d" % share)
            s.kill(n)
        until(lambda: s.pid("courier"), why="a courier")
        until(lambda: s.open() <= s.receiver.hanging, timeout=1800, why="nothing but what hangs")
        s.kill(0)
        until(lambda: s.open() == 0, timeout=600, why="a settled outbox")
        unknown = arrived_once(s)
        listed = s.daemon.ctl("outbox", "list", "state=unknown", "limit=1000")["rows"]
        assert {r["to"] for r in listed} >= set(unknown[:1000])
        assert len(unknown) <= CONNECTIONS * s.deaths() + s.gone_after_dot()
        check.quiet_log(type("World", (), {"daemon": s.daemon}))
        print("seed %d: %d mails, killed %s, %d unknown of %d connections cut after DATA"
              % (SEED, MAILS, dict(s.kills), len(unknown), len(s.receiver.cut())))
