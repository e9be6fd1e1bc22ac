# SPDX-License-Identifier: ISC
"""The whole daemon on a real Dovecot: from the inbox to the follow-up."""
import time

import pytest

import company
from daemon import CtlError, Daemon, until
from dovecot import Dovecot
from peers import SmtpPeer


@pytest.fixture(scope="module")
def dovecot():
    with Dovecot() as server:
        yield server


def leads(d):
    return d.ctl("list", "leads", "limit=10000")["rows"]


def outbox(d, *more):
    return d.ctl("outbox", "list", "limit=10000", *more)["rows"]


def field(d, label):
    return next(v for k, v in d.ctl("status")["fields"] if k == label)


def test_pushed_mail_becomes_a_lead_and_an_answer_by_smtp(dovecot):
    dovecot.add_user("push", "secret")
    with SmtpPeer() as sink:
        conf = company.conf(mailboxes=company.imap(dovecot, "push"),
                            relays=company.smtp(sink.port))
        with Daemon(conf, company.files()) as d:
            d.wait_log("mailbox.state mailbox=sales state=idle")
            # two at once: they come in one TLS record, and both must be seen
            dovecot.deliver("push", company.mail(sender="a@one.example"),
                            company.mail(sender="b@two.example"))
            until(lambda: len(leads(d)) == 2, why="two leads")
            until(lambda: len(sink.mails) == 2, why="two follow-ups")
            assert {m.recipient for m in sink.mails} == {"a@one.example", "b@two.example"}
            assert all(m.sender.startswith("sales+O") for m in sink.mails)  # VERP
            until(lambda: {r["state"] for r in outbox(d)} == {"sent"}, why="sent rows")


def test_a_first_sync_of_5000_old_mails_sends_nothing(dovecot):
    dovecot.add_user("old", "secret")
    month = time.time() - 30 * 86400
    dovecot.deliver("old", *(company.mail(sender="p%d@shop%d.example" % (n, n), when=month)
                             for n in range(5000)), when=month)
    with SmtpPeer() as sink:
        conf = company.conf(mailboxes=company.imap(dovecot, "old"),
                            relays=company.smtp(sink.port), settings='log_level = "warn";')
        with Daemon(conf, company.files()) as d:
            until(lambda: field(d, "filed") == 5000, timeout=300, why="5000 filed mails")
            rows = outbox(d)
            assert len(rows) == 5000 and {r["state"] for r in rows} == {"held"}
            assert sink.mails == []
            (r,) = d.ctl("reconcile")["rows"]
            assert (r["there"], r["filed"], r["missing"]) == (5000, 5000, 0)


def test_start_now_leaves_old_mail_alone(dovecot):
    dovecot.add_user("now", "secret")
    dovecot.deliver("now", company.mail(sender="old@shop.example"))
    conf = company.conf(mailboxes=company.imap(dovecot, "now", start="now"))
    with Daemon(conf, company.files()) as d:
        d.wait_log("mailbox.state mailbox=sales state=idle")
        dovecot.deliver("now", company.mail(sender="new@shop.example"))
        until(lambda: len(leads(d)) == 1, why="one lead")
        (r,) = d.ctl("reconcile")["rows"]
        assert (r["there"], r["filed"], r["missing"]) == (1, 1, 0)
        (p,) = d.ctl("mailbox", "preview", "sales")["rows"]
        assert p["messages"] == 2


def test_the_server_restarts_in_the_middle(dovecot):
    dovecot.add_user("restart", "secret")
    dovecot.deliver("restart", *(company.mail(sender="p%d@shop%d.example" % (n, n))
                                 for n in range(200)))
    conf = company.conf(mailboxes=company.imap(dovecot, "restart"))
    with Daemon(conf, company.files()) as d:
        until(lambda: len(leads(d)) > 0, why="the first lead")
        dovecot.restart()
        dovecot.deliver("restart", company.mail(sender="last@shop.example"))
        until(lambda: len(leads(d)) == 201, timeout=120, why="201 leads")
        (r,) = d.ctl("reconcile")["rows"]
        assert (r["there"], r["filed"], r["missing"]) == (201, 201, 0)


def test_after_a_new_uidvalidity_nothing_known_is_fetched_or_filed_again(dovecot):
    dovecot.add_user("rebuilt", "secret")
    dovecot.deliver("rebuilt", *(company.mail(sender="p%d@shop%d.example" % (n, n))
                                 for n in range(40)))
    conf = company.conf(mailboxes=company.imap(dovecot, "rebuilt"))
    with Daemon(conf, company.files()) as d:
        until(lambda: len(leads(d)) == 40, why="40 leads")
        mark = d.mark()
        dovecot.new_uidvalidity("rebuilt")
        dovecot.deliver("rebuilt", company.mail(sender="last@shop.example"))
        d.wait_log("intake.matched folder=.INBOX. messages=4[01] known=40", after=mark)
        until(lambda: len(leads(d)) == 41, why="41 leads")
        (r,) = d.ctl("reconcile")["rows"]
        assert (r["there"], r["filed"], r["missing"]) == (41, 41, 0)


def test_reconcile_does_not_pass_over_a_mailbox_that_does_not_run(dovecot, tmp_path):
    dovecot.add_user("stopped", "secret")
    secret = tmp_path / "password"
    secret.write_text("secret\n")
    boxes = company.MAILDIR_IN + company.imap(dovecot, "stopped", password_file=str(secret))
    with Daemon(company.conf(mailboxes=boxes), company.files()) as d:
        assert {r["source"] for r in until(lambda: reconciled(d), why="reconcile")} == {
            "maildir:inbox", "imap:sales/INBOX"}
        secret.unlink()  # it cannot start again
        d.kill("intake:sales", wait=False)
        d.wait_log("role.restart role=intake:sales fails=2")
        r = d.leadctl("reconcile")
        assert r.returncode == 75 and b"sales" in r.stdout and b"not running" in r.stdout


def reconciled(d):
    try:
        return d.ctl("reconcile")["rows"]
    except CtlError:  # an intake has only just been started
        return None


def test_what_cannot_be_trusted_is_refused_and_told(dovecot, tmp_path):
    dovecot.add_user("refused", "secret")
    wrong = tmp_path / "wrong"
    wrong.write_text("not the password\n")
    wrong.chmod(0o600)
    good = company.imap(dovecot, "refused")
    conf = company.conf(mailboxes="%s %s %s" % (
        company.imap(dovecot, "refused", name="password", password_file=str(wrong)),
        company.imap(dovecot, "refused", name="hostname", host="127.0.0.1"),
        good.replace("sales :", "fine :")))
    with Daemon(conf, company.files()) as d:
        def states():
            return {r["name"]: (r["state"], r["error"]) for r in d.ctl("mailbox", "list")["rows"]}
        until(lambda: states()["fine"][0] in ("connected", "idle"), why="the good mailbox")
        until(lambda: states()["password"][0] == "failed", why="the wrong password")
        until(lambda: states()["hostname"][0] == "failed", why="the wrong host name")
        assert states()["password"][1] and states()["hostname"][1]
