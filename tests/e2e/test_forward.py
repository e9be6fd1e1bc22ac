# SPDX-License-Identifier: ISC
"""Forwards and copies of users: who is credited, who is not, and what the user is told."""
import email
import email.utils
import glob
import json
import os
import re

import company
from test_main_job import rows
from test_rep import PROVEN, RECEIVED, answers, start, write

CORPUS = os.path.join(os.environ["srcdir"], "tests/fixtures/corpus/forward")
FORWARD = """%(note)s

---------- Forwarded message ---------
From: Ada Beispiel <ada@shop.example>
Date: Thu, Nov 19, 2026 at 9:00 AM
Subject: 40 widgets
To: Tom Example <tom@example.com>


How much are 40 widgets?
"""
settings = 'trusted_auth = "mx.example.com"; '


def proven(raw, proof=PROVEN):
    return (b"Authentication-Results: " + proof.encode() + b"\n" + RECEIVED if proof else b"") + raw


def passes_on(d, text=None, note="Please have a look", proof=PROVEN, sender="tom@example.com",
              to="sales@example.com", subject="Fwd: 40 widgets", **headers):
    """A user's mail that forwards one of Ada; the number of mails sent until it was filed."""
    had = len(answers(d))
    mark = d.mark()
    write(d, proven(company.mail(sender=sender, to=to, subject=subject,
                                 text=text or FORWARD % {"note": note},
                                 message_id=email.utils.make_msgid(domain="example.com"), **headers),
                    proof))
    d.wait_log("mail.filed", after=mark)
    return had


def told(d, had):
    mails = company.wait_sent(d.dir, had + 1)
    assert len(mails) == had + 1
    m = mails[-1]
    return m["To"], m.get_content()


def timeline(d, record):
    return [(r["kind"], r["direction"], r["text"]) for r in rows(d, "timeline", record)
            if r["kind"] != "command"]


def test_a_proven_forward_is_the_mail_of_who_wrote_it_and_the_user_is_told():
    with start() as d:
        to, text = told(d, passes_on(d))
        assert to == "tom@example.com"
        assert "Ada Beispiel <ada@shop.example>, \"40 widgets\"" in text
        assert "lead L1, which is new" in text
        (lead,) = rows(d, "list", "leads")
        assert lead["subject"] == "40 widgets"
        (contact,) = rows(d, "list", "contacts")
        assert contact["email"] == "ada@shop.example" and contact["name"] == "Ada Beispiel"
        assert timeline(d, "L1") == [("mail", "in", "40 widgets"), ("note", "none", "Please have a look")]
        undo = "\n".join(re.findall(r"#undo J\d+", text))
        had = len(answers(d))
        write(d, proven(company.mail(sender="tom@example.com", subject="Re: Fwd: 40 widgets",
                                     text=undo + "\n", to=answers(d)[-1]["Reply-To"])))
        company.wait_sent(d.dir, had + 1)
        assert rows(d, "list", "leads") == []


def test_a_forward_that_nothing_proves_is_credited_to_nobody():
    with start() as d:
        to, text = told(d, passes_on(d, proof=None))
        assert to == "tom@example.com" and "not proven" in text
        assert rows(d, "list", "leads") == [] and rows(d, "list", "contacts") == []
        had = passes_on(d, proof=None, note="Again")
        d.ctl("clock", "advance", "1m")
        assert len(answers(d)) == had  # once a day


def test_who_wrote_is_not_guessed():
    with start() as d:
        text = "See below.\n\nOn Thu, Ada <ada@shop.example> wrote:\n\n> 40 widgets?\n"
        passes_on(d, text=text, subject="Fwd: 40 widgets")
        assert rows(d, "list", "leads") == []
        told(d, passes_on(d, text=FORWARD.replace("Ada Beispiel <ada@shop.example>", "Ada Beispiel")
                          % {"note": "x"}))
        assert rows(d, "list", "contacts") == []


def test_a_forward_to_a_customer_or_of_a_colleague_makes_no_lead():
    with start() as d:
        passes_on(d, to="bo@big.example, sales@example.com")
        _, text = told(d, passes_on(d, text=FORWARD.replace("ada@shop.example", "eva@example.com")
                                    % {"note": "x"}))
        assert "of your own company" in text or "one of your own" in text
        assert rows(d, "list", "leads") == []


def test_a_forward_of_a_mail_that_is_here_is_that_mail():
    with start() as d:
        original = company.mail(message_id="<ada-9@shop.example>", name="Ada Beispiel")
        write(d, original)
        m = email.message.EmailMessage()
        m["From"], m["To"], m["Subject"] = "tom@example.com", "sales@example.com", "Fwd: 40 widgets"
        m["Message-ID"], m["Date"] = "<f1@example.com>", email.utils.formatdate(0)
        m.set_content("For you\n")
        m.add_attachment(email.message_from_bytes(original, policy=email.policy.default))
        mark = d.mark()
        write(d, proven(m.as_bytes()))
        d.wait_log("mail.filed.*message=M2", after=mark)
        _, text = told(d, 0)
        assert "is here already: it is M1 of lead L1" in text
        assert len(rows(d, "list", "leads")) == 1


def test_a_copy_to_the_dropbox_is_filed_with_everybody_it_went_to():
    with start(settings + 'dropbox_creates = "lead";') as d:
        write(d, company.mail(name="Ada Beispiel"))
        d.wait_log("mail.filed")
        box = d.ctl("address", "dropbox", "tom")["address"]
        assert re.match(r"sales\+drop\.tom\.[a-z2-7]{16}@example\.com$", box)
        mark = d.mark()
        write(d, proven(b"Delivered-To: " + box.encode() + b"\n" + company.mail(
            sender="tom@example.com", subject="Our offer", to="Ada <ada@shop.example>",
            Cc="Bo Big <bo@big.example>, eva@example.com, ida@example.com", text="Here it is\n")))
        d.wait_log("mail.filed", after=mark)
        assert timeline(d, "L1")[-1] == ("mail", "out", "Our offer")
        assert timeline(d, "L2") == [("mail", "out", "Our offer")]
        leads = {r["id"]: r for r in rows(d, "list", "leads")}
        assert leads["L1"]["status"] == "contacted" and leads["L2"]["status"] == "contacted"
        assert {c["email"] for c in rows(d, "list", "contacts")} == {"ada@shop.example", "bo@big.example"}
        assert "Bo Big" in [c["name"] for c in rows(d, "list", "contacts")]
        # who only knows the address makes no lead, to which rules would write
        mark = d.mark()
        write(d, b"Delivered-To: " + box.encode() + b"\n" + company.mail(
            sender="tom@example.com", subject="Our offer", to="cy@third.example"))
        d.wait_log("mail.filed", after=mark)
        assert "cy@third.example" in [c["email"] for c in rows(d, "list", "contacts")]
        assert len(rows(d, "list", "leads")) == 2


def test_a_copy_to_the_dropbox_says_that_a_lead_was_contacted_unless_it_could_be_proven():
    for more, status in (("", "contacted"), (settings, "new")):
        with start(more) as d:
            write(d, company.mail(name="Ada Beispiel"))
            d.wait_log("mail.filed")
            box = d.ctl("address", "dropbox", "tom")["address"]
            mark = d.mark()
            write(d, b"Delivered-To: " + box.encode() + b"\n" + company.mail(
                sender="tom@example.com", subject="Our offer", to="ada@shop.example"))
            d.wait_log("mail.filed", after=mark)
            assert [r["status"] for r in rows(d, "list", "leads")] == [status]


def copies(d, box, n, people, proof=None):
    """A mail of Tom's to so many new people, with a copy to the dropbox."""
    mark = d.mark()
    to = ", ".join("p%d@shop%d.example" % (n * 100 + i, n * 100 + i) for i in range(people))
    write(d, proven(b"Delivered-To: " + box.encode() + b"\n" + company.mail(
        sender="tom@example.com", subject="Offer %d" % n, to=to,
        message_id=email.utils.make_msgid(domain="example.com")), proof))
    d.wait_log("mail.filed", after=mark)
    return len(rows(d, "list", "contacts", "limit=1000"))


def test_what_comes_to_a_dropbox_and_is_nothing_is_told_in_its_thread():
    with start(settings) as d:
        box = d.ctl("address", "dropbox")["address"]
        had = len(answers(d))
        write(d, proven(company.mail(sender="tom@example.com", to=box, subject="WG: etwas",
                                     text="siehe unten\n\n> Von: irgendwem\n", message_id="<w1@example.com>")))
        m = company.wait_sent(d.dir, had + 1)[-1]
        assert "nothing was made of it" in " ".join(m.get_content().split())
        assert m["In-Reply-To"] == "<w1@example.com>" and m["Subject"] == "Re: WG: etwas"
        mark = d.mark()
        write(d, proven(company.mail(sender="tom@example.com", to=box, subject="x",
                                     text="#task tomorrow call\n", message_id="<w2@example.com>")))
        d.wait_log("mail.filed", after=mark)
        assert "Done:" in company.wait_sent(d.dir, 2)[-1].get_content()
        assert len(rows(d, "outbox", "list")) == 2  # the answer tells enough


def test_a_dropbox_that_somebody_got_hold_of_makes_only_so_many_contacts():
    with start(args=["--pretend-time", "2026-11-20T10:00:00Z"]) as d:
        box = d.ctl("address", "dropbox", "tom")["address"]
        assert copies(d, box, 0, 25) == 5
        to, text = told(d, 0)  # and once a day only
        assert to == "tom@example.com"
        assert "made 5\nnew contacts, and 15 of those" in text and "It is M1, with C1." in text
        for n in range(1, 12):
            assert copies(d, box, n, 8) == min(5 + 5 * n, 50)
        full, = [m for m in company.wait_sent(d.dir, 2) if "makes too much" in m["Subject"]]
        assert full["To"] == "mia@example.com" and "leadctl address dropbox tom new" in full.get_content()
        passes_on(d, proof=None, to=box)  # and credits nobody with a forward any more
        assert [c for c in rows(d, "list", "contacts", "limit=99") if c["email"] == "ada@shop.example"] == []
        assert copies(d, box, 12, 25, PROVEN) == 70  # what is proven needs no such bound
        d.ctl("clock", "advance", "25h")
        assert copies(d, box, 13, 1) == 71


def test_a_forward_to_the_dropbox_needs_no_other_proof_until_it_is_renewed():
    with start() as d:
        box = d.ctl("address", "dropbox")["address"]
        told(d, passes_on(d, proof=None, to=box))
        assert len(rows(d, "list", "leads")) == 1
        assert d.ctl("address", "dropbox", "new")["address"] != box
        _, text = told(d, passes_on(d, proof=None, to=box,
                                    text=FORWARD.replace("ada@", "bea@") % {"note": "x"}))
        assert "not proven" in text
        assert len(rows(d, "list", "contacts")) == 1
        # a stranger who has learned the address is a stranger
        passes_on(d, proof=None, sender="mal@evil.example", to=d.ctl("address", "dropbox")["address"])
        assert {c["email"] for c in rows(d, "list", "contacts")} == {"ada@shop.example",
                                                                     "mal@evil.example"}


def test_a_mail_to_the_address_of_a_record_is_a_note_there_for_proven_users_alone():
    with start() as d:
        write(d, company.mail(name="Ada Beispiel"))
        d.wait_log("mail.filed")
        for proof in (None, PROVEN):
            mark = d.mark()
            write(d, proven(company.mail(sender="tom@example.com", subject="Called her", text="Wants 60\n",
                                         to="sales+L1@example.com"), proof))
            d.wait_log("mail.filed", after=mark)
            assert (("note", "none", "Wants 60") in timeline(d, "L1")) == bool(proof)


def rewritten(raw):
    """A corpus mail as if Tom had sent it to us."""
    head, sep, body = raw.replace(b"\r\n", b"\n").partition(b"\n\n")
    lines = re.split(rb"\n(?![ \t])", head)
    drop = (b"from:", b"to:", b"cc:", b"sender:", b"reply-to:", b"in-reply-to:", b"references:",
            b"message-id:", b"return-path:", b"authentication-results:", b"received:", b"delivered-to:")
    lines = [l for l in lines if not l.lower().startswith(drop)]
    own = [b"From: Tom <tom@example.com>", b"To: sales@example.com",
           b"Message-ID: " + email.utils.make_msgid(domain="example.com").encode()]
    return b"\n".join(own + lines) + sep + body


def test_every_forward_of_the_corpus_is_credited_to_its_sender_or_to_nobody():
    n = 0
    with start() as d:
        known = {}
        for path in sorted(glob.glob(CORPUS + "/*.json")):
            with open(path) as f:
                want = json.load(f).get("forward")
            with open(path[:-4] + "eml", "rb") as f:
                raw = f.read()
            mark = d.mark()
            write(d, proven(rewritten(raw)))
            d.wait_log("mail.filed", after=mark)
            sender = (want or {}).get("from") or {}
            address = (sender.get("address") or "").lower()
            sure = want and want.get("confidence") in ("exact", "sure") and address
            if sure and not address.endswith("@example.com"):
                known[address] = os.path.basename(path)
                n += 1
            assert {c["email"] for c in rows(d, "list", "contacts", "limit=500")} == set(known), path
    assert n >= 8


def test_what_somebody_wrote_to_a_dropbox_is_never_answered_to_him():
    """A user's dropbox stands in a copy that a customer got: his commands are held, and also
    when they are released the answer goes to the user."""
    with start() as d:
        passes_on(d)
        box = d.ctl("address", "dropbox", "tom")["address"]
        had = len(answers(d))
        mark = d.mark()
        write(d, company.mail(sender="mal@evil.example", to=box, subject="hello",
                              text="#show L1\n", message_id="<m@evil.example>"))
        d.wait_log("mail.filed", after=mark)
        to, _ = told(d, had)
        assert to == "tom@example.com"
        (held,) = rows(d, "held", "list")
        d.ctl("held", "release", held["held"])
        to, text = told(d, had + 1)
        assert to == "tom@example.com" and "40 widgets" in text
