# SPDX-License-Identifier: ISC
"""SMS that comes in: threads by number pair, STOP, commands and conversations, with a scripted
gateway that speaks as Kannel does."""
import contextlib
import email.utils
import http.client
import itertools
import os
import re
import urllib.parse

import pytest

import company
from daemon import Daemon, until
from httppeer import SmsGatewayPeer
from roles import SRC
from test_main_job import rows, wait_rows

ADA, BOB = "+436601112233", "+436607778899"
TOM, EVA = "+436641000001", "+436641000002"
OURS = "+43660123456"
PROVEN = "mx.example.com; spf=pass smtp.mailfrom=example.com; dmarc=pass header.from=example.com"
RECEIVED = b"Received: from mail.example.com by mx.example.com; Fri, 20 Nov 2026 10:00:00 +0000\n"
numbers = itertools.count(1)

USERS = """users : {
  mia : { name = "Mia Example"; email = "mia@example.com"; role = "admin"; };
  tom : { name = "Tom Example"; email = "tom@example.com"; phone = "+436641000001";
          pin_file = "@DIR@/tom.pin"; };
  eva : { name = "Eva Example"; email = "eva@example.com"; phone = "+436641000002"; prefers = "sms"; };
};
"""
RULES = """
lang = 1;
rules : {
  vip : { first = "assignment"; on = "lead.created"; when = "message.text contains 'eva'";
          do = "assign eva"; };
  rest : { first = "assignment"; on = "lead.created"; do = "assign tom"; };
%s
};
"""


def conf(peer, settings=""):
    text = company.conf(settings="""
        presets_dir = "%s"; admin = "ops@example.com"; trusted_auth = "mx.example.com";
        %s
        gateways : { main : { preset = "kannel"; url = "http://127.0.0.1:%d"; number = "%s";
                              user = "crm"; secret_file = "@DIR@/sms.secret";
                              verify : { scheme = "none"; }; }; };
        """ % (os.path.join(os.path.abspath(SRC), "contrib"), settings, peer.port, OURS))
    start, end = text.index("users : {"), text.index("mailboxes : {")
    return text[:start] + USERS + text[end:]


@contextlib.contextmanager
def texting(settings="", rules="", script=(), more=(), args=("--pretend-time", "2026-11-20T10:00:00Z")):
    with SmsGatewayPeer(script) as peer:
        files = company.files(RULES % rules)
        files.update({"sms.secret": "crm\n", "tom.pin": "1234\n",
                      "templates/thanks.sms.txt": "Thank you, {{owner.name}} calls you.\n"})
        files.update(more)
        with Daemon(conf(peer, settings), files, args=args) as d:
            d.peer = peer
            yield d


def text(d, sender, words, id_=None, **more):
    """A text comes in at the gateway; the answer's status."""
    q = {"from": sender, "to": OURS, "text": words, "id": id_ or "in-%d" % next(numbers)}
    q.update(more)
    c = http.client.HTTPConnection("127.0.0.1", d.port("web-in"), timeout=120)
    with contextlib.closing(c):
        c.request("GET", "/sms/main?" + urllib.parse.urlencode(q))
        return c.getresponse().status


def sent(d, to, n=1):
    """The words of the texts that left for this number, when there are so many."""
    return until(lambda: (lambda w: w if len(w) >= n else None)(
        [m.text for m in d.peer.messages if m.to == to]), why="%d texts to %s" % (n, to))


def ask(d, sender, words):
    """What one of ours is answered."""
    had = len([m for m in d.peer.messages if m.to == sender])
    assert text(d, sender, words) == 200
    return sent(d, sender, had + 1)[had]


def lead(d, sender=ADA, words="How much are 40 widgets?"):
    assert text(d, sender, words) == 200
    return rows(d, "list", "leads")[0]


def shown(d, record):
    return dict(d.ctl("show", record)["fields"])


def mails(d, n):
    company.wait_sent(d.dir, n)
    return company.sent(d.dir)


def pin_line(d, pin):
    r = d.leadctl("pin", input=pin.encode() + b"\n")
    assert r.returncode == 0, r.stderr
    return r.stdout.decode()


def test_a_pin_is_kept_as_a_hash():
    with texting() as d:
        assert "the PIN stands there as it is; put the line in its place that leadctl pin makes" in d.log()
        line = pin_line(d, "4711")
        assert line.startswith("$") and "4711" not in line and line != pin_line(d, "4711")  # salted
        for bad in ("123", "123456789", "12a4", ""):
            r = d.leadctl("pin", input=bad.encode() + b"\n")
            assert r.returncode == 65 and b"4 to 8 digits" in r.stderr
        lead(d)
        d.write("tom.pin", line)
        mark = d.mark()
        d.reload()
        d.wait_log("role.ready role=engine", after=mark)
        assert "wrong" in ask(d, TOM, "1234 tag L1 cold").lower()
        assert "hot" not in str(d.ctl("show", "L1"))
        ask(d, TOM, "4711 tag L1 hot")
        assert "hot" in str(d.ctl("show", "L1")) and "cold" not in str(d.ctl("show", "L1"))
        assert "stands there as it is" not in d.log()[d.log().rindex("reload"):]


# ---- in ----------------------------------------------------------------------------------------

def test_a_text_makes_a_lead_and_the_next_one_is_in_its_thread():
    with texting() as d:
        got = lead(d)
        assert got["owner"] == "tom" and shown(d, "L1")["Subject"] == "How much are 40 widgets?"
        assert shown(d, "C1")["Phone"] == ADA or ADA in str(d.ctl("show", "C1"))
        assert text(d, "0660 1112233", "And how long does it take?") == 200  # as dialled at home
        assert text(d, "436601112233", "Hello?") == 200                      # without its +
        assert len(rows(d, "list", "leads")) == 1
        assert [r["kind"] for r in rows(d, "timeline", "L1")].count("sms") == 3


def test_the_same_text_twice_is_one():
    with texting() as d:
        assert text(d, ADA, "40 widgets, please", id_="x-1") == 200
        assert text(d, ADA, "40 widgets, please", id_="x-1") == 200
        assert len([r for r in rows(d, "timeline", "L1") if r["kind"] == "sms"]) == 1


def test_parts_are_put_together_in_order_and_a_gap_is_named():
    with SmsGatewayPeer() as peer:
        files = company.files(RULES % "")
        files.update({"sms.secret": "crm\n", "tom.pin": "1234\n"})
        c = conf(peer).replace('verify : { scheme = "none"; };',
                               'verify : { scheme = "none"; }; inbound : { ref = "ref"; part = "part"; '
                               'total = "total"; };')
        with Daemon(c, files, args=("--pretend-time", "2026-11-20T10:00:00Z")) as d:
            d.peer = peer
            for part, words in ((3, "gamma"), (1, "alpha "), (2, "beta ")):
                assert not rows(d, "list", "leads")
                assert text(d, ADA, words, ref="77", part=part, total=3) == 200
            assert "alpha beta gamma" in str(d.ctl("show", "M1"))
            assert text(d, BOB, "the end", ref="78", part=2, total=2) == 200
            assert len(rows(d, "list", "leads")) == 1
            d.ctl("clock", "advance", "6m")
            wait_rows(d, 2, "list", "leads")
            assert "[part 1 of 2 is missing]the end" in str(d.ctl("show", "M2"))
            assert "never came" in d.ctl("why", "L2")["text"]


# ---- STOP --------------------------------------------------------------------------------------

def consent(d, who):
    (section,) = d.ctl("consent", "show", who)["sections"]
    return [(r["consent"], r["source"], r["words"], r["proof"]) for r in section["rows"]]


def test_a_stop_is_confirmed_once_and_nothing_follows_it():
    rule = """  thanks : { on = "message.received"; when = "message.channel == 'sms'";
                         do = "send sms using thanks"; };"""
    with texting(rules=rule) as d:
        lead(d)
        d.ctl("clock", "advance", "10m")
        assert sent(d, ADA)[0].startswith("Thank you")
        assert text(d, ADA, "Arrêt !") == 200
        assert "plus de SMS" in sent(d, ADA, 2)[1]
        assert consent(d, ADA)[0] == ("withdrawn", "sms main", "Arrêt !", "M2")
        assert text(d, ADA, "STOP") == 200 and text(d, ADA, "stop, I said") == 200
        d.ctl("clock", "advance", "2h")
        assert len(sent(d, ADA)) == 2  # neither rules nor a second confirmation
        assert "opted out" in d.ctl("why", "L1")["text"]
        assert text(d, ADA, "START") == 200
        until(lambda: [w for w in sent(d, ADA, 3)[2:] if "again" in w], why="the answer to START")
        assert consent(d, ADA)[0][0] == "granted"
        assert len(rows(d, "list", "leads")) == 1


def test_a_text_that_waits_is_not_sent_after_a_stop():
    rule = '  thanks : { on = "lead.created"; do = "send sms using thanks"; };'
    with texting(settings='undo_window = "1h";', rules=rule) as d:
        lead(d)
        assert text(d, ADA, "STOP") == 200
        assert len(sent(d, ADA)) == 1
        d.ctl("clock", "advance", "2h")
        failed = [r for r in rows(d, "outbox", "list") if r["state"] == "failed"]
        assert "opted out" in failed[0]["reply"] and len(d.peer.messages) == 1


def test_who_only_says_stop_makes_no_lead():
    with texting() as d:
        assert text(d, BOB, "STOP") == 200
        assert "no more texts" in sent(d, BOB)[0]
        assert rows(d, "list", "leads") == []
        assert consent(d, BOB)[0][0] == "withdrawn"


def test_help_is_answered_and_a_stop_in_a_sentence_is_told():
    with texting() as d:
        lead(d)
        assert text(d, ADA, "HELP") == 200
        assert "Example Widgets" in sent(d, ADA)[0]
        assert text(d, ADA, "Can we stop by tomorrow?") == 200
        (m,) = mails(d, 1)
        assert "Can we stop by tomorrow?" in m.get_content()
        assert "Within a sentence it ends nothing" in m.get_content()
        assert d.ctl("consent", "show", ADA)["fields"][0][1] == "nothing was said"


def test_a_follow_up_waits_for_the_morning_where_the_number_is():
    rule = '  thanks : { on = "lead.created"; do = "send sms using thanks"; };'
    form = {"email": "ada@shop.example", "phone": ADA}
    from test_main_job import post
    with texting(rules=rule, args=("--pretend-time", "2026-11-20T21:30:00Z")) as d:
        post(d, form)
        d.ctl("clock", "advance", "9h")  # 7:30 in Vienna
        assert not d.peer.messages
        d.ctl("clock", "advance", "40m")
        assert len(sent(d, ADA)) == 1


FLOWS = """
  price : { first = "sms-answer"; on = "message.received";
            when = [ "message.channel == 'sms'", "message.text contains 'price'" ];
            do = "send sms using prices"; };
  away  : { first = "sms-answer"; on = "message.received"; cooldown = "12h";
            when = [ "message.channel == 'sms'", "not our.open" ]; do = "send sms using closed"; };
"""
CALENDAR = 'lang = 1;\ncalendars : { office : { hours = "Mon-Fri 09:00-17:00"; }; };\n'


def test_rules_answer_key_words_and_out_of_office_hours():
    more = {"templates/prices.sms.txt": "A widget is 4 EUR.\n",
            "templates/closed.sms.txt": "We are here again at 9:00.\n",
            "rules.d/05-calendar.conf": CALENDAR}
    with texting('calendar = "office"; ', FLOWS, more=more) as d:
        lead(d)                                        # 11:00 on a Friday: a person answers
        text(d, ADA, "What is the price of one?")
        d.ctl("clock", "advance", "5m")
        assert sent(d, ADA) == ["A widget is 4 EUR."]
        d.ctl("clock", "advance", "9h")                # evening: who just texted may be answered
        text(d, ADA, "Are you there?")
        text(d, ADA, "Hello?")
        d.ctl("clock", "advance", "5m")
        assert sent(d, ADA, 2)[1:] == ["We are here again at 9:00."]


# ---- commands ------------------------------------------------------------------------------------

def test_a_number_alone_notes_and_asks_and_nothing_else():
    with texting() as d:
        lead(d)
        assert "40 widgets" in ask(d, TOM, "show L1")
        assert "note" in ask(d, TOM, "note L1 she wants them blue")
        assert "blue" in str(rows(d, "timeline", "L1"))
        code = ask(d, TOM, "won L1 5000")
        assert re.match(r"Reply \d{4} within 10 minutes to do: won L1 5000", code)
        assert shown(d, "L1")["Status"] == "new"
        assert "won" in ask(d, TOM, code.split()[1])
        assert shown(d, "L1")["Status"] == "closed"
        assert "Wrong" in ask(d, TOM, code.split()[1])  # once


def test_a_pin_commands_and_a_wrong_one_is_counted():
    with texting() as d:
        lead(d)
        assert "hot" in ask(d, TOM, "1234 tag L1 hot")
        assert "hot" in str(shown(d, "L1")["Tags"])
        assert "J" in ask(d, TOM, "1234 L1 undo")
        assert "hot" not in str(shown(d, "L1").get("Tags"))
        for n in range(5):
            assert "Wrong" in ask(d, TOM, "%d tag L1 cold" % (5550 + n))
        assert "No PIN" in ask(d, TOM, "1234 tag L1 cold")
        assert "cold" not in str(shown(d, "L1").get("Tags"))
        told = [m for m in mails(d, 1) if "wrong PINs" in m["Subject"]]
        assert len(told) == 1
        d.ctl("clock", "advance", "2h")
        assert "cold" in ask(d, TOM, "1234 tag L1 cold")


def test_a_code_is_good_for_ten_minutes_and_for_its_user_alone():
    with texting() as d:
        lead(d)
        code = ask(d, TOM, "tag L1 hot").split()[1]
        ask(d, EVA, code)
        assert "hot" not in str(shown(d, "L1").get("Tags"))
        d.ctl("clock", "advance", "11m")
        assert "Wrong" in ask(d, TOM, code)
        assert "hot" not in str(shown(d, "L1").get("Tags"))


def test_a_long_answer_goes_on_with_more():
    with texting() as d:
        lead(d)
        first = ask(d, TOM, "why L1")
        assert first.endswith("(more)") and len(first) <= 306
        assert ask(d, TOM, "more") != first


# ---- conversations -------------------------------------------------------------------------------

def by_mail(d, m, words):
    """Tom's answer to this mail, as his server hands it over."""
    raw = company.mail(sender="tom@example.com", subject="Re: " + m["Subject"],
                       to=str(m["Reply-To"]), in_reply_to=m["Message-ID"],
                       message_id=email.utils.make_msgid(domain="example.com"), text=words)
    raw = b"Authentication-Results: " + PROVEN.encode() + b"\n" + RECEIVED + raw
    company.deliver(d.dir + "/inbox", "tom-1", raw)


def test_the_owner_answers_by_mail_and_the_contact_gets_a_text():
    with texting() as d:
        lead(d)
        assert text(d, ADA, "Is Friday fine?") == 200
        (m,) = mails(d, 1)
        assert m["To"] == "Tom Example <tom@example.com>" and "Is Friday fine?" in m.get_content()
        by_mail(d, m, "Friday is fine.\n\n#note she is in a hurry\n\n-- \nTom\n")
        assert sent(d, ADA) == ["Friday is fine."]
        assert "hurry" in str(rows(d, "timeline", "L1"))
        assert [m.sender for m in d.peer.messages] == [OURS]


def test_the_owner_hears_of_an_answer_that_waits_and_does_not_leave_after_a_stop():
    quiet = 'sms : { quiet_hours = "10:00-12:00"; quiet_for = [ "relay" ]; quiet_after = "0s"; };'
    with texting(quiet) as d:
        lead(d)
        assert text(d, ADA, "Is Friday fine?") == 200
        (m,) = mails(d, 1)
        d.ctl("clock", "advance", "5m")  # who has texted this very moment is awake
        by_mail(d, m, "Friday is fine.\n")
        until(lambda: [r for r in rows(d, "outbox", "list") if r["to"] == ADA], why="a text that waits")
        assert text(d, ADA, "STOP") == 200
        d.ctl("clock", "advance", "2h")
        told = until(lambda: [x.get_content() for x in company.sent(d.dir) if x["Subject"].startswith("Not sent:")],
                     why="word to its writer")
        assert "not delivered to %s: not sent: the number has opted out" % ADA in told[0]
        assert "Friday is fine." in told[0]
        assert "Friday is fine." not in [x.text for x in d.peer.messages]


def test_the_owner_answers_by_sms_with_the_code_and_never_without():
    with texting() as d:
        lead(d, words="eva, how much are 40 widgets?")
        assert text(d, ADA, "Is Friday fine?") == 200
        told = sent(d, EVA)[0]
        code = re.search(r"To answer: (\d{4})", told).group(1)
        assert told.startswith("L1 ") and "Is Friday fine?" in told and not company.sent(d.dir)
        assert "Sent" in ask(d, EVA, code + " Friday is fine, 10 o'clock.")
        assert sent(d, ADA) == ["Friday is fine, 10 o'clock."]
        # words alone are a note, and "L1:" needs a proof
        assert "note" in ask(d, EVA, "she sounded angry")
        asked = ask(d, EVA, "L1: see you there")
        assert asked.startswith("Reply ") and len(sent(d, ADA)) == 1
        ask(d, EVA, asked.split()[1])
        assert sent(d, ADA, 2)[1] == "see you there"
        assert all(EVA not in w and "angry" not in w for w in sent(d, ADA))
