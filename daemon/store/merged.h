/* SPDX-License-Identifier: ISC
 *
 * merged - which records became others, what belongs to one, and who may be who
 *
 * A merged record keeps its row, marked deleted; here stands which one it became, so
 * that a token or a link of it still leads somewhere. Only what was deleted is ever
 * looked up, so those who merge nothing pay nothing.
 */
#ifndef LEADD_STORE_MERGED_H
#define LEADD_STORE_MERGED_H

#include <jansson.h>

#include "store/db.h"

/* entity is crm_entity_name(). 0 in *into_out: it was merged into none. */
int merged_get(struct db *db, const char *entity, int64_t id, int64_t *into_out,
               struct err *e) LEADD_MUST_CHECK;
/* When that was; 0: it was not. */
int merged_when(struct db *db, const char *entity, int64_t id, int64_t *at_ms_out,
                struct err *e) LEADD_MUST_CHECK;
/* into 0: it is a record of its own again. */
int merged_set(struct db *db, const char *entity, int64_t id, int64_t into, int64_t now_ms,
               struct err *e) LEADD_MUST_CHECK;
/* Numbers of those that became this one, the oldest first. */
json_t *merged_of(struct db *db, const char *entity, int64_t into, struct err *e);

/* Numbers of the records of kind child whose column `parent` names this one, by number;
 * limit + 1 of them at most. NULL with e: also for a pair that merging does not know. */
json_t *merged_children(struct db *db, const char *child, const char *parent, int64_t id,
                        int64_t limit, struct err *e);
/* The address belongs to that contact since then. */
int merged_address(struct db *db, const char *channel, const char *value, int64_t contact,
                   int64_t since_ms, struct err *e) LEADD_MUST_CHECK;

/* ---- who may be the same -------------------------------------------------------- */

/* Pairs that may be one, each once, with the smaller number first:
 * [{"a", "b", "why"}]. entity: "contact", "lead", "case" or "company". */
json_t *merged_suspects(struct db *db, const char *entity, int64_t limit, struct err *e);
#endif
