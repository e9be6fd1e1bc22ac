/* SPDX-License-Identifier: ISC
 *
 * hook - see hook.h; empty unless test hooks are compiled in
 */
#include "base/hook.h"

#ifdef LEADD_TEST_HOOKS

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void hook_crash(const char *name)
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

bool hook_on(const char *name)
{
    const char *list = getenv("LEADD_HOOKS");
    size_t n = strlen(name);
    while (list && *list) {
        size_t len = strcspn(list, ",");
        if (len == n && strncmp(list, name, n) == 0)
            return true;
        list += len + (list[len] == ',');
    }
    return false;
}

#endif
