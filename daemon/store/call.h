/* SPDX-License-Identifier: ISC
 *
 * call - one row for each time that another program is told or asked something
 *
 *   held ---release---> ready ---claim---> claimed ---2xx---> done
 *                         ^                  |---4xx--------> failed
 *                         +----deferred <----|---5xx, no answer
 *
 * A call is made at least once: when the courier ends with one in hand, it is made
 * again under the same key, by which the receiver can tell. body holds values of
 * people (of a verdict it is made when it leaves); it is emptied when the call is done,
 * and kept when it failed, so that it can be tried again; the row's contact, lead and
 * case are how erasure finds it.
 */
#ifndef LEADD_STORE_CALL_H
#define LEADD_STORE_CALL_H

#include <jansson.h>

#include "store/db.h"

struct call_row {
    int64_t id;
    const char *endpoint, *kind; /* "webhook", "enrich", or "verdict": of a record Q3 */
    const char *name, *state, *rule, *record;
    int64_t lead_id, contact_id, case_id;
    int64_t depth, created_ms, next_ms;
    const char *reply; /* why it is held */
    const char *body;
};

int call_add(struct db *db, struct call_row *row, struct err *e) LEADD_MUST_CHECK;

/* Of one endpoint, oldest due first; as call_get gives them. */
json_t *call_due(struct db *db, const char *endpoint, int64_t now_ms, int64_t limit,
                 struct err *e);
/* Waiting rows of an endpoint that were made before. */
json_t *call_old(struct db *db, const char *endpoint, int64_t before_ms, int64_t limit,
                 struct err *e);
/* 0 when none waits. */
int call_next_due(struct db *db, const char *endpoint, int64_t *ms_out,
                  struct err *e) LEADD_MUST_CHECK;
int call_in_hand(struct db *db, const char *endpoint, int64_t *n_out,
                 struct err *e) LEADD_MUST_CHECK;
int call_claim(struct db *db, int64_t id, const char *gen, struct err *e) LEADD_MUST_CHECK;

struct call_change {
    const char *state;
    int64_t next_ms, done_ms; /* 0: none */
    bool attempt;             /* counts as a try */
    int64_t code;
    const char *reply; /* NULL: as it was */
    int64_t again_ms;  /* a person wants it tried: its time counts from here; 0: as it was */
};
/* "done" empties the body. */
int call_set_state(struct db *db, int64_t id, const struct call_change *c,
                   struct err *e) LEADD_MUST_CHECK;

/* Forgets those of the oldest rows that were done, and that failed, before these times;
 * a bounded number at a time. */
int call_forget(struct db *db, int64_t done_before_ms, int64_t failed_before_ms,
                struct err *e) LEADD_MUST_CHECK;

/* {"id", "endpoint", "kind", "name", "state", "rule", "record", "lead_id", "contact_id",
 * "case_id", "depth", "created_ms", "next_ms", "attempts", "gen", "done_ms", "code",
 * "reply", "body"} or NULL with e. */
json_t *call_get(struct db *db, int64_t id, struct err *e);
json_t *call_claimed(struct db *db, struct err *e);
/* NULL and 0: all. Newest first, without body. */
json_t *call_list(struct db *db, const char *state, const char *endpoint, int64_t lead_id,
                  int64_t limit, struct err *e);
/* Held by a restore (store/hold.h), oldest first. */
json_t *call_held(struct db *db, int64_t after, int64_t limit, struct err *e);
/* [{"endpoint", "state", "calls"}] of all that is not done. */
json_t *call_counts(struct db *db, struct err *e);

/* ---- endpoints that want no more ---- */

/* Why and since when this URL of the endpoint is disabled; NULL in *out: it is not. */
int endpoint_disabled(struct db *db, const char *name, int64_t url_hash, json_t **out,
                      struct err *e) LEADD_MUST_CHECK;
int endpoint_disable(struct db *db, const char *name, int64_t url_hash, const char *why,
                     int64_t now_ms, struct err *e) LEADD_MUST_CHECK;
int endpoint_enable(struct db *db, const char *name, struct err *e) LEADD_MUST_CHECK;

/* ---- answers that hold for a while ---- */

/* NULL in *out: none that is as new as that. */
int enriched_get(struct db *db, const char *name, const char *hash, int64_t since_ms,
                 json_t **out, struct err *e) LEADD_MUST_CHECK;
int enriched_put(struct db *db, const char *name, const char *hash, int64_t contact_id,
                 const char *answer, int64_t now_ms, struct err *e) LEADD_MUST_CHECK;
int enriched_forget(struct db *db, const char *name, int64_t before_ms,
                    struct err *e) LEADD_MUST_CHECK;

#endif
