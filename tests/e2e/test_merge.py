# SPDX-License-Identifier: ISC
"""Merges, their undo and mails in random order end where an independent model says.

The model below knows people, addresses and leads as sets and nothing of leadd. More rounds:
LEADD_TEST_MERGES=5000.
"""
import os
import random
import sqlite3

import pytest

import company
from daemon import CtlError, Daemon

ROUNDS = int(os.environ.get("LEADD_TEST_MERGES", "80"))
ADDRESSES = ["ada@one.example", "ada.one@gmail.com", "bo@two.example", "bo@two.test",
             "bo.two@gmx.net", "cy@one.example", "cy.x@web.de", "di@three.example"]
RULES = 'lang = 1; rules : { all : { on = "lead.created"; do = "assign tom"; }; };'


class Refused(Exception):
    pass


class Model:
    """Contacts C1.., companies O1.., leads L1.., cases K1.. as they must be."""

    def __init__(self):
        self.contacts, self.companies, self.leads, self.cases = {}, {}, {}, {}
        self.of, self.acts, self.tasks = {}, [], []

    def company(self, address):
        domain = address.split("@")[1]
        if domain in ("gmail.com", "gmx.net", "web.de"):
            return None
        for n, o in self.companies.items():  # a merged one is the one that it became
            if o["domain"] == domain:
                while self.companies[n]["into"]:
                    n = self.companies[n]["into"]
                return n
        self.companies[len(self.companies) + 1] = {"name": domain, "domain": domain, "into": None}
        return len(self.companies)

    def mail(self, address, name):
        if address not in self.of:
            self.contacts[len(self.contacts) + 1] = {
                "name": name, "into": None, "company": self.company(address)}
            self.of[address] = len(self.contacts)
        c = self.of[address]
        if self.contacts[c]["name"] is None:
            self.contacts[c]["name"] = name
        mine = [n for n, l in self.leads.items()
                if l["of"] == c and l["open"] and l["into"] is None]
        if not mine:
            mine = [len(self.leads) + 1]
            self.leads[mine[0]] = {"of": c, "open": True, "into": None,
                                   "company": self.contacts[c]["company"]}
        self.acts.append([max(mine), c])

    def case(self, lead):
        """The command on a lead: a case of its contact, with a task."""
        of = self.leads[lead]["of"]
        self.cases[len(self.cases) + 1] = {"of": of, "company": self.contacts[of]["company"],
                                           "open": True, "into": None}
        self.tasks.append(len(self.cases))
        return len(self.cases)

    def check_there(self, table, a, b):
        if a == b or table[a]["into"] or table[b]["into"]:
            raise Refused()

    def merge_contacts(self, a, b):
        self.check_there(self.contacts, a, b)
        s, m = self.contacts[a], self.contacts[b]
        done = {"kind": "C", "a": a, "b": b, "undone": False,
                "addresses": [x for x, c in self.of.items() if c == b],
                "leads": [n for n, l in self.leads.items() if l["of"] == b],
                "cases": [n for n, k in self.cases.items() if k["of"] == b],
                "filled": {k: m[k] for k in ("name", "company") if s[k] is None and m[k]}}
        s.update(done["filled"])
        m["into"] = a
        for x in done["addresses"]:
            self.of[x] = a
        for n in done["leads"]:
            self.leads[n]["of"] = a
        for n in done["cases"]:
            self.cases[n]["of"] = a
        for act in self.acts:
            if act[1] == b:
                act[1] = a
        return done

    def merge_cases(self, a, b):
        self.check_there(self.cases, a, b)
        s, m = self.cases[a], self.cases[b]
        if s["of"] != m["of"] or (not s["open"] and m["open"]):
            raise Refused()
        m["into"] = a
        filled = s["company"] is None and m["company"]
        if filled:
            s["company"] = filled
        moved = [i for i, k in enumerate(self.tasks) if k == b]
        for i in moved:
            self.tasks[i] = a
        return {"kind": "K", "a": a, "b": b, "undone": False, "tasks": moved, "company": filled}

    def merge_companies(self, a, b):
        self.check_there(self.companies, a, b)
        self.companies[b]["into"] = a
        done = {"kind": "O", "a": a, "b": b, "undone": False}
        for what in ("contacts", "leads", "cases"):
            table = getattr(self, what)
            done[what] = [n for n, r in table.items() if r["company"] == b]
            for n in done[what]:
                table[n]["company"] = a
        return done

    def undo_company(self, done):
        """What moved goes back, and leads and cases that came since then with their contact."""
        a, b = done["a"], done["b"]
        gone = {n for n in done["contacts"] if self.contacts[n]["company"] == a}
        for n in done["contacts"]:
            c = self.contacts[n]
            other = c["into"]
            if (other and other not in done["contacts"]) or any(
                    m["into"] == n and k not in done["contacts"] for k, m in self.contacts.items()):
                raise Refused()
        for what in ("leads", "cases"):
            for n in done[what]:
                r = getattr(self, what)[n]
                if (r["into"] and r["into"] not in done[what]) or any(
                        m["into"] == n and k not in done[what]
                        for k, m in getattr(self, what).items()):
                    raise Refused()
        for what in ("contacts", "leads", "cases"):
            for n in done[what]:
                if getattr(self, what)[n]["company"] == a:
                    getattr(self, what)[n]["company"] = b
        for what in ("leads", "cases"):
            for r in getattr(self, what).values():
                if r["of"] in gone and r["company"] == a:
                    r["company"] = b

    def merge_leads(self, a, b):
        self.check_there(self.leads, a, b)
        s, m = self.leads[a], self.leads[b]
        if s["of"] != m["of"] or (not s["open"] and m["open"]):
            raise Refused()
        m["into"] = a
        filled = s["company"] is None and m["company"]
        if filled:
            s["company"] = filled
        moved = [act for act in self.acts if act[0] == b]
        for act in moved:
            act[0] = a
        return {"kind": "L", "a": a, "b": b, "undone": False, "acts": moved,
                "company": filled}

    def undo(self, done):
        a, b = done["a"], done["b"]
        table = {"C": self.contacts, "L": self.leads, "K": self.cases, "O": self.companies}[done["kind"]]
        if done["undone"] or table[a]["into"]:
            raise Refused()
        if done["kind"] == "L":
            for act in done["acts"]:
                if act[0] == a:
                    act[0] = b
            if done["company"] and self.leads[a]["company"] == done["company"]:
                self.leads[a]["company"] = None
        elif done["kind"] == "K":
            for i in done["tasks"]:
                if self.tasks[i] == a:
                    self.tasks[i] = b
            if done["company"] and self.cases[a]["company"] == done["company"]:
                self.cases[a]["company"] = None
        elif done["kind"] == "O":
            self.undo_company(done)
        else:
            gone = set(done["leads"])
            for n, l in self.leads.items():
                if l["into"] and (n in gone) != (l["into"] in gone):
                    raise Refused()
            back = set(done["cases"])
            for n, k in self.cases.items():
                if k["into"] and (n in back) != (k["into"] in back):
                    raise Refused()
            for k, v in done["filled"].items():
                if table[a][k] == v:
                    table[a][k] = None
            for x in done["addresses"]:
                if self.of[x] == a:
                    self.of[x] = b
            for n in gone:
                self.leads[n]["of"] = b
            for n in back:
                self.cases[n]["of"] = b
            for act in self.acts:
                if act[0] in gone:
                    act[1] = b
        table[b]["into"] = None
        done["undone"] = True

    def state(self):
        return {"contacts": {n: (c["name"], c["company"], c["into"]) for n, c in self.contacts.items()},
                "companies": {n: (o["domain"], o["into"]) for n, o in self.companies.items()},
                "addresses": dict(self.of),
                "leads": {n: (l["of"], l["open"], l["into"], l["company"])
                          for n, l in self.leads.items()},
                "cases": {n: (k["of"], k["open"], k["into"], k["company"])
                          for n, k in self.cases.items()},
                "tasks": dict(enumerate(self.tasks, 1)),
                "activities": sorted(map(tuple, self.acts))}


def state(d):
    db = sqlite3.connect("file:%s?mode=ro" % os.path.join(d.dir, "state", "leadd.db"), uri=True)
    try:
        into = {(t, n): i for t, n, i in db.execute("SELECT entity, record_id, into_id FROM merged")}
        for t in ("contact", "lead", "company", "case"):
            deleted = {n for (n,) in db.execute("SELECT id FROM %s WHERE deleted_ms IS NOT NULL"
                                                % t.replace("case", "support_case"))}
            assert deleted == {n for kind, n in into if kind == t}
        return {"contacts": {n: (name, company, into.get(("contact", n))) for n, name, company in db.execute(
                    "SELECT id, name, company_id FROM contact")},
                "companies": {n: (domain, into.get(("company", n))) for n, domain in db.execute(
                    "SELECT id, domain FROM company")},
                "addresses": dict(db.execute(
                    "SELECT value, contact_id FROM address WHERE contact_id IS NOT NULL")),
                "leads": {n: (c, s != "closed", into.get(("lead", n)), o) for n, c, s, o in db.execute(
                    "SELECT id, contact_id, status, company_id FROM lead")},
                "cases": {n: (c, s != "closed", into.get(("case", n)), o) for n, c, s, o in db.execute(
                    "SELECT id, contact_id, status, company_id FROM support_case")},
                "tasks": dict(db.execute("SELECT id, case_id FROM task")),
                "activities": sorted(db.execute("SELECT lead_id, contact_id FROM activity"))}
    finally:
        db.close()


class Play:
    def __init__(self, d, seed):
        self.d, self.model, self.rnd, self.merges = d, Model(), random.Random(seed), []
        self.refused = self.done = 0

    def both(self, model, *ctl):
        """The daemon and the model do it, or both refuse. The journal number of what was done."""
        try:
            result = model()
        except Refused:
            with pytest.raises(CtlError):
                self.d.ctl(*ctl)
            self.refused += 1
            return None
        self.d.ctl(*ctl)
        self.done += 1
        return result

    def newest(self):
        db = sqlite3.connect(os.path.join(self.d.dir, "state", "leadd.db"))
        try:
            return db.execute("SELECT max(id) FROM journal").fetchone()[0]
        finally:
            db.close()

    def mail(self):
        address = self.rnd.choice(ADDRESSES)
        name = self.rnd.choice([None, address.split("@")[0].split(".")[0].title() + " Person"])
        self.d.ingest(company.mail(sender=address, name=name, subject="Hello",
                                   text="Words %d\n" % self.rnd.randrange(10 ** 9)))
        self.model.mail(address, name)

    def merge(self, kind, how):
        table = {"C": self.model.contacts, "L": self.model.leads, "K": self.model.cases,
                 "O": self.model.companies}[kind]
        if not table:
            return
        a, b = (self.rnd.choice(list(table)) for _ in "ab")
        if kind in "LK" and self.rnd.random() < .7:  # mostly such as can be
            same = [n for n in table if table[n]["of"] == table[a]["of"]]
            b = self.rnd.choice(same)
        if table[a]["into"]:  # the command would be told about the one that stands for it
            return
        done = self.both(lambda: how(a, b), "merge", "%s%d" % (kind, a), "%s%d" % (kind, b))
        if done:
            self.merges.append((self.newest(), done))

    def undo(self):
        if self.merges:
            number, done = self.rnd.choice(self.merges[-6:])
            self.both(lambda: self.model.undo(done), "undo", "%s%d" % (done["kind"], done["a"]),
                      "J%d" % number)

    def step(self):
        m = self.model
        what = self.rnd.random()
        if what < .34 or not m.leads:
            self.mail()
        elif what < .40:
            n = self.rnd.choice([n for n, l in m.leads.items() if not l["into"]])
            k = m.case(n)
            self.d.ctl("do", "L%d" % n, "case", "It leaks")
            self.d.ctl("do", "K%d" % k, "task", "tomorrow", "call")
        elif what < .50:
            n = self.rnd.choice([n for n, l in m.leads.items() if not l["into"]])
            if m.leads[n]["open"]:
                self.d.ctl("do", "L%d" % n, "close", "done")
                m.leads[n]["open"] = False
        elif what < .55:
            n = self.rnd.choice([n for n, c in m.contacts.items() if not c["into"]])
            name = "Name %d" % self.rnd.randrange(3)
            self.d.ctl("do", "C%d" % n, "set", "contact.name", "'%s'" % name)
            m.contacts[n]["name"] = name
        elif what < .65:
            self.merge("C", m.merge_contacts)
        elif what < .73:
            self.merge("L", m.merge_leads)
        elif what < .78:
            self.merge("K", m.merge_cases)
        elif what < .82:
            self.merge("O", m.merge_companies)
        else:
            self.undo()


@pytest.mark.parametrize("seed", [1, 2])
def test_merges_undos_and_mails_in_any_order_end_as_the_model_says(seed):
    with Daemon(company.conf(), company.files(rules=RULES)) as d:
        play = Play(d, seed)
        for i in range(ROUNDS):
            play.step()
            if i % 20 == 19 or i == ROUNDS - 1:
                assert state(d) == play.model.state(), "after step %d" % i
        assert play.done > ROUNDS / 10 and play.refused > 0


def test_an_answer_with_the_token_of_a_merged_lead_finds_the_one_that_stays():
    with Daemon(company.conf(), company.files()) as d:
        d.ingest(company.mail(sender="ada@one.example"))
        d.ingest(company.mail(sender="ada@two.example", name="Ada Two"))
        d.ctl("merge", "C1", "C2")
        d.ctl("merge", "L1", "L2")
        first = [m for m in company.wait_sent(d.dir, 2) if "two.example" in m["To"]][0]
        d.ingest(company.mail(sender="ada@two.example", subject="Re: 40 widgets",
                              text="Thank you\n", In_Reply_To=first["Message-ID"]))
        assert len(d.ctl("list", "leads")["rows"]) == 1
        assert "Merged into it  L2" in d.ctl_text("show", "L2")
        assert "merge L2" in d.ctl_text("timeline", "L2", width=200)


def test_who_may_be_the_same_is_offered_with_the_command_that_would_do_it():
    with Daemon(company.conf(), company.files()) as d:
        d.ingest(company.mail(sender="ada@one.example", name="Ada One"))
        d.ingest(company.mail(sender="ada.one@one.example", name="Ada One"))
        d.ingest(company.mail(sender="ada1@gmail.com", name="Ada One"))
        pairs = {(r["id"], r["other"], r["why"]) for r in d.ctl("duplicates")["rows"]}
        assert ("C1", "C2", "the same name and company") in pairs
        assert ("C1", "C3", "the same name, a mail provider's address") in pairs
        assert {r["merge"] for r in d.ctl("duplicates", "contacts")["rows"]} >= {"leadctl merge C1 C2"}
        d.ctl("merge", "C1", "C2")
        d.ctl("merge", "C1", "C3")
        assert [(r["id"], r["other"]) for r in d.ctl("duplicates", "contacts")["rows"]] == []
        assert len(d.ctl("duplicates", "leads")["rows"]) == 3
