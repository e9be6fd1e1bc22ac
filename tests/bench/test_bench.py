# SPDX-License-Identifier: ISC
"""The bench works: each figure of tests/bench/run, with very few of each. What the
figures say depends on the machine, and is nothing that a test may fail for."""
import json
import os
import subprocess

import pytest

RUN = os.path.join(os.path.dirname(os.path.abspath(__file__)), "run")
ROWS = {
    "forms": ["forms", "forms_p99", "forms_generator", "forms_bare_evhttp", "forms_plain_sqlite",
              "forms / forms_plain_sqlite"],
    "leads": ["pss_idle", "rows_empty", "wal_empty", "fsyncs_empty", "forms_large", "wal_large"],
    "imap": ["imap", "imap_mbsync"],
    "push": ["push_p50"],
    "followups": ["followups", "followups_courier", "followups_libcurl", "followups_smtp_source", "mail_alone",
                  "mail_in_turn", "mail_in_turn_no_pipelining"],
    "waiting": ["few_cpu", "waiting_cpu", "waiting_rss", "waiting_next", "waiting_next / few_next"],
    "letters": ["letters", "letters_wait"],
    "start": ["start_answer", "start_ready"],
    "rules": ["rules.ns_per_event.%d" % n for n in (10, 100, 1000, 10000)]
             + ["rules.clips.ns_per_event.%d" % n for n in (10, 100)],
}


def bench(*argv, path=None):
    env = dict(os.environ, BUILD=os.environ["builddir"], **({"PATH": path} if path else {}))
    r = subprocess.run(["/usr/bin/python3", RUN, "--tiny", "--json", *argv], env=env,
                       capture_output=True, timeout=300, text=True)
    assert r.returncode == 0, r.stdout + r.stderr
    return {row["name"]: row for row in json.loads(r.stdout)}


@pytest.mark.parametrize("name", ROWS)
def test_bench_measures(name):
    rows = bench(name)
    missing = [r["note"] for r in rows.values() if r["value"] is None]
    assert all(missing), "a figure without a value says why"
    for row in ROWS[name]:
        assert missing or rows[row]["value"] >= 0, rows
    if missing:
        pytest.skip("; ".join(missing))


def test_bench_names_what_is_missing(tmp_path):
    for name in os.listdir("/usr/bin"):
        if name not in ("mbsync", "smtp-source", "strace"):
            os.symlink("/usr/bin/" + name, tmp_path / name)
    rows = bench("imap", path=str(tmp_path))
    assert rows["imap"]["value"] > 0
    assert any(r["note"] == "mbsync is missing: apt-get install isync" for r in rows.values())


def test_bench_rules_goes_on_without_clips(tmp_path):
    rows = bench("rules", path=str(tmp_path))
    assert rows["rules.ns_per_event.10000"]["value"] > 0
    assert rows["rules.clips.ns_per_event"]["note"] == "clips is missing: apt-get install clips"


def test_bench_has_a_test_for_every_figure():
    r = subprocess.run(["/usr/bin/python3", RUN, "--help"], capture_output=True, text=True)
    listed = [line.split()[0] for line in r.stdout.split("\n") if line.startswith("  ")]
    assert sorted(listed) == sorted(ROWS)
