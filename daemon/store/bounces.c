/* SPDX-License-Identifier: ISC
 *
 * bounces - see bounces.h
 */
#include "store/bounces.h"

int bounces_add(struct db *db, const char *value, int64_t at_ms, int64_t message_id, struct err *e)
{
    return db_exec(db, e,
                   "INSERT INTO address_bounce (value, at_ms, message_id) VALUES ($1, $2, $3) "
                   "ON CONFLICT (value, at_ms, message_id) DO NOTHING",
                   "sii", value, at_ms, message_id);
}

int bounces_count(struct db *db, const char *value, int64_t since_ms, int64_t *count_out,
                  int64_t *days_out, struct err *e)
{
    int64_t count = 0, days = 0, last = -1;
    struct db_rows *r = db_query(db,
                                 "SELECT at_ms FROM address_bounce WHERE value = $1 "
                                 "AND at_ms >= $2 ORDER BY at_ms LIMIT 1000",
                                 "si", value, since_ms);
    while (db_step(r)) {
        int64_t day = db_int(r, 0) / (24 * 3600 * INT64_C(1000));
        count++;
        days += day != last;
        last = day;
    }
    if (db_done(&r, e) < 0)
        return -1;
    *count_out = count;
    *days_out = days;
    return 0;
}

int bounces_forget(struct db *db, const char *value, struct err *e)
{
    return db_exec(db, e, "DELETE FROM address_bounce WHERE value = $1", "s", value);
}
