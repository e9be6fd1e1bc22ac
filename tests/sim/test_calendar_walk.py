# SPDX-License-Identifier: ISC
"""Business time and schedules, counted a second time and in another way: minute by
minute, with Python's zoneinfo, over random calendars, zones and starts.

CALENDAR_CASES=20000 for a long run; CALENDAR_SEED for another one.
"""
import bisect
import datetime
import os
import random
import subprocess
import zoneinfo

BUILD = os.environ["builddir"]
CASES = int(os.environ.get("CALENDAR_CASES", "600"))
SEED = int(os.environ.get("CALENDAR_SEED", "4"))
MINUTE = 60000
DAYS = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]
ZONES = ["Europe/Vienna", "America/New_York", "Australia/Lord_Howe", "America/Havana", "Asia/Kolkata",
         "Europe/London", "Asia/Kathmandu", "Pacific/Chatham", "America/St_Johns", "UTC", "Asia/Tokyo"]
EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)


class Window:
    """What the clock on the wall says, for every minute of some weeks."""

    def __init__(self, zone, start, days):
        self.zone, self.first = zone, start // MINUTE
        z = zoneinfo.ZoneInfo(zone)
        self.wall = []  # of each minute: (date, minute of the day)
        for m in range(self.first, self.first + days * 1440):
            t = datetime.datetime.fromtimestamp(m * 60, z)
            self.wall.append((t.toordinal(), t.hour * 60 + t.minute))
        self.last = self.first + len(self.wall)
        self.by_day = {}
        for i, (day, minute) in enumerate(self.wall):
            self.by_day.setdefault(day, []).append((self.first + i, minute))

    def open_minutes(self, week, closed):
        """Every minute that is open, by the definition in rule/calendar.h."""
        out = set()
        for day, minutes in self.by_day.items():
            if closed(datetime.date.fromordinal(day)):
                continue
            for a, b in week[(day - 1) % 7]:
                begin = next((m for m, wall in minutes if wall >= a), None)
                end = next((m + 1 for m, wall in reversed(minutes) if wall < b), None)
                if begin is not None and end is not None:
                    out.update(range(begin, end))
        return sorted(out)


def change_of_clocks(rnd, zone, year):
    """A day near a change, or any."""
    z = zoneinfo.ZoneInfo(zone)
    days = [d for d in range(360) if
            (datetime.datetime(year, 1, 1, tzinfo=z) + datetime.timedelta(d)).utcoffset() !=
            (datetime.datetime(year, 1, 1, tzinfo=z) + datetime.timedelta(d + 1)).utcoffset()]
    day = rnd.choice(days) if days else rnd.randrange(360)
    return int((datetime.datetime(year, 1, 1, tzinfo=datetime.timezone.utc) +
                datetime.timedelta(day) - EPOCH).total_seconds() * 1000)


def random_hours(rnd):
    """The spans of each day of the week, and the text that says them."""
    week, text = [[] for _ in DAYS], []
    night = rnd.random() < 0.6
    for day in range(7):
        points = sorted(rnd.sample(range(0, 26) if night else range(0, 97), 2 * rnd.randrange(0, 4)))
        spans = [(a * 15, b * 15) for a, b in zip(points[::2], points[1::2])]
        week[day] = spans
        if spans:
            text.append(DAYS[day] + " " + ", ".join(
                "%02d:%02d-%02d:%02d" % (a // 60, a % 60, b // 60, b % 60) for a, b in spans))
    return week, "; ".join(text)


def ask(lines):
    p = subprocess.run([BUILD + "/tests/sim/calendar_sums"], input="".join(l + "\n" for l in lines),
                       capture_output=True, text=True)
    assert p.returncode == 0, p.stderr
    return p.stdout.splitlines()


def windows(rnd, days):
    for zone in ZONES:
        year = rnd.randrange(2025, 2036)
        start = change_of_clocks(rnd, zone, year) - 8 * 86400000
        yield Window(zone, start, days)


def test_sums_of_business_time_equal_a_walk_over_every_minute():
    rnd = random.Random(SEED)
    cases, lines = [], []
    spread = {"reached": 0, "not in sight": 0, "open at the start": 0}
    for w in windows(rnd, 24):
        for _ in range(CASES // len(ZONES)):
            week, hours = random_hours(rnd)
            if not hours:
                continue
            holidays = rnd.sample(sorted(w.by_day), rnd.randrange(0, 3))
            names = [datetime.date.fromordinal(d).isoformat() for d in holidays]
            yearly = rnd.random() < 0.3
            if yearly:
                names = [n[5:] for n in names]
            minutes = w.open_minutes(week, lambda d: d.toordinal() in holidays)
            start = rnd.randrange(w.first + 1440, w.first + 16 * 1440)
            want = rnd.choice([0, 1, 15, 30, 60, 90, 240, 480, 1000])
            lines.append("sum %s\t%s\t%s\t%d\t%d" % (w.zone, hours, "|".join(names), start * MINUTE,
                                                     want * MINUTE))
            cases.append((w, minutes, start, want, lines[-1]))
    answers = ask(lines)
    assert len(answers) == len(cases)
    for (w, minutes, start, want, line), answer in zip(cases, answers):
        add, between, is_open, opens = (int(x) for x in answer.split("\t"))
        i = bisect.bisect_left(minutes, start)
        at_start = i < len(minutes) and minutes[i] == start
        assert is_open == at_start, line
        spread["open at the start"] += at_start
        # the walk ends a day before the window does, which it does not know the end of
        inside = [m for m in minutes[i:] if m < w.last - 1440]
        if inside:
            assert opens == inside[0] * MINUTE, line
        if want == 0:
            assert add == start * MINUTE and between == 0, line
        elif len(inside) >= want:
            assert add == (inside[want - 1] + 1) * MINUTE, line
            assert between == want * MINUTE, line
            spread["reached"] += 1
        else:
            assert add > (w.last - 1441) * MINUTE, line
            spread["not in sight"] += 1
    print(spread)
    assert spread["reached"] > len(cases) / 2 and spread["open at the start"] > len(cases) / 20


def test_adding_and_measuring_are_inverses_to_the_millisecond():
    rnd = random.Random(SEED + 1)
    lines, want = [], []
    for _ in range(CASES):
        _week, hours = random_hours(rnd)
        ms = rnd.randrange(1, rnd.choice([1000, 3600000, 400 * 3600000]))
        start = rnd.randrange(1767225600000, 2082758400000)
        if hours:
            lines.append("sum %s\t%s\t12-24..01-02\t%d\t%d" % (rnd.choice(ZONES), hours, start, ms))
            want.append(ms)
    for line, ms, answer in zip(lines, want, ask(lines)):
        add, between = (int(x) for x in answer.split("\t")[:2])
        if add < 2 ** 62:
            assert between == ms, line


def test_schedules_equal_a_walk_over_every_minute():
    rnd = random.Random(SEED + 2)
    lines, want = [], []
    for w in windows(rnd, 24):
        for _ in range(CASES // len(ZONES) // 3):
            days = sorted(rnd.sample(range(7), rnd.randrange(1, 8)))
            at = rnd.randrange(0, 1440) if rnd.random() < 0.3 else rnd.randrange(0, 200)
            start = rnd.randrange(w.first + 1440, w.first + 14 * 1440)
            lines.append("next %s\t%s %02d:%02d\t%d" % (w.zone, ",".join(DAYS[d] for d in days),
                                                       at // 60, at % 60, start * MINUTE))
            runs = []
            for day, minutes in w.by_day.items():
                first = next((m for m, wall in minutes if wall >= at), None)
                if first is not None and (day - 1) % 7 in days:
                    runs.append(first)
            want.append(next(m for m in sorted(runs) if m > start) * MINUTE)
    for line, ms, answer in zip(lines, want, ask(lines)):
        assert int(answer) == ms, line
