/* SPDX-License-Identifier: ISC
 *
 * click - links of mails that were opened, until and after it is decided what that was
 */
#ifndef LEADD_STORE_CLICK_H
#define LEADD_STORE_CLICK_H

#include <jansson.h>

#include "store/db.h"

/* *fresh_out false: it is there already, and was opened last at at_ms; of one that counted
 * and was not opened since quiet_ms, at_ms is the first time again. */
int click_add(struct db *db, int64_t outbox, const char *url, int64_t at_ms, int64_t quiet_ms,
              bool *fresh_out, struct err *e) LEADD_MUST_CHECK;
/* Those of a mail: [{"url", "at_ms", "seen_ms", "counted"}], the first one first; counted: it
 * is decided that a person did it. */
json_t *click_all(struct db *db, int64_t outbox, struct err *e);
/* A person did it; or no person did, and the next one is as if it were the first. */
int click_count(struct db *db, int64_t outbox, const char *url, int64_t now_ms,
                struct err *e) LEADD_MUST_CHECK;
int click_forget(struct db *db, int64_t outbox, const char *url, struct err *e) LEADD_MUST_CHECK;

#endif
