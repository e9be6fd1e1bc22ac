# SPDX-License-Identifier: ISC
"""Invitations to meetings: what calendars read, as python3-icalendar reads it, and what answers do."""
import datetime
import re
import email.message
import email.policy

import icalendar

import company
import test_rep
from daemon import CtlError, until
from test_rep import body, lead, says

import pytest

RULES = """
lang = 1;
rules : {
  rest : { on = "lead.created"; do = "assign tom"; };
  no : { on = "meeting.declined"; do = "notify owner"; };
  other : { on = "meeting.countered"; do = "notify owner"; };
};
"""
UTC = datetime.timezone.utc


def start(rules=RULES):
    return test_rep.Daemon(test_rep.CONF % {"mailboxes": company.MAILDIR_IN, "relays": company.MAILDIR_OUT,
                                            "settings": test_rep.SETTINGS},
                           company.files(rules), args=("--pretend-time", "2026-11-20T10:00:00Z"))


def invitations(d, n, to="ada@shop.example"):
    """The event of the n-th mail with a calendar to somebody, and the mail."""
    def found():
        return [m for m in company.sent(d.dir) if to in m["To"]
                and any(p.get_content_type() == "text/calendar" for p in m.walk())]
    until(lambda: len(found()) >= n, why="%d invitations" % n)
    m = found()[n - 1]
    (part,) = [p for p in m.walk() if p.get_content_type() == "text/calendar"]
    raw = part.get_payload(decode=True)
    assert all(len(line.rstrip(b"\r")) <= 75 for line in raw.split(b"\n"))
    cal = icalendar.Calendar.from_ical(raw.decode())
    assert cal["METHOD"] == part.get_param("method") and m.get_content_type() == "multipart/alternative"
    (event,) = cal.walk("VEVENT")
    return event, m


def answers(d, event, status, method="REPLY", start=None):
    """The contact's calendar answers."""
    cal = icalendar.Calendar()
    cal.add("prodid", "-//test//")
    cal.add("version", "2.0")
    cal.add("method", method)
    ev = icalendar.Event()
    for key in ("UID", "SEQUENCE", "SUMMARY", "ORGANIZER"):
        ev[key] = event[key]
    ev.add("dtstamp", datetime.datetime(2026, 11, 20, 11, tzinfo=UTC))
    ev.add("dtstart", start or event["DTSTART"].dt)
    ev.add("attendee", "mailto:ada@shop.example", parameters={"PARTSTAT": status})
    cal.add_component(ev)
    m = email.message_from_bytes(company.mail(subject="%s: %s" % (status, event["SUMMARY"]), text="\n",
                                              to=str(event["ORGANIZER"]).replace("mailto:", "")),
                                 policy=email.policy.default)
    m.make_alternative()
    part = email.message.EmailMessage(policy=email.policy.default)
    part.set_content(cal.to_ical().decode(), subtype="calendar", params={"method": method})
    m.attach(part)
    mark = d.mark()
    test_rep.write(d, m.as_bytes())
    d.wait_log("mail.filed", after=mark)


def meeting(d):
    (row,) = [r for r in d.ctl("timeline", "L1")["rows"] if r["kind"] == "meeting"]
    return row


def test_contact_and_owner_get_what_calendars_read_and_the_answer_comes_back():
    title = "Demo; of 40 widgets, in \"room\" 4 \\ überall " + "ü" * 60
    with start() as d:
        lead(d)
        text = body(says(d, "#invite fri 10:00 45m " + title + "\n"))
        assert "is a meeting at 2026-11-27 10:00, ada@shop.example" in text
        event, m = invitations(d, 1)
        assert str(event["SUMMARY"]) == title and int(event["SEQUENCE"]) == 0
        assert event["DTSTART"].dt == datetime.datetime(2026, 11, 27, 9, tzinfo=UTC)
        assert event["DTEND"].dt == datetime.datetime(2026, 11, 27, 9, 45, tzinfo=UTC)
        assert "L1." in str(event["ORGANIZER"]) and str(event["ORGANIZER"]).endswith("@example.com")
        people = {str(a): a.params for a in event["ATTENDEE"]}
        assert people["mailto:ada@shop.example"]["PARTSTAT"] == "NEEDS-ACTION"
        assert people["mailto:tom@example.com"]["PARTSTAT"] == "ACCEPTED"
        assert invitations(d, 1, "tom@example.com")[0]["UID"] == event["UID"]
        answers(d, event, "ACCEPTED", start=datetime.datetime(2027, 1, 1, 9, tzinfo=UTC))
        assert "(accepted)" in meeting(d)["text"]
        assert len(d.ctl("list", "leads")["rows"]) == 1


def test_it_is_moved_and_called_off_under_the_same_uid():
    with start() as d:
        lead(d)
        d.ctl("do", "L1", "invite fri 10:00 Demo")
        first, _ = invitations(d, 1)
        (a,) = [r["id"] for r in d.ctl("list", "activities")["rows"] if r["kind"] == "meeting"]
        d.ctl("do", "L1", "invite %s mon 14:00 30m" % a)
        moved, _ = invitations(d, 2)
        assert moved["UID"] == first["UID"] and int(moved["SEQUENCE"]) == 1
        assert moved["DTSTART"].dt == datetime.datetime(2026, 11, 23, 13, tzinfo=UTC)
        d.ctl("do", "L1", "invite %s tue 14:00" % a)  # as long as it was
        again, _ = invitations(d, 3)
        assert again["DTEND"].dt == datetime.datetime(2026, 11, 24, 13, 30, tzinfo=UTC)
        d.ctl("do", "L1", "invite %s cancel" % a)
        off, m = invitations(d, 4)
        assert off["UID"] == first["UID"] and int(off["SEQUENCE"]) == 3 and off["STATUS"] == "CANCELLED"
        assert m["Subject"].startswith("Cancelled: Demo")
        assert meeting(d)["text"] == "cancelled: Demo"
        with pytest.raises(CtlError):
            d.ctl("do", "L1", "invite yesterday Demo")


@pytest.mark.parametrize("status,method,text", [("DECLINED", "REPLY", "Demo (declined)"),
                                               ("TENTATIVE", "COUNTER", "Demo (proposes 2026-11-27 15:00)")])
def test_who_declines_or_proposes_another_time_is_told_to_the_owner(status, method, text):
    with start() as d:
        lead(d)
        d.ctl("do", "L1", "invite fri 10:00 Demo")
        event, _ = invitations(d, 1)
        had = len([m for m in company.sent(d.dir) if "tom@example.com" in m["To"]])
        answers(d, event, status, method, datetime.datetime(2026, 11, 27, 14, tzinfo=UTC))
        assert meeting(d)["text"] == text
        until(lambda: len([m for m in company.sent(d.dir) if "tom@example.com" in m["To"]]) > had,
              why="the notice to the owner")


def test_a_proposed_time_is_told_to_the_owner_without_any_rule_and_his_answer_moves_the_meeting():
    with start(rules=RULES[:RULES.index("  no :")] + "};\n") as d:
        lead(d)
        d.ctl("do", "L1", "invite fri 10:00 Demo")
        event, _ = invitations(d, 1)
        answers(d, event, "TENTATIVE", "COUNTER", datetime.datetime(2026, 11, 27, 14, tzinfo=UTC))
        told = until(lambda: next((m for m in company.sent(d.dir) if "tom@example.com" in m["To"] and
                                   m["Subject"].startswith("Another time is proposed")), None), why="a notice")
        (line,) = re.findall(r"^  (#invite A\d+ 2026-11-27 15:00)$", told.get_content(), re.M)
        says(d, line + "\n", to="sales@example.com")
        assert int(invitations(d, 2)[0]["SEQUENCE"]) == 1 and meeting(d)["text"].startswith("Demo")
