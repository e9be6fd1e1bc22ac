/* SPDX-License-Identifier: ISC
 *
 * schedule - how far the walks of scheduled rules have come
 *
 * One row while a rule goes through the records of its kind. It is moved on in the
 * savepoint that handles a record, so a crash neither skips nor repeats one.
 */
#ifndef LEADD_STORE_SCHEDULE_H
#define LEADD_STORE_SCHEDULE_H

#include <jansson.h>

#include "store/db.h"

struct schedule_walk {
    const char *rule;
    int64_t due_ms;  /* the time it is for */
    int64_t last_id; /* done up to this one, ... */
    int64_t to_id;   /* ... and to be done up to that */
    int64_t looked, matched, failed;
};

/* Inserts it, or puts it in the place of the rule's. */
int schedule_walk_put(struct db *db, const struct schedule_walk *w,
                      struct err *e) LEADD_MUST_CHECK;
/* *found_out tells whether there is one; out->rule is left alone. */
int schedule_walk_get(struct db *db, const char *rule, struct schedule_walk *out, bool *found_out,
                      struct err *e) LEADD_MUST_CHECK;
int schedule_walk_drop(struct db *db, const char *rule, struct err *e) LEADD_MUST_CHECK;
/* Names of the rules that have one. */
json_t *schedule_walks(struct db *db, struct err *e);

/* Ids of records that are not deleted, ascending: behind `after`, up to `to`. entity is
 * crm_entity_name(). */
json_t *schedule_ids(struct db *db, const char *entity, int64_t after, int64_t to, int64_t limit,
                     struct err *e);
int schedule_last_id(struct db *db, const char *entity, int64_t *out,
                     struct err *e) LEADD_MUST_CHECK;

#endif
