# SPDX-License-Identifier: ISC
"""A stream of mails and forms through a daemon that is being killed.

    with World(seed, count=2000) as w:
        w.begin()            # half of the stream goes in at once
        w.kill("courier")    # whatever a test does to it
        w.more()             # a few more of everything
        w.finish()           # the rest; waits until all has come to its end
        check.end_state(w)

Mails come from a Maildir (after = "flag") and from a real Dovecot (one mailbox
with after = "flag", one with "move"), forms by HTTP from clients that repeat a
request under the same key until it was taken. Follow-ups go to a receiver that
refuses, defers or resets those whose address says so, and writes a log; copies of
what was sent go into a folder of the second mailbox. A webhook tells another program
of each lead.
"""
import collections
import contextlib
import os
import queue
import random
import re
import signal
import threading
import time
import urllib.error
import urllib.parse
import urllib.request

import company
import peers
import points
from daemon import Daemon, until
from dovecot import Dovecot
from httppeer import HttpPeer

CONNECTIONS = 4  # of the relay, the default
ROLES = ["engine", "parser", "intake:disk", "intake:flagged", "intake:moved", "web-in", "web-ui",
         "courier"]
# what becomes of a follow-up whose recipient's name begins so; most begin with "ok"
ODD = ["refuse", "defer", "busy", "reset-rcpt", "reset-data", "reset-body", "later"]
HOOKS = "super.restart_soon,outbox.retry_soon,store.checkpoint_often"


TELL = """
lang = 1;
rules : { tell : { on = "lead.created"; do = "webhook program lead.id"; }; };
"""
WAIT = """
lang = 1;
rules : { wait : { on = "lead.created"; after = "1s"; do = "note 'waited'"; }; };
"""


class Receiver(peers.SmtpPeer):
    """Does with each mail what its recipient's name says, and keeps a log.

    attempts[RECIPIENT] is a list of Attempt. An attempt is cut when its
    connection ended with it, after DATA was granted: only then the sender may
    not know how it ended."""

    class Attempt:
        def __init__(self, session):
            self.session, self.granted, self.answered, self.last = session, False, None, False

        @property
        def cut(self):
            return self.granted and self.last

    def __init__(self):
        self.attempts = collections.defaultdict(list)
        self.on_taken = lambda recipient: None  # called before the answer leaves
        super().__init__()

    def tries(self, recipient):
        return len(self.attempts[recipient])

    def serve(self, conn):
        conn.attempt = None
        try:
            super().serve(conn)
        finally:  # nothing came after it, not even QUIT
            if conn.attempt:
                conn.attempt.last = True

    def do_mail(self, conn, line):
        conn.attempt = None
        super().do_mail(conn, line)

    def do_quit(self, conn, line):
        conn.attempt = None
        super().do_quit(conn, line)

    def do_rset(self, conn, line):
        conn.attempt = None
        super().do_rset(conn, line)

    def do_rcpt(self, conn, line):
        conn.recipient = line.decode().split("<", 1)[1].split(">")[0]
        conn.attempt = self.Attempt(conn.number)
        with self.changed:
            self.attempts[conn.recipient].append(conn.attempt)
        conn.kind = conn.recipient.split("@")[0].rsplit("-", 1)[0]
        conn.first = self.tries(conn.recipient) == 1
        if conn.kind == "reset-rcpt" and conn.first:
            raise peers.Gone()
        if conn.kind == "refuse":
            conn.write(b"550 5.1.1 nobody here\r\n")
        elif conn.kind == "defer" and self.tries(conn.recipient) <= 2:
            conn.write(b"451 4.3.0 come again\r\n")
        else:
            conn.write(b"250 2.1.5 ok\r\n")

    def do_data(self, conn, line):
        attempt = conn.attempt
        if conn.first and conn.kind == "reset-data":
            raise peers.Gone()
        if conn.first and conn.kind == "busy":
            conn.write(b"421 4.3.2 too busy\r\n")
            raise peers.Gone()
        attempt.granted = True  # the whole mail may leave the sender at once now
        conn.write(b"354 go on\r\n")
        if conn.first and conn.kind == "reset-body":
            conn.read(64)
            raise peers.Gone()
        data = self._read_body(conn)
        if conn.first and conn.kind == "later":
            attempt.answered = 451
            conn.write(b"451 4.3.0 come again\r\n")
            return
        attempt.answered = 250
        self.on_taken(conn.recipient)
        self.note(self.mails, peers.Mail(conn.number, conn.sender, conn.recipient, data, False,
                                          None))
        conn.write(b"250 2.0.0 taken\r\n")

    def cut(self):
        """Recipients of whom the sender may not know."""
        return {to for to, found in self.attempts.items() if any(a.cut for a in found)}


class Clients:
    """Post forms as good clients do: the same request again under the same key."""

    def __init__(self, world, count=8):
        self.world, self.todo, self.taken = world, queue.Queue(), []
        self.failed = []
        self.threads = [threading.Thread(target=self._run, daemon=True) for _ in range(count)]
        for t in self.threads:
            t.start()

    def _run(self):
        for sender, key in iter(self.todo.get, None):
            try:
                until(lambda: self._post(sender, key), timeout=300, why="form " + key)
                self.taken.append(key)
            except Exception as e:  # pylint: disable=broad-except
                self.failed.append(e)

    def _post(self, sender, key):
        data = urllib.parse.urlencode({"email": sender}).encode()
        try:
            req = urllib.request.Request("http://127.0.0.1:%d/form/contact"
                                         % self.world.daemon.port("web-in"), data=data,
                                         headers={"Idempotency-Key": key})
            with urllib.request.urlopen(req, timeout=120) as r:
                return r.status == 200
        except urllib.error.HTTPError as e:
            assert e.code in (429, 503), e.code
        except (OSError, ValueError, KeyError):  # ports.json is being written
            pass
        return False

    def finish(self):
        for _ in self.threads:
            self.todo.put(None)
        for t in self.threads:
            t.join(400)
        assert not self.failed, self.failed[:3]


class World:
    def __init__(self, seed, count, relay="smtp", imap=True):
        self.seed, self.count, self.relay = seed, count, relay
        self.random = random.Random(seed)
        self.senders = {}  # Message-ID or key -> address; the whole stream
        self.mails = self.forms = 0
        self.kills = collections.Counter()
        self.restarts = 0
        self.stack = contextlib.ExitStack()
        self.dovecot = self.stack.enter_context(Dovecot()) if imap else None
        self.receiver = self.stack.enter_context(Receiver())
        for user in ("flagged", "moved") if imap else ():
            self.dovecot.add_user(user, "secret")
            self.dovecot.maildir(user)
        if imap:
            self.dovecot.maildir("moved", "Done")
        self.raws = []  # (file name, bytes) of the Maildir's
        self.program = self.stack.enter_context(HttpPeer())
        self.daemon = Daemon(self.conf(), company.files(**{"rules.d/20-tell.conf": TELL,
                                                      "rules.d/30-wait.conf": WAIT}),
                             start=False)
        company.maildir(self.daemon.dir + "/disk")
        self.points = points.Points(self.daemon.dir + "/points")
        self.daemon.env = {"LEADD_HOOKS": HOOKS, "LEADD_CRASH_TABLE": self.daemon.dir + "/points"}
        self.clients = Clients(self)

    @staticmethod
    def point_names():
        return points.names()

    def conf(self):
        boxes = ('disk : { type = "maildir"; path = "@DIR@/disk"; start = "all"; poll = "1s"; '
                 'after = "flag"; };')
        if self.dovecot:
            boxes += company.imap(self.dovecot, "flagged", "flagged", after="flag", poll="2s")
            boxes += company.imap(self.dovecot, "moved", "moved", after="move", move_to="Done",
                                  poll="2s", sent_folder="Sent")
        copies = {"sent_copies": "moved"} if self.dovecot else {}
        relays = (company.smtp(self.receiver.port, **copies) if self.relay == "smtp"
                  else company.MAILDIR_OUT)
        return company.conf(mailboxes=boxes, relays=relays, settings='endpoints : { program : '
                            '{ url = "%s"; }; };' % self.program.url())

    def __enter__(self):
        return self

    def __exit__(self, kind, value, tb):
        d = self.daemon
        if kind:
            print("seed %d, kills %s, folder %s" % (self.seed, dict(self.kills), d.dir))
            print("---- log of leadd\n" + d.log()[-20000:])
        with contextlib.suppress(Exception):
            d.close()
        self.stack.close()

    # ---- the stream ----

    def sender(self):
        n = self.mails + self.forms
        kind = self.random.choice(ODD) if self.random.random() < 0.1 else "ok"
        return "%s-%d@%s%d.example" % (kind, n, kind, n)

    def mail(self):
        sender, n = self.sender(), self.mails
        message_id = "<m%d@stream.example>" % n
        raw = company.mail(sender=sender, message_id=message_id, text="Words %d.\n" % n)
        self.senders[message_id] = sender
        self.mails += 1
        if n % 4 < 2 or not self.dovecot:
            self.raws.append(("%d.M%d.test" % (time.time(), n), raw))
            company.deliver(self.daemon.dir + "/disk", *self.raws[-1])
        else:
            self.dovecot.deliver("flagged" if n % 4 == 2 else "moved", raw)

    def form(self):
        key = "form-%d" % self.forms
        self.senders[key] = self.sender()
        self.forms += 1
        self.clients.todo.put((self.senders[key], key))

    def begin(self):
        for _ in range(self.count // 2):
            self.mail()
            self.form()

    def say_again(self, first):
        """Everything that another World (without IMAP) was given."""
        self.senders, self.mails, self.forms = first.senders, first.mails, first.forms
        self.raws = first.raws
        for name, raw in self.raws:
            company.deliver(self.daemon.dir + "/disk", name, raw)
        for n in range(self.forms):
            self.clients.todo.put((self.senders["form-%d" % n], "form-%d" % n))

    def more(self, n=4):
        for _ in range(n):
            self.mail()
            self.form()

    def finish(self):
        while self.mails < self.count:
            self.more(1)
        self.revive()
        self.clients.finish()

    def arrived(self):
        """The recipients of what came out."""
        if self.relay == "smtp":
            return [m.recipient for m in self.receiver.mails]
        found, folder = [], self.daemon.dir + "/outbox/new"
        for name in os.listdir(folder):
            with open(os.path.join(folder, name), encoding="utf-8") as f:
                found += re.findall(r"^To: .*?([^\s<>]+@[^\s<>]+)>?$", f.read(), re.M)
        return [to for to in found if to != "mia@example.com"]

    # ---- killing ----

    def start(self):
        self.good_config()
        self.daemon.start(ready=False)

    def revive(self):
        """As systemd does: starts it again if it has ended. True when it had."""
        if self.daemon.proc.poll() is None:
            return False
        self.restarts += 1
        self.start()
        return True

    def pid(self, role):
        """Of a role that runs right now, or None."""
        if role == "supervisor":
            return self.daemon.proc.pid
        return self.daemon.roles().get(role)

    def kill(self, role):
        pid = self.pid(role)
        if pid is None:
            return False
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
        self.kills[role] += 1
        if role == "supervisor":
            self.daemon.proc.wait()
            self.revive()  # at once: the old roles may still be dying
        return True

    # ---- what makes the rare points be passed ----

    def bad_config(self):
        self.daemon.write("rules.d/99-bad.conf", "lang = 1; rules : { nonsense; };")

    def good_config(self):
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self.daemon.dir + "/rules.d/99-bad.conf")

    def hup(self):
        if self.daemon.proc.poll() is None:
            self.daemon.proc.send_signal(signal.SIGHUP)

    def reload(self):
        self.good_config()
        self.daemon.write("rules.d/50-note.conf", "lang = 1; # %d\n" % self.random.getrandbits(32))
        self.hup()

    def reload_in_vain(self):
        self.bad_config()
        self.hup()

    def kill_busy_courier(self):
        self.more(8)
        out = self.receiver.sessions + len(self.receiver.attempts)
        with contextlib.suppress(TimeoutError):
            until(lambda: self.receiver.sessions + len(self.receiver.attempts) > out, timeout=2)
        self.kill("courier")

    def refetch(self):
        self.daemon.leadctl("mailbox", "refetch", "flagged", "1", "2", "3")

    def new_uidvalidity(self):
        self.dovecot.new_uidvalidity("flagged")
