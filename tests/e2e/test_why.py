# SPDX-License-Identifier: ISC
"""`leadctl why` decides again from what the journal kept: each rule, also one that the
index never asked, with the first condition that was false, its value, and file:line.

LEADD_PROPERTY=N asks N times as many rules."""
import http.client
import os
import random
import sqlite3

import pytest

import company
from daemon import Daemon
from load import post as post_form

TIMES = int(os.environ.get("LEADD_PROPERTY", "1"))
WORDS = ["offer", "Angebot", "price", "urgent", "demo", "invoice", "licence", "training"]
NAMES = ["Ada Blue", "Bert Offer", "Cleo Green", "Dora White"]
CONF = company.conf().replace('employees : { type = "int"; };',
                              'employees : { type = "int"; }; floors : { type = "int"; };')
FILE = "20-many.conf"


# ---- rules and facts, and what follows from them, in Python -----------------------------

def condition(rng):
    """(text, what it reads, a function of the facts)"""
    n, m = rng.randrange(100), rng.randrange(100)
    word = rng.choice(WORDS)
    return rng.choice([
        ("lead.employees >= %d" % n, "lead.employees", lambda f: f["employees"] >= n),
        ("lead.employees < %d" % n, "lead.employees", lambda f: f["employees"] < n),
        ("lead.employees between %d and %d" % (min(n, m), max(n, m)), "lead.employees",
         lambda f: min(n, m) <= f["employees"] <= max(n, m)),
        ("message.text contains '%s'" % word, "message.text",
         lambda f: word.lower() in f["message"].lower()),
        ("not message.text contains '%s'" % word, "message.text",
         lambda f: word.lower() not in f["message"].lower()),
        ("contact.name starts '%s'" % rng.choice("abcd"), "contact.name", None),
        ("contact.phone is set", "contact.phone", lambda f: False),
        ("contact.email ends '%s.example'" % rng.choice(["shop", "home"]), "contact.email", None),
        SURE,
    ])


SURE = ("lead.source == 'website'", "lead.source", lambda f: True)


def holds(text, test, facts):
    if test:
        return test(facts)
    what = text.split("'")[1]
    if text.startswith("contact.name"):
        return facts["name"].lower().startswith(what)
    return facts["email"].endswith(what)


class Rules:
    """A file of rules with one condition a line, so that each has a line of its own."""

    def __init__(self, rng, count, before=""):
        self.rules, lines = {}, (before + "lang = 1;\nrules : {").split("\n")
        for i in range(count):
            name = "r%d" % i
            lines.append('  %s : { on = "lead.created"; when = [' % name)
            conds = [condition(rng) for _ in range(rng.randint(1, 4))] if i else [SURE]
            self.rules[name] = (len(lines), [(c, len(lines) + 1 + k) for k, c in enumerate(conds)])
            lines += ['    "%s"%s' % (c[0], "" if k == len(conds) - 1 else ",")
                      for k, c in enumerate(conds)]
            lines.append('    ]; do = "tag t%d"; };' % i)
        self.text = "\n".join(lines + ["};", ""])

    def expected(self, name, facts):
        """The lines of why: all of it, but for the folder of the file."""
        at, conds = self.rules[name]
        start = "    %s (%s:%d): " % (name, FILE, at)
        for (text, field, test), line in conds:
            if not holds(text, test, facts):
                return start + "did not match: %s is false (%s:%d): %s is %s" % (
                    text, FILE, line, field, shown(field, facts))
        return start + "matched"


def shown(field, facts):
    value = {"lead.employees": str(facts["employees"]), "contact.phone": "not set",
             "lead.source": "'website'"}.get(field)
    return value or "'%s'" % facts[{"message.text": "message", "contact.name": "name",
                                    "contact.email": "email"}[field]]


def facts(rng, i):
    return {"email": "p%d@%s.example" % (i, rng.choice(["shop", "home", "club"])),
            "name": rng.choice(NAMES), "employees": rng.randrange(100),
            "message": " ".join(rng.choice(WORDS + ["we", "need", "it"])
                                for _ in range(rng.randint(1, 10)))}


def post(d, **fields):
    c = http.client.HTTPConnection("127.0.0.1", d.port("web-in"), timeout=120)
    assert post_form(c, **fields)[0] == 200
    c.close()


def reload(d):
    mark = d.mark()
    assert "reload.done" in d.reload()
    d.wait_log("engine.started", after=mark)


def why(d, *argv):
    return d.ctl("why", *argv)["text"].replace(d.dir + "/rules.d/", "")


def told(d, lead, rule):
    """The line of the rule, of all rules; and as it is told alone."""
    one = [x for x in why(d, lead, "rule=" + rule).split("\n") if x.startswith("    " + rule + " ")]
    assert len(one) == 1, one
    return one[0]


# ---- the tests --------------------------------------------------------------------------

@pytest.mark.parametrize("count", [8, 60])
def test_why_names_the_false_condition_its_value_and_its_place_also_after_the_rules_changed(count):
    rng = random.Random(count)
    then = Rules(rng, count)
    with Daemon(CONF, company.files(**{"rules.d/" + FILE: then.text})) as d:
        leads = [facts(rng, i) for i in range(5)]
        for f in leads:
            post(d, **f)
        picks = [(rng.randrange(len(leads)), "r%d" % rng.randrange(count))
                 for _ in range(25 * TIMES)] + [(0, "r0")]
        expected = [then.expected(name, leads[i]) for i, name in picks]
        assert {"matched" in x for x in expected} == {True, False}
        assert [told(d, "L%d" % (i + 1), name) for i, name in picks] == expected

        now = Rules(rng, count, before="# moved down\n\n")
        d.write("rules.d/" + FILE, now.text)
        reload(d)
        assert [told(d, "L%d" % (i + 1), name) for i, name in picks] == expected

        post(d, **facts(rng, 99))
        text = why(d, "L6")  # and the newest lead by the new rules
        assert all("%s:%d)" % (FILE, now.rules["r%d" % i][0]) in text for i in range(count))


def test_all_rules_are_told_or_counted():
    rng = random.Random(3)
    few, many = Rules(rng, 20), Rules(rng, 150)
    with Daemon(CONF, company.files(**{"rules.d/" + FILE: few.text})) as d:
        f = facts(rng, 1)
        post(d, **f)
        lines = why(d, "L1").split("\n")
        for name in few.rules:
            assert few.expected(name, f) in lines
        d.write("rules.d/" + FILE, many.text)
        reload(d)
        f = facts(rng, 2)
        post(d, **f)
        text = why(d, "L2")
        wanted = {name: many.expected(name, f) for name in many.rules}
        ran = [x for x in wanted.values() if x.endswith(": matched")]
        assert ran and [x for x in ran if x not in text.split("\n")] == []
        # of the company's own three rules two run
        assert "    %d other rules did not run; rule=NAME tells why" % (153 - len(ran) - 2) in text
        assert "did not match" not in text
        assert told(d, "L2", "r77") == wanted["r77"]


def test_a_rule_that_was_never_asked_is_told_apart_from_one_that_there_is_not():
    with Daemon(CONF, company.files(company.RULES.replace(
            "rules : {", 'rules : { won : { on = "deal.won"; do = "tag won"; };'))) as d:
        post(d, email="a@shop.example")
        assert "won (10-rules.conf:3) was not asked about L1: no event deal.won" in why(
            d, "L1", "rule=won")
        assert 'no rule "wone" was asked about L1' in why(d, "L1", "rule=wone")


def test_what_was_erased_is_said_to_be_erased_and_what_ran_is_still_told():
    rules = """lang = 1;
rules : {
  ran : { on = "lead.created"; when = "contact.name is set"; first = "g"; do = "tag a"; };
  not_asked : { on = "lead.created"; first = "g"; do = "tag b"; };
  by_name : { on = "lead.created"; when = "contact.name starts 'Z'"; do = "tag c"; };
  by_size : { on = "lead.created"; when = [ "lead.source == 'fair'", "contact.name == 'Z'" ];
              do = "tag d"; };
  by_text : { on = "lead.created"; when = "message.text contains 'zebra'"; do = "tag e"; };
};
"""
    with Daemon(CONF, company.files(rules)) as d:
        post(d, email="a@shop.example", name="Ada Blue", message="long words " * 20)
        before = why(d, "L1")
        assert "contact.name is 'Ada Blue'" in before and "message.text is 'long words" in before
        with sqlite3.connect(d.state + "/leadd.db") as db:
            journal = "".join(r[0] for r in db.execute("SELECT body FROM journal"))
            assert "Ada" not in journal and "words" not in journal
            assert "words" not in "".join(r[0] or "" for r in db.execute(
                "SELECT personal FROM journal"))  # it stands with the message
            db.execute("UPDATE journal SET personal = NULL")
            db.execute("UPDATE message_body SET json = '{}', raw = x''")
        text = why(d, "L1")
        assert "ran (10-rules.conf:3): matched" in text
        assert "not_asked (10-rules.conf:4): not asked: the group was taken by ran" in text
        assert ("by_name (10-rules.conf:5): cannot know now: contact.name starts 'Z' is not known "
                "(10-rules.conf:5): contact.name is (erased)") in text
        assert "by_size (10-rules.conf:6): did not match: lead.source == 'fair' is false" in text
        assert "message.text is (erased)" in text


def test_a_condition_on_a_field_that_is_gone_is_said_and_the_others_are_told():
    rules = """lang = 1;
rules : {
  tall : { on = "lead.created"; when = "lead.floors > 10"; do = "tag tall"; };
  big : { on = "lead.created"; when = "lead.employees > 10"; do = "tag big"; };
};
"""
    with Daemon(CONF, company.files(rules)) as d:
        post(d, email="a@shop.example", employees=7)
        assert "tall (10-rules.conf:3): did not match: lead.floors > 10 is false" in why(d, "L1")
        d.write("leadd.conf", CONF.replace('floors : { type = "int"; };', ""))
        d.write("rules.d/10-rules.conf", rules.replace("floors", "employees"))
        reload(d)
        text = why(d, "L1")
        assert "tall (10-rules.conf:3): cannot know now" in text and "floors" in text
        assert "big (10-rules.conf:4): did not match: lead.employees > 10 is false" in text


def test_a_rule_set_larger_than_a_frame_decides():
    tables = "".join('  t%d : [ %s ];\n' % (t, ", ".join('"%020d"' % (t * 20000 + i)
                                                        for i in range(15000)))
                     for t in range(14))
    rules = """lang = 1;
rules : {
  listed : { on = "lead.created"; when = "contact.name in @t3"; do = "tag listed"; };
};
"""
    more = {"rules.d/5%02d-table.conf" % t: "lang = 1;\ntables : {\n%s\n};\n" % line
            for t, line in enumerate(tables.splitlines())}
    with Daemon(CONF, company.files(rules, **more)) as d:
        post(d, email="a@shop.example", name="%020d" % (3 * 20000 + 77))
        post(d, email="b@shop.example", name="nobody")
        assert "listed (10-rules.conf:3): matched" in why(d, "L1")
        assert "listed (10-rules.conf:3): did not match" in why(d, "L2")
