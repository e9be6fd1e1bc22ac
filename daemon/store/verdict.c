/* SPDX-License-Identifier: ISC
 *
 * verdict - see verdict.h
 */
#include "store/verdict.h"

#include "store/rows.h"

#define COLUMNS "SELECT id, post, form, endpoint, until_ms FROM verdict "

int verdict_add(struct db *db, const struct verdict_row *v, struct err *e)
{
    return db_exec(db, e,
                   "INSERT INTO verdict (id, post, form, endpoint, until_ms) "
                   "VALUES ($1, $2, $3, $4, $5)",
                   "iissi", v->call, v->post, v->form, v->endpoint, v->until_ms);
}

static json_t *verdict_read(struct db_rows *r)
{
    return json_pack("{s:I, s:I, s:s, s:s, s:I}", "call", db_int(r, 0), "post", db_int(r, 1),
                     "form", db_text(r, 2), "endpoint", db_text(r, 3), "until_ms", db_int(r, 4));
}

int verdict_get(struct db *db, int64_t call, json_t **out, struct err *e)
{
    json_t *all = rows_all(db_query(db, COLUMNS "WHERE id = $1", "i", call), verdict_read, e);
    *out = json_incref(json_array_get(all, 0));
    json_decref(all);
    return all ? 0 : -1;
}

int verdict_done(struct db *db, int64_t call, struct err *e)
{
    return db_exec(db, e, "DELETE FROM verdict WHERE id = $1", "i", call);
}

int verdict_count(struct db *db, int64_t *out, struct err *e)
{
    return db_get_int(db, e, out, 0, "SELECT count(*) FROM verdict", "");
}

json_t *verdict_late(struct db *db, int64_t now_ms, int64_t limit, struct err *e)
{
    return rows_all(db_query(db, COLUMNS "WHERE until_ms <= $1 ORDER BY until_ms, id LIMIT $2", "ii",
                             now_ms, limit),
                    verdict_read, e);
}

int verdict_next(struct db *db, int64_t *ms_out, struct err *e)
{
    return db_get_int(db, e, ms_out, 0, "SELECT coalesce(min(until_ms), 0) FROM verdict", "");
}
