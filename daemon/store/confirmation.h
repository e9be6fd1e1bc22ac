/* SPDX-License-Identifier: ISC
 *
 * confirmation - posts of forms that wait until their address is confirmed
 */
#ifndef LEADD_STORE_CONFIRMATION_H
#define LEADD_STORE_CONFIRMATION_H

#include <jansson.h>

#include "store/db.h"

struct confirmation_row {
    int64_t id; /* of the quarantine row with the post */
    const char *form, *value, *remote;
    bool asked;
    int64_t at_ms, until_ms;
};

int confirmation_add(struct db *db, const struct confirmation_row *c,
                     struct err *e) LEADD_MUST_CHECK;
/* {"id", "form", "value", "remote", "asked", "at_ms", "until_ms", "done_ms" (0: not yet)} and,
 * while the post is kept, "kept": true. *out NULL: there is none. */
int confirmation_get(struct db *db, int64_t id, json_t **out, struct err *e) LEADD_MUST_CHECK;
/* Those that wait, the oldest first, as above. */
json_t *confirmation_list(struct db *db, int64_t limit, struct err *e);
int confirmation_done(struct db *db, int64_t id, int64_t now_ms, struct err *e) LEADD_MUST_CHECK;

/* Mails that were sent since then, of those alike in one thing. */
enum confirmation_by { CONFIRMATION_BY_VALUE, CONFIRMATION_BY_REMOTE, CONFIRMATION_BY_FORM };
int confirmation_count(struct db *db, enum confirmation_by by, const char *text, int64_t since_ms,
                       int64_t *out, struct err *e) LEADD_MUST_CHECK;

/* The posts that nobody confirmed until now are dropped, and the ledger says so. */
int confirmation_expire(struct db *db, int64_t now_ms, int64_t *dropped_out,
                        struct err *e) LEADD_MUST_CHECK;
/* When the next row is to go; 0: there is none. */
int confirmation_next(struct db *db, int64_t *ms_out, struct err *e) LEADD_MUST_CHECK;

#endif
