# SPDX-License-Identifier: ISC
"""leadctl calendar: how business time comes about, without a daemon."""
import json
import os
import subprocess

import pytest

from daemon import LEADCTL

CONF = """company = "A"; address = "crm@example.com"; default_owner = "mia"; calendar = "vienna";
time_zone = "Europe/Vienna";
users : { mia : { name = "Mia"; email = "mia@example.com"; }; };
mailboxes : { in : { type = "maildir"; path = "in"; }; };
relays = ( { name = "out"; type = "maildir"; path = "out"; } );
"""
RULES = """lang = 1;
calendars : {
  vienna : { hours = "Mon-Fri 09:00-12:30, 13:00-17:00; Sat 09:00-12:00"; holidays = "at.ics"; };
  night  : { zone = "America/New_York"; hours = "daily 01:00-04:00"; };
  rare   : { zone = "UTC"; hours = "Mon 09:00-09:01"; };
};
"""
ICS = """BEGIN:VCALENDAR
VERSION:2.0
BEGIN:VEVENT
UID:1
DTSTART;VALUE=DATE:20201225
RRULE:FREQ=YEARLY
SUMMARY:Christmas
END:VEVENT
END:VCALENDAR
"""


@pytest.fixture
def folder(tmp_path):
    for sub in ("rules.d", "templates"):
        (tmp_path / sub).mkdir()
    (tmp_path / "leadd.conf").write_text(CONF)
    (tmp_path / "rules.d/10.conf").write_text(RULES)
    (tmp_path / "rules.d/at.ics").write_text(ICS)
    return tmp_path


def calendar(folder, *args):
    env = dict(os.environ, LEADD_RUN_DIR="/nonexistent")
    p = subprocess.run([LEADCTL, "calendar"] + list(args) + ["-c", str(folder)], env=env, check=False,
                       capture_output=True, text=True, timeout=120)
    return p.returncode, p.stdout, p.stderr


def explained(folder, *args):
    code, out, err = calendar(folder, "explain", *args, "--json")
    assert code == 0, err
    return json.loads(out)


def test_the_walk_is_told_day_by_day(folder):
    code, out, err = calendar(folder, "explain", "vienna", "2026-12-24 16:30", "+4h")
    assert (code, err) == (0, "")
    assert out.split("\n", 2)[2] == """\
day             open                      counted      sum     note
Thu 2026-12-24  09:00-12:30, 13:00-17:00  16:30-17:00  30m
Fri 2026-12-25  closed                                 30m     holiday: Christmas
Sat 2026-12-26  09:00-12:00               09:00-12:00  3h 30m
Sun 2026-12-27  closed                                 3h 30m
Mon 2026-12-28  09:00-12:30, 13:00-17:00  09:00-09:30  4h

Mon 2026-12-28 09:30 (2026-12-28T08:30:00.000Z)
"""


def test_nights_when_clocks_change_are_told(folder):
    j = explained(folder, "night", "2026-03-08", "+2h")
    assert [(d["open"][0]["ms"] // 60000, d["clocks"]) for d in j["days"]] == [
        (120, "clocks go from 02:00 to 03:00")]
    assert j["end"] == "2026-03-08T08:00:00.000Z"
    j = explained(folder, "night", "2026-11-01", "+4h")
    assert [(d["open"][0]["ms"] // 60000, d["clocks"]) for d in j["days"]] == [
        (240, "clocks go from 02:00 to 01:00")]


def test_a_start_has_a_zone_of_its_own_or_that_of_the_calendar(folder):
    ends = [explained(folder, "vienna", *start, "+30m")["end"] for start in (
        ("2026-11-20 10:00",), ("2026-11-20", "10:00"), ("2026-11-20T09:00:00Z",),
        ("2026-11-20T10:00:00+01:00",))]
    assert set(ends) == {"2026-11-20T09:30:00.000Z"}
    assert "end" in explained(folder, "vienna", "now", "+30m")


def test_what_is_never_reached_fails(folder):
    code, out, _err = calendar(folder, "explain", "rare", "2026-11-20", "+9h")
    assert code == 1 and out.endswith("never: it is not open that long within ten years\n")


def test_mistakes_are_told(folder):
    assert calendar(folder, "explain", "viena", "now", "+1h")[2] == \
        'leadctl: there is no calendar "viena"; did you mean "vienna"?\n'
    assert calendar(folder, "explain", "vienna", "tomorrow", "+1h")[0] == 64
    assert calendar(folder, "explain", "vienna", "2026-11-20")[0] == 64
    (folder / "rules.d/10.conf").write_text(RULES.replace("13:00", "12:00"))
    code, _out, err = calendar(folder, "list")
    assert code == 1 and "hours: they overlap others of Mon" in err and "^" in err


def test_the_list_names_the_default(folder):
    _code, out, _err = calendar(folder, "list")
    assert "vienna (default)  Europe/Vienna" in out and "America/New_York" in out
