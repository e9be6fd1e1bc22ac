/* SPDX-License-Identifier: ISC
 *
 * sandbox - see sandbox.h: the table, and the order of things
 */
#include "base/sandbox.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bounds.h"
#include "base/hook.h"
#include "base/mem.h"
#include "base/sandbox_row.h"

#define PORT_DNS 53 /* answers too large for a datagram */

/* Modules of the C library that look up names are loaded when first used. */
#define SYSTEM_CODE "/lib", "/lib64", "/usr/lib", "/usr/lib64", "/etc/ld.so.cache"

/* Replaced by editors and by whoever manages the network. */
static const char *const name_paths[] = {
    "/etc/resolv.conf", "/etc/hosts", "/etc/nsswitch.conf", "/etc/host.conf", "/etc/gai.conf", NULL};

/* To look up names, and to verify certificates: never a secret. */
static const char *const net_system[] = {
    SYSTEM_CODE, "/etc/services", "/etc/protocols", "/etc/ssl/certs", "/etc/ssl/openssl.cnf",
    "/etc/pki/tls/certs", "/etc/pki/ca-trust/extracted", "/etc/ca-certificates",
    "/usr/share/ca-certificates", "/usr/local/share/ca-certificates", "/etc/gnutls",
    "/etc/crypto-policies", "/usr/share/crypto-policies", "/sys/devices/system/cpu", "/dev/null",
    "/dev/urandom", NULL};

/* Who asks on ctl.sock has a name; the slots ask which boot this is. */
static const char *const engine_system[] = {
    SYSTEM_CODE, "/etc/passwd", "/etc/nsswitch.conf", "/var/lib/sss/mc",
    "/proc/sys/kernel/random/boot_id", "/proc/sys/vm/overcommit_memory", "/dev/null",
    "/dev/urandom", NULL};

/* Section 2 of the design, as rights. What the config names is added by the
 * role (its `rights`): the engine its state folder and the store's, an intake
 * its Maildir or its server's port, the courier its relays' ports and Maildirs.
 * A PostgreSQL store is one more port, and CALLS_CONNECT, for the engine. */
static const struct sandbox_row rows[] = {
    {.kind = "parser",
     .calls = CALLS_CORE,
     .strict = true,
     .memory = MIB(1024), /* a mail of BOUND_FRAME_RAW, its parts and the tree of its HTML */
     .descriptors = 32},  /* channels, the loop, and memfds on their way in */
    {.kind = "web-in", .calls = CALLS_CORE | CALLS_ACCEPT | CALLS_MEMFD},
    {.kind = "web-ui", .calls = CALLS_CORE | CALLS_ACCEPT | CALLS_MEMFD},
    {.kind = "engine",
     .calls = CALLS_CORE | CALLS_READ | CALLS_WRITE | CALLS_ACCEPT | CALLS_CODE | CALLS_MEMFD,
     .system = engine_system},
    {.kind = "intake",
     .calls = CALLS_CORE | CALLS_READ | CALLS_WRITE | CALLS_WATCH | CALLS_CONNECT | CALLS_THREADS |
              CALLS_CODE | CALLS_MEMFD,
     .paths = name_paths,
     .system = net_system},
    {.kind = "courier",
     .calls = CALLS_CORE | CALLS_READ | CALLS_WRITE | CALLS_CONNECT | CALLS_THREADS | CALLS_CODE |
              CALLS_MEMFD,
     .paths = name_paths,
     .system = net_system},
    /* the throwaway child: reads what the config names, and writes to its pipe */
    {.kind = "config", .calls = CALLS_CORE | CALLS_READ | CALLS_CODE, .reads_free = true},
    /* leadctl rules replay: reads, and writes into a folder of its own */
    {.kind = "tool",
     .calls = CALLS_CORE | CALLS_READ | CALLS_WRITE | CALLS_CODE,
     .reads_free = true},
    /* it starts all others, in their folders, on their ports, under their users; a
     * ruleset of its own would also forbid all of them to move files between folders */
    {.kind = "supervisor", .calls = CALLS_ANY, .all_free = true},
};

struct sandbox *sandbox_new(const char *kind)
{
    struct sandbox *sb = mem_alloc(sizeof(*sb));
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        if (strcmp(rows[i].kind, kind) == 0)
            sb->row = &rows[i];
    LEADD_ASSERT(sb->row);
    for (const char *const *p = sb->row->paths; p && *p; p++)
        sandbox_path(sb, *p, SANDBOX_READ);
    for (const char *const *p = sb->row->system; p && *p; p++) {
        sandbox_path(sb, *p, SANDBOX_READ);
        sb->files[sb->file_count - 1].watched = false;
    }
    if (sb->row->calls & CALLS_CONNECT)
        sandbox_port(sb, PORT_DNS);
#ifdef LEADD_TEST_HOOKS /* where a test says what is to go wrong */
    static const char *const told[] = {"LEADD_FAULT_FILE", "LEADD_CRASH_ONCE"};
    for (size_t i = 0; i < ARRAY_LEN(told); i++)
        sandbox_folder_of(sb, getenv(told[i]), SANDBOX_WRITE);
#endif
    return sb;
}

void sandbox_free(struct sandbox **sbp)
{
    struct sandbox *sb = *sbp;
    *sbp = NULL;
    if (!sb)
        return;
    for (size_t i = 0; i < sb->file_count; i++)
        mem_free(sb->files[i].path);
    mem_free(sb->files);
    mem_free(sb->ports);
    mem_free(sb);
}

void sandbox_path(struct sandbox *sb, const char *path, enum sandbox_right right)
{
    if (!path)
        return;
    sb->files = mem_grow(sb->files, (sb->file_count + 1) * sizeof(*sb->files));
    sb->files[sb->file_count++] =
        (struct sandbox_file){.path = mem_str(path), .right = right, .watched = true};
}

void sandbox_folder_of(struct sandbox *sb, const char *path, enum sandbox_right right)
{
    const char *slash = path ? strrchr(path, '/') : NULL;
    if (!slash)
        return;
    AUTO_FREE char *folder = mem_strn(path, slash == path ? 1 : (size_t)(slash - path));
    sandbox_path(sb, folder, right);
}

void sandbox_port(struct sandbox *sb, int port)
{
    sb->ports = mem_grow(sb->ports, (sb->port_count + 1) * sizeof(*sb->ports));
    sb->ports[sb->port_count++] = port;
}

/* ---- limits -------------------------------------------------------------- */

static int limit(int what, rlim_t most, const char *name, struct err *e)
{
    struct rlimit r = {most, most};
    if (setrlimit(what, &r) < 0)
        return err_set(e, ERR_PERM, "cannot limit %s: %s", name, err_errno());
    return 0;
}

/* What it has mapped so far counts too, and is terabytes with a sanitizer. */
static int limit_memory(size_t more, struct err *e)
{
    unsigned long pages[6] = {0}; /* of /proc/self/statm: size first, data last */
    const rlim_t page = (rlim_t)sysconf(_SC_PAGESIZE);
    AUTO_FCLOSE FILE *f = fopen("/proc/self/statm", "re");
    if (f && fscanf(f, "%lu %lu %lu %lu %lu %lu", &pages[0], &pages[1], &pages[2], &pages[3],
                    &pages[4], &pages[5]) != 6)
        pages[0] = pages[5] = 0;
#ifdef LEADD_SANITIZE
    more *= 4; /* red zones, and memory that is kept back after free */
#endif
    if (limit(RLIMIT_DATA, (rlim_t)pages[5] * page + more, "memory", e) < 0)
        return -1;
    return limit(RLIMIT_AS, (rlim_t)pages[0] * page + more, "memory", e);
}

static int limits_set(const struct sandbox_row *row, struct err *e)
{
    if (row->descriptors &&
        limit(RLIMIT_NOFILE, (rlim_t)row->descriptors, "open files", e) < 0)
        return -1;
    return row->memory ? limit_memory(row->memory, e) : 0;
}

/* ---- in ------------------------------------------------------------------- */

static void files_note(struct sandbox *sb)
{
    for (size_t i = 0; i < sb->file_count; i++) {
        struct stat st;
        if (stat(sb->files[i].path, &st) < 0)
            continue;
        sb->files[i].dev = st.st_dev;
        sb->files[i].ino = st.st_ino;
    }
}

static void lacks_add(struct sandbox_held *held, const char *what)
{
    size_t n = strlen(held->lacks);
    if (*what)
        snprintf(held->lacks + n, sizeof(held->lacks) - n, "%s%s", n ? "; " : "", what);
}

int sandbox_enter(struct sandbox *sb, struct sandbox_held *held_out, struct err *e)
{
    struct sandbox_held held = {0};
    char why[100];
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
        return err_set(e, ERR_PERM, "no-new-privs: %s", err_errno());
    held.no_new_privs = true;
    files_note(sb); /* also where nothing is closed: sandbox_stale() compares with it */
    if (HOOK("sandbox.off")) { /* for tools that look into a process from inside, as valgrind */
        snprintf(held.lacks, sizeof(held.lacks), "switched off by a test");
        *held_out = held;
        return 0;
    }
#ifdef LEADD_VALGRIND /* it needs files, calls and descriptors of its own */
    snprintf(held.lacks, sizeof(held.lacks), "built for valgrind");
    *held_out = held;
    return 0;
#endif
    if (limits_set(sb->row, e) < 0)
        return -1;
    *why = '\0';
    held.landlock = sandbox_landlock(sb, why, sizeof(why));
    lacks_add(&held, why);
    *why = '\0';
    held.seccomp = sandbox_seccomp(sb->row, why, sizeof(why));
    lacks_add(&held, why);
    *held_out = held;
    return 0;
}

const char *sandbox_stale(const struct sandbox *sb)
{
    for (size_t i = 0; i < sb->file_count; i++) {
        const struct sandbox_file *f = &sb->files[i];
        struct stat st = {0};
        if (!f->watched)
            continue;
        if (stat(f->path, &st) < 0 && errno != ENOENT)
            continue; /* not ours to look at, as before */
        if (st.st_ino != 0 && (st.st_dev != f->dev || st.st_ino != f->ino))
            return f->path;
    }
    return NULL;
}
