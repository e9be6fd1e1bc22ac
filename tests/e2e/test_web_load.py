# SPDX-License-Identifier: ISC
"""64 connections post forms while strangers do their worst: all are accounted for.

Environment: LEADD_LOAD_SECONDS, how long (default 8; a release is checked with 60).
"""
import collections
import http.client
import json
import os
import resource
import threading

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
