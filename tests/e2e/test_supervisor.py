# SPDX-License-Identifier: ISC
"""The supervisor: start, death, reload, end; around roles that pretend
(fakeleadd.c), so that every death and hang can be had at will."""
import json
import os
import pwd
import re
import shutil
import signal
import socket
import subprocess

import pytest

from daemon import CtlError, Daemon, StartFailed, alive, children, until
from roles import BUILD, LEADD, SRC

FAKE = os.path.join(BUILD, "tests", "e2e", "fakeleadd")
ROLES = ["engine", "parser", "intake:a", "intake:b", "courier", "web-in", "web-ui"]


def config(**parts):
    base = {"supervisor": {"state_dir": "@DIR@/state", "run_dir": "@DIR@/run",
                           "log_level": "debug",
                           "listen": {"web-in": "127.0.0.1:0", "web-ui": "127.0.0.1:0"}}}
    base.update({name: {"log_level": "debug"} for name in ROLES})
    for name, part in parts.items():
        name = name.replace("__", ":").replace("web_", "web-")
        if part is None:
            del base[name]
        else:
            base[name] = dict(base.get(name, {}), **part)
    return json.dumps({"parts": base})


def daemon(conf=None, **kw):
    return Daemon(config() if conf is None else conf, leadd=FAKE, **kw)


def greeted(d, *names):
    """Waits until the engine has heard HELLO from each, on its newest channel."""
    def look():
        data = d.ctl("peers")
        newest = {p["name"]: p for p in data["peers"]}
        return all(n in newest and newest[n]["greeted"] for n in names) and data
    return until(look, why="HELLO of all peers")


def processes(d):
    return {p["name"]: p for p in d.ctl("processes")["processes"]}


def who_answers(d, name):
    with socket.create_connection(("127.0.0.1", d.port(name)), timeout=120) as s:
        return s.makefile().readline().split()


# ---- start ----

def test_all_roles_start_and_are_paired_with_the_engine():
    with daemon() as d:
        assert sorted(d.roles()) == sorted(ROLES)
        greeted(d, *ROLES[1:])
        assert all(p["state"] == "running" for p in processes(d).values())
        assert who_answers(d, "web-in") == ["web-in", str(d.pid("web-in"))]
        assert who_answers(d, "web-ui") == ["web-ui", str(d.pid("web-ui"))]
        with open(d.run + "/leadd.pid") as f:
            assert int(f.read()) == d.proc.pid


def test_folders_are_made_with_narrow_rights():
    with daemon() as d:
        assert os.stat(d.state).st_mode & 0o777 == 0o750
        assert os.stat(d.run + "/ctl.sock").st_mode & 0o777 == 0o660
        assert os.stat(d.run + "/ingest.sock").st_mode & 0o777 == 0o660


def test_every_config_error_is_printed_and_nothing_starts():
    errors = ["leadd.conf:3: one thing", "rules.d/a.conf:9: another"]
    with pytest.raises(StartFailed) as e:
        daemon(json.dumps({"errors": errors}))
    assert e.value.code == 78
    for text in errors:
        assert text in e.value.log.split("\n")
    assert "role.started" not in e.value.log


@pytest.mark.parametrize("conf, says", [
    ('{"crash": true}', "signal 11"), ("", "exit"), ('{"parts": {"supervisor":', "exit")])
def test_a_config_check_that_dies_is_an_error(conf, says):
    with pytest.raises(StartFailed) as e:
        daemon(conf, env={"ASAN_OPTIONS": "handle_segv=0"})
    assert e.value.code == 78
    assert "the config check" in e.value.log and says in e.value.log


def test_warnings_are_logged_and_do_not_stop_the_start():
    with daemon(json.dumps(dict(json.loads(config()), warnings=["leadd.conf:4: unwise"]))) as d:
        assert "config.warning leadd.conf:4: unwise" in d.log()


def test_a_role_that_cannot_start_stops_the_start_with_its_reason():
    with pytest.raises(StartFailed) as e:
        daemon(config(courier={"fail_open": "relay.password: no such file"}))
    assert e.value.code == 1
    line = [x for x in e.value.log.split("\n") if "start.failed" in x][0]
    assert "role=courier" in line and "relay.password: no such file" in line


def test_a_role_that_dies_at_start_stops_the_start_with_the_signal():
    with pytest.raises(StartFailed) as e:
        daemon(config(parser={"die_at_start": True}))
    assert e.value.code == 1
    assert re.search(r"start\.failed role=parser tries=3 error=\"it ended .*signal 9", e.value.log)


def test_a_taken_address_stops_the_start():
    with socket.create_server(("127.0.0.1", 0)) as s:
        address = "127.0.0.1:%d" % s.getsockname()[1]
        with pytest.raises(StartFailed) as e:
            daemon(config(supervisor={"listen": {"web-in": address}}))
    assert e.value.code == 1 and address in e.value.log and "in use" in e.value.log


def test_two_daemons_never_share_a_store():
    with daemon() as d:
        with pytest.raises(StartFailed) as e:
            daemon(dir=d.dir)
        assert e.value.code == 1
        assert "another leadd (pid %d)" % d.proc.pid in e.value.log
        assert d.ctl("peers")  # the first still has its socket
        assert os.path.exists(d.run + "/leadd.pid")


def test_a_start_after_a_crash_takes_over_the_sockets():
    with daemon() as d:
        d.crash()
        d.start()
        assert d.ctl("peers")


def test_no_process_has_the_name_of_one_of_another_run():
    """Pids and counts come again; rows that a dead courier claimed carry its name."""
    def marks(d):
        return {p["gen"].rsplit(".", 1)[1] for p in greeted(d, *ROLES[1:])["peers"]}
    with daemon() as d:
        first = marks(d)
        d.crash()
        d.start()
        second = marks(d)
        assert len(first) == len(second) == 1 and not first & second


def test_the_engine_gets_the_pretended_time():
    with daemon(env={"LEADD_TEST_NOW": "2026-03-01T10:00:00Z"}) as d:
        assert d.ctl("config")["pretend_ms"] == 1772359200000


# ---- what a role inherits ----

def sockets(pid):
    found = {}
    for fd in os.listdir("/proc/%d/fd" % pid):
        try:
            found[int(fd)] = os.readlink("/proc/%d/fd/%s" % (pid, fd))
        except FileNotFoundError:
            pass
    return found


def test_a_role_holds_nothing_of_the_others():
    with daemon() as d:
        greeted(d, *ROLES[1:])
        pids = d.roles()
        ours = {v for v in sockets(d.proc.pid).values() if v.startswith(("socket:", "pipe:"))}
        ours -= {sockets(d.proc.pid)[2]}
        seen = {}
        for name, pid in pids.items():
            fds = sockets(pid)
            assert fds[0] == "/dev/null"
            assert fds[3].startswith("socket:")
            files = [v for n, v in fds.items() if n > 2 and v.startswith("/")]
            assert files == [], "an open file in " + name
            socks = {v for n, v in fds.items() if n > 2 and v.startswith(("socket:", "pipe:"))}
            shared = socks & ours
            assert len(shared) == {"engine": 2, "web-in": 1, "web-ui": 1}.get(name, 0), name
            for s in socks:
                assert s not in seen, "%s and %s share %s" % (name, seen[s], s)
                seen[s] = name


def test_a_role_is_executed_with_four_descriptors_and_a_clean_environment():
    """Seen at the moment of exec, before the role opens anything."""
    with daemon(env={"LEADD_TEST_SHOW_EXEC": "1", "SECRET_OF_THE_SHELL": "x",
                     "JOURNAL_STREAM": ""}) as d:
        lines = [x for x in d.lines if "exec.fds" in x]
        assert len(lines) == len(ROLES) + 1  # and the config check
        assert all(x.endswith('fds="0 1 2 3"') for x in lines), lines
        with open("/proc/%d/environ" % d.pid("parser"), "rb") as f:
            env = dict(x.split(b"=", 1) for x in f.read().rstrip(b"\0").split(b"\0"))
        assert env[b"TZ"] == b"UTC" and env[b"LANG"] == b"C.UTF-8"
        assert b"SECRET_OF_THE_SHELL" not in env and b"NOTIFY_SOCKET" not in env
        assert b"HOME" not in env


def test_privileges_are_dropped_before_work():
    if os.geteuid() != 0:
        pytest.skip("needs root")
    user = "leadd-test"
    made = subprocess.run(["useradd", "--system", "--no-create-home", user]).returncode == 0
    try:
        with daemon(config(parser={"run_as": user}, engine={"run_as": user},
                           supervisor={"engine_user": user})) as d:
            uid = pwd.getpwnam(user).pw_uid
            for name in ("parser", "engine"):
                with open("/proc/%d/status" % d.pid(name)) as f:
                    status = dict(x.rstrip("\n").split(":\t", 1) for x in f if ":\t" in x)
                assert status["Uid"].split() == [str(uid)] * 4
                assert status["Gid"].split() == [str(pwd.getpwnam(user).pw_gid)] * 4
                assert status["NoNewPrivs"] == "1"
                assert status["CapEff"] == "0" * 16
            assert processes(d)["parser"]["user"] == user
            assert processes(d)["parser"]["dropped"]
            assert os.stat(d.state).st_uid == uid
            greeted(d, *ROLES[1:])
            parser = d.pid("parser")
            d.crash()  # the kernel forgets the death signal when the user changes
            assert not alive(parser)
    finally:
        if made:
            subprocess.run(["userdel", user])


def test_a_missing_user_is_named():
    if os.geteuid() != 0:
        pytest.skip("needs root")
    with pytest.raises(StartFailed) as e:
        daemon(config(web_in={"run_as": "leadd-nobody"}))
    assert 'no user \\"leadd-nobody' in e.value.log or 'no user "leadd-nobody"' in e.value.log


# ---- death ----

@pytest.mark.parametrize("role", ROLES)
def test_a_killed_role_is_replaced_and_paired_again(role):
    with daemon() as d:
        before = {p["name"]: p["gen"] for p in greeted(d, *ROLES[1:])["peers"]}
        others = {n: p for n, p in d.roles().items() if n != role}
        d.kill(role)
        data = greeted(d, *ROLES[1:])
        assert {n: p for n, p in d.roles().items() if n != role} == others
        assert processes(d)[role]["restarts"] == 1
        if role != "engine":
            assert data["gone"] == [before[role]]
            now = {p["name"]: p["gen"] for p in data["peers"]}
            assert now.pop(role) != before.pop(role) and now == before
        assert re.search("role.died role=%s .*signal 9" % role, d.log())


def test_connections_wait_while_their_role_is_replaced():
    with daemon() as d:
        old = d.kill("web-in", wait=False)
        answer = who_answers(d, "web-in")
        assert answer[0] == "web-in" and int(answer[1]) in (old, d.pid("web-in"))


def test_deaths_in_a_row_are_answered_with_growing_patience():
    with daemon() as d:
        for _ in range(4):
            d.kill("intake:a")
        waits = [int(x) for x in re.findall(r"role.restart role=intake:a .*in_ms=(\d+)", d.log())]
        assert waits == [100, 200, 400, 800]


def test_a_parser_is_back_within_a_second_however_often_it_died():
    with daemon() as d:
        for _ in range(6):
            d.kill("parser")
        waits = [int(x) for x in re.findall(r"role.restart role=parser .*in_ms=(\d+)", d.log())]
        assert max(waits) == 1000


def test_a_peer_that_the_engine_gives_up_is_replaced_at_once():
    with daemon() as d:
        greeted(d, "parser")
        d.ctl("tell", "parser", "hang")
        mark, old = d.mark(), d.pid("parser")
        d.ctl("replace", "parser")
        d.wait_log("role.ready role=parser", after=mark)
        assert d.pid("parser") != old
        assert "role.restart" not in d.log()
        greeted(d, "parser")


def test_only_the_engine_may_have_peers_replaced_and_never_itself():
    with daemon() as d:
        pids = d.roles()
        d.ctl("replace", "engine")
        d.ctl("replace", "nobody")
        assert d.ctl("peers") and d.roles() == pids


def test_what_only_the_engine_may_ask_is_refused_to_others():
    with daemon() as d:
        greeted(d, "courier")
        pids, mark = d.roles(), d.mark()
        d.ctl("tell", "courier", "usurp")
        for frame in ("RELOAD", "REPLACE_PEER"):
            d.wait_log('role.frame role=courier frame=%s error="not allowed' % frame, after=mark)
        assert d.roles() == pids and not any("RELOADING" in t for t in d.told)


@pytest.mark.parametrize("role", ["engine", "intake:b"])
def test_a_role_that_does_not_answer_is_killed_and_replaced(role):
    with daemon(env={"LEADD_TEST_PING_MS": "50", "LEADD_TEST_HANG_MS": "400"}) as d:
        greeted(d, *ROLES[1:])
        mark, old = d.mark(), d.pid(role)
        d.ctl("hang") if role == "engine" else d.ctl("tell", role, "hang")
        d.wait_log("role.kill role=%s pid=%d why=\"does not answer\"" % (role, old), after=mark)
        d.wait_log("role.ready role=%s" % role, after=mark)
        greeted(d, *ROLES[1:])


def test_a_role_that_talks_nonsense_is_replaced():
    with daemon() as d:
        greeted(d, "courier")
        mark = d.mark()
        d.ctl("tell", "courier", "garbage")
        d.wait_log("role.ready role=courier", after=mark)
        greeted(d, "courier")


def test_a_role_that_ends_by_itself_is_started_again():
    with daemon() as d:
        greeted(d, "courier")
        mark = d.mark()
        d.ctl("tell", "courier", "quit")
        d.wait_log('role.died role=courier .*how="exit 0"', after=mark)
        d.wait_log("role.ready role=courier", after=mark)


def test_no_role_outlives_the_supervisor():
    with daemon() as d:
        pids = list(d.roles().values())
        d.crash()
        assert not any(alive(p) for p in pids)


# ---- reload ----

def test_a_bad_config_changes_nothing():
    with daemon() as d:
        pids = d.roles()
        d.write("leadd.conf", json.dumps({"errors": ["leadd.conf:7: no such key", "b:1: c"]}))
        assert "reload.failed errors=2" in d.reload()
        assert "leadd.conf:7: no such key" in d.log()
        assert until(lambda: d.ctl("peers")["reloaded"])["errors"][1] == "b:1: c"
        with pytest.raises(CtlError) as e:
            d.ctl("reload")
        assert e.value.code == 1 and d.roles() == pids
        d.write("leadd.conf", config())
        assert d.ctl("reload")["restarted"] == []
        assert d.roles() == pids


@pytest.mark.parametrize("role", ["parser", "intake:a", "courier", "web-in"])
def test_reload_replaces_only_what_changed(role):
    with daemon() as d:
        before = d.roles()
        d.write("leadd.conf", config(**{role.replace(":", "__").replace("-", "_"): {"new": 1}}))
        answer = d.ctl("reload")
        after = d.roles()
        assert answer["ok"] and answer["restarted"] == [role]
        assert {n for n in before if before[n] != after[n]} == {role}
        greeted(d, *ROLES[1:])


def test_a_moved_line_replaces_the_engine_alone():
    def placed(line):
        at = {"at": "leadd.conf:%d" % line}
        return config(engine=at, intake__a=at, courier={"relays": [at]})
    with daemon(placed(3)) as d:
        before = d.roles()
        d.write("leadd.conf", placed(4))
        assert d.ctl("reload")["restarting"] == ["engine"]
        until(lambda: d.roles().get("engine") not in (None, before["engine"]))
        until(lambda: "READY=1" in d.told[1:])
        assert {n for n, p in d.roles().items() if before[n] != p} == {"engine"}
        greeted(d, *ROLES[1:])


def test_who_asked_hears_before_the_engine_is_replaced():
    with daemon() as d:
        old = d.pid("engine")
        d.write("leadd.conf", config(engine={"rules": 2}, parser={"x": 1}))
        answer = d.ctl("reload")
        assert answer["ok"] and answer["restarting"] == ["engine", "parser"]
        d.wait_log("role.ended role=engine pid=%d" % old)
        until(lambda: d.told.count("READY=1") == 2)
        assert d.ctl("config")["rules"] == 2
        greeted(d, *ROLES[1:])


def test_mailboxes_come_and_go():
    with daemon() as d:
        before = d.roles()
        d.write("leadd.conf", config(intake__a=None, intake__new={"x": 1}))
        answer = d.ctl("reload")
        assert answer["started"] == ["intake:new"] and answer["stopped"] == ["intake:a"]
        until(lambda: "intake:a" not in d.roles())
        assert {n: p for n, p in d.roles().items() if n != "intake:new"} == \
            {n: p for n, p in before.items() if n != "intake:a"}
        greeted(d, "intake:new")


def test_the_courier_drains_beside_its_successor():
    with daemon(config(courier={"drains": True})) as d:
        old = d.pid("courier")
        gen = {p["name"]: p["gen"] for p in greeted(d, "courier")["peers"]}["courier"]
        d.write("leadd.conf", config(courier={"drains": True, "relay": 2}))
        assert d.ctl("reload")["restarted"] == ["courier"]
        assert d.pid("courier") != old and alive(old)
        assert [p["state"] for p in d.ctl("processes")["processes"]
                if p["pid"] == old] == ["draining"]
        peers = d.ctl("peers")
        assert [p["name"] for p in peers["peers"]].count("courier") == 2 and peers["gone"] == []
        # the old one keeps its engine even when that is replaced meanwhile
        d.kill("engine")
        until(lambda: [p["name"] for p in d.ctl("peers")["peers"] if p["greeted"]]
              .count("courier") == 2)
        d.ctl("tell", "courier", "quit")
        until(lambda: gen in d.ctl("peers")["gone"])
        until(lambda: not alive(old))


def test_a_changed_address_is_bound_anew_and_the_old_one_closed():
    with daemon() as d:
        old_port, before = d.port("web-in"), d.roles()
        d.write("leadd.conf", config(supervisor={"listen": {"web-in": "[::1]:0",
                                                            "web-ui": "127.0.0.1:0"}}))
        assert d.ctl("reload")["restarted"] == ["web-in"]
        with socket.create_connection(("::1", d.port("web-in")), timeout=120) as s:
            assert s.makefile().readline().startswith("web-in")
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", old_port), timeout=20)
        assert d.roles()["web-ui"] == before["web-ui"]


def test_a_reload_that_cannot_bind_changes_nothing():
    with daemon() as d, socket.create_server(("127.0.0.1", 0)) as s:
        pids, port = d.roles(), d.port("web-in")
        d.write("leadd.conf", config(parser={"x": 1}, supervisor={"listen": {
            "web-in": "127.0.0.1:%d" % s.getsockname()[1], "web-ui": "127.0.0.1:0"}}))
        with pytest.raises(CtlError):
            d.ctl("reload")
        assert d.roles() == pids and d.port("web-in") == port
        assert who_answers(d, "web-in")[0] == "web-in"


def test_the_state_folder_cannot_change_while_running():
    with daemon() as d:
        d.write("leadd.conf", config(supervisor={"state_dir": "@DIR@/other"}))
        assert "reload.failed" in d.reload()
        assert "state_dir changed" in d.log() and "restart leadd" in d.log()


# ---- systemd ----

def test_systemd_hears_ready_reload_and_stop():
    with daemon() as d:
        d.write("leadd.conf", config(parser={"x": 1}))
        d.reload()
        until(lambda: d.told.count("READY=1") == 2, why="the end of the reload")
        assert d.stop() == 0
        kinds = [t for t in d.told if not t.startswith(("STATUS=", "WATCHDOG="))]
        assert kinds[0] == "READY=1"
        assert re.match(r"RELOADING=1\nMONOTONIC_USEC=\d+\n", kinds[1])
        assert kinds[2:] == ["READY=1", "STOPPING=1"]
        assert "STATUS=7 roles running" in d.told


def test_the_watchdog_is_fed_only_while_the_engine_answers():
    with daemon(env={"WATCHDOG_USEC": "200000", "LEADD_TEST_HANG_MS": "1000000"}) as d:
        d.wait_told("WATCHDOG=1", after=len(d.told))
        os.kill(d.pid("engine"), signal.SIGSTOP)
        # 3 pings later it falls silent: then no message comes while others go on
        until(lambda: quiet(d, 0.6), why="silence")
        os.kill(d.pid("engine"), signal.SIGCONT)
        d.wait_told("WATCHDOG=1", after=len(d.told))


def quiet(d, seconds):
    seen = len(d.told)
    try:
        d.wait_told("WATCHDOG=1", after=seen, timeout=seconds)
        return False
    except TimeoutError:
        return True


def test_an_abstract_notify_socket_works():
    name = "\0leadd-test-%d" % os.getpid()
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as s:
        s.bind(name)
        s.settimeout(120)
        with daemon(start=False) as d:
            os.environ["NOTIFY_SOCKET"] = "@" + name[1:]
            p = subprocess.Popen([FAKE, "-c", d.conf_path], stderr=subprocess.DEVNULL)
            try:
                while s.recv(4096) != b"READY=1":
                    pass
            finally:
                p.terminate()
                assert p.wait(120) == 0
                del os.environ["NOTIFY_SOCKET"]


# ---- end ----

def test_the_end_goes_from_the_outside_in():
    with daemon() as d:
        mark = d.mark()
        assert d.stop() == 0
        ended = [m.group(1) for m in (re.search(r"role\.ended role=(\S+)", x)
                                      for x in d.lines[mark:]) if m]
        assert set(ended[:4]) == {"intake:a", "intake:b", "web-in", "web-ui"}
        assert ended[4:] == ["courier", "engine", "parser"]
        assert os.listdir(d.run) == []


def test_roles_that_do_not_stop_are_killed_in_time():
    with daemon() as d:
        greeted(d, *ROLES[1:])
        for name in ("intake:a", "parser"):
            d.ctl("tell", name, "hang")
        d.ctl("hang")
        assert d.stop(timeout=120) == 0
        assert d.log().count("did not stop in time") == 3


def test_a_second_signal_ends_at_once():
    with daemon() as d:
        greeted(d, *ROLES[1:])
        d.ctl("tell", "intake:a", "hang")
        pids, mark = list(d.roles().values()), d.mark()
        d.proc.terminate()
        d.wait_log("supervisor stop", after=mark)
        d.proc.terminate()
        assert d.proc.wait(120) == 1
        until(lambda: not any(alive(p) for p in pids))


def test_ctrl_c_ends_like_sigterm():
    with daemon() as d:
        assert d.stop(signal.SIGINT) == 0


# ---- the command line of the real leadd ----

def leadd(*argv):
    return subprocess.run([LEADD] + [str(a) for a in argv], capture_output=True, text=True,
                          timeout=120)


def test_check_prints_every_error_with_its_place(tmp_path):
    conf = tmp_path / "leadd.conf"
    conf.write_text('company = "x";\nadress = "crm@example.com";\ncurrency = 5;\n')
    r = leadd("-t", "-c", conf)
    assert r.returncode == 78 and r.stdout == ""
    lines = r.stderr.split("\n")
    assert any(x.startswith("%s:2: adress" % conf) for x in lines)
    assert any(x.startswith("%s:3: currency" % conf) for x in lines)
    assert any("default_owner" in x for x in lines)
    n = int(re.search(r"^(\d+) errors$", r.stderr, re.M).group(1))
    assert n == sum(x.startswith(str(conf)) for x in lines)


def test_check_accepts_the_shipped_example_and_tells_which_folders_are_to_be_made(tmp_path):
    conf = tmp_path / "leadd.conf"
    shutil.copytree(os.path.join(SRC, "rules"), tmp_path, dirs_exist_ok=True)
    conf.write_text(conf.read_text().replace("/var/spool/leadd/", "%s/spool/" % tmp_path))
    r = leadd("-t", "-c", conf)
    assert r.returncode == 0 and "configuration OK" in r.stdout
    assert [re.sub(r"^.*?leadd.conf:\d+: %s/spool/" % tmp_path, "", x) for x in r.stderr.splitlines()] == [
        "inbox: there is no Maildir: make it with its folders cur, new and tmp, for the user of intake",
        "outbox: the folder it is to be made in is not there"]
    os.makedirs(tmp_path / "spool" / "inbox" / "cur")
    r = leadd("-t", "-c", conf)
    assert (r.returncode, r.stderr) == (0, "")


def test_a_config_that_is_not_there_is_an_error():
    for argv in (["-t"], []):
        r = leadd(*argv, "-c", "/no/such/leadd.conf")
        assert r.returncode == 78 and "/no/such/leadd.conf" in r.stderr


@pytest.mark.parametrize("argv", [["-x"], ["extra"], ["--pretend-time", "soon"],
                                  ["-R", "no-such-role"]])
def test_wrong_usage_of_leadd_is_64(argv):
    assert leadd(*argv).returncode == 64


def test_version_and_help():
    assert leadd("-V").stdout.startswith("leadd ")
    assert "--pretend-time" in leadd("--help").stdout
