# SPDX-License-Identifier: ISC
"""The scripted servers do what their scripts say: shown with curl, a client that
knows nothing of ours."""
import subprocess

import pytest

import peers
from httppeer import (AT_SMSC, DELIVERED, FAILED, HttpPeer, SmsGatewayPeer, chunked, endless_body,
                      endless_headers, length_lie, queued, refused, status, token_server)
from imappeer import ImapPeer
from peers import (SmtpPeer, defer, delay, drip, drop, endless, garbage, half_close, hang, ok, raw,
                   refuse, reset, split, then_drop, then_reset, trickle)

# what curl ends with
OK, RECV, TIMEOUT, EMPTY, PARTIAL, WEIRD = 0, 56, 28, 52, 18, 8
KILLED = 124  # by timeout(1): curl waits for ever for the answer to the final dot
MAIL = "From: a@example.com\r\nSubject: hello\r\n\r\nhello\r\n"


def curl(*args, input=None, within=120, limit=60):
    """(exit code, what it printed)"""
    r = subprocess.run(["timeout", str(within), "curl", "-sS", "--max-time", str(limit), "--noproxy", "*", *args], input=input,
                       capture_output=True, text=True, timeout=120, check=False)
    return r.returncode, r.stdout


def patience(code):
    """Short where the client's own is what the test waits for."""
    return 1 if code == TIMEOUT or isinstance(code, tuple) and TIMEOUT in code else 60


# ---- HTTP ---------------------------------------------------------------------------

@pytest.mark.parametrize("action, code, printed", [
    (ok, OK, "ok\n"), (split, OK, "ok\n"), (chunked, OK, "ok\n"), (delay(3), OK, "ok\n"),
    (half_close, OK, "ok\n"), (then_drop, OK, "ok\n"), (then_reset, OK, "ok\n"),
    (status(503), OK, ""), (drop, EMPTY, ""), (reset, RECV, ""), (hang, TIMEOUT, ""),
    (drip, TIMEOUT, None), (trickle, (1, TIMEOUT), None), (endless_headers, (RECV, 100, 27), ""),
    (length_lie(30), PARTIAL, "ok\n"), (length_lie(1), OK, "o"), (garbage, (1, WEIRD), None),
    (raw(b"HTTP/1.1 200 OK\r\nContent-Le", drop), (RECV, EMPTY, OK, WEIRD), ""),
])
def test_an_http_peer_answers_as_its_script_says(action, code, printed):
    with HttpPeer([{"answer": action}]) as peer:
        got, text = curl(peer.url("/hook?a=1"), "-d", "b=2", limit=patience(code))
        assert got in (code if isinstance(code, tuple) else (code,)), (got, text)
        assert printed is None or text == printed
        (request,) = peer.requests
        assert (request.method, request.path, request.query, request.body) == \
            ("POST", "/hook", {"a": "1"}, b"b=2")
        assert curl(peer.url())[1] == "ok\n", "the next connection is well-behaved"


def test_an_endless_body_ends_only_when_the_client_leaves():
    with HttpPeer([{"answer": endless_body}]) as peer:
        assert curl(peer.url(), "-o", "/dev/null", limit=1)[0] == TIMEOUT
        peer.wait(lambda: peer.open == 0)


@pytest.mark.parametrize("step", ["connect", "head", "body"])
def test_an_http_peer_acts_at_the_step_it_is_told(step):
    with HttpPeer([{step: drop}]) as peer:
        assert curl(peer.url(), "-d", "x=1")[0] in (EMPTY, RECV)
        assert [s for _, s in peer.steps] == ["connect", "head", "body"][
            :["connect", "head", "body"].index(step) + 1]
        assert not peer.requests


def test_several_requests_share_a_connection_and_its_script():
    with HttpPeer([{"answer": [ok, status(500), ok]}]) as peer:
        url = peer.url()
        _, text = curl("-w", "%{http_code} ", "-o", "/dev/null", url, "-o", "/dev/null", url, "-o",
                       "/dev/null", url)
        assert text == "200 500 200 " and peer.sessions == 1


def test_a_chunked_upload_and_expect_are_read():
    with HttpPeer() as peer:
        curl(peer.url(), "-H", "Transfer-Encoding: chunked", "-H", "Expect: 100-continue", "-d",
             "x" * 3000)
        assert peer.requests[0].body == b"x" * 3000


def test_beyond_the_script_a_default_may_be_as_bad():
    with HttpPeer() as peer:
        peer.default = {"answer": drop}
        assert [curl(peer.url())[0] for _ in range(3)] == [EMPTY] * 3


def test_a_token_server_gives_each_refresh_once():
    with token_server([{"access_token": "one", "refresh_token": "r2"}]) as peer:
        grant = ("-d", "grant_type=refresh_token&refresh_token=r1")
        assert '"one"' in curl(peer.url("/token"), *grant)[1]
        assert "invalid_grant" in curl(peer.url("/token"), *grant)[1]
        assert curl(peer.url("/token"))[1].startswith('{"error"')


# ---- SMS ----------------------------------------------------------------------------

def sendsms(peer, password="crm", limit=60, **more):
    fields = dict({"username": "crm", "password": password, "to": "+436601", "text": "hällo"},
                  **more)
    args = [x for k, v in fields.items() for x in ("--data-urlencode", "%s=%s" % (k, v))]
    code, text = curl("-w", " %{http_code}", "-G", peer.url("/cgi-bin/sendsms"), *args,
                      limit=limit)
    return text if code == OK else code


def test_an_sms_gateway_speaks_as_kannel_does():
    with SmsGatewayPeer([{"sendsms": [ok] * 3}, {"sendsms": queued}, {"sendsms": refused(503)},
                         {"sendsms": drop}, {"sendsms": hang}]) as peer:
        assert sendsms(peer, **{"from": "13013"}) == "0: Accepted for delivery 202"
        assert sendsms(peer) == "3: Queued for later delivery 202"
        assert sendsms(peer) == "Temporal failure, try again later. 503"
        assert sendsms(peer) == EMPTY and sendsms(peer, limit=1) == TIMEOUT
        assert len(peer.messages) == 5, "what was answered is not what was taken"
        sms = peer.messages[0]
        assert (sms.to, sms.text, sms.sender, sms.user) == ("+436601", "hällo", "13013", "crm")


def test_an_sms_gateway_refuses_strangers_and_half_requests():
    with SmsGatewayPeer() as peer:
        assert sendsms(peer, password="no") == "Authorization failed for sendsms 403"
        assert sendsms(peer, to="").endswith(" 400")
        assert curl(peer.url("/other"))[1] == "Unknown request" and not peer.messages


def test_an_sms_is_posted_as_well_as_got():
    with SmsGatewayPeer() as peer:
        code, text = curl(peer.url("/cgi-bin/sendsms"), "-d",
                          "user=crm&pass=crm&to=1&text=posted")
        assert (code, text) == (OK, "0: Accepted for delivery")
        assert peer.messages[0].text == "posted"


def test_receipts_are_called_back_when_the_mask_asks_for_them():
    with HttpPeer() as hook, SmsGatewayPeer() as peer:
        peer.receipts = (AT_SMSC, DELIVERED)
        sendsms(peer, **{"dlr-mask": DELIVERED | FAILED, "dlr-url": hook.url("/dlr?o=17&s=%d")})
        hook.wait(lambda: hook.requests)
        peer.wait(lambda: peer.called)
        assert hook.requests[0].query == {"o": "17", "s": "1"} and peer.called == [(DELIVERED, 200)]
        peer.receipt(peer.messages[0], FAILED)  # and a lie
        assert hook.requests[1].query["s"] == "2" and len(hook.requests) == 2
        assert peer.inbound(hook.url("/sms?from=%p&text=%a"), "+43660", "#won 5 & more") == 200
        assert hook.requests[2].query == {"from": "+43660", "text": "#won 5 & more"}


def test_no_receipt_comes_for_what_was_refused():
    with HttpPeer() as hook, SmsGatewayPeer([{"sendsms": refused(503)}]) as peer:
        peer.receipts = (DELIVERED,)
        sendsms(peer, **{"dlr-mask": 31, "dlr-url": hook.url("/dlr?s=%d")})
        sendsms(peer, **{"dlr-mask": 31, "dlr-url": hook.url("/dlr?s=%d")})
        hook.wait(lambda: hook.requests)
        peer.wait(lambda: peer.called)
        assert len(hook.requests) == len(peer.called) == 1


# ---- SMTP and IMAP --------------------------------------------------------------------

def send(peer, within=120):
    return curl("smtp://127.0.0.1:%d/me" % peer.port, "--mail-from", "a@example.com",
                "--mail-rcpt", "b@example.com", "-T", "-", input=MAIL, within=within)[0]


@pytest.mark.parametrize("step, action, code", [
    ("dot", ok, OK), ("dot", split, OK), ("greeting", refuse(554), WEIRD), ("rcpt", refuse(), 55),
    ("mail", defer(), 55), ("data", drop, RECV), ("dot", reset, RECV), ("dot", hang, KILLED),
    ("dot", trickle, KILLED), ("ehlo", garbage, RECV), ("greeting", endless, RECV),
])
def test_an_smtp_peer_answers_as_its_script_says(step, action, code):
    with SmtpPeer([{step: action}]) as peer:
        got = send(peer, 2 if code == KILLED else 120)
        assert got in (code if isinstance(code, tuple) else (code,)), got
        assert len(peer.received) == (step == "dot")
        assert send(peer) == OK and peer.mails[-1].data == MAIL.encode()


def fetch(peer, limit=60):
    return curl("imap://127.0.0.1:%d/INBOX;UID=1" % peer.port, "-u", "sales:secret", limit=limit)


@pytest.mark.parametrize("step, action, code", [
    ("uid_fetch", ok, OK), ("uid_fetch", split, OK), ("greeting", drop, (WEIRD, RECV)),
    ("uid_fetch", drop, RECV), ("select", hang, TIMEOUT), ("uid_fetch", reset, RECV),
    ("uid_fetch", drip, TIMEOUT), ("authenticate", raw(b"A002 NO wrong\r\n", hang), 67),
    ("capability", trickle, TIMEOUT),
])
def test_an_imap_peer_answers_as_its_script_says(step, action, code):
    with ImapPeer({1: MAIL.encode()}, [{step: action}]) as peer:
        got, text = fetch(peer, patience(code))
        assert got in (code if isinstance(code, tuple) else (code,)), (got, text)
        assert code != OK or "hello" in text
        assert "hello" in fetch(peer)[1]


def test_a_handler_sees_the_arguments_and_may_let_the_script_go_on():
    with ImapPeer({1: MAIL.encode()}) as peer:
        seen = []
        peer.on("UID FETCH", lambda s, tag, args: seen.append(s.uids(args)) or False)
        assert "hello" in fetch(peer)[1] and seen == [[1]]


def test_a_closed_peer_leaves_no_connection_behind():
    with HttpPeer([{"answer": hang}]) as peer:
        client = subprocess.Popen(["curl", "-s", "--max-time", "600", peer.url()])
        peer.wait(lambda: peer.requests)
    assert client.wait(120) == EMPTY
    assert peers.SECOND < 1
