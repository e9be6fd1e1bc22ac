# SPDX-License-Identifier: ISC
"""Many at once in one sequence, for a month in six zones over the days on which clocks
change: forms begin it, answers, opt-outs and commands end it, the courier delivers. What
left, to whom and when equals the model; each mail left inside its window, and none after
what ended its sequence.

    LEADD_SIM_ENROLMENTS=10000   how many (default 150)
    LEADD_SIM_SEED=N             of a run that failed
"""
import collections
import json
import os
import random
import socket
import sqlite3
import time

from sequence_model import SEQUENCE, TEMPLATES, ZONES, expected, opens
from sim import DAY, MINUTE, SEED, Sim, company, iso
from test_sequence_time import END, START

import roles  # found beside company

MANY = int(os.environ.get("LEADD_SIM_ENROLMENTS", "150"))
LANES = 16
SLOT = 30 * MINUTE

RULES = """
lang = 1;
rules : { rest : { on = "lead.created"; do = [ "assign tom", "sequence month" ]; }; };
""" + SEQUENCE
COMMANDS = {"score": "set lead.score %d", "optout": "optout", "call": "call spoke", "stop": "sequence stop month"}


class Lanes:
    """Several sockets that are asked side by side, as many people would."""

    def __init__(self, path, type_, answer):
        self.type, self.answer = type_, answer
        self.all = []
        for _ in range(LANES):
            s = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            s.connect(path)
            self.all.append(roles.Channel(s))

    def ask(self, frames):
        """(json, raw) each; the answers."""
        answers = []
        for at in range(0, len(frames), LANES):
            some = frames[at:at + LANES]
            for lane, (obj, raw) in zip(self.all, some):
                lane.send(self.type, 1, obj, raw)
            answers += [lane.recv(self.answer).json for lane, _ in zip(self.all, some)]
        return answers

    def close(self):
        for lane in self.all:
            lane.close()


def post(port, bodies):
    """The same of posts to the form."""
    for at in range(0, len(bodies), LANES):
        some = bodies[at:at + LANES]
        lanes = [socket.create_connection(("127.0.0.1", port)) for _ in some]
        for s, body in zip(lanes, some):
            s.sendall(b"POST /form/signup HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
                      b"Connection: close\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))
        for s in lanes:
            with s, s.makefile("rb") as f:
                got = f.read()
            assert got.startswith(b"HTTP/1.1 200"), got


def story(r, n):
    """Who begins when and what happens to him: begun at full half hours, as the steps are
    due then, and struck in between, so that nothing happens at the very same time."""
    records = []
    for _ in range(n):
        began = START + r.randrange(0, 20 * DAY) // SLOT * SLOT
        events = []
        for _ in range(r.randrange(0, 4)):
            at = began + r.randrange(0, 14 * DAY) // SLOT * SLOT + 7 * MINUTE
            if all(at != e[0] for e in events):
                events.append((at, r.choice(("score", "score", "score", "score", "reply", "optout", "call", "stop")),
                               r.choice((10, 30, 55, 75, 95))))
        events.sort()
        ends = [i for i, e in enumerate(events) if e[1] != "score" or e[2] > 90]
        records.append((began, r.choice(ZONES), events[:ends[0] + 1] if ends else events))
    return sorted(records)


def address(record):
    return "p%d@shop%d.example" % (record, record)


def live(d, records):
    turns = collections.defaultdict(list)
    for i, (began, zone, events) in enumerate(records, 1):
        turns[began].append((i, "begin", zone))
        for at, kind, value in events:
            turns[at].append((i, kind, value))
    store = sqlite3.connect("file:%s/state/leadd.db?mode=ro" % d.dir, uri=True)
    leads = {}

    def look(record):
        """Its lead; read from the store, since a form's answer does not tell."""
        if address(record) not in leads:
            leads.update((to, "L%d" % i) for i, to in store.execute(
                "SELECT l.id, a.value FROM lead l JOIN address a ON a.contact_id = l.contact_id"
                " WHERE l.id > ?", (len(leads),)))
        return leads[address(record)]

    ctl = Lanes(d.dir + "/run/ctl.sock", "CTL", "CTL_DONE")
    mail = Lanes(d.dir + "/run/ingest.sock", "MAIL", "RECEIPT")
    port = d.port()

    def go(to):
        if to > d.now:
            answer, = ctl.ask([({"argv": ["clock", "advance", "%dms" % (to - d.now)]}, b"")])
            assert answer["exit"] == 0 and answer["data"]["now"].startswith(iso(to)[:-1]), (answer, iso(to))
            d.now = to

    for at in sorted(turns):
        go(at)
        post(port, [json.dumps({"email": address(i), "name": "P", "zone": value}).encode()
                          for i, kind, value in turns[at] if kind == "begin"])
        mail.ask([(None, company.mail(address(i), subject="Re: one", text="Yes.\n",
                                      when=at // 1000))
                  for i, kind, _ in turns[at] if kind == "reply"])
        lines = [(kind, value, i) for i, kind, value in turns[at] if kind in COMMANDS]
        answers = ctl.ask([({"argv": ["do", look(i)] + (COMMANDS[kind] % value if kind == "score"
                                                           else COMMANDS[kind]).split()}, b"")
                           for kind, value, i in lines])
        for answer, line in zip(answers, lines):  # it may be over already
            assert answer["exit"] == 0 or line[0] == "stop", (answer, line)
    go(END)
    for lanes in (ctl, mail, store):
        lanes.close()


def sent(d):
    """{address: [(template, when it was made, when the relay had it)]}"""
    d.ctl("backup", d.dir + "/copy.db")
    db = sqlite3.connect(d.dir + "/copy.db")
    assert db.execute("SELECT count(*) FROM outbox WHERE state <> 'sent'").fetchone()[0] == 0
    got = collections.defaultdict(list)
    for to, name, made, done in db.execute("SELECT to_addr, template, created_ms, done_ms FROM outbox"
                                           " WHERE class = 'follow_up' ORDER BY id"):
        got[to].append((name, made, done))
    db.close()
    return got


def cpu(d):
    """Seconds of each process that there is now."""
    used = {}
    for role, pid in d.roles().items():
        with open("/proc/%d/stat" % pid) as f:
            used[role] = sum(map(int, f.read().rsplit(") ", 1)[1].split()[11:13])) / os.sysconf("SC_CLK_TCK")
    return used


def test_a_month_of_many_enrolments_equals_an_independent_computation():
    records = story(random.Random(SEED), MANY)
    conf = company.conf().replace('phone = "contact.phone";', 'phone = "contact.phone"; zone = "contact.time_zone";')
    conf = conf.replace("  contact : {", "  signup : {")
    with Sim(START, RULES, TEMPLATES, conf=conf) as d:
        began = time.monotonic()
        live(d, records)
        took, used = time.monotonic() - began, cpu(d)
        got = sent(d)
    for i, record in enumerate(records, 1):
        mails, over = got.get(address(i), []), [e[0] for e in record[2] if e[1] != "score"]
        assert [(name, made) for name, made, _ in mails] == expected(record, END), (SEED, i, record)
        for _, made, done in mails:
            assert opens(done, record[1]) == done and made <= done, (SEED, i, record, done)
            assert not over or done < over[0], (SEED, i, record, done)
    count = sum(map(len, got.values()))
    print("seed %d: %d enrolments, %d mails: %.1f s, %.1f s of CPU (%s)"
          % (SEED, MANY, count, took, sum(used.values()),
             ", ".join("%s %.1f" % u for u in sorted(used.items()))))
    assert count > MANY
