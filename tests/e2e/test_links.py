# SPDX-License-Identifier: ISC
"""Links of notices: to open one changes nothing, its button does the one thing, and
whoever changes a letter of it gets nothing."""
import http.client
import re

import company
from daemon import Daemon, until
from test_main_job import post

RULES = """
lang = 1;
rules : { rest : { on = "lead.created"; do = [ "assign tom", "notify eva" ]; }; };
"""
START = "2026-11-20T10:00:00Z"


def start(url="https://crm.example.com/"):
    conf = company.conf().replace('ui_listen = "127.0.0.1:0";',
                                  'ui_listen = "127.0.0.1:0"; url = "%s";' % url)
    d = Daemon(conf, company.files(RULES), args=["--pretend-time", START])
    post(d, {"email": "ada@shop.example", "name": "Ada <Beispiel>", "message": "40 widgets"})
    return d


def links(d, to):
    """Of the newest notice to that user: {label: path}."""
    m = until(lambda: [m for m in company.sent(d.dir) if to in m["To"]], why="the notice")[-1]
    found = re.findall(r"^(.+):\n  https://crm\.example\.com(/do/\S+)$", m.get_content(), re.M)
    return dict(found)


def ask(d, path, method="GET"):
    c = http.client.HTTPConnection("127.0.0.1", d.port("web-ui"), timeout=120)
    c.request(method, path)
    r = c.getresponse()
    body = r.read().decode()
    c.close()
    return r, body


def owner(d):
    return d.ctl("list", "leads")["rows"][0]["owner"]


def test_to_open_a_link_changes_nothing_and_its_button_does_it_as_that_user():
    with start() as d:
        path = links(d, "eva@example.com")["Take it"]
        r, body = ask(d, path)
        assert (r.status, owner(d)) == (200, "tom")
        assert "L1: 40 widgets, Ada &lt;Beispiel&gt;" in body and "<form method=\"post\">" in body
        assert "form-action 'self'" in r.headers["Content-Security-Policy"]
        assert r.headers["Referrer-Policy"] == "no-referrer"
        assert ask(d, path, "HEAD")[0].status == 200 and owner(d) == "tom"
        r, body = ask(d, path, "POST")
        assert (r.status, owner(d)) == (200, "eva")
        assert "form-action 'none'" in r.headers["Content-Security-Policy"]
        assert "eva" in d.ctl("why", "L1")["text"]
        assert path.rsplit("/", 1)[1] not in d.log()  # who reads the log may not use it
        assert ask(d, path, "PUT")[0].status == 405


def test_whoever_changes_a_letter_gets_nothing():
    with start() as d:
        path = links(d, "eva@example.com")["Take it"]
        wrong = [path[:i] + ("b" if c == "a" else "a") + path[i + 1:]
                 for i, c in enumerate(path) if i > 3 and c.isalnum()]
        wrong += [path.replace("/eva/", "/mia/"), path.replace("/take/", "/lost/"),
                  path.replace("/L1/", "/L2/"), path + "x", "/do/", "/do/" + "x" * 5000,
                  path.replace("/eva/", "/e%00a/"), path.replace("/", "//")]
        for other in wrong:
            assert ask(d, other, "POST")[0].status in (400, 404), other
        assert owner(d) == "tom"


def test_a_link_ends_after_seven_days_and_goes_with_its_record():
    with start() as d:
        path = links(d, "eva@example.com")["Take it"]
        d.ctl("clock", "advance", "7d")
        assert ask(d, path)[0].status == 200
        d.ctl("clock", "advance", "2h")
        r, body = ask(d, path, "POST")
        assert r.status == 410 and "#help" in body and owner(d) == "tom"


def test_without_a_public_url_notices_name_no_links():
    with start(url="https://crm.example.com") as d:
        assert links(d, "eva@example.com")
    conf = company.conf()
    with Daemon(conf, company.files(RULES)) as d:
        post(d, {"email": "ada@shop.example", "name": "Ada"})
        m = until(lambda: [m for m in company.sent(d.dir) if "eva@example.com" in m["To"]],
                  why="the notice")[0]
        assert "/do/" not in m.get_content()
