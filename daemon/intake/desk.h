/* SPDX-License-Identifier: ISC
 *
 * desk - what lies between this intake and the engine
 *
 * Messages are handed over with a number and kept until their receipt, so that
 * a new engine gets them again, in order. The engine's questions wait here
 * until the sequential side has time for them: frame callbacks only put things
 * down and wake it.
 *
 * At most BOUND_MAILBOX_INFLIGHT messages and BOUND_INTAKE_INFLIGHT_BYTES are
 * without receipt; a single larger message goes alone.
 */
#ifndef LEADD_INTAKE_DESK_H
#define LEADD_INTAKE_DESK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/frame.h"
#include "base/json.h"
#include "base/role.h"

/* Where a message lies: an IMAP folder and number, or a Maildir name. */
struct desk_place {
    size_t folder; /* index in settings.folders; 0 for a Maildir */
    uint32_t uidvalidity, uid;
    const char *name; /* NULL for IMAP; borrowed unless said otherwise */
};

struct desk_item; /* handed over, without receipt */

struct desk_done { /* receipted: may be flagged or moved */
    struct desk_done *next;
    struct desk_place place; /* its name is own */
};

struct desk_request { /* LIST, PREVIEW, REFETCH or APPEND */
    struct desk_request *next;
    enum frame_type type;
    uint64_t id;
    json_t *json; /* own */
    char *raw;    /* own; of APPEND */
    size_t raw_len;
};

struct desk {
    struct role *role;
    struct chan *engine; /* own; NULL while the engine is away */
    json_t *cursors;     /* own; NULL until this engine has sent them */
    unsigned cursors_seen; /* counts CURSORS frames */
    unsigned cursors_used; /* the count the sequential side has acted on */
    bool wants_done;       /* somebody takes what is receipted */
    bool stopping;
    uint64_t last_id;
    struct desk_item *items, **items_tail;
    size_t item_count, item_bytes;
    struct desk_done *done, **done_tail;
    struct desk_request *requests, **requests_tail;
    size_t request_count;
    json_t *state; /* own; the last INTAKE_STATE, for the next engine */
    int64_t state_mono; /* when it was sent */
    int alive_ms;       /* so long it is not sent again when it is the same */
};

void desk_init(struct desk *d, struct role *r);
void desk_close(struct desk *d);
/* A channel to a new engine: says HELLO, hands over again what it kept. */
void desk_connect(struct desk *d, int fd);

/* Told to end: every wait returns, nothing new is begun. */
bool desk_over(const struct desk *d);
/* Something waits for the sequential side. */
bool desk_has_work(const struct desk *d);
/* Waits for a frame or ms (-1: none). */
void desk_wait(struct desk *d, int ms);
/* Waits until the engine has sent CURSORS; -1 when told to end. */
int desk_wait_engine(struct desk *d);

bool desk_has_room(const struct desk *d, size_t bytes);
size_t desk_room(const struct desk *d); /* messages that may still be handed over */
bool desk_holds(const struct desk *d, const struct desk_place *p);
/* Hands over a message. json is taken; raw is copied. */
void desk_mail(struct desk *d, const struct desk_place *p, json_t *json, const void *raw,
               size_t raw_len);
/* Length of the header block with its empty line; n when it does not end. */
size_t desk_header_len(const char *p, size_t n);
/* Sends a frame and waits for its answer (own), over restarts of the engine;
 * NULL when told to end. json is taken. */
json_t *desk_ask(struct desk *d, enum frame_type type, json_t *json);

/* It is known to be durable, from a receipt or otherwise: may be flagged or moved. */
void desk_add_done(struct desk *d, const struct desk_place *p);
/* Takes one receipted place of this folder, or NULL; own (desk_done_free). */
struct desk_done *desk_take_done(struct desk *d, size_t folder);
void desk_done_free(struct desk_done *done);

struct desk_request *desk_take_request(struct desk *d);
void desk_request_free(struct desk_request *q);
/* json is taken. */
void desk_answer(struct desk *d, const struct desk_request *q, enum frame_type type, json_t *json);
/* Answers LIST, PREVIEW and APPEND (which is tried later) with an error; true when q was
 * one of these. */
bool desk_refuse(struct desk *d, const struct desk_request *q, const char *why);

/* Sends INTAKE_STATE when it differs from the last one. json is taken. */
void desk_report(struct desk *d, json_t *state);

#endif
