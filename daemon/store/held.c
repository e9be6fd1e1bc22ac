/* SPDX-License-Identifier: ISC
 *
 * held - see held.h
 */
#include "store/held.h"

#include "store/rows.h"

#define COLUMNS                                                                                    \
    "id, user, message_id, entity, record_id, lines, why, state, created_ms, settled_ms"

int held_add(struct db *db, struct held_row *row, struct err *e)
{
    int64_t have;
    row->id = 0;
    if (db_get_int(db, e, &have, 0, "SELECT id FROM held WHERE message_id = $1", "i",
                   row->message_id) < 0)
        return -1;
    if (have)
        return 0;
    return db_insert(db, e, &row->id,
                     "INSERT INTO held (user, message_id, entity, record_id, lines, why,"
                     " created_ms) VALUES ($1, $2, $3, $4, $5, $6, $7) RETURNING id",
                     "sisossi", row->user, row->message_id, row->entity, row->record_id,
                     row->lines, row->why, row->created_ms);
}

static json_t *held_read(struct db_rows *r)
{
    return json_pack("{s:I, s:s, s:I, s:s?, s:I, s:s, s:s, s:s, s:I, s:I}", "id", db_int(r, 0),
                     "user", db_text(r, 1), "message_id", db_int(r, 2), "entity", db_text(r, 3),
                     "record_id", db_int(r, 4), "lines", db_text(r, 5), "why", db_text(r, 6),
                     "state", db_text(r, 7), "created_ms", db_int(r, 8), "settled_ms",
                     db_int(r, 9));
}

json_t *held_get(struct db *db, int64_t id, struct err *e)
{
    return rows_one(db_query(db, "SELECT " COLUMNS " FROM held WHERE id = $1", "i", id), held_read,
                    "held command H", id, e);
}

json_t *held_of_message(struct db *db, int64_t message, struct err *e)
{
    int64_t id;
    if (db_get_int(db, e, &id, 0, "SELECT id FROM held WHERE message_id = $1", "i", message) < 0)
        return NULL;
    return id ? held_get(db, id, e) : json_object();
}

json_t *held_list(struct db *db, bool all, int64_t limit, struct err *e)
{
    if (all)
        return rows_all(db_query(db, "SELECT " COLUMNS " FROM held ORDER BY id DESC LIMIT $1", "i",
                                 limit), held_read, e);
    return rows_all(db_query(db, "SELECT " COLUMNS " FROM held WHERE state = 'held' "
                             "ORDER BY id DESC LIMIT $1", "i", limit), held_read, e);
}

int held_settle(struct db *db, int64_t id, const char *state, int64_t now_ms, bool *done_out,
                struct err *e)
{
    int64_t open;
    if (db_get_int(db, e, &open, 0, "SELECT id FROM held WHERE id = $1 AND state = 'held'", "i",
                   id) < 0)
        return -1;
    *done_out = open != 0;
    if (!open)
        return 0;
    return db_exec(db, e, "UPDATE held SET state = $2, settled_ms = $3 WHERE id = $1", "isi", id,
                   state, now_ms);
}

int held_find(struct db *db, int64_t message_id, const char *user, int64_t *id_out,
              struct err *e)
{
    return db_get_int(db, e, id_out, 0,
                      "SELECT id FROM held WHERE message_id = $1 AND user = $2 AND state = 'held'",
                      "is", message_id, user);
}

int held_count(struct db *db, int64_t *out, struct err *e)
{
    return db_get_int(db, e, out, 0, "SELECT count(*) FROM held WHERE state = 'held'", "");
}

int held_count_since(struct db *db, const char *user, int64_t since_ms, int64_t *out,
                     struct err *e)
{
    return db_get_int(db, e, out, 0,
                      "SELECT count(*) FROM held WHERE user = $1 AND created_ms > $2", "si", user,
                      since_ms);
}
