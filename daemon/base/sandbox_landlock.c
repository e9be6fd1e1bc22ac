/* SPDX-License-Identifier: ISC
 *
 * sandbox_landlock - files, TCP ports and signals, by Landlock
 *
 * The C library has no calls for it, and the headers of a build may be older
 * than the kernel it runs on: numbers and layout are the kernel's ABI, which
 * does not change. A kernel knows an ABI version; what came later is left out.
 */
#include "base/sandbox_row.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/hook.h"
#include "base/mem.h"

#define CALL_CREATE 444
#define CALL_ADD 445
#define CALL_RESTRICT 446
#define CREATE_VERSION 1u
#define RULE_PATH 1
#define RULE_PORT 2

#define FS_EXECUTE (1ull << 0)
#define FS_WRITE_FILE (1ull << 1)
#define FS_READ_FILE (1ull << 2)
#define FS_READ_DIR (1ull << 3)
#define FS_REMOVE_DIR (1ull << 4)
#define FS_REMOVE_FILE (1ull << 5)
#define FS_MAKE_DIR (1ull << 7)
#define FS_MAKE_REG (1ull << 8)
#define FS_FIRST ((1ull << 13) - 1) /* all of ABI 1 */
#define FS_REFER (1ull << 13)       /* ABI 2 */
#define FS_TRUNCATE (1ull << 14)    /* ABI 3 */
#define FS_IOCTL_DEV (1ull << 15)   /* ABI 5 */
#define FS_OF_FILE (FS_EXECUTE | FS_WRITE_FILE | FS_READ_FILE | FS_TRUNCATE | FS_IOCTL_DEV)
#define NET_TCP 3ull                /* ABI 4: bind and connect */
#define NET_CONNECT_TCP 2ull
#define SCOPE_ALL 3ull              /* ABI 6: abstract sockets, signals */
#define SCOPE_SIGNAL 2ull

struct ruleset_attr {
    uint64_t fs, net, scoped;
};

struct path_attr {
    uint64_t access;
    int32_t fd;
} __attribute__((packed));

struct port_attr {
    uint64_t access, port;
};

static int landlock_abi(void)
{
    if (HOOK("sandbox.no_landlock"))
        return 0;
    long abi = syscall(CALL_CREATE, NULL, 0, CREATE_VERSION);
    return abi > 0 ? (int)abi : 0;
}

static uint64_t fs_handled(int abi)
{
    return FS_FIRST | (abi >= 2 ? FS_REFER : 0) | (abi >= 3 ? FS_TRUNCATE : 0) |
           (abi >= 5 ? FS_IOCTL_DEV : 0);
}

static uint64_t fs_granted(enum sandbox_right right)
{
    uint64_t fs = FS_READ_FILE | FS_READ_DIR;
    if (right != SANDBOX_READ)
        fs |= FS_WRITE_FILE | FS_REMOVE_DIR | FS_REMOVE_FILE | FS_MAKE_DIR | FS_MAKE_REG |
              FS_TRUNCATE;
    return right == SANDBOX_MOVE ? fs | FS_REFER : fs;
}

/* A path that is not there is nothing that could be given. */
static int rule_path(int set, const char *path, uint64_t access)
{
    struct stat st;
    AUTO_CLOSE int fd = open(path, O_PATH | O_CLOEXEC);
    if (fd < 0)
        return 0;
    if (fstat(fd, &st) == 0 && !S_ISDIR(st.st_mode))
        access &= FS_OF_FILE;
    struct path_attr a = {.access = access, .fd = fd};
    return syscall(CALL_ADD, set, RULE_PATH, &a, 0) < 0 ? -1 : 0;
}

static int rules_add(int set, const struct sandbox *sb, const struct ruleset_attr *attr)
{
    for (size_t i = 0; attr->fs && i < sb->file_count; i++)
        if (rule_path(set, sb->files[i].path, fs_granted(sb->files[i].right) & attr->fs) < 0)
            return -1;
#ifdef LEADD_SANITIZE /* a report names functions */
    static const char *const report[] = {"/proc/self", "/proc/sys/vm", "/usr/lib", "/lib"};
    for (size_t i = 0; attr->fs && i < ARRAY_LEN(report); i++)
        if (rule_path(set, report[i], FS_READ_FILE | FS_READ_DIR) < 0)
            return -1;
    if (attr->fs && rule_path(set, "/proc/self/exe", FS_READ_FILE) < 0)
        return -1;
#endif
    for (size_t i = 0; attr->net && i < sb->port_count; i++) {
        struct port_attr a = {NET_CONNECT_TCP, (uint64_t)sb->ports[i]};
        if (syscall(CALL_ADD, set, RULE_PORT, &a, 0) < 0)
            return -1;
    }
    return 0;
}

/* With ABI 1 a file can never be moved between folders, right or not. */
static bool needs_move(const struct sandbox *sb)
{
    for (size_t i = 0; i < sb->file_count; i++)
        if (sb->files[i].right == SANDBOX_MOVE)
            return true;
    return false;
}

static struct ruleset_attr ruleset_for(const struct sandbox *sb, int abi)
{
    const struct sandbox_row *row = sb->row;
    struct ruleset_attr attr = {0};
    attr.fs = row->reads_free ? fs_handled(abi) & ~(FS_READ_FILE | FS_READ_DIR) : fs_handled(abi);
    attr.net = abi >= 4 ? NET_TCP : 0;
    attr.scoped = abi >= 6 ? SCOPE_ALL : 0;
#ifdef LEADD_TEST_HOOKS /* a crash point may end another process */
    if (getenv("LEADD_CRASH_TABLE"))
        attr.scoped &= ~SCOPE_SIGNAL;
#endif
    return attr;
}

int sandbox_landlock(const struct sandbox *sb, char *lacks, size_t n)
{
    const int abi = landlock_abi();
    if (sb->row->all_free)
        return 0;
    if (abi == 0 || (abi < 2 && needs_move(sb))) {
        snprintf(lacks, n, "%s", abi ? "Landlock of Linux 5.19 or later" : "Landlock");
        return 0;
    }
    struct ruleset_attr attr = ruleset_for(sb, abi);
    if (abi < 4)
        snprintf(lacks, n, "Landlock for TCP ports and signals");
    else if (abi < 6)
        snprintf(lacks, n, "Landlock for signals");
    size_t size = abi >= 6 ? 24 : abi >= 4 ? 16 : 8;
    AUTO_CLOSE int set = (int)syscall(CALL_CREATE, &attr, size, 0);
    if (set < 0 || rules_add(set, sb, &attr) < 0 || syscall(CALL_RESTRICT, set, 0) < 0) {
        snprintf(lacks, n, "Landlock (%s)", err_errno());
        return 0;
    }
    return abi;
}
