# SPDX-License-Identifier: ISC
"""leadctl rules replay: stored history through another rule set.

The history is made by a real daemon over pretended weeks: forms, mails, answers and
commands of people, at random. Under the same rules nothing may differ, whatever the
history; under a changed rule exactly that differs which the test works out by itself.
"""
import datetime
import itertools
import json
import os
import random
import re
import sqlite3
import urllib.parse
import urllib.request

import pytest

import company
from daemon import Daemon, until

START = "2026-10-05T08:00:00Z"
FORMS = """
forms : {
  contact : {
    fields : { name = "contact.name"; email = "contact.email"; country = "contact.country";
               message = "message.text"; employees = "lead.employees"; };
    required = [ "email" ];
    source = "website";
  };
};
"""
RULES = """
lang = 1;
tables : { dach : [ "DE", "AT"%(dach)s ]; };
rules : {
  dach : { first = "assignment"; on = "lead.created"; when = "contact.country in @dach";
           do = "assign eva"; };
  large : { first = "assignment"; on = "lead.created"; when = "lead.employees >= %(large)d";
            do = "assign mia"; };
  rest : { first = "assignment"; on = "lead.created"; do = "assign %(rest)s"; };
  hot : { on = "lead"; when = "lead.score >= 60"; do = [ "tag hot", "task 1d call" ]; };
  spam : { on = "message.received"; when = "message.subject contains 'casino'";
           do = "close spam"; stop = "all"; };
  welcome : { on = "lead.created"; when = "contact.email is set"; do = "send welcome"; };
  %(more)s
};
pools : { sales : { by = "weighted";
                    members = ( { user = "tom"; weight = 2; }, { user = "eva"; } ); }; };
"""


BIG = "Subject: Big\n\nHello\n"


def rules(dach="", large=500, rest="pool sales", more=""):
    return RULES % dict(dach=dach, large=large, rest=rest, more=more)


# all that needs time, a share of the records, or memory of what ran before
MUCH = """
  later : { on = "lead"; when = "not lead.contacted"; after = "2d"; again = "3d"; max = 3;
            do = "send big"; };
  tryout : { on = "lead.created"; mode = "canary"; canary = 40; do = "tag share"; };
  quiet : { on = "lead.created"; mode = "shadow"; do = "tag never"; };
  first : { on = "form.received"; once = true; do = "tag formed"; };
  weekly : { every = "Mon 08:00 Europe/Vienna"; over = "lead";
             when = [ "lead.status == 'new'", "not lead.contacted" ]; do = "score +1"; };
  told : { on = "lead.created"; do = "notify owner using big"; };
"""
ESCALATIONS = """
escalations : {
  slow : { on = "lead"; when = "not lead.contacted"; since = "created unless touched";
           levels = ( { after = "8h"; do = "tag slow"; }, { after = "4d"; do = "assign mia"; } ); };
};
"""


TRUSTED = (b"Authentication-Results: mx.example.com; dmarc=pass header.from=example.com\n"
           b"Received: from out.example.com (out.example.com [192.0.2.7])\n\tby mx.example.com "
           b"with ESMTPS id 1; Mon, 5 Oct 2026 10:00:00 +0000\n")


def conf(settings=""):
    text = company.conf(mailboxes="", settings=settings)
    return re.sub(r"forms : \{.*?\n\};\n", FORMS.strip() + "\n", text, flags=re.S)


def post(d, **fields):
    url = "http://127.0.0.1:%d/form/contact" % d.port("web-in")
    data = urllib.parse.urlencode(fields).encode()
    with urllib.request.urlopen(urllib.request.Request(url, data=data), timeout=120) as r:
        assert r.status == 200


def answer_to(d, n):
    """The address and Message-ID with which somebody answers mail n of the outbox."""
    db = sqlite3.connect("file:%s/leadd.db?mode=ro" % d.state, uri=True)
    (raw,) = db.execute("SELECT raw FROM outbox_body WHERE outbox_id = ?", (n,)).fetchone()
    db.close()
    text = raw.decode("utf-8", "replace")
    return (re.search(r"^Reply-To: *<?([^>\s]+)", text, re.M).group(1),
            re.search(r"^Message-ID: *(\S+)", text, re.M | re.I).group(1))


def quiet(d):
    """Waits until all mail has left."""
    until(lambda: not any(r["state"] in ("ready", "claimed")
                          for r in d.ctl("outbox", "list")["rows"]), why="the mails")


class Past:
    """A random history, and what the test knows of it."""

    def __init__(self, d, seed, steps):
        self.d, self.rng, self.n = d, random.Random(seed), 0
        self.people = ["p%d@shop.example" % i for i in range(12)]
        for _ in range(steps):
            d.ctl("clock", "advance", "%dm" % self.rng.choice([0, 1, 30, 200, 2000]))
            self.rng.choice([self.form, self.form, self.mail, self.answer, self.command,
                             self.command])()
        quiet(d)

    def form(self):
        self.n += 1
        post(self.d, name="Ada %d" % self.n, email=self.rng.choice(self.people),
             country=self.rng.choice(["DE", "AT", "CH", "FR", ""]),
             employees=self.rng.choice([1, 80, 200, 700]), message="hello %d" % self.n)

    def mail(self):
        self.n += 1
        self.d.ingest(company.mail(sender=self.rng.choice(self.people),
                                   subject=self.rng.choice(["offer", "casino", "question"]),
                                   text="words %d\n" % self.n,
                                   message_id="<m%d@shop.example>" % self.n))

    def answer(self):
        sent = self.d.ctl("outbox", "list")["rows"]
        if not sent:
            return
        self.n += 1
        row = self.rng.choice(sent)
        to, ref = answer_to(self.d, int(str(row["id"]).lstrip("O")))
        self.d.ingest(company.mail(sender="someone%d@else.example" % self.rng.randrange(3), to=to,
                                   subject="Re: yours", text="an answer %d\n" % self.n,
                                   message_id="<m%d@else.example>" % self.n, In_Reply_To=ref))

    def command(self):
        leads = self.d.ctl("list", "leads")["rows"]
        if not leads:
            return
        lead = self.rng.choice(leads)["id"]
        line = self.rng.choice(["assign tom", "assign eva", "assign pool sales", "score +30",
                                "set lead.score 65", "close lost", "reopen", "stage proposal",
                                "note he called, L1 is not meant", "task 2d write", "done",
                                "tag vip", "undo", "optout", "won 500"])
        self.d.leadctl("do", lead, *line.split())  # refused ones are part of it
        if self.rng.random() < 0.2:
            tasks = self.d.ctl("list", "tasks")["rows"]
            if tasks:
                self.d.leadctl("do", lead, "done", self.rng.choice(tasks)["id"])


def content(path):
    db = sqlite3.connect("file:%s?mode=ro" % path, uri=True)
    dump = [line for line in db.iterdump() if 'INTO "rule_count"' not in line]
    db.close()
    return dump


def replay(d, text=None, *args, settings=""):
    """(exit, result) of a replay under these rules; without text, under today's."""
    folder = os.path.join(d.dir, "other")
    d.write("other/leadd.conf", conf(settings))
    d.write("other/rules.d/10-rules.conf", text if text is not None else rules())
    d.write("other/templates/welcome.txt", company.WELCOME)
    d.write("other/templates/big.txt", BIG)
    os.makedirs(d.dir + "/tmp", exist_ok=True)
    r = d.leadctl("--json", "rules", "replay", "--rules", folder, *args,
                  env={"TMPDIR": d.dir + "/tmp"})
    assert r.returncode in (0, 1), r.stderr.decode()
    assert os.listdir(d.dir + "/tmp") == [], "what was tried out is gone"
    return r.returncode, json.loads(r.stdout)


@pytest.fixture
def past():
    made = []

    def make(seed, steps=60, text=None):
        d = Daemon(conf(), company.files(text or rules(), **{"templates/big.txt": BIG}),
                   args=["--pretend-time", START])
        d.__enter__()
        made.append(d)
        return d, Past(d, seed, steps)
    yield make
    for d in made:
        d.__exit__(None, None, None)


@pytest.mark.parametrize("seed", range(1, int(os.environ.get("LEADD_REPLAY_SEEDS", "2")) + 1))
def test_under_the_same_rules_nothing_differs_and_the_store_is_not_touched(past, seed):
    much = rules(more=MUCH) + ESCALATIONS
    d, p = past(seed, text=much)
    before = content(d.state + "/leadd.db")
    code, got = replay(d, much)
    assert got["differences"] == [] and got["rules"] == [] and code == 0, got
    assert got["inputs"]["forms"] > 5 and got["inputs"]["mails"] > 5
    assert got["inputs"]["commands"] > 5
    code, got = replay(d, much, "--since", "10d")
    assert got["differences"] == [] and code == 0 and got["inputs"]["before"] > 5, got
    # numbers of records decide who is in a canary's share: those of the worlds are others
    code, got = replay(d, much, "--against-history")
    assert [x for x in got["differences"] if x.get("key") != "share"] == [], got
    assert content(d.state + "/leadd.db") == before


class Known:
    """Leads of which the test knows all: one for each form, in order."""

    def __init__(self, d, n, seed=5):
        self.d, rng, self.leads = d, random.Random(seed), []
        self.now = self.clock()
        for i in range(n):
            lead = dict(id="L%d" % (i + 1), email="a%d@shop.example" % i, at=self.now,
                        country=rng.choice(["DE", "CH", "FR"]), employees=rng.choice([1, 250, 900]),
                        assigned=None, called=None)
            post(d, name="Ada %d" % i, email=lead["email"], country=lead["country"],
                 employees=lead["employees"])
            self.leads.append(lead)
            self.pass_time(rng.choice([1, 300, 1500]))
            if i % 3 == 0:
                other = rng.choice(self.leads)
                other["assigned"] = rng.choice(["tom", "eva"])
                d.ctl("do", other["id"], "assign", other["assigned"])
            if i % 4 == 0:
                other = rng.choice(self.leads)
                if not other["called"]:
                    other["called"] = self.now
                d.ctl("do", other["id"], "call", "spoke", "with", "them")
            self.pass_time(rng.choice([0, 700]))

    def clock(self):
        text = self.d.ctl("clock")["now"]
        return datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))

    def pass_time(self, minutes):
        if minutes:
            self.d.ctl("clock", "advance", "%dm" % minutes)
            self.now = self.clock()


def owner(lead, dach, large):
    if lead["assigned"]:
        return lead["assigned"]
    if lead["country"] in dach:
        return "eva"
    return "mia" if lead["employees"] >= large else "tom"


def told(got, what):
    return {(x["record"], x.get("key", ""), x.get("current"), x.get("new"))
            for x in got["differences"] if x["what"] == what}


def test_a_changed_rule_gives_exactly_the_owners_and_mails_it_changes(past):
    d, _ = past(0, 0, rules(rest="tom"))
    known = Known(d, 30)
    more = 'big : { on = "lead.created"; when = "lead.employees >= 200"; do = "send big"; };'
    code, got = replay(d, rules(rest="tom", dach=', "CH"', large=200, more=more))
    want = {(x["id"], "", owner(x, ("DE", "AT"), 500), owner(x, ("DE", "AT", "CH"), 200))
            for x in known.leads}
    assert code == 1
    assert told(got, "owner") == {w for w in want if w[2] != w[3]} and len(told(got, "owner")) > 5
    assert told(got, "mail") == {(x["id"], "big to " + x["email"], None, "1")
                                 for x in known.leads if x["employees"] >= 200}
    assert {x["what"] for x in got["differences"]} == {"owner", "mail"}
    assert got["totals"] == {"owner": len(told(got, "owner")), "mail": len(told(got, "mail"))}
    swiss = next(x for x in known.leads if x["country"] == "CH" and not x["assigned"]
                 and x["employees"] < 200)
    text = [x["text"] for x in got["differences"] if x["record"] == swiss["id"]]
    assert swiss["id"] + " owner tom -> eva (dach: contact.country in @dach)" in text
    big = next(x["text"] for x in got["differences"] if x["what"] == "mail")
    assert re.fullmatch(r"L\d+ mail big to a\d+@shop.example: only in new, \d{4}-\d\d-\d\d \d\d:\d\d "
                        r"\(big: lead.employees >= 200\)", big), big
    matched = {x["rule"]: (x["current"], x["new"]) for x in got["rules"]}
    assert matched["big"] == (0, len(told(got, "mail")))
    assert matched["dach"] == (sum(x["country"] == "DE" for x in known.leads),
                               sum(x["country"] in ("DE", "CH") for x in known.leads))
    # since: what came before went by today's rules in both
    half = known.leads[15]["at"].strftime("%Y-%m-%dT%H:%M:%SZ")
    code, got = replay(d, rules(rest="tom", dach=', "CH"', large=200), "--since", half)
    late = {x["id"] for x in known.leads[15:]}
    assert told(got, "owner") == {w for w in want if w[2] != w[3] and w[0] in late}
    assert got["inputs"]["before"] > 10
    code, got = replay(d, rules(rest="tom", dach=', "CH"', large=200), "--limit", "2")
    assert len(got["differences"]) == 2 and sum(got["totals"].values()) > 2
    r = d.leadctl("rules", "replay", "--rules", d.dir + "/other", "--limit", "2")
    assert r.returncode == 1 and b"more: --limit" in r.stdout and b"Would differ: " in r.stdout
    # history knows the same as today's rules
    assert told(replay(d, rules(rest="tom", dach=', "CH"', large=200), "--against-history")[1],
                "owner") == {w for w in want if w[2] != w[3]}


def test_timers_fire_under_either_set_at_their_own_times(past):
    later = ('later : { on = "lead"; when = "not lead.contacted"; after = "%s"; '
             'do = "send big"; };')
    d, _ = past(0, 0, rules(rest="tom", more=later.replace("send big", "tag late") % "3d"))
    known = Known(d, 16)
    code, got = replay(d, rules(rest="tom", more=later.replace("send big", "tag late") % "1d"))
    days = datetime.timedelta(days=1)

    def fired(lead, after):
        due = lead["at"] + after
        return due <= known.now and not (lead["called"] and lead["called"] < due)

    def waits(lead, after):
        return not lead["called"] and not fired(lead, after)
    want = {x["id"] for x in known.leads if fired(x, days) and not fired(x, 3 * days)}
    assert {x["record"] for x in got["differences"] if x["what"] == "tag"} == want
    assert len(want) >= 2
    timers = {x["record"] for x in got["differences"] if x["what"] == "timer"}
    assert timers == {x["id"] for x in known.leads if waits(x, days) or waits(x, 3 * days)}
    assert {x["what"] for x in got["differences"]} <= {"tag", "timer"}
    text = next(x["text"] for x in got["differences"] if x["what"] == "tag")
    assert re.fullmatch(r"L\d+ tag late: only in new \(later: not lead.contacted\)", text), text
    # and the same set, with timers that wait and that have fired
    code, got = replay(d, rules(rest="tom", more=later.replace("send big", "tag late") % "3d"))
    assert code == 0, got
    code, got = replay(d, rules(rest="tom", more=later.replace("send big", "tag late") % "3d"),
                       "--since", "5d")
    assert code == 0, got


def test_what_cannot_be_done_is_told_with_status_2(past):
    d, _ = past(0, 0)
    other = replay(d)
    assert other[0] == 0

    def fails(*args):
        r = d.leadctl("rules", "replay", *args)
        assert r.returncode == 2 and r.stdout == b"", r.stdout
        return r.stderr.decode()
    assert "usage: leadctl rules replay" in fails()
    assert "No such file" in fails("--rules", d.dir + "/nowhere")
    assert "expected a duration" in fails("--rules", d.dir + "/other", "--since", "yesterday")
    assert "not before --until" in fails("--rules", d.dir + "/other", "--until", "2020-01-01")
    d.write("other/rules.d/10-rules.conf", rules(rest="nobody"))
    assert "nobody" in fails("--rules", d.dir + "/other")
    d.stop()
    d.write("other/rules.d/10-rules.conf", rules())
    assert "name the configuration of today by -c" in fails("--rules", d.dir + "/other")
    r = d.leadctl("rules", "replay", "--rules", d.dir + "/other", "-c", d.conf_path, "--progress")
    assert r.returncode == 0 and b"Nothing would differ" in r.stdout, r.stderr


def test_commands_and_answers_by_mail_are_lived_through_again(past):
    """What users said by mail is theirs in a replay, too: on the record that the mail is
    about, on one that it names, on none; held ones once somebody let them; and an answer to
    the customer is one."""
    settings = 'trusted_auth = "mx.example.com"; trusted_ingest = true;'
    text = rules(rest="tom", more=MUCH)
    d = Daemon(conf(settings), company.files(text, **{"templates/big.txt": BIG}),
               args=["--pretend-time", START])
    n = itertools.count(1)

    def says(words, lead=None, to=None, proven=True, subject="Re: offer", **more):
        d.ctl("clock", "advance", "90m")
        to = to or "sales@example.com" + (", a%d@shop.example" % lead if lead is not None else "")
        raw = company.mail(sender="tom@example.com", subject=subject, text=words, to=to,
                           message_id="<t%d@example.com>" % next(n), **more)
        d.ingest((TRUSTED if proven else b"") + raw)
        quiet(d)

    with d:
        for i in range(3):
            d.ingest(company.mail(sender="a%d@shop.example" % i, message_id="<a%d@shop.example>" % i))
        quiet(d)
        says("#stage proposal\n#tag vip\n#task 3d write\n", 0)
        says("#L2 won 500\n#L1 done T1\n#nonsense\n")
        says("#lead name=Bea email=bea@other.example\n#score +30\n", subject="new one")
        says("#score +50\n", 1)
        says("#undo\n", 1)
        says("#tag held\n", 2, proven=False)
        d.ctl("held", "release", "H1")
        welcome = [r for r in d.ctl("outbox", "list")["rows"] if r["to"] == "a2@shop.example"][-1]
        address, ref = answer_to(d, int(str(welcome["id"]).lstrip("O")))
        d.ingest(company.mail(sender="a2@shop.example", message_id="<a2b@shop.example>",
                              In_Reply_To=ref, to=address))
        quiet(d)
        letter = [r for r in d.ctl("outbox", "list")["rows"] if r["to"] == "tom@example.com"
                  and r["class"] == "conversation"][-1]
        address, ref = answer_to(d, int(str(letter["id"]).lstrip("O")))
        says("Yes, on Friday.\n", to=address, In_Reply_To=ref)
        shown = dict(d.ctl("show", "L3")["fields"])
        assert shown["Contacted"] and shown["Tags"] == ["held"]
        assert dict(d.ctl("show", "L4")["fields"])["Score"] == 0
        d.ctl("clock", "advance", "5d")
        quiet(d)
        for args in ([], ["--against-history"]):
            code, got = replay(d, text, *args, settings=settings)
            assert [x for x in got["differences"] if x.get("key") != "share"] == [], got["differences"]
            assert not [x for x in got["notes"] if "left out" in x], got["notes"]
            assert got["inputs"]["commands"] >= 9, got["inputs"]
        # and a rule that looks at what they did would have run
        sent = "vip : { on = \"lead\"; when = \"lead.tags contains 'vip'\"; do = \"send big\"; };"
        code, got = replay(d, rules(rest="tom", more=MUCH + sent), settings=settings)
        assert {x["record"] for x in got["differences"] if x["what"] == "mail"} == {"L1"}, got
