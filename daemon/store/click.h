/* SPDX-License-Identifier: ISC
 *
 * click - links of mails that were opened, until and after it is decided what that was
 */
#ifndef LEADD_STORE_CLICK_H
#define LEADD_STORE_CLICK_H

#include <jansson.h>

#include "store/db.h"

/* *fresh_out false: it is there already. */
int click_add(struct db *db, int64_t outbox, const char *url, int64_t at_ms, bool *fresh_out,
              struct err *e) LEADD_MUST_CHECK;
/* Those of a mail that are not decided: [{"url", "at_ms"}], the first one first. */
json_t *click_open(struct db *db, int64_t outbox, struct err *e);
/* A person did it; or no person did, and the next one is as if it were the first. */
int click_count(struct db *db, int64_t outbox, const char *url, int64_t now_ms,
                struct err *e) LEADD_MUST_CHECK;
int click_forget(struct db *db, int64_t outbox, const char *url, struct err *e) LEADD_MUST_CHECK;

#endif
