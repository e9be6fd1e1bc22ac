/* SPDX-License-Identifier: ISC
 *
 * ledger - see ledger.h
 */
#include "store/ledger.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "store/rows.h"

#define LEDGER_PASS_MS 10000  /* a pass is far shorter */
#define LEDGER_PASS_ROWS 50000 /* that may have come in such a time */

int source_id(struct db *db, const char *name, int64_t *id_out, struct err *e)
{
    int64_t id;
    if (db_get_int(db, e, &id, 0, "SELECT id FROM source WHERE name = $1", "s", name) < 0)
        return -1;
    if (id == 0 && db_insert(db, e, &id, "INSERT INTO source (name) VALUES ($1) RETURNING id", "s",
                             name) < 0)
        return -1;
    *id_out = id;
    return 0;
}

int source_cursor_get(struct db *db, const char *name, struct source_cursor *out, struct err *e)
{
    struct source_cursor c = {0};
    struct db_rows *r =
        db_query(db, "SELECT epoch, last_uid, start_uid FROM source WHERE name = $1", "s", name);
    if (db_step(r)) {
        c.epoch = db_int(r, 0);
        c.last_uid = db_int(r, 1);
        c.start_uid = db_int(r, 2);
    }
    if (db_done(&r, e) < 0)
        return -1;
    *out = c;
    return 0;
}

int source_cursor_set(struct db *db, const char *name, const struct source_cursor *c, struct err *e)
{
    int64_t id;
    if (source_id(db, name, &id, e) < 0)
        return -1;
    return db_exec(db, e,
                   "UPDATE source SET epoch = $2, last_uid = $3, start_uid = $4 WHERE id = $1",
                   "iiii", id, c->epoch, c->last_uid, c->start_uid);
}

int source_cursor_advance(struct db *db, int64_t source, int64_t epoch, int64_t uid, struct err *e)
{
    return db_exec(db, e,
                   "UPDATE source SET last_uid = $3 WHERE id = $1 AND epoch = $2 AND last_uid < $3",
                   "iii", source, epoch, uid);
}

/* The end of the range of names that begin with prefix. Folder names may hold any
 * UTF-8, so behind "imap:sales/" the next character is the end. Own. */
static char *prefix_end(const char *prefix)
{
    size_t n = strlen(prefix);
    if (n == 0)
        return mem_str("\x7f");
    if (prefix[n - 1] != '/') /* the one source of that name */
        return mem_printf("%s\x01", prefix);
    char *end = mem_str(prefix);
    end[n - 1]++;
    return end;
}

/* Names under a prefix are a range: no LIKE, which differs between drivers. */
static json_t *source_under(struct db *db, const char *sql, const char *prefix, bool names,
                            struct err *e)
{
    AUTO_FREE char *end = prefix_end(prefix);
    json_t *found = json_array();
    struct db_rows *r = db_query(db, sql, "ss", prefix, end);
    while (db_step(r))
        json_array_append_new(found, names ? json_string(db_text(r, 0)) : json_integer(db_int(r, 0)));
    if (db_done(&r, e) == 0)
        return found;
    json_decref(found);
    return NULL;
}

json_t *source_names(struct db *db, const char *prefix, struct err *e)
{
    return source_under(db, "SELECT name FROM source WHERE name >= $1 AND name < $2 ORDER BY name",
                        prefix, true, e);
}

json_t *source_ids(struct db *db, const char *prefix, struct err *e)
{
    return source_under(db, "SELECT id FROM source WHERE name >= $1 AND name < $2", prefix, false,
                        e);
}

int ledger_add(struct db *db, struct ledger_row *row, struct err *e)
{
    return db_insert(db, e, &row->id,
                     "INSERT INTO ledger (source_id, epoch, key, state, reason, message_id, size,"
                     " internal_ms, at_ms) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) "
                     "ON CONFLICT DO NOTHING RETURNING id",
                     "iisssoioi", row->source, row->epoch, row->key, row->state, row->reason,
                     row->message_id, row->size, row->internal_ms, row->at_ms);
}

int ledger_settle(struct db *db, int64_t id, const char *state, const char *reason,
                  int64_t message_id, struct err *e)
{
    return db_exec(db, e,
                   "UPDATE ledger SET state = $2, reason = $3, message_id = $4 WHERE id = $1",
                   "isso", id, state, reason, message_id);
}

int ledger_has(struct db *db, const char *source, int64_t epoch, const char *key, bool *has_out,
               struct err *e)
{
    int64_t id;
    if (db_get_int(db, e, &id, 0,
                   "SELECT l.id FROM ledger l JOIN source s ON s.id = l.source_id "
                   "WHERE s.name = $1 AND l.epoch = $2 AND l.key = $3",
                   "sis", source, epoch, key) < 0)
        return -1;
    *has_out = id != 0;
    return 0;
}

int ledger_state(struct db *db, const char *source, int64_t epoch, const char *key, char out[16],
                 struct err *e)
{
    out[0] = '\0';
    struct db_rows *r = db_query(db,
                                 "SELECT l.state FROM ledger l JOIN source s ON s.id = l.source_id "
                                 "WHERE s.name = $1 AND l.epoch = $2 AND l.key = $3",
                                 "sis", source, epoch, key);
    if (db_step(r))
        snprintf(out, 16, "%s", db_text(r, 0));
    return db_done(&r, e);
}

int ledger_last(struct db *db, const char *mailbox, int64_t *ms_out, struct err *e)
{
    return db_get_int(db, e, ms_out, 0,
                      "SELECT max(at_ms) FROM (SELECT source_id, at_ms FROM ledger"
                      " ORDER BY id DESC LIMIT 100000) AS l JOIN source AS s ON s.id = l.source_id"
                      " WHERE s.name = 'maildir:' || $1"
                      " OR substr(s.name, 1, length($1) + 6) = 'imap:' || $1 || '/'",
                      "s", mailbox);
}

json_t *ledger_keys(struct db *db, const char *source, int64_t epoch, struct err *e)
{
    json_t *keys = json_object();
    struct db_rows *r = db_query(db,
                                 "SELECT l.key, l.state FROM ledger l JOIN source s "
                                 "ON s.id = l.source_id WHERE s.name = $1 AND l.epoch = $2",
                                 "si", source, epoch);
    while (db_step(r))
        json_object_set_new(keys, db_text(r, 0), json_string(db_text(r, 1)));
    if (db_done(&r, e) < 0) {
        json_decref(keys);
        return NULL;
    }
    return keys;
}

#define LEDGER_COLUMNS                                                                             \
    "SELECT s.name, l.key, l.state, l.reason, l.message_id, m.lead_id, m.case_id, l.size, l.at_ms, " \
    "l.internal_ms "                                                                               \
    "FROM ledger l JOIN source s ON s.id = l.source_id "                                           \
    "LEFT JOIN message m ON m.id = l.message_id "

static json_t *ledger_read(struct db_rows *r)
{
    const char *reason = db_text(r, 3);
    return json_pack("{s:s, s:s, s:s, s:s, s:I, s:I, s:I, s:I, s:I, s:I}", "source", db_text(r, 0),
                     "key", db_text(r, 1), "state", db_text(r, 2), "reason", reason ? reason : "",
                     "message_id", db_int(r, 4), "lead_id", db_int(r, 5), "case_id", db_int(r, 6),
                     "size", db_int(r, 7), "at_ms", db_int(r, 8), "internal_ms", db_int(r, 9));
}

json_t *ledger_list(struct db *db, const char *state, const char *source, int64_t limit,
                    struct err *e)
{
    static const char any[] = LEDGER_COLUMNS
        "WHERE (CAST($1 AS TEXT) IS NULL OR l.state = $1) AND "
        "(CAST($2 AS TEXT) IS NULL OR s.name = $2) ORDER BY l.id DESC LIMIT $3";
    static const char odd[] = LEDGER_COLUMNS /* by their index */
        "WHERE l.id IN (SELECT id FROM ledger WHERE state <> 'filed' AND state = $1 AND "
        "(CAST($2 AS TEXT) IS NULL OR source_id = (SELECT id FROM source WHERE name = $2)) "
        "ORDER BY id DESC LIMIT $3) ORDER BY l.id DESC";
    bool filed = !state || strcmp(state, "filed") == 0;
    return rows_all(db_query(db, filed ? any : odd, "ssi", state, source, limit), ledger_read, e);
}

/* The row before the first that is not from before at_ms. */
static int ledger_since(struct db *db, int64_t at_ms, int64_t *id_out, struct err *e)
{
    return rows_before(db, "SELECT max(id) FROM ledger",
                       "SELECT at_ms FROM ledger WHERE id > $1 ORDER BY id LIMIT 1", at_ms, id_out,
                       e);
}

int ledger_count(struct db *db, int64_t source, const char *key, const char *reason, int64_t at_ms,
                 struct err *e)
{
    return db_exec(db, e,
                   "INSERT INTO ledger (source_id, epoch, key, state, reason, size, at_ms) "
                   "VALUES ($1, 0, $2, 'ignored', $3, 0, $4) ON CONFLICT (source_id, epoch, key) "
                   "DO UPDATE SET reason = $3, at_ms = $4",
                   "issi", source, key, reason, at_ms);
}

int ledger_since_count(struct db *db, const char *source, int64_t at_ms, int64_t *count_out,
                       struct err *e)
{
    int64_t from;
    if (ledger_since(db, at_ms, &from, e) < 0)
        return -1;
    return db_get_int(db, e, count_out, 0,
                      "SELECT count(*) FROM ledger l JOIN source s ON s.id = l.source_id "
                      "WHERE l.id > $1 AND s.name = $2",
                      "is", from, source);
}

/* A message and the row of its first arrival are of one pass. All other rows that
 * name it have a reason, and with it a place in an index. */
json_t *ledger_of_message(struct db *db, int64_t message, struct err *e)
{
    int64_t received, from;
    if (db_get_int(db, e, &received, 0, "SELECT received_ms FROM message WHERE id = $1", "i",
                   message) < 0 ||
        ledger_since(db, received - LEDGER_PASS_MS, &from, e) < 0)
        return NULL;
    return rows_all(
        db_query(db,
                 LEDGER_COLUMNS
                 "WHERE l.id IN (SELECT id FROM ledger WHERE message_id = $1 AND "
                 "message_id IS NOT NULL AND reason IS NOT NULL UNION SELECT id FROM ledger "
                 "WHERE id > $2 AND id <= $2 + $3 AND message_id = $1) ORDER BY l.id DESC",
                 "iii", message, from, (int64_t)LEDGER_PASS_ROWS),
        ledger_read, e);
}

int ledger_find_moved(struct db *db, int64_t source, int64_t epoch, int64_t msgid_hash,
                      int64_t size, int64_t internal_ms, int64_t *message_out, struct err *e)
{
    return db_get_int(db, e, message_out, 0,
                      "SELECT m.id FROM message m JOIN ledger l ON l.message_id = m.id "
                      "WHERE m.msgid_hash = $3 AND l.source_id = $1 AND l.epoch <> $2 "
                      "AND l.size = $4 AND l.internal_ms = $5 ORDER BY m.id LIMIT 1",
                      "iiiii", source, epoch, msgid_hash, size, internal_ms);
}

int quarantine_add(struct db *db, struct quarantine_row *q, struct err *e)
{
    return db_insert(db, e, &q->id,
                     "INSERT INTO quarantine (ledger_id, kind, meta, reason, at_ms, raw) "
                     "VALUES ($1, $2, $3, $4, $5, $6) RETURNING id",
                     "isssib", q->ledger_id, q->kind, q->meta, q->reason, q->at_ms,
                     q->raw_len ? q->raw : "", q->raw_len);
}

#define QUARANTINE_COLUMNS(meta)                                                                   \
    "SELECT q.id, s.name, l.key, q.kind, q.reason, q.attempts, q.at_ms, length(q.raw), " meta ", " \
    "l.id, l.epoch FROM quarantine q JOIN ledger l ON l.id = q.ledger_id "                         \
    "JOIN source s ON s.id = l.source_id "

static json_t *quarantine_read(struct db_rows *r)
{
    json_t *meta = json_loads(db_text(r, 8), 0, NULL);
    json_t *q = json_pack("{s:I, s:s, s:s, s:s, s:s, s:I, s:I, s:I, s:I, s:I}", "id", db_int(r, 0),
                          "source", db_text(r, 1), "key", db_text(r, 2), "kind", db_text(r, 3),
                          "reason", db_text(r, 4), "attempts", db_int(r, 5), "at_ms",
                          db_int(r, 6), "size", db_int(r, 7), "ledger", db_int(r, 9), "epoch",
                          db_int(r, 10));
    json_object_set_new(q, "meta", meta ? meta : json_object());
    return q;
}

json_t *quarantine_get(struct db *db, int64_t id, struct err *e)
{
    return rows_one(db_query(db, QUARANTINE_COLUMNS("q.meta") "WHERE q.id = $1", "i", id),
                    quarantine_read, "quarantined message Q", id, e);
}

json_t *quarantine_list(struct db *db, int64_t limit, struct err *e)
{
    /* without what strangers posted: a list of it would fit no memory */
    return rows_all(
        db_query(db, QUARANTINE_COLUMNS("'{}'") "WHERE q.kind <> $2 ORDER BY q.id LIMIT $1",
                 "is", limit, QUARANTINE_UNCONFIRMED),
        quarantine_read, e);
}

char *quarantine_raw(struct db *db, int64_t id, size_t *n_out, struct err *e)
{
    return rows_blob(db_query(db, "SELECT raw FROM quarantine WHERE id = $1", "i", id), n_out,
                     "quarantined message Q", id, e);
}

int quarantine_failed_again(struct db *db, int64_t id, const char *reason, struct err *e)
{
    return db_exec(db, e,
                   "UPDATE quarantine SET attempts = attempts + 1, reason = $2 WHERE id = $1", "is",
                   id, reason);
}

int quarantine_say(struct db *db, int64_t id, const char *reason, struct err *e)
{
    return db_exec(db, e, "UPDATE quarantine SET reason = $2 WHERE id = $1", "is", id, reason);
}

int quarantine_remove(struct db *db, int64_t id, struct err *e)
{
    return db_exec(db, e, "DELETE FROM quarantine WHERE id = $1", "i", id);
}

int quarantine_bytes(struct db *db, const char *source, int64_t *bytes_out, struct err *e)
{
    return db_get_int(db, e, bytes_out, 0,
                      "SELECT coalesce(sum(length(q.raw) + length(q.meta)), 0) FROM quarantine q "
                      "JOIN ledger l ON l.id = q.ledger_id JOIN source s ON s.id = l.source_id "
                      "WHERE s.name = $1",
                      "s", source);
}

int quarantine_oldest(struct db *db, const char *source, int64_t *ms_out, struct err *e)
{
    return db_get_int(db, e, ms_out, 0,
                      "SELECT coalesce(min(q.at_ms), 0) FROM quarantine q "
                      "JOIN ledger l ON l.id = q.ledger_id JOIN source s ON s.id = l.source_id "
                      "WHERE s.name = $1",
                      "s", source);
}

int quarantine_expire(struct db *db, const char *source, int64_t before_ms, struct err *e)
{
    if (db_exec(db, e,
                "UPDATE ledger SET state = 'ignored', reason = 'nobody looked at it in time' "
                "WHERE id IN (SELECT q.ledger_id FROM quarantine q JOIN ledger l ON l.id = q.ledger_id "
                "JOIN source s ON s.id = l.source_id WHERE s.name = $1 AND q.at_ms < $2)",
                "si", source, before_ms) < 0)
        return -1;
    return db_exec(db, e,
                   "DELETE FROM quarantine WHERE id IN (SELECT q.id FROM quarantine q "
                   "JOIN ledger l ON l.id = q.ledger_id JOIN source s ON s.id = l.source_id "
                   "WHERE s.name = $1 AND q.at_ms < $2)",
                   "si", source, before_ms);
}
