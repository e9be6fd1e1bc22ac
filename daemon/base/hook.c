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
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static struct hook_point *points;
static size_t point_count;

/* Before main: later a role may have no right to open anything. */
__attribute__((constructor)) static void hook_map(void)
{
    const char *path = getenv("LEADD_CRASH_TABLE");
    struct stat st;
    int fd = path ? open(path, O_RDWR | O_CLOEXEC) : -1;
    if (fd >= 0 && fstat(fd, &st) == 0 && st.st_size > 0) {
        void *p = mmap(NULL, (size_t)st.st_size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
        if (p != MAP_FAILED) {
            points = p;
            point_count = (size_t)st.st_size / sizeof(*points);
        }
    }
    if (fd >= 0)
        close(fd);
}

static struct hook_point *hook_find(const char *name)
{
    for (size_t i = 0; i < point_count; i++)
        if (strncmp(points[i].name, name, sizeof(points[i].name)) == 0)
            return &points[i];
    return NULL;
}

void hook_crash(const char *name)
{
    struct hook_point *p = hook_find(name);
    if (!p)
        return;
    __atomic_add_fetch(&p->hits, 1, __ATOMIC_SEQ_CST);
    uint32_t left = __atomic_load_n(&p->armed, __ATOMIC_SEQ_CST);
    do { /* one process alone takes it from 1 to 0 */
        if (left == 0)
            return;
    } while (!__atomic_compare_exchange_n(&p->armed, &left, left - 1, false, __ATOMIC_SEQ_CST,
                                          __ATOMIC_SEQ_CST));
    if (left > 1)
        return;
    __atomic_add_fetch(&p->fired, 1, __ATOMIC_SEQ_CST);
    if (p->pid == 0 || kill((pid_t)p->pid, SIGKILL) < 0)
        kill(getpid(), SIGKILL); /* also where the sandbox lets nobody else be killed */
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
