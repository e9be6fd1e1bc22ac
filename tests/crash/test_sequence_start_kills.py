# SPDX-License-Identifier: ISC
"""leadctl sequence start whose engine is killed on the way: the same once more begins the others."""
from daemon import until
from points import Points, needs_hooks
from test_sequence_start import people, start


@needs_hooks
def test_after_a_kill_on_the_way_the_same_list_begins_the_others_once(tmp_path):
    points = Points(str(tmp_path / "points"))
    with people(130, env={"LEADD_CRASH_TABLE": points.path}) as d:
        ids = ["L%d" % n for n in range(1, 131)]
        codes = []
        for n in range(1, 5):
            points.arm("commit.after", after=n)
            r = d.leadctl("sequence", "start", "nurture", "--yes", *ids)
            codes.append(r.returncode)
            until(lambda: points.fired("commit.after") == n, why="a dead engine")
            until(lambda: d.leadctl("status").returncode == 0, why="the next engine")
        assert 69 in codes and set(codes) <= {0, 69}, codes
        told, out = start(d, "nurture", "--yes", *ids)
        rows = d.ctl("sequence", "enrolments", "limit=1000")["rows"]
        assert sorted(r["record"] for r in rows) == sorted(ids) and told["begun"] + len(out) == 130
