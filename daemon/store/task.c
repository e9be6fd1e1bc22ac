/* SPDX-License-Identifier: ISC
 *
 * task - see task.h
 */
#include "store/task.h"

#include "base/mem.h"
#include "store/rows.h"

#define TASK(X)                                                                                    \
    X(title, 's') X(due_ms, 't') X(owner, 's') X(status, 's') X(lead_id, 'o') X(contact_id, 'o')   \
    X(deal_id, 'o') X(case_id, 'o') X(created_by, 's') X(done_ms, 't') X(created_ms, 't')          \
    X(updated_ms, 't') X(deleted_ms, 't') X(kind, 's') X(remind_ms, 'i') X(recur, 's')

#define COL(c, ty) {#c, ty, "UPDATE " TABLE " SET " #c " = $1, updated_ms = $2 WHERE id = $3"},
#define LIST_WHERE                                                                                 \
    " WHERE id < $1 AND deleted_ms IS NULL AND (CAST($2 AS TEXT) IS NULL OR status = $2) AND "     \
    "(CAST($3 AS TEXT) IS NULL OR owner = $3) ORDER BY id DESC"

#define TABLE "task"
static const struct record_col task_cols[] = {TASK(COL)};

const struct record_table task_table = {
    TABLE, RECORD_SELECT(TASK) " FROM " TABLE " WHERE id = $1",
    RECORD_SELECT(TASK) " FROM " TABLE LIST_WHERE, task_cols, ARRAY_LEN(task_cols)};

int task_add(struct db *db, const json_t *rec, int64_t now_ms, int64_t *id_out, struct err *e)
{
    return db_insert(db, e, id_out,
                     "INSERT INTO task (title, due_ms, owner, status, lead_id, contact_id, deal_id,"
                     " case_id, created_by, created_ms, updated_ms, kind, remind_ms, recur) "
                     "VALUES ($1, $2, $3, 'open', $4, $5, $6, $7, $8, $9, $9, $10, "
                     "CASE WHEN $11 < -1 THEN NULL ELSE $11 END, $12) "
                     "RETURNING id",
                     "sosoooosisis", json_get_str(rec, "title", NULL), json_get_int(rec, "due_ms", 0),
                     json_get_str(rec, "owner", NULL), json_get_int(rec, "lead_id", 0),
                     json_get_int(rec, "contact_id", 0), json_get_int(rec, "deal_id", 0),
                     json_get_int(rec, "case_id", 0), json_get_str(rec, "created_by", "system"),
                     now_ms, json_get_str(rec, "kind", NULL), json_get_int(rec, "remind_ms", -2),
                     json_get_str(rec, "recur", NULL));
}

struct db_rows *task_of_lead(struct db *db, int64_t lead_id)
{
    return db_query(db,
                    RECORD_SELECT(TASK) " FROM task WHERE lead_id = $1 AND deleted_ms IS NULL "
                                        "ORDER BY CASE status WHEN 'open' THEN 0 ELSE 1 END, "
                                        "CASE WHEN due_ms IS NULL THEN 1 ELSE 0 END, due_ms, id "
                                        "LIMIT 100",
                    "i", lead_id);
}

static json_t *reminder_read(struct db_rows *r)
{
    json_t *rec = record_of_row(r, &task_table);
    json_put_int(rec, "step", db_int(r, (int)ARRAY_LEN(task_cols) + 1));
    return rec;
}

#define T_COL(c, ty) ", t." #c

json_t *task_reminders(struct db *db, const char *owner, int64_t before_ms, int64_t limit,
                       struct err *e)
{
    return rows_all(db_query(db,
                             "SELECT t.id" TASK(T_COL) ", r.step FROM timer AS r "
                             "JOIN task AS t ON t.id = r.record_id "
                             "WHERE r.kind = 'task' AND r.due_ms <= $2 AND r.step < 2 AND "
                             "t.status = 'open' AND t.deleted_ms IS NULL AND "
                             "coalesce(t.owner, '') = coalesce($1, '') "
                             "ORDER BY t.due_ms, t.id LIMIT $3",
                             "sii", owner, before_ms, limit),
                    reminder_read, e);
}

static json_t *id_read(struct db_rows *r)
{
    return json_integer(db_int(r, 0));
}

json_t *task_without_timer(struct db *db, int64_t limit, struct err *e)
{
    return rows_all(db_query(db,
                             "SELECT id FROM task WHERE status = 'open' AND deleted_ms IS NULL AND "
                             "due_ms > 0 AND NOT EXISTS (SELECT 1 FROM timer WHERE kind = 'task' AND "
                             "rule = '' AND entity = 'task' AND record_id = task.id) LIMIT $1",
                             "i", limit),
                    id_read, e);
}
