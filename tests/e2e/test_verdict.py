# SPDX-License-Identifier: ISC
"""Another program says whether the post of a form is spam: nothing comes of a post before, its
sender is answered at once whatever is said, and no post is lost or filed twice."""
import contextlib
import json
import re
import subprocess
import threading

import pytest

import company
import forms
from daemon import Daemon, until
from httppeer import JSON, HttpPeer, endless_body, status
from peers import drop
from roles import LEADD

START = "2026-11-20T10:00:00Z"
RULES = """
lang = 1;
rules : { rest : { on = "lead.created"; do = "assign tom"; }; };
"""
FORM = """
  ask : {
    fields : { email = { to = "contact.email"; required = true; }; words = "message.text"; };
    same_within = "1h"; honeypot = "trap"; %s
    verdict : { endpoint = "judge"; %s };
  };
"""


def says(word):
    return lambda request: (200, JSON, json.dumps({"verdict": word}).encode())


def conf(url, form="", verdict="", web="", endpoint=""):
    return forms.conf(
        FORM % (form, verdict), 'max_body = "4M"; in_url = "https://in.example.com/"; ' + web,
        settings='endpoints : { judge : { url = "%s"; timeout = "60s"; %s }; };' % (url, endpoint))


@contextlib.contextmanager
def start(peer, **more):
    with Daemon(conf(peer.url("/judge"), **more), company.files(RULES),
                args=["--pretend-time", START]) as d:
        yield d


def post(d, n=0, expect="accepted", **more):
    a = forms.post_json(d, "ask", dict({"email": "ada%d@shop.example" % n, "words": "Hello %d" % n},
                                       **more), {"Referer": "https://www.example.com/contact"})
    assert a.status == 200 and a.json["status"] == expect and "lead" not in a.json, a.text


def leads(d, n=None):
    def rows():
        return d.ctl("list", "leads")["rows"]
    if n:
        until(lambda: len(rows()) >= n, why="%d leads" % n)
    return rows()


def kept(d, words=None):
    def rows():
        return [r for r in d.ctl("quarantine", "list")["rows"] if not words or words in r["reason"]]
    return until(rows, why=words) if words else rows()


def ledger(d):
    return [r["state"] for r in d.ctl("ledger", "source=form:ask")["rows"]]


def held(word):
    """A judge that says so once it may."""
    gate = threading.Event()

    def handler(request):
        gate.wait(300)
        return says(word)(request)
    return gate, handler


def test_ham_is_filed_once_the_judge_has_said_so_and_the_sender_waits_for_nobody():
    gate, handler = held("ham")
    with HttpPeer() as peer, start(peer, verdict='within = "1h";') as d:
        peer.on("/judge", handler)
        try:
            post(d, colour="red")
            until(lambda: peer.requests, why="the question")
            (row,) = kept(d)
            assert row["reason"] == "waits for the verdict of judge" and leads(d) == []
            assert d.ctl("list", "contacts")["rows"] == []
        finally:
            gate.set()
        (lead,) = leads(d, 1)
        assert lead["source"] == "ask" and kept(d) == [] and ledger(d) == ["filed"]
        body = json.loads(peer.requests[0].body)
        assert body["type"] == "form.verdict" and body["timestamp"] == "2026-11-20T10:00:00.000Z"
        data = body["data"]
        assert data.pop("agent", "") is not None
        assert data == {"form": "ask", "fields": {"email": "ada0@shop.example", "words": "Hello 0"},
                        "extra": {"colour": "red"}, "address": "ada0@shop.example",
                        "remote": "127.0.0.1", "page": "https://www.example.com/contact"}
        (call,) = d.ctl("calls", "list")["rows"]
        assert (call["kind"], call["name"], call["state"]) == ("verdict", "ask", "done")
        assert d.ctl("calls", "show", "1")["call"]["body"] is None
        assert "does not know" not in d.ctl("why", lead["id"])["text"]


def test_spam_stays_in_quarantine_with_the_reason_until_a_person_releases_it():
    with HttpPeer() as peer, start(peer) as d:
        peer.on("/judge", says("spam"))
        post(d)
        (row,) = kept(d, "taken for spam by judge")
        assert leads(d) == [] and ledger(d) == ["quarantined"]
        d.ctl("clock", "advance", "1h")
        assert kept(d) and leads(d) == []
        d.ctl("quarantine", "retry", row["q"])
        leads(d, 1)
        assert kept(d) == [] and len(peer.requests) == 1 and ledger(d) == ["filed"]


def test_unsure_goes_on_and_is_marked():
    with HttpPeer() as peer, start(peer) as d:
        peer.on("/judge", says("unsure"))
        post(d)
        (lead,) = leads(d, 1)
        assert "judge does not know whether it is spam" in d.ctl("why", lead["id"])["text"]


def test_what_the_honeypot_finds_is_asked_of_nobody():
    with HttpPeer() as peer, start(peer) as d:
        post(d, trap="x")
        kept(d, "taken for spam: the field")
        assert peer.requests == [] and d.ctl("calls", "list")["rows"] == []


@pytest.mark.parametrize("otherwise", ["accept", "quarantine"])
@pytest.mark.parametrize("answer", [status(400), status(503), drop, endless_body,
                                    status(200, JSON, b'{"verdict": "maybe"}'),
                                    status(200, JSON, b"ham"), status(302, {"Location": "/x"})],
                         ids=["400", "503", "drop", "endless", "maybe", "ham", "302"])
def test_without_a_verdict_the_post_goes_as_otherwise_says(answer, otherwise):
    script = [{"answer": [answer] * 50}] + [{"answer": answer}] * 50
    with HttpPeer(script) as peer, start(peer, verdict='otherwise = "%s";' % otherwise) as d:
        post(d)
        until(lambda: peer.requests, why="the question")
        d.ctl("clock", "advance", "1m")
        if otherwise == "accept":
            (lead,) = leads(d, 1)
            assert "judge does not know whether it is spam: " in d.ctl("why", lead["id"])["text"]
            assert kept(d) == []
        else:
            kept(d, "no verdict of judge: ")
            assert leads(d) == []
        d.ctl("clock", "advance", "1h")
        assert len(leads(d)) + len(kept(d)) == 1


def test_a_judge_that_never_answers_holds_nothing_up_and_its_late_word_changes_nothing():
    gate, handler = held("spam")
    with HttpPeer() as peer, start(peer, endpoint="connections = 2;") as d:
        peer.on("/judge", handler)
        try:
            for n in range(5):
                post(d, n)
            until(lambda: len(peer.requests) == 2, why="the questions")
            assert leads(d) == []
            d.ctl("clock", "advance", "11s")
            assert len(leads(d, 5)) == 5 and kept(d) == []
        finally:
            gate.set()
        states = {r["state"] for r in d.ctl("calls", "list")["rows"]}
        assert states == {"failed"}
        assert ledger(d) == ["filed"] * 5 and len(leads(d)) == 5


def test_a_judge_that_is_down_is_waited_for_only_so_long():
    with HttpPeer() as peer:
        url = peer.url("/judge")
    with Daemon(conf(url), company.files(RULES), args=["--pretend-time", START]) as d:
        post(d)
        d.ctl("clock", "advance", "11s")
        assert len(leads(d, 1)) == 1


@pytest.mark.parametrize("role", ["engine", "courier"])
def test_nothing_is_lost_when_one_is_killed_between_question_and_answer(role):
    gate, handler = held("ham")
    with HttpPeer() as peer, start(peer, verdict='within = "1h";') as d:
        peer.on("/judge", handler)
        try:
            post(d)
            until(lambda: peer.requests, why="the question")
            d.kill(role)
        finally:
            gate.set()
        d.ctl("clock", "advance", "10m")
        assert len(leads(d, 1)) == 1 and kept(d) == [] and ledger(d) == ["filed"]
        d.ctl("clock", "advance", "2h")
        assert len(leads(d)) == 1


def test_the_time_of_a_question_ends_though_the_engine_was_killed():
    gate, handler = held("ham")
    with HttpPeer() as peer, start(peer, verdict='otherwise = "quarantine";') as d:
        peer.on("/judge", handler)
        try:
            post(d)
            until(lambda: peer.requests, why="the question")
            d.kill("engine")
            d.ctl("clock", "advance", "20s")
            kept(d, "no verdict of judge")
        finally:
            gate.set()
        assert leads(d) == []


def test_a_post_that_a_person_released_or_dropped_meanwhile_is_decided():
    gate, handler = held("ham")
    with HttpPeer() as peer, start(peer, verdict='within = "1h";') as d:
        peer.on("/judge", handler)
        try:
            post(d, 1)
            post(d, 2)
            until(lambda: len(peer.requests) == 2, why="the questions")
            one, two = kept(d)
            d.ctl("quarantine", "retry", one["q"])
            d.ctl("quarantine", "drop", two["q"])
            leads(d, 1)
        finally:
            gate.set()
        until(lambda: {r["state"] for r in d.ctl("calls", "list")["rows"]} == {"done"})
        d.ctl("clock", "advance", "2h")
        assert len(leads(d)) == 1 and sorted(ledger(d)) == ["filed", "ignored"]


def test_the_same_words_twice_are_one_message_and_a_repeated_key_one_post():
    with HttpPeer() as peer, start(peer) as d:
        peer.on("/judge", says("ham"))
        for n in range(2):
            post(d)
        until(lambda: ledger(d) == ["filed", "filed"], why="both are filed")
        assert len(leads(d)) == 1 and kept(d) == []
        key = {"Idempotency-Key": "k1"}
        for n in range(2):
            a = forms.post_json(d, "ask", {"email": "bob@shop.example"}, key)
            assert a.status == 200
        leads(d, 2)
        assert len(peer.requests) == 3


def test_with_confirm_the_mail_leaves_after_the_verdict():
    def asked(d):
        return [m for m in company.sent(d.dir) if "/c/Q" in m.get_content()]
    gate, handler = held("ham")
    with HttpPeer() as peer, start(peer, form="confirm = true;", verdict='within = "1h";') as d:
        peer.on("/judge", handler)
        try:
            post(d, expect="confirm")
            until(lambda: peer.requests, why="the question")
            assert asked(d) == [] and d.ctl("quarantine", "list", "unconfirmed")["rows"] == []
        finally:
            gate.set()
        (mail,) = until(lambda: asked(d), why="the mail that asks")
        assert kept(d) == [] and leads(d) == []
        path = re.search(r"https://in\.example\.com(/c/\S+)", mail.get_content()).group(1)
        assert forms.ask(d, "POST", path).status == 200
        assert len(leads(d, 1)) == 1 and ledger(d) == ["filed"]
        peer.on("/judge", says("spam"))
        post(d, 1, expect="confirm")
        kept(d, "taken for spam by judge")
        assert len(asked(d)) == 1 and len(peer.requests) == 2


def test_an_endpoint_that_is_none_is_told():
    with Daemon(conf("http://127.0.0.1:1/").replace('"judge"', '"jugde"'), company.files(RULES),
                start=False) as d:
        r = subprocess.run([LEADD, "-c", d.conf_path, "-t"], capture_output=True, text=True)
        assert r.returncode != 0
        assert 'there is no endpoint "jugde"; did you mean "judge"?' in r.stdout + r.stderr
