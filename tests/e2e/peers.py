# SPDX-License-Identifier: ISC
"""Servers that follow a script: the hostile, the slow and the broken ones.

    peer = SmtpPeer([{"rcpt": refuse(550)},          # first connection
                     {"dot": [ok, drop]}])           # second: its second mail's dot
    ... peer.port ...
    peer.wait(lambda: peer.mails)                    # what was accepted

A script has one entry per connection; connections beyond it are well-behaved,
or as peer.default says. An entry names steps of the protocol; a step has one
action, or a list for its first, second, ... occurrence (then well-behaved
again). An action is called with the connection and the bytes a well-behaved
server would answer.

Peer and Conn know nothing of a protocol: a server is a subclass of Peer that
reads and calls conn.act(STEP, answer). The family: SmtpPeer here, ImapPeer in
imappeer.py, HttpPeer and SmsGatewayPeer in httppeer.py.
"""
import base64
import collections
import os
import select
import socket
import ssl
import struct
import threading

# seconds that stand for one; a minute of trickling need not take a minute
SECOND = float(os.environ.get("LEADD_PEER_SECOND", "0.05"))


class Gone(Exception):
    """The connection is over."""


# ---- actions -----------------------------------------------------------------

def ok(conn, answer):
    conn.write(answer)


def reply(text):
    return lambda conn, answer: conn.write(text.encode() + b"\r\n")


def refuse(code=550, text="5.0.0 refused by the script"):
    return reply(f"{code} {text}")


def defer(code=451, text="4.0.0 deferred by the script"):
    return reply(f"{code} {text}")


def drop(conn, answer):
    raise Gone()


def then_drop(conn, answer):
    conn.write(answer)
    raise Gone()


def hang(conn, answer):
    """Says nothing until the client or the test gives up."""
    conn.until_closed()


def hold(event, then=ok):
    """Waits for the test to set event."""
    def act(conn, answer):
        while not event.wait(0.02):
            conn.check()
        then(conn, answer)
    return act


def raw(data, then=None):
    """Writes these bytes instead of an answer."""
    def act(conn, answer):
        conn.write(data)
        if then:
            then(conn, answer)
    return act


def plus(data):
    """The right answer and these bytes, in one packet."""
    return lambda conn, answer: conn.write(answer + data)


def split(conn, answer):
    """The right answer, one packet per byte."""
    for i in range(len(answer)):
        conn.write(answer[i:i + 1])


def delay(seconds, then=ok):
    """Nothing for so many (scaled) seconds, and then the answer."""
    def act(conn, answer):
        conn.pause(seconds * SECOND)
        then(conn, answer)
    return act


def drip(conn, answer):
    """The right answer, a byte a (scaled) second."""
    for i in range(len(answer)):
        conn.write(answer[i:i + 1])
        conn.pause(SECOND)


def trickle(conn, answer):
    """One byte a (scaled) second of a line that never ends."""
    while True:
        conn.write(b"2")
        conn.pause(SECOND)


def endless(conn, answer):
    """As much of a line as the client takes."""
    while True:
        conn.write(b"2" * 65536)


GARBAGE = b"\x00\xff\x16\x03\x01 what is this?\r\n\x80\x00"


def garbage(conn, answer):
    """Bytes of no protocol, and the end."""
    conn.write(GARBAGE)
    raise Gone()


def half_close(conn, answer):
    """The right answer; then nothing more will come, but what comes is still read."""
    conn.write(answer)
    conn.sock.shutdown(socket.SHUT_WR)
    conn.until_closed()


def reset(conn, answer):
    """A TCP reset instead of an answer."""
    conn.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    raise Gone()


def then_reset(conn, answer):
    conn.write(answer)
    reset(conn, answer)


def call(fn, then=ok):
    """Runs fn() first: to look at the world at exactly this step."""
    def act(conn, answer):
        fn()
        then(conn, answer)
    return act


# ---- any protocol ----------------------------------------------------------------

class Conn:
    def __init__(self, peer, sock, number, script):
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.peer, self.sock, self.number = peer, sock, number
        self.script = {k: list(v) if isinstance(v, (list, tuple)) else [v]
                       for k, v in script.items()}
        self.buf = b""
        self.tls = False
        self.said = b""   # the beginning of what this step wrote
        self.on_answer = None  # called with the first bytes of a step, before they leave

    def act(self, step, answer):
        actions = self.script.get(step)
        action = actions.pop(0) if actions else ok
        with self.peer.changed:
            self.peer.steps.append((self.number, step))
            self.peer.changed.notify_all()
        self.said = b""
        action(self, answer)

    def write(self, data):
        if self.on_answer and not self.said:
            self.on_answer(data)
        self.said = (self.said + data)[:256]
        try:
            self.sock.sendall(data)
        except OSError as e:
            raise Gone() from e

    def read(self, most=65536):
        try:
            data = self.sock.recv(most)
        except OSError as e:
            raise Gone() from e
        if not data:
            raise Gone()
        return data

    def line(self):
        while b"\n" not in self.buf:
            self.buf += self.read()
        line, self.buf = self.buf.split(b"\n", 1)
        return line.rstrip(b"\r")

    def take(self, count):
        """Exactly so many bytes."""
        while len(self.buf) < count:
            self.buf += self.read()
        data, self.buf = self.buf[:count], self.buf[count:]
        return data

    def check(self):
        """Gone when the peer was closed by the test."""
        if self.peer.closing.is_set():
            raise Gone()

    def pause(self, seconds):
        if self.peer.closing.wait(seconds):
            raise Gone()

    def until_closed(self):
        """Reads and forgets until the client hangs up."""
        while True:
            self.check()
            if select.select([self.sock], [], [], 0.05)[0]:
                self.read()

    def shut(self):
        """Ends it from another thread; a step that waits for the client is over."""
        try:
            self.sock.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass

    def start_tls(self):
        try:
            self.sock = self.peer.tls.wrap_socket(self.sock, server_side=True)
        except (OSError, ssl.SSLError) as e:
            raise Gone() from e
        self.buf = b""
        self.tls = True


class Peer:
    """Listens on a loopback port, an ephemeral one unless told; one thread per connection."""

    conn = Conn  # what a connection is

    def __init__(self, script=(), tls=None, rcvbuf=None, port=0):
        self.script, self.tls = list(script), tls
        self.default = {}     # what connections beyond the script do
        self.steps = []       # (connection number, step) as they happened
        self.conns = []       # all connections there were
        self.sessions = 0     # connections accepted
        self.open = 0
        self.most_open = 0
        self.changed = threading.Condition()
        self.closing = threading.Event()
        self.server = socket.socket()
        if rcvbuf:
            self.server.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, rcvbuf)
        self.server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.server.bind(("127.0.0.1", port))
        self.server.listen(128)
        self.port = self.server.getsockname()[1]
        self.threads = [threading.Thread(target=self._accept, daemon=True)]
        self.threads[0].start()

    def _accept(self):
        while not self.closing.is_set():
            try:
                sock, _ = self.server.accept()
            except OSError:
                return
            number = self.sessions
            entry = self.script[number] if number < len(self.script) else self.default
            conn = self.conn(self, sock, number, entry)
            with self.changed:
                self.sessions += 1
                self.open += 1
                self.most_open = max(self.most_open, self.open)
                self.conns.append(conn)
                self.changed.notify_all()
            t = threading.Thread(target=self._serve, args=(conn,), daemon=True)
            self.threads.append(t)
            t.start()

    def _serve(self, conn):
        try:
            self.serve(conn)
        except (Gone, OSError):
            pass
        finally:
            try:
                conn.sock.close()
            except OSError:
                pass
            with self.changed:
                self.open -= 1
                self.changed.notify_all()

    def serve(self, conn):
        raise NotImplementedError

    def note(self, where, what):
        with self.changed:
            where.append(what)
            self.changed.notify_all()

    def count(self, step):
        return sum(1 for _, s in self.steps if s == step)

    def wait(self, what, timeout=120):
        """Until what() is true; its value. A timeout fails the test."""
        with self.changed:
            assert self.changed.wait_for(what, timeout), f"not seen; steps: {self.steps[-20:]}"
            return what()

    def close(self):
        self.closing.set()
        try:
            self.server.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self.server.close()
        for conn in list(self.conns):
            conn.shut()

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.close()


# ---- SMTP ---------------------------------------------------------------------------

Mail = collections.namedtuple("Mail", "session sender recipient data tls user")


class SmtpPeer(Peer):
    """Steps: greeting, ehlo, starttls, auth, mail, rcpt, data, body, dot, rset, quit.

    body comes before the mail is read (its answer is empty). tls: a server
    context; offered by STARTTLS, or from the first byte with implicit=True.
    auth: {user: secret}; sign-in is then offered, and wanted before MAIL."""

    def __init__(self, script=(), tls=None, implicit=False, auth=None, rcvbuf=None,
                 caps=("SIZE 100000000", "8BITMIME"), on_bytes=None, port=0):
        self.implicit, self.auth, self.caps = implicit, auth, caps
        self.mails = []      # what got a 2xx to its dot
        self.received = []   # every whole mail, whatever the answer was
        self.lines = []      # (connection number, command line)
        self.on_bytes = on_bytes  # called with the number of body bytes read so far
        super().__init__(script, tls, rcvbuf, port)

    def serve(self, conn):
        if self.implicit:
            conn.start_tls()
        conn.user, conn.sender, conn.recipient = None, None, None
        conn.begun, conn.recipients = False, 0
        conn.act("greeting", b"220 peer.example.com ESMTP\r\n")
        while True:
            line = conn.line()
            self.note(self.lines, (conn.number, line.decode("utf-8", "replace")))
            verb = line.split(b" ")[0].split(b":")[0].upper().decode("ascii", "replace")
            getattr(self, "do_" + verb.lower(), self.do_unknown)(conn, line)

    def do_unknown(self, conn, line):
        conn.write(b"500 5.5.1 what?\r\n")

    def do_ehlo(self, conn, line):
        lines = ["peer.example.com", *self.caps]
        if self.tls and not conn.tls:
            lines.append("STARTTLS")
        if self.auth:
            lines.append("AUTH PLAIN LOGIN XOAUTH2 OAUTHBEARER")
        text = "".join(f"250{'-' if i + 1 < len(lines) else ' '}{x}\r\n"
                       for i, x in enumerate(lines))
        conn.act("ehlo", text.encode())

    def do_helo(self, conn, line):
        conn.act("helo", b"250 peer.example.com\r\n")

    def do_starttls(self, conn, line):
        conn.act("starttls", b"220 2.0.0 go ahead\r\n")
        conn.start_tls()

    def do_auth(self, conn, line):
        words = line.split(b" ")
        if len(words) > 2:
            answer = words[2]
        else:
            conn.write(b"334 \r\n")
            answer = conn.line()
        said = base64.b64decode(answer)
        user = next((u for u, s in self.auth.items() if s.encode() in said
                     and u.encode() in said), None)
        conn.user = user
        conn.mechanism = words[1].decode()
        good = b"235 2.7.0 welcome\r\n" if user else b"535 5.7.8 wrong secret\r\n"
        conn.act("auth", good)

    def do_mail(self, conn, line):
        if self.auth and not conn.user:
            conn.write(b"530 5.7.0 sign in first\r\n")
            return
        conn.sender = line.decode("utf-8", "replace").split(":", 1)[1].split(">")[0].strip(" <")
        conn.act("mail", b"250 2.1.0 ok\r\n")
        conn.begun, conn.recipients = conn.said.startswith(b"2"), 0

    def do_rcpt(self, conn, line):
        conn.recipient = line.decode("utf-8", "replace").split(":", 1)[1].strip(" <>")
        conn.act("rcpt", b"250 2.1.5 ok\r\n" if conn.begun else b"503 5.5.1 MAIL first\r\n")
        conn.recipients += conn.begun and conn.said.startswith(b"2")

    def do_data(self, conn, line):
        conn.act("data", b"354 go on\r\n" if conn.recipients else b"503 5.5.1 RCPT first\r\n")
        if not conn.said.startswith(b"354"):
            return
        conn.act("body", b"")
        data = self._read_body(conn)
        mail = Mail(conn.number, conn.sender, conn.recipient, data, conn.tls, conn.user)
        self.note(self.received, mail)
        # noted before the answer leaves, so that who hears it also finds the mail
        conn.on_answer = lambda data: data.startswith(b"2") and self.note(self.mails, mail)
        conn.act("dot", b"250 2.0.0 queued as %d\r\n" % len(self.received))
        conn.on_answer = None

    def _read_body(self, conn):
        """Up to the lone dot, doubled dots undone; calls on_bytes on the way."""
        got = bytearray(b"\r\n" + conn.buf)
        at = 0
        while (end := got.find(b"\r\n.\r\n", max(0, at - 5))) < 0:
            at = len(got)
            got += conn.read()
            if self.on_bytes:
                self.on_bytes(len(got) - 2)
        conn.buf = bytes(got[end + 5:])
        return bytes(got[:end + 2]).replace(b"\r\n..", b"\r\n.")[2:]

    def do_rset(self, conn, line):
        conn.act("rset", b"250 2.0.0 ok\r\n")

    def do_noop(self, conn, line):
        conn.act("noop", b"250 2.0.0 ok\r\n")

    def do_quit(self, conn, line):
        conn.act("quit", b"221 2.0.0 bye\r\n")
        raise Gone()
