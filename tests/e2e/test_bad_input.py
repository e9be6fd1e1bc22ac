# SPDX-License-Identifier: ISC
"""Bad input through the whole daemon: filed with its defects named, ignored with a
reason, or quarantined with one. Never a crash, never silence.

All mails of MAILS go into one Maildir of one daemon at once; each test looks at
what became of one. The last tests look at the whole: pids, reconcile, what left,
and what a terminal is shown.
"""
import base64
import email
import email.policy
import http.client
import json
import os
import random
import re
import time

import pytest

import company
from daemon import CtlError, Daemon, until
from dovecot import Dovecot

OVER = 256 * 1024  # mail_size of the mailbox "small"
HEAD = (b"From: Ada <ada.%b@shop.example>\r\nTo: sales@example.com\r\nDate: %b\r\n"
        b"Message-ID: <%b@shop.example>\r\n")
DATE = email.utils.formatdate(time.time()).encode()


def head(name, date=DATE):
    n = name.replace("_", "-").encode()
    return HEAD % (n, date, n)


def plain(name, fields=b"Subject: widgets\r\n", body=b"How much?\r\n", date=DATE):
    return head(name, date) + fields + b"\r\n" + body


def sender(value, name, fields=b"Subject: widgets\r\n"):
    return (b"From: %b\r\nTo: sales@example.com\r\nDate: %b\r\nMessage-ID: <%b@shop.example>\r\n%b"
            b"\r\nHow much?\r\n" % (value, DATE, name.replace("_", "-").encode(), fields))


def word(text):
    return b"=?utf-8?B?" + base64.b64encode(text.encode()) + b"?="


def nested(depth):
    top, tail = b"", b""
    for n in range(depth):
        top += b"Content-Type: multipart/mixed; boundary=\"b%d\"\r\n\r\n--b%d\r\n" % (n, n)
        tail = b"\r\n--b%d--\r\n" % n + tail
    return top + b"Content-Type: text/plain\r\n\r\nin the middle\r\n" + tail


def attachment(size):
    line = base64.b64encode(b"x" * 57) + b"\r\n"
    return (b"MIME-Version: 1.0\r\nSubject: large\r\n"
            b"Content-Type: multipart/mixed; boundary=cut\r\n\r\n--cut\r\n"
            b"Content-Type: text/plain\r\n\r\nsee the file\r\n--cut\r\n"
            b"Content-Type: application/zip; name=\"large.zip\"\r\n"
            b"Content-Disposition: attachment; filename=\"large.zip\"\r\n"
            b"Content-Transfer-Encoding: base64\r\n\r\n" + line * (size // len(line)) +
            b"--cut--\r\n")


BIDI, ESC = "\u202e", "\x1b[2J\x1b]0;owned\x07"

# name: (raw, state, what a defect or the reason says; None: nothing is malformed)
MAILS = {
    "no_boundary": (plain("no_boundary", b"Subject: x\r\nMIME-Version: 1.0\r\n"
                          b"Content-Type: multipart/mixed\r\n"), "filed", "boundary"),
    "cut_off": (head("cut_off") + b"MIME-Version: 1.0\r\nContent-Type: multipart/mixed; "
                b"boundary=q\r\n\r\n--q\r\nContent-Type: text/plain\r\n\r\nbegun and",
                "filed", "closing boundary"),
    "bad_base64": (plain("bad_base64", b"Subject: x\r\nContent-Transfer-Encoding: base64\r\n",
                         b"SGVs!!!bG8=\r\n"), "filed", "base64"),
    "odd_encoding": (plain("odd_encoding", b"Content-Transfer-Encoding: rot13\r\n"), "filed",
                     "transfer encoding"),
    "wrong_charset": (plain("wrong_charset", b"Content-Type: text/plain; charset=klingon\r\n",
                            b"Gr\xfc\xdfe\r\n"), "filed", "charset"),
    "headers_10000": (plain("headers_10000", b"".join(b"X-H%d: %d\r\n" % (n, n)
                                                      for n in range(10000))),
                      "filed", "over the limit of .* fields"),
    "nested_100": (head("nested_100") + b"Subject: deep\r\nMIME-Version: 1.0\r\n" + nested(100),
                   "filed", "nested deeper"),
    "nul_bytes": (plain("nul_bytes", b"Subject: a\0b\r\n", b"c\0d\r\n"), "filed", "NUL"),
    "line_1mb": (plain("line_1mb", b"Subject: x\r\nX-Long: " + b"y" * (1 << 20) + b"\r\n"),
                 "filed", "bytes: only the first|over the limit"),
    "subject_1mb": (plain("subject_1mb", b"Subject: " + b"y" * (1 << 20) + b"\r\n"),
                    "filed", "only the first"),
    "bare_cr": (plain("bare_cr", b"Subject: one\rTwo: two\r\n"), "filed", "bare CR"),
    "only_cr": (plain("only_cr").replace(b"\r\n", b"\r"), "filed", "bare CR"),
    "two_from": (b"From: eve@evil.example\r\n" + plain("two_from"), "filed", "From is there 2"),
    "group_from": (sender(b"Sales: ada@shop.example, bo@shop.example;", "group_from"), "filed",
                   "From names 2 addresses"),
    "group_to": (plain("group_to").replace(b"To: sales@", b"To: undisclosed-recipients:;\r\nCc: "
                                           b"team: sales@"), "filed", None),
    "future": (plain("future", date=b"Fri, 01 Jan 2999 00:00:00 +0000"), "filed", "future"),
    "no_date": (plain("no_date").replace(b"Date: " + DATE + b"\r\n", b""), "filed", "no Date"),
    "odd_date": (plain("odd_date", date=b"the day before yesterday"), "filed", "is not a date"),
    "old_date": (plain("old_date", date=b"Mon, 01 Jan 0001 00:00:00 +0000"), "filed", None),
    "no_from": (plain("no_from").split(b"\r\n", 1)[1], "quarantined", "no usable sender"),
    "only_reply_to": (b"Reply-To: ada@only-reply-to.example\r\n" +
                      plain("only_reply_to").split(b"\r\n", 1)[1], "filed", "no From"),
    "only_sender": (b"Sender: ada@only-sender.example\r\n" +
                    plain("only_sender").split(b"\r\n", 1)[1], "filed", "Sender was taken"),
    "no_id": (plain("no_id").replace(b"Message-ID", b"X-Nothing"), "filed", "no Message-ID"),
    "empty_file": (b"", "ignored", "no usable sender"),
    "newlines": (b"\r\n" * 500, "ignored", "no usable sender"),
    "binary": (bytes((n * 7 + n // 256) % 256 for n in range(65536)), "quarantined",
               "no header that can be read"),
    "noise": (random.Random(7).randbytes(3000), "quarantined", "no header that can be read"),
    "control_name": (sender(b"\"Ada\x01\x02 \x1b[31mRed\" <ada@control.example>", "control_name"),
                     "filed", "From holds control characters"),
    "control_name_word": (sender(word("Ada\r\nBcc: victim@evil.example\r\n\r\nx") +
                                 b" <ada@word.example>", "control_name_word"), "filed",
                          "From holds control characters"),
    "control_address": (sender(b"<a\x07da@control2.example>", "control_address"), None, None),
    "inject_subject": (plain("inject_subject", b"Subject: " +
                             word("hi\r\nBcc: victim@evil.example\r\nX-Evil: 1") + b"\r\n"),
                       "filed", "Subject holds control characters"),
    "inject_id": (plain("inject_id").replace(b"<inject-id@shop.example>",
                                             b"<x@y> <\x08z> \xff\"@shop.example>"), None, None),
    "bidi": (plain("bidi", b"Subject: " + word("invoice" + BIDI + "fdp.exe") + b"\r\n"),
             "filed", None),
    "escape": (sender(word(ESC + "Ada") + b" <ada@escape.example>", "escape",
                      b"Subject: " + word(ESC + "price \x9b31m") + b"\r\n"), "filed",
               "Subject holds control characters"),
    "long_address": (sender(b"<" + b"a" * 8192 + b"@long.example>", "long_address"), None, None),
    "sql": (sender(b"\"Robert'); DROP TABLE lead;--\" <o'brien@sql.example>", "sql",
                   b"Subject: ' OR '1'='1'; DELETE FROM outbox;--\r\n"), "filed", None),
    "mustache": (sender(b"\"{{owner.email}} {{#lead}}\" <ada@mustache.example>", "mustache",
                        b"Subject: {{owner.email}} {{> _footer}} {{/lead}}\r\n"), "filed", None),
    "from_us": (sender(b"sales@example.com", "from_us"), "filed", None),
    "from_us_plus": (sender(b"sales+L1.aaaaaaaaaaaaaaaa@example.com", "from_us_plus"), "filed",
                     None),
    "from_user": (sender(b"Tom <tom@example.com>", "from_user"), "ignored", "user of ours"),
    "from_daemon": (sender(b"MAILER-DAEMON@relay.example", "from_daemon"), None, None),
    "from_noreply": (sender(b"noreply@service.example", "from_noreply"), "filed", None),
    "auto_reply": (sender(b"away@reply.example", "auto_reply",
                          b"Subject: Out of office\r\nAuto-Submitted: auto-replied\r\n"),
                   "ignored", "automatic answer"),
    "a_bounce": (sender(b"postmaster@bounces.example", "a_bounce",
                        b"Subject: Undelivered\r\nAuto-Submitted: auto-replied\r\n"
                        b"Content-Type: multipart/report; report-type=delivery-status;"
                        b" boundary=r\r\n").replace(b"How much?", b"--r\r\n\r\nno\r\n--r\r\n"
                        b"Content-Type: message/delivery-status\r\n\r\n"
                        b"Reporting-MTA: dns; relay.example\r\n\r\n"
                        b"Final-Recipient: rfc822; who@else.example\r\nAction: failed\r\n"
                        b"Status: 5.1.1\r\n\r\n--r--"), "ignored", "bounce"),
    "same_id_1": (plain("same_id", body=b"the first words\r\n"), "filed", None),
    "same_id_2": (plain("same_id", body=b"other words\r\n"), "filed", None),
    "limit": (head("limit") + attachment(49 * 1024 * 1024), "filed", None),
}

WELCOME = """Subject: Re: {{lead.subject|your request}}

Dear {{contact.name|you}}, {{owner.name}} has your request "{{lead.subject|nothing}}".
"""
FORM = {"name": "Fay", "email": "fay@form.example", "message": "hello"}


@pytest.fixture(scope="module")
def d():
    boxes = company.MAILDIR_IN + ' small : { type = "maildir"; path = "@DIR@/small"; ' \
        'start = "all"; poll = "1s"; mail_size = "256K"; };'
    files = company.files(**{"templates/welcome.txt": WELCOME})
    with Daemon(company.conf(mailboxes=boxes), files, start=False) as daemon:
        for name, (raw, _, _) in MAILS.items():
            company.deliver(daemon.dir + "/inbox", name, raw)
        company.deliver(daemon.dir + "/small", "over", head("over") + attachment(OVER + 1000))
        company.deliver(daemon.dir + "/small", "just_over", plain("just_over", body=b"z" * OVER))
        daemon.start()
        daemon.first_pids = daemon.roles()
        daemon.arrived = {}

        def all_there():
            rows = ledger(daemon)
            return {r["key"] for r in rows} >= set(MAILS) | {"over", "just_over"}
        until(all_there, timeout=120, why="a ledger row for everything")
        daemon.arrived = {r["key"]: r for r in ledger(daemon)}
        yield daemon


def ledger(d, *more):
    return d.ctl("ledger", "limit=10000", *more)["rows"]


def message(d, row):
    return d.ctl("show", row["message"])["message"]


def said(d, row):
    """Everything that leadctl tells about what was wrong with it."""
    found = [row["reason"]] if row["reason"] else []
    return found + (message(d, row)["defects"] if row["message"] else [])


def sent(d):
    folder = d.dir + "/outbox/new"
    found = []
    for name in os.listdir(folder) if os.path.isdir(folder) else []:
        with open(os.path.join(folder, name), "rb") as f:
            found.append(f.read())
    return found


def settled(d):
    """All mail has left."""
    rows = d.ctl("outbox", "list", "limit=10000")["rows"]
    return all(r["state"] in ("sent", "held", "failed") for r in rows)


# ---- mail ----------------------------------------------------------------------

@pytest.mark.parametrize("name", MAILS)
def test_bad_mail_is_accounted_for(d, name):
    _, state, words = MAILS[name]
    row = d.arrived[name]
    if state:
        assert row["state"] == state, row
    else:
        assert row["state"] in ("filed", "ignored", "quarantined"), row
    if row["state"] == "filed":
        assert row["message"] and row["record"], row
    else:
        assert row["reason"] and not row["record"], row
    if words:
        assert re.search(words, "\n".join(said(d, row))), said(d, row)
        if row["state"] == "filed":
            text = d.ctl_text("show", row["message"], width=200)
            assert "Defects" in text and re.search(words, text)


@pytest.mark.parametrize("name,parts", [("over", ["text/plain", "application/zip"]),
                                        ("just_over", ["text/plain"])])
def test_a_mail_over_mail_size_is_taken_as_headers_and_list_of_parts(d, name, parts):
    row = d.arrived[name]
    assert row["state"] == "filed" and row["record"]
    m = message(d, row)
    assert m["defects"] == ["over the size limit: only headers and the list of parts were read"]
    assert m["from"]["address"] == "ada.%s@shop.example" % name.replace("_", "-")
    assert m["message_id"].startswith(name.replace("_", "-"))
    assert [a["type"] for a in m["attachments"]] == parts
    if len(parts) > 1:
        assert m["attachments"][1]["filename"] == "large.zip"
    assert OVER <= m["attachments"][-1]["size"] < OVER + 2000
    raw = d.ctl_text("show", row["message"], "raw")
    assert "Message-ID" in raw and "eHh4eHh4" not in raw


def test_the_50_mb_mail_is_read_whole(d):
    m = message(d, d.arrived["limit"])
    assert "see the file" in m["text"]
    assert [a["filename"] for a in m["attachments"] if "filename" in a] == ["large.zip"]


def test_two_mails_with_one_message_id_are_two_messages(d):
    one, two = d.arrived["same_id_1"], d.arrived["same_id_2"]
    assert one["message"] != two["message"]
    assert "first words" in message(d, one)["text"] and "other words" in message(d, two)["text"]


def test_ingest_takes_the_same_and_accounts_for_it(d):
    for name in ("binary", "newlines", "nul_bytes", "headers_10000", "nested_100", "two_from"):
        before = len(ledger(d, "source=ingest"))
        raw = MAILS[name][0].replace(b"@shop.example", b"@pipe.example")
        d.ingest(raw)
        rows = ledger(d, "source=ingest")  # 0 was answered after the commit
        assert len(rows) == before + 1, name
        assert rows[0]["state"] == MAILS[name][1], rows[0]
        assert re.search(MAILS[name][2], "\n".join(said(d, rows[0])))
    with pytest.raises(CtlError) as e:  # what is no mail at all is not taken, and told
        d.ingest(b"")
    assert e.value.code == 65 and len(ledger(d, "source=ingest")) == before + 1


def test_a_real_imap_server_with_bad_mail_and_one_over_the_limit():
    bad = ("headers_10000", "nested_100", "binary", "only_cr", "empty_file", "two_from")
    with Dovecot() as server:
        server.add_user("big", "secret")
        server.deliver("big", head("imap-over") + attachment(OVER + 1000), plain("imap-good"),
                       *(MAILS[name][0] for name in bad))
        conf = company.conf(mailboxes=company.imap(server, "big", mail_size="256K"))
        with Daemon(conf, company.files()) as d:
            until(lambda: len(ledger(d)) == 2 + len(bad), why="a ledger row for each")
            rows = {r["key"]: r for r in ledger(d)}
            m = message(d, rows["1"])
            assert m["defects"] == ["over the size limit: only headers and the list of parts were "
                                    "read"]
            assert [a["filename"] for a in m["attachments"] if "filename" in a] == ["large.zip"]
            assert rows["2"]["state"] == "filed" and message(d, rows["2"])["defects"] == []
            for uid, name in enumerate(bad, 3):
                row = rows[str(uid)]
                assert row["state"] == MAILS[name][1], (name, row)
                assert re.search(MAILS[name][2], "\n".join(said(d, row))), name
            (r,) = d.ctl("reconcile")["rows"]
            assert (r["there"], r["filed"], r["ignored"], r["missing"]) == (8, 6, 1, 0)


def test_a_file_that_cannot_be_a_mail_is_told_and_missing_until_it_is_renamed():
    with Daemon(company.conf(), company.files()) as d:
        inbox = os.fsencode(d.dir) + b"/inbox/"
        for n, name in enumerate([b"new/odd\xff.a", b"new/odd\x1b[2J.b", b"cur/odd\nx.c:2,S"]):
            with open(inbox + name, "wb") as f:
                f.write(company.mail(sender="p%d@odd.example" % n))
        os.mkfifo(inbox + b"new/fifo")
        company.deliver(d.dir + "/inbox", "good", company.mail(sender="good@good.example"))
        until(lambda: ledger(d), why="the good mail")

        def tally():
            r = d.leadctl("--json", "reconcile")
            (row,) = json.loads(r.stdout)["rows"]
            return r.returncode, row["there"], row["filed"], row["missing"], row.get("note")
        until(lambda: tally()[3] == 4, why="four files left alone")
        code, there, filed, _, note = tally()
        assert (code, there, filed) == (1, 5, 1) and "4 left alone" in note
        for n, name in enumerate([b"new/odd\xff.a", b"new/odd\x1b[2J.b", b"cur/odd\nx.c:2,S"]):
            os.rename(inbox + name, inbox + b"new/renamed%d" % n)
        os.unlink(inbox + b"new/fifo")
        until(lambda: tally()[:4] == (0, 4, 4, 0), why="all of it filed")
        assert len([x for x in d.lines if "left alone" in x]) <= 3  # not at every look


def test_mail_from_before_the_start_is_not_missing():
    box = 'inbox : { type = "maildir"; path = "@DIR@/inbox"; poll = "1s"; };'
    with Daemon(company.conf(mailboxes=box), company.files(), start=False) as d:
        company.deliver(d.dir + "/inbox", "1700000000.old", company.mail())
        company.deliver(d.dir + "/inbox", "without-a-time", company.mail())
        d.start()
        d.wait_log("intake.folder ")
        company.deliver(d.dir + "/inbox", "%d.new" % (time.time() + 1), company.mail())
        until(lambda: ledger(d), why="the new mail")
        for _ in range(2):
            (r,) = d.ctl("reconcile")["rows"]
            assert (r["there"], r["filed"], r["missing"]) == (1, 1, 0)
            d.kill("intake:inbox")
            d.wait_log("mailbox.state mailbox=inbox state=idle", after=d.mark() - 5)


# ---- forms --------------------------------------------------------------------------

def post(d, body, kind="application/x-www-form-urlencoded", form="contact"):
    c = http.client.HTTPConnection("127.0.0.1", d.port("web-in"), timeout=120)
    c.request("POST", "/form/" + form, body=body, headers={"Content-Type": kind})
    r = c.getresponse()
    answer = r.status, r.read().decode("utf-8", "replace")
    c.close()
    return answer


def part(name, value, extra=b"", kind=b""):
    return (b"--cut\r\nContent-Disposition: form-data; name=\"%b\"%b\r\n%b\r\n%b\r\n"
            % (name, extra, kind, value))


MULTI = "multipart/form-data; boundary=cut"
ADDRESS = part(b"email", b"fay@form.example")
JSON = "application/json"
LATIN = "application/x-www-form-urlencoded; charset=iso-8859-1"

# name: (body, type, status, what a defect or the answer says, or None)
FORMS = {
    "wrong_charset": (b"email=a%40form1.example&name=Gr%FC%DFe", None, 200, "name"),
    "declared_charset": (b"email=b%40form1.example&name=Gr%FC%DFe", LATIN, 200, None),
    "nul": (b"email=c%40form1.example&name=A%00B", None, 200, "not UTF-8"),
    "huge_field": (b"email=d%40form1.example&message=" + b"m" * 300000, None, 200, "message: cut"),
    "over_max_body": (b"email=e%40form1.example&message=" + b"m" * (2 << 20), None, 413, None),
    "fields_1000": (b"email=f%40form1.example&" + b"&".join(b"f%d=%d" % (n, n)
                                                            for n in range(1000)), None, 200, "more than"),
    "nested_json": (json.dumps({"email": "g@form1.example", "name": {"first": ["G", {"x": 1}]}}),
                    JSON, None, None),
    "deep_json": ('{"email":"h@form1.example","x":' + "[" * 500 + "]" * 500 + "}", JSON, 400,
                  "nested deeper"),
    "broken_json": ('{"email": "i@form1.example"', JSON, None, None),
    "a_file": (part(b"email", b"j@form1.example") + part(b"cv", b"\x00\x01PK", b"; filename=\"cv"
               b"\x1b[31m.pdf\"", b"Content-Type: application/pdf\r\n") + b"--cut--\r\n", MULTI, 200,
               None),
    "no_end": (part(b"email", b"k@form1.example"), MULTI, 200, "before the last boundary"),
    "two_addresses": (b"email=l%40form1.example&email=m%40form1.example", None, None, None),
    "inject": (b"email=n%40form1.example%0d%0aBcc:victim%40evil.example&name=x", None, 422, None),
    "inject_name": (b"email=o%40form1.example&name=x%0d%0aBcc:+victim%40evil.example"
                    b"&message=%0d%0a%1b[2J", None, 200, None),
    "mustache": (b"email=p%40form1.example&name={{owner.email}}&message={{owner.email}}", None,
                 200, None),
    "xml": (b"<email>q@form1.example</email>", "text/xml", 415, None),
    "empty": (b"", None, 422, None),
}


@pytest.mark.parametrize("name", FORMS)
def test_a_bad_form_is_filed_or_told(d, name):
    body, kind, status, words = FORMS[name]
    before = len(ledger(d, "source=form:contact"))
    code, text = post(d, body, kind or "application/x-www-form-urlencoded")
    rows = ledger(d, "source=form:contact")
    assert code == status if status else code in (200, 400, 413, 422), (code, text)
    if code == 200:
        assert len(rows) == before + 1 and rows[0]["state"] == "filed" and rows[0]["record"]
        if words:
            assert re.search(words, "\n".join(message(d, rows[0])["defects"]))
    else:
        assert len(rows) == before and re.search(words or r"\w", text), text


# ---- the whole ------------------------------------------------------------------------

def test_what_a_stranger_wrote_makes_no_header_and_no_template_of_an_outgoing_mail(d):
    until(lambda: settled(d), why="a settled outbox")
    mails = sent(d)
    assert len(mails) > 20
    for raw in mails:
        top = raw.split(b"\n\n", 1)[0].split(b"\r\n\r\n", 1)[0]
        assert not re.search(rb"(?im)^(bcc|x-evil)", top), raw
        assert not re.search(rb"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\xff]", top), raw
        m = email.message_from_bytes(raw, policy=email.policy.default)
        assert all("victim" not in a.addr_spec for a in m["To"].addresses), raw
        assert len(m.get_all("To")) == len(m.get_all("Subject")) == 1
    to = {m["To"].addresses[0].addr_spec: m for m in
          (email.message_from_bytes(r, policy=email.policy.default) for r in mails)}
    for who in ("ada@mustache.example", "p@form1.example"):
        assert "{{owner.email}}" in to[who].get_content()
        assert "@example.com" not in to[who].get_content()
    for who in ("ada.inject-subject@shop.example", "ada@control.example", "ada@word.example",
                "ada@escape.example", "o'brien@sql.example", "o@form1.example"):
        assert who in to, "no follow-up to " + who


def test_machines_get_no_automatic_answer(d):
    until(lambda: settled(d), why="a settled outbox")
    to = {r["to"] for r in d.ctl("outbox", "list", "limit=10000")["rows"]
          if r["class"] != "conversation" and "looks like" not in r["subject"]}  # which the owner hears
    for who in ("noreply@service.example", "mailer-daemon@relay.example", "away@reply.example",
                "sales@example.com", "tom@example.com", "who@else.example"):
        assert who not in to
    record = d.arrived["from_noreply"]["record"]
    assert "a machine" in d.ctl("why", record)["text"]


def test_nothing_a_terminal_would_obey_comes_out_of_leadctl(d):
    asked = [["list", k, "limit=1000"] for k in ("leads", "contacts", "companies", "activities")]
    asked += [["outbox", "list", "limit=1000"], ["ledger", "limit=1000"], ["quarantine", "list"]]
    for name in ("escape", "bidi", "control_name", "inject_subject", "binary", "nul_bytes"):
        row = d.arrived[name]
        if row["message"]:
            asked.append(["show", row["message"], "raw"])
        if row["record"]:
            asked += [[c, row["record"]] for c in ("show", "timeline", "why")]
    for argv in asked:
        text = d.ctl_text(*argv, width=250)
        bad = re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]",
                        text)
        assert not bad, (argv, text[max(0, bad.start() - 60):bad.end() + 60])
    assert "price" in d.ctl_text("show", d.arrived["escape"]["record"])


def test_the_log_holds_no_control_characters(d):
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202e]", d.log())


def test_mail_of_nobody_is_in_quarantine_and_makes_no_contact(d):
    reasons = [r["reason"] for r in d.ctl("quarantine", "list")["rows"]]
    assert reasons.count("no header that can be read") >= 2 and "no usable sender" in reasons
    people = d.ctl("list", "contacts", "limit=1000")["rows"]
    mute = [r["id"] for r in people if not r.get("email") and not r.get("phone")]
    # from our own address: a form mailer's, which names the person in its words
    assert len(mute) == len({"from_us", "from_us_plus"}) and len(people) > 20


def test_sql_text_stays_text(d):
    record = d.arrived["sql"]["record"]
    assert "DELETE FROM outbox" in d.ctl_text("show", record, width=250)
    assert d.ctl("list", "leads")["rows"]


def test_after_all_of_it_every_role_lives_and_good_mail_is_filed(d):
    company.deliver(d.dir + "/inbox", "good", company.mail(sender="good@good.example"))
    until(lambda: [r for r in ledger(d) if r["key"] == "good" and r["state"] == "filed"],
          why="the good mail")
    assert d.roles() == d.first_pids
    sums = {r["source"]: r for r in d.ctl("reconcile")["rows"]}
    for r in sums.values():
        assert r["missing"] == 0 and r["there"] == r["filed"] + r["ignored"] + r["quarantined"]
    assert sums["maildir:inbox"]["there"] == len(MAILS) + 1
    assert sums["maildir:small"]["filed"] == 2
