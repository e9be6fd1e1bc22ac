#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""tally.py PYTEST-ARGUMENT... -- FOLDER-OR-FILE... - runs the Python tests for tests/run.

pytest's own words go to pytest.log in the current folder. What is printed here is
short, whatever happened, since a long output may be cut by whoever shows it: the
end of each failure, then the names, then the skipped, then the counts.

A test that failed is run once more, alone. When it passes then, it counts as
passed and is named as "passed at the second try": a fault to be mended, not one
to be hidden. With more than five failures, or RETRY=0, nothing runs twice.

The same file is the plugin (-p tally) that writes one line of JSON per phase of a
test, so that a pytest that dies or hangs (LIMIT seconds) still names its tests.
"""
import collections
import json
import os
import signal
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.environ.get("srcdir", os.path.dirname(HERE))
RETRIES = 5  # failures, more of which are no accident
DETAILED = 5  # failures whose ends are shown
LINES, WIDTH, NAMES = 80, 160, 30  # of all details; of each line; names of failures
LOST = {"outcome": "lost", "when": "start"}  # until something better is known
# which outcomes each one may replace
OPEN = {"lost": ["lost"], "passed": ["lost"], "skipped": ["lost"],
        "failed": ["lost", "passed", "skipped"]}


# ---- the plugin ----

class Scribe:
    def __init__(self, path):
        self.file = open(path, "a", encoding="utf-8", errors="backslashreplace")

    def write(self, **line):
        self.file.write(json.dumps(line) + "\n")
        self.file.flush()

    def pytest_runtest_logstart(self, nodeid):
        self.write(test=nodeid, **LOST)

    def pytest_runtest_logreport(self, report):
        self.report(report, report.when)

    def pytest_collectreport(self, report):
        if report.failed:
            self.report(report, "collect")

    def report(self, report, when):
        line = {"test": report.nodeid, "when": when, "outcome": report.outcome}
        if report.skipped:
            line["text"] = report.longrepr[2] if isinstance(report.longrepr, tuple) else ""
        elif report.failed:
            crash = getattr(report.longrepr, "reprcrash", None)
            line["text"] = report.longreprtext
            line["reason"] = crash.message if crash else report.longreprtext
            line["output"] = "\n".join(text for _, text in report.sections)
        self.write(**line)


def pytest_configure(config):
    if os.environ.get("TALLY") and not hasattr(config, "workerinput"):
        config.pluginmanager.register(Scribe(os.environ["TALLY"]), "scribe")


# ---- the program ----

def pytest(args, path, log):
    """Runs pytest; (exit code, {test: its worst line})."""
    if os.path.exists(path):
        os.unlink(path)
    env = dict(os.environ, TALLY=path, PYTHONPATH=HERE)
    proc = subprocess.Popen([sys.executable, "-m", "pytest", "-p", "tally", "-p", "no:cacheprovider",
                             "-q", "-rfE", "--tb=short", "--rootdir", ROOT] + args, env=env, stdout=log, stderr=log,
                            start_new_session=True)
    try:
        code = proc.wait(float(os.environ.get("LIMIT", "3600")))
    except BaseException as e:
        os.killpg(proc.pid, signal.SIGKILL)  # and its workers
        if not isinstance(e, subprocess.TimeoutExpired):
            raise
        code = "killed: not at its end after %g s" % e.timeout
    return code, read(path)


def read(path):
    """{test: the line that tells its outcome}: the first failure, else the last phase."""
    told = collections.OrderedDict()
    if not os.path.exists(path):
        return told
    with open(path, encoding="utf-8") as f:
        for line in map(json.loads, f):
            last = line["when"] == "teardown" or line["outcome"] != "passed"
            if last and told.get(line["test"], LOST)["outcome"] in OPEN[line["outcome"]]:
                told[line["test"]] = line
    return told


def failed(tests):
    return [t for t, line in tests.items() if line["outcome"] in ("failed", "lost")]


def reason(line):
    """Why it failed, in one line."""
    if line["outcome"] == "lost":
        return "it did not come to its end"
    text = next((t for t in line["reason"].splitlines() if t.strip()), "")
    return ("%s: " % line["when"] if line["when"] != "call" else "") + text.strip()


def cut(text):
    return text if len(text) <= WIDTH else text[:WIDTH - 4] + " ..."


def detail(test, line, lines):
    """The end of the traceback and of what was captured, in so many lines."""
    told = [t for t in line.get("text", "").splitlines() if t.strip()]
    said = [t for t in line.get("output", "").splitlines() if t.strip()]
    told = told[-max(lines // 2, lines - len(said)):]
    said = said[len(said) - min(len(said), lines - len(told)):]
    yield "---- " + test
    for text in told:
        yield "  " + cut(text)
    for text in said:
        yield "  | " + cut(text)


def again(args, tests, first, log):
    """Runs what failed once more; {test: its first line} of those that passed."""
    if not first or len(first) > RETRIES or os.environ.get("RETRY") == "0":
        return {}
    log.write("\n==== once more, alone: %s\n" % " ".join(first))
    log.flush()
    _, second = pytest(args + ["-n", "0"] + [os.path.join(ROOT, t) for t in first], "tally-again.jsonl", log)
    lucky = {}
    for t in first:
        if t in second and second[t]["outcome"] == "passed":
            lucky[t], tests[t] = tests[t], second[t]
        elif t in second and second[t]["outcome"] == "failed":
            tests[t] = second[t]
    return lucky


def main(argv):
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))
    at = argv.index("--")
    args, folders = argv[:at], argv[at + 1:]
    with open("pytest.log", "w", encoding="utf-8") as log:
        code, tests = pytest(args + folders, "tally.jsonl", log)
        lucky = again(args, tests, failed(tests), log)
    bad = failed(tests)
    for t in bad[:DETAILED]:
        print("\n".join(detail(t, tests[t], LINES // min(len(bad), DETAILED))))
    if code != 0 and not bad and not lucky:
        with open("pytest.log", encoding="utf-8", errors="replace") as f:
            print("\n".join(map(cut, f.read().splitlines()[-LINES:])))
    for t in bad[:NAMES]:
        print(cut("FAILED %s: %s" % (t, reason(tests[t]))))
    if len(bad) > NAMES:
        print("FAILED %d more: pytest.log names them" % (len(bad) - NAMES))
    for t, line in lucky.items():
        print(cut("passed at the second try: %s: %s" % (t, reason(line))))
    skipped = collections.Counter(line["text"] for line in tests.values()
                                  if line["outcome"] == "skipped")
    for why, times in skipped.items():
        print(cut("  skipped: [%d] %s" % (times, why)))
    if code != 0 and not bad and not lucky:
        print("FAILED pytest itself: %s" % code)
        bad = [""]
    passed = sum(line["outcome"] == "passed" for line in tests.values())
    print("pytest: %d passed, %d failed" % (passed, len(bad)))
    return bad != []


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
