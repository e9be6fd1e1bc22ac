# SPDX-License-Identifier: ISC
"""leadctl: what people and programs see, and its exit codes. The engine is a
role that pretends (fakeleadd.c) and answers `show NAME` from its config."""
import json
import os
import pty
import subprocess
import unicodedata

import pytest

from daemon import LEADCTL, CtlError, Daemon
from roles import BUILD

FAKE = os.path.join(BUILD, "tests", "e2e", "fakeleadd")

DATA = {
    "table": {"columns": [{"name": "id", "title": "Lead"},
                          {"name": "subject", "title": "Subject"},
                          {"name": "amount", "title": "Amount", "align": "right"}],
              "rows": [["L1", "Offer for the new hall with three cranes and a railway siding", 5000],
                       ["L22", "短い件名", 12], ["L3", None, None], ["L4", True, 3]]},
    "named": {"columns": [{"name": "process", "title": "PROCESS"}, {"name": "pid", "title": "PID"},
                          {"name": "user"}],
              "rows": [{"pid": 7, "process": "engine", "secret": "x"},
                       {"pid": 12345, "process": "parser", "user": "p"}]},
    "empty": {"columns": [{"name": "id"}], "rows": []},
    "record": {"fields": [["Owner", "anna"], ["Last contact", "2026-03-01"]],
               "sections": [{"title": "Mail", "columns": [{"name": "at", "title": "At"}],
                             "rows": [["10:00"]]}, {"title": "Note", "text": "two\nlines"}]},
    "tags": {"fields": [["Tags", ["hot", "vip"]], ["Map", {"a": 1}]],
             "sections": [{"title": "Mail", "text": "To: a\r\n\r\nHello\rthere\r\n"}]},
    "prose": {"text": "All is well.\n"},
    "evil": {"columns": [{"name": "s", "title": "Subject"}, {"name": "t", "title": "T"}],
             "rows": [["\x1b[2J\x1b]0;owned\x07 hi", "a\nb\tc"], ["\u009b31m", "\u202egnp.exe"]],
             "text": "line one\x1b[31m\nline two"},
    "times": {"fields": [["Due", "2026-03-29T01:00:05.630Z"], ["2026-03-29T01:00:05.630Z", "x"]],
              "sections": [{"title": "Mail", "columns": [{"name": "at"}, {"name": "subject"}],
                            "rows": [["2026-03-29T00:59:59.000Z", "on 2026-03-29T01:00:05.630Z"],
                                     ["2026-03-29", "T"]],
                            "text": "2026-03-29T01:00:05.630Z"}]},
    "odd": {"columns": [{"name": "a"}, {"name": "b"}], "rows": [["only one"], [], "no row", 7]},
}


@pytest.fixture(scope="module")
def daemon():
    base = {"supervisor": {"state_dir": "@DIR@/state", "run_dir": "@DIR@/run"},
            "engine": {"data": DATA, "zone": "Europe/Vienna"}}
    with Daemon(json.dumps({"parts": base}), leadd=FAKE) as d:
        yield d


def columns(line):
    return sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in line)


def test_columns_stand_below_each_other(daemon):
    lines = daemon.ctl_text("show", "table", width=200).split("\n")
    assert lines[0].startswith("Lead  Subject")
    at = lines[0].index("Subject")
    assert lines[1][at:].startswith("Offer for the new hall with three cranes and a railway siding")
    widths = {columns(line.rstrip()) for line in lines[:3]}
    assert len(widths) == 1  # the right column ends at the same place, also after wide characters
    assert lines[2].startswith("L22") and lines[2].endswith("12")
    assert lines[4].split() == ["L4", "yes", "3"]


@pytest.mark.parametrize("width", [30, 40, 60])
def test_a_narrow_terminal_cuts_the_widest_column(daemon, width):
    lines = daemon.ctl_text("show", "table", width=width).rstrip("\n").split("\n")
    assert all(columns(line) <= width for line in lines), lines
    assert "…" in lines[1] and lines[1].endswith("5000")
    assert not any("…" in line for line in lines[2:4])


def test_without_a_terminal_nothing_is_cut(daemon):
    out = daemon.leadctl("show", "table", env={"COLUMNS": ""}).stdout.decode()
    assert "railway siding" in out and "…" not in out


def test_rows_by_name_are_put_into_their_columns_and_numbers_to_the_right(daemon):
    assert daemon.ctl_text("show", "named") == (
        "PROCESS    PID  user\nengine       7\nparser   12345  p\n")


def test_a_list_of_texts_reads_as_one_and_lines_of_mail_end_without_blanks(daemon):
    assert daemon.ctl_text("show", "tags") == (
        'Tags  hot, vip\nMap   {"a":1}\n\nMail\nTo: a\n\nHello there\n')


def test_an_empty_list_says_so(daemon):
    assert daemon.ctl_text("show", "empty") == "none\n"


def test_a_record_shows_fields_and_sections(daemon):
    assert daemon.ctl_text("show", "record") == (
        "Owner         anna\nLast contact  2026-03-01\n\nMail\nAt\n10:00\n\nNote\ntwo\nlines\n")
    assert daemon.ctl_text("show", "prose") == "All is well.\n"


def test_times_are_told_in_the_companys_zone_and_only_where_a_cell_is_one(daemon):
    assert daemon.ctl_text("list", "times") == (
        "Due                       2026-03-29 03:00\n2026-03-29T01:00:05.630Z  x\n\nMail\n"
        "at                subject\n2026-03-29 01:59  on 2026-03-29T01:00:05.630Z\n"
        "2026-03-29        T\n2026-03-29T01:00:05.630Z\n")


def test_one_record_is_told_to_the_second(daemon):
    out = daemon.ctl_text("show", "times")
    assert "  2026-03-29 03:00:05\n" in out and "2026-03-29 01:59:59  on" in out


@pytest.mark.parametrize("zone", [None, "UTC", "No/Where"])
def test_without_a_zone_that_is_known_times_are_utc_and_say_so(zone):
    base = {"supervisor": {"state_dir": "@DIR@/state", "run_dir": "@DIR@/run"},
            "engine": {"data": DATA, "zone": zone}}
    with Daemon(json.dumps({"parts": base}), leadd=FAKE) as d:
        assert "  2026-03-29 01:00Z\n" in d.ctl_text("list", "times")
        assert "  2026-03-29 01:00:05Z\n" in d.ctl_text("show", "times")


def test_rows_that_do_not_fit_their_columns_do_no_harm(daemon):
    assert "only one" in daemon.ctl_text("show", "odd")


def test_nothing_strangers_wrote_reaches_the_terminal_as_control(daemon):
    out = daemon.ctl_text("show", "evil", width=200)
    assert not any(unicodedata.category(c) in ("Cc", "Cf") for c in out if c != "\n")
    assert len(out.rstrip("\n").split("\n")) == 5  # a newline in a cell makes no new row
    assert "hi" in out and "gnp.exe" in out


def test_json_on_a_terminal_holds_no_control_characters(daemon):
    ours, theirs = pty.openpty()
    p = subprocess.Popen([LEADCTL, "-s", daemon.run + "/ctl.sock", "--json", "show", "evil"],
                         stdout=theirs, stdin=subprocess.DEVNULL)
    os.close(theirs)
    out = b""
    while True:
        try:
            part = os.read(ours, 65536)
        except OSError:  # the terminal's other end is closed
            break
        if not part:
            break
        out += part
    os.close(ours)
    assert p.wait(120) == 0
    assert all(32 <= b < 127 or b in (10, 13) for b in out)
    assert json.loads(out) == DATA["evil"]


def test_json_is_the_data_and_nothing_else(daemon):
    for name, data in DATA.items():
        assert daemon.ctl("show", name) == data


def test_the_exit_code_and_the_error_are_the_engines(daemon):
    r = daemon.leadctl("show", "nothing")
    assert r.returncode == 4 and r.stdout == b"" and b"no such thing" in r.stderr
    with pytest.raises(CtlError) as e:
        daemon.ctl("show", "nothing")
    assert e.value.code == 4


def test_an_unknown_command_is_the_engines_to_refuse_and_gets_a_hint(daemon):
    r = daemon.leadctl("stauts")
    assert r.returncode == 64 and b'did you mean "status"' in r.stderr


def test_without_a_daemon_it_is_unavailable(tmp_path):
    r = subprocess.run([LEADCTL, "status"], env=dict(os.environ, LEADD_RUN_DIR=str(tmp_path)),
                       capture_output=True)
    assert r.returncode == 69 and b"is leadd running?" in r.stderr


def test_a_daemon_that_does_not_answer_is_unavailable(daemon):
    daemon.ctl("hang")
    r = daemon.leadctl("-w", "1", "peers")
    assert r.returncode == 69 and b"did not answer in time" in r.stderr
    r = daemon.leadctl("-w", "1", "ingest", input=b"From: a@example.com\n\nx\n")
    assert r.returncode == 75
    daemon.kill("engine")
    assert daemon.ctl("show", "prose")


@pytest.mark.parametrize("argv", [[], ["--no-such"], ["-w", "x", "status"], ["ingest", "FILE"],
                                  ["help", "no-such-command"], ["status", "\udcff"],
                                  ["do"] + ["x"] * 100])
def test_wrong_usage_is_64(daemon, argv):
    assert daemon.leadctl(*argv).returncode == 64


def test_help_names_every_command(daemon):
    out = daemon.leadctl("help").stdout.decode()
    for name in ("status", "list", "show", "timeline", "why", "do", "undo", "outbox", "quarantine",
                 "reconcile", "mailbox", "reload", "clock", "parse", "ingest", "version"):
        assert "\n  %s " % name in out
        assert daemon.leadctl("help", name).returncode == 0


def test_ingest_is_done_when_there_is_a_receipt(daemon):
    assert daemon.leadctl("ingest", input=b"From: a@example.com\n\nhello\n").returncode == 0
    big = b"From: a@example.com\n\n" + b"x" * (5 << 20)  # travels as a memfd
    assert daemon.leadctl("ingest", input=big).returncode == 0


def test_a_socket_that_is_named_is_one_of_both(daemon):
    mail = b"From: named@example.com\n\nhello\n"
    env = dict(os.environ, LEADD_RUN_DIR="/nonexistent")
    for where in (daemon.run, daemon.run + "/ctl.sock", daemon.run + "/ingest.sock"):
        r = subprocess.run([LEADCTL, "-s", where, "ingest"], input=mail, env=env, check=False,
                           capture_output=True, timeout=120)
        assert (r.returncode, r.stderr) == (0, b""), where
    for where in (daemon.run, daemon.run + "/ctl.sock"):
        r = subprocess.run([LEADCTL, "-s", where, "show", "prose"], env=env, check=False,
                           capture_output=True, timeout=120)
        assert r.returncode == 0, where


def test_ingest_refuses_what_can_never_be_taken(daemon):
    assert daemon.leadctl("ingest", input=b"").returncode == 65
    assert daemon.leadctl("ingest", input=b"x" * (50 * 1024 * 1024 + 1)).returncode == 65


def test_ingest_leaves_the_mail_with_the_mta_when_it_cannot_be_stored(tmp_path):
    r = subprocess.run([LEADCTL, "ingest"], input=b"From: a@example.com\n\nx\n",
                       env=dict(os.environ, LEADD_RUN_DIR=str(tmp_path)), capture_output=True)
    assert r.returncode == 75


def test_parse_needs_no_daemon(tmp_path):
    mail = tmp_path / "m.eml"
    mail.write_bytes(b"From: Ann <ann@example.com>\r\nSubject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=\r\n\r\nhi\r\n")
    r = subprocess.run([LEADCTL, "parse", "--json", str(mail)], capture_output=True)
    assert r.returncode == 0 and json.loads(r.stdout)["subject"] == "Grüße"
    r = subprocess.run([LEADCTL, "parse"], input=mail.read_bytes(), capture_output=True)
    assert "Ann <ann@example.com>" in r.stdout.decode() and "Grüße" in r.stdout.decode()
    assert subprocess.run([LEADCTL, "parse", "/no/such"], capture_output=True).returncode == 1
