/* SPDX-License-Identifier: ISC
 *
 * confirmation - see confirmation.h
 */
#include "store/confirmation.h"

#include "store/rows.h"

#define COLUMNS                                                                                    \
    "SELECT c.id, c.form, c.value, c.remote, c.asked, c.at_ms, c.until_ms, c.done_ms, q.id "       \
    "FROM confirmation c LEFT JOIN quarantine q ON q.id = c.id "

int confirmation_add(struct db *db, const struct confirmation_row *c, struct err *e)
{
    return db_exec(db, e,
                   "INSERT INTO confirmation (id, form, value, remote, asked, at_ms, until_ms) "
                   "VALUES ($1, $2, $3, $4, $5, $6, $7)",
                   "isssiii", c->id, c->form, c->value, c->remote, (int64_t)c->asked, c->at_ms,
                   c->until_ms);
}

static json_t *confirmation_read(struct db_rows *r)
{
    return json_pack("{s:I, s:s, s:s, s:s, s:b, s:I, s:I, s:I, s:b}", "id", db_int(r, 0), "form",
                     db_text(r, 1), "value", db_text(r, 2), "remote", db_text(r, 3), "asked",
                     (int)db_int(r, 4), "at_ms", db_int(r, 5), "until_ms", db_int(r, 6), "done_ms",
                     db_int(r, 7), "kept", !db_is_null(r, 8));
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

int confirmation_done(struct db *db, int64_t id, int64_t now_ms, struct err *e)
{
    return db_exec(db, e, "UPDATE confirmation SET done_ms = $2 WHERE id = $1", "ii", id, now_ms);
}

int confirmation_count(struct db *db, enum confirmation_by by, const char *text, int64_t since_ms,
                       int64_t *out, struct err *e)
{
    static const char *const sql[] = {
        [CONFIRMATION_BY_VALUE] = "SELECT count(*) FROM confirmation WHERE value = $1 AND at_ms > $2 "
                                  "AND asked = 1",
        [CONFIRMATION_BY_REMOTE] = "SELECT count(*) FROM confirmation WHERE remote = $1 AND at_ms > $2 "
                                   "AND asked = 1",
        [CONFIRMATION_BY_FORM] = "SELECT count(*) FROM confirmation WHERE form = $1 AND at_ms > $2 "
                                 "AND asked = 1"};
    return db_get_int(db, e, out, 0, sql[by], "si", text, since_ms);
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
    return db_get_int(db, e, ms_out, 0, "SELECT coalesce(min(until_ms), 0) FROM confirmation", "");
}
