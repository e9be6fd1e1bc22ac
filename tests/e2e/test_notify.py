# SPDX-License-Identifier: ISC
"""notify: who is told, what they read, and that a storm of leads is no storm of mails."""
import collections
import os
import pwd

import company
from daemon import Daemon
from test_main_job import post, rows, wait_rows

RULES = """
lang = 1;
rules : {
  rest : { on = "lead.created"; do = [ "assign tom", "notify owner, tom, manager" ]; };
};
"""
USERS = company.CONF.replace('email = "tom@example.com";',
                             'email = "tom@example.com"; manager = "mia";')


def config(settings=""):
    return USERS % {"mailboxes": company.MAILDIR_IN, "relays": company.MAILDIR_OUT,
                    "settings": settings}


def mails(d):
    return collections.Counter(m["To"].split("<")[-1].rstrip(">") for m in company.sent(d.dir))


def test_owner_and_manager_are_told_once_each_and_the_lead_is_not():
    with Daemon(config(), company.files(RULES)) as d:
        post(d, {"email": "ada@shop.example", "name": "Ada Beispiel"})
        wait_rows(d, 2, "outbox", "list", "state=sent")
        assert mails(d) == {"tom@example.com": 1, "mia@example.com": 1}
        m = company.sent(d.dir)[0]
        assert m["Subject"].startswith("rest: L1")
        assert m["Return-Path"] == "<>" and m["Auto-Submitted"] == "auto-generated"
        text = m.get_content()
        assert "Ada Beispiel ada@shop.example" in text and "leadctl why L1" in text
        assert "http" not in text
        assert "tom, mia: told" in d.ctl("why", "L1")["text"]


WON = """
lang = 1;
rules : {
  mine : { on = "lead.created"; do = [ "assign tom", "task 1d call {{contact.name}}" ]; };
  won : { on = "deal.won"; do = "notify owner using won"; };
};
"""


def test_the_notice_names_who_did_it_and_tells_times_in_the_zone_of_who_reads_it():
    conf = config().replace('manager = "mia";', 'calendar = "there";')
    zone = 'calendars : { there : { zone = "America/New_York"; hours = "Mon-Fri 09:00-17:00"; }; };\n'
    files = company.files(WON, **{
        "rules.d/05-there.conf": "lang = 1;\n" + zone,
        "templates/won.txt": "Subject: Won\n\n{{actor.name}} ({{actor}}) won {{deal.id}}.\n\n\n"})
    with Daemon(conf, files, args=["--pretend-time", "2026-11-20T10:00:00Z"]) as d:
        post(d, {"email": "ada@shop.example", "name": "Ada Beispiel"})
        d.ctl("do", "L1", "won", "5000")
        wait_rows(d, 1, "outbox", "list", "state=sent")
        text = company.sent(d.dir)[0].get_content()
        me = pwd.getpwuid(os.getuid()).pw_name
        assert "line.\n\n%s (%s) won D1.\n\n" % (me, me) in text and "\n\n\n" not in text
        assert "History (America/New_York):\n  2026-11-20 05:00  form in, " in text
        assert dict(d.ctl("show", "L1")["fields"])["Deal"].startswith("D1 won 5000")
        assert "call {{" not in str(rows(d, "timeline", "L1"))
        d.ctl("undo", "L1")
        undone = d.ctl("undo", "L1", "J1")["text"]
        assert "T1 for tom" in undone and "{{" not in undone


def test_a_storm_of_leads_is_one_mail_more_and_nothing_is_lost():
    with Daemon(config("notices_per_hour = 3;"), company.files(RULES),
                args=["--pretend-time", "2026-11-20T10:00:00Z"]) as d:
        for i in range(50):
            post(d, {"email": "lead%d@shop.example" % i})
        wait_rows(d, 6, "outbox", "list", "state=sent")
        assert mails(d) == {"tom@example.com": 3, "mia@example.com": 3}
        assert len(rows(d, "outbox", "list", "state=ready")) == 2  # they wait from the first on
        d.kill("engine")
        d.ctl("clock", "advance", "61m")
        wait_rows(d, 8, "outbox", "list", "state=sent")
        assert mails(d) == {"tom@example.com": 4, "mia@example.com": 4}
        (m,) = [m for m in company.sent(d.dir)
                if m["Subject"] == "leadd: and 47 more notices" and "tom@" in m["To"]]
        lines = [x for x in m.get_content().split("\n") if x.startswith("rest: L")]
        assert len(lines) == 40 and lines[0].startswith("rest: L4")
        assert "and 7 more" in m.get_content()
        post(d, {"email": "late@shop.example"})  # another hour
        wait_rows(d, 10, "outbox", "list", "state=sent")


def test_a_customers_address_is_refused_and_told():
    rules = RULES.replace("notify owner, tom, manager", "notify ada@shop.example")
    with Daemon(config(), company.files(rules)) as d:
        post(d, {"email": "ada@shop.example"})
        assert "the address is that of C1" in d.ctl("why", "L1")["text"]
        assert rows(d, "outbox", "list") == []


def test_undo_takes_a_notice_back_while_it_has_not_left():
    with Daemon(config('undo_window = "1h";'), company.files(RULES),
                args=["--pretend-time", "2026-11-20T10:00:00Z"]) as d:
        post(d, {"email": "ada@shop.example"})
        assert len(rows(d, "outbox", "list", "state=ready")) == 2
        d.ctl("undo", "L1")
        assert len(rows(d, "outbox", "list", "state=failed")) == 2


def test_sms_is_refused_by_reload_until_there_are_gateways():
    with Daemon(config(), company.files(RULES)) as d:
        d.write("rules.d/10-rules.conf", RULES.replace("manager\"", "manager by sms\""))
        assert "failed" in d.reload()
        d.wait_log("rules.conf:4: rule rest: notify: there are no gateways for SMS")
