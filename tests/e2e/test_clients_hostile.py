# SPDX-License-Identifier: ISC
"""ctl.sock and ingest.sock in the hands of clients that are no leadctl: the engine
answers everybody else all the time."""
import concurrent.futures
import contextlib
import json
import os
import socket
import struct
import threading

import pytest

import company
from daemon import Daemon, until
from load import FREED, leads, measure
from roles import TYPES

CLIENTS = 64  # BOUND_CTL_CLIENTS


@pytest.fixture(scope="module")
def d():
    with Daemon(company.conf(), company.files(), env=FREED) as it:
        yield it


def connect(d, name):
    s = socket.socket(socket.AF_UNIX)
    s.connect(os.path.join(d.run, name + ".sock"))  # waits while the queue is full
    s.settimeout(120)
    return s


def frame(type_, id_=1, text=b"{}", raw=b"", flags=0, length=None, json_len=None, raw_len=None):
    number = TYPES[type_] if isinstance(type_, str) else type_
    body = text + raw
    return struct.pack("=IHHQII", 20 + len(body) if length is None else length, number, flags, id_,
                       len(text) if json_len is None else json_len,
                       len(raw) if raw_len is None else raw_len) + body


def ctl(*argv):
    return frame("CTL", text=json.dumps({"argv": argv}).encode())


def is_cut(s):
    """The engine ends the connection, and says nothing before."""
    try:
        return s.recv(65536) == b""
    except ConnectionResetError:
        return True


def works(d, engine):
    """leadctl is answered, mail is taken, and by the same engine."""
    assert d.ctl("list", "users")["rows"]
    works.n += 1
    d.ingest(company.mail(sender="w%d@works.example" % works.n))
    assert d.pid("engine") == engine


works.n = 0
NONSENSE = {
    "garbage": b"\xff" * 1000,
    "text": b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n" * 4,
    "huge length": frame("CTL", length=0xffffffff),
    "lying length": frame("CTL", length=2000) + b"x" * 3000,
    "huge JSON": frame("CTL", json_len=0x7fffffff, length=0x7fffffff),
    "huge raw": frame("MAIL", raw_len=0xfffffff0, length=0xfffffff0),
    "no such type": frame(9999),
    "type 0": frame(0),
    "unknown flags": frame("CTL", flags=0xfff0),
    "a descriptor that is not there": frame("CTL", flags=1),
    "a memfd that is not there": frame("MAIL", flags=3, raw_len=100),
    "not JSON": frame("CTL", text=b"{not json"),
    "not an object": frame("CTL", text=b"[1]"),
    "deep JSON": frame("CTL", text=b'{"a":' * 100 + b"1" + b"}" * 100),
    "another role's frame": frame("SENT", id_=1),
    "the supervisor's frame": frame("STOP"),
}


@pytest.mark.parametrize("name", sorted(NONSENSE))
@pytest.mark.parametrize("sock", ["ctl", "ingest"])
def test_nonsense_ends_the_connection_and_nothing_else(d, sock, name):
    engine = d.pid("engine")
    with connect(d, sock) as s:
        s.sendall(NONSENSE[name])
        assert is_cut(s)
    works(d, engine)


@pytest.mark.parametrize("sock", ["ctl", "ingest"])
def test_half_a_frame_holds_up_nobody(d, sock):
    engine, data = d.pid("engine"), ctl("list", "users")
    with contextlib.ExitStack() as stack:
        for n in range(20):
            stack.enter_context(connect(d, sock)).sendall(data[:n + 1])
        works(d, engine)


def test_a_frame_that_comes_byte_by_byte_is_answered(d):
    with connect(d, "ctl") as s:
        for byte in ctl("list", "users"):
            s.sendall(bytes([byte]))
        assert b"mia" in s.recv(65536)


@pytest.mark.parametrize("sock", ["ctl", "ingest"])
def test_silent_clients_in_all_places_make_room_for_others(d, sock):
    engine, before = d.pid("engine"), measure(d.pid("engine"))[1]
    with contextlib.ExitStack() as stack:
        silent = [stack.enter_context(connect(d, sock)) for _ in range(3 * CLIENTS)]
        for _ in range(10):
            works(d, engine)
        assert measure(engine)[1] <= before + CLIENTS + 2
        assert is_cut(silent[0]), "the first to come is the first to go"
    until(lambda: measure(engine)[1] <= before, why="their descriptors")


def test_a_flood_of_connections_is_survived(d):
    engine, over = d.pid("engine"), threading.Event()

    def flood():
        while not over.is_set():
            for sock in ("ctl", "ingest"):
                with contextlib.suppress(OSError), connect(d, sock) as s:
                    s.sendall(b"\x18\0\0\0")
    threads = [threading.Thread(target=flood) for _ in range(4)]
    for t in threads:
        t.start()
    try:
        for _ in range(5):
            works(d, engine)
    finally:
        over.set()
        for t in threads:
            t.join()


def test_who_asks_without_reading_is_cut(d):
    engine = d.pid("engine")
    works(d, engine)
    before = measure(engine)[0]
    with connect(d, "ctl") as s:
        s.settimeout(120)
        with pytest.raises((BrokenPipeError, ConnectionResetError)):
            for _ in range(20000):
                s.sendall(ctl("list", "commands") * 10)
        works(d, engine)
        assert measure(engine)[0] - before < 40 * 1024
    works(d, engine)


def test_more_pipes_at_once_than_places_are_all_taken(d):
    def pipe(n):
        return d.leadctl("ingest", input=company.mail(sender="q%d@pipes.example" % n)).returncode
    with concurrent.futures.ThreadPoolExecutor(16) as pool, contextlib.ExitStack() as stack:
        for _ in range(CLIENTS):
            stack.enter_context(connect(d, "ingest"))
        assert set(pool.map(pipe, range(96))) == {0}
    found = leads(d)
    assert all(found["q%d@pipes.example" % n] == 1 for n in range(96))
