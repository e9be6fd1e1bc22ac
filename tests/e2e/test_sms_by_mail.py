# SPDX-License-Identifier: ISC
"""Texts by gateways that are no HTTP: mail to an address, through a real SMTP receiver, and files
in the folder of SMS Server Tools."""
import contextlib
import email
import email.policy
import os

import pytest

import company
from daemon import Daemon, until
from roles import SRC
from test_kannel import files, lead, texts, wait_text

FROM = "sales@example.com"


@contextlib.contextmanager
def receiver(answer="250 2.0.0 taken"):
    """What aiosmtpd got: (sender, recipient, mail)."""
    controller = pytest.importorskip("aiosmtpd.controller")
    got = []

    class Sink:
        async def handle_DATA(self, server, session, envelope):
            got.append((envelope.mail_from, envelope.rcpt_tos[0],
                        email.message_from_bytes(envelope.content, policy=email.policy.default)))
            return answer

    class OnFreePort(controller.Controller):
        def _trigger_server(self):
            self.port = self.server.sockets[0].getsockname()[1]
            super()._trigger_server()
    sink = OnFreePort(Sink(), hostname="127.0.0.1", port=0)
    sink.start()
    try:
        yield sink.port, got
    finally:
        sink.stop()


def by_mail(port, first="", relay=None, **more):
    gateways = first + ('mailed : { preset = "email"; number = "Widgets"; params : { domain = '
                        '"sms.example.com"; }; price = "0.09 EUR"; verify : { scheme = "none"; }; };')
    conf = company.conf(relays=company.smtp(port, **(relay or {})),
                        settings='presets_dir = "%s"; gateways : { %s };'
                        % (os.path.join(os.path.abspath(SRC), "contrib"), gateways))
    return Daemon(conf, files(**more))


def to_phones(got):
    return [g for g in got if g[1].endswith("@sms.example.com")]


def test_a_text_leaves_as_mail_and_is_counted():
    with receiver() as (port, got), \
            by_mail(port, **{"templates/thanks.sms.txt": "Grüße {{contact.first_name}}, 40 €"}) as d:
        lead(d)
        row = wait_text(d, state="sent")
        ((sender, to, mail),) = to_phones(got)
        assert (row["to"], to) == ("+436601112233", "436601112233@sms.example.com")
        assert mail["Subject"] == "SMS" and mail.get_content().strip() == "Grüße Ada, 40 €"
        assert mail["Auto-Submitted"] == "auto-generated"
        assert sender and sender != FROM  # a bounce comes back to its row
        gates = d.ctl("gateway", "status")["sections"]
        assert gates[0]["rows"][0]["cost"] == "0.0900 EUR"
        assert gates[1]["rows"][0]["texts"] == 1


def test_a_refusal_of_the_mail_is_a_failure_of_the_text():
    with receiver("550 5.1.1 no such phone") as (port, got), by_mail(port) as d:
        lead(d)
        assert "no such phone" in wait_text(d, state="failed")["reply"]
        assert len(to_phones(got)) == 1


def test_a_text_by_mail_counts_for_the_day_of_the_relay_and_waits_with_the_mails():
    with receiver() as (port, got), by_mail(port, relay={"daily_max": 1}) as d:
        lead(d)
        wait_text(d, state="sent")
        assert len(to_phones(got)) == 1
        (row,) = d.ctl("relay", "status")["sections"][0]["rows"]
        assert row["today"] == "1 of 1"
        lead(d, n=2, phone="+436601112244", name="Bea Beispiel")
        until(lambda: [r for r in texts(d) if "mails of today" in (r["reply"] or "")],
              why="the second text waits for the next day")
        assert len(to_phones(got)) == 1


def test_texts_by_mail_open_the_breaker_of_a_relay_that_is_down_and_wait_behind_it():
    with receiver() as (port, _):
        pass  # nobody listens there any more
    with by_mail(port) as d:
        for n in range(3):
            lead(d, n=n + 1, phone="+43660111220%d" % n, name="Ada %d" % n)
        until(lambda: len(texts(d)) == 3, why="three texts")
        d.wait_log("relay.break relay=main")
        assert d.ctl("relay", "status")["sections"][0]["rows"][0]["state"] == "does not answer"
        lead(d, n=9, phone="+436601112299", name="Bea Beispiel")
        row = until(lambda: next((r for r in texts(d) if r["to"] == "+436601112299" and
                                  "waits for a relay" in (r["reply"] or "")), None),
                    why="the fourth is not even tried")
        assert row["attempts"] == 0


def test_mail_is_the_way_when_the_gateway_before_it_has_no_money():
    from httppeer import HttpPeer
    from test_texting import gateway, says
    with HttpPeer() as poor, receiver() as (port, got), by_mail(port, gateway(poor, "poor")) as d:
        poor.on("/send", says(402, error="no money"))
        lead(d)
        wait_text(d, state="deferred")
        lead(d, n=2, phone="+436601112244", name="Bea Beispiel")
        until(lambda: to_phones(got), timeout=120, why="the second one by mail")
        assert to_phones(got)[0][1] == "436601112244@sms.example.com"


def test_a_file_for_smstools_is_whole_when_it_is_there(tmp_path):
    out = tmp_path / "outgoing"
    out.mkdir()
    conf = company.conf(settings='presets_dir = "%s"; gateways : { modem : { preset = "smstools"; folder = '
                        '"%s"; number = "+43660123456"; verify : { scheme = "none"; }; }; };'
                        % (os.path.join(os.path.abspath(SRC), "contrib"), out))
    with Daemon(conf, files(**{"templates/thanks.sms.txt": "Grüße, 40 €\nTom"})) as d:
        lead(d)
        row = wait_text(d, state="sent")
        (name,) = os.listdir(out)
        assert row["provider_id"] == name and name.startswith("leadd-")
        head, _, body = (out / name).read_text(encoding="utf-8").partition("\n\n")
        fields = dict(x.split(": ") for x in head.split("\n"))
        assert fields.pop("Leadd-Key").startswith("O%d." % row["id"])  # by which its report finds it
        assert fields == {"To": "436601112233", "Alphabet": "UTF-8", "Report": "yes"}
        assert body == "Grüße, 40 €\nTom"
        assert len(texts(d)) == 1
