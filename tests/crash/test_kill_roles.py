# SPDX-License-Identifier: ISC
"""Every role killed in the middle of the work: the end is the same.

200 mails and 200 forms go in while one role is killed by SIGKILL. Afterwards
every message is filed once, every lead has one follow-up row, and every
follow-up that is not `unknown` arrived once.
"""
import os
import threading

import pytest

from traffic import check_end, company, feed  # first: it knows where the rest lies
from daemon import Daemon
from peers import SmtpPeer

COUNT = int(os.environ.get("LEADD_CRASH_MESSAGES", "200"))


@pytest.mark.parametrize("role", ["engine", "parser", "intake:inbox", "web-in", "web-ui", "courier",
                                  "supervisor"])
def test_killed_in_the_middle_nothing_is_lost_or_doubled(role):
    with SmtpPeer() as sink:
        conf = company.conf(relays=company.smtp(sink.port))
        with Daemon(conf, company.files()) as d:
            start = threading.Event()
            threads = feed(d, COUNT, start)
            start.wait(60)
            if role == "supervisor":
                d.crash()
                d.start()
            else:
                d.kill(role)
            for t in threads:
                t.join()
            check_end(d, COUNT, lambda: [m.recipient for m in sink.mails])
