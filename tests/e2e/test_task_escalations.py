# SPDX-License-Identifier: ISC
"""Tasks that nobody does: they escalate by themselves, and a day after they were overdue by rule."""
import company
import test_rep
from daemon import until
from test_rep import lead

RULES = """
lang = 1;
rules : {
  rest : { on = "lead.created"; do = "assign tom"; };
  long : { on = "task.overdue"; when = "task.status == 'open'"; after = "2d"; do = "notify manager"; };
};
escalations : {
  undone : { on = "task"; when = [ "task.status == 'open'", "task.kind == 'offer'" ];
             levels = ( { after = "1d"; do = "notify owner"; }, { after = "3d"; do = "notify manager"; } ); };
};
"""


def start():
    return test_rep.Daemon(test_rep.CONF % {"mailboxes": company.MAILDIR_IN, "relays": company.MAILDIR_OUT,
                                            "settings": test_rep.SETTINGS},
                           company.files(RULES), args=("--pretend-time", "2026-11-20T10:00:00Z"))


def told(d, user):
    """Notices of rules to that user, without reminders."""
    return [m["Subject"] for m in company.sent(d.dir)
            if user + "@example.com" in m["To"] and not m["Subject"].startswith("Reminder:")]


def test_an_open_task_escalates_to_its_owner_and_then_to_the_manager():
    with start() as d:
        lead(d)
        had = len(told(d, "tom"))
        d.ctl("do", "L1", "task offer: write it")
        d.ctl("clock", "advance", "25h")
        until(lambda: len(told(d, "tom")) == had + 1, why="the notice to the owner")
        assert told(d, "mia") == []
        d.ctl("clock", "advance", "2d")
        until(lambda: len(told(d, "mia")) == 1, why="the notice to the manager")
        d.ctl("clock", "advance", "30d")
        assert len(told(d, "mia")) == 1


def test_a_task_that_is_done_and_one_of_another_kind_escalate_no_further():
    with start() as d:
        lead(d)
        d.ctl("do", "L1", "task offer: write it")
        d.ctl("do", "L1", "task look at it")
        d.ctl("clock", "advance", "2d")
        d.ctl("do", "L1", "done T1")
        d.ctl("clock", "advance", "30d")
        assert told(d, "mia") == []


def test_an_overdue_task_escalates_by_rule_unless_it_is_done_meanwhile():
    with start() as d:
        lead(d)
        d.ctl("do", "L1", "task mon 10:00 call: ring Ada")
        d.ctl("do", "L1", "task mon 10:00 call: ring Bob")
        d.ctl("clock", "advance", "5d")  # due for two days, overdue for one
        assert told(d, "mia") == []
        d.ctl("do", "L1", "done T2")
        d.ctl("clock", "advance", "2d")
        until(lambda: told(d, "mia"), why="the notice to the manager")
        assert len(told(d, "mia")) == 1
