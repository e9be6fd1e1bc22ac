/* SPDX-License-Identifier: ISC
 *
 * sandbox_calls - the system calls a role may make, by seccomp
 *
 * The lists hold names; those that a machine or a library does not know are
 * left out. A call that is on no list fails with ENOSYS, as on a kernel that
 * does not have it, so that libraries go the older way; in a strict row it ends
 * the process. What no role ever does honestly (never_calls) ends it in any.
 */
#include "base/sandbox_row.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <seccomp.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/hook.h"
#include "base/mem.h"

#ifndef PR_SET_VMA
#define PR_SET_VMA 0x53564d41
#endif

static const char *const core_calls[] = {
    "read", "readv", "write", "writev", "pread64", "preadv", "lseek", "close", "fstat", "fcntl",
    "epoll_wait", "epoll_pwait", "epoll_pwait2", "epoll_ctl", "epoll_create1", "poll", "ppoll",
    "recvmsg", "recvfrom", "sendmsg", "sendto", "shutdown", "brk", "munmap", "mremap", "madvise",
    "futex", "futex_time64", "set_robust_list", "rseq", "membarrier", "sched_yield",
    "sched_getaffinity", "getcpu", "clock_gettime", "clock_gettime64", "clock_getres",
    "gettimeofday", "time", "nanosleep", "clock_nanosleep", "restart_syscall", "getrandom",
    "getpid", "gettid", "getppid", "getuid", "geteuid", "getgid", "getegid", "getrusage", "uname",
    "sysinfo", "rt_sigaction", "rt_sigprocmask", "rt_sigreturn", "sigaltstack", "exit",
    "exit_group", NULL};

static const char *const read_calls[] = {
    "open", "openat", "openat2", "stat", "lstat", "newfstatat", "fstatat64", "statx", "access",
    "faccessat", "faccessat2", "readlink", "readlinkat", "getdents64", "getcwd", "statfs",
    "fstatfs", "fadvise64", "dup", "dup2", "dup3", "pipe2", NULL};

static const char *const write_calls[] = {
    "creat", "pwrite64", "pwritev", "fsync", "fdatasync", "sync_file_range", "ftruncate",
    "fallocate", "flock", "unlink", "unlinkat", "rename", "renameat", "renameat2", "link",
    "linkat", "mkdir", "mkdirat", "rmdir", "chmod", "fchmod", "fchown", "umask", "utimensat",
    "copy_file_range", "sendfile", NULL};

static const char *const watch_calls[] = {"inotify_init1", "inotify_add_watch", "inotify_rm_watch",
                                          NULL};

static const char *const accept_calls[] = {"accept", "accept4", "listen", "getsockname",
                                           "getpeername", "getsockopt", "setsockopt", NULL};

/* bind: the C library binds the netlink socket that tells it the addresses. */
static const char *const connect_calls[] = {
    "connect", "bind", "getsockname", "getpeername", "getsockopt", "setsockopt", "socketpair",
    "sendmmsg", "recvmmsg", "pipe2", "eventfd2", NULL};

static const char *const memfd_calls[] = {"memfd_create", "ftruncate", NULL};

#ifndef LEADD_SANITIZE
static const char *const looking_calls[] = {
    "open", "openat", "stat", "lstat", "statx", "access", "faccessat", "faccessat2", "readlink",
    "readlinkat", NULL};
#endif

/* All that could make more of a process than it is. The supervisor may execute. */
static const char *const exec_calls[] = {"execve", "execveat", NULL};
static const char *const never_calls[] = {
    "process_vm_readv", "process_vm_writev", "kcmp", "pidfd_getfd", "process_madvise", "mount",
    "umount2", "move_mount", "open_tree", "fsopen", "fsmount", "fsconfig", "fspick",
    "mount_setattr", "pivot_root", "chroot", "unshare", "setns", "bpf", "perf_event_open",
    "userfaultfd", "io_uring_setup", "io_uring_enter", "io_uring_register", "keyctl", "add_key",
    "request_key", "kexec_load", "kexec_file_load", "init_module", "finit_module",
    "delete_module", "reboot", "swapon", "swapoff", "acct", "iopl", "ioperm", "modify_ldt",
    "open_by_handle_at", "quotactl", "syslog", "settimeofday", "clock_settime", "adjtimex",
    "sethostname", "setdomainname", "personality", "lookup_dcookie", "vhangup",
#ifndef LEADD_SANITIZE /* the leak check at the end traces its own process */
    "ptrace",
#endif
    NULL};

#ifdef LEADD_SANITIZE /* reports read this process's own maps; leaks are found by a thread */
static const char *const sanitize_calls[] = {
    "open", "openat", "stat", "lstat", "newfstatat", "readlink", "readlinkat", "getdents64",
    "getdents", "access", "getcwd", "dup", "dup2", "pipe2", "prctl", "clone", "ptrace", "wait4",
    "tgkill", "sched_setaffinity", "prlimit64", "mmap", "mprotect", "ioctl", NULL};
#endif

static int rule(scmp_filter_ctx ctx, uint32_t action, const char *name, unsigned count,
                const struct scmp_arg_cmp *args)
{
    int nr = seccomp_syscall_resolve_name(name);
    if (nr == __NR_SCMP_ERROR || nr < 0)
        return 0; /* this library or this machine does not have it */
    int rc = seccomp_rule_add_array(ctx, action, nr, count, args);
    return rc == -EACCES ? 0 : rc; /* the row's action for everything anyway */
}

static int rules(scmp_filter_ctx ctx, uint32_t action, const char *const *names)
{
    int rc = 0;
    for (; rc == 0 && *names; names++)
        rc = rule(ctx, action, *names, 0, NULL);
    return rc;
}

static int rule_arg(scmp_filter_ctx ctx, const char *name, struct scmp_arg_cmp arg)
{
    return rule(ctx, SCMP_ACT_ALLOW, name, 1, &arg);
}

/* Calls that are harmless only with some arguments. */
static int core_rules(scmp_filter_ctx ctx, unsigned calls)
{
    static const unsigned ioctls[] = {FIONBIO, FIONREAD, FIOCLEX, TCGETS};
    static const unsigned prctls[] = {PR_SET_NAME, PR_GET_NO_NEW_PRIVS, PR_SET_VMA};
    static const char *const map[] = {"mmap", "mmap2", "mprotect", NULL};
    int rc = calls & CALLS_CODE ? rules(ctx, SCMP_ACT_ALLOW, map) : 0;
    for (size_t i = 0; rc == 0 && !(calls & CALLS_CODE) && map[i]; i++)
        rc = rule_arg(ctx, map[i], SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
    if (rc == 0) /* signals to itself: abort() */
        rc = rule_arg(ctx, "tgkill", SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)getpid()));
#ifdef LEADD_TEST_HOOKS /* crash points */
    if (rc == 0)
        rc = rule_arg(ctx, "kill", SCMP_A1(SCMP_CMP_EQ, SIGKILL));
#endif
    if (rc == 0) /* limits are looked at, not changed */
        rc = rule_arg(ctx, "prlimit64", SCMP_A2(SCMP_CMP_EQ, 0));
    for (size_t i = 0; rc == 0 && i < ARRAY_LEN(ioctls); i++)
        rc = rule_arg(ctx, "ioctl", SCMP_A1(SCMP_CMP_EQ, ioctls[i]));
    for (size_t i = 0; rc == 0 && i < ARRAY_LEN(prctls); i++)
        rc = rule_arg(ctx, "prctl", SCMP_A0(SCMP_CMP_EQ, prctls[i]));
    if (rc == 0 && !(calls & CALLS_READ)) /* fstat() of a descriptor, in newer C libraries */
        rc = rule_arg(ctx, "newfstatat", SCMP_A3(SCMP_CMP_MASKED_EQ, AT_EMPTY_PATH, AT_EMPTY_PATH));
    return rc == 0 ? rules(ctx, SCMP_ACT_ALLOW, core_calls) : rc;
}

static int connect_rules(scmp_filter_ctx ctx)
{
    static const int families[] = {AF_UNIX, AF_INET, AF_INET6, AF_NETLINK};
    int rc = rules(ctx, SCMP_ACT_ALLOW, connect_calls);
    for (size_t i = 0; rc == 0 && i < ARRAY_LEN(families); i++)
        rc = rule_arg(ctx, "socket", SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)families[i]));
    return rc;
}

static int row_allow(scmp_filter_ctx ctx, unsigned calls)
{
    static const struct {
        unsigned group;
        const char *const *names;
    } groups[] = {{CALLS_READ, read_calls},     {CALLS_WRITE, write_calls},
                  {CALLS_WATCH, watch_calls},   {CALLS_ACCEPT, accept_calls},
                  {CALLS_MEMFD, memfd_calls}};
    int rc = core_rules(ctx, calls);
    for (size_t i = 0; rc == 0 && i < ARRAY_LEN(groups); i++)
        if (calls & groups[i].group)
            rc = rules(ctx, SCMP_ACT_ALLOW, groups[i].names);
    if (rc == 0 && calls & CALLS_CONNECT)
        rc = connect_rules(ctx);
    if (rc == 0 && calls & CALLS_THREADS) /* threads, not processes */
        rc = rule_arg(ctx, "clone", SCMP_A0(SCMP_CMP_MASKED_EQ, CLONE_THREAD, CLONE_THREAD));
#ifdef LEADD_SANITIZE
    if (rc == 0)
        rc = rules(ctx, SCMP_ACT_ALLOW, sanitize_calls);
#endif
    return rc;
}

/* Libraries that ask for files, or for something newer, go on without. */
static int strict_rules(scmp_filter_ctx ctx)
{
    int rc = rule(ctx, SCMP_ACT_ERRNO(ENOSYS), "clone3", 0, NULL);
#ifndef LEADD_SANITIZE
    struct scmp_arg_cmp by_path = SCMP_A3(SCMP_CMP_MASKED_EQ, AT_EMPTY_PATH, 0);
    if (rc == 0)
        rc = rules(ctx, SCMP_ACT_ERRNO(EACCES), looking_calls);
    if (rc == 0)
        rc = rule(ctx, SCMP_ACT_ERRNO(EACCES), "newfstatat", 1, &by_path);
#endif
    return rc;
}

static int filter_build(scmp_filter_ctx ctx, const struct sandbox_row *row)
{
    int rc = seccomp_attr_set(ctx, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
    if (rc == 0)
        rc = seccomp_attr_set(ctx, SCMP_FLTATR_CTL_OPTIMIZE, 2); /* a tree, not a list */
    if (rc == 0)
        rc = rules(ctx, SCMP_ACT_KILL_PROCESS, never_calls);
    if (rc == 0 && row->calls & CALLS_ANY)
        return 0;
    if (rc == 0)
        rc = rules(ctx, SCMP_ACT_KILL_PROCESS, exec_calls);
    if (rc == 0)
        rc = row_allow(ctx, row->calls);
    return rc == 0 && row->strict ? strict_rules(ctx) : rc;
}

bool sandbox_seccomp(const struct sandbox_row *row, char *lacks, size_t n)
{
    uint32_t other = row->calls & CALLS_ANY ? SCMP_ACT_ALLOW
                     : row->strict          ? SCMP_ACT_KILL_PROCESS
                                            : SCMP_ACT_ERRNO(ENOSYS);
    scmp_filter_ctx ctx = HOOK("sandbox.no_seccomp") ? NULL : seccomp_init(other);
    int rc = ctx ? filter_build(ctx, row) : -EINVAL;
    if (rc == 0)
        rc = seccomp_load(ctx);
    if (ctx)
        seccomp_release(ctx);
    if (rc < 0)
        snprintf(lacks, n, "seccomp (%s)", strerror(-rc));
    return rc == 0;
}
