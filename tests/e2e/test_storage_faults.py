# SPDX-License-Identifier: ISC
"""The disk is full, fails, is slow or not there: what was acknowledged stays, nothing
else is acknowledged, and the daemon goes on by itself when the disk is well again.

A real small file system is mounted where that is allowed; what cannot be had from one
comes from the shim in daemon/store/fault_vfs.c (configure --enable-test-hooks)."""
import collections
import contextlib
import json
import os
import shutil
import signal
import sqlite3
import subprocess
import tempfile
import threading
import urllib.error
import urllib.parse
import urllib.request

import pytest

import company
import peers
from daemon import BUILD, CtlError, Daemon, until

INBOX = ('inbox : { type = "maildir"; path = "@DIR@/inbox"; start = "all"; poll = "1s"; '
         'after = "move"; move_to = "@DIR@/done"; };')
MB = 1024 * 1024


def has_hooks():
    with open(os.path.join(BUILD, "config.h"), encoding="utf-8") as f:
        return "#define LEADD_TEST_HOOKS" in f.read()


hooks = pytest.mark.skipif(not has_hooks(), reason="configure without --enable-test-hooks")


class Site(Daemon):
    """A daemon whose disk a test can make fail, and everything that was handed to it:
    taken is what it acknowledged, by our own count."""

    def __init__(self, disk_mb=0, settings="", relays=company.MAILDIR_OUT, env=None,
                 templates=None, **kw):
        folder = tempfile.mkdtemp(prefix="leadd-", dir="/tmp")
        self.mounted, self.taken, self.refused, self.mails = False, [], [], []
        self.fault_file = folder + "/fault"
        self.lock = threading.Lock()
        if disk_mb:
            os.mkdir(folder + "/state")
            try:
                subprocess.run(["mount", "-t", "tmpfs", "-o", "size=%dm,mode=755" % disk_mb, "none",
                                folder + "/state"], check=True, capture_output=True)
            except (OSError, subprocess.CalledProcessError) as e:
                shutil.rmtree(folder)
                pytest.skip("a file system cannot be mounted here: %s" % e)
            self.mounted = True
        files = company.files()
        files.update(("done/%s/.keep" % sub, "") for sub in ("tmp", "new", "cur"))
        files.update(("templates/" + name, text) for name, text in (templates or {}).items())
        try:
            super().__init__(company.conf(INBOX, relays, settings), files, dir=folder,
                             env=dict(env or {}, LEADD_FAULT_FILE=self.fault_file), **kw)
        except BaseException:
            self.drop()
            raise

    def drop(self):
        if self.mounted:
            subprocess.run(["umount", "-l", self.dir + "/state"], check=False)
        shutil.rmtree(self.dir, ignore_errors=True)

    def __exit__(self, *exc):
        super().__exit__(*exc)
        if not os.environ.get("LEADD_KEEP"):
            self.drop()

    # ---- the disk ----

    def fault(self, *lines):
        """What fails from now on; nothing: the disk is well."""
        with open(self.fault_file + ".new", "w", encoding="ascii") as f:
            f.write("\n".join(lines))
        os.rename(self.fault_file + ".new", self.fault_file)

    def fill(self, leave):
        """Leaves that many bytes of the disk."""
        path = self.state + "/ballast"
        with open(path, "ab", buffering=0) as f:
            while True:
                fs = os.statvfs(self.state)
                n = fs.f_bavail * fs.f_frsize - leave
                if n <= 0:
                    return
                try:
                    f.write(b"\0" * min(n, MB))
                except OSError:
                    return

    def empty(self):
        os.unlink(self.state + "/ballast")

    # ---- what comes in ----

    def post(self, email, timeout=120, **fields):
        """The status of one form; None when there was no answer."""
        data = urllib.parse.urlencode(dict(fields, email=email)).encode()
        url = "http://127.0.0.1:%d/form/contact" % self.port("web-in")
        try:
            with urllib.request.urlopen(urllib.request.Request(url, data=data),
                                        timeout=timeout) as r:
                status, after = r.status, None
        except urllib.error.HTTPError as e:
            status, after = e.code, e.headers.get("Retry-After")
        except OSError:
            status, after = None, None
        if status == 503:
            assert after
        with self.lock:
            (self.taken if status == 200 else self.refused).append(email)
        return status

    def mail(self, name, **kw):
        address = "%s@mail.example" % name
        with self.lock:
            self.mails.append(address)
        company.deliver(self.dir + "/inbox", name, company.mail(sender=address, **kw))

    def done(self):
        """Mails that were receipted: then they are moved."""
        return sum(len(os.listdir(self.dir + "/done/" + sub)) for sub in ("new", "cur")) - 2

    @contextlib.contextmanager
    def traffic(self, clients=3):
        """Forms without a pause, and some mails, while the test does something."""
        stop = threading.Event()

        def forms(k):
            n = 0
            while not stop.is_set():
                n += 1
                if self.post("f%d-%d@form.example" % (k, n)) != 200:
                    stop.wait(0.02)

        def mails():
            n = 0
            while not stop.is_set():
                n += 1
                self.mail("t%d" % n)
                stop.wait(0.05)
        threads = [threading.Thread(target=forms, args=(k,)) for k in range(clients)]
        threads.append(threading.Thread(target=mails))
        for t in threads:
            t.start()
        try:
            yield
        finally:
            stop.set()
            for t in threads:
                t.join()

    def wait_taken(self, more=20):
        """So many more forms are acknowledged."""
        n = len(self.taken) + more
        until(lambda: len(self.taken) >= n, timeout=120, why="%d more forms" % more)

    # ---- what must be so in the end ----

    def check(self, by_hand=0):
        """All is well again: what was acknowledged is there, once, and so is every mail."""
        until(lambda: self.post("last%d@form.example" % len(self.refused)) == 200, timeout=120,
              why="a form that is taken")
        until(lambda: self.done() == len(self.mails), timeout=120, why="all mails receipted")
        db = sqlite3.connect("file:%s/leadd.db?mode=ro" % self.state, uri=True)
        count = collections.Counter(r[0] for r in db.execute(
            "SELECT a.value FROM message m JOIN address a ON a.contact_id = m.contact_id"))
        leads = db.execute("SELECT count(*) FROM lead").fetchone()[0]
        rows = db.execute("SELECT count(*) FROM outbox WHERE class <> 'notice'").fetchone()[0]
        assert db.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
        db.close()
        assert [e for e in self.taken + self.mails if count[e] != 1] == []
        assert [e for e in self.refused if count[e] > 1] == []
        assert leads == rows - by_hand == sum(count.values())

        def settled():
            found = self.ctl("outbox", "list", "limit=10000")["rows"]
            return all(r["state"] == "sent" for r in found) and found
        found = until(settled, timeout=120, why="a settled outbox")
        assert len({r["id"] for r in found}) == len(found)

    def storage(self):
        return dict(self.ctl("status")["fields"])["storage"]

    def lines_of(self, event):
        return [line for line in self.lines if " %s " % event in line]


# ---- a full disk --------------------------------------------------------------


def test_below_min_free_intake_is_off_and_outgoing_mail_goes_on():
    with peers.SmtpPeer() as smtp, Site(32, 'store : { min_free = "8M"; };', company.smtp(smtp.port)) as d:
        assert d.post("before@form.example") == 200
        d.fill(leave=6 * MB)
        d.wait_log(r"store\.low ")
        assert d.post("during@form.example") == 503
        d.mail("during")
        with pytest.raises(CtlError) as e:
            d.ingest(company.mail(sender="pipe@mail.example"))
        assert e.value.code == 75 and "low" in e.value.text
        assert d.storage().startswith("low: ")
        d.ctl("do", "L1", "send", "welcome")  # what people do goes on, and leaves
        until(lambda: len(smtp.mails) >= 3, why="two mails and the notice")
        assert d.done() == 0
        d.empty()
        d.wait_log(r"store\.well ")
        d.check(by_hand=1)
        assert d.storage().startswith("ok, ")
        assert len(d.lines_of("store.low")) == 1
        told = [m for m in smtp.mails if b"disk is nearly full" in bytes(str(m), "utf-8")]
        assert len(told) == 1


def test_a_full_disk_loses_nothing_and_is_left_by_itself():
    with Site(24, 'store : { min_free = "1M"; };') as d:
        with d.traffic():
            d.wait_taken()
            d.fill(leave=0)
            d.wait_log(r"store\.(low|failed) ")
            until(lambda: d.refused, why="a refused form")
            cpu = cpu_seconds(d.pid("engine"))
            n = len(d.refused)
            until(lambda: len(d.refused) > n + 50, why="more of them")
            assert d.storage().startswith(("low", "failed"))
            d.empty()
            d.wait_taken()
        d.check()
        assert cpu_seconds(d.pid("engine")) - cpu < 20
        assert 1 <= len(d.lines_of("store.failed") + d.lines_of("store.low")) <= 4
        assert d.lines_of("role.died") == []


def cpu_seconds(pid):
    with open("/proc/%d/stat" % pid, encoding="ascii") as f:
        fields = f.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@hooks
@pytest.mark.parametrize("what", ["write wal full", "write any full 3", "shm any full"])
def test_a_pass_that_does_not_fit_is_undone_and_tried_again(what):
    with Site() as d:
        with d.traffic():
            d.wait_taken()
            d.fault(what)
            if not what.startswith("shm"):  # its index grows every 4096 pages only
                d.wait_log(r"store\.failed ")
                n = len(d.taken)
                until(lambda: len(d.refused) >= 20, why="refused forms")
                assert len(d.taken) <= n + 3  # answers that were under way
                assert d.storage().startswith("failed, ")
            d.fault()
            d.wait_taken()
        d.check()
        assert len(d.lines_of("store.failed")) <= 2
        assert d.lines_of("role.died") == []  # the engine stays


# ---- a disk that fails -----------------------------------------------------------


@hooks
@pytest.mark.parametrize("what", ["write wal eio", "sync wal eio", "sync any eio 2 5",
                                  "read any eio 0 3", "write any eio 7 1"])
def test_after_an_io_error_the_database_is_opened_anew(what):
    with Site() as d:
        with d.traffic():
            d.wait_taken()
            d.fault(what)
            if what.count(" ") == 2:  # until the disk is well
                d.wait_log(r"store\.broken .*Input|store\.broken .*I/O error")
                d.wait_log(r"role\.restart role=engine fails=2")
                d.wait_told("waiting for engine: it ended ")
            d.fault()
            d.wait_taken()
        d.check()


@hooks
def test_nothing_is_acknowledged_while_fsync_fails():
    with Site() as d:
        assert d.post("before@form.example") == 200
        d.fault("sync wal eio")
        assert d.post("during@form.example") in (503, None)
        d.mail("during")
        with pytest.raises(CtlError) as e:
            d.ingest(company.mail(sender="pipe@mail.example"))
        assert e.value.code == 75
        assert d.done() == 0
        d.fault()
        d.check()


def test_a_file_system_that_became_read_only_is_waited_for():
    with Site(24) as d:
        with d.traffic():
            d.wait_taken()
            # what is open stays writable, so a second mount on top, and an engine that falls
            subprocess.run(["mount", "--bind", d.state, d.state], check=True)
            try:
                subprocess.run(["mount", "-o", "remount,bind,ro", d.state], check=True)
                d.kill("engine", wait=False)
                d.wait_log(r"role\.failed .*read-?only")
                d.wait_told("waiting for engine: ")
                n = len(d.taken)
                until(lambda: len(d.refused) > 2, why="refused forms")
                assert len(d.taken) <= n
            finally:
                subprocess.run(["umount", "-l", d.state], check=True)
            d.wait_taken()
        d.check()


# ---- a database that is gone -------------------------------------------------------


@pytest.mark.parametrize("name", ["leadd.db", "leadd.db-wal", ""])
def test_a_database_that_was_moved_away_is_noticed_and_waited_for(name):
    with Site() as d:
        with d.traffic():
            d.wait_taken()
            path = d.state + "/" + name if name else d.state
            os.rename(path, d.dir + "/away")
            d.wait_log(r"store\.moved .*No such file")
            n = len(d.taken)
            until(lambda: len(d.refused) >= 10, why="refused forms")
            assert len(d.taken) <= n + 3
            assert d.storage().startswith("moved, nothing is written: ")
            os.rename(d.dir + "/away", path)
            d.wait_taken()
        d.check()
        assert d.lines_of("role.died") == []


def test_an_engine_that_starts_while_the_database_is_away_begins_no_new_one():
    with Site() as d:
        assert d.post("before@form.example") == 200
        os.rename(d.state + "/leadd.db", d.dir + "/away")
        d.kill("engine", wait=False)
        d.wait_log(r"role\.failed .*leadd\.db is gone, and its WAL is there")
        assert not os.path.exists(d.state + "/leadd.db")
        os.rename(d.dir + "/away", d.state + "/leadd.db")
        d.check()


def test_a_database_that_was_replaced_is_not_written_to():
    with Site() as d:
        assert d.post("before@form.example") == 200
        path = d.state + "/leadd.db"
        os.rename(path, d.dir + "/old")
        shutil.copy(d.dir + "/old", path)
        d.wait_log(r"store\.moved .*is not the file any more that is open")
        assert d.post("during@form.example") == 503
        os.rename(d.dir + "/old", path)
        d.wait_log(r"store\.well ")
        d.check()


# ---- a disk that is slow, a database that is in use ------------------------------------


@hooks
@pytest.mark.parametrize("ms", [200, 1500])
def test_a_slow_fsync_slows_all_down_and_breaks_nothing(ms):
    with Site(env={"LEADD_TEST_PING_MS": "500", "LEADD_TEST_HANG_MS": "20000"}) as d:
        d.fault("sync any delay=%d" % ms)
        with d.traffic():
            d.wait_taken(600 // ms + 3)
            assert d.storage().startswith("ok")
            assert health(d)["engine"] is True
        d.fault()
        d.check()
        assert d.refused == []
        assert d.lines_of("role.died") + d.lines_of("role.kill") == []


def health(d):
    """An answer there is, soon; with a very slow disk it may be that the engine is late."""
    url = "http://127.0.0.1:%d/healthz" % d.port("web-ui")
    try:
        with urllib.request.urlopen(url, timeout=120) as r:
            return json.load(r)
    except urllib.error.HTTPError as e:
        assert e.code == 503
        return json.load(e)


@contextlib.contextmanager
def write_lock(d):
    db = sqlite3.connect(d.state + "/leadd.db", isolation_level=None, check_same_thread=False)
    db.execute("BEGIN IMMEDIATE")
    try:
        yield
    finally:
        db.execute("ROLLBACK")
        db.close()


def test_a_database_locked_for_a_moment_delays_a_form():
    with Site() as d:
        got = []
        with write_lock(d):
            t = threading.Thread(target=lambda: got.append(d.post("during@form.example")))
            t.start()
            d.wait_log(r"store\.failed .*locked")
        t.join()
        assert got == [200]
        d.check()


def test_a_database_locked_for_long_is_told_and_waited_for():
    with Site() as d:
        d.mail("before")
        until(lambda: d.done() == 1, why="a mail")
        with write_lock(d):
            d.mail("during")
            assert d.post("during@form.example") == 503
            assert "locked" in d.storage()
            assert d.done() == 1
        d.check()
        assert len(d.lines_of("store.failed")) == 1


def test_a_reader_that_keeps_the_wal_growing_is_told():
    with Site() as d:
        assert d.post("before@form.example") == 200
        reader = sqlite3.connect("file:%s/leadd.db?mode=ro" % d.state, uri=True)
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM lead").fetchone()
        mark = d.mark()
        for n in range(12):
            d.ingest(company.mail(sender="big%d@mail.example" % n, text="0123456789abcde\n" * 200000))
        d.wait_log(r"store\.wal_held ", after=mark)
        assert "the WAL grows" in d.storage()
        reader.rollback()
        reader.close()
        d.wait_log(r"store\.wal_free ", after=mark)
        until(lambda: os.stat(d.state + "/leadd.db-wal").st_size <= 32 * MB, why="a smaller WAL")
        until(lambda: "WAL" not in d.storage(), why="a status without it")
        d.mails, d.refused = [], []
        assert len(d.lines_of("store.wal_held")) == 1


# ---- other files -----------------------------------------------------------------------


def test_a_courier_that_gets_no_slots_on_a_full_disk_gets_them_later():
    with Site(24, 'store : { min_free = "1M"; };') as d:
        assert d.post("before@form.example") == 200
        d.fill(leave=0)
        d.kill("courier")
        d.wait_log(r"courier\.no_slots .*No space")
        d.empty()
        d.wait_log(r"courier\.slots ")
        d.check()


def test_a_courier_that_does_not_read_is_not_buried_in_mails():
    with Site(templates={"_b.txt": "0123456789abcde\n" * 15000,
                         "welcome.txt": "Subject: big\n\n" + "{{> _b}}" * 3}) as d:
        assert d.post("before@form.example") == 200
        until(lambda: d.ctl("outbox", "list", "state=sent")["rows"], why="a mail that is sent")
        pid = d.pid("courier")
        os.kill(pid, signal.SIGSTOP)
        try:
            for n in range(110):  # 80 MB
                assert d.post("f%d@form.example" % n) == 200
            rows = d.ctl("outbox", "list", "limit=1000")["rows"]
            claimed = [r for r in rows if r["state"] == "claimed"]
            assert len(rows) == 111 and 0 < len(claimed) < 60
        finally:
            os.kill(pid, signal.SIGCONT)
        d.check()
        assert d.lines_of("peer.cut") + d.lines_of("role.died") == []


# ---- a message that ends the engine ---------------------------------------------------------

ABORT = {"LEADD_HOOKS": "engine.abort", "ASAN_OPTIONS": "handle_abort=0:detect_leaks=0"}


@hooks
def test_a_mail_that_ends_the_engine_is_quarantined_after_three_deaths():
    with Site(env=ABORT) as d:
        d.mail("poison", text="leadd-test-abort\n")
        d.mail("after")
        until(lambda: d.done() == 2, timeout=120, why="both mails receipted")
        assert len(d.lines_of("role.died")) == 3
        (q,) = d.ctl("quarantine", "list")["rows"]
        assert "the engine ended 3 times at this message" in q["reason"]
        assert [r["to"] for r in d.ctl("outbox", "list")["rows"]].count("mia@example.com") == 1
        assert len(d.ctl("list", "leads")["rows"]) == 1
        d.kill("engine")  # and all is as it was
        assert len(d.ctl("quarantine", "list")["rows"]) == 1
        assert len(d.lines_of("engine.suspect")) == 3


@hooks
def test_a_form_that_ends_the_engine_is_kept_too():
    with Site(env=ABORT) as d:
        assert d.post("poison@form.example", message="leadd-test-abort") == 202
        assert len(d.ctl("quarantine", "list")["rows"]) == 1
        assert len(d.lines_of("role.died")) == 3
        with pytest.raises(CtlError):  # a retry by hand ends it once, and not again and again
            d.ctl("quarantine", "retry", "Q1")
            d.ctl("status")
        until(lambda: d.post("after@form.example") == 200, why="a form that is taken")
        assert len(d.lines_of("role.died")) == 4
        assert len(d.ctl("quarantine", "list")["rows"]) == 1


@hooks
def test_an_outcome_that_ends_the_engine_is_kept_without_its_rules():
    with Site(env=dict(ABORT, LEADD_HOOKS="outcome.abort")) as d:
        assert d.post("ada@form.example") == 200
        d.wait_log(r"out\.suspect ")
        assert len(d.ctl("outbox", "list", "state=sent")["rows"]) == 1
        assert len(d.lines_of("role.died")) == 3
        assert len(d.lines_of("out.suspect")) >= 1


def test_an_innocent_message_in_hand_when_the_engine_is_killed_is_run():
    with Site() as d:
        with d.traffic():
            for _ in range(6):
                d.wait_taken(5)
                d.kill("engine")
        d.check()
        assert d.ctl("quarantine", "list")["rows"] == []
