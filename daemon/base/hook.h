/* SPDX-License-Identifier: ISC
 *
 * hook - places where a test may end the process, or have it misbehave
 *
 * All of this is nothing unless configure was called with --enable-test-hooks.
 *
 * CRASH_POINT("commit.before") is a place where a power cut may come: the process
 * kills itself by SIGKILL there when the environment says so:
 *
 *   LEADD_CRASH_POINT=NAME[:N]   at the N-th time (of this process; default 1)
 *   LEADD_CRASH_ONCE=PATH        only when PATH can be created: the successor,
 *                                which has the same environment, goes on
 *
 * tests/crash/test_crash_points.py finds the names in the source and fires each.
 *
 * HOOK("parser.abort") is true when the environment switches that name on:
 *
 *   LEADD_HOOKS=NAME[,NAME...]
 *
 * It stands for a process that somebody has taken over, or a mistake that was
 * put in on purpose, to show that the rest holds and that the tests would see it.
 */
#ifndef LEADD_HOOK_H
#define LEADD_HOOK_H

#include "config.h"

#include <stdbool.h>

#ifdef LEADD_TEST_HOOKS
void hook_crash(const char *name);
bool hook_on(const char *name);
#define CRASH_POINT(name) hook_crash(name)
#define HOOK(name) hook_on(name)
#else
#define CRASH_POINT(name) ((void)0)
#define HOOK(name) false
#endif

#endif
