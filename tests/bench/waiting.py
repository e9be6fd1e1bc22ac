# SPDX-License-Identifier: ISC
"""What many enrolments cost that only wait: CPU, wake-ups and memory of a daemon that has
nothing to do, and looking for what is due next, beside a few."""
import os
import sqlite3
import time

import company
import gauge
from daemon import Daemon, until

DAY = 86400000
RULES = """
lang = 1;
rules : { rest : { on = "lead.created"; do = "sequence month"; }; };
sequences : { month : { steps = ( { wait = "30d"; }, { email = "welcome"; } ); }; };
"""
NEXT = "SELECT min(due_ms) FROM timer WHERE due_ms IS NOT NULL AND due_ms > 0"  # store/timer.c


def enrol(path, count):
    """As the engine writes them; the step is due in a month."""
    db = sqlite3.connect(path)
    now = int(time.time() * 1000)
    db.executemany("INSERT INTO enrolment (sequence, version_id, entity, record_id, contact_id, state, began_by,"
                   " began_ms) VALUES ('month', 1, 'lead', ?, ?, 'active', 'rule rest', ?)",
                   ((i, i, now) for i in range(2, count + 1)))
    db.executemany("INSERT INTO timer (kind, rule, entity, record_id, due_ms, step, since_ms)"
                   " VALUES ('sequence', 'month', 'lead', ?, ?, 1, ?)",
                   ((i, now + 30 * DAY + i, now) for i in range(2, count + 1)))
    db.commit()
    db.close()


def lookup_us(path, rounds):
    db = sqlite3.connect("file:%s?mode=ro" % path, uri=True)
    best = min(timed(db, rounds) for _ in range(5))
    db.close()
    return best


def timed(db, rounds):
    begin = time.process_time()
    for _ in range(rounds):
        db.execute(NEXT).fetchone()
    return (time.process_time() - begin) * 1e6 / rounds


def spent(d):
    """Milliseconds and wake-ups of each process, to the nanosecond, as ticks would be too coarse."""
    used = {}
    for role, pid in dict(d.roles(), supervisor=d.proc.pid).items():
        with open("/proc/%d/schedstat" % pid) as f:
            ms = int(f.read().split()[0]) / 1e6
        with open("/proc/%d/status" % pid) as f:
            used[role] = (ms, next(int(line.split()[1]) for line in f if line.startswith("voluntary")))
    return used


def memory(d):
    with open("/proc/%d/status" % d.pid("engine")) as f:
        return next(int(line.split()[1]) for line in f if line.startswith("VmRSS")) / 1024


def idle(t, name, count, seconds, rounds):
    """Beside so many: CPU and wake-ups of all processes, and memory of the engine before and after."""
    conf = company.conf(settings='log_level = "warn";')
    with Daemon(conf, company.files(RULES)) as d:
        path = d.state + "/leadd.db"
        d.ingest(company.mail("first@shop.example"))
        d.stop()
        enrol(path, count)
        d.start()
        pending = dict(f[:2] for f in d.ctl("status")["fields"])["timers"]
        assert pending.startswith("%d" % min(count, 100000)), pending
        settle(d)
        before, began = memory(d), spent(d)
        time.sleep(seconds)  # it is what is measured
        used = {role: (ms - began[role][0], n - began[role][1]) for role, (ms, n) in spent(d).items()}
        t.add(name + "_cpu", sum(u[0] for u in used.values()), "ms", None,
              "in %d s, %d enrolments wait: %s" % (seconds, count, ", ".join(
                  "%s %.1f (%d wake-ups)" % (role, *u) for role, u in sorted(used.items()))))
        t.add(name + "_rss", memory(d), "MiB", None, "of the engine; %.1f before" % before)
        t.add(name + "_next", lookup_us(path, rounds), "us", None, "what is due next, asked of the store")
        t.add(name + "_file", os.path.getsize(path) / 2**20, "MiB")


def settle(d):
    """What a start has to do is done: a second without work of any process."""
    last = [None, 0]

    def quiet():
        used, now = gauge.tree_cpu(d.proc.pid), time.monotonic()
        if used != last[0]:
            last[:] = [used, now]
        return now - last[1] > 1
    until(quiet, why="an idle daemon")
