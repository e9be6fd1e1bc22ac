/* SPDX-License-Identifier: ISC
 *
 * bounces - mail to an address that came back with a fault that may pass
 */
#ifndef LEADD_STORE_BOUNCES_H
#define LEADD_STORE_BOUNCES_H

#include "store/db.h"

/* value is folded, as in address. The same message counts once. */
int bounces_add(struct db *db, const char *value, int64_t at_ms, int64_t message_id,
                struct err *e) LEADD_MUST_CHECK;
/* How many since then, and on how many days (of UTC). */
int bounces_count(struct db *db, const char *value, int64_t since_ms, int64_t *count_out,
                  int64_t *days_out, struct err *e) LEADD_MUST_CHECK;
/* They have led to something: counting begins anew. */
int bounces_forget(struct db *db, const char *value, struct err *e) LEADD_MUST_CHECK;

#endif
