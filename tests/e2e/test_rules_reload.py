# SPDX-License-Identifier: ISC
"""A reload runs the tests of the rules first, and refuses a set that fails them."""
import subprocess

import pytest

import company
from daemon import LEADD, Daemon, until

TEST = """
tests : {
  large-goes-to-mia : {
    at = "2026-11-20 10:00";
    given = ( { form = "contact"; fields : { email = "a@b.example"; employees = "%s"; }; } );
    expect : { owner = "mia"; sent = "welcome to a@b.example"; };
  };
};
"""
GOOD, BAD = company.RULES + TEST % 900, company.RULES + TEST % 12


def test_a_reload_that_fails_a_test_is_refused_and_the_old_rules_go_on():
    with Daemon(company.conf(), company.files(GOOD)) as d:
        engine = d.pid("engine")
        d.write("rules.d/10-rules.conf", BAD.replace("assign pool sales", "assign eva"))
        p = d.leadctl("reload")
        code, out = p.returncode, p.stdout.decode()
        assert code == 78
        assert "10-rules.conf:16: test large-goes-to-mia failed: expected owner of L1: mia, found eva" in out
        assert "large (" in out and "lead.employees >= 500 is false" in out and "lead.employees is 12" in out
        assert "nothing was changed" in out
        assert d.pid("engine") == engine
        assert "reload.failed" in d.reload()
        until(lambda: [m for m in company.sent(d.dir) if "refused" in m["Subject"]], why="the notice")
        assert "test large-goes-to-mia failed" in company.sent(d.dir)[-1].get_content()
        # the same rules with a test that holds are taken
        d.write("rules.d/10-rules.conf", GOOD.replace("assign pool sales", "assign eva"))
        assert d.leadctl("reload").returncode == 0
        until(lambda: d.pid("engine") != engine, why="the new engine")


def test_a_start_does_not_wait_for_tests_and_tells_which_fail():
    with Daemon(company.conf(), company.files(BAD)) as d:
        d.wait_log("rules.test .*10-rules.conf:16: test large-goes-to-mia failed")
        d.wait_log("rules.tests failed=1 .*a reload would be refused")
        assert d.ctl("status")
    with Daemon(company.conf(), company.files(GOOD)) as d:
        assert "reload.done" in d.reload()
        assert "rules.test" not in d.log()


def check(folder, *args):
    p = subprocess.run([LEADD, "-t", "-c", str(folder / "leadd.conf"), *args], check=False,
                       capture_output=True, text=True, timeout=120)
    return p.returncode, p.stdout, p.stderr


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "leadd.conf").write_text(company.conf().replace("@DIR@", str(tmp_path)))
    for name, text in company.files(BAD).items():
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True, parents=True)
        path.write_text(text)
    return tmp_path


def test_leadd_t_runs_the_tests_unless_told_not_to(folder):
    code, out, err = check(folder)
    assert code == 78 and "test large-goes-to-mia failed: expected owner" in err
    assert err.endswith("1 error\n") and out == ""
    code, out, err = check(folder, "--no-tests")
    assert (code, err) == (0, "")
    (folder / "rules.d/10-rules.conf").write_text(GOOD)
    assert check(folder)[0] == 0
    (folder / "rules.d/10-rules.conf").write_text(GOOD.replace('owner = "mia"', 'owner = "mai"'))
    code, _, err = check(folder)
    assert code == 78 and 'no user "mai"; did you mean "mia"?' in err
