/* SPDX-License-Identifier: ISC
 *
 * deal - see deal.h
 */
#include "store/deal.h"

#include "base/mem.h"

#define DEAL(X)                                                                                    \
    X(lead_id, 'o') X(contact_id, 'o') X(company_id, 'o') X(name, 's') X(stage, 's')               \
    X(amount, 'i') X(currency, 's') X(status, 's') X(lost_reason, 's') X(owner, 's')               \
    X(touched_ms, 't')                                                                             \
    X(stage_ms, 't') X(closed_ms, 't') X(custom, 'j') X(created_ms, 't') X(updated_ms, 't')        \
    X(deleted_ms, 't')

#define COL(c, ty) {#c, ty, "UPDATE " TABLE " SET " #c " = $1, updated_ms = $2 WHERE id = $3"},
#define LIST_WHERE                                                                                 \
    " WHERE id < $1 AND deleted_ms IS NULL AND (CAST($2 AS TEXT) IS NULL OR status = $2) AND "     \
    "(CAST($3 AS TEXT) IS NULL OR owner = $3) ORDER BY id DESC"

#define TABLE "deal"
static const struct record_col deal_cols[] = {DEAL(COL)};

const struct record_table deal_table = {
    TABLE, RECORD_SELECT(DEAL) " FROM " TABLE " WHERE id = $1",
    RECORD_SELECT(DEAL) " FROM " TABLE LIST_WHERE, deal_cols, ARRAY_LEN(deal_cols)};

int deal_add(struct db *db, const json_t *rec, int64_t now_ms, int64_t *id_out, struct err *e)
{
    AUTO_FREE char *custom = record_custom_text(rec);
    return db_insert(db, e, id_out,
                     "INSERT INTO deal (lead_id, contact_id, company_id, name, stage, status, "
                     "owner, stage_ms, custom, created_ms, updated_ms) "
                     "VALUES ($1, $2, $3, $4, $5, 'open', $6, $8, $7, $8, $8) RETURNING id",
                     "ooossssi", json_get_int(rec, "lead_id", 0),
                     json_get_int(rec, "contact_id", 0), json_get_int(rec, "company_id", 0),
                     json_get_str(rec, "name", NULL), json_get_str(rec, "stage", NULL),
                     json_get_str(rec, "owner", NULL), custom, now_ms);
}

int deal_find(struct db *db, int64_t lead_id, bool open_only, int64_t *id_out, struct err *e)
{
    return db_get_int(db, e, id_out, 0,
                      "SELECT id FROM deal WHERE lead_id = $1 AND deleted_ms IS NULL "
                      "AND (status = 'open' OR $2 = 0) "
                      "ORDER BY CASE WHEN status = 'open' THEN 0 ELSE 1 END, id DESC LIMIT 1",
                      "ii", lead_id, (int64_t)open_only);
}

struct db_rows *deal_of_lead(struct db *db, int64_t lead_id)
{
    return db_query(db,
                    RECORD_SELECT(DEAL) " FROM deal WHERE lead_id = $1 AND deleted_ms IS NULL "
                                        "ORDER BY id DESC LIMIT 100",
                    "i", lead_id);
}
