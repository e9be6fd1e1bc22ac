# SPDX-License-Identifier: ISC
"""contact.consents: what somebody has agreed to, asked by rules, segments, lists and rule tests."""
import pytest

import company
import forms
from daemon import Daemon

FORMS = """
  club : {
    fields : { email = "contact.email"; phone = "contact.phone"; words = "message.text";
               news = { type = "consent"; text = "News, please."; purpose = "marketing"; };
               texts = { type = "consent"; text = "Texts, please."; purpose = "marketing";
                         channel = "sms"; }; };
    required = "email";
  };
"""
RULES = """
lang = 1;
rules : {
  agreed : { on = "form.received"; when = "contact.consents contains 'marketing'"; do = "score +1"; };
  texts  : { on = "form.received"; when = "contact.consents contains 'sms:marketing'"; do = "score +10"; };
};
segments : {
  marketing : { when = "contact.consents contains 'marketing'"; };
  silent    : { when = "contact.consents is not set"; };
};
tests : {
  ticked : { at = "2026-11-02 10:00";
             given = ( { form = "club"; fields : { email = "ada@shop.example"; news = "yes"; }; } );
             expect : { rules = "agreed"; when = "contact.consents contains 'marketing'"; }; };
  not-ticked : { at = "2026-11-02 10:00";
             given = ( { form = "club"; fields : { email = "ada@shop.example"; }; } );
             expect : { not_rules = "agreed"; when = "contact.consents is not set"; }; };
  taken-back : { at = "2026-11-02 10:00";
             given = ( { form = "club"; fields : { email = "ada@shop.example"; news = "yes"; }; },
                       { command = "optout"; by = "mia"; } );
             expect : { when = "contact.consents is not set"; }; };
};
"""


class Club(Daemon):
    def __init__(self):
        conf = forms.conf(FORMS) + 'lists : { news : { label = "News"; }; };\n'
        super().__init__(conf, company.files(RULES))

    def post(self, who, words, **more):
        assert forms.post(self, "club", dict({"email": who + "@shop.example", "words": words}, **more)).status == 200

    def score(self):
        (lead,) = self.ctl("list", "leads")["rows"]
        return lead["score"]

    def who(self, word):
        return [r["id"] for r in self.ctl("list", "contacts", "consents=" + word)["rows"]]

    def segment(self, name):
        return [r["id"] for r in self.ctl("segment", "export", name)["rows"]]


@pytest.fixture
def d():
    with Club() as d:
        yield d


def test_a_ticked_box_matches_until_it_is_withdrawn_and_again_when_that_is_taken_back(d):
    d.post("ada", "1", news="yes")
    assert (d.score(), d.segment("marketing")) == (1, ["C1"])
    d.ctl("consent", "withdraw", "ada@shop.example")
    d.post("ada", "2")
    assert (d.score(), d.segment("marketing")) == (1, [])
    d.post("ada", "3", news="yes")  # anybody can post it: it lifts nothing
    assert (d.score(), d.segment("marketing")) == (1, [])
    d.ctl("consent", "grant", "ada@shop.example")
    d.post("ada", "4")
    assert (d.score(), d.segment("marketing")) == (2, ["C1"])


def test_who_ticked_for_texts_has_agreed_to_texts_alone(d):
    d.post("ada", "1", phone="+43 660 1234567", texts="yes")
    assert d.score() == 10
    assert (d.who("sms:marketing"), d.who("marketing")) == (["C1"], [])
    d.ctl("consent", "withdraw", "+436601234567")
    d.post("ada", "2")
    assert (d.score(), d.who("sms:marketing")) == (10, [])


def test_segments_and_lists_have_exactly_those_who_agreed(d):
    d.post("ada", "1", news="yes")
    d.post("bob", "2")
    d.post("eve", "3", news="yes")
    assert (d.segment("marketing"), d.segment("silent")) == (["C1", "C3"], ["C2"])
    assert sorted(d.who("marketing")) == ["C1", "C3"]
    d.ctl("consent", "grant", "bob@shop.example", "list:news")
    assert (d.who("list:news"), d.segment("silent")) == (["C2"], [])
    d.ctl("consent", "withdraw", "bob@shop.example", "list:news")
    assert (d.who("list:news"), d.segment("silent")) == ([], ["C2"])


def test_rule_tests_ask_for_it(d):
    r = d.leadctl("rules", "test", d.dir)
    assert "3 tests passed, 0 failed" in (r.stdout + r.stderr).decode()
