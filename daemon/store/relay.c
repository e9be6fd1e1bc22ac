/* SPDX-License-Identifier: ISC
 *
 * relay - see relay.h
 */
#include "store/relay.h"

int relay_get(struct db *db, const char *name, struct relay_row *out, struct err *e)
{
    struct db_rows *r =
        db_query(db, "SELECT down_ms, first_day, day, mails FROM relay WHERE name = $1", "s", name);
    *out = (struct relay_row){0};
    if (db_step(r))
        *out = (struct relay_row){.down_ms = db_int(r, 0),
                                  .first_day = db_int(r, 1),
                                  .day = db_int(r, 2),
                                  .mails = db_int(r, 3)};
    return db_done(&r, e);
}

int relay_put(struct db *db, const char *name, const struct relay_row *row, struct err *e)
{
    return db_exec(db, e,
                   "INSERT INTO relay (name, down_ms, first_day, day, mails) "
                   "VALUES ($1, $2, $3, $4, $5) ON CONFLICT (name) DO UPDATE SET "
                   "down_ms = $2, first_day = $3, day = $4, mails = $5",
                   "siiii", name, row->down_ms, row->first_day, row->day, row->mails);
}
