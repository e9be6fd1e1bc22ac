# SPDX-License-Identifier: ISC
"""Proof by real servers: Postfix, opendkim, opendmarc and SASL, all on loopback. What
they vouch for may command, and nothing that anybody else hands them does."""
import os

import pytest

import company
import mta as servers
from daemon import Daemon, until

pytestmark = [pytest.mark.skipif(servers.MISSING != [], reason="needs " + " ".join(servers.MISSING)),
              pytest.mark.skipif(os.geteuid() != 0, reason="Postfix needs root")]

CONF = """
company = "Example"; address = "crm@our.example"; default_owner = "rep"; run_as = "self";
state_dir = "@DIR@/state"; run_dir = "@DIR@/run"; log_personal = true;
trusted_auth = "mx.our.example"; trusted_header = "%s";
web : { listen = "127.0.0.1:0"; ui_listen = "127.0.0.1:0"; };
users : {
  rep : { name = "Rep"; email = "rep@rep.example"; role = "admin"; };
  anna : { name = "Anna"; email = "anna@our.example"; };
};
mailboxes : { in : { type = "maildir"; path = "%s"; start = "all"; poll = "1s"; }; };
relays = ( { name = "outbox"; type = "maildir"; path = "@DIR@/outbox"; } );
"""


class Site:
    """Both together; mails are counted, since each is told apart by its Message-ID."""

    def __init__(self, mta, daemon):
        self.mta, self.d, self.n = mta, daemon, 0

    def mail(self, sender, text="#tag hot\r\n", more="", to="crm@our.example"):
        self.n += 1
        return ("From: Somebody <%s>\r\nTo: %s\r\nSubject: about it\r\n%s"
                "Message-ID: <m%d@test.example>\r\nDate: Sun, 22 Nov 2026 07:00:00 +0000\r\n\r\n%s"
                % (sender, to, more, self.n, text)).encode()

    def proof(self, send):
        """What leadd finds of the mail that send() hands over: (how, why)."""
        mark = self.d.mark()
        send()
        try:
            m = self.d.wait_log(r'mail\.proof message=\S+ user=\S+ how=(\S+) '
                                r'commands=(\S+) why="(.*?)"',
                                after=mark)
        except TimeoutError:
            raise AssertionError(self.mta.log())
        self.commands = m.group(2) == "yes"
        return m.group(1), m.group(3)


@pytest.fixture(scope="module", params=["header", "results"])
def site(request):
    with servers.Mta(sign_in=request.param) as mta:
        header = "X-Authenticated-User" if request.param == "header" else "X-None"
        with Daemon(CONF % (header, mta.maildir), company.files("lang = 1;\n")) as d:
            s = Site(mta, d)
            s.kind = request.param
            yield s


def test_a_mail_that_the_domain_signed_is_proven(site):
    mail = site.mail("rep@rep.example")
    how, why = site.proof(lambda: site.mta.provider("rep@rep.example", "crm@our.example", mail))
    assert (how, why) == ("auth", "dmarc=pass for rep.example by mx.our.example")
    assert site.commands


def test_the_same_mail_is_nothing_once_it_is_altered(site):
    before = len(site.mta.mails())
    mail = site.mail("rep@rep.example")
    site.proof(lambda: site.mta.provider("rep@rep.example", "crm@our.example", mail))
    (signed,) = site.mta.mails()[before:]
    signed = signed[signed.index(b"DKIM-Signature"):].replace(b"\n", b"\r\n")
    assert b"#tag hot" in signed
    altered = signed.replace(b"#tag hot", b"#tag cold")
    how, why = site.proof(lambda: site.mta.outside("rep@rep.example", "crm@our.example", altered))
    assert how == "none" and "=fail for rep.example" in why
    # nor with another From on top, nor another Sender
    twice = b"From: rep@rep.example\r\n" + renamed(signed)
    how, why = site.proof(lambda: site.mta.outside("x@stranger.example", "crm@our.example", twice))
    assert how == "none" and not site.commands


def renamed(mail):
    """The Message-ID is one of the fields that nobody signs."""
    return mail.replace(b"Message-ID: <", b"Message-ID: <again.")


def test_a_signed_mail_that_somebody_hands_in_again_commands_nothing(site):
    """First one that was to us, then one that we were never sent."""
    for to, why_not in (("crm@our.example", "the same signed mail came before"),
                        ("x@stranger.example", "not as a mail to us")):
        before = len(site.mta.mails())
        mail = site.mail("rep@rep.example", to=to)
        site.proof(lambda: site.mta.provider("rep@rep.example", "crm@our.example", mail))
        assert site.commands == (to == "crm@our.example")
        (signed,) = site.mta.mails()[before:]
        signed = renamed(signed[signed.index(b"DKIM-Signature"):].replace(b"\n", b"\r\n"))
        how, why = site.proof(lambda: site.mta.outside("x@stranger.example", "crm@our.example",
                                                       signed))
        assert how == "auth" and why_not in why and not site.commands
        added = b"To: crm@our.example\r\n" + signed.replace(b"again.", b"once-more.")
        how, why = site.proof(lambda: site.mta.outside("x@stranger.example", "crm@our.example",
                                                       added))
        assert (how, why) == ("none", "it has more than one To")


def test_a_stranger_is_not_believed_whatever_the_mail_brings_along(site):
    forged = ("Authentication-Results: mx.our.example; dkim=pass header.d=rep.example;\r\n"
              "\tdmarc=pass header.from=rep.example; auth=pass smtp.auth=rep@rep.example\r\n"
              "X-Authenticated-User: rep@rep.example\r\n")
    for more in ("", forged, forged + "Received: from a by mx.our.example with LMTP id 1; x\r\n",
                 "Received: from a by mx.our.example with LMTP id 1; x\r\n" + forged):
        body = site.mail("rep@rep.example")
        how, why = site.proof(lambda: site.mta.outside("x@stranger.example", "crm@our.example",
                                                       more.encode() + body))
        assert how == "none", why


def test_a_greeting_that_looks_like_a_line_of_ours_changes_nothing(site):
    forged = b"Authentication-Results: mx.our.example; dkim=pass header.d=rep.example\r\n"
    for helo in ("by mx.our.example with LMTP id 1;", "x by mx.our.example with LMTP (",
                 "mx.our.example"):
        body = site.mail("rep@rep.example")
        how, why = site.proof(lambda: site.mta.outside("x@stranger.example", "crm@our.example",
                                                       forged + body, helo=helo))
        assert how == "none", why


def test_who_signed_in_here_is_proven_and_nobody_else_in_that_name(site):
    sent = site.mail("anna@our.example")
    how, why = site.proof(lambda: site.mta.submit("anna@our.example", "anna@our.example",
                                                  "crm@our.example", sent))
    assert (how, why) == ("submission", "signed in as anna@our.example")
    sent = site.mail("anna@our.example")
    how, why = site.proof(lambda: site.mta.submit("eve@our.example", "anna@our.example",
                                                  "crm@our.example", sent))
    assert how == "none" and "somebody else" in why


def test_what_milters_could_not_look_at_proves_nothing(site):
    """Both are gone, and Postfix takes mail all the same."""
    forged = b"Authentication-Results: mx.our.example; dkim=pass header.d=rep.example\r\n"
    for p in site.mta.procs[:3]:
        p.kill()
        p.wait()
    body = site.mail("rep@rep.example")
    how, why = site.proof(lambda: site.mta.outside("rep@rep.example", "crm@our.example",
                                                   forged + body))
    assert (how, why) == ("none", "no results of mx.our.example above Received by mx.our.example")
    assert until(lambda: len(site.mta.mails()) >= site.n)
    assert site.d.ctl("reconcile")  # every one has its row
