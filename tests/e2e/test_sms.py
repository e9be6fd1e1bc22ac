# SPDX-License-Identifier: ISC
"""SMS that comes in: who may be texted, threads by number pair, commands and conversations."""
import company
from daemon import CtlError, Daemon
import pytest


def start(settings="", rules=company.RULES, **more):
    return Daemon(company.conf(settings=settings), files=company.files(rules), **more)


def fields(d, *argv):
    return dict(d.ctl(*argv)["fields"])


def said(d, who):
    """The rows of the ledger, newest first: consent, for, source, words, proof."""
    (section,) = d.ctl("consent", "show", who)["sections"]
    return [(r["consent"], r["sender"], r["source"], r["words"], r["proof"])
            for r in section["rows"]]


def test_the_ledger_of_consent_tells_what_was_said_and_undo_is_in_it():
    with start() as d:
        assert fields(d, "consent", "show", "+43 660 1234567") == {"+436601234567": "nothing was said"}
        d.ctl("consent", "withdraw", "+436601234567", "asked", "by", "phone")
        assert fields(d, "consent", "show", "+436601234567") == {"+436601234567": "withdrawn"}
        d.ctl("consent", "grant", "+436601234567", "called", "again")
        assert fields(d, "consent", "show", "+436601234567") == {"+436601234567": "granted"}
        got = said(d, "+436601234567")
        assert [g[0] for g in got] == ["granted", "withdrawn"]
        assert got[0][2].startswith("operator ") and got[0][3] == "called again"
        # one source of truth: the address of a contact's mail is in the same ledger
        d.ingest(company.mail())
        d.wait_log(r"mail\.filed")
        d.ctl("do", "C1", "optout", "asked at the fair")
        assert fields(d, "consent", "show", "C1") == {"ada@shop.example": "withdrawn"}
        d.ctl("undo", "C1")
        assert fields(d, "consent", "show", "C1") == {"ada@shop.example": "granted"}
        assert [g[0] for g in said(d, "ada@shop.example")] == ["granted", "withdrawn"]


def test_what_is_no_address_is_refused():
    with start() as d:
        with pytest.raises(CtlError, match="no phone number, email address or contact"):
            d.ctl("consent", "show", "nonsense")
        with pytest.raises(CtlError, match="expected show"):
            d.ctl("consent", "drop", "C1")
