/* SPDX-License-Identifier: ISC
 *
 * asks - questions of leadctl that other processes must answer first
 *
 * A client asks; the engine asks an intake (LIST, PREVIEW), the courier (QUERY) or the
 * supervisor (RELOAD, LIST_PROCESSES) under a number of its own, and answers the client
 * when all parts are in, or when ASK_TIMEOUT_MS is over with what it has.
 */
#ifndef LEADD_ENGINE_ASKS_H
#define LEADD_ENGINE_ASKS_H

#include "engine/engine.h"

struct ask_owed {
    uint64_t peer; /* serial of the channel that was asked; 0: the supervisor */
    enum frame_type type;
};

struct ask {
    struct ask *next;
    uint64_t id;     /* of our question */
    uint64_t peer;   /* who asked: client's serial */
    uint64_t client; /* the client's frame id */
    const char *what; /* static: "reconcile", "preview", "reload", "status" */
    struct ask_owed *owed; /* own; parts still to come, and from whom alone they count */
    size_t owed_count;
    json_t *parts;   /* own; array of {"mailbox", ...answer} */
    struct event *late; /* own */
    struct engine *eng;
};

struct ask *ask_new(struct engine *eng, const struct item *it, const char *what);
/* peer is asked, and owes a frame of that type. */
void ask_expect(struct ask *a, uint64_t peer, enum frame_type type);
/* The question that this peer still owes such a frame for, or NULL. */
struct ask *ask_owed_by(struct engine *eng, uint64_t id, uint64_t peer, enum frame_type type);
/* A frame that answers a question. It counts once, and only from the channel
 * that was asked: false when nobody asked this peer. part is borrowed;
 * NULL: it is among the parts already. */
bool ask_answered(struct engine *eng, uint64_t id, uint64_t peer, enum frame_type type,
                  json_t *part);
/* From now on so long is waited for what is still owed, in place of ASK_TIMEOUT_MS. */
void ask_within(struct engine *eng, uint64_t id, int64_t ms);
/* A part that nobody owes; takes the reference. */
void ask_add(struct ask *a, json_t *part);
/* All are asked. When nobody owes a part, the client gets its answer now. */
void ask_asked(struct ask *a);
/* The client has gone, or a peer that owed a part. */
void asks_gone(struct engine *eng, const struct peer *p);
/* Forgets those after `last`: their commands will run again. */
void asks_undo(struct engine *eng, uint64_t last);
void asks_stop(struct engine *eng);

/* What the client is told (ctl_mailbox.c, ctl_status.c). */
json_t *ask_answer(struct ask *a);

#endif
