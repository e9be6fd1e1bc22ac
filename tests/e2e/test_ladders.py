# SPDX-License-Identifier: ISC
"""No automatic mail leaves without the ladder: also not to our own people, about a case, a
contact, or nothing at all. What is too much is held, and the administrator hears once."""
import email.utils

import company
from daemon import until
from test_conversation import World, answer
from test_main_job import rows

CASES = company.CONF.replace("%(mailboxes)s", company.MAILDIR_IN.replace(
    'poll = "1s";', 'poll = "1s"; creates = "case";'))
RULES = """
lang = 1;
rules : {
  take : { on = "case.created"; do = [ "assign tom", "send welcome" ]; };
};
"""
FORWARD = """Please look

---------- Forwarded message ---------
From: Ada Beispiel <ada@shop.example>
Date: Thu, Nov 19, 2026 at 9:00 AM
Subject: 40 widgets
To: Tom Example <tom@example.com>


How much are %d widgets?
"""


def world(**more):
    # time stands still, so that a slow machine has the same ten minutes as a fast one
    return World(args=["--pretend-time", "2026-11-20T10:00:00Z"], **more)


def outbox(w, **want):
    w.settle()
    return [r for r in rows(w.d, "outbox", "list", "limit=1000")
            if all(r[k] == v for k, v in want.items())]


def admin_heard(w):
    return [r for r in outbox(w) if "holds automatic mail" in (r["subject"] or "")]


def test_what_a_customer_writes_about_a_case_reaches_the_owner_only_so_often():
    with world(rules=RULES, CONF=CASES) as w:
        w.lead("Help!\n")
        (welcome,) = w.sent("ada@shop.example")
        for n in range(14):
            w.lead(**answer(welcome, "Again %d\n" % n))
        told = outbox(w, **{"class": "conversation"})
        assert len(told) == 14 and not any(r["lead_id"] for r in told)
        assert sorted(r["state"] for r in told) == ["held"] * 4 + ["sent"] * 10
        assert "10 automatic mails to this address in 10 minutes" in \
            [r for r in told if r["state"] == "held"][-1]["reply"]  # the newest come first
        (heard,) = admin_heard(w)
        assert heard["to"] == "mia@example.com" and heard["state"] == "sent"
        text = [m for m in w.sent("mia@example.com")][-1].get_content()
        assert "tom@example.com about K1" in text and "leadctl why K1" in text
        w.d.ctl("clock", "advance", "31m")
        w.lead(**answer(welcome, "And now?\n"))
        assert outbox(w, **{"class": "conversation"})[0]["state"] == "sent"


def test_mails_about_what_stays_inside_climb_no_further_than_the_ladder():
    with world(rules=RULES, CONF=CASES) as w:
        w.lead("Help!\n")
        (welcome,) = w.sent("ada@shop.example")
        w.lead(**answer(welcome, "Again\n"))
        (m,) = w.sent("tom@example.com")
        for n in range(12):  # a machine of his that does not say that it is one
            w.rep(proven=False, **answer(m, "I am away %d\n" % n))
        told = [r for r in outbox(w) if (r["subject"] or "").startswith("Not sent")]
        assert len(told) == 12
        assert sorted(r["state"] for r in told) == ["held"] * 3 + ["sent"] * 9
        assert len(admin_heard(w)) == 1


def test_what_a_user_is_told_of_his_forwards_asks_the_ladder_too():
    with world() as w:
        for n in range(12):
            w.rep(FORWARD % n, subject="Fwd: 40 widgets",
                  message_id=email.utils.make_msgid(domain="example.com"))
        told = [r for r in outbox(w, **{"class": "notice"}) if (r["subject"] or "").startswith("Re: Fwd")]
        states = sorted(r["state"] for r in told)
        assert len(told) == 12 and states.count("held") >= 2, states
        assert len(admin_heard(w)) == 1


def test_answers_about_no_record_and_alarms_are_counted_as_well():
    with world() as w:
        for n in range(33):
            w.rep("#help\n", subject="help %d" % n)
        told = outbox(w, to="tom@example.com", lead_id=0, case_id=0, contact_id=0)
        assert len(told) == 33
        assert [r["state"] for r in told].count("held") == 3
        assert len(admin_heard(w)) == 1


def test_one_of_ours_gets_so_many_mails_an_hour_whatever_they_are_about():
    """Five hundred strangers who write twice are a thousand records, and no thousand mails."""
    rules = RULES.replace("case.created", "lead.created").replace(', "send welcome"', "")
    with world(rules=rules, settings='conversation = "all"; notices_per_hour = 1;') as w:
        for n in range(304):
            company.deliver(w.d.dir + "/inbox", "%d.m" % n,
                            company.mail(sender="p%d@shop%d.example" % (n, n), subject="No %d" % n))
        until(lambda: len(rows(w.d, "ledger", "state=filed", "limit=1000")) == 304, why="304 mails")
        told = outbox(w, **{"class": "conversation", "to": "tom@example.com"})
        states = [r["state"] for r in told]
        assert len(told) == 304 and states.count("sent") == 300 and states.count("held") == 4
        assert len(admin_heard(w)) == 1
