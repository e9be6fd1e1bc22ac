/* SPDX-License-Identifier: ISC
 *
 * relay - what is remembered of a relay: since when it has been down, and how much it took today
 */
#ifndef LEADD_STORE_RELAY_H
#define LEADD_STORE_RELAY_H

#include "store/db.h"

struct relay_row {
    int64_t down_ms;   /* the administrator was told that it is down since then; 0: it is not */
    int64_t first_day; /* of its warm-up, days since 1970; 0: it has carried nothing */
    int64_t day, mails; /* handed to it on that day */
};
/* Zeroes when nothing is remembered. */
int relay_get(struct db *db, const char *name, struct relay_row *out, struct err *e) LEADD_MUST_CHECK;
int relay_put(struct db *db, const char *name, const struct relay_row *row,
              struct err *e) LEADD_MUST_CHECK;

#endif
