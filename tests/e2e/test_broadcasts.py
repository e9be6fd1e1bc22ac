# SPDX-License-Identifier: ISC
"""Broadcasts: who is in a segment, who gets the letter and who is left out, when and how
fast; confirmed, paused, cancelled; what is answered; which template wins."""
import contextlib
import email
import email.message
import email.policy
import os
import re
import sqlite3

import pytest

import company
from daemon import CtlError, Daemon, StartFailed, until
from peers import SmtpPeer, defer, refuse
from roles import SRC

START = "2026-11-02T09:00:00Z"  # a Monday, 10:00 in Vienna
LISTS = 'lists : { news : { label = "News"; }; };\n'
RULES = """
lang = 1;
rules : { rest : { on = "lead.created"; do = "assign tom"; }; };
segments : {
  all       : { when = "contact.email is set or contact.name is set"; label = "Everybody"; };
  austrians : { over = "contact"; when = [ "contact.country == 'AT'", "contact.name is set" ]; };
  hot       : { over = "lead"; when = "lead.score > 50"; };
};
broadcasts : { spring : { segment = "all"; list = "news"; template = "spring"; %s }; %s };
"""
TEMPLATES = {"templates/%s.txt" % n: "Subject: %s\n\nDear {{contact.name|friend}}, this is %s.\n" % (n, n)
             for n in ("spring", "first", "second")}


class Company(Daemon):
    """People are in the store before the daemon runs."""

    def __init__(self, people, spring="", more="", relays=company.MAILDIR_OUT, rules=RULES, start=START):
        files = company.files(rules % (spring, more), **TEMPLATES)
        super().__init__(company.conf(relays=relays) + LISTS, files, args=["--pretend-time", start])
        if people:
            self.stop()
            self.people(people)
            self.start()

    def people(self, people):
        db = sqlite3.connect(self.state + "/leadd.db")
        for n, p in enumerate(people, 1):
            p = dict({"email": "p%d@shop%d.example" % (n, n), "country": None, "zone": None}, **p)
            db.execute("INSERT INTO contact (name, country, time_zone, created_ms, updated_ms)"
                       " VALUES (?, ?, ?, 1, 1)", (p.get("name", "Person %d" % n), p["country"], p["zone"]))
            if p["email"]:
                db.execute("INSERT INTO address (channel, value, contact_id, created_ms) VALUES"
                           " ('email', ?, ?, 1)", (p["email"], n))
        db.commit()
        db.close()

    def go(self, span):
        self.ctl("clock", "advance", span)

    def broadcast(self, *argv):
        return self.ctl("broadcast", *argv)

    def show(self, name="spring"):
        return dict(map(tuple, self.broadcast("show", name)["fields"]))

    def begin(self, *options, name="spring"):
        self.broadcast("start", name, *options)
        until(lambda: self.show(name)["state"] not in ("scheduled", "planning"), why="a plan")

    def left_out(self, name="spring"):
        return {r["contact"]: r["reason"] for r in
                self.broadcast("recipients", name, "state=left_out", "limit=10000")["rows"]}

    def counts(self, name="spring"):
        return {r["state"]: r["number"] for r in self.broadcast("show", name)["sections"][0]["rows"]}

    def results(self, template="all", name="spring"):
        return next(r for r in self.broadcast("results", name)["rows"] if r["template"] == template)

    def got(self):
        """Who got what, in the order in which it left."""
        return [(m["To"].addresses[0].addr_spec, m["Subject"]) for m in company.sent(self.dir)]


class Receiver(SmtpPeer):
    """Refuses some for good, and all for now while it is told to."""

    def __init__(self, refused=(), later=False):
        self.refused, self.later = refused, later
        super().__init__()

    def do_rcpt(self, conn, line):
        to = line.decode().split(":", 1)[1].strip(" <>\r\n")
        if self.later or to in self.refused:
            (defer() if self.later else refuse())(conn, b"")
        else:
            super().do_rcpt(conn, line)


def people(n, **more):
    return [dict(more) for _ in range(n)]


# ---- segments ------------------------------------------------------------------------------

def test_a_segment_is_whoever_fits_now():
    with Company([{"country": "AT"}, {"country": "DE"}, {"country": "AT", "name": None}, {"country": "AT"}]) as d:
        assert [r["name"] for r in d.ctl("segment", "list")["rows"]] == ["all", "austrians", "hot"]
        assert dict(map(tuple, d.ctl("segment", "count", "austrians")["fields"])) == {
            "segment": "austrians", "found": 2, "looked at": 4}
        assert [r["id"] for r in d.ctl("segment", "export", "austrians")["rows"]] == ["C1", "C4"]
        d.ctl("do", "C2", "set", "contact.country", "AT")
        rows = d.ctl("segment", "export", "austrians")["rows"]
        assert [(r["id"], r["email"], r["name"]) for r in rows][1] == ("C2", "p2@shop2.example", "Person 2")
        shown = d.ctl("segment", "show", "all")
        assert [r["name"] for r in shown["sections"][1]["rows"]] == ["spring"]
        with pytest.raises(CtlError, match='there is no segment "austria"'):
            d.ctl("segment", "count", "austria")


@pytest.mark.parametrize("wrong, told", [
    ('segments : { a : { when = "lead.score > 5"; }; };',
     "segment a: a contact has no lead.score; with over = \"lead\" it has"),
    ('segments : { a : { when = "contact.contry is set"; }; };', "contact.country"),
    ('segments : { a : { when = "message.subject is set"; }; };', "segment a: a segment has no event"),
    ('broadcasts : { x : { segment = "al"; list = "news"; template = "spring"; }; };',
     'broadcast x: there is no segment "al"; did you mean "all"?'),
    ('broadcasts : { x : { segment = "all"; list = "nws"; template = "spring"; }; };',
     'broadcast x: there is no list "nws"; did you mean "news"?'),
    ('broadcasts : { x : { segment = "all"; list = "news"; template = "sprng"; }; };',
     'broadcast x: there is no template "sprng"; did you mean "spring"?'),
    ('broadcasts : { x : { segment = "all"; list = "news"; template = "spring"; test = 10; }; };',
     "broadcast x: test needs two templates or more"),
    ('broadcasts : { x : { segment = "all"; list = "news"; template = "spring"; calendar = "c"; }; };',
     'broadcast x: there is no calendar "c"'),
])
def test_what_is_wrong_is_told_with_its_place(wrong, told):
    files = company.files(RULES % ("", ""), **TEMPLATES)
    files["rules.d/20-wrong.conf"] = "lang = 1;\n" + wrong
    with pytest.raises(StartFailed) as failed:
        Daemon(company.conf() + LISTS, files)
    assert told in str(failed.value) and "20-wrong.conf:2" in str(failed.value)


# ---- who gets it -----------------------------------------------------------------------------

def test_everybody_gets_it_once_and_it_is_told_who_is_left_out_and_why():
    crowd = people(5) + [{"email": None}, {"email": "p1+shop@shop1.example"}, {"email": "noreply@shop.example"},
                         {"email": "eva@example.com"}] + people(3)
    with Company(crowd, "conversation = \"2d\";") as d:
        d.ctl("do", "C2", "optout")
        d.ctl("do", "C3", "bounced")
        d.ingest(company.mail("p4@shop4.example"))
        d.ctl("do", "C5", "case", "something is broken")
        forecast = d.broadcast("preview", "spring")
        d.begin()
        assert d.left_out() == {
            "C2": "has opted out", "C3": "mail there comes back", "C4": "has written or was written to",
            "C5": "has an open case", "C6": "has no email address",
            "C7": "another contact has that mailbox, too", "C8": "nobody reads what is sent there",
            "C9": "is one of ours"}
        told = dict(map(tuple, forecast["fields"]))
        # who has another's mailbox is known when both have been planned
        assert (told["in the segment"], told["recipients"], d.show()["recipients"]) == (12, 5, 4)
        d.go("5m")
        assert sorted(to for to, subject in d.got() if subject == "spring") == sorted(
            "p%d@shop%d.example" % (n, n) for n in (1, 10, 11, 12))
        assert d.show()["state"] == "done" and d.counts()["sent"] == 4
        with pytest.raises(CtlError, match="nobody gets a broadcast twice"):
            d.broadcast("start", "spring")


def test_a_segment_of_leads_writes_to_their_contacts_once():
    with Company([], more='late : { segment = "hot"; list = "news"; template = "spring"; conversation = "0s"; };') as d:
        for n in (1, 2):
            d.ingest(company.mail("p%d@shop%d.example" % (n, n)))
        d.ctl("do", "L1", "close")
        d.ingest(company.mail("p1@shop1.example", subject="another matter"))
        for lead in ("L1", "L3", "L2"):
            d.ctl("do", lead, "set", "lead.score", "60" if lead != "L2" else "40")
        d.begin(name="late")
        d.go("5m")
        assert [g for g in d.got() if g[1] == "spring"] == [("p1@shop1.example", "spring")]


def test_preview_and_test_send():
    with Company(people(2, zone="America/New_York"), 'window = "Mon-Fri 09:00-17:00";') as d:
        told = d.broadcast("preview", "spring", "C1")
        fields = dict(map(tuple, told["fields"]))
        assert fields["zone"] == "America/New_York" and "09:00" in fields["not before"]
        assert fields["in the segment"] == "yes" and fields["left out"] == ""
        (text,) = told["sections"][0]["rows"]
        assert text["subject"] == "spring" and "Dear Person 1" in text["text"]
        d.broadcast("test", "spring", "eva", "C1")
        (mail,) = company.wait_sent(d.dir, 1)
        assert mail["To"].addresses[0].addr_spec == "eva@example.com" and mail["Subject"] == "[TEST] spring"
        assert mail["List-Unsubscribe"] is None and "stop." not in str(mail)
        (row,) = d.ctl("outbox", "list")["rows"]
        assert "C1" not in row.values()
        assert d.ctl("timeline", "C1")["rows"] == []
        assert "Dear Person 1" in mail.get_body().get_content()
        with pytest.raises(CtlError, match="is no user"):
            d.broadcast("test", "spring", "nobody", "C1")


# ---- started, confirmed, stopped ---------------------------------------------------------------

def test_more_than_so_many_must_be_confirmed_by_their_number():
    with Company(people(6), "confirm_over = 5;") as d:
        d.begin()
        assert d.show()["state"] == "planned" and d.show()["next"] == "leadctl broadcast confirm spring 6"
        d.go("1h")
        assert d.got() == []
        with pytest.raises(CtlError, match="spring has 6 recipients"):
            d.broadcast("confirm", "spring", "5")
        d.broadcast("confirm", "spring", "6")
        d.go("5m")
        assert len(d.got()) == 6


def test_who_names_the_number_at_the_start_is_not_asked():
    with Company(people(6), "confirm_over = 5;") as d:
        d.begin("confirm=6")
        d.go("5m")
        assert len(d.got()) == 6


def test_it_begins_at_its_time_and_can_be_started_anew_while_nobody_got_it():
    with Company(people(2)) as d:
        d.broadcast("start", "spring", "at=2026-11-03 09:00")
        d.go("22h")
        assert d.show()["state"] == "scheduled" and d.got() == []
        d.broadcast("cancel", "spring")
        d.broadcast("start", "spring", "at=2026-11-03 12:00")
        d.go("1h")
        assert d.got() == []
        d.go("4h")
        assert len(d.got()) == 2


def test_pause_go_on_and_cancel_in_the_middle():
    with Company(people(20), "per_hour = 10;") as d:
        d.begin()
        d.go("1h")
        d.broadcast("pause", "spring")
        some = len(d.got())
        assert 9 <= some <= 11 and d.show()["state"] == "paused"
        d.go("1d")
        assert len(d.got()) == some
        d.broadcast("go-on", "spring")
        d.go("30m")
        more = len(d.got())
        assert some + 4 <= more <= some + 6
        d.broadcast("cancel", "spring")
        d.go("2d")
        assert len(d.got()) == len(set(d.got())) == more
        assert d.show()["state"] == "cancelled" and d.counts()["waiting"] == 20 - more
        with pytest.raises(CtlError, match="spring is cancelled"):
            d.broadcast("go-on", "spring")


def test_what_is_written_and_has_not_left_is_held_by_a_pause_and_released():
    with Receiver(later=True) as relay:
        with Company(people(3), relays=company.smtp(relay.port)) as d:
            d.begin()
            until(lambda: [r["state"] for r in d.ctl("outbox", "list")["rows"]] == ["deferred"] * 3,
                  why="three tries")
            d.broadcast("pause", "spring")
            assert {r["state"] for r in d.ctl("outbox", "list")["rows"]} == {"held"}
            why = "the broadcast spring is paused"
            assert d.broadcast("show", "spring")["sections"][2]["rows"] == [{"reason": why, "number": 3}]
            assert {r["reason"] for r in d.broadcast("recipients", "spring")["rows"]} == {"held: " + why}
            d.go("2d")
            relay.later = False
            assert not relay.mails
            d.broadcast("go-on", "spring")
            until(lambda: len(relay.mails) == 3, why="three mails")


# ---- what happens meanwhile --------------------------------------------------------------------

def test_an_answer_a_call_and_an_opt_out_before_its_turn_are_obeyed():
    with Company(people(8), "per_hour = 1;") as d:
        d.begin()
        d.go("1m")
        waiting = [r["contact"] for r in d.broadcast("recipients", "spring", "state=waiting")["rows"]]
        wrote, called, left, moved, stays = waiting[:5]
        d.ingest(company.mail("p{0}@shop{0}.example".format(wrote[1:])))
        until(lambda: wrote in d.left_out(), why="the answer is filed")
        d.ctl("do", called, "call", "talked for long")
        d.ctl("do", left, "optout")
        d.ctl("consent", "withdraw", "p{0}@shop{0}.example".format(moved[1:]))
        d.go("2d")
        assert {c: d.left_out()[c] for c in (wrote, called, left, moved)} == {
            wrote: "has written meanwhile", called: "was talked with meanwhile",
            left: "has opted out", moved: "has opted out"}
        got = [to for to, subject in d.got() if subject == "spring"]
        assert "p{0}@shop{0}.example".format(stays[1:]) in got and len(got) == len(set(got)) == 4


def test_who_does_not_fit_any_more_gets_nothing():
    with Company(people(4, country="AT"), more='alps : { segment = "austrians"; list = "news"; '
                 'template = "spring"; per_hour = 1; };') as d:
        d.begin(name="alps")
        d.go("1m")
        waiting = [r["contact"] for r in d.broadcast("recipients", "alps", "state=waiting")["rows"]]
        d.ctl("do", waiting[0], "set", "contact.country", "DE")
        d.go("1d")
        assert d.left_out("alps") == {waiting[0]: "is not in the segment any more"} and len(d.got()) == 3


# ---- A/B -----------------------------------------------------------------------------------------

AB = ('segment = "all"; list = "news"; template = [ "first", "second" ]; test = 50; wait = "1d"; '
      'confirm_over = 1000; conversation = "0s";')


def test_the_template_with_the_most_answers_goes_to_the_others():
    with Company(people(60), more="ab : { %s least = 2; };" % AB) as d:
        d.begin(name="ab")
        d.go("1h")
        got = d.got()
        tested = dict(got)
        assert d.show("ab")["state"] == "deciding" and 15 < len(got) < 45
        assert abs(sum(s == "first" for s in tested.values()) - sum(s == "second" for s in tested.values())) <= 1
        answer = [to for to, subject in got if subject == "second"][:3]
        for to in answer:
            d.ingest(company.mail(to, subject="Re: second", text="Yes, please.\n"))
        until(lambda: d.results("second", "ab")["replied"] == 3, why="three answers")
        d.go("2d")
        assert "second: the greater share answered (3 of " in d.show("ab")["winner"]
        rest = dict(g for g in d.got() if g not in got and g[1] in ("first", "second"))
        assert set(rest.values()) == {"second"} and len(rest) + len(tested) == 60
        assert d.results(name="ab")["sent"] == 60 and d.show("ab")["state"] == "done"


def test_too_few_answers_decide_nothing_and_a_person_may():
    with Company(people(30), more="ab : { %s }; ac : { %s };" % (AB, AB)) as d:
        d.begin(name="ab")
        d.go("2d")
        assert "0 answered in all, fewer than 10" in d.show("ab")["winner"]
        assert d.got()[-1][1] == "first"
        d.begin(name="ac")
        d.go("1h")
        d.broadcast("winner", "ac", "2")
        d.go("1h")
        assert d.results("second", "ac")["sent"] > d.results("first", "ac")["sent"]
        assert d.show("ac")["winner"].startswith("chosen by operator")


def test_a_winner_chosen_in_the_middle_of_the_test_keeps_the_pace():
    with Company(people(30), more="ab : { %s per_hour = 1; };" % AB) as d:
        d.begin(name="ab")
        d.go("10m")
        assert len(d.got()) == 1
        d.broadcast("winner", "ab", "2")
        d.go("49m")
        assert len(d.got()) == 1
        d.go("90m")
        assert [subject for _, subject in d.got()[1:]] == ["second"] * 2


# ---- results ---------------------------------------------------------------------------------------

def bounce(raw, to):
    m = email.message_from_bytes(raw, policy=email.policy.default)
    return ("From: mailer-daemon@mx.example\r\nTo: %s\r\nSubject: Undelivered\r\nMIME-Version: 1.0\r\n"
            "Message-ID: <b1@mx.example>\r\nAuto-Submitted: auto-replied\r\n"
            "Content-Type: multipart/report; report-type=delivery-status; boundary=b\r\n\r\n"
            "--b\r\nContent-Type: text/plain\r\n\r\nIt could not be delivered.\r\n"
            "--b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx.example\r\n\r\n"
            "Final-Recipient: rfc822; %s\r\nAction: failed\r\nStatus: 5.1.1\r\n"
            "Diagnostic-Code: smtp; 550 5.1.1 no such user\r\n\r\n"
            "--b\r\nContent-Type: text/rfc822-headers\r\n\r\nMessage-ID: %s\r\nTo: %s\r\n\r\n--b--\r\n"
            % (m["Reply-To"] or m["From"], to, m["Message-ID"], to)).encode()


def test_results_count_everybody_for_what_he_did():
    with Receiver(refused={"p5@shop5.example"}) as relay:
        with Company(people(6), "conversation = \"0s\";", relays=company.smtp(relay.port)) as d:
            d.begin()
            d.go("1m")
            until(lambda: d.results()["sent"] == 5 and d.results()["failed"] == 1, why="five mails")
            mails = {m.recipient: m.data for m in relay.mails}
            d.ingest(company.mail("p1@shop1.example", subject="Re: spring", text="I take it.\n"))
            until(lambda: d.results()["replied"] == 1, why="an answer")
            d.ctl("do", "L1", "won", "500")
            d.ctl("do", "C2", "optout")
            d.ingest(bounce(mails["p3@shop3.example"], "p3@shop3.example"))
            until(lambda: d.results()["bounced"] == 1, why="a bounce")
            ends = email.message_from_bytes(mails["p4@shop4.example"])["List-Unsubscribe"]
            ends = re.search(r"<mailto:([^?>]+)", ends).group(1)
            d.ingest(company.mail("p4@shop4.example", to=ends, subject="unsubscribe", text="unsubscribe\n"))
            until(lambda: d.results()["unsubscribed"] == 2, why="one who left the list")
            assert {k: v for k, v in d.results().items() if k != "template"} == {
                "written": 6, "sent": 5, "delivered": 4, "bounced": 1, "failed": 1, "unknown": 0, "replied": 1,
                "unsubscribed": 2, "won": 1}
            rows = d.broadcast("recipients", "spring")["rows"]
            assert [bool(r["replied"]) and bool(r["won"]) for r in rows] == [True] + [False] * 5


def test_what_is_asked_for_each_recipient_looks_at_no_other():
    """A broadcast to 20,000 went through all of them for each: the primary key begins with it."""
    with open(os.path.join(SRC, "daemon", "store", "broadcast.c"), encoding="utf-8") as f:
        text = f.read()
    said = ["".join(re.findall(r'"((?:[^"\\]|\\.)*)"', s)) for s in re.findall(r'(?:"(?:[^"\\]|\\.)*"\s*)+', text)]
    asked = [s for s in said if s.startswith("SELECT") and ("mailbox = $1" in s or "state = 'made'" in s
                                                           or "state = 'waiting' ORDER" in s)]
    columns = re.search(r"#define PART\s+\\\s(.*?)\n\n", text, re.S).group(1)
    columns = "".join(re.findall(r'"([^"]*)"', columns))
    assert len(asked) >= 4
    with Company([]) as d, contextlib.closing(sqlite3.connect(d.state + "/leadd.db")) as db:
        for sql in asked:
            sql = re.sub(r"^SELECT +FROM", "SELECT %s FROM" % columns, sql)
            count = max(map(int, re.findall(r"\$(\d)", sql)))
            plan = [r[3] for r in db.execute("EXPLAIN QUERY PLAN " + re.sub(r"\$(\d)", r"?\1", sql), [None] * count)]
            assert not [p for p in plan if "PRIMARY KEY (broadcast_id=?)" in p or p.startswith("SCAN")], (sql, plan)
