# SPDX-License-Identifier: ISC
"""The spoofing corpus: mails that want to command and may not. None does, none is lost.

Each NAME.json says whom the mail is taken for ("user", null: a stranger), what the proof
is found to be ("how", "why": words of it), and whether commands are held. Words in % in a
mail are addresses of ours that somebody got hold of.
"""
import base64
import email.utils
import glob
import hashlib
import hmac
import json
import os
import re
import sqlite3

import pytest

import company
import corpus
from test_main_job import rows, wait_rows
from test_rep import lead, start

FOLDER = os.path.join(corpus.FOLDER, "spoof")
NAMES = sorted(os.path.basename(p)[:-4] for p in glob.glob(FOLDER + "/*.eml"))
OURS = {"tom@example.com", "mia@example.com", "eva@example.com"}


def want(name):
    with open(os.path.join(FOLDER, name + ".json"), encoding="utf-8") as f:
        return json.load(f)


def token(d, purpose, name):
    with open(d.state + "/secret.key", "rb") as f:
        key = f.read()
    mac = hmac.new(key, purpose.encode() + b"\0" + name.encode(), hashlib.sha256).digest()
    return base64.b32encode(mac[:10]).decode().lower()


def addresses(d):
    """What somebody might have found in mails of ours."""
    return {
        "THREAD": "sales+L1.%s@example.com" % token(d, "thread", "L1"),
        "CONVERSATION": "sales+L1.M1.%s@example.com" % token(d, "conversation", "L1.M1"),
        "NOTICE": "sales+note.L1.%s@example.com" % token(d, "notice", "L1"),
        "NOTICE_TAG": "[note L1-%s]" % token(d, "notice", "L1")[:4],
        "CONFIRM": "sales+ok.H1.%s@example.com" % token(d, "confirm", "H1"),
        "DROPBOX": d.ctl("address", "dropbox")["address"],
        "DROPBOX_TOM": d.ctl("address", "dropbox", "tom")["address"],
        "SECRET_EVA": d.ctl("address", "secret", "eva")["address"],
        "SECRET_TOM": d.ctl("address", "secret", "tom")["address"],
    }


class Siege:
    """A company with one lead of tom's, to which all of them came."""

    def __init__(self, d):
        self.d = d
        lead(d)
        self.states = [self.state()]
        self.proofs, self.known = {}, addresses(d)
        for proven in (False, True):
            self.deliver([n for n in NAMES if (want(n).get("how") == "auth") == proven])
            self.states.append(self.state())
        self.ledger = {r["key"]: r for r in rows(d, "ledger", "limit=1000")}
        self.held = {r["message"]: r for r in rows(d, "held", "list", "limit=1000")}

    def deliver(self, names):
        d = self.d
        for name in names:
            with open(os.path.join(FOLDER, name + ".eml"), "rb") as f:
                raw = re.sub(rb"%([A-Z_]+)%", lambda m: self.known[m.group(1).decode()].encode(), f.read())
            mark = d.mark()
            company.deliver(d.dir + "/inbox", name, raw)
            d.wait_log(r'mail\.(filed|same|ignored)|command\.answer|quarantined', after=mark)
            log = "\n".join(d.lines[mark:])
            m = re.search(r'mail\.proof message=(\S+) user=(\S+) how=(\S+) commands=(\S+) why="(.*)"', log)
            self.proofs[name] = m.groups() if m else None

    def state(self):
        """All that a command could have changed of the lead."""
        shown = {k: v for k, v in self.d.ctl("show", "L1")["fields"]}
        return {k: shown.get(k) for k in ("Status", "Tags", "Stage", "Owner", "Deal", "Score")}

    def commands(self):
        """Every command that the journal has of a person."""
        db = sqlite3.connect("file:%s/leadd.db?mode=ro" % self.d.state, uri=True)
        found = []
        for (body,) in db.execute("SELECT body FROM journal"):
            found += [c["line"] for c in json.loads(body).get("commands", []) if c["by"] == "user"]
        db.close()
        return found


@pytest.fixture(scope="module")
def siege():
    with start() as d:
        yield Siege(d)


def test_the_corpus_is_large_enough():
    assert len(NAMES) >= 108


@pytest.mark.parametrize("name", NAMES)
def test_it_is_read_as_what_it_is(siege, name):
    expected, proof = want(name), siege.proofs[name]
    row = siege.ledger[name]
    assert row["state"] in ("filed", "ignored"), row
    if expected["user"] is None:
        assert proof is None, proof
    else:
        assert proof[1:3] == (expected["user"], expected["how"]), proof
        assert expected["why"] in proof[4], proof
    message = row["message"]
    assert (message in siege.held) == expected["held"]
    assert b"Subject:" in siege.d.leadctl("show", message, "raw").stdout  # it can be found


def test_none_of_them_commanded_anything(siege):
    before, unproven, after = siege.states
    assert unproven == before
    after["Status"] = before["Status"]  # tom has written to the contact, that is so
    assert after == before
    assert not rows(siege.d, "list", "deals")
    wrong = [c for c in siege.commands() if re.match("tag|won|lost|stage|assign", c)]
    assert not wrong
    for r in rows(siege.d, "list", "leads"):
        shown = {k: v for k, v in siege.d.ctl("show", r["id"])["fields"]}
        assert not shown.get("Tags"), r


def test_no_mail_left_to_anybody_but_our_own(siege):
    out = rows(siege.d, "outbox", "list", "limit=1000")
    assert {r["to"] for r in out} <= OURS, out
    for m in company.sent(siege.d.dir):
        assert email.utils.parseaddr(m["To"])[1] in OURS and not m["Cc"] and not m["Bcc"]


def test_none_of_them_is_lost(siege):
    assert len(siege.ledger) == len(NAMES) + 1
    assert {r["state"] for r in siege.ledger.values()} <= {"filed", "ignored"}
    assert all(r["message"] for r in siege.ledger.values())
    found = siege.d.leadctl("reconcile")
    assert found.returncode == 0, found.stdout
