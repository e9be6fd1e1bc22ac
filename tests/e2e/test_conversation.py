# SPDX-License-Identifier: ISC
"""A lead's answer reaches the owner; the owner's answer reaches the lead in the company's
name; a note never does; and whatever is doubtful stays inside."""
import email
import email.message
import email.policy
import email.utils
import os
import re

import pytest

import company
from daemon import Daemon, until
from peers import SmtpPeer, defer
from test_main_job import rows, wait_rows

RULES = """
lang = 1;
rules : {
  all : { on = "lead.created"; do = [ "assign tom", "send welcome" ]; };
};
"""
TRUST = 'trusted_auth = "mx.example.com";'


class World:
    """One daemon on Maildirs; mails go in and come out by hand."""

    def __init__(self, settings="", rules=RULES, CONF=company.CONF, **more):
        conf = CONF % {"mailboxes": company.MAILDIR_IN, "relays": company.MAILDIR_OUT,
                       "settings": TRUST + settings}
        self.d = Daemon(conf, company.files(rules, **more.pop("files", {})), **more)
        self.n = 0
        self.taken = 0

    def __enter__(self):
        self.d.__enter__()
        return self

    def __exit__(self, *what):
        return self.d.__exit__(*what)

    def put(self, raw):
        """Hands one mail over and waits until it is filed."""
        self.n += 1
        mark = self.d.mark()
        company.deliver(os.path.join(self.d.dir, "inbox"), "%d.m" % self.n, raw)
        return self.d.wait_log(r"mail\.(filed|same|bounced) |state=ignored|inbound\.quarantined",
                               after=mark)

    def lead(self, text, sender="ada@shop.example", name="Ada Beispiel", **more):
        return self.put(company.mail(sender=sender, name=name, text=text, **more))

    def rep(self, text, sender="tom@example.com", proven=True, **more):
        """As the company's own server hands it over: it says who has signed in."""
        raw = company.mail(sender=sender, text=text, **more)
        return self.put(trusted(sender) + raw if proven else raw)

    def sent(self, to=None):
        """What has left, to this address."""
        self.settle()
        return [m for m in company.sent(self.d.dir)
                if to is None or to in [a for _, a in email.utils.getaddresses(m.get_all("To"))]]

    def settle(self):
        until(lambda: not [r for s in ("ready", "claimed") for r in rows(self.d, "outbox", "list", "state=" + s)],
              why="an empty outbox")

    def why(self, record):
        return self.d.ctl("why", record)["text"]


def trusted(sender):
    return ("Authentication-Results: mx.example.com; auth=pass smtp.auth=%s; dmarc=pass "
            "header.from=%s\r\n"
            "Received: from tom.example.net (tom.example.net [192.0.2.7]) by mx.example.com with "
            "ESMTPSA;\r\n Fri, 20 Nov 2026 10:00:00 +0000\r\n"
            % (sender, sender.split("@")[1])).encode()


def reply_to(m):
    return (m["Reply-To"] or m["From"]).addresses[0].addr_spec


def answer(m, text, quote=True):
    """What a mail program makes of it: recipient, references, subject, quotation."""
    body = text
    if quote:
        body += "\n\nOn Fri, 20 Nov 2026 at 10:00, %s wrote:\n%s" % (
            m["From"], "".join("> %s\n" % x for x in m.get_body().get_content().splitlines()))
    subject = m["Subject"] if m["Subject"].startswith("Re:") else "Re: " + m["Subject"]
    return {"text": body, "to": reply_to(m), "subject": subject, "In_Reply_To": m["Message-ID"],
            "References": " ".join((m["References"] or "").split() + [m["Message-ID"]])}


def opened(w):
    """A lead that was welcomed and answered: what the owner got."""
    w.lead("How much are 40 widgets?\n")
    (welcome,) = w.sent("ada@shop.example")
    w.lead(sender="ada@shop.example", **answer(welcome, "And in blue?\n"))
    (m,) = w.sent("tom@example.com")
    return m


def test_a_leads_answer_reaches_the_owner_and_his_reaches_the_lead():
    with World() as w:
        m = opened(w)
        assert m["From"].addresses[0].display_name == "Ada Beispiel via Example Widgets"
        assert m["From"].addresses[0].addr_spec == "sales@example.com"
        assert "And in blue?" in m.get_content()
        assert "Hello Ada" not in m.get_content()  # what we wrote ourselves is not told again
        w.rep(**answer(m, "Blue costs nothing more.\n\nTom\n"))
        welcome, out = w.sent("ada@shop.example")
        assert out["From"].addresses[0].display_name == "Tom of Example Widgets"
        assert out["From"].addresses[0].addr_spec == "sales@example.com"
        assert out.get_content() == "Blue costs nothing more.\n\nTom\n"
        assert out["Auto-Submitted"] is None  # a person wrote it
        assert "tom@example.com" not in out.as_string()
        (lead,) = rows(w.d, "list", "leads")
        assert lead["status"] == "contacted"
        w.lead(**answer(out, "Then I take them.\n"))
        again = w.sent("tom@example.com")[-1]
        assert "Then I take them." in again.get_content()
        assert again["References"] == m["References"]  # one thread in his mail program
        assert len(rows(w.d, "list", "leads")) == 1


@pytest.mark.parametrize("intro", ["", "20 lis 2026 10:00 Ada napisala co nastepuje\n\n"])
def test_a_customers_line_in_a_quotation_without_marks_commands_nothing(intro):
    """Some mail programs put the mail that is answered below the words as it is."""
    with World() as w:
        w.lead("How much are 40 widgets?\n")
        (welcome,) = w.sent("ada@shop.example")
        w.lead(sender="ada@shop.example", **answer(welcome, "And in blue?\n\n#lost\n"))
        (m,) = w.sent("tom@example.com")
        w.rep(**{**answer(m, ""), "text": "#note he asks\n\nYes.\n\n" + intro + m.get_content()})
        (lead,) = rows(w.d, "list", "leads")
        assert lead["status"] != "closed"
        told = w.sent("tom@example.com")[1].get_content()
        assert "#note he asks" in told.split("Not done:")[0]
        assert "below a quotation" in told.split("Not done:")[1]


def test_an_answer_that_nothing_proved_goes_when_it_comes_again_with_a_proof():
    with World() as w:
        m = opened(w)
        raw = company.mail(sender="tom@example.com", **answer(m, "Blue is free.\n"))
        w.put(raw)
        told = w.sent("tom@example.com")[-1].get_content()
        assert "not proven that you wrote it" in told and "Blue is free." in told
        assert len(w.sent("ada@shop.example")) == 1
        for _ in range(2):  # and once only
            w.put(trusted("tom@example.com") + raw)
            assert [x.get_content() for x in w.sent("ada@shop.example")][1:] == ["Blue is free.\n"]
        assert len(w.sent("tom@example.com")) == 2


NOTICE = """Subject: {{lead.id}}: {{contact.name}}

{{message.reply}}
--html--
<html><body style="x"><b>{{message.reply}}</b></body></html>
"""


def test_a_customers_line_in_a_quoted_notice_commands_nothing():
    """Whatever of ours holds a customer's words, a template of the sysadmin or an answer to
    #show: its first line is ours, and nothing below it commands."""
    rules = RULES.replace('"send welcome"', '"notify owner using told"')
    with World(rules=rules, files={"templates/told.txt": NOTICE}) as w:
        w.lead("#lost\n\n#tag hot\n")
        (notice,) = w.sent("tom@example.com")
        for m, text in ((notice, "#note one\n\nYes.\n\n"), (None, "#show L1\n\nYes.\n\n"),
                        (None, "#note three\n\nYes.\n\n")):
            m = m or w.sent("tom@example.com")[-1]
            plain = m.get_body(("plain",)).get_content()
            assert re.match(r"(\[note L1-[a-z2-7]{4,}\] )?Your reply stays with us: write above this line\.\n",
                            plain), plain
            had = len(w.sent("tom@example.com"))
            w.rep(**{**answer(m, ""), "text": text + plain})
            told = w.sent("tom@example.com")[had].get_content()
            assert text.split("\n")[0] in told
            assert "#lost\n      it stands below" in told or m is not notice
            (lead,) = rows(w.d, "list", "leads")
            assert lead["status"] != "closed"
            assert not dict(w.d.ctl("show", "L1")["fields"]).get("Tags")
        html = notice.get_body(("html",)).get_content()
        assert html.index("Your reply stays with us") < html.index("#lost")
        assert html.startswith('<html><body style="x"><p>[note L1-')


def stays(w, m, text, why, reply=None, **more):
    """This mail of Tom's stays inside, and he hears why."""
    before = len(w.sent("ada@shop.example")), len(w.sent("tom@example.com"))
    w.rep(**{**(reply or answer(m, text)), **more})
    assert len(w.sent("ada@shop.example")) == before[0], w.sent("ada@shop.example")[-1].as_string()
    told = w.sent("tom@example.com")[before[1]:]
    assert len(told) == 1 and why in told[0].get_content(), [t.get_content() for t in told]
    return told[0]


def test_an_address_that_commands_or_files_never_leaves():
    with World() as w:
        m = opened(w)
        for n, what in enumerate((("dropbox", "tom"), ("dropbox",), ("secret", "tom"))):
            address = w.d.ctl("address", *what)["address"]
            assert stays(w, m, "Write to us.\nTo: <%s>.\nTom %d" % (address, n), "secret address")


def test_what_is_doubtful_stays_inside_and_its_writer_hears_why():
    with World() as w:
        m = opened(w)
        t = stays(w, m, "SECRET one\n", "not proven", proven=False)
        assert t["Subject"].startswith("Not sent: ")
        # the telling is a notice: an answer to it is a note, and goes nowhere
        n = len(w.sent("ada@shop.example"))
        w.rep(**answer(t, "SECRET two\n"))
        assert len(w.sent("ada@shop.example")) == n
        # to a notice and to a conversation at once
        both = answer(m, "SECRET three\n")
        both["to"] += ", " + reply_to(t)
        stays(w, m, "", "to a conversation and to a notice", reply=both)
        # our own lines stand in the middle of his, unquoted
        frame = "SECRET four\n\n" + m.get_content() + "\nSECRET five\n"
        stays(w, m, "", "below or between", reply=dict(answer(m, "", quote=False), text=frame))
        # opted out, and coming back
        w.d.ctl("do", "C1", "optout")
        stays(w, m, "SECRET six\n", "opted out")
        w.d.ctl("do", "C1", "optin")
        notes = [r["text"] for r in rows(w.d, "timeline", "L1") if r["kind"] == "note"]
        assert any("SECRET three" in x for x in notes) and any("SECRET six" in x for x in notes)
        assert not any("SECRET one" in x for x in notes)  # nobody knows who wrote it
        w.rep(**answer(m, "At last.\n"))
        assert w.sent("ada@shop.example")[-1].get_content() == "At last.\n"
        assert not any("SECRET" in x.as_string() for x in w.sent("ada@shop.example"))


def test_a_machine_of_the_rep_and_an_empty_reply_send_nothing_and_nobody_hears():
    with World() as w:
        m = opened(w)
        n = len(w.sent())
        w.rep(**answer(m, "I am away until Monday.\n"), Auto_Submitted="auto-replied")
        w.rep(**answer(m, ""))
        w.rep(**answer(m, "-- \nTom Example\ntom@example.com\n"))
        assert len(w.sent()) == n


def test_commands_are_run_and_do_not_leave():
    with World() as w:
        m = opened(w)
        w.rep(**answer(m, "#note SECRET he is cheap\n\nWe can do 5 percent.\n\n#task fri SECRET call\n"))
        out = w.sent("ada@shop.example")[-1]
        assert out.get_content() == "We can do 5 percent.\n"
        assert any("SECRET he is cheap" in r["text"] for r in rows(w.d, "timeline", "L1"))
        told = w.sent("tom@example.com")[-1].get_content()
        assert "note" in told and "SECRET" in told
        n = len(w.sent("ada@shop.example"))
        w.rep(**answer(m, "#note SECRET alone\n"))
        assert len(w.sent("ada@shop.example")) == n


def test_commands_alone_that_are_held_are_asked_about_and_no_more():
    with World() as w:
        m = opened(w)
        before = len(w.sent("tom@example.com"))
        w.rep(proven=False, **answer(m, "#won 100\n"))
        new = w.sent("tom@example.com")[before:]
        assert [x["Subject"] for x in new] == ["Was this you? Commands by mail were held (H1)"]
        w.rep(proven=False, **answer(m, "Ten euros.\n"))
        text = w.sent("tom@example.com")[-1].get_content()
        assert "What you wrote:" in text and "\n\n\n" not in text


def test_another_of_ours_answers_from_any_of_his_addresses_and_his_own_is_not_seen():
    conf = company.CONF.replace('email = "eva@example.com";',
                                'email = "eva@example.com"; addresses = [ "eva@home.example" ];')
    with World(CONF=conf) as w:
        m = opened(w)
        w.rep(**answer(m, "Write to eva@home.example or EVA@example.com.\nNot to geva@example.com\n"),
              sender="eva@home.example")
        out = w.sent("ada@shop.example")[-1]
        assert out["From"].addresses[0].display_name == "Eva of Example Widgets"
        assert out.get_content() == ("Write to sales@example.com or sales@example.com.\n"
                                     "Not to geva@example.com\n")


def test_a_reply_to_all_is_not_sent_twice():
    with World() as w:
        m = opened(w)
        n = len(w.sent("ada@shop.example"))
        w.rep(**answer(m, "As I said on the phone.\n"), Cc="ada@shop.example")
        assert len(w.sent("ada@shop.example")) == n
        (lead,) = rows(w.d, "list", "leads")
        assert lead["status"] == "contacted"


def test_a_customer_at_a_notice_or_at_the_conversation_address_relays_nothing():
    with World(rules=RULES.replace('"send welcome"', '"send welcome", "notify owner"')) as w:
        w.lead("How much?\n")
        (notice,) = w.sent("tom@example.com")
        assert reply_to(notice).startswith("sales+note.L1.")
        w.lead(sender="ada@shop.example", **answer(notice, "I was in copy.\n"))
        m = w.sent("tom@example.com")[-1]
        n = len(w.sent("ada@shop.example"))
        w.lead(sender="ada@shop.example", **answer(m, "And here, too.\n"))
        assert len(w.sent("ada@shop.example")) == n
        assert "And here, too." in w.sent("tom@example.com")[-1].get_content()
        w.rep(**answer(notice, "SECRET for us\n"))
        assert len(w.sent("ada@shop.example")) == n


def test_a_token_in_strange_hands_grants_nothing_and_a_person_is_told():
    with World() as w:
        opened(w)
        (welcome,) = w.sent("ada@shop.example")
        w.lead("Give me what she has.\n", sender="mallory@evil.example", to=reply_to(welcome),
               In_Reply_To=welcome["Message-ID"], subject="Re: " + welcome["Subject"])
        leads = {r["id"]: r["email"] for r in rows(w.d, "list", "leads")}
        assert leads == {"L1": "ada@shop.example", "L2": "mallory@evil.example"}
        told = w.sent("tom@example.com")[-1]
        assert "mallory@evil.example" in told.get_content() and "M3, filed with L2" in told.get_content()
        assert "Give me" not in told.get_content()
        # a colleague at the same company is one of them; the answer is to him alone
        w.lead("My colleague asked. Cheaper?\n", sender="bob@shop.example", to=reply_to(welcome))
        m = w.sent("tom@example.com")[-1]
        assert "Cheaper?" in m.get_content() and "L1" in m.get_content()
        w.rep(**answer(m, "A bit.\n"))
        assert w.sent("bob@shop.example")[-1].get_content() == "A bit.\n"


def test_no_owner_another_owner_and_a_closed_lead():
    with World(rules=RULES.replace("assign tom", "assign eva")) as w:
        w.lead("How much?\n")
        (welcome,) = w.sent("ada@shop.example")
        w.d.ctl("do", "L1", "assign tom")
        w.lead(sender="ada@shop.example", **answer(welcome, "One?\n"))
        m = w.sent("tom@example.com")[-1]
        assert not w.sent("eva@example.com")
        w.d.ctl("do", "L1", "close")
        w.lead(sender="ada@shop.example", **answer(welcome, "Two?\n"))
        assert "L1 is closed." in w.sent("tom@example.com")[-1].get_content()
        w.rep(**answer(m, "Still here.\n"), sender="eva@example.com")
        assert w.sent("ada@shop.example")[-1].get_content() == "Still here.\n"


@pytest.mark.parametrize("style", ["catchall", "none"])
def test_other_ways_of_the_address(style):
    with World('reply_address = "%s";' % style) as w:
        m = opened(w)
        assert ("@" in m["Reply-To"]) if style == "catchall" else m["Reply-To"] is None
        w.rep(**answer(m, "Blue is free.\n"))
        assert w.sent("ada@shop.example")[-1].get_content() == "Blue is free.\n"
        if style == "none":  # a relay took our Message-ID: the tag of the subject is left
            lost = answer(m, "And green.\n")
            lost["In_Reply_To"] = lost["References"] = "<rewritten@relay.example>"
            assert "[answer L1.2-" in lost["subject"]
            w.rep(**lost)
            assert w.sent("ada@shop.example")[-1].get_content() == "And green.\n"
            # and what the tag taught holds without it
            lost.update(subject="Re: something else", text="And red.\n")
            w.rep(**lost)
            assert w.sent("ada@shop.example")[-1].get_content() == "And red.\n"


def test_off_is_off_and_all_brings_the_first_mail_too():
    with World('conversation = "off";') as w:
        w.lead("How much?\n")
        (welcome,) = w.sent("ada@shop.example")
        w.lead(sender="ada@shop.example", **answer(welcome, "One?\n"))
        assert not w.sent("tom@example.com")
    with World('conversation = "all"; relay_name = "{user}, {company}";') as w:
        w.lead("How much?\n", message_id="<first@shop.example>")
        (m,) = w.sent("tom@example.com")
        w.rep(**answer(m, "Five.\n"))
        out = w.sent("ada@shop.example")[-1]
        assert out["In-Reply-To"] == "<first@shop.example>"
        assert out["From"].addresses[0].display_name == "Tom Example, Example Widgets"


def attach(raw, *files):
    m = email.message_from_bytes(raw, policy=email.policy.SMTP)
    for name, kind, data in files:
        if isinstance(data, str):
            m.add_attachment(data, subtype=kind, filename=name)
        else:
            m.add_attachment(data, maintype="application", subtype=kind, filename=name)
    return m.as_bytes()


def attached(m):
    return {a.get_filename(): a.get_payload(decode=True) for a in m.iter_attachments()}


def test_files_go_along_both_ways_and_what_hides_words_does_not():
    pdf = b"%PDF-1.4\r\n\x00\xff" + bytes(range(256)) * 40
    with World() as w:
        w.lead("How much?\n")
        (welcome,) = w.sent("ada@shop.example")
        w.put(attach(company.mail(sender="ada@shop.example", **answer(welcome, "See the plan.\n")),
                     ("plän für \"morgen\" %41.pdf", "pdf", pdf), ("a.csv", "csv", "x;y\r\n")))
        m = w.sent("tom@example.com")[-1]
        assert attached(m) == {"plän für \"morgen\" %41.pdf": pdf, "a.csv": b"x;y\r\n"}
        offer = {**answer(m, "Here it is.\n")}
        offer["text"] = "Here it is.\n"
        w.put(trusted("tom@example.com") +
              attach(company.mail(sender="tom@example.com", **offer), ("offer.pdf", "pdf", pdf),
                     ("sig.p7s", "pkcs7-signature", b"tom@example.com")))
        out = w.sent("ada@shop.example")[-1]
        assert out.get_body().get_content() == "Here it is.\n" and attached(out) == {"offer.pdf": pdf}
        for name, kind, data in (("winmail.dat", "ms-tnef", b"SECRET"),
                                 ("n.txt", "plain", "#note SECRET\n"),
                                 ("q.txt", "plain", m.get_body().get_content() + "SECRET")):
            n = len(w.sent("ada@shop.example"))
            w.put(trusted("tom@example.com") +
                  attach(company.mail(sender="tom@example.com", **offer), (name, kind, data)))
            assert len(w.sent("ada@shop.example")) == n
            assert "not sent to the customer" in w.sent("tom@example.com")[-1].get_content()


def test_a_notice_says_why_what_happened_and_where_to_answer():
    with World(rules=RULES.replace('"send welcome"', '"notify owner"')) as w:
        w.lead("How much?\n")
        (notice,) = w.sent("tom@example.com")
        text = notice.get_content()
        assert "Why:      rule all: assign tom" in text
        assert "mail in, contact C1: 40 widgets" in text
        assert "#won 5000" in text and "#note TEXT" in text
        to = re.search(r"write to (sales\+L1\.M1\.[a-z2-7]{16}@example\.com)\n", text).group(1)
        w.rep("Five each.\n", to=to, subject="hello")  # a new mail, by the address alone
        (out,) = w.sent("ada@shop.example")
        assert out.get_content() == "Five each.\n" and out["Subject"] == "Re: 40 widgets"
        w.rep(**answer(notice, "SECRET for us\n"))
        assert len(w.sent("ada@shop.example")) == 1
        assert any("SECRET for us" in r["text"] for r in rows(w.d, "timeline", "L1"))


def test_who_wrote_an_answer_hears_that_it_came_back():
    with World() as w:
        m = opened(w)
        w.rep(**answer(m, "Blue is free.\n"))
        out = w.sent("ada@shop.example")[-1]
        w.put(("From: MAILER-DAEMON@shop.example\r\nTo: %s\r\nSubject: Undelivered\r\n"
               "Message-ID: <dsn@shop.example>\r\nMIME-Version: 1.0\r\nContent-Type: "
               "multipart/report; report-type=delivery-status; boundary=b\r\n\r\n--b\r\n\r\nno\r\n"
               "--b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; shop.example"
               "\r\n\r\nFinal-Recipient: rfc822; ada@shop.example\r\nAction: failed\r\nStatus: 5.1.1\r\n"
               "Diagnostic-Code: smtp; 550 nobody here\r\n\r\n--b--\r\n"
               % out["Return-Path"].strip("<>")).encode())
        (told,) = [x.get_content() for x in w.sent("tom@example.com")
                   if "not delivered to ada@shop.example" in x.get_content()]
        assert "nobody here" in told and "Blue is free." in told


class Later(SmtpPeer):
    """Takes no mail to Ada while it is told to."""
    later = False

    def do_rcpt(self, conn, line):
        if self.later and b"<ada@" in line:
            defer()(conn, b"")
        else:
            super().do_rcpt(conn, line)


class SmtpWorld(World):
    def __init__(self, peer):
        self.peer = peer
        super().__init__(CONF=company.CONF.replace("%(relays)s", company.smtp(peer.port)))

    def sent(self, to=None):
        self.settle()
        mails = [email.message_from_bytes(m.data, policy=email.policy.default) for m in self.peer.mails]
        return [m for m in mails if to is None or to in m["To"]]


def test_who_wrote_an_answer_hears_that_the_customer_opted_out_before_it_left():
    with Later() as peer, SmtpWorld(peer) as w:
        m = opened(w)
        told = len(w.sent("tom@example.com"))
        peer.later = True
        w.rep(**answer(m, "Blue is free.\n"))
        (row,) = until(lambda: rows(w.d, "outbox", "list", "state=deferred"), why="a mail that waits")
        assert row["to"] == "ada@shop.example"
        w.d.ctl("do", "C1", "optout")
        peer.later = False
        w.d.ctl("outbox", "retry", str(row["id"]))
        (text,) = [x.get_content() for x in w.sent("tom@example.com")[told:]]
        assert "not delivered to ada@shop.example: not sent: the address has opted out" in text
        assert "Blue is free." in text
        assert not any("Blue is free." in x.get_content() for x in w.sent("ada@shop.example"))
