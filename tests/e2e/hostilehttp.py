# SPDX-License-Identifier: ISC
"""HTTP clients that want to hurt: to be used on anything of ours that listens.

    with Hostile(port, "silent", 1200, source="127.0.0.2") as h:
        ... good clients at work ...
    h.closed        # connections that the server ended

Each kind is a generator: what one connection does, a step a turn (yield), from
its beginning to its end; then it begins anew. One thread plays all connections
of a Hostile, so a thousand of them cost little. The addresses 127.0.0.x are as
many strangers as are wanted.
"""
import itertools
import socket
import struct
import threading

FORM = "/form/contact"
NUMBERS = itertools.count()


def form(n, more=""):
    """A whole, valid request, for an address that no good client uses."""
    body = "email=h%d@hostile.example&name=x" % n
    return ("POST %s HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\n"
            "%sContent-Length: %d\r\n\r\n%s" % (FORM, more, len(body), body)).encode()


def head(*lines):
    return "".join(x + "\r\n" for x in ("POST %s HTTP/1.1" % FORM, "Host: x", *lines)).encode()


def forever(say):
    while True:
        yield say


# ---- what a connection does: yields the bytes of each turn ----------------------------

def silent():
    """Half open: it connects and says nothing."""
    yield from forever(b"")


def slow_head():
    """Slow loris: a byte of a header a turn."""
    yield head()
    yield from forever(b"X")


def endless_head():
    """Header lines without end, as fast as they are taken."""
    yield head()
    yield from forever(b"".join(b"X-%d: yes\r\n" % n for n in range(100)))


def huge_header():
    yield head() + b"X-Big: " + b"x" * 200000
    yield b"\r\n\r\n"


def slow_body():
    """A byte of the body a turn."""
    yield head("Content-Type: application/x-www-form-urlencoded", "Content-Length: 900000") + b"\r\n"
    yield from forever(b"a")


def large_bodies():
    """Nearly all of the largest body, and then nothing."""
    yield head("Content-Type: application/x-www-form-urlencoded", "Content-Length: 1000000") + b"\r\n"
    for _ in range(15):
        yield b"a" * 65536
    yield from forever(b"")


def chunk_lies():
    """Chunks that say to be larger than anything."""
    yield head("Content-Type: application/json", "Transfer-Encoding: chunked") + b"\r\n"
    yield b"ffffffffffffffff\r\nx"
    yield b"-1\r\nx\r\n0\r\n\r\n"


def endless_chunk_size():
    yield head("Transfer-Encoding: chunked") + b"\r\n"
    yield from forever(b"0" * 4096)


def two_lengths():
    yield head("Content-Length: 5", "Content-Length: 50", "Transfer-Encoding: chunked") + b"\r\n5\r\n"


def garbage():
    yield b"\x16\x03\x01\x02\x00\x01\x00\xff" * 500 + b"\r\n\r\n"


def early_close():
    """Half of a request."""
    data = form(next(NUMBERS))
    yield data[:len(data) // 2]


def gone_before_the_answer():
    """A whole request, and away: whether it was filed, nobody knows."""
    yield form(next(NUMBERS))


def pipelined():
    """Many requests at once; the answers are not read."""
    yield b"".join(form(next(NUMBERS)) for _ in range(20))
    for _ in range(20):
        yield b""


def flood():
    """Connects and leaves."""
    yield b""


KINDS = {f.__name__: f for f in (
    silent, slow_head, endless_head, huge_header, slow_body, large_bodies, chunk_lies,
    endless_chunk_size, two_lengths, garbage, early_close, gone_before_the_answer, pipelined, flood)}
RESETS = {"gone_before_the_answer", "flood"}


class Hostile:
    def __init__(self, port, kind, connections, source="127.0.0.2", turn=0.05):
        self.port, self.kind, self.count, self.source, self.turn = (port, kind, connections, source,
                                                                    turn)
        self.over = threading.Event()
        self.opened = self.closed = self.refused = 0
        self.thread = threading.Thread(target=self._run)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *exc):
        self.over.set()
        self.thread.join()

    def _open(self):
        s = socket.socket()
        s.bind((self.source, 0))
        s.setblocking(False)
        try:
            s.connect(("127.0.0.1", self.port))
        except BlockingIOError:
            pass
        self.opened += 1
        return s, KINDS[self.kind](), [b""]

    def _step(self, s, does, rest):
        """False when the connection is at its end."""
        try:
            try:
                if s.recv(65536, socket.MSG_PEEK if self.kind == "pipelined" else 0) == b"":
                    self.closed += 1
                    return False
            except BlockingIOError:
                pass
            if not rest[0]:
                rest[0] = next(does)
            rest[0] = rest[0][s.send(rest[0]):] if rest[0] else b""
        except BlockingIOError:
            pass  # full, or not connected yet
        except StopIteration:
            return False
        except OSError:
            self.closed += 1
            return False
        return True

    def _close(self, s):
        if self.kind in RESETS:
            s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        s.close()

    def _run(self):
        live = []
        while not self.over.wait(self.turn):
            try:
                live += [self._open() for _ in range(min(self.count - len(live), 200))]
            except OSError:
                self.refused += 1
            keep = []
            for c in live:
                if self._step(*c):
                    keep.append(c)
                else:
                    self._close(c[0])
            live = keep
        for c in live:
            c[0].close()
