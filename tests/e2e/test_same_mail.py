# SPDX-License-Identifier: ISC
"""One mail that comes twice is one: in two mailboxes, through a list, with a footer; and a
second mail under the same Message-ID is not lost to the first."""
import pytest

import company
from daemon import Daemon, until
from dovecot import Dovecot
from test_main_job import rows

BOXES = company.MAILDIR_IN + ('other : { type = "maildir"; path = "@DIR@/other"; start = "all"; '
                              'poll = "1s"; creates = "nothing"; };')
WORDS = "How much are 40 widgets?\n"


def start():
    files = company.files()
    files.update(("other/%s/.keep" % sub, "") for sub in ("tmp", "new", "cur"))
    return Daemon(company.conf(mailboxes=BOXES), files)


def arrives(d, box, name, text=WORDS, **headers):
    mark = d.mark()
    company.deliver("%s/%s" % (d.dir, box), name,
                    company.mail(text=text, message_id="<one@shop.example>", when=1795170000, **headers))
    d.wait_log("mail.filed|mail.same", after=mark)


def acts(d):
    return len([r for r in rows(d, "timeline", "L1") if r["kind"] == "mail" and r["direction"] == "in"])


def test_one_mail_in_two_mailboxes_is_one_whatever_was_put_below_it():
    with start() as d:
        arrives(d, "inbox", "1")
        arrives(d, "other", "2", Received="from a.example by b.example; Fri, 20 Nov 2026 10:00:00 +0000")
        arrives(d, "other", "3", text=WORDS + "\n-- \nThis mail was scanned.\n")
        assert len(rows(d, "list", "leads")) == 1 and acts(d) == 1
        assert [r["state"] for r in rows(d, "ledger")] == ["filed"] * 3


def test_the_copy_of_a_list_does_not_swallow_the_direct_one():
    with start() as d:
        arrives(d, "inbox", "1", List_Id="<talk.lists.example>", Precedence="list")
        assert rows(d, "list", "leads") == []
        arrives(d, "inbox", "2")
        assert len(rows(d, "list", "leads")) == 1 and acts(d) == 1
        arrives(d, "inbox", "3", List_Id="<talk.lists.example>", Precedence="list")
        assert acts(d) == 1


def test_a_mailbox_that_creates_nothing_does_not_swallow_the_mail_of_one_that_does():
    with start() as d:
        arrives(d, "other", "1")
        assert rows(d, "list", "leads") == []
        arrives(d, "inbox", "2")
        assert len(rows(d, "list", "leads")) == 1


def test_other_words_under_the_same_message_id_are_another_mail():
    with start() as d:
        arrives(d, "inbox", "1")
        arrives(d, "inbox", "2", text="Forget it, 60 please\n")
        assert acts(d) == 2


# ---- on a real server ---------------------------------------------------------------

@pytest.fixture(scope="module")
def server():
    with Dovecot() as s:
        for user in ("sales", "info"):
            s.add_user(user, "secret-" + user)
        yield s


def copies(footer=False):
    """One mail as two mailboxes receive it: other Received lines, and what a list puts below it."""
    def copy(host, text=WORDS, **more):
        raw = company.mail(text=text, message_id="<two@shop.example>", when=1795170000,
                           name="Ada Beispiel", **more)
        return (b"Received: from out.shop.example by %s with ESMTPS id %d;\r\n\tFri, 20 Nov 2026 "
                b"10:00:0%d +0000\r\n" % (host, len(host), len(host) % 10)) + raw
    below = WORDS + "_______________________________________________\nsales mailing list\n"
    return copy(b"mx1.example.com"), copy(b"mx.two.example.com", below if footer else WORDS)


def one_of_two(d, sources):
    """One lead with one mail; two rows of the ledger, which name the same message."""
    found = until(lambda: (lambda r: r if len(r) == 2 else None)(
        [r for r in rows(d, "ledger") if r["state"] == "filed"]), why="both copies are in the ledger")
    assert sorted(r["source"] for r in found) == sorted(sources)
    assert len(rows(d, "list", "leads")) == 1 and len(rows(d, "list", "contacts")) == 1
    assert acts(d) == 1
    return found


@pytest.mark.parametrize("footer", [False, True])
def test_one_mail_in_two_mailboxes_of_a_server_is_one_message_with_two_rows(server, footer):
    users = ("sales", "info") if not footer else ("sales2", "info2")
    for user in users:
        server.add_user(user, "secret-" + user)
    boxes = "".join(company.imap(server, user, user) for user in users)
    with Daemon(company.conf(mailboxes=boxes), company.files()) as d:
        for user, raw in zip(users, copies(footer)):
            server.deliver(user, raw)
        one_of_two(d, ["imap:%s/INBOX" % user for user in users])


def test_one_mail_in_a_mailbox_and_a_maildir_is_one_message_with_two_rows(server):
    server.add_user("sales3", "secret")
    boxes = company.imap(server, "sales3", "sales") + company.MAILDIR_IN
    with Daemon(company.conf(mailboxes=boxes), company.files()) as d:
        one, two = copies(footer=True)
        server.deliver("sales3", one)
        company.deliver(d.dir + "/inbox", "two", two)
        one_of_two(d, ["imap:sales/INBOX", "maildir:inbox"])
