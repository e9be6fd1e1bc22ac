# SPDX-License-Identifier: ISC
"""Good clients in numbers, and an independent look at what became of them.

    load = Load(d, 8).start()        # 8 keep-alive connections posting forms
    load.mails("inbox")              # and a delivery agent
    ...
    load.stop()
    load.check(d)                    # clients' 200s == leads in the database

A client behaves as HTTP libraries do: one request after the other on a connection,
a new connection when the server said close; of those with fresh=True as a visitor
does: a connection for each form. None sends a request again: what is not answered
is counted as torn, and shown.
"""
import collections
import http.client
import json
import os
import sqlite3
import threading
import time

import company
from daemon import children, cmdline


def post(connection, email, **fields):
    """One form; returns (status, request id or None)."""
    body = json.dumps(dict(fields, email=email))
    connection.request("POST", "/form/contact", body, {"Content-Type": "application/json"})
    answer = connection.getresponse()
    said = json.loads(answer.read())
    return answer.status, said.get("request_id")


class Load:
    def __init__(self, d, connections, source="127.0.0.1", pause=0.0, fresh=False):
        self.d, self.source, self.pause, self.fresh = d, source, pause, fresh
        self.over = threading.Event()
        self.lock = threading.Lock()
        self.accepted, self.refused, self.torn = {}, [], []  # email: request id; (email, why)
        self.mailed, self.times = [], []
        self.threads = [threading.Thread(target=self._forms, args=(n,)) for n in range(connections)]

    def start(self):
        for t in self.threads:
            t.start()
        return self

    def _connect(self):
        return http.client.HTTPConnection("127.0.0.1", self.d.port("web-in"), timeout=120,
                                          source_address=(self.source, 0))

    def one(self, email):
        """A single form; (status, request id)."""
        connection = self._connect()
        try:
            return post(connection, email)
        finally:
            connection.close()

    def _forms(self, n):
        connection, i = self._connect(), 0
        while not self.over.is_set():
            email = "f%d-%d@%s%s.form.example" % (n, i, "v" * self.fresh,
                                                  self.source.replace(".", "-"))
            i += 1
            begin = time.monotonic()
            try:
                status, id_ = post(connection, email, name="Form %d-%d" % (n, i))
            except (OSError, http.client.HTTPException) as e:
                with self.lock:
                    self.torn.append((email, repr(e)))
                connection.close()
                continue
            with self.lock:
                self.times.append(time.monotonic() - begin)
                if status == 200:
                    self.accepted[email] = id_
                else:
                    self.refused.append((email, status))
            if self.fresh:
                connection.close()
            if self.pause:
                self.over.wait(self.pause)
        connection.close()

    def mails(self, folder, pause=0.02):
        def run():
            n = 0
            while not self.over.is_set():
                sender = "m%d@mail%d.example" % (n, n)
                company.deliver(os.path.join(self.d.dir, folder), "M%d.load" % n,
                                company.mail(sender=sender))
                self.mailed.append(sender)
                n += 1
                self.over.wait(pause)
        self.threads.append(threading.Thread(target=run))
        self.threads[-1].start()
        return self

    def stop(self):
        self.over.set()
        for t in self.threads:
            t.join()

    def check(self, leads):
        """leads: {address: times} as in the database. What was answered with 200 is
        there once; what was not answered at most once; nothing else is there."""
        wrong = {a: leads.get(a, 0) for a in list(self.accepted) + self.mailed
                 if leads.get(a, 0) != 1}
        assert not wrong, "not filed exactly once: %s" % dict(list(wrong.items())[:10])
        perhaps = {a for a, _ in self.torn + self.refused}
        known = set(self.accepted) | set(self.mailed) | perhaps
        more = {a: n for a, n in leads.items() if a not in known or n > 1}
        assert not more, "nobody was told of these: %s" % dict(list(more.items())[:10])

    def add(self, other):
        """Counts what another Load did as its own."""
        self.accepted.update(other.accepted)
        for mine, theirs in ((self.refused, other.refused), (self.torn, other.torn),
                             (self.times, other.times), (self.mailed, other.mailed)):
            mine.extend(theirs)

    def percentile(self, p):
        """Milliseconds."""
        times = sorted(self.times)
        return times[min(len(times) - 1, int(len(times) * p / 100))] * 1000 if times else 0.0


def database(d):
    return sqlite3.connect("file:%s/leadd.db?mode=ro" % d.state, uri=True)


def leads(d):
    """{address: number of leads}, read from the file and not through the daemon."""
    with database(d) as db:
        rows = db.execute(LEADS).fetchall()
    return collections.Counter(address for address, in rows)


LEADS = """SELECT a.value FROM lead l JOIN contact c ON c.id = l.contact_id
           JOIN address a ON a.contact_id = c.id AND a.channel = 'email'"""


def outbox(d):
    """{(recipient, state): rows}"""
    with database(d) as db:
        return collections.Counter(db.execute("SELECT to_addr, state FROM outbox").fetchall())


# ---- what processes hold ------------------------------------------------------

# for daemons whose memory is looked at: what was freed is to be free
FREED = {"ASAN_OPTIONS": os.environ.get("ASAN_OPTIONS", "") +
         ":quarantine_size_mb=4:thread_local_quarantine_size_kb=64"}


def held(d):
    """{role: (PSS in KB, open descriptors)}, with the supervisor; roles of one name are
    added up, under "NAME*" when there are several."""
    found = {"supervisor": measure(d.proc.pid)}
    for pid in children(d.proc.pid):
        argv = cmdline(pid)
        if len(argv) < 3 or argv[1] != "-R" or argv[2] == "config":
            continue
        name = argv[2]
        found[name + "*" if name in found else name] = measure(pid)
    return found


def measure(pid):
    try:
        with open("/proc/%d/smaps_rollup" % pid) as f:
            pss = next(int(line.split()[1]) for line in f if line.startswith("Pss:"))
        return pss, len(os.listdir("/proc/%d/fd" % pid))
    except (FileNotFoundError, ProcessLookupError, StopIteration):
        return 0, 0


class Watch:
    """Looks at the daemon's processes again and again; most holds the largest values."""

    def __init__(self, d, every=0.25):
        self.d, self.every = d, every
        self.over = threading.Event()
        self.most, self.samples, self.processes = {}, [], 0
        self.thread = threading.Thread(target=self._run)

    def _run(self):
        while not self.over.wait(self.every):
            now = held(self.d)
            self.samples.append(now)
            self.processes = max(self.processes, len(children(self.d.proc.pid)))
            for role, (pss, fds) in now.items():
                was = self.most.get(role, (0, 0))
                self.most[role] = max(was[0], pss), max(was[1], fds)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *exc):
        self.over.set()
        self.thread.join()
