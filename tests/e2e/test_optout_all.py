# SPDX-License-Identifier: ISC
"""Nothing reaches an address after it opted out: every way of opting out against every way of sending, in
an order that chance makes, also while mail waits in the outbox and when the engine is killed in between.

LEADD_OPTOUT_SEED, LEADD_OPTOUT_CONTACTS: another course, a longer one."""
import os
import random

import company
from daemon import CtlError, until
from test_kinds import complaint, returned
from test_optout import Company, ends
from test_optout_page import FORM, ask, link

ALL, NEWS = "all", "news"
NAMES = ("plain", "news", "events")


class Person:
    def __init__(self, d, n):
        self.d, self.address, self.lead = d, "p%d@shop%d.example" % (n, n), "L%d" % n
        self.contact = "C%d" % n
        self.gone, self.had = set(), {}  # what was left, and the mails there were then

    def mails(self):
        return self.d.mails(self.address)

    def mail_of(self, list_id):
        found = [m for m in self.mails() if (m["List-Id"] or "").startswith(list_id)
                 and bool(m["List-Id"]) == bool(list_id)]
        return found[0] if found else None

    def left(self, what):
        if what not in self.gone:
            self.gone.add(what)
            self.had[what] = len([m for m in self.mails() if self.of(m, what)])

    @staticmethod
    def of(mail, what):
        return what == ALL or str(mail["List-Id"] or "") == "<%s.example.com>" % what

    def check(self):
        for what in self.gone:
            now = len([m for m in self.mails() if self.of(m, what)])
            assert now == self.had[what], "%s had left %s, and got %d more; %s" % (
                self.address, what, now - self.had[what], self.d.ledger(self.address))


# ---- every way out: what it ends, or None when it cannot be gone now -------------------------

def one_click(p):
    mail = p.mail_of("<news") or p.mail_of("")
    return mail and ask(p.d, link(mail), "POST", "List-Unsubscribe=One-Click", FORM)[0] == 200 and (
        NEWS if mail["List-Id"] else ALL)


def page(p):
    mail = p.mail_of("<news") or p.mail_of("")
    return mail and ask(p.d, link(mail), "POST", "_save=all+list.news+list.events&list.news=1&list.events=1", FORM)[0] == 200 and ALL


def mailto(p):
    mail = p.mail_of("<news") or p.mail_of("")
    if mail:
        ends(p.d, mail, sender="unsubscribe@provider.example")
        return NEWS if mail["List-Id"] else ALL
    return None


def in_words(p):
    p.d.ingest(company.mail(p.address, text="unsubscribe\n"))
    return ALL


def complains(p):
    mail = (p.mails() or [None])[0]
    if mail:
        raw = complaint("redacted@example.com", str(mail["Message-ID"]).strip())
        p.d.ingest(raw.replace(b".fbl@", b".%s.fbl@" % p.lead.encode()))
        return ALL
    return None


def comes_back(p):
    mail = (p.mails() or [None])[0]
    if mail:
        returned.n = getattr(returned, "n", 0) + 1
        p.d.ingest(returned(mail))
        return ALL
    return None


def by_phone(p):
    p.d.ctl("consent", "withdraw", p.address, "by", "phone")
    return ALL


def by_command(p):
    p.d.ctl("do", p.contact, "optout", "list:news")
    return NEWS


def by_import(p):
    p.d.ctl("suppression", "add", p.address)
    return ALL


WAYS_OUT = (one_click, page, mailto, in_words, complains, comes_back, by_phone, by_command, by_import)


# ---- every way of sending -------------------------------------------------------------------------

def command(p, r):
    p.d.ctl("do", p.lead, "send", r.choice(NAMES))


def command_to(p, r):
    p.d.ctl("do", p.lead, "send", r.choice(NAMES), "to", p.address)


def sequence(p, r):
    p.d.ctl("do", p.lead, "sequence", "course")


def rule(p, r):
    p.d.ctl("do", p.lead, "set", "lead.score", "+1")


def notify(p, r):
    p.d.ctl("do", p.lead, "notify", p.address, "using", "plain")


def retry(p, r):
    rows = [x for x in p.d.ctl("outbox", "list", "state=failed", "limit=200")["rows"] if x["to"] == p.address]
    if rows:
        p.d.ctl("outbox", "retry", str(rows[0]["id"]))


SENDS = (command, command_to, sequence, rule, notify, retry)


def try_to(what, *args):
    try:
        what(*args)
    except CtlError:
        pass  # refused is what is hoped for


def test_nothing_reaches_an_address_after_it_opted_out():
    seed = int(os.environ.get("LEADD_OPTOUT_SEED", "0")) or 20261122
    count = int(os.environ.get("LEADD_OPTOUT_CONTACTS", "0")) or 2 * len(WAYS_OUT)
    print("LEADD_OPTOUT_SEED=%d" % seed)
    r = random.Random(seed)
    used, ways = set(), {}

    def go(p):
        way = ways.pop(p, None)
        what = way and way(p)
        if what:
            p.left(what)
            used.add(way.__name__)

    with Company(settings='undo_window = "10m";', rules=RULE) as d:
        people = []
        for n in range(1, count + 1):
            d.ingest(company.mail("p%d@shop%d.example" % (n, n), name="P %d" % n))
            people.append(Person(d, n))
            ways[people[-1]] = WAYS_OUT[n % len(WAYS_OUT)]
        for p in people:  # something has left, something waits
            try_to(sequence, p, r)
            try_to(command, p, r)
        d.ctl("clock", "advance", "25h")
        for step in range(4 * count):
            p = r.choice(people)
            for send in r.sample(SENDS, 2):
                try_to(send, p, r)
            if r.random() < 0.6:
                go(p)
            if r.random() < 0.05:
                d.kill("engine")
                until(lambda: d.ctl("status"), why="the engine is back")
            if r.random() < 0.3:
                d.ctl("clock", "advance", r.choice(["1m", "11m", "3h", "26h"]))
        for p in people:
            go(p)
            for send in SENDS:
                try_to(send, p, r)
        d.ctl("clock", "advance", "10d")
        for p in people:
            p.check()
        assert used >= {w.__name__ for w in WAYS_OUT}, "not every way out was gone"
        stopped = [x for x in d.ctl("outbox", "list", "state=failed", "limit=1000")["rows"]
                   if "not sent: the address" in (x.get("reply") or "")]
        assert stopped, "nothing waited in the outbox when it was opted out of"


RULE = '''lang = 1;
rules : { rest : { on = "lead.created"; do = [ "assign tom"%s ]; };
          more : { on = "lead.changed"; when = "changed(lead.score)"; do = [ "send plain", "send news" ]; }; };
sequences : {
  course : { list = "news"; stop = [ "opted_out" ]; steps = ( { wait = "1d"; }, { email = "plain"; },
             { wait = "1d"; }, { email = "events"; }, { wait = "1h"; }, { email = "plain"; } ); };
};
'''
