/* SPDX-License-Identifier: ISC
 *
 * waiting - see waiting.h
 */
#include "store/waiting.h"

#include "store/rows.h"

static json_t *waiting_read(struct db_rows *r)
{
    return json_pack("{s:s, s:I, s:s, s:s, s:I, s:I}", "entity", db_text(r, 0), "record_id",
                     db_int(r, 1), "kind", db_text(r, 2), "rule", db_text(r, 3), "due_ms",
                     db_int(r, 4), "step", db_int(r, 5));
}

json_t *waiting_list(struct db *db, int64_t limit, struct err *e)
{
    return rows_all(db_query(db,
                             "SELECT entity, record_id, kind, rule, due_ms, step FROM timer "
                             "ORDER BY due_ms IS NULL, due_ms, rule, record_id LIMIT $1",
                             "i", limit),
                    waiting_read, e);
}
