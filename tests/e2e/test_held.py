# SPDX-License-Identifier: ISC
"""Commands that nothing proves are held: the user hears of them at the registered address
and confirms them, once, or an operator does; and the secret address of a user."""
import re

import pytest

import company
from daemon import CtlError
from test_main_job import rows, wait_rows
from test_rep import PROVEN, RECEIVED, answers, lead, says, shown, start, write


def held(d, *more):
    return rows(d, "held", "list", *more)


def unproven(d, text="#tag hot\n", **more):
    """A forged mail; the mail to the user that comes of it."""
    return says(d, text, proof=None, **more)


def answer(d, ask, text="yes\n", sender="tom@example.com", to=None, answers_it=True, **headers):
    """What the user's mail program sends back; the ledger's row of it."""
    mark = d.mark()
    if answers_it:
        headers["In_Reply_To"] = ask["Message-ID"]
    raw = company.mail(sender=sender, subject="Re: " + ask["Subject"], text=text,
                       to=to or str(ask["Reply-To"]), **headers)
    write(d, raw)
    d.wait_log(r"command\.answer|mail\.filed", after=mark)
    return rows(d, "ledger", "limit=1")[0]


def tags(d):
    return ", ".join(shown(d, "L1").get("Tags") or [])


def test_a_forged_command_is_held_filed_and_told_at_the_registered_address():
    with start() as d:
        lead(d)
        ask = unproven(d, Reply_To="eve@evil.example")
        assert ask["To"] == "tom@example.com" and ask["Return-Path"] == "<>"
        text = ask.get_content()
        assert "Its From is: Tom <tom@example.com>\n" in text or "Its From is:  <tom@example.com>\n" in text
        assert "#tag hot" in text and "M2, about L1" in text and "until 2026-11-23 11:00" in text
        assert not tags(d)
        (row,) = held(d)
        assert (row["held"], row["user"], row["message"], row["record"], row["state"]) == (
            "H1", "tom", "M2", "L1", "held")
        assert ("held commands", "1, see leadctl held list") in [tuple(f) for f
                                                                 in d.ctl("status")["fields"]]
        assert any("#tag hot" in s.get("text", "") for s in d.ctl("held", "show", "H1")["sections"])
        assert rows(d, "ledger", "limit=1")[0]["state"] == "filed"


@pytest.mark.parametrize("text", ["yes\n", "Ja.\n\n> Was this you?\n", "OK, thanks\n\n-- \nTom\n"])
def test_a_yes_runs_what_was_held_once(text):
    with start() as d:
        lead(d)
        ask = unproven(d, "#tag hot\n#note call her\n")
        row = answer(d, ask, text)
        assert "H1" in row["reason"] and "confirmed" in row["reason"]
        assert tags(d) == "hot" and held(d) == []
        assert "it was held, and tom confirmed it with M3" in d.ctl("why", "L1")["text"]
        wait_rows(d, 2, "outbox", "list", "state=sent")
        assert "hot" in answers(d)[-1].get_content()
        d.ctl("do", "L1", "untag", "hot")
        assert "settled already" in answer(d, ask)["reason"]
        assert not tags(d)
        assert [r["state"] for r in held(d, "all")] == ["confirmed"]


def test_the_list_says_that_there_are_more_and_the_mail_in_which_zone_its_time_is():
    with start() as d:
        lead(d)
        ask = unproven(d, "#tag hot\n#note call her\n#score +5\n")
        assert [r["commands"] for r in held(d)] == ["#tag hot +2"]
        assert "until 2026-11-23 11:00 (Europe/Vienna)" in ask.get_content()


def copy(d, raw, proven):
    """One mail more than once, as two mailboxes of the company get it."""
    mark = d.mark()
    proof = b"Authentication-Results: " + PROVEN.encode() + b"\n" + RECEIVED if proven else b""
    write(d, proof + raw)
    d.wait_log(r"mail\.(filed|same)", after=mark)


def test_a_second_copy_with_a_proof_runs_what_the_first_one_left_waiting_once():
    with start() as d:
        lead(d)
        raw = company.mail(sender="tom@example.com", subject="Re: 40 widgets", text="#tag hot\nHello\n",
                           to="sales@example.com, ada@shop.example", message_id="<c1@example.com>",
                           In_Reply_To="<ada-1@shop.example>")
        copy(d, raw, False)
        assert not tags(d) and len(held(d)) == 1
        copy(d, raw, False)  # no proof is no proof, however often
        assert not tags(d) and len(held(d)) == 1
        copy(d, raw, True)
        assert tags(d) == "hot" and held(d) == []
        assert [r["state"] for r in held(d, "all")] == ["proven"]
        d.ctl("do", "L1", "untag", "hot")
        copy(d, raw, True)
        assert not tags(d)
        assert {r["message"] for r in rows(d, "ledger")} == {"M1", "M2"}


def test_what_a_forged_first_copy_adds_is_not_run_by_the_real_one():
    """Who knows the Message-ID may be faster than the mail itself."""
    with start() as d:
        lead(d)
        more = {"subject": "Re: 40 widgets", "to": "sales@example.com, ada@shop.example",
            "message_id": "<c1@example.com>",
                "In_Reply_To": "<ada-1@shop.example>", "when": 1795168800}
        copy(d, company.mail(sender="tom@example.com", text="#tag hot\n\n#lost\n\n#tag bad\n", **more), False)
        copy(d, company.mail(sender="tom@example.com", text="#tag hot\n", **more), True)
        assert tags(d) == "hot" and shown(d, "L1")["Status"] != "closed" and held(d) == []


def test_the_words_of_our_address_are_run_when_they_are_released():
    with start() as d:
        lead(d)
        unproven(d, "Call her back\n", to="sales+task-tomorrow@example.com, ada@shop.example",
                 subject="Call her back", in_reply_to=None)
        (row,) = held(d)
        assert "task" in row["commands"]
        assert rows(d, "list", "tasks") == []
        d.ctl("held", "release", row["held"])
        (task,) = rows(d, "list", "tasks")
        assert task["title"] == "Call her back"


def test_the_mail_program_may_have_kept_the_address_only_in_the_reference():
    with start() as d:
        lead(d)
        ask = unproven(d)
        answer(d, ask, to="sales@example.com")
        assert tags(d) == "hot"


@pytest.mark.parametrize("text,headers", [
    ("I am away until Monday. In urgent cases write to my colleague.\n", {}),
    ("\n", {}),
    ("yes\n", {"Auto_Submitted": "auto-replied"}),
    ("yes\n", {"Return_Path": "<>"}),
    ("#tag cold\n", {}),
    ("Yes, I have seen your mail and will be back to you within two days.\n", {}),
])
def test_an_answer_that_is_no_plain_yes_runs_nothing(text, headers):
    with start() as d:
        lead(d)
        ask = unproven(d)
        answer(d, ask, text, **headers)
        answer(d, ask, text, **headers)
        assert not tags(d) and [r["state"] for r in held(d)] == ["held"]
        wait_rows(d, 1 if headers else 2, "outbox", "list", "state=sent")  # told once at most
        answer(d, ask)
        assert tags(d) == "hot"


def test_a_no_and_an_operator_settle_it_too():
    with start() as d:
        lead(d)
        answer(d, unproven(d), "no\n")
        assert [r["state"] for r in held(d, "all")] == ["dropped"] and not tags(d)
        unproven(d, "#tag one\n")
        unproven(d, "#tag two\n")
        d.ctl("held", "drop", "H2")
        d.ctl("held", "release", "H3")
        assert tags(d) == "two"
        assert "released it with leadctl" in d.ctl("why", "L1")["text"]
        assert [r["state"] for r in held(d, "all")] == ["released", "dropped", "dropped"]
        for argv, said in ((("release", "H3"), "released already"), (("show", "H9"), "H9"),
                           (("show", "3"), "H3"), (("keep", "H3"), "release")):
            with pytest.raises(CtlError, match=said):
                d.ctl("held", *argv)


def test_nobody_else_confirms_and_nobody_confirms_too_late():
    with start() as d:
        lead(d)
        ask = unproven(d)
        answer(d, ask, sender="eva@example.com")  # also a user
        answer(d, ask, sender="eve@evil.example")  # who somehow got the address
        guess = re.sub(r"H\d+\.", "H7.", str(ask["Reply-To"]))
        answer(d, ask, to=guess, answers_it=False)
        assert not tags(d)
        d.ctl("clock", "advance", "73h")
        assert "too late" in answer(d, ask)["reason"]
        assert not tags(d) and [r["state"] for r in held(d)] == ["expired"]
        d.ctl("held", "release", "H1")
        assert tags(d) == "hot"


def test_a_flood_of_forged_mail_is_no_flood_of_mails_to_the_user():
    with start() as d:
        lead(d)
        for i in range(8):
            unproven(d, "#tag n%d\n" % i, answer=False)
        wait_rows(d, 6, "outbox", "list", "state=sent")
        to = [m["To"] for m in answers(d)]
        assert to.count("tom@example.com") == 5 and to.count("mia@example.com") == 1
        assert len(held(d)) == 8 and not tags(d)


def test_the_secret_address_commands_for_its_user_until_there_is_a_new_one():
    with start() as d:
        lead(d)
        one = d.ctl("address", "secret", "tom")["address"]
        assert one == d.ctl("address", "secret", "tom")["address"]
        assert one.startswith("sales+key.tom.") and one.endswith("@example.com")
        to = one + ", ada@shop.example"
        says(d, "#tag hot\n", proof=None, to=to)
        assert tags(d) == "hot"
        says(d, "#tag evas\n", proof=None, to=to, sender="eva@example.com")
        two = d.ctl("address", "secret", "tom", "new")["address"]
        assert two != one
        says(d, "#tag old\n", proof=None, to=to)
        assert tags(d) == "hot" and len(held(d)) == 2
        d.ctl("address", "secret", "tom", "off")
        says(d, "#tag off\n", proof=None, to=two + ", ada@shop.example")
        assert tags(d) == "hot" and len(held(d)) == 3
        with pytest.raises(CtlError, match="nobody"):
            d.ctl("address", "secret", "nobody")


def test_without_addresses_that_arrive_the_operator_is_named():
    with start(settings='reply_address = "none";') as d:
        lead(d)
        ask = unproven(d)
        assert "leadctl held release H1" in ask.get_content()
        assert "no trusted_auth is set" in ask.get_content()
        with pytest.raises(CtlError, match="reply_address"):
            d.ctl("address", "secret", "tom")
