/* SPDX-License-Identifier: ISC
 *
 * timer - see timer.h
 */
#include "store/timer.h"

#include "base/json.h"
#include "base/mem.h"
#include "store/meta.h"
#include "store/rows.h"

int timer_put(struct db *db, const struct timer_row *t, struct err *e)
{
    return db_exec(db, e,
                   "INSERT INTO timer (entity, record_id, kind, rule, due_ms, step, since_ms,"
                   " left_ms) VALUES ($1, $2, $3, $4, $5, $6, $7, $8) "
                   "ON CONFLICT (entity, record_id, kind, rule) DO UPDATE SET due_ms = $5,"
                   " step = $6, since_ms = $7, left_ms = $8",
                   "sissoiio", t->key.entity, t->key.record_id, t->key.kind, t->key.rule, t->due_ms,
                   t->step, t->since_ms, t->left_ms);
}

int timer_drop(struct db *db, const struct timer_key *k, struct err *e)
{
    return db_exec(db, e,
                   "DELETE FROM timer WHERE entity = $1 AND record_id = $2 AND kind = $3 AND "
                   "rule = $4",
                   "siss", k->entity, k->record_id, k->kind, k->rule);
}

#define TIMER_COLUMNS                                                                              \
    "SELECT t.entity, t.record_id, t.kind, t.rule, t.due_ms, t.step, t.since_ms, t.left_ms "       \
    "FROM timer t "

static json_t *timer_read(struct db_rows *r)
{
    json_t *j = json_pack("{s:s, s:I, s:s, s:s, s:I, s:I, s:I}", "entity", db_text(r, 0),
                          "record_id", db_int(r, 1), "kind", db_text(r, 2), "rule", db_text(r, 3),
                          "due_ms", db_int(r, 4), "step", db_int(r, 5), "since_ms", db_int(r, 6));
    if (!db_is_null(r, 7))
        json_put_int(j, "left_ms", db_int(r, 7));
    return j;
}

int timer_get(struct db *db, const struct timer_key *k, json_t **out, struct err *e)
{
    struct db_rows *r = db_query(db,
                                 TIMER_COLUMNS "WHERE t.entity = $1 AND t.record_id = $2 AND "
                                               "t.kind = $3 AND t.rule = $4",
                                 "siss", k->entity, k->record_id, k->kind, k->rule);
    json_t *row = db_step(r) ? timer_read(r) : NULL;
    if (db_done(&r, e) < 0) {
        json_decref(row);
        return -1;
    }
    *out = row;
    return 0;
}

int timer_next_due(struct db *db, int64_t held_ms, int64_t *ms_out, struct err *e)
{
    return db_get_int(db, e, ms_out, 0,
                      "SELECT min(due_ms) FROM timer WHERE due_ms IS NOT NULL AND due_ms > $1", "i",
                      held_ms);
}

json_t *timer_due(struct db *db, int64_t held_ms, int64_t now_ms, int64_t limit, struct err *e)
{
    return rows_all(db_query(db,
                             TIMER_COLUMNS "WHERE t.due_ms IS NOT NULL AND t.due_ms > $1 AND "
                                           "t.due_ms <= $2 ORDER BY t.due_ms LIMIT $3",
                             "iii", held_ms, now_ms, limit),
                    timer_read, e);
}

int timer_count_due(struct db *db, int64_t before_ms, int64_t limit, int64_t *out, struct err *e)
{
    return db_get_int(db, e, out, 0,
                      "SELECT count(*) FROM (SELECT 1 FROM timer WHERE due_ms IS NOT NULL AND "
                      "due_ms < $1 LIMIT $2) AS some",
                      "ii", before_ms, limit);
}

json_t *timer_of_record(struct db *db, const char *entity, int64_t id, struct err *e)
{
    return rows_all(db_query(db, TIMER_COLUMNS "WHERE t.entity = $1 AND t.record_id = $2", "si",
                             entity, id),
                    timer_read, e);
}

/* CROSS JOIN here and below: the few records first, then each one's place in the key. */
json_t *timer_of_contact(struct db *db, int64_t contact, struct err *e)
{
    return rows_all(
        db_query(db,
                 "SELECT t.entity, t.record_id, t.kind, t.rule, t.due_ms, t.step, t.since_ms,"
                 " t.left_ms FROM (SELECT 'contact' AS entity, CAST($1 AS INTEGER) AS id "
                 "UNION ALL SELECT 'lead', id FROM lead WHERE contact_id = $1 "
                 "UNION ALL SELECT 'case', id FROM support_case WHERE contact_id = $1 "
                 "UNION ALL SELECT 'deal', d.id FROM lead l JOIN deal d ON d.lead_id = l.id "
                 " WHERE l.contact_id = $1 "
                 "UNION ALL SELECT 'task', k.id FROM lead l JOIN task k ON k.lead_id = l.id "
                 " WHERE l.contact_id = $1) r "
                 "CROSS JOIN timer t WHERE t.entity = r.entity AND t.record_id = r.id",
                 "i", contact),
        timer_read, e);
}

json_t *timer_of_tasks(struct db *db, const char *entity, int64_t id, struct err *e)
{
    return rows_all(
        db_query(db,
                 "SELECT t.entity, t.record_id, t.kind, t.rule, t.due_ms, t.step, t.since_ms,"
                 " t.left_ms FROM (SELECT id FROM task WHERE $1 = 'lead' AND lead_id = $2 "
                 "UNION ALL SELECT id FROM task WHERE $1 = 'case' AND case_id = $2 "
                 "UNION ALL SELECT k.id FROM deal d JOIN task k ON k.lead_id = d.lead_id "
                 " WHERE $1 = 'deal' AND d.id = $2 AND k.deal_id = $2 "
                 "UNION ALL SELECT k.id FROM support_case s JOIN task k ON k.case_id = s.id "
                 " WHERE $1 = 'contact' AND s.contact_id = $2 AND k.lead_id IS NULL "
                 "UNION ALL SELECT id FROM task WHERE $1 = 'contact' AND contact_id = $2 AND "
                 " lead_id IS NULL AND case_id IS NULL) r "
                 "CROSS JOIN timer t WHERE t.entity = 'task' AND t.record_id = r.id",
                 "si", entity, id),
        timer_read, e);
}

json_t *timer_list(struct db *db, const char *rule, int64_t limit, struct err *e)
{
    json_t *rows = rows_all(
        db_query(db,
                 TIMER_COLUMNS "WHERE t.due_ms IS NOT NULL AND (CAST($1 AS TEXT) IS NULL OR "
                               "t.rule = $1) ORDER BY t.due_ms LIMIT $2",
                 "si", rule, limit),
        timer_read, e);
    int64_t left = limit - (int64_t)json_array_size(rows);
    if (!rows || left <= 0)
        return rows;
    json_t *paused = rows_all(db_query(db,
                                       TIMER_COLUMNS "WHERE t.due_ms IS NULL AND (CAST($1 AS TEXT) "
                                                     "IS NULL OR t.rule = $1) LIMIT $2",
                                       "si", rule, left),
                              timer_read, e);
    if (!paused) {
        json_decref(rows);
        return NULL;
    }
    json_array_extend(rows, paused);
    json_decref(paused);
    return rows;
}

json_t *timer_walk(struct db *db, const struct timer_key *after, int64_t limit, struct err *e)
{
    static const struct timer_key first = {"", "", "", INT64_MIN};
    const struct timer_key *k = after ? after : &first;
    return rows_all(db_query(db,
                             TIMER_COLUMNS "WHERE (t.entity, t.record_id, t.kind, t.rule) > "
                                           "($1, $2, $3, $4) "
                                           "ORDER BY t.entity, t.record_id, t.kind, t.rule "
                                           "LIMIT $5",
                             "sissi", k->entity, k->record_id, k->kind, k->rule, limit),
                    timer_read, e);
}

int timer_ruleset_kept(struct db *db, int64_t *id_out, struct err *e)
{
    return meta_get_int(db, "timers", id_out, e);
}

int timer_ruleset_keep(struct db *db, int64_t id, struct err *e)
{
    return meta_put_int(db, "timers", id, e);
}

#define LATE_KINDS "kind IN ('rule', 'escalation', 'sequence')"

int timer_late_count(struct db *db, int64_t after_ms, int64_t until_ms, int64_t limit, int64_t *out,
                     struct err *e)
{
    return db_get_int(db, e, out, 0,
                      "SELECT count(*) FROM (SELECT 1 FROM timer WHERE due_ms IS NOT NULL AND "
                      "due_ms > $1 AND due_ms <= $2 AND " LATE_KINDS " LIMIT $3) AS some",
                      "iii", after_ms, until_ms, limit);
}

json_t *timer_late(struct db *db, int64_t until_ms, const char *rule, int64_t limit, struct err *e)
{
    return rows_all(db_query(db,
                             TIMER_COLUMNS "WHERE t.due_ms IS NOT NULL AND t.due_ms <= $1 AND "
                                           LATE_KINDS " AND (CAST($2 AS TEXT) IS NULL OR "
                                           "t.rule = $2) ORDER BY t.due_ms LIMIT $3",
                             "isi", until_ms, rule, limit),
                    timer_read, e);
}

int timer_late_release(struct db *db, int64_t until_ms, const char *rule, int64_t now_ms,
                       struct err *e)
{
    return db_exec(db, e,
                   "UPDATE timer SET due_ms = $3 WHERE due_ms IS NOT NULL AND due_ms <= $1 AND "
                   LATE_KINDS " AND (CAST($2 AS TEXT) IS NULL OR rule = $2)",
                   "isi", until_ms, rule, now_ms);
}

int timer_late_apart(struct db *db, int64_t until_ms, int64_t now_ms, struct err *e)
{
    return db_exec(db, e,
                   "UPDATE timer SET due_ms = $2 WHERE due_ms IS NOT NULL AND due_ms <= $1 AND "
                   "NOT " LATE_KINDS,
                   "ii", until_ms, now_ms);
}

int timer_late_kept(struct db *db, int64_t *ms_out, struct err *e)
{
    return meta_get_int(db, "timers_held", ms_out, e);
}

int timer_late_keep(struct db *db, int64_t ms, struct err *e)
{
    return meta_put_int(db, "timers_held", ms, e);
}

int timer_clock_kept(struct db *db, const char *run, int64_t *ms_out, struct err *e)
{
    int64_t ms;
    AUTO_FREE char *key = mem_printf("clock/%s", run);
    if (meta_get_int(db, key, &ms, e) < 0)
        return -1;
    *ms_out = ms ? ms : *ms_out;
    return 0;
}

int timer_clock_keep(struct db *db, const char *run, int64_t ms, struct err *e)
{
    AUTO_FREE char *key = mem_printf("clock/%s", run);
    return db_exec(db, e, "DELETE FROM meta WHERE key LIKE 'clock/%' AND key <> $1", "s", key) < 0
               ? -1
               : meta_put_int(db, key, ms, e);
}

/* ---- what limited rules have run for -------------------------------------------- */

int firing_get(struct db *db, const char *rule, const char *entity, int64_t id, int64_t *count_out,
               int64_t *last_ms_out, struct err *e)
{
    int64_t count = 0, last = 0;
    struct db_rows *r = db_query(db,
                                 "SELECT count, last_ms FROM firing WHERE entity = $1 AND "
                                 "record_id = $2 AND rule = $3",
                                 "sis", entity, id, rule);
    if (db_step(r)) {
        count = db_int(r, 0);
        last = db_int(r, 1);
    }
    if (db_done(&r, e) < 0)
        return -1;
    *count_out = count;
    *last_ms_out = last;
    return 0;
}

int firing_add(struct db *db, const char *rule, const char *entity, int64_t id, int64_t now_ms,
               struct err *e)
{
    return db_exec(db, e,
                   "INSERT INTO firing (entity, record_id, rule, count, last_ms) "
                   "VALUES ($1, $2, $3, 1, $4) ON CONFLICT (entity, record_id, rule) "
                   "DO UPDATE SET count = firing.count + 1, last_ms = $4",
                   "sisi", entity, id, rule, now_ms);
}
