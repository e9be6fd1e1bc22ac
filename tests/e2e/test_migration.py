# SPDX-License-Identifier: ISC
"""A database of every older version opens, keeps all it held, and goes on working.

tests/fixtures/store/schema-N.sql is the dump of a database that a release with
schema N wrote. Before a new step is added to store/migrate.c, the release that
is still without it writes its own:

    builddir=$PWD/build /usr/bin/python3 tests/e2e/test_migration.py
"""
import glob
import os
import sqlite3
import sys

import pytest

import company
from daemon import Daemon, until

FOLDER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "fixtures", "store")
FIXTURES = sorted(glob.glob(os.path.join(FOLDER, "schema-*.sql")))
START = "2026-11-01T09:00:00Z"
LATER = "2026-11-21T09:00:00Z"


def number(path):
    return int(os.path.basename(path)[len("schema-"):-len(".sql")])


def tables(db):
    return [r[0] for r in db.execute("SELECT name FROM sqlite_master WHERE type = 'table' "
                                     "AND name NOT LIKE 'sqlite_%' ORDER BY name")]


def content(db, table, columns=None):
    columns = columns or [r[1] for r in db.execute("PRAGMA table_info(%s)" % table)]
    return columns, sorted(map(repr, db.execute("SELECT %s FROM %s" % (", ".join(columns), table))))


def schema(path):
    """Every table and index, without regard to how its text was laid out."""
    with sqlite3.connect(path) as db:
        found = {}
        for kind, name, table in db.execute("SELECT type, name, tbl_name FROM sqlite_master"):
            pragma = "table_xinfo" if kind == "table" else "index_xinfo"
            found[kind, name, table] = db.execute("PRAGMA %s(%s)" % (pragma, name)).fetchall()
    db.close()
    return found


@pytest.mark.parametrize("path", FIXTURES, ids=os.path.basename)
def test_a_database_of_an_older_version_keeps_all_and_goes_on(path):
    with Daemon(company.conf(), company.files(), args=["--pretend-time", LATER], start=False) as d:
        os.makedirs(d.state)
        store = os.path.join(d.state, "leadd.db")
        old = sqlite3.connect(store)
        with open(path) as f:
            old.executescript(f.read())
        before = {t: content(old, t) for t in tables(old)}
        assert repr(("schema", str(number(path)))) in before["meta"][1]
        old.close()
        d.start()
        d.stop()
        now = sqlite3.connect(store)
        for table, (columns, rows) in before.items():
            if table != "meta":  # a new rule set may have been added by this start
                kept = content(now, table, columns)[1]
                assert [r for r in rows if r not in kept] == [], table
        now.close()
        d.start()
        use(d)
        with Daemon(company.conf(), company.files()) as fresh:
            assert schema(store) == schema(os.path.join(fresh.state, "leadd.db"))


def use(d):
    """What people and mails do with records of the old version."""
    leads = d.ctl("list", "leads")["rows"]
    assert {r["id"] for r in leads} == {"L1", "L2", "L3"}
    assert "assign" in d.ctl("why", "L1")["text"]
    kinds = [r["kind"] for r in d.ctl("timeline", "L1")["rows"]]
    assert "mail" in kinds and "note" in kinds
    assert d.ctl("show", "M1", "raw")
    (held,) = d.ctl("outbox", "list", "state=held")["rows"]
    assert d.ctl("quarantine", "list")["rows"]
    d.ctl("do", "L1", "note", "after", "the", "update")
    d.ctl("undo", "L1")
    reply = company.mail(subject="Re: 40 widgets", In_Reply_To="<first@shop.example>",
                         message_id="<second@shop.example>")
    company.deliver(os.path.join(d.dir, "inbox"), "9.reply", reply)
    until(lambda: [r for r in d.ctl("ledger")["rows"] if r["key"].startswith("9.reply")],
          why="the reply in the ledger")
    assert len(d.ctl("list", "leads")["rows"]) == 3  # it found its lead by the old mail
    d.ctl("outbox", "release", str(held["id"]))
    until(lambda: d.ctl("outbox", "show", str(held["id"]))["mail"]["state"] == "sent",
          why="the mail that the old version held")


def write_fixture():
    """With the leadd of builddir: a little of everything, at fixed times."""
    with Daemon(company.conf(), company.files(), args=["--pretend-time", START]) as d:
        box = os.path.join(d.dir, "inbox")

        def take(n, file, **more):
            company.deliver(box, file, company.mail(when=1793523600, **more))
            until(lambda: len(d.ctl("ledger")["rows"]) == n, why="row %d of the ledger" % n)
        take(1, "1.first", name="Ada Beispiel", message_id="<first@shop.example>")
        take(2, "2.big", sender="bo@big.example", message_id="<big@big.example>",
             text="We are 900 people.\nBo\n")
        company.deliver(box, "3.old", company.mail(sender="cy@old.example", when=1790000000,
                                                   message_id="<old@old.example>"))
        os.utime(os.path.join(box, "new", "3.old"), (1790000000, 1790000000))
        until(lambda: len(d.ctl("ledger")["rows"]) == 3, why="the old mail")
        company.deliver(box, "4.nobody", b"Subject: no sender\n\nwho wrote this?\n")
        until(lambda: d.ctl("quarantine", "list")["rows"], why="the quarantined mail")
        for words in (["L1", "note", "called", "back"], ["L1", "tag", "widgets"],
                      ["L1", "task", "3d", "call"], ["L1", "case", "a question"],
                      ["L2", "won", "4000"]):
            d.ctl("do", *words)
        until(lambda: not d.ctl("outbox", "list", "state=ready")["rows"] and
              not d.ctl("outbox", "list", "state=claimed")["rows"], why="all mails out")
        d.stop()
        db = sqlite3.connect(os.path.join(d.state, "leadd.db"))
        (n,) = db.execute("SELECT value FROM meta WHERE key = 'schema'").fetchone()
        path = os.path.join(FOLDER, "schema-%s.sql" % n)
        with open(path, "w") as f:
            for line in db.iterdump():
                f.write(line.replace(d.dir, "/etc/leadd") + "\n")
        print(path)
        return d


if __name__ == "__main__":
    sys.exit(not write_fixture())
