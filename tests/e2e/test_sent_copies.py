# SPDX-License-Identifier: ISC
"""Copies of what was sent, in the folder for sent mail of a real Dovecot and of a Maildir."""
import email
import email.policy
import imaplib
import os
import re
import shutil
import sys
import time

import pytest

import company
from daemon import Daemon, until
from dovecot import Dovecot
from peers import SmtpPeer

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "crash"))

import points  # noqa: E402

SOON = {"LEADD_HOOKS": "outbox.retry_soon,super.restart_soon"}


@pytest.fixture(scope="module")
def dovecot():
    with Dovecot() as server:
        yield server


@pytest.fixture
def receiver():
    with SmtpPeer() as sink:
        yield sink


def user(dovecot, name, folders=("Sent",)):
    dovecot.add_user(name, "secret")
    for folder in folders:
        dovecot.maildir(name, folder)
    return name


def conf(dovecot, name, receiver, relay="", box="", **more):
    relays = company.smtp(receiver.port, sent_copies="sales").replace(" }", relay + " }")
    return company.conf(mailboxes=company.imap(dovecot, name, **more).replace("};", box + "};"),
                        relays=relays)


def copies(dovecot, name, folder="Sent"):
    """[(flags, INTERNALDATE, bytes)] of the folder; None: it is not there."""
    client = dovecot.login(name, "secret")
    try:
        typ, count = client.select('"%s"' % folder, readonly=True)
        if typ != "OK" or int(count[0]) == 0:
            return [] if typ == "OK" else None
        _, data = client.fetch("1:*", "(FLAGS INTERNALDATE BODY.PEEK[])")
    finally:
        client.logout()
    return [(imaplib.ParseFlags(d[0]), time.mktime(imaplib.Internaldate2tuple(d[0])), d[1])
            for d in data if isinstance(d, tuple)]


def wait_copies(dovecot, name, n, folder="Sent"):
    return until(lambda: (lambda c: c if c is not None and len(c) >= n else None)(
        copies(dovecot, name, folder)), why="%d copies in %s" % (n, folder))


def waiting(d, *more):
    return d.ctl("outbox", "copies", *more)["rows"]


def lead(d, sender="ada@shop.example"):
    d.ingest(company.mail(sender=sender))


def ids(found):
    return sorted(email.message_from_bytes(raw)["Message-ID"] for _, _, raw in found)


def test_what_left_lies_in_the_folder_byte_for_byte_as_read_at_its_time(dovecot, receiver):
    name = user(dovecot, "copy")
    with Daemon(conf(dovecot, name, receiver), company.files()) as d:
        began = time.time()
        lead(d)
        ((flags, at, raw),) = wait_copies(dovecot, name, 1)
        assert raw == receiver.mails[0].data
        assert b"\\Seen" in flags and began - 2 <= at <= time.time() + 2
        assert email.message_from_bytes(raw)["To"] == "ada@shop.example"
        until(lambda: waiting(d) == [], why="nothing waits")
        # notices to our own people are no correspondence, and no copy comes in as mail
        until(lambda: len(receiver.mails) > 1 or d.ctl("outbox", "list")["rows"])
        assert len(copies(dovecot, name)) == 1


def test_off_unless_a_relay_names_a_mailbox(dovecot, receiver):
    name = user(dovecot, "off")
    conf_ = company.conf(mailboxes=company.imap(dovecot, name),
                         relays=company.smtp(receiver.port))
    with Daemon(conf_, company.files()) as d:
        lead(d)
        until(lambda: [r["state"] for r in d.ctl("outbox", "list")["rows"]] == ["sent"])
        assert waiting(d) == [] and copies(dovecot, name) == []


def test_the_folder_that_the_server_marks_is_found_whatever_its_name(receiver):
    with Dovecot() as server:
        server.configure('namespace inbox {\n  mailbox "Gesendet & Größe" {\n'
                         '    special_use = \\Sent\n  }\n}\n')
        name = user(server, "marked")
        client = server.login(name, "secret")
        assert client.create('"Gesendet &- Gr&APYA3w-e"')[0] == "OK"
        client.logout()
        with Daemon(conf(server, name, receiver), company.files()) as d:
            lead(d)
            wait_copies(server, name, 1, "Gesendet &- Gr&APYA3w-e")
            assert copies(server, name) == []


def test_a_named_folder_is_made_and_subscribed_when_it_is_missing(dovecot, receiver):
    name = user(dovecot, "named", [])
    wanted = conf(dovecot, name, receiver, sent_folder='Söld/100% "us" & them')
    wanted = wanted.replace('100% "us"', '100% \\"us\\"')
    with Daemon(wanted, company.files()) as d:
        lead(d)
        travels = 'S&APY-ld/100% \\"us\\" &- them'
        assert len(wait_copies(dovecot, name, 1, travels)) == 1
        client = dovecot.login(name, "secret")
        subscribed = b"\n".join(x if isinstance(x, bytes) else b" ".join(x)
                                for x in client.lsub()[1])
        client.logout()
        assert b"us" in subscribed and b"&- them" in subscribed
        lead(d, "b@two.example")
        assert len(wait_copies(dovecot, name, 2, travels)) == 2


def test_without_a_folder_the_copy_waits_the_admin_hears_and_retry_brings_it(dovecot, receiver):
    name = user(dovecot, "none", [])
    with Daemon(conf(dovecot, name, receiver), company.files(), env=SOON) as d:
        lead(d)
        d.wait_log("copy.refused mailbox=sales error=.the server marks no folder")
        until(lambda: [m for m in receiver.mails if m.recipient == "mia@example.com" and
                       b"outbox copies" in m.data], why="a notice")
        (row,) = waiting(d, "state=waiting", "mailbox=sales")
        assert row["to"] == "ada@shop.example" and "sent_folder" in row["error"]
        dovecot.maildir(name, "Sent")
        assert "tried again" in d.ctl_text("outbox", "copies", "retry", "mailbox=sales")
        wait_copies(dovecot, name, 1)
        until(lambda: waiting(d) == [], why="nothing waits")


def test_a_full_account_keeps_them_waiting_and_loses_none(receiver):
    with Dovecot() as server:
        server.configure("mail_plugins = $mail_plugins quota\n"
                         "plugin {\n  quota = count:User quota\n  quota_vsizes = yes\n"
                         "  quota_rule = *:messages=2\n}\n")
        name = user(server, "full")
        server.deliver(name, company.mail(sender="x@one.example"),
                       company.mail(sender="y@two.example"))
        with Daemon(conf(server, name, receiver), company.files(), env=SOON) as d:
            d.wait_log("copy.refused mailbox=sales error=.*[Qq]uota")
            until(lambda: len(receiver.mails) >= 2, why="the mails leave all the same")
            assert "uota" in waiting(d)[0]["error"]
            client = server.login(name, "secret")
            client.select("INBOX")
            client.store("1:*", "+FLAGS", "\\Deleted")
            client.expunge()
            client.logout()
            found = wait_copies(server, name, 2)
            assert len(set(ids(found))) == 2 == len(found)


def test_a_server_that_is_away_costs_no_copy_and_no_mail(dovecot, receiver):
    name = user(dovecot, "away")
    with Daemon(conf(dovecot, name, receiver), company.files()) as d:
        d.wait_log("mailbox.state mailbox=sales state=idle")
        dovecot.stop()
        for n in range(20):
            lead(d, "p%d@shop%d.example" % (n, n))
        until(lambda: len(receiver.mails) == 20, why="20 mails")
        until(lambda: len(waiting(d)) == 20, why="20 copies wait")
        dovecot.start()
        assert len(set(ids(wait_copies(dovecot, name, 20)))) == 20
        until(lambda: waiting(d) == [], why="nothing waits")
        assert len(copies(dovecot, name)) == 20


@points.needs_hooks
@pytest.mark.parametrize("role, point", [("intake", "intake.append.before"),
                                         ("intake", "intake.append.after"),
                                         ("engine", "copy.handed.before"),
                                         ("engine", "copy.stored.before")])
def test_killed_around_the_append_each_copy_is_there_once(dovecot, receiver, tmp_path, role, point):
    name = user(dovecot, "kill-" + point.replace(".", "-"))
    table = points.Points(str(tmp_path / "points"))
    env = dict(SOON, LEADD_CRASH_TABLE=str(tmp_path / "points"))
    with Daemon(conf(dovecot, name, receiver), company.files(), env=env) as d:
        d.wait_log("mailbox.state mailbox=sales state=idle")
        table.arm(point)
        for n in range(3):
            lead(d, "p%d@shop%d.example" % (n, n))
        until(lambda: table.fired(point) == 1, why="%s killed at %s" % (role, point))
        table.disarm(point)
        wait_copies(dovecot, name, 3)
        until(lambda: waiting(d) == [], why="nothing waits")
        assert ids(copies(dovecot, name)) == sorted(
            email.message_from_bytes(m.data)["Message-ID"] for m in receiver.mails
            if m.recipient.endswith(".example") and m.recipient.startswith("p"))
        assert len(copies(dovecot, name)) == 3


def test_a_watched_folder_of_sent_mail_makes_no_loop(dovecot, receiver):
    name = user(dovecot, "watched")
    box = 'folders = [ "INBOX", "Sent" ];'
    with Daemon(conf(dovecot, name, receiver, box=box), company.files()) as d:
        d.wait_log("mailbox.state mailbox=sales state=idle")
        lead(d)
        wait_copies(dovecot, name, 1)
        d.ctl("mailbox", "list")
        d.kill("intake:sales")  # the new one looks into every folder
        until(lambda: [r["there"] for r in d.ctl("reconcile")["rows"]
                       if r["source"] == "imap:sales/Sent" and r["ignored"] == 1] == [1],
              why="our own mail in Sent is ignored")
        assert len(d.ctl("list", "leads")["rows"]) == 1
        assert len(copies(dovecot, name)) == 1 == len(
            [m for m in receiver.mails if m.recipient == "ada@shop.example"])


def test_new_mail_is_read_while_copies_are_stored(dovecot, receiver):
    name = user(dovecot, "both")
    with Daemon(conf(dovecot, name, receiver), company.files()) as d:
        d.wait_log("mailbox.state mailbox=sales state=idle")
        for n in range(30):
            lead(d, "p%d@shop%d.example" % (n, n))
            if n % 10 == 5:
                dovecot.deliver(name, company.mail(sender="in%d@inbox%d.example" % (n, n)))
        wait_copies(dovecot, name, 33)
        until(lambda: len(d.ctl("list", "leads", "limit=100")["rows"]) == 33, why="33 leads")
        assert len(copies(dovecot, name)) == 33


def test_of_two_relays_only_mail_of_the_one_that_names_the_mailbox_is_copied(dovecot, receiver):
    name = user(dovecot, "two")
    with SmtpPeer() as stores_itself:
        relays = "%s, %s" % (company.smtp(stores_itself.port, name="first"),
                             company.smtp(receiver.port, name="second", sent_copies="sales"))
        with Daemon(company.conf(mailboxes=company.imap(dovecot, name), relays=relays),
                    company.files()) as d:
            d.wait_log("mailbox.state mailbox=sales state=idle")
            lead(d, "a@one.example")
            until(lambda: len(stores_itself.mails) == 1, why="by the first")
            stores_itself.close()
            lead(d, "b@two.example")
            ((_, _, raw),) = wait_copies(dovecot, name, 1)
            assert email.message_from_bytes(raw)["To"] == "b@two.example"


def test_with_all_notices_to_our_own_people_are_copied_too(dovecot, receiver):
    name = user(dovecot, "all")
    rules = company.RULES.replace('do = "send welcome"',
                                  'do = [ "send welcome", "notify owner by email" ]')
    with Daemon(conf(dovecot, name, receiver, relay='sent_copies_of = "all";'),
                company.files(rules=rules)) as d:
        lead(d)
        found = wait_copies(dovecot, name, 2)
        assert sorted(raw for _, _, raw in found) == sorted(m.data for m in receiver.mails)


def test_a_maildir_gets_them_as_read_into_its_sent_folder():
    box = company.MAILDIR_IN
    relay = company.MAILDIR_OUT.replace(" }", ' sent_copies = "inbox"; }')
    with Daemon(company.conf(mailboxes=box, relays=relay), company.files()) as d:
        lead(d)
        cur = os.path.join(d.dir, "inbox", ".Sent", "cur")
        (found,) = until(lambda: os.path.isdir(cur) and os.listdir(cur), why="a copy")
        assert re.fullmatch(r"out\d+\.[0-9a-f]{16}\.leadd:2,S", found)
        with open(os.path.join(cur, found), "rb") as f:
            raw = f.read()
        (left,) = os.listdir(os.path.join(d.dir, "outbox", "new"))
        with open(os.path.join(d.dir, "outbox", "new", left), "rb") as f:
            assert f.read().split(b"\n", 1)[1] == raw  # but for its Return-Path
        assert os.listdir(os.path.join(d.dir, "inbox", ".Sent", "tmp")) == []
        until(lambda: waiting(d) == [], why="nothing waits")


def test_a_mailbox_that_is_gone_from_the_config_leaves_no_copy_waiting(dovecot, receiver):
    name = user(dovecot, "gone", [])
    with Daemon(conf(dovecot, name, receiver), company.files()) as d:
        lead(d)
        d.wait_log("copy.refused")
        d.write("leadd.conf", company.conf(relays=company.smtp(receiver.port)))
        d.reload()
        until(lambda: [r["state"] for r in waiting(d)] == ["failed"], why="it has failed")
        assert "not in leadd.conf" in waiting(d, "state=failed")[0]["error"]


def test_a_mailbox_nobody_reaches_for_five_days_is_given_up_and_the_admin_hears(dovecot, receiver):
    name = user(dovecot, "never")
    pretended = conf(dovecot, name, receiver, port=1)
    with Daemon(pretended, company.files(), args=["--pretend-time", "2026-11-20T09:00:00Z"]) as d:
        lead(d)
        until(lambda: [r["state"] for r in waiting(d)] == ["waiting"], why="it waits")
        d.ctl("clock", "advance", "4d")
        assert [r["state"] for r in waiting(d)] == ["waiting"]
        d.ctl("clock", "advance", "2d")
        (row,) = waiting(d)
        assert row["state"] == "failed" and "could not be reached" in row["error"]
        until(lambda: [m for m in receiver.mails if m.recipient == "mia@example.com" and
                       b"waited for five days" in m.data], why="a notice")


def test_a_folder_of_a_maildir_that_was_removed_is_there_again_or_a_restart_is_advised():
    box = company.MAILDIR_IN.replace("; };", '; sent_folder = "@DIR@/copies"; };')
    relay = company.MAILDIR_OUT.replace(" }", ' sent_copies = "inbox"; }')
    with Daemon(company.conf(mailboxes=box, relays=relay), company.files()) as d:
        folder = os.path.join(d.dir, "copies")
        d.wait_log("mailbox.state mailbox=inbox state=")
        shutil.rmtree(folder)
        lead(d)
        told = until(lambda: [r["error"] for r in waiting(d) if r["error"]] or
                     (os.path.isdir(folder + "/cur") and os.listdir(folder + "/cur")), why="either")
        assert "restart leadd" in told[0] or told[0].endswith(":2,S")
        d.stop()
        d.start()
        until(lambda: os.path.isdir(folder + "/cur") and os.listdir(folder + "/cur"), why="a copy")
