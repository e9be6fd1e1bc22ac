# SPDX-License-Identifier: ISC
"""The courier against relays that behave, and against relays that do not.

The test plays the engine: it owns the slots file, sends SEND and hears SENT.
"""
import contextlib
import os
import re
import socket
import ssl
import struct
import subprocess
import threading

import pytest

from peers import (SmtpPeer, call, defer, drop, endless, hang, hold, ok, plus, raw, refuse, reply,
                   split, then_drop, trickle)
from roles import SLOW, Role

FREE, CLAIMED, SENDING, FINAL, DONE = range(5)
MAIL = b"Message-ID: <1@example.com>\r\nSubject: hello\r\n\r\nhello\r\n"
# ms; for a timeout that the test waits for, far below BOUND_RELAY_STUCK_MS
SHORT = int(min(700 * SLOW, 2500))
LONG = 600000  # ms; for one that must not be reached


class Slots:
    """The file of daemon/base/slots.h, as the engine writes it."""

    def __init__(self, path, count=256):
        with open("/proc/sys/kernel/random/boot_id") as f:
            boot = f.read().strip().encode()
        self.fd = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        os.pwrite(self.fd, struct.pack("=8sII40s8s", b"leaddslt", 1, count, boot, b""), 0)
        os.ftruncate(self.fd, 64 + 32 * count)
        self.next = 0

    def claim(self, id_, attempt=1, at=None):
        if at is None:
            at, self.next = self.next, self.next + 1
        os.pwrite(self.fd, struct.pack("=QIIIIII", id_, attempt, CLAIMED, 0, 0, 0, 0), 64 + 32 * at)
        return at

    def row(self, at):
        return struct.unpack("=QIII", os.pread(self.fd, 20, 64 + 32 * at))

    def state(self, at):
        return self.row(at)[2]

    def code(self, at):
        return self.row(at)[3]


class Courier:
    """The role, and the engine's end of its channel."""

    def __init__(self, tmp_path, relays, gen="1"):
        self.role = Role("courier", {"relays": relays, "domain": "crm.example.com"})
        self.names = [r["name"] for r in relays]
        self.slots = Slots(tmp_path / f"slots{gen}")
        self.engine = self.role.peer("engine")
        self.role.start()
        self.at = {}
        self.hello = self.engine.recv("HELLO")
        self.engine.send("SLOTS", 0, {"slots": 256}, fd=self.slots.fd)

    def send(self, id_, mail=MAIL, relays=None, sender="a@example.com", to="b@example.net",
             attempt=1):
        self.at[id_] = self.slots.claim(id_, attempt)
        self.engine.send("SEND", id_, {"relay": relays or self.names, "from": sender, "to": to,
                                       "slot": self.at[id_]}, raw=mail)

    def sent(self, id_, timeout=120):
        f = self.engine.recv("SENT", where=lambda x: x.id == id_, timeout=timeout)
        self.engine.send("RECEIPT", id_, {"status": "filed"})
        return f.json

    def one(self, id_=1, **kw):
        self.send(id_, **kw)
        return self.sent(id_)

    def state(self, id_):
        return self.slots.state(self.at[id_])

    def code(self, id_):
        return self.slots.code(self.at[id_])

    def new_engine(self):
        self.engine.close()
        self.engine = self.role.peer("engine", gen="2")
        return self.engine.recv("HELLO").json


@pytest.fixture
def start(tmp_path):
    made = []

    def make(*relays):
        c = Courier(tmp_path, list(relays), str(len(made)))
        made.append(c)
        return c
    yield make
    for c in made:
        c.role.__exit__()


CAPS = {"in turn": ("SIZE 100000000", "8BITMIME"),
        "pipelined": ("SIZE 100000000", "PIPELINING", "8BITMIME")}


@pytest.fixture(params=CAPS)
def serve(request):
    """Relays that want a command at a time, and relays that take three at once."""
    made = []

    def make(*a, **kw):
        made.append(SmtpPeer(*a, **{"caps": CAPS[request.param], **kw}))
        return made[-1]
    yield make
    for p in made:
        p.close()


def relay(peer, name="main", **kw):
    port = peer if isinstance(peer, int) else peer.port
    return dict({"name": name, "type": "smtp", "host": "127.0.0.1", "port": port, "tls": "none",
                 "connections": 4, "connect_timeout": LONG, "reply_timeout": LONG}, **kw)


# ---- a relay that behaves --------------------------------------------------------

def test_a_mail_is_accepted_as_it_was_sent(start, serve):
    peer = serve()
    c = start(relay(peer))
    assert c.hello.json == {"busy": []}
    out = c.one(17, to="c@example.net")
    assert out["outcome"] == "accepted" and out["code"] == 250 and out["relay"] == "main"
    assert out["text"] == "250 2.0.0 queued as 1" and out["ms"] >= 0
    (m,) = peer.mails
    assert (m.sender, m.recipient, m.data) == ("a@example.com", "c@example.net", MAIL)
    assert peer.lines[0] == (0, "EHLO crm.example.com")
    assert (c.state(17), c.code(17)) == (DONE, 250)


def test_the_null_sender_is_written_as_such(start, serve):
    peer = serve()
    assert start(relay(peer)).one(sender="")["outcome"] == "accepted"
    assert any(re.match(r"MAIL FROM:<>( |$)", line) for _, line in peer.lines)


def test_dots_and_ten_megabytes_arrive_intact(start, serve):
    peer = serve()
    c = start(relay(peer))
    line = b".begins with a dot %07d " + b"x" * 50 + b"\r\n"
    big = b"Subject: big\r\n\r\n" + b"".join(line % i for i in range(130000)) + b".\r\n..\r\n"
    assert len(big) > 10_000_000
    c.send(1, mail=big)
    assert c.sent(1)["outcome"] == "accepted"
    assert peer.mails[0].data == big


def test_many_mails_share_one_connection(start, serve):
    peer = serve()
    c = start(relay(peer, connections=1))
    for i in range(1, 101):
        c.send(i)
    assert {c.sent(i)["outcome"] for i in range(1, 101)} == {"accepted"}
    assert peer.sessions == 1 and len(peer.mails) == 100


def test_no_more_connections_than_allowed(start, serve):
    gate = threading.Event()
    peer = serve([{"dot": hold(gate)} for _ in range(3)])
    c = start(relay(peer, connections=3))
    for i in range(1, 31):
        c.send(i)
    peer.wait(lambda: peer.count("dot") == 3)
    gate.set()
    assert {c.sent(i)["outcome"] for i in range(1, 31)} == {"accepted"}
    assert peer.most_open == 3 and len(peer.mails) == 30


def test_a_refused_mail_does_not_cost_the_connection(start, serve):
    peer = serve([{"rcpt": [refuse(550, "5.1.1 nobody"), ok], "mail": [ok, ok, defer()]}])
    c = start(relay(peer, connections=1))
    assert c.one(1)["outcome"] == "failed"
    assert c.one(2)["outcome"] == "accepted"
    assert c.one(3)["outcome"] == "deferred"
    assert c.one(4)["outcome"] == "accepted"
    assert peer.sessions == 1 and len(peer.mails) == 2


@pytest.fixture
def pipelined():
    with contextlib.ExitStack() as stack:
        yield lambda *a: stack.enter_context(SmtpPeer(*a, caps=CAPS["pipelined"]))


def test_pipelined_commands_leave_before_the_first_is_answered(start, pipelined):
    def look(conn, answer):
        while not conn.buf.endswith(b"\r\nDATA\r\n"):
            conn.buf += conn.read()
        seen.append(conn.buf)
        conn.write(answer)
    seen = []
    c = start(relay(pipelined([{"mail": look}]), reply_timeout=SHORT))
    assert c.one(1, to="c@example.net")["outcome"] == "accepted"
    assert seen == [b"RCPT TO:<c@example.net>\r\nDATA\r\n"]


@pytest.mark.parametrize("step, outcome", [("mail", "failed"), ("rcpt", "failed")])
def test_no_dot_follows_a_data_that_is_taken_behind_a_refusal(start, pipelined, step, outcome):
    """It would be a mail without a recipient, and without a word."""
    taken = reply("354 go on nevertheless")
    peer = pipelined([{step: refuse(550, "5.1.1 nobody"), "data": taken}])
    c = start(relay(peer, connections=1))
    out = c.one(1)
    assert (out["outcome"], out["text"]) == (outcome, "550 5.1.1 nobody")
    assert c.one(2)["outcome"] == "accepted"
    assert peer.sessions == 2 and [m.session for m in peer.received] == [1]


def test_each_pipelined_reply_counts_for_its_own_command(start, pipelined):
    peer = pipelined([{"rcpt": [refuse(550, "5.1.1 nobody"), defer(450, "4.2.1 full"), ok],
                       "data": [ok, ok, defer(451, "4.3.0 not now"), ok]}])
    c = start(relay(peer, connections=1))
    assert [c.one(i)["text"] for i in (1, 2, 3, 4)] == [
        "550 5.1.1 nobody", "450 4.2.1 full", "451 4.3.0 not now", "250 2.0.0 queued as 1"]
    assert peer.sessions == 1 and len(peer.mails) == 1


def test_one_pipelined_reply_too_many_sends_no_mail_to_nobody(start, pipelined):
    """MAIL answered twice: the reply to RCPT would be taken for that to DATA."""
    peer = pipelined([{"mail": plus(b"250 2.1.0 ok\r\n"), "rcpt": refuse(550, "5.1.1 nobody")}])
    c = start(relay(peer, connections=1))
    assert c.one(1)["outcome"] == "failed"
    assert c.one(2)["outcome"] == "accepted"
    assert len(peer.received) == 1 and peer.sessions == 2


def test_half_a_word_before_the_dot_holds_the_dot_back(start, serve):
    peer = serve([{"data": plus(b"25")}])
    c = start(relay(peer, reply_timeout=SHORT))
    assert c.one(1)["outcome"] == "deferred"
    assert c.state(1) != FINAL


def test_a_real_receiver_takes_two_hundred(start):
    controller = pytest.importorskip("aiosmtpd.controller")

    class Sink:
        got = []

        async def handle_DATA(self, server, session, envelope):
            self.got.append((envelope.rcpt_tos[0], envelope.content))
            return "250 2.0.0 taken"

    class OnFreePort(controller.Controller):
        def _trigger_server(self):
            self.port = self.server.sockets[0].getsockname()[1]
            super()._trigger_server()
    sink = OnFreePort(Sink(), hostname="127.0.0.1", port=0)
    sink.start()
    try:
        c = start(relay(sink.port))
        for i in range(1, 201):
            c.send(i, to=f"u{i}@example.net")
        assert {c.sent(i)["text"] for i in range(1, 201)} == {"250 2.0.0 taken"}
        assert sorted(Sink.got) == sorted((f"u{i}@example.net", MAIL) for i in range(1, 201))
    finally:
        sink.stop()


# ---- refusal and deferral at each step ------------------------------------------------

@pytest.mark.parametrize("step", ["mail", "rcpt", "data", "dot"])
def test_5xx_to_a_mail_is_failed_in_the_relays_words(start, serve, step):
    peer = serve([{step: raw(b"550-5.1.1 no\r\n550 5.1.1 such \x1b[1muser\r\n")}])
    c = start(relay(peer))
    out = c.one()
    assert (out["outcome"], out["code"]) == ("failed", 550)
    assert out["text"] == "550 5.1.1 no 5.1.1 such  [1muser"
    assert not peer.mails and (c.state(1), c.code(1)) == (DONE, 550)


@pytest.mark.parametrize("step", ["mail", "rcpt", "data", "dot"])
@pytest.mark.parametrize("code", [421, 451])
def test_4xx_to_a_mail_is_deferred(start, serve, step, code):
    peer = serve([{step: defer(code, "4.3.0 later")}])
    c = start(relay(peer, connections=1))
    out = c.one(1)
    assert (out["outcome"], out["code"], out["text"]) == ("deferred", code, f"{code} 4.3.0 later")
    assert not peer.mails and (c.state(1), c.code(1)) == (DONE, code)
    assert c.one(2)["outcome"] == "accepted"
    assert peer.sessions == (2 if code == 421 else 1)


@pytest.mark.parametrize("step", ["greeting", "ehlo", "auth"])
@pytest.mark.parametrize("action, code", [(refuse(554, "5.7.1 not you"), 554),
                                          (defer(450, "4.7.1 busy"), 450)])
def test_a_relay_that_refuses_the_session_is_no_recipients_fault(start, serve, step, action, code,
                                                                 tmp_path):
    (tmp_path / "secret").write_text("s3cret\n")
    peer = serve([{step: action, "helo": action}], auth={"crm": "s3cret"})
    c = start(relay(peer, user="crm", auth="password", password_file=str(tmp_path / "secret")))
    out = c.one()
    assert out["outcome"] == "deferred" and "main" in out["text"]
    assert str(code) in out["text"]
    assert (c.state(1), c.code(1)) == (DONE, 0)
    assert not peer.count("mail")


def test_nobody_listens(start):
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        c = start(relay(s.getsockname()[1]))
        out = c.one()
    assert out["outcome"] == "deferred" and "main" in out["text"]
    assert c.state(1) == DONE


# ---- hang, drop, nonsense ------------------------------------------------------------------

BEFORE = ["greeting", "ehlo", "mail", "rcpt", "data"]


@pytest.mark.parametrize("step", BEFORE + ["body"])
def test_a_drop_before_the_final_dot_is_deferred(start, serve, step):
    gate = threading.Event()
    peer = serve([{step: drop} if step != "body" else {"body": hold(gate, drop)}], rcvbuf=4096)
    c = start(relay(peer))
    big = MAIL + b"x" * 70 + b"\r\n"
    c.send(1, mail=MAIL + (b"x" * 70 + b"\r\n") * 100000)
    gate.set()
    out = c.sent(1)
    assert out["outcome"] == "deferred", out
    assert (c.state(1), c.code(1)) == (DONE, 0) and not peer.mails
    assert c.one(2, mail=big)["outcome"] == "accepted"


@pytest.mark.parametrize("step", BEFORE)
@pytest.mark.parametrize("action", [hang, trickle], ids=["hang", "trickle"])
def test_silence_before_the_final_dot_is_deferred(start, serve, step, action):
    peer = serve([{step: action}])
    c = start(relay(peer, connect_timeout=SHORT, reply_timeout=SHORT))
    assert c.one()["outcome"] == "deferred"
    assert c.state(1) == DONE and not peer.received


def test_a_relay_that_stops_reading_the_mail_is_deferred(start, serve):
    peer = serve([{"body": hold(threading.Event())}], rcvbuf=4096)
    c = start(relay(peer, reply_timeout=SHORT))
    c.send(1, mail=MAIL + (b"x" * 70 + b"\r\n") * 100000)
    peer.wait(lambda: peer.count("body") == 1)
    assert c.state(1) == SENDING
    assert c.sent(1)["outcome"] == "deferred" and c.state(1) == DONE


@pytest.mark.parametrize("action", [drop, hang, trickle, raw(b"what is this\r\n"),
                                    raw(b"250-never ends\r\n550 well\r\n"), reply("354 again"),
                                    raw(b"25", drop), endless],
                         ids=["drop", "hang", "trickle", "garbage", "mixed", "354", "half",
                              "endless"])
def test_no_clear_answer_to_the_final_dot_is_unknown(start, serve, action):
    peer = serve([{"dot": action}])
    c = start(relay(peer, reply_timeout=SHORT))
    out = c.one()
    assert out["outcome"] == "unknown", out
    assert c.state(1) == FINAL
    assert len(peer.received) == 1 and peer.sessions == 1  # never sent again by itself
    assert c.one(2)["outcome"] == "accepted"


@pytest.mark.parametrize("step", ["greeting", "ehlo", "mail", "rcpt", "data"])
@pytest.mark.parametrize("action", [raw(b"\x00\xff nonsense\r\n", drop), endless,
                                    reply("250-a\r\n550 b")], ids=["garbage", "endless", "mixed"])
def test_nonsense_before_the_final_dot_is_deferred(start, serve, step, action):
    peer = serve([{step: action, "helo": action}])
    c = start(relay(peer, connect_timeout=SHORT, reply_timeout=SHORT))
    assert c.one()["outcome"] == "deferred"
    assert not peer.received and c.state(1) == DONE
    assert c.one(2)["outcome"] == "accepted"


def test_replies_in_many_packets_are_read(start, serve):
    steps = ["greeting", "ehlo", "mail", "rcpt", "data", "dot"]
    peer = serve([{s: split for s in steps}])
    assert start(relay(peer)).one()["text"] == "250 2.0.0 queued as 1"


def test_an_answer_given_before_the_mail_ended_does_not_count(start, serve):
    peer = serve([{"data": plus(b"250 2.0.0 queued already\r\n")}])
    c = start(relay(peer))
    out = c.one(1)
    assert out["outcome"] == "deferred" and c.state(1) == DONE, out
    assert not peer.received


def test_a_refusal_in_the_middle_of_the_mail_counts(start, serve):
    peer = serve([{"body": raw(b"552 5.3.4 too big\r\n", hang)}], rcvbuf=4096)
    c = start(relay(peer))
    out = c.one(mail=MAIL + (b"x" * 70 + b"\r\n") * 100000)
    assert (out["outcome"], out["code"]) == ("failed", 552)
    assert c.state(1) == DONE and not peer.received


def test_two_replies_for_one_command_end_the_session_not_the_truth(start, serve):
    peer = serve([{"mail": plus(b"250 2.1.5 and the next\r\n")}])
    c = start(relay(peer))
    assert c.one(1)["outcome"] == "deferred"
    assert c.one(2)["outcome"] == "accepted" and len(peer.mails) == 1


# ---- the FINAL mark ------------------------------------------------------------------------

def test_final_is_marked_when_the_last_bytes_leave_and_not_before(start, serve):
    seen, c = [], None
    total = 10_000_000

    def look(n):
        if c:
            seen.append((n, c.state(1)))
    peer = serve([{"data": call(lambda: seen.append((0, c.state(1)))),
                   "dot": call(lambda: seen.append((total, c.state(1))))}],
                 rcvbuf=4096, on_bytes=look)
    c = start(relay(peer))
    c.send(1, mail=MAIL + b"x" * 70 + b"\r\n" + (b"y" * 998 + b"\r\n") * (total // 1000))
    assert c.sent(1)["outcome"] == "accepted"
    early = [s for n, s in seen if n < total - 6_000_000]  # more than the kernel's buffers hold
    assert len(early) > 10 and set(early) == {SENDING}
    assert seen[-1] == (total, FINAL)
    assert [s for _, s in seen] == sorted(s for _, s in seen)
    assert c.state(1) == DONE


@pytest.mark.parametrize("step, left", [("mail", SENDING), ("data", SENDING), ("dot", FINAL)])
def test_a_killed_courier_leaves_the_slot_as_it_was(start, serve, step, left):
    peer = serve([{step: hang}])
    c = start(relay(peer))
    c.send(1)
    peer.wait(lambda: peer.count(step) == 1)
    c.role.proc.kill()
    c.role.proc.wait()
    assert c.state(1) == left


# ---- connections that died ------------------------------------------------------------------

def test_a_connection_that_died_idle_costs_nothing(start, serve):
    peer = serve([{"dot": then_drop}])
    c = start(relay(peer))
    assert c.one(1)["outcome"] == "accepted"
    peer.wait(lambda: peer.open == 0)
    assert c.one(2)["outcome"] == "accepted"
    assert len(peer.mails) == 2 and peer.sessions == 2


@pytest.mark.parametrize("action", [drop, reply("421 4.4.2 idle too long")], ids=["drop", "421"])
def test_a_connection_that_dies_at_mail_is_replaced(start, serve, action):
    peer = serve([{"mail": [ok, action]}])
    c = start(relay(peer))
    assert c.one(1)["outcome"] == "accepted"
    assert c.one(2)["outcome"] == "accepted"
    assert len(peer.mails) == 2 and peer.sessions == 2


def test_a_421_said_while_idle_is_no_answer_to_the_next_mail(start, serve):
    peer = serve([{"dot": [plus(b"421 4.4.2 bye\r\n")]}])
    c = start(relay(peer))
    assert c.one(1)["outcome"] == "accepted"
    assert c.one(2)["outcome"] == "accepted"
    assert len(peer.mails) == 2


def test_421_to_rset_ends_the_session_only(start, serve):
    peer = serve([{"rcpt": refuse(550), "rset": reply("421 4.3.2 shutting down")}])
    c = start(relay(peer, connections=1))
    assert c.one(1)["outcome"] == "failed"
    assert c.one(2)["outcome"] == "accepted"
    assert peer.sessions == 2


def test_a_reused_connection_lost_after_the_dot_is_unknown_and_not_retried(start, serve):
    peer = serve([{"dot": [ok, drop]}])
    c = start(relay(peer))
    assert c.one(1)["outcome"] == "accepted"
    assert c.one(2)["outcome"] == "unknown"
    assert c.state(2) == FINAL
    assert peer.sessions == 1 and len(peer.received) == 2


def test_a_relay_that_always_hangs_up_at_the_second_mail_still_gets_all(start, serve):
    peer = serve([{"mail": [ok, drop]} for _ in range(30)])
    c = start(relay(peer, connections=2))
    for i in range(1, 21):
        c.send(i)
    assert {c.sent(i)["outcome"] for i in range(1, 21)} == {"accepted"}
    assert len(peer.mails) == 20


# ---- several relays -----------------------------------------------------------------------------

@pytest.mark.parametrize("script", [{"greeting": drop}, {"greeting": refuse(554)},
                                    {"ehlo": drop}, {"greeting": hang}],
                         ids=["drop", "refuse", "ehlo", "hang"])
def test_the_next_relay_is_tried_when_one_cannot_be_talked_to(start, serve, script):
    first, second = serve([script] * 9), serve()
    c = start(relay(first, "first", connect_timeout=SHORT), relay(second, "second"))
    out = c.one(1)
    assert (out["outcome"], out["relay"]) == ("accepted", "second")
    tried = first.sessions
    assert c.one(2)["relay"] == "second" and first.sessions == tried  # known to be down
    assert c.one(3, relays=["second", "first"])["relay"] == "second"
    assert len(second.mails) == 3


def test_the_next_relay_is_not_tried_once_a_mail_was_begun(start, serve):
    first, second = serve([{"rcpt": defer()}, {"dot": drop}]), serve()
    c = start(relay(first, "first"), relay(second, "second"))
    assert c.one(1)["outcome"] == "deferred"
    first.script[1:] = [{"dot": drop}]
    c.send(2)
    assert c.sent(2)["outcome"] in ("accepted", "unknown")
    assert not second.sessions


def test_a_mail_goes_to_the_relays_it_names_and_back_in_their_order(start, serve):
    first, second, third = serve([{"greeting": drop}] * 9), serve([{"ehlo": drop}] * 9), serve()
    c = start(relay(third, "third"), relay(second, "second"), relay(first, "first"))
    out = c.one(1, relays=["first", "nonesuch", "second", "third"])
    assert (out["outcome"], out["relay"]) == ("accepted", "third")
    assert first.sessions and second.sessions
    out = c.one(2, relays=["nonesuch"])
    assert out["outcome"] == "deferred" and "config" in out["text"]


def test_a_stuck_relay_slows_no_other(start, serve):
    stuck, good = serve([{"dot": hang}] * 9 + [{"greeting": hang}] * 9), serve()
    c = start(relay(stuck, "stuck", connections=2), relay(good, "good"))
    for i in range(1, 11):
        c.send(i, relays=["stuck"])
    stuck.wait(lambda: stuck.count("dot") == 2)
    for i in range(101, 151):
        c.send(i, relays=["good"])
    assert {c.sent(i)["outcome"] for i in range(101, 151)} == {"accepted"}
    assert c.state(1) == FINAL


# silent at MAIL for more than a second: perhaps it hung up long ago, and the mail goes on
@pytest.mark.parametrize("step, first", [("mail", ("deferred", "accepted")), ("dot", ("unknown",))])
def test_mails_behind_a_hanging_one_take_the_next_relay(start, serve, step, first):
    stuck, good = serve([{step: hang}] * 9), serve()
    c = start(relay(stuck, "stuck", connections=1, reply_timeout=SHORT), relay(good, "good"))
    for i in range(1, 6):
        c.send(i)
    outcome = c.sent(1)["outcome"]
    assert outcome in first
    assert [c.sent(i)["relay"] for i in range(2, 6)] == ["good"] * 4
    assert stuck.sessions == 1 and len(good.mails) == 4 + (outcome == "accepted")


def test_the_end_of_a_hanging_connection_stops_nobody(start, serve):
    """A library that says QUIT and waits for the answer would stop the whole courier."""
    rude, good = serve([{"mail": hang, "quit": hang}] * 9), serve()
    c = start(relay(rude, "rude", reply_timeout=SHORT), relay(good, "good"))
    assert c.one(1, relays=["rude"])["outcome"] == "deferred"
    assert c.one(2, relays=["good"])["outcome"] == "accepted"
    rude.wait(lambda: rude.open == 0)
    assert not rude.count("quit")


def test_one_connection_refused_among_several_does_not_defer(start, serve):
    gate = threading.Event()
    peer = serve([{"dot": hold(gate)}] + [{"greeting": reply("421 too many of you")}] * 20)
    c = start(relay(peer, connections=4))
    c.send(1)
    peer.wait(lambda: peer.count("dot") == 1)
    for i in range(2, 6):
        c.send(i)
    peer.wait(lambda: peer.sessions >= 2)
    gate.set()
    assert {c.sent(i)["outcome"] for i in range(1, 6)} == {"accepted"}


# ---- TLS and sign-in -----------------------------------------------------------------------------

@pytest.fixture(scope="module")
def certs(tmp_path_factory):
    """name -> (server context, file of the certificate)"""
    out = {}
    for name, san in {"right": "DNS:localhost,IP:127.0.0.1", "wrong": "DNS:other.example"}.items():
        d = tmp_path_factory.mktemp(name)
        key, crt = str(d / "key.pem"), str(d / "crt.pem")
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                        "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", key, "-out", crt,
                        "-days", "2", "-subj", "/CN=test", "-addext", "subjectAltName=" + san],
                       check=True, capture_output=True)
        ctx = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        ctx.load_cert_chain(crt, key)
        out[name] = (ctx, crt)
    return out


@pytest.mark.parametrize("tls", ["starttls", "tls"])
def test_a_verified_relay_gets_the_mail_encrypted(start, serve, certs, tls):
    ctx, crt = certs["right"]
    peer = serve(tls=ctx, implicit=tls == "tls")
    c = start(relay(peer, host="localhost", tls=tls, ca_file=crt))
    for i in range(1, 4):
        assert c.one(i)["outcome"] == "accepted"
    assert [m.tls for m in peer.mails] == [True] * 3 and peer.sessions == 1
    big = MAIL + (b"x" * 70 + b"\r\n") * 40000
    assert c.one(9, mail=big)["outcome"] == "accepted" and peer.mails[3].data == big


@pytest.mark.parametrize("tls", ["starttls", "tls"])
@pytest.mark.parametrize("served, trusted", [("wrong", "wrong"), ("right", "wrong"),
                                             ("right", None)],
                         ids=["host", "issuer", "unknown"])
def test_a_relay_that_is_not_who_it_should_be_gets_nothing(start, serve, certs, tls, served,
                                                           trusted):
    peer = serve(tls=certs[served][0], implicit=tls == "tls")
    extra = {"ca_file": certs[trusted][1]} if trusted else {}
    c = start(relay(peer, host="localhost", tls=tls, **extra))
    out = c.one()
    assert out["outcome"] == "deferred" and "main" in out["text"], out
    assert not peer.count("mail") and not peer.received


def test_a_relay_without_starttls_gets_nothing(start, serve):
    peer = serve()
    out = start(relay(peer, tls="starttls")).one()
    assert out["outcome"] == "deferred" and not peer.count("mail")


@pytest.mark.parametrize("action", [refuse(554), drop, raw(b"220 go\r\nnot TLS at all", hang)],
                         ids=["refuse", "drop", "garbage"])
def test_a_broken_starttls_is_deferred(start, serve, certs, action):
    peer = serve([{"starttls": action}], tls=certs["right"][0])
    c = start(relay(peer, host="localhost", tls="starttls", ca_file=certs["right"][1],
                    connect_timeout=2000))
    assert c.one()["outcome"] == "deferred" and not peer.count("mail")


def test_a_password_signs_in(start, serve, certs, tmp_path):
    (tmp_path / "secret").write_text("s3cret\n")
    ctx, crt = certs["right"]
    peer = serve(tls=ctx, auth={"crm": "s3cret"})
    c = start(relay(peer, host="localhost", tls="starttls", ca_file=crt, user="crm",
                    auth="password", password_file=str(tmp_path / "secret")))
    assert c.one()["outcome"] == "accepted" and peer.mails[0].user == "crm"


@pytest.mark.parametrize("auth", ["xoauth2", "oauthbearer"])
def test_a_token_signs_in(start, serve, tmp_path, auth):
    (tmp_path / "token").write_text("ya29.token\n")
    peer = serve(auth={"crm@example.com": "ya29.token"})
    c = start(relay(peer, user="crm@example.com", auth=auth, token_file=str(tmp_path / "token")))
    assert c.one()["outcome"] == "accepted"
    assert any(line.startswith("AUTH " + auth.upper()) for _, line in peer.lines)


def test_a_wrong_password_is_the_relays_trouble(start, serve, tmp_path):
    (tmp_path / "secret").write_text("wrong\n")
    first, second = serve(auth={"crm": "s3cret"}), serve()
    c = start(relay(first, "first", user="crm", password_file=str(tmp_path / "secret")),
              relay(second, "second"))
    out = c.one(1, relays=["first"])
    assert out["outcome"] == "deferred" and "535" in out["text"] and "first" in out["text"]
    assert c.one(2)["relay"] == "second" and not first.count("mail")


def test_a_relay_that_wants_a_sign_in_nobody_configured_fails_over(start, serve):
    first, second = serve(auth={"crm": "s3cret"}), serve()
    c = start(relay(first, "first"), relay(second, "second"))
    assert c.one(1)["relay"] == "second"
    out = c.one(2, relays=["first"])
    assert out["outcome"] == "deferred" and "530" in out["text"]


def test_a_sign_in_that_is_not_offered_sends_nothing(start, serve, tmp_path):
    (tmp_path / "secret").write_text("s3cret\n")
    peer = serve()
    out = start(relay(peer, user="crm", password_file=str(tmp_path / "secret"))).one()
    assert out["outcome"] == "deferred" and not peer.count("mail")


def test_a_missing_secret_stops_the_start(tmp_path):
    with Role("courier", {"relays": [relay(1, user="crm", password_file="/nonexistent")]}) as role:
        assert role.proc.wait(120) == 78


# ---- Maildir --------------------------------------------------------------------------------------

def test_a_maildir_takes_a_mail_once(start, tmp_path):
    box = tmp_path / "out"
    c = start({"name": "box", "type": "maildir", "path": str(box)})
    out = c.one(17, sender="a@example.com")
    assert (out["outcome"], out["relay"], out["code"]) == ("accepted", "box", 250)
    assert c.state(17) == DONE
    (f,) = (box / "new").iterdir()
    assert f.read_bytes() == b"Return-Path: <a@example.com>\n" + MAIL.replace(b"\r\n", b"\n")
    assert c.one(17, sender="a@example.com", attempt=2)["outcome"] == "accepted"
    assert [x.name for x in (box / "new").iterdir()] == [f.name]
    assert not list((box / "tmp").iterdir())


def test_a_maildir_that_cannot_be_written_gives_way(start, serve):
    peer = serve()
    c = start({"name": "box", "type": "maildir", "path": "/dev/null/box"}, relay(peer, "main"))
    assert c.one(1)["relay"] == "main"
    out = c.one(2, relays=["box"])
    assert out["outcome"] == "deferred" and "box" in out["text"]


# ---- the engine's side ------------------------------------------------------------------------------

def test_a_mail_in_hand_is_not_begun_twice(start, serve):
    gate = threading.Event()
    peer = serve([{"dot": hold(gate)}])
    c = start(relay(peer))
    c.send(1)
    peer.wait(lambda: peer.count("dot") == 1)
    again = {"relay": ["main"], "from": "a@example.com", "to": "b@example.net", "slot": c.at[1]}
    c.engine.send("SEND", 1, again, raw=MAIL)
    gate.set()
    assert c.engine.recv("SENT").json["outcome"] == "accepted"
    c.engine.send("SEND", 1, again, raw=MAIL)  # reported, no receipt yet: told again
    assert c.engine.recv("SENT").json["outcome"] == "accepted"
    assert len(peer.received) == 1 and peer.sessions == 1


def test_a_mail_asked_for_under_another_slot_is_marked_there(start, serve):
    gate = threading.Event()
    peer = serve([{"data": hold(gate), "dot": hang}])
    c = start(relay(peer))
    c.send(1)
    peer.wait(lambda: peer.count("data") == 1)
    c.send(1)  # the engine claimed another row for it meanwhile
    c.slots.claim(2, at=0)  # and gave the old one to another mail
    c.send(3, to="")  # told after it: the courier has looked at the second SEND
    assert c.sent(3)["outcome"] == "failed"
    assert c.state(1) == SENDING
    gate.set()
    peer.wait(lambda: peer.count("dot") == 1)
    assert c.state(1) == FINAL
    assert c.slots.row(0)[:3] == (2, 1, CLAIMED)
    assert len(peer.received) == 1 and peer.sessions == 1


def test_a_new_engine_hears_what_is_in_hand_and_what_is_done(start, serve):
    gate = threading.Event()
    peer = serve([{"dot": [ok, hold(gate)]}])
    c = start(relay(peer, connections=1))
    for i in (1, 2, 3):
        c.send(i)
    assert c.engine.recv("SENT").id == 1  # no receipt
    peer.wait(lambda: peer.count("dot") == 2)
    assert c.new_engine() == {"busy": [2, 3]}
    again = c.engine.recv("SENT")
    assert (again.id, again.json["outcome"]) == (1, "accepted")
    c.engine.send("RECEIPT", 1, {"status": "filed"})
    gate.set()
    assert c.sent(2)["outcome"] == "accepted" and c.sent(3)["outcome"] == "accepted"
    assert (c.state(2), c.state(3)) == (DONE, DONE)  # in the mapping they began under
    assert c.new_engine() == {"busy": []}
    assert len(peer.mails) == 3


def test_a_retry_after_the_receipt_is_a_new_attempt(start, serve):
    peer = serve([{"rcpt": defer()}])
    c = start(relay(peer))
    assert c.one(1)["outcome"] == "deferred"
    assert c.one(1, attempt=2)["outcome"] == "accepted"


@pytest.mark.parametrize("change", [{"to": "x@example.net>\r\nRCPT TO:<y@example.net"},
                                    {"to": ""}, {"sender": "a\nb"}, {"to": "a@b\u0085c\n"}])
def test_an_address_that_would_break_the_dialogue_is_failed(start, serve, change):
    peer = serve()
    out = start(relay(peer)).one(**change)
    assert out["outcome"] == "failed" and not peer.sessions


def test_addresses_beyond_ascii_go_only_where_they_are_taken(start, serve):
    plain, utf8 = serve(), serve(caps=("SMTPUTF8", "8BITMIME"))
    c = start(relay(plain, "plain"), relay(utf8, "utf8"))
    out = c.one(1, to="jürgen@example.net", relays=["plain"])
    assert out["outcome"] == "failed" and "SMTPUTF8" in out["text"]
    assert c.one(2, to="jürgen@example.net", relays=["utf8"])["outcome"] == "accepted"
    assert any(line.endswith("BODY=8BITMIME SMTPUTF8") for _, line in utf8.lines)


def test_a_slot_of_another_mail_is_left_alone(start, serve):
    peer = serve()
    c = start(relay(peer))
    at = c.slots.claim(7)
    for slot in (at, 200, 100000, -1, None):
        c.engine.send("SEND", 1, {"relay": ["main"], "from": "", "to": "b@example.net",
                                  "slot": slot}, raw=MAIL)
        out = c.sent(1)
        assert out["outcome"] == "deferred" and "slot" in out["text"]
    assert c.slots.row(at) == (7, 1, CLAIMED, 0) and not peer.sessions


def test_odd_frames_do_not_end_the_courier(start, serve):
    peer = serve()
    c = start(relay(peer))
    c.engine.send("SLOTS", 0, {"slots": 3})
    with open("/dev/null", "rb") as f:
        c.engine.send("SLOTS", 0, {"slots": 3}, fd=f.fileno())
    c.engine.send("RECEIPT", 99, {})
    c.engine.send("CURSORS", 0, {})
    c.engine.send("MAIL", 5, {}, raw=b"x")
    c.engine.send("SEND", 5, {"relay": "main", "from": 3, "to": [], "slot": "x"}, raw=b"x")
    assert c.sent(5)["outcome"] == "failed"
    assert c.one(6)["outcome"] == "accepted"


# ---- the end ------------------------------------------------------------------------------------------

def test_a_drain_finishes_what_runs_and_gives_back_the_rest(start, serve):
    gate = threading.Event()
    peer = serve([{"dot": hold(gate)}])
    c = start(relay(peer, connections=1))
    c.send(1)
    c.send(2)
    peer.wait(lambda: peer.count("dot") == 1)
    c.role.sup.send("STOP")
    out = c.sent(2)
    assert out["outcome"] == "deferred" and out["not_tried"] is True and "draining" in out["text"]
    assert c.state(2) == CLAIMED
    out = c.one(3)
    assert out["outcome"] == "deferred" and out["not_tried"] is True
    assert c.role.proc.poll() is None
    gate.set()
    assert c.sent(1)["outcome"] == "accepted"
    assert c.role.proc.wait(120) == 0
    assert peer.count("quit") == 1


def test_a_drain_without_work_ends_at_once(start, serve):
    peer = serve()
    c = start(relay(peer))
    assert c.one()["outcome"] == "accepted"
    assert c.role.stop() == 0
    peer.wait(lambda: peer.open == 0)


def test_a_courier_whose_supervisor_is_gone_ends_and_leaves_the_marks(start, serve):
    peer = serve([{"dot": hang}])
    c = start(relay(peer))
    c.send(1)
    peer.wait(lambda: peer.count("dot") == 1)
    c.role.sup.close()
    assert c.role.proc.wait(120) == 0
    assert c.state(1) == FINAL
