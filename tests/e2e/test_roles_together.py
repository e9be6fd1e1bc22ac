# SPDX-License-Identifier: ISC
"""The supervisor around the real roles: what each holds, as whom it runs, and
what a reload replaces. What the daemon does with mail is tested elsewhere."""
import glob
import os
import pwd
import re
import struct
import subprocess

import pytest

import company
from daemon import CtlError, Daemon, alive, until
from test_supervisor import sockets

ROLES = {"engine", "parser", "intake:sales", "courier", "web-in", "web-ui"}
MAIL = b"""From: Ann <ann-%d@example.org>\r
To: crm@example.com\r
Subject: Offer %d\r
Message-ID: <offer-%d@example.org>\r
Date: Sat, 21 Nov 2026 10:00:00 +0000\r
\r
Please send an offer.\r
"""
CONF = """
company = "Example Widgets"; address = "crm@example.com"; default_owner = "mia";
state_dir = "@DIR@/state"; run_dir = "@DIR@/run"; log_level = "debug";
run_as = %(run_as)s;
web : { listen = "127.0.0.1:0"; ui_listen = "127.0.0.1:0"; };
users : { mia : { name = "Mia"; email = "mia@example.com"; }; };
relays = ( { name = "out"; type = "maildir"; path = "@DIR@/%(outbox)s"; } );
mailboxes : {
  sales : { type = "maildir"; path = "@DIR@/inbox"; };
  %(mailboxes)s
};
"""
RULE = """lang = 1;
rules : {
  mark : { on = "lead.created"; do = [ "tag %s" ]; };
};
"""


def conf(run_as='"self"', outbox="out", mailboxes=""):
    return CONF % {"run_as": run_as, "outbox": outbox, "mailboxes": mailboxes}


def maildirs(d, *names):
    for name in names:
        for sub in ("new", "cur", "tmp"):
            os.makedirs(os.path.join(d.dir, name, sub), exist_ok=True)


def daemon(text=None, **kw):
    d = Daemon(text or conf(), files={"rules.d/10-mark.conf": RULE % "one"}, start=False, **kw)
    maildirs(d, "inbox", "out", "out2", "second")
    return d


@pytest.fixture
def d():
    with daemon() as it:
        it.start()
        yield it


def sections(data):
    return {s["title"]: s.get("rows", []) for s in data["sections"]}


def states(d):
    return {p["name"]: p["state"] for p in sections(d.ctl("status"))["Processes"]}


def lead(d, n):
    """Hands one mail over and returns the tags of the lead it became."""
    d.ingest(MAIL.replace(b"%d", b"%d" % n))
    return until(lambda: [r for r in d.ctl("list", "leads")["rows"]
                          if ("Offer %d" % n) in str(r)], why="the lead")


def test_all_roles_run_without_new_privileges(d):
    assert set(states(d)) == ROLES and set(states(d).values()) == {"running"}
    for pid in d.roles().values():
        with open("/proc/%d/status" % pid) as f:
            assert "NoNewPrivs:\t1" in f.read()
    lead(d, 1)
    assert d.stop() == 0  # no role reports a leak at its end
    assert "how=\"exit 0\"" in d.log() and not re.search("role.ended .*exit [1-9]", d.log())


def test_no_role_holds_what_belongs_to_another(d):
    if os.geteuid() != 0:
        pytest.skip("needs root to look into processes that may not be dumped")
    lead(d, 1)
    pids = d.roles()
    ours = {v for v in sockets(d.proc.pid).values() if v.startswith(("socket:", "pipe:"))}
    ours -= {sockets(d.proc.pid)[2]}
    seen = {}
    for name, pid in pids.items():
        fds = sockets(pid)
        socks = {v for n, v in fds.items() if n > 2 and v.startswith(("socket:", "pipe:"))}
        assert len(socks & ours) == {"engine": 2, "web-in": 1, "web-ui": 1}.get(name, 0), name
        for s in socks:
            assert s not in seen, "%s and %s share %s" % (name, seen.get(s), s)
            seen[s] = name
        files = [v for v in fds.values() if v.startswith(d.dir)]
        if name in ("parser", "web-in", "courier"):
            assert files == [], name
        else:
            assert all("/state/" in v or "/inbox" in v for v in files), (name, files)


def test_a_daemon_started_as_root_works_without_root():
    if os.geteuid() != 0:
        pytest.skip("needs root")
    # names of this run: one that was cut off may have left its own behind
    users = ["leadd-t%d-%s" % (os.getpid(), x)
             for x in ("engine", "intake", "parser", "web", "ui", "courier")]
    keys = ["engine", "intake", "parser", "web_in", "web_ui", "courier"]
    for u in users:
        subprocess.run(["useradd", "--system", "--user-group", "--no-create-home", u], check=True)
    try:
        subprocess.run(["usermod", "-a", "-G", users[0], users[4]], check=True)
        run_as = "{ %s }" % " ".join('%s = "%s";' % x for x in zip(keys, users))
        with daemon(conf(run_as=run_as)) as d:
            for folder, user in (("inbox", users[1]), ("out", users[5])):
                for base, dirs, _ in os.walk(os.path.join(d.dir, folder)):
                    os.chown(base, pwd.getpwnam(user).pw_uid, pwd.getpwnam(user).pw_gid)
            d.start()
            lead(d, 1)
            with open(d.dir + "/inbox/tmp/m", "wb") as f:
                f.write(MAIL.replace(b"%d", b"2"))
            os.chmod(d.dir + "/inbox/tmp/m", 0o644)
            os.rename(d.dir + "/inbox/tmp/m", d.dir + "/inbox/new/m")
            until(lambda: "Offer 2" in str(d.ctl("list", "leads")), why="the lead of the mailbox")
            rows = {p["name"]: p for p in sections(d.ctl("status"))["Processes"]}
            for key, user in zip(keys, users):
                name = {"intake": "intake:sales"}.get(key, key.replace("_", "-"))
                assert rows[name]["user"] == user
                with open("/proc/%d/status" % d.pid(name)) as f:
                    status = f.read()
                uid = pwd.getpwnam(user).pw_uid
                assert re.search(r"^Uid:\t%d\t%d\t%d\t%d$" % ((uid,) * 4), status, re.M), name
                assert re.search(r"^Cap(Eff|Prm):\t0+$", status, re.M), name
            assert d.stop() == 0
    finally:
        for u in reversed(users):  # the engine's group has a member until the last
            subprocess.run(["userdel", u])


def test_changed_rules_replace_the_engine_and_the_answer_arrives(d):
    before = d.roles()
    assert "one" in str(d.ctl("show", "L%d" % first_id(lead(d, 1))))
    d.write("rules.d/10-mark.conf", RULE % "two")
    answer = d.ctl("reload")["reload"]
    assert answer["ok"] and answer["restarting"] == ["engine"]
    until(lambda: d.told.count("READY=1") == 2, why="the end of the reload")
    assert {n for n, p in d.roles().items() if before.get(n) != p} == {"engine"}
    assert "two" in str(d.ctl("show", "L%d" % first_id(lead(d, 2))))


def first_id(rows):
    return int(re.search(r"L(\d+)", str(rows[0])).group(1))


def test_wrong_rules_are_named_and_the_old_ones_stay(d):
    before = d.roles()
    d.write("rules.d/10-mark.conf", RULE.replace("lead.created", "lead.creatd") % "two")
    r = d.leadctl("reload")
    assert r.returncode == 78
    assert b"rules.d/10-mark.conf:3" in r.stdout + r.stderr
    assert b"lead.created" in r.stdout + r.stderr  # the nearest name
    assert d.roles() == before and lead(d, 1)


def test_a_new_mailbox_starts_its_intake_and_nothing_of_the_others(d):
    before = d.roles()
    d.write("leadd.conf", conf(mailboxes='more : { type = "maildir"; path = "@DIR@/second"; };'))
    answer = d.ctl("reload")["reload"]
    assert answer["started"] == ["intake:more"] and answer["stopped"] == []
    until(lambda: states(d).get("intake:more") == "running")
    after = d.roles()
    assert all(before[n] == after[n] for n in before if n != "engine")


def test_a_changed_relay_replaces_the_courier(d):
    old = d.pid("courier")
    d.write("leadd.conf", conf(outbox="out2"))
    assert d.ctl("reload")["reload"]["ok"]
    until(lambda: d.roles().get("courier") not in (None, old))
    until(lambda: not alive(old), why="the end of the idle old courier")
    until(lambda: states(d) == {n: "running" for n in ROLES})


@pytest.mark.parametrize("role", sorted(ROLES))
def test_after_the_death_of_any_role_the_daemon_works_on(d, role):
    lead(d, 1)
    d.kill(role)
    assert lead(d, 2)
    assert states(d)[role] == "running"


def test_a_daemon_that_is_not_told_who_it_serves_does_not_start(tmp_path):
    with daemon('company = "x";') as d:
        d.start(ready=False)
        assert d.proc.wait(120) == 78
        with pytest.raises(CtlError) as e:
            d.ctl("status")
        assert e.value.code == 69


def test_slots_that_a_dead_engine_left_claimed_are_given_back():
    """It ended between the claims and their commit; else the courier would have no
    room for another mail, for ever."""
    with Daemon(company.conf(), company.files()) as d:
        d.ingest(company.mail(sender="bob@shop.example"))  # once it is sent, the file is there
        d.wait_log("out.settled out=1 state=sent")
        path = glob.glob(d.state + "/slots.*")[0]
        with open(path, "r+b") as f:
            head, row = 64, struct.Struct("<QIIIIII")
            for at in range((os.path.getsize(path) - head) // row.size):
                f.seek(head + at * row.size)
                f.write(row.pack(900000 + at, 1, 1, 0, 0, 0, 0))
        d.kill("engine")
        d.ingest(company.mail())
        d.wait_log("out.settled out=2 state=sent")
