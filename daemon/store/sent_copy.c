/* SPDX-License-Identifier: ISC
 *
 * sent_copy - see sent_copy.h
 */
#include "store/sent_copy.h"

#include "store/rows.h"

int sent_copy_add(struct db *db, int64_t outbox, const char *mailbox, int64_t sent_ms,
                  int64_t now_ms, struct err *e)
{
    return db_exec(db, e,
                   "INSERT INTO sent_copy (outbox_id, mailbox, state, sent_ms, since_ms, next_ms) "
                   "VALUES ($1, $2, 'waiting', $3, $4, $4) ON CONFLICT DO NOTHING",
                   "isii", outbox, mailbox, sent_ms, now_ms);
}

static json_t *due_read(struct db_rows *r)
{
    return json_pack("{s:I, s:I, s:I}", "id", db_int(r, 0), "tries", db_int(r, 1), "sent_ms",
                     db_int(r, 2));
}

json_t *sent_copy_due(struct db *db, const char *mailbox, int64_t now_ms, int64_t limit,
                      struct err *e)
{
    return rows_all(db_query(db,
                             "SELECT outbox_id, tries, sent_ms FROM sent_copy WHERE mailbox = $1 AND "
                             "state = 'waiting' AND next_ms <= $2 ORDER BY next_ms LIMIT $3",
                             "sii", mailbox, now_ms, limit),
                    due_read, e);
}

int sent_copy_next(struct db *db, const char *mailbox, int64_t *ms_out, struct err *e)
{
    return db_get_int(db, e, ms_out, 0,
                      "SELECT min(next_ms) FROM sent_copy WHERE mailbox = $1 AND state = 'waiting'",
                      "s", mailbox);
}

int sent_copy_oldest(struct db *db, const char *mailbox, int64_t *ms_out, struct err *e)
{
    return db_get_int(db, e, ms_out, 0,
                      "SELECT min(since_ms) FROM sent_copy WHERE mailbox = $1 AND "
                      "state IN ('waiting', 'handed')",
                      "s", mailbox);
}

int sent_copy_in_hand(struct db *db, const char *mailbox, int64_t *n_out, int64_t *bytes_out,
                      struct err *e)
{
    struct db_rows *r = db_query(
        db,
        "SELECT count(*), coalesce(sum(length(b.raw)), 0) FROM sent_copy c LEFT JOIN outbox_body b "
        "ON b.outbox_id = c.outbox_id WHERE c.mailbox = $1 AND c.state = 'handed'",
        "s", mailbox);
    *n_out = *bytes_out = 0;
    if (db_step(r)) {
        *n_out = db_int(r, 0);
        *bytes_out = db_int(r, 1);
    }
    return db_done(&r, e);
}

int sent_copy_get(struct db *db, int64_t outbox, json_t **out, struct err *e)
{
    struct db_rows *r = db_query(
        db, "SELECT mailbox, state, since_ms, tries FROM sent_copy WHERE outbox_id = $1", "i", outbox);
    *out = NULL;
    if (db_step(r))
        *out = json_pack("{s:I, s:s, s:s, s:I, s:I}", "id", outbox, "mailbox", db_text(r, 0), "state",
                         db_text(r, 1), "since_ms", db_int(r, 2), "tries", db_int(r, 3));
    return db_done(&r, e);
}

int sent_copy_handed(struct db *db, int64_t outbox, struct err *e)
{
    return db_exec(db, e,
                   "UPDATE sent_copy SET state = 'handed', tries = tries + 1 WHERE outbox_id = $1",
                   "i", outbox);
}

int sent_copy_stored(struct db *db, int64_t outbox, struct err *e)
{
    return db_exec(db, e, "DELETE FROM sent_copy WHERE outbox_id = $1", "i", outbox);
}

int sent_copy_move(struct db *db, int64_t outbox, const char *state, int64_t ms, const char *why,
                   struct err *e)
{
    return db_exec(db, e,
                   "UPDATE sent_copy SET state = $2, next_ms = $3, error = coalesce($4, error) "
                   "WHERE outbox_id = $1",
                   "isis", outbox, state, ms, why);
}

int sent_copy_back(struct db *db, const char *mailbox, int64_t next_ms, struct err *e)
{
    return db_exec(db, e,
                   "UPDATE sent_copy SET state = 'waiting', next_ms = $2 WHERE mailbox = $1 AND "
                   "state = 'handed'",
                   "si", mailbox, next_ms);
}

int sent_copy_doubt(struct db *db, struct err *e)
{
    return db_exec(db, e, "UPDATE sent_copy SET tries = 1 WHERE tries = 0", "");
}

int sent_copy_end(struct db *db, const char *mailbox, int64_t now_ms, const char *why, struct err *e)
{
    return db_exec(db, e,
                   "UPDATE sent_copy SET state = 'failed', next_ms = $2, error = $3 WHERE "
                   "mailbox = $1 AND state <> 'failed'",
                   "sis", mailbox, now_ms, why);
}

int sent_copy_give_up(struct db *db, const char *mailbox, int64_t since_ms, int64_t now_ms,
                      const char *error, int64_t *n_out, struct err *e)
{
    if (db_get_int(db, e, n_out, 0,
                   "SELECT count(*) FROM sent_copy WHERE mailbox = $1 AND state = 'waiting' AND "
                   "since_ms <= $2",
                   "si", mailbox, since_ms) < 0)
        return -1;
    return *n_out == 0 ? 0
                       : db_exec(db, e,
                                 "UPDATE sent_copy SET state = 'failed', next_ms = $3, "
                                 "error = coalesce(error, $4) WHERE mailbox = $1 AND "
                                 "state = 'waiting' AND since_ms <= $2",
                                 "siis", mailbox, since_ms, now_ms, error);
}

int sent_copy_again(struct db *db, const char *mailbox, int64_t now_ms, int64_t *n_out,
                    struct err *e)
{
    if (db_get_int(db, e, n_out, 0,
                   "SELECT count(*) FROM sent_copy WHERE state <> 'handed' AND "
                   "(CAST($1 AS TEXT) IS NULL OR mailbox = $1)",
                   "s", mailbox) < 0)
        return -1;
    return db_exec(db, e,
                   "UPDATE sent_copy SET state = 'waiting', since_ms = $2, next_ms = $2 WHERE "
                   "state <> 'handed' AND (CAST($1 AS TEXT) IS NULL OR mailbox = $1)",
                   "si", mailbox, now_ms);
}

int sent_copy_forget(struct db *db, int64_t before_ms, struct err *e)
{
    return db_exec(db, e, "DELETE FROM sent_copy WHERE state = 'failed' AND next_ms < $1", "i",
                   before_ms);
}

static json_t *name_read(struct db_rows *r)
{
    return json_string(db_text(r, 0));
}

json_t *sent_copy_mailboxes(struct db *db, struct err *e)
{
    return rows_all(db_query(db, "SELECT DISTINCT mailbox FROM sent_copy WHERE state <> 'failed'", ""),
                    name_read, e);
}

static json_t *list_read(struct db_rows *r)
{
    return json_pack("{s:I, s:s, s:s, s:I, s:I, s:I, s:s, s:s, s:s}", "id", db_int(r, 0), "mailbox",
                     db_text(r, 1), "state", db_text(r, 2), "sent_ms", db_int(r, 3), "next_ms",
                     db_int(r, 4), "tries", db_int(r, 5), "error", db_text(r, 6), "to", db_text(r, 7),
                     "subject", db_text(r, 8));
}

json_t *sent_copy_list(struct db *db, const char *state, const char *mailbox, int64_t limit,
                       struct err *e)
{
    return rows_all(db_query(db,
                             "SELECT c.outbox_id, c.mailbox, c.state, c.sent_ms, c.next_ms, c.tries, "
                             "coalesce(c.error, ''), o.to_addr, coalesce(b.subject, '') "
                             "FROM sent_copy c JOIN outbox o ON o.id = c.outbox_id "
                             "LEFT JOIN outbox_body b ON b.outbox_id = c.outbox_id "
                             "WHERE (CAST($1 AS TEXT) IS NULL OR c.state = $1) AND "
                             "(CAST($2 AS TEXT) IS NULL OR c.mailbox = $2) ORDER BY c.outbox_id DESC LIMIT $3",
                             "ssi", state, mailbox, limit),
                    list_read, e);
}
