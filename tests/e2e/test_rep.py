# SPDX-License-Identifier: ISC
"""Commands by mail: what a user writes is run, answered, kept as a note; nobody else's is."""
import email.utils
import itertools
import re

import company
from daemon import Daemon
from test_main_job import rows, wait_rows

RULES = """
lang = 1;
rules : { rest : { on = "lead.created"; do = "assign tom"; }; };
"""
CONF = company.CONF.replace(
    'eva@example.com"; };', 'eva@example.com"; team = "north"; };\n'
    '  zoe : { name = "Zoe Example"; email = "zoe@example.com"; role = "viewer"; };').replace(
    'tom@example.com"; };', 'tom@example.com"; team = "south"; };').replace(
    "mailboxes : {", 'teams : { north : { name = "North"; }; south : { name = "South"; }; };\n'
    'stages : [ "new", "proposal", "negotiation" ];\nmailboxes : {')
SETTINGS = 'trusted_auth = "mx.example.com"; currency = "EUR";'
PROVEN = "mx.example.com; dmarc=pass header.from=example.com"
RECEIVED = (b"Received: from out.example.com (out.example.com [192.0.2.7])\n\tby mx.example.com "
            b"with ESMTPS id 1; Fri, 20 Nov 2026 10:00:00 +0000\n")
numbers = itertools.count(1)


def start(settings=SETTINGS, **more):
    conf = CONF % {"mailboxes": company.MAILDIR_IN, "relays": company.MAILDIR_OUT,
                   "settings": settings}
    return Daemon(conf, company.files(RULES), args=["--pretend-time", "2026-11-20T10:00:00Z"], **more)


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
    return {k: v for k, v in d.ctl("show", record)["fields"]}


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


def test_a_mail_that_is_not_proven_runs_nothing_and_is_filed():
    with start() as d:
        lead(d)
        for proof in (None, "mx.example.com; dmarc=fail header.from=example.com",
                      "evil.example; dmarc=pass header.from=example.com"):
            says(d, "#won 5000\n", proof=proof, answer=False)
        assert shown(d, "L1")["Status"] != "closed" and not rows(d, "list", "deals")
