/* SPDX-License-Identifier: ISC
 *
 * crash - see crash.h; empty unless crash points are compiled in
 */
#include "base/crash.h"

#ifdef LEADD_CRASH_POINTS

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void crash_point(const char *name)
{
    static int count; /* only one name is ever counted */
    const char *want = getenv("LEADD_CRASH_POINT");
    const char *once = getenv("LEADD_CRASH_ONCE");
    size_t n = strlen(name);
    if (!want || strncmp(want, name, n) != 0 || (want[n] != '\0' && want[n] != ':'))
        return;
    if (++count < (want[n] ? (int)strtol(want + n + 1, NULL, 10) : 1))
        return;
    if (once && open(once, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600) < 0)
        return;
    kill(getpid(), SIGKILL);
}

#endif
