/* SPDX-License-Identifier: ISC
 *
 * ctl_file - files that are there whole or not at all
 *
 * What must survive a power cut is written aside, flushed, renamed, and then the
 * folder is flushed: only that makes the name last.
 */
#include "ctl_backup.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"

#define FILE_BLOCK (1024 * 1024)

const char *file_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

bool file_there(const char *path)
{
    return faccessat(AT_FDCWD, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

void file_stamp(int64_t ms, char out[32])
{
    clock_format_utc(ms, out, 32);
    memcpy(out + 19, "Z", 2); /* without the milliseconds */
    out[13] = out[16] = '-';
}

static int folder_sync(const char *path, struct err *e)
{
    size_t n = (size_t)(file_name(path) - path);
    AUTO_FREE char *folder = n ? mem_strn(path, n) : mem_str(".");
    AUTO_CLOSE int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0 || fsync(fd) < 0)
        return err_set(e, ERR_TEMP, "cannot flush the folder %s: %s", folder, err_errno());
    return 0;
}

int file_create(const char *path, struct err *e)
{
    AUTO_CLOSE int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    return fd < 0 ? err_set(e, ERR_PERM, "cannot make %s: %s", path, err_errno()) : 0;
}

int file_write_new(const char *path, const void *p, size_t n, struct err *e)
{
    unlink(path);
    AUTO_CLOSE int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0 || write(fd, p, n) != (ssize_t)n || fsync(fd) < 0)
        return err_set(e, ERR_PERM, "cannot write %s: %s", path, err_errno());
    return 0;
}

int file_sync(const char *path, struct err *e)
{
    AUTO_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || fsync(fd) < 0)
        return err_set(e, ERR_TEMP, "cannot flush %s: %s", path, err_errno());
    return 0;
}

int file_rename(const char *from, const char *to, struct err *e)
{
    if (rename(from, to) < 0)
        return err_set(e, ERR_PERM, "cannot rename %s to %s: %s", from, to, err_errno());
    return folder_sync(to, e);
}

int file_copy(const char *from, const char *to, struct err *e)
{
    unlink(to);
    AUTO_CLOSE int in = open(from, O_RDONLY | O_CLOEXEC);
    if (in < 0)
        return err_set(e, ERR_PERM, "cannot read %s: %s", from, err_errno());
    AUTO_CLOSE int out = open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (out < 0)
        return err_set(e, ERR_PERM, "cannot write %s: %s", to, err_errno());
    AUTO_FREE char *block = mem_alloc(FILE_BLOCK);
    ssize_t n;
    while ((n = read(in, block, FILE_BLOCK)) > 0)
        for (ssize_t at = 0, w; at < n; at += w)
            if ((w = write(out, block + at, (size_t)(n - at))) < 0)
                return err_set(e, ERR_TEMP, "cannot write %s: %s", to, err_errno());
    if (n < 0)
        return err_set(e, ERR_TEMP, "cannot read %s: %s", from, err_errno());
    return fsync(out) < 0 ? err_set(e, ERR_TEMP, "cannot flush %s: %s", to, err_errno()) : 0;
}

int file_sha256(const char *path, char out[HASH_SHA256_HEX], struct err *e)
{
    AUTO_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || hash_sha256_fd(fd, out) < 0)
        return err_set(e, ERR_TEMP, "cannot read %s: %s", path, err_errno());
    return 0;
}
