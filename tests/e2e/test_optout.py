# SPDX-License-Identifier: ISC
"""Opt-out: how a contact ends what we send, by a mail or in words, and that nothing comes after it."""
import re

import pytest

import company
import forms
from daemon import CtlError, Daemon

LISTS = 'lists : { news : { label = "News & more"; }; events : { label = "Events"; }; };\n'
TEMPLATES = {
    "templates/plain.txt": "Subject: plain\n\nDear {{contact.name}}.\n",
    "templates/news.txt": "Subject: news\nList: news\n\nDear {{contact.name}}.\n--html--\n"
                          "<html><body><p>Dear {{contact.name}}</p></body></html>\n",
    "templates/events.txt": "Subject: events\nlist: events\n\nEnd it: {{unsubscribe_url}}\n",
}
RULES = '''lang = 1;
rules : { rest : { on = "lead.created"; do = [ "assign tom"%s ]; };
          gone : { on = "list.left"; do = "note 'has left a list'"; }; };
sequences : {
  course : { list = "news"; steps = ( { wait = "1d"; }, { email = "plain"; }, { wait = "1d"; },
                                      { email = "plain"; } ); };
};
'''
ADA = "ada@shop.example"


class Company(Daemon):
    def __init__(self, begins="", settings="", url='in_url = "https://www.example.com/"; ',
                 conf=lambda text: text, rules=RULES, **more):
        text = company.conf(settings=LISTS + settings).replace("web : { ", "web : { " + url)
        super().__init__(conf(text), company.files(rules % begins, **TEMPLATES),
                         args=["--pretend-time", "2026-11-02T09:00:00Z"], **more)

    def lead(self, sender=ADA):
        self.ingest(company.mail(sender, name="Ada Lovelace"))

    def send(self, *names):
        for name in names:
            self.ctl("do", "L1", "send", name)
        self.ctl("clock", "advance", "1s")

    def mails(self, to=ADA):
        return [m for m in company.sent(self.dir) if m["To"].addresses[0].addr_spec == to]

    def subjects(self, to=ADA):
        return [str(m["Subject"]) for m in self.mails(to)]

    def rows(self):
        return [(r["subject"], r["state"], r.get("reply", "")) for r in
                reversed(self.ctl("outbox", "list", "limit=200")["rows"]) if r["to"] == ADA]

    def enrolled(self):
        return [(r["state"], r["reason"]) for r in self.ctl("sequence", "enrolments")["rows"]]

    def ledger(self, who=ADA):
        return [(r["consent"], r["sender"], r["source"]) for s in self.ctl("consent", "show", who)["sections"]
                for r in s["rows"]]


def mailto(mail):
    """Address and subject of the mailto form, as a mail program makes them."""
    found = re.search(r"<mailto:([^>?]+)\?subject=([^>]*)>", str(mail["List-Unsubscribe"]).strip())
    return found.group(1), found.group(2).replace("%20", " ")


def ends(d, mail, sender=ADA):
    to, subject = mailto(mail)
    d.ingest(company.mail(sender, to=to, subject=subject, text="\n"))


def test_automatic_mail_to_a_contact_names_where_it_ends():
    with Company() as d:
        d.lead()
        d.send("plain", "news")
        plain, news = d.mails()
        for m in (plain, news):
            assert re.match(r"<https://www\.example\.com/u/stop\.O\d+\.[a-z2-7]{16}>, <mailto:sales\+stop\.",
                            str(m["List-Unsubscribe"]).strip())
            assert m["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
        assert plain["List-Id"] is None and news["List-Id"] == "<news.example.com>"
        # no two mails have the same, and none has a row's number alone
        assert plain["List-Unsubscribe"] != news["List-Unsubscribe"]


def test_what_people_of_ours_get_and_write_is_no_list_mail():
    with Company(begins=', "notify owner"') as d:
        d.lead()
        for m in company.sent(d.dir):
            assert m["List-Unsubscribe"] is None and m["List-Id"] is None, m


@pytest.mark.parametrize("url,settings,pattern", [
    ("", "", r"^<mailto:sales\+stop\.O\d+\.\w+@example\.com\?subject=unsubscribe>$"),
    ("", 'reply_address = "none";', r"^<mailto:sales@example\.com\?subject=unsubscribe%20stop\.O\d+\.\w+>$"),
    ("", 'reply_address = "catchall";', r"^<mailto:stop\.O\d+\.\w+@example\.com\?subject=unsubscribe>$"),
])
def test_without_a_page_the_mailto_form_is_enough(url, settings, pattern):
    with Company(url=url, settings=settings) as d:
        d.lead()
        d.send("news")
        (m,) = d.mails()
        assert re.match(pattern, str(m["List-Unsubscribe"]).strip()), m["List-Unsubscribe"]
        assert m["List-Unsubscribe-Post"] is None
        assert mailto(m)[0] in m.get_body(("plain",)).get_content()
        # whoever sends it: the provider of the mailbox may do it from an address of its own
        ends(d, m, sender="unsubscribe@provider.example")
        assert d.ledger()[0] == ("withdrawn", "list:news", "mail to unsubscribe")
        with pytest.raises(CtlError, match="left the list"):
            d.send("news")
        d.send("plain", "events")
        assert d.subjects() == ["news", "plain", "events"]


def test_the_foot_stands_where_the_template_names_no_link():
    with Company() as d:
        d.lead()
        d.ctl("do", "C1", "set", "contact.language", "de")
        d.send("plain", "news", "events")
        plain, news, events = d.mails()
        url = re.match("<([^>]+)>", str(news["List-Unsubscribe"]).strip()).group(1)
        text, html = (news.get_body((kind,)).get_content() for kind in ("plain", "html"))
        assert text.endswith("Sie bekommen diese Mail, weil Sie auf unserer Liste „News & more“ stehen. "
                             "Abmelden:\n%s\n" % url)
        assert '<a href="%s">' % url in html and "„News &amp; more“" in html and html.count(url) == 2
        assert html.rstrip().endswith("</html>")
        url = re.match("<([^>]+)>", str(events["List-Unsubscribe"]).strip()).group(1)
        assert events.get_content() == "End it: %s\n" % url
        assert plain.get_content() == "Dear Ada Lovelace.\n"


def test_leaving_a_list_ends_its_sequence_and_wakes_rules():
    with Company(begins=', "sequence course"') as d:
        d.lead()
        d.ctl("clock", "advance", "25h")
        (first,) = d.mails()
        assert first["List-Id"] == "<news.example.com>"
        # from the provider's own address, so it is no answer of the contact
        ends(d, first, sender="unsubscribe@provider.example")
        assert d.enrolled() == [("stopped", "the contact has left the list news")]
        assert "has left a list" in d.ctl_text("timeline", "L1", width=300)
        d.ctl("clock", "advance", "30d")
        assert len(d.mails()) == 1


def test_what_waits_in_the_outbox_is_asked_again():
    with Company(settings='undo_window = "1h";') as d:
        d.lead()
        d.ctl("do", "L1", "send", "news")
        d.ctl("do", "L1", "send", "plain")
        d.ctl("consent", "withdraw", ADA, "list:news", "by", "phone")
        d.ctl("clock", "advance", "2h")
        assert d.rows()[0] == ("news", "failed", "not sent: the address has left the list")
        assert d.subjects() == ["plain"]
        d.ctl("do", "L1", "send", "plain")
        d.ctl("do", "C1", "optout")
        d.ctl("clock", "advance", "2h")
        assert d.subjects() == ["plain"] and d.rows()[-1][1] == "failed"


@pytest.mark.parametrize("words,stops", [
    (dict(text="unsubscribe\n"), True), (dict(text="Abmelden!\n"), True), (dict(text="STOP"), True),
    (dict(subject="Unsubscribe", text="\n"), True),
    (dict(text="unsubscribe\n\n> Dear Ada\n> {{x}}\n"), True),
    (dict(text="Please cancel\n"), False), (dict(text="cancel\n"), False),
    (dict(subject="unsubscribe", text="How do I unsubscribe my colleague? Please tell me.\n"), False),
    (dict(text="Please do not unsubscribe me\n"), False),
])
def test_a_mail_whose_words_are_that_alone_ends_all(words, stops):
    with Company() as d:
        d.lead()
        d.ingest(company.mail(ADA, **words))
        assert d.ledger()[:1] == ([("withdrawn", "all", "mail that says so")] if stops else [])
        # of somebody nobody knows: no lead, and the address is kept
        d.ingest(company.mail("new@other.example", **words))
        leads = len(d.ctl("list", "leads")["rows"])
        assert leads == (1 if stops else 2), leads
        assert bool(d.ledger("new@other.example")) == stops


def test_undo_and_a_grant_bring_a_list_back_and_unknown_lists_are_told():
    with Company() as d:
        d.lead()
        d.ctl("do", "L1", "optout", "list:news")
        with pytest.raises(CtlError, match="left the list"):
            d.send("news")
        d.ctl("do", "L1", "undo")
        d.send("news")
        d.ctl("do", "C1", "optout", "list:news")
        d.ctl("consent", "grant", ADA, "list:news")
        d.send("news")
        assert d.subjects() == ["news", "news"]
        with pytest.raises(CtlError, match="did you mean 'news'"):
            d.ctl("do", "C1", "optout", "list:newz")
        assert ("granted", "list:news") in [r[:2] for r in d.ledger()]
        # leaving all and coming back does not lift what was said about one list
        d.ctl("do", "C1", "optout", "list:news")
        d.ctl("do", "C1", "optout")
        d.ctl("do", "C1", "optin")
        with pytest.raises(CtlError, match="left the list"):
            d.send("news")


def test_a_name_nobody_made_ends_nothing():
    with Company() as d:
        d.lead()
        d.send("news")
        to, subject = mailto(d.mails()[0])
        for wrong in (to.replace("stop.O", "stop.O1"), to[:-14] + "aa" + to[-12:]):
            d.ingest(company.mail("x@y.example", to=wrong, subject=subject, text="hello there\n"))
        assert d.ledger() == []


def test_suppression_is_listed_added_removed_and_outlives_its_contact():
    with Company() as d:
        d.lead()
        d.ctl("suppression", "add", ADA, "x@imported.example", "+436601234567")
        d.ctl("do", "C1", "bounced", "550 no such user")
        rows = {(r["value"], r["reason"]): r for r in d.ctl("suppression", "list")["rows"]}
        assert set(rows) == {(ADA, "opted_out"), (ADA, "bouncing"), ("x@imported.example", "opted_out"),
                             ("+436601234567", "opted_out")}
        assert rows[ADA, "opted_out"]["words"] == "suppression list" and rows[ADA, "opted_out"]["contact"] == "C1"
        assert rows[ADA, "bouncing"]["words"] == "550 no such user" and rows[ADA, "opted_out"]["since"]
        assert [r["value"] for r in d.ctl("suppression", "list", "reason=bouncing")["rows"]] == [ADA]
        # the contact becomes another one: the address keeps its state
        d.ingest(company.mail("ada.l@shop.example"))
        d.ctl("merge", "C2", "C1")
        d.ingest(company.mail("x@imported.example"))
        for record in ("L1", "L3"):
            with pytest.raises(CtlError, match="opted out"):
                d.ctl("do", record, "send", "plain", "to", ADA if record == "L1" else "x@imported.example")
        with pytest.raises(CtlError, match="no phone number"):
            d.ctl("suppression", "remove", "x@imported.example", "nonsense")
        assert len(d.ctl("suppression", "list")["rows"]) == 4, "with a mistake, nothing is removed"
        d.ctl("suppression", "remove", ADA, "x@imported.example")
        assert [r["value"] for r in d.ctl("suppression", "list")["rows"]] == ["+436601234567"]
        d.ctl("do", "L3", "send", "plain")
        with pytest.raises(CtlError, match="expected opted_out or bouncing"):
            d.ctl("suppression", "list", "reason=x")
        d.ctl("suppression", "add", *["p%d@imported.example" % n for n in range(60)])  # as many as leadctl(1) says
        assert len(d.ctl("suppression", "list", "limit=100")["rows"]) == 61


def test_who_opted_out_is_deleted_and_comes_in_again_by_a_form_gets_nothing():
    with Company(begins=', "send plain"') as d:
        d.lead()
        d.ctl("clock", "advance", "1s")
        assert d.subjects() == ["plain"]
        d.ctl("suppression", "add", ADA)
        d.ctl("undo", "J1")
        assert d.ctl("list", "contacts")["rows"] == [] and d.ctl("list", "leads")["rows"] == []
        assert [r["value"] for r in d.ctl("suppression", "list")["rows"]] == [ADA]
        assert forms.post(d, "contact", {"email": "Ada@Shop.example", "name": "Ada"}).status == 200
        (lead,) = d.ctl("list", "leads")["rows"]
        with pytest.raises(CtlError, match="opted out"):
            d.ctl("do", lead["id"], "send", "news")
        d.ctl("clock", "advance", "2d")
        assert d.subjects() == ["plain"]
