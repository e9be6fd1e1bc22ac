# SPDX-License-Identifier: ISC
"""Files that came to harm while leadd was down: a clear word, no loss, no storm of restarts."""
import glob
import hashlib
import http.client
import os
import re
import shutil
import sqlite3
import time
import urllib.error
import urllib.parse
import urllib.request

import pytest

import company
from daemon import Daemon, StartFailed, until

HOUR = 3600


def post(d, address, timeout=120):
    data = urllib.parse.urlencode({"email": address}).encode()
    url = "http://127.0.0.1:%d/form/contact" % d.port("web-in")
    with urllib.request.urlopen(url, data, timeout=timeout) as r:
        return r.status


def store(d):
    return os.path.join(d.state, "leadd.db")


def digest(path):
    with open(path, "rb") as f:
        return hashlib.sha256(f.read()).hexdigest()


def leads(d):
    return {r["email"] for r in d.ctl("list", "leads", "limit=10000")["rows"]}


@pytest.fixture
def d():
    with Daemon(company.conf(), company.files()) as daemon:
        for i in range(30):
            post(daemon, "a%d@shop.example" % i)
        daemon.stop()
        yield daemon


def refuses(d, *words):
    """The daemon ends with 78, tried once, and says the words."""
    mark = d.mark()
    with pytest.raises(StartFailed) as failed:
        d.start()
    assert failed.value.code == 78, failed.value.log
    log = "\n".join(d.lines[mark:])
    assert log.count("role.died role=engine") == 1
    for word in words:
        assert re.search(word, log), (word, log)
    return log


def overwrite(path, at, data):
    with open(path, "r+b") as f:
        f.seek(at)
        f.write(data)


def test_what_is_no_database_is_not_touched(d):
    overwrite(store(d), 0, b"not SQLite at all")
    before = digest(store(d))
    refuses(d, re.escape(store(d)) + " is not a database", "leadctl restore")
    assert digest(store(d)) == before


def test_an_emptied_file_is_not_taken_for_a_new_start(d):
    old = time.time() - HOUR
    os.utime(d.state + "/secret.key", (old, old))
    os.truncate(store(d), 0)
    refuses(d, "leadd.db is empty", "leadctl restore")
    assert os.stat(store(d)).st_size == 0


def test_a_first_start_that_ended_before_its_first_commit_is_no_damage():
    with Daemon(company.conf(), company.files(), start=False) as d:
        os.makedirs(d.state)
        for name, content in (("secret.key", b"k" * 32), ("leadd.db", b"")):
            with open(os.path.join(d.state, name), "wb") as f:
                f.write(content)
        d.start()
        assert post(d, "a@shop.example") == 200


def test_a_folder_in_its_place_is_named(d):
    os.rename(store(d), store(d) + ".old")
    os.mkdir(store(d))
    refuses(d, "leadd.db is not a file")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_of_somebody_else_is_named_with_its_rights(d):
    os.chmod(store(d), 0o400)
    refuses(d, "cannot be written by user", "mode 400")


def test_a_database_of_a_newer_leadd_is_left_alone(d):
    with sqlite3.connect(store(d)) as db:
        db.execute("UPDATE meta SET value = '99' WHERE key = 'schema'")
    db.close()
    before = digest(store(d))
    refuses(d, "leadd.db", "newer leadd", "schema 99", "restore an older backup")
    assert digest(store(d)) == before


def table_pages(path, table):
    """The places of all pages of a table, by what the file's own pages say."""
    db = sqlite3.connect(path)
    (size,) = db.execute("PRAGMA page_size").fetchone()
    (root,) = db.execute("SELECT rootpage FROM sqlite_master WHERE name = ?", (table,)).fetchone()
    db.close()
    return (root - 1) * size, size


def test_a_damaged_page_ends_leadd_with_its_name_and_nothing_is_acknowledged(d):
    at, size = table_pages(store(d), "ledger")
    overwrite(store(d), at, b"\x5a" * size)
    mark = d.mark()
    try:
        d.start()  # a clean end: the file is taken as it is
        with pytest.raises((urllib.error.URLError, ConnectionError, http.client.HTTPException)):
            post(d, "new@shop.example")
        assert d.proc.wait(120) == 78
        d.readers[0].join()
    except StartFailed as failed:  # the first look at the ledger came earlier than the form
        assert failed.code == 78
    log = "\n".join(d.lines[mark:])
    assert re.search("store.damaged|is damaged", log)
    assert re.search("engine.hopeless.*" + re.escape(store(d)) + " is damaged", log)
    assert "leadctl backup verify" in log
    assert log.count("role.died role=engine") <= 3
    r = d.leadctl("backup", "verify", store(d))
    assert r.returncode == 65 and b"structure" in r.stdout


def test_after_damage_a_backup_brings_it_back(d):
    d.start()
    path = os.path.join(d.dir, "b.db")
    d.ctl("backup", path)
    d.stop()
    overwrite(store(d), 0, b"\0" * 4096)
    refuses(d, "is not a database")
    d.ctl("restore", "--force", path)
    d.start()
    assert len(leads(d)) == 30
    d.ctl("release", "all")
    assert post(d, "after@shop.example") == 200


@pytest.mark.parametrize("table, kept", [("activity", 0), ("outbox_lead", 1)])
def test_a_backup_of_a_damaged_database_says_so_and_keeps_older_ones(d, table, kept):
    folder = os.path.join(d.dir, "many")
    os.mkdir(folder)
    older = os.path.join(folder, "leadd-2026-01-01T03-00-00Z.db")
    shutil.copy(store(d), older)
    at, size = table_pages(store(d), table)
    overwrite(store(d), at, b"\x5a" * size)
    r = d.leadctl("backup", "--store", store(d), "--state", d.state, "--keep", "1", folder)
    assert r.returncode == 65 and b"the database itself is damaged" in r.stderr
    assert os.path.exists(older)
    assert glob.glob(folder + "/*.db") == [older]
    assert len(glob.glob(folder + "/*.damaged")) == kept  # what could be read


# ---- the WAL -----------------------------------------------------------------------

def crashed(d, addresses):
    """Killed with what it acknowledged in the WAL alone; the size of the WAL behind each."""
    d.start()
    sizes = []
    for address in addresses:
        assert post(d, address) == 200
        sizes.append(os.stat(store(d) + "-wal").st_size)
    d.crash()
    return sizes


@pytest.mark.parametrize("rest", [0, 1, 700, 4096, 9000])
def test_a_wal_cut_short_behind_an_acknowledged_form_still_has_it(d, rest):
    """A power cut may lose what was not flushed yet; each answer comes after a flush."""
    before = digest(store(d))
    sizes = crashed(d, ["w%d@shop.example" % i for i in range(10)])
    keep = 6
    # what a checkpoint has copied was flushed before: no power cut takes that away
    if sizes[keep] < sizes[-1] and digest(store(d)) == before:
        os.truncate(store(d) + "-wal", min(sizes[keep] + rest, sizes[-1]))
    d.start()
    found = leads(d)
    assert {"w%d@shop.example" % i for i in range(keep + 1)} <= found
    assert {"a%d@shop.example" % i for i in range(30)} <= found
    assert post(d, "w9@shop.example") == 200


def test_the_wal_of_another_database_is_noticed_before_it_is_taken_over(d):
    with Daemon(company.conf(), company.files(), start=False) as other:
        crashed(other, ["x%d@other.example" % i for i in range(40)])
        shutil.copy(store(other) + "-wal", store(d) + "-wal")
    before = digest(store(d))
    refuses(d, "leadd.db-wal belongs to another database than " + re.escape(store(d)))
    assert digest(store(d)) == before
    os.unlink(store(d) + "-wal")
    d.start()
    assert len(leads(d)) == 30
