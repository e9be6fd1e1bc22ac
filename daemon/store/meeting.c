/* SPDX-License-Identifier: ISC
 *
 * meeting - see meeting.h
 */
#include "store/meeting.h"

#include "base/mem.h"

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

int meeting_own_get(struct db *db, int64_t activity_id, struct meeting_own *out, struct err *e)
{
    struct db_rows *r = db_query(db,
                                 "SELECT uid, what, sequence, start_ms, end_ms FROM meeting "
                                 "WHERE activity_id = $1 AND start_ms IS NOT NULL",
                                 "i", activity_id);
    *out = (struct meeting_own){0};
    if (db_step(r))
        *out = (struct meeting_own){mem_str(db_text(r, 0)), mem_str(db_text(r, 1)), db_int(r, 2),
                                    db_int(r, 3), db_int(r, 4)};
    return db_done(&r, e);
}

void meeting_own_done(struct meeting_own *m)
{
    mem_free(m->uid);
    mem_free(m->what);
    *m = (struct meeting_own){0};
}

int meeting_own_put(struct db *db, int64_t contact_id, int64_t activity_id,
                    const struct meeting_own *m, struct err *e)
{
    if (meeting_put(db, contact_id, m->uid, m->sequence, activity_id, e) < 0)
        return -1;
    return db_exec(db, e,
                   "UPDATE meeting SET start_ms = $3, end_ms = $4, what = $5 "
                   "WHERE contact_id = $1 AND uid = $2",
                   "isiis", contact_id, m->uid, m->start_ms, m->end_ms, m->what);
}
