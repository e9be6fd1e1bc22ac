# SPDX-License-Identifier: ISC
"""A power cut at any moment: what was acknowledged is there, nothing twice.

The engine runs with writelog.c, which logs what reaches the database files. A
cut is a place in that log. After it each file holds what its last sync before
the cut covered; of what was written since then any part may be there, whole,
torn at a sector, or as garbage. The store made so is opened, checked, and
compared with what had been acknowledged (2xx to a form, a flagged mail) when the
log had got so far. Some of the stores are given to a new daemon, together with
all mails and forms once more: the end is the same, and nothing leaves twice.

    LEADD_CRASH_CUTS=2000     stores that are opened and checked (default 150)
    LEADD_CRASH_RUNS=20       of these given to a new daemon (default 4)
    LEADD_CRASH_SEED=N        of a run that failed
"""
import collections
import contextlib
import os
import random
import shutil
import sqlite3
import struct
import subprocess
import threading
import time

import pytest

import check
from points import needs_hooks
from traffic import World, until

CUTS = int(os.environ.get("LEADD_CRASH_CUTS", "150"))
RUNS = int(os.environ.get("LEADD_CRASH_RUNS", "4"))
COUNT = int(os.environ.get("LEADD_CRASH_MESSAGES", "150"))
SEED = int(os.environ.get("LEADD_CRASH_SEED", "0")) or int(time.time())
HERE = os.path.dirname(os.path.abspath(__file__))
HEAD = struct.Struct("=IIQQ")
WRITE, CUT, SYNC = 1, 2, 3
FILES = ["leadd.db", "leadd.db-wal"]
SECTOR = 512

Record = collections.namedtuple("Record", "kind file offset data end")  # end: in the log


class Disk:
    """What is on the platters, following the log record by record."""

    def __init__(self, log):
        with open(log, "rb") as f:
            data = f.read()
        self.records, at = [], 0
        while at < len(data):
            kind, file, offset, n = HEAD.unpack_from(data, at)
            at += HEAD.size
            body = data[at:at + n] if kind == WRITE else b""
            at += len(body)
            self.records.append(Record(kind, file, offset, body, at))
        self.synced = [bytearray(), bytearray()]
        self.open = [[], []]  # records since the last sync
        self.at = 0

    @staticmethod
    def apply(image, record):
        if record.kind == CUT:
            del image[record.offset:]
            return
        if len(image) < record.offset:
            image.extend(bytes(record.offset - len(image)))
        image[record.offset:record.offset + len(record.data)] = record.data

    def go_to(self, count):
        """The first count records have happened."""
        assert count >= self.at
        for r in self.records[self.at:count]:
            if r.kind != SYNC:
                self.open[r.file].append(r)
                continue
            for done in self.open[r.file]:
                self.apply(self.synced[r.file], done)
            self.open[r.file] = []
        self.at = count

    def position(self):
        return self.records[self.at - 1].end if self.at else 0

    def after_a_cut(self, folder, chance):
        """Writes the files as they may be now."""
        os.makedirs(folder)
        for i, name in enumerate(FILES):
            image = bytearray(self.synced[i])
            for r in self.open[i]:
                fate = chance.choice(["there", "lost", "torn", "garbage"])
                if fate == "lost":
                    continue
                if fate == "torn" and r.kind == WRITE:
                    r = r._replace(data=r.data[:chance.randrange(0, len(r.data) + 1, SECTOR)])
                if fate == "garbage" and r.kind == WRITE:
                    r = r._replace(data=chance.randbytes(len(r.data)))
                self.apply(image, r)
            if image:
                with open(os.path.join(folder, name), "wb") as f:
                    f.write(image)


class Witness:
    """Notes how long the log was when something was seen to be acknowledged."""

    def __init__(self, world, log):
        self.world, self.log = world, log
        self.forms, self.mails, self.arrived = {}, {}, {}
        # at that very moment: a row that says "sent" must find its mail here
        world.receiver.on_taken = lambda to: self.arrived.setdefault(to, self.size())
        self.over = threading.Event()
        self.thread = threading.Thread(target=self._watch, daemon=True)
        self.thread.start()

    def size(self):
        with contextlib.suppress(FileNotFoundError):
            return os.path.getsize(self.log)
        return 0

    def look(self):
        for key in self.world.clients.taken:
            self.forms.setdefault("contact:" + key, self.size())  # as web-in names it
        for name in os.listdir(self.world.daemon.dir + "/disk/cur"):
            self.mails.setdefault(name.split(":")[0], self.size())

    def _watch(self):
        while not self.over.wait(0.005):
            self.look()

    def stop(self):
        self.over.set()
        self.thread.join()
        self.look()

    def until_position(self, position):
        return ({k for k, at in self.forms.items() if at <= position},
                {k for k, at in self.mails.items() if at <= position},
                {k for k, at in self.arrived.items() if at <= position})


@pytest.fixture(scope="module")
def shim(tmp_path_factory):
    path = str(tmp_path_factory.mktemp("writelog") / "writelog.so")
    subprocess.run(["cc", "-shared", "-fPIC", "-O1", "-Wall", "-D_GNU_SOURCE", "-o", path,
                    os.path.join(HERE, "writelog.c"), "-ldl"], check=True)
    return path


def checked(folder, forms, mails):
    """The store opens, is whole, and has what was acknowledged. The rows in the air, and
    the leads that the other program was told of."""
    if not os.path.exists(folder + "/leadd.db") or os.path.getsize(folder + "/leadd.db") == 0:
        assert not forms and not mails
        return set(), set()
    db = sqlite3.connect(folder + "/leadd.db")
    try:
        assert db.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        if not db.execute("SELECT 1 FROM sqlite_master WHERE name = 'outbox'").fetchall():
            assert not forms and not mails
            return set(), set()
        there = {k for (k,) in db.execute("SELECT key FROM ledger")}
        lost = (forms | mails) - there
        assert not lost, "acknowledged and lost: %s" % sorted(lost)[:5]
        told = []  # a cut may come between two steps of the schema
        if db.execute("SELECT 1 FROM sqlite_master WHERE name = 'call'").fetchall():
            told = db.execute("SELECT 'L' || lead_id FROM call WHERE state = 'done'")
        return ({to for (to,) in db.execute("SELECT to_addr FROM outbox "
                                            "WHERE state IN ('claimed', 'unknown')")},
                {lead for (lead,) in told})
    finally:
        db.close()


def run_again(first, folder, arrived, in_air, told):
    """A new daemon on that store; all sources say everything once more."""
    with World(first.seed, first.count, imap=False) as w:
        os.makedirs(w.daemon.state)
        for name in os.listdir(folder):
            shutil.copy(os.path.join(folder, name), w.daemon.state)
        shutil.copy(first.daemon.state + "/secret.key", w.daemon.state)
        w.say_again(first)
        w.start()
        w.clients.finish()
        check.end_state(w, arrived=arrived, may_be_unknown=in_air, told=told)


@needs_hooks
def test_a_power_cut_at_any_sync_loses_nothing_acknowledged_and_doubles_nothing(shim, tmp_path):
    chance, log = random.Random(SEED), str(tmp_path / "writes")
    print("seed %d" % SEED)
    with World(SEED, COUNT, imap=False) as first:
        first.daemon.env.update(LD_PRELOAD=shim, LEADD_WRITE_LOG=log)
        if "ASAN_OPTIONS" not in os.environ:
            first.daemon.env["ASAN_OPTIONS"] = "verify_asan_link_order=0"
        witness = Witness(first, log)
        first.begin()
        first.start()
        until(lambda: len(first.receiver.mails) > COUNT // 4, timeout=120, why="some follow-ups")
        first.finish()
        check.end_state(first)
        first.daemon.stop()
        witness.stop()
        disk = Disk(log)
        # before its first WAL the store is made under a rollback journal, which is not logged
        begin = next(i for i, r in enumerate(disk.records) if r.file == 1)
        syncs = [i for i, r in enumerate(disk.records) if r.kind == SYNC and i >= begin]
        assert len(syncs) > 10 and any(disk.records[i].file == 0 for i in syncs)
        places = sorted(chance.choice(syncs) + chance.choice([0, 1]) if n % 2 else
                        chance.randrange(begin, len(disk.records) + 1) for n in range(CUTS))
        runs = set(chance.sample(range(CUTS), RUNS))
        torn = 0
        for n, place in enumerate(places):
            folder = str(tmp_path / ("cut%d" % n))
            disk.go_to(place)
            torn += bool(disk.open[0] or disk.open[1])
            disk.after_a_cut(folder, chance)
            forms, mails, arrived = witness.until_position(disk.position())
            copy = folder + ".checked"
            shutil.copytree(folder, copy)
            in_air, told = checked(copy, forms, mails)
            if n in runs:
                print("cut at record %d of %d: %d forms and %d mails acknowledged, %d rows in the air"
                      % (place, len(disk.records), len(forms), len(mails), len(in_air)))
                run_again(first, folder, arrived, in_air, told)
            shutil.rmtree(folder)
            shutil.rmtree(copy)
        print("%d records, %d syncs; %d cuts, %d of them with writes not synced"
              % (len(disk.records), len(syncs), CUTS, torn))
