/* SPDX-License-Identifier: ISC
 *
 * message - see message.h
 */
#include "store/message.h"

#include <inttypes.h>
#include <string.h>

#include "base/json.h"
#include "store/rows.h"

int message_add(struct db *db, struct message_row *m, const char *json, const void *raw,
                size_t raw_len, struct err *e)
{
    if (db_insert(db, e, &m->id,
                  "INSERT INTO message (channel, msgid_hash, same_hash, kind, date_ms, received_ms,"
                  " contact_id, lead_id, case_id) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) "
                  "RETURNING id",
                  "soosoiooo", m->channel, m->msgid_hash, m->same_hash, m->kind, m->date_ms,
                  m->received_ms, m->contact_id, m->lead_id, m->case_id) < 0)
        return -1;
    return db_exec(db, e, "INSERT INTO message_body (message_id, json, raw) VALUES ($1, $2, $3)",
                   "isb", m->id, json, raw_len ? raw : "", raw_len);
}

int message_link(struct db *db, const struct message_row *m, struct err *e)
{
    return db_exec(db, e,
                   "UPDATE message SET contact_id = $2, lead_id = $3, case_id = $4 WHERE id = $1",
                   "iooo", m->id, m->contact_id, m->lead_id, m->case_id);
}

int message_candidates(struct db *db, int64_t msgid_hash,
                       struct message_row out[MESSAGE_CANDIDATES], size_t *n_out, struct err *e)
{
    size_t n = 0;
    struct db_rows *r = db_query(db,
                                 "SELECT id, same_hash, contact_id, lead_id, case_id FROM message "
                                 "WHERE msgid_hash = $1 ORDER BY id LIMIT $2",
                                 "ii", msgid_hash, (int64_t)MESSAGE_CANDIDATES);
    for (; n < MESSAGE_CANDIDATES && db_step(r); n++)
        out[n] = (struct message_row){.id = db_int(r, 0), .same_hash = db_int(r, 1),
                                      .contact_id = db_int(r, 2), .lead_id = db_int(r, 3),
                                      .case_id = db_int(r, 4), .msgid_hash = msgid_hash};
    *n_out = n;
    return db_done(&r, e);
}

int message_latest(struct db *db, int64_t msgid_hash, int64_t since_ms, int64_t *id_out,
                   struct err *e)
{
    struct db_rows *r = db_query(db,
                                 "SELECT id FROM message WHERE msgid_hash = $1 AND received_ms >= $2 "
                                 "ORDER BY id DESC LIMIT 1",
                                 "ii", msgid_hash, since_ms);
    *id_out = db_step(r) ? db_int(r, 0) : 0;
    return db_done(&r, e);
}

int message_renew(struct db *db, const struct message_row *m, const char *json, const void *raw,
                  size_t raw_len, struct err *e)
{
    if (db_exec(db, e, "UPDATE message SET kind = $2, same_hash = $3 WHERE id = $1", "iso", m->id,
                m->kind, m->same_hash) < 0)
        return -1;
    return message_set_body(db, m->id, json, raw_len ? raw : "", raw_len, e);
}

int message_set_body(struct db *db, int64_t id, const char *json, const void *raw, size_t raw_len,
                     struct err *e)
{
    return raw ? db_exec(db, e, "UPDATE message_body SET json = $2, raw = $3 WHERE message_id = $1",
                         "isb", id, json, raw, raw_len)
               : db_exec(db, e, "UPDATE message_body SET json = $2 WHERE message_id = $1", "is", id,
                         json);
}

int message_get(struct db *db, int64_t id, struct message_row *out, struct err *e)
{
    struct db_rows *r = db_query(db,
                                 "SELECT date_ms, received_ms, contact_id, lead_id, case_id "
                                 "FROM message WHERE id = $1",
                                 "i", id);
    bool found = db_step(r);
    if (found)
        *out = (struct message_row){.id = id, .date_ms = db_int(r, 0), .received_ms = db_int(r, 1),
                                    .contact_id = db_int(r, 2), .lead_id = db_int(r, 3),
                                    .case_id = db_int(r, 4)};
    if (db_done(&r, e) < 0)
        return -1;
    return found ? 0 : err_set(e, ERR_INPUT, "there is no message M%" PRId64, id);
}

int message_find(struct db *db, int64_t msgid_hash, struct message_row *out, bool *found_out,
                 struct err *e)
{
    bool found = false;
    struct db_rows *r = db_query(db,
                                 "SELECT id, contact_id, lead_id, case_id FROM message "
                                 "WHERE msgid_hash = $1 ORDER BY id LIMIT 1",
                                 "i", msgid_hash);
    if (db_step(r)) {
        found = true;
        *out = (struct message_row){.id = db_int(r, 0), .contact_id = db_int(r, 1),
                                    .lead_id = db_int(r, 2), .case_id = db_int(r, 3),
                                    .msgid_hash = msgid_hash};
    }
    if (db_done(&r, e) < 0)
        return -1;
    *found_out = found;
    return 0;
}

json_t *message_json_short(struct db *db, int64_t id, int64_t most, struct err *e)
{
    json_t *found = NULL;
    AUTO_JSON json_t *all = rows_all(
        db_query(db, "SELECT json FROM message_body WHERE message_id = $1 AND length(json) <= $2",
                 "ii", id, most),
        rows_read_json, e);
    if (json_array_size(all))
        found = json_incref(json_array_get(all, 0));
    return found;
}

json_t *message_json(struct db *db, int64_t id, struct err *e)
{
    return rows_one(
        db_query(db, "SELECT json FROM message_body WHERE message_id = $1", "i", id),
        rows_read_json, "message M", id, e);
}

char *message_raw(struct db *db, int64_t id, size_t *n_out, struct err *e)
{
    return rows_blob(db_query(db, "SELECT raw FROM message_body WHERE message_id = $1", "i", id),
                     n_out, "message M", id, e);
}

int message_latest_of_lead(struct db *db, int64_t lead_id, int64_t *id_out, struct err *e)
{
    return db_get_int(db, e, id_out, 0,
                      "SELECT message_id FROM activity WHERE lead_id = $1 AND kind = 'mail' "
                      "AND direction = 'in' AND message_id IS NOT NULL ORDER BY id DESC LIMIT 1",
                      "i", lead_id);
}

static json_t *message_read_id(struct db_rows *r)
{
    return json_integer(db_int(r, 0));
}

json_t *message_ids_of(struct db *db, const char *entity, int64_t id, int64_t limit, struct err *e)
{
    static const char by_lead[] = "SELECT message_id FROM activity WHERE lead_id = $1 "
                                  "AND message_id IS NOT NULL ORDER BY id DESC LIMIT $2";
    static const char by_case[] = "SELECT message_id FROM activity WHERE case_id = $1 AND "
                                  "lead_id IS NULL AND message_id IS NOT NULL "
                                  "ORDER BY id DESC LIMIT $2";
    return rows_all(db_query(db, strcmp(entity, "case") ? by_lead : by_case, "ii", id, limit),
                    message_read_id, e);
}
