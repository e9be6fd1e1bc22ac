/* SPDX-License-Identifier: ISC
 *
 * backup - see backup.h
 */
#include "store/backup.h"

#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "store/hold.h"
#include "store/meta.h"

#define COUNT_OF(t) {#t, "SELECT count(*) FROM " #t}

static const struct {
    const char *table, *sql;
} tables[] = {
    COUNT_OF(source),   COUNT_OF(ledger),      COUNT_OF(message),      COUNT_OF(message_body),
    COUNT_OF(journal),  COUNT_OF(quarantine),  COUNT_OF(ruleset),      COUNT_OF(outbox),
    COUNT_OF(outbox_body), COUNT_OF(relay), COUNT_OF(team),     COUNT_OF(app_user),     COUNT_OF(company),
    COUNT_OF(contact),  COUNT_OF(address),     COUNT_OF(lead),         COUNT_OF(deal),
    COUNT_OF(support_case), COUNT_OF(activity), COUNT_OF(task),        COUNT_OF(tag),
    COUNT_OF(pool_cursor), COUNT_OF(absence), COUNT_OF(timer),    COUNT_OF(firing),      COUNT_OF(rule_count),
    COUNT_OF(activation), COUNT_OF(schedule_walk), COUNT_OF(notice_rate), COUNT_OF(call),
    COUNT_OF(consent), COUNT_OF(dropbox_rate), COUNT_OF(enrolment), COUNT_OF(sequence_version),
    COUNT_OF(happening), COUNT_OF(sms), COUNT_OF(sms_code), COUNT_OF(sms_day), COUNT_OF(sms_early),
    COUNT_OF(sms_guess), COUNT_OF(sms_more), COUNT_OF(sms_pair), COUNT_OF(sms_part),
    COUNT_OF(endpoint), COUNT_OF(enriched),  COUNT_OF(merged),      COUNT_OF(offer),
    COUNT_OF(held),        COUNT_OF(secret_address),
    COUNT_OF(rewritten), COUNT_OF(probe), COUNT_OF(signature_used), COUNT_OF(address_bounce),
    COUNT_OF(meeting), COUNT_OF(confirmation), COUNT_OF(verdict), COUNT_OF(click),
    COUNT_OF(broadcast), COUNT_OF(broadcast_zone), COUNT_OF(broadcast_part),
    COUNT_OF(sent_copy),
};

#define MISSING(from, col, to, key)                                                                \
    "SELECT count(*), min(" from ".rowid) FROM " from " WHERE " col " IS NOT NULL AND NOT EXISTS " \
    "(SELECT 1 FROM " to " x WHERE x." key " = " from "." col ")"

/* Each gives how many rows are wrong, and the id of the first. */
static const struct {
    const char *what, *sql;
} rules[] = {
    {"arrivals without their source", MISSING("ledger", "source_id", "source", "id")},
    {"arrivals without their message", MISSING("ledger", "message_id", "message", "id")},
    {"filed arrivals that name no message",
     "SELECT count(*), min(id) FROM ledger WHERE state = 'filed' AND message_id IS NULL"},
    {"quarantined arrivals without their bytes",
     "SELECT count(*), min(id) FROM ledger WHERE state <> 'filed' AND state = 'quarantined' AND "
     "NOT EXISTS (SELECT 1 FROM quarantine q WHERE q.ledger_id = ledger.id)"},
    {"quarantined bytes without their arrival", MISSING("quarantine", "ledger_id", "ledger", "id")},
    {"messages without their text", MISSING("message", "id", "message_body", "message_id")},
    {"texts without their message", MISSING("message_body", "message_id", "message", "id")},
    {"messages of a lead that is not there", MISSING("message", "lead_id", "lead", "id")},
    {"messages of a contact that is not there", MISSING("message", "contact_id", "contact", "id")},
    {"mails to be sent without their text",
     "SELECT count(*), min(id) FROM outbox WHERE state IN ('ready', 'claimed', 'deferred', 'sent', "
     "'unknown') AND NOT EXISTS (SELECT 1 FROM outbox_body b WHERE b.outbox_id = outbox.id)"},
    {"copies of mails that are not there", MISSING("sent_copy", "outbox_id", "outbox", "id")},
    {"texts of mails that are not there", MISSING("outbox_body", "outbox_id", "outbox", "id")},
    {"mails of a lead that is not there", MISSING("outbox", "lead_id", "lead", "id")},
    {"leads of a contact that is not there", MISSING("lead", "contact_id", "contact", "id")},
    {"activities of a lead that is not there", MISSING("activity", "lead_id", "lead", "id")},
    {"activities of a message that is not there",
     MISSING("activity", "message_id", "message", "id")},
    {"journal rows of a rule set that is not there",
     MISSING("journal", "ruleset_id", "ruleset", "id")},
    {"ids given out that the database does not remember",
     "SELECT count(*), min(seq) FROM sqlite_sequence s WHERE seq < CASE name "
     "WHEN 'ledger' THEN (SELECT max(id) FROM ledger) WHEN 'lead' THEN (SELECT max(id) FROM lead) "
     "WHEN 'message' THEN (SELECT max(id) FROM message) "
     "WHEN 'outbox' THEN (SELECT max(id) FROM outbox) "
     "WHEN 'contact' THEN (SELECT max(id) FROM contact) "
     "WHEN 'journal' THEN (SELECT max(id) FROM journal) END"},
};

static int has_table(struct db *db, const char *name, bool *out, struct err *e)
{
    return db_has(db, e, out,
                  "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = $1", "s",
                  name);
}

json_t *backup_counts(struct db *db, struct err *e)
{
    json_t *counts = json_object();
    for (size_t i = 0; i < ARRAY_LEN(tables); i++) {
        int64_t n = 0;
        bool there;
        if (has_table(db, tables[i].table, &there, e) < 0 ||
            (there && db_get_int(db, e, &n, 0, tables[i].sql, "") < 0)) {
            json_decref(counts);
            return NULL;
        }
        if (there)
            json_put_int(counts, tables[i].table, n);
    }
    return counts;
}

int backup_schema(struct db *db, int64_t *out, struct err *e)
{
    bool there;
    *out = 0;
    if (has_table(db, "meta", &there, e) < 0)
        return -1;
    return there ? meta_get_int(db, "schema", out, e) : 0;
}

/* ---- beside the rows ------------------------------------------------------------ */

static int meta_rows(struct db *db, const json_t *meta, struct err *e)
{
    const char *key;
    json_t *v;
    if (db_begin(db, e) < 0 || db_new_id(db, e) < 0 ||
        db_script(db, "CREATE TABLE backup_meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) "
                      "STRICT, WITHOUT ROWID", e) < 0)
        return -1;
    json_object_foreach((json_t *)meta, key, v)
        if (json_is_string(v) &&
            db_exec(db, e, "INSERT INTO backup_meta (key, value) VALUES ($1, $2)", "ss", key,
                    json_string_value(v)) < 0)
            return -1;
    return db_commit(db, e);
}

int backup_meta_write(const char *path, const json_t *meta, struct err *e)
{
    struct db *db = db_open_alone(path, e);
    int rc = db ? meta_rows(db, meta, e) : -1;
    db_close(&db);
    return rc;
}

json_t *backup_meta_read(struct db *db, struct err *e)
{
    bool there;
    if (has_table(db, "backup_meta", &there, e) < 0)
        return NULL;
    json_t *meta = json_object();
    if (!there)
        return meta;
    struct db_rows *r = db_query(db, "SELECT key, value FROM backup_meta", "");
    while (db_step(r))
        json_put_str(meta, db_text(r, 0), db_text(r, 1));
    if (db_done(&r, e) == 0)
        return meta;
    json_decref(meta);
    return NULL;
}

json_t *backup_misfits(struct db *db, struct err *e)
{
    json_t *found = json_array();
    for (size_t i = 0; i < ARRAY_LEN(rules); i++) {
        struct db_rows *r = db_query(db, rules[i].sql, "");
        if (db_step(r) && db_int(r, 0) > 0)
            json_array_append_new(found, json_pack("{s:s, s:I, s:I}", "what", rules[i].what, "rows",
                                                   db_int(r, 0), "first", db_int(r, 1)));
        if (db_done(&r, e) < 0) {
            json_decref(found);
            return NULL;
        }
    }
    return found;
}

/* ---- to go on with --------------------------------------------------------------- */

/* Backups of before calls have no such table. */
static int unpack_calls(struct db *db, struct err *e)
{
    int64_t n;
    if (db_get_int(db, e, &n, 0, "SELECT count(*) FROM sqlite_master WHERE name = 'call'", "") < 0)
        return -1;
    return n == 0 ? 0
                  : db_exec(db, e,
                            "UPDATE call SET reply = $1 || 'it waited when the backup was made',"
                            " state = 'held', next_ms = NULL, gen = NULL"
                            " WHERE state IN ('ready', 'deferred', 'claimed')",
                            "s", HOLD_MARK);
}

static int unpack(struct db *db, const char *hold, struct err *e)
{
    if (db_begin(db, e) < 0 || unpack_calls(db, e) < 0 ||
        db_exec(db, e,
                "UPDATE outbox SET reply = $1 || CASE state WHEN 'claimed' THEN"
                " 'it was being sent when the backup was made' ELSE"
                " 'it waited to be sent when the backup was made' END, state = 'held',"
                " next_ms = NULL, gen = NULL, slot = NULL"
                " WHERE state IN ('ready', 'deferred', 'claimed')",
                "s", HOLD_MARK) < 0 ||
        /* a table without a row then may have given out numbers since */
        db_script(db, "INSERT INTO sqlite_sequence (name, seq) SELECT name, 0 FROM sqlite_master"
                      " WHERE type = 'table' AND sql LIKE '%AUTOINCREMENT%'"
                      " AND name NOT IN (SELECT name FROM sqlite_sequence);"
                      "UPDATE sqlite_sequence SET seq = (seq * 2 + 20000) / 10000 * 10000;"
                      "DROP TABLE backup_meta", e) < 0 ||
        hold_begin(db, hold, e) < 0)
        return -1;
    return db_commit(db, e);
}

int backup_unpack(const char *path, const char *hold, struct err *e)
{
    struct db *db = db_open_alone(path, e);
    int rc = db ? unpack(db, hold, e) : -1;
    db_close(&db);
    return rc;
}
