# SPDX-License-Identifier: ISC
"""The table of crash points that every process of the daemon maps (base/hook.h).

    points = Points(path)                # all names found in the source
    points.arm("commit.before")          # who comes there next dies
    points.arm("commit.before", pid=17)  # .. or has process 17 killed
    points.fired("commit.before")        # how often that happened
"""
import mmap
import os
import re
import struct

import pytest

from roles import BUILD, SRC

ROW = struct.Struct("=48sIIII")  # struct hook_point: name, armed, pid, hits, fired
ARMED, PID, HITS, FIRED = 48, 52, 56, 60


def compiled_in():
    with open(os.path.join(BUILD, "config.h"), encoding="utf-8") as f:
        return re.search(r"^#define LEADD_TEST_HOOKS 1", f.read(), re.M) is not None


needs_hooks = pytest.mark.skipif(not compiled_in(), reason="configured without --enable-test-hooks")


def names():
    """Every CRASH_POINT of the source: a new one is tested from its first day."""
    found = []
    for folder, _, files in os.walk(os.path.join(SRC, "daemon")):
        for name in (n for n in files if n.endswith(".c")):
            with open(os.path.join(folder, name), encoding="utf-8") as f:
                found += re.findall(r'CRASH_POINT\("([\w.]+)"\)', f.read())
    assert len(found) == len(set(found)) > 0
    return sorted(found)


class Points:
    def __init__(self, path):
        self.path, self.names = path, names()
        self.at = {name: i * ROW.size for i, name in enumerate(self.names)}
        with open(path, "wb") as f:
            for name in self.names:
                f.write(ROW.pack(name.encode(), 0, 0, 0, 0))
        with open(path, "r+b") as f:
            self.map = mmap.mmap(f.fileno(), 0)

    def _get(self, name, field):
        return struct.unpack_from("=I", self.map, self.at[name] + field)[0]

    def _set(self, name, field, value):
        struct.pack_into("=I", self.map, self.at[name] + field, value)

    def arm(self, name, pid=0, after=1):
        self._set(name, PID, pid)
        self._set(name, ARMED, after)

    def disarm(self, name):
        self._set(name, ARMED, 0)

    def hits(self, name):
        return self._get(name, HITS)

    def fired(self, name):
        return self._get(name, FIRED)

    def report(self):
        """A line per point: how often passed, how often somebody was killed there."""
        return "\n".join("%-26s passed %6d  killed at %3d" % (n, self.hits(n), self.fired(n))
                         for n in self.names)
