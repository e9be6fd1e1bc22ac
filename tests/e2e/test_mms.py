# SPDX-License-Identifier: ISC
"""Files that came with a text: fetched from the gateway, or from where it says they are, and kept
as attachments; what must not be asked is not asked, and what cannot be had stays a link."""
import base64
import contextlib
import hashlib
import http.client
import itertools
import os
import urllib.parse

import company
from daemon import Daemon, until
from httppeer import HttpPeer
from roles import SRC
from test_main_job import rows

OURS, ADA = "+15005550006", "+15005550010"
PHOTO = b"\xff\xd8\xff\xe0" + bytes(range(256)) * 200
CARD = b"BEGIN:VCARD\r\nFN:Ada Example\r\nEND:VCARD\r\n"
SIGN_IN = "Basic " + base64.b64encode(b"AC1:crm").decode()
JPEG = {"Content-Type": "image/jpeg"}
numbers = itertools.count(1)
RULES = """
lang = 1;
rules : { rest : { first = "assignment"; on = "lead.created"; do = "assign tom"; }; };
"""


def conf(port, media, host="127.0.0.1"):
    return company.conf(settings="""
        presets_dir = "%s"; conversation = "all";
        gateways : { main : { preset = "twilio"; url = "http://%s:%d"; number = "%s"; user = "AC1";
                              secret_file = "@DIR@/sms.secret"; verify : { scheme = "none"; };
                              %s }; };
        """ % (os.path.join(os.path.abspath(SRC), "contrib"), host, port, OURS, media))


@contextlib.contextmanager
def server(routes):
    """An HTTP server with answers by path."""
    with HttpPeer() as peer:
        for path, answer in routes.items():
            peer.on(path, answer if callable(answer) else lambda r, a=answer: a)
        yield peer


@contextlib.contextmanager
def texting(routes, media="media : { private = true; };", **more):
    files = company.files(RULES)
    files["sms.secret"] = "crm\n"
    with server(routes) as peer:
        with Daemon(conf(peer.port, media, **more), files,
                    args=("--pretend-time", "2026-11-20T10:00:00Z")) as d:
            d.peer = peer
            yield d


def text(d, *urls, words="Here it is", id_=None):
    q = {"From": ADA, "To": OURS, "Body": words, "MessageSid": id_ or "MM%d" % next(numbers)}
    for i, url in enumerate(urls):
        q["MediaUrl%d" % i] = "http://127.0.0.1:%d%s" % (d.peer.port, url) if url[0] == "/" else url
    c = http.client.HTTPConnection("127.0.0.1", d.port("web-in"), timeout=120)
    with contextlib.closing(c):
        c.request("POST", "/sms/main", urllib.parse.urlencode(q),
                  {"Content-Type": "application/x-www-form-urlencoded"})
        return c.getresponse().status


def files_of(d, message="M1"):
    return d.ctl("show", message)["message"]["attachments"]


def settled(d, message="M1", n=1):
    """The attachments, when none of them waits any more."""
    return until(lambda: (lambda a: a if len(a) == n and not any("fetch" in x for x in a) else None)
                 (files_of(d, message)), why="the files of %s" % message)


def bytes_of(d, message, number):
    path = os.path.join(d.dir, "out.bin")
    if os.path.exists(path):
        os.unlink(path)
    d.leadctl("message", message, str(number), path)
    with open(path, "rb") as f:
        return f.read()


def asked(d, path):
    return [r for r in d.peer.requests if r.path == path]


# ---- what is had -----------------------------------------------------------------------------

def test_files_of_a_text_become_attachments_like_those_of_a_mail():
    with texting({"/p/ME1": (200, JPEG, PHOTO), "/p/card": (200, {"Content-Type": "text/x-vcard"}, CARD)}) as d:
        assert text(d, "/p/ME1", "/p/card") == 200
        photo, card = settled(d, n=2)
        assert (photo["type"], photo["filename"], photo["size"]) == ("image/jpeg", "ME1.jpg", len(PHOTO))
        assert photo["sha256"] == hashlib.sha256(PHOTO).hexdigest()
        assert bytes_of(d, "M1", 1) == PHOTO and bytes_of(d, "M1", 2) == CARD
        assert card["type"] == "text/x-vcard"
        assert d.ctl("show", "M1")["message"]["text"] == "Here it is"
        assert not [t for t in rows(d, "timers") if t.get("kind") == "media"]
        # to the gateway's own host with its sign-in, and each once
        assert [r.headers.get("authorization") for r in d.peer.requests] == [SIGN_IN, SIGN_IN]


def test_the_owner_gets_the_files_in_the_thread_of_the_text():
    with texting({"/p/ME1": (200, JPEG, PHOTO)}) as d:
        assert text(d, "/p/ME1") == 200
        settled(d)
        def of_owner():
            got = [m for m in company.sent(d.dir) if "SMS from" in str(m["Subject"])]
            return got if len(got) == 2 else None
        first, second = sorted(until(of_owner, why="two mails to the owner"),
                               key=lambda m: m.is_multipart())
        assert "it follows in a mail" in first.get_content()
        assert first["References"] == second["References"] and first["To"] == second["To"]
        part = [p for p in second.walk() if p.get_filename()]
        assert [(p.get_filename(), p.get_payload(decode=True)) for p in part] == [("ME1.jpg", PHOTO)]


def test_files_that_come_late_and_one_after_the_other_reach_the_owner_too():
    tries = {"/a": 0, "/b": 0, "/c": 0}
    def third(r):
        tries[r.path] += 1
        return (404, {}, b"") if tries[r.path] <= {"/a": 0, "/b": 3, "/c": 3}[r.path] else (200, JPEG, PHOTO)
    with texting(dict.fromkeys(tries, third)) as d:
        assert text(d, *tries) == 200
        def names():
            return sorted(p.get_filename() for m in company.sent(d.dir) for p in m.walk() if p.get_filename())
        def later():
            d.ctl("clock", "advance", "1h")  # all at once, then time stands still
            return not any("fetch" in a for a in files_of(d))
        until(later, why="the files")
        until(lambda: len(names()) >= 3, why="mails with the files")
        assert names() == ["a.jpg", "b.jpg", "c.jpg"]


def test_a_type_that_nobody_tells_is_seen_from_the_bytes():
    with texting({"/x": (200, {"Content-Type": "application/octet-stream"}, PHOTO)}) as d:
        assert text(d, "/x") == 200
        assert settled(d)[0]["type"] == "image/jpeg"


def test_what_is_not_there_yet_is_asked_for_again():
    answers = iter([(404, {}, b""), (503, {}, b""), (200, JPEG, PHOTO)])
    with texting({"/p": lambda r: next(answers)}) as d:
        assert text(d, "/p") == 200
        until(lambda: files_of(d)[0].get("tries") == 1, why="a first try")
        assert files_of(d)[0]["why"] == "HTTP 404"
        d.ctl("clock", "advance", "5m")
        assert settled(d)[0]["size"] == len(PHOTO) and len(asked(d, "/p")) == 3


def test_after_a_day_it_stays_a_link_with_the_reason():
    with texting({"/p": (403, {}, b"no")}) as d:
        assert text(d, "/p") == 200
        until(lambda: files_of(d)[0].get("tries"), why="a first try")
        d.ctl("clock", "advance", "26h")
        a = settled(d)[0]
        assert a["why"] == "given up after a day: HTTP 403" and a["url"].endswith("/p")
        shown = d.ctl_text("show", "M1", width=300)
        assert "/p" in shown and "given up after a day: HTTP 403" in shown
        refused = d.leadctl("message", "M1", "1", os.path.join(d.dir, "x"))
        assert refused.returncode != 0 and "HTTP 403" in refused.stderr.decode()
        n = len(asked(d, "/p"))
        d.ctl("clock", "advance", "48h")
        assert len(asked(d, "/p")) == n


# ---- what is not asked, and not told ---------------------------------------------------------------

def test_the_sign_in_goes_to_no_other_host_and_not_along_a_redirect():
    # the same server under another name is another host
    with texting({"/photo": (200, JPEG, PHOTO)}) as d:
        d.peer.on("/moved", lambda r: (307, {"Location": "http://localhost:%d/photo" % d.peer.port}, b""))
        assert text(d, "http://localhost:%d/photo" % d.peer.port) == 200
        assert text(d, "/moved") == 200
        assert settled(d)[0]["size"] == len(PHOTO) and settled(d, "M2")[0]["size"] == len(PHOTO)
        assert [r.headers.get("authorization") for r in asked(d, "/photo")] == [None, None]
        assert [r.headers.get("authorization") for r in asked(d, "/moved")] == [SIGN_IN]


def test_where_a_stranger_sends_us_is_asked_without_the_sign_in():
    with texting({"/photo": (200, JPEG, PHOTO)}) as d:
        d.peer.on("/away", lambda r: (302, {"Location": "http://127.0.0.1:%d/photo" % d.peer.port}, b""))
        assert text(d, "http://localhost:%d/away" % d.peer.port) == 200
        assert settled(d)[0]["size"] == len(PHOTO)
        assert [r.headers.get("authorization") for r in asked(d, "/photo")] == [None]


def test_in_the_house_too_only_the_ports_that_are_open_are_asked():
    with texting({}) as d:
        assert text(d, "http://127.0.0.1:1/p") == 200
        assert "a port other than 80, 443 and the gateway's own" in settled(d)[0]["why"]


INSIDE = [
    ("http://127.0.0.1:PORT/p", "without TLS"),
    ("https://127.0.0.2:PORT/p", "a port other than 443"),
    ("https://127.0.0.1/p", "not one of the public internet"),
    ("https://[::1]/p", "not one of the public internet"),
    ("https://localhost/p", "not one of the public internet"),
    ("https://[::ffff:10.0.0.1]/p", "not one of the public internet"),
    ("https://169.254.169.254/latest/meta-data", "not one of the public internet"),
    ("https://2130706433/p", "not one of the public internet"),
    ("ftp://127.0.0.1:PORT/p", "neither https nor http"),
    ("file:///etc/passwd", "cannot be read"),
    ("https://user:word@example.com/p", "name and password"),
    ("no address", "cannot be read"),
]


def test_what_is_inside_is_not_asked_because_somebody_posted_it():
    with texting({"/p": (200, JPEG, PHOTO)}, media="") as d:
        urls = [u.replace("PORT", str(d.peer.port)) for u, _ in INSIDE]
        assert text(d, *urls) == 200
        for a, url, (_, why) in zip(settled(d, n=len(urls)), urls, INSIDE):
            assert a["url"] == url and why in a["why"] and "at" not in a, url
        assert not d.peer.requests


def test_a_redirect_is_looked_at_like_the_first_address():
    with texting({"/loop": (302, {"Location": "/loop"}, b""),
                  "/out": (302, {"Location": "gopher://127.0.0.1/x"}, b"")}) as d:
        assert text(d, "/loop", "/out") == 200
        loop, out = settled(d, n=2)
        assert "again and again" in loop["why"] and len(asked(d, "/loop")) == 4
        assert "neither https nor http" in out["why"]


def test_one_that_is_too_large_stays_a_link():
    with texting({"/p": (200, JPEG, PHOTO)}, media='media : { private = true; max_size = "10K"; };') as d:
        assert text(d, "/p") == 200
        assert "larger than max_size" in settled(d)[0]["why"]


def test_links_alone_are_kept_when_the_gateway_says_so():
    with texting({"/p": (200, JPEG, PHOTO)}, media="media : { fetch = false; private = true; };") as d:
        assert text(d, "/p") == 200
        assert "fetch" not in files_of(d)[0] and not d.peer.requests


# ---- kills ---------------------------------------------------------------------------------------------

def test_each_file_is_kept_once_whoever_is_killed():
    with texting({"/p%d" % i: (200, JPEG, PHOTO + b"%d" % i) for i in range(6)}) as d:
        for round_, role in enumerate(("courier", "engine", "courier")):
            assert text(d, *["/p%d" % i for i in range(6)], id_="MMK%d" % round_) == 200
            d.kill(role)
        def all_there():
            d.ctl("clock", "advance", "3m")
            got = [files_of(d, "M%d" % m) for m in (1, 2, 3)]
            return got if not any("fetch" in a for one in got for a in one) else None
        until(all_there, why="all files")
        d.ctl("clock", "advance", "10m")  # whoever would ask once more has done so
        for m, files in enumerate([files_of(d, "M%d" % m) for m in (1, 2, 3)], 1):
            assert [a["sha256"] for a in files] == \
                [hashlib.sha256(PHOTO + b"%d" % i).hexdigest() for i in range(6)]
            assert sorted(a["at"] for a in files) == \
                [len("Here it is") + i * (len(PHOTO) + 1) for i in range(6)]  # no byte twice
            assert bytes_of(d, "M%d" % m, 6) == PHOTO + b"5"
