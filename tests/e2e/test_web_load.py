# SPDX-License-Identifier: ISC
"""64 connections post forms while strangers do their worst: all are accounted for.

Environment: LEADD_LOAD_SECONDS, how long (default 8; a release is checked with 60).
"""
import collections
import http.client
import json
import os
import resource
import sqlite3
import threading
import time

import pytest

import company
from daemon import Daemon, until
from hostilehttp import KINDS, Hostile
from load import FREED, Load, Watch, leads

SECONDS = float(os.environ.get("LEADD_LOAD_SECONDS", "8"))
HARM = {  # connections of each kind, from addresses of their own
    "silent": 1200, "slow_head": 60, "slow_body": 60, "endless_head": 4, "huge_header": 4,
    "large_bodies": 70, "chunk_lies": 4, "endless_chunk_size": 4, "two_lengths": 4, "garbage": 4,
    "early_close": 10, "gone_before_the_answer": 2, "pipelined": 2, "flood": 20,
}
RULES = """lang = 1;
rules : { all : { on = "lead.created"; do = "assign tom"; }; };
"""
MB = 1024  # in KB


@pytest.fixture(scope="module", autouse=True)
def descriptors():
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 20000), hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def daemon(timeout="20s"):
    conf = company.conf().replace("web : {", 'web : { timeout = "%s";' % timeout)
    return Daemon(conf + 'log_level = "warn";', company.files(RULES), env=FREED)


def wait(seconds):
    threading.Event().wait(seconds)


def accounted(d, load):
    """The clients' own count beside the database's. Of strangers each form is there
    once at most."""
    found = leads(d)
    strangers = {a: n for a, n in found.items() if a.endswith("@hostile.example")}
    assert set(strangers.values()) <= {1}
    load.check(collections.Counter({a: n for a, n in found.items() if a not in strangers}))
    return len(strangers)


def test_64_connections_are_accounted_for_while_strangers_do_their_worst():
    with daemon() as d:
        with Watch(d) as calm:
            load = Load(d, 32, pause=0.02).start()
            visitors = Load(d, 32, "127.0.0.2", pause=0.02, fresh=True).start()
            wait(1)
        before = len(load.accepted), len(visitors.accepted)
        attacks = [Hostile(d.port("web-in"), kind, count, "127.0.1.%d" % n)
                   for n, (kind, count) in enumerate(HARM.items(), 1)]
        with Watch(d) as watch:
            for a in attacks:
                a.__enter__()
            wait(SECONDS)
            load.stop()
            visitors.stop()
            during = len(load.accepted) - before[0], len(visitors.accepted) - before[1]
            for a in attacks:
                a.__exit__()
        until(lambda: health(d)["parked"] == 0, why="the last answers")
        load.add(visitors)
        strangers = accounted(d, load)
        print("%d + %d forms of 64 connections in %g s beside %d hostile ones: p50 %.1f ms, p99 %.1f ms, "
              "longest %.0f ms; %d refused, %d torn; %d forms of strangers"
              % (*during, SECONDS, sum(HARM.values()), load.percentile(50), load.percentile(99),
                 load.percentile(100), len(load.refused), len(load.torn), strangers))
        print("opened and cut: " + ", ".join("%s %d/%d" % (a.kind, a.opened, a.closed)
                                             for a in attacks))
        for role, (pss, fds) in sorted(watch.most.items()):
            print("%-12s PSS %6d KB at most (%6d before), %4d descriptors"
                  % (role, pss, calm.most.get(role, (0, 0))[0], fds))
        assert not load.torn, load.torn[:5]
        assert not load.refused, load.refused[:5]
        assert min(during) > 16 * SECONDS, "good clients were hardly served"
        assert load.percentile(99) < 10000
        bounded(d, calm, watch)


TEXTING = """
gateways : {
  main : { preset = "generic"; url = "http://127.0.0.1:9/send"; number = "+43660123456";
           verify : { scheme = "none"; }; };
};
"""


class Gateway(threading.Thread):
    """A gateway that posts texts or receipts, one after the other, each under an id of its own;
    it counts what was taken, and keeps what was not."""

    def __init__(self, d, path, over):
        super().__init__()
        self.d, self.path, self.over = d, path, over
        self.taken, self.failed, self.times = 0, [], []

    def run(self):
        c = http.client.HTTPConnection("127.0.0.1", self.d.port("web-in"), timeout=120,
                                       source_address=("127.0.0.3", 0))
        while not self.over.is_set():
            n = len(self.times)
            body = {"id": "%s-%d" % (self.path, n), "from": "+4366470%05d" % n, "status": "delivered",
                    "to": "+43660123456", "text": "text %d" % n, "reference": "none-%d" % n}
            begin = time.monotonic()
            c.request("POST", self.path, json.dumps(body), {"Content-Type": "application/json"})
            r = c.getresponse()
            r.read()
            self.times.append(time.monotonic() - begin)
            if r.status in (200, 202):
                self.taken += 1
            else:
                self.failed.append((r.status, n))
            self.over.wait(0.02)
        c.close()


def percentile(times, p):
    return sorted(times)[min(len(times) - 1, int(len(times) * p / 100))] * 1000


def test_64_connections_post_forms_while_texts_and_receipts_come_and_nothing_is_lost():
    contrib = os.path.join(os.path.abspath(os.environ.get("srcdir", ".")), "contrib")
    conf = company.conf(settings=TEXTING + 'presets_dir = "%s";' % contrib)
    with Daemon(conf + 'log_level = "warn";', company.files(RULES), env=FREED) as d:
        over = threading.Event()
        gateways = [Gateway(d, path, over) for path in ("/sms/main", "/sms/main/receipt")]
        load = Load(d, 64, pause=0.05).start()
        for g in gateways:
            g.start()
        wait(SECONDS)
        over.set()
        for g in gateways:
            g.join()
        load.stop()
        until(lambda: health(d)["parked"] == 0, why="the last answers")
        load.check(leads(d))
        assert not load.torn and not load.refused, (load.torn[:5], load.refused[:5])
        with sqlite3.connect("file:%s/state/leadd.db?mode=ro" % d.dir, uri=True) as db:
            rows = dict(db.execute("SELECT s.name, count(*) FROM ledger l JOIN source s ON s.id = "
                                   "l.source_id GROUP BY s.name"))
        for g, source in zip(gateways, ("sms:main", "sms-receipt:main")):
            assert g.taken > 0 and not g.failed, (g.path, g.failed[:5])
            assert rows[source] == g.taken, (source, rows)
        assert rows["form:contact"] == len(load.accepted)
        print("%d forms of 64 connections in %g s: p50 %.1f ms, p99 %.1f ms" % (
            len(load.accepted), SECONDS, load.percentile(50), load.percentile(99)))
        for g in gateways:
            print("%d at %s: p50 %.1f ms, p99 %.1f ms" % (g.taken, g.path, percentile(g.times, 50),
                                                          percentile(g.times, 99)))


def bounded(d, calm, watch):
    """Memory and descriptors: at most what bounds.h says on top of the calm."""
    web, calm_web = watch.most["web-in"], calm.most["web-in"]
    assert web[0] - calm_web[0] < 200 * MB, "web-in grew to %d KB" % web[0]
    assert web[1] < 1024 + 64
    for role in ("supervisor", "parser", "courier", "web-ui"):
        assert watch.most[role][0] - calm.most[role][0] < 10 * MB, role
    until(lambda: health(d)["connections"] <= 1, why="the end of all connections")


def health(d, name="web-in"):
    c = http.client.HTTPConnection("127.0.0.1", d.port(name), timeout=120)
    c.request("GET", "/healthz")
    try:
        return json.loads(c.getresponse().read())
    finally:
        c.close()


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_web_ui_answers_while_a_stranger_does_his_worst(kind):
    with daemon() as d, Hostile(d.port("web-ui"), kind, min(HARM[kind], 100)) as h:
        until(lambda: h.opened >= min(HARM[kind], 100), why="the attack")
        for _ in range(5):
            c = http.client.HTTPConnection("127.0.0.1", d.port("web-ui"), timeout=120)
            c.request("GET", "/metrics")
            assert c.getresponse().status == 200
            c.close()
