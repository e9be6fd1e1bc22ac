# SPDX-License-Identifier: ISC
"""Proof by real servers: Postfix, opendkim, opendmarc and SASL, all on loopback. What
they vouch for may command, and nothing that anybody else hands them does."""
import os
import re

import pytest

import company
import mta as servers
from daemon import Daemon, until
from test_main_job import rows, wait_rows

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

    def proofs(self, *sends):
        """What leadd finds of the mails that these hand over: [(how, commands, why)], in
        the order in which it saw them."""
        mark = self.d.mark()
        for send in sends:
            send()
        found = re.compile(r'mail\.proof message=\S+ user=\S+ how=(\S+) commands=(\S+) why="(.*?)"')

        def look():
            got = [m.groups() for m in map(found.search, self.d.lines[mark:]) if m]
            return got if len(got) >= len(sends) else None
        try:
            return until(look, why="the proofs")
        except TimeoutError:
            raise AssertionError(self.mta.log())

    def proof(self, send):
        (one,) = self.proofs(send)
        return one

    def stranger(self, mail, **more):
        return lambda: self.mta.outside("x@stranger.example", "crm@our.example", mail, **more)

    def signed(self, **more):
        """A mail that the provider signs: what is found of it, and its bytes as signed."""
        before = len(self.mta.mails())
        mail = self.mail("rep@rep.example", **more)
        found = self.proof(lambda: self.mta.provider("rep@rep.example", "crm@our.example", mail))
        (got,) = self.mta.mails()[before:]
        return found, got[got.index(b"DKIM-Signature"):].replace(b"\n", b"\r\n")


def serve(sign_in):
    return servers.Mta(sign_in=sign_in)


def leadd(mta, header):
    return Daemon(CONF % (header, mta.maildir), company.files("lang = 1;\n"))


@pytest.fixture(scope="module")
def site():
    with serve("header") as mta, leadd(mta, "X-Authenticated-User") as d:
        yield Site(mta, d)


def test_a_mail_that_the_domain_signed_is_proven(site):
    found, _ = site.signed()
    assert found == ("auth", "yes", "dmarc=pass for rep.example by mx.our.example")


def test_a_proven_mail_commands_and_one_that_only_says_so_waits(site):
    site.mta.outside("ada@shop.example", "crm@our.example", site.mail("ada@shop.example", "Hi!\r\n"))
    wait_rows(site.d, 1, "list", "leads")
    both = "crm@our.example, ada@shop.example"
    site.signed(to=both)
    forged = site.mail("rep@rep.example", "#tag cold\r\n", to=both)
    assert site.proof(site.stranger(forged))[:2] == ("none", "no")
    assert [r["commands"] for r in rows(site.d, "held", "list") if "cold" in r["commands"]]
    assert dict(site.d.ctl("show", "L1")["fields"])["Tags"] == ["hot"]


def renamed(mail, to=b"again."):
    """The Message-ID is one of the fields that nobody signs."""
    return mail.replace(b"Message-ID: <", b"Message-ID: <" + to)


def test_the_same_mail_is_nothing_once_it_is_altered(site):
    _, signed = site.signed()
    altered = signed.replace(b"#tag hot", b"#tag cold")
    twice = b"From: rep@rep.example\r\n" + renamed(signed)
    assert altered != signed
    found = site.proofs(site.stranger(altered), site.stranger(twice))
    assert {(how, commands) for how, commands, _ in found} == {("none", "no")}
    assert any("=fail for rep.example" in why for _, _, why in found)


def test_a_signed_mail_that_somebody_hands_in_again_commands_nothing(site):
    """First one that was to us, then one that we were never sent."""
    for to, commands, why in (("crm@our.example", "yes", "the same signed mail came before"),
                              ("x@stranger.example", "no",
                               "signed, but not as a mail to us: it may have been handed on")):
        found, signed = site.signed(to=to)
        assert found[:2] == ("auth", commands)
        added = b"To: crm@our.example\r\n" + renamed(signed, b"once-more.")
        found = site.proofs(site.stranger(renamed(signed)), site.stranger(added))
        assert set(found) == {("auth", "no", why), ("none", "no", "it has more than one To")}


def test_a_stranger_is_not_believed_whatever_the_mail_brings_along(site):
    forged = ("Authentication-Results: mx.our.example; dkim=pass header.d=rep.example;\r\n"
              "\tdmarc=pass header.from=rep.example; auth=pass smtp.auth=rep@rep.example\r\n"
              "X-Authenticated-User: rep@rep.example\r\n").encode()
    local = b"Received: from a by mx.our.example with LMTP id 1; x\r\n"
    mails = [more + site.mail("rep@rep.example") for more in (b"", forged, forged + local,
                                                              local + forged)]
    # a greeting that looks like a line of ours
    helos = ("by mx.our.example with LMTP id 1;", "x by mx.our.example with LMTP (",
             "mx.our.example")
    sends = [site.stranger(m) for m in mails]
    sends += [site.stranger(forged + site.mail("rep@rep.example"), helo=h) for h in helos]
    assert {found[:2] for found in site.proofs(*sends)} == {("none", "no")}


@pytest.mark.parametrize("how", ["header", "results"])
def test_who_signed_in_here_is_proven_and_nobody_else_in_that_name(site, how):
    """Told by a header of the server, or by auth=pass in results of its own."""
    def check(s):
        for login, want in (("anna@our.example", ("submission", "yes",
                                                  "signed in as anna@our.example")),
                            ("eve@our.example", ("none", "no", "who sent it has signed in as "
                                                 "somebody else than anna"))):
            sent = s.mail("anna@our.example")
            assert s.proof(lambda: s.mta.submit(login, "anna@our.example", "crm@our.example",
                                                sent)) == want
    if how == "header":
        check(site)
        return
    with serve(how) as mta, leadd(mta, "X-None") as d:
        check(Site(mta, d))


def test_what_milters_could_not_look_at_proves_nothing(site):
    """Both are gone, and Postfix takes mail all the same."""
    forged = b"Authentication-Results: mx.our.example; dkim=pass header.d=rep.example\r\n"
    for p in site.mta.procs[:3]:
        p.kill()
        p.wait()
    found = site.proof(site.stranger(forged + site.mail("rep@rep.example")))
    assert found == ("none", "no",
                     "no results of mx.our.example above Received by mx.our.example")
    assert until(lambda: len(site.mta.mails()) >= site.n)
    assert site.d.leadctl("reconcile").returncode == 0  # every one has its row
