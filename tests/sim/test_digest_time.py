# SPDX-License-Identifier: ISC
"""The morning mail under pretended time: what is in it, when each user gets it in his
zone, also over a change of clocks, and that nothing to tell is no mail."""
import datetime
import email
import email.message
import email.policy
import os
import re
import sys

import pytest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "e2e"))

import company  # noqa: E402
from daemon import Daemon, StartFailed, until  # noqa: E402
from test_main_job import post  # noqa: E402

START = "2026-11-20T10:00:00Z"  # a Friday
SETTINGS = 'digest = "Mon-Fri 07:30"; stale_after = "3d";'
RULES = """
lang = 1;
rules : { rest : { on = "lead.created"; do = "assign tom"; }; };
calendars : { york : { zone = "America/New_York"; hours = "Mon-Fri 09:00-17:00"; };
              vienna : { zone = "Europe/Vienna"; hours = "Mon-Fri 09:00-17:00";
                         holidays = [ "2026-11-24" ]; }; };
"""


def until_time(d, when):
    """Moves the clock to a time in UTC."""
    now = d.ctl("clock")["now"]
    ms = [datetime.datetime.fromisoformat(t.replace("Z", "+00:00")).timestamp() * 1000
          for t in (now, when)]
    d.ctl("clock", "advance", "%dms" % (ms[1] - ms[0]))


def digests(d, to):
    return [m for m in company.sent(d.dir) if m["To"] == to and m["Subject"].startswith("Today:")]


def start(settings=SETTINGS, tom="", start_at=START):
    conf = company.conf(settings=settings).replace(
        'email = "tom@example.com";', 'email = "tom@example.com"; ' + tom)
    return Daemon(conf, company.files(RULES), args=["--pretend-time", start_at])


def test_tasks_new_leads_waiting_people_and_resting_deals_are_told_in_the_morning():
    with start() as d:
        post(d, {"email": "ada@shop.example", "name": "Ada Beispiel", "message": "40 widgets"})
        post(d, {"email": "bob@shop.example", "name": "Bob Beispiel", "message": "3 gadgets"})
        d.ctl("do", "L1", "task mon 10:00 call Ada back")
        d.ctl("do", "L1", "task tue 10:00 not today")
        d.ctl("do", "L2", "stage negotiation")
        until_time(d, "2026-11-23T06:29:00Z")
        assert digests(d, "tom@example.com") == []
        d.ctl("clock", "advance", "2m")
        (m,) = until(lambda: digests(d, "tom@example.com"), why="the mail")
        text = m.get_content()
        assert m["Subject"] == "Today: 1 task, 2 new leads"
        assert "T1    2026-11-23 10:00  call Ada back (L1)" in text
        assert "not today" not in text
        assert "Ada Beispiel  40 widgets" in text and "Bob Beispiel  3 gadgets" in text
        assert digests(d, "mia@example.com") == []  # nothing to tell
        # the next day: the task is overdue, the leads wait, the deal rests
        until_time(d, "2026-11-24T06:31:00Z")
        m = until(lambda: digests(d, "tom@example.com")[1:], why="the second mail")[0]
        text = m.get_content()
        assert m["Subject"] == "Today: 2 tasks, 2 unanswered leads, 1 resting deal"
        assert "T1    overdue since 2026-11-23 10:00  call Ada back (L1)" in text
        assert "D1    since 2026-11-20" in text


def test_a_weekend_an_absence_and_who_wants_none_have_no_mail():
    with start(tom='absent = [ "2026-11-23" ];') as d:
        post(d, {"email": "ada@shop.example", "name": "Ada Beispiel"})
        d.ctl("do", "L1", "task today 23:00 call")
        until_time(d, "2026-11-23T12:00:00Z")
        assert digests(d, "tom@example.com") == []
        until_time(d, "2026-11-24T12:00:00Z")
        until(lambda: len(digests(d, "tom@example.com")) == 1, why="Tuesday's")
    with start(tom='digest = "none";') as d:
        post(d, {"email": "ada@shop.example", "name": "Ada Beispiel"})
        until_time(d, "2026-11-24T12:00:00Z")
        assert [r for r in d.ctl("timers")["rows"] if "tom" in r["rule"]] == []
        assert digests(d, "tom@example.com") == []


def test_each_user_gets_it_in_his_own_zone_also_over_a_change_of_clocks():
    # clocks in New York go back on 2026-11-01, a Sunday
    with start(tom='calendar = "york";', start_at="2026-10-29T12:00:00Z") as d:
        due = []
        for _ in range(4):
            (row,) = [r for r in d.ctl("timers")["rows"] if r["rule"] == "tom"]
            due.append(row["due"])
            until_time(d, row["due"])
            d.ctl("clock", "advance", "1m")
        assert [t[:16] for t in due] == ["2026-10-30T11:30", "2026-11-02T12:30",
                                         "2026-11-03T12:30", "2026-11-04T12:30"]


def test_working_days_of_a_calendar_leave_out_its_holidays_and_a_wrong_time_is_told():
    with start('digest = "workday 07:30"; calendar = "vienna";', tom='calendar = "vienna";',
               start_at="2026-11-23T12:00:00Z") as d:
        (row,) = [r for r in d.ctl("timers")["rows"] if r["rule"] == "tom"]
        assert row["due"].startswith("2026-11-25T06:30") and row["kind"] == "digest"
    with pytest.raises(StartFailed) as e:
        start('digest = "Mon-Fry 07:30";')
    assert str(e.value).count("digest of") == 1 and "Mon-Fry 07:30" in str(e.value)


def test_one_that_was_missed_is_sent_at_the_start_and_never_twice():
    with start() as d:
        post(d, {"email": "ada@shop.example", "name": "Ada Beispiel"})
        d.stop()
        d.args = ["--pretend-time", "2026-11-23T08:00:00Z"]
        d.start()
        until(lambda: len(digests(d, "tom@example.com")) == 1, why="the missed one")
        d.stop()
        d.args = ["--pretend-time", "2026-11-23T09:00:00Z"]
        d.start()
        d.ctl("clock", "advance", "1h")
        assert len(digests(d, "tom@example.com")) == 1


def test_a_manager_sees_what_is_late_in_the_team_and_whom_nobody_answered():
    with start(tom='manager = "eva";') as d:
        post(d, {"email": "ada@shop.example", "name": "Ada Beispiel", "message": "40 widgets"})
        d.ctl("do", "L1", "task today 16:00 for tom call Ada back")
        d.ctl("do", "L1", "task today 16:00 for mia not of the team")
        until_time(d, "2026-11-23T06:31:00Z")
        (m,) = until(lambda: digests(d, "eva@example.com"), why="the manager's mail")
        text = m.get_content()
        assert m["Subject"] == "Today: 1 late task"
        assert "T1    since 2026-11-20 16:00  tom  call Ada back" in text and "not of the team" not in text
        until_time(d, "2026-11-24T06:31:00Z")
        m = until(lambda: digests(d, "eva@example.com")[1:], why="the second mail")[0]
        assert m["Subject"] == "Today: 1 late task, 1 forgotten lead"
        assert "L1    since 2026-11-20 11:00  tom  Ada Beispiel  40 widgets" in m.get_content()


def test_meetings_of_the_day_and_tasks_of_who_has_left_are_told():
    ics = ("BEGIN:VCALENDAR\r\nVERSION:2.0\r\nMETHOD:REQUEST\r\nBEGIN:VEVENT\r\nUID:1@shop.example\r\n"
           "DTSTAMP:20261120T100000Z\r\nDTSTART:20261123T130000Z\r\nDTEND:20261123T140000Z\r\n"
           "SUMMARY:Demo of widgets\r\nORGANIZER:mailto:ada@shop.example\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n")
    with start() as d:
        post(d, {"email": "ada@shop.example", "name": "Ada Beispiel"})
        d.ctl("do", "L1", "task today 16:00 for eva call Ada back")
        m = email.message_from_bytes(company.mail(), policy=email.policy.default)
        m.make_mixed()
        part = email.message.EmailMessage(policy=email.policy.default)
        part.set_content(ics, subtype="calendar", params={"method": "REQUEST"})
        m.attach(part)
        company.deliver(d.dir + "/inbox", "1.ics", m.as_bytes())
        until(lambda: [r for r in d.ctl("timeline", "L1")["rows"] if r["kind"] == "meeting"], why="the meeting")
        with open(d.conf_path) as f:
            conf = f.read()
        d.write("leadd.conf", re.sub(r"(?m)^ *eva : .*\n", "", conf))
        assert "reload.done" in d.reload()
        until_time(d, "2026-11-23T06:31:00Z")
        (m,) = until(lambda: digests(d, "tom@example.com"), why="the mail")
        assert "1 meeting" in m["Subject"] and "2026-11-23 14:00  Demo of widgets (L1)" in m.get_content()
        (m,) = until(lambda: digests(d, "mia@example.com"), why="the default owner's mail")
        assert "eva, no user any more  call Ada back" in m.get_content()
