# SPDX-License-Identifier: ISC
"""Texts whose receipt never came: the gateway is asked, as its vendor's page has it."""
import base64
import itertools
import json
import os

import pytest

import company
from daemon import CtlError, Daemon, until
from httppeer import JSON, HttpPeer
from roles import SRC
from test_kannel import files, lead, texts

DAY = "2026-11-20T10:00:00Z"


def twilio(peer, more):
    return ('main : { preset = "twilio"; url = "%s"; user = "AC123"; number = "+43660123456"; '
            'secret_file = "@DIR@/sms.secret"; verify : { scheme = "none"; }; price = "0.05 EUR"; %s };'
            % (peer.url(""), more))


class Twilio(HttpPeer):
    """Takes texts, and tells what became of each as the Message resource does."""

    def __init__(self):
        self.sids = itertools.count(1)
        self.said = {}  # sid -> what the resource says besides
        super().__init__()

    def answer(self, request):
        if request.method == "POST":
            sid = "SM%03d" % next(self.sids)
            return 201, JSON, json.dumps({"sid": sid, "status": "queued", "price": None}).encode()
        sid = request.path.split("/")[-1][:-len(".json")]
        said = self.said.get(sid, {"status": "sent"})
        if "http" in said:
            return said["http"], JSON, b'{"code": 20003, "message": "Authenticate"}'
        return 200, JSON, json.dumps({"sid": sid, "error_code": None, "price": None,
                                      "price_unit": "USD", **said}).encode()

    def asked(self, sid=None):
        return [r for r in self.requests if r.method == "GET"
                and (not sid or r.path.endswith("/%s.json" % sid))]


def start(peer, more="receipts = false;", in_url=None):
    conf = company.conf(settings='presets_dir = "%s"; gateways : { %s };'
                        % (os.path.join(os.path.abspath(SRC), "contrib"), twilio(peer, more)))
    if in_url:
        conf = conf.replace("web : { ", 'web : { in_url = "%s"; ' % in_url)
    return Daemon(conf, files(), args=("--pretend-time", DAY))


def left(d, n):
    until(lambda: len(texts(d, state="sent")) == n, timeout=120, why="%d texts have left" % n)


def delivery(d, n):
    return [r["delivery"] for r in texts(d) if r["provider_id"] == "SM%03d" % n][0]


def wait_delivery(d, n, state):
    until(lambda: delivery(d, n) == state, timeout=120, why="SM%03d is %s" % (n, state))


def test_a_text_without_a_receipt_is_asked_about_after_an_hour_and_once_a_day():
    with Twilio() as peer, start(peer, in_url="https://in.example.com") as d:
        lead(d)
        left(d, 1)
        assert b"StatusCallback" not in peer.requests[0].body  # receipts = false
        d.ctl("clock", "advance", "30m")
        assert not peer.asked()
        d.ctl("clock", "advance", "90m")
        wait_delivery(d, 1, "sent")
        (asked,) = peer.asked()
        assert asked.path == "/2010-04-01/Accounts/AC123/Messages/SM001.json"
        assert asked.headers["authorization"] == \
            "Basic " + base64.b64encode(b"AC123:" + files()["sms.secret"].strip().encode()).decode()
        d.ctl("clock", "advance", "12h")
        assert len(peer.asked()) == 1
        peer.said["SM001"] = {"status": "delivered", "price": "-0.00750"}
        d.ctl("clock", "advance", "13h")
        wait_delivery(d, 1, "delivered")
        d.ctl("clock", "advance", "3d")
        assert len(peer.asked()) == 2  # it has its last state
        assert texts(d)[0]["delivery"] == "delivered"


def test_the_gateway_is_asked_for_receipts_where_they_are_wanted():
    with Twilio() as peer, start(peer, more="", in_url="https://in.example.com") as d:
        lead(d)
        left(d, 1)
        assert b"StatusCallback=https%3A%2F%2Fin.example.com%2Fsms%2Fmain%2Freceipt" in \
            peer.requests[0].body


def test_no_state_moves_back_and_what_names_another_text_is_not_believed():
    with Twilio() as peer, start(peer) as d:
        lead(d)
        left(d, 1)
        d.ctl("gateway", "pull", "main")
        assert delivery(d, 1) == "sent"
        for said in ({"status": "queued"}, {"status": "delivered", "sid": "SM999"},
                     {"status": "no such state"}):
            peer.said["SM001"] = said
            d.leadctl("gateway", "pull", "main")
            assert delivery(d, 1) == "sent", said
        assert len(peer.asked()) == 4
        peer.said["SM001"] = {"status": "undelivered", "error_code": 30006}
        (row,) = d.ctl("gateway", "pull", "main")["rows"]
        assert (row["was"], row["now"], row["note"]) == ("sent", "undelivered", "")
        assert texts(d)[0]["reason"] == "landline"
        assert any(r["text"].endswith("(undelivered: landline)") and r["delivery"] == "undelivered"
                   for r in d.ctl("timeline", "L1")["rows"] if r["kind"] == "sms")
        assert "has its last state" in d.ctl("gateway", "pull", "main")["text"]
        assert len(peer.asked()) == 5


def test_a_refusal_is_told_and_the_gateway_is_left_alone_for_a_while():
    with Twilio() as peer, start(peer, more="receipts = false; pull : { after = \"1m\"; };") as d:
        lead(d)
        left(d, 1)
        peer.said["SM001"] = {"http": 401}
        out = d.leadctl("--json", "gateway", "pull", "main")
        assert out.returncode == 1 and json.loads(out.stdout)["rows"][0]["note"] == "HTTP 401"
        assert not delivery(d, 1)
        with pytest.raises(CtlError, match="there is no gateway other"):
            d.ctl("gateway", "pull", "other")


def test_many_are_asked_about_no_faster_than_the_rate_and_not_for_ever():
    with Twilio() as peer, start(peer, more="receipts = false; pull : { rate = 10; };") as d:
        for n in range(1, 26):
            lead(d, n=n, phone="+4366011122%02d" % n, name="Ada%d Beispiel" % n)
        d.ctl("clock", "advance", "1m")  # 600 a minute: they stand in line
        left(d, 25)
        d.ctl("clock", "advance", "7170s")  # looks are hourly: this one is half a minute ago
        assert len(peer.asked()) == 10
        d.ctl("clock", "advance", "5m")
        assert len(peer.asked()) == 25
        assert all(len(peer.asked("SM%03d" % n)) == 1 for n in range(1, 26))
        d.ctl("clock", "advance", "9d")
        done = len(peer.asked())
        assert all(6 <= len(peer.asked("SM%03d" % n)) <= 8 for n in range(1, 26))
        d.ctl("clock", "advance", "2d")
        assert len(peer.asked()) == done


def test_a_gateway_that_offers_no_pull_says_so():
    with HttpPeer() as peer:
        conf = company.conf(settings='presets_dir = "%s"; gateways : { main : { preset = "vonage"; url = '
                            '"%s"; user = "k"; number = "+43660123456"; secret_file = '
                            '"@DIR@/sms.secret"; verify : { scheme = "none"; }; }; };'
                            % (os.path.join(os.path.abspath(SRC), "contrib"), peer.url("")))
        with Daemon(conf, files()) as d, pytest.raises(CtlError, match="has no `pull`"):
            d.ctl("gateway", "pull", "main")
