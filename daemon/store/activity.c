/* SPDX-License-Identifier: ISC
 *
 * activity - see activity.h
 */
#include "store/activity.h"

#include <string.h>

#include "base/mem.h"

#define ACTIVITY(X)                                                                                \
    X(kind, 's') X(direction, 's') X(at_ms, 't') X(lead_id, 'o') X(contact_id, 'o')                \
    X(deal_id, 'o') X(case_id, 'o') X(message_id, 'o') X(outbox_id, 'o') X(actor, 's')             \
    X(text, 's') X(created_ms, 't') X(updated_ms, 't') X(deleted_ms, 't')

#define TABLE "activity"
#define COL(c, ty) {#c, ty, "UPDATE " TABLE " SET " #c " = $1, updated_ms = $2 WHERE id = $3"},
static const struct record_col activity_cols[] = {ACTIVITY(COL)};

/* status stands for the kind, owner for the actor */
const struct record_table activity_table = {
    TABLE, RECORD_SELECT(ACTIVITY) " FROM activity WHERE id = $1",
    RECORD_SELECT(ACTIVITY) " FROM activity WHERE id < $1 AND deleted_ms IS NULL "
                            "AND (CAST($2 AS TEXT) IS NULL OR kind = $2) "
                            "AND (CAST($3 AS TEXT) IS NULL OR actor = $3) ORDER BY id DESC",
    activity_cols, ARRAY_LEN(activity_cols)};

int activity_add(struct db *db, const json_t *rec, int64_t now_ms, int64_t *id_out, struct err *e)
{
    return db_insert(db, e, id_out,
                     "INSERT INTO activity (kind, direction, at_ms, lead_id, contact_id, deal_id, "
                     "case_id, message_id, outbox_id, actor, text, created_ms, updated_ms) "
                     "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $12) "
                     "RETURNING id",
                     "ssioooooossi", json_get_str(rec, "kind", NULL),
                     json_get_str(rec, "direction", "none"), json_get_int(rec, "at_ms", now_ms),
                     json_get_int(rec, "lead_id", 0), json_get_int(rec, "contact_id", 0),
                     json_get_int(rec, "deal_id", 0), json_get_int(rec, "case_id", 0),
                     json_get_int(rec, "message_id", 0), json_get_int(rec, "outbox_id", 0),
                     json_get_str(rec, "actor", NULL), json_get_str(rec, "text", NULL), now_ms);
}

struct db_rows *activity_of(struct db *db, const char *entity, int64_t id, int64_t limit)
{
    static const char by_lead[] = RECORD_SELECT(
        ACTIVITY) " FROM activity WHERE lead_id = $1 AND deleted_ms IS NULL "
                  "ORDER BY at_ms DESC, id DESC LIMIT $2";
    static const char by_case[] = RECORD_SELECT(
        ACTIVITY) " FROM activity WHERE deleted_ms IS NULL AND id IN ("
                  "SELECT id FROM activity WHERE case_id = $1 AND lead_id IS NULL UNION ALL "
                  "SELECT a.id FROM support_case c JOIN activity a ON a.lead_id = c.lead_id "
                  "WHERE c.id = $1 AND a.case_id = $1) ORDER BY at_ms DESC, id DESC LIMIT $2";
    static const char by_deal[] = RECORD_SELECT(
        ACTIVITY) " FROM activity WHERE deleted_ms IS NULL "
                  "AND lead_id = (SELECT lead_id FROM deal WHERE id = $1) "
                  "ORDER BY at_ms DESC, id DESC LIMIT $2";
    static const char by_contact[] = RECORD_SELECT(
        ACTIVITY) " FROM activity WHERE deleted_ms IS NULL AND id IN ("
                  "SELECT id FROM activity WHERE contact_id = $1 AND lead_id IS NULL "
                  "AND case_id IS NULL UNION ALL "
                  "SELECT a.id FROM lead l JOIN activity a ON a.lead_id = l.id "
                  "WHERE l.contact_id = $1 UNION ALL "
                  "SELECT a.id FROM support_case c JOIN activity a ON a.case_id = c.id "
                  "AND a.lead_id IS NULL WHERE c.contact_id = $1) "
                  "ORDER BY at_ms DESC, id DESC LIMIT $2";
    const char *sql = !strcmp(entity, "lead")   ? by_lead
                      : !strcmp(entity, "case") ? by_case
                      : !strcmp(entity, "deal") ? by_deal
                                                : by_contact;
    return db_query(db, sql, "ii", id, limit);
}
