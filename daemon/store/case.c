/* SPDX-License-Identifier: ISC
 *
 * case - see case.h
 */
#include "store/case.h"

#include "base/mem.h"

#define CASE(X)                                                                                    \
    X(contact_id, 'o') X(company_id, 'o') X(lead_id, 'o') X(subject, 's') X(status, 's')           \
    X(priority, 's') X(owner, 's') X(source, 's') X(first_in_ms, 't') X(last_in_ms, 't')           \
    X(first_out_ms, 't') X(last_out_ms, 't') X(answered_ms, 't') X(assigned_ms, 't')               \
    X(waiting_ms, 't') X(waited_ms, 'i') X(closed_ms, 't') X(closed_reason, 's')                   \
    X(touched_ms, 't')                                                                             \
    X(reopened, 'i') X(custom, 'j') X(created_ms, 't') X(updated_ms, 't') X(deleted_ms, 't')

#define COL(c, ty) {#c, ty, "UPDATE " TABLE " SET " #c " = $1, updated_ms = $2 WHERE id = $3"},
#define LIST_WHERE                                                                                 \
    " WHERE id < $1 AND deleted_ms IS NULL AND (CAST($2 AS TEXT) IS NULL OR status = $2) AND "     \
    "(CAST($3 AS TEXT) IS NULL OR owner = $3) ORDER BY id DESC"

#define TABLE "support_case"
static const struct record_col case_cols[] = {CASE(COL)};

const struct record_table case_table = {
    TABLE, RECORD_SELECT(CASE) " FROM " TABLE " WHERE id = $1",
    RECORD_SELECT(CASE) " FROM " TABLE LIST_WHERE, case_cols, ARRAY_LEN(case_cols)};

int case_add(struct db *db, const json_t *rec, int64_t now_ms, int64_t *id_out, struct err *e)
{
    AUTO_FREE char *custom = record_custom_text(rec);
    return db_insert(db, e, id_out,
                     "INSERT INTO support_case (contact_id, company_id, lead_id, subject, status, "
                     "owner, source, first_in_ms, last_in_ms, custom, created_ms, updated_ms) "
                     "VALUES ($1, $2, $3, $4, 'open', $5, $6, $7, $7, $8, $9, $9) RETURNING id",
                     "ooosssosi", json_get_int(rec, "contact_id", 0),
                     json_get_int(rec, "company_id", 0), json_get_int(rec, "lead_id", 0),
                     json_get_str(rec, "subject", NULL), json_get_str(rec, "owner", NULL),
                     json_get_str(rec, "source", NULL), json_get_int(rec, "first_in_ms", 0),
                     custom, now_ms);
}

int case_find_open(struct db *db, int64_t contact_id, int64_t *id_out, struct err *e)
{
    return db_get_int(db, e, id_out, 0,
                      "SELECT id FROM support_case WHERE contact_id = $1 AND status <> 'closed' "
                      "AND deleted_ms IS NULL ORDER BY id DESC LIMIT 1",
                      "i", contact_id);
}

struct db_rows *case_of_contact(struct db *db, int64_t contact_id)
{
    return db_query(db,
                    RECORD_SELECT(CASE) " FROM support_case WHERE contact_id = $1 "
                                        "AND deleted_ms IS NULL ORDER BY id DESC LIMIT 100",
                    "i", contact_id);
}
