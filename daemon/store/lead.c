/* SPDX-License-Identifier: ISC
 *
 * lead - see lead.h
 */
#include "store/lead.h"

#include "base/mem.h"

#define LEAD(X)                                                                                    \
    X(contact_id, 'o') X(company_id, 'o') X(subject, 's') X(status, 's') X(owner, 's')             \
    X(source, 's') X(score, 'i') X(closed_reason, 's') X(first_in_ms, 't') X(last_in_ms, 't')      \
    X(first_out_ms, 't') X(last_out_ms, 't') X(contacted_ms, 't') X(assigned_ms, 't')              \
    X(touched_ms, 't') X(said_ms, 't')                                                             \
    X(closed_ms, 't') X(custom, 'j') X(created_ms, 't') X(updated_ms, 't') X(deleted_ms, 't')

#define COL(c, ty) {#c, ty, "UPDATE " TABLE " SET " #c " = $1, updated_ms = $2 WHERE id = $3"},
#define LIST_WHERE                                                                                 \
    " WHERE id < $1 AND deleted_ms IS NULL AND (CAST($2 AS TEXT) IS NULL OR status = $2) AND "     \
    "(CAST($3 AS TEXT) IS NULL OR owner = $3) ORDER BY id DESC"

#define TABLE "lead"
static const struct record_col lead_cols[] = {LEAD(COL)};

const struct record_table lead_table = {
    TABLE, RECORD_SELECT(LEAD) " FROM " TABLE " WHERE id = $1",
    RECORD_SELECT(LEAD) " FROM " TABLE LIST_WHERE, lead_cols, ARRAY_LEN(lead_cols)};

int lead_add(struct db *db, const json_t *rec, int64_t now_ms, int64_t *id_out, struct err *e)
{
    AUTO_FREE char *custom = record_custom_text(rec);
    return db_insert(db, e, id_out,
                     "INSERT INTO lead (contact_id, company_id, subject, status, owner, source, "
                     "score, first_in_ms, last_in_ms, custom, created_ms, updated_ms) "
                     "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $8, $9, $10, $10) RETURNING id",
                     "oossssiosi", json_get_int(rec, "contact_id", 0),
                     json_get_int(rec, "company_id", 0), json_get_str(rec, "subject", NULL),
                     json_get_str(rec, "status", "new"), json_get_str(rec, "owner", NULL),
                     json_get_str(rec, "source", NULL), json_get_int(rec, "score", 0),
                     json_get_int(rec, "first_in_ms", 0), custom, now_ms);
}

int lead_find_open(struct db *db, int64_t contact_id, int64_t *id_out, struct err *e)
{
    return db_get_int(db, e, id_out, 0,
                      "SELECT id FROM lead WHERE contact_id = $1 AND status <> 'closed' "
                      "AND deleted_ms IS NULL ORDER BY id DESC LIMIT 1",
                      "i", contact_id);
}

struct db_rows *lead_of_contact(struct db *db, int64_t contact_id)
{
    return db_query(db,
                    RECORD_SELECT(LEAD) " FROM lead WHERE contact_id = $1 AND deleted_ms IS NULL "
                                        "ORDER BY id DESC LIMIT 100",
                    "i", contact_id);
}

int lead_last_owner(struct db *db, int64_t of, int64_t but, bool company, char *owner, size_t n,
                    struct err *e)
{
    struct db_rows *r =
        company ? db_query(db,
                           "SELECT owner FROM lead WHERE company_id = $1 AND id <> $2 "
                           "AND owner IS NOT NULL AND deleted_ms IS NULL ORDER BY id DESC LIMIT 1",
                           "ii", of, but)
                : db_query(db,
                           "SELECT owner FROM lead WHERE contact_id = $1 AND id <> $2 "
                           "AND owner IS NOT NULL AND deleted_ms IS NULL ORDER BY id DESC LIMIT 1",
                           "ii", of, but);
    snprintf(owner, n, "%s", db_step(r) ? db_text(r, 0) : "");
    return db_done(&r, e);
}

int lead_open_count(struct db *db, const char *owner, int64_t *out, struct err *e)
{
    int64_t cases;
    if (db_get_int(db, e, out, 0,
                   "SELECT count(*) FROM lead WHERE owner = $1 AND status <> 'closed' "
                   "AND deleted_ms IS NULL",
                   "s", owner) < 0 ||
        db_get_int(db, e, &cases, 0,
                   "SELECT count(*) FROM support_case WHERE owner = $1 AND status <> 'closed' "
                   "AND deleted_ms IS NULL",
                   "s", owner) < 0)
        return -1;
    *out += cases;
    return 0;
}

int lead_indexes(struct db *db, bool by_owner, bool by_company, struct err *e)
{
    if (db_exec(db, e,
                by_owner ? "CREATE INDEX IF NOT EXISTS lead_open ON lead (owner) "
                           "WHERE status <> 'closed' AND deleted_ms IS NULL"
                         : "DROP INDEX IF EXISTS lead_open",
                "") < 0 ||
        db_exec(db, e,
                by_owner ? "CREATE INDEX IF NOT EXISTS case_open ON support_case (owner) "
                           "WHERE status <> 'closed' AND deleted_ms IS NULL"
                         : "DROP INDEX IF EXISTS case_open",
                "") < 0)
        return -1;
    return db_exec(db, e,
                   by_company ? "CREATE INDEX IF NOT EXISTS lead_company ON lead (company_id) "
                                "WHERE company_id IS NOT NULL"
                              : "DROP INDEX IF EXISTS lead_company",
                   "");
}
