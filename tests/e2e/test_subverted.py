# SPDX-License-Identifier: ISC
"""A mail that kills the parser, and processes that somebody has taken over (test
builds): the mail is quarantined with a reason that tells which, the next one is
filed, and what a subverted role claims is not believed."""
import re
import time

import pytest

import company
from daemon import Daemon, until
from test_engine_hostile import BODY, INTAKE, Peers, engine, message
from test_sandbox import hooks, sanitized

needs_hooks = pytest.mark.skipif(not hooks(), reason="needs --enable-test-hooks")


def start(hook="parser.misbehave,parse.short"):
    return Daemon(company.conf(), company.files(), env={"LEADD_HOOKS": hook})


def deliver(d, name, **headers):
    company.deliver(d.dir + "/inbox", name, company.mail(sender=name + "@shop.example",
                                                         subject=name, **headers))


def quarantine(d):
    return [r["reason"] for r in d.ctl("quarantine", "list")["rows"]]


def filed(d):
    return {f[0]: f[1] for f in d.ctl("status")["fields"]}["filed"]


POISON = {"abort": "signal 6", "crash": "exit 1|signal 11", "exit": "exit 3",
          "spin": "out of time after [0-9]+ ms of processor time",
          "memory": "out of memory" if not sanitized() else "exit 1|out of memory",
          "call": "signal 31: the sandbox does not allow that call", "close": "signal 9"}


if sanitized():  # their reports are mistakes of leadd's everywhere else
    del POISON["crash"], POISON["memory"]


@needs_hooks
@pytest.mark.parametrize("how", sorted(POISON))
def test_a_mail_that_kills_the_parser_is_quarantined_and_the_next_one_filed(how):
    with start() as d:
        parser = d.pid("parser")
        deliver(d, "before")
        until(lambda: filed(d) == 1)
        deliver(d, "poison", X_Test_Poison=how)
        until(lambda: quarantine(d) or d.pid("parser") != parser)  # it is at it, or past it
        for n in range(3):
            deliver(d, "after%d" % n)
        until(lambda: filed(d) == 4)
        until(lambda: quarantine(d))
        reasons = quarantine(d)
        assert len(reasons) == 1 and re.search(POISON[how], reasons[0]), reasons
        assert d.pid("parser") != parser
        assert filed(d) == 4
        assert not re.search("role.died role=(?!parser)", d.log())


@needs_hooks
def test_a_mail_in_quarantine_can_be_tried_again_and_kills_nobody_else():
    with start() as d:
        deliver(d, "poison", X_Test_Poison="abort")
        until(lambda: quarantine(d))
        q = d.ctl("quarantine", "list")["rows"][0]["q"]
        old = d.pid("parser")
        d.ctl("quarantine", "retry", q)
        until(lambda: d.ctl("quarantine", "list")["rows"][0]["attempts"] > 1)
        assert d.pid("parser") != old and len(quarantine(d)) == 1


@needs_hooks
@pytest.mark.parametrize("lie", ["auth", "keys", "twice", "early", "frames"])
def test_lies_of_the_parser_are_not_believed_and_stop_nothing(lie):
    with start() as d:
        for n in range(5):
            deliver(d, "one%d" % n)
        deliver(d, "liar", X_Test_Lie=lie)
        for n in range(5):
            deliver(d, "two%d" % n)
        until(lambda: filed(d) == 11)
        leads = d.ctl("list", "leads")["rows"]
        assert len(leads) == 11
        subjects = {d.ctl("show", r["id"]) and r["id"] for r in leads}
        assert len(subjects) == 11
        assert quarantine(d) == []
        assert re.search("parser.odd unknown_keys=(12|20000)" if lie in ("auth", "keys") else
                         "peer.frame_refused peer=parser", d.log())
        # what was claimed is nowhere: not with the message, not in the ledger
        for r in leads:
            text = d.ctl_text("show", r["id"])
            assert "proven" not in text and "key77" not in text
        assert not re.search("role.died", d.log())


@needs_hooks
def test_a_form_of_other_kinds_is_no_message():
    with start() as d:
        deliver(d, "liar", X_Test_Lie="types")
        until(lambda: quarantine(d))
        assert quarantine(d) == ['the parser gave no proper "from"']


@needs_hooks
def test_a_parser_that_floods_is_replaced():
    with start() as d:
        old = d.pid("parser")
        deliver(d, "liar", X_Test_Lie="flood")
        until(lambda: d.pid("parser") != old)
        deliver(d, "next")
        until(lambda: filed(d) == 1 or filed(d) == 2)
        assert d.log().count("peer.frame_refused") <= 30


# ---- an intake that somebody has taken over: the engine's side of it ----

def counts(p):
    p.parser.send("PARSED", p.parser.recv("PARSE").id, message())


def test_an_intake_names_no_other_folder_and_no_other_mailbox(tmp_path):
    with engine(tmp_path) as role:
        p = Peers(role)
        p.mail(message(), folder="Archive")
        p.mail(message(), folder="../other/INBOX", mailbox="other", peer="intake:other",
               name="x", source="imap:other/INBOX")
        good = p.mail(message())
        assert p.receipt(good) == "filed"  # and the others got none: their sender keeps them
        with pytest.raises(TimeoutError):
            p.intake.recv("RECEIPT", timeout=0.3)
        p.intake.send("FOLDER", 900, {"folder": "Archive", "uidvalidity": 9, "start_uid": 1})
        p.intake.send("MATCH", 901, {"folder": "Archive", "uidvalidity": 9, "items": []})
        p.intake.send("HELLO", 0, {})
        cursors = p.intake.recv("CURSORS").json["folders"]
        assert "Archive" not in cursors


def test_an_intake_sends_nothing_that_is_not_its_to_send(tmp_path):
    with engine(tmp_path) as role:
        p = Peers(role)
        for n, type_ in enumerate(("FORM", "SENT", "STATS", "RECEIPT", "CTL", "PARSED", "SEND", "PARSE",
                                   "CONFIG", "PEER", "STOP", "SLOTS", "CURSORS", "RELOAD_DONE")):
            p.intake.send(type_, n + 1, {"form": "contact", "request_id": "x%d" % n, "status": "filed",
                                         "fields": {"email": "eve@shop.example"}, "name": "parser",
                                         "argv": ["lead", "add"], "outcome": "accepted"})
        assert p.receipt(p.mail(message())) == "filed"
        with pytest.raises(TimeoutError):
            p.intake.recv("FORM_DONE", "CTL_DONE", "STATS_DONE", "SENT", timeout=0.3)


def test_who_sends_too_much_of_it_is_replaced(tmp_path):
    with engine(tmp_path) as role:
        p = Peers(role)
        for n in range(100):
            p.intake.send("STATS", n, {})
        assert role.sup.recv("REPLACE_PEER").json["name"] == INTAKE
        p.intake = role.peer(INTAKE, "2")
        assert p.receipt(p.mail(message())) == "filed"


def ctl_client(role, path):
    import socket
    from roles import Channel
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(path))
    listener.listen()
    role.listen("ctl", listener)

    def connect():
        sock = socket.socket(socket.AF_UNIX)
        sock.connect(str(path))
        return Channel(sock)
    return connect


def test_an_answer_counts_once_and_only_from_who_was_asked(tmp_path):
    with engine(tmp_path) as role:
        connect = ctl_client(role, tmp_path / "ctl")
        p = Peers(role)
        other = role.peer("intake:other", "o1")
        assert p.receipt(p.mail(message())) == "filed"
        ctl = connect()
        ctl.send("CTL", 5, {"argv": ["reconcile", "sales"]})
        ask = p.intake.recv("LIST")
        lie = {"folders": [{"folder": "INBOX", "uidvalidity": 7, "uids": "1:900"}]}
        for id_ in range(ask.id - 1, ask.id + 3):  # guessed: nobody asked this one
            other.send("LISTED", id_, lie)
            other.send("PREVIEWED", id_, lie)
            p.intake.send("PREVIEWED", id_, lie)  # asked, but not this
        with pytest.raises(TimeoutError):
            ctl.recv("CTL_DONE", timeout=0.5)
        p.intake.send("LISTED", ask.id, {"folders": [{"folder": "INBOX", "uidvalidity": 7,
                                                      "uids": "1"}]})
        p.intake.send("LISTED", ask.id, lie)
        done = ctl.recv("CTL_DONE").json
        assert (done["exit"], [r["there"] for r in done["data"]["rows"]]) == (0, [1])
        # an intake does not speak for the supervisor either
        ctl.send("CTL", 6, {"argv": ["status"]})
        asked = role.sup.recv("LIST_PROCESSES")
        p.intake.send("LISTED", asked.id, {"processes": [{"name": "engine", "user": "root"}]})
        with pytest.raises(TimeoutError):
            ctl.recv("CTL_DONE", timeout=0.5)
        role.sup.send("PROCESSES", asked.id, {"processes": []})
        assert ctl.recv("CTL_DONE").json["exit"] == 0


def test_a_list_too_long_to_be_true_does_not_hold_up_the_engine(tmp_path):
    with engine(tmp_path) as role:
        connect = ctl_client(role, tmp_path / "ctl")
        p = Peers(role)
        ctl = connect()
        ctl.send("CTL", 5, {"argv": ["reconcile", "sales"]})
        ask = p.intake.recv("LIST")
        p.intake.send("LISTED", ask.id, {"folders": [
            {"folder": "INBOX", "uidvalidity": 7, "uids": ",".join(["1:4294967295"] * 1000)},
            "no folder", 7, None, {"folder": 3, "uids": []}]})
        start = time.monotonic()
        assert "too long" in ctl.recv("CTL_DONE", timeout=120).json["data"]["rows"][0]["note"]
        print("reconcile of a lie: %.1f s" % (time.monotonic() - start))
        assert p.receipt(p.mail(message())) == "filed"


# ---- web-in and courier ----

def test_a_web_in_that_names_other_forms_or_nonsense_gets_nothing_done(tmp_path):
    with engine(tmp_path) as role:
        p = Peers(role)
        web = role.peer("web-in", "w1")
        for n, (form, fields) in enumerate((("other", {"email": "a@b.example"}), ("", {}),
                                            ("contact", 7),
                                            ("../contact", {"email": "a@b.example"}))):
            web.send("FORM", n + 1, {"form": form, "request_id": "r%d" % n, "fields": fields})
            assert web.recv("FORM_DONE").json["status"] in ("invalid", "quarantined")
        for type_ in ("MAIL", "SENT", "CTL", "PARSED", "FOLDER", "INTAKE_STATE", "LISTED"):
            web.send(type_, 50, {"folder": "INBOX", "uidvalidity": 7, "uid": 1, "state": "idle",
                                 "argv": ["status"]}, raw=BODY)
        web.send("FORM", 99, {"form": "contact", "request_id": "good",
                              "fields": {"email": "ada@shop.example"}})
        assert web.recv("FORM_DONE").json["status"] == "ok"
        assert p.receipt(p.mail(message())) == "filed"


def test_a_courier_tells_nothing_of_mails_it_was_not_given(tmp_path):
    from test_engine_hostile import WELCOME_RULE, outbox
    with engine(tmp_path, [WELCOME_RULE]) as role:
        p = Peers(role)
        assert p.receipt(p.mail(message())) == "filed"
        liar = role.peer("courier", "courier.9.9")
        for id_ in range(5):  # before it was given any; only row 1 is there at all
            liar.send("SENT", id_, {"outcome": "accepted", "code": 250, "text": "ok"})
        liar.recv("RECEIPT", where=lambda f: f.id == 1)
        states = [row[1] for row in outbox(tmp_path)]
        assert states and set(states) == {"ready"}
        liar.send("HELLO", 0, {"busy": ["x", {}, -1]})
        given = liar.recv("SEND", where=lambda f: f.json["to"] == "ada@shop.example")
        second = role.peer("courier", "courier.10.10")  # knows nothing of the first one's mails
        second.send("HELLO", 0, {"busy": [given.id]})
        second.send("SENT", given.id, {"outcome": "failed", "code": 550, "text": "no"})
        second.recv("RECEIPT", where=lambda f: f.id == given.id)
        assert "failed" not in [row[1] for row in outbox(tmp_path)]
        liar.send("SENT", given.id, {"outcome": "accepted", "code": 250, "text": "ok"})
        liar.recv("RECEIPT", where=lambda f: f.id == given.id)
        assert [row[1] for row in outbox(tmp_path)].count("sent") == 1
