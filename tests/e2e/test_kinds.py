# SPDX-License-Identifier: ISC
"""What bounces, complaints, receipts, automatic answers and invitations do to the CRM."""
import json
import os

import pytest

import company
from daemon import Daemon, until

RULES = """
lang = 1;
rules : {
  rest : { on = "lead.created"; do = "assign tom"; };
  welcome : { on = "lead.created"; do = "send welcome"; };
  remind : { on = "lead"; when = "not lead.contacted"; again = "1d"; max = 9; do = "send welcome"; };
  came-back : { on = "bounce.received"; when = "message.bounce_permanent"; do = "tag came-back"; };
  seen : { on = "message.received"; when = "message.receipt == 'displayed'"; do = "tag seen"; };
  booked : { on = "meeting.added"; do = "tag booked"; };
  away : { on = "message.received"; when = "message.away_until is set"; do = "tag away"; };
};
"""
NOW = "2026-03-02T08:00:00Z"


@pytest.fixture
def d():
    with Daemon(company.conf(), company.files(RULES), args=["--pretend-time", NOW]) as d:
        yield d


def rows(d, *argv):
    return d.ctl(*argv)["rows"]


def lead(d, sender="c@small.example"):
    """A lead to whom one mail has left; that mail."""
    d.ingest(company.mail(sender=sender))
    until(lambda: len(sent(d, sender)) >= 1, why="the first mail")
    return sent(d, sender)[0]


def sent(d, to):
    return [m for m in company.sent(d.dir) if to in str(m["To"])]


def address(d, contact="C1"):
    (s,) = [s for s in d.ctl("show", contact)["sections"] if s["title"] == "Addresses"]
    return s["rows"][0]


def fields(d, record):
    return dict(d.ctl("show", record)["fields"])


def returned(mail, status="5.1.1", action="failed", to=None, said="550 no such user"):
    """A report about one of our mails: as its return path receives it."""
    return ("Return-Path: <>\r\nFrom: MAILER-DAEMON@mx.example\r\nTo: %s\r\nSubject: Undelivered\r\n"
            "Message-ID: <%s.%d@mx.example>\r\nMIME-Version: 1.0\r\nContent-Type: multipart/report; "
            "report-type=delivery-status; boundary=r\r\n\r\n--r\r\n\r\nno\r\n--r\r\n"
            "Content-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx.example\r\n\r\n"
            "Final-Recipient: rfc822; %s\r\nAction: %s\r\nStatus: %s\r\nDiagnostic-Code: smtp; %s\r\n\r\n"
            "--r--\r\n" % (to or str(mail["Return-Path"]).strip("<>"), status, returned.n, "c@small.example",
                           action, status, said)).encode()


def bounce(d, mail, **what):
    returned.n += 1
    d.ingest(returned(mail, **what))


returned.n = 0


def with_headers(report, message_id):
    """The same with the returned mail's headers, as the relay wrote them."""
    return report.replace(b"\r\n--r--", b"\r\n--r\r\nContent-Type: text/rfc822-headers\r\n\r\nMessage-ID: "
                          + message_id.encode() + b"\r\nSubject: Your request\r\n\r\n--r--")


def invitation(method="REQUEST", uid="m1@small.example", sequence=0, start="20260310T140000Z",
               sender="c@small.example", extra=""):
    text = ("BEGIN:VCALENDAR\r\nVERSION:2.0\r\nMETHOD:%s\r\nBEGIN:VEVENT\r\nUID:%s\r\nSEQUENCE:%d\r\n"
            "DTSTART:%s\r\nSUMMARY:Demo\r\nORGANIZER:mailto:%s\r\n%sEND:VEVENT\r\nEND:VCALENDAR\r\n"
            % (method, uid, sequence, start, sender, extra))
    return ("From: %s\r\nTo: sales@example.com\r\nSubject: Demo\r\nMessage-ID: <%s.%d.%s@x.example>\r\n"
            "MIME-Version: 1.0\r\nContent-Type: text/calendar; method=%s; charset=utf-8\r\n\r\n%s"
            % (sender, uid, sequence, method, method, text)).encode()


def meetings(d, record="L1"):
    return [a for a in rows(d, "timeline", record) if a["kind"] == "meeting"]


def test_a_permanent_bounce_marks_stops_and_tells_the_owner_once(d):
    mail = lead(d)
    assert len(rows(d, "timers")) == 1
    bounce(d, mail)
    assert address(d)["state"] == "bouncing" and "5.1.1" in address(d)["reason"]
    assert rows(d, "timers") == []  # it would only have mailed there
    assert "mail to the contact comes back" in json.dumps(d.ctl("why", "L1"))
    bounce(d, mail)
    until(lambda: sent(d, "tom@example.com"), why="the owner's notice")
    d.ctl("clock", "advance", "3d")
    (told,) = [m for m in sent(d, "tom@example.com") if "comes back" in str(m["Subject"])]
    assert "verified c@small.example" in told.get_content() and "L1" in told.get_content()
    assert len(sent(d, "c@small.example")) == len([m for m in sent(d, "c@small.example")
                                                  if m["Message-ID"]]) == 2  # welcome, remind
    assert "came-back" in json.dumps(d.ctl("show", "L1"))
    d.ctl("do", "L1", "verified c@small.example")
    assert address(d)["state"] != "bouncing"
    d.ctl("do", "L1", "send welcome")


def test_what_was_due_to_a_marked_address_is_not_sent(d):
    mail = lead(d)
    bounce(d, mail)
    with pytest.raises(Exception, match="comes back"):
        d.ctl("do", "L1", "send welcome")


def test_a_mail_from_the_address_lifts_the_mark_and_undo_puts_it_back(d):
    mail = lead(d)
    bounce(d, mail)
    assert address(d)["state"] == "bouncing"
    d.ingest(company.mail(sender="c@small.example", subject="I am here"))
    assert address(d)["state"] != "bouncing"


def test_faults_that_may_pass_mark_only_after_several_days(d):
    mail = lead(d)
    for day in range(3):
        assert address(d)["state"] != "bouncing"
        bounce(d, mail, status="4.4.7", said="delivery time expired")
        d.ctl("clock", "advance", "1d")
    assert address(d)["state"] != "bouncing"
    bounce(d, mail, status="4.4.7", said="delivery time expired")
    assert address(d)["state"] == "bouncing" and "4 times on 4 days" in address(d)["reason"]


def test_a_delay_or_a_refusal_of_the_mail_leaves_the_address_alone(d):
    mail = lead(d)
    bounce(d, mail, status="4.4.1", action="delayed", said="connection timed out")
    assert rows(d, "outbox", "list", "state=failed") == []
    bounce(d, mail, status="5.7.1", said="550 5.7.1 blocked: spam")
    assert address(d)["state"] != "bouncing"
    assert len(rows(d, "outbox", "list", "state=failed")) == 1
    until(lambda: [m for m in sent(d, "tom@example.com") if "not delivered" in str(m["Subject"])],
          why="the owner's notice")


def test_a_forged_bounce_or_complaint_changes_nothing(d):
    mail = lead(d)
    bounce(d, mail, to="sales@example.com")
    bounce(d, mail, to="sales+r.o1.aaaaaaaaaaaaaaaa@example.com")
    d.ingest(complaint("sales@example.com", "<x@example.com>"))
    assert address(d)["state"] not in ("bouncing", "opted out")
    assert rows(d, "outbox", "list", "state=failed") == []


def test_a_message_id_that_a_relay_wrote_anew_is_learned_from_what_came_back(d):
    mail = lead(d)
    name = "<0102018f-1@eu-west-1.amazonses.com>"
    answer = company.mail(sender="c@small.example", subject="Re: Your request", In_Reply_To=name)
    d.ctl("do", "L1", "close", "done")
    returned.n += 1
    d.ingest(with_headers(returned(mail, status="4.4.1", action="delayed"), name))
    d.ingest(answer)
    assert [r["id"] for r in rows(d, "list", "leads")] == ["L1"]  # and no second lead
    # who was not written to learns nothing by it
    d.ingest(company.mail(sender="x@else.example", In_Reply_To=name))
    assert [r["id"] for r in rows(d, "list", "leads")] == ["L2", "L1"]


def complaint(path, message_id):
    return ("Return-Path: <>\r\nFrom: fbl@isp.example\r\nTo: abuse@example.com\r\nSubject: abuse\r\n"
            "Message-ID: <%s.fbl@isp.example>\r\nMIME-Version: 1.0\r\nContent-Type: multipart/report; "
            "report-type=feedback-report; boundary=r\r\n\r\n--r\r\n\r\nabuse\r\n--r\r\n"
            "Content-Type: message/feedback-report\r\n\r\nFeedback-Type: abuse\r\nVersion: 1\r\n"
            "Original-Mail-From: <%s>\r\nOriginal-Rcpt-To: redacted@isp.example\r\n\r\n--r\r\n"
            "Content-Type: text/rfc822-headers\r\n\r\nMessage-ID: %s\r\n\r\n--r--\r\n"
            % (len(path), path, message_id)).encode()


def test_a_complaint_opts_the_contact_out_and_optin_lifts_it(d):
    mail = lead(d)
    d.ingest(complaint("redacted@example.com", str(mail["Message-ID"])))
    assert address(d)["state"] == "opted out" and "complained" in address(d)["reason"]
    assert rows(d, "timers") == []
    d.ctl("do", "C1", "optin")
    assert address(d)["state"] != "opted out"


def test_automatic_answers_and_receipts_are_no_answers(d):
    mail = lead(d)
    before = fields(d, "L1")
    d.ctl("clock", "advance", "1h")
    d.ingest(company.mail(sender="c@small.example", subject="Automatic reply: 40 widgets",
                          text="I am out of the office until 9 March 2026.\n", when=1772441600,
                          Auto_Submitted="auto-replied", In_Reply_To=str(mail["Message-ID"])))
    d.ingest(("From: c@small.example\r\nTo: sales@example.com\r\nSubject: Read: 40 widgets\r\n"
              "Message-ID: <r1@small.example>\r\nMIME-Version: 1.0\r\nContent-Type: multipart/report; "
              "report-type=disposition-notification; boundary=r\r\n\r\n--r\r\n\r\nread\r\n--r\r\n"
              "Content-Type: message/disposition-notification\r\n\r\nFinal-Recipient: rfc822; "
              "c@small.example\r\nOriginal-Message-ID: %s\r\nDisposition: manual-action/"
              "MDN-sent-manually; displayed\r\n\r\n--r--\r\n" % mail["Message-ID"]).encode())
    after = fields(d, "L1")
    for key in ("Last in", "Status"):
        assert after.get(key) == before.get(key), key
    assert len(rows(d, "list", "leads")) == 1
    assert len(rows(d, "timers")) == 1  # still not answered
    assert "2026-03-09" in json.dumps(d.ctl("show", "C1"))
    shown = json.dumps(d.ctl("show", "L1"))
    assert "seen" in shown and "away" in shown
    d.ctl("undo", "L1")


def test_an_invitation_is_a_meeting_that_moves_and_is_called_off(d):
    lead(d)
    d.ingest(invitation())
    (m,) = meetings(d)
    assert m["time"].startswith("2026-03-10T14:00") and m["text"] == "Demo"
    assert "booked" in json.dumps(d.ctl("show", "L1"))
    d.ingest(invitation(sequence=2, start="20260311T090000Z"))
    (m,) = meetings(d)
    assert m["time"].startswith("2026-03-11T09:00")
    d.ingest(invitation(sequence=1, start="20260312T090000Z"))  # older than what is known
    assert meetings(d) == [m]
    d.ingest(invitation("CANCEL", sequence=3, start="20260311T090000Z"))
    (m,) = meetings(d)
    assert m["text"] == "cancelled: Demo"


def test_nobody_moves_or_calls_off_the_meeting_of_somebody_else(d):
    lead(d)
    d.ingest(invitation())
    before = meetings(d)
    d.ingest(invitation("CANCEL", sequence=9, sender="rival@other.example"))
    d.ingest(invitation(sequence=9, start="20260401T140000Z", sender="rival@other.example"))
    assert meetings(d) == before
    assert [a["time"][:10] for a in meetings(d, "L2")] == ["2026-04-01"]


def test_an_answer_to_an_invitation_tells_the_meeting_and_makes_no_lead(d):
    lead(d)
    d.ingest(invitation("REPLY", uid="ours@example.com",
                        extra="ATTENDEE;PARTSTAT=ACCEPTED:mailto:c@small.example\r\n"))
    (m,) = meetings(d)
    assert m["text"] == "Demo (accepted)"
    d.ingest(invitation("REPLY", uid="ours@example.com", sequence=1,
                        extra="ATTENDEE;PARTSTAT=DECLINED:mailto:c@small.example\r\n"))
    assert [m["text"] for m in meetings(d)] == ["Demo (declined)"]
    d.ingest(invitation("REPLY", uid="ours@example.com", sender="room@other.example",
                        extra="ATTENDEE;PARTSTAT=ACCEPTED:mailto:room@other.example\r\n"))
    assert len(rows(d, "list", "leads")) == 1
