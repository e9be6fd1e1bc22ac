# SPDX-License-Identifier: ISC
"""One stream of mails and forms, and anybody killed at any time.

A role, or the supervisor, is killed by SIGKILL after a random pause, without
waiting for what the last one led to: processes also die while they start, and
several at once. Afterwards check.end_state holds.

    LEADD_CRASH_KILLS=300       (default 60; a long run: 1000)
    LEADD_CRASH_MESSAGES=2000   mails, and as many forms (default 150)
    LEADD_CRASH_SEED=N          whom and when, of a run that failed
"""
import os
import random
import threading
import time

import check
from points import needs_hooks
from traffic import ROLES, World

KILLS = int(os.environ.get("LEADD_CRASH_KILLS", "60"))
COUNT = int(os.environ.get("LEADD_CRASH_MESSAGES", "150"))
SEED = int(os.environ.get("LEADD_CRASH_SEED", "0")) or int(time.time())
LONGEST = 0.7  # seconds between two kills


@needs_hooks
def test_killed_at_random_times_nothing_is_lost_or_doubled():
    chance, pause = random.Random(SEED), threading.Event()
    with World(SEED, COUNT) as w:
        print("seed %d, %d kills" % (SEED, KILLS), flush=True)
        w.start()
        w.begin()
        every = max(1, KILLS // max(1, COUNT - COUNT // 2))
        while sum(w.kills.values()) < KILLS:
            pause.wait(chance.uniform(0, LONGEST))
            w.revive()
            w.kill(chance.choice(ROLES + ["supervisor"]))
            if sum(w.kills.values()) % every == 0:
                w.more(max(1, COUNT // 2 // KILLS))
        w.finish()
        check.end_state(w)
