# SPDX-License-Identifier: ISC
"""Requests of other programs: verified, or kept as they came and without effect."""
import contextlib
import http.client
import json

import pytest

import company
from daemon import Daemon, until

JSON = {"Content-Type": "application/json"}
SECRET = "a-token-of-the-shop"

SOURCES = """
sources : {
  shop : { verify : { scheme = "token"; secret_files = [ "@DIR@/shop.secret", "@DIR@/next.secret" ]; }; };
  open : { verify : { scheme = "none"; }; };
};
gateways : {
  main : { number = "+43660123456";
           verify : { scheme = "token"; header = "X-Token"; secret_files = "@DIR@/shop.secret"; }; };
};
"""


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
        assert send(d, "/sms/main", headers=token)[0] == 200
        assert send(d, "/sms/main/receipt", headers=token)[0] == 200
        assert [len(states(d, s)) for s in ("hook:open", "sms:main", "sms-receipt:main")] == [2, 1, 1]


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
