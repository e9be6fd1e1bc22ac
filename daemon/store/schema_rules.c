/* SPDX-License-Identifier: ISC
 *
 * schema_rules - tables of the rules: what waits for its time, and what has run
 *
 * A rule set that uses nothing of it writes no row here. A timer is found by its
 * record (the start of the primary key) or by when it is due, and in no other way
 * in a hurry.
 */
#include "store/migrate.h"

const char schema_rules_1[] =
    /* what shall happen later, one row for each record and rule */
    "CREATE TABLE timer ("
    " entity TEXT NOT NULL,"                  /* "lead"; empty: of no record (a schedule) */
    " record_id INTEGER NOT NULL,"
    " kind TEXT NOT NULL CHECK (kind = 'rule' OR kind = 'escalation' OR kind = 'schedule'),"
    " rule TEXT NOT NULL,"                    /* name of the rule, escalation or schedule */
    " due_ms INTEGER,"                        /* NULL: it is paused */
    " step INTEGER NOT NULL DEFAULT 0,"       /* how often it has fired, or which level is next */
    " since_ms INTEGER NOT NULL,"             /* when its clock began */
    " left_ms INTEGER,"                       /* while paused: how much was left */
    " PRIMARY KEY (entity, record_id, kind, rule)"
    ") STRICT, WITHOUT ROWID;"
    "CREATE INDEX timer_due ON timer (due_ms) WHERE due_ms IS NOT NULL;"

    /* how often a rule with once, cooldown or max has run for a record */
    "CREATE TABLE firing ("
    " entity TEXT NOT NULL,"
    " record_id INTEGER NOT NULL,"
    " rule TEXT NOT NULL,"
    " count INTEGER NOT NULL,"
    " last_ms INTEGER NOT NULL,"
    " PRIMARY KEY (entity, record_id, rule)"
    ") STRICT, WITHOUT ROWID;"

    /* what each rule did, by day since 1970 (UTC); day 0: all that is older */
    "CREATE TABLE rule_count ("
    " day INTEGER NOT NULL,"
    " rule TEXT NOT NULL,"
    " ruleset_id INTEGER NOT NULL,"           /* that had it last */
    " evaluated INTEGER NOT NULL, matched INTEGER NOT NULL,"
    " fired INTEGER NOT NULL, refused INTEGER NOT NULL,"
    " cpu_ns INTEGER NOT NULL, last_ms INTEGER NOT NULL,"
    " PRIMARY KEY (day, rule)"
    ") STRICT, WITHOUT ROWID;"

    /* which set decided from when on; sets from before this step have their first time */
    "CREATE TABLE activation ("
    " id INTEGER PRIMARY KEY AUTOINCREMENT,"
    " at_ms INTEGER NOT NULL,"
    " ruleset_id INTEGER NOT NULL,"
    " rules INTEGER NOT NULL,"
    " actor TEXT NOT NULL"
    ") STRICT;"
    "INSERT INTO activation (at_ms, ruleset_id, rules, actor)"
    " SELECT at_ms, id, coalesce(json_array_length(body, '$.rules'), 0), 'not recorded'"
    " FROM ruleset ORDER BY id;";
