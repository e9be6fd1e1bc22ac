# SPDX-License-Identifier: ISC
"""Sequences that text, through a gateway that speaks as Kannel does: the window, STOP, an answer,
and who has no number."""
import pytest

import company
from daemon import until
from test_sms_in import ADA, lead, sent, text, texting

SEQUENCES = """lang = 1;
sequences : {
  texts : { by_hand = true; window = "Mon-Fri 09:00-17:00";
            steps = ( { sms = "first"; }, { wait = "1d"; }, { sms = "second"; }, { wait = "1d"; },
                      { task = "+1d ring them"; } ); };
};
"""
FILES = {"rules.d/20-sequences.conf": SEQUENCES, "templates/first.sms.txt": "First words.\n",
         "templates/second.sms.txt": "Second words.\n"}


def enrolment(d):
    (row,) = d.ctl("sequence", "enrolments")["rows"]
    return row["state"], row["reason"]


def words(d):
    return [m.text for m in d.peer.messages if m.to == ADA and m.text.endswith(" words.")]


def begun():
    return texting(more=FILES)  # on a Friday, 11:00 in Vienna


def begin(d):
    lead(d)
    d.ctl("do", "L1", "sequence", "texts")
    d.ctl("clock", "advance", "10m")
    assert sent(d, ADA)[-1] == "First words."


def test_texts_leave_inside_the_window_and_the_steps_go_to_the_end():
    with begun() as d:
        begin(d)
        d.ctl("clock", "advance", "2d")  # Sunday
        assert words(d) == ["First words."]
        d.ctl("clock", "advance", "20h")  # Monday, before 09:00 in Vienna
        assert words(d) == ["First words."]
        d.ctl("clock", "advance", "3h")
        until(lambda: words(d) == ["First words.", "Second words."], why="the second text")
        d.ctl("clock", "advance", "2d")
        assert enrolment(d) == ("done", "")
        assert [t["title"] for t in d.ctl("list", "tasks")["rows"]] == ["ring them"]


@pytest.mark.parametrize("answer, reason", [("STOP", "the contact has opted out"),
                                            ("Yes, please call me", "the contact has answered")])
def test_stop_and_an_answer_by_text_end_it_before_the_next_step(answer, reason):
    with begun() as d:
        begin(d)
        d.ctl("clock", "advance", "1h")
        assert text(d, ADA, answer) == 200
        assert enrolment(d) == ("stopped", reason)
        d.ctl("clock", "advance", "7d")
        assert words(d) == ["First words."] and d.ctl("list", "tasks")["rows"] == []


def test_stop_ends_one_that_goes_on_after_answers():
    more = dict(FILES, **{"rules.d/20-sequences.conf": SEQUENCES.replace(
        "by_hand = true;", 'by_hand = true; stop = "closed";')})
    with texting(more=more) as d:
        begin(d)
        assert text(d, ADA, "Thank you") == 200
        assert enrolment(d) == ("active", "")
        assert text(d, ADA, "STOP") == 200
        assert enrolment(d) == ("stopped", "the contact has opted out")


def test_who_has_no_number_gets_no_text_and_why_tells():
    with begun() as d:
        d.ingest(company.mail("bo@shop.example"))
        d.ctl("do", "L1", "sequence", "texts")
        d.ctl("clock", "advance", "7d")
        assert enrolment(d) == ("done", "")
        assert d.ctl_text("why", "L1", width=400).count("C1 has no phone number") == 2
        assert [t["title"] for t in d.ctl("list", "tasks")["rows"]] == ["ring them"]


def test_who_said_stop_before_begins_none():
    with begun() as d:
        lead(d)
        assert text(d, ADA, "STOP") == 200
        r = d.leadctl("do", "L1", "sequence", "texts")
        d.ctl("clock", "advance", "7d")
        assert words(d) == [] and (r.returncode != 0 or enrolment(d)[0] != "active")
