# SPDX-License-Identifier: ISC
"""A mailbox that brings no mail any more does not go unnoticed: silence, no mail, a
probe that does not come back, a token that ends; by mail, and by another way."""
import base64
import json
import os
import re
import time

import pytest

import company
from daemon import Daemon, StartFailed, until
from dovecot import Dovecot
from httppeer import HttpPeer


@pytest.fixture(scope="module")
def dovecot():
    with Dovecot() as server:
        yield server


def subjects(d):
    return [m["Subject"] for m in company.sent(d.dir)]


def status(d):
    r = d.leadctl("--json", "mailbox", "status")
    rows = json.loads(r.stdout)["rows"]
    assert r.returncode == (1 if any(row["alarm"] for row in rows) else 0)
    return {row["name"]: row for row in rows}


def maildir(**more):
    keys = " ".join('%s = "%s";' % kv for kv in more.items())
    return company.MAILDIR_IN.replace('poll = "1s";', 'poll = "1s"; ' + keys)


def bring_back(d):
    """What has left comes into the inbox, as the world does with mail to oneself."""
    for i, m in enumerate(company.sent(d.dir)):
        if "probe" in m["Subject"] and "leadd:" not in m["Subject"]:
            company.deliver(os.path.join(d.dir, "inbox"), "back-%d" % i, m.as_bytes())


def test_silence_is_told_once_by_mail_and_endpoint_and_again_when_it_is_over(dovecot):
    dovecot.add_user("quiet", "secret")
    dovecot.deliver("quiet", company.mail())
    with HttpPeer() as peer:
        settings = ('alarm_endpoint = "ops"; endpoints : { ops : { url = "%s"; }; };'
                    % peer.url("/ops"))
        box = company.imap(dovecot, "quiet", silent_after="2s")
        with Daemon(company.conf(mailboxes=box, settings=settings), company.files()) as d:
            until(lambda: d.ctl("list", "leads")["rows"], why="the lead")
            assert status(d)["sales"]["alarm"] == ""
            dovecot.stop()
            until(lambda: status(d)["sales"]["alarm"] == "it is silent", why="the alarm")
            until(lambda: "leadd: mailbox sales: it is silent" in subjects(d), why="the mail")
            body = json.loads(until(lambda: peer.requests, why="the call")[0].body)
            assert body["type"] == "leadd.alarm"
            assert body["data"]["subject"] == "leadd: mailbox sales: it is silent"
            assert "has not been read for" in body["data"]["text"]
            dovecot.restart()
            until(lambda: status(d)["sales"]["alarm"] == "", why="the end of the alarm")
            over = "leadd: mailbox sales is well again (it is silent)"
            until(lambda: over in subjects(d), why="the mail that it is over")
            assert subjects(d).count("leadd: mailbox sales: it is silent") == 1


def test_a_maildir_to_which_nobody_writes_is_heard_from_all_the_same():
    with Daemon(company.conf(mailboxes=maildir()), company.files()) as d:
        first = until(lambda: status(d)["inbox"]["heard"], why="its first word")
        until(lambda: status(d)["inbox"]["heard"] > first, why="another one")
        assert status(d)["inbox"]["mail"] == ""


def test_a_mailbox_to_which_nobody_writes_is_told_when_mail_is_expected():
    with Daemon(company.conf(mailboxes=maildir(expect_mail="2s")), company.files()) as d:
        until(lambda: status(d)["inbox"]["alarm"] == "no mail comes", why="the alarm")
        until(lambda: "leadd: mailbox inbox: no mail comes" in subjects(d), why="the mail")
        company.deliver(os.path.join(d.dir, "inbox"), "one", company.mail())
        until(lambda: status(d)["inbox"]["alarm"] == "", why="the end of the alarm")
        assert status(d)["inbox"]["mail"]


def test_a_probe_comes_back_and_makes_no_lead():
    boxes = maildir(probe="1h", probe_within="10m", probe_to="sales@example.com")
    with Daemon(company.conf(mailboxes=boxes), company.files()) as d:
        until(lambda: "leadd probe of mailbox inbox" in subjects(d), why="the probe")
        assert status(d)["inbox"]["probe"] == "on its way"
        bring_back(d)
        d.wait_log("mailbox.probe mailbox=inbox ms=")
        assert status(d)["inbox"]["probe"].startswith("back in ")
        assert d.ctl("list", "leads")["rows"] == []
        (row,) = d.ctl("ledger")["rows"]
        assert (row["state"], row["reason"].startswith("our own mail")) == ("ignored", True)
        (t,) = d.ctl("timers")["rows"]
        assert t["kind"] == "probe"


def test_a_probe_that_does_not_come_back_is_told_once_and_again_when_it_does():
    boxes = maildir(probe="1h", probe_within="10m")
    start = ["--pretend-time", "2026-11-20T09:00:00Z"]
    with Daemon(company.conf(mailboxes=boxes), company.files(), args=start) as d:
        until(lambda: "leadd probe of mailbox inbox" in subjects(d), why="the probe")
        d.ctl("clock", "advance", "9m")
        assert status(d)["inbox"]["alarm"] == ""
        d.ctl("clock", "advance", "2m")
        assert status(d)["inbox"]["alarm"] == "the probe has not come back"
        late = "leadd: mailbox inbox: the probe has not come back"
        until(lambda: late in subjects(d), why="the mail")
        bring_back(d)
        until(lambda: status(d)["inbox"]["alarm"] == "", why="the end of the alarm")
        until(lambda: "leadd: mailbox inbox is well again (probe)" in subjects(d), why="the mail")
        d.ctl("clock", "advance", "50m")  # the next one leaves after an hour
        until(lambda: subjects(d).count("leadd probe of mailbox inbox") == 2, why="the second")
        assert subjects(d).count(late) == 1


def test_a_token_that_ends_and_is_not_renewed_is_told_until_it_is(dovecot):
    def token(left):
        parts = ({"alg": "none"}, {"exp": int(time.time()) + left})
        return ".".join(base64.urlsafe_b64encode(json.dumps(p).encode()).decode().rstrip("=")
                        for p in parts) + ".sig"
    dovecot.add_user("token", "secret")
    path = dovecot.add_token("token", token(300))
    box = company.imap(dovecot, "token", auth="xoauth2", token_file=path, silent_after="4s",
                       poll="1s", idle=False)
    box = re.sub("password_file = [^;]*;", "", box).replace("idle = 0", "idle = false")
    with Daemon(company.conf(mailboxes=box), company.files()) as d:
        until(lambda: "leadd: mailbox sales: its token ends" in subjects(d), why="the mail")
        assert status(d)["sales"]["alarm"] == "its token ends"
        assert status(d)["sales"]["token_ends"]
        dovecot.add_token("token", token(7200))
        until(lambda: status(d)["sales"]["alarm"] == "", why="the end of the alarm")


@pytest.mark.parametrize("settings, box, told", [
    ('alarm_endpoint = "opps"; endpoints : { ops : { url = "http://127.0.0.1:1/"; }; };', {},
     "did you mean \"ops\"?"),
    ("", {"probe": "5m", "probe_within": "10m"}, "not longer than probe_within"),
    ("", {"probe_to": "sales@example.com"}, "only for mailboxes with probe"),
])
def test_what_does_not_fit_together_is_told_when_the_config_is_read(settings, box, told):
    conf = company.conf(mailboxes=maildir(**box), settings=settings)
    with pytest.raises(StartFailed) as e:
        Daemon(conf, company.files()).close()
    assert told in str(e.value)
