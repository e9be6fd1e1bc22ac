# SPDX-License-Identifier: ISC
"""The outbox at work: who goes first, how fast, and what the sysadmin is told."""
import collections
import contextlib
import http.client
import threading

import company
import load
from daemon import Daemon, until
from peers import SmtpPeer, hold

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
