# SPDX-License-Identifier: ISC
"""What tests/bench/run measures with: CPU of process trees, memory, counts of
system calls, programs started beside leadd, and the table of the results."""
import contextlib
import json
import mmap
import os
import re
import shutil
import signal
import statistics
import struct
import subprocess
import sys
import tempfile
import time

from daemon import children
from dovecot import free_port  # noqa: F401  (for run)

TICK = os.sysconf("SC_CLK_TCK")
PACKAGES = {"mbsync": "isync", "smtp-source": "postfix", "strace": "strace",
            "dovecot": "dovecot-imapd", "clips": "clips"}


class Missing(Exception):
    """A program that a figure needs is not there."""


def program(name):
    """Path of one of Debian's programs, or Missing with the package that has it."""
    found = shutil.which(name, path=os.environ["PATH"] + ":/usr/sbin")
    if not found:
        raise Missing("%s is missing: apt-get install %s" % (name, PACKAGES[name]))
    return found


def own(name):
    """Path of one of our programs of tests/bench, built by `make bench-programs`."""
    path = os.path.join(os.environ["builddir"], "tests", "bench", name)
    if not os.path.exists(path):
        sys.exit("%s is missing: make -C %s bench-programs" % (path, os.environ["builddir"]))
    return path


# ---- CPU and memory ----------------------------------------------------------

def _times(pid, dead):
    try:
        with open("/proc/%d/stat" % pid) as f:
            fields = f.read().rsplit(")", 1)[1].split()
    except (FileNotFoundError, ProcessLookupError):
        return 0
    return sum(map(int, fields[11:15 if dead else 13]))


def tree(pid):
    found = [pid]
    for child in children(pid):
        found += tree(child)
    return found


def tree_cpu(pid):
    """Seconds, user and system, of a process, all below it, and their dead children."""
    return sum(_times(p, True) for p in tree(pid)) / TICK


def each_cpu(daemon):
    """{"engine": seconds, ..} of a running daemon."""
    found = {name: _times(pid, True) / TICK for name, pid in daemon.roles().items()}
    found["supervisor"] = _times(daemon.proc.pid, False) / TICK
    return found


def pss(pid):
    with open("/proc/%d/smaps_rollup" % pid) as f:
        return next(int(line.split()[1]) for line in f if line.startswith("Pss:")) / 1024


def may_see_memory(pid):
    try:
        return pss(pid) > 0
    except PermissionError:
        return False


class Span:
    """CPU and wall time of a daemon's whole tree, from begin to end."""

    def __init__(self, pid):
        self.pid, self.cpu0, self.t0 = pid, tree_cpu(pid), time.perf_counter()

    def end(self):
        self.seconds = time.perf_counter() - self.t0
        self.cpu = tree_cpu(self.pid) - self.cpu0
        return self


# ---- programs ------------------------------------------------------------------

def run(*argv, check=True):
    """Output and CPU seconds of a program and its children."""
    out = tempfile.TemporaryFile()
    begin = time.perf_counter()
    proc = subprocess.Popen(list(map(str, argv)), stdout=out, stdin=subprocess.DEVNULL)
    _, code, used = os.wait4(proc.pid, 0)
    proc.returncode = os.waitstatus_to_exitcode(code)
    seconds = time.perf_counter() - begin
    out.seek(0)
    text = out.read().decode()
    if check and proc.returncode != 0:
        raise SystemExit("%s: exit %d\n%s" % (argv[0], proc.returncode, text))
    return text, used.ru_utime + used.ru_stime, seconds


def run_json(*argv):
    return json.loads(run(*argv)[0])


@contextlib.contextmanager
def server(*argv):
    """One of our servers: it says "ready" first, and ends at SIGTERM."""
    proc = subprocess.Popen(list(map(str, argv)), stdout=subprocess.PIPE)
    try:
        if proc.stdout.readline() != b"ready\n":
            raise SystemExit("%s did not start" % argv[0])
        yield proc
    finally:
        if proc.poll() is None:
            proc.terminate()
        proc.wait()


class Sink:
    """tests/bench/sink, with its live count."""

    def __init__(self, folder, pipelining=True):
        self.port, self.path = free_port(), os.path.join(folder, "sink-counts")
        argv = [own("sink"), str(self.port), self.path] + ([] if pipelining else ["-n"])
        self.proc = subprocess.Popen(argv, stdout=subprocess.PIPE)
        if self.proc.stdout.readline() != b"ready\n":
            raise SystemExit("sink did not start")
        with open(self.path, "rb") as f:
            self.map = mmap.mmap(f.fileno(), 24, prot=mmap.PROT_READ)

    def mails(self):
        return struct.unpack_from("<Q", self.map, 0)[0]

    def end(self):
        """What it counted."""
        self.proc.send_signal(signal.SIGTERM)
        out = self.proc.stdout.read()
        self.proc.wait()
        return json.loads(out)

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        if self.proc.poll() is None:
            self.end()
        self.map.close()


# ---- what the store writes -------------------------------------------------------

def commits(db):
    """Transactions committed so far: SQLite counts them in the WAL's index (iChange)."""
    with open(db + "-shm", "rb") as f:
        return struct.unpack_from("<I", f.read(12), 8)[0]


@contextlib.contextmanager
def counted_writes(pid, into):
    """Counts by strace what a process writes and syncs meanwhile: into gets
    {"wal": bytes, "db": bytes, "syncs": n}."""
    out = tempfile.NamedTemporaryFile("r", suffix=".strace")
    proc = subprocess.Popen([program("strace"), "-f", "-y", "-p", str(pid), "-o", out.name, "-e",
                             "trace=pwrite64,write,writev,pwritev,fsync,fdatasync"],
                            stderr=subprocess.PIPE)
    if b"attached" not in proc.stderr.readline():
        proc.wait()
        raise Missing("strace may not attach to the engine here")
    try:
        yield
    finally:
        proc.send_signal(signal.SIGINT)
        proc.communicate()
    into.update(wal=0, db=0, syncs=0)
    for line in out:
        m = re.search(r"(\w+)\(\d+<([^>]*)>.* = (\d+)", line)
        if not m:
            continue
        call, path, n = m.group(1), m.group(2), int(m.group(3))
        if call in ("fsync", "fdatasync"):
            into["syncs"] += 1
        elif path.endswith(".db-wal"):
            into["wal"] += n
        elif path.endswith(".db"):
            into["db"] += n
    out.close()


# ---- results ---------------------------------------------------------------------

class Table:
    """Rows of name, value, unit, CPU seconds per 1,000, and a note."""

    def __init__(self, as_json):
        self.rows, self.as_json = [], as_json
        if not as_json:
            print("%-28s %12s  %-10s %10s  %s" % ("name", "value", "unit", "cpu/1000", "note"),
                  flush=True)

    def add(self, name, value, unit, cpu=None, note=""):
        """cpu: CPU seconds of the whole process tree per 1,000."""
        self.rows.append({"name": name, "value": value, "unit": unit, "cpu_per_1000": cpu,
                          "note": note})
        if not self.as_json:
            print("%-28s %12s  %-10s %10s  %s" % (name, tell(value), unit,
                                                  "" if cpu is None else "%.3f" % cpu, note),
                  flush=True)

    def get(self, name):
        return next((r["value"] for r in self.rows if r["name"] == name), None)

    def ratio(self, name, other):
        a, b = self.get(name), self.get(other)
        if a is not None and b:
            self.add("%s / %s" % (name, other), a / b, "ratio")

    def end(self):
        if self.as_json:
            print(json.dumps(self.rows, indent=1))


def tell(v):
    if not isinstance(v, float):
        return str(v)
    return "%.0f" % v if abs(v) >= 1000 else "%.1f" % v if abs(v) >= 10 else "%.3f" % v


def medians(runs):
    """Of dicts with the same keys: each key's median."""
    return {k: statistics.median(r[k] for r in runs) for k in runs[0]}
