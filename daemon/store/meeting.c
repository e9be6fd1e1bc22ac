/* SPDX-License-Identifier: ISC
 *
 * meeting - see meeting.h
 */
#include "store/meeting.h"

int meeting_find(struct db *db, int64_t contact_id, const char *uid, struct meeting_row *out,
                 struct err *e)
{
    struct db_rows *r = db_query(db,
                                 "SELECT id, sequence, activity_id FROM meeting "
                                 "WHERE contact_id = $1 AND uid = $2",
                                 "is", contact_id, uid);
    *out = (struct meeting_row){0};
    if (db_step(r))
        *out = (struct meeting_row){db_int(r, 0), db_int(r, 1), db_int(r, 2)};
    return db_done(&r, e);
}

int meeting_put(struct db *db, int64_t contact_id, const char *uid, int64_t sequence,
                int64_t activity_id, struct err *e)
{
    return db_exec(db, e,
                   "INSERT INTO meeting (contact_id, uid, sequence, activity_id) "
                   "VALUES ($1, $2, $3, $4) ON CONFLICT (contact_id, uid) "
                   "DO UPDATE SET sequence = $3, activity_id = $4",
                   "isii", contact_id, uid, sequence, activity_id);
}
