/* SPDX-License-Identifier: ISC
 *
 * spool - see spool.h
 */
#include "courier/spool.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "base/hook.h"
#include "base/mem.h"

static int spool_write(int fd, const char *p, size_t n)
{
    for (size_t at = 0; at < n;) {
        ssize_t k = write(fd, p + at, n - at);
        if (k <= 0)
            return -1;
        at += (size_t)k;
    }
    return fsync(fd);
}

/* The group of the folder may take the file: it is the modem's program that reads it. */
int spool_put(const char *folder, const char *name, const char *data, size_t n, struct err *e)
{
    AUTO_FREE char *hidden = mem_printf("%s/.%s.tmp", folder, name);
    AUTO_FREE char *path = mem_printf("%s/%s", folder, name);
    int fd = open(hidden, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0660);
    if (fd < 0)
        return err_set(e, ERR_TEMP, "cannot write into %s: %s", folder, err_errno());
    int rc = spool_write(fd, data, n);
    close(fd);
    CRASH_POINT("spool.rename.before");
    if (rc < 0 || rename(hidden, path) < 0) {
        err_set(e, ERR_TEMP, "cannot write into %s: %s", folder, err_errno());
        unlink(hidden);
        return -1;
    }
    CRASH_POINT("spool.rename.after");
    int dir = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (dir >= 0) {
        fsync(dir);
        close(dir);
    }
    return 0;
}
