/* SPDX-License-Identifier: ISC
 *
 * crash - places where a test may end the process, as a power cut would
 *
 * CRASH_POINT("commit.before") is nothing at all unless configure was called
 * with --enable-crash-points. Then the process kills itself by SIGKILL there
 * when the environment says so:
 *
 *   LEADD_CRASH_POINT=NAME[:N]   at the N-th time (of this process; default 1)
 *   LEADD_CRASH_ONCE=PATH        only when PATH can be created: the successor,
 *                                which has the same environment, goes on
 *
 * tests/crash/test_crash_points.py finds the names in the source and fires each.
 */
#ifndef LEADD_CRASH_H
#define LEADD_CRASH_H

#include "config.h"

#ifdef LEADD_CRASH_POINTS
void crash_point(const char *name);
#define CRASH_POINT(name) crash_point(name)
#else
#define CRASH_POINT(name) ((void)0)
#endif

#endif
