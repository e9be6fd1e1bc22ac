# SPDX-License-Identifier: ISC
"""Broadcasts by mail: who may, the number that must be confirmed, and what is told."""
import email.utils

import pytest

import company
from daemon import Daemon, until
from test_broadcasts import LISTS, RULES, TEMPLATES, Company, people
from test_rep import PROVEN, RECEIVED, SETTINGS, write

CONF = company.conf(settings=SETTINGS).replace('email = "tom@example.com"; };',
                                               'email = "tom@example.com"; role = "manager"; };')
START = "2026-11-20T10:00:00Z"  # a Friday


class ByMail(Company):
    def __init__(self, number, spring=""):
        Daemon.__init__(self, CONF + LISTS, company.files(RULES % (spring, ""), **TEMPLATES),
                        args=["--pretend-time", START], start=False)
        self.start()
        self.stop()
        self.people(people(number))
        self.start()

    def says(self, user, text, proof=PROVEN):
        """The answer to a mail of that user; None where there is none."""
        mine = email.utils.make_msgid(domain="example.com")
        raw = company.mail(sender=user + "@example.com", subject="the letter", text=text, message_id=mine)
        mark = self.mark()
        write(self, b"Authentication-Results: " + proof.encode() + b"\n" + RECEIVED + raw if proof else raw)
        self.wait_log("mail.filed", after=mark)
        if not proof:
            return None
        return until(lambda: next((m.get_content() for m in company.sent(self.dir)
                                   if m["In-Reply-To"] == mine), None), why="an answer to " + user)

    def mail_of(self, subject):
        return until(lambda: next((m for m in company.sent(self.dir) if m["Subject"] == subject), None),
                     why="a mail " + subject)

    def show_or_none(self):
        return self.show() if self.leadctl("broadcast", "show", "spring").returncode == 0 else None

    def letters(self):
        return [to for to, subject in self.got() if subject == "spring"]


def test_a_manager_starts_it_confirms_the_number_and_hears_how_far_it_is():
    with ByMail(6, "confirm_over = 5;") as d:
        told = d.says("tom", "#broadcast start spring\n")
        assert "its recipients are looked up now" in told
        assert "#broadcast cancel spring" in " ".join(told.split()) and "undo" not in told
        asked = d.mail_of("spring would go to 6 recipients")
        assert asked["To"] == "tom@example.com" and "#broadcast confirm spring 6" in asked.get_content()
        d.go("1h")
        assert d.letters() == []
        assert "spring has 6 recipients: confirm spring 6" in d.says("tom", "#broadcast confirm spring 5\n")
        assert "spring is planned: 0 of 6 sent" in d.says("tom", "#broadcast show spring\n")
        assert "goes to 6 recipients" in d.says("tom", "#broadcast confirm spring 6\n")
        d.go("5m")
        assert len(d.letters()) == 6
        until(lambda: "6 of 6 sent" in d.says("mia", "#broadcast show spring\n"), why="all of them")
        assert "nobody gets a broadcast twice" in d.says("tom", "#broadcast start spring\n").replace("\n", " ")
        assert d.show()["by"] == "user tom"


def test_it_is_paused_let_go_on_and_cancelled_by_mail():
    with ByMail(30, "per_hour = 60; confirm_over = 5;") as d:
        d.says("mia", "#broadcast start spring 30\n")
        until(lambda: d.show()["state"] == "sending", why="a start")
        d.go("5m")
        some = len(d.letters())
        assert 0 < some < 30
        assert "spring is paused" in d.says("mia", "#broadcast pause spring\n")
        d.go("1h")
        assert len(d.letters()) == some
        assert "spring goes on" in d.says("mia", "#broadcast go-on spring\n")
        d.go("5m")
        more = len(d.letters())
        assert some < more < 30
        assert "nobody else gets it" in d.says("mia", "#broadcast cancel spring\n")
        d.go("2h")
        assert len(d.letters()) == more and d.show()["state"] == "cancelled"


@pytest.mark.parametrize("text, says", [
    ("#broadcast start sprng\n", "there is no broadcast"),
    ("#broadcast strt spring\n", "expected start, confirm, pause"),
    ("#broadcast confirm spring\n", "expected a number"),
    ("#broadcast confirm spring many\n", "expected a number"),
    ("#broadcast pause spring\n", "was not started"),
])
def test_a_mistake_is_answered_with_what_would_be_valid(text, says):
    with ByMail(2) as d:
        answer = d.says("mia", text)
        assert says in answer.replace("\n", " ") and "#L42" not in answer
        assert d.show_or_none() is None


def test_reps_rules_and_who_is_not_proven_start_nothing():
    with ByMail(2) as d:
        for line in ("start spring", "confirm spring 2", "cancel spring", "show spring"):
            assert "user eva may not use broadcast" in d.says("eva", "#broadcast %s\n" % line)
        d.says("tom", "#broadcast start spring\n", proof=None)
        d.go("1h")
        assert d.letters() == [] and d.show_or_none() is None
        d.write("rules.d/20-more.conf", 'lang = 1;\nrules : { x : { on = "lead.created"; '
                                        'do = "broadcast start spring"; }; };\n')
        r = d.leadctl("reload")
        assert r.returncode != 0 and b"broadcast" in r.stdout + r.stderr
