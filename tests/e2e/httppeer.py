# SPDX-License-Identifier: ISC
"""The HTTP members of the family in peers.py: what webhooks and token requests
talk to, and an SMS gateway.

    peer = HttpPeer([{"answer": drop}])           # the first connection's first request
    peer.on("/token", lambda r: (200, {"Content-Type": "application/json"}, b"{...}"))
    peer.wait(lambda: peer.requests)

Steps: connect (before a byte is read), head (the request's head was read),
body (its body, too), answer (the whole response as bytes), called for each
request; further requests come on the same connection.
"""
import collections
import json
import threading
import urllib.error
import urllib.parse
import urllib.request

from peers import Gone, Peer

Request = collections.namedtuple("Request", "session method path query headers body")
REASONS = {200: "OK", 202: "Accepted", 204: "No Content", 400: "Bad Request", 401: "Unauthorized",
           403: "Forbidden", 404: "Not Found", 413: "Content Too Large", 429: "Too Many Requests",
           500: "Internal Server Error", 503: "Service Unavailable"}
TEXT = {"Content-Type": "text/plain"}
JSON = {"Content-Type": "application/json"}


def response(status, headers=None, body=b""):
    """The bytes of one answer."""
    lines = ["HTTP/1.1 %d %s" % (status, REASONS.get(status, "Status"))]
    fields = dict({"Content-Length": str(len(body))}, **(headers or {}))
    lines += ["%s: %s" % field for field in fields.items() if field[1] is not None]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def status(code, headers=None, body=b""):
    """An action: this answer instead of the right one."""
    return lambda conn, answer: conn.write(response(code, headers, body))


def chunked(conn, answer):
    """The right body in chunks of three bytes, each in a packet of its own."""
    head, _, body = answer.partition(b"\r\n\r\n")
    lines = [x for x in head.split(b"\r\n") if not x.lower().startswith(b"content-length")]
    conn.write(b"\r\n".join(lines + [b"Transfer-Encoding: chunked"]) + b"\r\n\r\n")
    for at in range(0, len(body), 3):
        part = body[at:at + 3]
        conn.write(b"%x\r\n%s\r\n" % (len(part), part))
    conn.write(b"0\r\n\r\n")


def length_lie(claim):
    """Says another Content-Length than the body has, and ends."""
    def act(conn, answer):
        head, _, body = answer.partition(b"\r\n\r\n")
        lines = [x for x in head.split(b"\r\n") if not x.lower().startswith(b"content-length")]
        conn.write(b"\r\n".join(lines + [b"Content-Length: %d" % claim]) + b"\r\n\r\n" + body)
        raise Gone()
    return act


def endless_headers(conn, answer):
    """A head that never ends."""
    conn.write(b"HTTP/1.1 200 OK\r\n")
    while True:
        conn.write(b"X-More: " + b"x" * 1000 + b"\r\n")


def endless_body(conn, answer):
    """As much of a body as the client takes."""
    conn.write(b"HTTP/1.1 200 OK\r\n\r\n")
    while True:
        conn.write(b"x" * 65536)


def redirect_loop(conn, answer):
    conn.write(response(302, {"Location": "/again"}))


class HttpPeer(Peer):
    def __init__(self, script=(), tls=None, port=0):
        self.requests = []
        self.routes = {}
        super().__init__(script, tls, port=port)

    def on(self, path, handler):
        """handler(request) gives (status, headers, body)."""
        self.routes[path] = handler

    def url(self, path="/"):
        return "%s://127.0.0.1:%d%s" % ("https" if self.tls else "http", self.port, path)

    def serve(self, conn):
        if self.tls:
            conn.start_tls()
        conn.act("connect", b"")
        while True:
            request = self._read(conn)
            self.note(self.requests, request)
            self.respond(conn, request)
            if request.headers.get("connection", "").lower() == "close":
                raise Gone()

    def respond(self, conn, request):
        conn.act("answer", response(*self.routes.get(request.path, self.answer)(request)))

    def answer(self, request):
        """To a path without a handler."""
        return 200, TEXT, b"ok\n"

    def _read(self, conn):
        method, target, _ = (conn.line().decode("latin-1").split(" ", 2) + ["", ""])[:3]
        headers = {}
        while line := conn.line():
            key, _, value = line.decode("latin-1").partition(":")
            headers[key.strip().lower()] = value.strip()
        conn.act("head", b"HTTP/1.1 100 Continue\r\n\r\n" if "expect" in headers else b"")
        body = self._read_body(conn, headers)
        conn.act("body", b"")
        url = urllib.parse.urlsplit(target)
        query = dict(urllib.parse.parse_qsl(url.query, keep_blank_values=True))
        return Request(conn.number, method, url.path, query, headers, body)

    def _read_body(self, conn, headers):
        if headers.get("transfer-encoding", "").lower() != "chunked":
            return conn.take(int(headers.get("content-length", 0)))
        body = b""
        while size := int(conn.line().split(b";")[0], 16):
            body += conn.take(size)
            conn.line()
        while conn.line():
            pass
        return body


# ---- an SMS gateway ---------------------------------------------------------------

Sms = collections.namedtuple("Sms", "to text sender user dlr_url dlr_mask request")

DELIVERED, FAILED, QUEUED, AT_SMSC, REFUSED = 1, 2, 4, 8, 16  # dlr-mask and %d of dlr-url


class SmsGatewayPeer(HttpPeer):
    """Speaks Kannel's sendsms interface. Further steps: sendsms, the answer to a
    message (accepted ones are in peer.messages, whatever the answer was).

        peer = SmsGatewayPeer([{"sendsms": [queued, refused(403), ok]}])
        peer.receipts = (AT_SMSC, DELIVERED)   # called back for each accepted message
        peer.receipt(peer.messages[0], FAILED) # or by hand
        peer.inbound(url, "+4366012345", "#won 5000")
    """

    def __init__(self, script=(), users=None, tls=None, port=0):
        self.users = users or {"crm": "crm"}
        self.messages = []       # every whole message with the right password
        self.receipts = ()
        self.called = []         # (status of the receipt, HTTP status that came back, or None)
        super().__init__(script, tls, port)

    def respond(self, conn, request):
        if request.path != "/cgi-bin/sendsms":
            conn.act("answer", response(404, TEXT, b"Unknown request"))
            return
        answer, sms = self._sendsms(request)
        if sms:
            self.note(self.messages, sms)
            conn.on_answer = lambda data: self._accepted(sms, data)
        conn.act("sendsms", answer)
        conn.on_answer = None

    def _sendsms(self, request):
        fields = dict(request.query)
        if request.headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
            fields.update(urllib.parse.parse_qsl(request.body.decode("utf-8", "replace")))
        user = fields.get("username", fields.get("user"))
        secret = fields.get("password", fields.get("pass"))
        if user is None or self.users.get(user) != secret:
            return response(403, TEXT, b"Authorization failed for sendsms"), None
        if not fields.get("to"):
            return response(400, TEXT, b"Missing receiver number, rejected"), None
        sms = Sms(fields["to"], fields.get("text", ""), fields.get("from", ""), user,
                  fields.get("dlr-url", ""), int(fields.get("dlr-mask", 0)), request)
        return response(202, TEXT, b"0: Accepted for delivery"), sms

    def _accepted(self, sms, data):
        if not data.startswith(b"HTTP/1.1 202"):
            return
        for what in self.receipts:
            threading.Thread(target=self.receipt, args=(sms, what), daemon=True).start()

    def receipt(self, sms, what):
        """Calls dlr-url when its mask asks for this status, as the gateway does."""
        if sms.dlr_url and sms.dlr_mask & what:
            self.note(self.called, (what, fetch(sms.dlr_url.replace("%d", str(what)))))

    def inbound(self, url, sender, text, to="13013", id_="in-1"):
        """A message from a phone: %p %P %a %I of the sms-service's get-url."""
        for key, value in (("%p", sender), ("%P", to), ("%a", text), ("%I", id_)):
            url = url.replace(key, urllib.parse.quote(value, safe=""))
        return fetch(url)


def queued(conn, answer):
    conn.write(response(202, TEXT, b"3: Queued for later delivery"))


def refused(code, text="Temporal failure, try again later."):
    return status(code, TEXT, text.encode())


def fetch(url):
    """The HTTP status that GET brings, None when no answer comes."""
    try:
        with urllib.request.urlopen(url, timeout=120) as r:
            return r.status
    except urllib.error.HTTPError as e:
        return e.code
    except OSError:
        return None


def token_server(tokens, script=(), tls=None):
    """An OAuth token endpoint at /token: each refresh gives the next of tokens, each
    a dict, and 400 invalid_grant when there is none left."""
    peer, left = HttpPeer(script, tls), list(tokens)

    def answer(request):
        if request.method != "POST" or not left:
            return 400, JSON, json.dumps({"error": "invalid_grant"}).encode()
        return 200, JSON, json.dumps(left.pop(0)).encode()
    peer.on("/token", answer)
    return peer
