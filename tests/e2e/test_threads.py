# SPDX-License-Identifier: ISC
"""Every mail of tests/fixtures/corpus/thread is filed where its expectation says.

What a thread hangs on is made at run time, so the mails hold places for it: {W1.id},
{W1.reply}, {W1.subject} of the welcome to Ada (L1), {W2...} of that to Bea (L2), {C1...}
of the mail in which Tom, the owner, got Ada's question, {R1...} of his answer to her.
"""
import re

import pytest

import corpus
from test_conversation import World, answer, reply_to, trusted


@pytest.fixture(scope="module")
def world():
    with World(args=["--pretend-time", "2026-11-20T09:00:00Z"]) as w:
        w.lead("How much are 40 widgets?\n", message_id="<first-ada@shop.example>")
        w.lead("And 3 gadgets?\n", sender="bea@gmail.com", name="Bea Beispiel")
        (w1,), (w2,) = w.sent("ada@shop.example"), w.sent("bea@gmail.com")
        w.lead(sender="ada@shop.example", **answer(w1, "Do you deliver?\n"))
        (c1,) = w.sent("tom@example.com")
        w.rep(**answer(c1, "We do.\n"))
        (r1,) = [m for m in w.sent("ada@shop.example") if m["Message-ID"] != w1["Message-ID"]]
        w.places = {}
        for name, m in (("W1", w1), ("W2", w2), ("C1", c1), ("R1", r1)):
            reply = reply_to(m)
            broken = reply[:-14] + ("b" if reply[-14] == "a" else "a") + reply[-13:]
            w.places.update({"%s.%s" % (name, k): v for k, v in (
                ("id", m["Message-ID"]), ("subject", m["Subject"]), ("reply", reply),
                ("REPLY", reply.upper()), ("broken", broken))})
        yield w


def known(w, to):
    return {m["Message-ID"] for m in w.sent(to)}


@pytest.mark.parametrize("name", corpus.names("thread"))
def test_a_mail_is_filed_where_it_belongs(world, name):
    want = corpus.expected("thread", name)
    with open(corpus.eml("thread", name), encoding="utf-8") as f:
        raw = re.sub(r"\{(\w+\.\w+)\}", lambda m: world.places[m.group(1)], f.read()).encode()
    if b"X-Test-Proven" in raw:
        raw = trusted("tom@example.com") + raw
    owner, customer = known(world, "tom@example.com"), known(world, "ada@shop.example")
    world.d.ctl("clock", "advance", "10m")  # no ladder stands in the way
    mark = world.d.mark()
    world.put(raw)
    record, new = world.d.wait_log(r"mail\.filed .*record=(\S+) new=(\d)", after=mark).groups()
    assert ("new" if new == "1" else record) == want["record"]
    if "owner_hears" in want:
        assert known(world, "tom@example.com") - owner
    got = [m.get_content().strip() for m in world.sent("ada@shop.example")
           if m["Message-ID"] not in customer]
    assert got == ([want["customer_gets"]] if want.get("customer_gets") else [])
