/* SPDX-License-Identifier: ISC
 *
 * confirmation - see confirmation.h
 */
#include "store/confirmation.h"

#include "base/json.h"
#include "base/mem.h"
#include "store/rows.h"

#define COLUMNS                                                                                    \
    "SELECT c.id, c.form, c.value, c.remote, c.lang, c.asked_ms, c.ask_ms, c.at_ms, c.until_ms, "  \
    "c.message_id, c.done_ms, q.id "                                                               \
    "FROM confirmation c LEFT JOIN quarantine q ON q.id = c.id "

int confirmation_add(struct db *db, const struct confirmation_row *c, struct err *e)
{
    return db_exec(db, e,
                   "INSERT INTO confirmation (id, form, value, remote, lang, bytes, asked_ms, ask_ms, "
                   "at_ms, until_ms) "
                   "VALUES ($1, $2, $3, $4, $5, $6, nullif($7, 0), nullif($8, 0), $9, $10)",
                   "issssiiiii", c->id, c->form, c->value, c->remote, c->lang, c->bytes, c->asked_ms,
                   c->ask_ms, c->at_ms, c->until_ms);
}

static json_t *confirmation_read(struct db_rows *r)
{
    json_t *j = json_pack("{s:I, s:s, s:s, s:s, s:b}", "id", db_int(r, 0), "form", db_text(r, 1),
                          "value", db_text(r, 2), "remote", db_text(r, 3), "kept", !db_is_null(r, 11));
    static const char *const times[] = {"asked_ms", "ask_ms", "at_ms", "until_ms", "message", "done_ms"};
    json_put_str(j, "lang", db_is_null(r, 4) ? NULL : db_text(r, 4));
    for (size_t i = 0; i < ARRAY_LEN(times); i++)
        json_put_int(j, times[i], db_int(r, 5 + (int)i));
    return j;
}

int confirmation_get(struct db *db, int64_t id, json_t **out, struct err *e)
{
    json_t *all = rows_all(db_query(db, COLUMNS "WHERE c.id = $1", "i", id), confirmation_read, e);
    *out = json_incref(json_array_get(all, 0));
    json_decref(all);
    return all ? 0 : -1;
}

json_t *confirmation_list(struct db *db, int64_t limit, struct err *e)
{
    return rows_all(db_query(db, COLUMNS "WHERE q.id IS NOT NULL ORDER BY c.id LIMIT $1", "i", limit),
                    confirmation_read, e);
}

json_t *confirmation_due(struct db *db, int64_t now_ms, int64_t limit, struct err *e)
{
    return rows_all(db_query(db, COLUMNS "WHERE c.ask_ms <= $1 ORDER BY c.ask_ms, c.id LIMIT $2", "ii",
                             now_ms, limit),
                    confirmation_read, e);
}

int confirmation_asked(struct db *db, int64_t id, int64_t asked_ms, int64_t ask_ms,
                       int64_t until_ms, struct err *e)
{
    return db_exec(db, e,
                   "UPDATE confirmation SET asked_ms = nullif($2, 0), ask_ms = nullif($3, 0), "
                   "until_ms = $4 WHERE id = $1",
                   "iiii", id, asked_ms, ask_ms, until_ms);
}

int confirmation_wake(struct db *db, const char *value, int64_t now_ms, struct err *e)
{
    return db_exec(db, e,
                   "UPDATE confirmation SET ask_ms = $2 WHERE value = $1 AND asked_ms IS NULL "
                   "AND ask_ms IS NULL AND done_ms IS NULL AND message_id IS NULL",
                   "si", value, now_ms);
}

int confirmation_trusted(struct db *db, const char *value, bool *out, struct err *e)
{
    int64_t id;
    int rc = db_get_int(db, e, &id, 0,
                        "SELECT id FROM confirmation WHERE value = $1 AND done_ms > 0 LIMIT 1", "s",
                        value);
    *out = id != 0;
    return rc;
}

int confirmation_done(struct db *db, int64_t id, int64_t now_ms, struct err *e)
{
    return db_exec(db, e,
                   "UPDATE confirmation SET done_ms = $2, ask_ms = NULL WHERE id = $1", "ii",
                   id, now_ms);
}

int confirmation_released(struct db *db, int64_t id, int64_t message, struct err *e)
{
    return db_exec(db, e,
                   "UPDATE confirmation SET message_id = $2, ask_ms = NULL WHERE id = $1",
                   "ii", id, message);
}

int confirmation_bytes(struct db *db, const char *form, int64_t *out, struct err *e)
{
    return db_get_int(db, e, out, 0, 
                      "SELECT coalesce(sum(c.bytes), 0) FROM confirmation c JOIN quarantine q ON q.id = c.id "
                      "WHERE c.form = $1",
                      "s", form);
}

int confirmation_bound(struct db *db, enum confirmation_by by, const char *text, int64_t since_ms,
                       int64_t most, int64_t *ms_out, struct err *e)
{
#define NEWEST(column)                                                                             \
    "SELECT asked_ms FROM confirmation WHERE " column " = $1 AND asked_ms > $2 "                   \
    "ORDER BY asked_ms DESC LIMIT 1 OFFSET $3"
    static const char *const sql[] = {[CONFIRMATION_BY_VALUE] = NEWEST("value"),
                                      [CONFIRMATION_BY_REMOTE] = NEWEST("remote"),
                                      [CONFIRMATION_BY_FORM] = NEWEST("form")};
#undef NEWEST
    return db_get_int(db, e, ms_out, 0, sql[by], "sii", text, since_ms, most - 1);
}

int confirmation_expire(struct db *db, int64_t now_ms, int64_t *dropped_out, struct err *e)
{
    if (db_get_int(db, e, dropped_out, 0,
                   "SELECT count(*) FROM confirmation c JOIN quarantine q ON q.id = c.id "
                   "WHERE c.until_ms <= $1",
                   "i", now_ms) < 0)
        return -1;
    if (db_exec(db, e,
                "UPDATE ledger SET state = 'ignored', reason = 'its sender did not confirm it in time' "
                "WHERE id IN (SELECT q.ledger_id FROM quarantine q JOIN confirmation c ON c.id = q.id "
                "WHERE c.until_ms <= $1)",
                "i", now_ms) < 0 ||
        db_exec(db, e,
                "DELETE FROM quarantine WHERE id IN (SELECT id FROM confirmation WHERE until_ms <= $1)",
                "i", now_ms) < 0)
        return -1;
    return db_exec(db, e, "DELETE FROM confirmation WHERE until_ms <= $1", "i", now_ms);
}

int confirmation_next(struct db *db, int64_t *ms_out, struct err *e)
{
    int64_t ask;
    if (db_get_int(db, e, ms_out, 0, "SELECT min(until_ms) FROM confirmation", "") < 0 ||
        db_get_int(db, e, &ask, 0, "SELECT min(ask_ms) FROM confirmation WHERE ask_ms IS NOT NULL", "") < 0)
        return -1;
    if (ask && ask < *ms_out)
        *ms_out = ask;
    return 0;
}
