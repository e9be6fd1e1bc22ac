# SPDX-License-Identifier: ISC
"""Rules that wait and repeat, over weeks that pass in seconds, against a model of them
that shares nothing with the daemon: what fired, for whom and when, to the minute,
also when the daemon is killed again and again, in the middle of a firing too.

    LEADD_SIM_EVENTS=2000   what happens to the leads (default 70)
    LEADD_SIM_SEED=N        of a run that failed
    LEADD_SIM_PENDING=1000000   timers that wait while the engine is watched for a minute
"""
import calendar
import datetime
import os
import random
import sqlite3
import threading
import time
import zoneinfo

import pytest

from sim import DAY, EVENTS, HOUR, MINUTE, SEED, Daemon, Sim, company, iso, points

START = calendar.timegm((2026, 10, 12, 6, 0, 0)) * 1000  # the clocks change on the 25th
VIENNA = zoneinfo.ZoneInfo("Europe/Vienna")

RULES = """
lang = 1;
rules : {
  rest  : { on = "lead.created"; do = "assign tom"; };
  slow  : { on = "lead"; when = "lead.score >= 10"; until = "lead.score > 90";
            after = "3h"; again = "1d"; max = 4; do = "note 'slow'"; };
  ever  : { on = "lead.created"; after = "2d"; do = "note 'ever'"; };
  twice : { on = "lead"; when = "lead.score between 20 and 60"; again = "6h"; max = 3;
            do = "note 'twice'"; };
  cool  : { on = "lead"; when = "lead.score >= 30"; cooldown = "2d"; do = "note 'cool'"; };
  first : { on = "lead"; when = "lead.score >= 50"; once = true; do = "note 'first'"; };
  three : { on = "lead"; when = "lead.score >= 15"; max = 3; do = "note 'three'"; };
  shop  : { on = "lead"; when = "lead.score >= 10"; after = "4h business shop";
            again = "8h business shop"; max = 3; do = "note 'shop'"; };
};
calendars : { shop : { zone = "Europe/Vienna"; hours = "Mon-Fri 09:00-17:00"; }; };
"""


# ---- the model -------------------------------------------------------------------

def open_hours(day):
    if day.weekday() >= 5:
        return None
    at = [datetime.datetime(day.year, day.month, day.day, h, tzinfo=VIENNA) for h in (9, 17)]
    return [int(t.timestamp()) * 1000 for t in at]


def business(start, left):
    day = datetime.datetime.fromtimestamp(start / 1000, VIENNA).date()
    while True:
        hours = open_hours(day)
        if hours and hours[1] > start:
            begin = max(start, hours[0])
            if begin + left <= hours[1]:
                return begin + left
            left -= hours[1] - begin
        day += datetime.timedelta(days=1)


def real(start, left):
    return start + left


class Waits:
    """A rule with after or again."""

    def __init__(self, when, after, again=None, most=None, add=real, stop=lambda s: False):
        self.when, self.after, self.again, self.most = when, after, again, most
        self.add, self.stop = add, stop


WAITS = {
    "slow": Waits(lambda s: s >= 10, 3 * HOUR, DAY, 4, stop=lambda s: s > 90),
    "twice": Waits(lambda s: 20 <= s <= 60, 0, 6 * HOUR, 3),
    "shop": Waits(lambda s: s >= 10, 4 * HOUR, 8 * HOUR, 3, add=business),
}


class Model:
    def __init__(self):
        self.score, self.fired = {}, []
        self.timers = {}  # (rule, lead) -> [due, fired so far]
        self.ran = {}     # (rule, lead) -> times

    def run(self, rule, lead, at):
        self.fired.append((rule, lead, at))
        self.ran.setdefault((rule, lead), []).append(at)

    def due_until(self, now):
        while True:
            due = [(t[0], key) for key, t in self.timers.items() if t[0] <= now]
            if not due:
                return
            at, (rule, lead) = min(due)
            self.run(rule, lead, at)
            self.step(rule, lead, at)

    def step(self, rule, lead, at):
        w, t = WAITS.get(rule), self.timers[rule, lead]
        t[1] += 1
        if not w or not w.again or t[1] >= w.most:
            del self.timers[rule, lead]
        else:
            t[0] = w.add(at, w.again)

    def create(self, lead, at):
        self.score[lead] = 0
        self.run("rest", lead, at)
        self.timers["ever", lead] = [at + 2 * DAY, 0]

    def set(self, lead, score, at):
        before, self.score[lead] = self.score[lead], score
        for rule, w in WAITS.items():
            if (rule, lead) in self.timers and (not w.when(score) or w.stop(score)):
                del self.timers[rule, lead]
            if w.when(before) or not w.when(score):
                continue
            if w.after == 0:
                self.run(rule, lead, at)
                self.timers[rule, lead] = [w.add(at, w.again), 1]
            elif not w.stop(score):
                self.timers[rule, lead] = [w.add(at, w.after), 0]
        if before < 30 <= score and all(at - t >= 2 * DAY for t in self.ran.get(("cool", lead), [])):
            self.run("cool", lead, at)
        if before < 50 <= score and ("first", lead) not in self.ran:
            self.run("first", lead, at)
        if before < 15 <= score and len(self.ran.get(("three", lead), [])) < 3:
            self.run("three", lead, at)


# ---- the daemon -------------------------------------------------------------------

def play(seed, events, deaths):
    """The same weeks in the model and in a daemon that dies so many times."""
    dice, model, leads = random.Random(seed), Model(), 0
    with Sim(START, RULES) as d:
        dying = set(dice.sample(range(events), deaths))
        spots = [None] + (["timer.fire.before", "timer.fire.after", "commit.before",
                           "commit.after"] if points.compiled_in() else [])
        for n in range(events):
            to = d.now + dice.choice([1, 7, 50, 60, 400, 1440]) * dice.randint(1, 3) * MINUTE
            model.due_until(to)
            if n in dying:
                d.die_on_the_way(to, dice.choice(spots))
            d.go(to)
            if leads < 3 or dice.random() < 0.1:
                leads += 1
                d.ingest(company.mail("p%d@shop%d.example" % (leads, leads)))
                model.create(leads, to)
            else:
                lead = dice.randint(1, leads)
                score = dice.choice([0, 5, 12, 17, 25, 40, 55, 70, 95])
                d.ctl("do", "L%d" % lead, "set", "lead.score", str(score))
                model.set(lead, score, to)
        pending = sorted((r["rule"], r["record"], r["due"])
                         for r in d.ctl("timers", "limit=1000")["rows"])
        assert pending == sorted((rule, "L%d" % lead, iso(t[0]).replace("Z", ".000Z"))
                                 for (rule, lead), t in model.timers.items())
        d.go(d.now + 7 * DAY)
        model.due_until(d.now)
        got, want = d.fired(leads), sorted(model.fired)
        print("seed %d: %d events, %d deaths, %d firings, %d were pending" % (
            seed, events, deaths, len(want), len(pending)))
        assert got == want, "seed %d: too much %s, missing %s" % (
            seed, sorted(set(got) - set(want)), sorted(set(want) - set(got)))
        assert len({rule for rule, _, _ in got}) == 8  # every kind of rule had its turn


def test_weeks_of_timers_equal_an_independent_computation():
    play(SEED, EVENTS, 0)


@points.needs_hooks
def test_killing_the_daemon_at_any_moment_changes_nothing():
    play(SEED + 1, EVENTS, max(4, EVENTS // 12))


# ---- what waiting costs ---------------------------------------------------------------

PENDING = int(os.environ.get("LEADD_SIM_PENDING", "0"))


def spent(pid):
    """Processor time in ms, and how often the process woke up."""
    with open("/proc/%d/schedstat" % pid) as f:
        ms = int(f.read().split()[0]) / 1e6
    with open("/proc/%d/status" % pid) as f:
        (wakes,) = [int(line.split()[1]) for line in f if line.startswith("voluntary_ctxt")]
    return ms, wakes


@pytest.mark.skipif(not PENDING, reason="LEADD_SIM_PENDING is not set")
def test_what_pending_timers_cost_in_a_minute_is_told():
    with Daemon(company.conf(), company.files(RULES)) as d:
        for count in (0, PENDING):
            d.stop()
            now = int(time.time() * 1000)
            with sqlite3.connect(d.state + "/leadd.db") as db:
                db.executemany("INSERT INTO timer (entity, record_id, kind, rule, due_ms, step, "
                               "since_ms) VALUES ('lead', ?, 'rule', 'ever', ?, 0, ?)",
                               ((n, now + HOUR + n, now) for n in range(1, count + 1)))
            db.close()
            d.start()
            pid = d.pid("engine")
            threading.Event().wait(15)  # what a start has to do
            before = spent(pid)
            threading.Event().wait(60)
            after = spent(pid)
            print("%d timers wait: %.1f ms processor time and %d wake-ups in 60 s"
                  % (count, after[0] - before[0], after[1] - before[1]))
            assert len(d.ctl("timers", "limit=10")["rows"]) == min(10, count)
