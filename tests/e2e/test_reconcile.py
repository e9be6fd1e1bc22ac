# SPDX-License-Identifier: ISC
"""reconcile asks the servers: what has no row in the ledger is named, and refetch brings it."""
import json
import os
import sqlite3

import pytest

import company
from daemon import Daemon, until
from dovecot import Dovecot


@pytest.fixture(scope="module")
def dovecot():
    with Dovecot() as server:
        yield server


def forget(d, key):
    """Takes an arrival out of the ledger, as no code of ours does."""
    db = sqlite3.connect(os.path.join(d.state, "leadd.db"), timeout=120)
    with db:
        assert db.execute("DELETE FROM ledger WHERE key = ?", (key,)).rowcount == 1
    db.close()


def reconcile(d):
    r = d.leadctl("--json", "reconcile")
    return r.returncode, json.loads(r.stdout)["rows"]


def filed(d, n):
    return until(lambda: (lambda c, rows: rows if c == 0 and rows[0]["filed"] == n else None)
                 (*reconcile(d)), timeout=120, why="%d filed" % n)


def check(d, n, key, refetch):
    leads = len(d.ctl("list", "leads", "limit=1000")["rows"])
    sent = len(d.ctl("outbox", "list", "limit=1000")["rows"])
    forget(d, key)
    code, (row,) = reconcile(d)
    assert code == 1
    assert (row["there"], row["filed"], row["missing"]) == (n, n - 1, 1)
    assert row["missing_keys"] == [key] and "refetch" in row["note"]
    d.ctl(*refetch)
    filed(d, n)
    assert len(d.ctl("list", "leads", "limit=1000")["rows"]) == leads  # the same message as before
    assert len(d.ctl("outbox", "list", "limit=1000")["rows"]) == sent
    (again,) = [r for r in d.ctl("ledger", "limit=1000")["rows"] if r["key"] == key]
    assert again["state"] == "filed" and again["message"]


def test_a_lost_row_of_an_imap_folder_is_named_and_fetched_again(dovecot):
    dovecot.add_user("lost", "secret")
    dovecot.deliver("lost", *(company.mail(sender="p%d@shop%d.example" % (n, n))
                              for n in range(20)))
    conf = company.conf(mailboxes=company.imap(dovecot, "lost"))
    with Daemon(conf, company.files()) as d:
        filed(d, 20)
        check(d, 20, "7", ["mailbox", "refetch", "sales", "INBOX", "7"])


def test_a_lost_row_of_a_maildir_is_named_and_fetched_again():
    with Daemon(company.conf(), company.files()) as d:
        for n in range(20):
            company.deliver(d.dir + "/inbox", "17000000%02d.mail" % n,
                            company.mail(sender="p%d@shop%d.example" % (n, n)))
        filed(d, 20)
        check(d, 20, "1700000007.mail", ["mailbox", "refetch", "inbox", "1700000007.mail"])


def test_a_folder_that_is_gone_does_not_hide_the_others(dovecot):
    dovecot.add_user("gone", "secret")
    dovecot.deliver("gone", company.mail())
    box = company.imap(dovecot, "gone").replace("sales : {",
                                                'sales : { folders = [ "INBOX", "Gone" ];')
    with Daemon(company.conf(mailboxes=box), company.files()) as d:
        until(lambda: d.ctl("list", "leads")["rows"], why="the lead")
        code, rows = reconcile(d)
        assert code == 75
        assert [r["source"] for r in rows] == ["imap:sales/INBOX", "imap:sales/Gone"]
        assert (rows[0]["there"], rows[0]["filed"], rows[0]["missing"]) == (1, 1, 0)
        assert "Gone" in rows[1]["note"] or "exist" in rows[1]["note"]
        r = d.leadctl("--json", "mailbox", "preview", "sales")
        looked = {p["folder"]: p for p in json.loads(r.stdout)["rows"]}
        assert r.returncode == 1 and looked["INBOX"]["messages"] == 1 and looked["Gone"]["note"]


def test_a_maildir_whose_list_fits_no_frame_is_compared_whole():
    many, name = 2600, "17%08d." + "x" * 230
    with Daemon(company.conf(settings='log_level = "warn";'), company.files(), start=False) as d:
        raw = company.mail(message_id="<one@shop.example>")  # one message, many arrivals
        for n in range(many):
            company.deliver(d.dir + "/inbox", name % n, raw)
        assert many * len(name % 0) > 512 * 1024
        d.start()
        filed(d, many)
        forget(d, name % 5)
        forget(d, name % (many - 5))
        code, (row,) = reconcile(d)
        assert (code, row["there"], row["missing"]) == (1, many, 2)
        assert sorted(row["missing_keys"]) == [name % 5, name % (many - 5)]
