# SPDX-License-Identifier: ISC
"""The outbox at work: who goes first, how fast, and what the sysadmin is told."""
import collections
import contextlib
import email
import http.client
import threading

import pytest

import company
import load
from daemon import CtlError, Daemon, until
from peers import SmtpPeer, drop, hold, refuse

RULES = company.RULES.replace(
    "rules : {", """rules : {
  large_told : { on = "lead.created"; when = "lead.employees >= 500"; do = "notify mia"; };""")


def post(d, emails, **fields):
    connection = http.client.HTTPConnection("127.0.0.1", d.port("web-in"), timeout=300)
    for email in emails:
        assert load.post(connection, email, **fields)[0] == 200
    connection.close()


def rows(d, *more):
    return d.ctl("outbox", "list", "limit=1000", *more)["rows"]


def states(d, to=None):
    return collections.Counter(r["state"] for r in rows(d) if to is None or r["to"] == to)


def test_a_notice_waits_neither_for_a_slot_nor_for_a_connection_behind_follow_ups():
    go, n = threading.Event(), 230
    with SmtpPeer([{"dot": [hold(go)]}]) as peer:
        conf = company.conf(relays=company.smtp(peer.port, connections=1))
        with Daemon(conf, company.files(RULES)) as d, contextlib.ExitStack() as at_end:
            at_end.callback(go.set)
            post(d, ["p%d@shop%d.example" % (i, i) for i in range(n)])
            until(lambda: 0 < states(d)["claimed"] < n and states(d)["ready"] > 0
                  and sum(states(d).values()) == n, why="follow-ups that wait for a slot")
            post(d, ["big@large.example"], employees="900")
            until(lambda: states(d, "mia@example.com")["claimed"] == 1, why="the notice in hand")
            assert states(d)["ready"] > 0 and len(peer.mails) == 0
            go.set()
            until(lambda: states(d) == {"sent": n + 2}, why="all sent")
            assert [m.recipient for m in peer.mails].index("mia@example.com") == 1


# ---- unknown ------------------------------------------------------------------------

@pytest.mark.parametrize("who, state", [("ada@shop.example", "sent"), ("eve@other.example", "unknown")])
def test_an_answer_from_its_recipient_settles_what_was_unknown(who, state):
    with SmtpPeer([{"dot": [drop]}]) as peer:
        with Daemon(company.conf(relays=company.smtp(peer.port, connections=1)),
                    company.files()) as d:
            d.ingest(company.mail())
            until(lambda: states(d)["unknown"] == 1, why="a mail of which nobody knows")
            ours = email.message_from_bytes(peer.received[0].data)
            d.ingest(company.mail(sender=who, subject="Re: " + ours["Subject"],
                                  In_Reply_To=ours["Message-ID"]))
            d.wait_log("mail.filed message=M2")
            (row,) = [r for r in rows(d) if r["id"] == 1]
            assert row["state"] == state and row["attempts"] == 1
            if state == "sent":
                assert row["reply"] == "it arrived: M2 answers it"
                kinds = [r["kind"] for r in d.ctl("list", "activities", "lead=L1")["rows"]]
                assert kinds.count("mail") >= 2


# ---- many at once --------------------------------------------------------------------

def test_what_failed_is_tried_again_by_selection_and_first_only_counted():
    who = ["a@one.example", "b@one.example", "c@sub.one.example", "d@two.example"]
    script = [{"rcpt": [refuse(550, "5.7.1 Blocked by the LIST"), refuse(550, "5.7.1 blocked too"),
                        refuse(550, "5.7.1 blocked"), refuse(550, "5.1.1 nobody")]}]
    with SmtpPeer(script) as peer:
        conf = company.conf(relays=company.smtp(peer.port, connections=1))
        with Daemon(conf, company.files()) as d:
            for to in who:
                n = states(d)["failed"]
                d.ingest(company.mail(sender=to))
                until(lambda: states(d)["failed"] == n + 1, why="a refusal of %s" % to)
            chosen = ["state=failed", "domain=one.example", "reason=BLOCKED", "template=welcome",
                      "since=2020-01-01 00:00"]
            said = d.ctl_text("outbox", "retry", *chosen)
            assert "2 mails would be tried again" in said and "count=2" in said
            assert states(d) == {"failed": 4} and len(peer.mails) == 0
            with pytest.raises(CtlError, match="there are 2 now"):
                d.ctl("outbox", "retry", *chosen, "count=3")
            with pytest.raises(CtlError, match="state= with one of: failed unknown deferred"):
                d.ctl("outbox", "retry", "state=sent")
            with pytest.raises(CtlError, match="since=soon"):
                d.ctl("outbox", "retry", "state=failed", "since=soon")
            with pytest.raises(CtlError, match="colour"):
                d.ctl("outbox", "retry", "state=failed", "colour=red")
            d.ctl("outbox", "retry", *chosen, "count=2")
            until(lambda: states(d) == {"sent": 2, "failed": 2}, why="two that were sent")
            assert sorted(m.recipient for m in peer.mails) == who[:2]
            assert "nothing to retry" in d.ctl_text("outbox", "retry", *chosen)
            assert "nothing to drop" in d.ctl_text("outbox", "drop", "state=held",
                                                   "until=2020-01-01 00:00")
            d.ctl("outbox", "retry", "state=failed", "reason=nobody", "count=1")
            until(lambda: states(d) == {"sent": 3, "failed": 1}, why="the third")
