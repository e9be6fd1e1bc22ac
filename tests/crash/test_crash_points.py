# SPDX-License-Identifier: ISC
"""The process ends at each named point once; the end is the same.

The names are read from the source (CRASH_POINT, base/hook.h), so that a new
point is tested from its first day. Needs configure --enable-test-hooks.
"""
import os
import re

import pytest

from traffic import check_end, company, feed  # first: it knows where the rest lies
from daemon import Daemon, until
from peers import SmtpPeer
from roles import BUILD

COUNT = 20
DAEMON = os.path.join(os.path.dirname(__file__), "..", "..", "daemon")
MAILBOX = ('inbox : { type = "maildir"; path = "@DIR@/inbox"; start = "all"; poll = "1s"; '
           'after = "flag"; };')
FIRST = {"commit": (1, 2, 3)}  # the first commits make the database and take the rules


def compiled_in():
    with open(os.path.join(BUILD, "config.h")) as f:
        return re.search(r"^#define LEADD_TEST_HOOKS 1", f.read(), re.M)


def points():
    """NAME:N for every point: the first time, and one in the middle of the work."""
    found = []
    for folder, _, names in os.walk(DAEMON):
        for name in (n for n in names if n.endswith(".c")):
            with open(os.path.join(folder, name), encoding="utf-8") as f:
                found += re.findall(r'CRASH_POINT\("([\w.]+)"\)', f.read())
    assert len(found) == len(set(found)) > 0
    return ["%s:%d" % (p, n) for p in sorted(found)
            for n in FIRST.get(p.split(".")[0], ()) + (7,)]


def recipients(folder):
    found = []
    for name in os.listdir(folder + "/new"):
        with open(os.path.join(folder, "new", name), encoding="utf-8") as f:
            found += re.findall(r"^To: .*?([^\s<>]+@[^\s<>]+)>?$", f.read(), re.M)
    return found


@pytest.mark.skipif(not compiled_in(), reason="configured without --enable-test-hooks")
@pytest.mark.parametrize("point", points())
def test_a_crash_at_any_point_loses_and_doubles_nothing(point, tmp_path):
    once = str(tmp_path / "crashed")
    with SmtpPeer() as sink:
        maildir = point.startswith("courier.rename")
        relays = company.MAILDIR_OUT if maildir else company.smtp(sink.port)
        conf = company.conf(mailboxes=MAILBOX, relays=relays)
        env = {"LEADD_CRASH_POINT": point, "LEADD_CRASH_ONCE": once}
        with Daemon(conf, company.files(), env=env) as d:
            for t in feed(d, COUNT):
                t.join()

            def arrived():
                return recipients(d.dir + "/outbox") if maildir else \
                    [m.recipient for m in sink.mails]
            until(lambda: os.path.exists(once), why="the crash at " + point)
            check_end(d, COUNT, arrived)
