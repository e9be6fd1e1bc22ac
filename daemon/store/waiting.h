/* SPDX-License-Identifier: ISC
 *
 * waiting - what waits for its time, for people to look at
 */
#ifndef LEADD_STORE_WAITING_H
#define LEADD_STORE_WAITING_H

#include <jansson.h>

#include "store/db.h"

/* Timers of all records, those that are due first at the front, paused ones (due_ms 0)
 * at the end: [{"entity", "record_id", "kind", "rule", "due_ms", "step"}], NULL with e. */
json_t *waiting_list(struct db *db, int64_t limit, struct err *e);

#endif
