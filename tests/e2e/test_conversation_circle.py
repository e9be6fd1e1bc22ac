# SPDX-License-Identifier: ISC
"""The whole circle: a lead and a rep with mail programs on a real Dovecot, a real SMTP
receiver between them and leadd, which reads the company's inbox by IMAP."""
import email
import email.policy
import imaplib
import ssl

import pytest

import company
from daemon import Daemon, until
from dovecot import Dovecot, free_port
from test_conversation import RULES, TRUST, answer, trusted

controller = pytest.importorskip("aiosmtpd.controller")


class Post:
    """What every mail server does: into the inbox of whom it is for."""

    def __init__(self, dovecot, users):
        self.dovecot, self.users = dovecot, users

    async def handle_DATA(self, server, session, envelope):
        for to in envelope.rcpt_tos:
            user = "sales" if to.startswith("sales") else self.users[to]
            # the company's own server says who has signed in
            top = trusted(envelope.mail_from) if envelope.mail_from == "tom@example.com" else b""
            self.dovecot.deliver(user, top + envelope.content)
        return "250 taken"


def inbox(dovecot, user):
    """As a mail program reads it."""
    box = dovecot.mailbox(user)
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with imaplib.IMAP4_SSL("127.0.0.1", box["port"], ssl_context=context) as c:
        c.login(user, "secret")
        c.select("INBOX", readonly=True)
        numbers = c.search(None, "ALL")[1][0].split()
        return [email.message_from_bytes(c.fetch(n, "(BODY.PEEK[])")[1][0][1],
                                         policy=email.policy.default) for n in numbers]


def test_a_lead_and_a_rep_talk_and_the_lead_sees_the_company_alone():
    import smtplib
    with Dovecot() as dovecot:
        for user in ("sales", "ada", "tom"):
            dovecot.add_user(user, "secret")
        post = controller.Controller(Post(dovecot, {"ada@shop.example": "ada", "tom@example.com": "tom"}),
                                     hostname="127.0.0.1", port=free_port())
        post.start()
        try:
            port = post.port

            def send(sender, **words):
                with smtplib.SMTP("127.0.0.1", port) as c:
                    c.sendmail(sender, [words.get("to", "sales@example.com")],
                               company.mail(sender=sender, **words))

            def newest(user, n):
                return until(lambda: (lambda m: m[n - 1] if len(m) >= n else None)(inbox(dovecot, user)),
                             why="mail %d of %s" % (n, user))
            conf = company.conf(mailboxes=company.imap(dovecot, "sales"),
                                relays=company.smtp(port), settings=TRUST)
            with Daemon(conf, company.files(RULES)) as d:
                d.wait_log("mailbox.state mailbox=sales state=idle")
                send("ada@shop.example", text="How much?\n")
                send("ada@shop.example", **answer(newest("ada", 1), "In blue?\n"))
                talk = newest("tom", 1)
                assert "In blue?" in talk.get_content()
                send("tom@example.com", **answer(talk, "#note SECRET\n\nBlue is free.\n"))
                got = newest("ada", 2)
                assert got.get_content().strip() == "Blue is free."
                assert "tom@" not in got.as_string() and "SECRET" not in got.as_string()
                send("ada@shop.example", **answer(got, "Thanks.\n"))
                until(lambda: any("Thanks." in m.get_content() for m in inbox(dovecot, "tom")),
                      why="the last word")
                assert len(d.ctl("list", "leads")["rows"]) == 1
        finally:
            post.stop()
