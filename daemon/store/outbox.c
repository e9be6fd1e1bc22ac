/* SPDX-License-Identifier: ISC
 *
 * outbox - see outbox.h
 */
#include "store/outbox.h"

#include <string.h>

#include "base/mem.h"
#include "store/rows.h"

int outbox_add(struct db *db, struct outbox_row *row, struct err *e)
{
    return db_insert(db, e, &row->id,
                     "INSERT INTO outbox (intent, state, class, to_addr, lead_id, contact_id,"
                     " case_id, template, msgid_hash, created_ms, next_ms, reply, channel, lane,"
                     " list) "
                     "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15) "
                     "ON CONFLICT DO NOTHING RETURNING id",
                     "ssssooosiiossis", row->intent, row->state, row->class_, row->to_addr,
                     row->lead_id, row->contact_id, row->case_id, row->template_, row->msgid_hash,
                     row->created_ms, row->next_ms, row->reply,
                     row->channel ? row->channel : "email", (int64_t)row->lane, row->list);
}

int outbox_fill(struct db *db, const struct outbox_row *row, struct err *e)
{
    if (db_exec(db, e, "UPDATE outbox SET msgid_hash = $2 WHERE id = $1", "ii", row->id,
                row->msgid_hash) < 0)
        return -1;
    return db_exec(db, e,
                   "INSERT INTO outbox_body (outbox_id, mail_from, rcpt_to, subject, raw) "
                   "VALUES ($1, $2, $3, $4, $5)",
                   "isssb", row->id, row->mail_from, row->rcpt_to, row->subject, row->raw,
                   row->raw_len);
}

int outbox_rewrite(struct db *db, const struct outbox_row *row, struct err *e)
{
    if (db_exec(db, e, "DELETE FROM outbox_body WHERE outbox_id = $1", "i", row->id) < 0)
        return -1;
    return outbox_fill(db, row, e);
}

static json_t *outbox_due_read(struct db_rows *r)
{
    return json_pack("{s:I, s:s, s:s, s:I, s:I, s:I, s:I, s:s, s:I, s:s?}", "id", db_int(r, 0), "to_addr",
                     db_text(r, 1), "class", db_text(r, 2), "attempts", db_int(r, 3), "lead_id",
                     db_int(r, 4), "contact_id", db_int(r, 5), "created_ms", db_int(r, 6),
                     "channel", db_text(r, 7), "line", db_int(r, 8),
                     "list", db_text(r, 9));
}

json_t *outbox_due(struct db *db, int line, int64_t now_ms, int64_t limit, struct err *e)
{
    return rows_all(
        db_query(db,
                 "SELECT id, to_addr, class, attempts, lead_id, contact_id, created_ms, channel, "
                 "lane, list FROM outbox WHERE lane = $1 AND next_ms <= $2 ORDER BY next_ms LIMIT $3",
                 "iii", (int64_t)line, now_ms, limit),
        outbox_due_read, e);
}

/* A line each, so that each is one look into the index. */
#define NEXT_OF(line) "(SELECT min(next_ms) FROM outbox WHERE lane = " #line " AND next_ms > 0)"

int outbox_lines_due(struct db *db, int64_t due_out[OUTBOX_LINES], struct err *e)
{
    struct db_rows *r =
        db_query(db,
                 "SELECT " NEXT_OF(0) ", " NEXT_OF(1) ", " NEXT_OF(2) ", " NEXT_OF(3) ", "
                 NEXT_OF(4) ", " NEXT_OF(5), "");
    bool some = db_step(r);
    for (int i = 0; i < OUTBOX_LINES; i++)
        due_out[i] = some ? db_int(r, i) : 0;
    return db_done(&r, e);
}

static json_t *waiting_read(struct db_rows *r)
{
    return json_pack("{s:I, s:I, s:I, s:I}", "line", db_int(r, 0), "mails", db_int(r, 1), "due",
                     db_int(r, 2), "first_ms", db_int(r, 3));
}

json_t *outbox_waiting(struct db *db, int64_t now_ms, struct err *e)
{
    return rows_all(db_query(db,
                             "SELECT lane, count(*), sum(CASE WHEN next_ms <= $1 THEN 1 ELSE 0 END), "
                             "min(next_ms) FROM outbox WHERE next_ms IS NOT NULL GROUP BY lane "
                             "ORDER BY lane",
                             "i", now_ms),
                    waiting_read, e);
}

int outbox_next_due(struct db *db, int64_t *ms_out, struct err *e)
{
    int64_t due[OUTBOX_LINES];
    *ms_out = 0;
    if (outbox_lines_due(db, due, e) < 0)
        return -1;
    for (int i = 0; i < OUTBOX_LINES; i++)
        if (due[i] && (*ms_out == 0 || due[i] < *ms_out))
            *ms_out = due[i];
    return 0;
}

int outbox_in_hand(struct db *db, int64_t n_out[OUTBOX_LINES], struct err *e)
{
    struct db_rows *r = db_query(
        db, "SELECT lane, count(*) FROM outbox WHERE state = 'claimed' GROUP BY lane", "");
    for (int i = 0; i < OUTBOX_LINES; i++)
        n_out[i] = 0;
    while (db_step(r))
        if (db_int(r, 0) >= 0 && db_int(r, 0) < OUTBOX_LINES)
            n_out[db_int(r, 0)] = db_int(r, 1);
    return db_done(&r, e);
}

int outbox_wait(struct db *db, int64_t id, int64_t next_ms, const char *why, struct err *e)
{
    return db_exec(db, e,
                   "UPDATE outbox SET state = 'deferred', next_ms = $2, reply = $3 WHERE id = $1",
                   "iis", id, next_ms, why);
}

int outbox_claim(struct db *db, int64_t id, const char *gen, int64_t slot, struct err *e)
{
    return db_exec(db, e,
                   "UPDATE outbox SET state = 'claimed', next_ms = NULL, gen = $2, slot = $3 "
                   "WHERE id = $1",
                   "isi", id, gen, slot);
}

int outbox_mail(struct db *db, int64_t id, struct outbox_mail *out, struct err *e)
{
    struct outbox_mail m = {0};
    struct db_rows *r = db_query(
        db, "SELECT mail_from, rcpt_to, raw FROM outbox_body WHERE outbox_id = $1", "i", id);
    if (db_step(r)) {
        const void *p = db_blob(r, 2, &m.raw_len);
        m.mail_from = mem_str(db_text(r, 0));
        m.rcpt_to = mem_str(db_text(r, 1));
        m.raw = mem_strn(p, m.raw_len);
    }
    if (db_done(&r, e) < 0) {
        outbox_mail_done(&m);
        return -1;
    }
    if (!m.raw)
        return err_set(e, ERR_BUG, "outbox row %lld has no body", (long long)id);
    *out = m;
    return 0;
}

void outbox_mail_done(struct outbox_mail *m)
{
    mem_free(m->mail_from);
    mem_free(m->rcpt_to);
    mem_free(m->raw);
    *m = (struct outbox_mail){0};
}

int outbox_set_state(struct db *db, int64_t id, const struct outbox_change *c, struct err *e)
{
    return db_exec(db, e,
                   "UPDATE outbox SET state = $2, next_ms = $3, done_ms = $4,"
                   " attempts = attempts + $5, relay = coalesce($6, relay),"
                   " reply = coalesce($7, reply), code = coalesce($8, code),"
                   " lane = CASE WHEN lane < 3 AND attempts + $5 > 0 THEN lane + 3 ELSE lane END,"
                   " gen = NULL, slot = NULL WHERE id = $1",
                   "isooisso", id, c->state, c->next_ms, c->done_ms, (int64_t)c->attempt, c->relay,
                   c->reply, c->code);
}

/* $1 .. $6; the words of the reason are looked for without regard to case. */
#define SELECTED                                                                                   \
    " WHERE state = $1 AND (CAST($2 AS TEXT) IS NULL OR "                                          \
    "substr(to_addr, -length($2) - 1) = '@' || $2) AND (CAST($3 AS TEXT) IS NULL OR "              \
    "length(replace(lower(reply), lower($3), '')) < length(reply)) AND "                           \
    "(CAST($4 AS TEXT) IS NULL OR template = $4) AND created_ms >= $5 AND created_ms <= $6 AND "   \
    "EXISTS (SELECT 1 FROM outbox_body b WHERE b.outbox_id = outbox.id)"

static int64_t selected_until(const struct outbox_selection *s)
{
    return s->until_ms ? s->until_ms : INT64_MAX;
}

int outbox_count_of(struct db *db, const struct outbox_selection *s, int64_t *n_out,
                    int64_t *one_out, struct err *e)
{
    struct db_rows *r =
        db_query(db, "SELECT count(*), min(id) FROM outbox" SELECTED, "ssssii", s->state, s->domain,
                 s->reason, s->template_, s->since_ms, selected_until(s));
    bool some = db_step(r);
    *n_out = some ? db_int(r, 0) : 0;
    *one_out = some ? db_int(r, 1) : 0;
    return db_done(&r, e);
}

int outbox_set_state_of(struct db *db, const struct outbox_selection *s, const char *state,
                        int64_t now_ms, const char *reply, struct err *e)
{
    bool ready = strcmp(state, "ready") == 0;
    return db_exec(db, e, "UPDATE outbox SET state = $7, next_ms = $8, done_ms = $9, reply = $10"
                   SELECTED, "ssssiisoos", s->state, s->domain, s->reason, s->template_,
                   s->since_ms, selected_until(s), state, ready ? now_ms : (int64_t)0,
                   ready ? (int64_t)0 : now_ms, reply);
}

#define OUTBOX_COLUMNS                                                                             \
    "SELECT o.id, o.intent, o.state, o.class, o.to_addr, o.lead_id, o.contact_id, o.template, "    \
    "o.attempts, o.created_ms, o.next_ms, o.done_ms, o.relay, o.code, o.reply, b.subject, o.gen, " \
    "o.slot, o.case_id, o.channel, o.list "                                                        \
    "FROM outbox o LEFT JOIN outbox_body b ON b.outbox_id = o.id "

static json_t *outbox_read(struct db_rows *r)
{
    return json_pack("{s:I, s:s, s:s, s:s, s:s, s:I, s:I, s:s?, s:I, s:I, s:I, s:I, s:s?, s:I, "
                     "s:s?, s:s?, s:s?, s:I, s:I, s:s, s:s?}",
                     "id", db_int(r, 0), "intent", db_text(r, 1), "state", db_text(r, 2), "class",
                     db_text(r, 3), "to", db_text(r, 4), "lead_id", db_int(r, 5), "contact_id",
                     db_int(r, 6), "template", db_text(r, 7), "attempts", db_int(r, 8),
                     "created_ms", db_int(r, 9), "next_ms", db_int(r, 10), "done_ms",
                     db_int(r, 11), "relay", db_text(r, 12), "code", db_int(r, 13), "reply",
                     db_text(r, 14), "subject", db_text(r, 15), "gen", db_text(r, 16), "slot",
                     db_int(r, 17), "case_id", db_int(r, 18), "channel", db_text(r, 19), "list",
                     db_text(r, 20));
}

json_t *outbox_get(struct db *db, int64_t id, struct err *e)
{
    return rows_one(db_query(db, OUTBOX_COLUMNS "WHERE o.id = $1", "i", id), outbox_read,
                    "outbox row ", id, e);
}

json_t *outbox_claimed(struct db *db, struct err *e)
{
    return rows_all(db_query(db, OUTBOX_COLUMNS "WHERE o.state = 'claimed'", ""), outbox_read, e);
}

int outbox_any_claimed(struct db *db, bool *out, struct err *e)
{
    return db_has(db, e, out, "SELECT 1 FROM outbox WHERE state = 'claimed' LIMIT 1", "");
}

static json_t *outbox_read_to(struct db_rows *r)
{
    return json_pack("{s:s}", "to_addr", db_text(r, 0));
}

json_t *outbox_claimed_to(struct db *db, struct err *e)
{
    return rows_all(db_query(db, "SELECT to_addr FROM outbox WHERE state = 'claimed'", ""),
                    outbox_read_to, e);
}

json_t *outbox_list(struct db *db, const char *state, int64_t lead_id, int64_t limit, struct err *e)
{
    return rows_all(db_query(db,
                             OUTBOX_COLUMNS
                             "WHERE (CAST($1 AS TEXT) IS NULL OR o.state = $1) AND "
                             "(CAST($2 AS BIGINT) IS NULL OR o.lead_id = $2) "
                             "ORDER BY o.id DESC LIMIT $3",
                             "soi", state, lead_id, limit),
                    outbox_read, e);
}

/* '0' is the character behind '/': each pair is a range of the index. */
json_t *outbox_of_message(struct db *db, int64_t message, int64_t held, int64_t limit,
                          struct err *e)
{
    return rows_all(
        db_query(db,
                 OUTBOX_COLUMNS
                 "WHERE (o.intent >= 'M' || $1 || '/' AND o.intent < 'M' || $1 || '0') OR "
                 "(o.intent >= 'rep/M' || $1 || '/' AND o.intent < 'rep/M' || $1 || '0') OR "
                 "(o.intent >= 'held/' || $2 || '/' AND o.intent < 'held/' || $2 || '0') OR "
                 "o.intent IN ('rep/M' || $1, 'forward/M' || $1, 'held/' || $2) "
                 "ORDER BY o.id LIMIT $3",
                 "iii", message, held, limit),
        outbox_read, e);
}

static json_t *outbox_read_time(struct db_rows *r)
{
    return json_integer(db_int(r, 0));
}

json_t *outbox_times(struct db *db, const char *to_addr, int64_t lead_id, int64_t case_id,
                     int64_t contact_id, int64_t since_ms, int64_t limit, struct err *e)
{
    int64_t record = lead_id ? lead_id : case_id ? case_id : contact_id;
    struct db_rows *r;
    if (!record)
        r = db_query(db, "SELECT created_ms FROM outbox WHERE lead_id IS NULL AND case_id IS NULL "
                     "AND contact_id IS NULL AND to_addr = $1 AND created_ms > $2 "
                     "ORDER BY id DESC LIMIT $3", "sii", to_addr, since_ms, limit);
    else
        r = db_query(db,
                     lead_id   ? "SELECT created_ms FROM outbox WHERE lead_id = $2 AND to_addr = $1 "
                                 "AND created_ms > $3 ORDER BY id DESC LIMIT $4"
                     : case_id ? "SELECT created_ms FROM outbox WHERE case_id = $2 AND lead_id IS "
                                 "NULL AND to_addr = $1 AND created_ms > $3 ORDER BY id DESC LIMIT $4"
                               : "SELECT created_ms FROM outbox WHERE contact_id = $2 AND lead_id IS "
                                 "NULL AND case_id IS NULL AND to_addr = $1 AND created_ms > $3 "
                                 "ORDER BY id DESC LIMIT $4",
                     "siii", to_addr, record, since_ms, limit);
    return rows_all(r, outbox_read_time, e);
}

int outbox_has(struct db *db, const char *intent, bool *has_out, struct err *e)
{
    return db_has(db, e, has_out, "SELECT id FROM outbox WHERE intent = $1", "s", intent);
}

int outbox_is(struct db *db, int64_t id, int64_t msgid_hash, bool *is_out, struct err *e)
{
    return db_has(db, e, is_out,
                  "SELECT id FROM outbox WHERE id = $1 AND msgid_hash = $2",
                  "ii", id, msgid_hash);
}

/* Those of a case by its activities: there is no index of them, and notices are none. */
int outbox_latest_to(struct db *db, int64_t lead_id, int64_t case_id, const char *to_addr,
                     int64_t *id_out, struct err *e)
{
    if (lead_id)
        return db_get_int(db, e, id_out, 0,
                          "SELECT id FROM outbox WHERE lead_id = $1 AND to_addr = $2 "
                          "ORDER BY id DESC LIMIT 1",
                          "is", lead_id, to_addr);
    return db_get_int(db, e, id_out, 0,
                      "SELECT o.id FROM activity a JOIN outbox o ON o.id = a.outbox_id "
                      "WHERE a.case_id = $1 AND a.lead_id IS NULL AND o.to_addr = $2 "
                      "ORDER BY o.id DESC LIMIT 1",
                      "is", case_id, to_addr);
}
