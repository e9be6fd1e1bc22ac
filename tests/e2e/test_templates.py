# SPDX-License-Identifier: ISC
"""Templates: languages, both parts, attachments, whose mail it is, gaps, and what shows them."""
import email
import email.policy
import json
import os
import re
import subprocess
import urllib.parse
import urllib.request

import pytest

import company
from daemon import Daemon, LEADCTL, until
from roles import LEADD

RULES = """
lang = 1;
rules : {
  own : { on = "lead.created"; do = [ "assign eva", "set lead.deal_worth 1234567.50" ]; };
  welcome : { on = "lead.created"; do = "send welcome"; };
  offer : { on = "lead"; when = "lead.tags contains 'offer'"; do = "send offer"; };
  gap : { on = "lead"; when = "lead.tags contains 'gap'"; do = "send gap"; };
};
"""
WELCOME = """Subject: Your request of {{lead.created}}
From: owner

Dear {{contact.first_name|friend}},

worth {{lead.deal_worth}}

{{> _foot}}
{{> signature}}
"""
WELCOME_DE = """Subject: Ihre Anfrage vom {{lead.created}}
From: owner

Grüß Gott {{contact.first_name|}},

Wert {{lead.deal_worth}}

{{> _foot}}
{{> signature}}
"""
OFFER = """Subject: Our offer
Attach: lists/prices.pdf, lists/terms.txt

--html--
<html><body><p>Hello {{contact.name|you}},</p>
<p>see <a href="https://example.com/offer">our offer</a>.</p>{{> signature}}</body></html>
"""
FILES = {
    "templates/welcome.txt": WELCOME,
    "templates/welcome.de.txt": WELCOME_DE,
    "templates/welcome.fr-CA.txt": WELCOME.replace("Dear", "Bonjour"),
    "templates/_foot.txt": "in English\n",
    "templates/_foot.de.txt": "auf Deutsch\n",
    "templates/_signature.txt": "Example Widgets\n",
    "templates/_signature-eva.txt": "{{owner.name}}, sales\n--html--\n<b>{{owner.name}}</b>",
    "templates/offer.txt": OFFER,
    "templates/gap.txt": "Subject: Gap\n\nYour phone is {{contact.phone}}.\n",
    "templates/leave.txt": "Subject: News\n\nLeave: {{unsubscribe_url}}\n",
    "templates/lists/terms.txt": "The terms.\n",
}
PDF = b"%PDF-1.4\x00\xff" + bytes(range(256)) * 40
FORM = """
forms : {
  de : { fields : { name = "contact.name"; email = "contact.email"; }; lang = "de"; };
  any : { fields : { name = "contact.name"; email = "contact.email"; lang = "contact.language"; }; };
};
fields : { lead : { deal_worth : { type = "money"; }; }; };
"""


def conf(settings=""):
    text = company.conf(settings='language = "en"; currency = "EUR"; ' + settings)
    return text[:text.index("forms : {")] + FORM


def more():
    return company.files(RULES, **{**FILES, "templates/lists/prices.pdf": PDF})


@pytest.fixture(scope="module")
def leadd():
    with Daemon(conf(), more()) as d:
        yield d


def post(d, form, fields):
    url = "http://127.0.0.1:%d/form/%s" % (d.port(), form)
    with urllib.request.urlopen(url, urllib.parse.urlencode(fields).encode(), timeout=60) as r:
        assert r.status == 200


def to(d, address, n=1):
    """The n mails that have left to that address."""
    def look():
        found = [m for m in company.sent(d.dir) if address in m["To"]]
        return found if len(found) >= n else None
    return until(look, why="%d mails to %s" % (n, address))


def lead_of(d, address):
    rows = d.ctl("list", "leads", "limit=100")["rows"]
    for row in rows:
        if address in json.dumps(d.ctl("show", row["id"])):
            return row["id"]
    raise AssertionError("no lead of " + address)


def body(m):
    return m.get_body(("plain",)).get_content()


# ---- languages ------------------------------------------------------------------------------

def test_each_reads_the_mail_in_his_language_with_its_dates_and_amounts(leadd):
    for name, lang in (("ada", ""), ("udo", "Deutsch"), ("uta", "de_AT"), ("jan", "nl"),
                       ("luc", "fr-CA"), ("lea", "fr")):
        post(leadd, "any", {"name": name.title() + " X", "email": name + "@shop.example", "lang": lang})
    post(leadd, "de", {"name": "Kai X", "email": "kai@shop.example"})
    mails = {n: to(leadd, n + "@shop.example")[0] for n in ("ada", "udo", "uta", "jan", "luc", "lea", "kai")}
    for name in ("ada", "jan", "lea"):
        assert body(mails[name]).startswith("Dear " + name.title()), name
        assert "in English" in body(mails[name]) and "worth €1,234,567.50" in body(mails[name])
    for name in ("udo", "uta", "kai"):
        assert body(mails[name]).startswith("Grüß Gott " + name.title()), name
        assert "auf Deutsch" in body(mails[name])
    assert "Wert 1.234.567,50 €" in body(mails["udo"])
    assert "Wert € 1.234.567,50" in body(mails["uta"])
    assert body(mails["luc"]).startswith("Bonjour Luc")
    assert "worth 1 234 567,50 $" not in body(mails["luc"]) and "1 234 567,50 €" in body(mails["luc"])
    assert [c for c in mails["kai"]["Subject"] if c.isdigit()] and mails["kai"]["Subject"].count(".") == 2


def test_the_language_of_a_mail_program_is_that_of_who_is_new(leadd):
    company.deliver(os.path.join(leadd.dir, "inbox"), "de1",
                    b"Content-Language: de-DE, en-US\n" + company.mail("max@werk.example", name="Max Muster"))
    company.deliver(os.path.join(leadd.dir, "inbox"), "xx1",
                    b"Content-Language: 1; DROP\n" + company.mail("mix@werk.example", name="Mix Muster"))
    assert body(to(leadd, "max@werk.example")[0]).startswith("Grüß Gott Max")
    assert body(to(leadd, "mix@werk.example")[0]).startswith("Dear Mix")


# ---- whose mail it is -------------------------------------------------------------------------

def test_the_owner_s_name_and_signature_and_an_aligned_address(leadd):
    post(leadd, "any", {"name": "Oda X", "email": "oda@shop.example"})
    m = to(leadd, "oda@shop.example")[0]
    assert m["From"].addresses[0].addr_spec == "eva@example.com"
    assert m["From"].addresses[0].display_name == "Eva Example"
    assert "sales+" in m["Reply-To"]
    assert body(m).rstrip().endswith("Eva Example, sales")


def test_an_owner_of_another_domain_writes_from_the_company_s_address():
    text = conf().replace("eva@example.com", "eva@agency.example")
    text = text.replace('email = "eva@agency.example";',
                        'email = "eva@agency.example"; signature = [ "E. & Co", "{{owner.phone|no phone}}" ];')
    files = more()
    del files["templates/_signature-eva.txt"]
    with Daemon(text, files) as d:
        post(d, "any", {"name": "Oda X", "email": "oda@shop.example"})
        m = to(d, "oda@shop.example")[0]
        assert m["From"].addresses[0].addr_spec == "sales@example.com"
        assert m["From"].addresses[0].display_name == "Eva of Example Widgets"
        assert body(m).rstrip().endswith("E. & Co\nno phone")


# ---- parts and files ---------------------------------------------------------------------------

def test_html_alone_brings_a_text_and_the_files_go_along(leadd):
    post(leadd, "any", {"name": "Pia X", "email": "pia@shop.example"})
    to(leadd, "pia@shop.example")
    leadd.ctl("do", lead_of(leadd, "pia@shop.example"), "tag", "offer")
    m = to(leadd, "pia@shop.example", 2)[1]
    assert "Hello Pia X," in body(m) and "https://example.com/offer" in body(m)
    assert "Example Widgets" in body(m), "the company's signature, since the mail is the company's"
    html = m.get_body(("html",)).get_content()
    assert '<a href="https://example.com/offer">' in html and "<b>" not in html
    files = list(m.iter_attachments())
    assert [f.get_filename() for f in files] == ["prices.pdf", "terms.txt"]
    assert [f.get_content_type() for f in files] == ["application/pdf", "text/plain"]
    assert files[0].get_content() == PDF


def test_a_changed_file_is_seen_at_the_reload_and_a_missing_one_is_refused(leadd):
    post(leadd, "any", {"name": "Ute X", "email": "ute@shop.example"})
    to(leadd, "ute@shop.example")
    lead = lead_of(leadd, "ute@shop.example")
    leadd.write("templates/lists/prices.pdf", b"%PDF new")
    os.rename(os.path.join(leadd.dir, "templates/lists/terms.txt"), os.path.join(leadd.dir, "terms.away"))
    answer = leadd.leadctl("reload")
    assert answer.returncode == 78
    assert b"offer.txt:2: Attach: lists/terms.txt is not there" in answer.stdout + answer.stderr
    os.rename(os.path.join(leadd.dir, "terms.away"), os.path.join(leadd.dir, "templates/lists/terms.txt"))
    assert leadd.leadctl("reload").returncode == 0
    leadd.ctl("do", lead, "tag", "offer")
    m = to(leadd, "ute@shop.example", 2)[1]
    assert next(m.iter_attachments()).get_content() == b"%PDF new"


# ---- gaps ---------------------------------------------------------------------------------------

def test_a_mail_with_a_gap_is_held_with_the_reason_and_can_be_released(leadd):
    post(leadd, "any", {"name": "Gus X", "email": "gus@shop.example"})
    to(leadd, "gus@shop.example")
    leadd.ctl("do", lead_of(leadd, "gus@shop.example"), "tag", "gap")
    rows = until(lambda: leadd.ctl("outbox", "list", "state=held")["rows"], why="a held mail")
    row = next(r for r in rows if r["to"] == "gus@shop.example")
    shown = leadd.ctl_text("outbox", "show", str(row["id"]))
    assert "contact.phone is not set" in shown and "template gap" in shown
    leadd.ctl("outbox", "release", str(row["id"]))
    assert "Your phone is ." in body(to(leadd, "gus@shop.example", 2)[1])


# ---- preview and test ------------------------------------------------------------------------------

def test_a_preview_is_what_would_be_sent_and_leaves_nothing_behind(leadd):
    post(leadd, "any", {"name": "Vic X", "email": "vic@shop.example"})
    to(leadd, "vic@shop.example")
    lead = lead_of(leadd, "vic@shop.example")
    before = (len(company.sent(leadd.dir)), leadd.ctl("outbox", "list", "limit=1000"),
              leadd.ctl("timeline", lead))
    told = leadd.ctl("template", "preview", "offer", lead)
    assert told["mail"]["text"].startswith("Hello Vic X,")
    assert [f["filename"] for f in told["mail"]["attachments"]] == ["prices.pdf", "terms.txt"]
    german = leadd.ctl_text("template", "preview", "welcome", lead, "--lang", "de")
    assert "Grüß Gott Vic," in german and "Subject: Ihre Anfrage vom " in german
    assert "From: Eva Example" in german and "To: Vic X <vic@shop.example>" in german
    gap = leadd.ctl_text("template", "preview", "gap", lead)
    assert "It would be held: contact.phone is not set" in gap
    assert "<p>Hello Vic X,</p>" in leadd.ctl_text("template", "preview", "offer", lead, "--html")
    raw = leadd.ctl("template", "preview", "offer", lead, "--raw")["text"]
    assert (len(company.sent(leadd.dir)), leadd.ctl("outbox", "list", "limit=1000"),
            leadd.ctl("timeline", lead)) == before
    leadd.ctl("do", lead, "send", "offer")
    real = to(leadd, "vic@shop.example", 2)[1]
    shown = email.message_from_bytes(raw.replace("\r\n", "\n").encode(), policy=email.policy.default)
    for part in (("plain",), ("html",)):
        assert shown.get_body(part).get_content() == real.get_body(part).get_content()
    for header in ("From", "To", "Subject", "Auto-Submitted", "In-Reply-To"):
        assert shown[header] == real[header], header
    assert [f.get_content() for f in shown.iter_attachments()] == [
        f.get_content() for f in real.iter_attachments()]


def test_the_link_to_unsubscribe_is_no_gap_and_who_tries_a_template_unsubscribes_nobody(leadd):
    post(leadd, "any", {"name": "Una X", "email": "una@shop.example"})
    to(leadd, "una@shop.example")
    lead = lead_of(leadd, "una@shop.example")
    shown = leadd.ctl_text("template", "preview", "leave", lead)
    assert "Leave: about:unsubscribe-url\n" in shown and "Not set" not in shown
    raw = leadd.ctl("template", "preview", "leave", lead, "--raw")["text"]
    tokens = re.findall(r"\bO(\d+)\.[0-9A-Za-z]", raw)
    assert tokens and set(tokens) == {"0"}, "a preview names the row that the next mail gets"
    told = leadd.ctl_text("template", "send", "leave", lead, "--to", "una-test@example.com")
    assert "not set" not in told
    assert "Leave: about:unsubscribe-url\n" in body(to(leadd, "una-test@example.com")[0])
    leadd.ctl("do", lead, "send", "leave")
    real = to(leadd, "una@shop.example", 2)[1]
    assert "stop.O" in body(real) and "about:" not in body(real)


def test_a_test_goes_to_who_asks_is_marked_and_touches_no_record(leadd):
    post(leadd, "any", {"name": "Wim X", "email": "wim@shop.example", "lang": "de"})
    to(leadd, "wim@shop.example")
    lead = lead_of(leadd, "wim@shop.example")
    before = (leadd.ctl("timeline", lead), leadd.ctl("show", lead))
    leadd.ctl("template", "send", "welcome", lead, "--to", "me@example.com")
    m = to(leadd, "me@example.com")[0]
    assert m["Subject"].startswith("[TEST] Ihre Anfrage") and m["X-Leadd-Test"] == "welcome"
    assert "A test of the template welcome with the values of %s" % lead in body(m)
    assert "Grüß Gott Wim" in body(m) and m["Reply-To"] is None
    assert (leadd.ctl("timeline", lead), leadd.ctl("show", lead)) == before
    for wrong, why in ((("send", "welcome", lead), "to whom"),
                       (("send", "nothing", lead, "--to", "me@example.com"), "no template"),
                       (("preview", "welcome", "X9"), "expected a record"),
                       (("preview", "welcome", "L999999"), "L999999"),
                       (("preview", "welcome", lead, "--lang", "klingonese"), "no language")):
        answer = leadd.leadctl("template", *wrong)
        assert answer.returncode == 1 and why in (answer.stdout + answer.stderr).decode(), wrong


# ---- the files alone ----------------------------------------------------------------------------------

@pytest.fixture
def folder(tmp_path):
    for name, text in company.files(RULES, **FILES).items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    (tmp_path / "templates/lists/prices.pdf").write_bytes(PDF)
    (tmp_path / "leadd.conf").write_text(conf().replace("@DIR@", str(tmp_path)))
    return tmp_path


def run(*argv):
    p = subprocess.run([str(a) for a in argv], capture_output=True, text=True, check=False, timeout=120,
                       env=dict(os.environ, LEADD_RUN_DIR="/nonexistent"))
    return p.returncode, p.stdout, p.stderr


def test_list_and_show_need_no_daemon(folder):
    code, out, _ = run(LEADCTL, "--json", "template", "list", "-c", folder)
    rows = {r["name"]: r for r in json.loads(out)["rows"]}
    assert code == 0 and rows["welcome"]["languages"] == "en de fr-CA"
    assert rows["welcome"]["from"] == "owner" and rows["offer"]["attached"] == 2
    assert rows["offer"]["parts"] == "html" and rows["gap"]["sent"] == "yes"
    code, out, _ = run(LEADCTL, "template", "show", "welcome", "--lang", "de-CH", "-c", folder)
    assert code == 0 and "welcome.de.txt" in out and "Grüß Gott {{contact.first_name|}}" in out
    assert run(LEADCTL, "template", "show", "nothing", "-c", folder)[0] == 1


def test_check_finds_gaps_parts_that_differ_and_languages_that_lack(folder):
    (folder / "templates/offer.txt").write_text(
        "Subject: {{contact.name|}}\n\nHello, see https://example.com/a\n--html--\n"
        '<p>Hello {{contact.name|you}}</p><a href="https://example.com/b">b</a>\n')
    code, out, _ = run(LEADCTL, "--json", "template", "check", "-c", folder)
    found = {(os.path.basename(f["at"]), f["finding"], f["text"]) for f in json.loads(out)["findings"]}
    assert code == 1
    kinds = {(at, kind) for at, kind, _ in found}
    assert ("gap.txt:3", "unset") in kinds
    assert ("offer.txt:1", "empty") in kinds
    assert ("offer.txt:3", "parts") in kinds and ("offer.txt:5", "parts") in kinds
    assert any(kind == "language" and "gap.de.txt" in text for _, kind, text in found)
    code, out, err = run(LEADCTL, "rules", "check", folder)
    assert "[unset]" in out + err and "[parts]" in out + err and "[language]" in out + err


def test_the_letter_of_a_broadcast_is_looked_at_as_what_a_rule_sends(folder):
    (folder / "rules.d/50-letter.conf").write_text("""lang = 1;
segments : { all : { when = "contact.name is set"; }; };
broadcasts : { spring : { segment = "all"; list = "news"; template = "letter"; }; };
""")
    with open(folder / "leadd.conf", "a") as f:
        f.write('lists : { news : { label = "News"; }; };\n')
    (folder / "templates/letter.txt").write_text("Subject: A\n\nDear {{contact.first_name}}\n")
    _, out, _ = run(LEADCTL, "--json", "template", "check", "-c", folder)
    assert ("letter.txt:3", "unset") in {(os.path.basename(f["at"]), f["finding"])
                                         for f in json.loads(out)["findings"]}
    _, out, _ = run(LEADCTL, "--json", "template", "list", "-c", folder)
    assert {r["name"]: r["sent"] for r in json.loads(out)["rows"]}["letter"] == "yes"


@pytest.mark.parametrize("name, text, why", [
    ("templates/welcome.old.txt", WELCOME, "old is no language"),
    ("templates/hello.de.txt", WELCOME_DE, "there is no hello.txt"),
    ("templates/welcome.de.txt", WELCOME_DE.replace("From: owner\n", ""),
     "From is the company here, and the owner in welcome"),
    ("templates/_signature-evi.txt", "x", "a signature is _signature.txt, or _signature-USER.txt"),
    ("templates/offer.txt", OFFER.replace("lists/terms.txt", "../leadd.conf"), "must lie below templates_dir"),
    ("templates/offer.txt", OFFER.replace("lists/terms.txt", "/etc/passwd"), "must lie below templates_dir"),
    ("templates/offer.txt", OFFER.replace("lists/terms.txt", "link.pdf"), "leads out of templates_dir"),
    ("templates/offer.txt", OFFER.replace("lists/terms.txt", "empty.pdf"), "no file with anything in it"),
    ("templates/offer.txt", OFFER.replace("lists/terms.txt", "large.pdf"), "larger than 4 MB"),
    ("templates/offer.txt", OFFER.replace("lists/terms.txt", ","), "a file is expected"),
    ("templates/welcome.txt", WELCOME.replace("{{lead.created}}", "{{lead.craeted}}"),
     'did you mean "lead.created"?'),
    ("rules.d/20.conf", 'lang = 1; rules : { x : { on = "lead.created"; do = "send welcome.de"; }; };',
     "welcome.de is welcome in one language"),
])
def test_mistakes_are_found_at_load_with_their_place(folder, name, text, why):
    (folder / "templates/link.pdf").symlink_to("/etc/hostname")
    (folder / "templates/empty.pdf").write_bytes(b"")
    (folder / "templates/large.pdf").write_bytes(b"x" * (4 * 1024 * 1024 + 1))
    (folder / name).write_text(text)
    code, out, err = run(LEADD, "-t", "-c", folder / "leadd.conf")
    assert code == 78 and why in out + err, out + err
    assert name.split("/")[-1].split(".")[0] in out + err


def test_a_language_that_the_settings_demand_is_missed_at_load(folder):
    text = (folder / "leadd.conf").read_text()
    (folder / "leadd.conf").write_text(text.replace('language = "en";', 'language = "en"; languages = [ "de" ];'))
    code, out, err = run(LEADD, "-t", "-c", folder / "leadd.conf")
    assert code == 78
    assert "there is no gap.de.txt" in out + err and "there is no offer.de.txt" in out + err
    assert "welcome" not in out + err
