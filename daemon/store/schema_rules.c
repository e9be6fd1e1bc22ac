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
    /* when a human of ours acted on it last, and had the last word; set by nobody else */
    "ALTER TABLE lead ADD COLUMN touched_ms INTEGER;"
    "ALTER TABLE lead ADD COLUMN said_ms INTEGER;"
    "ALTER TABLE deal ADD COLUMN touched_ms INTEGER;"
    "ALTER TABLE support_case ADD COLUMN touched_ms INTEGER;"

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

    /* how far a scheduled rule has come in its walk over the records */
    "CREATE TABLE schedule_walk ("
    " rule TEXT PRIMARY KEY,"
    " due_ms INTEGER NOT NULL,"
    " last_id INTEGER NOT NULL, to_id INTEGER NOT NULL,"
    " looked INTEGER NOT NULL, matched INTEGER NOT NULL, failed INTEGER NOT NULL"
    ") STRICT, WITHOUT ROWID;"

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

    /* who is away, by the command `absent`: JSON, one row for each user who is or was to be */
    "CREATE TABLE absence ("
    " name TEXT PRIMARY KEY,"
    " list TEXT NOT NULL,"
    " updated_ms INTEGER NOT NULL"
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
    " FROM ruleset ORDER BY id;"

    /* notices to one of our own in this hour, and those that one mail will tell */
    "CREATE TABLE notice_rate ("
    " to_addr TEXT PRIMARY KEY,"
    " since_ms INTEGER NOT NULL,"
    " sent INTEGER NOT NULL,"
    " more INTEGER NOT NULL,"
    " outbox_id INTEGER,"                     /* of that mail, while it waits */
    " lines TEXT"                             /* JSON: what it will say; emptied when it leaves */
    ") STRICT, WITHOUT ROWID;"

    /* what other programs are told, and asked */
    "CREATE TABLE call ("
    " id INTEGER PRIMARY KEY AUTOINCREMENT,"
    " endpoint TEXT NOT NULL,"
    " kind TEXT NOT NULL CHECK (kind = 'webhook' OR kind = 'enrich'),"
    " name TEXT NOT NULL,"                    /* the event, or the enrichment */
    " state TEXT NOT NULL CHECK (state = 'ready' OR state = 'claimed' OR state = 'done'"
    "  OR state = 'deferred' OR state = 'failed' OR state = 'held'),"
    " rule TEXT,"
    " record TEXT NOT NULL,"                  /* "L42": what it is about */
    " lead_id INTEGER, contact_id INTEGER, case_id INTEGER,"
    " depth INTEGER NOT NULL DEFAULT 0,"      /* of answers that asked again */
    " created_ms INTEGER NOT NULL,"
    " next_ms INTEGER,"                       /* when due; NULL in final states */
    " attempts INTEGER NOT NULL DEFAULT 0,"
    " gen TEXT,"                              /* the courier that has it in hand */
    " done_ms INTEGER,"
    " code INTEGER, reply TEXT,"
    " body TEXT"                              /* JSON; emptied once it is done, and by erasure */
    ") STRICT;"
    "CREATE INDEX call_due ON call (endpoint, next_ms) WHERE next_ms IS NOT NULL;"
    "CREATE INDEX call_odd ON call (state) WHERE state <> 'done';"

    /* endpoints that want no more calls */
    "CREATE TABLE endpoint ("
    " name TEXT PRIMARY KEY,"
    " disabled_ms INTEGER NOT NULL,"
    " why TEXT NOT NULL,"
    " url_hash INTEGER NOT NULL"              /* another url is another endpoint */
    ") STRICT, WITHOUT ROWID;"

    /* answers that hold for a while */
    "CREATE TABLE enriched ("
    " name TEXT NOT NULL,"
    " hash TEXT NOT NULL,"                    /* of what was sent */
    " at_ms INTEGER NOT NULL,"
    " contact_id INTEGER,"
    " answer TEXT NOT NULL,"                  /* JSON: the fields it gave; erased with the contact */
    " PRIMARY KEY (name, hash)"
    ") STRICT, WITHOUT ROWID;";
