/* SPDX-License-Identifier: ISC
 *
 * sandbox_row - the inside of sandbox: one row of the table, and its two layers
 */
#ifndef LEADD_SANDBOX_ROW_H
#define LEADD_SANDBOX_ROW_H

#include "base/sandbox.h"

/* Groups of system calls; sandbox_calls.c lists them. */
enum sandbox_calls {
    CALLS_CORE = 1 << 0,    /* memory, time, channels, the loop */
    CALLS_READ = 1 << 1,    /* open and look at files */
    CALLS_WRITE = 1 << 2,   /* change them */
    CALLS_WATCH = 1 << 3,   /* inotify */
    CALLS_ACCEPT = 1 << 4,  /* connections on a socket that was handed over */
    CALLS_CONNECT = 1 << 5, /* sockets of its own, outwards */
    CALLS_THREADS = 1 << 6, /* libcurl looks up names in a thread */
    CALLS_CODE = 1 << 7,    /* memory that is executed: loaded modules, compiled patterns */
    CALLS_MEMFD = 1 << 8,   /* large frames */
    CALLS_ANY = 1 << 9,     /* everything but what no process of ours ever does */
};

struct sandbox_row {
    const char *kind;
    unsigned calls;            /* enum sandbox_calls */
    bool strict;               /* any other call ends the process, instead of failing */
    bool reads_free, all_free;     /* Landlock leaves reading, or everything, alone */
    const char *const *paths;  /* read, and watched for change; ends in NULL; may be NULL */
    const char *const *system; /* read, changed only by the system's updates */
    size_t memory;             /* bytes beyond what it has now; 0: no limit */
    int descriptors;           /* 0: no limit */
};

/* Landlock: the ABI that holds now, or 0 with why in lacks. */
int sandbox_landlock(const struct sandbox *sb, char *lacks, size_t n);
/* seccomp: does it hold now? */
bool sandbox_seccomp(const struct sandbox_row *row, char *lacks, size_t n);

#endif
