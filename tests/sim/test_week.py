# SPDX-License-Identifier: ISC
"""A week of a ten-person sales team under pretended time: what comes in, what people
answer, command, note and forward, machines among them; the CRM at the end is compared
with a book that the test keeps by itself, and no internal word is in any mail to a
customer.

LEADD_SIM_EVENTS sets how much happens, LEADD_SIM_SEED which week it is.
"""
import collections
import datetime
import os
import random
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "e2e"))

import company  # noqa: E402
from daemon import until  # noqa: E402
from test_conversation import World, answer, trusted  # noqa: E402
from test_main_job import rows  # noqa: E402

EVENTS = int(os.environ.get("LEADD_SIM_EVENTS", "80"))
SEED = int(os.environ.get("LEADD_SIM_SEED", "0")) or int(time.time())
REPS = ["ann", "ben", "cem", "dan", "eli", "fay", "gus", "hal", "ivy", "jon"]
MONDAY = "2026-11-16T07:00:00Z"
SECRET = "INTERN"  # in every word that no customer may read

USERS = "users : {\n  mia : { name = \"Mia Example\"; email = \"mia@example.com\"; role = \"admin\"; };\n" \
    + "".join('  %s : { name = "%s Example"; email = "%s@example.com"; team = "all"; };\n' % (r, r.capitalize(), r)
              for r in REPS) + '};\nteams : { all : { name = "All"; }; };\n'
RULES = """
lang = 1;
rules : {
%s
  welcome : { on = "lead.created"; do = "send welcome"; };
};
""" % "\n".join('  to-%s : { first = "assignment"; on = "lead.created"; '
                'when = "message.subject contains \'range %d\'"; do = "assign %s"; };' % (r, i, r)
                for i, r in enumerate(REPS))
BOXES = company.MAILDIR_IN + ' ' + company.MAILDIR_IN.replace("inbox :", "info :").replace(
    "@DIR@/inbox", "@DIR@/info")


def conf():
    text = company.CONF
    a, b = text.index("users : {"), text.index("mailboxes :")
    return text[:a] + USERS + text[b:]


class Customer:
    """What the test's own book knows of one who wrote."""

    def __init__(self, n):
        self.n = n
        self.email = "c%d@shop%d.example" % (n, n)
        self.name = "Customer Nr%d" % n
        self.owner = REPS[n % len(REPS)]
        self.lead = "L%d" % n
        self.status = "new"
        self.ins = self.outs = 0
        self.deal = None          # (status, amount)
        self.notes, self.tasks = [], []
        self.got = []             # words of relayed mails, in order
        self.bouncing = self.full = False
        self.story = []           # what happened, for who looks into a failure
        self.asked = []           # answers that its owner was sent
        self.last = None          # the last mail it got


class Week(World):
    def __init__(self, rng):
        files = {"info/%s/.keep" % s: "" for s in ("tmp", "new", "cur")}
        super().__init__(rules=RULES, CONF=conf().replace("%(mailboxes)s", BOXES.replace("%", "%%")),
                         args=["--pretend-time", MONDAY])
        for name, text in files.items():
            self.d.write(name, text)
        self.rng, self.customers, self.files, self.serial, self.moved = rng, [], 0, 0, True

    def settle(self):
        """Nothing leaves by itself, so once after each mail that came is enough."""
        if self.moved:
            super().settle()
        self.moved = False

    def secret(self):
        self.serial += 1
        return "%s-%d" % (SECRET, self.serial)

    def known(self, to):
        return {m["Message-ID"] for m in self.sent(to)}

    def news(self, to, before):
        """What has left to that address since known() of then."""
        return [m for m in self.sent(to) if m["Message-ID"] not in before]

    def put(self, raw, box="inbox"):
        self.n += 1
        self.files += 1
        self.moved = True
        mark = self.d.mark()
        company.deliver(os.path.join(self.d.dir, box), "%d.m" % self.n, raw)
        return self.d.wait_log(r"mail\.(filed|same|bounced) |state=ignored|inbound\.quarantined",
                               after=mark)

    # ---- what customers do ----

    def new_lead(self):
        c = Customer(len(self.customers) + 1)
        raw = company.mail(sender=c.email, name=c.name, subject="range %d" % (c.n % len(REPS)),
                           text="Tell me more.\n")
        self.put(raw)
        for _ in range(self.rng.choice([0, 0, 0, 1, 2])):  # the same into the other mailbox, or again
            self.put(b"Received: from x by y; Mon, 16 Nov 2026 07:00:00 +0000\r\n" + raw,
                     self.rng.choice(["inbox", "info"]))
        c.ins = 1
        c.outs = 1  # the welcome
        (c.last,) = self.sent(c.email)
        self.customers.append(c)

    def customer_answers(self, c):
        before = self.known(c.owner + "@example.com")
        self.serial += 1
        words = "Question %d.\n" % self.serial
        self.lead(sender=c.email, name=c.name, **answer(c.last, words))
        c.ins += 1
        c.bouncing = False
        (m,) = self.news(c.owner + "@example.com", before)
        assert words.strip() in m.get_content()
        c.asked.append(m)

    def customer_is_away(self, c):
        before = len(self.sent())
        self.lead(sender=c.email, name=c.name, Auto_Submitted="auto-replied",
                  **dict(answer(c.last, "I am away until Monday.\n"), subject="Out of office"))
        assert len(self.sent()) == before  # nobody answers a machine

    def daemon_writes(self, c, to, subject, kind, body):
        self.put(("From: MAILER-DAEMON@mx.example.com\r\nTo: %s\r\nSubject: %s\r\n"
                  "Return-Path: <>\r\nMessage-ID: <b%d@mx.example.com>\r\nMIME-Version: 1.0\r\n"
                  "Content-Type: %s\r\n\r\n%s" % (to, subject, self.n, kind, body)).encode())

    def report(self, c, action, status, said, to=None):
        """As a server of today says it (RFC 3464)."""
        self.daemon_writes(
            c, to or c.last["Return-Path"].strip("<>"), "Undelivered Mail",
            "multipart/report; report-type=delivery-status; boundary=x",
            "--x\r\nContent-Type: text/plain\r\n\r\nIt did not work.\r\n"
            "--x\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx\r\n\r\n"
            "Final-Recipient: rfc822; %s\r\nAction: %s\r\nStatus: %s\r\n"
            "Diagnostic-Code: smtp; %s\r\n\r\n"
            "--x\r\nContent-Type: message/rfc822\r\n\r\nFrom: sales@example.com\r\nTo: %s\r\n"
            "Subject: %s\r\nMessage-ID: %s\r\n\r\nHello\r\n--x--\r\n"
            % (c.email, action, status, said, c.email, c.last["Subject"], c.last["Message-ID"]))

    def mail_bounces(self, c):
        """By the address it comes back to, by the mail that it brings back, or in words."""
        form = self.rng.choice(["path", "original", "words"])
        if form == "path":
            self.report(c, "failed", "5.1.1", "550 5.1.1 no such user")
        elif form == "original":
            self.report(c, "failed", "5.0.0", "550 unknown user", to="sales@example.com")
        else:
            self.daemon_writes(
                c, c.last["Return-Path"].strip("<>"), "failure notice", "text/plain",
                "Hi. This is the qmail-send program at mx.example.com.\r\nI'm afraid I wasn't able "
                "to deliver your message to the following addresses.\r\nThis is a permanent error; "
                "I've given up. Sorry it didn't work out.\r\n\r\n<%s>:\r\nSorry, no mailbox here by "
                "that name. (#5.1.1)\r\n\r\n--- Below this line is a copy of the message.\r\n\r\n"
                "Return-Path: <sales@example.com>\r\n" % c.email)
        c.bouncing = True

    def mail_is_late(self, c):
        """A server still tries, or its mailbox was full once: the address stays good."""
        if self.rng.random() < .6 or c.full:
            self.report(c, "delayed", "4.4.1", "connect timed out")
        else:
            c.full = True  # a second one within days would count as a permanent one
            self.report(c, "failed", "4.2.2", "452 4.2.2 mailbox full")

    # ---- what reps do ----

    def rep_answers(self, c):
        m = self.rng.choice(c.asked)
        self.serial += 1
        words = "Answer %d." % self.serial
        lines = [words]
        note = None
        if self.rng.random() < .4:
            note = "he said %s" % self.secret()
            lines.insert(self.rng.choice([0, 1]), "\n#note %s\n" % note)
        before = self.known(c.email)
        self.rep(sender=c.owner + "@example.com", **answer(m, "\n".join(lines) + "\n"))
        new = self.news(c.email, before)
        if note:
            c.notes.append(note)
        if c.bouncing:
            assert new == []  # it would not arrive: the rep is told
            c.notes.append(words)
            return
        (out,) = new
        c.last = out
        c.got.append(words)
        c.outs += 1
        c.status = "contacted" if c.status == "new" else c.status

    def rep_commands(self, c):
        m = self.rng.choice(c.asked)
        kind = self.rng.choice(["won", "lost", "task", "note"])
        if kind in ("won", "lost") and c.deal and c.deal[0] != "open":
            kind = "task"
        self.serial += 1
        amount = self.serial * 100
        line = {"won": "#won %d" % amount, "lost": "#lost too expensive",
                "task": "#task tomorrow 10:00 call %s" % self.secret(),
                "note": "#note %s" % self.secret()}[kind]
        before = self.known(c.email), self.known(c.owner + "@example.com")
        self.rep(sender=c.owner + "@example.com", **answer(m, line + "\n"))
        (told,) = self.news(c.owner + "@example.com", before[1])
        assert "not understood" not in told.get_content(), told.get_content()
        assert self.known(c.email) == before[0]
        if kind == "won":
            c.deal = ("won", amount)
        elif kind == "lost":
            c.deal = ("lost", None)
        elif kind == "task":
            c.tasks.append(line.split(" ", 3)[3])
        else:
            c.notes.append(line.split(" ", 1)[1])

    def colleague_notes(self, c):
        who = self.rng.choice([r for r in REPS if r != c.owner])
        words = "I know them, %s" % self.secret()
        self.rep("#%s note %s\n" % (c.lead, words), sender=who + "@example.com", subject="to leadd")
        c.notes.append(words)

    def rep_forwards(self):
        """Somebody wrote to a rep alone, and the rep hands it on: a lead of who wrote it."""
        c = Customer(len(self.customers) + 1)
        who = self.rng.choice(REPS)
        words = "met at the fair, %s" % self.secret()
        text = ("%s\n\n---------- Forwarded message ---------\nFrom: %s <%s>\n"
                "Date: Mon, 16 Nov 2026 at 07:10\nSubject: range %d\nTo: %s@example.com\n\n"
                "Tell me more.\n" % (words, c.name, c.email, c.n % len(REPS), who))
        proven = self.rng.random() < .75
        before = self.known(c.email)
        self.rep(text, sender=who + "@example.com", proven=proven,
                 subject="Fwd: range %d" % (c.n % len(REPS)))
        if not proven:  # nobody knows whose mail it was: no lead, and nothing leaves
            assert self.known(c.email) == before
            return
        c.notes.append(words)
        c.ins = c.outs = 1
        (c.last,) = self.sent(c.email)
        self.customers.append(c)

    def customer_is_forwarded(self, c):
        """A known one wrote to the rep alone: it belongs to the lead, as if it had come here."""
        if c.deal:  # its lead is closed: what comes by itself would begin another one
            return
        self.serial += 1
        before = self.known(c.email)
        text = ("---------- Forwarded message ---------\nFrom: %s <%s>\n"
                "Date: Tue, 17 Nov 2026 at 09:%02d\nSubject: one thing more\nTo: %s@example.com\n\n"
                "And blue ones, number %d?\n" % (c.name, c.email, self.serial % 60, c.owner, self.serial))
        self.rep(text, sender=c.owner + "@example.com", subject="Fwd: one thing more")
        assert self.known(c.email) == before
        c.ins += 1

    def somebody_pretends(self, c):
        m = self.rng.choice(c.asked)
        before = self.known(c.email)
        self.rep(sender=c.owner + "@example.com", proven=False,
                 **answer(m, "%s\n\n#won 999999\n" % self.secret()))
        assert self.known(c.email) == before

    # ---- the week ----

    def step(self):
        asked = [c for c in self.customers if c.asked]
        what = self.rng.choices(
            [self.new_lead, self.customer_answers, self.customer_is_away, self.mail_bounces,
             self.mail_is_late, self.rep_answers, self.rep_commands, self.colleague_notes,
             self.rep_forwards, self.customer_is_forwarded, self.somebody_pretends],
            [3, 5, 1, .8, .6, 5, 4, 1.5, 1, 1, 1])[0]
        if what == self.rep_forwards:
            what()
            return what.__name__
        if what == self.new_lead or not self.customers:
            self.new_lead()
            return "new_lead"
        among = self.customers if what in (self.customer_answers, self.customer_is_away,
                                           self.mail_bounces, self.mail_is_late,
                                           self.customer_is_forwarded,
                                           self.colleague_notes) else asked
        if among:
            c = self.rng.choice(among)
            c.story.append(what.__name__)
            what(c)
        return what.__name__

    def compare(self):
        leads = {r["id"]: r for r in rows(self.d, "list", "leads", "limit=10000")}
        deals = {r["lead"]: r for r in rows(self.d, "list", "deals", "limit=10000")}
        assert len(leads) == len(self.customers)
        for c in self.customers:
            lead = leads[c.lead]
            found = rows(self.d, "timeline", c.lead, "limit=10000")
            at = "%s, seed %d: %s\n%s" % (c.lead, SEED, c.story, "\n".join(map(str, found)))
            assert (lead["email"], lead["owner"]) == (c.email, c.owner), at
            mails = collections.Counter(r["direction"] for r in found if r["kind"] == "mail")
            assert (mails["in"], mails["out"]) == (c.ins, c.outs), at
            assert sorted(r["text"] for r in found if r["kind"] == "note") == sorted(c.notes), at
            texts = [m.get_content().strip() for m in self.sent(c.email)]
            assert sorted(x for x in texts if x.startswith("Answer")) == sorted(c.got), at
            assert len(texts) == len(c.got) + 1, at
            tasks = [r["title"] for r in rows(self.d, "list", "tasks", "limit=10000", "lead=" + c.lead)]
            assert sorted(tasks) == sorted(c.tasks), at
            if c.deal:
                deal = deals[c.lead]
                assert deal["status"] == c.deal[0], at
                assert c.deal[1] is None or deal["amount"].startswith("%d.00" % c.deal[1]), at
            else:
                assert c.lead not in deals, at
        ledger = collections.Counter(r["state"] for r in rows(self.d, "ledger", "limit=10000"))
        assert sum(ledger.values()) == self.files and ledger["quarantined"] == 0
        assert all(r["missing"] == 0 for r in rows(self.d, "reconcile"))


def test_a_week_of_ten_people_ends_as_the_book_says():
    rng = random.Random(SEED)
    print("seed", SEED)
    done = collections.Counter()
    with Week(rng) as w:
        for i in range(EVENTS):
            done[w.step()] += 1
            w.d.ctl("clock", "advance", "%dm" % rng.randrange(1, 5 * 24 * 60 // EVENTS))
        w.settle()
        w.compare()
        ours = {"mia@example.com"} | {r + "@example.com" for r in REPS}
        out = [m for m in company.sent(w.d.dir)
               if not ours & {a.addr_spec for a in m["To"].addresses}]
        assert out and not any(SECRET in m.as_string() for m in out)
        assert any(SECRET in m.get_content() for m in company.sent(w.d.dir) if m not in out)
    print(dict(done))
    assert len(done) == 11 or EVENTS < 150
