/* SPDX-License-Identifier: ISC
 *
 * probe - see probe.h
 */
#include "store/probe.h"

int probe_sent(struct db *db, const char *mailbox, int64_t outbox, int64_t now_ms, struct err *e)
{
    return db_exec(db, e,
                   "INSERT INTO probe (mailbox, outbox_id, sent_ms) VALUES ($1, $2, $3) "
                   "ON CONFLICT (mailbox) DO UPDATE SET outbox_id = $2, sent_ms = $3, "
                   "back_ms = NULL, late = 0",
                   "sii", mailbox, outbox, now_ms);
}

int probe_get(struct db *db, const char *mailbox, json_t **out, struct err *e)
{
    struct db_rows *r = db_query(
        db, "SELECT outbox_id, sent_ms, back_ms, late FROM probe WHERE mailbox = $1", "s", mailbox);
    json_t *row = NULL;
    if (db_step(r))
        row = json_pack("{s:I, s:I, s:I, s:b}", "outbox", db_int(r, 0), "sent_ms", db_int(r, 1),
                        "back_ms", db_int(r, 2), "late", db_int(r, 3) != 0);
    if (db_done(&r, e) < 0) {
        json_decref(row);
        return -1;
    }
    *out = row;
    return 0;
}

int probe_set_back(struct db *db, const char *mailbox, int64_t now_ms, struct err *e)
{
    return db_exec(db, e, "UPDATE probe SET back_ms = $2, late = 0 WHERE mailbox = $1", "si",
                   mailbox, now_ms);
}

int probe_set_late(struct db *db, const char *mailbox, struct err *e)
{
    return db_exec(db, e, "UPDATE probe SET late = 1 WHERE mailbox = $1", "s", mailbox);
}

int probe_forget(struct db *db, const char *mailbox, struct err *e)
{
    return db_exec(db, e, "DELETE FROM probe WHERE mailbox = $1", "s", mailbox);
}
