# SPDX-License-Identifier: ISC
"""Random texts by contacts, by reps with and without codes and PINs, and by strangers: nothing
internal ever stands in a text to somebody outside, and every answer that was told as sent went
to whom it was for.

Every internal word carries a marker. LEADD_LEAK_STEPS and LEADD_LEAK_SEED make it longer and
other.
"""
import os
import random
import re

from test_sms_in import ADA, BOB, EVA, TOM, ask, sent, text, texting

STEPS = int(os.environ.get("LEADD_LEAK_STEPS", "40"))
SEED = int(os.environ.get("LEADD_LEAK_SEED", "11"))
CONTACTS = [ADA, BOB, "+4915112345678"]
MARK = "M4RK"
PRIVATE = [MARK, TOM, EVA, TOM[4:], EVA[4:], "1234 "]
VERBS = ["note", "NOTE", "#note", "Note:", "tag", "#tag", "find", "#find", "show", "why", "snooze", "won",
         "lost", "task", "undo", "send", "assign", "", "priority", "nonsense", "help"]


class Play:
    def __init__(self, d, rng):
        self.d, self.rng, self.n, self.steps = d, rng, 0, 0
        self.leads = {}    # contact -> its record
        self.codes = []    # (code, contact) that Eva was told
        self.must = []     # (contact, words)
        self.told = 0

    def word(self, mark=""):
        self.n += 1
        return "%sword%d%s" % (mark, self.n, self.rng.choice(("blue", "green", "red")))

    def look(self):
        for m in self.d.peer.messages:
            if m.to in (TOM, EVA):
                continue
            assert m.to in CONTACTS, m
            for private in PRIVATE:
                assert private not in m.text, (private, m)

    # ---- who texts what ----

    def contact_texts(self):
        who = self.rng.choice(CONTACTS)
        had = len([m for m in self.d.peer.messages if m.to == EVA])
        new = who not in self.leads
        assert text(self.d, who, ("eva, " if new else "") + self.word()) == 200
        if new:
            self.leads[who] = "L%d" % (len(self.leads) + 1)
            return
        told = sent(self.d, EVA, had + 1)[had]
        code = re.search(r"To answer: (\d{4})", told)
        if code:
            self.codes.append((code.group(1), who))

    def rep_says_something_inside(self):
        rng = self.rng
        parts = [rng.choice(VERBS), rng.choice(["", "L1", "L2", "l1", "L1:", "C1", "L99"]),
                 self.word(MARK + " ") + rng.choice(["", ".", "\nL1: " + MARK, "\n#note " + MARK])]
        if rng.random() < 0.3:
            parts[0], parts[1] = parts[1], parts[0]
        words = rng.choice([" ", "  ", " ", "\n"]).join(p for p in parts if p)
        ask(self.d, rng.choice([TOM, EVA]), words)

    def rep_uses_a_pin(self):
        verb = self.rng.choice(["note L1", "tag L1", "L1 note", "task L1"])
        ask(self.d, TOM, "1234 %s %s" % (verb, self.word(MARK)))

    def rep_is_wrong(self):
        kind = self.rng.choice(["code of nobody", "code of another", "no code"])
        if kind == "code of nobody":
            ask(self.d, TOM, "99999 note L1 " + self.word(MARK))
        elif kind == "code of another" and self.codes:
            ask(self.d, TOM, "%s %s" % (self.rng.choice(self.codes)[0], self.word(MARK)))
        else:
            ask(self.d, EVA, self.word(MARK))

    def rep_answers(self):
        if not self.codes:
            return
        code, who = self.codes.pop()
        words = self.word()
        if "Sent" in ask(self.d, EVA, "%s %s" % (code, words)):
            self.told += 1
            self.must.append((who, words))
            # the code stays good for that contact, and carries no command
            ask(self.d, EVA, "%s #note %s" % (code, self.word(MARK)))

    def rep_writes_to_a_record(self):
        """Words for a contact go with a proof, and to the contact of that record."""
        if not self.leads:
            return
        who = self.rng.choice(list(self.leads))
        words = self.word()
        answer = ask(self.d, EVA, "%s: %s" % (self.leads[who], words))
        proof = re.match(r"Reply (\d{4}) within", answer)
        if proof and "Sent" in ask(self.d, EVA, proof.group(1)):
            self.told += 1
            self.must.append((who, words))

    def step(self):
        # Pretended time stands still by itself: the gateway takes ten texts a second, and a
        # user gets ten codes an hour; what is more waits, or is not answered.
        self.steps += 1
        self.d.ctl("clock", "advance", "19h" if self.steps % 50 == 0 else "6m")
        self.rng.choices([self.contact_texts, self.rep_says_something_inside, self.rep_uses_a_pin,
                          self.rep_is_wrong, self.rep_answers, self.rep_writes_to_a_record],
                         [5, 6, 1, 1, 4, 3])[0]()
        self.look()


def test_nothing_internal_leaves_and_what_was_sent_arrives():
    with texting() as d:
        p = Play(d, random.Random(SEED))
        for _ in range(STEPS):
            p.step()
        d.ctl("clock", "advance", "30m")
        p.look()
        for who, words in p.must:
            assert any(words in m.text for m in d.peer.messages if m.to == who), (who, words)
            assert not any(words in m.text for m in d.peer.messages if m.to in CONTACTS and m.to != who)
        assert p.told >= STEPS // 20, "nothing was answered: the play says nothing"
