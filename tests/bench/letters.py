# SPDX-License-Identifier: ISC
"""What a broadcast costs: CPU of leadd for each 1,000 recipients, planned, written and sent, and
how long somebody who asks the engine meanwhile waits for it."""
import os
import shutil
import socket
import sqlite3
import tempfile
import time

import company
import gauge
import roles
from daemon import Daemon

RULES = """
lang = 1;
rules : { rest : { on = "lead.created"; do = "assign tom"; }; };
segments : { all : { when = "contact.email is set"; }; };
broadcasts : { letter : { segment = "all"; list = "news"; template = "letter"; }; };
"""
LETTER = "Subject: News for {{contact.name|friend}}\n\nDear {{contact.name|friend}},\n\nthis is our news.\n"
CONF = 'lists : { news : { label = "News"; }; };\n'


def people(path, count):
    db = sqlite3.connect(path)
    db.executemany("INSERT INTO contact (name, created_ms, updated_ms) VALUES (?, 1, 1)",
                   (("Person %d" % n,) for n in range(1, count + 1)))
    db.executemany("INSERT INTO address (channel, value, contact_id, created_ms) VALUES ('email', ?, ?, 1)",
                   (("p%d@shop%d.example" % (n, n), n) for n in range(1, count + 1)))
    db.commit()
    db.close()


def ask(channel, number):
    """Milliseconds until the engine has answered a question that costs it nothing."""
    begin = time.perf_counter()
    channel.send("CTL", number, {"argv": ["list", "users"]})
    channel.recv("CTL_DONE", timeout=600)
    return (time.perf_counter() - begin) * 1000


def send(d, sink, count):
    """The longest wait and the wait of most."""
    s = socket.socket(socket.AF_UNIX)
    s.connect(d.run + "/ctl.sock")
    channel, waits, end = roles.Channel(s), [], time.monotonic() + 1800
    d.ctl("broadcast", "start", "letter", "confirm=%d" % count)
    while sink.mails() < count:
        if time.monotonic() > end:
            raise SystemExit("%d of %d letters after half an hour" % (sink.mails(), count))
        waits.append(ask(channel, len(waits) + 1))
        time.sleep(0.005)  # how often is asked: questions without a pause would be load of their own
    channel.close()
    waits.sort()
    return waits[-1], waits[len(waits) * 99 // 100]


def measure(t, count):
    folder = tempfile.mkdtemp(prefix="leadd-bench-")
    os.chmod(folder, 0o755)
    try:
        with gauge.Sink(folder) as sink:
            conf = CONF + company.conf(relays=company.smtp(sink.port, connections=8), settings='log_level = "warn";')
            with Daemon(conf, company.files(RULES, **{"templates/letter.txt": LETTER}), dir=folder) as d:
                d.stop()
                people(d.state + "/leadd.db", count)
                d.start()
                before, begin = gauge.each_cpu(d), time.perf_counter()
                longest, most = send(d, sink, count)
                took, after = time.perf_counter() - begin, gauge.each_cpu(d)
            used = {role: (s - before.get(role, 0)) * 1000 / count for role, s in after.items()}
            t.add("letters", count / took, "mails/s", sum(used.values()),
                  ", ".join("%s %.2f" % (role, s) for role, s in sorted(used.items()) if s >= 0.01))
            t.add("letters_wait", longest, "ms", None,
                  "the longest that somebody waited for the engine; p99 %.1f; a pass is to end after 50" % most)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
