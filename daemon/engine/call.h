/* SPDX-License-Identifier: ISC
 *
 * call - other programs are told (webhook) and asked (enrich, verdict): rows of the
 * table `call`, made by rules and forms, carried by the courier, settled here
 *
 * Each endpoint has its own room, its own pauses and its own breaker, so that one that
 * hangs or is gone delays neither mail nor the others:
 *
 *   room       so many calls at a time as `connections` says; the courier begins each
 *              at once, and holds no queue
 *   pause      what Retry-After asks for
 *   breaker    BREAK_AFTER failures in a row, and nothing is tried for a while; then one
 *              call, alone, tells whether it is back. The administrator hears once a day
 *   disabled   it answered 410: nothing is tried until leadctl calls enable, or until it
 *              has another URL
 *
 * A call is made at least once: the row says claimed before it leaves, and done only
 * when the answer is durable. What people see of a call goes with its key, which stays
 * the same over all tries.
 */
#ifndef LEADD_ENGINE_CALL_H
#define LEADD_ENGINE_CALL_H

#include "base/bounds.h"
#include "base/hash.h"
#include "engine/ctl.h"
#include "engine/engine.h"
#include "engine/input.h"

struct endpoint {
    const char *name; /* borrowed from the config */
    int64_t url_hash, connections, give_up_ms;
    int64_t next_ms;       /* when its next call is due; 0: none waits */
    int64_t not_before_ms; /* it asked for a pause */
    int64_t fails;         /* in a row */
    int64_t open_ms, open_until_ms; /* the breaker; 0: closed */
    bool full;             /* no room: its next outcome looks again */
    bool disabled;
};

struct calls {
    struct endpoint list[BOUND_ENDPOINTS];
    size_t count;
    struct event *due; /* own */
    bool queued;
};

/* ---- life ---- */

int calls_start(struct engine *eng, struct err *e) LEADD_MUST_CHECK;
void calls_stop(struct engine *eng);
struct endpoint *calls_endpoint(struct engine *eng, const char *name); /* or NULL */
/* After each pass: when is the next one due? Asks the store nothing. */
void calls_arm(struct engine *eng);
int64_t calls_next(struct engine *eng); /* 0: none waits that may be made */
/* For pretended time: one is due now, or in hand. */
bool calls_busy(struct engine *eng);
void calls_look_again(struct engine *eng, const char *endpoint, int64_t at_ms);

/* ---- handlers, inside the pass ---- */

int calls_due(struct engine *eng, struct err *e) LEADD_MUST_CHECK;
/* CALLED of the courier, or, without a peer, an answer that is known already. */
int calls_called(struct engine *eng, struct item *it, struct err *e) LEADD_MUST_CHECK;
/* What it said cannot be taken over: the row fails, and a rule may hear of it. */
int calls_refused(struct engine *eng, struct item *it, const char *why,
                  struct err *e) LEADD_MUST_CHECK;
/* Nobody waits any longer: it is settled by an item of its own, as not answered. */
int calls_give_up(struct engine *eng, int64_t id, const char *why, struct err *e) LEADD_MUST_CHECK;
/* A courier says which calls it has in hand; the others that were claimed for it are
 * made again. gen NULL: for no courier that is there. */
int calls_hello(struct engine *eng, const struct peer *p, const json_t *hello,
                struct err *e) LEADD_MUST_CHECK;
int calls_settle(struct engine *eng, const char *gen, struct err *e) LEADD_MUST_CHECK;

/* ---- of one call (call_settle.c) ---- */

struct call_outcome {
    int64_t code; /* of the answer; 0: there was none */
    const char *text;
    int64_t retry_ms; /* Retry-After, 0: none */
    bool untried;     /* given back: does not count as a try */
    bool ours;        /* it was not the endpoint's fault */
    bool too_large;
    const char *answer; /* of enrich */
    size_t answer_len;
    const json_t *known; /* values from the cache */
};
int call_settle(struct engine *eng, const json_t *row, const struct call_outcome *o,
                struct err *e) LEADD_MUST_CHECK;
/* For good, with a reason. */
int call_fail(struct engine *eng, const json_t *row, int64_t code, const char *why,
              struct err *e) LEADD_MUST_CHECK;
/* Of what an enrichment sends: the same values have the same. */
void call_hash(const json_t *row, char out[HASH_SHA256_HEX]);

/* ---- the hooks of crm (call_make.c) ---- */

int call_make(void *arg, struct crm_ctx *ctx, const struct crm_call *c, int64_t *id_out,
              struct err *e);
int call_take_back(void *arg, struct crm_ctx *ctx, int64_t id, struct err *e);
/* What leaves: the body with its key in front. key is for webhook-id. own. */
char *call_body(struct engine *eng, const json_t *row, char key[64], struct err *e);

/* For status and metrics; NULL when there are no endpoints. */
json_t *calls_section(struct engine *eng);
void calls_gauges(struct engine *eng, json_t *gauges);

#endif
