# SPDX-License-Identifier: ISC
"""Texts by a real gateway: Kannel with bearerbox and smsbox, fakesmsc in the operator's place."""
import contextlib
import os
import re
import subprocess

import pytest

import company
from daemon import LEADCTL, Daemon, until
from roles import SRC
from kannel import FAKESMSC, SECRET, Kannel
from test_main_job import post

pytestmark = pytest.mark.skipif(not os.path.exists(FAKESMSC), reason="no Kannel here")

RULES = """
lang = 1;
rules : {
  rest : { on = "lead.created"; do = [ "assign tom", "send sms using thanks" ]; };
  told : { on = "sms.delivered"; do = "note the phone has it"; };
  lost : { on = "sms.failed"; do = "note the phone has it not"; };
};
"""
THANKS = "Thank you {{contact.first_name}}, {{owner.name}} calls you.\n"


def gateway(url, name="kannel", secret="@DIR@/sms.secret", **more):
    extra = " ".join("%s = %s;" % (k, v if isinstance(v, int) else '"%s"' % v)
                     for k, v in more.items())
    return ('%s : { preset = "kannel"; url = "%s"; number = "+43660123456"; user = "crm"; '
            'secret_file = "%s"; verify : { scheme = "none"; }; %s };' % (name, url, secret, extra))


def conf(gateways, in_url=None):
    text = company.conf(settings='presets_dir = "%s"; gateways : { %s };'
                        % (os.path.join(os.path.abspath(SRC), "contrib"), gateways))
    return text.replace('web : { ', 'web : { in_url = "%s"; ' % in_url) if in_url else text


def files(rules=RULES, **more):
    found = company.files(rules)
    found.update({"templates/thanks.sms.txt": THANKS, "sms.secret": SECRET + "\n"})
    found.update(more)
    return found


@contextlib.contextmanager
def texting(kannel, gateways=None, **more):
    """leadd, and a Kannel that can tell it what became of its texts."""
    gateways = gateways or gateway(kannel.url)
    with Daemon(conf(gateways), files(**more)) as d:
        d.write("leadd.conf", conf(gateways, "http://127.0.0.1:%d" % d.port("web-in")))
        assert "reload.done" in d.reload()
        yield d


@pytest.fixture
def kannel(tmp_path):
    with Kannel(str(tmp_path)) as k:
        yield k


def lead(d, phone="+436601112233", name="Ada Beispiel", n=1):
    post(d, {"email": "ada%d@shop.example" % n, "name": name, "phone": phone})


def texts(d, **want):
    rows = d.ctl("outbox", "list")["rows"]
    return [r for r in rows if r["channel"] == "sms" and all(r[k] == v for k, v in want.items())]


def wait_text(d, **want):
    return until(lambda: texts(d, **want), timeout=120, why="an SMS with %s" % want)[0]


def timeline(d):
    return [r["text"] for r in d.ctl("timeline", "L1")["rows"]]


def test_a_rule_texts_a_lead_and_the_receipt_comes_back(kannel):
    kannel.operator()
    with texting(kannel) as d:
        lead(d)
        row = wait_text(d, state="sent", delivery="delivered")
        assert row["to"] == "+436601112233"
        assert kannel.said() == [("+43660123456", "+436601112233",
                                  "Thank you Ada, Tom Example calls you.")]
        until(lambda: any("the phone has it" in t for t in timeline(d)), why="the rule's note")
        assert any("Thank you Ada" in t for t in timeline(d))


def test_receipts_can_carry_a_token_as_the_manual_says(kannel):
    kannel.operator()
    signed = gateway(kannel.url).replace(
        'verify : { scheme = "none"; };',
        'verify : { scheme = "token"; query = "token"; secret_files = "@DIR@/sms.secret"; }; send : { query : { '
        'dlr-url = "{receipt_url}?token={secret}&key={key}&status=%d&smsc=%i&answer=%A"; }; };')
    assert "token" in signed
    with texting(kannel, signed) as d:
        lead(d)
        wait_text(d, state="sent", delivery="delivered")
        assert not d.ctl("quarantine", "list")["rows"]


def test_text_beyond_the_gsm_alphabet_arrives_as_it_was_written(kannel):
    kannel.operator()
    words = "Grüße {{contact.first_name}} €[~] – Привет 👍"
    with texting(kannel, **{"templates/thanks.sms.txt": words}) as d:
        lead(d, name="Zoë Beispiel")
        wait_text(d, state="sent")
        until(lambda: kannel.said(), why="the operator got it")
        assert kannel.said()[0][2] == "Grüße Zoë €[~] – Привет 👍"


def test_a_long_text_goes_out_in_parts_and_is_counted_so(kannel):
    kannel.operator()
    with texting(kannel, **{"templates/thanks.sms.txt": "0123456789" * 20}) as d:
        lead(d)
        row = wait_text(d, state="sent")
        assert row["segments"] == 2
        until(lambda: len(kannel.said()) == 2, why="both parts")


def test_a_wrong_password_leaves_the_text_waiting_and_tells_the_administrator(kannel):
    kannel.operator()
    with texting(kannel, **{"sms.secret": "wrong\n"}) as d:
        lead(d)
        row = wait_text(d, state="deferred")
        assert "403" in row["reply"] and not kannel.said()
        told = until(lambda: [m for m in company.sent(d.dir) if "no SMS by the gateway" in
                              m["Subject"]], timeout=60, why="the administrator is told")
        assert "refuses our sign-in" in told[0].get_content()


def test_a_number_that_kannel_has_no_way_to_fails_alone(kannel):
    """Kannel answers 403 to it, as to a wrong password; the sign-in is right all the same."""
    kannel.operator()
    with texting(kannel) as d:
        lead(d, phone="+439912345678")
        row = wait_text(d, state="failed")
        assert "Not routable" in row["reply"]
        lead(d, name="Bob", phone="+436601112255", n=2)
        wait_text(d, to="+436601112255", state="sent")
        assert "refuses our sign-in" not in str(d.ctl("gateway", "status"))
        assert not [m for m in company.sent(d.dir) if "no SMS by the gateway" in m["Subject"]]


def test_an_operator_who_is_away_gets_the_text_once_when_he_is_back(kannel):
    with texting(kannel) as d:
        lead(d)
        wait_text(d, state="sent")  # Kannel has it and keeps it
        kannel.operator()
        until(lambda: kannel.said(), timeout=120, why="the operator got it")
        wait_text(d, delivery="delivered")
        assert len(kannel.said()) == 1


def test_a_gateway_that_is_not_there_is_left_for_the_next(kannel):
    kannel.operator()
    gone = gateway("http://127.0.0.1:1", "gone")
    with texting(kannel, gone + gateway(kannel.url)) as d:
        lead(d)
        row = wait_text(d, state="sent")
        assert row["relay"] == "kannel"
        until(lambda: kannel.said(), why="the operator got it")
        assert len(kannel.said()) == 1
        assert re.search(r"sms.failover.*gateway=gone", d.log())


def test_gateway_status_tells_what_went_out_and_what_it_cost(kannel):
    kannel.operator()
    with texting(kannel, gateway(kannel.url, price="0.075 EUR")) as d:
        lead(d)
        wait_text(d, state="sent", delivery="delivered")
        gates, days = d.ctl("gateway", "status")["sections"]
        assert [(g["name"], g["state"]) for g in gates["rows"]] == [("kannel", "ok")]
        (day,) = days["rows"]
        assert (day["texts"], day["segments"], day["delivered"]) == (1, 1, 1)
        assert day["cost"] == "0.0750 EUR"
        told = d.ctl_text("gateway", "test", "kannel", "+436609998877")
        assert re.search(r"^accepted +ok +SMS 2: HTTP 202$", told, re.M), told
        until(lambda: any(to == "+436609998877" for _, to, _ in kannel.said()), why="the test text")


def test_dear_texts_are_told_when_rules_are_checked(tmp_path):
    rules = RULES.replace("using thanks", "using long")
    words = {"templates/long.sms.txt": "It\u2019s " + "0123456789" * 7 + " bit.ly/x\n"}
    url = gateway("http://127.0.0.1:9")
    with Daemon(conf(url), files(rules, **words), start=False) as d:
        out = subprocess.run([LEADCTL, "rules", "check", d.dir], capture_output=True,
                             text=True, timeout=120)
        told = out.stdout + out.stderr
        assert "long takes 2 SMS" in told and "bit.ly" in told
        assert "\u2019" in told and 'write "\'"' in told
