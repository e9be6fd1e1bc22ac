/* SPDX-License-Identifier: ISC
 *
 * role - the life of every process but the supervisor
 *
 * The supervisor starts `leadd -R NAME` with its control channel on descriptor
 * 3. A role then goes through these steps, always in this order:
 *
 *   1. CONFIG arrives            -> ops->open: still with the rights it was
 *                                   started with; opens credential files
 *   2. rights are dropped        own user; then ops->rights adds what the config
 *                                   names, and the sandbox closes (base/sandbox.h)
 *   3. PEER / LISTEN arrive      -> ops->peer, ops->listen
 *   4. START arrives             -> ops->start, then READY is sent
 *   5. the loop runs             -> ops->pass after each pass, when given
 *   6. STOP arrives              -> ops->stop; the role ends when role_quit() is
 *                                   called, at once when stop is NULL, and also
 *                                   when the supervisor is gone
 *   7. the loop has ended        -> ops->end, when given: the event base and the
 *                                   channels still work
 *
 * A peer may be handed over again at any time: the old channel to the same
 * name is dead then.
 */
#ifndef LEADD_ROLE_H
#define LEADD_ROLE_H

#include <event2/event.h>
#include <stdbool.h>

#include "base/err.h"
#include "base/frame.h"
#include "base/json.h"
#include "base/sandbox.h"

struct role;

/* Of a role that cannot start and never will by itself (EX_CONFIG). */
#define ROLE_EXIT_CONFIG 78

struct role_ops {
    const char *kind; /* "parser", "intake", ... */
    int (*open)(struct role *r, struct err *e);
    /* As the role's own user: the paths and ports of the config that it needs. */
    void (*rights)(struct role *r, struct sandbox *sb);
    /* fd is the callee's; name such as "engine" or "intake:sales"; gen tells
     * one process of that name from the next: KIND.PID.NUMBER. */
    void (*peer)(struct role *r, const char *name, const char *gen, int fd);
    /* how: "signal 9 (Killed)", "exit 0" */
    void (*peer_gone)(struct role *r, const char *name, const char *gen, const char *how);
    void (*listen)(struct role *r, const char *name, int fd);
    int (*start)(struct role *r, struct err *e);
    void (*pass)(struct role *r);
    void (*stop)(struct role *r);
    void (*end)(struct role *r); /* also when open failed: state may be NULL or half made */
    /* Other frames from the supervisor (RELOAD_DONE, PROCESSES). */
    void (*frame)(struct role *r, struct frame *f);
    /* The role ends, for whatever reason: give back what needs the loop. */
    void (*done)(struct role *r);
};

struct role {
    const struct role_ops *ops;
    const char *name; /* "intake:sales"; what stands behind ':' is role_instance() */
    struct event_base *base;
    json_t *config;   /* own; this role's part */
    struct chan *sup; /* own; to the supervisor */
    void *state;      /* the role's own */
    bool quit;
    int exit_code;
    bool dropped, started; /* has become its own user; START seen */
    char *user;            /* own; the user it runs as */
    struct sandbox *sandbox; /* own */
    struct sandbox_held held;
    bool woken;            /* see role_wake */
};

/* Runs until the end; returns the exit code. */
int role_main(const struct role_ops *ops, const char *name);
/* The supervisor: a role's part of the config, of up to BOUND_CONFIG_PART. */
void role_config_send(struct chan *c, const json_t *config);

const char *role_instance(const struct role *r);
void role_quit(struct role *r, int exit_code);

/* Runs the loop until fd is ready for what (EV_READ | EV_WRITE), timeout_ms is
 * over (-1: none), role_wake() is called, or the role quits; fd -1 waits for
 * time and waking alone. Frames are handled meanwhile. Returns the EV_* that
 * came true, else 0. For roles that work sequentially (intake). */
short role_wait(struct role *r, int fd, short what, int timeout_ms);
/* From a frame callback: the waiter has something to look at. */
void role_wake(struct role *r);

/* A secret from a credential file, without the final newline; own. For use in
 * ops->open, while the rights are still there. */
char *role_read_secret(const char *path, struct err *e);

#endif
