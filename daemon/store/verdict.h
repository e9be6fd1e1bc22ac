/* SPDX-License-Identifier: ISC
 *
 * verdict - posts of forms that wait for another program's word on whether they are spam
 *
 * The post itself lies in quarantine, the question is a row of `call`; this row binds
 * them. Whoever decides the post removes it in the same transaction, so that a post is
 * decided once.
 */
#ifndef LEADD_STORE_VERDICT_H
#define LEADD_STORE_VERDICT_H

#include <jansson.h>

#include "store/db.h"

struct verdict_row {
    int64_t call, post; /* ids of call and quarantine */
    const char *form, *endpoint;
    int64_t until_ms;
};

int verdict_add(struct db *db, const struct verdict_row *v, struct err *e) LEADD_MUST_CHECK;
/* {"call", "post", "form", "endpoint", "until_ms"}; *out NULL: it is decided. */
int verdict_get(struct db *db, int64_t call, json_t **out, struct err *e) LEADD_MUST_CHECK;
int verdict_done(struct db *db, int64_t call, struct err *e) LEADD_MUST_CHECK;
int verdict_count(struct db *db, int64_t *out, struct err *e) LEADD_MUST_CHECK;
/* Whose time has ended, the oldest first. */
json_t *verdict_late(struct db *db, int64_t now_ms, int64_t limit, struct err *e);
/* When the next one's ends; 0: none waits. */
int verdict_next(struct db *db, int64_t *ms_out, struct err *e) LEADD_MUST_CHECK;

#endif
