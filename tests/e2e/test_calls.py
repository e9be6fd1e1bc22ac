# SPDX-License-Identifier: ISC
"""Calls of endpoints: webhooks that tell other programs, and enrichments that ask
them; against receivers of every kind."""
import base64
import hashlib
import hmac
import json
import os
import subprocess
import threading

import pytest

import company
from daemon import Daemon, until
from httppeer import JSON, HttpPeer, endless_body, endless_headers, status
from peers import drop, garbage, hang
from test_main_job import post, rows, wait_rows

START = "2026-11-20T10:00:00Z"
KEY = b"thirty-two bytes of a shared key"

RULES = """
lang = 1;
rules : {
  rest : { on = "lead.created"; do = [ "assign tom", "webhook erp lead.subject, contact.email, lead.employees" ]; };
};
"""


def endpoint(url, name="erp", **more):
    extra = " ".join("%s = %s;" % (k, v if isinstance(v, int) else '"%s"' % v)
                     for k, v in more.items())
    return '%s : { url = "%s"; timeout = "60s"; %s };' % (name, url, extra)


def config(*endpoints, settings=""):
    return company.conf(settings="endpoints : { %s }; %s" % (" ".join(endpoints), settings))


def daemon(peer, rules=RULES, settings="", pretend=True, path="/hook", **more):
    files = company.files(rules)
    files["key"] = "whsec_" + base64.b64encode(KEY).decode()
    files["token"] = "s3cret"
    return Daemon(config(endpoint(peer.url(path), **dict({"secret_file": "@DIR@/key"}, **more)),
                         settings=settings), files,
                  args=["--pretend-time", START] if pretend else [])


def form(d, n=0, **more):
    post(d, dict({"email": "ada%d@shop.example" % n, "name": "Ada Beispiel"}, **more))


def wait_state(d, state, n=1):
    return wait_rows(d, n, "calls", "list", "state=" + state)


def verify(request, key=KEY):
    """As a receiver does it, by the text of Standard Webhooks."""
    h = request.headers
    signed = b"%s.%s.%s" % (h["webhook-id"].encode(), h["webhook-timestamp"].encode(), request.body)
    mac = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    return "v1," + mac in h["webhook-signature"].split(" ")


# ---- webhooks --------------------------------------------------------------------

def test_a_webhook_is_signed_and_says_what_happened():
    with HttpPeer() as peer, daemon(peer) as d:
        form(d, employees="12")
        wait_state(d, "done")
        (r,) = peer.requests
        assert r.method == "POST" and r.path == "/hook" and verify(r)
        assert not verify(r, b"another key")
        assert r.headers["webhook-timestamp"] == "1795168800"
        assert r.headers["content-type"] == "application/json"
        body = json.loads(r.body)
        assert body == {"id": r.headers["webhook-id"], "type": "lead.created",
                        "timestamp": "2026-11-20T10:00:00.000Z",
                        "data": {"rule": "rest", "lead": "L1", "contact": "C1", "company": "O1",
                                 "fields": {"lead.subject": None, "lead.employees": 12,
                                            "contact.email": "ada0@shop.example"}}}
        assert "." not in body["id"] and len(body["id"]) > 16
        assert "call 1: erp is told" in d.ctl("why", "L1")["text"]
        assert d.ctl("calls", "show", "1")["call"]["body"] is None  # nobody's values are kept


@pytest.mark.parametrize("auth, header", [
    ({"auth": "bearer", "token_file": "@DIR@/token"}, "Bearer s3cret"),
    ({"auth": "basic", "user": "crm", "password_file": "@DIR@/token"},
     "Basic " + base64.b64encode(b"crm:s3cret").decode())])
def test_sign_in(auth, header):
    with HttpPeer() as peer, daemon(peer, **auth) as d:
        form(d)
        wait_state(d, "done")
        assert peer.requests[0].headers["authorization"] == header
        assert "s3cret" not in d.log()


def again_is_right(d, peer, n):
    """Call n was tried in vain: the second try is the same but for its time."""
    (row,) = [r for r in wait_state(d, "deferred") if r["id"] == n]
    assert row["attempts"] == 1 and row["next"] > row["created"]
    peer.on("/hook", lambda r: (200, JSON, b""))
    d.ctl("clock", "advance", "10s")
    assert {r["id"]: r["attempts"] for r in wait_state(d, "done", n)}[n] == 2
    first, second = peer.requests[-2:]
    assert first.headers["webhook-id"] == second.headers["webhook-id"]
    assert first.body == second.body and verify(second)
    assert first.headers["webhook-timestamp"] != second.headers["webhook-timestamp"]


def test_what_may_pass_is_tried_again_under_the_same_id():
    with HttpPeer() as peer, daemon(peer) as d:
        for n, code in enumerate((408, 409, 425, 429, 500, 503)):
            peer.on("/hook", lambda r, c=code: (c, JSON, b""))
            form(d, n)
            again_is_right(d, peer, n + 1)


@pytest.mark.parametrize("action", [drop, garbage, endless_headers])
def test_an_answer_that_is_none_is_no_answer(action):
    with HttpPeer([{"answer": action}]) as peer, daemon(peer) as d:
        form(d)
        again_is_right(d, peer, 1)


def test_what_would_be_refused_again_fails_at_once_and_is_told():
    with HttpPeer() as peer, daemon(peer) as d:
        for n, code in enumerate((302, 400, 401, 404)):
            peer.on("/hook", lambda r, c=code: (c, dict(JSON, Location="/other"), b""))
            form(d, n)
            row = wait_state(d, "failed", n + 1)[0]
            assert len(peer.requests) == n + 1 and "HTTP %d" % code in row["reply"]
        assert "redirects are not followed" in rows(d, "calls", "list")[-1]["reply"]
        until(lambda: company.sent(d.dir))
        told = [m for m in company.sent(d.dir) if "refused a call" in m["Subject"]]
        assert len(told) == 1
        peer.on("/hook", lambda r: (200, JSON, b""))
        d.ctl("calls", "retry", "1")
        wait_state(d, "done")


def test_a_huge_answer_is_not_read_and_counts_as_what_its_code_says():
    with HttpPeer([{"answer": endless_body}]) as peer, daemon(peer) as d:
        form(d)
        (row,) = wait_state(d, "done")
        assert row["code"] == 200


def test_retry_after_is_honoured():
    with HttpPeer([{"answer": status(429, {"Retry-After": "3600"})}]) as peer, daemon(peer) as d:
        form(d)
        wait_state(d, "deferred")
        form(d, 1)  # the whole endpoint waits
        d.ctl("clock", "advance", "59m")
        d.ctl("clock")
        assert len(peer.requests) == 1
        d.ctl("clock", "advance", "2m")
        wait_state(d, "done", 2)


def test_gone_disables_the_endpoint_until_it_is_enabled():
    with HttpPeer([{"answer": status(410)}]) as peer, daemon(peer) as d:
        form(d)
        wait_state(d, "failed")
        form(d, 1)
        d.kill("engine")
        d.ctl("clock", "advance", "1h")
        assert [r["state"] for r in rows(d, "calls", "list")] == ["ready", "failed"]
        assert len(peer.requests) == 1
        assert "disabled" in d.ctl_text("status", width=200)
        assert any("is gone" in m["Subject"] for m in company.sent(d.dir))
        d.ctl("calls", "enable", "erp")
        wait_state(d, "done")


def test_the_breaker_opens_probes_alone_and_closes():
    with HttpPeer() as peer, daemon(peer, connections=4) as d:
        peer.on("/hook", lambda r: (500, JSON, b""))
        for n in range(4):
            form(d, n)
        wait_state(d, "deferred", 4)
        d.ctl("clock", "advance", "7s")
        d.wait_log("call.breaker endpoint=erp")
        wait_state(d, "deferred", 4)
        seen = len(peer.requests)
        form(d, 9)
        d.ctl("clock", "advance", "20s")
        assert rows(d, "calls", "list")[0]["state"] == "ready" and len(peer.requests) == seen
        assert "does not answer" in d.ctl_text("status", width=200)
        d.ctl("clock", "advance", "25s")  # half open: one, alone
        until(lambda: len(peer.requests) > seen)
        d.ctl("clock")
        assert len(peer.requests) == seen + 1
        peer.on("/hook", lambda r: (200, JSON, b""))
        d.ctl("clock", "advance", "10m")
        wait_state(d, "done", 5)
        told = [m for m in company.sent(d.dir) if "does not answer" in m["Subject"]]
        assert len(told) == 1


def test_given_up_after_its_time():
    with HttpPeer() as peer, daemon(peer, give_up="1h") as d:
        peer.on("/hook", lambda r: (500, JSON, b""))
        form(d)
        wait_state(d, "deferred")
        d.ctl("clock", "advance", "3h")
        (row,) = wait_state(d, "failed")
        assert row["reply"].startswith("given up: HTTP 500") and 5 <= row["attempts"] <= 9
        assert "2026-11-20T11:00" <= row["done"] < "2026-11-20T11:01"


def test_one_that_hangs_delays_neither_mail_nor_another_endpoint():
    rules = RULES.replace('"webhook erp', '"webhook slow", "webhook erp')
    with HttpPeer([], ) as slow, HttpPeer() as peer:
        slow.default = {"answer": hang}
        files = company.files(rules)
        conf = config(endpoint(peer.url()), endpoint(slow.url(), "slow", connections=2))
        with Daemon(conf.replace('timeout = "60s"; connections', 'timeout = "5m"; connections'),
                    files) as d:
            for n in range(6):
                form(d, n)
            wait_rows(d, 6, "calls", "list", "state=done", "endpoint=erp")
            assert len(rows(d, "calls", "list", "endpoint=slow", "state=claimed")) == 2
            d.ctl("do", "L1", "send", "welcome")
            wait_rows(d, 1, "outbox", "list", "state=sent")


def test_a_restart_of_anybody_loses_no_call():
    with HttpPeer([{"answer": hang}]) as peer, daemon(peer) as d:
        form(d)
        peer.wait(lambda: peer.requests)
        d.kill("engine")
        assert rows(d, "calls", "list")[0]["state"] == "claimed"
        d.kill("courier")
        d.ctl("clock", "advance", "1m")
        wait_state(d, "done")
        assert len({r.headers["webhook-id"] for r in peer.requests}) == 1


def test_undo_takes_back_a_call_that_has_not_left():
    with HttpPeer([{"answer": status(503, {"Retry-After": "600"})}]) as peer, daemon(peer) as d:
        form(d)
        wait_state(d, "deferred")
        d.ctl("undo", "L1")
        (row,) = rows(d, "calls", "list")
        assert row["state"] == "failed" and row["reply"] == "taken back"
        d.ctl("clock", "advance", "1h")
        d.ctl("clock")
        assert len(peer.requests) == 1


@pytest.fixture(scope="module")
def certs(tmp_path_factory):
    """name -> (server context, file of the certificate)"""
    import ssl
    found, folder = {}, tmp_path_factory.mktemp("certs")
    for name, san in (("right", "IP:127.0.0.1"), ("wrong", "DNS:other.example")):
        key, crt = str(folder / (name + ".key")), str(folder / (name + ".crt"))
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                        "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", key, "-out", crt,
                        "-days", "30", "-subj", "/CN=test", "-addext", "subjectAltName=" + san],
                       check=True, capture_output=True)
        ctx = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        ctx.load_cert_chain(crt, key)
        found[name] = ctx, crt
    return found


@pytest.mark.parametrize("which, trusted", [("right", True), ("wrong", True), ("right", False)])
def test_who_it_is_is_verified(certs, which, trusted):
    ctx, crt = certs[which]
    more = {"ca_file": crt} if trusted else {}
    with HttpPeer(tls=ctx) as peer, daemon(peer, **more) as d:
        form(d)
        if which == "right" and trusted:
            wait_state(d, "done")
        else:
            wait_state(d, "deferred")
            assert not peer.requests


def test_reload_gives_the_courier_another_url():
    with HttpPeer() as old, HttpPeer() as new, daemon(old) as d:
        form(d)
        wait_state(d, "done")
        with open(d.conf_path) as f:
            text = f.read()
        d.write("leadd.conf", text.replace(old.url("/hook"), new.url("/hook")))
        mark = d.mark()
        assert "courier" in d.reload()
        for role in ("engine", "courier"):  # what the old one still takes on may be made again
            d.wait_log("role.ready role=%s" % role, after=mark)
        form(d, 1)
        wait_state(d, "done", 2)
        assert len(old.requests) == len(new.requests) == 1


def test_wrong_endpoints_are_told_when_the_config_is_read():
    wrong = [
        ("webhook epr", "did you mean 'erp'"),
        ("webhook erp lead.subjct", "did you mean lead.subject"),
        ("webhook erp lead.subject contact.email",
         "a comma goes between two fields: lead.subject, contact.email"),
        ("enrich scoring", "no enrichment 'scoring'"),
    ]
    with HttpPeer() as peer, daemon(peer) as d:
        for line, text in wrong:
            d.write("rules.d/10-rules.conf", "lang = 1;\nrules : { a : { on = \"lead.created\"; "
                    "do = \"%s\"; }; };\n" % line)
            mark = d.mark()
            assert "failed" in d.reload()
            assert text in "\n".join(d.lines[mark:])


# ---- enrichments -------------------------------------------------------------------

ASK = """
lang = 1;
rules : {
  ask  : { on = "lead.created"; do = [ "assign tom", "enrich scoring" ]; };
  hot  : { on = "lead.enriched"; when = "lead.score >= 80"; do = "tag hot"; };
  none : { on = "lead.enrich_failed"; do = "tag unscored"; };
};
enrichments : {
  scoring : {
    endpoint = "erp"; send = [ "lead.employees", "contact.domain" ]; %s
    set = ( { from = "result.score"; to = "lead.score"; },
            { from = "language"; to = "contact.language"; } );
  };
};
"""
GOOD = {"result": {"score": 87}, "language": "de"}


def answering(peer, answer):
    body = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
    peer.on("/hook", lambda r: (200, JSON, body))


def tags(d, lead="L1"):
    text = d.ctl_text("show", lead, width=200)
    return {t for t in ("hot", "unscored") if t in text}


def lead_of(d, n=1):
    return next(r for r in rows(d, "list", "leads") if r["id"] == "L%d" % n)


def test_an_answer_sets_fields_and_wakes_rules():
    with HttpPeer() as peer, daemon(peer, ASK % "") as d:
        answering(peer, GOOD)
        form(d, employees="12")
        wait_state(d, "done")
        body = json.loads(peer.requests[0].body)
        assert verify(peer.requests[0]) and body["type"] == "enrich"
        assert body["data"] == {"enrichment": "scoring", "lead": "L1", "contact": "C1",
                                "company": "O1", "fields": {"lead.employees": 12,
                                                            "contact.domain": "shop.example"}}
        assert lead_of(d)["score"] == 87 and tags(d) == {"hot"}
        why = d.ctl("why", "L1")["text"]
        assert "lead.enriched" in why and "enrich-scoring" in why
        assert "2026-11-20T10:00" in rows(d, "calls", "list")[0]["done"]
        d.ctl("undo", "L1")  # what the answer did
        assert lead_of(d)["score"] == 0


WRONG = {
    "no JSON": b"<html>it works</html>", "garbage": b"\x00\xff{", "a list": [1, 2], "nothing": {},
    "a text": {"result": {"score": "87"}}, "a fraction": {"result": {"score": 8.7}},
    "half": {"result": {"score": 87}, "language": 5}, "deep": b"[" * 100000,
    "twice": b'{"language": "de", "language": "en"}', "huge": b'{"language": "' + b"x" * 300000 + b'"}',
    "long": {"language": "x" * 5000}, "empty": b"",
}


def test_a_wrong_answer_changes_nothing_and_is_told():
    with HttpPeer() as peer, daemon(peer, ASK % "") as d:
        for n, (name, answer) in enumerate(WRONG.items(), 1):
            answering(peer, answer)
            form(d, n)
            row = wait_state(d, "failed", n)[0]
            lead = lead_of(d, n)
            assert len(peer.requests) == n and row["reply"], name
            assert lead["score"] == 0 and tags(d, lead["id"]) == {"unscored"}, name
            assert "call %d: " % n in d.ctl("why", lead["id"])["text"], name


def test_a_program_that_is_gone_ends_in_lead_enrich_failed():
    with HttpPeer() as peer, daemon(peer, ASK % "", give_up="10m") as d:
        peer.on("/hook", lambda r: (500, JSON, b"{}"))
        form(d)
        wait_state(d, "deferred")
        assert tags(d) == set()
        d.ctl("clock", "advance", "11m")
        wait_state(d, "failed")
        assert tags(d) == {"unscored"}
        answering(peer, GOOD)
        d.ctl("calls", "retry", "1")
        wait_state(d, "done")
        assert lead_of(d)["score"] == 87


def test_the_same_question_is_asked_once_while_the_answer_holds():
    with HttpPeer() as peer, daemon(peer, ASK % 'cache = "1h";') as d:
        answering(peer, GOOD)
        form(d, 1)
        wait_state(d, "done")
        form(d, 2)  # the same domain, no employees either
        wait_state(d, "done", 2)
        assert len(peer.requests) == 1 and lead_of(d, 2)["score"] == 87 and tags(d, "L2") == {"hot"}
        assert rows(d, "calls", "list")[0]["reply"] == "from the cache"
        form(d, 3, employees="5")  # another question
        wait_state(d, "done", 3)
        d.ctl("clock", "advance", "61m")
        form(d, 4)
        wait_state(d, "done", 4)
        assert len(peer.requests) == 3


@pytest.mark.parametrize("overwrite, score", [("", 5), ("overwrite = true;", 87)])
def test_what_our_own_people_set_meanwhile_stays(overwrite, score):
    go = threading.Event()
    with HttpPeer() as peer, daemon(peer, ASK % overwrite) as d:
        peer.on("/hook", lambda r: go.wait(120) and (200, JSON, json.dumps(GOOD).encode()))
        form(d)
        peer.wait(lambda: peer.requests)
        d.ctl("do", "L1", "score", "5")
        go.set()
        wait_state(d, "done")
        assert lead_of(d)["score"] == score
        assert ("stay as one of our own" in d.ctl("why", "L1")["text"]) == (score == 5)


def test_answers_that_ask_again_come_to_an_end():
    rules = (ASK % "").replace('do = "tag hot"', 'do = [ "score +1", "enrich scoring" ]')
    with HttpPeer() as peer, daemon(peer, rules) as d:
        answering(peer, GOOD)
        form(d)
        until(lambda: "would without end" in d.ctl("why", "L1")["text"])
        wait_state(d, "done", 4)
        assert len(peer.requests) == 4


SCORER = os.path.join(os.environ.get("srcdir", "."), "contrib", "scoring", "score.py")


@pytest.mark.parametrize("key, score", [(KEY, 70), (b"another key", 0)])
def test_the_scoring_service_of_contrib_answers_who_signs(key, score):
    rules = """lang = 1;
rules : { ask : { on = "lead.created"; do = "enrich scoring"; }; };
enrichments : { scoring : { endpoint = "erp"; send = "lead.subject"; set : { score = "lead.score"; }; }; };
"""
    with HttpPeer() as peer, daemon(peer, rules, pretend=False) as d:
        path = d.write("key2", "whsec_" + base64.b64encode(key).decode())
        with subprocess.Popen(["/usr/bin/python3", SCORER, path, "0"], stdout=subprocess.PIPE,
                              text=True) as service:
            try:
                port = int(service.stdout.readline().rsplit(":", 1)[1])
                with open(d.conf_path, encoding="utf-8") as f:
                    text = f.read()
                d.write("leadd.conf", text.replace(":%d/hook" % peer.port, ":%d/" % port))
                d.reload()
                d.ingest(company.mail(subject="Urgent: what price?"))
                (row,) = wait_state(d, "done" if score else "failed")
                assert row["code"] == (200 if score else 401)
                assert lead_of(d)["score"] == score
            finally:
                service.terminate()


# ---- after a restore, and when it ends the engine ----------------------------------

def test_calls_are_held_after_a_restore_until_they_are_released():
    with HttpPeer() as peer, daemon(peer) as d:
        peer.on("/hook", lambda r: (503, JSON, b""))
        form(d)
        wait_state(d, "deferred")
        path = os.path.join(d.dir, "b.db")
        d.ctl("backup", path)
        d.stop()
        d.ctl("restore", "--force", path)
        d.start()
        form(d, 1)
        held = {r["record"]: r["reply"] for r in rows(d, "calls", "list", "state=held")}
        assert "when the backup was made" in held.pop("L1")
        assert ["after the restore" in why for why in held.values()] == [True]
        told = d.ctl_text("hold", width=200)
        assert "Calls; they go with release all" in told and told.count("webhook") == 2
        peer.on("/hook", lambda r: (200, JSON, b""))
        d.ctl("clock", "advance", "1h")
        seen = len(peer.requests)
        assert "2 calls" in d.ctl_text("release", "all")
        wait_state(d, "done", 2)
        assert len(peer.requests) == seen + 2


def test_a_call_whose_answer_ends_the_engine_is_given_up():
    with HttpPeer() as peer, daemon(peer, ASK % "") as d:
        d.stop()
        d.env["LEADD_HOOKS"] = "call.abort,super.restart_soon"
        answering(peer, GOOD)
        d.start()
        form(d)
        d.wait_log("call.suspect call=1")
        (row,) = wait_state(d, "failed")
        assert "the engine ended at it" in row["reply"] and len(peer.requests) == 1
