/* SPDX-License-Identifier: ISC
 *
 * sms - see sms.h
 */
#include "store/sms.h"

#include "base/bounds.h"
#include "base/json.h"
#include "base/mem.h"
#include "store/rows.h"

int sms_add(struct db *db, int64_t outbox, const char *wanted, const char *encoding,
            int64_t segments, struct err *e)
{
    return db_exec(db, e,
                   "INSERT INTO sms (outbox_id, wanted, encoding, segments) "
                   "VALUES ($1, $2, $3, $4)",
                   "issi", outbox, wanted, encoding, segments);
}

/* As the index sms_open has it. */
#define SMS_OPEN                                                                                   \
    "s.provider_id IS NOT NULL AND "                                                               \
    "(s.delivery IS NULL OR s.delivery = 'queued' OR s.delivery = 'sent')"

#define SMS_COLUMNS                                                                                \
    "SELECT s.outbox_id, s.wanted, s.gateway, s.provider_id, s.encoding, s.segments, s.delivery,"  \
    " s.delivery_ms, s.reason, s.error, s.micros, s.currency, s.asked_ms FROM sms s "

static json_t *sms_read(struct db_rows *r)
{
    json_t *v = json_pack("{s:I, s:s?, s:s?, s:s?, s:s, s:I, s:s?, s:I, s:s?, s:s?, s:s?, s:I}",
                          "outbox_id", db_int(r, 0), "wanted", db_text(r, 1), "gateway",
                          db_text(r, 2), "provider_id", db_text(r, 3), "encoding", db_text(r, 4),
                          "segments", db_int(r, 5), "delivery", db_text(r, 6), "delivery_ms",
                          db_int(r, 7), "reason", db_text(r, 8), "error", db_text(r, 9),
                          "currency", db_text(r, 11), "asked_ms", db_int(r, 12));
    if (!db_is_null(r, 10))
        json_put_int(v, "micros", db_int(r, 10));
    return v;
}

int sms_get(struct db *db, int64_t outbox, json_t **out, struct err *e)
{
    json_t *rows = rows_all(db_query(db, SMS_COLUMNS "WHERE s.outbox_id = $1", "i", outbox),
                            sms_read, e);
    if (!rows)
        return -1;
    *out = json_incref(json_array_get(rows, 0));
    json_decref(rows);
    return 0;
}

int sms_find(struct db *db, const char *gateway, const char *provider_id, int64_t *outbox_out,
             struct err *e)
{
    return db_get_int(db, e, outbox_out, 0,
                      "SELECT outbox_id FROM sms WHERE provider_id = $1 AND gateway = $2 "
                      "ORDER BY outbox_id DESC LIMIT 1",
                      "ss", provider_id, gateway);
}

int sms_set(struct db *db, int64_t outbox, const struct sms_change *c, struct err *e)
{
    if (c->micros >= 0 &&
        db_exec(db, e, "UPDATE sms SET micros = $2, currency = $3 WHERE outbox_id = $1", "iis",
                outbox, c->micros, c->currency) < 0)
        return -1;
    return db_exec(db, e,
                   "UPDATE sms SET gateway = coalesce($2, gateway),"
                   " provider_id = coalesce($3, provider_id), delivery = coalesce($4, delivery),"
                   " reason = coalesce($5, reason), error = coalesce($6, error),"
                   " delivery_ms = coalesce($7, delivery_ms), asked_ms = coalesce($8, asked_ms) "
                   "WHERE outbox_id = $1",
                   "isssssoo", outbox, c->gateway, c->provider_id, c->delivery, c->reason, c->error,
                   c->delivery_ms, c->asked_ms);
}

static json_t *open_read(struct db_rows *r)
{
    return json_pack("{s:I, s:s, s:I}", "outbox_id", db_int(r, 0), "provider_id", db_text(r, 1),
                     "done_ms", db_int(r, 2));
}

json_t *sms_open(struct db *db, const char *gateway, int64_t from, int64_t before_ms,
                 int64_t asked_ms, int64_t limit, struct err *e)
{
    return rows_all(db_query(db,
                             "SELECT s.outbox_id, s.provider_id, o.done_ms FROM sms s "
                             "CROSS JOIN outbox o ON o.id = s.outbox_id "
                             "WHERE s.gateway = $1 AND s.outbox_id > $2 AND " SMS_OPEN " AND "
                             "o.state = 'sent' AND o.done_ms < $3 AND "
                             "(s.asked_ms IS NULL OR s.asked_ms < $4) "
                             "ORDER BY s.outbox_id LIMIT $5",
                             "siiii", gateway, from, before_ms, asked_ms, limit),
                    open_read, e);
}

/* ---- early receipts ------------------------------------------------------------------ */

int sms_early_add(struct db *db, const char *gateway, const char *provider_id, int64_t now_ms,
                  const json_t *receipt, struct err *e)
{
    AUTO_FREE char *text = json_line(receipt);
    if (db_exec(db, e,
                "INSERT INTO sms_early (gateway, provider_id, at_ms, receipt) "
                "VALUES ($1, $2, $3, $4)",
                "ssis", gateway, provider_id, now_ms, text) < 0)
        return -1;
    return db_exec(db, e,
                   "DELETE FROM sms_early WHERE id <= (SELECT max(id) FROM sms_early) - $1 "
                   "OR at_ms < $2",
                   "ii", (int64_t)BOUND_SMS_EARLY, now_ms - 3 * DAY_MS);
}

static json_t *early_read(struct db_rows *r)
{
    json_t *v = json_loads(db_text(r, 0), 0, NULL);
    return v ? v : json_object();
}

json_t *sms_early_take(struct db *db, const char *gateway, const char *provider_id, struct err *e)
{
    json_t *rows = rows_all(db_query(db,
                                     "SELECT receipt FROM sms_early WHERE provider_id = $1 AND "
                                     "gateway = $2 ORDER BY id",
                                     "ss", provider_id, gateway),
                            early_read, e);
    if (!rows || json_array_size(rows) == 0 ||
        db_exec(db, e, "DELETE FROM sms_early WHERE provider_id = $1 AND gateway = $2", "ss",
                provider_id, gateway) == 0)
        return rows;
    json_decref(rows);
    return NULL;
}

/* ---- counts ---------------------------------------------------------------------------- */

int sms_day_add(struct db *db, const struct sms_count_row *c, struct err *e)
{
    return db_exec(db, e,
                   "INSERT INTO sms_day (gateway, day, texts, segments, delivered, failed, micros,"
                   " currency) VALUES ($1, $2, $3, $4, $5, $6, $7, $8) "
                   "ON CONFLICT (gateway, day) DO UPDATE SET texts = texts + excluded.texts,"
                   " segments = segments + excluded.segments,"
                   " delivered = delivered + excluded.delivered,"
                   " failed = failed + excluded.failed, micros = micros + excluded.micros,"
                   " currency = coalesce(excluded.currency, currency)",
                   "siiiiiis", c->gateway, c->day, c->texts, c->segments, c->delivered, c->failed,
                   c->micros, c->currency);
}

static json_t *day_read(struct db_rows *r)
{
    return json_pack("{s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:s?}", "gateway", db_text(r, 0), "day",
                     db_int(r, 1), "texts", db_int(r, 2), "segments", db_int(r, 3), "delivered",
                     db_int(r, 4), "failed", db_int(r, 5), "micros", db_int(r, 6), "currency",
                     db_text(r, 7));
}

json_t *sms_days(struct db *db, int64_t since_day, struct err *e)
{
    return rows_all(db_query(db,
                             "SELECT gateway, day, texts, segments, delivered, failed, micros,"
                             " currency FROM sms_day WHERE day >= $1 ORDER BY day DESC, gateway",
                             "i", since_day),
                    day_read, e);
}
