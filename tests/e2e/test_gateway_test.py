# SPDX-License-Identifier: ISC
"""leadctl gateway test: each step of the way to a gateway is told, and where it ends."""
import itertools
import json
import os
import threading

import company
from daemon import Daemon, until
from httppeer import JSON, HttpPeer, fetch
from roles import SRC
from test_calls import certs  # noqa: F401 (a fixture)
from test_kannel import files

NUMBER = "+436601112233"


def start(*gateways, in_url=None, args=()):
    conf = company.conf(settings='presets_dir = "%s"; gateways : { %s };'
                        % (os.path.join(os.path.abspath(SRC), "contrib"), " ".join(gateways)))
    if in_url:
        conf = conf.replace("web : { ", 'web : { in_url = "%s"; ' % in_url)
    return Daemon(conf, files(), args=args)


def gate(name, url, preset="generic", more=""):
    return ('%s : { preset = "%s"; url = "%s"; user = "AC123"; number = "+43660123456"; timeout = "20s";'
            ' secret_file = "@DIR@/sms.secret"; verify : { scheme = "none"; }; %s };'
            % (name, preset, url, more))


def steps(d, *argv, exit=0):
    out = d.leadctl("--json", "gateway", "test", *argv)
    assert out.returncode == exit, out
    return [(r["step"], r["state"], r["said"]) for r in json.loads(out.stdout)["rows"]]


def test_a_sign_in_is_tried_without_sending_anything():
    with HttpPeer() as peer, start(gate("main", peer.url(""), "twilio")) as d:
        peer.answer = lambda r: (404, JSON, b'{"code": 20404}')
        got = steps(d, "main")
        assert [s[:2] for s in got] == [("name", "ok"), ("connection", "ok"), ("TLS", "not used"),
                                        ("sign-in", "ok")]
        assert got[1][2] == "127.0.0.1 port %d" % peer.port
        peer.answer = lambda r: (401, JSON, b'{"code": 20003}')
        assert steps(d, "main", exit=1)[3][:2] == ("sign-in", "failed")
        assert {r.method for r in peer.requests} == {"GET"}


def test_it_ends_at_the_step_that_fails():
    with HttpPeer() as gone:
        port = gone.port
    with start(gate("gone", "http://127.0.0.1:%d" % port),
               gate("nowhere", "https://nosuch.invalid")) as d:
        got = steps(d, "gone", exit=1)
        assert [s[:2] for s in got] == [("name", "ok"), ("connection", "failed")]
        got = steps(d, "nowhere", exit=1)
        assert [s[:2] for s in got] == [("name", "failed")]


def test_a_certificate_of_somebody_else_is_told(certs):  # noqa: F811
    tls, ca = certs["right"]
    with HttpPeer(tls=tls) as peer, \
            start(gate("trusting", peer.url(""), more='ca_file = "%s";' % ca),
                  gate("wary", peer.url(""))) as d:
        got = steps(d, "trusting")
        assert [s[:2] for s in got] == [("name", "ok"), ("connection", "ok"), ("TLS", "ok"),
                                        ("sign-in", "not tried")]
        got = steps(d, "wary", exit=1)
        assert [s[:2] for s in got] == [("name", "ok"), ("connection", "ok"), ("TLS", "failed")]


def test_a_text_is_taken_and_its_receipt_comes_back():
    with HttpPeer() as peer, start(gate("main", peer.url("")), in_url="https://in.example.com") as d:
        ids = itertools.count(1)

        def tell(r):
            body, n = json.loads(r.body), next(ids)
            url = "http://127.0.0.1:%d/sms/main/receipt?id=T%d&status=delivered" % (d.port("web-in"), n)
            threading.Thread(target=fetch, args=(url,), daemon=True).start()
            assert body["receipt_url"] == "https://in.example.com/sms/main/receipt"
            return 200, JSON, b'{"id": "T%d"}' % n
        peer.on("/", tell)
        got = steps(d, "main", NUMBER)
        assert [s[:2] for s in got[-2:]] == [("accepted", "ok"), ("receipt", "ok")]
        assert got[-1][2] == "delivered"
        assert "accepted" in d.ctl_text("gateway", "test", "main", NUMBER)


def test_a_text_that_is_taken_and_not_heard_of_again_is_told_as_that():
    with HttpPeer() as peer, start(gate("main", peer.url("")), in_url="https://in.example.com",
                                   args=("--pretend-time", "2026-11-20T10:00:00Z")) as d:
        ids = itertools.count(1)
        peer.on("/", lambda r: (200, JSON, b'{"id": "T%d"}' % next(ids)))
        for n in (1, 2):  # in one pretended moment
            got = steps(d, "main", NUMBER, "wait=1s", exit=75)
            assert [s[:2] for s in got[-2:]] == [("accepted", "ok"), ("receipt", "none yet")]
            assert "leadctl outbox show %d tells" % n in got[-1][2]
        assert len([r for r in peer.requests if r.method == "POST"]) == 2
        assert b"not everybody" not in d.leadctl("gateway", "test", "main", NUMBER, "wait=1s").stderr
        assert d.leadctl("gateway", "test", "main", NUMBER, "wait=2h").returncode == 1


def test_a_refused_text_ends_the_test_and_no_receipt_is_waited_for():
    with HttpPeer() as peer, start(gate("main", peer.url(""))) as d:
        peer.on("/", lambda r: (402, JSON, b'{"error": "no money"}'))
        got = steps(d, "main", NUMBER, exit=1)
        assert [s[:2] for s in got[-2:]] == [("accepted", "failed"), ("receipt", "not asked for")]
        assert "no money" in got[-2][2] and "in_url" in got[-1][2]


def test_a_folder_is_looked_at(tmp_path):
    out = tmp_path / "outgoing"
    out.mkdir()
    with start('modem : { preset = "smstools"; folder = "%s"; number = "+43660123456"; '
               'verify : { scheme = "none"; }; };' % out) as d:
        assert steps(d, "modem") == [("folder", "ok", str(out))]
        until(lambda: not list(out.iterdir()), why="nothing was put there")
        assert steps(d, "modem", NUMBER)[-2][:2] == ("accepted", "ok")
        assert len(list(out.iterdir())) == 1
