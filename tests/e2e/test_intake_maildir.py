# SPDX-License-Identifier: ISC
"""An intake at a Maildir."""
import os
import signal
import time

import pytest

from intakes import Intake, counted, mail, number

DAY = 86400


class Box:
    def __init__(self, path):
        self.path = str(path)
        self.count = 0
        for sub in ("tmp", "new", "cur"):
            os.makedirs(os.path.join(self.path, sub), exist_ok=True)

    def write(self, raw, when=None):
        self.count += 1
        name = "%d.M%06dP%d.test" % (when or time.time(), self.count, os.getpid())
        with open(os.path.join(self.path, "tmp", name), "wb") as f:
            f.write(raw)
        return name

    def show(self, name, sub="new", flags=""):
        os.rename(os.path.join(self.path, "tmp", name), os.path.join(self.path, sub, name + flags))
        return name

    def deliver(self, raw, when=None, sub="new", flags=""):
        return self.show(self.write(raw, when), sub, flags)

    def names(self, sub):
        return sorted(os.listdir(os.path.join(self.path, sub)))

    def mailbox(self, **more):
        box = {"type": "maildir", "path": self.path, "after": "keep", "poll": 3600000,
               "start": "all", "mail_size": 1 << 20}
        box.update(more)
        return box


@pytest.fixture
def box(tmp_path):
    return Box(tmp_path / "inbox")


def test_mail_in_new_and_cur_is_handed_over_byte_for_byte(box):
    raw = b"Subject: mail 1\nX: \xff\0\r\n\nbody\n.\n"
    one = box.deliver(raw, when=1700000000)
    two = box.deliver(mail(2), when=1700000001, sub="cur", flags=":2,RS")
    with Intake(box.mailbox()) as intake:
        mails = intake.take(2)
        assert [f.json["name"] for f in mails] == [one, two]
        assert mails[0].raw == raw and mails[0].json["size"] == len(raw)
        assert mails[0].json["internal_ms"] == 1700000000000
        assert intake.role.stop() == 0


def test_new_mail_is_noticed_without_waiting_for_the_poll(box):
    with Intake(box.mailbox()) as intake:
        intake.state("idle")
        for n in range(20):
            box.deliver(mail(n))
            intake.take(n + 1, timeout=120)
        assert counted(intake.numbers()) == {n: 1 for n in range(20)}


def test_a_message_is_handed_over_once_wherever_it_moves(box):
    with Intake(box.mailbox(poll=100)) as intake:
        name = box.deliver(mail(1))
        intake.take(1)
        os.rename(os.path.join(box.path, "new", name), os.path.join(box.path, "cur", name + ":2,S"))
        box.deliver(mail(2))
        intake.take(2)
        assert intake.ask("LIST")["names"] != []
        assert intake.numbers() == [1, 2]


def test_tmp_links_and_strange_files_are_left_alone(box):
    secret = os.path.join(box.path, "..", "secret")
    with open(secret, "w") as f:
        f.write("Subject: mail 99\n\nnot for leadd\n")
    os.symlink(secret, os.path.join(box.path, "new", "1700000000.link"))
    os.mkfifo(os.path.join(box.path, "new", "1700000000.fifo"))
    os.mkdir(os.path.join(box.path, "cur", "1700000000.dir"))
    open(os.path.join(box.path.encode(), b"new", b"1700000000.\xff\xfe"), "w").close()
    box.write(mail(1))
    box.deliver(mail(2))
    with Intake(box.mailbox()) as intake:
        intake.take(1)
        intake.alarm("left alone")
        intake.ask("LIST")
        assert intake.numbers() == [2]


def test_start_now_leaves_old_mail_alone_also_after_a_restart(box):
    now = int(time.time())
    box.deliver(mail(1), when=now - 100)
    box.deliver(mail(2), when=now - 50)
    with Intake(box.mailbox(start="now")) as intake:
        intake.state("idle")
        box.deliver(mail(3), when=now - 60)  # arrives now, under an older time
        intake.take(1)
        box.deliver(mail(4), when=now)
        intake.take(2)
        assert intake.numbers() == [3, 4]
        cursors = intake.cursors
    box.deliver(mail(5), when=now + 1)
    with Intake(box.mailbox(start="now"), cursors=cursors) as intake:
        intake.take(3)
        intake.ask("LIST")
        assert intake.numbers() == [3, 4, 5]
        assert not intake.folders


def test_start_now_takes_what_came_while_nobody_looked_whatever_time_it_carries(box):
    now = int(time.time())
    old = [box.deliver(mail(n), when=now - 100) for n in (1, 2, 3)]
    with Intake(box.mailbox(start="now")) as intake:
        intake.state("idle")
        cursors = intake.cursors
    assert not intake.mails
    box.deliver(mail(4), when=now - 500)  # moved here from elsewhere
    box.deliver(mail(5))
    # an old one was read meanwhile: that is a rename, too
    os.rename(os.path.join(box.path, "new", old[0]), os.path.join(box.path, "cur", old[0] + ":2,S"))
    with Intake(box.mailbox(start="now"), cursors=cursors) as intake:
        intake.take(2)
        assert sorted(intake.ask("LIST")["names"]) == sorted(box.names("new")[i] for i in (0, 3))
        assert sorted(intake.numbers()) == [4, 5]


def test_start_at_a_date(box):
    now = int(time.time())
    for n, days in ((1, 30), (2, 10)):
        box.deliver(mail(n), when=now - days * DAY)
    day = time.strftime("%Y-%m-%d", time.gmtime(now - 20 * DAY))
    with Intake(box.mailbox(start=day)) as intake:
        intake.take(1)
        folder = intake.ask("PREVIEW")["folders"][0]
        assert intake.numbers() == [2]
        assert (folder["messages"], folder["older"], folder["newer"]) == (2, 1, 1)
        assert folder["first_ms"] == folder["last_ms"] == (now - 10 * DAY) * 1000


def test_mail_over_the_limit_comes_as_headers(box):
    box.deliver(mail(1, "x" * 50000))
    with Intake(box.mailbox(mail_size=10000)) as intake:
        f = intake.take(1)[0]
        assert f.json["truncated"] and f.json["size"] > 50000
        assert f.raw.endswith(b"\n\n") and number(f) == 1 and len(f.raw) < 300


NESTED = b"""From: a@example.com
Content-Type: multipart/mixed; charset=x;
\tBOUNDARY="out er"

preamble --out er
--out er
Content-Type: multipart/alternative; boundary=in

--in

no header at all
--in
Content-Type: text/HTML; charset=utf-8

--other
-- in
<p>
--in--
epilogue
--out er 	
Content-Disposition: attachment; x="a;b"; filename="off\\"er.pdf"
Content-Type: application/pdf; name=other.pdf

%s
--out er
content-type: message/rfc822

Subject: inner
Content-Type: multipart/mixed; boundary=unused

--out er--
--in
after the end
"""


def test_mail_over_the_limit_names_its_parts(box):
    box.deliver(NESTED % (b"x" * 5000))
    box.deliver((NESTED % (b"y" * 5000)).replace(b"\n", b"\r\n"))
    with Intake(box.mailbox(mail_size=1000)) as intake:
        for f in intake.take(2):
            parts = f.json["parts"]
            assert [(p["type"], p.get("filename")) for p in parts] == [
                ("text/plain", None), ("text/html", None), ("application/pdf", 'off"er.pdf'),
                ("message/rfc822", None)]
            assert 5000 < parts[2]["size"] < 5010
            assert b"preamble" not in f.raw


def test_a_hostile_mail_over_the_limit_does_no_harm(box):
    top = b"From: a@example.com\nContent-Type: multipart/mixed; boundary=b\n\n"
    deep = b"".join(b"--b%d\nContent-Type: multipart/mixed; boundary=b%d\n\n" % (n, n + 1)
                    for n in range(1000))
    for raw in (top + b"--b\n\n" * 20000,
                top.replace(b"boundary=b", b"boundary=b0") + deep,
                top + b"--b\nContent-Type: " + b"x" * 100000 + b"\n " * 5000,
                top + b"--b" * 50000, b"\0" * 20000,
                b"Content-Type: multipart/mixed; boundary=\"" + b"q" * 90000,
                top + b"--b\nContent-Disposition: attachment; filename=\"\xff\0\\" * 5000):
        box.deliver(raw + b"\n" * 10)
    with Intake(box.mailbox(mail_size=10000)) as intake:
        mails = intake.take(7)
        assert all(f.json["truncated"] and len(f.json["parts"]) <= 500 for f in mails)
        assert max(len(f.json["parts"]) for f in mails) == 500
        assert intake.role.stop() == 0


def test_large_mail_travels_whole(box):
    raw = mail(1, "y" * (5 << 20))
    box.deliver(raw)
    with Intake(box.mailbox(mail_size=50 << 20)) as intake:
        assert intake.take(1)[0].raw == raw


def test_flag_moves_to_cur_as_seen_after_the_receipt(box):
    one = box.deliver(mail(1))
    two = box.deliver(mail(2), sub="cur", flags=":2,FT")
    with Intake(box.mailbox(after="flag"), receipts=False) as intake:
        intake.take(2)
        intake.ask("LIST")
        assert box.names("new") == [one]
        for f in intake.mails:
            intake.receipt(f)
        intake.ask("LIST")
        assert box.names("new") == []
        assert box.names("cur") == sorted([one + ":2,S", two + ":2,FST"])


def test_move_puts_it_into_the_other_maildir(box, tmp_path):
    done = Box(tmp_path / "done")
    one = box.deliver(mail(1))
    two = box.deliver(mail(2), sub="cur", flags=":2,R")
    with Intake(box.mailbox(after="move", move_to=done.path)) as intake:
        intake.take(2)
        assert intake.ask("LIST")["names"] is not None
        assert box.names("new") == [] and box.names("cur") == []
        assert done.names("cur") == sorted([one + ":2,", two + ":2,R"])
        box.deliver(mail(3))
        intake.take(3)
        intake.ask("LIST")
        assert len(done.names("cur")) == 3


@pytest.mark.parametrize("folder", ["missing", "\u00e9" * 110, "e" + "\u00e9" * 110],
                         ids=["short", "long", "longer"])
def test_move_into_nothing_is_an_alarm(box, tmp_path, folder):
    box.deliver(mail(1))
    with Intake(box.mailbox(after="move", move_to=str(tmp_path / folder))) as intake:
        intake.take(1)
        intake.alarm("No such file")
        assert len(box.names("new")) == 1


def test_a_new_engine_gets_again_what_has_no_receipt(box):
    for n in range(5):
        box.deliver(mail(n), when=1700000000 + n)
    with Intake(box.mailbox(), receipts=False) as intake:
        intake.take(5)
        intake.receipt(intake.mails[0])
        intake.ask("LIST")
        first = [(f.id, f.raw) for f in intake.mails]
        intake.mails.clear()
        intake.new_engine()
        intake.take(4)
        assert [(f.id, f.raw) for f in intake.mails] == first[1:]


def test_no_more_than_64_mails_are_without_receipt(box):
    for n in range(100):
        box.deliver(mail(n), when=1700000000 + n)
    with Intake(box.mailbox(), receipts=False) as intake:
        intake.take(64)
        intake.role.sup.send("PING", 1)
        intake.role.sup.recv("PONG")
        assert len(intake.mails) == 64
        for f in list(intake.mails):
            intake.receipt(f)
        intake.take(100)
        assert intake.numbers() == list(range(100))


def test_a_large_maildir_is_matched_by_name_instead_of_sent_again(box):
    for n in range(1200):
        box.deliver(mail(n), when=1700000000 + n)
    with Intake(box.mailbox(), names=True) as intake:
        intake.take(1200)
        cursors, known = intake.cursors, intake.known_names()
        assert counted(intake.numbers()) == {n: 1 for n in range(1200)}
    fresh = box.deliver(mail(5000))
    intake = Intake(box.mailbox(), cursors=cursors, names=True)
    intake.known_names = lambda: known
    with intake:
        intake.take(1)
        names = intake.ask("LIST")["names"]
        assert [f.json["name"] for f in intake.mails] == [fresh]
        assert len(names) == 1201


def test_refetch_brings_a_name_again(box):
    name = box.deliver(mail(1))
    with Intake(box.mailbox()) as intake:
        intake.take(1)
        os.rename(os.path.join(box.path, "new", name), os.path.join(box.path, "cur", name + ":2,S"))
        intake.refetch({"names": ["missing", name]})
        intake.take(2)
        assert [f.json["name"] for f in intake.mails] == [name, name]


def test_a_missing_maildir_is_told_and_used_when_it_appears(box, tmp_path):
    path = str(tmp_path / "later")
    with Intake(box.mailbox(path=path, poll=200)) as intake:
        assert path in intake.state("failed")["error"]
        later = Box(path)
        later.deliver(mail(1))
        # it may look at nothing that was not there at its start: a new process may
        intake.role.sup.send("PING")
        assert intake.role.sup.recv("RENEW").json["why"] == path
    with Intake(later.mailbox(poll=200)) as intake:
        intake.take(1)


def test_stop_is_heard_while_waiting_for_receipts(box):
    for n in range(70):
        box.deliver(mail(n))
    with Intake(box.mailbox(), receipts=False) as intake:
        intake.take(64)
        assert intake.role.stop(120) == 0


@pytest.mark.parametrize("after", ["flag", "move"])
def test_what_a_killed_intake_left_is_flagged_or_moved_by_the_next(box, tmp_path, after):
    """More than fit into one flight: the engine is asked which names it knows."""
    for sub in ("tmp", "new", "cur"):
        os.makedirs(tmp_path / "done" / sub)
    names = sorted(box.deliver(mail(n)) for n in range(100))
    with Intake(box.mailbox(after=after, move_to=str(tmp_path / "done")), names=True) as intake:
        intake.known_names = lambda: set(names)
        folder = box if after == "flag" else Box(tmp_path / "done")
        intake.pump(lambda: len(folder.names("cur")) == 100)
        assert not box.names("new") and not intake.mails


def test_of_more_copies_than_can_wait_each_is_answered(box):
    with Intake(box.mailbox()) as intake:
        intake.state("idle")
        os.kill(intake.role.proc.pid, signal.SIGSTOP)
        for n in range(100):
            intake.engine.send("APPEND", 5000 + n, {"internal_ms": 1700000000000}, mail(n))
        os.kill(intake.role.proc.pid, signal.SIGCONT)
        intake.pump(lambda: len(intake.answers) == 100)
        outcomes = [a["outcome"] for a in intake.answers.values()]
        stored = os.listdir(os.path.join(box.path, ".Sent", "cur"))
        assert set(outcomes) <= {"stored", "later"} and outcomes.count("stored") == len(stored)
