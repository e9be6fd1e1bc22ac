# SPDX-License-Identifier: ISC
"""The gateway that is a folder, with a real smsd of SMS Server Tools behind it, and its
eventhandler: out, reports, in, STOP. The modem is played over TCP."""
import contextlib
import os
import shutil

import pytest

import company
from daemon import Daemon, until
from roles import SRC
from smsd import Smsd
from test_main_job import rows

SMSD = "/usr/sbin/smsd"
ADA, BOB = "+436601112233", "+436607778899"
PRESETS = os.path.join(os.path.abspath(SRC), "contrib")
RULES = """
lang = 1;
rules : {
  rest : { first = "assignment"; on = "lead.created"; do = "assign tom"; };
  thank : { on = "lead.created"; do = "send sms using thanks"; };
};
"""
pytestmark = pytest.mark.skipif(not os.path.exists(SMSD), reason="smstools is not installed")


@contextlib.contextmanager
def texting(tmp_path, thanks="Grüße aus Wien, €5 [~]"):
    env = tmp_path / "smstools.env"
    handler = os.path.join(PRESETS, "gateways", "smstools.sh")
    with Smsd(tmp_path, handler, {"LEADD_SMSTOOLS": str(env)}) as s:
        conf = company.conf(settings="""
            presets_dir = "%s";
            gateways : { modem : { preset = "smstools"; folder = "%s"; number = "+43660123456";
                verify : { scheme = "token"; header = "X-Token"; secret_files = "@DIR@/token"; }; }; };
            """ % (PRESETS, s.outgoing))
        files = company.files(RULES)
        files.update({"token": "a-shared-token\n", "templates/thanks.sms.txt": thanks})
        with Daemon(conf, files) as d:
            env.write_text("url=http://127.0.0.1:%d/sms/modem\ntoken=a-shared-token\nsent=%s/sent\n"
                           % (d.port("web-in"), tmp_path))
            d.smsd = s
            yield d


def texts(d, **want):
    return [r for r in d.ctl("outbox", "list")["rows"]
            if r["channel"] == "sms" and all(r[k] == v for k, v in want.items())]


def wait_text(d, **want):
    return until(lambda: texts(d, **want), why="an SMS with %s" % want)[0]


def lead(d, number=ADA):
    d.smsd.modem.text(number, "Was kosten 40 Stück?")
    return until(lambda: [r for r in rows(d, "list", "leads")], why="a lead")[0]


def test_a_text_comes_in_is_answered_and_the_report_comes_back(tmp_path):
    with texting(tmp_path) as d:
        assert lead(d)["owner"] == "tom"
        assert d.ctl("show", "M1")["message"]["text"] == "Was kosten 40 Stück?"
        wait_text(d, to=ADA, delivery="sent")
        number, words, asked_report, reference = d.smsd.modem.sent[0]
        assert (number, words, asked_report) == (ADA, "Grüße aus Wien, €5 [~]", True)
        d.smsd.modem.report(ADA, reference, 48)   # the network is still trying
        d.smsd.modem.report(ADA, reference)
        wait_text(d, to=ADA, delivery="delivered")
        until(lambda: not os.listdir(str(tmp_path / "incoming")), why="all files are handed over")
        assert len(d.smsd.modem.sent) == 1


def test_a_text_that_looks_like_a_report_is_a_text(tmp_path):
    with texting(tmp_path, "Danke") as d:
        lead(d)
        wait_text(d, to=ADA, delivery="sent")
        d.smsd.modem.text(ADA, "SMS STATUS REPORT\nMessage_id: %d\nStatus: 64,Error,none"
                          % d.smsd.modem.sent[0][3])
        until(lambda: "SMS STATUS REPORT" in str(d.ctl("timeline", "L1")), why="the text")
        assert [r["delivery"] for r in texts(d, to=ADA) if r["delivery"] != "sent"] == []
        until(lambda: not os.listdir(str(tmp_path / "incoming")), why="all files are handed over")


def test_words_beyond_the_gsm_alphabet_and_a_stop(tmp_path):
    with texting(tmp_path, "Danke") as d:
        d.smsd.modem.text(ADA, "Привет 👍\nвторая строка")
        until(lambda: rows(d, "list", "leads"), why="a lead")
        assert d.ctl("show", "M1")["message"]["text"] == "Привет 👍\nвторая строка"
        wait_text(d, to=ADA, delivery="sent")
        d.smsd.modem.text(ADA, "STOP")
        until(lambda: len(d.smsd.modem.sent) == 2, why="the confirmation")
        assert "STOP" in str(d.ctl("consent", "show", ADA))


def test_a_text_that_the_network_refuses_and_a_report_of_no_delivery(tmp_path):
    with texting(tmp_path) as d:
        lead(d)
        wait_text(d, to=ADA, delivery="sent")
        d.smsd.modem.report(ADA, d.smsd.modem.sent[0][3], 69)
        assert wait_text(d, to=ADA, delivery="undelivered")["state"] == "sent"
        d.smsd.modem.refuse = True
        d.smsd.modem.text(BOB, "Und ich?")
        wait_text(d, to=BOB, delivery="failed")


def test_what_leadd_could_not_be_given_waits_in_the_folder_and_counts_once(tmp_path):
    with texting(tmp_path, "Danke") as d:
        env, good = tmp_path / "smstools.env", (tmp_path / "smstools.env").read_text()
        env.write_text(good.replace("token=a-shared-token", "token=a-shared-token\nurl=http://127.0.0.1:1/x"))
        d.smsd.modem.text(ADA, "Hallo")
        until(lambda: "Done: eventhandler" in d.smsd.log(), why="the handler has failed")
        kept = os.listdir(str(tmp_path / "incoming"))
        assert len(kept) == 1 and not rows(d, "list", "leads")
        env.write_text(good)
        shutil.copy(str(tmp_path / "incoming" / kept[0]), str(tmp_path / "copy"))
        d.smsd.modem.text(ADA, "Noch etwas")
        until(lambda: len([r for r in rows(d, "timeline", "L1") if r["kind"] == "sms"
                           and r.get("direction", "in") == "in"]) >= 2
              if rows(d, "list", "leads") else False, why="both texts")
        until(lambda: not os.listdir(str(tmp_path / "incoming")), why="all files are handed over")
        shutil.copy(str(tmp_path / "copy"), str(tmp_path / "incoming" / kept[0]))  # rm was not reached
        d.smsd.modem.text(ADA, "Und noch etwas")
        until(lambda: "Und noch etwas" in str(d.ctl("timeline", "L1")), why="the third")
        until(lambda: not os.listdir(str(tmp_path / "incoming")), why="all files are handed over")
        assert str(d.ctl("timeline", "L1")).count("Hallo") == 1
