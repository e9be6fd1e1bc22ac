# SPDX-License-Identifier: ISC
"""The corpus of mails: tests/fixtures/corpus/CLASS/NAME.eml with NAME.json beside it.

NAME.json holds only what is expected: an object holds at least the keys named, a
list has exactly these elements, null means that the key is not there, and any other
value is compared exactly. Everything else of the message form is free.

Another folder is read the same way: LEADD_CORPUS=FOLDER with the classes inside.
"""
import concurrent.futures
import glob
import json
import os
import subprocess

from roles import BUILD, SRC

FOLDER = os.environ.get("LEADD_CORPUS") or os.path.join(SRC, "tests", "fixtures", "corpus")
LEADCTL = os.path.join(BUILD, "daemon", "leadctl")


def classes():
    return sorted(n for n in os.listdir(FOLDER) if os.path.isdir(os.path.join(FOLDER, n)))


def names(kind):
    paths = glob.glob(os.path.join(FOLDER, kind, "*.eml"))
    return sorted(os.path.splitext(os.path.basename(p))[0] for p in paths)


def eml(kind, name):
    return os.path.join(FOLDER, kind, name + ".eml")


def expected(kind, name):
    with open(os.path.join(FOLDER, kind, name + ".json"), encoding="utf-8") as f:
        return json.load(f)


def parse(path):
    """What `leadctl parse` makes of one mail."""
    done = subprocess.run([LEADCTL, "parse", "--json", path], capture_output=True, check=False)
    assert done.returncode == 0, (path, done.stderr.decode())
    return json.loads(done.stdout)


def read(kind):
    """[(name, what is expected, what was read)] of one class."""
    every = names(kind)
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        got = list(pool.map(parse, [eml(kind, n) for n in every]))
    return [(n, expected(kind, n), g) for n, g in zip(every, got)]


def differences(want, got, at=""):
    """[(path, wanted, got)] of all that is not as expected."""
    if want is None:
        return [] if got is None else [(at, None, got)]
    if isinstance(want, dict):
        if not isinstance(got, dict):
            return [(at, want, got)]
        found = []
        for key, value in want.items():
            found += differences(value, got.get(key), f"{at}.{key}" if at else key)
        return found
    if isinstance(want, list):
        if not isinstance(got, list) or len(got) != len(want):
            return [(at, want, got)]
        found = []
        for i, value in enumerate(want):
            found += differences(value, got[i], f"{at}[{i}]")
        return found
    return [] if type(want) is type(got) and want == got else [(at, want, got)]


class Score:
    """Mails of a class that are as expected, as a whole and key by key."""

    def __init__(self, kind):
        self.kind, self.total, self.right = kind, 0, 0
        self.keys, self.wrong = {}, []

    def add(self, name, want, got):
        self.total += 1
        found = differences(want, got)
        self.right += not found
        if found:
            self.wrong.append((name, found))
        for key in want:
            right, total = self.keys.get(key, (0, 0))
            bad = any(path.split(".")[0].split("[")[0] == key for path, _, _ in found)
            self.keys[key] = (right + (not bad), total + 1)

    def share(self, key=None):
        right, total = self.keys.get(key, (0, 0)) if key else (self.right, self.total)
        return right / total if total else 1.0

    def __str__(self):
        keys = ", ".join(f"{k} {r}/{t}" for k, (r, t) in sorted(self.keys.items()))
        return f"{self.kind}: {self.right} of {self.total} ({100 * self.share():.1f} %); {keys}"

    def report(self):
        lines = [str(self)]
        for name, found in self.wrong:
            for path, want, got in found:
                lines.append(f"  {self.kind}/{name} {path}\n    wanted {want!r}\n    read   {got!r}")
        return "\n".join(lines)
