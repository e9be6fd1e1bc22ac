# SPDX-License-Identifier: ISC
"""What Gmail and Yahoo ask of senders, held against the bytes that a relay gets: every kind of mail that
leadd sends, with contents in many scripts and of awkward lengths, judged by Python's parser and by reading
the bytes. DKIM is the relay's work (leadd.conf(5)), as is SPF of its own address."""
import email
import email.headerregistry
import email.policy
import email.utils
import os
import random
import re
import time

import company
import forms
from daemon import Daemon, until
from peers import SmtpPeer
from test_broadcasts import Company
from test_optout_page import FORM, ask, link

OWN = "example.com"
ONCE = ("from", "sender", "to", "cc", "reply-to", "subject", "date", "message-id", "in-reply-to", "references",
        "mime-version", "content-type", "content-transfer-encoding", "list-unsubscribe",
        "list-unsubscribe-post", "list-id", "auto-submitted")
SCRIPTS = ["Ada Lovelace", "Łukasz Żółć", "Анна Ковалёва", "李小龍", "محمد علي", "दीपक", "ნინო", "Đỗ Thị",
           "O'Brien, Conan \"Q\"", "x" * 200, "ä" * 120, "🎉 Party 🎈", "a.b, c; d: e <f>", "עברית",
           "e\u0301\u0301\u0301", "\u200fmixed\u200e", "Ünal" * 40, "=?utf-8?q?fake?=", "tab\tname"]
WORDS = ["word", "Größe", "длинное", "非常に長い", "🎉", "a" * 90, "x" * 1200, "From here", ".", "..", "=", "=20",
         "--", "\u2028", "ß" * 400, "http://example.com/" + "p/" * 300, "\u00a0"]
LINE = re.compile(rb"^[\x20-\x7e\t]*$")


def words(seed, n):
    r = random.Random(seed)
    return "".join(r.choice(WORDS) + r.choice([" ", "\n", "\n\n", "  "]) for _ in range(n))


def judge(raw, sender, recipient):
    """Every rule; says which was broken. The mail, when none was."""
    assert raw.endswith(b"\r\n") and b"\n" not in raw.replace(b"\r\n", b""), "a bare LF"
    assert b"\r" not in raw.replace(b"\r\n", b""), "a bare CR"
    for line in raw.split(b"\r\n"):
        assert len(line) <= 998, "a line of %d bytes" % len(line)
        assert LINE.match(line), "not 7 bits, or a control character: %r" % line[:80]
    head = raw.split(b"\r\n\r\n", 1)[0]
    for line in head.split(b"\r\n"):
        assert line.strip(), "a header line of nothing but white space"
    m = email.message_from_bytes(raw, policy=email.policy.default)
    for part in m.walk():
        assert not part.defects, part.defects
        assert part.get("Content-Transfer-Encoding", "7bit").lower() in ("7bit", "quoted-printable", "base64")
    names = [name.lower() for name in m.keys()]
    for name in ONCE:
        assert names.count(name) <= 1, "%s stands twice" % name
    for name in ("from", "to", "date", "message-id", "subject", "mime-version"):
        assert names.count(name) == 1, "no %s" % name
    for name, value in m.items():
        assert not getattr(value, "defects", ()), (name, value.defects)
    assert m["Date"].datetime is not None and m["Date"].datetime.tzinfo is not None
    assert re.fullmatch(r"<[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]+@[A-Za-z0-9.-]+>", str(m["Message-ID"]).strip())
    assert str(m["Message-ID"]).strip()[1:-1].rpartition("@")[2] == OWN
    (who,) = m["From"].addresses
    assert who.domain == OWN, "From is of %s" % who.domain
    # SPF is about the envelope: the same domain (aligned), or the null sender of a notice
    assert sender == "" or sender.rpartition("@")[2] == OWN, sender
    (to,) = m["To"].addresses
    assert to.addr_spec == recipient
    assert "bcc" not in names
    return m


def judge_list(m, https):
    """RFC 2369 and RFC 8058."""
    value = str(m["List-Unsubscribe"]).strip()
    uris = re.findall(r"<([^<>\s]+)>", value)
    assert ", ".join("<%s>" % u for u in uris) == value, value
    assert any(u.startswith("mailto:") for u in uris)
    if https:
        assert uris[0].startswith("https://") and len([u for u in uris if u.startswith("https")]) == 1
        assert m["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
        assert re.search(r"/u/stop\.O\d+\.[a-z2-7]{16}$", uris[0])
    else:
        assert m["List-Unsubscribe-Post"] is None


RULES = '''lang = 1;
rules : {
  rest : { on = "lead.created"; do = [ "assign tom", "send hello", "notify owner",
                                       "notify owner using told", "sequence course" ]; };
};
sequences : { course : { list = "news"; steps = ( { email = "news"; } ); }; };
'''
BODY = "{{#message.text}}{{message.text}}{{/message.text}}\nDear {{contact.name}},\n{{lead.subject}}\n"
HTML = "--html--\n<html><body><p>Dear {{contact.name}}</p><p>{{lead.subject}}</p></body></html>\n"
FILES = {"templates/hello.txt": "Subject: Re: {{lead.subject}}\n\n" + BODY,
         "templates/news.txt": "Subject: {{contact.name}}: {{lead.subject}}\nList: news\n\n" + BODY + HTML,
         "templates/told.txt": "Subject: told {{contact.name}}\n\n" + BODY}


def start(peer, https=True):
    conf = company.conf(relays=company.smtp(peer.port),
                        settings='lists : { news : { label = "Größe & News"; }; };\n'
                                 'notices_per_hour = 1000; trusted_ingest = true; trusted_auth = "mx.example.com";')
    if https:
        conf = conf.replace("web : { ", 'web : { in_url = "https://www.example.com"; ')
    return Daemon(conf, company.files(RULES, **FILES))


def mail_from(n, seed):
    r = random.Random(seed)
    m = email.message.EmailMessage()
    m["From"] = email.headerregistry.Address(re.sub(r"[\t\r\n]", " ", SCRIPTS[n % len(SCRIPTS)]),
                                             addr_spec="p%d@shop%d.example" % (n, n))
    m["To"] = "sales@example.com"
    m["Subject"] = " ".join(r.choice(SCRIPTS + ["short"]).replace("\t", " ") for _ in range(r.randint(1, 6)))
    m["Date"] = email.utils.formatdate(time.time())
    m["Message-ID"] = "<m%d.%d@shop%d.example>" % (n, seed, n)
    m.set_content(words(seed, r.randint(1, 60)))
    return m.as_bytes()


def settled(d):
    """All has left, also what the sequences write a moment later."""
    rows = d.ctl("outbox", "list", "limit=1000")["rows"]
    written = [r["template"] for r in rows]
    return (rows and not {r["state"] for r in rows} & {"ready", "claimed", "deferred"} and
            written.count("hello") == written.count("news"))


def kind_of(m, recipient):
    if m["List-Id"]:
        return "sequence"
    if m["List-Unsubscribe"]:
        return "follow-up"
    if recipient in ("tom@example.com", "mia@example.com"):
        return "notice"
    return "answer"


def test_every_kind_of_mail_is_as_gmail_and_yahoo_want_it():
    count = int(os.environ.get("LEADD_SENDER_MAILS", "0")) or len(SCRIPTS)
    seed = int(os.environ.get("LEADD_SENDER_SEED", "8058"))
    kinds = {}
    with SmtpPeer() as peer, start(peer) as d:
        for n in range(count):
            d.ingest(mail_from(n, seed + n))
        until(lambda: settled(d), why="all left")
        # the owner answers what was handed on to him: a person's own words, as leadd writes them on
        for mail in [m for m in peer.mails if m.recipient == "tom@example.com"]:
            m = email.message_from_bytes(bytes(mail.data), policy=email.policy.default)
            if m["Reply-To"] and "note." not in str(m["Reply-To"]):
                d.ingest(company.mail("tom@example.com", subject="Re: " + str(m["Subject"])[:200],
                                      text=words(seed, 20), to=m["Reply-To"].addresses[0].addr_spec,
                                      In_Reply_To=str(m["Message-ID"]).strip(),
                                      Authentication_Results="mx.example.com; dmarc=pass header.from=example.com"))
        until(lambda: settled(d), why="all left")
        ids = set()
        for mail in peer.mails:
            m = judge(bytes(mail.data), mail.sender, mail.recipient)
            kind = kind_of(m, mail.recipient)
            kinds[kind] = kinds.get(kind, 0) + 1
            ids.add(str(m["Message-ID"]))
            if kind in ("sequence", "follow-up"):
                judge_list(m, https=True)
                assert mail.sender.startswith("sales+O"), mail.sender
                assert m["Auto-Submitted"] != "no"
            else:
                assert m["List-Unsubscribe"] is None and m["List-Unsubscribe-Post"] is None
        assert len(ids) == len(peer.mails), "a Message-ID was used twice"
    assert kinds["sequence"] >= count - 1 and kinds["follow-up"] >= count - 1 and kinds["notice"] >= 2, kinds
    print(kinds)


def test_without_https_there_is_no_one_click_header():
    with SmtpPeer() as peer, start(peer, https=False) as d:
        d.ingest(mail_from(0, 1))
        until(lambda: settled(d), why="all left")
        lists = [judge(bytes(m.data), m.sender, m.recipient) for m in peer.mails if m.recipient.startswith("p0@")]
        assert len(lists) == 2
        for m in lists:
            judge_list(m, https=False)


# ---- letters, questions, invitations and what is attached ----------------------------------

PDF = b"%PDF-1.4\x00\xff\r\n.\r\n" + bytes(range(256)) * 40
TERMS = "The terms\n.\nFrom here, " + "ä" * 1200 + "\n"
ATTACHED = {"templates/lists/prices.pdf": PDF, "templates/lists/terms.txt": TERMS}
LETTER = ("Subject: {{contact.name}}: %s\nFrom: owner\nAttach: lists/prices.pdf, lists/terms.txt\n\n"
          "Dear {{contact.name}},\n\n.\nFrom here %s\n" % ("Größe " * 30, "ß" * 1200) + HTML.replace(
              "{{lead.subject}}", "x" * 1200 + " 非常に長い"))
OWNER = 'O\'Brien, Łukasz \\"Q\\" 李小龍'


def judge_attached(m):
    """Both attachments as they were, and both forms of the words."""
    pdf, terms = m.iter_attachments()
    assert (pdf.get_filename(), pdf.get_content()) == ("prices.pdf", PDF)
    assert terms.get_filename() == "terms.txt" and terms.get_content().split() == TERMS.split()
    assert "ß" * 1200 in m.get_body(("plain",)).get_content().replace("\n", "")
    assert "非常に長い" in m.get_body(("html",)).get_content()


class Sender(Company):
    """Under pretended time, with a page for opting out and confirming, and one relay by SMTP."""

    def __init__(self, peer, rules, more="", **files):
        conf = forms.conf(more, 'in_url = "https://www.example.com/";', relays=company.smtp(peer.port),
                          settings='lists : { news : { label = "Größe & News"; }; };')
        Daemon.__init__(self, conf.replace('"Tom Example"', '"%s"' % OWNER), company.files(rules, **files),
                        args=["--pretend-time", "2026-11-20T10:00:00Z"])
        self.peer = peer

    def letters(self, count, fits):
        """The mails that fit, when there are so many; each judged."""
        def found():
            return [x for x in list(self.peer.mails) if fits(x)]
        until(lambda: len(found()) >= count, why="%d mails" % count)
        mails = found()
        assert len(mails) == count
        out = [judge(bytes(x.data), x.sender, x.recipient) for x in mails]
        assert len({str(m["Message-ID"]) for m in out}) == count
        return out


def test_a_broadcast_is_list_mail_whose_one_click_works():
    rules = ("lang = 1; rules : { rest : { on = 'lead.created'; do = 'assign tom'; }; };\n"
             "segments : { all : { when = 'contact.email is set'; }; };\n"
             "broadcasts : { spring : { segment = 'all'; list = 'news'; template = 'spring'; }; };\n"
             ).replace("'", '"')
    with SmtpPeer() as peer, Sender(peer, rules, **{"templates/spring.txt": LETTER, **ATTACHED}) as d:
        d.stop()
        d.people([{"name": name} for name in SCRIPTS])
        d.start()
        d.begin()
        d.go("3h")
        letters = d.letters(len(SCRIPTS), lambda x: x.recipient.startswith("p"))
        for m in letters:
            judge_list(m, https=True)
            judge_attached(m)
            assert m["List-Id"] == "<news.example.com>"
        assert len({link(m) for m in letters}) == len(letters)
        m = letters[0]
        assert ask(d, link(m), "POST", "List-Unsubscribe=One-Click", FORM)[0] == 200
        (row,) = d.ctl("consent", "show", m["To"].addresses[0].addr_spec)["sections"][0]["rows"]
        assert (row["consent"], row["sender"], row["source"]) == ("withdrawn", "list:news", "one click")


def test_the_mail_that_asks_to_confirm_is_no_list_mail_and_its_page_is_there():
    form = ('  trial : { fields : { email = "contact.email"; name = "contact.name"; }; required = "email";\n'
            '            confirm = true; lang = "%s"; };\n')
    for lang in ("de", "en"):
        with SmtpPeer() as peer, Sender(peer, company.RULES, form % lang) as d:
            for n, name in enumerate(SCRIPTS[:4]):
                assert forms.post(d, "trial", {"email": "p%d@shop.example" % n, "name": name}).status == 200
            for m in d.letters(4, lambda x: x.recipient.startswith("p")):
                assert m["List-Unsubscribe"] is None and m["List-Unsubscribe-Post"] is None
                assert m["Auto-Submitted"] == "auto-generated"
                path = re.search(r"https://www\.example\.com(/c/\S+)", m.get_content()).group(1)
                assert forms.ask(d, "GET", path).status == 200
                assert forms.ask(d, "POST", path).status == 200
            assert len(d.ctl("list", "leads")["rows"]) == 4


def test_invitations_are_as_gmail_and_yahoo_want_them_moved_and_called_off_too():
    with SmtpPeer() as peer, Sender(peer, RULES[:RULES.index("rules")] +
                                    'rules : { rest : { on = "lead.created"; do = "assign tom"; }; };') as d:
        for n in range(len(SCRIPTS)):
            d.ingest(mail_from(n, n))
            title = " ".join(SCRIPTS[n].replace("\t", " ").split()) + " überall; \\ \"room\" 4"
            d.ctl("do", "L%d" % (n + 1), "invite fri 10:00 45m " + title)
        meetings = [r for r in d.ctl("list", "activities", "limit=200")["rows"] if r["kind"] == "meeting"]
        d.ctl("do", "L1", "invite %s mon 14:00 30m" % meetings[-1]["id"])
        d.ctl("do", "L1", "invite %s cancel" % meetings[-1]["id"])
        for m in d.letters(2 * len(SCRIPTS) + 4, lambda x: b"text/calendar" in bytes(x.data)):
            (part,) = [p for p in m.walk() if p.get_content_type() == "text/calendar"]
            raw = part.get_payload(decode=True)
            assert b"\n" not in raw.replace(b"\r\n", b"") and raw.endswith(b"END:VCALENDAR\r\n")
            assert part.get_param("method") in ("REQUEST", "CANCEL")
            assert m["List-Unsubscribe"] is None and m["List-Id"] is None


def test_a_template_with_html_attachments_and_the_owners_name_is_whole():
    rules = 'lang = 1; rules : { rest : { on = "lead.created"; do = [ "assign tom", "send offer" ]; }; };'
    with SmtpPeer() as peer, Sender(peer, rules, **{"templates/offer.txt": LETTER, **ATTACHED}) as d:
        for n in range(len(SCRIPTS)):
            d.ingest(mail_from(n, n))
        for m in d.letters(len(SCRIPTS), lambda x: x.recipient.startswith("p")):
            judge_list(m, https=True)
            judge_attached(m)
            assert m["From"].addresses[0].display_name == OWNER.replace("\\", "")
