/* SPDX-License-Identifier: ISC
 *
 * secret - see secret.h
 */
#include "store/secret.h"

int secret_get(struct db *db, const char *user, int64_t *id_out, int64_t *made_ms_out,
               struct err *e)
{
    int64_t id = 0, made = 0;
    struct db_rows *r =
        db_query(db, "SELECT id, created_ms FROM secret_address WHERE user = $1", "s", user);
    if (db_step(r)) {
        id = db_int(r, 0);
        made = db_int(r, 1);
    }
    if (db_done(&r, e) < 0)
        return -1;
    *id_out = id;
    *made_ms_out = made;
    return 0;
}

int secret_remove(struct db *db, const char *user, struct err *e)
{
    return db_exec(db, e, "DELETE FROM secret_address WHERE user = $1", "s", user);
}

int secret_renew(struct db *db, const char *user, int64_t now_ms, int64_t *id_out, struct err *e)
{
    if (secret_remove(db, user, e) < 0)
        return -1;
    return db_insert(db, e, id_out,
                     "INSERT INTO secret_address (user, created_ms) VALUES ($1, $2) RETURNING id",
                     "si", user, now_ms);
}

int dropbox_rate_get(struct db *db, const char *user, int64_t *since_ms_out, int64_t *made_out,
                     struct err *e)
{
    int64_t since = 0, made = 0;
    struct db_rows *r =
        db_query(db, "SELECT since_ms, made FROM dropbox_rate WHERE user = $1", "s", user);
    if (db_step(r)) {
        since = db_int(r, 0);
        made = db_int(r, 1);
    }
    if (db_done(&r, e) < 0)
        return -1;
    *since_ms_out = since;
    *made_out = made;
    return 0;
}

int dropbox_rate_put(struct db *db, const char *user, int64_t since_ms, int64_t made,
                     struct err *e)
{
    return db_exec(db, e,
                   "INSERT INTO dropbox_rate (user, since_ms, made) VALUES ($1, $2, $3) "
                   "ON CONFLICT (user) DO UPDATE SET since_ms = $2, made = $3",
                   "sii", user, since_ms, made);
}

int signature_use(struct db *db, int64_t hash, int64_t message_id, int64_t *message_out,
                  struct err *e)
{
    if (db_get_int(db, e, message_out, 0, "SELECT message_id FROM signature_used WHERE hash = $1",
                   "i", hash) < 0)
        return -1;
    if (*message_out == message_id)
        *message_out = 0;
    else if (*message_out == 0)
        return db_exec(db, e, "INSERT INTO signature_used (hash, message_id) VALUES ($1, $2)", "ii",
                       hash, message_id);
    return 0;
}
