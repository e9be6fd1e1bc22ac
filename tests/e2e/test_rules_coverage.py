# SPDX-License-Identifier: ISC
"""What each rule was good for: leadctl rules coverage, history and show.

The numbers are compared with the journal, which tells every decision by itself.
"""
import contextlib
import datetime
import json
import os
import random
import sqlite3
import tempfile
import urllib.error
import urllib.parse
import urllib.request

import pytest

import company
from daemon import BUILD, CtlError, Daemon, until

RULES = """
lang = 1;
rules : {
  large : { first = "assignment"; on = "lead.created"; when = "lead.employees >= 500";
            do = "assign mia"; };
  rest : { first = "assignment"; on = "lead.created"; do = "assign pool sales"; };
  hot : { on = "lead"; when = [ "lead.score >= 60", "lead.employees >= 10" ]; do = "tag hot"; };
  keen : { on = "form.received"; when = "lead.employees >= 50"; do = [ "set lead.score 70", "done" ]; };
  welcome : { on = "lead.created"; when = "contact.email is set"; do = "send welcome"; };
  slow : { on = "lead"; when = "lead.score >= 60"; after = "1h"; do = "tag slow"; };
  maybe : { on = "lead.created"; mode = "shadow"; do = "tag maybe"; };
  silent : { on = "lead.created"; when = "lead.employees > 100000"; do = "tag giant"; };
};
pools : { sales : { by = "weighted";
                    members = ( { user = "tom"; weight = 2; }, { user = "eva"; } ); }; };
"""
hooks = pytest.mark.skipif("#define LEADD_TEST_HOOKS" not in open(BUILD + "/config.h").read(),
                           reason="configure without --enable-test-hooks")
START = "2026-11-16T09:00:00Z"


def post(d, **fields):
    url = "http://127.0.0.1:%d/form/contact" % d.port("web-in")
    data = urllib.parse.urlencode(fields).encode()
    with urllib.request.urlopen(urllib.request.Request(url, data=data), timeout=120) as r:
        return r.status


def traffic(d, rng, n):
    for i in range(n):
        post(d, name="Ada %d" % i, email="ada%d@shop.example" % rng.randrange(40),
             employees=rng.choice([1, 20, 60, 500, 900]), message="hello")
        if i % 5 == 0:
            lead = rng.choice(d.ctl("list", "leads")["rows"])["id"]
            d.ctl("do", lead, "set", "lead.score", str(rng.choice([10, 65, 90])))


def advance(d, how_long):
    """Time passes, and all timers have fired."""
    d.ctl("clock", "advance", how_long)
    with contextlib.closing(sqlite3.connect("file:%s/leadd.db?mode=ro" % d.state, uri=True)) as db:
        until(lambda: db.execute("SELECT count(*) FROM timer").fetchone() == (0,), why="the timers")


def counted(d):
    return {r["rule"]: r for r in d.ctl("rules", "coverage")["rows"]}


def independent(store):
    """The same numbers out of the journal. A rule that matched has its commands in "did"."""
    found = {}
    db = sqlite3.connect("file:%s?mode=ro" % store, uri=True)
    for at, body in db.execute("SELECT at_ms, body FROM journal ORDER BY id"):
        body = json.loads(body)
        for d in body.get("decisions", []):
            n = found.setdefault(d["rule"], dict(hits=0, fired=0, refused=0, last=0))
            outcome = d.get("outcome", "not_true" if "when" in d else "matched")
            if outcome not in ("matched", "shadow"):
                continue
            n["hits"] += 1
            n["last"] = max(n["last"], at)
            n["fired"] += "did" in d
            n["refused"] += sum(1 for x in d.get("did", [])
                                if isinstance(x, dict) and "error" in x)
    db.close()
    return found


def agrees(d):
    rows, want = counted(d), independent(d.state + "/leadd.db")
    for name, row in rows.items():
        n = want.get(name, dict(hits=0, fired=0, refused=0, last=0))
        assert (row["hits"], row["fired"], row["refused"]) == (n["hits"], n["fired"],
                                                               n["refused"]), name
        last = 0 if row["last_hit"] == "never" else datetime.datetime.fromisoformat(
            row["last_hit"].replace("Z", "+00:00")).timestamp() * 1000
        assert round(last) == n["last"], name
        assert row["asked"] >= row["hits"]
    return rows


def stored(d):
    db = sqlite3.connect("file:%s/leadd.db?mode=ro" % d.state, uri=True)
    found = {r[0]: r[1:] for r in db.execute(
        "SELECT rule, sum(evaluated), sum(matched), sum(fired), sum(refused) FROM rule_count "
        "GROUP BY rule")}
    db.close()
    return found


@pytest.fixture
def busy():
    rng = random.Random(7)
    with Daemon(company.conf(mailboxes=""), company.files(RULES),
                args=["--pretend-time", START]) as d:
        traffic(d, rng, 25)
        yield d, rng


def test_the_counts_are_those_of_the_journal_also_over_restarts_days_and_reloads(busy):
    d, rng = busy
    rows = agrees(d)
    assert rows["rest"]["hits"] > 2 and rows["large"]["hits"] > 2 and rows["hot"]["hits"] > 2
    assert rows["keen"]["refused"] == rows["keen"]["fired"] > 2
    assert rows["silent"]["hits"] == 0 and rows["silent"]["last_hit"] == "never"
    assert rows["silent"]["at"].endswith("10-rules.conf:12")
    assert stored(d) == {}, "no message may pay for it with a row"
    d.stop()
    before = {n: (r["asked"], r["hits"], r["fired"], r["refused"]) for n, r in rows.items()}
    assert stored(d) == {n: v for n, v in before.items() if any(v)}
    d.start()
    advance(d, "3d")
    traffic(d, rng, 20)
    rows = agrees(d)
    assert rows["slow"]["hits"] == rows["slow"]["fired"] > 1, "a timer that fires is a hit"
    assert rows["maybe"]["hits"] > 1 and rows["maybe"]["fired"] == 0
    d.write("rules.d/10-rules.conf", RULES.replace("silent :", "quiet :"))
    assert "done" in d.reload()
    until(lambda: "quiet" in counted(d), why="the new set")
    traffic(d, rng, 10)
    agrees(d)
    never = d.ctl("rules", "coverage", "--never")
    assert [r["rule"] for r in never["rows"]] == ["quiet"]
    (gone,) = never["sections"][0]["rows"]
    assert gone["rule"] == "silent" and gone["at"].endswith("10-rules.conf:12")
    assert "Rules that are in no file any more" in d.ctl_text("rules", "coverage")


def test_a_share_of_days_is_counted_by_itself(busy):
    d, rng = busy
    advance(d, "10d")
    first = counted(d)
    traffic(d, rng, 20)
    since = {r["rule"]: r for r in d.ctl("rules", "coverage", "since=3d")["rows"]}
    both = counted(d)
    for name in both:
        assert since[name]["hits"] == both[name]["hits"] - first[name]["hits"]
    assert sum(r["hits"] for r in since.values()) > 10
    assert d.ctl("rules", "coverage", "--since=2026-11-26")["rows"] == list(since.values())
    with pytest.raises(CtlError, match="expected a duration"):
        d.ctl("rules", "coverage", "since=yesterday")
    with pytest.raises(CtlError, match="not known"):
        d.ctl("rules", "coverage", "newer")


@hooks
def test_what_is_undone_is_not_counted():
    """The disk is full at the commit: the pass is undone, and its item runs again."""
    fault = tempfile.mktemp(prefix="leadd-fault-", dir="/tmp")
    with Daemon(company.conf(mailboxes=""), company.files(RULES),
                env={"LEADD_FAULT_FILE": fault}) as d:
        post(d, email="w@shop.example", employees=900)
        try:
            with open(fault + ".new", "w") as f:
                f.write("write wal full 0 2")
            os.rename(fault + ".new", fault)
            mark = d.mark()
            try:
                post(d, email="x@shop.example", employees=900)
            except urllib.error.HTTPError as e:
                assert e.code == 503
            d.wait_log("store.failed", after=mark)
            d.wait_log("store.well", after=mark)
        finally:
            os.unlink(fault)
        post(d, email="y@shop.example", employees=900)
        assert agrees(d)["large"]["hits"] == len(d.ctl("list", "leads")["rows"]) in (2, 3)


@hooks
def test_a_crash_loses_no_more_than_what_was_not_written_yet(busy):
    d, rng = busy
    with Daemon(company.conf(mailboxes=""), company.files(RULES),
                args=["--pretend-time", START], env={"LEADD_HOOKS": "coverage.now"}) as d2:
        traffic(d2, rng, 10)
        want = {n: r["hits"] for n, r in counted(d2).items()}
        until(lambda: stored(d2).get("welcome", (0, 0))[1] == want["welcome"], why="the writing")
        d2.kill("engine")
        assert {n: r["hits"] for n, r in counted(d2).items()} == want
    d.kill("engine")
    assert all(r["hits"] == 0 for r in counted(d).values())
    traffic(d, rng, 1)
    assert counted(d)["welcome"]["hits"] <= 1


def test_the_metrics_name_rules_where_they_are_few(busy):
    d, rng = busy
    rows = counted(d)
    with urllib.request.urlopen("http://127.0.0.1:%d/metrics" % d.port("web-ui")) as r:
        text = r.read().decode()
    assert 'leadd_rule_matches_total{rule="rest"} %d' % rows["rest"]["hits"] in text
    assert "leadd_rules_fired_total %d" % sum(r["fired"] for r in rows.values()) in text
    assert "leadd_rules_unmatched 2\n" in text
    many = "".join('r%d : { on = "lead.created"; do = "tag t%d"; };\n' % (i, i) for i in range(41))
    d.write("rules.d/20-many.conf", "lang = 1;\nrules : {\n%s};\n" % many)
    assert "done" in d.reload()
    until(lambda: len(counted(d)) == 49, why="the new set")
    with urllib.request.urlopen("http://127.0.0.1:%d/metrics" % d.port("web-ui")) as r:
        text = r.read().decode()
    assert "rule=" not in text and "leadd_rule_matches_total " in text


@hooks
def test_the_costly_rule_has_the_largest_share():
    words = "message.text ~ '^(a|aa)+[^a]c'"
    rules = RULES.replace("silent : {", """costly : { on = "form.received"; when = "%s"; do = "tag z"; };
  silent : {""" % words)
    with Daemon(company.conf(mailboxes=""), company.files(rules),
                env={"LEADD_HOOKS": "coverage.every"}) as d:
        for i in range(30):
            post(d, email="a%d@shop.example" % i, message="a" * 20 + "c")
        rows = counted(d)
        share = {n: float(r["cost"].split()[0]) for n, r in rows.items()}
        assert share["costly"] > 50, share
        assert abs(sum(share.values()) - 100) < 1


def test_history_says_which_set_decided_since_when_and_who_brought_it(busy):
    d, rng = busy
    (first,) = d.ctl("rules", "history")["rows"]
    assert first["rules"] == 8 and first["in_force"] == "now" and first["by"] == "start or SIGHUP"
    d.ctl("clock", "advance", "1d")
    d.write("rules.d/10-rules.conf", RULES.replace("score 70", "score 80"))
    d.ctl("reload")
    until(lambda: len(d.ctl("rules", "history")["rows"]) == 2, why="the new set")
    d.write("rules.d/10-rules.conf", RULES)
    d.ctl("reload")
    third = until(lambda: (lambda r: r if len(r) == 3 else None)(
        d.ctl("rules", "history")["rows"]), why="the first set again")
    assert [r["hash"] == first["hash"] for r in third] == [True, False, True]
    assert third[0]["by"] == third[1]["by"] == os.popen("id -un").read().strip()
    text = d.ctl_text("rules", "show", third[1]["set"])
    assert 'do = [ "set lead.score 80", "done" ];' in text and 'tables' in text
    assert d.ctl("rules", "show", first["hash"])["set"]["hash"] == first["hash"]
    # what was refused brings nobody into the history
    d.write("rules.d/10-rules.conf", "rules :")
    with pytest.raises(CtlError):
        d.ctl("reload")
    d.write("rules.d/10-rules.conf", RULES.replace("score 70", "score 90"))
    d.reload()
    last = until(lambda: (lambda r: r if len(r) == 4 else None)(
        d.ctl("rules", "history")["rows"]), why="the fourth")
    assert last[0]["by"] == "start or SIGHUP"
    with pytest.raises(CtlError, match="no rule set"):
        d.ctl("rules", "show", "ffffffff")
    with pytest.raises(CtlError, match="first four"):
        d.ctl("rules", "show", "f")
