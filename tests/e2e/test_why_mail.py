# SPDX-License-Identifier: ISC
"""leadctl why M4: all about one mail: who, what kind, what proved it, its commands and what
became of each, where it was filed, what left; and the record's why tells of refused and
held commands, too."""
import company
from daemon import CtlError
from test_main_job import wait_rows
from test_rep import lead, says, start, write

import pytest


def why(d, what):
    return d.ctl("why", what)["text"]


def line(text, label):
    return [x[11:] for x in text.split("\n") if x.startswith("  %-8s " % label)]


def test_of_a_users_mail_each_command_is_told_run_refused_or_not_understood():
    with start() as d:
        lead(d)
        says(d, "#stage nogotiation\n#tag hot\n#stgae new\n\nOn Monday Ada wrote:\n> #won 5\n")
        text = why(d, "M2")
        assert text.startswith('M2  2026-11-20 11:00:00  "Re: 40 widgets" from <tom@example.com>\n')
        assert line(text, "who") == ["user tom"] and line(text, "kind") == ["person"]
        assert line(text, "filed") == ["L1, C1"]
        assert line(text, "came")[0].startswith("maildir:inbox: filed")
        assert "#stgae new -> no command 'stgae'; did you mean #stage?" in text
        assert "note: from tom, proven: dmarc=pass for example.com by mx.example.com" in text
        assert "tag hot (user tom)\n" in text and "M2: #tag" in text
        assert "refused: no stage 'nogotiation'; did you mean 'negotiation'?" in text
        assert line(text, "left") == ['mail 1 to tom@example.com, "Re: 40 widgets": sent']
        assert "#won" not in text.split("commands\n")[1].split("left")[0]
        assert "stage nogotiation (user tom) -> refused: no stage" in why(d, "L1")


def test_held_commands_stand_in_the_why_of_the_mail_and_of_the_record():
    with start() as d:
        lead(d)
        says(d, "#tag hot\n#won 5000\n", proof=None)
        text = why(d, "M2")
        assert line(text, "held")[0].startswith("H1, held since 2026-11-20 11:00: ")
        assert "#won 5000\n" in text and "not proven" in text
        assert "2 commands are held as H1" in why(d, "L1")
        d.ctl("clock", "advance", "26h")
        d.ctl("held", "release", "H1")
        text = why(d, "M2")
        assert line(text, "held")[0].startswith("H1, released at 2026-11-21 13:00: ")
        assert "M2: #won" in text and "it was held, and " in text
        assert [("Was this you?" in x) for x in line(text, "left")] == [True, False]


def test_what_was_found_about_a_strangers_mail_is_told_at_its_number():
    with start() as d:
        lead(d)
        write(d, company.mail(subject="Re: 40 widgets", name="Ada Beispiel", text="and blue ones?\n",
                              message_id="<ada-2@shop.example>", In_Reply_To="<ada-1@shop.example>"))
        wait_rows(d, 2, "ledger")
        text = why(d, "M2")
        assert line(text, "who") == ["contact C1 Ada Beispiel"]
        assert "note: of L1: it refers to a mail of it" in text and "message.received" in text
        mark = d.mark()
        write(d, company.mail(subject="Away", text="I am away.\n", Auto_Submitted="auto-replied",
                              message_id="<ada-3@shop.example>"))
        d.wait_log("mail.filed", after=mark)
        assert line(why(d, "M3"), "kind") == ["auto_reply, by its Auto-Submitted"]
        # L12 is not L1, and words of a person about M3 are no row of it
        d.ctl("do", "L1", "note", "see", "by mail M3:", "#x")
        assert "see by mail" not in why(d, "M3")
        for wrong in ("M99", "D1"):
            with pytest.raises(CtlError):
                why(d, wrong)


def test_a_field_that_is_false_alone_is_told_once():
    rules = 'lang = 1;\nrules : { r : { on = "lead.created"; when = "lead.contacted"; do = "tag x"; }; };\n'
    with start() as d:
        d.write("rules.d/20-r.conf", rules)
        d.reload()
        lead(d)
        assert "did not match: lead.contacted is false (" in why(d, "L1")
        assert "): lead.contacted is false" not in why(d, "L1")
