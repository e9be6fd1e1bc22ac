# SPDX-License-Identifier: ISC
"""The parser role over frames: order, large mails, garbage, limits, a new engine."""
import glob
import json
import os
import resource
import struct

import pytest

import corpus
from roles import SRC, TYPES, Closed, Role

FIXTURES = sorted(glob.glob(os.path.join(SRC, "tests", "fixtures", "mail", "*.eml")))
MAIL = (b"From: Jane <jane@example.com>\r\nSubject: %s\r\nMessage-ID: <%s@example.com>\r\n"
        b"Date: Fri, 20 Nov 2026 10:00:00 +0000\r\n\r\n%s\r\n")


@pytest.fixture
def parser():
    with Role("parser", {}) as role:
        role.engine = role.peer("engine")
        role.start()
        yield role


def ask(channel, id_, raw, **fields):
    channel.send("PARSE", id_, fields, raw=raw)


def answer(channel, timeout=120):
    return channel.recv("PARSED", timeout=timeout)


def test_every_fixture_comes_back_in_order_as_its_golden(parser):
    assert len(FIXTURES) >= 60
    for at in range(0, len(FIXTURES), 8):
        batch = FIXTURES[at:at + 8]
        for i, path in enumerate(batch):
            with open(path, "rb") as f:
                ask(parser.engine, at + i + 1, f.read())
        for i, path in enumerate(batch):
            frame = answer(parser.engine)
            assert frame.id == at + i + 1
            with open(path[:-4] + ".json", encoding="utf-8") as f:
                assert frame.json["message"] == json.load(f), path


def test_invitations_and_bounces_are_read_inside_the_sandbox_as_outside_it(parser):
    """Zone tables and all: a parser that opened a file for one would be ended."""
    mails = [(kind, name) for kind in ("calendar", "bounce", "kind") for name in corpus.names(kind)]
    assert len([m for m in mails if m[0] == "calendar"]) >= 4
    for i, (kind, name) in enumerate(mails):
        with open(corpus.eml(kind, name), "rb") as f:
            ask(parser.engine, i + 1, f.read())
        message = answer(parser.engine).json["message"]
        want = corpus.expected(kind, name)
        for key in ("kind", "bounce", "calendar"):
            assert want.get(key) is None or not corpus.differences(want[key], message.get(key)), name


def test_a_mail_in_a_memfd_is_parsed_and_small_ones_behind_it_wait_their_turn(parser):
    big = MAIL % (b"big", b"big", b"line of text\r\n" * 600000)
    ask(parser.engine, 1, big)
    for i in range(2, 6):
        ask(parser.engine, i, MAIL % (b"small", b"small", b"hi"))
    first = answer(parser.engine)
    assert first.id == 1 and first.json["message"]["size"] == len(big)
    assert any("over the limit" in d or "first" in d for d in first.json["message"]["defects"])
    assert [answer(parser.engine).id for _ in range(4)] == [2, 3, 4, 5]


def test_mail_over_the_size_limit_names_the_parts_that_were_left_out(parser):
    ask(parser.engine, 1, (MAIL % (b"huge", b"huge", b"")).rstrip(b"\r\n") + b"\r\n\r\n",
        truncated=True, parts=[{"type": "text/plain", "size": 10},
                               {"type": "application/zip", "filename": "a.zip", "size": 99999999}])
    msg = answer(parser.engine).json["message"]
    assert msg["defects"] == [
        "over the size limit: only headers and the list of parts were read"]
    assert [a.get("filename") for a in msg["attachments"]] == [None, "a.zip"]
    assert msg["attachments"][1]["size"] == 99999999 and msg["subject"] == "huge"


def test_the_engines_clock_shows_a_date_in_the_future(parser):
    ask(parser.engine, 1, MAIL % (b"x", b"x", b"x"), now_ms=1700000000000)
    assert any("in the future" in d for d in answer(parser.engine).json["message"]["defects"])


def test_no_bytes_at_all_are_a_message_with_a_defect(parser):
    ask(parser.engine, 1, b"")
    assert "the mail is empty" in answer(parser.engine).json["message"]["defects"]


@pytest.mark.parametrize("garbage", [
    b"\xff" * 64,
    struct.pack("=IHHQII", 1 << 31, 1, 0, 1, 0, 0),
    struct.pack("=IHHQII", 20, 60000, 0, 1, 0, 0),
    struct.pack("=IHHQII", 24, TYPES["PARSE"], 0, 1, 4, 0) + b"{[}]",
])
def test_garbage_cuts_the_engine_off_and_a_new_channel_works(parser, garbage):
    parser.engine.sock.sendall(garbage)
    with pytest.raises((Closed, ConnectionError)):
        answer(parser.engine)
    again = parser.peer("engine", gen="2")
    ask(again, 7, MAIL % (b"again", b"again", b"hi"))
    assert answer(again).json["message"]["subject"] == "again"
    assert parser.proc.poll() is None


def test_frames_of_other_kinds_are_ignored(parser):
    parser.engine.send("SEND", 1, {"relay": ["main"]}, raw=b"x")
    ask(parser.engine, 2, MAIL % (b"after", b"after", b"hi"))
    assert answer(parser.engine).id == 2


def memory_kb(pid):
    with open("/proc/%d/status" % pid) as f:
        return int([line.split()[1] for line in f if line.startswith("VmRSS:")][0])


def test_memory_stays_where_it_was_over_many_messages(parser):
    with open([p for p in FIXTURES if p.endswith("html-only.eml")][0], "rb") as f:
        html = f.read()
    big = MAIL % (b"big", b"big", b"x" * 3000000)

    def run(count):
        for i in range(count):
            ask(parser.engine, 1, html if i % 20 else big)
            answer(parser.engine)
        return memory_kb(parser.proc.pid)

    run(100)
    before = run(100)
    assert run(600) < before * 1.5 + 20000


@pytest.mark.skipif("LEADD_VALGRIND_LOG" in os.environ, reason="memcheck needs more than them")
def test_limits_are_set(parser):
    soft, hard = resource.prlimit(parser.proc.pid, resource.RLIMIT_NOFILE)
    assert soft == hard == 32
    assert resource.prlimit(parser.proc.pid, resource.RLIMIT_CORE) == (0, 0)


def test_stop_ends_it(parser):
    assert parser.stop() == 0
