# SPDX-License-Identifier: ISC
"""leadctl backup, backup verify and restore, and what hold means."""
import json
import os
import re
import shutil
import signal
import sqlite3
import struct
import subprocess
import threading
import time
import urllib.parse
import urllib.request

import pytest

import company
from daemon import Daemon, StartFailed, until
from roles import BUILD


with open(os.path.join(BUILD, "config.h")) as config:
    HOOKS = re.search(r"^#define LEADD_TEST_HOOKS 1", config.read(), re.M)


def post(d, address, timeout=120):
    data = urllib.parse.urlencode({"email": address}).encode()
    url = "http://127.0.0.1:%d/form/contact" % d.port("web-in")
    with urllib.request.urlopen(url, data, timeout=timeout) as r:
        return r.status


def rows(d, *argv):
    return d.ctl(*argv)["rows"]


def deliver(d, name, **more):
    company.deliver(os.path.join(d.dir, "inbox"), name, company.mail(**more))


def wait_sent(d, n, to=None):
    """All mails, when there are n; or the one to this address."""
    all_of = until(lambda: (lambda s: s if len(s) >= n else None)(company.sent(d.dir)), why="%d mails" % n)
    return next(m for m in all_of if m["To"] == to) if to else all_of


def verify(d, path):
    """Exit status and {check: [what was found]} of what is not well."""
    r = d.leadctl("--json", "backup", "verify", path)
    found = {}
    for row in json.loads(r.stdout)["rows"] if r.stdout else []:
        if row["result"] != "ok":
            found.setdefault(row["check"], []).append(row["found"])
    return r.returncode, found


@pytest.fixture
def d():
    with Daemon(company.conf(), company.files()) as daemon:
        yield daemon


@pytest.fixture(scope="module")
def stored(tmp_path_factory):
    """A daemon that ended, with a good backup of it."""
    with Daemon(company.conf(), company.files()) as daemon:
        for i in range(40):
            post(daemon, "a%d@shop.example" % i)
        wait_sent(daemon, 40)
        path = os.path.join(daemon.dir, "good.db")
        daemon.ctl("backup", path)
        daemon.stop()
        yield daemon, path


# ---- backup ----------------------------------------------------------------------

def test_a_backup_under_load_is_of_one_moment(d):
    over, posted, counts = threading.Event(), [], []

    def load(k):
        i = 0
        while not over.is_set():
            assert post(d, "p%d.%d@shop.example" % (k, i)) == 200
            posted.append(i)
            i += 1
    threads = [threading.Thread(target=load, args=(k,)) for k in range(4)]
    for t in threads:
        t.start()
    try:
        for i in range(4):
            before = until(lambda: len(posted) if len(posted) > 20 * i else 0, why="some forms")
            path = os.path.join(d.dir, "copy%d.db" % i)
            made = d.ctl("backup", path)["backup"]
            assert verify(d, path) == (0, {})
            assert os.stat(path).st_mode & 0o777 == 0o600
            assert made["bytes"] == os.stat(path).st_size
            with sqlite3.connect(path) as db:
                (n,) = db.execute("SELECT count(*) FROM lead").fetchone()
            assert before <= n <= len(posted) + 4
            counts.append(n)
    finally:
        over.set()
        for t in threads:
            t.join()
    assert counts == sorted(counts)
    assert len(rows(d, "list", "leads", "limit=10000")) == len(posted)
    assert [f for f in os.listdir(d.dir) if f.endswith((".part", "-journal", "-wal"))] == []


def test_a_backup_holds_the_key_the_counts_and_the_config(d):
    post(d, "a@shop.example")
    path = os.path.join(d.dir, "b.db")
    d.ctl("backup", path)
    with sqlite3.connect(path) as db:
        meta = dict(db.execute("SELECT key, value FROM backup_meta"))
        tables = {r[0] for r in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    with open(d.state + "/secret.key", "rb") as f:
        assert bytes.fromhex(meta["secret_key"]) == f.read()
    counts = json.loads(meta["counts"])
    assert counts["lead"] == 1
    assert set(counts) == tables - {"meta", "backup_meta", "sqlite_sequence"}  # none forgotten
    config = json.loads(meta["config"])
    assert config["users"]["mia"]["email"] == "mia@example.com" and config["rules"]
    assert subprocess.run(["sha256sum", "-c", "b.db.sha256"], cwd=d.dir).returncode == 0
    r = d.leadctl("backup", path)
    assert r.returncode == 73 and b"is there already" in r.stderr


def test_a_folder_keeps_the_newest(d):
    folder = os.path.join(d.dir, "many")
    os.mkdir(folder)
    old = ["leadd-2026-01-0%dT03-00-00Z.db" % i for i in range(1, 5)]
    other = ["leadd-notes.txt", "leadd-2026-01-01T03-00-00Z.db.txt"]
    for name in old + other + [o + ".sha256" for o in old]:
        with open(os.path.join(folder, name), "w") as f:
            f.write(name)
    made = d.ctl("backup", "--keep", "3", folder)["backup"]
    new = os.path.basename(made["path"])
    assert [os.path.basename(p) for p in made["removed"]] == old[:2]
    kept = old[2:] + [new]
    assert sorted(os.listdir(folder)) == sorted(kept + [k + ".sha256" for k in kept] + other)


def test_without_a_daemon_a_backup_needs_to_know_where(stored):
    d, _ = stored
    path = os.path.join(d.dir, "down.db")
    r = d.leadctl("backup", path)
    assert r.returncode == 69 and b"--store" in r.stderr
    d.ctl("backup", "--store", d.state + "/leadd.db", "--state", d.state, path)
    assert verify(d, path) == (0, {})


# ---- verify ----------------------------------------------------------------------

def page_of(path, table):
    """The place of the last page that the table's root names first."""
    with sqlite3.connect(path) as db:
        (size,) = db.execute("PRAGMA page_size").fetchone()
        (root,) = db.execute("SELECT rootpage FROM sqlite_master WHERE name = ?", (table,)).fetchone()
    return (root - 1) * size, size


def cut(path):
    os.truncate(path, os.stat(path).st_size - 4096)


def overwrite(path, at, data):
    with open(path, "r+b") as f:
        f.seek(at)
        f.write(data)


def flip_text(path):
    """One letter of a mail: no structure is hurt."""
    with open(path, "rb") as f:
        at = f.read().index(b"a7@shop.example")
    overwrite(path, at, b"b")


def sql(text):
    def change(path):
        with sqlite3.connect(path) as db:
            db.execute(text)
        db.close()
    return change


@pytest.mark.parametrize("harm, keep_sum, check, words", [
    (cut, True, "checksum", "not the one"),
    (cut, False, "structure", "malformed|out of range|disk image|not a database"),
    (flip_text, True, "checksum", "not the one"),
    (lambda p: overwrite(p, *(lambda at, n: (at, b"\xa5" * n))(*page_of(p, "ledger"))), False,
     "structure", "malformed|btree|page"),
    (lambda p: overwrite(p, 0, b"x" * 100), False, "structure", "not a database"),
    (lambda p: os.truncate(p, 0), False, "schema", "no database"),
    (sql("UPDATE meta SET value = '99' WHERE key = 'schema'"), False, "schema", "newer"),
    (sql("DELETE FROM message_body WHERE message_id = 7"), False, "references",
     "1 messages without their text, the first is 7"),
    (sql("DELETE FROM lead WHERE id = 7"), False, "rows", "lead has 39 rows, recorded are 40"),
    (sql("DELETE FROM outbox_body WHERE outbox_id = 9"), False, "references", "first is 9"),
    (sql("DELETE FROM message WHERE id = 3"), False, "references", "without their message"),
])
def test_verify_names_what_is_wrong(stored, tmp_path, harm, keep_sum, check, words):
    d, good = stored
    path = str(tmp_path / "b.db")
    shutil.copy(good, path)
    if keep_sum:
        shutil.copy(good + ".sha256", path + ".sha256")
    assert verify(d, path) == (0, {})
    harm(path)
    code, found = verify(d, path)
    assert code == 65
    assert any(re.search(words, text) for text in found[check]), found


def test_verify_tells_a_missing_file_from_a_bad_one(stored):
    assert verify(stored[0], "/nonexistent/b.db")[0] == 66


# ---- restore ---------------------------------------------------------------------

def test_restore_refuses_what_would_destroy(d, stored):
    path = os.path.join(d.dir, "b.db")
    d.ctl("backup", path)
    r = d.leadctl("restore", path)
    assert r.returncode == 75 and b"stop it first" in r.stderr
    d.stop()
    before = sorted(os.listdir(d.state))
    r = d.leadctl("restore", path)
    assert r.returncode == 73 and b"--force" in r.stderr
    r = d.leadctl("restore", "--force", d.state + "/leadd.db")
    assert r.returncode == 65 and b"no backup" in r.stderr
    overwrite(path, 5000, b"\xff" * 3000)
    r = d.leadctl("restore", "--force", path)
    assert r.returncode == 65 and b"not whole" in r.stderr
    assert sorted(os.listdir(d.state)) == before


def test_after_a_restore_nothing_leaves_until_it_is_released():
    conf = company.conf(settings='undo_window = "1s";')
    with Daemon(conf, company.files()) as d:
        deliver(d, "1.a", sender="early@shop.example")
        until(lambda: rows(d, "outbox", "list", "state=sent"), why="the first mail out")
        d.kill("courier", signal.SIGSTOP, wait=False)  # what waits is in the backup
        deliver(d, "2.waits", sender="waits@shop.example")
        until(lambda: len(rows(d, "list", "leads")) == 2, why="the lead")
        path = os.path.join(d.dir, "b.db")
        d.ctl("backup", path)
        os.kill(d.pid("courier"), signal.SIGCONT)
        wait_sent(d, 2)
        deliver(d, "3.lost", sender="lost@shop.example", message_id="<lost@shop.example>")
        lost = wait_sent(d, 3, "lost@shop.example")
        d.stop()

        d.ctl("restore", "--force", path)
        d.start()
        d.wait_log("engine.hold")
        assert "nothing is sent" in dict(d.ctl("status")["fields"])["in hold"]
        # the mailbox is read again from where the backup was
        until(lambda: len(rows(d, "list", "leads")) == 3, why="the lost mail filed again")
        # a new mail, and an answer to a mail that this database never wrote
        deliver(d, "4.new", sender="new@shop.example", when=time.time() + 3600)
        deliver(d, "5.answer", sender="lost@shop.example", to=str(lost["Reply-To"]),
                In_Reply_To=str(lost["Message-ID"]))
        until(lambda: len(rows(d, "ledger")) == 5, why="all arrivals")
        leads = {r["email"]: r["id"] for r in rows(d, "list", "leads")}
        assert leads.keys() == {"early@shop.example", "waits@shop.example", "lost@shop.example",
                                "new@shop.example"}
        assert leads["lost@shop.example"] not in ("L1", "L2", "L3")  # ids are not given twice
        assert {r["message"] for r in rows(d, "ledger", "limit=100")} & {"M3"} == set()
        d.kill("engine")
        assert "in hold" in dict(d.ctl("status")["fields"])
        held = {r["to"]: r for r in rows(d, "hold")}
        owner = {r["id"]: r["owner"] for r in rows(d, "list", "leads")}[leads["lost@shop.example"]]
        held.pop(owner + "@example.com")  # who was to hear of the answer
        assert held.keys() == {"waits@shop.example", "lost@shop.example", "new@shop.example"}
        assert "when the backup was made" in held["waits@shop.example"]["why"]
        assert len(company.sent(d.dir)) == 3

        since = held["new@shop.example"]["came"]
        assert "1 released, 3 dropped; not in hold" in \
            d.ctl_text("release", "since=" + since, "rest=drop")
        assert wait_sent(d, 4, "new@shop.example")
        assert "in hold" not in dict(d.ctl("status")["fields"])
        deliver(d, "6.later", sender="later@shop.example")
        assert wait_sent(d, 5, "later@shop.example")
        assert d.ctl("backup", os.path.join(d.dir, "after.db"))["backup"]["schema"]


def test_single_mails_are_released_and_hold_goes_on(d):
    post(d, "a@shop.example")
    until(lambda: rows(d, "outbox", "list", "state=sent"), why="the mail out")
    path = os.path.join(d.dir, "b.db")
    d.ctl("backup", path)
    d.stop()
    d.ctl("restore", "--force", path)
    with sqlite3.connect(d.state + "/leadd.db") as db:  # also where no row was: numbers leave in mails
        low = db.execute("SELECT m.name FROM sqlite_master m LEFT JOIN sqlite_sequence s "
                         "ON s.name = m.name WHERE m.sql LIKE '%AUTOINCREMENT%' "
                         "AND coalesce(s.seq, 0) < 10000").fetchall()
    db.close()
    assert low == []
    d.start()
    for name in "xyz":
        post(d, name + "@shop.example")
    held = rows(d, "hold")
    assert [r["to"] for r in held] == ["x@shop.example", "y@shop.example", "z@shop.example"]
    unknown = d.leadctl("release", str(held[1]["id"]), "99999")
    assert unknown.returncode == 1 and b"99999 is in hold: nothing was released" in unknown.stderr
    nothing = d.leadctl("release", "rest=drop")
    assert nothing.returncode == 1 and b"usage: leadctl release NUMBER" in nothing.stderr
    assert len(rows(d, "hold")) == 3
    assert "still in hold" in d.ctl_text("release", str(held[1]["id"]))
    assert wait_sent(d, 2, "y@shop.example")
    assert [r["to"] for r in rows(d, "hold")] == ["x@shop.example", "z@shop.example"]
    for wrong in (["release", "some"], ["release", "since=whenever"], ["release", "all", "5"],
                  ["release", "all", "rest=burn"]):
        assert d.leadctl(*wrong).returncode == 1, wrong
    assert "0 released, 2 dropped" in d.ctl_text("release", "none", "rest=drop")
    assert len(company.sent(d.dir)) == 2


@pytest.mark.skipif(not HOOKS, reason="configured without --enable-test-hooks")
@pytest.mark.parametrize("point", ["copied", "key_ready", "ready", "aside", "aside:2", "aside:3",
                                   "key_aside", "key_placed"])
def test_a_restore_that_is_cut_short_is_finished_by_the_next(stored, tmp_path, point):
    """leadd either has the old database or says that a restore must be finished."""
    old, good = stored
    with Daemon(company.conf(), company.files(), start=False) as d:
        shutil.copytree(old.state, d.state)
        argv = ["restore", "--force", "--store", d.state + "/leadd.db", "--state", d.state, good]
        with sqlite3.connect(d.state + "/leadd.db") as db:
            db.execute("UPDATE lead SET source = 'old'")
        db.close()
        for path in ("leadd.db-wal", "leadd.db-shm"):
            with open(os.path.join(d.state, path), "a"):
                pass
        name, _, nth = point.partition(":")
        table = str(tmp_path / "points")
        with open(table, "wb") as f:  # struct hook_point of base/hook.h
            f.write(struct.pack("=48sIIII", b"restore." + name.encode(), int(nth or 1), 0, 0, 0))
        r = d.leadctl(*argv, env={"LEADD_CRASH_TABLE": table})
        assert r.returncode == -signal.SIGKILL
        if point in ("copied", "key_ready"):
            d.start()
            assert {r["source"] for r in rows(d, "list", "leads", "limit=100")} == {"old"}
            d.stop()
        else:
            with pytest.raises(StartFailed) as failed:
                d.start()
            assert failed.value.code == 78
            assert "a restore was begun" in failed.value.log
        if point not in ("copied", "key_ready"):  # another backup does not pass for this one
            other = str(tmp_path / "other.db")
            with Daemon(company.conf(), company.files()) as empty:
                empty.ctl("backup", other)
            r = d.leadctl(*argv[:-1], other)
            assert r.returncode == 65 and b"name that backup again" in r.stderr
        d.ctl(*argv)
        left = os.listdir(d.state)
        assert [f for f in left if ".restore" in f] == []
        aside = [f for f in left if "leadd.db.before-restore" in f and f.endswith("Z")]
        with sqlite3.connect(os.path.join(d.state, aside[0])) as db:
            assert db.execute("SELECT DISTINCT source FROM lead").fetchall() == [("old",)]
        db.close()
        with open(old.state + "/secret.key", "rb") as a, open(d.state + "/secret.key", "rb") as b:
            assert a.read() == b.read()
        d.start()
        assert "in hold" in dict(d.ctl("status")["fields"])
        assert {r["source"] for r in rows(d, "list", "leads", "limit=100")} == {"website"}
