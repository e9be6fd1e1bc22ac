# SPDX-License-Identifier: ISC
"""Forms for tests: posted as browsers and programs post them."""
import http.client
import json
import urllib.parse

import company

URLENCODED = "application/x-www-form-urlencoded"


class Answer:
    def __init__(self, r):
        self.status, self.headers, self.text = r.status, r.headers, r.read().decode()

    @property
    def json(self):
        return json.loads(self.text)


def ask(d, method, path, body=b"", headers=None):
    c = http.client.HTTPConnection("127.0.0.1", d.port("web-in"), timeout=60)
    c.request(method, path, body=body, headers=headers or {})
    a = Answer(c.getresponse())
    c.close()
    return a


def post(d, form, fields, headers=None):
    """As a browser does: fields is a list of pairs, or a dict."""
    return ask(d, "POST", "/form/" + form, urllib.parse.urlencode(fields).encode(),
               dict({"Content-Type": URLENCODED, "Accept": "text/html"}, **(headers or {})))


def post_json(d, form, value, headers=None):
    return ask(d, "POST", "/form/" + form, json.dumps(value).encode(),
               dict({"Content-Type": "application/json"}, **(headers or {})))


def multipart(fields, files, boundary="leadd-test"):
    """files: [(field, filename, type, bytes)]; the body and its Content-Type."""
    out = b""
    for name, value in fields.items():
        out += ('--%s\r\nContent-Disposition: form-data; name="%s"\r\n\r\n%s\r\n'
                % (boundary, name, value)).encode()
    for field, filename, kind, data in files:
        out += ('--%s\r\nContent-Disposition: form-data; name="%s"; filename="%s"\r\n'
                'Content-Type: %s\r\n\r\n' % (boundary, field, filename, kind)).encode()
        out += data + b"\r\n"
    return out + ("--%s--\r\n" % boundary).encode(), "multipart/form-data; boundary=" + boundary


def post_files(d, form, fields, files):
    body, kind = multipart(fields, files)
    return ask(d, "POST", "/form/" + form, body, {"Content-Type": kind, "Accept": "text/html"})


def conf(forms, web="max_body = \"4M\";", **more):
    """The company with more forms."""
    text = company.conf(**more).replace("forms : {", "forms : {\n" + forms, 1)
    return text.replace("rate = 1000000;", "rate = 1000000; " + web, 1)
