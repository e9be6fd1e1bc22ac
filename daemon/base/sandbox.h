/* SPDX-License-Identifier: ISC
 *
 * sandbox - what a process may still do once it has its config
 *
 * One row per role in sandbox.c says what it holds; the paths and ports that
 * depend on the config are added by the role itself (role_ops.rights). Then,
 * for ever:
 *
 *   no-new-privs   nothing that is executed gains rights
 *   limits         memory and files, where the row has them
 *   Landlock       files and folders, TCP ports, signals and abstract sockets
 *                  (as far as the kernel has it)
 *   seccomp        the system calls of the row (sandbox_calls.c)
 *
 * What the kernel lacks is told in struct sandbox_held and is never fatal. A
 * path is held as the file it is now: when another one is put in its place
 * (resolv.conf after a change of network, a new certificate), sandbox_stale()
 * names it, and the role asks to be replaced.
 */
#ifndef LEADD_SANDBOX_H
#define LEADD_SANDBOX_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/err.h"

enum sandbox_right {
    SANDBOX_READ,  /* a file, or a folder with all in it */
    SANDBOX_WRITE, /* also write, create and remove */
    SANDBOX_MOVE,  /* also rename and link between folders below it */
};

/* What really holds, for leadctl status. */
struct sandbox_held {
    bool no_new_privs;
    int landlock;      /* ABI that is used; 0: none */
    bool seccomp;
    char lacks[200];   /* what the kernel does not have, in words; empty: nothing */
};

struct sandbox_file {
    char *path; /* own */
    enum sandbox_right right;
    bool watched;
    dev_t dev; /* of the file when the sandbox was entered; 0: it was not there */
    ino_t ino;
};

struct sandbox_row;

struct sandbox {
    const struct sandbox_row *row;
    struct sandbox_file *files; /* own */
    size_t file_count;
    int *ports; /* own; TCP ports that it may connect to */
    size_t port_count;
};

/* kind: what stands before ':' in a role's name; "config", "supervisor". */
struct sandbox *sandbox_new(const char *kind);
void sandbox_free(struct sandbox **sb);

void sandbox_path(struct sandbox *sb, const char *path, enum sandbox_right right); /* NULL: none */
void sandbox_folder_of(struct sandbox *sb, const char *path, enum sandbox_right right);
void sandbox_port(struct sandbox *sb, int port);

/* -1 only when no-new-privs or a limit cannot be set. */
int sandbox_enter(struct sandbox *sb, struct sandbox_held *held_out, struct err *e) LEADD_MUST_CHECK;

/* A path whose file is another one now, or NULL. */
const char *sandbox_stale(const struct sandbox *sb);

#endif
