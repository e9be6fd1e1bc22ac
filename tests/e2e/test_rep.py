# SPDX-License-Identifier: ISC
"""Commands by mail: what a user writes is run, answered, kept as a note; nobody else's is."""
import email
import email.policy
import email.utils
import itertools
import os
import re
import time

import company
import test_conversation as conversations
from daemon import Daemon
from dovecot import Dovecot
from peers import SmtpPeer
from test_main_job import rows, wait_rows

RULES = """
lang = 1;
rules : { rest : { on = "lead.created"; do = "assign tom"; }; };
"""
CONF = company.CONF.replace(
    'eva@example.com"; };', 'eva@example.com"; team = "north"; };\n'
    '  zoe : { name = "Zoe Example"; email = "zoe@example.com"; role = "viewer"; };').replace(
    'tom@example.com"; };', 'tom@example.com"; team = "south"; };').replace(
    'employees : { type = "int"; }', 'employees : { type = "int"; label = "Number of employees"; }').replace(
    "mailboxes : {", 'teams : { north : { name = "North"; }; south : { name = "South"; }; };\n'
    'stages : [ "new", "proposal", "negotiation" ];\nmailboxes : {')
SETTINGS = 'trusted_auth = "mx.example.com"; currency = "EUR";'
PROVEN = "mx.example.com; dmarc=pass header.from=example.com"
RECEIVED = (b"Received: from out.example.com (out.example.com [192.0.2.7])\n\tby mx.example.com "
            b"with ESMTPS id 1; Fri, 20 Nov 2026 10:00:00 +0000\n")
EMPLOYEES = "Number of employees"
numbers = itertools.count(1)


def start(settings=SETTINGS, args=("--pretend-time", "2026-11-20T10:00:00Z"), **more):
    conf = CONF % {"mailboxes": company.MAILDIR_IN, "relays": company.MAILDIR_OUT,
                   "settings": settings}
    return Daemon(conf, company.files(RULES), args=args, **more)


def lead(d, subject="40 widgets"):
    """L1, of tom."""
    write(d, company.mail(subject=subject, name="Ada Beispiel", message_id="<ada-1@shop.example>"))
    wait_rows(d, 1, "list", "leads")


def write(d, raw):
    company.deliver(d.dir + "/inbox", "m%04d" % next(numbers), raw)


def says(d, text, sender="tom@example.com", subject="Re: 40 widgets", proof=PROVEN, answer=True,
         in_reply_to="<ada-1@shop.example>", to="sales@example.com, ada@shop.example", **headers):
    """A user's mail; the answer that comes of it, as a message."""
    had = len(answers(d))
    more = dict(headers)
    if in_reply_to:
        more["In_Reply_To"] = in_reply_to
    raw = company.mail(sender=sender, subject=subject, text=text, to=to,
                       message_id=email.utils.make_msgid(domain="example.com"), **more)
    if proof:
        raw = b"Authentication-Results: " + proof.encode() + b"\n" + RECEIVED + raw
    mark = d.mark()
    write(d, raw)
    d.wait_log("mail.filed", after=mark)
    if not answer:
        return None
    wait_rows(d, had + 1, "outbox", "list", "state=sent")
    return answers(d)[-1]


def answers(d):
    return company.sent(d.dir)


def shown(d, record):
    return dict(d.ctl("show", record)["fields"])


def body(m):
    return m.get_content()


def test_commands_are_done_and_the_answer_tells_each():
    with start() as d:
        lead(d)
        m = says(d, "#stage negotiation\n#tag hot\n#task fri 10:00 call back\n#stgae new\n#won 5.000.\n")
        text = body(m)
        assert "stage negotiation" in text and "D1 is won for" in text and "5000" in text.replace(",", "")
        assert "no command 'stgae'; did you mean #stage?" in text
        assert "T1 for tom, due 2026-11-27 10:00" in text or "T1 for tom, due 2026-11-20" in text
        deal = shown(d, "D1")
        assert deal["Stage"] == "negotiation" and deal["Status"] == "won" and "5000" in deal["Amount"]
        assert shown(d, "L1")["Tags"] == ["hot"]
        assert m["In-Reply-To"] and m["References"].endswith(m["In-Reply-To"])
        assert m["Auto-Submitted"] == "auto-replied" and m["Return-Path"] == "<>"
        assert "note.L1." in m["Reply-To"] and m["To"] == "tom@example.com"
        assert m["Subject"] == "Re: 40 widgets"


def test_undo_by_reply_takes_all_of_it_back():
    with start() as d:
        lead(d)
        m = says(d, "#tag hot\n#won 5000\n")
        assert re.search(r"reply with #undo within a day; one of them: #undo J\d+", body(m))
        m = says(d, "#undo\n", in_reply_to=m["Message-ID"], subject="Re: Re: 40 widgets",
                 to=m["Reply-To"])
        assert body(m).count("is taken back") == 2
        lead1 = shown(d, "L1")
        assert lead1["Status"] != "closed" and not lead1.get("Tags")


def test_an_answer_that_only_tells_something_is_of_the_record_too():
    with start() as d:
        lead(d)
        m = says(d, "#why\n#help won\n")
        assert "note.L1." in m["Reply-To"]
        assert "(10-rules.conf:" in body(m) and d.dir not in body(m)
        says(d, "we spoke\n", to=m["Reply-To"], in_reply_to=m["Message-ID"], answer=False)
        assert [r["text"] for r in rows(d, "timeline", "L1") if r["kind"] == "note"] == ["we spoke"]


def test_a_mail_that_is_not_proven_runs_nothing_and_is_filed():
    with start() as d:
        lead(d)
        for proof in (None, "mx.example.com; dmarc=fail header.from=example.com",
                      "evil.example; dmarc=pass header.from=example.com"):
            says(d, "#won 5000\n", proof=proof, answer=False)
        assert shown(d, "L1")["Status"] != "closed" and not rows(d, "list", "deals")


def test_people_and_stages_are_called_as_people_write_them():
    with start() as d:
        lead(d)
        text = body(says(d, "#assign Eva\n#Stage Negotiation\n#assign nobody at all\n"))
        assert "L1 is assigned to eva" in text and "D1 is at stage negotiation" in text
        assert "no user 'nobody'" in text


def test_each_line_stands_alone_and_says_what_would_be_valid():
    with start() as d:
        lead(d)
        text = body(says(d, "#stage nogotiation\n#won L1 5000\n#task 31.2. x\n#tag ok\n"))
        assert "no stage 'nogotiation'; did you mean 'negotiation'?" in text
        assert "write: #L1 won 5000" in text and "is no date" in text
        assert shown(d, "L1")["Tags"] == ["ok"]
        assert "#help lists the commands" in text


def test_words_beside_commands_become_a_note_and_a_note_ends_with_its_paragraph():
    with start() as d:
        lead(d)
        m = says(d, "#tag hot\n")
        says(d, "#note he called\nand wants two hundred\n\nI will ask him again on Friday.\n",
             to=m["Reply-To"], in_reply_to=m["Message-ID"])
        notes = [r["text"] for r in rows(d, "timeline", "L1") if r["kind"] == "note"]
        assert notes == ["he called\nand wants two hundred", "I will ask him again on Friday."]


def test_words_that_the_customer_has_are_no_note():
    with start() as d:
        lead(d)
        says(d, "Dear Ada, here is the offer.\n\n#stage proposal\n")
        assert not [r for r in rows(d, "timeline", "L1") if r["kind"] == "note"]


def test_a_lead_is_made_of_what_somebody_said_on_the_phone():
    with start() as d:
        text = body(says(d, "#lead name=Jo Doe phone=0660 1234567 email=jo@pump.example company=Pump Ltd "
                         "employees=50 about=two pumps\n", in_reply_to=None, subject="a call",
                         to="sales@example.com"))
        assert "L1 is new, of C1" in text
        got = shown(d, "L1")
        assert got["Subject"] == "two pumps" and got[EMPLOYEES] == 50 and got["Owner"] == "tom"
        c = shown(d, "C1")
        assert c["Name"] == "Jo Doe" and c["Phone"] == "+436601234567" and c["Email"] == "jo@pump.example"
        text = body(says(d, "#L1 lead phone=0660 7654321\n#L1 lead nonsense\n", in_reply_to=None,
                         subject="more", to="sales@example.com"))
        assert "L1 is up to date" in text and "expected NAME=VALUE" in text
        assert shown(d, "C1")["Phone"] == "+436607654321"


def test_the_subject_commands_where_it_answers_nothing():
    with start() as d:
        lead(d)
        text = body(says(d, "", subject="#L1 Won 5.000", in_reply_to=None, to="sales@example.com"))
        assert "D1 is won for" in text
        says(d, "thanks\n", subject="Re: #L1 reopen", in_reply_to=None, to="sales@example.com",
             answer=False)
        assert shown(d, "L1")["Status"] == "closed"


def test_snooze_moves_the_own_tasks_or_makes_one():
    with start() as d:
        lead(d)
        text = body(says(d, "#snooze 2d\n#task tomorrow call\n#snooze next monday.\n"))
        assert "T1 brings it back 2026-11-22 11:00" in text
        assert "2 tasks of L1 are due 2026-11-23 09:00" in text
        assert {r["due"][:10] for r in rows(d, "list", "tasks")} == {"2026-11-23"}


def test_a_mail_full_of_finds_is_answered_for_the_first_three():
    with start() as d:
        lead(d)
        text = body(says(d, "#find widgets\n\n" * 5))
        assert text.count("40 widgets") == 3 and text.count("only the first 3 #find") == 2


def test_find_show_why_and_help_tell_what_he_may_see():
    with start() as d:
        lead(d)
        text = body(says(d, "#find widgets\n#show\n#why L1\n#help won\n"))
        assert "L1" in text and "40 widgets" in text and "ada@shop.example" in text
        assert "for example: #won 5.000,50 EUR" in text
        # L1 is tom's, of the team south; eva is of north, zoe may look at all
        text = body(says(d, "#find widgets\n#show L1\n#L1 won 1\n#find ada@shop.example\n#why L1\n", sender="eva@example.com",
                         in_reply_to=None, subject="look", to="sales@example.com"))
        assert "40 widgets" not in text and text.count("nothing found") == 2
        assert text.count("there is no L1 that you may see") == 3
        text = body(says(d, "#show L1\n#L1 won 1\n", sender="zoe@example.com", in_reply_to=None,
                         subject="look", to="sales@example.com"))
        assert "40 widgets" in text and "user zoe may not use won" in text
        assert not rows(d, "list", "deals")


def test_undo_takes_nothing_back_that_he_may_not_see():
    with start() as d:
        lead(d)
        done = body(says(d, "#set lead.employees 50\n"))
        row = re.search(r"J\d+", done).group(0)
        text = body(says(d, "#undo %s\n" % row, sender="eva@example.com", in_reply_to=None,
                         subject="look", to="sales@example.com"))
        assert "there is no such entry" in text and "50" not in text
        assert [EMPLOYEES, 50] in d.ctl("show", "L1")["fields"]


def test_undo_refuses_what_somebody_changed_since_and_names_it():
    with start() as d:
        lead(d)
        m = says(d, "#set lead.employees 50\n")
        d.ctl("do", "L1", "set", "lead.employees", "60")
        text = body(says(d, "#undo\n", in_reply_to=m["Message-ID"], to=m["Reply-To"]))
        assert re.search(r"cannot take J\d+ back: .*employees of L1 was changed later by J\d+", text)
        assert shown(d, "L1")[EMPLOYEES] == 60


def test_undo_works_for_a_day():
    with start() as d:
        lead(d)
        m = says(d, "#tag hot\n")
        d.ctl("clock", "advance", "25h")
        text = body(says(d, "#undo\n", in_reply_to=m["Message-ID"], to=m["Reply-To"]))
        assert "is more than a day old" in text and shown(d, "L1")["Tags"] == ["hot"]


def test_undo_without_a_number_takes_back_nobody_elses_work():
    with start() as d:
        lead(d)
        says(d, "#tag hot\n")
        says(d, "#tag cold\n", sender="mia@example.com")
        text = body(says(d, "#undo\n"))
        assert "tag hot" in text and shown(d, "L1")["Tags"] == ["cold"]


def test_quoted_forwarded_and_automatic_commands_are_none():
    with start() as d:
        lead(d)
        quoted = "ok\n\nOn Fri, 20 Nov 2026 at 10:00, Ada <ada@shop.example> wrote:\n> #won 1\n> x\n"
        forward = "see below\n\n---------- Forwarded message ---------\nFrom: Ada <ada@shop.example>\n" \
                  "Date: Fri, 20 Nov 2026\nSubject: x\nTo: sales@example.com\n\n#won 2\n"
        signed = "ok\n-- \n#won 3\n"
        for text in (quoted, forward, signed):
            says(d, text, answer=False)
        says(d, "#won 4\n", answer=False, Auto_Submitted="auto-replied")
        assert shown(d, "L1")["Status"] != "closed" and not rows(d, "list", "deals")


def test_an_old_mail_commands_nothing():
    """A mailbox read from its beginning brings the commands of years."""
    with start(args=()) as d:
        lead(d)
        came = time.time() - 3 * 86400
        raw = b"Authentication-Results: " + PROVEN.encode() + b"\n" + RECEIVED + company.mail(
            sender="tom@example.com", subject="Re: 40 widgets", text="#won 1\n",
            In_Reply_To="<ada-1@shop.example>", to="sales@example.com, ada@shop.example",
            message_id="<old@example.com>")
        path = os.path.join(d.dir, "inbox", "tmp", "old1")
        with open(path, "wb") as f:
            f.write(raw)
        os.utime(path, (came, came))
        os.rename(path, os.path.join(d.dir, "inbox", "new", "old1"))
        d.wait_log("message=M2 ")
        assert not rows(d, "list", "deals")


def test_the_same_mail_in_two_mailboxes_commands_once():
    with start() as d:
        lead(d)
        raw = b"Authentication-Results: " + PROVEN.encode() + b"\n" + RECEIVED + company.mail(
            sender="tom@example.com", text="#score +10\n", In_Reply_To="<ada-1@shop.example>",
            to="sales@example.com, ada@shop.example", message_id="<twice@example.com>")
        write(d, raw)
        wait_rows(d, 1, "outbox", "list", "state=sent")
        write(d, raw)
        d.wait_log("mail.same")
        assert shown(d, "L1")["Score"] == 10
        assert len(answers(d)) == 1


# ---- in a conversation with the customer ----

def test_an_answer_to_the_customer_leaves_without_its_commands():
    with conversations.World() as w:
        m = conversations.opened(w)
        w.rep(**conversations.answer(m, "#score +10\n#note pays late\nso be careful\n\n"
                                        "Blue costs nothing more.\n\n#tag blue\n"))
        out = w.sent("ada@shop.example")[-1]
        assert out.get_content() == "Blue costs nothing more.\n"
        assert "careful" not in out.as_string() and "score" not in out.as_string()
        told = w.sent("tom@example.com")[-1].get_content()
        assert "L1 has the score 10" in told and "L1 is tagged blue" in told
        assert shown(w.d, "L1")["Tags"] == ["blue"]


def test_commands_alone_and_a_greeting_around_them_are_never_relayed():
    with conversations.World() as w:
        m = conversations.opened(w)
        before = len(w.sent("ada@shop.example"))
        for text in ("#score +10\n", "Hi,\n#score +10\nThanks\nTom\n"):
            had = len(w.sent("tom@example.com"))
            w.rep(**conversations.answer(m, text))
            assert len(w.sent("tom@example.com")) == had + 1
        assert len(w.sent("ada@shop.example")) == before and shown(w.d, "L1")["Score"] == 20


def test_what_may_be_a_command_keeps_all_of_the_mail_inside():
    with conversations.World() as w:
        m = conversations.opened(w)
        before = len(w.sent("ada@shop.example"))
        for text in ("#wno 5000\n\nBlue costs nothing more.\n", "Blue it is. #won 5000\n",
                     "# Internal\n\nthey pay late\n"):
            w.rep(**conversations.answer(m, text))
            assert "may be among them, or was not understood" in w.sent("tom@example.com")[-1].get_content() or \
                   "may be among them, or was not understood" in w.sent("tom@example.com")[-2].get_content()
        assert len(w.sent("ada@shop.example")) == before
        assert not rows(w.d, "list", "deals")


# ---- with a real Dovecot and SMTP ----

def test_from_an_imap_inbox_to_the_answer_by_smtp():
    with Dovecot() as server, SmtpPeer() as sink:
        server.add_user("rep", "secret")
        conf = CONF % {"mailboxes": company.imap(server, "rep"), "relays": company.smtp(sink.port),
                       "settings": SETTINGS}
        with Daemon(conf, company.files(RULES)) as d:
            d.wait_log("mailbox.state mailbox=sales state=idle")
            server.deliver("rep", company.mail(message_id="<ada-1@shop.example>"))
            wait_rows(d, 1, "list", "leads")
            server.deliver("rep", b"Authentication-Results: " + PROVEN.encode() + b"\n" + RECEIVED +
                           company.mail(sender="tom@example.com", text="#won 5.000\n#stgae x\n",
                                        to="sales@example.com, ada@shop.example"))
            wait_rows(d, 1, "outbox", "list", "state=sent")
            assert [r["status"] for r in rows(d, "list", "deals")] == ["won"]
        (mail,) = sink.mails
        assert mail.sender == "" and mail.recipient == "tom@example.com"
        text = email.message_from_bytes(mail.data, policy=email.policy.default)
        assert "did you mean #stage?" in text.get_content()


def test_a_plus_address_says_the_same():
    with start() as d:
        lead(d)
        text = body(says(d, "about the blue ones\n", subject="Call Ada", in_reply_to=None,
                         to="sales+task-tomorrow@example.com"))
        assert "T1 for tom, due 2026-11-21 09:00" in text
        assert [r["title"] for r in rows(d, "list", "tasks")] == ["Call Ada"]
        text = body(says(d, "#tag hot\n", subject="x", in_reply_to=None, to="sales+L1@example.com"))
        assert "L1 is tagged hot" in text
        says(d, "he is in a hurry\n", subject="y", in_reply_to=None, to="sales+L1@example.com",
             answer=False)
        assert [r["text"] for r in rows(d, "timeline", "L1") if r["kind"] == "note"] == ["he is in a hurry"]
