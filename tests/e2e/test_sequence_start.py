# SPDX-License-Identifier: ISC
"""leadctl sequence start: lists, conditions and segments begin a sequence; and who does not."""
import json

import pytest

import company
import forms
from daemon import CtlError, until
from test_sequences import Company

SLOW = '''
  nurture : { by_hand = true; steps = ( { wait = "3d"; }, { email = "hello"; } ); };
  quick : { by_hand = true; steps = ( { task = "tomorrow 10:00 call them"; } ); };
  many : { by_hand = true; several = true; steps = ( { wait = "9d"; } ); };
  asked : { on = "contact"; by_hand = true; steps = ( { wait = "9d"; } ); };'''
SEGMENTS = '''lang = 1;
segments : {
  warm : { over = "lead"; when = [ "lead.score >= 20" ]; };
  people : { over = "contact"; when = [ "contact.email is set" ]; };
};'''


def people(number, warm=0, env=None, **more):
    """So many leads, and that many of them wrote of something warm: one file each, at once."""
    d = Company(SLOW, begins=None, **more)
    d.env = env or {}
    if env:
        d.stop()
        d.start()
    for n in range(1, number + warm + 1):
        company.deliver(d.dir + "/inbox", "%04d" % n, company.mail(
            "p%d@shop%d.example" % (n, n), subject="something warm" if n > number else "40 widgets"))
    until(lambda: len(d.ctl("list", "leads", "limit=1000")["rows"]) == number + warm, why="the leads")
    return d


def start(d, *argv, input=None):
    r = d.leadctl("--json", "sequence", "start", *argv, input=input)
    if r.returncode != 0:
        raise CtlError(r.returncode, r.stderr.decode())
    data = json.loads(r.stdout)
    told = dict(data["fields"])
    rows = data["sections"][0]["rows"] if "sections" in data else []
    return told, {row["record"]: row["why"] for row in rows}


def test_a_list_begins_once_however_often_it_is_given():
    with people(4) as d:
        asked = b"ID NAME\nL1 one\n# not this\nL2,two\n\"L3\";three\nL99\n"
        told, out = start(d, "nurture", input=asked)
        assert told["would begin"] == 3 and list(out) == ["L99"]
        assert d.enrolments() == []  # a preview
        told, out = start(d, "nurture", "--yes", input=asked)
        assert told["begun"] == 3 and list(out) == ["L99"]
        assert sorted(r[0] for r in d.enrolments()) == ["L1", "L2", "L3"]
        told, out = start(d, "nurture", "--yes", "L1", "L4")
        assert told["begun"] == 1 and out == {"L1": "it is in the sequence nurture already"}
        assert len(d.enrolments()) == 4
        assert "sequence nurture" in d.why("L1")


def test_who_has_been_through_it_begins_again_only_when_that_is_said():
    with people(2) as d:
        assert start(d, "quick", "--yes", "L1", "L2")[0]["begun"] == 2
        d.pass_time("1m")
        assert {r[2] for r in d.enrolments()} == {"done"}
        told, out = start(d, "quick", "--yes", "L1", "L2")
        assert told["begun"] == 0 and out["L2"] == "it has been in the sequence quick before"
        assert start(d, "quick", "--yes", "--again", "L1")[0]["begun"] == 1


def test_a_condition_begins_all_who_fit_a_slice_at_a_time():
    with people(60, warm=60) as d:
        warm = [r["id"] for r in d.ctl("list", "leads", "limit=1000")["rows"] if "warm" in r["subject"]]
        out_of_it, closed, busy = warm[:3]
        d.ctl("do", out_of_it, "optout")
        d.ctl("do", closed, "close")
        d.ctl("do", busy, "sequence", "asked")
        told, out = start(d, "nurture", "--where", "lead.subject contains 'warm'")
        assert (told["looked at"], told["fit"], told["would begin"]) == (120, 60, 57)
        assert set(out) == {out_of_it, closed, busy}
        assert "opted out" in out[out_of_it] and "closed" in out[closed]
        assert "in the sequence asked" in out[busy]
        told, again = start(d, "nurture", "--where", "lead.subject contains 'warm'", "--yes")
        assert told["begun"] == 57 and again == out
        assert len(d.ctl("sequence", "enrolments", "nurture", "limit=1000")["rows"]) == 57


def test_of_two_leads_of_a_contact_one_begins_unless_several_may():
    with people(0) as d:
        first = d.lead(sender="ada@shop1.example")
        d.ctl("do", first, "close")
        d.lead(sender="ada@shop1.example", subject="another matter")
        d.ctl("do", first, "reopen")
        told, out = start(d, "nurture", "L1", "L2")
        assert told["would begin"] == 1 and out == {"L2": "its contact C1 begins with L1"}
        told, out = start(d, "nurture", "L1", "L2", "--yes")
        assert told["begun"] == 1 and "L1 is in the sequence nurture already" in out["L2"]
        assert start(d, "many", "L1", "L2", "--yes")[0]["begun"] == 2


def test_a_segment_begins_what_its_kind_fits():
    with people(3, files={"rules.d/20-segments.conf": SEGMENTS}) as d:
        d.ctl("do", "L2", "set", "lead.score", "30")
        assert start(d, "nurture", "--segment", "warm", "--yes")[0]["begun"] == 1
        assert [r[:2] for r in d.enrolments()] == [("L2", "nurture")]
        told, out = start(d, "asked", "--segment", "people", "--yes")
        assert told["begun"] == 2 and "L2 is in the sequence nurture" in out["C2"]
        with pytest.raises(CtlError, match="the segment people is of contacts"):
            start(d, "nurture", "--segment", "people")


@pytest.mark.parametrize("argv, says", [
    (("nurtur", "L1"), "there is no sequence"),
    (("nurture", "L"), "expected a record such as L42; nobody has begun"),
    (("nurture", "--where", "lead.scor > 5"), "lead.scor"),
    (("nurture", "--where", "case.subject is set"), "a lead has no case.subject"),
    (("nurture", "--where", "lead.score > 5", "--segment", "warm"), "usage"),
    (("nurture", "--segment", "cold"), "there is no segment"),
    (("nurture", "--frm"), "usage"),
])
def test_a_mistake_is_told_and_nobody_begins(argv, says):
    with people(1) as d:
        with pytest.raises(CtlError, match=says):
            start(d, *argv, "--yes")
        assert d.enrolments() == []


def test_who_posts_a_form_begins_its_sequence_and_why_tells_who_does_not():
    text = company.conf().replace('source = "website";', 'source = "website"; sequence = "nurture";')
    with people(0) as d:
        d.write("leadd.conf", text)
        d.stop()
        d.start()
        assert forms.post(d, "contact", {"email": "ada@shop1.example"}).status < 400
        (row,) = d.ctl("sequence", "enrolments")["rows"]
        assert (row["record"], row["by"]) == ("L1", "system form contact")
        forms.post(d, "contact", {"email": "bo@shop2.example", "message": "one"})
        d.ctl("do", "L2", "optout")
        forms.post(d, "contact", {"email": "bo@shop2.example", "message": "two"})
        assert "sequence nurture (system form contact) -> refused: not begun: the contact has opted out" \
            in d.why("C2")
        d.pass_time("4d")
        assert [m[0] for m in d.mails("ada@shop1.example")] == ["hello"]


@pytest.mark.parametrize("name, says", [
    ("nurtur", 'did you mean'),
    ("cases", "forms: contact.sequence: cases is for a case, and this makes a lead"),
])
def test_a_form_that_could_begin_nothing_is_refused_at_load(name, says):
    with Company(SLOW + ' cases : { on = "case"; steps = ( { wait = "1d"; } ); };', begins=None) as d:
        d.write("leadd.conf", company.conf().replace('source = "website";',
                                                     'source = "website"; sequence = "%s";' % name))
        r = d.leadctl("reload")
        assert r.returncode != 0 and says in (r.stdout + r.stderr).decode()
