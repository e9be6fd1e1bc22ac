# SPDX-License-Identifier: ISC
"""Plays the supervisor and the peers of one role, in Python.

    with Role("courier", config) as role:
        engine = role.peer("engine")     # our end of the role's channel
        role.start()                     # START sent, READY seen
        engine.send("SEND", 17, {"relay": ["main"]}, raw=b"...")
        frame = engine.recv("SENT")

Frames are described in daemon/base/frame.h; the type numbers are read from
there, so that the two cannot disagree.
"""
import array
import collections
import fcntl
import json
import os
import re
import select
import socket
import struct
import subprocess
import time

SRC = os.environ.get("srcdir", os.path.join(os.path.dirname(__file__), "..", ".."))
BUILD = os.environ.get("builddir", os.path.join(SRC, "build"))
# LEADD_EXE also runs the roles: tests/valgrind sets it.
LEADD = os.environ.get("LEADD_EXE", os.path.join(BUILD, "daemon", "leadd"))
# Seconds after which what should have happened counts as not happening. No promise is
# about being faster, so it is long: a test that fails for want of time tells nothing.
PATIENCE = 120
# How many times longer everything may take: also on a machine that is busy already.
SLOW = float(os.environ.get("LEADD_TEST_SLOW", "0")) or \
    min(10.0, max(1.0, os.getloadavg()[0] / (os.cpu_count() or 1)))

FRAME_FD, FRAME_MEMFD = 1, 2
INLINE = 1024 * 1024

Frame = collections.namedtuple("Frame", "type id json raw fd")


def _types():
    with open(os.path.join(SRC, "daemon", "base", "frame.h")) as f:
        names = re.findall(r"^\s+X\((\w+), \"", f.read(), re.M)
    return {name: i + 1 for i, name in enumerate(names)}


TYPES = _types()
NAMES = {v: k for k, v in TYPES.items()}


def _memfd(raw):
    fd = os.memfd_create("leadd-frame", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    os.write(fd, raw)
    seals = fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_WRITE | fcntl.F_SEAL_SEAL
    fcntl.fcntl(fd, fcntl.F_ADD_SEALS, seals)
    return fd


class Closed(Exception):
    """The role closed the channel."""


class Channel:
    def __init__(self, sock):
        self.sock = sock
        self.buf = b""
        self.fds = []
        self.kept = []

    def send(self, type_, id_=0, obj=None, raw=b"", fd=None):
        text = json.dumps(obj).encode() if obj is not None else b""
        flags, inline, fds = 0, raw, []
        if len(raw) > INLINE:
            flags, inline, fds = FRAME_FD | FRAME_MEMFD, b"", [_memfd(raw)]
        elif fd is not None:
            flags, fds = FRAME_FD, [os.dup(fd)]
        head = struct.pack("=IHHQII", 20 + len(text) + len(inline), TYPES[type_], flags, id_,
                           len(text), len(raw))
        data = head + text + inline
        anc = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", fds))] if fds else []
        n = self.sock.sendmsg([data], anc)
        if n < len(data):  # nothing is written to a role that has ended on the whole frame
            self.sock.sendall(data[n:])
        for f in fds:
            os.close(f)

    def _fill(self, deadline):
        left = deadline - time.monotonic()
        if left <= 0 or not select.select([self.sock], [], [], left)[0]:
            raise TimeoutError("no frame from the role")
        size = array.array("i").itemsize * 16
        data, anc, _, _ = self.sock.recvmsg(1 << 20, socket.CMSG_SPACE(size))
        for level, kind, got in anc:
            if level == socket.SOL_SOCKET and kind == socket.SCM_RIGHTS:
                fds = array.array("i")
                fds.frombytes(got[:len(got) - len(got) % fds.itemsize])
                self.fds.extend(fds)
        if not data:
            raise Closed()
        self.buf += data

    def _next(self, deadline):
        while True:
            if len(self.buf) >= 24:
                length, type_, flags, id_, jlen, rlen = struct.unpack("=IHHQII", self.buf[:24])
                if len(self.buf) >= length + 4:
                    body, self.buf = self.buf[24:length + 4], self.buf[length + 4:]
                    break
            self._fill(deadline)
        obj = json.loads(body[:jlen]) if jlen else {}
        fd = self.fds.pop(0) if flags & FRAME_FD else None
        raw = body[jlen:]
        if flags & FRAME_MEMFD:
            raw = os.pread(fd, rlen, 0)
            os.close(fd)
            fd = None
        return Frame(NAMES[type_], id_, obj, raw, fd)

    def recv(self, *want, timeout=PATIENCE, where=None):
        """The next frame of one of these types (any when none is named) for which
        where(frame) holds; others are kept for later calls."""
        deadline = time.monotonic() + timeout * SLOW

        def fits(f):
            return (not want or f.type in want) and (where is None or where(f))
        for i, f in enumerate(self.kept):
            if fits(f):
                return self.kept.pop(i)
        while True:
            f = self._next(deadline)
            if fits(f):
                return f
            self.kept.append(f)

    def close(self):
        self.sock.close()


class Role:
    def __init__(self, name, config, leadd=LEADD, env=None):
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        self.name = name

        def wire():
            os.dup2(theirs.fileno(), 3)
            os.set_inheritable(3, True)
        self.proc = subprocess.Popen([leadd, "-R", name], close_fds=False, preexec_fn=wire,
                                     env=dict(os.environ, **(env or {})))
        theirs.close()
        self.sup = Channel(ours)
        self.sup.send("CONFIG", 0, dict({"log_level": "debug"}, **config))

    def peer(self, name="engine", gen="1"):
        """A fresh channel between the role and the named peer; returns our end."""
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sup.send("PEER", 0, {"name": name, "gen": gen}, fd=theirs.fileno())
        theirs.close()
        return Channel(ours)

    def listen(self, name, sock):
        self.sup.send("LISTEN", 0, {"name": name}, fd=sock.fileno())

    def start(self):
        self.sup.send("START")
        return self.sup.recv("READY")

    def stop(self, timeout=PATIENCE):
        self.sup.send("STOP")
        return self.proc.wait(timeout * SLOW)

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        if self.proc.poll() is None:
            self.proc.kill()
        self.proc.wait()
        self.sup.close()
