# SPDX-License-Identifier: ISC
"""Which gateway a text goes by: by the beginning of its number, and never faster than the rate
of any of them, also of those that only stand in for others."""
import itertools
import json
import os

import company
from daemon import Daemon, StartFailed, until
from httppeer import HttpPeer
from roles import SRC
from test_kannel import files, lead, texts
from test_texting import gateway, says

import pytest


def conf(*gateways):
    return company.conf(settings='presets_dir = "%s"; gateways : { %s };'
                        % (os.path.join(os.path.abspath(SRC), "contrib"), " ".join(gateways)))


def daemon(*gateways):
    return Daemon(conf(*gateways), files(), args=("--pretend-time", "2026-11-20T10:00:00Z"))


def serving(text, *prefixes):
    return text.replace("verify :", "to = [ %s ]; verify :" % ", ".join('"%s"' % p for p in prefixes))


def taking(price="0.05 EUR"):
    ids = itertools.count(1)
    peer = HttpPeer()
    peer.on("/send", lambda r: says(200, id="T%d" % next(ids))(r))
    return peer


def went_to(peer):
    return [json.loads(r.body)["to"] for r in peer.requests]


def text_to(d, n, phone):
    lead(d, n=n, phone=phone, name="Ada%d Beispiel" % n)


def test_the_number_decides_which_gateway():
    with taking() as at, taking() as de, taking() as rest:
        with daemon(serving(gateway(at, "at", price="0.05 EUR"), "+43"),
                    serving(gateway(de, "de", price="0.08 EUR"), "+49", "+423")) as d:
            text_to(d, 1, "+436601112233")
            text_to(d, 2, "+4915112345678")
            until(lambda: len(texts(d, state="sent")) == 2, timeout=120, why="both texts")
            assert (went_to(at), went_to(de)) == (["+436601112233"], ["+4915112345678"])
            gates = d.ctl("gateway", "status")["sections"][0]["rows"]
            assert [(g["name"], g["to"], g["cost"]) for g in gates] == \
                [("at", "+43", "0.0500 EUR"), ("de", "+49 +423", "0.0800 EUR")]
            text_to(d, 3, "+442071234567")
            out = d.leadctl("do", "L3", "send sms using thanks")
            assert out.returncode != 0 and b"no gateway serves numbers such as +442071234567" in \
                out.stdout + out.stderr
            out = d.leadctl("gateway", "test", "at", "+4915112345678")
            assert out.returncode != 0 and b"the gateway at serves no numbers" in out.stdout + out.stderr
            d.write("leadd.conf", conf(serving(gateway(at, "at"), "+43"), gateway(rest, "rest")))
            assert "reload.done" in d.reload()
            d.ctl("do", "L3", "send sms using thanks")
            until(lambda: went_to(rest) == ["+442071234567"], timeout=120, why="the last one takes all")


def test_one_that_stands_in_is_not_asked_faster_than_its_rate():
    with HttpPeer() as down, taking() as slow, \
            daemon(gateway(down, "down"), gateway(slow, "slow", rate=6)) as d:
        down.on("/send", says(503))
        for n in range(1, 5):
            text_to(d, n, "+43660111223%d" % n)
        until(lambda: len(texts(d)) == 4 and not texts(d, state="ready") and not texts(d, state="claimed"),
              timeout=120, why="each was tried once")
        assert len(slow.requests) == 1  # time stands still, and it takes one in ten seconds
        d.ctl("clock", "advance", "2h")
        assert len(texts(d, state="sent")) == len(slow.requests) == 4


def test_a_turn_that_was_not_needed_is_given_back():
    with HttpPeer() as main, taking() as spare, \
            daemon(gateway(main, "main"), gateway(spare, "spare", rate=1)) as d:
        main.on("/send", says(200, id="M1"))
        for n in range(1, 4):
            text_to(d, n, "+43660111223%d" % n)
        until(lambda: len(texts(d, state="sent")) == 3, timeout=120, why="three texts by the first")
        assert not spare.requests
        main.on("/send", says(402, error="no money"))
        text_to(d, 4, "+436601112239")
        until(lambda: len(texts(d, state="sent")) == 4, timeout=120, why="the spare one takes it at once")
        assert went_to(spare) == ["+436601112239"]


def test_what_is_no_beginning_of_a_number_is_refused():
    with HttpPeer() as peer, pytest.raises(StartFailed) as failed:
        daemon(serving(gateway(peer), "0043"))
    assert 'expected the beginning of a number with its country code, such as "+43", not "0043"' in \
        str(failed.value.log)
