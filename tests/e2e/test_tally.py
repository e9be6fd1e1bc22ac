# SPDX-License-Identifier: ISC
"""tests/tally.py: a failure is named, at the end of a short output; once is not twice."""
import os
import subprocess
import sys

from roles import SRC

TALLY = os.path.join(SRC, "tests", "tally.py")
FINE = "def test_fine():\n    print('of no interest')\n"
LONG = "def test_long():\n    print('noise ' * 100 + '\\n' * 2)\n    [print('line', i) for i in range(900)]\n" \
       "    assert 1 == 2, 'as it should be'\n"
ONCE = """import os
def test_once():
    first = not os.path.exists(__file__ + ".ran")
    open(__file__ + ".ran", "a").write(os.environ.get("PYTEST_XDIST_WORKER", "alone") + " ")
    assert not first, "only the first time"
"""


def run(tmp_path, env=None, workers=0, args=(), **files):
    os.mkdir(tmp_path / "tests")
    for name, text in files.items():
        (tmp_path / "tests" / ("test_%s.py" % name)).write_text(text)
    outer = {k: v for k, v in os.environ.items() if not k.startswith("PYTEST_") and k != "RETRY"}
    r = subprocess.run([sys.executable, TALLY, "-n", str(workers), *args, "--", str(tmp_path / "tests")],
                       cwd=tmp_path, env=dict(outer, srcdir=str(tmp_path), **(env or {})),
                       capture_output=True, timeout=600)
    assert r.stderr == b""
    return r.returncode, r.stdout.decode().splitlines()


def test_what_passed_is_counted_and_says_nothing(tmp_path):
    assert run(tmp_path, fine=FINE) == (0, ["pytest: 1 passed, 0 failed"])


def test_a_failure_is_named_after_the_end_of_what_it_said(tmp_path):
    code, lines = run(tmp_path, fine=FINE, long=LONG)
    assert code == 1 and lines[-1] == "pytest: 1 passed, 1 failed"
    assert lines[-2] == "FAILED tests/test_long.py::test_long: AssertionError: as it should be"
    assert lines[0] == "---- tests/test_long.py::test_long" and "  | line 899" in lines
    assert len(lines) < 90 and max(map(len, lines)) <= 170
    assert "line 0\n" in (tmp_path / "pytest.log").read_text()


def test_many_failures_stay_short_and_are_not_run_twice(tmp_path):
    many = LONG + "".join(LONG.replace("test_long", "test_%d" % i) for i in range(50))
    code, lines = run(tmp_path, long=many)
    assert code == 1 and lines[-1] == "pytest: 0 passed, 51 failed"
    assert len(lines) < 150 and sum(line.startswith("FAILED ") for line in lines) == 31
    assert "once more" not in (tmp_path / "pytest.log").read_text()


def test_what_passes_at_the_second_try_is_named(tmp_path):
    code, lines = run(tmp_path, workers=2, fine=FINE, once=ONCE)
    assert code == 0 and lines == [
        "passed at the second try: tests/test_once.py::test_once: AssertionError: only the first time",
        "pytest: 2 passed, 0 failed"]
    first, second = (tmp_path / "tests" / "test_once.py.ran").read_text().split()
    assert first.startswith("gw") and second == "alone"


def test_there_is_no_second_try_when_it_is_switched_off(tmp_path):
    code, lines = run(tmp_path, env={"RETRY": "0"}, once=ONCE)
    assert code == 1 and lines[-1] == "pytest: 0 passed, 1 failed"


def test_a_test_that_ends_its_worker_or_all_of_pytest_is_named(tmp_path):
    code, lines = run(tmp_path, workers=1, dead="import os\ndef test_dead():\n    os._exit(3)\n")
    assert code == 1 and lines[-2].startswith("FAILED tests/test_dead.py::test_dead: ")
    os.mkdir(tmp_path / "again")
    code, lines = run(tmp_path / "again", fine=FINE, gone="import os\ndef test_gone():\n    os.kill(os.getpid(), 9)\n")
    assert code == 1 and lines[-1] == "pytest: 1 passed, 1 failed"
    assert lines[-2] == "FAILED tests/test_gone.py::test_gone: it did not come to its end"


def test_a_file_that_cannot_be_read_and_a_wrong_option_fail(tmp_path):
    code, lines = run(tmp_path, bad="def test_x(:\n")
    assert code == 1 and lines[-1] == "pytest: 0 passed, 1 failed"
    assert lines[-2].startswith("FAILED tests/test_bad.py: ")
    os.mkdir(tmp_path / "again")
    code, lines = run(tmp_path / "again", args=["--no-such-option"], fine=FINE)
    assert code == 1 and lines[-2:] == ["FAILED pytest itself: 4", "pytest: 0 passed, 1 failed"]


def test_what_was_skipped_is_said_with_its_reason(tmp_path):
    code, lines = run(tmp_path, fine=FINE, skip="import pytest\n@pytest.mark.parametrize('n', [1, 2])\n"
                      "def test_no(n):\n    pytest.skip('a program is missing')\n")
    assert code == 0 and lines == ["  skipped: [2] Skipped: a program is missing",
                                   "pytest: 1 passed, 0 failed"]
