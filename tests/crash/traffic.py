# SPDX-License-Identifier: ISC
"""Mails and forms for a daemon that is killed, and the state it must end in."""
import collections
import os
import sys
import threading
import urllib.error
import urllib.parse
import urllib.request

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "e2e"))

import company  # noqa: E402
from daemon import CtlError, until  # noqa: E402


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


def feed(d, count, start=None):
    """count mails and count forms; sets start when some of them are in. Returns the
    threads to join."""
    def mails():
        for n in range(count):
            company.deliver(d.dir + "/inbox", "M%d.test" % n,
                            company.mail(sender="m%d@mail%d.example" % (n, n)))
            if start and n == count // 4:
                start.set()

    def forms(first):
        for n in range(first, count, 4):
            post(d, n)
    threads = [threading.Thread(target=mails)]
    threads += [threading.Thread(target=forms, args=(i,)) for i in range(4)]
    for t in threads:
        t.start()
    return threads


def check_end(d, count, arrived):
    """Each message filed once, each lead with one follow-up row, each follow-up there
    once. arrived() gives the recipients of what came out."""
    def leads():
        return len(d.ctl("list", "leads", "limit=10000")["rows"])

    def quarantined():
        return d.ctl("quarantine", "list")["rows"]

    # the mail a killed parser was at is suspected, and tried again by hand
    until(lambda: leads() + len(quarantined()) >= 2 * count, timeout=120,
          why="%d messages" % (2 * count))
    assert len(quarantined()) <= 1
    for q in quarantined():
        d.ctl("quarantine", "retry", q["q"])
    until(lambda: not quarantined(), why="the retried mail")
    total = leads()
    assert total == 2 * count

    def compared():
        try:
            return d.ctl("reconcile")["rows"]
        except CtlError as e:  # the mailbox's process has only just been killed
            assert e.code == 75
            return None
    (box,) = [r for r in until(compared, why="reconcile") if r["source"] == "maildir:inbox"]
    assert (box["there"], box["filed"], box["missing"]) == (count, count, 0)

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
    got = collections.Counter(arrived())
    for row in rows:
        n = got[row["to"]]
        assert n == 1 or (row["to"] in unknown and n <= 1), (row["to"], n, row["state"])
