/* SPDX-License-Identifier: ISC
 *
 * notices - how many notices one of our own had in this hour, and what waits to be
 * told in one mail
 */
#ifndef LEADD_STORE_NOTICES_H
#define LEADD_STORE_NOTICES_H

#include <jansson.h>

#include "store/db.h"

struct notices_row {
    const char *to_addr; /* borrowed */
    int64_t since_ms, sent, more;
    int64_t outbox_id; /* of the mail about the others, 0: none waits */
    json_t *lines;     /* own; an array */
};

/* Zeroes and an empty array when there is no row. */
int notices_get(struct db *db, const char *to_addr, struct notices_row *out,
                struct err *e) LEADD_MUST_CHECK;
int notices_put(struct db *db, const struct notices_row *row, struct err *e) LEADD_MUST_CHECK;
void notices_done(struct notices_row *row);

/* How many mails of any kind, but for what is counted above, in an hour that began with
 * the first of them. */
struct notices_hour {
    int64_t since_ms, sent;
};
int notices_hour_get(struct db *db, const char *to_addr, struct notices_hour *out,
                     struct err *e) LEADD_MUST_CHECK;
int notices_hour_put(struct db *db, const char *to_addr, const struct notices_hour *h,
                     struct err *e) LEADD_MUST_CHECK;

#endif
