/* SPDX-License-Identifier: ISC
 *
 * offer - see offer.h
 */
#include "store/offer.h"

#include "base/json.h"
#include "store/rows.h"

int offer_add(struct db *db, int64_t contact, const char *channel, const char *value,
              const char *source, int64_t message, int64_t now_ms, bool *new_out, struct err *e)
{
    int64_t before = db_total_changes(db);
    if (db_exec(db, e,
                "INSERT INTO offer (contact_id, channel, value, source, message_id, at_ms) "
                "VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (contact_id, channel, value) "
                "DO NOTHING",
                "isssoi", contact, channel, value, source, message, now_ms) < 0)
        return -1;
    *new_out = db_total_changes(db) != before;
    return 0;
}

static json_t *read_offer(struct db_rows *r)
{
    return json_pack("{s:s, s:s, s:s, s:I, s:I}", "channel", db_text(r, 0), "value", db_text(r, 1),
                     "source", db_text(r, 2), "message_id", db_int(r, 3), "at_ms", db_int(r, 4));
}

json_t *offer_list(struct db *db, int64_t contact, struct err *e)
{
    return rows_all(db_query(db,
                             "SELECT channel, value, source, message_id, at_ms FROM offer "
                             "WHERE contact_id = $1 ORDER BY at_ms DESC, channel, value LIMIT 50",
                             "i", contact),
                    read_offer, e);
}

static json_t *read_named(struct db_rows *r)
{
    return json_pack("{s:I, s:s}", "contact_id", db_int(r, 0), "source", db_text(r, 1));
}

json_t *offer_named(struct db *db, const char *channel, const char *value, struct err *e)
{
    return rows_all(db_query(db,
                             "SELECT contact_id, source FROM offer WHERE channel = $1 "
                             "AND value = $2 ORDER BY at_ms DESC LIMIT 20",
                             "ss", channel, value),
                    read_named, e);
}

int offer_any(struct db *db, bool *out, struct err *e)
{
    return db_has(db, e, out, "SELECT 1 FROM offer LIMIT 1", "");
}
