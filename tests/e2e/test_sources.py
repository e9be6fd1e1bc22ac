# SPDX-License-Identifier: ISC
"""What other programs tell of: calls, chats, orders, leads and visits, on the right contact."""
import contextlib
import http.client
import json
import subprocess

import pytest

import company
from daemon import Daemon, until
from roles import LEADD

JSON = {"Content-Type": "application/json"}

SOURCES = """
fields : { lead : { employees : { type = "int"; }; budget : { type = "text"; }; }; };
sources : {
  shop : {
    verify : { scheme = "none"; };
    creates = "contact";
    events : {
      test : { when = "test = true"; kind = "nothing"; };
      paid : { when = [ "type = paid|complete", "email is set" ]; kind = "order.paid"; };
      placed : { when = "type = new"; kind = "order.placed"; };
      refund : { when = "type starts refund"; kind = "order.refunded"; map : { refunded = "back"; }; };
    };
    map : { event = "evt"; id = "order.id"; number = "order.no"; email = "email"; phone = "tel";
            name = "{first} {last}"; amount = "order.total"; currency = "order.cur"; at = "when";
            items = "order.lines"; item = "{n} x {what}"; };
  };
  tel : {
    verify : { scheme = "token"; secret_files = "@DIR@/tel.secret"; };
    creates = "nothing";
    events : {
      started : { when = "state = ringing"; kind = "call.started"; };
      missed : { when = [ "state = done", "answered = false" ]; kind = "call.missed"; };
      ended : { when = "state = done"; kind = "call.ended"; };
    };
    map : { id = "call"; phone = "other"; direction = "dir"; duration = "secs"; recording = "rec"; };
  };
  ads : {
    verify : { scheme = "none"; }; kind = "lead";
    map : { email = "data[name=email].values.0"; name = "data[name=full_name].values.0";
            event = "lead_id"; text = "data[name=question].values.0"; };
    fields = ( { from = "data[name=budget].values.0"; to = "lead.budget"; } );
  };
  chat : {
    verify : { scheme = "none"; }; kind = "chat.ended";
    map : { email = "visitor.email"; lines = "messages"; line = "{who}: {msg}"; id = "chat"; };
  };
  web : { verify : { scheme = "none"; }; kind = "visit"; creates = "nothing";
          map : { email = "query.email"; url = "query.page"; title = "query.title"; event = "query.id"; }; };
};
"""

RULES = """
lang = 1;
rules : {
  big : { on = "order.paid"; when = "order.amount >= 100 EUR"; do = "task big order {{order.number}}"; };
  missed : { on = "call.missed"; do = "task call back"; };
  talk : { on = "chat.ended"; when = "message.text contains 'price'"; do = "tag price"; };
  rest : { on = "lead.created"; do = "assign tom"; };
};
"""


def conf():
    text = company.conf(settings=SOURCES)
    first = text.index("fields : { lead")
    second = text.rindex("fields : { lead")
    assert first != second
    return text[:second]  # the company's own fields stand last


@pytest.fixture(scope="module")
def d():
    files = company.files(RULES, **{"tel.secret": "tel-token\n"})
    with Daemon(conf(), files) as daemon:
        yield daemon


def send(d, path, body=None, method="POST"):
    c = http.client.HTTPConnection("127.0.0.1", d.port("web-in"), timeout=60)
    with contextlib.closing(c):
        c.request(method, path, None if body is None else json.dumps(body), JSON)
        r = c.getresponse()
        return json.loads(r.read())["status"]


def contact(d, email):
    found = [r for r in d.ctl("list", "contacts")["rows"] if r.get("email") == email]
    assert len(found) == 1, d.ctl("list", "contacts")["rows"]
    return found[0]["id"]


def section(d, record, title):
    return next((s["rows"] for s in d.ctl("show", record)["sections"] if s["title"] == title), [])


def timeline(d, record, kind):
    return [r for r in d.ctl("timeline", record)["rows"] if r["kind"] == kind]


def order(kind, email="kim@example.org", **more):
    body = {"type": kind, "email": email, "first": "Kim", "last": "Example",
            "order": {"id": 77, "no": "1001", "total": "149.90", "cur": "eur",
                      "lines": [{"n": 2, "what": "Widget"}, {"n": 1, "what": "Lamp"}]}}
    body.update(more)
    return body


def test_an_order_keeps_number_amount_currency_and_items_through_its_life(d):
    assert send(d, "/hook/shop", order("new", evt="e1")) == "accepted"
    c = contact(d, "kim@example.org")
    assert section(d, c, "Leads") == []  # the source creates contacts
    assert [(o["number"], o["state"], o["amount"]) for o in section(d, c, "Orders")] == \
        [("1001", "placed", "149.90 EUR")]
    assert send(d, "/hook/shop", order("paid", evt="e2")) == "accepted"
    assert send(d, "/hook/shop", order("paid", evt="e2")) == "duplicate"
    assert send(d, "/hook/shop", order("refund.part", evt="e3", back="49.90")) == "accepted"
    row = section(d, c, "Orders")[0]
    assert (row["state"], row["amount"], row["refunded"]) == ("refunded", "149.90 EUR", "49.90 EUR")
    assert row["items"] == "2 x Widget\n1 x Lamp"
    assert [a["text"] for a in timeline(d, c, "order")] == ["order 1001 refunded, 49.90 EUR"]
    assert [t["title"] for t in d.ctl("list", "tasks")["rows"]] == ["big order 1001"]


def test_what_is_older_than_what_is_known_changes_nothing(d):
    body = order("paid", email="old@example.org", evt="o1")
    body["order"]["id"] = 78
    late = dict(order("new", email="old@example.org", evt="o2"), order=body["order"])
    assert send(d, "/hook/shop", body) == "accepted"
    assert send(d, "/hook/shop", late) == "accepted"
    assert section(d, contact(d, "old@example.org"), "Orders")[0]["state"] == "paid"
    newest = d.ctl("ledger", "source=hook:shop", "limit=1")["rows"][0]
    assert (newest["state"], newest["reason"]) == ("ignored", "something later is known of it")


def test_what_no_event_fits_and_what_is_to_be_ignored_is_said_in_the_ledger(d):
    assert send(d, "/hook/shop", {"type": "other", "n": 1}) == "accepted"
    assert send(d, "/hook/shop", {"type": "paid", "test": True}) == "accepted"
    said = [r["reason"] for r in d.ctl("ledger", "source=hook:shop", "limit=2")["rows"]]
    assert said == ["the source is to ignore such events", "none of the source's events is like this"]


def test_a_call_is_one_activity_from_its_start_to_its_end(d):
    send(d, "/hook/ads", {"lead_id": 1, "data": [
        {"name": "email", "values": ["cal@example.org"]}, {"name": "full_name", "values": ["Cal Example"]}]})
    lead = next(r["id"] for r in d.ctl("list", "leads")["rows"] if "Cal" in json.dumps(r))
    d.ctl("do", contact(d, "cal@example.org"), "set", "contact.phone", "+436601112233")
    call = {"call": "c1", "other": "0660 1112233", "dir": "inbound", "state": "ringing"}
    assert send(d, "/hook/tel?token=tel-token", call) == "accepted"
    assert [a["text"] for a in timeline(d, lead, "call")] == ["call"]
    done = dict(call, state="done", secs=200, rec="https://rec.example.com/c1", answered=True)
    assert send(d, "/hook/tel?token=tel-token", done) == "accepted"
    assert [(a["text"], a["direction"]) for a in timeline(d, lead, "call")] == \
        [("call, 3m 20s, https://rec.example.com/c1", "in")]
    assert dict(d.ctl("show", lead)["fields"])  # the lead was spoken with
    assert "contacted" in json.dumps(d.ctl("show", lead)["fields"])
    missed = dict(call, call="c2", state="done", answered=False)
    assert send(d, "/hook/tel?token=tel-token", missed) == "accepted"
    assert "call back" in [t["title"] for t in d.ctl("list", "tasks")["rows"]]


def test_a_stranger_who_calls_is_nobody_where_the_source_creates_nobody(d):
    before = len(d.ctl("list", "contacts")["rows"])
    call = {"call": "c9", "other": "+43 660 9999999", "dir": "in", "state": "ringing"}
    assert send(d, "/hook/tel?token=tel-token", call) == "accepted"
    assert len(d.ctl("list", "contacts")["rows"]) == before
    newest = d.ctl("ledger", "source=hook:tel", "limit=1")["rows"][0]
    assert newest["reason"] == "nobody known, and the source creates nobody"


def test_an_ad_lead_is_a_lead_with_its_fields(d):
    body = {"lead_id": 7, "data": [{"name": "email", "values": ["ada@example.org"]},
                                   {"name": "full_name", "values": ["Ada Example"]},
                                   {"name": "question", "values": ["How much?"]},
                                   {"name": "budget", "values": ["5000"]}]}
    assert send(d, "/hook/ads", body) == "accepted"
    lead = next(r["id"] for r in d.ctl("list", "leads")["rows"] if "Ada" in json.dumps(r))
    shown = json.dumps(d.ctl("show", lead)["fields"])
    assert "5000" in shown and "ads" in shown and "tom" in shown.lower()


def test_a_chat_is_a_lead_with_its_words(d):
    body = {"chat": "x1", "visitor": {"email": "chat@example.org"},
            "messages": [{"who": "Visitor", "msg": "What is the price?"}, {"who": "Agent", "msg": "10"}]}
    assert send(d, "/hook/chat", body) == "accepted"
    lead = next(r["id"] for r in d.ctl("list", "leads", "tag=price")["rows"])
    assert timeline(d, lead, "chat")


def test_a_visit_of_somebody_known_is_on_his_timeline_and_makes_nothing(d):
    send(d, "/hook/ads", {"lead_id": 20, "data": [{"name": "email", "values": ["vis@example.org"]}]})
    path = "/hook/web?email=%s&page=https://www.example.com/pricing&title=Pricing&id=%d"
    assert send(d, path % ("vis@example.org", 1), method="GET") == "accepted"
    assert send(d, path % ("nobody@example.org", 2), method="GET") == "accepted"
    c = contact(d, "vis@example.org")
    assert [a["text"] for a in timeline(d, c, "visit")] == ["Pricing"]
    assert not [r for r in d.ctl("list", "contacts")["rows"] if r.get("email") == "nobody@example.org"]


def test_a_body_that_cannot_be_read_is_quarantined_and_a_bad_value_is_a_defect(d):
    c = http.client.HTTPConnection("127.0.0.1", d.port("web-in"), timeout=60)
    with contextlib.closing(c):
        c.request("POST", "/hook/shop", b'{"type": ', JSON)
        assert c.getresponse().status == 202
    body = order("paid", email="bad@example.org", evt="b1", when="yesterday")
    body["order"].update(id=99, total="lots")
    assert send(d, "/hook/shop", body) == "accepted"
    shown = d.ctl("ledger", "source=hook:shop", "limit=1")["rows"][0]
    message = d.ctl("show", "M%d" % shown["message_id"]) if "message_id" in shown else None
    assert message is None or "cannot be read" in json.dumps(message)


def test_rules_and_commands_after_a_restart_still_know_the_message(d):
    d.kill("engine")
    assert until(lambda: d.ctl("why", contact(d, "kim@example.org")), why="an answer")


def test_what_would_be_understood_is_shown_without_a_daemon(d):
    body = json.dumps(order("paid", evt="t1")).encode()
    shown = d.leadctl("--json", "source", "test", "shop", "-c", d.conf_path, input=body)
    got = json.loads(shown.stdout)
    assert (got["kind"], got["order"]["number"]) == ("order.paid", "1001"), shown.stderr
    assert b"order.amount.amount" in d.leadctl("source", "test", "shop", "-c", d.conf_path, input=body).stdout
    form = d.leadctl("--json", "source", "test", "web", "-c", d.conf_path, "--query", "page=https://x.example/",
                     "--type", "application/x-www-form-urlencoded", input=b"")
    assert json.loads(form.stdout)["visit"]["url"] == "https://x.example/"
    rows = json.loads(d.leadctl("--json", "source", "list", "-c", d.conf_path).stdout)["rows"]
    assert ["shop", "/hook/shop", "", "none", "contact"] in rows
    assert d.leadctl("source", "test", "nowhere", "-c", d.conf_path, input=b"{}").returncode == 1
    assert d.leadctl("source", "test", "shop", "-c", d.conf_path, input=b"{").returncode == 65
    assert d.leadctl("source").returncode == 64


@pytest.mark.parametrize("source,said", [
    ('map : { email = "{a"; }; kind = "lead";', "map.email: a bracket is open"),
    ('events : { a : { when = "type paid"; kind = "lead"; }; };', "PATH = A|B"),
    ('kind = "lead"; fields = ( { from = "x"; to = "lead.nothing"; } );', "lead.nothing"),
    ('kind = "order";', "order.placed"),
    ('map : { emial = "x"; }; kind = "lead";', 'did you mean "email"'),
    ('preset = "shopfy";', 'did you mean "shopify"'),
    ("creates = \"lead\";", "set kind, events or preset"),
])
def test_a_mistake_in_a_source_is_told(source, said):
    text = company.conf(settings='sources : { a : { verify : { scheme = "none"; }; %s }; };' % source)
    with Daemon(text, company.files(), start=False) as d:
        r = subprocess.run([LEADD, "-c", d.conf_path, "-t"], capture_output=True, text=True)
        assert said in r.stdout + r.stderr and r.returncode != 0


def test_beyond_its_quota_a_source_gets_429_and_the_ledger_counts():
    settings = """sources : { a : { verify : { scheme = "token"; secret_files = "@DIR@/tel.secret"; }; kind = "lead";
                  map : { email = "email"; }; quota : { rows = 3; }; };
                  b : { verify : { scheme = "token"; secret_files = "@DIR@/tel.secret"; }; kind = "lead";
                  map : { email = "email"; }; quota : { bytes = "4K"; }; }; };"""
    with Daemon(company.conf(settings=settings), company.files(**{"tel.secret": "t\n"})) as d:
        got = [send(d, "/hook/a?token=t", {"email": "q%d@example.org" % n}) for n in range(6)]
        assert got == ["accepted"] * 3 + ["rate"] * 3
        over = [r for r in d.ctl("ledger", "source=hook:a")["rows"] if r["key"].startswith("over:")]
        assert len(over) == 1 and over[0]["reason"].endswith("rows: 3 requests of that day were refused")
        got = [send(d, "/hook/b", {"email": "q%d@example.org" % n}) for n in range(8)]
        assert got[0] == "quarantined" and got[-1] == "rate"
        kept = got.count("quarantined")
        assert len([r for r in d.ctl("quarantine", "list")["rows"] if r["source"] == "hook:b"]) == kept
        assert send(d, "/hook/b?token=t", {"email": "fine@example.org"}) == "accepted"  # the honest pass
        d.kill("engine")
        assert send(d, "/hook/a?token=t", {"email": "late@example.org"}) == "rate"  # also after a restart
