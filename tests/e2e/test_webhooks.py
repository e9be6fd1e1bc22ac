# SPDX-License-Identifier: ISC
"""Requests of other programs: verified, or kept as they came and without effect."""
import contextlib
import hashlib
import hmac
import http.client
import json
import subprocess

import pytest

import company
from daemon import Daemon, until
from roles import LEADD

JSON = {"Content-Type": "application/json"}
SECRET = "a-token-of-the-shop"

MAP = 'kind = "lead"; map : { email = "email"; };'

SOURCES = """
sources : {
  shop : { %s verify : { scheme = "token"; secret_files = [ "@DIR@/shop.secret", "@DIR@/next.secret" ]; }; };
  open : { %s verify : { scheme = "none"; }; };
};
gateways : {
  main : { number = "+43660123456";
           verify : { scheme = "token"; header = "X-Token"; secret_files = "@DIR@/shop.secret"; }; };
  other : { number = "+43660123457"; verify : { scheme = "token"; secret_files = "@DIR@/shop.secret"; }; };
};
""" % (MAP, MAP)


@contextlib.contextmanager
def shop(conf=SOURCES, **files):
    more = {"shop.secret": SECRET + "\n", "next.secret": "the-next-token\n"}
    more.update(files)
    with Daemon(company.conf(settings=conf), company.files(**more)) as d:
        yield d


def send(d, path, body=b"{}", headers=JSON, method="POST"):
    """(status, body) of the answer."""
    c = http.client.HTTPConnection("127.0.0.1", d.port("web-in"), timeout=60)
    with contextlib.closing(c):
        c.request(method, path, body, headers)
        r = c.getresponse()
        return r.status, r.read().decode()


def bearer(token=SECRET):
    return dict(JSON, Authorization="Bearer " + token)


def quarantined(d):
    return d.ctl("quarantine", "list")["rows"]


def states(d, source):
    return [r["state"] for r in d.ctl("ledger", "source=" + source)["rows"]]


def test_a_token_is_taken_wherever_senders_can_put_one():
    with shop() as d:
        assert send(d, "/hook/shop", b'{"n":1}', bearer())[0] == 200
        assert send(d, "/hook/shop?token=" + SECRET, b'{"n":2}')[0] == 200
        assert send(d, "/hook/shop/" + SECRET, b'{"n":3}')[0] == 200
        assert send(d, "/hook/shop", b'{"n":4}', bearer("the-next-token"))[0] == 200
        assert len(states(d, "hook:shop")) == 4
        assert quarantined(d) == []


@pytest.mark.parametrize("path,headers", [
    ("/hook/shop", JSON), ("/hook/shop", bearer(SECRET + "x")), ("/hook/shop", bearer("")),
    ("/hook/shop?token=wrong", JSON), ("/hook/shop/wrong", JSON),
    ("/sms/main", bearer()), ("/sms/main/receipt", dict(JSON, **{"X-Token": "no"})),
])
def test_what_does_not_verify_is_kept_and_has_no_effect(d, path, headers):
    before = {r["q"] for r in quarantined(d)}
    status, text = send(d, path, b'{"email":"a@example.org"}', headers)
    assert status == 202 and json.loads(text)["status"] == "quarantined"
    new = [r for r in quarantined(d) if r["q"] not in before]
    assert len(new) == 1 and "token" in new[0]["reason"]


@pytest.fixture(scope="module")
def d():
    with shop() as daemon:
        yield daemon


def test_the_three_kinds_go_to_three_places_of_the_ledger():
    with shop() as d:
        token = dict(JSON, **{"X-Token": SECRET})
        assert send(d, "/hook/open")[0] == 200
        assert send(d, "/hook/open?a=b", method="GET", body=None)[0] == 200
        assert send(d, "/sms/main", headers=token)[0] == 202  # verified, and no text: quarantined
        assert send(d, "/sms/main/receipt", headers=token)[0] == 200
        assert [len(states(d, s)) for s in ("hook:open", "sms:main", "sms-receipt:main")] == [2, 1, 1]


def test_a_receipt_may_have_its_token_in_the_query():
    with shop() as d:
        assert send(d, "/sms/other/receipt?token=" + SECRET)[0] == 200
        assert send(d, "/sms/other/receipt?token=wrong")[0] == 202


def test_the_same_request_again_is_a_duplicate(d):
    first = send(d, "/hook/open", b'{"same":1}')
    again = send(d, "/hook/open", b'{"same":1}')
    assert json.loads(first[1])["status"] == "accepted"
    assert (again[0], json.loads(again[1])["status"]) == (200, "duplicate")


@pytest.mark.parametrize("path,method,status", [
    ("/hook/nobody", "POST", 404), ("/sms/nobody", "POST", 404), ("/sms/main/other", "POST", 404),
    ("/hook/", "POST", 404), ("/hook/open", "PUT", 405), ("/sms/open", "POST", 404),
])
def test_what_is_no_path_of_ours_is_said_at_once(d, path, method, status):
    assert send(d, path, method=method)[0] == status


def test_once_the_secret_is_right_what_was_quarantined_is_released():
    with shop(**{"shop.secret": "an-old-token\n"}) as d:
        assert send(d, "/hook/shop", b'{"n":1}', bearer())[0] == 202
        q = quarantined(d)[0]["q"]
        d.ctl("quarantine", "retry", q)
        until(lambda: quarantined(d)[0]["attempts"] == 2, why="the retry that fails")
        d.write("shop.secret", SECRET + "\n")
        d.kill("engine")
        d.ctl("quarantine", "retry", q)
        until(lambda: quarantined(d) == [], why="the release")
        assert sorted(states(d, "hook:shop")) == ["ignored", "ignored"]


def test_the_administrator_hears_of_it_once():
    with shop() as d:
        for n in range(3):
            assert send(d, "/hook/shop", b'{"n":%d}' % n)[0] == 202
        told = [r for r in d.ctl("outbox", "list")["rows"] if "mia@" in r["to"]]
        assert len(told) == 1


SIGNED = """
sources : {
  pay : { %s verify : { scheme = "stripe"; secret_files = [ "@DIR@/shop.secret", "@DIR@/next.secret" ]; }; };
  git : { %s verify : { scheme = "github"; secret_files = "@DIR@/shop.secret"; }; };
};
""" % (MAP, MAP)
NOON = 1795000000


def stripe(body, at=NOON, secret=SECRET):
    mac = hmac.new(secret.encode(), b"%d." % at + body, hashlib.sha256).hexdigest()
    return dict(JSON, **{"Stripe-Signature": "t=%d,v1=%s" % (at, mac)})


def word(answer):
    return json.loads(answer[1])["status"]


@contextlib.contextmanager
def at_noon(**files):
    stamp = "2026-11-18T11:06:40Z"  # NOON
    more = {"shop.secret": SECRET + "\n", "next.secret": "the-next-token\n"}
    more.update(files)
    with Daemon(company.conf(settings=SIGNED), company.files(**more),
                args=["--pretend-time", stamp]) as d:
        yield d


def test_a_replay_is_a_duplicate_within_the_window_and_quarantined_outside():
    body = b'{"id":"evt_1"}'
    with at_noon() as d:
        assert word(send(d, "/hook/pay", body, stripe(body))) == "accepted"
        assert word(send(d, "/hook/pay", body, stripe(body))) == "duplicate"
        d.ctl("clock", "advance", "6m")
        assert word(send(d, "/hook/pay", body, stripe(body))) == "quarantined"
        assert "the time that was signed is" in quarantined(d)[0]["reason"]
        assert word(send(d, "/hook/pay", b'{"id":"evt_2"}', stripe(b'{"id":"evt_2"}', NOON + 360))) \
            == "accepted"


def test_without_a_time_a_replay_is_a_duplicate_at_any_time():
    body = b'{"zen":"x"}'
    mac = "sha256=" + hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()
    with at_noon() as d:
        head = dict(JSON, **{"X-Hub-Signature-256": mac})
        assert word(send(d, "/hook/git", body, head)) == "accepted"
        d.ctl("clock", "advance", "3d")
        assert word(send(d, "/hook/git", body, dict(head, **{"X-GitHub-Delivery": "other"}))) \
            == "duplicate"


def test_what_was_honest_is_released_long_after_its_window():
    body = b'{"id":"evt_1"}'
    with at_noon(**{"shop.secret": "not-yet\n"}) as d:
        assert word(send(d, "/hook/pay", body, stripe(body))) == "quarantined"
        late = stripe(b'{"id":"late"}', NOON - 400)
        assert word(send(d, "/hook/pay", b'{"id":"late"}', late)) == "quarantined"
        d.ctl("clock", "advance", "2d")
        d.write("shop.secret", SECRET + "\n")
        d.kill("engine")
        for row in quarantined(d):
            d.ctl("quarantine", "retry", row["q"])
        until(lambda: [r["attempts"] for r in quarantined(d)] == [2], why="one of two is released")


def test_both_secrets_are_valid_while_one_follows_the_other():
    with at_noon() as d:
        for n, secret in enumerate((SECRET, "the-next-token", "none-of-them")):
            body = b'{"id":"evt_%d"}' % n
            got = word(send(d, "/hook/pay", body, stripe(body, secret=secret)))
            assert got == ("quarantined" if n == 2 else "accepted")


@pytest.mark.parametrize("verify,said", [
    ("", 'verify.scheme: is missing: how its requests show whose they are'),
    ('scheme = "token";', 'secret_files: is missing; the scheme "token" needs the secret'),
    ('scheme = "hmac"; secret_files = "@DIR@/shop.secret";', "header: is missing"),
    ('scheme = "hmac"; secret_files = "@DIR@/shop.secret"; header = "X"; signs = "{header Y}";',
     "has no {body}"),
    ('scheme = "hmac"; secret_files = "@DIR@/shop.secret"; header = "X"; time = "T";',
     "signs must have {header T}"),
    ('scheme = "stripes"; secret_files = "@DIR@/shop.secret";', "stripe"),
    ('scheme = "github"; secret_files = "@DIR@/nowhere";', "cannot find"),
])
def test_a_mistake_in_verify_is_told(verify, said):
    with Daemon(company.conf(settings="sources : { a : { verify : { %s }; }; };" % verify),
                company.files(**{"shop.secret": "x\n"}), start=False) as d:
        r = subprocess.run([LEADD, "-c", d.conf_path, "-t"], capture_output=True, text=True)
        assert said in r.stdout + r.stderr and r.returncode != 0


# ---- before anything is sent ------------------------------------------------------------

META = """
sources : {
  meta : { %s verify : { scheme = "github"; secret_files = "@DIR@/shop.secret";
                         challenge_file = "@DIR@/verify.token"; }; };
  none : { %s verify : { scheme = "none"; }; };
};
""" % (MAP, MAP)
# developers.facebook.com/docs/graph-api/webhooks/getting-started, "Verification Requests"
ASKED = "hub.mode=subscribe&hub.challenge=1158201444&hub.verify_token=meatyhamhock"


def get(d, query, name="meta"):
    return send(d, "/hook/%s?%s" % (name, query), method="GET", body=None, headers={})


def test_whoever_knows_the_token_gets_his_challenge_back_and_nothing_is_filed():
    with shop(META, **{"verify.token": "meatyhamhock\n"}) as d:
        assert get(d, ASKED) == (200, "1158201444")
        for wrong in (ASKED[:-1], ASKED + "x", ASKED.replace("subscribe", "unsubscribe"),
                      ASKED.replace("1158201444", "%3Cscript%3E"), ASKED.replace("1158201444", ""),
                      "hub.mode=subscribe&hub.challenge=1", ASKED.replace("meaty", "Meaty")):
            status, text = get(d, wrong)
            assert status == 403 and "1158201444" not in text, wrong
        assert "hub.verify_token is not that of challenge_file" in d.log()
        assert states(d, "hook:meta") == [] and quarantined(d) == []
        # it opens nothing: what is posted must still be signed
        assert send(d, "/hook/meta?" + ASKED, b'{"email":"a@example.org"}')[0] == 202
        # where there is no such token, these are names like others
        assert send(d, "/hook/none?" + ASKED, method="GET", body=None)[1] != "1158201444"


# ---- what nobody looks at, and secrets that change ------------------------------------------

def test_what_nobody_looks_at_expires_by_itself():
    conf = SIGNED.replace("next.secret\" ]; };", "next.secret\" ]; }; quota : { days = 3; };")
    with Daemon(company.conf(settings=conf), company.files(**{
            "shop.secret": SECRET + "\n", "next.secret": "x\n"}),
            args=["--pretend-time", "2026-11-18T11:06:40Z"]) as d:
        assert word(send(d, "/hook/pay", b'{"id":"evt_1"}')) == "quarantined"
        d.ctl("clock", "advance", "2d")
        assert word(send(d, "/hook/pay", b'{"id":"evt_2"}')) == "quarantined"
        d.ctl("clock", "advance", "25h")
        assert len(quarantined(d)) == 1
        (row,) = d.ctl("ledger", "source=hook:pay", "state=ignored")["rows"]
        assert "nobody looked at it in time" in row["reason"]
        d.kill("engine")
        d.ctl("clock", "advance", "2d")
        assert quarantined(d) == [] and "quarantine" not in d.ctl_text("timers")


def test_a_changed_secret_counts_after_a_reload():
    with shop() as d:
        assert send(d, "/hook/shop", b'{"n":1}', bearer("a-new-token"))[0] == 202
        d.write("shop.secret", "a-new-token\n")
        assert send(d, "/hook/shop", b'{"n":2}', bearer())[0] == 200  # not before
        mark = d.mark()
        assert "reload.done" in d.reload()
        d.wait_log("role.ready role=engine", after=mark)
        assert send(d, "/hook/shop", b'{"n":3}', bearer("a-new-token"))[0] == 200
        assert send(d, "/hook/shop", b'{"n":4}', bearer())[0] == 202
        assert send(d, "/hook/shop", b'{"n":5}', bearer("the-next-token"))[0] == 200
