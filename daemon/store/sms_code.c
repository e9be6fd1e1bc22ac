/* SPDX-License-Identifier: ISC
 *
 * sms_code - see sms_code.h
 */
#include "store/sms_code.h"

#include "base/mem.h"
#include "store/rows.h"

#define CODE_SELECT                                                                                \
    "SELECT id, user, kind, code, entity, record_id, theirs, ours, lines, message_id, created_ms," \
    " until_ms FROM sms_code "

int sms_code_add(struct db *db, struct sms_code *c, struct err *e)
{
    return db_insert(db, e, &c->id,
                     "INSERT INTO sms_code (user, kind, code, entity, record_id, theirs, ours, "
                     "lines, message_id, created_ms, until_ms) "
                     "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) RETURNING id",
                     "ssssosssoii", c->user, c->kind, c->code, c->entity, c->record_id, c->theirs,
                     c->ours, c->lines, c->message_id, c->created_ms, c->until_ms);
}

static json_t *code_read(struct db_rows *r)
{
    return json_pack("{s:I, s:s, s:s, s:s, s:s?, s:I, s:s?, s:s?, s:s?, s:I, s:I, s:I}", "id",
                     db_int(r, 0), "user", db_text(r, 1), "kind", db_text(r, 2), "code",
                     db_text(r, 3), "entity", db_text(r, 4), "record_id", db_int(r, 5), "theirs",
                     db_text(r, 6), "ours", db_text(r, 7), "lines", db_text(r, 8), "message_id",
                     db_int(r, 9), "created_ms", db_int(r, 10), "until_ms", db_int(r, 11));
}

static int code_first(struct db_rows *r, json_t **out, struct err *e)
{
    json_t *row = db_step(r) ? code_read(r) : NULL;
    if (db_done(&r, e) < 0) {
        json_decref(row);
        return -1;
    }
    *out = row;
    return 0;
}

int sms_code_find(struct db *db, const char *user, const char *code, int64_t now_ms, json_t **out,
                  struct err *e)
{
    return code_first(db_query(db,
                               CODE_SELECT "WHERE user = $1 AND code = $2 AND used_ms IS NULL "
                                           "AND until_ms > $3 ORDER BY id DESC LIMIT 1",
                               "ssi", user, code, now_ms),
                      out, e);
}

int sms_code_use(struct db *db, int64_t id, int64_t now_ms, struct err *e)
{
    return db_exec(db, e, "UPDATE sms_code SET used_ms = $2 WHERE id = $1", "ii", id, now_ms);
}

int sms_code_relay(struct db *db, const char *user, const char *theirs, const char *ours,
                   int64_t now_ms, json_t **out, struct err *e)
{
    return code_first(db_query(db,
                               CODE_SELECT "WHERE user = $1 AND kind = 'relay' AND theirs = $2 "
                                           "AND ours = $3 AND until_ms > $4 ORDER BY id DESC LIMIT 1",
                               "sssi", user, theirs, ours, now_ms),
                      out, e);
}

int sms_code_extend(struct db *db, int64_t id, const char *entity, int64_t record_id,
                    int64_t until_ms, struct err *e)
{
    return db_exec(db, e,
                   "UPDATE sms_code SET entity = $2, record_id = $3, until_ms = $4 WHERE id = $1",
                   "isii", id, entity, record_id, until_ms);
}

int sms_code_count(struct db *db, const char *user, int64_t since_ms, int64_t *out, struct err *e)
{
    return db_get_int(db, e, out, 0,
                      "SELECT count(*) FROM sms_code WHERE user = $1 AND kind = 'command' "
                      "AND created_ms > $2",
                      "si", user, since_ms);
}

int sms_guess_get(struct db *db, const char *user, int64_t *n_out, int64_t *at_out, struct err *e)
{
    struct db_rows *r = db_query(db, "SELECT n, at_ms FROM sms_guess WHERE user = $1", "s", user);
    bool there = db_step(r);
    *n_out = there ? db_int(r, 0) : 0;
    *at_out = there ? db_int(r, 1) : 0;
    return db_done(&r, e);
}

int sms_guess_set(struct db *db, const char *user, int64_t n, int64_t at_ms, struct err *e)
{
    return db_exec(db, e,
                   "INSERT INTO sms_guess (user, n, at_ms) VALUES ($1, $2, $3) "
                   "ON CONFLICT (user) DO UPDATE SET n = excluded.n, at_ms = excluded.at_ms",
                   "sii", user, n, at_ms);
}

int sms_more_get(struct db *db, const char *user, char **out, struct err *e)
{
    struct db_rows *r = db_query(db, "SELECT text FROM sms_more WHERE user = $1", "s", user);
    char *text = db_step(r) ? mem_str(db_text(r, 0)) : NULL;
    if (db_done(&r, e) < 0) {
        mem_free(text);
        return -1;
    }
    *out = text;
    return 0;
}

int sms_more_set(struct db *db, const char *user, const char *text, int64_t now_ms, struct err *e)
{
    if (!text || !*text)
        return db_exec(db, e, "DELETE FROM sms_more WHERE user = $1", "s", user);
    return db_exec(db, e,
                   "INSERT INTO sms_more (user, text, at_ms) VALUES ($1, $2, $3) "
                   "ON CONFLICT (user) DO UPDATE SET text = excluded.text, at_ms = excluded.at_ms",
                   "ssi", user, text, now_ms);
}
