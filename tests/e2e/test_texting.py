# SPDX-License-Identifier: ISC
"""Texts to gateways that refuse, fail, or never answer: what becomes of each."""
import json
import os

import company
from daemon import Daemon, until
from httppeer import HttpPeer
from peers import drop
from roles import SRC
from test_kannel import files, lead, texts, wait_text

TYPE = {"Content-Type": "application/json"}


def gateway(peer, name="main", **more):
    extra = " ".join("%s = %s;" % (k, v if isinstance(v, int) else '"%s"' % v)
                     for k, v in more.items())
    return ('%s : { preset = "generic"; url = "%s"; number = "+43660123456"; secret_file = '
            '"@DIR@/sms.secret"; verify : { scheme = "none"; }; %s };' % (name, peer.url("/send"), extra))


def daemon(*gateways, settings="", **more):
    conf = company.conf(settings='presets_dir = "%s"; gateways : { %s }; %s'
                        % (os.path.join(os.path.abspath(SRC), "contrib"), " ".join(gateways), settings))
    return Daemon(conf, files(**more))


def says(status, **body):
    return lambda r: (status, TYPE, json.dumps(body).encode())


def test_a_text_whose_answer_never_came_is_unknown_and_not_sent_again():
    with HttpPeer([{"answer": drop}]) as peer, daemon(gateway(peer)) as d:
        lead(d)
        assert wait_text(d, state="unknown")["to"] == "+436601112233"
        assert len(peer.requests) == 1
        until(lambda: d.ctl("list", "tasks")["rows"], why="the owner is asked")


def test_a_gateway_that_breaks_down_over_a_text_may_have_taken_it_and_no_other_gets_it():
    with HttpPeer() as peer, HttpPeer() as spare, \
            daemon(gateway(peer), gateway(spare, "spare")) as d:
        peer.on("/send", says(500, error={"code": "internal", "message": "sorry"}))
        spare.on("/send", says(200, id="R1"))
        lead(d)
        assert "HTTP 500 internal sorry" in wait_text(d, state="unknown")["reply"]
        until(lambda: d.ctl("list", "tasks")["rows"], why="the owner is asked")
        assert (len(peer.requests), len(spare.requests)) == (1, 0)
        peer.on("/send", says(503, error={"message": "later"}))  # here nothing was begun
        lead(d, n=2, phone="+436601112244", name="Bea Beispiel")
        assert wait_text(d, state="sent")["relay"] == "spare"


def test_a_text_in_hand_when_the_courier_dies_is_unknown():
    with HttpPeer([{"answer": lambda conn, answer: until(lambda: gone, timeout=120)}]) as peer, \
            daemon(gateway(peer)) as d:
        gone = []
        lead(d)
        peer.wait(lambda: peer.requests)
        d.kill("courier")
        gone.append(True)
        wait_text(d, state="unknown")
        assert len(peer.requests) == 1


def test_an_empty_account_is_left_for_the_next_gateway_and_told_once():
    with HttpPeer() as poor, HttpPeer() as rich, \
            daemon(gateway(poor, "poor"), gateway(rich, "rich")) as d:
        poor.on("/send", says(402, error="no money"))
        rich.on("/send", says(200, id="R1"))
        lead(d)
        row = wait_text(d, state="sent")
        assert (row["relay"], row["provider_id"]) == ("rich", "R1")
        gates = d.ctl("gateway", "status")["sections"][0]["rows"]
        assert [g["state"] for g in gates] == ["no money left", "ok"]
        lead(d, n=2, phone="+436601112244", name="Bea Beispiel")
        until(lambda: len(texts(d, state="sent")) == 2, why="the second text")
        assert len(poor.requests) == 1  # it is not asked again for a while


def test_a_number_that_nobody_has_is_marked_and_gets_no_more_texts():
    with HttpPeer() as peer, daemon(gateway(peer)) as d:
        peer.on("/send", says(400, error={"code": "bad", "message": "no such number"}))
        conf = d.conf_path
        with open(conf) as f:
            text = f.read()
        with open(conf, "w") as f:
            f.write(text.replace('number = "+43660123456";', 'number = "+43660123456"; send : { '
                                 'errors : { invalid_number = [ "bad" ]; }; };'))
        assert "reload.done" in d.reload()
        lead(d)
        row = wait_text(d, state="failed")
        assert row["reason"] == "invalid_number"
        out = d.leadctl("do", "L1", "send sms using thanks")
        assert out.returncode != 0 and b"cannot get texts" in out.stderr + out.stdout
        assert len(peer.requests) == 1


def test_a_text_of_too_many_parts_is_not_sent():
    with HttpPeer() as peer, daemon(gateway(peer, max_segments=1),
                                    **{"templates/thanks.sms.txt": "0123456789" * 20}) as d:
        lead(d)
        until(lambda: d.ctl("list", "leads")["rows"], why="the lead")
        out = d.leadctl("do", "L1", "send sms using thanks")
        assert out.returncode != 0 and b"takes 2 SMS, more than max_segments = 1" in out.stderr + out.stdout
        assert not peer.requests and not texts(d)
