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

    def __init__(self, settings="", rules=RULES, **more):
        self.d = Daemon(company.conf(settings=TRUST + settings), company.files(rules), **more)
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
            m["From"], "".join("> %s\n" % x for x in m.get_content().splitlines()))
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
