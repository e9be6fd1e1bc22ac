# SPDX-License-Identifier: ISC
"""An intake at a real Dovecot: what is promised about fetching mail by IMAP."""
import glob
import os
import re
import time

import pytest

from daemon import until
from dovecot import Dovecot, make_authority, make_certificate
from intakes import Intake, counted, mail, number

DAY = 86400


@pytest.fixture(scope="module")
def shared():
    with Dovecot() as server:
        yield server


@pytest.fixture
def dovecot(shared, request):
    """The running server and a fresh user of its own."""
    shared.name = "u%d" % len(os.listdir(os.path.join(shared.root, "mail"))) + \
        request.node.name[:20].replace("[", "-").replace("]", "")
    shared.add_user(shared.name, "secret")
    shared.maildir(shared.name)
    return shared


def keywords(server, user, folder="INBOX"):
    """File names in cur/, which carry the flags."""
    return sorted(os.listdir(os.path.join(server.maildir(user, folder), "cur")))


@pytest.mark.parametrize("tls", ["tls", "starttls"])
def test_mail_is_fetched_byte_for_byte_over_verified_tls(dovecot, tls):
    dovecot.deliver(dovecot.name, mail(1), mail(2))
    with Intake(dovecot.mailbox(dovecot.name, tls=tls)) as intake:
        mails = intake.take(2)
        assert mails[0].raw == mail(1).replace(b"\n", b"\r\n")
        assert mails[0].json["size"] == len(mails[0].raw)
        assert not mails[0].json["truncated"]
        assert intake.numbers() == [1, 2]
        assert intake.role.stop() == 0


def test_fetching_sets_no_flag(dovecot):
    dovecot.deliver(dovecot.name, mail(1))
    with Intake(dovecot.mailbox(dovecot.name)) as intake:
        intake.take(1)
        intake.state("idle")
        client = dovecot.login(dovecot.name, "secret")
        client.select("INBOX", readonly=True)
        assert b"\\Seen" not in client.fetch("1", "(FLAGS)")[1][0]
        client.logout()


def refused(server, mailbox, text):
    with Intake(mailbox) as intake:
        state = intake.state("failed")
        assert text in state["error"]
        assert state["retry_ms"] >= 60000, "a refusal must not be hammered"
        assert "secret" not in state["error"]
        assert not intake.mails
        answer = intake.ask("LIST")
        assert text in answer["error"]
        assert intake.role.stop() == 0


def test_an_untrusted_certificate_is_refused(dovecot):
    make_authority(dovecot.root, "other")
    box = dovecot.mailbox(dovecot.name, ca_file=os.path.join(dovecot.root, "other.pem"))
    refused(dovecot, box, "certificate refused")


@pytest.mark.parametrize("tls", ["tls", "starttls"])
def test_a_wrong_host_name_is_refused(dovecot, tls):
    refused(dovecot, dovecot.mailbox(dovecot.name, tls=tls, host="127.0.0.1"),
            "certificate refused")


def test_a_wrong_password_is_refused(dovecot):
    with open(os.path.join(dovecot.root, "wrong"), "w") as f:
        f.write("secret-but-wrong\n")
    box = dovecot.mailbox(dovecot.name, password_file=os.path.join(dovecot.root, "wrong"))
    refused(dovecot, box, "login refused")


@pytest.mark.parametrize("auth", ["xoauth2", "oauthbearer"])
def test_an_access_token_is_read_at_each_connect(dovecot, auth):
    path = dovecot.add_token(dovecot.name, "token-one")
    dovecot.deliver(dovecot.name, mail(1))
    box = dovecot.mailbox(dovecot.name, auth=auth, token_file=path)
    with Intake(box) as intake:
        intake.take(1)
        intake.state("idle")
        dovecot.http.tokens.clear()
        dovecot.add_token(dovecot.name, "token-two")
        dovecot.restart()
        intake.state("idle")
        dovecot.deliver(dovecot.name, mail(2))
        intake.take(2)


def test_a_wrong_token_is_refused(dovecot):
    path = dovecot.add_token(dovecot.name, "token-right")
    dovecot.http.tokens.clear()
    refused(dovecot, dovecot.mailbox(dovecot.name, auth="xoauth2", token_file=path),
            "login refused")


def test_idle_tells_of_two_mails_that_arrive_together(dovecot):
    with Intake(dovecot.mailbox(dovecot.name)) as intake:
        intake.state("idle")
        for n in range(0, 20, 2):
            dovecot.deliver(dovecot.name, mail(n), mail(n + 1))
            intake.take(n + 2)  # long before the poll
        assert counted(intake.numbers()) == {n: 1 for n in range(20)}


def test_without_idle_the_poll_finds_mail(dovecot):
    with Intake(dovecot.mailbox(dovecot.name, idle=False, poll=200)) as intake:
        intake.state("idle")
        dovecot.deliver(dovecot.name, mail(1))
        intake.take(1)


def test_several_folders_are_read_also_with_names_outside_ascii(dovecot):
    folders = ["INBOX", "Anfragen", "Entwürfe & mehr"]
    wire = {"Entwürfe & mehr": "Entw&APw-rfe &- mehr"}
    for i, folder in enumerate(folders):
        dovecot.deliver(dovecot.name, mail(i), folder=wire.get(folder, folder))
    with Intake(dovecot.mailbox(dovecot.name, folders=folders, poll=300)) as intake:
        mails = intake.take(3)
        assert {f.json["folder"]: number(f) for f in mails} == {
            "INBOX": 0, "Anfragen": 1, "Entwürfe & mehr": 2}
        intake.state("idle")
        dovecot.deliver(dovecot.name, mail(3), folder="Anfragen")
        dovecot.deliver(dovecot.name, mail(4))
        assert counted(number(f) for f in intake.take(5)) == {n: 1 for n in range(5)}


def test_a_missing_folder_is_an_alarm_and_stops_no_other(dovecot):
    dovecot.deliver(dovecot.name, mail(1))
    with Intake(dovecot.mailbox(dovecot.name, folders=["Missing", "INBOX"])) as intake:
        intake.take(1)
        assert "Missing" in intake.pump_alarm("Missing", 20)["folder"]
        dovecot.deliver(dovecot.name, mail(2), folder="Missing")
        intake.refetch({"folder": "Missing", "uids": [1]})
        intake.take(2)
        assert not any("alarm" in f for f in intake.state(
            "idle", lambda s: not any("alarm" in f for f in s["folders"]))["folders"])


def test_start_now_leaves_old_mail_alone(dovecot):
    dovecot.deliver(dovecot.name, mail(1), mail(2))
    with Intake(dovecot.mailbox(dovecot.name, start="now")) as intake:
        intake.state("idle")
        dovecot.deliver(dovecot.name, mail(3))
        intake.take(1)
        assert intake.numbers() == [3]
        assert intake.folders[0]["start_uid"] == 3


def test_start_at_a_date_takes_what_arrived_since(dovecot):
    now = int(time.time())
    for n, days in ((1, 30), (2, 20), (3, 2)):
        dovecot.deliver(dovecot.name, mail(n), when=now - days * DAY)
    day = time.strftime("%Y-%m-%d", time.gmtime(now - 21 * DAY))
    with Intake(dovecot.mailbox(dovecot.name, start=day)) as intake:
        intake.state("idle")
        assert intake.numbers() == [2, 3]
        assert intake.mails[0].json["internal_ms"] // 1000 == now - 20 * DAY


def test_preview_says_what_a_first_sync_would_do(dovecot):
    now = int(time.time())
    for n, days in ((1, 30), (2, 20), (3, 2)):
        dovecot.deliver(dovecot.name, mail(n), when=now - days * DAY)
    day = time.strftime("%Y-%m-%d", time.gmtime(now - 21 * DAY))
    with Intake(dovecot.mailbox(dovecot.name, start=day)) as intake:
        intake.state("idle")
        folder = intake.ask("PREVIEW")["folders"][0]
        assert (folder["messages"], folder["older"], folder["newer"]) == (3, 1, 2)
        assert folder["first_ms"] // 1000 == now - 20 * DAY
        assert folder["last_ms"] // 1000 == now - 2 * DAY
        assert folder["bytes"] == sum(f.json["size"] for f in intake.mails)


def test_the_cursor_of_the_engine_decides(dovecot):
    dovecot.deliver(dovecot.name, mail(1), mail(2), mail(3))
    with Intake(dovecot.mailbox(dovecot.name)) as intake:
        intake.state("idle")
        cursor = dict(intake.cursors["INBOX"], last_uid=2)
    with Intake(dovecot.mailbox(dovecot.name), cursors={"INBOX": cursor}) as intake:
        intake.state("idle")
        assert intake.numbers() == [3]
        assert not intake.folders


def test_mail_over_the_limit_comes_as_headers_and_parts(dovecot):
    big = (b"Message-ID: <big@example.com>\nSubject: mail 7\nMIME-Version: 1.0\n"
           b"Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: text/plain\n\nhi\n"
           b"--b\nContent-Type: application/pdf\nContent-Disposition: attachment; "
           b"filename=\"offer.pdf\"\nContent-Transfer-Encoding: base64\n\n" +
           b"QUJDRA==\n" * 4000 + b"--b--\n")
    dovecot.deliver(dovecot.name, mail(1), big, mail(2))
    with Intake(dovecot.mailbox(dovecot.name, mail_size=20000)) as intake:
        intake.take(3)
        assert sorted(intake.numbers()) == [1, 2, 7]
        f = next(f for f in intake.mails if number(f) == 7)
        assert f.json["truncated"] and f.json["size"] > 36000
        assert f.raw.endswith(b"\r\n\r\n") and b"QUJD" not in f.raw
        parts = f.json["parts"]
        assert [p["type"] for p in parts] == ["text/plain", "application/pdf"]
        assert parts[1]["filename"] == "offer.pdf" and parts[1]["size"] > 36000


def test_large_mail_travels_whole(dovecot):
    body = "\n".join("%070d" % n for n in range(60000))
    dovecot.deliver(dovecot.name, mail(1), mail(2, body), mail(3))
    with Intake(dovecot.mailbox(dovecot.name, batch=100000)) as intake:
        mails = intake.take(3)
        assert sorted(intake.numbers()) == [1, 2, 3]
        f = next(f for f in mails if number(f) == 2)
        assert f.raw == mail(2, body).replace(b"\n", b"\r\n") and len(f.raw) > 4 << 20


def test_no_more_than_64_mails_are_without_receipt(dovecot):
    dovecot.deliver(dovecot.name, *[mail(n) for n in range(100)])
    with Intake(dovecot.mailbox(dovecot.name), receipts=False) as intake:
        intake.take(64)
        intake.role.sup.send("PING", 1)  # a sign that it waits and still listens
        intake.role.sup.recv("PONG")
        assert len(intake.mails) == 64
        for f in list(intake.mails):
            intake.receipt(f)
        intake.take(100)
        assert counted(intake.numbers()) == {n: 1 for n in range(100)}


def test_a_new_engine_gets_again_what_has_no_receipt(dovecot):
    dovecot.deliver(dovecot.name, *[mail(n) for n in range(5)])
    with Intake(dovecot.mailbox(dovecot.name), receipts=False) as intake:
        intake.take(5)
        intake.receipt(intake.mails[0])
        first = [(f.id, f.json["uid"], f.raw) for f in intake.mails]
        intake.engine.send("LIST", 1, {})
        intake.pump(lambda: 1 in intake.answers)  # the receipt has arrived
        intake.mails.clear()
        intake.new_engine()
        intake.take(4)
        assert [(f.id, f.json["uid"], f.raw) for f in intake.mails] == first[1:]
        for f in list(intake.mails):
            intake.receipt(f, "duplicate")
        dovecot.deliver(dovecot.name, mail(5))
        intake.take(5)
        assert number(intake.mails[-1]) == 5


def test_a_server_restarted_in_the_middle_loses_and_doubles_nothing(dovecot):
    dovecot.deliver(dovecot.name, *[mail(n) for n in range(200)])
    with Intake(dovecot.mailbox(dovecot.name, batch=2000), receipts=False) as intake:
        intake.take(30)
        dovecot.restart()
        intake.receipts = True
        for f in list(intake.mails):
            intake.receipt(f)
        intake.take(200)
        intake.state("idle")
        assert counted(intake.numbers()) == {n: 1 for n in range(200)}


def test_a_lost_connection_is_told_and_taken_up_again(dovecot):
    with Intake(dovecot.mailbox(dovecot.name)) as intake:
        intake.state("idle")
        dovecot.stop()
        state = intake.state("backoff")
        assert state["retry_ms"] <= 2000 and state["error"]
        dovecot.start()
        intake.state("idle")
        dovecot.deliver(dovecot.name, mail(1))
        intake.take(1)


def new_uidvalidity(server, user):
    """What a rebuilt or restored mailbox looks like to a client."""
    path = server.maildir(user)
    with open(os.path.join(path, "dovecot-uidlist")) as f:
        text = f.read()
    old = int(re.search(r" V(\d+)", text).group(1))
    os.remove(os.path.join(path, "dovecot-uidlist"))
    for name in glob.glob(os.path.join(path, "dovecot.index*")):
        os.remove(name)
    with open(os.path.join(path, "dovecot-uidlist"), "w") as f:
        f.write("3 V%d N1\n" % (old + 7))
    server.own(user)
    return old + 7


def test_after_a_new_uidvalidity_only_unknown_mail_is_fetched(dovecot):
    now = int(time.time())
    dovecot.deliver(dovecot.name, mail(90), mail(91), when=now - 1000)
    with Intake(dovecot.mailbox(dovecot.name, start="now", poll=500)) as intake:
        intake.state("idle")
        dovecot.deliver(dovecot.name, *[mail(n) for n in range(4)], when=now - 500)
        intake.take(4)
        dovecot.stop()
        intake.state("backoff")
        dovecot.deliver(dovecot.name, mail(4), when=now)
        assert not intake.matches
        expected = new_uidvalidity(dovecot, dovecot.name)
        dovecot.start()
        intake.state("idle")
        assert intake.numbers() == [0, 1, 2, 3, 4]
        assert intake.mails[-1].json["uidvalidity"] == expected
        assert intake.folders[-1]["uidvalidity"] == expected
        assert intake.folders[-1]["start_uid"] == 3, "old mail is still not leadd's"
        assert len(intake.matches[0]["items"]) == 7
        item = intake.matches[0]["items"][2]
        assert item["message_id"] == "<m0@example.com>" and item["size"] > 0
        assert item["internal_ms"] == (now - 500) * 1000
        intake.pump(lambda: len(intake.matches) == 2)
        assert [i["message_id"] for i in intake.matches[1]["items"]] == ["<m3@example.com>"]


def test_flag_marks_only_what_has_a_receipt(dovecot):
    dovecot.deliver(dovecot.name, mail(1), mail(2))
    box = dovecot.mailbox(dovecot.name, after="flag", flag="\\Flagged")
    with Intake(box, receipts=False) as intake:
        intake.take(2)
        intake.listed()
        assert not [n for n in keywords(dovecot, dovecot.name) if n.endswith("F")]
        intake.receipt(intake.mails[0])
        intake.listed()
        assert len([n for n in keywords(dovecot, dovecot.name) if n.endswith("F")]) == 1


@pytest.mark.parametrize("lost_receipt", [False, True])
def test_move_happens_after_the_receipt_also_when_the_predecessor_died(dovecot, lost_receipt):
    dovecot.deliver(dovecot.name, mail(1), mail(2))
    dovecot.maildir(dovecot.name, "Done")
    keep = dovecot.mailbox(dovecot.name)
    box = dovecot.mailbox(dovecot.name, after="move", move_to="Done")
    cursors = {}
    if lost_receipt:  # filed by the engine, and then the intake died
        with Intake(keep) as intake:
            intake.take(2)
            cursors = intake.cursors
    with Intake(box, cursors=cursors) as intake:
        if not lost_receipt:
            intake.take(2)
        intake.state("idle")
        assert intake.listed() == ""
        assert len(keywords(dovecot, dovecot.name, "Done")) + len(
            os.listdir(os.path.join(dovecot.maildir(dovecot.name, "Done"), "new"))) == 2
        dovecot.deliver(dovecot.name, mail(3))
        intake.pump(lambda: 3 in intake.numbers())
        assert intake.listed() == ""


def test_move_to_a_missing_folder_is_an_alarm(dovecot):
    dovecot.deliver(dovecot.name, mail(1))
    with Intake(dovecot.mailbox(dovecot.name, after="move", move_to="Nowhere")) as intake:
        intake.take(1)
        intake.alarm("doesn't exist")
        assert intake.listed() == "1"


def test_list_names_every_uid_and_refetch_brings_them_again(dovecot):
    dovecot.deliver(dovecot.name, *[mail(n) for n in range(6)])
    with Intake(dovecot.mailbox(dovecot.name)) as intake:
        intake.take(6)
        client = dovecot.login(dovecot.name, "secret")
        client.select("INBOX")
        client.store("4", "+FLAGS", "\\Deleted")
        client.expunge()
        client.logout()
        assert intake.listed() == "1:3,5:6"
        intake.refetch({"folder": "INBOX", "uids": [5, 2, 4]})
        intake.take(8)
        assert [f.json["uid"] for f in intake.mails[6:]] == [2, 5]
        assert [f.json.get("again", False) for f in intake.mails] == [False] * 6 + [True] * 2
        dovecot.deliver(dovecot.name, mail(6))
        intake.take(9)
        assert number(intake.mails[-1]) == 6


def test_what_a_killed_intake_left_unflagged_is_flagged_by_the_next(dovecot):
    dovecot.deliver(dovecot.name, *[mail(n) for n in range(300)])
    box = dovecot.mailbox(dovecot.name, after="flag", batch=2000)
    with Intake(box, receipts=False) as intake:
        for at in range(200):  # then it waits for more receipts, with at least half of the desk full
            intake.receipt(intake.take(at + 1)[at])
        intake.take(232)
        cursors = intake.cursors
        intake.role.proc.kill()
    client = dovecot.login(dovecot.name, "secret")
    client.select("INBOX", readonly=True)
    assert len(client.search(None, "SEEN")[1][0].split()) >= 64  # not all of it waits till the end
    with Intake(box, cursors=cursors) as intake:
        intake.take(100)
        intake.state("idle")
        until(lambda: client.noop() and client.search(None, "UNSEEN")[1][0] == b"",
              why="all flagged")
    client.logout()


def test_stop_ends_it_in_idle_at_once(dovecot):
    with Intake(dovecot.mailbox(dovecot.name)) as intake:
        intake.state("idle")
        assert intake.role.stop() == 0


def test_an_unreadable_secret_fails_with_its_path(dovecot):
    box = dovecot.mailbox(dovecot.name, password_file="/nonexistent/password")
    intake = Intake(box)
    try:
        assert intake.role.proc.wait(120) != 0
    finally:
        intake.role.__exit__()


def test_a_certificate_for_another_name_is_refused_at_the_server(dovecot):
    """The same as a wrong host name, seen from the other side."""
    with Dovecot() as other:
        make_certificate(other.root, "server", "mail.example.org")
        other.restart()
        other.add_user("sales", "secret")
        refused(other, other.mailbox("sales"), "certificate refused")
