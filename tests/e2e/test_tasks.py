# SPDX-License-Identifier: ISC
"""Tasks that are never forgotten: who is reminded when, what a reply does to it, and what
becomes of a task whose owner is away or gone, or whose lead is over."""
import datetime
import re

import company
import test_rep
from daemon import CtlError, until
from test_rep import body, lead, says

import pytest

RULES = """
lang = 1;
rules : {
  rest : { on = "lead.created"; do = "assign tom"; };
  late : { on = "task.overdue"; do = "notify manager"; };
  chain : { on = "task.done"; when = "task.kind == 'call'";
            do = "task 'offer: write about {{lead.subject}}' for owner due +1d remind 2h"; };
};
calendars : { york : { zone = "America/New_York"; hours = "Mon-Fri 09:00-17:00"; }; };
"""


def start(settings="", at="2026-11-20T10:00:00Z", tom=""):
    conf = test_rep.CONF.replace('tom@example.com"; team', 'tom@example.com"; %s team' % tom)
    return test_rep.Daemon(conf % {"mailboxes": company.MAILDIR_IN, "relays": company.MAILDIR_OUT,
                                   "settings": test_rep.SETTINGS + settings},
                           company.files(RULES), args=("--pretend-time", at))


def until_time(d, when):
    """Moves the clock to a time in UTC."""
    now = d.ctl("clock")["now"]
    ms = [datetime.datetime.fromisoformat(t.replace("Z", "+00:00")).timestamp() * 1000
          for t in (now, when)]
    d.ctl("clock", "advance", "%dms" % (ms[1] - ms[0]))


def reminders(d, n, to="tom@example.com"):
    """The n-th reminder of somebody, and no more."""
    def found():
        return [m for m in company.sent(d.dir)
                if m["Subject"].startswith("Reminder:") and to in m["To"]]
    until(lambda: len(found()) >= n, why="%d reminders" % n)
    assert len(found()) == n, [m["Subject"] for m in found()]
    return found()[-1] if n else None


def task(d, n):
    return dict(d.ctl("show", "T%d" % n)["fields"])


def answer(d, m, text, **more):
    return says(d, text, in_reply_to=m["Message-ID"], subject="Re: " + m["Subject"],
                to=m["Reply-To"] or "sales@example.com", **more)


def test_it_is_told_before_when_due_and_then_others_hear_of_it():
    with start() as d:
        lead(d)
        d.ctl("do", "L1", "task mon 10:00 remind 2h call: ring Ada")
        until_time(d, "2026-11-23T06:59:00Z")
        reminders(d, 0)
        until_time(d, "2026-11-23T07:01:00Z")
        m = reminders(d, 1)
        assert m["Subject"] == "Reminder: call: ring Ada (T1)"
        assert "T1     due 2026-11-23 10:00  call: ring Ada (L1)" in body(m) and "40 widgets" in body(m)
        assert "note.T1." in m["Reply-To"] and m["Auto-Submitted"] == "auto-generated"
        until_time(d, "2026-11-23T09:01:00Z")
        reminders(d, 2)
        until_time(d, "2026-11-24T08:59:00Z")
        assert not [m for m in company.sent(d.dir) if "mia@example.com" in m["To"]]
        until_time(d, "2026-11-24T09:01:00Z")
        until(lambda: [m for m in company.sent(d.dir) if "mia@example.com" in m["To"]],
              why="the notice to the manager")
        (m,) = [m for m in company.sent(d.dir) if "mia@example.com" in m["To"]]
        assert "T1 call: ring Ada, due 2026-11-23 10:00, tom\n" in body(m)
        until_time(d, "2026-12-24T09:01:00Z")
        reminders(d, 2)


def test_ten_that_are_due_at_once_are_one_mail_and_a_reply_moves_them_all():
    with start() as d:
        lead(d)
        for i in range(10):
            d.ctl("do", "L1", "task mon 10:0%d thing number %d" % (i, i))
        until_time(d, "2026-11-23T09:30:00Z")
        m = reminders(d, 1)
        assert m["Subject"] == "Reminder: 10 tasks"
        assert all("thing number %d" % i in body(m) for i in range(10))
        done = answer(d, m, "Snooze tomorrow 15:00\n")
        assert body(done).count("is due 2026-11-24 15:00") == 10
        until_time(d, "2026-11-24T13:59:00Z")
        reminders(d, 1)
        until_time(d, "2026-11-24T14:01:00Z")
        assert reminders(d, 2)["Subject"] == "Reminder: 10 tasks"


@pytest.mark.parametrize("words,due", [("snooze 2d", "2026-11-25 10:"), ("#snooze tomorrow", "2026-11-24 09:00"),
                                       ("Snooze: fri 14:00.", "2026-11-27 14:00")])
def test_a_reply_puts_the_task_off_and_no_other(words, due):
    with start() as d:
        lead(d)
        d.ctl("do", "L1", "task mon 10:00 one")
        d.ctl("do", "L1", "task wed 10:00 another")
        until_time(d, "2026-11-23T09:01:00Z")
        m = reminders(d, 1)
        assert "T1 is due " + due in body(answer(d, m, words + "\n\nBest, Tom\n\n> Reminder\n"))
        assert task(d, 2)["Due"].startswith("2026-11-25")


def test_done_is_done_only_when_it_is_all_that_is_said():
    with start() as d:
        lead(d)
        d.ctl("do", "L1", "task mon 10:00 one")
        until_time(d, "2026-11-23T09:01:00Z")
        m = reminders(d, 1)
        text = body(answer(d, m, "Done by friday, I hope\n"))
        assert "Not done" in text and "#done" in text
        assert task(d, 1)["Status"] == "open"
        assert "T1 is done" in body(answer(d, m, "Done!\n"))
        assert task(d, 1)["Status"] == "done"
        until_time(d, "2026-12-20T09:01:00Z")
        reminders(d, 1)


def test_what_a_stranger_answers_moves_nothing():
    with start() as d:
        lead(d)
        d.ctl("do", "L1", "task mon 10:00 one")
        until_time(d, "2026-11-23T09:01:00Z")
        m = reminders(d, 1)
        answer(d, m, "snooze 20d\n", proof=None, answer=False)
        answer(d, m, "snooze 20d\n", sender="ada@shop.example", proof=None, answer=False)
        assert task(d, 1)["Due"].startswith("2026-11-23")


def test_while_its_owner_is_away_another_is_told_and_he_when_he_is_back():
    with start(tom='absent = [ "2026-11-22..2026-11-25" ];') as d:
        lead(d)
        d.ctl("do", "L1", "task mon 10:00 one")
        until_time(d, "2026-11-23T09:01:00Z")
        reminders(d, 0)
        m = reminders(d, 1, "mia@example.com")
        assert "tom is away until 2026-11-26 00:00" in body(m) and "#T1 assign NAME" in body(m)
        until_time(d, "2026-11-26T09:00:00Z")
        assert "since 2026-11-23 10:00  one" in body(reminders(d, 1))
        reminders(d, 1, "mia@example.com")


def test_of_one_who_is_no_user_any_more_it_goes_to_who_answers_and_can_be_given_on():
    with start() as d:
        lead(d)
        d.ctl("do", "L1", "task mon 10:00 one")
        with open(d.conf_path) as f:
            conf = f.read()
        d.write("leadd.conf", re.sub(r"(?m)^ *tom : .*\n", "", conf))
        d.write("rules.d/10-rules.conf", RULES.replace("assign tom", "assign mia"))
        assert "reload.done" in d.reload()
        until_time(d, "2026-11-23T09:01:00Z")
        m = reminders(d, 1, "mia@example.com")
        assert "tom is no user any more" in body(m)
        answer(d, m, "#T1 assign eva\n", sender="mia@example.com")
        until(lambda: [m for m in company.sent(d.dir) if "T1 is for eva" in body(m)], why="the answer")
        until_time(d, "2026-11-23T10:00:00Z")
        reminders(d, 1, "eva@example.com")


def test_after_days_down_it_is_told_once_and_others_a_day_later():
    with start() as d:
        lead(d)
        for i in range(3):
            d.ctl("do", "L1", "task mon 1%d:00 remind 1h thing %d" % (i, i))
        d.stop()
        d.args = ["--pretend-time", "2026-11-28T10:00:00Z"]
        d.start()
        d.ctl("clock", "advance", "1s")
        m = reminders(d, 1)
        assert m["Subject"] == "Reminder: 3 tasks" and body(m).count("since 2026-11-23") == 3
        d.ctl("clock", "advance", "12h")
        assert not [m for m in company.sent(d.dir) if "mia@example.com" in m["To"]]
        d.ctl("clock", "advance", "13h")
        until(lambda: [m for m in company.sent(d.dir) if "mia@example.com" in m["To"]], why="overdue")
        reminders(d, 1)


def test_a_lead_that_is_won_or_merged_takes_no_task_with_it():
    with start() as d:
        lead(d)
        d.ctl("do", "L1", "task mon 10:00 send the invoice")
        d.ctl("do", "T1", "snooze tue 10:00")
        d.ctl("do", "L1", "won 5000")
        until_time(d, "2026-11-24T09:01:00Z")
        assert "(L1, closed: won)" in body(reminders(d, 1))
        test_rep.write(d, company.mail(subject="another matter", message_id="<b@shop.example>"))
        test_rep.wait_rows(d, 2, "list", "leads")
        d.ctl("do", "L2", "task wed 10:00 other")
        d.ctl("do", "T1", "snooze wed 10:00")
        d.ctl("merge", "L2", "L1")
        until_time(d, "2026-11-25T09:01:00Z")
        m = reminders(d, 2)
        assert re.search(r"T1 .*\(L2\)", body(m)) and re.search(r"T2 .*\(L2\)", body(m))


def test_undo_takes_the_reminder_along_and_brings_it_back():
    with start() as d:
        lead(d)
        d.ctl("do", "L1", "task mon 10:00 one")
        d.ctl("do", "T1", "done")
        d.ctl("do", "L1", "task tue 10:00 two")
        until_time(d, "2026-11-23T09:01:00Z")
        reminders(d, 0)
        until_time(d, "2026-11-24T09:01:00Z")
        assert reminders(d, 1)["Subject"] == "Reminder: two (T2)"


def test_rules_give_tasks_and_done_makes_the_next_of_a_chain():
    with start() as d:
        lead(d)
        d.ctl("do", "L1", "task mon 10:00 for tom call: ring Ada")
        d.ctl("do", "T1", "done")
        t = task(d, 2)
        assert t["Title"] == "offer: write about 40 widgets" and t["Owner"].startswith("tom")
        assert t["Kind"] == "offer" and t["Due"].startswith("2026-11-21")
        until_time(d, "2026-11-21T08:01:00Z")
        assert reminders(d, 1)["Subject"] == "Reminder: offer: write about 40 widgets (T2)"


def test_words_that_only_look_like_times_and_names_stay_words():
    with start() as d:
        lead(d)
        for said, title in (("remind Ada of the offer", "remind Ada of the offer"),
                            ("for Ada: a gift", "for Ada: a gift"), ("due diligence", "due diligence"),
                            ("'t Hooft calls", "'t Hooft calls"), ('"40 widgets" are to be packed',
                                                                   '"40 widgets" are to be packed'),
                            ("every child gets one", "every child gets one")):
            d.ctl("do", "L1", "task " + said)
            n = max(int(r["id"][1:]) for r in d.ctl("list", "tasks")["rows"])
            assert task(d, n)["Title"] == title
        with pytest.raises(CtlError):
            d.ctl("do", "L1", "task every 0 days walk")


def test_times_are_of_who_says_them_and_of_whose_task_it_is():
    with start(tom='calendar = "york";') as d:
        lead(d)
        assert "due 2026-11-23 10:00" in body(says(d, "#task mon 10:00 one\n"))
        until_time(d, "2026-11-23T14:59:00Z")
        reminders(d, 0)
        until_time(d, "2026-11-23T15:01:00Z")
        assert "due 2026-11-23 10:00" in body(reminders(d, 1)) and "America/New_York" in body(reminders(d, 1))
        d.ctl("do", "L1", "task every day 9:00 for tom two")
        assert task(d, 2)["Due"].startswith("2026-11-24T14:00") or "15:00" in task(d, 2)["Due"]
