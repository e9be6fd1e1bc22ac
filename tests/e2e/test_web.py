# SPDX-License-Identifier: ISC
"""The roles web-in and web-ui: strangers on one side, a played engine on the other."""
import contextlib
import http.client
import json
import os
import socket
import struct
import threading
import time

import pytest

from daemon import until
from roles import SLOW, Closed, Role

FORMS = {
    "contact": {
        "fields": {"name": {"to": "contact.name", "at": "t:1"},
                   "email": {"to": "contact.email", "at": "t:2"},
                   "message": {"to": "message.text", "at": "t:3"}},
        "required": ["email"], "redirect": "", "source": "website", "creates": "lead", "at": "t:1",
    },
    "landing": {
        "fields": {"email": {"to": "contact.email", "at": "t:9"}}, "required": [],
        "redirect": "https://www.example.com/thanks", "source": "ads", "creates": "lead",
        "origins": ["https://www.example.com"],
        "at": "t:8",
    },
    "raffle": {"fields": {"email": {"to": "contact.email", "at": "t:12"}}, "required": ["email"],
               "rate": 3, "at": "t:11"},
}
URLENCODED = "application/x-www-form-urlencoded"


class Web:
    """One web role with a listening socket and, unless told otherwise, an engine."""

    def __init__(self, name="web-in", engine=True, **web):
        web = dict({"max_body": 65536, "timeout": 60000, "rate": 0, "park_timeout": 60000}, **web)
        self.name = name
        self.sock = socket.create_server(("127.0.0.1", 0), backlog=512)
        self.addr = self.sock.getsockname()
        self.role = Role(name, {"web": web, "forms": FORMS})
        self.role.listen(name, self.sock)
        self.gen = 0
        self.engine = None
        if engine:
            self.new_engine()
        self.role.start()

    def new_engine(self):
        self.gen += 1
        self.engine = self.role.peer("engine", str(self.gen))
        return self.engine

    def connect(self, source="127.0.0.1"):
        return socket.create_connection(self.addr, timeout=120, source_address=(source, 0))

    def __enter__(self):
        return self

    def __exit__(self, kind, *exc):
        try:
            if kind is None and self.role.proc.poll() is None:
                assert self.role.stop() == 0
        finally:
            self.sock.close()
            self.role.__exit__()


class Answer:
    def __init__(self, reader, head=False):
        line = reader.readline()
        if not line:
            raise EOFError
        self.status = int(line.split()[1])
        self.headers = {}
        while True:
            line = reader.readline().rstrip(b"\r\n")
            if not line:
                break
            k, v = line.decode("latin-1").split(":", 1)
            self.headers[k.strip().lower()] = v.strip()
        n = 0 if head else int(self.headers.get("content-length", 0))
        self.body = reader.read(n)
        self.text = self.body.decode()

    @property
    def json(self):
        return json.loads(self.body)


def request(method, path, body=b"", type_=URLENCODED, headers=None):
    lines = [f"{method} {path} HTTP/1.1", "Host: forms.example.com"]
    if body or method == "POST":
        lines.append(f"Content-Length: {len(body)}")
        if type_:
            lines.append(f"Content-Type: {type_}")
    lines += [f"{k}: {v}" for k, v in (headers or {}).items()]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


class Client:
    def __init__(self, web):
        self.sock = web.connect()
        self.reader = self.sock.makefile("rb")

    def send(self, *a, **k):
        self.sock.sendall(request(*a, **k))
        return self

    def answer(self, head=False):
        return Answer(self.reader, head)

    def ask(self, *a, **k):
        return self.send(*a, **k).answer(head=a[0] == "HEAD")

    def is_quiet(self, seconds=0.15):
        """Nothing has come by now (the frame that would allow it was seen before)."""
        self.sock.settimeout(seconds)
        try:
            return self.sock.recv(1, socket.MSG_PEEK) is None
        except TimeoutError:
            return True
        finally:
            self.sock.settimeout(120)

    def close(self):
        self.reader.close()
        self.sock.close()

    def reset(self):
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close()

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.close()


def post(web, body, type_=URLENCODED, form="contact", status="ok", **k):
    """Posts, answers as the engine, returns (frame, answer)."""
    with Client(web) as c:
        c.send("POST", "/form/" + form, body if isinstance(body, bytes) else body.encode(), type_,
               **k)
        frame = web.engine.recv("FORM")
        web.engine.send("FORM_DONE", frame.id, {"status": status})
        return frame, c.answer()


def refused(web, body, type_=URLENCODED, form="contact", method="POST", **k):
    with Client(web) as c:
        return c.ask(method, "/form/" + form, body if isinstance(body, bytes) else body.encode(),
                     type_, **k)


@pytest.fixture(scope="module")
def web():
    with Web() as w:
        yield w


# ---- content types ----------------------------------------------------------

def test_urlencoded_form_reaches_the_engine_as_posted(web):
    body = "name=J%C3%B6rg+M%2E&email=j%40example.com&utm=ads&name=2nd"
    f, a = post(web, body, headers={"User-Agent": "tester/1"})
    assert a.status == 200 and "Thank you" in a.text and a.headers["content-type"][:9] == "text/html"
    assert f.json["form"] == "contact"
    assert f.json["fields"] == {"name": "Jörg M.", "email": "j@example.com"}
    assert f.json["extra"] == {"utm": "ads", "name.1": "2nd"}
    assert f.json["files"] == [] and f.json["agent"] == "tester/1"
    assert f.json["remote"] == "127.0.0.1"
    assert len(f.json["request_id"]) == 32
    assert f.raw == body.encode()


def test_multipart_form_reaches_the_engine_with_its_files_named(web):
    body = ("--XX\r\nContent-Disposition: form-data; name=\"email\"\r\n\r\nj@example.com\r\n"
            "--XX\r\nContent-Disposition: form-data; name=\"cv\"; filename=\"C:\\dir\\cv.pdf\"\r\n"
            "Content-Type: application/pdf\r\n\r\n%PDF\r\nx\r\n"
            "--XX\r\nContent-Disposition: form-data; name=\"none\"; filename=\"\"\r\n\r\n\r\n"
            "--XX--\r\n")
    f, a = post(web, body, "multipart/form-data; boundary=XX")
    assert a.status == 200
    assert f.json["fields"] == {"email": "j@example.com"}
    (file,) = f.json["files"]
    assert (file["field"], file["filename"], file["type"], file["size"]) == \
        ("cv", "cv.pdf", "application/pdf", 7)
    import hashlib
    assert file["sha256"] == hashlib.sha256(b"%PDF\r\nx").hexdigest()
    assert f.raw == body.encode()


def test_json_form_reaches_the_engine_flattened_and_is_answered_in_json(web):
    f, a = post(web, json.dumps({"email": "j@example.com", "n": {"a": 1, "b": [True, None, "x"]}}),
                "application/json; charset=utf-8", form="landing")
    assert f.json["fields"] == {"email": "j@example.com"}
    assert f.json["extra"] == {"n.a": "1", "n.b.0": "true", "n.b.2": "x"}
    assert a.status == 200 and a.json["ok"] is True
    assert a.json["request_id"] == f.json["request_id"]


def test_bytes_that_are_not_utf8_become_text_with_a_defect(web):
    f, _ = post(web, b"email=j@example.com&name=J\xf6rg%00")
    assert f.json["fields"]["name"] == "J\ufffdrg"
    assert "not UTF-8" in f.json["defects"][0]
    f, _ = post(web, b"email=j@example.com&name=J%F6rg+%80&_charset_=windows-1252")
    assert f.json["fields"]["name"] == "Jörg €" and "defects" not in f.json


# ---- answers ----------------------------------------------------------------

def test_answer_leaves_only_after_the_engine_has_stored_the_form(web):
    with Client(web) as c:
        c.send("POST", "/form/contact", b"email=a@example.com")
        f = web.engine.recv("FORM")
        assert c.is_quiet()
        web.engine.send("FORM_DONE", f.id + 1000, {"status": "ok"})
        assert c.is_quiet(0.05)
        web.engine.send("FORM_DONE", f.id, {"status": "ok"})
        assert c.answer().status == 200


@pytest.mark.parametrize("status,code", [("ok", 200), ("duplicate", 200), ("quarantined", 202),
                                         ("invalid", 422), ("busy", 503), ("never heard of", 503)])
def test_each_status_of_the_engine_has_its_code(web, status, code):
    _, a = post(web, "email=a@example.com", status=status)
    assert a.status == code
    assert ("retry-after" in a.headers) == (code == 503)


def test_text_of_the_engine_is_escaped_in_html(web):
    with Client(web) as c:
        c.send("POST", "/form/contact", b"email=a@example.com")
        f = web.engine.recv("FORM")
        web.engine.send("FORM_DONE", f.id, {"status": "invalid", "text": "<b>\"&"})
        a = c.answer()
        assert a.status == 422 and "&lt;b&gt;&quot;&amp;" in a.text and "<b>" not in a.text


def test_redirect_goes_to_the_configured_page_only_and_only_for_browsers(web):
    _, a = post(web, "email=a@example.com&redirect=https://evil.example&retURL=https://e.example",
                form="landing")
    assert a.status == 303 and a.headers["location"] == "https://www.example.com/thanks"
    assert "Thank you" in a.text and "did not work" not in a.text
    _, a = post(web, "email=a@example.com", form="landing", headers={"Accept": "application/json"})
    assert a.status == 200 and a.json["ok"] is True and "location" not in a.headers
    _, a = post(web, "email=a@example.com", form="landing", status="quarantined")
    assert a.status == 202


def test_every_answer_carries_the_security_headers(web):
    _, ok = post(web, "email=a@example.com")
    for a in (ok, refused(web, "email="), refused(web, "", form="none"),
              refused(web, "x", method="GET")):
        assert a.headers["x-content-type-options"] == "nosniff"
        assert a.headers["cache-control"] == "no-store"
        assert a.headers["referrer-policy"] == "no-referrer"
        assert a.headers["content-security-policy"].startswith("default-src 'none'")


# ---- refusals ---------------------------------------------------------------

def test_missing_required_field_is_422_and_named(web):
    for body in ("name=x", "email=", "email=+%0d%0a"):
        a = refused(web, body)
        assert a.status == 422 and "&quot;email&quot; is missing" in a.text
    a = refused(web, "{}", "application/json")
    assert a.status == 422 and 'field "email" is missing' in a.json["error"]


def test_field_that_should_be_an_email_address_is_422(web):
    for bad in ("x", "a@b", "a b@example.com", "a@@example.com", "a@example.com, b@example.com",
                "@example.com", "a@.example.com", "<a@example.com>"):
        a = refused(web, json.dumps({"email": bad}), "application/json")
        assert a.status == 422 and "not an email address" in a.json["error"], bad
    _, a = post(web, json.dumps({"email": " ü.a+b@exämple.example "}), "application/json")
    assert a.status == 200


def test_unknown_form_is_404(web):
    for path in ("none", "", "contact/x", "../contact", "%63ontact"):
        assert refused(web, "email=a@example.com", form=path).status == 404, path
    with Client(web) as c:
        for path in ("/", "/form", "/index.html", "//form/contact", "/healthz/x"):
            assert c.ask("GET", path).status == 404, path


def test_other_methods_are_405_with_allow(web):
    for method in ("GET", "HEAD", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE"):
        with Client(web) as c:
            a = c.ask(method, "/form/contact")
            assert a.status == 405 and a.headers["allow"] == "POST", method
    with Client(web) as c:
        a = c.ask("POST", "/healthz", b"x=1")
        assert a.status == 405 and a.headers["allow"] == "GET, HEAD"


def test_unknown_content_type_is_415_naming_the_accepted(web):
    for type_ in ("text/plain", "text/xml", "application/jsonx", None):
        a = refused(web, "email=a@example.com", type_)
        assert a.status == 415 and "multipart/form-data" in a.text


def test_malformed_bodies_are_400_with_a_reason(web):
    for body, type_, why in (("{", "application/json", "JSON line 1"),
                             ("[1]", "application/json", "expected one JSON object"),
                             ("{\"a\":" * 20 + "1" + "}" * 20, "application/json", "nested"),
                             ('{"a":1,"a":2}', "application/json", "duplicate"),
                             ("x", "multipart/form-data", "without a boundary"),
                             ("x", "multipart/form-data; boundary=Y", "boundary is nowhere")):
        a = refused(web, body, type_, headers={"Accept": "application/json"})
        assert a.status == 400 and why in a.json["error"], body


def test_body_over_the_limit_is_413_with_and_without_length(web):
    big = b"email=a@example.com&message=" + b"x" * 70000
    a = refused(web, big)
    assert a.status == 413 and "65536" in a.text
    with Client(web) as c:
        c.sock.sendall(b"POST /form/contact HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n"
                       b"Content-Type: application/x-www-form-urlencoded\r\n\r\n")
        for i in range(0, len(big), 4096):
            part = big[i:i + 4096]
            c.sock.sendall(b"%x\r\n%s\r\n" % (len(part), part))
        c.sock.sendall(b"0\r\n\r\n")
        assert c.answer().status == 413


def test_huge_body_is_cut_and_memory_does_not_grow(web):
    def rss():
        with open(f"/proc/{web.role.proc.pid}/statm") as f:
            return int(f.read().split()[1]) * 4096
    before = rss()
    for head in (b"Content-Length: 500000000\r\n\r\n", b"Transfer-Encoding: chunked\r\n\r\n1dcd6500\r\n",
                 b"Transfer-Encoding: chunked\r\n\r\n"):
        with Client(web) as c, contextlib.suppress(OSError, EOFError):
            c.sock.settimeout(0.4)
            c.sock.sendall(b"POST /form/contact HTTP/1.1\r\nHost: x\r\n"
                           b"Content-Type: application/x-www-form-urlencoded\r\n" + head)
            for _ in range(200):
                c.sock.sendall(b"1" * 65536)
            assert c.answer().status in (400, 413)
    assert rss() - before < 40 * 1024 * 1024
    assert post(web, "email=a@example.com")[1].status == 200


def test_chunked_body_is_read(web):
    with Client(web) as c:
        c.sock.sendall(b"POST /form/contact HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n"
                       b"Content-Type: application/x-www-form-urlencoded\r\n\r\n"
                       b"6\r\nemail=\r\nb\r\na@e.example\r\n0\r\n\r\n")
        f = web.engine.recv("FORM")
        assert f.json["fields"] == {"email": "a@e.example"} and f.raw == b"email=a@e.example"
        web.engine.send("FORM_DONE", f.id, {"status": "ok"})
        assert c.answer().status == 200


def test_header_flood_is_refused(web):
    for flood in (b"X: " + b"y" * 100000, b"X: y\r\n" * 20000, b"\r\n".join([b"X"] * 100)):
        with Client(web) as c, contextlib.suppress(OSError, EOFError):
            c.sock.sendall(b"POST /form/contact HTTP/1.1\r\n" + flood + b"\r\n\r\n")
            assert c.answer().status in (400, 413, 431)
    assert post(web, "email=a@example.com")[1].status == 200


def test_two_ways_to_say_the_length_are_400(web):
    for extra in ("Content-Length: 20\r\n", "Transfer-Encoding: chunked\r\n"):
        with Client(web) as c:
            c.sock.sendall(b"POST /form/contact HTTP/1.1\r\nHost: x\r\nContent-Length: 19\r\n"
                           + extra.encode() + b"Content-Type: " + URLENCODED.encode()
                           + b"\r\n\r\n" + (b"13\r\nemail=a@example.com\r\n0\r\n\r\n"
                                            if "Tr" in extra else b"email=a@example.com."))
            assert c.answer().status == 400


def test_garbage_never_kills_the_role(web):
    for junk in (b"\0" * 1000, b"\r\n" * 1000, b"GET\r\n\r\n", b"POST /form/contact\r\n\r\n",
                 b"POST http://[::1 HTTP/1.1\r\n\r\n", b"POST * HTTP/1.1\r\n\r\n", b"\x16\x03\x01",
                 b"POST /form/contact HTTP/9.9\r\nContent-Length: -1\r\n\r\n",
                 b"POST /form/contact HTTP/1.1\r\nContent-Length: 99999999999999999999\r\n\r\n",
                 b"POST /form/contact HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n-5\r\n\r\n",
                 b"POST /form/contact HTTP/1.1\r\nTransfer-Encoding: gzip\r\n\r\n"):
        with Client(web) as c, contextlib.suppress(OSError, EOFError):
            c.sock.sendall(junk)
            c.sock.shutdown(socket.SHUT_WR)
            while c.sock.recv(65536):
                pass
    assert post(web, "email=a@example.com")[1].status == 200


def test_expect_100_continue_is_answered_before_the_body(web):
    with Client(web) as c:
        c.sock.sendall(b"POST /form/contact HTTP/1.1\r\nHost: x\r\nContent-Length: 19\r\n"
                       b"Expect: 100-continue\r\nContent-Type: " + URLENCODED.encode() + b"\r\n\r\n")
        assert c.answer().status == 100
        c.sock.sendall(b"email=a@example.com")
        f = web.engine.recv("FORM")
        web.engine.send("FORM_DONE", f.id, {"status": "ok"})
        assert c.answer().status == 200


def test_scripts_of_named_origins_only_may_post(web):
    def preflight(form, origin):
        with Client(web) as c:
            return c.ask("OPTIONS", "/form/" + form, headers={
                "Origin": origin, "Access-Control-Request-Method": "POST"})
    a = preflight("landing", "https://www.example.com")
    assert a.status == 204 and a.headers["access-control-allow-methods"] == "POST"
    assert a.headers["access-control-allow-origin"] == "https://www.example.com"
    for form, origin in (("landing", "https://evil.example"), ("landing", "null"),
                         ("contact", "https://www.example.com"), ("none", "x")):
        a = preflight(form, origin)
        assert a.status in (404, 405) and "access-control-allow-origin" not in a.headers
    _, a = post(web, '{"email": "a@example.com"}', "application/json", form="landing",
                headers={"Origin": "https://www.example.com"})
    assert a.status == 200 and a.headers["vary"] == "Origin"
    assert a.headers["access-control-allow-origin"] == "https://www.example.com"
    a = refused(web, "email=x", form="landing", headers={"Origin": "https://www.example.com"})
    assert a.status == 422 and "access-control-allow-origin" in a.headers


# ---- ids, connections, the engine -------------------------------------------

def test_idempotency_key_becomes_the_request_id_of_its_form(web):
    f, a = post(web, "email=a@example.com", headers={"Idempotency-Key": "order-17"})
    assert f.json["request_id"] == "contact:order-17" and a.status == 200
    f, _ = post(web, "email=a@example.com", form="landing", headers={"Idempotency-Key": "order-17"})
    assert f.json["request_id"] == "landing:order-17"
    for bad in ("x" * 129, "a b", "ü"):
        with Client(web) as c:
            c.sock.sendall(request("POST", "/form/contact", b"email=a@example.com",
                                   headers={"Idempotency-Key": bad}))
            assert c.answer().status == 400


def test_64_connections_are_parked_at_once_and_each_gets_its_own_answer(web):
    clients = [Client(web) for _ in range(64)]
    for i, c in enumerate(clients):
        c.send("POST", "/form/contact", b"email=c%d@example.com" % i,
               headers={"Accept": "application/json"})
    frames = [web.engine.recv("FORM") for _ in clients]
    assert len({f.json["request_id"] for f in frames}) == 64
    ids = {f.json["fields"]["email"]: f.json["request_id"] for f in frames}
    for f in reversed(frames):
        web.engine.send("FORM_DONE", f.id, {"status": "ok"})
    for i, c in enumerate(clients):
        assert c.answer().json["request_id"] == ids[f"c{i}@example.com"]
        c.close()


def test_pipelined_requests_are_answered_in_order(web):
    with Client(web) as c:
        c.sock.sendall(b"".join(request("POST", "/form/contact", b"email=p%d@example.com" % i,
                                        headers={"Accept": "application/json"})
                                for i in range(5)))
        for i in range(5):
            f = web.engine.recv("FORM")
            assert f.json["fields"]["email"] == f"p{i}@example.com"
            web.engine.send("FORM_DONE", f.id, {"status": "ok"})
            assert c.answer().json["request_id"] == f.json["request_id"]


def test_half_closed_client_still_gets_its_answer(web):
    with Client(web) as c:
        c.send("POST", "/form/contact", b"email=a@example.com")
        c.sock.shutdown(socket.SHUT_WR)
        f = web.engine.recv("FORM")
        web.engine.send("FORM_DONE", f.id, {"status": "ok"})
        assert c.answer().status == 200


def test_clients_that_reset_while_parked_do_no_harm(web):
    clients = [Client(web) for _ in range(20)]
    for c in clients:
        c.send("POST", "/form/contact", b"email=a@example.com")
    frames = [web.engine.recv("FORM") for _ in clients]
    for c in clients[::2]:
        c.reset()
    for f in frames:
        web.engine.send("FORM_DONE", f.id, {"status": "ok"})
    for c in clients[1::2]:
        assert c.answer().status == 200
        c.close()
    with Client(web) as c:
        assert c.ask("GET", "/healthz").json["parked"] == 0


def test_parked_forms_are_sent_again_to_a_new_engine_under_the_same_id():
    with Web() as w:
        clients = [Client(w) for _ in range(5)]
        for i, c in enumerate(clients):
            c.send("POST", "/form/contact", b"email=c%d@example.com" % i)
        old = {}
        for _ in clients:
            f = w.engine.recv("FORM")
            old[f.json["fields"]["email"]] = f
        w.engine.send("FORM_DONE", old["c0@example.com"].id, {"status": "ok"})
        assert clients[0].answer().status == 200
        w.engine.close()
        w.new_engine()
        for _ in clients[1:]:
            f = w.engine.recv("FORM")
            before = old[f.json["fields"]["email"]]
            assert f.json == before.json and f.raw == before.raw
            w.engine.send("FORM_DONE", f.id, {"status": "duplicate"})
        for c in clients[1:]:
            assert c.answer().status == 200
        third = w.new_engine()  # handed over while the old one still lives
        f, a = post(w, "email=a@example.com")
        assert a.status == 200 and third is w.engine


def test_forms_wait_for_an_engine_that_comes_and_are_503_when_none_does():
    with Web(engine=False) as w:
        with Client(w) as c, Client(w) as h:
            c.send("POST", "/form/contact", b"email=a@example.com")
            a = h.ask("GET", "/healthz")
            assert a.status == 503 and a.json["ok"] is False
            w.new_engine()
            f = w.engine.recv("FORM")
            w.engine.send("FORM_DONE", f.id, {"status": "ok"})
            assert c.answer().status == 200
            assert h.ask("GET", "/healthz").status == 200
    with Web(park_timeout=700) as w, Client(w) as c:
        w.engine.close()

        def refusal():
            """After how long a form is refused."""
            t = time.monotonic()
            a = c.ask("POST", "/form/contact", b"email=a@example.com")
            assert a.status == 503 and int(a.headers["retry-after"]) > 0
            return time.monotonic() - t
        assert refusal() > 0.5
        until(lambda: refusal() < 0.5, why="an engine long gone being said at once")


def test_rate_is_limited_per_address_with_retry_after():
    with Web(rate=5, trusted_proxies=["127.0.0.1"]) as w:
        def ask(address):
            with Client(w) as c:
                return c.ask("POST", "/form/contact", b"name=x", headers={
                    "X-Forwarded-For": address} if address else {})
        for _ in range(5):
            assert ask("203.0.113.7").status == 422
        a = ask("203.0.113.7")
        assert a.status == 429 and 1 <= int(a.headers["retry-after"]) <= 60
        assert ask("198.51.100.1, 203.0.113.7").status == 429, "only the nearest hop counts"
        assert ask("203.0.113.8").status == 422


def test_rate_of_a_form_is_over_all_addresses_and_of_that_form_alone():
    with Web(rate=1000, trusted_proxies=["127.0.0.1"]) as w:
        def ask(n, form="raffle"):
            with Client(w) as c:
                return c.ask("POST", "/form/" + form, b"name=x",
                             headers={"X-Forwarded-For": "203.0.113.%d" % n})
        for n in range(3):
            assert ask(n).status == 422
        a = ask(3)
        assert a.status == 429 and 1 <= int(a.headers["retry-after"]) <= 60
        assert "This form is posted too often: try again in" in a.text
        assert ask(4, "contact").status == 422


def test_forwarded_for_of_strangers_is_not_believed(web):
    f, _ = post(web, "email=a@example.com", headers={"X-Forwarded-For": "203.0.113.7"})
    assert f.json["remote"] == "127.0.0.1"


def test_slow_clients_are_cut_by_total_time_although_they_never_pause():
    with Web(timeout=int(600 * SLOW)) as w:
        c = w.connect()
        t = time.monotonic()
        c.sendall(b"POST /form/contact HTTP/1.1\r\nHost: x\r\nX: ")
        with pytest.raises(OSError):
            while time.monotonic() - t < 120:
                c.sendall(b"y")
                c.settimeout(0.1)
                with contextlib.suppress(TimeoutError):
                    if c.recv(1) == b"":
                        raise ConnectionResetError
        assert 0.4 * SLOW < time.monotonic() - t < 120
        idle = w.connect()
        assert idle.recv(1) == b"", "a client that says nothing is cut"
        with Client(w) as p:  # a parked one is not
            p.send("POST", "/form/contact", b"email=a@example.com")
            f = w.engine.recv("FORM")
            assert p.is_quiet(1.2 * SLOW)
            w.engine.send("FORM_DONE", f.id, {"status": "ok"})
            assert p.answer().status == 200


@pytest.mark.parametrize("begun", [
    b"POST /form/contact HTTP/1.1\r\nHost: x\r\nX: y",
    b"POST /form/contact HTTP/1.1\r\nHost: x\r\nContent-Type: multipart/form-data; boundary=a\r\n"
    b"Content-Length: 500\r\n\r\n--a\r\nContent-Disposition: form-data; name=\"email\"\r\n\r\nx",
])
def test_a_request_that_never_ends_is_told_so(begun):
    with Web(timeout=int(600 * SLOW)) as w, w.connect() as c:
        c.sendall(begun)
        said = b""
        while part := c.recv(4096):
            said += part
        assert said.startswith(b"HTTP/1.1 408 ") and b"did not arrive in time. Please send it" in said


@pytest.mark.parametrize("sent,status,words", [
    (b"POST /form/contact HTTP/1.1\r\nHost: x\r\n" + b"Cookie: a=" + b"b" * 40000 + b"\r\n\r\n", b"431 ",
     b"larger than 16 KB"),
    (b"POST /form/contact HTTP/1.1\r\nHost: x\r\n" + b"".join(b"X-%d: y\r\n" % n for n in range(9000)), b"431 ",
     b"larger than 16 KB"),
    (b"POST /form/contact HTTP/1.1\r\nno header\r\n\r\n", b"400 ", b"no HTTP request that can be read"),
    (b"nonsense\r\n\r\n", b"400 ", b"no HTTP request that can be read"),
])
def test_a_head_that_is_none_is_told_why(sent, status, words):
    with Web() as w, w.connect() as c:
        c.sendall(sent)
        said = b""
        while part := c.recv(4096):
            said += part
        assert said.startswith(b"HTTP/1.1 " + status) and said.count(b"HTTP/1.1") == 1
        assert said.endswith(b"\n") and words in said
        with Client(w) as p:  # the others are served
            p.send("POST", "/form/contact", b"email=a@example.com")
            w.engine.send("FORM_DONE", w.engine.recv("FORM").id, {"status": "ok"})
            assert p.answer().status == 200


def test_connections_over_the_limit_wait_for_a_place():
    with Web(connections=4) as w:
        clients = [Client(w) for _ in range(8)]
        for c in clients:
            c.send("POST", "/form/contact", b"email=a@example.com")
        frames = [w.engine.recv("FORM") for _ in range(4)]
        assert clients[7].is_quiet(), "no place while all are at work"
        for f in frames:
            w.engine.send("FORM_DONE", f.id, {"status": "ok"})
        for c in clients[:4]:
            assert c.answer().status == 200
            c.close()
        for c in clients[4:]:
            w.engine.send("FORM_DONE", w.engine.recv("FORM").id, {"status": "ok"})
        for c in clients[4:]:
            assert c.answer().status == 200
            c.close()


def test_connections_that_are_idle_make_room():
    with Web(connections=32, timeout=600000, trusted_proxies=["127.0.0.1"]) as w:
        idle = [Client(w) for _ in range(32)]
        begin = time.monotonic()
        for n in range(20):
            with Client(w) as c:
                assert c.ask("GET", "/healthz").status == 200
        assert time.monotonic() - begin > 0.5, "not before a second"
        with Client(w) as c:
            assert c.ask("GET", "/healthz").json["cut"] >= 1
        for c in idle:
            c.close()


def test_one_address_has_a_share_of_the_connections():
    with Web(connections=160) as w:
        with contextlib.ExitStack() as stack:
            many = [stack.enter_context(contextlib.closing(w.connect("127.0.0.2")))
                    for _ in range(60)]
            with Client(w) as c:  # and so all of them have been seen
                answer = c.ask("GET", "/healthz").json
                assert answer["connections"] == 21 and answer["cut"] == 40
            assert sum(is_closed(s) for s in many) == 40
            assert not any(is_closed(s) for s in many[:20]), "the newest are turned away"
        with contextlib.ExitStack() as stack:  # behind a proxy are many
            w2 = stack.enter_context(Web(connections=160, trusted_proxies=["127.0.0.2"]))
            many = [stack.enter_context(contextlib.closing(w2.connect("127.0.0.2")))
                    for _ in range(60)]
            with Client(w2) as c:
                assert c.ask("GET", "/healthz").json["connections"] == 61


def is_closed(sock):
    sock.setblocking(False)
    try:
        return sock.recv(1) == b""
    except BlockingIOError:
        return False
    except OSError:
        return True


def test_the_largest_request_goes_when_all_together_are_too_large():
    with Web(max_body=30 << 20) as w:
        small = Client(w)
        data = request("POST", "/form/contact", b"email=a@example.com")
        small.sock.sendall(data[:-5])
        large = [w.connect() for _ in range(4)]
        for s in large:
            s.sendall(b"POST /form/contact HTTP/1.1\r\nHost: x\r\nContent-Length: 31000000\r\n\r\n")
        chunk = b"a" * (1 << 20)
        cut = 0
        for _ in range(28):
            for s in list(large):
                try:
                    s.sendall(chunk)
                except OSError:
                    large.remove(s)
                    cut += 1
        assert 1 <= cut <= 3
        small.sock.sendall(data[-5:])
        w.engine.send("FORM_DONE", w.engine.recv("FORM").id, {"status": "ok"})
        assert small.answer().status == 200
        for s in large:
            s.close()
        small.close()


def test_stop_answers_what_is_parked_and_takes_nothing_new():
    with Web() as w:
        w.sock.close()
        with Client(w) as c:
            c.send("POST", "/form/contact", b"email=a@example.com")
            f = w.engine.recv("FORM")
            w.role.sup.send("STOP")
            w.role.sup.send("PING", 7)
            w.role.sup.recv("PONG")
            with pytest.raises(OSError):
                w.connect()
            w.engine.send("FORM_DONE", f.id, {"status": "ok"})
            a = c.answer()
            assert a.status == 200 and a.headers["connection"] == "close"
            assert w.role.proc.wait(120) == 0


def test_stop_still_takes_a_form_that_has_begun_to_arrive():
    with Web() as w:
        data = request("POST", "/form/contact", b"email=a@example.com")
        with Client(w) as c:
            c.sock.sendall(data[:-5])
            with Client(w) as h:  # the role has seen both connections
                assert h.ask("GET", "/healthz").json["connections"] == 2
            w.role.sup.send("STOP")
            w.role.sup.send("PING", 7)
            w.role.sup.recv("PONG")
            c.sock.sendall(data[-5:])
            f = w.engine.recv("FORM")
            w.engine.send("FORM_DONE", f.id, {"status": "ok"})
            assert c.answer().status == 200
            assert w.role.proc.wait(120) == 0


def test_silent_engine_makes_503_and_its_late_answer_does_no_harm():
    with Web(park_timeout=200) as w, Client(w) as c:
        a = c.ask("POST", "/form/contact", b"email=a@example.com")
        assert a.status == 503 and "retry-after" in a.headers
        f = w.engine.recv("FORM")
        w.engine.send("FORM_DONE", f.id, {"status": "ok"})
        until(lambda: post(w, "email=a@example.com")[1].status == 200, why="an answer in time")


def test_large_bodies_travel_whole_and_all_together_are_bounded():
    body = (b"--XX\r\nContent-Disposition: form-data; name=email\r\n\r\na@example.com\r\n"
            b"--XX\r\nContent-Disposition: form-data; name=f; filename=f\r\n\r\n"
            + b"x" * (20 << 20) + b"\r\n--XX--\r\n")
    multi = "multipart/form-data; boundary=XX"
    with Web(max_body=24 << 20) as w:
        with Client(w) as c, Client(w) as d, Client(w) as e:
            frames = []
            for x in (c, d):
                x.send("POST", "/form/contact", body, multi)
                f = w.engine.recv("FORM")
                frames.append(f)
                assert f.raw == body and f.json["files"][0]["size"] == 20 << 20
            assert e.ask("POST", "/form/contact", body, multi).status == 503
            w.engine.send("FORM_DONE", f.id, {"status": "ok"})
            assert d.answer().status == 200
            e.send("POST", "/form/contact", body, multi)
            g = w.engine.recv("FORM")
            for f in (g, frames[0]):
                w.engine.send("FORM_DONE", f.id, {"status": "ok"})
            assert e.answer().status == 200 and c.answer().status == 200
        halves = []
        with contextlib.ExitStack() as stack:  # never finished: only so much is kept
            for _ in range(5):
                c = stack.enter_context(Client(w))
                halves.append(c)
                with contextlib.suppress(OSError):
                    c.sock.sendall(request("POST", "/form/contact", body, multi)[:-1])
            with Client(w) as h:
                assert h.ask("GET", "/healthz").json["connections"] <= 5
            assert post(w, "email=a@example.com")[1].status == 200


def test_supervisor_gone_ends_the_role_cleanly():
    for name in ("web-in", "web-ui"):
        w = Web(name)
        with Client(w) as c:
            c.send(*(("POST", "/form/contact", b"email=a@example.com") if name == "web-in"
                     else ("GET", "/metrics")))
            w.engine.recv("FORM" if name == "web-in" else "STATS")
            w.role.sup.close()
            assert w.role.proc.wait(120) == 0
        w.sock.close()


def test_healthz_counts_what_happened():
    with Web() as w, Client(w) as c:
        post(w, "email=a@example.com")
        refused(w, "email=")
        a = c.ask("GET", "/healthz")
        assert a.status == 200 and a.json["ok"] is True
        assert a.json["requests"]["accepted"] == 1 and a.json["requests"]["invalid"] == 1
        a = c.ask("HEAD", "/healthz")
        assert a.status == 200 and int(a.headers["content-length"]) > 0
        assert c.ask("GET", "/healthz").status == 200, "nothing followed the HEAD answer"


def test_frames_of_a_broken_engine_do_no_harm():
    with Web() as w, Client(w) as c:
        c.send("POST", "/form/contact", b"email=a@example.com")
        f = w.engine.recv("FORM")
        w.engine.send("FORM_DONE", f.id ^ 1, {"status": 7})
        w.engine.send("STATS_DONE", f.id, {})
        w.engine.send("FORM_DONE", 0, None)
        w.engine.sock.sendall(b"\xff" * 64)
        with pytest.raises((Closed, ConnectionError)):
            w.engine.recv("HELLO")
        w.new_engine()
        f = w.engine.recv("FORM")
        w.engine.send("FORM_DONE", f.id, {"status": "ok", "text": 5})
        assert c.answer().status == 200


def test_1000_forms_are_answered_each_exactly_once():
    with Web() as w:
        seen = []

        def engine():
            for _ in range(1000):
                f = w.engine.recv("FORM")
                seen.append(f.json["request_id"])
                w.engine.send("FORM_DONE", f.id, {"status": "ok"})
        t = threading.Thread(target=engine)
        t.start()

        def client(n):
            h = http.client.HTTPConnection(*w.addr, timeout=120)
            for _ in range(n):
                h.request("POST", "/form/contact", "email=a@example.com",
                          {"Content-Type": URLENCODED})
                r = h.getresponse()
                r.read()
                assert r.status == 200
            h.close()
        threads = [threading.Thread(target=client, args=(50,)) for _ in range(20)]
        for x in threads:
            x.start()
        for x in threads + [t]:
            x.join()
        assert len(set(seen)) == 1000


# ---- web-ui -----------------------------------------------------------------

def test_metrics_are_the_engines_numbers_in_prometheus_text():
    with Web("web-ui") as w, Client(w) as c:
        c.send("GET", "/metrics")
        f = w.engine.recv("STATS")
        w.engine.send("STATS_DONE", f.id, {
            "counters": {"leads": 3, "mails_total": 4, 'mails_total{mailbox="a\\"b"}': 2,
                         "bad name": 1, "x\ny": 1, 'z{a="b"': 1},
            "gauges": {"outbox_ready": 5, "load": 0.5, "text": "x"}})
        a = c.answer()
        assert a.status == 200 and "version=0.0.4" in a.headers["content-type"]
        lines = a.text.splitlines()
        assert "# TYPE leadd_leads_total counter" in lines and "leadd_leads_total 3" in lines
        assert "leadd_mails_total 4" in lines and 'leadd_mails_total{mailbox="a\\"b"} 2' in lines
        assert lines.count("# TYPE leadd_mails_total counter") == 1
        assert "# TYPE leadd_outbox_ready gauge" in lines and "leadd_outbox_ready 5" in lines
        assert "leadd_load 0.5" in lines
        assert not any("bad" in x or "leadd_z" in x or "leadd_x" in x or "text" in x
                       for x in lines if not x.startswith("# HELP"))
        assert sum(x.startswith("# HELP ") for x in lines) == 4


def test_ui_healthz_is_the_engine_answering():
    with Web("web-ui") as w, Client(w) as c:
        c.send("GET", "/healthz")
        f = w.engine.recv("STATS")
        assert c.is_quiet(0.05)
        w.engine.send("STATS_DONE", f.id, {"counters": {}, "gauges": {}})
        a = c.answer()
        assert a.status == 200 and a.json["ok"] is True
        c.send("GET", "/healthz")  # asked again of a new engine
        w.engine.recv("STATS")
        w.new_engine()
        f = w.engine.recv("STATS")
        w.engine.send("STATS_DONE", f.id, {})
        assert c.answer().status == 200
        w.engine.close()
        while True:
            a = c.ask("GET", "/healthz")
            if not a.json["engine"]:
                break
        assert a.status == 503 and c.ask("GET", "/metrics").status == 503
        assert c.ask("POST", "/metrics", b"x").status == 405
        assert c.ask("GET", "/").status == 404


def test_ui_gives_up_on_a_silent_engine_after_five_seconds():
    with Web("web-ui", timeout=1000) as w, Client(w) as c, Client(w) as d:
        t = time.monotonic()
        c.send("GET", "/metrics")
        d.send("HEAD", "/healthz")
        assert c.answer().status == 503 and d.answer(head=True).status == 503
        assert time.monotonic() - t > 4.5
