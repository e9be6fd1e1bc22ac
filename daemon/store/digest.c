/* SPDX-License-Identifier: ISC
 *
 * digest - see digest.h
 */
#include "store/digest.h"

#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "store/rows.h"

static json_t *task_read(struct db_rows *r)
{
    return json_pack("{s:I, s:s, s:I, s:I, s:I, s:I, s:s?}", "id", db_int(r, 0), "title",
                     db_text(r, 1), "due_ms", db_int(r, 2), "lead_id", db_int(r, 3), "case_id",
                     db_int(r, 4), "deal_id", db_int(r, 5), "owner", db_text(r, 6));
}

json_t *digest_tasks(struct db *db, const char *owner, int64_t before_ms, int64_t limit,
                     struct err *e)
{
    return rows_all(db_query(db,
                             "SELECT id, title, due_ms, lead_id, case_id, deal_id, owner FROM task "
                             "WHERE status = 'open' AND due_ms < $2 AND "
                             "(CAST($1 AS TEXT) IS NULL OR owner = $1) "
                             "AND deleted_ms IS NULL ORDER BY due_ms, id LIMIT $3",
                             "sii", owner, before_ms, limit),
                    task_read, e);
}

static json_t *lead_read(struct db_rows *r)
{
    return json_pack("{s:I, s:s?, s:s?, s:s?, s:I, s:s?}", "id", db_int(r, 0), "subject",
                     db_text(r, 1), "source", db_text(r, 2), "contact", db_text(r, 3), "at_ms",
                     db_int(r, 4), "owner", db_text(r, 5));
}

#define NEWEST_LEADS                                                                               \
    " FROM (SELECT id, subject, source, owner, status, contact_id, created_ms, last_in_ms,"           \
    " said_ms, deleted_ms FROM lead ORDER BY id DESC LIMIT 20000) AS l"              \
    " LEFT JOIN contact AS c ON c.id = l.contact_id"                                               \
    " WHERE (CAST($1 AS TEXT) IS NULL OR l.owner = $1) AND l.deleted_ms IS NULL AND l.status <> 'closed'"

json_t *digest_new_leads(struct db *db, const char *owner, int64_t since_ms, int64_t limit,
                         struct err *e)
{
    return rows_all(db_query(db,
                             "SELECT l.id, l.subject, l.source, c.name, l.created_ms, l.owner" NEWEST_LEADS
                             " AND l.created_ms >= $2 ORDER BY l.id LIMIT $3",
                             "sii", owner, since_ms, limit),
                    lead_read, e);
}

json_t *digest_waiting(struct db *db, const char *owner, int64_t made_before_ms, int64_t limit,
                       struct err *e)
{
    return rows_all(db_query(db,
                             "SELECT l.id, l.subject, l.source, c.name, l.last_in_ms, l.owner" NEWEST_LEADS
                             " AND l.created_ms < $2 AND l.last_in_ms > coalesce(l.said_ms, 0)"
                             " ORDER BY l.last_in_ms, l.id LIMIT $3",
                             "sii", owner, made_before_ms, limit),
                    lead_read, e);
}

static json_t *deal_read(struct db_rows *r)
{
    return json_pack("{s:I, s:s?, s:s?, s:I, s:s?, s:s?, s:I}", "id", db_int(r, 0), "name",
                     db_text(r, 1), "stage", db_text(r, 2), "amount", db_int(r, 3), "currency",
                     db_text(r, 4), "contact", db_text(r, 5), "at_ms", db_int(r, 6));
}

json_t *digest_stale_deals(struct db *db, const char *owner, int64_t since_ms, int64_t limit,
                           struct err *e)
{
    return rows_all(
        db_query(db,
                 "SELECT d.id, d.name, d.stage, d.amount, d.currency, c.name,"
                 " max(coalesce(d.touched_ms, 0), coalesce(d.stage_ms, 0), d.created_ms) AS at_ms"
                 " FROM deal AS d LEFT JOIN contact AS c ON c.id = d.contact_id"
                 " WHERE d.status = 'open' AND d.owner = $1 AND d.deleted_ms IS NULL"
                 " AND max(coalesce(d.touched_ms, 0), coalesce(d.stage_ms, 0), d.created_ms) < $2"
                 " ORDER BY at_ms, d.id LIMIT $3",
                 "sii", owner, since_ms, limit),
        deal_read, e);
}

static json_t *meeting_read(struct db_rows *r)
{
    return json_pack("{s:I, s:s?, s:I, s:I}", "id", db_int(r, 0), "text", db_text(r, 1), "at_ms",
                     db_int(r, 2), "lead_id", db_int(r, 3));
}

json_t *digest_meetings(struct db *db, const char *owner, int64_t from_ms, int64_t to_ms,
                        int64_t limit, struct err *e)
{
    return rows_all(db_query(db,
                             "SELECT a.id, a.text, a.at_ms, a.lead_id FROM meeting AS m"
                             " JOIN activity AS a ON a.id = m.activity_id"
                             " JOIN lead AS l ON l.id = a.lead_id"
                             " WHERE l.owner = $1 AND a.at_ms >= $2 AND a.at_ms < $3 AND"
                             " a.deleted_ms IS NULL ORDER BY a.at_ms, a.id LIMIT $4",
                             "siii", owner, from_ms, to_ms, limit),
                    meeting_read, e);
}
