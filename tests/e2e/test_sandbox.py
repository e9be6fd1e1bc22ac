# SPDX-License-Identifier: ISC
"""Who may what: each role tries what somebody who has taken it over would try.

The attempts are in daemon/base/try.c (test builds). WHO below is section 2 of
the design as a table; it is compared with what the kernel answered, as own users
and, with run_as = "self", as one user for all, where the sandbox alone holds."""
import os
import pwd
import re
import signal
import socket
import shutil
import subprocess
import tempfile

import pytest

import company
from daemon import Daemon, until
from roles import BUILD, Role

KINDS = ("parser", "engine", "intake", "courier", "web-in", "web-ui")
FILES = ("secret of intake", "secret of courier", "key", "database", "config", "passwd", "process",
         "inbox", "outbox", "resolver")
WRITES = ("tmp", "state", "database", "config", "inbox", "outbox")
# What each may read, and write; all else is refused.
READ = {"engine": {"key", "database", "passwd"}, "intake": {"inbox", "resolver"},
        "courier": {"outbox", "resolver"}}
WRITE = {"engine": {"state", "database"}, "intake": {"inbox"}, "courier": {"outbox"}}
# Calls that any honest library may try fail; what nobody does honestly ends the process.
REFUSED = ("bind:%(port)d", "socket:packet", "fork", "setuid", "kill:%(other)d", "type:x")
ENDS = ("exec:/bin/true", "peek", "mount:/mnt", "keyring", "uring")


def sanitized():
    with open(os.path.join(BUILD, "Makefile"), encoding="utf-8") as f:
        return "-DLEADD_SANITIZE" in f.read()


def hooks():
    with open(os.path.join(BUILD, "config.h"), encoding="utf-8") as f:
        return "#define LEADD_TEST_HOOKS 1" in f.read()


pytestmark = pytest.mark.skipif(not hooks(), reason="needs --enable-test-hooks")


@pytest.fixture(params=["own users", "self"])
def users(request):
    """{kind: user} or None; users of this run alone."""
    if request.param == "self":
        yield None
        return
    if os.geteuid() != 0:
        pytest.skip("needs root")
    made = {k: "ltry%d-%s" % (os.getpid() % 100000, k) for k in KINDS}
    for user in made.values():
        subprocess.run(["useradd", "--system", "--user-group", "--no-create-home", user],
                       check=True)
    yield made
    for user in made.values():
        subprocess.run(["userdel", user], check=True)


@pytest.fixture
def top():
    """A folder that every user may walk through; pytest's own are closed."""
    path = tempfile.mkdtemp(prefix="leadd-", dir="/tmp")
    yield path
    shutil.rmtree(path)


class House:
    """The files of a company, each owned as an installation would have it."""

    def __init__(self, top, users):
        self.top, self.users = top, users
        os.chmod(self.top, 0o755)
        self.path = {"passwd": "/etc/passwd", "process": "/proc/%d/environ" % os.getpid(),
                     "resolver": "/etc/hosts", "tmp": "/tmp/leadd-try-%d" % os.getpid()}
        self.file("secret of intake", "secrets/intake", 0o600, None)
        self.file("secret of courier", "secrets/courier", 0o600, None)
        self.file("config", "leadd.conf", 0o644, None)
        self.file("key", "state/secret.key", 0o600, "engine", 32 * "k")
        self.file("database", "state/leadd.db", 0o600, "engine", "")
        self.path["state"] = self.top + "/state/new"
        for box, kind in (("inbox", "intake"), ("outbox", "courier")):
            self.file(box, box + "/new/mail", 0o600, kind)
            for sub in ("tmp", "new", "cur"):
                os.makedirs(self.top + "/" + box + "/" + sub, exist_ok=True)
                self.give(self.top + "/" + box + "/" + sub, kind)

    def give(self, path, kind):
        if self.users and kind:
            who = pwd.getpwnam(self.users[kind])
            os.chown(path, who.pw_uid, who.pw_gid)

    def file(self, name, path, mode, kind, text="x"):
        path = self.path[name] = os.path.join(self.top, path)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as f:
            f.write(text)
        os.chmod(path, mode)
        self.give(path, kind)
        self.give(os.path.dirname(path), kind)

    def mailbox(self, port):
        if port == 1:
            return {"type": "maildir", "path": self.top + "/inbox", "poll": 60000, "start": "all",
                    "after": "keep"}
        return {"type": "imap", "host": "127.0.0.1", "port": port, "tls": "none", "user": "x",
                "allow_plaintext": True, "password_file": self.path["secret of intake"]}

    def config(self, kind, port):
        c = {"run_as": self.users[kind]} if self.users else {}
        if kind == "engine":
            c.update({"settings": {"company": "x", "domain": "example.com", "default_owner": "mia",
                                   "address": "a@example.com", "state_dir": self.top + "/state",
                                   "time_zone": "UTC", "currency": "EUR", "default_country": "AT"},
                      "store": {"path": self.top + "/state/leadd.db"},
                      "users": {"mia": {"name": "Mia", "email": "mia@example.com",
                                        "role": "admin", "addresses": [], "at": "x:1"}},
                      "fields": {}, "stages": ["new"], "rules": [], "templates": {}, "tables": {},
                      "pools": {}, "teams": {}, "forms": {}, "mailboxes": {}, "relays": []})
        if kind == "intake":
            c["mailbox"] = self.mailbox(port)
        if kind == "courier":
            c["relays"] = [{"name": "box", "type": "maildir", "path": self.top + "/outbox"},
                           {"name": "main", "type": "smtp", "host": "127.0.0.1", "port": port,
                            "tls": "none"}]
        return c


def role_name(kind):
    return "intake:sales" if kind == "intake" else kind


def tries(house, kind, what, port=1):
    """{what: answer of the kernel}, and how the process ended: None, or a signal."""
    env = {"LEADD_TRY": ";".join(what)}
    log = os.path.join(house.top, "log-" + kind)
    with open(log, "wb") as f:
        saved = os.dup(2)
        os.dup2(f.fileno(), 2)  # the role's stderr
        try:
            role = Role(role_name(kind), house.config(kind, port), env=env)
        finally:
            os.dup2(saved, 2)
            os.close(saved)
    with role:
        engine = role.peer("engine") if kind != "engine" else None
        ready = role.start().json
        assert "error" not in ready, ready

        def text():
            with open(log, encoding="utf-8", errors="replace") as found:
                return found.read()
        until(lambda: "what=done" in text() or role.proc.poll() is not None)
        if engine:
            engine.close()
        got = dict(re.findall(r'sandbox.try what="([^"]+)" got=(\w+)', text()))
        return got, -role.proc.returncode if role.proc.poll() is not None else None, ready


def expected(kind, table, name):
    return name in table.get(kind, ())


@pytest.mark.parametrize("kind", KINDS)
def test_a_role_reads_and_writes_only_what_the_design_gives_it(kind, users, top):
    house = House(top, users)
    what = ["read:" + house.path[n] for n in FILES] + ["write:" + house.path[n] + ".w" for n in WRITES]
    got, ended, ready = tries(house, kind, what)
    if kind == "parser" and ended:
        pytest.fail("the parser ended: %s" % got)
    wrong = []
    for n in FILES:
        answer = got["read:" + house.path[n]]
        if (kind, n) == ("engine", "passwd"):
            continue  # it may, until somebody makes a user: then it is another file
        if (answer == "ok") != expected(kind, READ, n):
            wrong.append("read %s: %s" % (n, answer))
    for n in WRITES:
        answer = got["write:" + house.path[n] + ".w"]
        if (answer == "ok") != expected(kind, WRITE, n):
            wrong.append("write %s: %s" % (n, answer))
    assert wrong == []
    assert (ready["landlock"] > 0, ready["seccomp"], ready["no_new_privs"]) == (True, True, True)
    assert ready["dropped"] == bool(users)


@pytest.mark.parametrize("kind", KINDS)
def test_a_role_connects_only_where_it_must(kind, users, top):
    house = House(top, users)
    with socket.create_server(("127.0.0.1", 0)) as mine, \
            socket.create_server(("127.0.0.1", 0)) as other:
        port, strange = mine.getsockname()[1], other.getsockname()[1]
        what = ["connect:%d" % port, "connect:%d" % strange]
        got, ended, _ = tries(house, kind, what, port)
    if kind == "parser":
        assert (got, ended) == ({}, signal.SIGSYS)
        return
    assert got["connect:%d" % strange] != "ok"
    assert (got["connect:%d" % port] == "ok") == (kind in ("courier", "intake"))


@pytest.mark.parametrize("kind", KINDS)
def test_what_no_role_needs_is_refused(kind, users, top):
    house = House(top, users)
    fields = {"port": 18025, "other": os.getpid()}
    for one in [w % fields for w in REFUSED]:
        if one == "fork" and sanitized():
            continue  # the leak check is a process of its own
        got, ended, _ = tries(house, kind, [one])
        if kind == "parser":
            assert ended == signal.SIGSYS or got[one] != "ok", one
        else:
            assert (got[one] != "ok", ended) == (True, None), one


@pytest.mark.parametrize("kind", KINDS)
def test_what_only_an_intruder_does_ends_the_process(kind, top):
    house = House(top, None)
    ends = ENDS + (() if sanitized() else ("ptrace",))
    for one in ends:
        got, ended, _ = tries(house, kind, [one])
        assert (got, ended) == ({}, signal.SIGSYS), one
    if sanitized():  # the leak check traces: there the other processes are out of reach
        assert tries(house, kind, ["ptrace"])[0]["ptrace"] == "EPERM"


@pytest.mark.parametrize("kind", ("parser", "web-in", "web-ui"))
def test_who_loads_no_code_can_make_none(kind, top):
    if sanitized():
        pytest.skip("a sanitizer maps what it likes")
    got, ended, _ = tries(House(top, None), kind, ["code"])
    assert ended == signal.SIGSYS or got["code"] != "ok"


def processes(d):
    return {r["name"]: r for r in d.ctl("status")["sections"][0]["rows"]}


def test_status_says_what_holds_and_an_old_kernel_is_said_once():
    with Daemon(company.conf(), company.files()) as d:
        for name, row in processes(d).items():
            assert row["no_new_privs"] and row["seccomp"] and row["landlock"] > 0, name
        assert "LANDLOCK" in d.ctl_text("status", width=160) and "sandbox.lacks" not in d.log()
    env = {"LEADD_HOOKS": "sandbox.no_landlock,sandbox.no_seccomp"}
    with Daemon(company.conf(), company.files(), env=env) as d:
        company.deliver(d.dir + "/inbox", "one", company.mail())
        until(lambda: d.ctl("list", "leads")["rows"])
        for name, row in processes(d).items():
            assert (row["no_new_privs"], row["seccomp"], row["landlock"]) == (True, False, 0), name
            assert "Landlock" in row["lacks"] and "seccomp" in row["lacks"]
        assert d.log().count("sandbox.lacks") == 1


def test_what_was_put_in_place_later_is_used_by_a_new_process():
    with Daemon(company.conf(), company.files(), env={"LEADD_TEST_PING_MS": "300"}) as d:
        company.deliver(d.dir + "/inbox", "one", company.mail())
        until(lambda: len(d.ctl("list", "leads")["rows"]) == 1)
        os.rename(d.dir + "/inbox", d.dir + "/old")
        company.deliver(d.dir + "/inbox", "two", company.mail(sender="bob@shop.example"))
        d.wait_log("role.renew role=intake:inbox changed=.*/inbox")
        until(lambda: len(d.ctl("list", "leads")["rows"]) == 2)
