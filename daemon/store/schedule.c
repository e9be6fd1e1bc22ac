/* SPDX-License-Identifier: ISC
 *
 * schedule - see schedule.h
 */
#include "store/schedule.h"

#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "store/rows.h"

int schedule_walk_put(struct db *db, const struct schedule_walk *w, struct err *e)
{
    return db_exec(db, e,
                   "INSERT INTO schedule_walk (rule, due_ms, last_id, to_id, looked, matched,"
                   " failed) VALUES ($1, $2, $3, $4, $5, $6, $7) "
                   "ON CONFLICT (rule) DO UPDATE SET due_ms = $2, last_id = $3, to_id = $4,"
                   " looked = $5, matched = $6, failed = $7",
                   "siiiiii", w->rule, w->due_ms, w->last_id, w->to_id, w->looked, w->matched,
                   w->failed);
}

int schedule_walk_get(struct db *db, const char *rule, struct schedule_walk *out, bool *found_out,
                      struct err *e)
{
    struct schedule_walk w = {.rule = out->rule};
    struct db_rows *r = db_query(db,
                                 "SELECT due_ms, last_id, to_id, looked, matched, failed "
                                 "FROM schedule_walk WHERE rule = $1",
                                 "s", rule);
    bool found = db_step(r);
    if (found) {
        w.due_ms = db_int(r, 0);
        w.last_id = db_int(r, 1);
        w.to_id = db_int(r, 2);
        w.looked = db_int(r, 3);
        w.matched = db_int(r, 4);
        w.failed = db_int(r, 5);
    }
    if (db_done(&r, e) < 0)
        return -1;
    *out = w;
    *found_out = found;
    return 0;
}

int schedule_walk_drop(struct db *db, const char *rule, struct err *e)
{
    return db_exec(db, e, "DELETE FROM schedule_walk WHERE rule = $1", "s", rule);
}

static json_t *read_name(struct db_rows *r)
{
    return json_string(db_text(r, 0));
}

static json_t *read_id(struct db_rows *r)
{
    return json_integer(db_int(r, 0));
}

json_t *schedule_walks(struct db *db, struct err *e)
{
    return rows_all(db_query(db, "SELECT rule FROM schedule_walk ORDER BY rule", ""), read_name, e);
}

/* One statement for each kind: names of tables are no values. */
static const struct {
    const char *entity, *ids, *last;
} kinds[] = {
#define KIND(entity, table)                                                                        \
    {entity,                                                                                       \
     "SELECT id FROM " table " WHERE id > $1 AND id <= $2 AND deleted_ms IS NULL "                 \
     "ORDER BY id LIMIT $3",                                                                       \
     "SELECT max(id) FROM " table}
    KIND("lead", "lead"), KIND("contact", "contact"),   KIND("company", "company"),
    KIND("deal", "deal"), KIND("case", "support_case"), KIND("task", "task"),
};

static int kind_find(const char *entity)
{
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
        if (strcmp(kinds[i].entity, entity) == 0)
            return (int)i;
    return -1;
}

json_t *schedule_ids(struct db *db, const char *entity, int64_t after, int64_t to, int64_t limit,
                     struct err *e)
{
    int kind = kind_find(entity);
    if (kind >= 0)
        return rows_all(db_query(db, kinds[kind].ids, "iii", after, to, limit), read_id, e);
    err_set(e, ERR_BUG, "no records of kind %s", entity);
    return NULL;
}

int schedule_last_id(struct db *db, const char *entity, int64_t *out, struct err *e)
{
    int kind = kind_find(entity);
    return kind < 0 ? err_set(e, ERR_BUG, "no records of kind %s", entity)
                    : db_get_int(db, e, out, 0, kinds[kind].last, "");
}
