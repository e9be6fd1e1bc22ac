/* SPDX-License-Identifier: ISC
 *
 * rewritten - see rewritten.h
 */
#include "store/rewritten.h"

int rewritten_get(struct db *db, int64_t msgid_hash, int64_t *outbox_out, struct err *e)
{
    return db_get_int(db, e, outbox_out, 0,
                      "SELECT outbox_id FROM rewritten WHERE msgid_hash = $1", "i", msgid_hash);
}

int rewritten_put(struct db *db, int64_t msgid_hash, int64_t outbox, int64_t now_ms, struct err *e)
{
    return db_exec(db, e,
                   "INSERT INTO rewritten (msgid_hash, outbox_id, at_ms) VALUES ($1, $2, $3) "
                   "ON CONFLICT DO NOTHING",
                   "iii", msgid_hash, outbox, now_ms);
}
