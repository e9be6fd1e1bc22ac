# SPDX-License-Identifier: ISC
"""leadctl rules activate: a set comes into force whole, or nothing changes."""
import os
import shutil
import subprocess

import pytest

import company
from daemon import LEADCTL, Daemon

TESTS = """
tests : {
  large-goes-to-mia : {
    at = "2026-11-20 10:00";
    given = ( { form = "contact"; fields : { email = "a@shop.example"; employees = "%d"; }; } );
    expect : { owner = "mia"; };
  };
};
"""


def text(large=500, more="", tests=True):
    return (company.RULES.replace(">= 500", ">= %d" % large).replace("rules : {", "rules : {" + more)
            + (TESTS % max(large, 500) if tests else ""))


def activate(d, *args):
    r = d.leadctl("--json", "rules", "activate", "-c", d.conf_path, *args)
    return r.returncode, r.stderr.decode(), r.stdout.decode()


@pytest.fixture
def d():
    with Daemon(company.conf(mailboxes=""), company.files(text())) as d:
        yield d


def in_force(d):
    return [r["hash"] for r in d.ctl("rules", "history")["rows"]]


def test_what_lies_where_leadd_reads_it_comes_into_force_and_the_change_is_told(d):
    (first,) = in_force(d)
    same = d.leadctl("rules", "activate", "-c", d.conf_path)
    assert same.returncode == 0 and b"nothing has changed" in same.stdout, same
    d.write("rules.d/10-rules.conf", text(300, 'vip : { on = "lead.created"; do = "tag vip"; };')
            .replace("rest :", "others :"))
    d.write("templates/welcome.txt", company.WELCOME + "More.\n")
    dry = d.ctl("rules", "activate", "-c", d.conf_path, "-n")
    assert dry["active"] is False and in_force(d) == [first]
    got = d.ctl("rules", "activate", "-c", d.conf_path)
    assert got["changes"] == dry["changes"] == {
        "rules": {"added": ["vip", "others"], "removed": ["rest"], "changed": ["large"]},
        "templates": {"changed": ["welcome"]}}
    assert got["active"] and got["tests"] == 1 and got["before"] == first
    now = d.ctl("rules", "history")["rows"]
    assert now[0]["hash"] == got["hash"] != first
    assert now[0]["by"] == os.popen("id -un").read().strip()
    d.write("rules.d/10-rules.conf", text())
    shown = d.leadctl("rules", "activate", "-c", d.conf_path).stdout.decode()
    assert "rules: +rest -vip -others ~large\n" in shown, shown
    assert "1 test passed\n" in shown
    assert "in force; before: leadctl rules show %.12s\n" % got["hash"] in shown


@pytest.mark.parametrize("bad, says", [
    (text().replace("assign mia", "assign mai"), "did you mean"),
    (text(tests=False) + TESTS % 10, "large-goes-to-mia: expected"),
    ("rules : {", "nothing was changed"),
])
def test_a_set_with_a_mistake_or_a_failing_test_changes_nothing(d, bad, says):
    before, pid = in_force(d), d.pid("engine")
    d.write("rules.d/10-rules.conf", bad)
    code, err, out = activate(d)
    assert code == 1 and says in err and "nothing was changed" in err and out == "", err
    assert in_force(d) == before and d.pid("engine") == pid


def test_without_a_daemon_it_says_so(d):
    d.stop()
    code, err, _ = activate(d)
    assert code == 69 and "is leadd running" in err, err


def test_the_file_is_the_daemons_however_it_is_named(d):
    d.write("rules.d/10-rules.conf", text(300))
    env = dict(os.environ, LEADD_RUN_DIR=d.dir + "/run")
    r = subprocess.run([LEADCTL, "rules", "activate", "-c", "./leadd.conf"], cwd=d.dir, env=env,
                       capture_output=True, text=True, check=False, timeout=120)
    assert (r.returncode, r.stderr) == (0, "") and "rules: ~large" in r.stdout
    d.write("rules.d/10-rules.conf", text(400))
    r = d.leadctl("rules", "activate")  # the one that the daemon reads, not the one of this build
    assert r.returncode == 0 and b"rules: ~large" in r.stdout, r
    os.mkdir(d.dir + "/other")
    for name in ("leadd.conf", "rules.d", "templates"):
        (shutil.copytree if os.path.isdir(d.dir + "/" + name) else shutil.copy)(
            d.dir + "/" + name, d.dir + "/other/" + name)
    code, err, _ = activate(d, "-c", d.dir + "/other/leadd.conf")
    assert code == 1 and "the daemon reads %s, not %s" % (d.conf_path, d.dir + "/other/leadd.conf") in err


def test_another_configuration_than_the_daemons_is_noticed(d):
    other = d.dir + "/elsewhere"
    os.mkdir(other)
    for name in ("leadd.conf", "rules.d", "templates"):
        (shutil.copytree if os.path.isdir(d.dir + "/" + name) else shutil.copy)(
            d.dir + "/" + name, other + "/" + name)
    code, err, _ = activate(d, other)
    assert code == 1 and "no link that could be switched" in err, err


@pytest.fixture
def linked(tmp_path_factory):
    """leadd reads current/leadd.conf, and current is a link to one of two folders."""
    with Daemon(company.conf(mailboxes=""), company.files(text()), start=False) as d:
        for name, large in (("one", 500), ("two", 300)):
            os.makedirs("%s/%s" % (d.dir, name))
            for part in ("leadd.conf", "rules.d", "templates"):
                (shutil.copytree if os.path.isdir(d.dir + "/" + part) else shutil.copy)(
                    d.dir + "/" + part, "%s/%s/%s" % (d.dir, name, part))
            d.write(name + "/rules.d/10-rules.conf", text(large))
        os.symlink("one", d.dir + "/current")
        d.conf_path = d.dir + "/current/leadd.conf"
        d.start()
        yield d


def test_a_link_is_switched_and_switched_back_when_the_daemon_refuses(linked):
    d = linked
    (first,) = in_force(d)
    code, err, out = activate(d, d.dir + "/two")
    assert code == 0, err
    assert os.readlink(d.dir + "/current") == os.path.realpath(d.dir + "/two")
    assert len(in_force(d)) == 2
    # a reload that only the daemon can refuse: another state folder
    with open(d.dir + "/one/leadd.conf") as f:
        conf = f.read()
    d.write("one/leadd.conf", conf.replace("/state\"", "/other-state\""))
    code, err, out = activate(d, d.dir + "/one")
    assert code == 1 and "restart leadd for that" in err, err
    assert os.readlink(d.dir + "/current") == os.path.realpath(d.dir + "/two")
    assert not os.path.lexists(d.dir + "/current.new") and len(in_force(d)) == 2
    d.write("one/leadd.conf", conf)
    code, err, out = activate(d, d.dir + "/one")
    assert code == 0 and in_force(d)[0] == first, err


def test_a_replay_before_it_is_shown(d):
    d.write("rules.d/10-rules.conf", text(300))
    r = d.leadctl("rules", "activate", "-c", d.conf_path, "-r", "30d")
    assert r.returncode == 0 and b"Nothing would differ." in r.stdout, r
    assert b"rules: ~large" in r.stdout
    d.write("rules.d/10-rules.conf", text(500))
    code, err, _ = activate(d, "-r", "someday")
    assert code == 1 and "replay could not be done" in err
