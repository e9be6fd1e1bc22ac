# SPDX-License-Identifier: ISC
"""Forms that count once their sender has confirmed the address by the link of a mail: nothing
happens before, a look is no confirmation, and nobody is bombed with mails."""
import contextlib
import re
import sqlite3
import subprocess

import pytest

import company
import forms
from daemon import LEADCTL, Daemon, until
from roles import LEADD

START = "2026-11-20T10:00:00Z"
FORMS = """
  news : {
    fields : { email = { to = "contact.email"; required = true; }; name = "contact.name";
               yes = { type = "consent"; text = "Ja, Neuigkeiten."; purpose = "marketing"; }; };
    confirm = true; lang = "de"; redirect = "https://www.example.com/done";
    messages : { confirm = "Schauen Sie bitte ins Postfach."; };
  };
  trial : { fields : { email = "contact.email"; words = "message.text"; }; required = "email";
            confirm = true; confirm_within = "2d"; same_within = "1h"; };
"""


@contextlib.contextmanager
def start(rules=company.RULES, **files):
    conf = forms.conf(FORMS, 'max_body = "4M"; in_url = "https://in.example.com/"; '
                      'trusted_proxies = [ "127.0.0.1" ];')
    with Daemon(conf, company.files(rules, **files), args=["--pretend-time", START]) as d:
        yield d


def asked(d, to, count=1):
    """The mails that ask this address to confirm."""
    def found():
        return [m for m in company.sent(d.dir) if m["To"] == to and "/c/Q" in m.get_content()]
    return until(lambda: len(found()) >= count and found(), why="the mail that asks")


def path_of(mail):
    return re.search(r"https://in\.example\.com(/c/\S+)", mail.get_content()).group(1)


def waiting(d):
    return d.ctl("quarantine", "list", "unconfirmed")["rows"]


def leads(d):
    return d.ctl("list", "leads")["rows"]



def test_a_post_counts_once_its_address_is_confirmed_and_the_ledger_has_the_proof():
    with start() as d:
        a = forms.post(d, "trial", {"email": "Ada@shop.example", "words": "40 widgets"})
        assert a.status == 200 and "open the mail that is on its way" in a.text
        (mail,) = asked(d, "ada@shop.example")
        assert mail["Auto-Submitted"] == "auto-generated" and "Example Widgets" in mail["From"]
        assert leads(d) == [] and d.ctl("list", "contacts")["rows"] == []
        (row,) = waiting(d)
        assert (row["value"], row["form"], row["mail"]) == ("ada@shop.example", "trial", "sent")
        assert d.ctl("quarantine", "list")["rows"] == []
        path = path_of(mail)
        for method in ("GET", "HEAD", "GET"):  # mail systems open every link
            page = forms.ask(d, method, path)
            assert page.status == 200 and leads(d) == []
        assert "ada@shop.example" in page.text and '<form method="post">' in page.text
        done = forms.ask(d, "POST", path, headers={"User-Agent": "A browser"})
        assert done.status == 200 and "confirmed" in done.text and "<button" not in done.text
        (lead,) = leads(d)
        assert lead["source"] == "trial" and waiting(d) == []
        consent = d.ctl_text("consent", "show", "ada@shop.example", width=300)
        assert "form trial, confirmed" in consent and "A browser" in consent
        assert "from 127.0.0.1" in consent
        assert "nothing was said" in consent and "granted" not in consent
        # again it is the same, and changes nothing
        assert forms.ask(d, "POST", path).status == 200 and len(leads(d)) == 1
        assert path.rsplit("/", 1)[1] not in d.log()
        (ledger,) = d.ctl("ledger", "source=form:trial")["rows"]
        assert ledger["state"] == "filed"


def test_a_page_in_the_forms_language_and_a_box_that_counts():
    with start() as d:
        a = forms.post(d, "news", {"email": "bob@shop.example", "name": "<b>Bob</b>", "yes": "yes"})
        assert a.status == 303 and a.headers["Location"] == "https://www.example.com/done"
        a = forms.post_json(d, "news", {"email": "cy@shop.example"})
        assert a.status == 200 and a.json["status"] == "confirm"
        assert a.json["text"] == "Schauen Sie bitte ins Postfach."
        (mail,) = asked(d, "bob@shop.example")
        assert mail["Subject"] == "Bitte bestätigen Sie Ihre Adresse"
        path = path_of(mail)
        page = forms.ask(d, "GET", path)
        assert 'lang="de"' in page.text and "Ja, bestätigen" in page.text
        forms.ask(d, "POST", path)
        text = d.ctl_text("consent", "show", "bob@shop.example", width=300)
        assert re.search(r"granted +purpose:marketing .*Ja, Neuigkeiten\.", text)
        assert re.search(r"bob@shop\.example +granted", text)
        assert len(leads(d)) == 1 and len(waiting(d)) == 1


def test_who_sends_a_form_twice_and_confirms_both_has_sent_one():
    with start() as d:
        for _ in range(2):
            forms.post(d, "trial", {"email": "ada@shop.example", "words": "40 widgets"})
        for mail in asked(d, "ada@shop.example", 2):
            assert "confirmed" in forms.ask(d, "POST", path_of(mail)).text
        assert waiting(d) == []
        (lead,) = leads(d)
        assert [r["kind"] for r in d.ctl("timeline", lead["id"])["rows"]].count("form") == 1
        rows = d.ctl("ledger", "source=form:trial")["rows"]
        assert [r["state"] for r in rows] == ["filed", "filed"]
        assert len([r for r in rows if "the same words as M1" in (r["reason"] or "")]) == 1


def test_whoever_changes_a_letter_of_the_link_gets_nothing():
    with start() as d:
        forms.post(d, "trial", {"email": "ada@shop.example"})
        path = path_of(asked(d, "ada@shop.example")[0])
        wrong = [path[:i] + ("b" if c == "a" else "a") + path[i + 1:]
                 for i, c in enumerate(path) if i > 3 and c.isalnum()]
        wrong += [path + "x", path.replace("Q1.", "Q2."), path.replace("Q1.", "Q01."), "/c/",
                  "/c/" + "x" * 3000, path.replace("/c/", "/c//"), path.upper(), "/c/%00"]
        for other in wrong:
            assert forms.ask(d, "POST", other).status in (400, 404, 410, 413), other
        assert leads(d) == [] and len(waiting(d)) == 1
        assert forms.ask(d, "PUT", path).status == 405


def test_nobody_is_bombed_with_mails_that_ask():
    with start() as d:
        def post(email, remote, form="trial"):
            a = forms.post(d, form, {"email": email}, {"X-Forwarded-For": remote})
            assert a.status in (200, 303)
        for n in range(6):  # one address, from everywhere
            post("victim@shop.example", "203.0.113.%d" % n)
        assert len(asked(d, "victim@shop.example", 3)) == 3 and len(waiting(d)) == 6
        for n in range(25):  # one sender, to everybody; of IPv6 the /64
            post("p%d@shop.example" % n, "2001:db8::%d:1" % n)
        until(lambda: "for one sender in an hour" in d.log(), why="the bound of one sender")
        rows = waiting(d)
        assert len([r for r in rows if r["remote"] == "2001:db8::" and r["mail"] == "sent"]) == 20
        post("q@shop.example", "203.0.113.99")
        assert asked(d, "q@shop.example")  # others are not held up
        d.ctl("clock", "advance", "25h")
        post("victim@shop.example", "203.0.113.1", "news")
        assert len(asked(d, "victim@shop.example", 4)) == 4


def test_what_nobody_confirms_expires_and_the_ledger_says_so():
    with start() as d:
        forms.post(d, "trial", {"email": "ada@shop.example"})
        forms.post(d, "news", {"email": "bob@shop.example"})
        path = path_of(asked(d, "ada@shop.example")[0])
        d.ctl("clock", "advance", "47h")
        assert len(waiting(d)) == 2
        d.kill("engine")
        d.ctl("clock", "advance", "2h")
        assert [r["form"] for r in waiting(d)] == ["news"]
        page = forms.ask(d, "POST", path)
        assert page.status == 410 and "This link has ended" in page.text and leads(d) == []
        (row,) = d.ctl("ledger", "source=form:trial")["rows"]
        assert row["state"] == "ignored" and "did not confirm it in time" in row["reason"]


def test_who_has_opted_out_gets_no_mail_and_a_person_may_release_the_post():
    with start() as d:
        forms.post(d, "contact", {"email": "ada@shop.example"})
        contact = d.ctl("list", "contacts")["rows"][0]["id"]
        d.ctl("do", contact, "optout ada@shop.example")
        forms.post(d, "trial", {"email": "ada@shop.example", "words": "again"})
        (row,) = waiting(d)
        assert row["mail"] == "not sent"
        assert "opted out" in d.log() and "/c/Q" not in str(
            [m.get_content() for m in company.sent(d.dir)])
        d.ctl("quarantine", "retry", row["q"])
        until(lambda: waiting(d) == [], why="the release")
        assert "confirmed" not in d.ctl_text("consent", "show", "ada@shop.example", width=300)


def test_the_words_of_the_mail_may_be_ones_own():
    own = "Subject: {{company}} asks\n\nForm {{form}}:\n{{link}}\n"
    with start(**{"templates/_notice-confirm.txt": own}) as d:
        forms.post(d, "trial", {"email": "ada@shop.example"})
        (mail,) = asked(d, "ada@shop.example")
        assert mail["Subject"] == "Example Widgets asks"
        assert mail.get_content().startswith("Form trial:\nhttps://in.example.com/c/Q1.")


def test_who_is_beyond_a_bound_is_told_so_and_asked_when_it_allows():
    with start() as d:
        def post(n):
            return forms.post(d, "trial", {"email": "p%d@shop.example" % n},
                              {"X-Forwarded-For": "203.0.113.1"})
        for n in range(20):
            assert "on its way" in post(n).text
        late = post(20)
        assert late.status == 200 and "will come to you later" in late.text
        assert "später" in forms.post(d, "news", {"email": "p21@shop.example"}, {
            "X-Forwarded-For": "203.0.113.1", "Accept": "application/json"}).text
        row = waiting(d)[20]
        assert row["value"] == "p20@shop.example" and row["mail"].startswith("2026-11-20T11:00")
        d.kill("engine")  # it is remembered
        d.ctl("clock", "advance", "61m")
        (mail,) = asked(d, "p20@shop.example")
        asked(d, "p21@shop.example")
        row = waiting(d)[20]
        assert row["mail"] == "sent" and row["until"].startswith("2026-11-22T11:00")
        assert "confirmed" in forms.ask(d, "POST", path_of(mail)).text and len(leads(d)) == 1


def test_an_address_that_confirms_none_gets_no_more_and_one_that_does_gets_the_rest():
    with start() as d:
        for who in ("victim", "ada"):
            for n in range(4):
                forms.post(d, "trial", {"email": who + "@shop.example", "words": "form %d" % n},
                           {"X-Forwarded-For": "203.0.113.%d" % n})
        forms.ask(d, "POST", path_of(asked(d, "ada@shop.example", 3)[0]))
        until(lambda: [r["mail"][:10] for r in waiting(d) if r["value"] == "ada@shop.example"]
              == ["sent", "sent", "2026-11-21"], why="the fourth of ada is due")
        d.ctl("clock", "advance", "25h")
        assert len(asked(d, "ada@shop.example", 4)) == 4
        assert len(asked(d, "victim@shop.example", 3)) == 3
        assert [r["mail"] for r in waiting(d) if r["value"] == "victim@shop.example"][3] == "not sent"


def test_a_released_post_keeps_its_link_which_adds_the_proof():
    with start() as d:
        forms.post(d, "news", {"email": "ada@shop.example", "yes": "yes"})
        path = path_of(asked(d, "ada@shop.example")[0])
        assert "without a proof" in d.ctl_text("quarantine", "show", "Q1", width=300)
        assert "without a proof" in d.ctl_text("quarantine", "retry", "Q1", width=300)
        until(lambda: waiting(d) == [] and leads(d), why="the release")
        before = d.ctl_text("consent", "show", "ada@shop.example", width=300)
        assert "marketing" in before and "form news, confirmed" not in before
        assert "ada@shop.example" in forms.ask(d, "GET", path).text
        page = forms.ask(d, "POST", path, headers={"User-Agent": "A browser"})
        assert page.status == 200 and "bestätigt" in page.text
        text = d.ctl_text("consent", "show", "ada@shop.example", width=300)
        assert "form news, confirmed" in text and "A browser" in text
        assert forms.ask(d, "POST", path).status == 200 and len(leads(d)) == 1
        assert text == d.ctl_text("consent", "show", "ada@shop.example", width=300)


def test_a_confirmation_of_what_was_erased_meanwhile_is_told_that_it_is_gone():
    with start() as d:
        forms.post(d, "trial", {"email": "ada@shop.example"})
        path = path_of(asked(d, "ada@shop.example")[0])
        d.ctl("quarantine", "retry", "Q1")
        until(lambda: leads(d), why="the release")
        with sqlite3.connect(d.state + "/leadd.db") as db:
            assert db.execute("DELETE FROM message_body WHERE message_id = 1").rowcount == 1
        for _ in range(2):
            assert forms.ask(d, "POST", path).status == 410
        assert "confirmed" not in d.ctl_text("consent", "show", "ada@shop.example", width=300)


def test_unconfirmed_posts_of_a_form_fill_no_disk():
    conf = forms.conf(FORMS, 'max_body = "4M"; in_url = "https://in.example.com/"; ')
    with Daemon(conf, company.files(company.RULES), args=["--pretend-time", START],
                env={"LEADD_HOOKS": "confirm.small_quota"}) as d:
        words = "x" * 1500
        assert forms.post(d, "trial", {"email": "a@shop.example", "words": words}).status == 200
        assert forms.post(d, "trial", {"email": "b@shop.example", "words": words}).status == 200
        for n in range(2):
            full = forms.post(d, "trial", {"email": "c%d@shop.example" % n, "words": words})
            assert full.status == 429 and "Nothing was lost here" in full.text
        assert forms.post(d, "news", {"email": "d@shop.example"}).status in (200, 303)  # its own
        (row,) = [r for r in d.ctl("ledger", "source=form:trial")["rows"]
                  if r["key"] == "over:2026-11-20"]
        assert "2 requests of that day were refused" in row["reason"]


def test_the_mail_speaks_the_posted_language_and_names_its_deadline():
    own = "Subject: {{company}} asks\n\n{{link}} until {{until}}\n"
    files = {"templates/_notice-confirm.txt": own,
             "templates/_notice-confirm.de.txt": own.replace("asks", "fragt")}
    form = FORMS.replace('words = "message.text";', 'words = "message.text"; '
                         'lang = "contact.language";')
    conf = forms.conf(form, 'in_url = "https://in.example.com/"; ')
    with Daemon(conf, company.files(company.RULES), args=["--pretend-time", START]) as d:
        forms.post(d, "trial", {"email": "ada@shop.example", "lang": "de-AT"})
        (mail,) = asked(d, "ada@shop.example")
        assert mail["Subject"] == "Bitte bestätigen Sie Ihre Adresse"
        assert "Der Link gilt bis 22.11.2026, 1" in mail.get_content()
        assert 'lang="de' in forms.ask(d, "GET", path_of(mail)).text
        forms.post(d, "trial", {"email": "bob@shop.example", "lang": "xx"})
        (mail,) = asked(d, "bob@shop.example")
        assert re.search("The link works until .*2026, 11:00 AM .Europe/Vienna.", mail.get_content())
    with Daemon(conf, company.files(company.RULES, **files), args=["--pretend-time", START]) as d:
        for lang, word in (("de-AT", "fragt"), ("fr", "asks")):
            forms.post(d, "trial", {"email": lang + "@shop.example", "lang": lang})
            (mail,) = asked(d, lang.lower() + "@shop.example")
            assert mail["Subject"] == "Example Widgets " + word
            assert " until " in mail.get_content()


def test_form_test_and_rule_tests_and_simulate_go_on_as_if_it_were_confirmed(tmp_path):
    test = """lang = 1;
tests : { asks = { at = "2026-11-20 10:00"; given = (
        { form = "trial"; fields : { email = "ada@shop.example"; words = "40 widgets"; }; } );
        expect : { answer = "confirm"; sent = [ "_notice-confirm to ada@shop.example" ];
                   leads = 1; }; }; };"""
    def run(*argv):
        p = subprocess.run([LEADCTL, *argv], capture_output=True, text=True, timeout=300, check=False)
        assert p.returncode == 0, p.stdout + p.stderr
        return p.stdout

    conf = forms.conf(FORMS, 'in_url = "https://in.example.com/";')
    with Daemon(conf, company.files(company.RULES, **{"rules.d/tests.conf": test}), start=False) as d:
        out = run("form", "test", "trial", "email=ada@shop.example", "words=hi", "-c", d.conf_path)
        assert "confirm: taken as confirmed" in out and "L1" in out
        assert "1 test passed" in run("rules", "test", d.dir)
        posts = tmp_path / "posts.jsonl"
        posts.write_text('{"at": "2026-11-20T10:00:00Z", "form": "trial", '
                         '"fields": {"email": "ada@shop.example", "words": "hi"}}\n')
        out = run("simulate", "--rules", d.dir, "--from", "2026-11-20", "--days", "2", str(posts))
        assert "1 forms had to be confirmed" in out and "leads 1" in out and "not filed" not in out


def test_a_proxy_that_nobody_named_is_told_once():
    conf = forms.conf(FORMS, 'in_url = "https://in.example.com/"; trusted_proxies = [ "192.0.2.1" ];')
    with Daemon(conf, company.files(company.RULES)) as d:
        for n in range(3):
            forms.post(d, "trial", {"email": "ada@shop.example"}, {"X-Forwarded-For": "203.0.113.%d" % n})
        until(lambda: "web.proxy" in d.log(), why="the warning")
        assert d.log().count("web.proxy") == 1 and "is not in trusted_proxies" in d.log()


def test_a_config_with_an_unnamed_proxy_is_warned_of():
    for listen, proxies, warned in (("0.0.0.0:8025", "", True), ("127.0.0.1:8025", "", False),
                                    ("0.0.0.0:8025", 'trusted_proxies = [ "192.0.2.1" ];', False)):
        conf = forms.conf(FORMS, 'in_url = "https://in.example.com/"; ' + proxies)
        conf = re.sub(r'\blisten = "[^"]*"', 'listen = "%s"' % listen, conf, count=1)
        with Daemon(conf, company.files(company.RULES), start=False) as d:
            r = subprocess.run([LEADD, "-c", d.conf_path, "-t"], capture_output=True, text=True)
            assert ("count as one sender" in r.stdout + r.stderr) == warned, (listen, r)


@pytest.mark.parametrize("form,web,said", [
    ('fields : { email = "contact.email"; };', 'in_url = "https://in.example.com";',
     "needs a required field to contact.email"),
    ('fields : { email = "contact.email"; }; required = "email";', "", "needs in_url of web"),
])
def test_a_form_that_cannot_be_confirmed_is_told(form, web, said):
    conf = forms.conf("x : { %s confirm = true; };" % form, web)
    with Daemon(conf, company.files(company.RULES), start=False) as d:
        r = subprocess.run([LEADD, "-c", d.conf_path, "-t"], capture_output=True, text=True)
        assert said in r.stdout + r.stderr and r.returncode != 0
