/* SPDX-License-Identifier: ISC
 *
 * record - one row of a CRM table as a JSON object, one column changed at a time
 *
 * The CRM works on records by field name (rules, set, undo, show), so the table
 * families describe their columns once, and reading and changing is common. A
 * record's object has "id" and one key per column that is not NULL; custom is an
 * object. What is particular to a family (creating, finding) is in its own file.
 *
 * The text of every statement is a constant put together by the compiler.
 */
#ifndef LEADD_STORE_RECORD_H
#define LEADD_STORE_RECORD_H

#include "base/json.h"
#include "store/db.h"

struct record_col {
    const char *name;
    char type;           /* i number, s text, t time (ms), o id, j JSON object */
    const char *set_sql; /* $1 value, $2 now, $3 id */
};

struct record_table {
    const char *name;        /* as in the database */
    const char *get_sql;     /* id, then the columns in order; $1 id */
    const char *list_sql;    /* newest first; $1 before id, $2 status or NULL, $3 owner or NULL */
    const struct record_col *cols;
    size_t count;
};

extern const struct record_table company_table, contact_table, lead_table, deal_table,
    case_table, activity_table, task_table;

/* *out is NULL when there is no such row (a deleted one is there: deleted_ms). */
int record_get(struct db *db, const struct record_table *t, int64_t id, json_t **out,
               struct err *e) LEADD_MUST_CHECK;
/* The current row of a query that selects as get_sql does; own. */
json_t *record_of_row(struct db_rows *r, const struct record_table *t);
/* Sets one column; NULL or JSON null clears it. */
int record_set(struct db *db, const struct record_table *t, int64_t id, const char *col,
               const json_t *value, int64_t now_ms, struct err *e) LEADD_MUST_CHECK;
/* Rows for a list: db_step and record_of_row as usual. */
struct db_rows *record_list(struct db *db, const struct record_table *t, int64_t before_id,
                            const char *status, const char *owner);

/* The text of rec's "custom", NULL when it is empty; own. */
char *record_custom_text(const json_t *rec);

const struct record_col *record_col_find(const struct record_table *t, const char *col);

/* For the family files: LIST(X) is X(column, 'type') ... */
#define RECORD_SELECT_COL(c, ty) ", " #c
#define RECORD_SELECT(LIST) "SELECT id" LIST(RECORD_SELECT_COL)

#endif
