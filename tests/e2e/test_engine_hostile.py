# SPDX-License-Identifier: ISC
"""The engine alone, with peers that lie: none of them may stop it, and nothing
that left may leave twice."""
import json
import os
import socket
import sqlite3
import struct
import time

import pytest

from roles import TYPES, Channel, Closed, Role

SETTINGS = {
    "company": "Example Widgets", "domain": "example.com", "address": "sales@example.com",
    "default_owner": "mia", "default_country": "AT", "currency": "EUR", "time_zone": "UTC",
    "reply_address": "plus", "subject_tag": False, "undo_window": 0, "on_unknown": "ask",
    "mail_size": 1 << 20,
}
WELCOME = "Subject: Your request\n\nHello.\n"
INTAKE, BODY = "intake:sales", b"From: a@b.example\r\n\r\nHello\r\n"


def rule(name, on, *do):
    return {"name": name, "at": "r.conf:1", "on": {"text": on, "at": "r.conf:1", "col": 1},
            "when": [], "do": [{"text": t, "at": "r.conf:2", "col": 1} for t in do],
            "stop": "rule"}


def config(path, rules=()):
    return {
        "settings": dict(SETTINGS, state_dir=str(path), run_dir=str(path)), "warnings": [],
        "run_as": "", "store": {"driver": "sqlite", "path": str(path / "leadd.db")},
        "mailboxes": {"sales": {"type": "imap", "creates": "lead", "automate_within": 0,
                                "at": "x:1"}},
        "relays": [{"name": "main", "type": "smtp", "at": "x:1"}],
        "forms": {"contact": {"fields": {"email": {"to": "contact.email", "at": "x:1"}},
                              "required": ["email"], "source": "web", "creates": "lead",
                              "origins": [], "at": "x:1"}},
        "teams": {}, "users": {"mia": {"name": "Mia", "email": "mia@example.com",
                                       "role": "admin", "addresses": [], "at": "x:1"}},
        "stages": ["new", "won", "lost"],
        "fields": {k: {} for k in ("lead", "contact", "company", "deal", "case")},
        "rules": list(rules), "tables": {}, "pools": {},
        "templates": {"welcome": {"text": WELCOME, "path": "welcome.txt"}},
    }


def engine(path, rules=()):
    return Role("engine", {k: v for k, v in config(path, rules).items() if v != ""})


def message(sender="ada@shop.example", **more):
    m = {"channel": "email", "message_id": "m%d@x" % time.monotonic_ns(), "kind": "person",
         "from": {"address": sender, "folded": sender, "name": "Ada"}, "to": [], "cc": [],
         "reply_to": [], "in_reply_to": [], "references": [], "subject": "Widgets",
         "text": "Hello", "reply": "Hello", "attachments": [], "defects": [],
         "auto": {"suppress": False}}
    m.update(more)
    return {"message": m}


class Peers:
    """The engine's supervisor, one intake and one parser."""

    def __init__(self, role):
        self.role, self.uid, self.gen = role, 0, 0
        self.intake = role.peer(INTAKE)
        self.new_parser()
        ready = role.start()
        assert "error" not in ready.json, ready.json

    def new_parser(self):
        self.gen += 1
        self.parser = self.role.peer("parser", str(self.gen))

    def mail(self, parsed=None, **more):
        self.uid += 1
        self.intake.send("MAIL", self.uid, dict({"folder": "INBOX", "uidvalidity": 7,
                                                 "uid": self.uid, "internal_ms": 1, "size": 9},
                                                **more), raw=BODY)
        if parsed is not None:
            ask = self.parser.recv("PARSE")
            self.parser.send("PARSED", ask.id, parsed)
        return self.uid

    def receipt(self, id_):
        return self.intake.recv("RECEIPT", where=lambda f: f.id == id_).json["status"]


def outbox(path):
    db = sqlite3.connect("file:%s/leadd.db?mode=ro" % path, uri=True)
    rows = db.execute("SELECT to_addr, state, reply FROM outbox ORDER BY id").fetchall()
    db.close()
    return rows


def test_poison_in_a_frame_without_a_place_holds_up_nobody(tmp_path):
    with engine(tmp_path) as role:
        p = Peers(role)
        bad = p.mail(uid=0)
        p.parser.recv("PARSE")
        p.parser.close()  # it died of it
        p.new_parser()
        assert p.receipt(bad) == "ignored"
        assert p.receipt(p.mail(message())) == "filed"


def test_a_parser_that_is_told_to_end_makes_no_mail_suspect(tmp_path):
    with engine(tmp_path) as role:
        p = Peers(role)
        a, b = p.mail(), p.mail()
        p.parser.recv("PARSE")
        p.parser.send("HELLO", 0, {"leaving": True})
        p.parser.close()
        p.new_parser()
        for id_ in (a, b):
            p.parser.send("PARSED", p.parser.recv("PARSE").id, message())
            assert p.receipt(id_) == "filed"


def test_a_parser_that_always_says_it_leaves_is_not_believed_for_ever(tmp_path):
    with engine(tmp_path) as role:
        p = Peers(role)
        poison = p.mail()
        for _ in range(6):
            p.parser.recv("PARSE")
            p.parser.send("HELLO", 0, {"leaving": True})
            p.parser.close()
            p.new_parser()
        assert p.receipt(poison) == "quarantined"


def test_a_form_without_a_request_id_undoes_nothing_of_others(tmp_path):
    with engine(tmp_path) as role:
        p = Peers(role)
        web = role.peer("web-in")
        web.send("FORM", 1, {"form": "contact", "request_id": "",
                             "fields": {"email": "ada@shop.example"}})
        assert web.recv("FORM_DONE").json["status"] == "invalid"


def test_numbers_that_grow_when_written_again_do_not_end_the_engine(tmp_path):
    with engine(tmp_path) as role:
        p = Peers(role)
        head = {"folder": "INBOX", "uidvalidity": 7, "uid": 1, "size": 9, "truncated": True}
        text = json.dumps(head)[:-1] + ', "parts": [' + ",".join(["9e9"] * 900000) + "]}"
        data = text.encode()
        p.intake.sock.sendall(struct.pack("=IHHQII", 20 + len(data) + len(BODY), TYPES["MAIL"], 0,
                                          1, len(data), len(BODY)) + data + BODY)
        p.uid = 1
        ask = p.parser.recv("PARSE")
        p.parser.send("PARSED", ask.id, message())
        assert p.receipt(1) == "filed"


def test_a_role_that_breaks_the_format_is_replaced(tmp_path):
    with engine(tmp_path) as role:
        p = Peers(role)
        p.parser.sock.sendall(b"\xff" * 64)
        f = role.sup.recv("REPLACE_PEER")
        assert (f.json["name"], f.json["gen"]) == ("parser", "1")
        with pytest.raises(Closed):
            p.parser.recv(timeout=120)
        p.new_parser()
        assert p.receipt(p.mail(message())) == "filed"
        p.intake.close()  # who goes by himself is the supervisor's business
        with pytest.raises(TimeoutError):
            role.sup.recv("REPLACE_PEER", timeout=0.5)


WELCOME_RULE = rule("welcome", "lead.created", "send welcome")


def test_a_slot_without_notes_means_unknown_and_never_once_more(tmp_path):
    """Engine and courier died together after the mail had left."""
    with engine(tmp_path, [WELCOME_RULE]) as role:
        p = Peers(role)
        courier = role.peer("courier", "courier.1.1")
        courier.send("HELLO", 0, {"busy": []})
        slots = courier.recv("SLOTS")
        assert p.receipt(p.mail(message())) == "filed"
        sent = courier.recv("SEND", where=lambda f: f.json["to"] == "ada@shop.example")
        at = 64 + 32 * sent.json["slot"]
        assert struct.unpack("=QII", os.pread(slots.fd, 16, at)) == (sent.id, 1, 1)
        os.pwrite(slots.fd, struct.pack("=I", 0), at + 12)
        role.proc.kill()
        role.proc.wait()
    with engine(tmp_path, [WELCOME_RULE]) as role:
        p = Peers(role)
        p.uid = 1
        courier = role.peer("courier", "courier.2.2")
        courier.send("HELLO", 0, {"busy": []})
        p.receipt(p.mail(message("bob@shop.example")))
        courier.recv("SEND", where=lambda f: f.json["to"] == "bob@shop.example")
    assert outbox(tmp_path)[0][1] == "unknown"


def test_the_slot_is_free_when_the_receipt_is_there(tmp_path):
    with engine(tmp_path, [WELCOME_RULE]) as role:
        p = Peers(role)
        courier = role.peer("courier", "courier.1.1")
        courier.send("HELLO", 0, {"busy": []})
        slots = courier.recv("SLOTS")
        p.receipt(p.mail(message()))
        sent = courier.recv("SEND", where=lambda f: f.json["to"] == "ada@shop.example")
        courier.send("SENT", sent.id, {"outcome": "accepted", "code": 250, "text": "ok"})
        courier.recv("RECEIPT")
        assert os.pread(slots.fd, 4, 64 + 32 * sent.json["slot"] + 12) == b"\0\0\0\0"
    assert outbox(tmp_path)[0][1] == "sent"


def test_a_row_whose_mail_was_never_written_stops_no_other(tmp_path):
    with engine(tmp_path, [WELCOME_RULE]) as role:
        p = Peers(role)
        assert p.receipt(p.mail(message())) == "filed"
        db = sqlite3.connect(str(tmp_path / "leadd.db"), timeout=120)
        with db:
            db.execute("DELETE FROM outbox_body")
        db.close()
        courier = role.peer("courier", "courier.1.1")
        courier.send("HELLO", 0, {"busy": []})
        p.receipt(p.mail(message("bob@shop.example")))
        courier.recv("SEND", where=lambda f: f.json["to"] == "bob@shop.example")
    assert outbox(tmp_path)[0][1] == "failed"


AUTO_RULES = [rule("answer", "message.received", "send welcome", "send welcome to owner")]


@pytest.mark.parametrize("more", [
    {"kind": "auto_reply", "auto": {"suppress": True, "why": "Auto-Submitted"}},
    {"kind": "list", "auto": {"suppress": True, "why": "List-Id", "list_id": "<x.other.example>"}},
    {"kind": "person", "auto": {"suppress": True, "why": "X-Loop"}},
    {"kind": "bounce", "auto": {"suppress": True, "why": "Content-Type"}},
])
def test_what_a_machine_wrote_is_never_answered(tmp_path, more):
    with engine(tmp_path, AUTO_RULES) as role:
        p = Peers(role)
        assert p.receipt(p.mail(message())) == "filed"
        assert len([r for r in outbox(tmp_path) if r[0] == "ada@shop.example"]) == 1
        p.receipt(p.mail(message(**more)))
    rows = outbox(tmp_path)
    assert len([r for r in rows if r[0] == "ada@shop.example"]) == 1


@pytest.mark.parametrize("sender", ["noreply@shop.example", "mailer-daemon@shop.example",
                                    "bounces+17@shop.example"])
def test_no_follow_up_goes_to_an_address_nobody_reads(tmp_path, sender):
    with engine(tmp_path, AUTO_RULES) as role:
        p = Peers(role)
        assert p.receipt(p.mail(message(sender))) == "filed"
    assert [r for r in outbox(tmp_path) if r[0] == sender] == []


def test_an_answer_larger_than_a_frame_is_an_error_and_not_the_end(tmp_path):
    with engine(tmp_path) as role:
        path = str(tmp_path / "ctl")
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(path)
        listener.listen()
        role.listen("ctl", listener)
        p = Peers(role)
        assert p.receipt(p.mail(message())) == "filed"
        db = sqlite3.connect(str(tmp_path / "leadd.db"), timeout=120)
        with db:
            names = [c[1] for c in db.execute("PRAGMA table_info(activity)") if c[1] != "id"]
            db.execute("UPDATE activity SET text = ?", ("x" * 2000,))
            for _ in range(12):
                db.execute("INSERT INTO activity (%s) SELECT %s FROM activity"
                           % (", ".join(names), ", ".join(names)))
        db.close()
        sock = socket.socket(socket.AF_UNIX)
        sock.connect(path)
        ctl = Channel(sock)
        ctl.send("CTL", 1, {"argv": ["list", "activities", "limit=10000"]})
        done = ctl.recv("CTL_DONE").json
        assert done["exit"] != 0 and "limit=" in done["error"]
        assert p.receipt(p.mail(message())) == "filed"
