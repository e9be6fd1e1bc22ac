# SPDX-License-Identifier: ISC
"""Memory that a role loses must not pass unseen: the sanitizers' leak check runs
when it ends, and the harness fails on a report."""
import pytest

import company
from daemon import BUILD, Daemon

with open(BUILD + "/Makefile") as makefile:
    TEXT = makefile.read()
pytestmark = pytest.mark.skipif("-fsanitize=address" not in TEXT, reason="built without sanitizers")
ROLES = ("engine", "parser", "intake:inbox", "courier", "web-in", "web-ui")


def traffic(d, count):
    for i in range(count):
        company.deliver(d.dir + "/inbox", "%d.m" % i, company.mail(
            sender="lead%d@shop.example" % i, subject="40 widgets %d" % i))
    d.wait_log("mail.filed.*M%d " % count)
    d.wait_log("out.settled out=%d state=sent" % count)


def test_no_role_loses_memory_of_mails_and_follow_ups():
    with Daemon(company.conf(), files=company.files()) as d:
        traffic(d, 60)
        assert d.stop() == 0
        ended = [line for line in d.lines if "role.ended" in line]
        assert len(ended) == len(ROLES) and all('how="exit 0"' in line for line in ended)


def test_memory_lost_by_any_role_fails_the_test_that_stops_it():
    quick = {"LEADD_HOOKS": "role.leak", "ASAN_OPTIONS": "symbolize=0"}
    d = Daemon(company.conf(), files=company.files(), env=quick)
    try:
        with pytest.raises(AssertionError, match="LeakSanitizer"):
            d.stop()
        for role in ROLES:
            assert any('role.ended role=%s ' % role in line and 'how="exit 1"' in line
                       for line in d.lines), role
    finally:
        d.close()
