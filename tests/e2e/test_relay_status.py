# SPDX-License-Identifier: ISC
"""Relays side by side: one that hangs holds up no other, and leadctl relay status tells of each."""
import contextlib

import company
from daemon import Daemon, until
from peers import SmtpPeer, hang


def rows(d, n):
    return d.ctl("relay", "status")["sections"][n]["rows"]


def relay(d, name):
    return next(r for r in rows(d, 0) if r["name"] == name)


def states(d):
    """Of the mails to customers."""
    return sorted(r["state"] for r in d.ctl("outbox", "list", "limit=1000")["rows"]
                  if r["to"] != "mia@example.com")


def leads(d, first, last):
    for n in range(first, last):
        d.ingest(company.mail(sender="p%d@shop%d.example" % (n, n)))


def test_while_one_relay_hangs_all_other_mail_leaves_by_the_next():
    with SmtpPeer([{"dot": hang}] * 99) as stuck, SmtpPeer() as good:
        relays = "%s, %s" % (company.smtp(stuck.port, name="stuck", connections=2),
                             company.smtp(good.port, name="good"))
        with Daemon(company.conf(relays=relays), company.files(),
                    env={"LEADD_HOOKS": "courier.impatient"}) as d, \
                contextlib.ExitStack() as at_end:
            at_end.callback(stuck.close)  # else the courier waits for it before it ends
            leads(d, 0, 2)
            until(lambda: stuck.count("dot") == 2, why="both its connections hang")
            leads(d, 2, 32)
            until(lambda: sum(m.recipient != "mia@example.com" for m in good.mails) == 30,
                  why="the other thirty by the next")
            assert stuck.mails == []
            until(lambda: states(d) == ["claimed"] * 2 + ["sent"] * 30)
            # what it was passed over for is what the engine knows of it
            row = until(lambda: (lambda r: r if r["state"] != "ok" else None)(relay(d, "stuck")),
                        why="the breaker of the one that hangs")
            assert row["state"] == "does not answer" and row["next"]
            assert "no connection moves" in row["said"]
            assert relay(d, "good")["state"] == "ok" and relay(d, "good")["next"] == ""


def test_status_tells_what_a_relay_had_today_and_what_waits_in_which_line():
    with SmtpPeer() as peer:
        conf = company.conf(relays=company.smtp(peer.port, name="small", daily_max=3, rate=600))
        with Daemon(conf, company.files()) as d:
            leads(d, 0, 5)
            until(lambda: len(peer.mails) == 3 and states(d).count("sent") == 3, why="three left")
            row = until(lambda: (lambda r: r if r["state"] != "ok" else None)(relay(d, "small")))
            assert row["state"] == "has had its mails of today"
            assert (row["today"], row["mails"], row["ceiling"]) == ("3 of 3", 3, 3)
            assert row["rate"] == 600 and row["next"].endswith("T00:00:00.000Z")
            (line,) = until(lambda: (lambda w: w if w and not w[0]["due"] else None)(rows(d, 1)))
            assert (line["lane"], line["mails"], line["tried"]) == ("follow-ups", 2, "no")
            text = d.ctl_text("relay", "status", width=200)
            assert "has had its mails of today" in text and "follow-ups" in text


def test_a_relay_without_a_ceiling_and_an_empty_outbox_are_shown_as_such():
    with SmtpPeer() as peer:
        with Daemon(company.conf(relays=company.smtp(peer.port)), company.files()) as d:
            row = relay(d, "main")
            assert (row["state"], row["today"], row["said"]) == ("ok", "", "")
            assert "ceiling" not in row and rows(d, 1) == []
