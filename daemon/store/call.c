/* SPDX-License-Identifier: ISC
 *
 * call - see call.h
 */
#include "store/call.h"

#include <string.h>

#include "base/bounds.h"
#include "base/json.h"
#include "store/hold.h"
#include "store/rows.h"

#define KIND_ASKS "enrich" /* of the column: all that asks; a record Q3 makes it a verdict */

int call_add(struct db *db, struct call_row *row, struct err *e)
{
    return db_insert(db, e, &row->id,
                     "INSERT INTO call (endpoint, kind, name, state, rule, record, lead_id,"
                     " contact_id, case_id, depth, created_ms, next_ms, reply, body) "
                     "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14) "
                     "RETURNING id",
                     "ssssssoooiioss", row->endpoint,
                     strcmp(row->kind, "verdict") == 0 ? KIND_ASKS : row->kind, row->name, row->state, row->rule,
                     row->record, row->lead_id, row->contact_id, row->case_id, row->depth,
                     row->created_ms, row->next_ms, row->reply, row->body);
}

#define CALL_COLUMNS                                                                               \
    "SELECT id, endpoint, kind, name, state, rule, record, lead_id, contact_id, case_id, depth,"   \
    " created_ms, next_ms, attempts, gen, done_ms, code, reply, body FROM call "

static json_t *call_read(struct db_rows *r)
{
    const char *kind = db_text(r, 6)[0] == 'Q' ? "verdict" : db_text(r, 2);
    return json_pack("{s:I, s:s, s:s, s:s, s:s, s:s?, s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:s?,"
                     " s:I, s:I, s:s?, s:s?}",
                     "id", db_int(r, 0), "endpoint", db_text(r, 1), "kind", kind, "name",
                     db_text(r, 3), "state", db_text(r, 4), "rule", db_text(r, 5), "record",
                     db_text(r, 6), "lead_id", db_int(r, 7), "contact_id", db_int(r, 8), "case_id",
                     db_int(r, 9), "depth", db_int(r, 10), "created_ms", db_int(r, 11), "next_ms",
                     db_int(r, 12), "attempts", db_int(r, 13), "gen", db_text(r, 14), "done_ms",
                     db_int(r, 15), "code", db_int(r, 16), "reply", db_text(r, 17), "body",
                     db_text(r, 18));
}

json_t *call_due(struct db *db, const char *endpoint, int64_t now_ms, int64_t limit, struct err *e)
{
    return rows_all(db_query(db,
                             CALL_COLUMNS "WHERE endpoint = $1 AND next_ms <= $2 "
                                          "ORDER BY next_ms LIMIT $3",
                             "sii", endpoint, now_ms, limit),
                    call_read, e);
}

json_t *call_old(struct db *db, const char *endpoint, int64_t before_ms, int64_t limit,
                 struct err *e)
{
    return rows_all(db_query(db,
                             CALL_COLUMNS "WHERE endpoint = $1 AND next_ms IS NOT NULL AND "
                                          "created_ms < $2 ORDER BY id LIMIT $3",
                             "sii", endpoint, before_ms, limit),
                    call_read, e);
}

int call_next_due(struct db *db, const char *endpoint, int64_t *ms_out, struct err *e)
{
    return db_get_int(db, e, ms_out, 0,
                      "SELECT min(next_ms) FROM call WHERE endpoint = $1 AND next_ms IS NOT NULL",
                      "s", endpoint);
}

int call_in_hand(struct db *db, const char *endpoint, int64_t *n_out, struct err *e)
{
    return db_get_int(db, e, n_out, 0,
                      "SELECT count(*) FROM call WHERE state = 'claimed' AND state <> 'done' AND "
                      "endpoint = $1",
                      "s", endpoint);
}

int call_claim(struct db *db, int64_t id, const char *gen, struct err *e)
{
    return db_exec(db, e,
                   "UPDATE call SET state = 'claimed', next_ms = NULL, gen = $2 WHERE id = $1",
                   "is", id, gen);
}

int call_set_state(struct db *db, int64_t id, const struct call_change *c, struct err *e)
{
    return db_exec(db, e,
                   "UPDATE call SET state = $2, next_ms = $3, done_ms = $4,"
                   " attempts = attempts + $5, code = coalesce($6, code),"
                   " reply = coalesce($7, reply), gen = NULL,"
                   " created_ms = coalesce($8, created_ms),"
                   " body = CASE WHEN $2 = 'done' THEN NULL ELSE body END WHERE id = $1",
                   "isooioso", id, c->state, c->next_ms, c->done_ms, (int64_t)c->attempt, c->code,
                   c->reply, c->again_ms);
}

json_t *call_get(struct db *db, int64_t id, struct err *e)
{
    return rows_one(db_query(db, CALL_COLUMNS "WHERE id = $1", "i", id), call_read, "call ", id, e);
}

json_t *call_claimed(struct db *db, struct err *e)
{
    return rows_all(
        db_query(db, CALL_COLUMNS "WHERE state = 'claimed' AND state <> 'done' ORDER BY id", ""),
        call_read, e);
}

static json_t *call_read_bare(struct db_rows *r)
{
    json_t *row = call_read(r);
    json_object_del(row, "body");
    return row;
}

json_t *call_list(struct db *db, const char *state, const char *endpoint, int64_t lead_id,
                  int64_t limit, struct err *e)
{
    return rows_all(db_query(db,
                             CALL_COLUMNS "WHERE (CAST($1 AS TEXT) IS NULL OR state = $1) AND "
                                          "(CAST($2 AS TEXT) IS NULL OR endpoint = $2) AND "
                                          "(CAST($3 AS BIGINT) IS NULL OR lead_id = $3) "
                                          "ORDER BY id DESC LIMIT $4",
                             "ssoi", state, endpoint, lead_id, limit),
                    call_read_bare, e);
}

json_t *call_held(struct db *db, int64_t after, int64_t limit, struct err *e)
{
    return rows_all(db_query(db,
                             CALL_COLUMNS "WHERE state <> 'done' AND state = 'held' AND id > $2 "
                                          "AND substr(reply, 1, length($1)) = $1 "
                                          "ORDER BY id LIMIT $3",
                             "sii", HOLD_MARK, after, limit),
                    call_read_bare, e);
}

static json_t *counts_read(struct db_rows *r)
{
    return json_pack("{s:s, s:s, s:I}", "endpoint", db_text(r, 0), "state", db_text(r, 1), "calls",
                     db_int(r, 2));
}

json_t *call_counts(struct db *db, struct err *e)
{
    return rows_all(db_query(db,
                             "SELECT endpoint, state, count(*) FROM call WHERE state <> 'done' "
                             "GROUP BY endpoint, state ORDER BY endpoint, state",
                             ""),
                    counts_read, e);
}

/* ---- endpoints that want no more ------------------------------------------------- */

int endpoint_disabled(struct db *db, const char *name, int64_t url_hash, json_t **out,
                      struct err *e)
{
    json_t *found = NULL;
    struct db_rows *r =
        db_query(db, "SELECT disabled_ms, why FROM endpoint WHERE name = $1 AND url_hash = $2",
                 "si", name, url_hash);
    if (db_step(r))
        found = json_pack("{s:I, s:s}", "disabled_ms", db_int(r, 0), "why", db_text(r, 1));
    if (db_done(&r, e) < 0) {
        json_decref(found);
        return -1;
    }
    *out = found;
    return 0;
}

int endpoint_disable(struct db *db, const char *name, int64_t url_hash, const char *why,
                     int64_t now_ms, struct err *e)
{
    return db_exec(db, e,
                   "INSERT INTO endpoint (name, disabled_ms, why, url_hash) "
                   "VALUES ($1, $2, $3, $4) ON CONFLICT (name) DO UPDATE SET "
                   "disabled_ms = $2, why = $3, url_hash = $4",
                   "sisi", name, now_ms, why, url_hash);
}

int endpoint_enable(struct db *db, const char *name, struct err *e)
{
    return db_exec(db, e, "DELETE FROM endpoint WHERE name = $1", "s", name);
}

/* ---- answers that hold for a while ------------------------------------------------- */

int enriched_get(struct db *db, const char *name, const char *hash, int64_t since_ms, json_t **out,
                 struct err *e)
{
    json_t *found = NULL;
    struct db_rows *r =
        db_query(db, "SELECT answer FROM enriched WHERE name = $1 AND hash = $2 AND at_ms >= $3",
                 "ssi", name, hash, since_ms);
    if (db_step(r))
        found = rows_read_json(r);
    if (db_done(&r, e) < 0) {
        json_decref(found);
        return -1;
    }
    *out = found;
    return 0;
}

int enriched_put(struct db *db, const char *name, const char *hash, int64_t contact_id,
                 const char *answer, int64_t now_ms, struct err *e)
{
    return db_exec(db, e,
                   "INSERT INTO enriched (name, hash, at_ms, contact_id, answer) "
                   "VALUES ($1, $2, $3, $4, $5) ON CONFLICT (name, hash) DO UPDATE SET "
                   "at_ms = $3, contact_id = $4, answer = $5",
                   "ssios", name, hash, now_ms, contact_id, answer);
}

int call_forget(struct db *db, int64_t done_before_ms, int64_t failed_before_ms, struct err *e)
{
    return db_exec(db, e,
                   "DELETE FROM call WHERE id IN (SELECT id FROM (SELECT id, state, done_ms FROM call"
                   " ORDER BY id LIMIT 1000) AS oldest WHERE (state = 'done' AND done_ms < $1)"
                   " OR (state = 'failed' AND done_ms < $2))",
                   "ii", done_before_ms, failed_before_ms);
}

int enriched_forget(struct db *db, const char *name, int64_t before_ms, struct err *e)
{
    return db_exec(db, e, "DELETE FROM enriched WHERE name = $1 AND at_ms < $2", "si", name,
                   before_ms);
}
