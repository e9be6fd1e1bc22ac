/* SPDX-License-Identifier: ISC
 *
 * rule_count - see rule_count.h
 */
#include "store/rule_count.h"

#include "store/rows.h"

#define COUNT_ADD_UP                                                                               \
    " ON CONFLICT (day, rule) DO UPDATE SET ruleset_id = max(rule_count.ruleset_id,"              \
    " excluded.ruleset_id), evaluated = rule_count.evaluated + excluded.evaluated,"               \
    " matched = rule_count.matched + excluded.matched,"                                           \
    " fired = rule_count.fired + excluded.fired,"                                                 \
    " refused = rule_count.refused + excluded.refused,"                                           \
    " cpu_ns = rule_count.cpu_ns + excluded.cpu_ns,"                                              \
    " last_ms = max(rule_count.last_ms, excluded.last_ms)"

int rule_count_add(struct db *db, const char *rule, int64_t day, int64_t ruleset_id,
                   const struct rule_count *c, struct err *e)
{
    return db_exec(db, e,
                   "INSERT INTO rule_count (day, rule, ruleset_id, evaluated, matched, fired,"
                   " refused, cpu_ns, last_ms) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)"
                   COUNT_ADD_UP,
                   "isiiiiiii", day, rule, ruleset_id, c->evaluated, c->matched, c->fired,
                   c->refused, c->cpu_ns, c->last_ms);
}

int rule_count_fold(struct db *db, int64_t before_day, struct err *e)
{
    /* "WHERE true" tells SQLite that ON CONFLICT is not the ON of a join */
    if (db_exec(db, e,
                "INSERT INTO rule_count (day, rule, ruleset_id, evaluated, matched, fired,"
                " refused, cpu_ns, last_ms) SELECT 0, rule, max(ruleset_id), sum(evaluated),"
                " sum(matched), sum(fired), sum(refused), sum(cpu_ns), max(last_ms)"
                " FROM rule_count WHERE day > 0 AND day < $1 GROUP BY rule" COUNT_ADD_UP,
                "i", before_day) < 0)
        return -1;
    return db_exec(db, e, "DELETE FROM rule_count WHERE day > 0 AND day < $1", "i", before_day);
}

static json_t *count_read(struct db_rows *r)
{
    return json_pack("{s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "rule", db_text(r, 0),
                     "ruleset_id", db_int(r, 1), "evaluated", db_int(r, 2), "matched", db_int(r, 3),
                     "fired", db_int(r, 4), "refused", db_int(r, 5), "cpu_ns", db_int(r, 6),
                     "last_ms", db_int(r, 7));
}

json_t *rule_count_list(struct db *db, int64_t from_day, struct err *e)
{
    return rows_all(db_query(db,
                             "SELECT rule, max(ruleset_id),"
                             " sum(CASE WHEN day >= $1 THEN evaluated ELSE 0 END),"
                             " sum(CASE WHEN day >= $1 THEN matched ELSE 0 END),"
                             " sum(CASE WHEN day >= $1 THEN fired ELSE 0 END),"
                             " sum(CASE WHEN day >= $1 THEN refused ELSE 0 END),"
                             " sum(CASE WHEN day >= $1 THEN cpu_ns ELSE 0 END), max(last_ms)"
                             " FROM rule_count GROUP BY rule ORDER BY rule",
                             "i", from_day),
                    count_read, e);
}

int rule_count_first(struct db *db, int64_t *day_out, bool *folded_out, struct err *e)
{
    int64_t folded;
    if (db_get_int(db, e, day_out, 0, "SELECT min(day) FROM rule_count WHERE day > 0", "") < 0 ||
        db_get_int(db, e, &folded, 0, "SELECT count(*) FROM rule_count WHERE day = 0", "") < 0)
        return -1;
    *folded_out = folded > 0;
    return 0;
}
