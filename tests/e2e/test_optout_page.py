# SPDX-License-Identifier: ISC
"""The page behind List-Unsubscribe: one click as mailbox providers really post it, what a person chooses
there, and that a look at it, however often, changes nothing."""
import html.parser
import http.client
import re
import urllib.parse

import pytest

import company
from daemon import CtlError
from test_optout import ADA, Company

FORM = "application/x-www-form-urlencoded"
PARTS = ('--b1\r\nContent-Disposition: form-data; name="List-Unsubscribe"\r\n\r\nOne-Click\r\n--b1--\r\n')


def link(mail):
    return re.match(r"<https://www\.example\.com(/u/[^>]+)>", str(mail["List-Unsubscribe"]).strip()).group(1)


def ask(d, path, method="GET", body=None, type=None):
    c = http.client.HTTPConnection("127.0.0.1", d.port("web-in"), timeout=300)
    c.request(method, path, body, {"Content-Type": type} if type else {})
    r = c.getresponse()
    text = r.read().decode("utf-8")
    c.close()
    return r.status, text


class Boxes(html.parser.HTMLParser):
    """What the page's form would post: as a browser reads it."""

    def __init__(self, text):
        super().__init__()
        self.boxes, self.options, self.hidden, self.method = {}, [], {}, None
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        a = dict(attrs)
        if tag == "form":
            self.method = a.get("method")
        if tag == "input" and a.get("type") == "checkbox":
            self.boxes[a["name"]] = "checked" in a
        if tag == "input" and a.get("type") == "hidden":
            self.hidden[a["name"]] = a["value"]
        if tag == "select":
            self.options.append(a["name"])

    def post(self, **change):
        on = dict(self.boxes, **change)
        return urllib.parse.urlencode(dict(self.hidden, **{n: "1" for n, v in on.items() if v}))


@pytest.mark.parametrize("body,type,ends", [
    ("List-Unsubscribe=One-Click", FORM, True),
    ("List-Unsubscribe=One-Click", FORM + "; charset=UTF-8", True),
    ("List-Unsubscribe=One-Click\r\n", FORM, True),
    ("list-unsubscribe=one-click", FORM, True),
    ("List%2DUnsubscribe=One%2DClick", FORM, True),
    ("List-Unsubscribe=One-Click&from=provider", FORM, True),
    ("List-Unsubscribe=One-Click", None, True),
    ("List-Unsubscribe=One-Click", "text/plain", True),
    (PARTS, "multipart/form-data; boundary=b1", True),
    (PARTS.replace("\r\n", "\n"), 'multipart/form-data; boundary="b1"', True),
    ("", FORM, False), ("", None, False), ("x=1", FORM, False), ("List-Unsubscribe=No", FORM, False),
    ("{}", "application/json", False),
])
def test_one_click_is_taken_as_providers_send_it_and_nothing_else_is(body, type, ends):
    with Company() as d:
        d.lead()
        d.send("news")
        path = link(d.mails()[0])
        for _ in range(2):  # and again: it stays one withdrawal
            code, text = ask(d, path, "POST", body, type)
            assert code == 200 and ("no more of this mail" in text) == ends
        assert d.ledger() == ([("withdrawn", "list:news", "one click")] if ends else [])
        if ends:
            with pytest.raises(CtlError, match="left the list"):
                d.send("news")
        d.send("plain", "events")
        assert d.subjects() == ["news", "plain", "events"]


def test_a_look_changes_nothing_however_it_comes():
    with Company() as d:
        d.lead()
        d.send("news", "plain")
        for mail in d.mails():
            for method in ("GET", "HEAD", "GET"):
                assert ask(d, link(mail), method)[0] == 200
            assert ask(d, link(mail) + "?List-Unsubscribe=One-Click")[0] == 200
            assert ask(d, link(mail), "PUT", "List-Unsubscribe=One-Click", FORM)[0] == 405
        assert d.ledger() == []
        d.send("news")


def test_a_link_that_nobody_made_is_404_and_does_nothing():
    with Company() as d:
        d.lead()
        d.send("news", "plain")
        one, two = (link(m) for m in d.mails())
        name, other = one.rpartition(".")[0], two.rpartition(".")[2]
        for wrong in ("/u/", "/u/x", one[:-1], name + "." + other, name.replace("O1", "O99") + ".a" * 8,
                      "/u/O1", one.replace("stop.O1", "stop.O2")):
            for method in ("GET", "POST"):
                assert ask(d, wrong, method, "List-Unsubscribe=One-Click", FORM)[0] == 404, wrong
        assert d.ledger() == []


def test_a_mail_of_no_list_ends_all():
    with Company(begins=', "sequence course"') as d:
        d.lead()
        d.send("plain")
        ask(d, link(d.mails()[0]), "POST", "List-Unsubscribe=One-Click", FORM)
        assert d.ledger() == [("withdrawn", "all", "one click")]
        assert d.enrolled() == [("stopped", "the contact has opted out")]
        for name in ("plain", "news", "events"):
            with pytest.raises(CtlError, match="opted out"):
                d.send(name)


def test_a_person_chooses_lists_all_and_language_and_sees_what_is_kept():
    with Company() as d:
        d.lead()
        d.send("news")
        path = link(d.mails()[0])
        code, text = ask(d, path)
        page = Boxes(text)
        assert code == 200 and page.method == "post" and page.hidden == {"_save": "all list.news list.events language"}
        assert page.boxes == {"all": True, "list.news": True, "list.events": True}
        assert page.options == ["language"] and "News &amp; more" in text
        assert "a***@shop.example" in text and ADA not in text
        # nothing changed is nothing written
        ask(d, path, "POST", page.post() + "&language=en", FORM)
        assert d.ledger() == []
        code, text = ask(d, path, "POST", page.post(**{"list.events": False}) + "&language=de", FORM)
        assert code == 200 and "Gespeichert." in text and 'lang="de"' in text
        assert "2026-11-02: widerrufen, Events" in text
        assert d.ledger() == [("withdrawn", "list:events", "page")]
        page = Boxes(ask(d, path)[1])
        assert page.boxes == {"all": True, "list.news": True, "list.events": False}
        with pytest.raises(CtlError, match="left the list"):
            d.send("events")
        # nothing at all, and back again: what was said about the list stays
        ask(d, path, "POST", page.post(all=False) + "&language=de", FORM)
        with pytest.raises(CtlError, match="opted out"):
            d.send("news")
        page = Boxes(ask(d, path)[1])
        ask(d, path, "POST", page.post(all=True) + "&language=de", FORM)
        d.send("news")
        with pytest.raises(CtlError, match="left the list"):
            d.send("events")
        page = Boxes(ask(d, path)[1])
        ask(d, path, "POST", page.post(**{"list.events": True}) + "&language=de", FORM)
        d.send("events")
        assert d.ctl("list", "contacts", "language=de")["rows"]


def test_a_list_that_came_after_the_page_was_shown_is_not_left_by_saving_it():
    with Company() as d:
        d.lead()
        d.send("news")
        path = link(d.mails()[0])
        page = Boxes(ask(d, path)[1])
        text = open(d.conf_path).read()
        d.write("leadd.conf", re.sub(r"lists : \{", 'lists : { extra : { label = "Extra"; };', text, count=1))
        d.reload()
        assert "Extra" in ask(d, path)[1]
        ask(d, path, "POST", page.post(**{"list.events": False}), FORM)
        assert d.ledger() == [("withdrawn", "list:events", "page")]
        assert Boxes(ask(d, path)[1]).boxes["list.extra"] is True
        # and nothing that a program makes up
        ask(d, path, "POST", "_save=1", FORM)
        assert d.ledger() == [("withdrawn", "list:events", "page")]


def test_a_page_with_many_lists_is_whole_and_more_are_refused():
    many = "".join('l%d : { label = "List %d"; about = "%s"; }; ' % (n, n, "x" * 2000) for n in range(98))
    with Company(conf=lambda c: re.sub(r"lists : \{", "lists : { " + many, c, count=1)) as d:
        d.lead()
        d.send("news")
        path = link(d.mails()[0])
        page = Boxes(ask(d, path)[1])
        assert len(page.boxes) == 101 and page.options == ["language"]
        ask(d, path, "POST", page.post(**{"list.l97": False}), FORM)
        assert d.ledger() == [("withdrawn", "list:l97", "page")]
        text = open(d.conf_path).read()
        d.write("leadd.conf", text.replace("lists : {", 'lists : { more : { label = "More"; };', 1))
        assert "failed" in d.reload() and "there are more than 100" in d.log()


def test_many_clicks_of_one_provider_are_not_too_many():
    with Company(conf=lambda c: c.replace("rate = 1000000", "rate = 2")) as d:
        d.lead()
        d.send("news")
        path = link(d.mails()[0])
        for _ in range(20):
            assert ask(d, path, "POST", "List-Unsubscribe=One-Click", FORM)[0] == 200
        assert 429 in [ask(d, path)[0] for _ in range(5)], "people are counted"
