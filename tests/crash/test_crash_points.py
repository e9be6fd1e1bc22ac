# SPDX-License-Identifier: ISC
"""One stream of mails and forms, and somebody killed at each named point of it.

At every CRASH_POINT of the source the process that comes there is killed, and
so are, at the same points, the other roles and the supervisor; one after the
other within the same stream. Afterwards check.end_state holds.

    LEADD_CRASH_MESSAGES=2000   mails, and as many forms (default 150)
    LEADD_CRASH_ALL=1           every role at every point; else one other role
    LEADD_CRASH_SEED=N          of a run that failed
"""
import os
import time

import check
from points import needs_hooks
from traffic import ROLES, World, until

COUNT = int(os.environ.get("LEADD_CRASH_MESSAGES", "150"))
ALL = bool(os.environ.get("LEADD_CRASH_ALL"))
SEED = int(os.environ.get("LEADD_CRASH_SEED", "0")) or int(time.time())
PATIENCE = 60  # seconds until a point must have been passed

# only at the first start with an empty store
AT_START = ["migrate.", "intake.maildir_folder."]
# what makes a point be passed that traffic alone does not
RARELY, OFTEN = 4, 0.5  # seconds until a trigger is pulled again; then twice as long
TRIGGERS = {
    "courier.hello.": lambda w: w.kill("engine"),
    "cursor.": World.new_uidvalidity,
    "intake.folder.": World.new_uidvalidity,
    "intake.match.": World.new_uidvalidity,
    "intake.match_settle.": World.new_uidvalidity,
    "intake.names.": lambda w: w.kill("intake:disk"),
    "intake.refetch.": World.refetch,
    "match.": World.new_uidvalidity,
    "notice.": World.reload_in_vain,
    "settle.": World.kill_busy_courier,
    "slots.hand_over.": lambda w: w.kill("courier"),
    "super.death.": lambda w: w.kill("web-ui"),
    "super.join.": lambda w: w.kill("web-ui"),
    "super.reload.": World.reload,
    "super.start.": lambda w: w.kill("web-ui"),
    "web.replay.": lambda w: w.kill("engine"),
}


QUIET = ("intake.match_settle.",)  # not while more mail comes in


def trigger_of(point):
    return next((t for prefix, t in TRIGGERS.items() if point.startswith(prefix)), None)


def at_start(point):
    return any(point.startswith(p) for p in AT_START)


def pass_point(w, point, victim):
    """Somebody comes to the point, and the victim (None: whoever comes) is killed."""
    began = time.monotonic()
    before, end, again = w.points.fired(point), began + PATIENCE, 0
    trigger = trigger_of(point)
    pause = RARELY if trigger is World.new_uidvalidity else OFTEN
    pid = until(lambda: w.revive() or w.pid(victim), why=victim) if victim else 0
    w.points.arm(point, 0 if pid is True else pid)
    while w.points.fired(point) == before and time.monotonic() < end:
        w.revive()
        if not point.startswith(QUIET):
            w.more(1)
        if trigger and time.monotonic() > again:
            trigger(w)
            again = time.monotonic() + pause
            pause *= 2  # on a busy machine it must be able to come to an end
        try:
            until(lambda: w.points.fired(point) > before or w.daemon.proc.poll() is not None,
                  timeout=0.2)
        except TimeoutError:
            pass
    w.points.disarm(point)
    w.good_config()
    if w.points.fired(point) > before:
        w.kills[victim or killed_at(point)] += 1
    print("%-26s %-14s %5.1f s%s" % (point, victim or "itself", time.monotonic() - began,
                                     "" if w.points.fired(point) > before else "  NOT PASSED"),
          flush=True)
    w.revive()


def killed_at(point):
    """The role that passes it."""
    first = point.split(".")[0]
    return {"intake": "intake", "parser": "parser", "courier": "courier", "web": "web-in",
            "super": "supervisor"}.get(first, "engine")


# a walk over all records each second would be most of the stream: tests/sim/test_escalation_time.py;
# the stream has no gateway: tests/e2e/test_texting.py ends the courier in the middle of a text
ELSEWHERE = ["schedule.record", "text.over.before", "text.final.before", "text.final.after",
             "spool.rename.before", "spool.rename.after"]


def first_start(w):
    """The points of an empty store, one after the other while it comes up."""
    waiting = [p for p in w.points.names if at_start(p)]
    for point in waiting:
        w.points.arm(point)
    w.start()

    def over():
        w.revive()
        return all(w.points.fired(p) for p in waiting)
    until(over, timeout=PATIENCE, why="the first start: %s" % [p for p in waiting
                                                               if not w.points.fired(p)])
    for point in waiting:
        w.kills[killed_at(point)] += 1


def stream(relay, points):
    with World(SEED, COUNT, relay) as w:
        w.begin()
        first_start(w)
        for i, point in enumerate(p for p in points if not at_start(p)):
            others = ["supervisor"] + ROLES
            pass_point(w, point, None)
            for victim in others if ALL else [others[i % len(others)]]:
                pass_point(w, point, victim)
        w.finish()
        print(w.points.report())
        check.end_state(w)
        never = [p for p in points if not w.points.fired(p)]
        assert not never, "never passed: %s" % never


@needs_hooks
def test_killed_at_every_named_point_nothing_is_lost_or_doubled():
    names = World.point_names()
    stream("smtp", [p for p in names if not p.startswith("maildir.rename.") and p not in ELSEWHERE])


@needs_hooks
def test_killed_while_writing_follow_ups_to_a_maildir():
    stream("maildir", [p for p in World.point_names() if p.startswith(("maildir.rename.",
                                                                        "courier.receipt."))])
