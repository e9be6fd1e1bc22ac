/* SPDX-License-Identifier: ISC
 *
 * sms_part - see sms_part.h
 */
#include "store/sms_part.h"

#include "store/rows.h"

int sms_part_add(struct db *db, const struct sms_part *p, struct err *e)
{
    return db_exec(db, e,
                   "INSERT INTO sms_part (theirs, ours, ref, part, total, text, message_key, at_ms) "
                   "VALUES ($1, $2, $3, $4, $5, $6, $7, $8) "
                   "ON CONFLICT (theirs, ours, ref, part) DO NOTHING",
                   "sssiissi", p->theirs, p->ours, p->ref, p->part, p->total, p->text, p->key,
                   p->at_ms);
}

static json_t *part_read(struct db_rows *r)
{
    return json_pack("{s:I, s:I, s:s, s:s, s:I}", "part", db_int(r, 0), "total", db_int(r, 1),
                     "text", db_text(r, 2), "key", db_text(r, 3), "at_ms", db_int(r, 4));
}

json_t *sms_part_list(struct db *db, const struct sms_part *p, struct err *e)
{
    return rows_all(db_query(db,
                             "SELECT part, total, text, message_key, at_ms FROM sms_part "
                             "WHERE theirs = $1 AND ours = $2 AND ref = $3 ORDER BY part",
                             "sss", p->theirs, p->ours, p->ref),
                    part_read, e);
}

int sms_part_drop(struct db *db, const struct sms_part *p, struct err *e)
{
    return db_exec(db, e, "DELETE FROM sms_part WHERE theirs = $1 AND ours = $2 AND ref = $3",
                   "sss", p->theirs, p->ours, p->ref);
}
