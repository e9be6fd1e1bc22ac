# SPDX-License-Identifier: ISC
"""A small IMAP server in Python that can be told to misbehave.

    with Peer({1: b"..."}) as peer:
        peer.on("UID FETCH", lambda s, tag, args: s.send(b"* 1 FETCH ({99999999999}"))
        Intake(peer.mailbox())

A handler that returns False lets the ordinary answer follow. Everything a
client said is in peer.said.
"""
import os
import re
import shutil
import socket
import ssl
import tempfile
import threading

from dovecot import make_authority, make_certificate


class Session:
    def __init__(self, peer, sock):
        self.peer, self.sock, self.buf = peer, sock, b""

    def send(self, data):
        self.sock.sendall(data)  # with TLS: one record, when it is below 16 KB

    def line(self):
        while b"\n" not in self.buf:
            data = self.sock.recv(65536)
            if not data:
                raise ConnectionError()
            self.buf += data
        line, self.buf = self.buf.split(b"\n", 1)
        return line.rstrip(b"\r").decode("latin-1")

    def run(self):
        if self.peer.greet:
            self.send(b"* OK ready\r\n")
        while True:
            line = self.line()
            tag, _, rest = line.partition(" ")
            self.peer.said.append(rest)
            for name, handler in list(self.peer.handlers.items()):
                if rest.upper().startswith(name) and handler(self, tag, rest) is not False:
                    break
            else:
                self.answer(tag, rest)

    def ok(self, tag, text="done"):
        self.send(("%s OK %s\r\n" % (tag, text)).encode())

    def answer(self, tag, rest):
        word = rest.upper().split(" ")
        name = "_".join(word[:2]).lower() if word[0] == "UID" else word[0].lower()
        getattr(self, "do_" + name, self.do_bad)(tag, rest)

    def do_bad(self, tag, rest):
        self.send(("%s BAD what?\r\n" % tag).encode())

    def do_capability(self, tag, rest):
        self.send(b"* CAPABILITY IMAP4rev1 AUTH=PLAIN " + self.peer.capabilities + b"\r\n")
        self.ok(tag)

    def do_authenticate(self, tag, rest):
        self.send(b"+ \r\n")
        self.line()
        self.ok(tag)

    def do_noop(self, tag, rest):
        self.ok(tag)

    do_login = do_uid_store = do_uid_copy = do_uid_move = do_uid_expunge = do_noop

    def do_select(self, tag, rest):
        self.send(b"* %d EXISTS\r\n* 0 RECENT\r\n* OK [UIDVALIDITY 77] x\r\n* OK [UIDNEXT %d] x\r\n"
                  % (len(self.peer.mails), self.peer.uidnext))
        self.ok(tag, "[READ-WRITE] done")

    do_examine = do_select

    def uids(self, rest):
        have = sorted(self.peer.mails)
        found = set()
        for part in re.search(r"UID (?:SEARCH UID |FETCH )([\d:*,]+)", rest).group(1).split(","):
            low, _, high = part.partition(":")
            top = have[-1] if have else 0
            low = top if low == "*" else int(low)
            high = low if not high else top if high == "*" else int(high)
            found |= {u for u in have if min(low, high) <= u <= max(low, high)}
        return sorted(found)

    def do_uid_search(self, tag, rest):
        uids = self.uids(rest)
        self.send(("* SEARCH%s\r\n" % "".join(" %d" % u for u in uids)).encode())
        self.ok(tag)

    def do_uid_fetch(self, tag, rest):
        out = b""
        for n, uid in enumerate(self.uids(rest), 1):
            raw = self.peer.mails[uid]
            out += b"* %d FETCH (UID %d" % (n, uid)
            if "RFC822.SIZE" in rest:
                size = self.peer.sizes.get(uid, len(raw))
                out += b' RFC822.SIZE %d INTERNALDATE "01-Nov-2026 10:00:00 +0100"' % size
            if "BODY.PEEK[HEADER]" in rest:
                head = raw.split(b"\r\n\r\n")[0] + b"\r\n\r\n"
                out += b" BODY[HEADER] {%d}\r\n" % len(head) + head
            elif "BODY.PEEK[]" in rest:
                out += b" BODY[] {%d}\r\n" % len(raw) + raw
            out += b")\r\n"
        self.send(out + ("%s OK done\r\n" % tag).encode())

    def do_idle(self, tag, rest):
        self.send(b"+ idling\r\n")
        self.peer.idling.set()
        self.line()  # DONE
        self.peer.idling.clear()
        self.ok(tag)

    def do_logout(self, tag, rest):
        self.send(b"* BYE\r\n")
        self.ok(tag)
        raise ConnectionError()


class Peer:
    def __init__(self, mails=None, tls=False, capabilities=b"IDLE MOVE UIDPLUS"):
        self.mails = dict(mails or {})
        self.sizes = {}
        self.uidnext = max(self.mails, default=0) + 1
        self.capabilities = capabilities
        self.handlers, self.said, self.sessions = {}, [], []
        self.idling = threading.Event()
        self.greet = True
        self.root = tempfile.mkdtemp(prefix="leadd-peer-")
        self.context = None
        if tls:
            make_authority(self.root)
            make_certificate(self.root)
            self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self.context.load_cert_chain(os.path.join(self.root, "server.pem"),
                                         os.path.join(self.root, "server.key"))
        with open(os.path.join(self.root, "password"), "w") as f:
            f.write("secret\n")
        self.sock = socket.create_server(("127.0.0.1", 0))
        threading.Thread(target=self._accept, daemon=True).start()

    def on(self, name, handler):
        self.handlers[name] = handler

    def add(self, uid, raw):
        self.mails[uid] = raw
        self.uidnext = max(self.uidnext, uid + 1)

    def _accept(self):
        while True:
            try:
                sock, _ = self.sock.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(sock,), daemon=True).start()

    def _serve(self, sock):
        try:
            if self.context:
                sock = self.context.wrap_socket(sock, server_side=True)
            session = Session(self, sock)
            self.sessions.append(session)
            session.run()
        except (OSError, ConnectionError):
            pass
        finally:
            sock.close()

    def mailbox(self, **more):
        box = {"type": "imap", "host": "localhost", "port": self.sock.getsockname()[1],
               "tls": "tls" if self.context else "none", "user": "sales", "auth": "password",
               "password_file": os.path.join(self.root, "password"), "folders": ["INBOX"],
               "idle": True, "poll": 60000, "start": "all", "after": "keep",
               "mail_size": 1 << 20, "batch": 1 << 20}
        if self.context:
            box["ca_file"] = os.path.join(self.root, "ca.pem")
        box.update(more)
        return box

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.sock.close()
        for session in self.sessions:
            try:
                session.sock.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
        shutil.rmtree(self.root, ignore_errors=True)
