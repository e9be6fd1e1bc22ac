/* SPDX-License-Identifier: ISC
 *
 * pool - where the round of each pool stands
 */
#ifndef LEADD_STORE_POOL_H
#define LEADD_STORE_POOL_H

#include "base/json.h"
#include "store/db.h"

/* JSON of crm/round.h; an empty object for a pool that never assigned. One row per
 * pool, not per member: an assignment writes one row however large the pool. */
int pool_load(struct db *db, const char *pool, json_t **out, struct err *e) LEADD_MUST_CHECK;
int pool_store(struct db *db, const char *pool, const json_t *state, int64_t now_ms,
               struct err *e) LEADD_MUST_CHECK;

#endif
