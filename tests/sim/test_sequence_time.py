# SPDX-License-Identifier: ISC
"""A month of sequences in six zones over the days on which their clocks change, against a
model of them that shares nothing with the daemon: what left to whom and when, to the
millisecond, nothing outside its window and nothing after what ends it; also when the
engine is killed again and again.

    LEADD_SIM_EVENTS=2000   twice as many as records that go through it (default 70)
    LEADD_SIM_SEED=N        of a run that failed
"""
import calendar
import contextlib
import random
import sqlite3

from sequence_model import SEQUENCE, TEMPLATES, ZONES, expected
from sim import DAY, EVENTS, SEED, CtlError, Sim, company

START = calendar.timegm((2026, 10, 12, 6, 0, 0)) * 1000  # Europe 25 Oct, America 1 Nov
END = START + 35 * DAY
RULES = """
lang = 1;
rules : { rest : { on = "lead.created"; do = "assign tom"; }; };
""" + SEQUENCE


# ---- the run -----------------------------------------------------------------------------

def story(r, n):
    """For each record when it begins and what happens to it then."""
    records = []
    for _ in range(n):
        began = START + r.randrange(0, 20 * DAY) // 1000 * 1000
        events = []
        for _ in range(r.randrange(0, 4)):
            at = began + 1000 + r.randrange(0, 14 * DAY) // 1000 * 1000
            kind = r.choice(("score", "score", "score", "score", "reply", "optout", "call", "stop"))
            events.append((at, kind, r.choice((10, 30, 55, 75, 95))))
        events.sort()
        ends = [i for i, e in enumerate(events) if e[1] != "score" or e[2] > 90]
        records.append((began, r.choice(ZONES), events[:ends[0] + 1] if ends else events))
    return records


COMMANDS = {"score": ("set", "lead.score"), "optout": ("optout",), "call": ("call", "spoke"),
            "stop": ("sequence", "stop", "month")}


def happen(d, record, kind, value):
    lead = "L%d" % record
    if kind == "reply":
        d.ingest(company.mail("p%d@shop%d.example" % (record, record), subject="Re: one",
                              text="Yes, please.\n", when=d.now // 1000))
    elif kind == "stop":  # which may be over already
        with contextlib.suppress(CtlError):
            d.ctl("do", lead, *COMMANDS[kind])
    else:
        d.ctl("do", lead, *COMMANDS[kind], *([str(value)] if kind == "score" else []))


def run(seed, n, kills=0):
    r = random.Random(seed)
    records = story(r, n)
    turns = [(began, i + 1, "begin", zone) for i, (began, zone, _) in enumerate(records)]
    turns += [(at, i + 1, kind, value) for i, (_, _, events) in enumerate(records)
              for at, kind, value in events]
    turns.sort(key=lambda t: t[:2])
    deaths = sorted(r.sample(range(len(turns)), kills)) if kills else []
    with Sim(START, RULES, TEMPLATES) as d:
        for record in range(1, n + 1):
            d.ingest(company.mail("p%d@shop%d.example" % (record, record), when=START // 1000))
        for i, (at, record, kind, value) in enumerate(turns):
            if i in deaths and at > d.now:
                d.die_on_the_way(at, r.choice(("timer.fire.before", "timer.fire.after")))
            d.go(at)
            if kind == "begin":
                d.ctl("do", "C%d" % record, "set", "contact.time_zone", value)
                d.ctl("do", "L%d" % record, "sequence", "month")
            else:
                happen(d, record, kind, value)
        d.go(END)
        d.ctl("backup", d.dir + "/copy.db")
        db = sqlite3.connect(d.dir + "/copy.db")
        rows = db.execute("SELECT lead_id, template, created_ms FROM outbox"
                          " WHERE class = 'follow_up' ORDER BY lead_id, id").fetchall()
    got = {}
    for lead, name, at in rows:
        got.setdefault(lead, []).append((name, at))
    return records, got


def hold_against_the_model(seed, n, kills=0):
    records, got = run(seed, n, kills)
    for i, record in enumerate(records, 1):
        assert got.get(i, []) == expected(record, END), (seed, i, record)
    print("seed %d: %d records, %d mails, %d deaths" %
          (seed, len(records), sum(map(len, got.values())), kills))
    assert sum(map(len, got.values())) > n


def test_a_month_of_sequences_equals_an_independent_computation():
    hold_against_the_model(SEED, EVENTS // 2)


def test_killing_the_engine_at_any_moment_sends_nothing_twice_and_forgets_nothing():
    hold_against_the_model(SEED + 1, EVENTS // 4, kills=4)
