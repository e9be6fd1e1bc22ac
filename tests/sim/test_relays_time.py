# SPDX-License-Identifier: ISC
"""Relays over hours and days that pass in seconds: one that is down, one that refuses
everything, so many mails in a minute, a ceiling for the day that grows, and how many
mails to one domain are under way.
"""
import collections
import os
import signal
import sys
import threading

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "e2e"))

import company  # noqa: E402
from daemon import until  # noqa: E402
from peers import SmtpPeer, hold, refuse  # noqa: E402
from test_outbox_time import DAY, HOUR, MINUTE, Company  # noqa: E402

SECOND = MINUTE // 60


def spare(d):
    """What came out by the Maildir relay: {recipient: [subject]}."""
    found = collections.defaultdict(list)
    for m in company.sent(d.dir):
        found[m["To"]].append(m["Subject"])
    return found


def notices(d, words):
    return sum(words in s for to, all_ in spare(d).items() if "mia@" in to for s in all_)


def leads(d, count, first=0, domain="shop%d.example"):
    for n in range(first, first + count):
        d.lead("p%d@%s" % (n, domain % n if "%" in domain else domain))


def test_a_relay_that_is_down_is_told_of_once_and_once_more_when_it_is_back():
    with SmtpPeer() as gone:
        port = gone.port
    relays = company.smtp(port) + ", " + company.MAILDIR_OUT
    with Company(relays, env={"LEADD_HOOKS": "courier.impatient"}) as d:
        for n in range(8):
            leads(d, 1, n)
            d.quiet()
        until(lambda: notices(d, "no mail by the relay main") == 1, why="the notice")
        until(lambda: {r["state"] for r in d.outbox()} == {"sent"}, why="all sent by the other")
        for n in range(8, 12):
            d.advance(HOUR)
            leads(d, 1, n)
            d.quiet()
        assert notices(d, "no mail by the relay main") == 1
        with SmtpPeer(port=port) as peer:
            n = 12
            while not peer.mails:  # the courier, too, leaves it alone for a while, by its own clock
                assert n < 500
                d.advance(HOUR)
                leads(d, 1, n)
                d.quiet()
                n += 1
            until(lambda: notices(d, "the relay main takes mail again")
                  + sum("takes mail again" in m.data.decode() for m in peer.mails) == 1,
                  why="the second notice")
            d.ctl("clock", "advance", "1h")
            leads(d, 3, n)
            d.quiet()
            assert notices(d, "no mail by the relay main") == 1


def test_while_the_only_relay_is_down_mails_wait_and_few_of_them_are_tried():
    with SmtpPeer() as gone:
        port = gone.port
    with Company(company.smtp(port)) as d:
        leads(d, 30)
        d.quiet()
        d.advance(6 * HOUR)
        d.quiet()
        mails = [r for r in d.outbox() if r["to"] != "mia@example.com"]
        assert {r["state"] for r in mails} == {"deferred"}
        # one in a quarter of an hour, and those that had left before it was known
        assert sum(r["attempts"] for r in mails) < 30 + 6 * 4 + 10
        assert any("waits for a relay" in (r["reply"] or "") for r in mails)
        with SmtpPeer(port=port) as peer:
            d.advance(5 * HOUR)
            until(lambda: {r["state"] for r in d.outbox()} == {"sent"}, why="all sent")
            to = [m.recipient for m in peer.mails if m.recipient != "mia@example.com"]
            assert sorted(to) == sorted("p%d@shop%d.example" % (n, n) for n in range(30))


def test_a_trial_that_ends_without_a_word_lets_the_next_mail_try_at_once():
    with SmtpPeer() as gone:
        port = gone.port
    go = threading.Event()
    with Company(company.smtp(port), env={"LEADD_HOOKS": "courier.impatient"}) as d:
        leads(d, 4)
        d.quiet()
        assert any("waits for a relay" in (r["reply"] or "") for r in d.outbox())
        with SmtpPeer([{"mail": [hold(go)] * 20}] * 20, port=port) as peer:
            d.advance(MINUTE + SECOND)
            until(lambda: [r for r in d.outbox() if r["state"] == "claimed"], why="a trial")
            os.kill(d.pid("courier"), signal.SIGKILL)
            go.set()
            leads(d, 1, 4)
            until(lambda: peer.mails, why="a mail in the same minute")


def test_a_relay_that_refuses_everything_is_left_before_all_mails_have_failed():
    with SmtpPeer([{"rcpt": [refuse(554, "5.7.1 your address is blocked")] * 100}]) as peer:
        relays = company.smtp(peer.port, connections=1) + ", " + company.MAILDIR_OUT
        with Company(relays) as d:
            for n in range(30):
                leads(d, 1, n)
                d.quiet()
            until(lambda: notices(d, "no mail by the relay main") == 1, why="the notice")
            failed = [r for r in d.outbox() if r["state"] == "failed"]
            assert len(failed) == 20 and len(spare(d)) == 10 + 1


def test_addresses_that_are_none_are_no_news_of_the_relay():
    with SmtpPeer([{"rcpt": [refuse(550, "5.1.1 nobody here")] * 25}]) as peer:
        relays = company.smtp(peer.port, connections=1) + ", " + company.MAILDIR_OUT
        with Company(relays) as d:
            leads(d, 26)
            until(lambda: len(peer.mails) == 1, why="the one that is somebody")
            d.quiet()
            assert len(spare(d)) == 0


def test_no_more_mails_leave_in_a_minute_than_rate_says():
    with SmtpPeer() as peer:
        with Company(company.smtp(peer.port, rate=60)) as d:
            leads(d, 10)
            d.quiet()
            seen = [len(peer.mails)]
            while len(peer.mails) < 10:
                d.advance(SECOND)
                d.quiet()
                seen.append(len(peer.mails))
            assert seen[0] <= 2 and len(seen) >= 8
            assert all(b - a <= 2 for a, b in zip(seen, seen[1:])), seen
            assert {r["state"] for r in d.outbox()} == {"sent"}


def test_a_new_relay_gets_more_from_day_to_day_and_the_others_go_by_the_next():
    with SmtpPeer() as peer:
        relays = company.smtp(peer.port, warm_up=3, warm_up_growth=100, daily_max=7)
        with Company(relays + ", " + company.MAILDIR_OUT) as d:
            n, last = 0, 0
            for most in (3, 6, 7, 7):
                leads(d, 9, n)
                n += 9
                d.quiet()
                until(lambda: {r["state"] for r in d.outbox()} == {"sent"}, why="all sent")
                assert len(peer.mails) - last == most
                last = len(peer.mails)
                d.advance(DAY)
            assert len(peer.mails) + len(spare(d)) == n


def test_beyond_the_days_ceiling_a_mail_waits_for_the_next_day_also_over_a_restart():
    with SmtpPeer() as peer:
        with Company(company.smtp(peer.port, daily_max=2)) as d:
            leads(d, 3)
            d.quiet()
            (row,) = [r for r in d.outbox() if r["state"] == "deferred"]
            assert len(peer.mails) == 2 and row["attempts"] == 0
            assert row["reply"] == "has had its mails of today: relay main"
            assert row["next_ms"] % DAY == 0 and 0 < row["next_ms"] - d.now() <= DAY
            d.kill("engine")
            leads(d, 1, 3)
            d.quiet()
            assert len(peer.mails) == 2
            d.advance(DAY)
            until(lambda: len(peer.mails) == 4, why="the other two")


def test_no_more_mails_to_one_domain_are_under_way_than_may_be():
    go, at, most = threading.Event(), collections.Counter(), collections.Counter()
    lock = threading.Lock()

    class Counting(SmtpPeer):
        def do_data(self, conn, line):
            domain = conn.recipient.split("@")[1]
            with lock:
                at[domain] += 1
                most[domain] = max(most[domain], at[domain])
            super().do_data(conn, line)
            with lock:
                at[domain] -= 1

    with Counting([{"dot": [hold(go)] * 20}] * 20) as peer:
        try:
            with Company(company.smtp(peer.port, connections=8), settings="per_domain = 2;") as d:
                leads(d, 6, domain="big.example")
                d.lead("x@small.example")
                until(lambda: len(peer.received) == 3, why="two of one domain, and one")
                assert at == {"big.example": 2, "small.example": 1}
                until(lambda: sum(r["reply"] == "waits its turn at big.example"
                                  for r in d.outbox()) == 4, why="four that wait")
                go.set()

                def all_sent():
                    d.advance(SECOND)
                    return {r["state"] for r in d.outbox()} == {"sent"}
                until(all_sent, why="all sent")
                assert most == {"big.example": 2, "small.example": 1} and len(peer.mails) == 7
        finally:
            go.set()
