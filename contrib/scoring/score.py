#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""The smallest scoring service that leadd can ask: an example to start from.

    score.py SECRET_FILE [PORT]          listens on 127.0.0.1, says on which port

leadd.conf:     endpoints : { scoring : { url = "http://127.0.0.1:8099/";
                                          secret_file = "secrets/scoring"; }; };
a rule file:    enrichments : { scoring : { endpoint = "scoring"; cache = "1d";
                    send = [ "lead.subject", "contact.domain" ];
                    set : { score = "lead.score"; }; }; };
                rules : { ask : { on = "lead.created"; do = "enrich scoring"; }; };

What is asked is believed only when the signature is right and young (Standard
Webhooks). leadd may ask the same question twice: the answer is the same, so that
does no harm; a service that does something must remember webhook-id.
"""
import base64
import hashlib
import hmac
import http.server
import json
import sys
import time

WORDS = {"buy": 40, "price": 30, "offer": 30, "quote": 30, "urgent": 20, "newsletter": -40}
MOST = 256 * 1024
AGE = 5 * 60


def read_key(path):
    with open(path, "rb") as f:
        text = f.read().rstrip(b"\r\n")
    return base64.b64decode(text[6:]) if text.startswith(b"whsec_") else text


def signed(key, headers, body, now):
    sent, at = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
    if not at.isdigit() or abs(now - int(at)) > AGE:
        return False
    mac = hmac.new(key, b"%s.%s." % (sent.encode(), at.encode()) + body, hashlib.sha256)
    want = "v1," + base64.b64encode(mac.digest()).decode()
    return any(hmac.compare_digest(want, one)
               for one in headers.get("webhook-signature", "").split(" "))


def score(fields):
    words = (fields.get("lead.subject") or "").lower().split()
    return max(0, min(100, 20 + sum(WORDS.get(w.strip(".,:!?"), 0) for w in words)))


class Handler(http.server.BaseHTTPRequestHandler):
    key, now = b"", time.time
    protocol_version = "HTTP/1.1"

    def do_POST(self):  # pylint: disable=invalid-name
        size = int(self.headers.get("content-length") or 0)
        if size > MOST:
            self.answer(413, {})
            return
        body = self.rfile.read(size)
        if not signed(self.key, self.headers, body, self.now()):
            self.answer(401, {})
            return
        self.answer(200, {"score": score(json.loads(body)["data"]["fields"])})

    def answer(self, code, value):
        text = json.dumps(value).encode()
        self.send_response(code)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *args):  # pylint: disable=arguments-differ
        pass


def main():
    Handler.key = read_key(sys.argv[1])
    port = int(sys.argv[2]) if len(sys.argv) > 2 else 8099
    server = http.server.ThreadingHTTPServer(("127.0.0.1", port), Handler)
    print("listening on 127.0.0.1:%d" % server.server_address[1], flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
