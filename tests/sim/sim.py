# SPDX-License-Identifier: ISC
"""A daemon under pretended time that may be killed at any moment, for tests that hold it
against a model."""
import os
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "e2e"))
sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "crash"))

import company  # noqa: E402
import points  # noqa: E402
from daemon import CtlError, Daemon, until  # noqa: E402

MINUTE, HOUR, DAY = 60000, 3600000, 86400000
EVENTS = int(os.environ.get("LEADD_SIM_EVENTS", "70"))
SEED = int(os.environ.get("LEADD_SIM_SEED", "0")) or int(time.time())


def iso(ms):
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(ms // 1000))


class Sim(Daemon):
    def __init__(self, now, rules, files=None, conf=None, **more):
        self.now = now
        super().__init__(conf or company.conf(), company.files(rules, **(files or {})), args=["--pretend-time", iso(now)],
                         start=False, **more)
        self.points = points.Points(self.dir + "/points")
        self.env["LEADD_CRASH_TABLE"] = self.dir + "/points"
        self.start()

    def go(self, to):
        self.ctl("clock", "advance", "%dms" % (to - self.now))
        self.now = to

    def again(self):
        """It was killed: another one goes on where the clock stood."""
        self.crash()
        self.args = ["--pretend-time", iso(self.now)]
        self.start()

    def die_on_the_way(self, to, point):
        """The engine ends at a timer (or the whole daemon, somewhere)."""
        if point:
            self.points.arm(point)
        left = threading.Thread(target=self.try_to_go, args=(to,))
        left.start()
        if point:
            until(lambda: self.points.fired(point) or not left.is_alive(), why=point)
            self.points.disarm(point)
        self.again()
        left.join()

    def try_to_go(self, to):
        try:
            self.ctl("clock", "advance", "%dms" % (to - self.now))
        except CtlError:
            pass

    def fired(self, leads):
        """What the journal tells: (rule, lead, when) of every rule that ran."""
        found = []
        for lead in range(1, leads + 1):
            for row in self.ctl("why", "L%d" % lead, "limit=10000")["passes"]:
                for d in row["body"].get("decisions", []):
                    if "did" in d:
                        found.append((d["rule"], lead, row["at_ms"]))
        return sorted(found)
