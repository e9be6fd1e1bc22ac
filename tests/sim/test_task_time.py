# SPDX-License-Identifier: ISC
"""Tasks that come again, under pretended time: a year of them in six zones over both changes
of clocks, equal to what python-dateutil makes of the rules of RFC 5545."""
import datetime
import os
import subprocess
import sys
import zoneinfo

from dateutil import rrule

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "e2e"))

import company  # noqa: E402
from roles import BUILD  # noqa: E402
from daemon import Daemon, until  # noqa: E402
from test_main_job import post  # noqa: E402

ZONES = {"ann": "Europe/Vienna", "bob": "America/New_York", "cat": "Australia/Lord_Howe",
         "dan": "Asia/Kolkata", "eve": "America/Santiago", "fay": "Africa/Casablanca"}
START = datetime.datetime(2026, 3, 1, 12, tzinfo=datetime.timezone.utc)
DAYS = (rrule.MO, rrule.TU, rrule.WE, rrule.TH, rrule.FR, rrule.SA, rrule.SU)
# what is said, and what it is in RFC 5545; a month without a 31st counts its last day
SAID = [
    ("every day 02:30", {"freq": rrule.DAILY}, (2, 30)),
    ("every 9 days 08:00", {"freq": rrule.DAILY, "interval": 9}, (8, 0)),
    ("every Sunday 01:30", {"freq": rrule.WEEKLY, "byweekday": rrule.SU}, (1, 30)),
    ("every 2 weeks on Mon and Thu 9:00",
     {"freq": rrule.WEEKLY, "interval": 2, "byweekday": (rrule.MO, rrule.TH)}, (9, 0)),
    ("monthly on the 31st 00:15", {"freq": rrule.MONTHLY, "bymonthday": (28, 29, 30, 31), "bysetpos": -1},
     (0, 15)),
    ("every last Sunday 2:15", {"freq": rrule.MONTHLY, "byweekday": rrule.SU(-1)}, (2, 15)),
    ("quarterly on the 2nd 23:45", {"freq": rrule.MONTHLY, "interval": 3, "bymonthday": 2}, (23, 45)),
]
RULES = "lang = 1; rules : { rest : { on = \"lead.created\"; do = \"assign ann\"; }; };\ncalendars : {" + "".join(
    '%s : { zone = "%s"; hours = "daily 00:00-24:00"; };' % z for z in ZONES.items()) + "};"


def instant(day, clock, zone):
    """The first time a clock in that zone shows it; what is skipped is the moment of the change."""
    tz = zoneinfo.ZoneInfo(zone)
    naive = datetime.datetime.combine(day, datetime.time(*clock))
    at = naive.replace(tzinfo=tz, fold=0).astimezone(datetime.timezone.utc)
    if at.astimezone(tz).replace(tzinfo=None) == naive:
        return at
    before = at - datetime.timedelta(hours=3)
    while (before + datetime.timedelta(minutes=1)).astimezone(tz).replace(tzinfo=None) < naive:
        before += datetime.timedelta(minutes=1)
    return before + datetime.timedelta(minutes=1)


def expected(rule, clock, zone, n):
    """The first n, as of START. The first day is that of the rule without its interval."""
    local = START.astimezone(zoneinfo.ZoneInfo(zone)).date()
    each = dict(rule, interval=1)
    first = next(d for d in rrule.rrule(dtstart=datetime.datetime.combine(local, datetime.time()), **each)
                 if instant(d.date(), clock, zone) > START)
    days = rrule.rrule(dtstart=first, count=n + 2, **rule)
    return [t for t in (instant(d.date(), clock, zone) for d in days) if t > START][:n]


def due(d, n):
    return datetime.datetime.fromisoformat(dict(d.ctl("show", "T%d" % n)["fields"])["Due"].replace("Z", "+00:00"))


def start(**more):
    users = "".join('%s : { name = "%s"; email = "%s@example.com"; calendar = "%s"; reminders = "%s"; };\n'
                    % (u, u, u, u, "email" if u == "bob" else "none") for u in ZONES)
    conf = company.conf(settings='task_overdue = "300d";').replace("users : {", "users : {" + users)
    return Daemon(conf, company.files(RULES), args=["--pretend-time", START.strftime("%Y-%m-%dT%H:%M:%SZ")], **more)


def test_two_years_in_six_zones_equal_an_independent_computation():
    probe = os.path.join(BUILD, "tests", "unit", "recur_probe")
    compared = 0
    for zone in ZONES.values():
        for said, rule, clock in SAID:
            want = [round(t.timestamp() * 1000) for t in expected(rule, clock, zone, 2000)
                    if t < START + datetime.timedelta(days=730)]
            got = subprocess.run([probe, zone, "%d" % (START.timestamp() * 1000), "%d" % len(want), said],
                                 check=True, capture_output=True, text=True).stdout.split()
            assert [int(t) for t in got] == want, (said, zone)
            compared += len(want)
    assert compared > 6000


def test_a_task_that_is_done_makes_the_next_in_its_owners_zone():
    with start() as d:
        post(d, {"email": "ada@shop.example"})
        task = 0
        for user, (said, rule, clock) in zip(ZONES, SAID):
            d.ctl("do", "L1", "task %s for %s look" % (said, user))
            task += 1
            for at in expected(rule, clock, ZONES[user], 3):
                assert due(d, task) == at, (said, user)
                d.ctl("do", "T%d" % task, "done")
                task += 1
            d.ctl("do", "T%d" % task, "done for good")
        assert d.ctl("timers")["rows"] == []


def test_what_is_missed_is_one_task_and_each_turn_is_told_once():
    """Nobody does it for ten days: one open task; the reminder of the day, once."""
    with start() as d:
        post(d, {"email": "ada@shop.example"})
        d.ctl("do", "L1", "task every day 02:30 for bob look")
        for at in expected({"freq": rrule.DAILY}, (2, 30), ZONES["bob"], 1):
            now = datetime.datetime.fromisoformat(d.ctl("clock")["now"].replace("Z", "+00:00"))
            d.ctl("clock", "advance", "%dms" % ((at - now).total_seconds() * 1000))
        until(lambda: len(company.sent(d.dir)) == 1, why="the reminder")
        d.ctl("clock", "advance", "240h")
        d.ctl("do", "T1", "done")
        rows = d.ctl("list", "tasks")["rows"]
        assert len(rows) == 2 and len(company.sent(d.dir)) == 1
        # ten days later: over the change of clocks in New York on 8 March, 02:30 is there again
        assert due(d, 2) == datetime.datetime(2026, 3, 13, 6, 30, tzinfo=datetime.timezone.utc)
