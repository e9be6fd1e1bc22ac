/* SPDX-License-Identifier: ISC
 *
 * sms - of an SMS in the outbox: by which gateway it went, and what became of it
 *
 * The row of the outbox says whether it has left; this one, beside it, what the gateway
 * told since: queued -> sent -> delivered | undelivered | failed. Whoever writes it sees
 * to it that no state is followed by an earlier one (engine/sms_receipt.c).
 */
#ifndef LEADD_STORE_SMS_H
#define LEADD_STORE_SMS_H

#include <jansson.h>

#include "store/db.h"

/* wanted may be NULL. */
int sms_add(struct db *db, int64_t outbox, const char *wanted, const char *encoding,
            int64_t segments, struct err *e) LEADD_MUST_CHECK;
/* {"outbox_id", "wanted"?, "gateway"?, "provider_id"?, "encoding", "segments", "delivery"?,
 * "delivery_ms", "reason"?, "error"?, "micros"?, "currency"?, "asked_ms"}; *out is NULL when
 * there is none. */
int sms_get(struct db *db, int64_t outbox, json_t **out, struct err *e) LEADD_MUST_CHECK;
/* The newest with the gateway's id; 0: none. */
int sms_find(struct db *db, const char *gateway, const char *provider_id, int64_t *outbox_out,
             struct err *e) LEADD_MUST_CHECK;

struct sms_change {
    const char *gateway, *provider_id;   /* NULL: as they were, as are all that follow */
    const char *delivery, *reason, *error, *currency;
    int64_t delivery_ms, asked_ms; /* 0: as it was */
    int64_t micros;                /* -1: as it was */
};
int sms_set(struct db *db, int64_t outbox, const struct sms_change *c,
            struct err *e) LEADD_MUST_CHECK;

/* Texts behind the row `from` that left by the gateway before before_ms, have no last state, and
 * were not asked about since asked_ms: [{"outbox_id", "provider_id", "done_ms"}], oldest first. */
json_t *sms_open(struct db *db, const char *gateway, int64_t from, int64_t before_ms,
                 int64_t asked_ms, int64_t limit, struct err *e);

/* ---- receipts that came too early ---- */

int sms_early_add(struct db *db, const char *gateway, const char *provider_id, int64_t now_ms,
                  const json_t *receipt, struct err *e) LEADD_MUST_CHECK;
/* Oldest first, and away with them. NULL with e. */
json_t *sms_early_take(struct db *db, const char *gateway, const char *provider_id, struct err *e);

/* ---- counts ---- */

struct sms_count_row {
    const char *gateway, *currency; /* currency may be NULL */
    int64_t day;                    /* since 1970 */
    int64_t texts, segments, delivered, failed, micros; /* to be added */
};
int sms_day_add(struct db *db, const struct sms_count_row *c, struct err *e) LEADD_MUST_CHECK;
/* [{"gateway", "day", "texts", "segments", "delivered", "failed", "micros", "currency"?}],
 * newest day first. */
json_t *sms_days(struct db *db, int64_t since_day, struct err *e);

#endif
