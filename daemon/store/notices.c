/* SPDX-License-Identifier: ISC
 *
 * notices - see notices.h
 */
#include "store/notices.h"

#include <string.h>

#include "base/bounds.h"
#include "base/json.h"
#include "base/mem.h"

int notices_get(struct db *db, const char *to_addr, struct notices_row *out, struct err *e)
{
    struct notices_row row = {.to_addr = to_addr};
    struct db_rows *r = db_query(
        db, "SELECT since_ms, sent, more, outbox_id, lines FROM notice_rate WHERE to_addr = $1", "s",
        to_addr);
    if (db_step(r)) {
        const char *lines = db_text(r, 4);
        row.since_ms = db_int(r, 0);
        row.sent = db_int(r, 1);
        row.more = db_int(r, 2);
        row.outbox_id = db_int(r, 3);
        row.lines = lines ? json_load_bounded(lines, strlen(lines), MIB(1), NULL) : NULL;
    }
    if (!json_is_array(row.lines)) {
        json_decref(row.lines);
        row.lines = json_array();
    }
    if (db_done(&r, e) < 0) {
        notices_done(&row);
        return -1;
    }
    *out = row;
    return 0;
}

int notices_put(struct db *db, const struct notices_row *row, struct err *e)
{
    AUTO_FREE char *lines = json_array_size(row->lines) ? json_line(row->lines) : NULL;
    return db_exec(db, e,
                   "INSERT INTO notice_rate (to_addr, since_ms, sent, more, outbox_id, lines) "
                   "VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (to_addr) DO UPDATE SET "
                   "since_ms = $2, sent = $3, more = $4, outbox_id = $5, lines = $6",
                   "siiios", row->to_addr, row->since_ms, row->sent, row->more, row->outbox_id,
                   lines);
}

void notices_done(struct notices_row *row)
{
    json_decref(row->lines);
    row->lines = NULL;
}

int notices_hour_get(struct db *db, const char *to_addr, struct notices_hour *out, struct err *e)
{
    struct notices_hour h = {0};
    struct db_rows *r = db_query(
        db, "SELECT mails_since_ms, mails FROM notice_rate WHERE to_addr = $1", "s", to_addr);
    if (db_step(r)) {
        h.since_ms = db_int(r, 0);
        h.sent = db_int(r, 1);
    }
    if (db_done(&r, e) < 0)
        return -1;
    *out = h;
    return 0;
}

int notices_hour_put(struct db *db, const char *to_addr, const struct notices_hour *h,
                     struct err *e)
{
    return db_exec(db, e,
                   "INSERT INTO notice_rate (to_addr, since_ms, sent, more, mails_since_ms, mails) "
                   "VALUES ($1, 0, 0, 0, $2, $3) ON CONFLICT (to_addr) DO UPDATE SET "
                   "mails_since_ms = $2, mails = $3",
                   "sii", to_addr, h->since_ms, h->sent);
}
