# SPDX-License-Identifier: ISC
"""The state every stream of traffic.World must end in, however often it was killed.

The store is read as a file and the receiver by its own log: neither asks the
daemon what it believes. Only `reconcile` is asked, which must agree.
"""
import collections
import imaplib
import json
import os
import re
import sqlite3

from daemon import CtlError, until
from traffic import CONNECTIONS



def rows(path, sql, *values):
    db = sqlite3.connect("file:%s?mode=ro" % path, uri=True, timeout=120)
    try:
        return db.execute(sql, values).fetchall()
    finally:
        db.close()


def store(w):
    return w.daemon.state + "/leadd.db"


def one(w, sql, *values):
    return rows(store(w), sql, *values)[0][0]


def retry_suspects(w):
    """The mail a killed parser was at is suspected, and what three killed engines were
    at; it is tried again by hand."""
    for (out,) in rows(store(w), "SELECT id FROM outbox WHERE state = 'failed' AND "
                                 "reply LIKE '%the engine ended at it%'"):
        w.suspects += 1
        w.daemon.ctl("outbox", "retry", str(out))
    while True:
        found = [q["q"] for q in w.daemon.ctl("quarantine", "list")["rows"]]
        if not found:
            return
        for q in found:
            w.suspects += 1
            w.daemon.ctl("quarantine", "retry", q)
        until(lambda: not set(found) & {q["q"] for q in w.daemon.ctl("quarantine", "list")["rows"]},
              why="the retried mails")


def settle(w, timeout=240):
    """Waits until everything has come to its end."""
    total = w.mails + w.forms
    until(lambda: one(w, "SELECT count(*) FROM ledger") >= total,
          timeout=timeout, why="%d ledger rows" % total)
    w.suspects = 0
    until(lambda: one(w, "SELECT count(*) FROM message") + one(w, "SELECT count(*) FROM quarantine")
          >= total, timeout=timeout, why="%d messages" % total)
    retry_suspects(w)
    until(lambda: one(w, "SELECT count(*) FROM message") >= total, timeout=120, why="all messages")
    for _ in range(2):  # what the engine would not send before retry_suspects
        until(lambda: one(w, "SELECT count(*) FROM outbox WHERE state NOT IN "
                             "('sent', 'failed', 'unknown')") == 0, timeout=timeout,
              why="a settled outbox")
        retry_suspects(w)


def filed_once(w):
    senders = sorted(w.senders.values())
    found = [r[0] for r in rows(store(w), "SELECT a.value FROM message m JOIN lead l ON "
                                          "l.id = m.lead_id JOIN address a ON "
                                          "a.contact_id = l.contact_id")]
    doubled = [s for s, n in collections.Counter(found).items() if n > 1]
    assert not doubled, "filed twice: %s" % doubled[:5]
    lost = sorted(set(senders) - set(found))
    assert not lost, "lost: %s" % lost[:5]
    assert sorted(found) == senders
    assert one(w, "SELECT count(*) FROM message") == len(senders)
    assert one(w, "SELECT count(*) FROM lead") == len(senders)
    assert one(w, "SELECT count(*) FROM quarantine") == 0


def outbox_right(w, before, may_be_unknown):
    """One row for each lead; which of them arrived is known from the receiver."""
    out = rows(store(w), "SELECT lead_id, to_addr, state, reply FROM outbox "
                         "WHERE class <> 'notice'")
    per_lead = collections.Counter(r[0] for r in out)
    assert len(out) == len(w.senders) and set(per_lead.values()) == {1}
    arrived = collections.Counter(w.arrived()) + collections.Counter(before)
    unknown = [r[1] for r in out if r[2] == "unknown"]
    cut = w.receiver.cut() | may_be_unknown
    for _, to, state, reply in out:
        kind, n = to.split("@")[0].rsplit("-", 1)[0], arrived[to]
        if state == "unknown":
            assert to in cut, "%s is unknown, and its connection was not cut" % to
            assert n <= 1 and (kind != "refuse" or to in may_be_unknown), (to, n)
        elif w.relay == "smtp" and kind == "refuse":
            assert (state, n) == ("failed", 0), (to, state, n, reply)
        else:
            assert (state, n) == ("sent", 1), (to, state, n, reply)
    deaths = w.kills["courier"] + w.kills["supervisor"]
    resets = [to for to in unknown if to.startswith("reset-body")]  # with the dot on its way
    assert len(set(unknown) - set(resets) - may_be_unknown) <= CONNECTIONS * deaths
    return len(unknown)


def imap_settled(w):
    """Everything receipted was flagged or moved, whoever died in between."""
    flagged = w.dovecot.login("flagged", "secret")
    moved = w.dovecot.login("moved", "secret")
    try:
        def unseen():
            flagged.select("INBOX", readonly=True)
            return flagged.search(None, "UNSEEN")[1][0].split()
        until(lambda: not unseen(), timeout=120, why="all mails flagged")

        def left():
            moved.select("INBOX", readonly=True)
            return moved.search(None, "ALL")[1][0].split()
        until(lambda: not left(), timeout=120, why="all mails moved")
        moved.select("Done", readonly=True)
        there = len(moved.search(None, "ALL")[1][0].split())
        assert there == sum(1 for n in range(w.mails) if n % 4 == 3)
    finally:
        for client in (flagged, moved):
            try:
                client.logout()
            except (imaplib.IMAP4.error, OSError):
                pass


def copied_once(w):
    """What was sent lies in the folder for sent mail, each once, and nothing else."""
    until(lambda: one(w, "SELECT count(*) FROM sent_copy") == 0, timeout=240, why="all copies")
    client = w.dovecot.login("moved", "secret")
    client.select("Sent", readonly=True)
    _, data = client.fetch("1:*", "(BODY.PEEK[HEADER.FIELDS (TO)])")
    client.logout()
    there = collections.Counter(re.search(rb"To: (\S+)", d[1]).group(1).decode()
                                for d in data if isinstance(d, tuple))
    assert there == collections.Counter(to for (to,) in rows(
        store(w), "SELECT to_addr FROM outbox WHERE class <> 'notice' AND state = 'sent'"))


def reconciled(w):
    def compared():
        try:
            return w.daemon.ctl("reconcile")["rows"]
        except CtlError as e:
            assert e.code == 75, e  # an intake has only just been started
            return None
    found = {r["source"]: r for r in until(compared, timeout=120, why="reconcile")}
    disk = found["maildir:disk"]
    assert disk["there"] == disk["filed"] == len(w.raws)
    assert all(r["missing"] == 0 for r in found.values()), found


def quiet_log(w):
    """Nobody died but by our hand, nothing was cut off, dropped or refused but what the
    engine was killed at three times."""
    log = w.daemon.log()
    odd = [line for line in w.daemon.lines if re.search(
        r"Sanitizer|runtime error|role.died (?!.*signal 9)|item.dropped|peer.cut|frame_refused|"
        r"store.failed|ruleset.broken|out.broken(?!.*the engine ended at it)|assert", line)]
    assert not odd, "\n".join(odd[:10])
    return log


def calls_made(w, before):
    """One for each lead, each at least once, and always under the same id; those of
    the leads in `before` were done before this World began."""
    until(lambda: one(w, "SELECT count(*) FROM call WHERE state <> 'done'") == 0, timeout=120,
          why="all calls to be made")
    told = {}
    for r in w.program.requests:
        lead = json.loads(r.body)["data"]["fields"]["lead.id"]
        assert told.setdefault(lead, r.headers["webhook-id"]) == r.headers["webhook-id"]
    leads = rows(store(w), "SELECT 'L' || id FROM lead")
    assert set(told) | set(before) == {x for (x,) in leads}
    assert one(w, "SELECT count(*) FROM call") == len(leads)


def waited_once(w):
    """Every lead's timer fired, and did what it is for once; but those are taken out
    at which the engine ended again and again."""
    until(lambda: one(w, "SELECT count(*) FROM timer") == 0, timeout=120, why="no timer left")
    found = rows(store(w), "SELECT lead_id, count(*) FROM activity WHERE kind = 'note' AND "
                           "text = 'waited' GROUP BY lead_id")
    assert {n for _, n in found} == {1}, [r for r in found if r[1] != 1][:5]
    given_up = w.daemon.log().count("timer.suspect")
    assert len(w.senders) - given_up <= len(found) <= len(w.senders)


def end_state(w, arrived=(), may_be_unknown=frozenset(), told=()):
    """All of it, once the stream has come to its end. arrived: follow-ups that had
    come before this World began; may_be_unknown: those in the air at a power cut;
    told: leads whose call had been made."""
    settle(w)
    if w.dovecot:
        imap_settled(w)
    until(lambda: not os.listdir(w.daemon.dir + "/disk/new"), timeout=120, why="an empty new/")
    filed_once(w)
    unknown = outbox_right(w, arrived, set(may_be_unknown))
    if w.dovecot and w.relay == "smtp":
        copied_once(w)
    reconciled(w)
    calls_made(w, told)
    waited_once(w)
    quiet_log(w)
    deaths = w.kills["parser"] + w.kills["supervisor"] + w.kills["engine"]
    assert w.suspects <= deaths, (w.suspects, w.kills)
    print("seed %d: %d mails, %d forms, killed %s, %d starts, %d suspected mails, %d unknown of "
          "%d cut connections" % (w.seed, w.mails, w.forms, dict(w.kills), w.restarts + 1,
                                  w.suspects, unknown, len(w.receiver.cut())))
    assert one(w, "PRAGMA integrity_check") == "ok"
