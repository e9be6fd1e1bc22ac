# SPDX-License-Identifier: ISC
"""Every role killed in the middle of the work: the end is the same.

200 mails and 200 forms go in while one role is killed by SIGKILL. Afterwards
every message is filed once, every lead has one follow-up row, and every
follow-up that is not `unknown` arrived once.
"""
import collections
import os
import sys
import threading
import urllib.error
import urllib.parse
import urllib.request

import pytest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "e2e"))

import company  # noqa: E402
from daemon import Daemon, until  # noqa: E402
from peers import SmtpPeer  # noqa: E402

MAILS = FORMS = int(os.environ.get("LEADD_CRASH_MESSAGES", "200"))


def post(d, n):
    """As a good client does: the same request again under the same key until it
    was taken."""
    data = urllib.parse.urlencode({"email": "f%d@form%d.example" % (n, n)}).encode()

    def once():
        req = urllib.request.Request("http://127.0.0.1:%d/form/contact" % d.port("web-in"),
                                     data=data, headers={"Idempotency-Key": "form-%d" % n})
        try:
            with urllib.request.urlopen(req, timeout=30) as r:
                return r.status == 200
        except urllib.error.HTTPError as e:
            assert e.code in (429, 503), e.code
            return False
        except OSError:
            return False
    until(once, timeout=60, why="form %d" % n)


def feed(d, start):
    def mails():
        for n in range(MAILS):
            company.deliver(d.dir + "/inbox", "M%d.test" % n,
                            company.mail(sender="m%d@mail%d.example" % (n, n)))
            if n == MAILS // 4:
                start.set()

    def forms(first):
        for n in range(first, FORMS, 4):
            post(d, n)
    threads = [threading.Thread(target=mails)]
    threads += [threading.Thread(target=forms, args=(i,)) for i in range(4)]
    for t in threads:
        t.start()
    return threads


@pytest.mark.parametrize("role", ["engine", "parser", "intake:inbox", "web-in", "web-ui", "courier",
                                  "supervisor"])
def test_killed_in_the_middle_nothing_is_lost_or_doubled(role):
    with SmtpPeer() as sink:
        conf = company.conf(relays=company.smtp(sink.port))
        with Daemon(conf, company.files()) as d:
            start = threading.Event()
            threads = feed(d, start)
            start.wait(60)
            if role == "supervisor":
                d.crash()
                d.start()
            else:
                d.kill(role)
            for t in threads:
                t.join()
            check_end(d, sink)


def check_end(d, sink):
    def leads():
        return len(d.ctl("list", "leads", "limit=10000")["rows"])

    def quarantined():
        return d.ctl("quarantine", "list")["rows"]

    # the mail a killed parser was at is suspected, and tried again by hand
    until(lambda: leads() + len(quarantined()) >= MAILS + FORMS, timeout=120,
          why="%d messages" % (MAILS + FORMS))
    assert len(quarantined()) <= 1
    for q in quarantined():
        d.ctl("quarantine", "retry", q["q"])
    until(lambda: not quarantined(), why="the retried mail")
    total = leads()
    assert total == MAILS + FORMS

    (box,) = [r for r in d.ctl("reconcile")["rows"] if r["source"] == "maildir:inbox"]
    assert (box["there"], box["filed"], box["missing"]) == (MAILS, MAILS, 0)

    def outbox():
        return d.ctl("outbox", "list", "limit=10000")["rows"]

    def settled():
        rows = outbox()
        return rows if all(r["state"] in ("sent", "unknown") for r in rows) else None
    rows = until(settled, timeout=120, why="a settled outbox")
    per_lead = collections.Counter(r["lead_id"] for r in rows)
    assert len(rows) == total and set(per_lead.values()) == {1}
    unknown = {r["to"] for r in rows if r["state"] == "unknown"}
    assert len(unknown) <= 4  # connections of the relay
    arrived = collections.Counter(m.recipient for m in sink.mails)
    for row in rows:
        n = arrived[row["to"]]
        assert n == 1 or (row["to"] in unknown and n <= 1), (row["to"], n, row["state"])
