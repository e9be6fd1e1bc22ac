# SPDX-License-Identifier: ISC
"""What the engine keeps so that a role, or itself, may die at any time: the
cursor stays below every mail that has no row."""
import os

from roles import Role
from test_engine_hostile import INTAKE, Peers, config, message

DROP = b"From: a@b.example\r\n\r\ndrop me\r\n"


def engine(path, **env):
    return Role("engine", {k: v for k, v in config(path).items() if v != ""}, env=env)


def first_contact(p):
    p.intake.send("FOLDER", 1000, {"folder": "INBOX", "uidvalidity": 7, "uidnext": 1,
                                   "start_uid": 1})
    assert p.receipt(1000) == "filed"


def cursor(role):
    """As a new intake hears it."""
    intake = role.peer(INTAKE, os.urandom(4).hex())
    intake.send("HELLO", 0, {})
    return intake.recv("CURSORS").json["folders"]["INBOX"]["last_uid"]


def test_a_mail_fetched_on_request_does_not_move_the_cursor_over_others(tmp_path):
    with engine(tmp_path) as role:
        p = Peers(role)
        first_contact(p)
        assert p.receipt(p.mail(message())) == "filed"
        assert cursor(role) == 1
        p = Peers.__new__(Peers)
        p.role, p.uid, p.gen = role, 49, 1
        p.intake = role.peer(INTAKE, "later")
        p.new_parser()
        assert p.receipt(p.mail(message(), again=True)) == "filed"
        assert cursor(role) == 1


def test_a_mail_that_gets_neither_row_nor_receipt_is_fetched_again(tmp_path):
    with engine(tmp_path, LEADD_HOOKS="engine.drop") as role:
        p = Peers(role)
        first_contact(p)
        assert p.receipt(p.mail(message())) == "filed"
        p.uid += 1
        p.intake.send("MAIL", p.uid, {"folder": "INBOX", "uidvalidity": 7, "uid": p.uid,
                                      "internal_ms": 1, "size": 9}, raw=DROP)
        p.parser.send("PARSED", p.parser.recv("PARSE").id, message())
        assert p.receipt(p.mail(message())) == "filed"  # it holds up nobody
        assert cursor(role) == 1
    with engine(tmp_path) as role:  # the next one can file it
        p = Peers(role)
        p.uid = 1
        assert p.receipt(p.mail(message())) == "filed"
        assert cursor(role) == 2
        assert p.intake  # what came after it has its row
