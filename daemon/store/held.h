/* SPDX-License-Identifier: ISC
 *
 * held - commands by mail whose sender is not proven, and what became of them
 *
 *   held --> confirmed (by the user's answer), released (by an operator), dropped,
 *            proven (the same mail came again, with a proof)
 *
 * Each leaves `held` once. What has expired stays held: an operator may release it.
 */
#ifndef LEADD_STORE_HELD_H
#define LEADD_STORE_HELD_H

#include "base/json.h"
#include "store/db.h"

struct held_row {
    int64_t id;
    const char *user;
    int64_t message_id;
    const char *entity; /* NULL: about no record */
    int64_t record_id;
    const char *lines; /* one a line, for people */
    const char *why;
    int64_t created_ms;
};

/* row->id is 0 when that message is held already: then nothing was written. */
int held_add(struct db *db, struct held_row *row, struct err *e) LEADD_MUST_CHECK;
/* {"id", "user", "message_id", "entity"?, "record_id", "lines", "why", "state",
 * "created_ms", "settled_ms"}, own; NULL with e. */
json_t *held_get(struct db *db, int64_t id, struct err *e);
/* The same of a message; {} when none of it is or was held. */
json_t *held_of_message(struct db *db, int64_t message, struct err *e);
/* The newest first; all: also those that are settled. */
json_t *held_list(struct db *db, bool all, int64_t limit, struct err *e);
/* From held to state; false in *done_out: it was not held any more. */
int held_settle(struct db *db, int64_t id, const char *state, int64_t now_ms, bool *done_out,
                struct err *e) LEADD_MUST_CHECK;
/* That of a message, when it is still held and that user's; 0: none. */
int held_find(struct db *db, int64_t message_id, const char *user, int64_t *id_out,
              struct err *e) LEADD_MUST_CHECK;
/* How many are held; and how many of a user came after since_ms. */
int held_count(struct db *db, int64_t *out, struct err *e) LEADD_MUST_CHECK;
int held_count_since(struct db *db, const char *user, int64_t since_ms, int64_t *out,
                     struct err *e) LEADD_MUST_CHECK;

#endif
