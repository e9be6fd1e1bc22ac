# SPDX-License-Identifier: ISC
"""Forms of the config with all that they may ask: types, defaults, files, origins, redirects,
and what the sender is told, through the whole daemon."""
import os
import re
import subprocess

import pytest

import company
import forms
from daemon import LEADCTL, Daemon, until

FORMS = """
  job : {
    fields : {
      email = "contact.email";
      name = { to = "contact.name"; label = "Ihr Name"; required = true; max = 40; };
      place = { type = "choice"; choices = [ "Wien", "Graz" ]; several = true; };
      starts = { type = "date"; };
      employees = { to = "lead.employees"; type = "number"; default = "7"; };
      cv = { type = "file"; label = "Lebenslauf"; accept = [ "application/pdf", ".docx" ];
             max_size = "64K"; };
      words = "message.text";
    };
    required = "email"; lang = "de"; source = "jobs";
    fixed = ( { to = "contact.country"; value = "AT"; }, { to = "lead.subject"; value = "Job"; } );
    messages : { thanks = "Danke, wir melden uns."; };
  };
  quiz : {
    fields = ( { from = "answers.0.email"; to = "contact.email"; },
               { from = "answers.*.choice"; to = "message.text"; } );
    origins = [ "https://www.example.com", "null" ]; origins_only = true;
    error_redirect = "https://www.example.com/again?x=1"; redirect = "https://www.example.com/done";
  };
"""
RULES = company.RULES.replace("rules : {", """rules : {
  jobs : { on = "form.received"; when = "message.form == 'job' and message.attachments > 0";
           do = "tag with-cv"; };
""", 1)
GOOD = {"email": "ada@shop.example", "name": "Ada Beispiel"}


@pytest.fixture(scope="module")
def d():
    with Daemon(forms.conf(FORMS), company.files(RULES)) as daemon:
        yield daemon


def newest(d):
    lead = d.ctl("list", "leads")["rows"][0]
    row = d.ctl("ledger")["rows"][0]
    return lead, d.ctl("show", row["message"])["message"]


def test_defaults_fixed_values_and_types_reach_the_lead_and_the_message(d):
    a = forms.post(d, "job", [("email", " bob@a.example "), ("name", "Bob"), ("place", "Wien"),
                              ("place", "Graz"), ("starts", "2027-01-31"), ("words", "Hallo\r\nSie"),
                              ("utm", "x")])
    assert a.status == 200 and "Danke, wir melden uns." in a.text and 'lang="de"' in a.text
    lead, message = newest(d)
    assert lead["source"] == "jobs" and message["fields"]["employees"] == "7"
    assert message["fields"]["place"] == "Wien, Graz" and message["extra"] == {"utm": "x"}
    assert message["fields"]["email"] == "bob@a.example" and message["fields"]["words"] == "Hallo\nSie"
    shown = d.ctl_text("show", lead["id"])
    assert re.search(r"Subject +Job\n", shown) and re.search(r"employees +7\n", shown)
    contact = d.ctl("list", "contacts")["rows"][0]
    assert "AT" in d.ctl_text("show", contact["id"])


def test_every_fault_is_named_at_once_in_the_forms_language(d):
    a = forms.post(d, "job", {"email": "nobody", "place": "Linz", "starts": "soon",
                              "employees": "many", "name": "x" * 41})
    assert a.status == 422 and "korrigieren" in a.text
    for said in ("„email“ ist keine E-Mail-Adresse", "muss eines sein von: Wien, Graz",
                 "„starts“ ist kein Datum", "„employees“ ist keine Zahl",
                 "„Ihr Name“ ist zu lang: höchstens 40 Zeichen"):
        assert said in a.text, said
    a = forms.post_json(d, "job", {"email": "a@b.example", "name": ["x"]})
    assert a.status == 422
    assert a.json["fields"] == [{"field": "name", "code": "shape", "text":
                                 "Das Feld „Ihr Name“ muss ein Text sein, keine Liste und kein Objekt."}]
    assert a.json["error"] == a.json["fields"][0]["text"]


def test_a_file_is_kept_with_the_message_and_handed_out_again(d):
    data = bytes(range(256)) * 40 + b"\r\n--leadd-tes\r\n"
    a = forms.post_files(d, "job", dict(GOOD, words="my cv"), [("cv", "C:\\me\\cv.docx", "application/x", data)])
    assert a.status == 200, a.text
    lead, message = newest(d)
    assert [f["filename"] for f in message["attachments"]] == ["cv.docx"]
    assert "with-cv" in d.ctl_text("show", lead["id"])
    name = d.ctl("ledger")["rows"][0]["message"]
    assert "cv.docx" in d.ctl_text("message", name)
    path = os.path.join(d.dir, "got")
    d.leadctl("message", name, "1", path)
    with open(path, "rb") as f:
        assert f.read() == data
    again = d.leadctl("message", name, "1", path)
    assert again.returncode == 1 and b"cannot make" in again.stderr
    out = subprocess.run([LEADCTL, "-s", d.run, "message", name, "1"],
                         stdout=subprocess.PIPE, timeout=60, check=True).stdout
    assert out == data
    for number in ("2", "0", "x"):
        assert d.leadctl("message", name, number, "-").returncode == 1, number


@pytest.mark.parametrize("file,said", [
    (("cv", "a.exe", "application/x", b"x"), "Genommen werden: application/pdf, .docx"),
    (("cv", "a.pdf", "application/pdf", b"x" * 70000), "„Lebenslauf“ ist größer als 64 KB"),
    (("name", "a.pdf", "application/pdf", b"x"), "„Ihr Name“ kam eine Datei"),
    (("other<b>", "a.pdf", "application/pdf", b"x"), "„?“ kam eine Datei"),
])
def test_a_file_that_is_not_asked_for_is_refused_by_its_field(d, file, said):
    a = forms.post_files(d, "job", GOOD, [file])
    assert a.status == 422 and said in a.text and "<b>" not in a.text


def test_json_paths_with_arrays_fill_fields(d):
    a = forms.post_json(d, "quiz", {"answers": [{"email": "cy@a.example", "choice": "red"},
                                                {"choice": "blue"}]})
    assert a.status == 200 and a.json["ok"]
    _, message = newest(d)
    assert message["fields"] == {"answers.0.email": "cy@a.example", "answers.*.choice": "red, blue"}
    assert "red, blue" in d.ctl_text("show", d.ctl("ledger")["rows"][0]["message"])


def test_errors_and_success_lead_where_the_config_says(d):
    a = forms.post(d, "quiz", {"answers.0.email": "no address"})
    assert a.status == 303
    assert a.headers["Location"] == "https://www.example.com/again?x=1&form=quiz&fields=answers.0.email"
    a = forms.post(d, "quiz", {"answers.0.email": "dee@a.example"})
    assert (a.status, a.headers["Location"]) == (303, "https://www.example.com/done")


def test_pages_of_other_origins_may_not_post_where_the_form_says_so(d):
    for origin, status in (("https://www.example.com", 200), ("null", 200),
                           ("https://evil.example", 403), ("https://www.example.com:444", 403)):
        a = forms.post_json(d, "quiz", {"answers": [{"email": "eve@a.example"}]},
                            {"Origin": origin})
        assert a.status == status, origin
        assert a.headers["Access-Control-Allow-Origin"] == (origin if status == 200 else None)
    assert "origins of the form" in a.json["error"]
    assert forms.post(d, "contact", {"email": "eve@a.example"},
                      {"Origin": "https://evil.example"}).status == 200


def test_a_key_posted_as_a_field_makes_a_second_post_the_same(d):
    before = len(d.ctl("ledger", "limit=1000")["rows"])
    answers = [forms.post(d, "contact", {"email": "fay@a.example", "_key": "page-1"})
               for _ in range(3)]
    assert [a.status for a in answers] == [200] * 3
    assert len({a.text for a in answers}) == 1  # who clicks twice is told the same
    assert len(d.ctl("ledger", "limit=1000")["rows"]) == before + 1
    _, message = newest(d)
    assert "_key" not in str(message)
    for _ in range(2):  # where no script has filled it
        assert forms.post(d, "contact", {"email": "fay@a.example", "_key": ""}).status == 200
    assert len(d.ctl("ledger", "limit=1000")["rows"]) == before + 3


SPAM = """
  guarded : {
    fields : { email = "contact.email"; words = "message.text";
               news = { type = "consent"; text = "News, please."; purpose = "marketing"; }; };
    honeypot = "website"; min_fill = "1h"; same_within = "10m";
  };
"""


@pytest.fixture(scope="module")
def guarded():
    with Daemon(forms.conf(SPAM), company.files(company.RULES)) as daemon:
        yield daemon


def test_spam_is_kept_with_its_reason_and_told_what_a_person_is_told(guarded):
    person = forms.post(guarded, "guarded", {"email": "a@a.example", "words": "1", "website": " "})
    bot = forms.post(guarded, "guarded", {"email": "b@b.example", "words": "2", "website": "x"})
    assert (bot.status, bot.text) == (person.status, person.text) == (200, person.text)
    assert sorted(bot.headers.keys()) == sorted(person.headers.keys())
    stamp = forms.ask(guarded, "GET", "/form/guarded/stamp").text
    soon = forms.post(guarded, "guarded", {"email": "c@c.example", "words": "3", "_stamp": stamp})
    assert (soon.status, soon.text) == (200, person.text)
    rows = guarded.ctl("quarantine", "list")["rows"]
    assert len(rows) == 2 and len(guarded.ctl("list", "leads")["rows"]) == 1
    assert any("min_fill is 1h" in r["reason"] for r in rows)
    assert any('"website"' in r["reason"] for r in rows)
    for row in rows:  # a person knows better
        guarded.ctl("quarantine", "retry", str(row["id"]))
    until(lambda: len(guarded.ctl("list", "leads")["rows"]) == 3, why="both are leads")
    assert guarded.ctl("quarantine", "list")["rows"] == []


def test_a_stamp_that_nobody_here_made_says_nothing(guarded):
    stamp = forms.ask(guarded, "GET", "/form/guarded/stamp").text
    at, token = stamp.split(".")
    before = len(guarded.ctl("quarantine", "list")["rows"])
    for i, bad in enumerate((at + "." + "a" * len(token), "%d.%s" % (int(at) - 1, token), token, "",
                             "9" * 40, "x.y", stamp + "a", "-1." + token)):
        a = forms.post(guarded, "guarded", {"email": "d@d.example", "words": "s%d" % i,
                                            "_stamp": bad})
        assert a.status == 200, bad
    assert len(guarded.ctl("quarantine", "list")["rows"]) == before
    assert forms.ask(guarded, "GET", "/form/none/stamp").status == 404
    assert forms.ask(guarded, "PUT", "/form/guarded/stamp").status == 404


def test_the_same_words_again_are_one_message_and_other_words_are_not(guarded):
    def messages():
        return {r["message"] for r in guarded.ctl("ledger", "limit=1000")["rows"]}
    before = len(messages())
    for _ in range(3):
        a = forms.post(guarded, "guarded", {"email": "e@e.example", "words": "same"})
        assert a.status == 200 and "has arrived" in a.text
    assert len(messages()) == before + 1
    assert "the same words as M" in str(guarded.ctl("ledger", "limit=1")["rows"])
    forms.post(guarded, "guarded", {"email": "e@e.example", "words": "same, but not quite"})
    forms.post(guarded, "guarded", {"email": "f@e.example", "words": "same"})
    forms.post(guarded, "guarded", {"email": "e@e.example", "words": "same", "utm": "other"})
    assert len(messages()) == before + 4


def test_a_ticked_box_is_a_consent_with_the_words_beside_it(guarded):
    forms.post(guarded, "guarded", {"email": "g@g.example", "words": "x", "news": "yes"})
    forms.post(guarded, "guarded", {"email": "h@h.example", "words": "y"})
    shown = guarded.ctl_text("consent", "show", "g@g.example", width=200)
    assert "News, please." in shown and "form guarded" in shown
    assert "News, please." not in guarded.ctl_text("consent", "show", "h@h.example", width=200)


def test_leadctl_tells_what_a_post_would_become(d):
    conf = os.path.join(d.dir, "leadd.conf")
    assert b"job" in d.leadctl("form", "list", "-c", conf).stdout
    r = d.leadctl("form", "test", "job", "email=zoe@a.example", "name=Zoe", "-c", conf)
    assert r.returncode == 0 and b"zoe@a.example" in r.stdout and b"Job" in r.stdout, r.stderr
    r = d.leadctl("form", "test", "job", "email=zoe", "-c", conf)
    assert r.returncode == 1 and "keine E-Mail-Adresse" in r.stdout.decode()
    assert "zoe@a.example" not in d.ctl_text("list", "contacts")
    r = d.leadctl("form", "snippet", "none", "-c", conf)
    assert r.returncode == 1 and b'no form "none"' in r.stderr


MULTI = "multipart/form-data; boundary=XX"
DEEP = b'{"email": "a@a.example", "x": ' + b"[" * 500 + b"]" * 500 + b"}"
OPEN = (b'--XX\r\nContent-Disposition: form-data; name="email"\r\n\r\na@a.example\r\n'
        b'--XX\r\nContent-Disposition: form-data; name="name"\r\n\r\nAda Beisp')


@pytest.mark.parametrize("kind,body,status,said", [
    ("application/json", b'{"email": "a@a.example", "name": "' + b"x" * 41 + b'"}', 422,
     "„Ihr Name“ ist zu lang: höchstens 40 Zeichen."),
    ("application/json", b'{"email": {"a": 1}, "name": "x"}', 422, "„email“ muss ein Text sein"),
    ("application/json", b'{"email": "a@a.example", "name": "x", "employees": "many"}', 422,
     "„employees“ ist keine Zahl."),
    ("application/json", b'{"email": "a@a.example", "name": 5, "starts": true}', 422,
     "„starts“ ist kein Datum"),
    ("application/json", DEEP, 400, "nested"),
    ("application/json", b'{"email": "a@a.example", "name": "\xff"}', 400, "unable to decode byte 0xff"),
    ("application/json", b'{"email": ', 400, "JSON"),
    ("application/json", b"[1]", 400, "expected one JSON object"),
    ("application/json; charset=x", b"", 400, "JSON"),
    (MULTI, b"email=a%40a.example", 400, "the boundary is nowhere in the body"),
    ("multipart/form-data", OPEN, 400, "without a boundary"),
    ("text/plain", b"email=a@a.example", 415, "application/x-www-form-urlencoded, multipart"),
    (None, b"email=a@a.example", 415, "Content-Type: accepted are"),
    (forms.URLENCODED, b"name=x", 422, "„email“ fehlt."),
    (forms.URLENCODED, b"x" * (5 << 20), 413, "larger than the 4194304 bytes accepted"),
])
def test_bad_input_is_refused_with_what_its_author_must_change(d, kind, body, status, said):
    headers = {"Accept": "application/json"}
    if kind:
        headers["Content-Type"] = kind
    a = forms.ask(d, "POST", "/form/job", body, headers)
    assert a.status == status and said in a.json["error"], (a.status, a.text)


@pytest.mark.parametrize("kind,body,defect", [
    (MULTI, OPEN, "the body ends before the last boundary"),
    (forms.URLENCODED, b"email=a%40a.example&name=%ff", "name: holds bytes that are not UTF-8 text"),
    (forms.URLENCODED, b"email=a%40a.example&name=100%", "a percent sign without two hexadecimal"),
    (forms.URLENCODED, b"email=a%40a.example&name=x&words=" + b"x" * 70000, "words: cut to 65536"),
])
def test_what_can_be_read_with_a_guess_is_taken_and_says_so(d, kind, body, defect):
    a = forms.ask(d, "POST", "/form/job", body, {"Content-Type": kind})
    assert a.status == 200, a.text
    _, message = newest(d)
    assert defect in str(message["defects"])
