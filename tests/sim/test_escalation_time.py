# SPDX-License-Identifier: ISC
"""Escalations and scheduled rules over a year that passes in seconds, in several zones,
against a model that shares nothing with the daemon (Python's zoneinfo), also when the
daemon is killed again and again, in the middle of a walk or a level too.

    LEADD_SIM_EVENTS=2000   what happens to the leads in that year (default 70)
    LEADD_SIM_SEED=N        of a run that failed
"""
import calendar
import datetime
import random
import zoneinfo

from sim import DAY, EVENTS, MINUTE, SEED, Sim, company, iso, points

START = calendar.timegm((2026, 9, 28, 6, 0, 0)) * 1000  # clocks change in October and March

RULES = """
lang = 1;
rules : {
  rest    : { on = "lead.created"; do = "assign tom"; };
  weekly  : { every = "Mon,Thu 08:00 America/New_York"; over = "lead"; when = "lead.score >= 50";
              do = "note 'weekly'"; };
  monthly : { every = "last 02:30"; over = "lead"; when = "lead.score < 50"; do = "note 'monthly'"; };
};
escalations : {
  born  : { on = "lead"; when = "lead.score < 50"; calendar = "vienna";
            levels = ( { after = "30m"; do = "note 'born'"; }, { after = "9h"; do = "note 'born'"; },
                       { after = "40h"; do = "note 'born'"; } ); };
  alone : { on = "lead"; when = "lead.score < 70"; since = "created unless touched"; calendar = "ny";
            levels = ( { after = "3h"; do = "note 'alone'"; }, { after = "20h"; do = "note 'alone'"; } ); };
  quiet : { on = "lead"; when = "lead.score >= 30"; since = "touched";
            levels = ( { after = "2d"; do = "note 'quiet'"; }, { after = "5d"; do = "note 'quiet'"; } ); };
  night : { on = "lead"; when = "lead.score >= 20"; since = "touched"; calendar = "night";
            levels = ( { after = "5h"; do = "note 'night'"; }, { after = "60h"; do = "note 'night'"; } ); };
};
calendars : {
  vienna : { zone = "Europe/Vienna"; hours = "Mon-Fri 09:00-12:30, 13:00-17:00";
             holidays = [ "12-25", "2026-10-26" ]; };
  ny     : { zone = "America/New_York"; hours = "Mon-Sat 08:00-20:00"; };
  night  : { zone = "Europe/Vienna"; hours = "daily 01:00-04:00"; };
};
"""
CALENDARS = {
    "vienna": ("Europe/Vienna", lambda d: [] if d.weekday() > 4 or (d.month, d.day) == (12, 25) or
               d == datetime.date(2026, 10, 26) else [(540, 750), (780, 1020)]),
    "ny": ("America/New_York", lambda d: [] if d.weekday() > 5 else [(480, 1200)]),
    "night": ("Europe/Vienna", lambda d: [(60, 240)]),
}
# name -> (score holds, clock, calendar, levels in minutes)
ESCALATIONS = {
    "born": (lambda s: s < 50, "created", "vienna", [30, 540, 2400]),
    "alone": (lambda s: s < 70, "untouched", "ny", [180, 1200]),
    "quiet": (lambda s: s >= 30, "touched", None, [2 * 1440, 5 * 1440]),
    "night": (lambda s: s >= 20, "touched", "night", [300, 3600]),
}
SCHEDULES = {"weekly": lambda s: s >= 50, "monthly": lambda s: s < 50}


# ---- the model -------------------------------------------------------------------

def instant(zone, day, minute):
    """Of a time of day; one that is skipped is the moment of the change."""
    z = zoneinfo.ZoneInfo(zone)
    naive = datetime.datetime.combine(day, datetime.time()) + datetime.timedelta(minutes=minute)
    at = int(naive.replace(tzinfo=z).timestamp())
    if datetime.datetime.fromtimestamp(at, z).replace(tzinfo=None) == naive:
        return at * 1000
    at -= 4 * 3600
    while datetime.datetime.fromtimestamp(at, z).replace(tzinfo=None) < naive:
        at += 60
    return at * 1000


def business(name, start, minutes):
    if name is None:
        return start + minutes * MINUTE
    zone, hours = CALENDARS[name]
    left = minutes * MINUTE
    day = datetime.datetime.fromtimestamp(start / 1000, zoneinfo.ZoneInfo(zone)).date()
    while True:
        for a, b in hours(day):
            begin, end = max(instant(zone, day, a), start), instant(zone, day, b)
            if end <= begin:
                continue
            if end - begin >= left:
                return begin + left
            left -= end - begin
        day += datetime.timedelta(days=1)


def scheduled(start, end):
    """(time, rule) of the scheduled rules in that time."""
    out, day = [], datetime.date(2026, 9, 27)
    while day < datetime.date(2028, 6, 1):
        if day.weekday() in (0, 3):
            out.append((instant("America/New_York", day, 480), "weekly"))
        if (day + datetime.timedelta(days=1)).day == 1:
            out.append((instant("Europe/Vienna", day, 150), "monthly"))
        day += datetime.timedelta(days=1)
    return sorted(t for t in out if start < t[0] <= end)


class Model:
    """Leads, their episodes and what ran: (name, lead, at)."""

    def __init__(self):
        self.leads, self.episodes, self.fired, self.now = {}, {}, [], START

    def settle(self, lead):
        """Something happened to the lead."""
        r = self.leads[lead]
        for name, (holds, clock, cal, levels) in ESCALATIONS.items():
            key = name, lead
            base = r["touched"] if clock == "touched" and r["touched"] else r["created"]
            ep = self.episodes.get(key)
            if not holds(r["score"]) or (clock == "untouched" and r["touched"]):
                self.episodes.pop(key, None)
            elif not ep or ep["base"] != base:
                self.episodes[key] = {"base": base, "step": 0, "at": business(cal, base, levels[0])}

    def fire_until(self, now):
        while True:
            due = [(ep["at"], key) for key, ep in self.episodes.items() if ep["at"] and ep["at"] <= now]
            if not due:
                return
            at, key = min(due)
            _holds, _clock, cal, levels = ESCALATIONS[key[0]]
            ep = self.episodes[key]
            # what was due before the episode began fires when it began
            self.fired.append((key[0], key[1], max(at, self.now)))
            ep["step"] += 1
            step = ep["step"]
            ep["at"] = business(cal, at, levels[step] - levels[step - 1]) if step < len(levels) else 0

    def go(self, to):
        for at, name in scheduled(self.now, to):
            self.fired += [(name, lead, at) for lead, r in self.leads.items()
                           if SCHEDULES[name](r["score"])]
        self.fire_until(to)
        self.now = to

    def create(self, lead):
        self.fired.append(("rest", lead, self.now))
        self.leads[lead] = {"created": self.now, "touched": 0, "score": 0}
        self.settle(lead)
        self.fire_until(self.now)

    def set(self, lead, score):
        r = self.leads[lead]
        if r["score"] == score:
            return
        r["score"], r["touched"] = score, self.now
        self.settle(lead)
        self.fire_until(self.now)


# ---- the daemon ---------------------------------------------------------------------

def play(seed, events, deaths):
    dice, model, leads = random.Random(seed), Model(), 0
    with Sim(START, RULES) as d:
        dying = set(dice.sample(range(events), deaths))
        spots = [None] + (["timer.fire.before", "timer.fire.after", "schedule.record", "commit.before",
                           "commit.after"] if points.compiled_in() else [])
        for n in range(events):
            step = 365 * 1440 // events
            to = d.now + dice.choice([dice.randint(1, 600), dice.randint(1, 4 * step - 600)]) * MINUTE
            if n in dying:
                d.die_on_the_way(to, dice.choice(spots))
            model.go(to)
            d.go(to)
            if leads < 3 or dice.random() < 0.1:
                leads += 1
                d.ingest(company.mail("p%d@shop%d.example" % (leads, leads)))
                model.create(leads)
            else:
                lead = dice.randint(1, leads)
                score = dice.choice([0, 25, 40, 55, 75])
                d.ctl("do", "L%d" % lead, "set", "lead.score", str(score))
                model.set(lead, score)
        d.go(d.now + MINUTE)
        model.go(d.now)
        pending = {(r["rule"], r["record"]): r["due"] for r in d.ctl("timers", "limit=1000")["rows"]
                   if r["kind"] == "escalation" and r["due"] != "paused"}
        assert pending == {(name, "L%d" % lead): iso(ep["at"]).replace("Z", ".000Z")
                           for (name, lead), ep in model.episodes.items() if ep["at"]}
        d.go(d.now + 9 * DAY)
        model.go(d.now)
        got, want = d.fired(leads), sorted(model.fired)
        print("seed %d: %d events, %d deaths, %d leads, %d firings, %d were pending, to %s" % (
            seed, events, deaths, leads, len(want), len(pending), iso(d.now)))
        assert got == want, "seed %d: too much %s, missing %s" % (
            seed, sorted(set(got) - set(want))[:9], sorted(set(want) - set(got))[:9])
        assert len({name for name, _, _ in got}) == 7  # every kind had its turn


def test_a_year_of_escalations_equals_an_independent_computation():
    play(SEED, EVENTS, 0)


@points.needs_hooks
def test_killing_the_daemon_at_any_moment_changes_nothing():
    play(SEED + 1, EVENTS, max(4, EVENTS // 12))
