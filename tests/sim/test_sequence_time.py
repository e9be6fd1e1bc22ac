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
import datetime
import random
import sqlite3
import zoneinfo

from sim import DAY, EVENTS, HOUR, MINUTE, SEED, CtlError, Sim, company

START = calendar.timegm((2026, 10, 12, 6, 0, 0)) * 1000  # Europe 25 Oct, America 1 Nov
END = START + 35 * DAY
ZONES = ("Europe/Vienna", "America/New_York", "Asia/Kolkata", "Australia/Sydney",
         "America/Sao_Paulo", "Pacific/Auckland")

RULES = """
lang = 1;
rules : { rest : { on = "lead.created"; do = "assign tom"; }; };
sequences : {
  month : {
    window = "Mon-Fri 09:00-12:30, 13:30-17:00; Sat 10:00-12:00";
    until  = "lead.score > 90";
    steps  = (
      { email = "one"; },
      { wait = "3d"; },
      { email = "two"; when = "lead.score < 50"; },
      { wait = "36h"; },
      { branch = "lead.score >= 20";
        then = ( { wait = "1d"; }, { email = "three"; }, { wait = "5h 30m"; } );
        else = ( { wait = "2d 6h"; } ); },
      { email = "four"; },
      { wait = "6d"; when = "lead.score < 70"; },
      { email = "five"; }
    );
  };
};
"""
TEMPLATES = {"templates/%s.txt" % n: "Subject: %s\n\nHello.\n" % n
             for n in ("one", "two", "three", "four", "five")}


# ---- the model -------------------------------------------------------------------------

HOURS = {d: [((9, 0), (12, 30)), ((13, 30), (17, 0))] for d in range(5)}
HOURS[5] = [((10, 0), (12, 0))]


def opens(at, zone):
    """The first moment from that one on inside the window."""
    tz = zoneinfo.ZoneInfo(zone)
    day = datetime.datetime.fromtimestamp(at / 1000, tz).date()
    while True:
        for begin, end in HOURS.get(day.weekday(), []):
            lo, hi = (int(datetime.datetime(day.year, day.month, day.day, h, m, tzinfo=tz).timestamp()) * 1000
                      for h, m in (begin, end))
            if at < hi:
                return max(at, lo)
        day += datetime.timedelta(days=1)


class Course:
    """One record on its way; events are (time, kind, value), in order."""

    def __init__(self, began, zone, events):
        self.zone, self.events, self.score, self.over = zone, list(events), 0, None
        self.sent, self.now = [], began

    def until(self, at):
        """What happens before that time; False: it ends there."""
        while self.events and self.events[0][0] <= at and self.over is None:
            when, kind, value = self.events.pop(0)
            if kind == "score":
                self.score = value
            if kind in ("reply", "optout", "call", "stop") or self.score > 90:
                self.over = when
        return self.over is None and at < END

    def email(self, name, when=True):
        due = opens(self.now, self.zone)
        if not self.until(due):
            return False
        self.now = due
        if when is True or when(self.score):
            self.sent.append((name, due))
        return True

    def wait(self, ms):
        self.now += ms
        return True

    def go(self):
        if not self.email("one") or not self.wait(3 * DAY):
            return
        if not self.email("two", lambda score: score < 50):
            return
        self.wait(36 * HOUR)
        if not self.until(self.now):
            return
        if self.score >= 20:
            self.wait(DAY)
            if not self.email("three"):
                return
            self.wait(5 * HOUR + 30 * MINUTE)
        else:
            self.wait(54 * HOUR)
        if not self.email("four"):
            return
        if self.score < 70:
            self.wait(6 * DAY)
        self.email("five")


# ---- the run -----------------------------------------------------------------------------

def story(r, n):
    """For each record when it begins and what happens to it then."""
    records = []
    for _ in range(n):
        began = START + r.randrange(0, 20 * DAY) // 1000 * 1000
        events = []
        for _ in range(r.randrange(0, 4)):
            at = began + 1000 + r.randrange(0, 16 * DAY) // 1000 * 1000
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


def expected(record):
    began, zone, events = record
    c = Course(began, zone, events)
    c.go()
    return c.sent


def hold_against_the_model(seed, n, kills=0):
    records, got = run(seed, n, kills)
    for i, record in enumerate(records, 1):
        assert got.get(i, []) == expected(record), (seed, i, record)
    print("seed %d: %d records, %d mails, %d deaths" %
          (seed, len(records), sum(map(len, got.values())), kills))
    assert sum(map(len, got.values())) > n


def test_a_month_of_sequences_equals_an_independent_computation():
    hold_against_the_model(SEED, EVENTS // 2)


def test_killing_the_engine_at_any_moment_sends_nothing_twice_and_forgets_nothing():
    hold_against_the_model(SEED + 1, EVENTS // 4, kills=4)
