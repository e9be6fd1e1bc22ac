# SPDX-License-Identifier: ISC
"""A sequence counted by itself, sharing nothing with the daemon: the course of one record
through the steps below, with what happens to it on the way."""
import datetime
import functools
import zoneinfo

from sim import DAY, HOUR, MINUTE

ZONES = ("Europe/Vienna", "America/New_York", "Asia/Kolkata", "Australia/Sydney",
         "America/Sao_Paulo", "Pacific/Auckland")

SEQUENCE = """
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

HOURS = {d: [((9, 0), (12, 30)), ((13, 30), (17, 0))] for d in range(5)}
HOURS[5] = [((10, 0), (12, 0))]


@functools.cache
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

    def __init__(self, began, zone, events, end):
        self.zone, self.events, self.score, self.over = zone, list(events), 0, None
        self.end = end
        self.sent, self.now = [], began

    def until(self, at):
        """What happens before that time; False: it ends there."""
        while self.events and self.events[0][0] <= at and self.over is None:
            when, kind, value = self.events.pop(0)
            if kind == "score":
                self.score = value
            if kind in ("reply", "optout", "call", "stop") or self.score > 90:
                self.over = when
        return self.over is None and at < self.end

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


def expected(record, end):
    """[(template, ms)] of (began, zone, events) until that time."""
    c = Course(*record, end)
    c.go()
    return c.sent
