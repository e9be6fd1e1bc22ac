# SPDX-License-Identifier: ISC
"""An intake at servers that lie, stall, flood and race: it neither dies nor
waits for ever, and one bad message stops no other."""
import threading

import pytest

from imappeer import ImapPeer as Peer
from intakes import Intake, mail, number


def crlf(n, body="hello"):
    return mail(n, body).replace(b"\n", b"\r\n")


def mails(count):
    return {n: crlf(n) for n in range(1, count + 1)}


def alive(intake):
    assert intake.role.proc.poll() is None, "the role died"
    intake.role.sup.send("PING", 1)
    intake.role.sup.recv("PONG")


def test_uidnext_that_moved_without_mail_is_an_alarm():
    with Peer(mails(2)) as peer:
        with Intake(peer.mailbox(poll=200)) as intake:
            intake.state("idle")
            assert not intake.states or "alarm" not in intake.states[-1]["folders"][0]
            peer.uidnext = 8
            alarm = intake.alarm("UIDNEXT")
            assert "from 3 to 8" in alarm
            assert intake.numbers() == [1, 2]


def test_a_listed_mail_that_does_not_come_is_an_alarm():
    with Peer(mails(3)) as peer:
        def hide(s, tag, args):
            if "BODY.PEEK[]" not in args:
                return False
            raw = s.peer.mails
            s.send(b"".join(b"* %d FETCH (UID %d BODY[] {%d}\r\n%s)\r\n" % (u, u, len(raw[u]), raw[u])
                            for u in s.uids(args) if u != 2))
            s.ok(tag)
        peer.on("UID FETCH", hide)
        with Intake(peer.mailbox()) as intake:
            assert "UID 2" in intake.alarm("not delivered")
            assert intake.numbers() == [1, 3]


def poison(answer, want="BODY.PEEK[]"):
    """Breaks the answer about UID 2 only."""
    def handler(s, tag, args):
        if want not in args or 2 not in s.uids(args):
            return False
        answer(s, tag, args)
        return True
    return handler


HUGE = {
    "huge literal": lambda s, tag, args: s.send(b"* 2 FETCH (UID 2 BODY[] {4000000000}\r\nxxxx"),
    "not IMAP": lambda s, tag, args: s.send(b"* 2 FETCH (UID 2 BODY[] ?)\r\n%s OK\r\n"
                                            % tag.encode()),
    "more than it said": lambda s, tag, args: s.send(
        b"* 2 FETCH (UID 2 BODY[] {5000000}\r\n" + b"x" * 5000000),
}


@pytest.mark.parametrize("name", sorted(HUGE))
def test_a_mail_that_breaks_the_fetch_comes_as_headers_and_stops_no_other(name):
    with Peer(mails(4)) as peer:
        peer.on("UID FETCH", poison(HUGE[name]))
        with Intake(peer.mailbox()) as intake:
            intake.take(4, timeout=120)
            assert sorted(intake.numbers()) == [1, 2, 3, 4]
            assert [number(f) for f in intake.mails if f.json["truncated"]] == [2]
            alive(intake)


def test_a_mail_that_cannot_be_fetched_at_all_is_named_and_left():
    with Peer(mails(3)) as peer:
        peer.on("UID FETCH", poison(HUGE["huge literal"], "BODY"))
        with Intake(peer.mailbox()) as intake:
            assert "UID 2" in intake.alarm("left out", timeout=120)
            intake.take(2)
            assert intake.numbers() == [1, 3]


def test_deep_nesting_in_a_structure_does_not_reach_the_parser():
    with Peer({1: crlf(1), 2: crlf(2, "x" * 5000)}) as peer:
        peer.on("UID FETCH", poison(
            lambda s, tag, args: s.send(b"* 2 FETCH (UID 2 BODYSTRUCTURE " + b"(" * 500000),
            "BODYSTRUCTURE"))
        with Intake(peer.mailbox(mail_size=2000)) as intake:
            intake.take(2, timeout=120)
            assert sorted(intake.numbers()) == [1, 2]
            assert intake.mails[-1].json["parts"] == []
            alive(intake)


FLOODS = {
    "endless line": b"x" * 65536,
    "endless answers": b"* OK still busy\r\n" * 4096,
    "endless nothing": b"\r\n" * 32768,
}


@pytest.mark.parametrize("name", sorted(FLOODS))
def test_a_flood_is_cut(name):
    with Peer(mails(1)) as peer:
        def flood(s, tag, args):
            while True:
                s.send(FLOODS[name])
        peer.on("UID SEARCH", flood)
        with Intake(peer.mailbox()) as intake:
            state = intake.state("backoff", timeout=120)
            assert "the server sent" in state["error"]
            alive(intake)
            assert intake.role.stop() == 0


def test_a_flood_in_idle_is_cut():
    with Peer() as peer:
        def flood(s, tag, args):
            s.send(b"+ idling\r\n")
            while True:
                s.send(b"* OK still here\r\n" * 4096)
        peer.on("IDLE", flood)
        with Intake(peer.mailbox()) as intake:
            assert "more than was asked for" in intake.state("backoff")["error"]
            assert intake.role.stop() == 0


def test_a_trickling_server_is_left_at_the_deadline():
    with Peer(mails(1)) as peer:
        over = threading.Event()

        def trickle(s, tag, args):
            while not over.wait(0.05):
                s.send(b"x")
        peer.on("UID SEARCH", trickle)
        with Intake(peer.mailbox(command_timeout=600)) as intake:
            assert "in time" in intake.state("backoff")["error"]
            assert intake.role.stop() == 0
        over.set()


def test_stop_is_heard_while_a_server_is_silent():
    with Peer(mails(1)) as peer:
        asked = threading.Event()
        peer.on("UID SEARCH", lambda s, tag, args: asked.set())
        with Intake(peer.mailbox()) as intake:
            intake.pump(lambda: intake.folders)
            assert asked.wait(120)
            alive(intake)
            assert intake.role.stop(120) == 0


def test_two_mails_in_one_tls_record_are_both_read():
    with Peer({1: crlf(1, "a" * 7000), 2: crlf(2, "b" * 7000)}, tls=True) as peer:
        with Intake(peer.mailbox()) as intake:
            intake.take(2)
            assert [f.raw for f in intake.mails] == [peer.mails[1], peer.mails[2]]


def test_news_behind_noise_in_one_tls_record_is_heard():
    with Peer(tls=True) as peer:
        with Intake(peer.mailbox()) as intake:
            intake.state("idle")
            assert peer.idling.wait(120)
            peer.add(1, crlf(1))
            peer.add(2, crlf(2))
            news = b"* 1 EXISTS\r\n* 2 EXISTS\r\n"
            peer.conns[-1].send(b"* OK " + b"n" * (16384 - 7 - len(news)) + b"\r\n" + news)
            intake.take(2)
            assert intake.numbers() == [1, 2]


def test_mail_announced_before_idle_begins_is_not_missed():
    with Peer(mails(1)) as peer:
        def early(s, tag, args):
            if 2 in peer.mails:
                return False
            peer.add(2, crlf(2))
            s.send(b"* 2 EXISTS\r\n+ idling\r\n")
            s.text()
            s.ok(tag)
        peer.on("IDLE", early)
        with Intake(peer.mailbox()) as intake:
            intake.take(2)


def test_mail_announced_while_fetching_is_not_missed():
    with Peer(mails(1)) as peer:
        def during(s, tag, args):
            if "BODY.PEEK[]" not in args or 2 in peer.mails:
                return False
            peer.add(2, crlf(2))
            s.send(b"* 2 EXISTS\r\n")
            return False
        peer.on("UID FETCH", during)
        with Intake(peer.mailbox()) as intake:
            intake.take(2)


def test_without_move_and_uidplus_nothing_is_expunged():
    with Peer(mails(2), capabilities=b"IDLE") as peer:
        with Intake(peer.mailbox(after="move", move_to="Done")) as intake:
            intake.alarm("neither MOVE nor UIDPLUS")
            assert any(c.startswith("UID COPY 1") for c in peer.said)
            assert any("\\Deleted" in c for c in peer.said)
            assert not any("EXPUNGE" in c or "CLOSE" in c for c in peer.said)


def test_with_uidplus_only_the_copied_are_expunged():
    with Peer(mails(2), capabilities=b"UIDPLUS", ) as peer:
        gone = threading.Event()
        peer.on("UID EXPUNGE", lambda s, tag, args: gone.set() or False)
        with Intake(peer.mailbox(after="move", move_to="Done")) as intake:
            intake.take(2)
            intake.listed()
            assert gone.wait(120)
            assert not any(c.startswith("EXPUNGE") for c in peer.said)


def test_a_server_that_announces_something_in_every_answer_is_still_left_in_peace():
    with Peer(mails(1)) as peer:
        def noisy(s, tag, args):
            s.send(b"* %d EXISTS\r\n" % len(peer.mails))
            return False
        peer.on("UID SEARCH", noisy)
        with Intake(peer.mailbox()) as intake:
            intake.state("idle")
            assert intake.listed() == "1"


def test_an_engine_that_dies_before_the_first_look_does_not_make_it_a_first_contact():
    with Peer(mails(3)) as peer:
        selected, go = threading.Event(), threading.Event()

        def hold(s, tag, args):
            selected.set()
            go.wait(120)
            return False
        peer.on("EXAMINE", hold)
        cursors = {"INBOX": {"uidvalidity": 77, "start_uid": 1, "last_uid": 1}}
        with Intake(peer.mailbox(start="now"), cursors=cursors) as intake:
            intake.state("connected")
            assert selected.wait(120)
            intake.engine.close()
            intake.role.sup.send("PING", 1)
            intake.role.sup.recv("PONG")
            go.set()
            intake.new_engine()
            intake.take(2)
            assert intake.numbers() == [2, 3] and not intake.folders


def test_without_starttls_no_password_is_sent():
    with Peer(mails(1)) as peer:
        with Intake(peer.mailbox(tls="starttls")) as intake:
            assert "no TLS" in intake.state("failed")["error"]
            assert {c.split(" ")[0] for c in peer.said} <= {"CAPABILITY", "LOGOUT"}


def test_a_server_that_never_greets_is_left_at_the_deadline():
    with Peer() as peer:
        peer.greet = False
        with Intake(peer.mailbox(connect_timeout=500)) as intake:
            intake.state("connecting")
            state = intake.state("backoff")
            assert "time" in state["error"].lower()
            assert intake.role.stop() == 0


@pytest.mark.parametrize("line", [b"* STATUS x ()", b"* BYE [ALERT] x", b"* 0 FETCH ()", b"* LIST",
                                  b"* SEARCH 99999999999999999999", b"* 1 FETCH (UID 0)",
                                  b"* CAPABILITY", b"+ what", b"* OK [UIDVALIDITY", b"\0\0\0",
                                  b"* FLAGS (((", b"* 1 FETCH (BODY[] {-5}", b"* VANISHED 1:*"])
def test_odd_lines_kill_nothing(line):
    with Peer(mails(1)) as peer:
        odd = []

        def once(s, tag, args):
            if not odd:
                odd.append(1)
                s.send(line + b"\r\n")
            return False
        peer.on("UID SEARCH", once)
        with Intake(peer.mailbox()) as intake:
            intake.take(1)
            alive(intake)


def test_a_server_that_always_hangs_up_is_tried_ever_more_rarely():
    with Peer() as peer:
        def hang_up(s, tag, args):
            raise ConnectionError()
        peer.on("CAPABILITY", hang_up)
        with Intake(peer.mailbox()) as intake:
            waits = [intake.state("backoff")["retry_ms"] for _ in range(2)]
            assert waits == [1000, 2000]


def test_no_secret_is_logged(capfd):
    with Peer(mails(1)) as peer:
        peer.on("CAPABILITY", lambda s, tag, args: s.send(b"* BAD secret\r\n"))
        with Intake(peer.mailbox(command_timeout=300, connect_timeout=600)) as intake:
            intake.state("backoff")
            assert intake.role.stop() == 0
    text = capfd.readouterr().err
    assert "intake.lost" in text and "hello" not in text
