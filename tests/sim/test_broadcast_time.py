# SPDX-License-Identifier: ISC
"""A broadcast to people in six zones, over a change of clocks and a holiday, so many in an
hour, while some of them answer, are talked with or opt out: who got it and when equals, to
the millisecond, a computation that shares nothing with the daemon but the lots it drew.

    LEADD_SIM_RECIPIENTS=5000   how many (default 240)
    LEADD_SIM_SEED=N            of a run that failed
"""
import calendar
import datetime
import functools
import os
import random
import sqlite3
import zoneinfo

from sequence_model import ZONES
from sim import DAY, HOUR, MINUTE, SEED, company, iso
from test_broadcasts import RULES, Company
from test_sequence_month import Lanes

MANY = int(os.environ.get("LEADD_SIM_RECIPIENTS", "240"))
PER_HOUR = max(6, MANY // 40)  # one at a time, up to 3600
START = calendar.timegm((2026, 10, 23, 6, 0, 0)) * 1000  # a Friday; Europe 25 Oct
HOLIDAY = datetime.date(2026, 10, 26)
WINDOW = "Mon-Thu 09:00-12:15, 13:30-17:00; Fri 09:00-15:00"  # no two zones close together
OPTIONS = 'window = "%s"; calendar = "work"; per_hour = %d; confirm_over = 10000000;' % (WINDOW, PER_HOUR)
CALENDAR = 'calendars : { work : { hours = "Mon-Fri 08:00-20:00"; holidays = [ "2026-10-26" ]; }; };\n'
COMMANDS = {"optout": "optout", "call": "call spoke", "meeting": "meeting showed it"}
AT_ITS_TURN = ("optout", "withdraw")  # the others leave the line at once


# ---- the model -----------------------------------------------------------------------------

def hours(day):
    if day == HOLIDAY or day.weekday() > 4:
        return []
    return [((9, 0), (15, 0))] if day.weekday() == 4 else [((9, 0), (12, 15)), ((13, 30), (17, 0))]


@functools.cache
def span(at, zone):
    """(begin, end) of the open hours at that time or next."""
    tz = zoneinfo.ZoneInfo(zone)
    day = datetime.datetime.fromtimestamp(at / 1000, tz).date()
    while True:
        for pair in hours(day):
            lo, hi = (int(datetime.datetime(day.year, day.month, day.day, h, m, tzinfo=tz).timestamp()) * 1000
                      for h, m in pair)
            if at < hi:
                return max(at, lo), hi
        day += datetime.timedelta(days=1)


def expected(zones, events, lot):
    """[(when, person)]; zones and lot of each person, events are (time, person, kind, zone)."""
    waiting, silent, lives = set(zones), set(), dict(zones)
    line, events, now, sent = dict(zones), sorted(events), START, []
    while True:
        while events and events[0][0] < now:
            _, who, kind, zone = events.pop(0)
            if kind in AT_ITS_TURN:
                silent.add(who)
            elif kind == "moves":
                lives[who] = zone
            else:
                waiting.discard(who)
        if not waiting:
            return sent
        there = {line[w] for w in waiting}
        opened = [z for z in there if span(now, z)[0] == now]
        if not opened:
            now = min(span(now, z)[0] for z in there)
            continue
        first = min(opened, key=lambda z: span(now, z)[1])
        who = min((w for w in waiting if line[w] == first), key=lambda w: (lot[w], w))
        if who not in silent and span(now, lives[who])[0] != now:
            line[who] = lives[who]
        else:
            waiting.discard(who)
            if who not in silent:
                sent.append((now, who))
        now += -(-HOUR // PER_HOUR)


# ---- the run ---------------------------------------------------------------------------------

def story(r):
    """At most one thing happens to anybody, never at the very moment of a mail."""
    zones = {n: r.choice(ZONES) for n in range(1, MANY + 1)}
    kinds = ("reply", "call", "meeting", "optout", "withdraw", "moves")
    events = [(START + r.randrange(0, 5 * DAY) // MINUTE * MINUTE + 37137, n, r.choice(kinds), r.choice(ZONES))
              for n in zones if r.random() < 0.35]
    return zones, sorted(events)


def live(d, events, end):
    ctl = Lanes(d.dir + "/run/ctl.sock", "CTL", "CTL_DONE")
    mail = Lanes(d.dir + "/run/ingest.sock", "MAIL", "RECEIPT")
    now = START

    def command(*argv):
        answer, = ctl.ask([({"argv": list(argv)}, b"")])
        assert answer["exit"] == 0, (argv, answer)

    for at, n, kind, zone in events:
        if at > now:
            command("clock", "advance", "%dms" % (at - now))
        now = at
        to = "p%d@shop%d.example" % (n, n)
        if kind == "reply":
            mail.ask([(None, company.mail(to, text="No, thanks.\n", when=at // 1000))])
        elif kind == "withdraw":
            command("consent", "withdraw", to)
        elif kind == "moves":
            command("do", "C%d" % n, "set", "contact.time_zone", zone)
        else:
            command("do", "C%d" % n, *COMMANDS[kind].split())
    command("clock", "advance", "%dms" % (end - now))
    for lanes in (ctl, mail):
        lanes.close()


def outcome(d):
    """[(made, left, person)] and the lots."""
    d.ctl("backup", d.dir + "/copy.db")
    db = sqlite3.connect(d.dir + "/copy.db")
    assert db.execute("SELECT count(*) FROM outbox WHERE state <> 'sent'").fetchone()[0] == 0
    sent = [(made, done, int(to.split("@")[0][1:])) for made, done, to in db.execute(
        "SELECT created_ms, done_ms, to_addr FROM outbox WHERE class = 'broadcast' ORDER BY id")]
    lot = dict(db.execute("SELECT contact_id, rank FROM broadcast_part"))
    db.close()
    return sent, lot


def test_everybody_gets_it_once_where_it_is_day_never_too_many_in_an_hour_and_nobody_who_was_heard_of():
    zones, events = story(random.Random(SEED))
    end = START + 14 * DAY
    with Company([{"zone": zones[n]} for n in sorted(zones)], OPTIONS, rules=RULES + CALENDAR, start=iso(START)) as d:
        d.begin()
        live(d, events, end)
        sent, lot = outcome(d)
        assert d.show()["state"] == "done", SEED
    for (made, done, who), later in zip(sent, sent[PER_HOUR:] + [(end, end, 0)] * PER_HOUR):
        past = [e for e in events if e[1] == who and e[0] < made]
        assert all(e[2] == "moves" for e in past), (SEED, who, past)
        zone = past[-1][3] if past else zones[who]
        assert made == done == span(made, zone)[0], (SEED, who, zone, iso(made), iso(done))
        assert later[0] >= made + HOUR, (SEED, who, iso(made))
    assert [(made, who) for made, _, who in sent] == expected(zones, events, lot), SEED
    heard = {e[1] for e in events if e[2] != "moves"}
    print("seed %d: %d people, %d mails, %d events, the last %s"
          % (SEED, MANY, len(sent), len(events), iso(sent[-1][0])))
    assert set(zones) - heard <= {who for _, _, who in sent} and len({s[2] for s in sent}) == len(sent)
