/* SPDX-License-Identifier: ISC
 *
 * writelog - a log of everything that reaches the store's files
 *
 * Loaded with LD_PRELOAD into the engine. Each write, cut and sync of leadd.db
 * and leadd.db-wal is appended to the file LEADD_WRITE_LOG, in the order in which
 * it happened: a sync only after it has succeeded. From it test_power_cut.py
 * makes what a disk may hold after a power cut at any moment.
 *
 * A record: u32 kind, u32 file, u64 offset, u64 length; a write's bytes follow.
 */
#include <dlfcn.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

enum { WRITE = 1, CUT = 2, SYNC = 3 };
enum { DB = 0, WAL = 1, OTHER = 2 };

static int log_fd = -1;

__attribute__((constructor)) static void log_open(void)
{
    const char *path = getenv("LEADD_WRITE_LOG");
    int fd = path ? open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600) : -1;
    if (fd >= 0) { /* out of the way of descriptors that mean something */
        log_fd = fcntl(fd, F_DUPFD_CLOEXEC, 900);
        close(fd);
    }
}

static uint32_t file_of(int fd)
{
    char link[64], path[512];
    snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
    ssize_t n = log_fd < 0 ? -1 : readlink(link, path, sizeof(path) - 1);
    if (n < 0)
        return OTHER;
    path[n] = '\0';
    const char *end = strstr(path, "/leadd.db");
    return !end ? OTHER : strcmp(end, "/leadd.db") == 0 ? DB
           : strcmp(end, "/leadd.db-wal") == 0          ? WAL
                                                        : OTHER;
}

static void record(uint32_t kind, uint32_t file, uint64_t offset, const void *data, uint64_t n)
{
    struct {
        uint32_t kind, file;
        uint64_t offset, n;
    } head = {kind, file, offset, n};
    struct iovec v[2] = {{&head, sizeof(head)}, {(void *)(uintptr_t)data, data ? n : 0}};
    if (file != OTHER && writev(log_fd, v, 2) != (ssize_t)(v[0].iov_len + v[1].iov_len))
        abort(); /* a log with holes would prove nothing */
}

ssize_t pwrite64(int fd, const void *p, size_t n, off64_t at)
{
    static ssize_t (*real)(int, const void *, size_t, off64_t);
    if (!real)
        real = dlsym(RTLD_NEXT, "pwrite64");
    ssize_t done = real(fd, p, n, at);
    if (done > 0)
        record(WRITE, file_of(fd), (uint64_t)at, p, (uint64_t)done);
    return done;
}

int ftruncate64(int fd, off64_t n)
{
    static int (*real)(int, off64_t);
    if (!real)
        real = dlsym(RTLD_NEXT, "ftruncate64");
    int rc = real(fd, n);
    if (rc == 0)
        record(CUT, file_of(fd), (uint64_t)n, NULL, 0);
    return rc;
}

int fdatasync(int fd)
{
    static int (*real)(int);
    if (!real)
        real = dlsym(RTLD_NEXT, "fdatasync");
    int rc = real(fd);
    if (rc == 0)
        record(SYNC, file_of(fd), 0, NULL, 0);
    return rc;
}
