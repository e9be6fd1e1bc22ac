# SPDX-License-Identifier: ISC
"""leadctl simulate: a month of mails under virtual time, and the daemon does the same with them."""
import datetime
import json
import mailbox
import os
import socket
import subprocess
import urllib.parse
import urllib.request

import pytest

import company
from daemon import Daemon, LEADCTL, until

RULES = """
lang = 1;
rules : {
  spread : { on = "lead.created"; do = "assign pool sales"; };
  welcome : { on = "lead.created"; when = "contact.email is set"; do = "send welcome"; };
  urgent : { on = "lead.created"; when = "lead.subject contains 'urgent'"; do = "tag urgent"; };
};
escalations : {
  silent : { on = "lead"; when = "not lead.contacted"; since = "created";
             levels = ( { after = "3h"; do = "assign mia"; } ); };
};
sequences : {
  nurture : { stop = [ "reply" ]; window = "daily 00:00-24:00";
              steps = ( { wait = "2d"; }, { email = "more"; }, { wait = "3d"; }, { email = "last"; } ); };
};
pools : { sales : { by = "round_robin"; members = [ "tom", "eva" ]; }; };
"""
BEGIN = RULES.replace('do = "tag urgent"; };', 'do = "tag urgent"; };\n'
                      '  begin : { on = "lead.created"; do = "sequence nurture"; };')
START = datetime.datetime(2026, 10, 5, 7, 0, tzinfo=datetime.timezone.utc)


def files(rules=BEGIN):
    return company.files(rules, **{"templates/more.txt": "Subject: More\n\nMore for you.\n",
                                   "templates/last.txt": "Subject: Last\n\nThe last.\n"})


def at(hours):
    return (START + datetime.timedelta(hours=hours)).timestamp()


def stream():
    """(time, mail or form), of some two weeks."""
    found = []
    for n, (hours, who, subject) in enumerate((
            (1, "ada@shop.example", "40 widgets"), (1.5, "bob@werk.example", "urgent: 3 widgets"),
            (26, "cy@bau.example", "Catalogue"), (27, "ada@shop.example", "One more thing"),
            (75, "bob@werk.example", "Re: urgent: 3 widgets"), (200, "dan@ost.example", "A question"))):
        found.append((at(hours), company.mail(who, subject, when=at(hours), text="From here.\nHello %d\n" % n,
                                              name=who.split("@")[0].title() + " Test",
                                              message_id="<m%d@%s>" % (n, who.split("@")[1]))))
    found.append((at(30), {"form": "contact", "fields": {"email": "fay@net.example", "name": "Fay Test",
                                                         "message": "Please call"}}))
    return sorted(found, key=lambda x: x[0])


def write_inputs(folder):
    """An mbox of the mails and JSON lines of the forms."""
    box = mailbox.mbox(str(folder / "in.mbox"))
    with open(folder / "forms.jsonl", "w") as out:
        for when, what in stream():
            if isinstance(what, bytes):
                m = mailbox.mboxMessage(what)
                m.set_from("somebody@example.com", datetime.datetime.fromtimestamp(
                    when, datetime.timezone.utc).timetuple())
                box.add(m)
            else:
                stamp = datetime.datetime.fromtimestamp(when, datetime.timezone.utc)
                out.write(json.dumps(dict(what, at=stamp.strftime("%Y-%m-%dT%H:%M:%SZ"))) + "\n")
    box.close()
    return [folder / "in.mbox", folder / "forms.jsonl"]


@pytest.fixture
def folder(tmp_path):
    write(tmp_path, company.conf())
    return tmp_path


def write(folder, conf, rules=BEGIN):
    for name, text in files(rules).items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    (folder / "leadd.conf").write_text(conf.replace("@DIR@", str(folder)))


def run(*argv, code=0):
    p = subprocess.run([LEADCTL] + [str(a) for a in argv], capture_output=True, text=True, check=False,
                       timeout=300, env=dict(os.environ, LEADD_RUN_DIR="/nonexistent"))
    assert p.returncode == code, p.stdout + p.stderr
    return p.stdout if code == 0 else p.stderr


def simulate(folder, *more, inputs=None):
    return run("simulate", "--rules", folder, *more, *(inputs or write_inputs(folder)))


def entries(text, kind=None):
    return [dict(e, day=d["day"]) for d in json.loads(text)["days"] for e in d["entries"]
            if kind in (None, e["kind"])]


def test_the_calendar_says_what_would_have_happened_to_whom(folder):
    out = simulate(folder, "--from", "2026-10-05")
    days = out.split("\n\n")
    assert days.pop(0) == "times of Europe/Vienna" and days[0].startswith("2026-10-05\n")
    assert '  10:00  mail from ada@shop.example "40 widgets" became L1\n' in out
    assert "         assigned to tom, by spread at %s/rules.d/10-rules.conf:4\n" % folder in out
    assert "         tag urgent, by urgent at %s/rules.d/10-rules.conf:6\n" % folder in out
    assert '  10:00  welcome to ada@shop.example "Your request to Example Widgets", by welcome at' in out
    assert "escalation silent, level 1, on L1" in out and "assigned to mia, by silent at" in out
    assert 'form contact' in out and "became L4" in out
    assert '"One more thing" belongs to L1' in out
    assert "6 mails, 1 forms and 0 assumed answers came in" in out
    assert days[0].count("\n  ") > 5


def test_the_same_input_gives_the_same_bytes(folder):
    inputs = write_inputs(folder)
    for more in ((), ("--json",), ("--json", "--answered", "1d")):
        assert (simulate(folder, "--from", "2026-10-05", *more, inputs=inputs) ==
                simulate(folder, "--from", "2026-10-05", *more, inputs=inputs))


def test_who_shows_one_person_alone(folder):
    out = simulate(folder, "--json", "--who", "Bob@Werk.example")
    assert entries(out) and {e.get("who") for e in entries(out)} == {"bob@werk.example"}
    assert "ada@shop" not in out
    assert "no email address" in run("simulate", "--rules", folder, "--who", "bob", folder / "in.mbox", code=1)


def test_an_answer_ends_the_sequence_also_when_it_is_assumed(folder):
    def more(text):
        return sorted(e["to"] for e in entries(text, "sent") if e.get("template") == "more")
    plain = simulate(folder, "--json", "--days", "20")
    assert more(plain) == ["cy@bau.example", "dan@ost.example", "fay@net.example"] or \
        "bob@werk.example" in more(plain)
    assert "ada@shop.example" not in more(plain), "who wrote again after a day is left alone"
    answered = simulate(folder, "--json", "--days", "20", "--answered", "12h")
    assert more(answered) == []
    assert json.loads(answered)["inputs"]["answers"] == 5
    assert [e for e in entries(answered, "mail") if "Thank you" not in e["text"] and "Re: " in e["text"]]


def test_days_limit_shift_moves_and_what_is_outside_is_counted(folder):
    inputs = write_inputs(folder)
    short = json.loads(simulate(folder, "--json", "--from", "2026-10-05", "--days", "2", inputs=inputs))
    assert short["inputs"]["mails"] == 4 and short["inputs"]["outside"] == 2
    assert short["days"][-1]["day"] <= "2026-10-07"
    none = json.loads(simulate(folder, "--json", "--from", "2030-01-01", inputs=inputs))
    assert none["inputs"]["mails"] == 0 and none["inputs"]["outside"] == 7 and none["days"] == []
    moved = json.loads(simulate(folder, "--json", "--from", "2030-01-01", "--shift", inputs=inputs))
    assert moved["inputs"]["mails"] == 6 and moved["days"][0]["day"] == "2030-01-01"


def test_a_maildir_a_folder_and_single_mails_are_read_alike(folder, tmp_path):
    inputs = write_inputs(folder)
    mails = [m for _, m in stream() if isinstance(m, bytes)]
    box, loose = tmp_path / "maildir", tmp_path / "loose"
    loose.mkdir()
    for n, m in enumerate(mails):
        company.deliver(str(box), "m%d" % n, m)
        (loose / ("%d.eml" % n)).write_bytes(m)
    want = simulate(folder, "--json", inputs=inputs)
    assert simulate(folder, "--json", inputs=[box, inputs[1]]) == want
    assert simulate(folder, "--json", inputs=[loose, inputs[1]]) == want
    assert simulate(folder, "--json", inputs=sorted(loose.iterdir()) + [inputs[1]]) == want


def test_what_cannot_be_read_is_said(folder, tmp_path):
    (tmp_path / "bad.jsonl").write_text('{"form": "contact", "fields": {}}\n{"form": 7}\n')
    (tmp_path / "empty").write_text("")
    for argv, why in (((tmp_path / "bad.jsonl",), "bad.jsonl:2: expected {"),
                      ((tmp_path / "empty",), "no mails and no forms"),
                      ((tmp_path / "nothing",), "No such file"),
                      (("--mailbox", "x", tmp_path / "empty"), 'no mailbox "x"'),
                      (("--from", "tomorrow", *write_inputs(folder)), "no date and time"),
                      (("--days", "0", *write_inputs(folder)), "1 to 3660"),
                      (("--answered", "soon", *write_inputs(folder)), "a duration such as 2d")):
        assert why in run("simulate", "--rules", folder, *argv, code=1)
    (folder / "rules.d/10-rules.conf").write_text("lang = 1; rules : { x : { on = \"lead.craeted\"; }; };")
    assert "lead.created" in run("simulate", "--rules", folder, *write_inputs(folder), code=1)


def test_nothing_is_sent_no_socket_is_opened_and_no_file_is_left(tmp_path):
    """Relay, mailbox and endpoint listen: nobody comes."""
    listeners = [socket.create_server(("127.0.0.1", 0)) for _ in range(3)]
    relay, imap, hook = (s.getsockname()[1] for s in listeners)
    (tmp_path / "pw").write_text("secret")
    (tmp_path / "pw").chmod(0o600)
    conf = company.conf(
        mailboxes='sales : { type = "imap"; host = "127.0.0.1"; port = %d; tls = "none"; user = "u"; '
                  'password_file = "@DIR@/pw"; allow_plaintext = true; start = "all"; };' % imap,
        relays=company.smtp(relay))
    conf += 'endpoints : { erp : { url = "http://127.0.0.1:%d/"; allow_plaintext = true; }; };\n' % hook
    write(tmp_path, conf, BEGIN.replace('do = "send welcome"', 'do = [ "send welcome", "webhook erp lead.id" ]'))
    inputs = write_inputs(tmp_path)
    before = sorted(str(p) for p in tmp_path.rglob("*"))
    out = simulate(tmp_path, "--json", inputs=inputs)
    assert len(entries(out, "sent")) >= 5
    assert sorted(str(p) for p in tmp_path.rglob("*")) == before
    for s in listeners:
        s.settimeout(0.2)
        with pytest.raises(TimeoutError):
            s.accept()
        s.close()


def test_a_month_of_many_mails_goes_through(folder):
    count = int(os.environ.get("LEADD_SIMULATE_MAILS", "200"))  # 1000 take long under a sanitizer
    box = mailbox.mbox(str(folder / "month.mbox"))
    for n in range(count):
        when = at(n * 700 / count)
        box.add(mailbox.mboxMessage(company.mail("p%d@host%d.example" % (n % 80, n % 20), "Mail %d" % n,
                                                 when=when, message_id="<k%d@x.example>" % n)))
    box.close()
    found = json.loads(simulate(folder, "--json", inputs=[folder / "month.mbox"]))
    assert found["inputs"]["mails"] == count and found["totals"]["leads"] == 80
    assert found["totals"]["sent"] >= 80


# ---- the daemon does the same ---------------------------------------------------------------------------

def post_real(d, what):
    url = "http://127.0.0.1:%d/form/%s" % (d.port(), what["form"])
    with urllib.request.urlopen(url, urllib.parse.urlencode(what["fields"]).encode(), timeout=60) as r:
        assert r.status == 200


def deliver_real(d, name, raw, when):
    """A Maildir's mail came when its file was written."""
    path = os.path.join(d.dir, "inbox", "tmp", name)
    with open(path, "wb") as f:
        f.write(raw)
    os.utime(path, (when, when))
    os.rename(path, os.path.join(d.dir, "inbox", "new", name))


def last_owners(found):
    return {e["record"]: one["text"].split()[-1] for e in found for one in e.get("did", [])
            if one["text"].startswith("assigned to ")}


def test_a_real_daemon_under_pretended_time_does_the_same(folder):
    start = START.strftime("%Y-%m-%dT%H:%M:%SZ")
    found = entries(simulate(folder, "--json", "--from", start, "--days", "9"))
    want = sorted((e["at_ms"] // 60000, e["to"], e["template"]) for e in found
                  if e["kind"] == "sent" and e.get("template"))
    owners = last_owners(found)
    assert {t for _, _, t in want} == {"welcome", "more", "last"} and set(owners.values()) == {"mia"}
    with Daemon(company.conf(), files(), args=("--pretend-time", start)) as d:
        now = START.timestamp()
        for n, (when, what) in enumerate(stream()):
            d.ctl("clock", "advance", "%ds" % (when - now))
            now = when
            if isinstance(what, bytes):
                deliver_real(d, "m%d" % n, what, when)
            else:
                post_real(d, what)
            until(lambda: len(d.ctl("ledger", "limit=100")["rows"]) > n, why="input %d is filed" % n)
        d.ctl("clock", "advance", "%ds" % (at(9 * 24) - now))
        rows = until(lambda: (lambda r: r if all(x["state"] == "sent" for x in r) else None)(
            d.ctl("outbox", "list", "limit=1000")["rows"]), why="all has left")

        def minute(row):
            done = datetime.datetime.fromisoformat(row["done"].replace("Z", "+00:00"))
            return int(done.timestamp()) // 60
        assert sorted((minute(r), r["to"], r["template"]) for r in rows if r["template"]) == want
        leads = d.ctl("list", "leads", "limit=100")["rows"]
        assert {r["id"]: r["owner"] for r in leads} == owners
