# SPDX-License-Identifier: ISC
"""The outbox over days that pass in seconds: the daemon's clock stands still and is
moved by `leadctl clock advance`. Retries, undo windows, relays that are down or
silent, bounces, and two machines that answer each other.
"""
import calendar
import email
import email.message
import email.policy
import os
import ssl
import sys
import time

import pytest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "e2e"))

import company  # noqa: E402
from daemon import CtlError, Daemon, until  # noqa: E402
from dovecot import make_authority, make_certificate  # noqa: E402
from peers import SmtpPeer, defer, drop, hang, refuse  # noqa: E402
from roles import SLOW  # noqa: E402

MINUTE, HOUR, DAY = 60000, 3600000, 86400000
NOBODY = 'none : { type = "maildir"; path = "@DIR@/none"; };'


class Company(Daemon):
    """A daemon whose time is ours."""

    def __init__(self, relays, settings="", files=None, **more):
        address = more.pop("address", "sales@example.com")
        now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        mailboxes = more.pop("mailboxes", company.MAILDIR_IN)
        conf = company.conf(mailboxes=mailboxes, relays=relays, settings=settings)
        super().__init__(conf.replace("sales@example.com", address), files or company.files(), args=["--pretend-time", now],
                         start=False, **more)
        for sub in ("new", "cur", "tmp"):
            os.makedirs(self.dir + "/inbox/" + sub, exist_ok=True)
        self.time = None
        self.start()

    def advance(self, ms):
        self.time = self.ctl("clock", "advance", "%dms" % ms)["now"]

    def outbox(self, *more):
        return self.ctl("outbox", "list", "limit=1000", *more)["rows"]

    def row(self, number=1):
        return next(r for r in self.outbox() if r["id"] == number)

    def settle(self, number=1, *states):
        """The row, when it is in one of the states (or, without, in no hand)."""
        def look():
            r = self.row(number)
            ok = r["state"] in states if states else r["state"] not in ("ready", "claimed")
            return r if ok else None
        return until(look, why="mail %d %s, not %s" % (number, states, self.row(number)))

    def quiet(self):
        """All that was due has been tried."""
        def look():
            rows = self.outbox()
            now = self.now()
            return all(r["state"] != "claimed" and not 0 < r["next_ms"] <= now for r in rows)
        until(look, why="a quiet outbox")

    def now(self):
        """The time of the daemon, ms."""
        self.time = self.time or self.ctl("clock")["now"]
        whole, frac = self.time.split(" ")[0].rstrip("Z").split(".")
        return calendar.timegm(time.strptime(whole, "%Y-%m-%dT%H:%M:%S")) * 1000 + int(frac)

    def lead(self, who="ada@shop.example", **more):
        self.ingest(company.mail(sender=who, **more))


def relay(peer, **more):
    return company.smtp(peer.port, **more)


# ---- retries ---------------------------------------------------------------------

def test_a_deferred_mail_is_tried_for_five_days_then_failed():
    with SmtpPeer([{"rcpt": [defer()] * 1000}] * 1000) as peer:
        with Company(relay(peer)) as d:
            d.lead()
            tries, first = 0, d.settle(1, "deferred")["created_ms"]
            while True:
                tries += 1
                row = d.settle(1, "deferred", "failed")
                assert row["attempts"] == tries
                if row["state"] == "failed":
                    break
                wait = row["next_ms"] - d.now()
                plain = min(tries * tries * MINUTE, 4 * HOUR)
                assert plain <= wait <= plain * 1.25, (tries, wait)
                d.advance(wait - 1)
                d.quiet()
                assert d.row()["attempts"] == tries  # not a moment too early
                d.advance(1)
                until(lambda: d.row()["attempts"] > tries, why="try %d" % (tries + 1))
            assert 5 * DAY < d.now() - first < 5 * DAY + 6 * HOUR
            assert 30 < tries < 60 and peer.count("rcpt") == tries
            assert "4.0.0 deferred" in row["reply"] and row["next_ms"] == 0
            d.advance(DAY)
            d.quiet()
            assert peer.count("rcpt") == tries


def test_a_relay_down_for_a_day_loses_and_doubles_nothing():
    with SmtpPeer() as gone:
        port = gone.port
    with Company(company.smtp(port)) as d:
        for n in range(20):
            d.lead("p%d@shop%d.example" % (n, n))
        for _ in range(12):
            d.advance(2 * HOUR)
            d.quiet()
        assert {r["state"] for r in d.outbox()} == {"deferred"}
        with SmtpPeer(port=port) as peer:
            d.advance(5 * HOUR)
            until(lambda: {r["state"] for r in d.outbox()} == {"sent"}, why="all sent")
            d.advance(DAY)
            d.quiet()
            to = [m.recipient for m in peer.mails if m.recipient != "mia@example.com"]
            assert sorted(to) == sorted("p%d@shop%d.example" % (n, n) for n in range(20))


def test_a_refused_mail_is_not_tried_again():
    with SmtpPeer([{"rcpt": refuse()}]) as peer:
        with Company(relay(peer)) as d:
            d.lead()
            assert "refused by the script" in d.settle(1, "failed")["reply"]
            d.advance(DAY)
            d.quiet()
            assert peer.count("rcpt") == 1


# ---- before it leaves ----------------------------------------------------------------

def test_undo_takes_a_mail_back_within_its_window_and_says_so_after_it():
    with SmtpPeer() as peer:
        with Company(relay(peer), settings='undo_window = "10m";') as d:
            d.lead("one@shop.example")
            d.lead("two@other.example")
            d.advance(9 * MINUTE)
            d.quiet()
            assert [r["state"] for r in d.outbox()] == ["ready", "ready"] and not peer.mails
            assert "left already" not in d.ctl("undo", "L1")["text"]
            d.advance(2 * MINUTE)
            d.settle(2, "sent")
            assert (d.row(1)["state"], d.row(1)["reply"]) == ("failed", "taken back")
            assert [m.recipient for m in peer.mails] == ["two@other.example"]
            assert "1 mail that left already" in d.ctl("undo", "L2")["text"]


@pytest.mark.parametrize("command,reason", [("optout asked by phone", "opted out"),
                                            ("bounced", "bounces")])
def test_who_may_not_be_written_to_any_more_gets_nothing_that_was_queued(command, reason):
    with SmtpPeer() as peer:
        with Company(relay(peer), settings='undo_window = "10m";') as d:
            d.lead()
            d.ctl("do", "L1", *command.split(" "))
            d.advance(HOUR)
            assert reason in d.settle(1, "failed")["reply"]
            with pytest.raises(CtlError) as e:
                d.ctl("do", "L1", "send", "welcome")
            assert "not sent" in e.value.text
            assert not peer.mails and len(d.outbox()) == 1


# ---- nobody knows whether it arrived ----------------------------------------------------

@pytest.mark.parametrize("action", [drop, hang], ids=["drop", "hang"])
def test_unknown_is_asked_once_and_settled_by_retry_or_drop(action):
    with SmtpPeer([{"dot": action}, {"dot": action}]) as peer:
        with Company(relay(peer, reply_timeout="%dms" % (1000 * SLOW), connections=1)) as d:
            d.lead("one@shop.example")
            d.settle(1, "unknown")
            d.lead("two@other.example")
            d.settle(2, "unknown")
            d.advance(3 * DAY)
            d.quiet()
            assert peer.count("dot") == 2  # never blindly again
            tasks = d.ctl("list", "tasks")["rows"]
            assert len(tasks) == 2 and all("not known" in t["title"] for t in tasks), tasks
            owners = {r["owner"] for r in d.ctl("list", "leads")["rows"]}
            assert {t["owner"] for t in tasks} == owners
            d.ctl("outbox", "retry", "1")
            d.ctl("outbox", "drop", "2")
            d.settle(1, "sent")
            assert d.row(2)["state"] == "failed" and "dropped" in d.row(2)["reply"]
            assert [m.recipient for m in peer.mails] == ["one@shop.example"]
            with pytest.raises(CtlError):
                d.ctl("outbox", "retry", "1")  # what was sent is not sent again


def test_unknown_is_asked_about_a_case_too():
    rules = ('lang = 1;\nrules : { hello : { on = "case.created"; '
             'do = [ "assign eva", "send welcome" ]; }; };\n')
    with SmtpPeer([{"dot": drop}]) as peer:
        boxes = company.MAILDIR_IN.replace("};", 'creates = "case"; };')
        with Company(relay(peer), mailboxes=boxes, files=company.files(rules)) as d:
            company.deliver(d.dir + "/inbox", "%d.help" % (d.now() // 1000), company.mail())
            until(d.outbox, why="the mail")
            d.settle(1, "unknown")
            (task,) = d.ctl("list", "tasks")["rows"]
            assert task["owner"] == "eva"


def test_on_unknown_resend_repeats_on_the_schedule_of_retries_and_gives_up():
    with SmtpPeer([{"dot": drop}] * 1000) as peer:
        with Company(relay(peer), settings='on_unknown = "resend";') as d:
            d.lead()
            for n in (1, 2, 3):
                row = d.settle(1, "deferred")
                assert row["attempts"] == n and peer.count("dot") == n
                assert n * n * MINUTE <= row["next_ms"] - d.now() <= n * n * MINUTE * 1.25
                d.advance(row["next_ms"] - d.now())
                until(lambda: d.row()["attempts"] > n, why="another try")
            d.advance(5 * DAY + 6 * HOUR)  # the retries on the way are made at their times
            until(lambda: d.row()["attempts"] > 4, why="the last try")
            assert d.settle(1, "failed")["next_ms"] == 0
            assert d.ctl("list", "tasks")["rows"] == []


def test_on_unknown_drop_leaves_it():
    with SmtpPeer([{"dot": drop}]) as peer:
        with Company(relay(peer), settings='on_unknown = "drop";') as d:
            d.lead()
            d.settle(1, "unknown")
            d.advance(6 * DAY)
            d.quiet()
            assert peer.count("dot") == 1 and d.ctl("list", "tasks")["rows"] == []


# ---- bounces ------------------------------------------------------------------------------

def dsn(to, recipient, status, action, original):
    """RFC 3464, as a mail system sends it to the return path."""
    m = email.message.EmailMessage()
    m["From"] = "MAILER-DAEMON@relay.example"
    m["To"] = to
    m["Subject"] = "Delivery Status Notification"
    m["Auto-Submitted"] = "auto-replied"
    m["Message-ID"] = email.utils.make_msgid(domain="relay.example")
    m["Date"] = email.utils.formatdate()
    m["MIME-Version"] = "1.0"
    m["Content-Type"] = 'multipart/report; report-type=delivery-status; boundary="cut"'
    report = ("Reporting-MTA: dns; relay.example\r\n\r\nFinal-Recipient: rfc822; %s\r\n"
              "Action: %s\r\nStatus: %s\r\nDiagnostic-Code: smtp; %s no such user\r\n"
              % (recipient, action, status, status.replace(".", "")))
    top = m.as_bytes(policy=email.policy.SMTP).split(b"\r\n\r\n")[0]
    return (top + b"\r\n\r\n--cut\r\n\r\nIt did not arrive.\r\n--cut\r\n"
            b"Content-Type: message/delivery-status\r\n\r\n" + report.encode() +
            b"\r\n--cut\r\nContent-Type: text/rfc822-headers\r\n\r\n" +
            original.replace(b"\r\n", b"\n").split(b"\n\n")[0].replace(b"\n", b"\r\n") +
            b"\r\n\r\n--cut--\r\n")


def test_a_permanent_bounce_marks_the_address_and_a_temporary_one_does_not():
    with SmtpPeer() as peer:
        with Company(relay(peer)) as d:
            for n, (action, status) in enumerate([("delayed", "4.4.7"), ("failed", "5.1.1")], 1):
                d.lead("p%d@shop%d.example" % (n, n))
                d.settle(n, "sent")
                peer.wait(lambda: len(peer.mails) == n)
                sent = peer.mails[-1]
                assert sent.sender.startswith("sales+O%d." % n)
                company.deliver(d.dir + "/inbox", "%d.dsn" % (d.now() // 1000),
                                dsn(sent.sender, sent.recipient, status, action, sent.data))
                d.wait_log("mail.bounced out=%d " % n)
                d.advance(MINUTE)
            assert d.row(1)["state"] == "sent"
            assert d.row(2)["state"] == "failed" and "bounced: 5.1.1" in d.row(2)["reply"]
            (r,) = d.ctl("reconcile")["rows"]
            assert (r["there"], r["filed"]) == (2, 2)
            assert len(d.ctl("list", "leads")["rows"]) == 2  # a bounce makes no lead
            d.ctl("do", "L1", "send", "welcome")
            with pytest.raises(CtlError) as e:
                d.ctl("do", "L2", "send", "welcome")
            assert "comes back" in e.value.text
            d.settle(4, "sent")
            to = sorted(m.recipient for m in peer.mails)
            owner = to.pop(0)
            assert owner in ("eva@example.com", "tom@example.com")  # hears of the bounce
            assert to == ["p1@shop1.example", "p1@shop1.example", "p2@shop2.example"]


# ---- loops ------------------------------------------------------------------------------------

ANSWER_ALL = """
lang = 1;
rules : {
  rest : { on = "lead.created"; do = "assign tom"; };
  answer : { on = "message.received"; do = "send welcome"; };
};
"""
ANSWER_CASES = """
lang = 1;
rules : {
  answer : { on = "message.received"; do = "send welcome"; };
};
"""
CASES_IN = 'inbox : { type = "maildir"; path = "@DIR@/inbox"; start = "all"; poll = "1s"; creates = "case"; };'
ABOUT_MACHINES = ("auto-submitted", "x-auto-response-suppress", "x-leadd-token", "precedence",
                  "list-unsubscribe", "list-unsubscribe-post", "list-id")


class Pair:
    """Two companies whose addresses write to each other; we are the mail system between
    them. mangle: a bad one, that loses the fields which say what a machine wrote."""

    def __init__(self, mangle, cases=False):
        self.mangle, self.cases, self.carried = mangle, cases, [0, 0]
        self.seen = [set(), set()]
        self.two = []

    def __enter__(self):
        for name in ("a", "b"):
            self.two.append(Company(company.MAILDIR_OUT, mailboxes=CASES_IN if self.cases else NOBODY,
                                    files=company.files(rules=ANSWER_CASES if self.cases else ANSWER_ALL),
                                    address="sales@%s.example" % name))
        return self

    def __exit__(self, *exc):
        for d in self.two:
            d.__exit__(*exc)

    def give(self, i, raw):
        d = self.two[i]
        if not self.cases:
            d.ingest(raw)
            return
        mark = d.mark()
        company.deliver(d.dir + "/inbox", "%d.m" % (sum(self.carried) + 1), raw)
        d.wait_log(r"mail\.filed |state=ignored", after=mark)

    def carry(self):
        """Takes every new mail to the other side; how many there were."""
        moved = 0
        for i in (0, 1):
            folder = self.two[i].dir + "/outbox/new"
            for name in sorted(os.listdir(folder)) if os.path.isdir(folder) else []:
                if name in self.seen[i]:
                    continue
                self.seen[i].add(name)
                with open(os.path.join(folder, name), "rb") as f:
                    m = email.message_from_bytes(f.read(), policy=email.policy.SMTP)
                if not m["To"].addresses[0].addr_spec.startswith("sales@"):
                    continue  # a notice to the administrator
                for key in ABOUT_MACHINES if self.mangle else ():
                    del m[key]
                del m["Return-Path"]
                self.give(1 - i, m.as_bytes())
                moved += 1
                self.carried[i] += 1
        return moved

    def hour(self):
        """One virtual hour, carrying all the while."""
        for _ in range(12):
            while True:
                for d in self.two:
                    d.quiet()
                if not self.carry():
                    break
            for d in self.two:
                d.advance(5 * MINUTE)


@pytest.mark.parametrize("mangle", [False, True], ids=["honest", "mangled"])
def test_two_daemons_that_answer_each_other_stop_by_themselves(mangle):
    with Pair(mangle) as pair:
        a, b = pair.two
        a.lead("sales@b.example")
        if not mangle:
            b.lead("sales@a.example")
            pair.hour()
            assert pair.carried == [1, 1]
            for d in pair.two:
                assert "a machine wrote the message" in d.ctl("why", "L1")["text"]
            return
        pair.hour()
        for d in pair.two:
            rows = d.outbox()
            sent = [r for r in rows if r["state"] == "sent" and r["class"] == "follow_up"]
            assert 1 < len(sent) <= 10  # the first step of the ladder
        held = a.outbox("state=held") + b.outbox("state=held")
        assert held and all("automatic mails to this address" in r["reply"] for r in held)
        assert "out.ladder" in a.log() + b.log()
        (d,) = [x for x in pair.two if x.outbox("state=held")]
        assert "held" in d.ctl_text("status")
        assert "is held" in d.ctl("why", "L1")["text"]
        notices = [r for r in d.outbox() if r["class"] == "notice" and "holds" in r["subject"]]
        assert [r["to"] for r in notices] == ["mia@example.com"]  # one, however many are held


def test_two_daemons_that_answer_each_other_about_a_case_stop_by_themselves():
    """Neither has a lead that the mails could count for."""
    with Pair(mangle=True, cases=True) as pair:
        pair.give(0, company.mail(sender="sales@b.example"))
        pair.hour()
        for d in pair.two:
            assert not d.ctl("list", "leads")["rows"] and len(d.ctl("list", "cases")["rows"]) == 1
            sent = [r for r in d.outbox() if r["state"] == "sent"]
            to_them = [r for r in sent if r["class"] == "follow_up"]
            ours = [r for r in sent if r["class"] == "conversation"]
            assert 1 < len(to_them) <= 10 and len(ours) <= 10
        (d,) = [x for x in pair.two if x.outbox("state=held")]
        assert all("automatic mails to this address" in r["reply"] for r in d.outbox("state=held"))
        assert "is held" in d.ctl("why", "K1")["text"]
        notices = [r for r in d.outbox() if "leadd holds automatic mail" in (r["subject"] or "")]
        assert [r["to"] for r in notices] == ["mia@example.com"]
        before = pair.carried[:]
        pair.hour()
        assert pair.carried == before  # and it does not begin again


# ---- relays ------------------------------------------------------------------------------------

def test_the_next_relay_takes_what_the_first_cannot():
    with SmtpPeer() as gone:
        port = gone.port
    with SmtpPeer() as second:
        with Company("%s, %s" % (company.smtp(port, name="first"),
                                 relay(second, name="second"))) as d:
            d.lead()
            row = d.settle(1, "sent")
            assert row["relay"] == "second" and row["attempts"] == 1
            assert [m.recipient for m in second.mails] == ["ada@shop.example"]


def test_a_relay_with_starttls_and_a_password_gets_the_mail_encrypted(tmp_path):
    make_authority(tmp_path)
    make_certificate(tmp_path)
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(tmp_path / "server.pem", tmp_path / "server.key")
    secret = tmp_path / "secret"
    secret.write_text("s3cret\n")
    secret.chmod(0o600)
    with SmtpPeer(tls=tls, auth={"crm": "s3cret"}) as peer:
        conf = relay(peer, tls="starttls", user="crm", password_file=str(secret),
                     ca_file=str(tmp_path / "ca.pem")).replace("127.0.0.1", "localhost")
        with Company(conf) as d:
            d.lead()
            d.settle(1, "sent")
            (m,) = peer.mails
            assert m.tls and m.user == "crm"
            secret.write_text("wrong\n")
            d.reload()
    with SmtpPeer(tls=tls, auth={"crm": "other"}) as peer:
        conf = relay(peer, tls="starttls", user="crm", password_file=str(secret),
                     ca_file=str(tmp_path / "ca.pem")).replace("127.0.0.1", "localhost")
        with Company(conf) as d:
            d.lead()
            row = d.settle(1, "deferred")
            assert "main" in row["reply"] and not peer.mails  # named, and never sent unsigned
