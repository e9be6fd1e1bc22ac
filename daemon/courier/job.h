/* SPDX-License-Identifier: ISC
 *
 * job - one mail or SMS in the courier's hands, from SEND or TEXT to RECEIPT
 *
 * A job waits at a relay or gateway, runs there, and is finished once with one outcome. It
 * stays until the engine's receipt, so that the outcome can be told again to a new engine.
 */
#ifndef LEADD_COURIER_JOB_H
#define LEADD_COURIER_JOB_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "base/bounds.h"
#include "base/buf.h"
#include "base/frame.h"
#include "base/slots.h"

enum job_outcome { JOB_ACCEPTED, JOB_DEFERRED, JOB_FAILED, JOB_UNKNOWN };

/* The mapping of one engine; jobs begun under it keep it. */
struct slotmap {
    struct slots *slots; /* own */
    unsigned refs;
};
struct slotmap *slotmap_hold(struct slotmap *m);
void slotmap_drop(struct slotmap **m); /* accepts NULL */

struct job {
    TAILQ_ENTRY(job) all;  /* the courier's list */
    TAILQ_ENTRY(job) wait; /* a relay's or gateway's queue, when queued */
    uint64_t id;
    struct slotmap *map; /* a reference; NULL: none was given */
    uint32_t slot;
    enum slot_state mark; /* what the row was last made to say */
    bool slot_ours; /* the row stood for this mail, claimed: only then it is written */
    json_t *text;   /* own; an SMS: the JSON of its TEXT frame; NULL: a mail */
    json_t *told;   /* own; what TEXTED says besides, or NULL */
    char *from, *to;           /* own */
    struct buf raw;            /* as the engine sent it */
    size_t relays[BOUND_GATEWAYS]; /* indices of relays, or gateways, in order of preference */
    size_t relay_count, relay_at;
    bool urgent;    /* what a person wrote or waits for: before others that wait */
    unsigned stale; /* times a used connection turned out dead before MAIL was answered */
    int64_t began_ms;
    json_t *sent; /* own; the SENT frame's JSON once finished */
    void (*on_done)(struct job *j, void *arg);
    void *arg;
};
TAILQ_HEAD(job_list, job);

/* Takes the frame's bytes. Never fails: what is wrong with it is job_check's. */
struct job *job_new(struct frame *f, struct slotmap *map);
void job_free(struct job **j);
/* Text why this job cannot be begun, or NULL: addresses, slot, relays. The
 * outcome is FAILED for what no later attempt can change. */
const char *job_check(struct job *j, enum job_outcome *out);

/* The engine asks again for a mail in hand, under another row or mapping: that
 * one is written from now on, and says at once how far the mail is. */
void job_move(struct job *j, const struct frame *f, struct slotmap *map);

/* Marks how far it is; -1 when the slot is not this job's any more. */
int job_mark(struct job *j, enum slot_state state);

/* The one outcome; relay may be NULL. not_tried: given back, since this courier
 * is draining; the engine does not count it and sends no more here. text is the
 * relay's own words where there are any. */
void job_finish(struct job *j, enum job_outcome outcome, int code, const char *relay,
                const char *text, bool not_tried);

#endif
