# SPDX-License-Identifier: ISC
"""The IMAP member of the family in peers.py.

    with ImapPeer({1: b"..."}, [{"uid_fetch": drip}]) as peer:   # UID: mail; the script
        Intake(peer.mailbox())

Steps: greeting and the commands, such as capability, authenticate, examine,
uid_search, uid_fetch, idle (its "+"), idle_done, logout; the answer is the whole
one with its tagged line.

What depends on a command's arguments is better said with a handler:

        peer.on("UID FETCH", lambda s, tag, args: s.send(b"* 1 FETCH ({99999999999}"))

A handler that returns False lets the step follow. Everything a client said is
in peer.said.
"""
import os
import re
import shutil
import ssl
import tempfile
import threading

from dovecot import make_authority, make_certificate
from peers import Conn, Gone, Peer


class ImapConn(Conn):
    send = Conn.write  # with TLS: one record, when it is below 16 KB

    def text(self):
        return self.line().decode("latin-1")

    def ok(self, tag, text="done"):
        self.send(done(tag, text))

    def uids(self, rest):
        """Those that a command names and the mailbox holds."""
        have = sorted(self.peer.mails)
        found = set()
        for part in re.search(r"UID (?:SEARCH UID |FETCH )([\d:*,]+)", rest).group(1).split(","):
            low, _, high = part.partition(":")
            top = have[-1] if have else 0
            low = top if low == "*" else int(low)
            high = low if not high else top if high == "*" else int(high)
            found |= {u for u in have if min(low, high) <= u <= max(low, high)}
        return sorted(found)


def done(tag, text="done"):
    return ("%s OK %s\r\n" % (tag, text)).encode()


class ImapPeer(Peer):
    conn = ImapConn

    def __init__(self, mails=None, script=(), tls=False, capabilities=b"IDLE MOVE UIDPLUS", port=0):
        self.mails = dict(mails or {})
        self.sizes = {}
        self.uidnext = max(self.mails, default=0) + 1
        self.capabilities = capabilities
        self.handlers, self.said = {}, []
        self.idling = threading.Event()
        self.greet = True
        self.root = tempfile.mkdtemp(prefix="leadd-peer-")
        context = None
        if tls:
            make_authority(self.root)
            make_certificate(self.root)
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(os.path.join(self.root, "server.pem"),
                                    os.path.join(self.root, "server.key"))
        with open(os.path.join(self.root, "password"), "w") as f:
            f.write("secret\n")
        super().__init__(script, context, port=port)

    def on(self, name, handler):
        self.handlers[name] = handler

    def add(self, uid, raw):
        self.mails[uid] = raw
        self.uidnext = max(self.uidnext, uid + 1)

    def mailbox(self, **more):
        """What an intake is told."""
        box = {"type": "imap", "host": "localhost", "port": self.port,
               "tls": "tls" if self.tls else "none", "user": "sales", "auth": "password",
               "password_file": os.path.join(self.root, "password"), "folders": ["INBOX"],
               "idle": True, "poll": 60000, "start": "all", "after": "keep",
               "mail_size": 1 << 20, "batch": 1 << 20}
        if self.tls:
            box["ca_file"] = os.path.join(self.root, "ca.pem")
        box.update(more)
        return box

    def close(self):
        super().close()
        shutil.rmtree(self.root, ignore_errors=True)

    # ---- the protocol ----

    def serve(self, conn):
        if self.tls:
            conn.start_tls()
        if self.greet:
            conn.act("greeting", b"* OK ready\r\n")
        while True:
            tag, _, rest = conn.text().partition(" ")
            self.note(self.said, rest)
            for name, handler in list(self.handlers.items()):
                if rest.upper().startswith(name) and handler(conn, tag, rest) is not False:
                    break
            else:
                self.answer(conn, tag, rest)

    def answer(self, conn, tag, rest):
        word = rest.upper().split(" ")
        step = "_".join(word[:2]).lower() if word[0] == "UID" else word[0].lower()
        conn.act(step, getattr(self, "do_" + step, self.do_bad)(conn, tag, rest))
        if step == "idle":
            self.idling.set()
            conn.line()  # DONE
            self.idling.clear()
            conn.act("idle_done", done(tag))
        elif step == "logout":
            raise Gone()

    def do_bad(self, conn, tag, rest):
        return ("%s BAD what?\r\n" % tag).encode()

    def do_capability(self, conn, tag, rest):
        return (b"* CAPABILITY IMAP4rev1 AUTH=PLAIN " + self.capabilities + b"\r\n" + done(tag))

    def do_authenticate(self, conn, tag, rest):
        conn.send(b"+ \r\n")
        conn.line()
        return done(tag)

    def do_noop(self, conn, tag, rest):
        return done(tag)

    do_login = do_uid_store = do_uid_copy = do_uid_move = do_uid_expunge = do_noop

    def do_select(self, conn, tag, rest):
        return (b"* %d EXISTS\r\n* 0 RECENT\r\n* OK [UIDVALIDITY 77] x\r\n* OK [UIDNEXT %d] x\r\n"
                % (len(self.mails), self.uidnext)) + done(tag, "[READ-WRITE] done")

    do_examine = do_select

    def do_uid_search(self, conn, tag, rest):
        found = "".join(" %d" % u for u in conn.uids(rest))
        return ("* SEARCH%s\r\n" % found).encode() + done(tag)

    def do_uid_fetch(self, conn, tag, rest):
        out = b""
        for n, uid in enumerate(conn.uids(rest), 1):
            raw = self.mails[uid]
            out += b"* %d FETCH (UID %d" % (n, uid)
            if "RFC822.SIZE" in rest:
                size = self.sizes.get(uid, len(raw))
                out += b' RFC822.SIZE %d INTERNALDATE "01-Nov-2026 10:00:00 +0100"' % size
            if "BODY.PEEK[HEADER]" in rest:
                head = raw.split(b"\r\n\r\n")[0] + b"\r\n\r\n"
                out += b" BODY[HEADER] {%d}\r\n" % len(head) + head
            elif "BODY.PEEK[]" in rest or "BODY[]" in rest:
                out += b" BODY[] {%d}\r\n" % len(raw) + raw
            out += b")\r\n"
        return out + done(tag)

    def do_idle(self, conn, tag, rest):
        return b"+ idling\r\n"

    def do_logout(self, conn, tag, rest):
        return b"* BYE\r\n" + done(tag)
