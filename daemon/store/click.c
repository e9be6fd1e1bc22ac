/* SPDX-License-Identifier: ISC
 *
 * click - see click.h
 */
#include "store/click.h"

#include "store/rows.h"

int click_add(struct db *db, int64_t outbox, const char *url, int64_t at_ms, int64_t quiet_ms,
              bool *fresh_out, struct err *e)
{
    int64_t there;
    if (db_get_int(db, e, &there, 0, "SELECT count(*) FROM click WHERE outbox_id = $1 AND url = $2",
                   "is", outbox, url) < 0)
        return -1;
    *fresh_out = there == 0;
    return there ? db_exec(db, e,
                           "UPDATE click SET seen_ms = $3, at_ms = CASE WHEN counted_ms IS NOT NULL "
                           "AND seen_ms < $4 THEN $3 ELSE at_ms END WHERE outbox_id = $1 AND url = $2",
                           "isii", outbox, url, at_ms, quiet_ms)
                 : db_exec(db, e,
                           "INSERT INTO click (outbox_id, url, at_ms, seen_ms) VALUES ($1, $2, $3, $3)",
                           "isi", outbox, url, at_ms);
}

static json_t *click_read(struct db_rows *r)
{
    return json_pack("{s:s, s:I, s:I, s:b}", "url", db_text(r, 0), "at_ms", db_int(r, 1), "seen_ms",
                     db_int(r, 2), "counted", !db_is_null(r, 3));
}

json_t *click_all(struct db *db, int64_t outbox, struct err *e)
{
    return rows_all(db_query(db,
                             "SELECT url, at_ms, seen_ms, counted_ms FROM click WHERE outbox_id = $1 "
                             "ORDER BY at_ms, url",
                             "i", outbox),
                    click_read, e);
}

int click_count(struct db *db, int64_t outbox, const char *url, int64_t now_ms, struct err *e)
{
    return db_exec(db, e, "UPDATE click SET counted_ms = $3 WHERE outbox_id = $1 AND url = $2", "isi",
                   outbox, url, now_ms);
}

int click_forget(struct db *db, int64_t outbox, const char *url, struct err *e)
{
    return db_exec(db, e, "DELETE FROM click WHERE outbox_id = $1 AND url = $2", "is", outbox, url);
}
