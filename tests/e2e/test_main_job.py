# SPDX-License-Identifier: ISC
"""The main job: a mail and a form become owned leads with a follow-up that left."""
import json
import os
import pwd
import re
import time
import urllib.error
import urllib.parse
import urllib.request

import pytest

import company
from daemon import Daemon, CtlError, until


@pytest.fixture
def maildir_company():
    with Daemon(company.conf(), company.files()) as d:
        yield d


def deliver(d, raw, name, box="inbox"):
    company.deliver(os.path.join(d.dir, box), name, raw)


def post(d, fields, form="contact"):
    data = urllib.parse.urlencode(fields).encode()
    url = "http://127.0.0.1:%d/form/%s" % (d.port("web-in"), form)
    with urllib.request.urlopen(urllib.request.Request(url, data=data), timeout=120) as r:
        return r.status


def rows(d, *argv):
    return d.ctl(*argv)["rows"]


def wait_rows(d, n, *argv):
    return until(lambda: (lambda r: r if len(r) >= n else None)(rows(d, *argv)),
                 why="%d rows of %s" % (n, " ".join(argv)))


def test_a_mail_becomes_an_owned_lead_with_a_follow_up(maildir_company):
    d = maildir_company
    deliver(d, company.mail(name="Ada Beispiel"), "1.a")
    wait_rows(d, 1, "outbox", "list", "state=sent")
    (lead,) = rows(d, "list", "leads")
    assert lead["owner"] == "tom"
    (m,) = company.sent(d.dir)
    assert m["To"] == "Ada Beispiel <ada@shop.example>"
    assert m["Auto-Submitted"] in ("auto-generated", "auto-replied")
    assert "Hello Ada" in m.get_content()
    assert "Tom Example has your request" in m.get_content()


def test_a_form_becomes_an_owned_lead(maildir_company):
    d = maildir_company
    assert post(d, {"name": "Bo Big", "email": "bo@big.example", "employees": "900"}) == 200
    (lead,) = rows(d, "list", "leads")  # the answer came after the commit
    assert lead["owner"] == "mia"
    assert lead["source"] == "website"


def test_times_are_the_companys_on_both_sides_of_a_change_of_the_clocks():
    with Daemon(company.conf(), company.files(),
                args=["--pretend-time", "2026-10-23T08:00:00Z"]) as d:
        post(d, {"email": "c@small.example"})
        for day, due in (("2026-10-24", "2026-10-24T08:00:00.000Z"),
                         ("2026-10-26", "2026-10-26T09:00:00.000Z")):
            assert day + " 10:00" in d.ctl_text("do", "L1", "task", day, "10:00", "call")
            assert due in [t["due"] for t in rows(d, "list", "tasks")]
            assert day + " 10:00 " in d.ctl_text("list", "tasks", width=200)
        d.ctl("clock", "advance", "3d")
        d.ctl("do", "L1", "note", "later")
        text = d.ctl_text("why", "L1")
        assert "\n2026-10-26 09:00:00  " in text and "2026-10-23 10:00:00  " in text
        assert "Z  " not in text
        lines = d.ctl_text("timeline", "L1", width=200).split("\n")
        assert lines[1].startswith("2026-10-23 10:00:00 ")
        assert any(line.startswith("2026-10-26 09:00:00 ") for line in lines)
        (note,) = [r for r in rows(d, "timeline", "L1") if r["text"] == "later"]
        assert note["time"] == "2026-10-26T08:00:00.000Z"


def test_why_names_the_first_false_condition_with_its_value(maildir_company):
    d = maildir_company
    post(d, {"email": "c@small.example", "employees": "12"})
    text = d.ctl("why", "L1")["text"]
    assert "lead.employees >= 500 is false" in text
    assert "lead.employees is 12" in text
    assert "10-rules.conf:" in text
    assert "assign pool sales" in text


def test_why_still_answers_after_the_rules_changed(maildir_company):
    d = maildir_company
    post(d, {"email": "c@small.example", "employees": "12"})
    wait_rows(d, 1, "outbox", "list", "state=sent")  # which is told there, too
    before = d.ctl("why", "L1")["text"]
    d.write("rules.d/10-rules.conf", 'lang = 1;\nrules : { x : { on = "lead.created"; '
            'do = "assign eva"; }; };\n')
    assert "reload.done" in d.reload()
    until(lambda: d.ctl("status"), why="the new engine")
    assert d.ctl("why", "L1")["text"] == before
    post(d, {"email": "d@other.example"})
    assert rows(d, "list", "leads", "owner=eva")


def test_the_answer_threads_back_to_the_same_lead(maildir_company):
    d = maildir_company
    deliver(d, company.mail(message_id="<first@shop.example>"), "1.a")
    wait_rows(d, 1, "outbox", "list", "state=sent")
    (m,) = company.sent(d.dir)
    assert m["In-Reply-To"] == "<first@shop.example>"
    assert "<first@shop.example>" in m["References"]
    assert m["Reply-To"].startswith("sales+")
    # by the address alone, from another sender of the same company
    deliver(d, company.mail(sender="boss@shop.example", to=str(m["Reply-To"]), subject="yes"), "2.a")
    # by References alone
    deliver(d, company.mail(subject="and this", In_Reply_To=str(m["Message-ID"])), "3.a")
    until(lambda: len([a for a in rows(d, "timeline", "L1") if a["kind"] == "mail"]) >= 4,
          why="both answers on the lead")
    assert len(rows(d, "list", "leads")) == 1


def test_a_guessed_token_opens_nothing(maildir_company):
    d = maildir_company
    deliver(d, company.mail(), "1.a")
    wait_rows(d, 1, "list", "leads")
    deliver(d, company.mail(sender="x@evil.example", to="sales+L1.aaaaaaaaaaaaaaaa@example.com"), "2.a")
    assert len(wait_rows(d, 2, "list", "leads")) == 2


def test_one_mail_in_two_mailboxes_is_one_message():
    boxes = company.MAILDIR_IN + ' second : { type = "maildir"; path = "@DIR@/second"; ' \
        'start = "all"; poll = "1s"; };'
    with Daemon(company.conf(mailboxes=boxes), company.files(), start=False) as d:
        raw = company.mail()
        deliver(d, raw, "1.a")
        deliver(d, raw, "1.b", "second")
        d.start()

        def filed():
            boxes = next(s for s in d.ctl("status")["sections"] if s["title"] == "Mailboxes")
            return {r["name"]: r["filed"] for r in boxes["rows"]}
        until(lambda: filed() == {"inbox": 1, "second": 1}, why="two ledger rows")
        assert len(rows(d, "list", "leads")) == 1
        assert len(rows(d, "list", "activities")) >= 1


def test_old_mail_is_filed_and_starts_nothing(maildir_company):
    d = maildir_company
    long_ago = int(time.time()) - 7 * 86400
    deliver(d, company.mail(when=long_ago), "%d.a" % long_ago)
    wait_rows(d, 1, "list", "leads")
    held = wait_rows(d, 1, "outbox", "list", "state=held")
    assert "automate_within" in held[0]["reply"]
    assert company.sent(d.dir) == []


def test_poison_is_quarantined_and_can_be_dropped(maildir_company):
    d = maildir_company
    bad = company.mail()[:50] + b"\0" * 100
    d.ingest(bad)
    d.ingest(company.mail(sender="next@shop.example"))
    wait_rows(d, 1, "list", "leads")
    for q in rows(d, "quarantine", "list"):
        d.ctl("quarantine", "drop", q["q"])
    assert rows(d, "quarantine", "list") == []


def test_commands_and_undo(maildir_company):
    d = maildir_company
    post(d, {"email": "c@small.example"})
    d.ctl("do", "L1", "assign", "eva")
    assert rows(d, "list", "leads")[0]["owner"] == "eva"
    assert " (assign eva) is taken back" in d.ctl("undo", "L1")["text"]
    last = max(int(j) for j in re.findall(r"\(J(\d+),", d.ctl_text("why", "L1", width=200)))
    assert "is taken back" in d.ctl("undo", "J%d" % last)["text"]  # the undo, by its number alone
    d.ctl("undo", "L1")
    assert b"no journal entry" in d.leadctl("undo", "J99999").stderr
    assert rows(d, "list", "leads")[0]["owner"] == "tom"
    told = [(a["kind"], a["who"], a["text"]) for a in rows(d, "timeline", "L1")]
    me = "operator " + pwd.getpwuid(os.getuid()).pw_name
    assert told.index(("command", me, "assign eva")) < told.index(("command", me, "undo"))
    assert ("command", "rule rest", "assign pool sales") in told
    with pytest.raises(CtlError) as e:
        d.ctl("do", "L1", "asign", "eva")
    assert "assign" in e.value.text
    with pytest.raises(CtlError):
        d.ctl("show", "L99")


def test_the_log_names_the_record_and_the_ledger_says_why_in_words(maildir_company):
    d = maildir_company
    post(d, {"email": "c@small.example"})
    d.wait_log("form.filed .*record=L1 new=1")
    deliver(d, company.mail(sender="news@list.example", List_Id="<news.list.example>",
                            Precedence="bulk"), "1.list")
    (row,) = wait_rows(d, 1, "ledger", "state=ignored")
    assert "bulk mail" in row["reason"]


def test_a_bounce_tells_its_status_with_the_address_and_on_the_timeline(maildir_company):
    d = maildir_company
    post(d, {"email": "c@small.example"})
    wait_rows(d, 1, "outbox", "list", "state=sent")
    (m,) = company.sent(d.dir)
    report = ("From: MAILER-DAEMON@mx.example\r\nTo: %s\r\nSubject: Undelivered\r\n"
              "Auto-Submitted: auto-replied\r\nMIME-Version: 1.0\r\nContent-Type: "
              "multipart/report; report-type=delivery-status; boundary=r\r\n\r\n--r\r\n\r\nno\r\n"
              "--r\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx.example"
              "\r\n\r\nFinal-Recipient: rfc822; c@small.example\r\nAction: failed\r\n"
              "Status: 5.1.1\r\n\r\n--r--\r\n" % str(m["Return-Path"]).strip("<>"))
    deliver(d, report.encode(), "1.bounce")
    wait_rows(d, 1, "outbox", "list", "state=failed")
    (address,) = [s for s in d.ctl("show", "C1")["sections"] if s["title"] == "Addresses"]
    assert address["rows"][0]["state"] == "bouncing" and "5.1.1" in address["rows"][0]["reason"]
    last = rows(d, "timeline", "L1")[-1]
    assert last["who"] == "system" and last["text"] == "bounced c@small.example 5.1.1 (M2)"
    (row,) = rows(d, "ledger", "source=maildir:inbox")
    assert (row["state"], row["message"], row["record"]) == ("filed", "M2", "L1")
    assert "L1" in d.ctl_text("show", "M2", width=200)


def test_a_mistyped_option_is_told_and_not_passed_over(maildir_company):
    d = maildir_company
    for argv, said in ((("list", "leads", "limit=x"), "number from 1 to"),
                       (("timeline", "L1", "limt=2"), "limit"),
                       (("outbox", "list", "stat=sent"), "state lead limit"),
                       (("outbox", "list", "state=bogus"), "deferred"),
                       (("outbox", "list", "state="), "deferred"),
                       (("ledger", "limit=0"), "number from 1 to"),
                       (("reconcile", "nobody"), "inbox"),
                       (("mailbox", "preview", "nobody"), "inbox")):
        with pytest.raises(CtlError) as e:
            d.ctl(*argv)
        assert e.value.code == 1 and said in e.value.text, argv
    post(d, {"email": "c@small.example"})
    with pytest.raises(CtlError) as e:
        d.ctl("do", "L1", "stage", "xyzzy")
    assert "expected" in e.value.text and "proposal" in e.value.text


def test_an_outgoing_mail_is_shown_with_labels(maildir_company):
    d = maildir_company
    post(d, {"email": "c@small.example"})
    (mail,) = wait_rows(d, 1, "outbox", "list", "state=sent", "lead=L1", "limit=1")
    shown = d.ctl("outbox", "show", str(mail["id"]))
    labels = dict(shown["fields"])
    assert labels["State"] == "sent" and labels["Lead"] == "L1" and labels["Done"].endswith("Z")
    assert "Next try" not in labels and shown["mail"]["state"] == "sent"
    assert "\nSubject: " in d.ctl_text("outbox", "show", str(mail["id"]))


def test_bad_forms_are_told_and_make_nothing(maildir_company):
    d = maildir_company
    with pytest.raises(urllib.error.HTTPError) as e:
        post(d, {"name": "no address"})
    assert e.value.code == 422
    with pytest.raises(urllib.error.HTTPError) as e:
        post(d, {"email": "x at y"})
    assert e.value.code == 422
    assert rows(d, "list", "leads") == []


def test_a_form_with_one_unreadable_value_still_makes_a_lead(maildir_company):
    d = maildir_company
    assert post(d, {"email": "x@y.example", "employees": "many"}) == 200
    (lead,) = rows(d, "list", "leads")
    assert lead["owner"] == "tom"
    why = d.ctl("why", "L1")["text"]
    assert "lead.employees is not set" in why
    assert "the posted employees does not fit and was not taken into lead.employees: show M1" in why
    said = "employees: 'many' is no whole number; not taken into lead.employees"
    assert d.ctl("show", "M1")["message"]["defects"] == [said]
    assert said in d.ctl_text("show", "M1", width=200)


def test_reconcile_adds_up(maildir_company):
    d = maildir_company
    for i in range(5):
        deliver(d, company.mail(sender="p%d@shop%d.example" % (i, i)), "%d.a" % i)
    wait_rows(d, 5, "list", "leads")
    (r,) = rows(d, "reconcile", "inbox")
    assert (r["there"], r["filed"], r["missing"]) == (5, 5, 0)


def test_metrics_and_health(maildir_company):
    d = maildir_company
    post(d, {"email": "c@small.example"})
    with urllib.request.urlopen("http://127.0.0.1:%d/metrics" % d.port("web-ui"), timeout=120) as r:
        text = r.read().decode()
    assert "leadd_forms_filed_total 1" in text
    with urllib.request.urlopen("http://127.0.0.1:%d/healthz" % d.port("web-in"), timeout=120) as r:
        assert r.status == 200


def notices(d):
    return [r for r in rows(d, "outbox", "list") if r["intent"].startswith("admin/no-rule/")]


def test_the_admin_hears_of_a_gap_in_the_rules_once(maildir_company):
    d = maildir_company
    d.write("rules.d/10-rules.conf", 'lang = 1;\nrules : { x : { on = "lead.created"; '
            'when = "lead.employees >= 500"; do = "assign eva"; }; };\n')
    assert "reload.done" in d.reload()
    for n in range(3):
        post(d, {"email": "c%d@small%d.example" % (n, n)})
    assert {r["owner"] for r in rows(d, "list", "leads")} == {"mia"}
    until(lambda: [n["state"] for n in notices(d)] == ["sent"], why="one notice")
    (m,) = [m for m in company.sent(d.dir) if "no assignment rule" in m["Subject"]]
    assert m["To"] == "mia@example.com"
    assert "leadctl why L1" in m.get_content()


def test_the_admin_hears_why_a_reload_by_signal_was_refused(maildir_company):
    d = maildir_company
    d.write("rules.d/10-rules.conf", 'lang = 1;\nrules : { x : { on = "lead.craeted"; '
            'do = "assign eva"; }; };\n')
    assert "reload.failed" in d.reload()
    until(lambda: [m for m in company.sent(d.dir) if "refused" in m["Subject"]], why="the notice")
    assert "lead.craeted" in company.sent(d.dir)[-1].get_content()


def test_the_admin_hears_of_a_mailbox_that_cannot_be_read():
    box = company.MAILDIR_IN.replace("/inbox", "/missing")
    with Daemon(company.conf(mailboxes=box), company.files()) as d:
        until(lambda: [m for m in company.sent(d.dir) if "cannot be read" in m["Subject"]],
              why="the notice")


def test_the_thirty_first_mail_to_one_address_waits_whatever_lead_it_is_about():
    rules = company.RULES.replace('"send welcome"', '"send welcome to partner@elsewhere.example"')
    with Daemon(company.conf(settings='undo_window = "1h";'), company.files(rules)) as d:
        for n in range(31):
            post(d, {"email": "p%d@shop%d.example" % (n, n), "name": "P"})
        assert len(rows(d, "outbox", "list", "state=ready", "limit=100")) == 30
        (held,) = [r for r in rows(d, "outbox", "list", "state=held")]
        assert "30 automatic mails to this address in 10 minutes" in held["reply"]


TURNS = """
lang = 1;
rules : { deal : { on = "lead.created"; do = "assign team sales"; }; };
tests : { first : { at = "2026-11-20 10:00";
                    given = ( { form = "contact"; fields : { email = "a@b.example"; }; } );
                    expect : { owner = "tom"; }; }; };
"""


def test_a_team_takes_turns_in_the_order_of_the_config_also_after_a_reload():
    """As `leadctl rules test` has it: what is sent between the processes keeps that order."""
    conf = company.conf(settings="teams : { sales : { name = \"Sales\"; }; };")
    for user in ("tom", "eva"):
        conf = conf.replace('email = "%s@example.com";' % user,
                            'email = "%s@example.com"; team = "sales";' % user)
    with Daemon(conf, company.files(TURNS)) as d:
        post(d, {"email": "a@b.example"})
        assert rows(d, "list", "leads")[0]["owner"] == "tom"
        lines = conf.splitlines()
        tom = next(i for i, line in enumerate(lines) if line.startswith("  tom :"))
        lines[tom], lines[tom + 1] = lines[tom + 1], lines[tom]
        d.write("leadd.conf", "\n".join(lines))
        d.write("rules.d/10-rules.conf", TURNS.replace('owner = "tom"', 'owner = "eva"'))
        assert "engine" in json.dumps(d.ctl("reload"))
