# SPDX-License-Identifier: ISC
"""Reload while forms and mails come in and follow-ups leave: nobody notices.

Environment: LEADD_RELOADS, how many (default 21; a release is checked with 100).
"""
import collections
import concurrent.futures
import os
import re
import signal
import threading

import pytest

import company
from daemon import CtlError, Daemon, alive, children, until
from imappeer import ImapPeer
from load import Load, held, leads, outbox
from peers import SmtpPeer, hold

RELOADS = int(os.environ.get("LEADD_RELOADS", "21"))


class Config:
    """A config file that changes in one place at a time."""

    def __init__(self, port):
        self.port, self.tag, self.poll, self.connections = port, 0, 1, 4
        self.second, self.field = False, False

    def rules(self):
        return company.RULES.replace('do = "send welcome"',
                                     'do = [ "tag r%d", "send welcome" ]' % self.tag)

    def text(self):
        boxes = company.MAILDIR_IN.replace('"1s"', '"%ds"' % self.poll)
        if self.second:
            boxes += 'second : { type = "maildir"; path = "@DIR@/second"; start = "all"; };'
        relay = company.smtp(self.port, connections=self.connections)
        text = company.conf(boxes, relay)
        if self.field:
            text = text.replace('employees = "lead.employees"',
                                'employees = "lead.employees"; staff = "lead.employees"')
        return text

    def change(self, n):
        """One of the changes a sysadmin makes; returns whether it is to be accepted."""
        kind = n % 7
        if kind == 0:
            self.tag += 1
        elif kind == 1:
            self.connections = 7 - self.connections
        elif kind == 2:
            self.field = not self.field
        elif kind == 3:
            self.poll = 3 - self.poll
        elif kind == 4:
            self.second = not self.second
        return kind != 6

    def write(self, d, good):
        d.write("rules.d/10-rules.conf", self.rules() if good else "rules : { broken")
        d.write("leadd.conf", self.text())


def reload(d, n):
    """By signal and by leadctl in turn; True when it was accepted."""
    if n % 2:
        return "reload.done" in d.reload()
    try:
        d.ctl("reload")
        return True
    except CtlError as e:
        assert e.code == 78, e
        return False


def settled(d):
    """No row on its way."""
    states = collections.Counter()
    for (_, state), n in outbox(d).items():
        states[state] += n
    return None if set(states) & {"ready", "claimed", "deferred"} else states


def reloaded(d, config, load):
    """RELOADS times; says what was accepted and refused."""
    accepted = refused = 0
    for n in range(RELOADS):
        good = config.change(n)
        config.write(d, good)
        assert reload(d, n) == good
        accepted, refused = accepted + good, refused + (not good)
        seen = len(load.accepted)
        until(lambda: len(load.accepted) > seen or load.refused or load.torn,
              why="a form between two reloads")
    return accepted, refused


def test_reloads_under_load_are_noticed_by_nobody():
    with SmtpPeer() as sink:
        config = Config(sink.port)
        with Daemon(config.text(), company.files(config.rules(), **{
                "second/%s/.keep" % sub: "" for sub in ("new", "cur", "tmp")})) as d:
            names = {n: d.pid(n) for n in d.roles()}
            before = held(d)
            load = Load(d, 8, pause=0.005).start().mails("inbox")
            try:
                accepted, refused = reloaded(d, config, load)
            finally:
                load.stop()
            assert not load.torn and not load.refused, (load.torn[:5], load.refused[:5])
            until(lambda: sum(leads(d).values()) >= len(load.accepted) + len(load.mailed),
                  why="all leads")
            load.check(leads(d))
            states = until(lambda: settled(d), why="a settled outbox")
            assert set(states) == {"sent"}, states
            arrived = collections.Counter(m.recipient for m in sink.mails)
            notices = arrived.pop("mia@example.com", 0)  # of the refused configs
            assert set(arrived.values()) == {1} and len(arrived) + notices == states["sent"]
            assert not re.search(r"role\.(died|kill)", d.log())
            assert set(arrived) == set(load.accepted) | set(load.mailed)
            print("%d reloads accepted, %d refused; %d forms, %d mails, %d follow-ups; form p50 "
                  "%.1f ms, p99 %.1f ms" % (accepted, refused, len(load.accepted),
                                            len(load.mailed), len(arrived),
                                            load.percentile(50), load.percentile(99)))
            nothing_is_left_over(d, names, before)


def nothing_is_left_over(d, names, before):
    """Old processes end; the supervisor holds what it held."""
    d.reload()
    expect = set(names) | ({"intake:second"} & set(d.roles()))
    until(lambda: len(children(d.proc.pid)) == len(expect), why="the end of drained processes")
    assert set(d.roles()) == expect
    after = held(d)
    print("held before", before, "after", after)
    assert after["supervisor"][1] <= before["supervisor"][1] + len(expect) - len(names) + 1


# ---- many at once --------------------------------------------------------------------

def daemon(config):
    return Daemon(config.text(), company.files(config.rules()))


def in_force(d, config, form):
    """A new lead gets the tag of the rules that were written last."""
    email = "tag%d-%d@form.example" % (config.tag, form)
    load = Load(d, 0)
    status, _ = load.one(email)
    assert status == 200
    (lead,) = [r["id"] for r in d.ctl("list", "leads", "limit=10000")["rows"]
               if email in str(r)]
    return "r%d" % config.tag in str(d.ctl("show", lead))


def test_a_thousand_signals_in_a_second_are_few_reloads_and_the_last_file_counts():
    with SmtpPeer() as sink:
        config = Config(sink.port)
        with daemon(config) as d:
            load = Load(d, 4, pause=0.01).start()
            for n in range(1000):
                if n % 100 == 0:
                    config.tag += 1
                    config.write(d, True)
                d.proc.send_signal(signal.SIGHUP)
            until(lambda: in_force(d, config, len(load.accepted)), why="the last rules")
            load.stop()
            assert not load.torn and not load.refused, (load.torn[:5], load.refused[:5])
            load.check(collections.Counter({a: n for a, n in leads(d).items()
                                            if not a.startswith("tag")}))
            assert 1 <= d.log().count("reload.done") < 200
            assert not re.search(r"role\.(died|kill)", d.log())
            assert d.stop() == 0


def test_all_who_ask_at_once_are_answered_and_get_what_they_wrote():
    with SmtpPeer() as sink:
        config = Config(sink.port)
        with daemon(config) as d, concurrent.futures.ThreadPoolExecutor(12) as pool:
            for n in range(3):
                config.change(n)  # the engine, which they ask through, goes in the middle
                config.write(d, True)
                answers = list(pool.map(lambda _: d.leadctl("reload"), range(12)))
                assert {a.returncode for a in answers} == {0}, answers
                assert in_force(d, config, n)


def test_commands_and_piped_mails_in_the_middle_of_reloads_are_all_carried_out_once():
    with SmtpPeer() as sink:
        config = Config(sink.port)
        with daemon(config) as d, concurrent.futures.ThreadPoolExecutor(3) as pool:
            Load(d, 0).one("noted@form.example")
            over, count = threading.Event(), [0, 0, 0]

            def work(kind):
                while not over.is_set():
                    n = count[kind]
                    if kind == 0:
                        assert d.ctl("do", "L1", "note", "number %d." % n)
                    elif kind == 1:
                        assert d.ctl("list", "leads")["rows"]
                    else:
                        d.ingest(company.mail(sender="p%d@pipe.example" % n))
                    count[kind] += 1
            jobs = [pool.submit(work, kind) for kind in range(3)]
            for _ in range(15):
                config.tag += 1
                config.write(d, True)
                d.ctl("reload")
            over.set()
            for job in jobs:
                job.result()  # CtlError here is a command that was turned away
            assert min(count) >= 3, count
            notes = re.findall(r"number (\d+)\.", str(d.ctl("timeline", "L1", "limit=10000")))
            assert sorted(map(int, notes)) == list(range(count[0]))
            found = leads(d)
            assert all(found["p%d@pipe.example" % n] == 1 for n in range(count[2]))


def test_a_file_that_changes_while_it_is_read_is_taken_whole_or_not_at_all():
    with SmtpPeer() as sink:
        config = Config(sink.port)
        with daemon(config) as d:
            over = threading.Event()

            def scribble():
                while not over.is_set():
                    config.tag += 1
                    text = config.rules()
                    for end in (10, len(text) // 2, len(text) - 5, len(text)):
                        d.write("rules.d/10-rules.conf", text[:end])
            writer = threading.Thread(target=scribble)
            load = Load(d, 2, pause=0.01).start()
            writer.start()
            outcomes = collections.Counter(d.reload().split()[0] for _ in range(30))
            over.set()
            writer.join()
            assert "reload.done" in d.reload(), outcomes
            load.stop()
            assert not load.torn and not load.refused, (load.torn[:5], load.refused[:5])
            until(lambda: in_force(d, config, 1), why="the last rules")


def test_every_error_of_a_reload_is_one_line_of_the_log():
    with SmtpPeer() as sink:
        config = Config(sink.port)
        with daemon(config) as d:
            d.write("rules.d/10-rules.conf", config.rules().replace("employees >=", "employes >="))
            mark = d.mark()
            assert "reload.failed errors=1" in d.reload()
            (line,) = [x for x in d.lines[mark:] if "reload.error" in x]
            assert "employes" in line and "\\x0a" not in line and "^" not in line
            answer = d.leadctl("reload")  # who asks sees the place, too
            assert answer.returncode == 78 and b"^" in answer.stdout + answer.stderr


# ---- in the middle of something ---------------------------------------------------------

@pytest.mark.parametrize("moment", ["reload.done", r"role\.ended role=engine",
                                    "role.ready role=engine", None])
def test_told_to_end_in_the_middle_of_a_reload(moment):
    with SmtpPeer() as sink:
        config = Config(sink.port)
        with daemon(config) as d:
            load = Load(d, 2, pause=0.01).start()
            pids, mark, told = list(d.roles().values()), d.mark(), len(d.told)
            config.change(0)
            config.change(1)
            config.write(d, True)
            d.proc.send_signal(signal.SIGHUP)
            if moment:
                d.wait_log(moment, after=mark)
            else:
                d.wait_told("RELOADING=1", after=told)
            pids += list(d.roles().values())
            assert d.stop() == 0
            load.over.set()
            load.stop()
            until(lambda: not any(alive(p) for p in pids), why="the end of all")
            told = [t for t in d.told if not t.startswith("STATUS")]
            assert told[-1] == "STOPPING=1", told
            load.check(leads(d))


def test_a_courier_that_drains_a_slow_mail_is_not_disturbed_and_disturbs_nobody():
    gate = threading.Event()
    with SmtpPeer([{"dot": hold(gate)}]) as sink:
        config = Config(sink.port)
        with daemon(config) as d:
            load = Load(d, 0)
            load.one("slow@form.example")
            sink.wait(lambda: sink.count("dot") == 1)
            first = d.pid("courier")
            for n in range(5):  # the courier, the engine, and both
                config.change(n % 2)
                config.write(d, True)
                d.ctl("reload")
                load.one("quick%d@form.example" % n)
                sink.wait(lambda: len(sink.mails) == n + 1)
            assert alive(first) and d.pid("courier") != first
            assert outbox(d)["slow@form.example", "claimed"] == 1
            gate.set()
            until(lambda: set(settled(d) or ()) == {"sent"}, why="all sent")
            until(lambda: not alive(first), why="the end of the drained courier")
            assert collections.Counter(m.recipient for m in sink.mails)["slow@form.example"] == 1


def test_an_intake_may_be_replaced_in_the_middle_of_a_fetch():
    gate, count = threading.Event(), 40
    mails = {n: company.mail(sender="i%d@imap.example" % n).replace(b"\n", b"\r\n")
             for n in range(1, count + 1)}
    with SmtpPeer() as sink, ImapPeer(mails) as server:
        server.default = {"uid_fetch": [lambda c, a: c.write(a), half(gate)]}

        def text(poll):
            box = server.mailbox()
            return company.conf(
                'sales : { type = "imap"; host = "127.0.0.1"; port = %d; tls = "none"; '
                'allow_plaintext = true; user = "sales"; password_file = "%s"; start = "all"; '
                'poll = "%ds"; };' % (server.port, box["password_file"], poll),
                company.smtp(sink.port))
        with Daemon(text(60), company.files()) as d:
            for poll in range(61, 66):
                server.wait(lambda: server.count("uid_fetch") >= 2 * server.sessions)
                d.write("leadd.conf", text(poll))
                assert "intake:sales" in d.ctl("reload")["reload"]["restarting"]
            gate.set()
            until(lambda: len(leads(d)) == count, why="all leads")
            assert set(leads(d).values()) == {1}
            assert not re.search(r"role\.(died|kill)", d.log())


def half(gate):
    """Half of the answer until the gate opens."""
    def act(conn, answer):
        conn.write(answer[:len(answer) // 2])
        while not gate.wait(0.02):
            conn.check()
        conn.write(answer[len(answer) // 2:])
    return act
