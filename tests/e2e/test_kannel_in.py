# SPDX-License-Identifier: ISC
"""Texts that come in by a real Kannel, with fakesmsc as the operator: a lead, an answer, STOP."""
import os

import pytest

from daemon import Daemon, until
from kannel import FAKESMSC, Kannel
from test_kannel import conf, files, gateway
from test_main_job import rows, wait_rows

pytestmark = pytest.mark.skipif(not os.path.exists(FAKESMSC), reason="no Kannel here")


def says(k, words):
    """A phone texts, by an operator who connects for it."""
    k.operator("436601112233 43660123456 text " + words)


def test_a_text_comes_in_is_answered_and_a_stop_ends_it(tmp_path):
    with Daemon(conf(gateway("http://127.0.0.1:1")), files()) as d:
        inbound = "http://127.0.0.1:%d/sms/kannel" % d.port("web-in")
        with Kannel(str(tmp_path), inbound=inbound) as k:
            d.write("leadd.conf", conf(gateway(k.url)))
            assert "reload.done" in d.reload()
            says(k, "How much are 40 widgets?")
            wait_rows(d, 1, "list", "leads")
            until(lambda: k.said(), timeout=120, why="the answer is at the operator's")
            assert k.said()[0][1].endswith("436601112233") and "calls you" in k.said()[0][2]
            assert "How much are 40 widgets?" in str(d.ctl("show", "M1"))
            k.hang_up()
            says(k, "STOP")
            until(lambda: rows(d, "ledger", "source=sms:kannel")[1:], timeout=120, why="the STOP")
            assert d.ctl("consent", "show", "+436601112233")["fields"][0][1] == "withdrawn"
            until(lambda: any("no more texts" in t for _, _, t in k.said()), timeout=120,
                  why="its one confirmation")
            assert len(rows(d, "list", "leads")) == 1
