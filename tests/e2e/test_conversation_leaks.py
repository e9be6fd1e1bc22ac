# SPDX-License-Identifier: ISC
"""Random mails by leads, their colleagues, reps and strangers: nothing internal ever stands
in a mail to somebody outside, and every answer of a rep that should go goes.

Every internal note, command, quotation of ours and private word carries a marker; after
each step the outbox is looked through. LEADD_LEAK_STEPS and LEADD_LEAK_SEED make it longer
and other.
"""
import os
import random

import company
from test_conversation import RULES, World, answer, reply_to

STEPS = int(os.environ.get("LEADD_LEAK_STEPS", "36"))
SEED = int(os.environ.get("LEADD_LEAK_SEED", "7"))

CONF = company.CONF.replace(
    'email = "tom@example.com";', 'email = "tom@example.com"; addresses = [ "tom-private@home.example" ];')
REPS = {"tom": ("tom@example.com", "tom-private@home.example"), "eva": ("eva@example.com",),
        "mia": ("mia@example.com",)}
INSIDE = [a for addresses in REPS.values() for a in addresses]
PRIVATE = INSIDE + ["M4RK"]


def quoted(m, how, rng):
    """The mail that is answered, as mail programs put it below or above."""
    lines = m.get_content().splitlines()
    if how == "gt":
        return "\n\nOn Fri, 20 Nov 2026 at 10:00, %s wrote:\n%s" % (
            m["From"], "".join("> %s\n" % x for x in lines))
    if how == "outlook":
        return "\n\n-----Original Message-----\nFrom: %s\nSent: Friday\nTo: Tom\nSubject: %s\n\n%s\n" % (
            m["From"], m["Subject"], "\n".join(lines))
    if how == "bare":  # nothing introduces it, and nothing marks it
        return "\n\n" + "\n".join(lines) + "\n"
    if how == "wrapped":
        words, out = " ".join(lines).split(), [""]
        for x in words:
            if len(out[-1]) + len(x) > 40:
                out.append("")
            out[-1] += x + " "
        return "\n\nAm 20.11.2026 um 10:00 schrieb %s:\n%s" % (
            m["From"], "".join("> %s\n" % x for x in out))
    return ""


class Play:
    def __init__(self, w, rng):
        self.w, self.rng, self.n = w, rng, 0
        self.leads = {}   # address -> the last mail that it got, or None
        self.talks = []   # (rep's address, conversation mail, who wrote)
        self.notices = []
        self.must = []    # (address, words) that have to arrive
        self.seen = set()

    def word(self, mark=""):
        self.n += 1
        return "%sword%d-%s" % (mark, self.n, self.rng.choice(("blue", "green", "red")))

    def look(self):
        """What has left since; nothing internal in what went outside."""
        all_sent = self.w.sent()
        for m in all_sent:
            if m["Message-ID"] in self.seen:
                continue
            self.seen.add(m["Message-ID"])
            to = m["To"].addresses[0].addr_spec
            body = m.get_content()
            if to in INSIDE:
                if " via " in m["From"].addresses[0].display_name:
                    self.talks.append((to, m))
                else:
                    self.notices.append((to, m))
                continue
            whole = m.as_string() + body
            for private in PRIVATE:
                assert private not in whole, "%s in\n%s" % (private, m.as_string())
            assert "sales+note" not in whole and ".M" not in (m["References"] or "")
            self.leads[to] = m
            for item in list(self.must):
                if item[0] == to and item[1] in body:
                    self.must.remove(item)
        assert not self.must, "did not go: %s\n%s" % (self.must, all_sent[-1].get_content())

    # ---- who writes what ----

    def lead_writes(self):
        rng = self.rng
        who = rng.choice(["ada@shop.example", "bo@big.example", "cy@gmail.com", "di@small.example"])
        had = self.leads.get(who)
        text = self.word() + "\n"
        if had is not None and rng.random() < 0.8:
            self.w.lead(sender=who, **answer(had, text, quote=rng.random() < 0.7))
        else:
            self.w.lead(text, sender=who, name=rng.choice([None, "Jane Doe", "via, \"x\" <y>"]))

    def stranger_writes(self):
        if not self.leads:
            return
        m = self.rng.choice(list(self.leads.values()))
        sender = self.rng.choice(["mallory@evil.example", "tom@example.com", "tom@examp1e.com"])
        self.w.lead(sender=sender, **answer(m, "#note M4RK %s\n" % self.word()))

    def pick(self):
        return self.rng.choice(self.talks[-6:]) if self.talks else None

    def sender(self, to):
        user = next(u for u, a in REPS.items() if to in a)
        if self.rng.random() < 0.2:
            user = self.rng.choice(list(REPS))
        return self.rng.choice(REPS[user])

    def writer(self, m):
        line = m.get_content().split("\n")[0]
        return line.split("<")[1].split(">")[0].lower()

    def rep_answers(self):
        """As it should be: it must go."""
        if not self.pick():
            return
        to, m = self.pick()
        words = self.word()
        text = words + "\n"
        if self.rng.random() < 0.4:
            text = "#note M4RK %s\n\n" % self.word() + text
        if self.rng.random() < 0.3:
            text += "\n-- \nTom M4RK\ntom-private@home.example\n"
        elif self.rng.random() < 0.3:
            text += "Call me, or write to TOM@example.com.\n"
        how = self.rng.choice(["none", "gt", "outlook", "wrapped", "gt"])
        mail = dict(answer(m, ""), text=text + quoted(m, how, self.rng))
        self.must.append((self.writer(m), words))
        print(mail["text"])
        self.w.rep(sender=self.sender(to), **mail)

    def rep_is_doubtful(self):
        """Somehow not as it should be: whatever happens, the marker stays."""
        if not self.pick():
            return
        to, m = self.pick()
        mail = dict(answer(m, ""), text="M4RK %s\n" % self.word())
        kind = self.rng.choice(["unproven", "notice too", "between", "bare below", "only commands",
                                "vacation", "odd command", "empty", "other token"])
        proven = kind != "unproven"
        if kind == "notice too":
            if not self.notices:
                return
            mail["to"] += ", " + reply_to(self.rng.choice(self.notices)[1])
        elif kind == "between":
            half = m.get_content().split("\n")
            mail["text"] = "\n".join(half[:2] + ["M4RK between"] + half[2:])
        elif kind == "bare below":
            mail["text"] = quoted(m, "bare", self.rng) + "\nM4RK below\n"
        elif kind == "only commands":
            mail["text"] = "#note M4RK %s\n#task tomorrow M4RK call\n" % self.word()
        elif kind == "vacation":
            mail["Auto_Submitted"] = "auto-replied"
        elif kind == "odd command":
            mail["text"] = "M4RK hello\n#nte M4RK typo\n"
        elif kind == "empty":
            mail["text"] = quoted(m, "gt", self.rng)
        elif kind == "other token":
            mail["to"] = "sales+L1.M2.aaaaaaaaaaaaaaaa@example.com"
            mail["In_Reply_To"] = mail["References"] = "<nobody@nowhere.example>"
            mail["subject"] = "something"
        self.w.rep(sender=self.sender(to), proven=proven, **mail)

    def rep_to_notice(self):
        if not self.notices:
            return
        to, m = self.rng.choice(self.notices[-6:])
        self.w.rep(sender=self.sender(to), **answer(m, "M4RK %s\n#note M4RK two\n" % self.word()))

    def colleague_of_rep(self):
        """He got the mail forwarded and answers it; and a customer found a notice."""
        got = self.pick()
        if not got:
            return
        sender = self.rng.choice(["accounting@example.com", self.writer(got[1])])
        self.w.lead(sender=sender, **answer(got[1], self.word() + "\n"))


def test_nothing_internal_leaves_and_every_answer_goes():
    rng = random.Random(SEED)
    rules = RULES.replace('"assign tom", "send welcome"',
                          '"assign pool all", "send welcome", "notify owner"')
    rules += 'pools : { all : { by = "round_robin"; members = ( { user = "tom"; }, { user = "eva"; } ); }; };'
    # it is many mails in no time: the ladders are another matter
    with World(rules=rules, CONF=CONF, settings="notices_per_hour = 1000;",
               args=["--pretend-time", "2026-11-20T10:00:00Z"]) as w:
        p = Play(w, rng)
        acts = [p.lead_writes] * 4 + [p.rep_answers] * 4 + [p.rep_is_doubtful] * 4 + \
            [p.rep_to_notice, p.stranger_writes, p.colleague_of_rep]
        for step in range(STEPS):
            act = p.lead_writes if step < 6 else rng.choice(acts)
            print(step, act.__name__)
            act()
            p.look()
            if step % 3 == 2:
                w.d.ctl("clock", "advance", "31m")
        assert len(p.talks) > 5 and len([m for m in w.sent() if m["To"] not in INSIDE]) > 5
