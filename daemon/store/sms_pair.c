/* SPDX-License-Identifier: ISC
 *
 * sms_pair - see sms_pair.h
 */
#include "store/sms_pair.h"

#include "base/mem.h"

int sms_pair_get(struct db *db, const char *ours, const char *theirs, struct sms_pair *out,
                 struct err *e)
{
    struct sms_pair p = {0};
    struct db_rows *r = db_query(db,
                                 "SELECT lead_id, case_id, contact_id, in_ms, out_ms FROM sms_pair "
                                 "WHERE theirs = $1 AND ours = $2",
                                 "ss", theirs, ours);
    if (db_step(r))
        p = (struct sms_pair){db_int(r, 0), db_int(r, 1), db_int(r, 2), db_int(r, 3), db_int(r, 4)};
    if (db_done(&r, e) < 0)
        return -1;
    *out = p;
    return 0;
}

int sms_pair_put(struct db *db, const char *ours, const char *theirs, const struct sms_pair *p,
                 struct err *e)
{
    return db_exec(db, e,
                   "INSERT INTO sms_pair (theirs, ours, lead_id, case_id, contact_id, in_ms, out_ms) "
                   "VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (theirs, ours) DO UPDATE SET "
                   "lead_id = excluded.lead_id, case_id = excluded.case_id, "
                   "contact_id = excluded.contact_id, in_ms = excluded.in_ms, "
                   "out_ms = excluded.out_ms",
                   "ssoooii", theirs, ours, p->lead_id, p->case_id, p->contact_id, p->in_ms,
                   p->out_ms);
}

int sms_pair_last_in(struct db *db, const char *theirs, int64_t *ms_out, struct err *e)
{
    return db_get_int(db, e, ms_out, 0, "SELECT max(in_ms) FROM sms_pair WHERE theirs = $1", "s",
                      theirs);
}

int sms_pair_ours(struct db *db, const char *theirs, char **out, struct err *e)
{
    struct db_rows *r = db_query(db,
                                 "SELECT ours FROM sms_pair WHERE theirs = $1 "
                                 "ORDER BY max(in_ms, out_ms) DESC LIMIT 1",
                                 "s", theirs);
    char *ours = db_step(r) ? mem_str(db_text(r, 0)) : NULL;
    if (db_done(&r, e) < 0) {
        mem_free(ours);
        return -1;
    }
    *out = ours;
    return 0;
}
