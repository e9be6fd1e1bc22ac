# SPDX-License-Identifier: ISC
"""Links of mails that tell when they are opened: only where a template asks for it, only to what
stood in that mail, and what mail systems open counts as nobody's interest."""
import base64
import contextlib
import random
import re
import subprocess

import pytest

import company
import forms
from daemon import Daemon, until
from roles import LEADD

START = "2026-11-20T10:00:00Z"
PRICES = "https://www.example.com/prices?a=1&b=2#top"
DEMO = "http://demo.example.com/"
RULES = company.RULES.replace("rules : {", """rules : {
  warm : { on = "message.clicked"; when = "activity.text contains 'prices'"; do = "tag warm"; };
""", 1)
TEXT = """Track-Clicks: yes
Subject: Your request

Prices (%s), and a demo: %s.
Leave: https://in.example.com/u/abc and https://crm.example.com/do/take/L1
ftp://x.example.com/ mailto:a@b.example

--html--
<p><a class="x" href="%s">Prices</a> <A HREF='%s'>Demo</A>
<a href="https://in.example.com/u/abc">Leave</a> <img src="https://www.example.com/logo.png">
<a href="mailto:a@b.example">Mail</a> <a name="x">https://text.example.com/</a></p>
""" % (PRICES, DEMO, PRICES.replace("&", "&amp;"), DEMO)
BROWSER = {"User-Agent": "Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0"}
LINK = re.compile(r"https://in\.example\.com(/r/[0-9]+\.[0-9]+\.[a-z2-7]+/[A-Za-z0-9_-]+)")


def conf():
    return forms.conf("", 'in_url = "https://in.example.com"; url = "https://crm.example.com";')


@contextlib.contextmanager
def start(template=TEXT):
    with Daemon(conf(), company.files(RULES, **{"templates/welcome.txt": template}),
                args=["--pretend-time", START]) as d:
        forms.post(d, "contact", {"email": "ada@shop.example", "name": "Ada"})
        yield d


def welcome(d):
    return until(lambda: [m for m in company.sent(d.dir) if "ada@shop.example" in m["To"]],
                 why="the follow-up")[0]


def part(mail, kind):
    return mail.get_body((kind,)).get_content()


def links(d):
    """[path] of the text: prices, demo."""
    return LINK.findall(part(welcome(d), "plain"))


def click(d, path, agent=BROWSER, method="GET"):
    a = forms.ask(d, method, path, headers=agent)
    assert a.status == 302, a.text
    return a.headers["Location"]


def clicks(d):
    return [r for r in d.ctl("timeline", "L1")["rows"] if r["kind"] == "click"]


def test_text_and_html_lead_through_us_to_what_stood_there_and_our_own_links_stay():
    with start() as d:
        text, html = part(welcome(d), "plain"), part(welcome(d), "html")
        prices, demo = links(d)
        assert [click(d, p) for p in (prices, demo)] == [PRICES, DEMO]
        assert "(https://in.example.com%s), and a demo: https://in.example.com%s.\n" % (
            prices, demo) in text
        assert LINK.findall(html) == [prices, demo]
        assert PRICES not in text + html and DEMO not in text + html
        for own in ("https://in.example.com/u/abc", "https://crm.example.com/do/take/L1",
                    "ftp://x.example.com/", "mailto:a@b.example"):
            assert own in text, own
        for own in ('href="https://in.example.com/u/abc"', 'src="https://www.example.com/logo.png"',
                    'href="mailto:a@b.example"', ">https://text.example.com/<"):
            assert own in html, own


def test_it_is_off_unless_the_template_asks_for_it():
    with start(TEXT.replace("Track-Clicks: yes\n", "")) as d:
        assert PRICES in part(welcome(d), "plain") and "/r/" not in welcome(d).as_string()


def test_nothing_else_can_be_reached_by_such_a_link():
    with start() as d:
        prices, demo = links(d)
        evil = base64.urlsafe_b64encode(b"https://evil.example/").decode().rstrip("=")
        head, token, code = re.match(r"(/r/[0-9]+\.[0-9]+\.)([a-z2-7]+)/(.*)", prices).groups()
        wrong = [head + token + "/" + evil, head + token + "/" + demo.rsplit("/", 1)[1],
                 head.replace(".2.", ".1.") + token + "/" + code, prices + "A", prices + "=",
                 head + "/" + code, head + token + "/", "/r/", "/r/x", "/r/1.2.3/4",
                 prices.replace("/r/", "/r/9"), "/r/" + "9" * 40 + ".1.a/" + evil]
        wrong += [prices[:i] + ("b" if c == "a" else "a") + prices[i + 1:]
                  for i, c in enumerate(prices) if i > 3 and c.isalnum()]
        for path in wrong:
            a = forms.ask(d, "GET", path, headers=BROWSER)
            assert a.status == 404 and "Location" not in a.headers, path


def test_a_link_that_a_stranger_wrote_into_a_form_is_not_made_ours():
    text = TEXT.replace("Prices (", "Hello {{contact.name}}\nPrices (").replace(
        "<p>", "<p>Hello <a href=\"{{contact.name}}\">you</a> ")
    values = ["https://evil.example/", "https://www.example.com@evil.example/",
              "https://www.example.co/", "https://www.example.com.evil.example/",
              "https://www.example.com:81/"]
    with start(text) as d:
        for n, evil in enumerate(values):
            to = "n%d@shop.example" % n
            forms.post(d, "contact", {"email": to, "name": evil})
            mail = until(lambda: [m for m in company.sent(d.dir) if to in m["To"]], why=to)[0]
            for kind in ("plain", "html"):
                assert evil in part(mail, kind), evil
                assert len(set(LINK.findall(part(mail, kind)))) == 2


def test_a_persons_click_counts_once_and_rules_hear_of_it():
    with start() as d:
        prices, _ = links(d)
        d.ctl("clock", "advance", "1h")
        for _ in range(3):
            click(d, prices)
        assert clicks(d) == []  # it is not decided yet
        d.kill("engine")
        d.ctl("clock", "advance", "2m")
        (row,) = clicks(d)
        assert PRICES in row["text"] and "Your request" in row["text"]
        assert "warm" in d.ctl_text("show", "L1")
        click(d, prices)
        d.ctl("clock", "advance", "2m")
        assert len(clicks(d)) == 1


@pytest.mark.parametrize("agent,method", [
    (BROWSER, "HEAD"), (BROWSER, "POST"), ({}, "GET"),
    ({"User-Agent": "Mozilla/5.0 (compatible; SomeBot/2.1)"}, "GET"),
    ({"User-Agent": "curl/8.5.0"}, "GET"),
])
def test_programs_get_there_and_count_for_nobody(agent, method):
    with start() as d:
        prices, _ = links(d)
        d.ctl("clock", "advance", "1h")
        assert click(d, prices, agent, method) == PRICES
        d.ctl("clock", "advance", "5m")
        assert clicks(d) == []
        click(d, prices)  # a person after it counts
        d.ctl("clock", "advance", "5m")
        assert len(clicks(d)) == 1


def test_what_a_scanner_opens_counts_for_nobody_and_hides_no_person():
    with start() as d:
        prices, demo = links(d)
        click(d, demo)  # as the mail arrives
        d.ctl("clock", "advance", "5m")
        assert clicks(d) == []
        click(d, prices)  # all of them at once
        click(d, demo)
        d.ctl("clock", "advance", "5m")
        assert clicks(d) == [] and "warm" not in d.ctl_text("show", "L1")
        click(d, prices)
        d.ctl("clock", "advance", "30s")
        click(d, demo)  # one after the other, as people do
        d.ctl("clock", "advance", "5m")
        assert len(clicks(d)) == 2


MANY = """Track-Clicks: yes
Subject: Your request

https://www.example.com/a https://www.example.com/b https://www.example.com/c
"""


@pytest.mark.parametrize("seed", range(6))
def test_scanners_and_people_are_told_apart_in_whatever_order_they_come(seed):
    """The model knows who opened what: a person one link, a scanner all of them in an instant."""
    rng = random.Random(seed)
    with start(MANY) as d:
        paths, people = links(d), set()
        d.ctl("clock", "advance", "1h")
        steps = [rng.choice(["person", "scanner"]) for _ in range(5)] + ["person", "scanner", "scanner"]
        near = False  # at most two of them within the minute in which it is decided
        for who in steps:
            opened = paths if who == "scanner" else [rng.choice(paths)]
            for path in opened:
                click(d, path)
            if who == "person":
                people.add(paths.index(opened[0]))
            near = not near and rng.random() < 0.6
            d.ctl("clock", "advance", "20s" if near else "5m")
        d.ctl("clock", "advance", "5m")
        counted = [r["text"].split(",")[0] for r in clicks(d)]
        assert sorted(counted) == ["https://www.example.com/" + "abc"[n] for n in sorted(people)], steps


@pytest.mark.parametrize("template,said", [
    ("Track-Clicks: maybe\nSubject: x\n\nx\n", "Track-Clicks: expected yes or no"),
    ("Track-Clicks: yes\nSubject: x\n\nx\n", "Track-Clicks needs in_url of web"),
    ("Track-Click: yes\nSubject: x\n\nx\n", 'did you mean "Track-Clicks"?'),
])
def test_a_mistake_is_told(template, said):
    with Daemon(company.conf(), company.files(RULES, **{"templates/welcome.txt": template}),
                start=False) as d:
        r = subprocess.run([LEADD, "-c", d.conf_path, "-t"], capture_output=True, text=True)
        assert said in r.stdout + r.stderr and r.returncode != 0
