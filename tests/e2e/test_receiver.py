# SPDX-License-Identifier: ISC
"""What the outbox says of a follow-up when the relay does its worst: the whole
daemon, from the form to the row. That each outcome is the courier's right one is
tested in test_courier.py."""
import collections
import threading

import pytest

import company
from daemon import Daemon, until
from load import Load, database
from peers import (SmtpPeer, defer, drop, endless, garbage, half_close, hang, hold, raw, refuse,
                   reset, split, then_drop, trickle)
from roles import SLOW

STEPS = ["greeting", "ehlo", "mail", "rcpt", "data", "dot"]
EARLY = STEPS[:-1]
PIPELINING = ("PIPELINING", "SIZE 100000000", "8BITMIME")


class World:
    """One daemon with one relay, whose next connection behaves as told."""

    def __init__(self, caps):
        self.peer = SmtpPeer(caps=caps)
        short = "%dms" % (1000 * SLOW)
        relay = company.smtp(self.peer.port, connections=1, reply_timeout=short,
                             connect_timeout=short)
        self.d = Daemon(company.conf(relays=relay), company.files())
        self.load = Load(self.d, 0)
        self.n = 0

    def send(self, **script):
        """A form, whose follow-up meets this script; its address."""
        self.peer.default = script
        for conn in list(self.peer.conns):
            conn.shut()
        self.peer.wait(lambda: self.peer.open == 0)
        self.n += 1
        address = "r%d@receiver.example" % self.n
        assert self.load.one(address)[0] == 200
        return address

    def row(self, address):
        with database(self.d) as db:
            return db.execute("SELECT state, attempts, code, next_ms IS NOT NULL, id FROM outbox "
                              "WHERE to_addr = ?", (address,)).fetchone()

    def settled(self, address):
        """(state, attempts, code, whether it is tried again)"""
        return until(lambda: (r := self.row(address)) and r[0] not in ("ready", "claimed") and r,
                     why="the outcome of " + address)[:4]

    def whole(self, address):
        """How often the relay had the whole mail."""
        return sum(1 for m in self.peer.received if m.recipient == address)

    def heal(self):
        """The breaker is closed: what the last test did to the relay is not this one's."""
        a = self.send()
        if self.settled(a)[0] == "deferred":  # it was open; a person may try at once
            self.d.ctl("outbox", "retry", str(self.row(a)[4]))
        until(lambda: self.row(a)[0] == "sent", why="the relay is taken for good again")

    def then_works(self):
        assert self.settled(self.send()) == ("sent", 1, 250, 0)

    def close(self):
        self.d.close()
        self.peer.close()


@pytest.fixture(scope="module", params=[("SIZE 100000000", "8BITMIME"), PIPELINING],
                ids=["plain", "pipelining"])
def one_world(request):
    w = World(request.param)
    yield w
    w.close()


@pytest.fixture
def world(one_world):
    one_world.heal()
    return one_world


def test_accepted_is_sent(world):
    a = world.send()
    assert world.settled(a) == ("sent", 1, 250, 0) and world.whole(a) == 1


def test_replies_split_over_packets_are_sent(world):
    a = world.send(**{s: split for s in STEPS})
    assert world.settled(a) == ("sent", 1, 250, 0) and world.whole(a) == 1


@pytest.mark.parametrize("step", ["mail", "rcpt", "data", "dot"])
def test_refused_is_failed_and_not_tried_again(world, step):
    a = world.send(**{step: refuse(550, "5.1.1 nobody")})
    assert world.settled(a) == ("failed", 1, 550, 0)
    world.then_works()


@pytest.mark.parametrize("step", ["mail", "rcpt", "data", "dot"])
@pytest.mark.parametrize("code", [421, 451])
def test_deferred_is_tried_again_and_never_unknown(world, step, code):
    a = world.send(**{step: defer(code)})
    assert world.settled(a) == ("deferred", 1, code, 1)
    world.peer.default = {}
    world.d.ctl("outbox", "retry", str(world.row(a)[4]))
    until(lambda: world.row(a)[0] == "sent", why="the second try")
    assert world.row(a)[1] == 2
    assert sum(1 for m in world.peer.mails if m.recipient == a) == 1


@pytest.mark.parametrize("action", [refuse(554), defer(421)], ids=["554", "421"])
@pytest.mark.parametrize("step", ["greeting", "ehlo"])
def test_a_relay_that_refuses_everybody_is_deferred(world, step, action):
    a = world.send(**{step: action, "helo": action})
    assert world.settled(a)[::3] == ("deferred", 1) and world.whole(a) == 0


@pytest.mark.parametrize("action", [drop, reset, hang, trickle, garbage, endless, half_close,
                                    raw(b"2", drop), raw(b"250-first\r\n550 second\r\n", hang)],
                         ids=["drop", "reset", "hang", "trickle", "garbage", "endless",
                              "half-close", "half", "mixed"])
@pytest.mark.parametrize("step", EARLY)
def test_trouble_before_the_final_dot_is_deferred_and_nobody_has_the_mail(world, step, action):
    a = world.send(**{step: action, "helo": action})
    state, attempts, _, again = world.settled(a)
    if action is half_close and step == "data" and state == "unknown":
        return  # the dot left before the end was seen
    assert (state, attempts, again) == ("deferred", 1, 1) and world.whole(a) == 0


@pytest.mark.parametrize("action", [drop, reset, garbage, raw(b"25", drop), endless,
                                    raw(b"250-a\r\n550 b\r\n", drop)],
                         ids=["drop", "reset", "garbage", "half", "endless", "mixed"])
def test_no_clear_answer_after_the_dot_is_unknown_and_asks(world, action):
    a = world.send(dot=action)
    assert world.settled(a)[::3] == ("unknown", 0) and world.whole(a) == 1
    world.then_works()
    assert world.whole(a) == 1, "never sent again by itself"
    lead = world.d.ctl("outbox", "show", str(world.row(a)[4]))
    assert "unknown" in str(lead)


@pytest.mark.parametrize("action", [hang, trickle], ids=["hang", "trickle"])
def test_silence_after_the_dot_is_waited_for_and_unknown_when_the_courier_dies(world, action):
    a = world.send(dot=action)
    world.peer.wait(lambda: world.whole(a) == 1)
    if world.row(a)[0] == "claimed":
        world.d.kill("courier")
    assert world.settled(a)[0] == "unknown"
    world.then_works()
    assert world.whole(a) == 1


@pytest.mark.parametrize("step", ["mail", "data"])
def test_a_courier_killed_before_the_dot_leaves_nothing_unknown(world, step):
    a = world.send(**{step: [hang]})
    world.peer.wait(lambda: world.peer.count(step) and world.peer.open)
    world.d.kill("courier")
    world.peer.default = {}
    seen = until(lambda: (r := world.row(a)) and r[0] in ("sent", "deferred") and r,
                 why="the next try")
    assert seen[0] == "sent" or seen[3]


# ---- two relays ------------------------------------------------------------------------------

@pytest.mark.parametrize("step", STEPS)
def test_a_stuck_relay_holds_only_what_it_has_begun(step):
    """All mails prefer the first relay. It hangs with what it holds until twenty later
    ones have gone through the second: nobody waited for it."""
    gate = threading.Event()
    with SmtpPeer() as stuck, SmtpPeer() as good:
        stuck.default = {step: hold(gate)}
        relays = (company.smtp(stuck.port, "first", connections=2, connect_timeout="5m") + ", " +
                  company.smtp(good.port, "second", connections=2))
        with Daemon(company.conf(relays=relays), company.files(),
                    env={"LEADD_HOOKS": "courier.impatient"}) as d:
            load = Load(d, 0)
            for n in range(22):
                load.one("s%d@stuck.example" % n)
            good.wait(lambda: len(good.mails) >= 20, timeout=120)
            assert not stuck.mails and stuck.count(step) <= 2
            gate.set()
            got = until(lambda: len(c := collections.Counter(
                m.recipient for m in stuck.mails + good.mails if m.recipient.endswith("@stuck.example")))
                == 22 and c, why="the rest")
            assert set(got.values()) == {1} and len(got) == 22


def test_the_accepting_relay_may_hang_up_after_every_mail():
    with SmtpPeer() as peer:
        peer.default = {"dot": [then_drop]}
        relay = company.smtp(peer.port, connections=2)
        with Daemon(company.conf(relays=relay), company.files()) as d:
            load = Load(d, 0)
            for n in range(15):
                load.one("h%d@hangup.example" % n)
            peer.wait(lambda: len(peer.mails) == 15)
            got = collections.Counter(m.recipient for m in peer.mails)
            assert set(got.values()) == {1}
