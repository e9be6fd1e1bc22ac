# SPDX-License-Identifier: ISC
"""Somebody who looks like a contact that is there: the owner is told with the commands that join
the two, a rule may act on it, and nothing is joined by itself."""
import os

import pytest

import company
from daemon import Daemon, StartFailed, until
from test_main_job import post, rows
from test_rep import answers, body, says, start, write

RULES = """
lang = 1;
rules : {
  rest  : { on = "lead.created"; do = "assign tom"; };
  again : { on = "lead.duplicate"; when = "duplicate.why == 'name' and duplicate.owner == 'tom'";
            do = "tag seen-before"; };
};
"""


def lead(d, sender, name, n):
    write(d, company.mail(sender=sender, name=name, message_id="<%s>" % sender))
    until(lambda: len(rows(d, "list", "leads")) == n, why="%d leads" % n)


def told(d, subject):
    return until(lambda: [m for m in answers(d) if subject in m["Subject"]], why=subject)[0]


def test_the_owner_is_told_and_joins_them_by_reply():
    with start() as d:
        lead(d, "ada@shop.example", "Ada Beispiel", 1)
        lead(d, "a.beispiel@shop.example", "Ada Beispiel", 2)
        m = told(d, "C2 looks like C1")
        assert m["To"] == "tom@example.com" and "note.L2." in m["Reply-To"]
        text = body(m)
        assert "C1 Ada Beispiel <ada@shop.example>" in text and "the same name at the same company" in text
        assert "  #C1 merge C2\n  #L1 merge L2\n" in text and "leadctl merge C1 C2" in text
        assert len(rows(d, "list", "contacts")) == 2  # nothing was joined
        assert "C2 may be C1" in d.ctl_text("why", "L2", width=200)
        m = says(d, "#C1 merge C2\n#L1 merge L2\n", in_reply_to=m["Message-ID"], to=m["Reply-To"],
                 subject="Re: " + m["Subject"])
        assert "C2 is merged into C1" in body(m) and "L2 is merged into L1" in body(m)
        assert [r["id"] for r in rows(d, "list", "contacts")] == ["C1"]
        assert [r["id"] for r in rows(d, "list", "leads")] == ["L1"]
        m = says(d, "#undo\n", in_reply_to=m["Message-ID"], to=m["Reply-To"])
        assert len(rows(d, "list", "leads")) == 2


def test_forms_with_the_same_phone_are_told_and_a_rule_acts_on_it():
    with start() as d:
        d.write("rules.d/10-rules.conf", RULES)
        d.ctl("reload")
        post(d, {"email": "ada@shop.example", "name": "Ada Beispiel", "phone": "0660 1112223"})
        post(d, {"email": "ada.b@gmail.com", "name": "Ada B", "phone": "+43 660 1112223"})
        assert "the same phone number" in body(told(d, "C2 looks like C1"))
        assert "Tags" not in dict(d.ctl("show", "L2")["fields"])
        post(d, {"email": "ab@shop.example", "name": "Ada Beispiel"})
        told(d, "C3 looks like C1")
        assert dict(d.ctl("show", "L3")["fields"])["Tags"] == ["seen-before"]
        assert "lead.duplicate" in d.ctl_text("why", "L3", width=200)


def test_who_may_not_see_the_other_learns_no_name_and_the_administrator_does():
    with start() as d:
        lead(d, "ada@shop.example", "Ada Beispiel", 1)
        d.ctl("do", "L1", "assign", "eva")  # of another team than tom
        lead(d, "a.beispiel@shop.example", "Ada Beispiel", 2)
        both = until(lambda: (lambda f: f if len(f) == 2 else None)(
            [m for m in answers(d) if "C2 looks like C1" in m["Subject"]]), why="both are told")
        text = {m["To"]: body(m) for m in both}
        assert "C1, whom you may not see" in text["tom@example.com"]
        assert "<ada@shop.example>" not in text["tom@example.com"]
        assert "  #C1 merge C2\n" in text["mia@example.com"]


def test_a_notice_is_worded_by_a_file_and_one_with_a_mistake_is_refused():
    with start(start=False) as d:
        d.write("templates/_notice-duplicate.txt",
                "Subject: Doppelt? {{contact_id}}\n\n{{other}} und {{contact}}\n{{commands}}\n")
        d.start()
        lead(d, "ada@shop.example", "Ada Beispiel", 1)
        lead(d, "a.beispiel@shop.example", "Ada Beispiel", 2)
        assert "C1 Ada Beispiel <ada@shop.example> und C2" in body(told(d, "Doppelt? C2"))
        for name, text, said in (
                ("_notice-duplicat", "Subject: x\n\nx\n", 'did you mean "duplicate"?'),
                ("_notice-held", "Subject: x\n\n{{commandz}}\n", 'did you mean "commands"?')):
            d.write("templates/%s.txt" % name, text)
            p = d.leadctl("reload")
            assert p.returncode == 78 and said in p.stdout.decode() + p.stderr.decode()
            os.unlink(d.dir + "/templates/%s.txt" % name)


def test_a_field_that_is_no_lead_field_does_not_tell_leads_apart():
    with pytest.raises(StartFailed) as failed:
        Daemon(company.conf(settings='separate_leads_by = [ "lead.sorce" ];'), company.files()).close()
    assert "separate_leads_by: no field lead.sorce; did you mean lead.source?" in failed.value.log


def test_another_product_is_another_lead_where_that_is_configured():
    with start(settings='separate_leads_by = [ "lead.employees" ];') as d:
        for n in ("5", "50", "5"):
            post(d, {"email": "ada@shop.example", "employees": n})
        assert sorted(r["id"] for r in rows(d, "list", "leads")) == ["L1", "L2"]


# ---- offers -------------------------------------------------------------------------

SIGNED = """Please call me.

Best regards,
Ada Beispiel
Head of Purchasing
Phone: +43 660 1112223
"""


def test_what_a_signature_says_is_told_to_the_owner_who_takes_it_by_reply():
    with start() as d:
        lead(d, "ada@shop.example", "Ada Beispiel", 1)
        write(d, company.mail(sender="ada@shop.example", name="Ada Beispiel", text=SIGNED,
                              subject="One more thing"))
        m = told(d, "One more thing")
        text = body(m)
        assert "phone +436601112223" in text and "title Head of Purchasing" in text
        assert "#C1 take puts it there" in text
        show = dict(d.ctl("show", "C1")["fields"])
        assert "Phone" not in show and "Title" not in show  # a From alone fills nothing
        assert "phone +436601112223, in a signature: take +436601112223" in d.ctl_text(
            "show", "C1", width=200)
        assert "said of C1 and not on the record: phone, title" in d.ctl_text("why", "L1", width=200)
        assert "+436601112223" not in d.ctl_text("why", "L1", width=200)  # of no use to rules
        m = says(d, "#C1 take\n", in_reply_to=m["Message-ID"], to=m["Reply-To"])
        assert "C1: " in body(m) and "phone +436601112223" in body(m)
        show = dict(d.ctl("show", "C1")["fields"])
        assert show["Phone"] == "+436601112223" and show["Title"] == "Head of Purchasing"
        m = says(d, "#undo\n", in_reply_to=m["Message-ID"], to=m["Reply-To"])
        assert "Phone" not in dict(d.ctl("show", "C1")["fields"])


def test_a_number_of_a_form_that_differs_is_offered_and_overwrites_nothing():
    with start() as d:
        post(d, {"email": "ada@shop.example", "name": "Ada", "phone": "0660 1112223"})
        post(d, {"email": "ada@shop.example", "name": "Ada", "phone": "0660 9998887"})
        assert dict(d.ctl("show", "C1")["fields"])["Phone"] == "+436601112223"
        d.ctl("do", "C1", "take", "0660 9998887")
        (addresses,) = [s for s in d.ctl("show", "C1")["sections"] if s["title"] == "Addresses"]
        assert {"+436601112223", "+436609998887"} <= {r["address"] for r in addresses["rows"]}
        assert dict(d.ctl("show", "C1")["fields"])["Phone"] == "+436601112223"
