/* SPDX-License-Identifier: ISC
 *
 * hook - places where a test may end the process, or have it misbehave
 *
 * All of this is nothing unless configure was called with --enable-test-hooks.
 *
 * CRASH_POINT("commit.before") is a place where a power cut may come. A test
 * arms places while the daemon runs: LEADD_CRASH_TABLE names a file of struct
 * hook_point, one for each place it knows, that every process maps when it
 * starts (before it gives up any right). Whoever comes to a place counts its
 * hits; the armed-th from then on, in whatever process, kills `pid` (0: itself)
 * by SIGKILL, once, and counts it in fired.
 *
 * HOOK("parser.abort") is true when the environment switches that name on:
 *
 *   LEADD_HOOKS=NAME[,NAME...]
 *
 * It stands for a process that somebody has taken over, or a mistake that was
 * put in on purpose, to show that the rest holds and that the tests would see it.
 * tests/crash/points.py writes the table, and finds the names in the source.
 */
#ifndef LEADD_HOOK_H
#define LEADD_HOOK_H

#include "config.h"

#include <stdbool.h>
#include <stdint.h>

struct hook_point {
    char name[48];
    uint32_t armed; /* 0: not */
    uint32_t pid;
    uint32_t hits, fired;
};

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
