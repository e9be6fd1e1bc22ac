/* SPDX-License-Identifier: ISC
 *
 * asks - questions of leadctl that other processes must answer first
 *
 * A client asks; the engine asks an intake (LIST, PREVIEW) or the supervisor
 * (RELOAD, LIST_PROCESSES) under a number of its own, and answers the client
 * when all parts are in, or when ASK_TIMEOUT_MS is over with what it has.
 */
#ifndef LEADD_ENGINE_ASKS_H
#define LEADD_ENGINE_ASKS_H

#include "engine/engine.h"

struct ask {
    struct ask *next;
    uint64_t id;     /* of our question */
    uint64_t peer;   /* who asked: client's serial */
    uint64_t client; /* the client's frame id */
    const char *what; /* static: "reconcile", "preview", "reload", "status" */
    char *only;      /* own; the one mailbox that is asked, or NULL */
    int waiting;     /* parts still to come */
    json_t *parts;   /* own; array of {"mailbox", ...answer} */
    struct event *late; /* own */
    struct engine *eng;
};

struct ask *ask_new(struct engine *eng, const struct item *it, const char *what);
struct ask *ask_find(struct engine *eng, uint64_t id);
/* A part is in; takes the reference. When it was the last, the client gets its
 * answer: at once, or after the commit when inside a pass. */
void ask_part(struct ask *a, json_t *part);
/* The client has gone, or a peer that owed a part. */
void asks_gone(struct engine *eng, const struct peer *p);
/* Forgets those after `last`: their commands will run again. */
void asks_undo(struct engine *eng, uint64_t last);
void asks_stop(struct engine *eng);

/* What the client is told (ctl_mailbox.c, ctl_status.c). */
json_t *ask_answer(struct ask *a);

#endif
