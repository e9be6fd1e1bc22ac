# SPDX-License-Identifier: ISC
"""One mail that comes twice is one: in two mailboxes, through a list, with a footer; and a
second mail under the same Message-ID is not lost to the first."""
import company
from daemon import Daemon
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
