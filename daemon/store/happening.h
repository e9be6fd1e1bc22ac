/* SPDX-License-Identifier: ISC
 *
 * happening - orders, calls and chats that other programs told of
 *
 * One row for each, by the name that its source gives it; what is said of it later changes
 * the row and its activity. Whose it is stands in the activity alone, so a merge moves it.
 */
#ifndef LEADD_STORE_HAPPENING_H
#define LEADD_STORE_HAPPENING_H

#include <jansson.h>

#include "store/db.h"

struct happening_row {
    int64_t id, activity_id, at_ms;
    const char *source, *ext; /* of happening_find: not set */
    char state[24];           /* the last kind: "order.paid" */
    const char *number;       /* orders; NULL: none */
    const char *items;
    int64_t amount, refunded; /* minor units */
    char currency[4];         /* "": no amount was said */
};

/* out->id is 0 when there is none. */
int happening_find(struct db *db, const char *source, const char *ext, struct happening_row *out,
                   struct err *e) LEADD_MUST_CHECK;
/* By source and ext; number, items and currency stay where they are not said again. */
int happening_put(struct db *db, const struct happening_row *row, struct err *e) LEADD_MUST_CHECK;
/* Orders of a contact, newest first: [{"number", "state", "amount", "refunded", "currency",
 * "items", "at_ms", "source"}]. NULL with e. */
json_t *happening_orders(struct db *db, int64_t contact, int64_t limit, struct err *e);

#endif
