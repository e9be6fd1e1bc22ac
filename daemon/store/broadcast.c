/* SPDX-License-Identifier: ISC
 *
 * broadcast - see broadcast.h
 */
#include "store/broadcast.h"

#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "store/rows.h"

#define COLUMNS                                                                                    \
    "id, name, state, was, source, by, reason, created_ms, begin_ms, confirmed, walk_id, walk_to, " \
    "recipients, dealt, winner, winner_why, decide_ms, ended_ms"

static void put_ms(json_t *j, const char *key, struct db_rows *r, int col)
{
    if (!db_is_null(r, col))
        json_put_int(j, key, db_int(r, col));
}

static json_t *broadcast_read(struct db_rows *r)
{
    json_t *j = json_pack("{s:I, s:s, s:s, s:s, s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "id",
                          db_int(r, 0), "name", db_text(r, 1), "state", db_text(r, 2), "source",
                          db_text(r, 4), "by", db_text(r, 5), "created_ms", db_int(r, 7), "begin_ms",
                          db_int(r, 8), "confirmed", db_int(r, 9), "walk_id", db_int(r, 10),
                          "walk_to", db_int(r, 11), "recipients", db_int(r, 12), "dealt",
                          db_int(r, 13), "winner", db_int(r, 14));
    json_put_str(j, "was", db_text(r, 3));
    json_put_str(j, "reason", db_text(r, 6));
    json_put_str(j, "winner_why", db_text(r, 15));
    put_ms(j, "decide_ms", r, 16);
    put_ms(j, "ended_ms", r, 17);
    return j;
}

/* The first row, or NULL; takes the query. */
static int first_of(struct db_rows *r, rows_read_fn read, json_t **out, struct err *e)
{
    json_t *j = db_step(r) ? read(r) : NULL;
    if (db_done(&r, e) < 0) {
        json_decref(j);
        return -1;
    }
    *out = j;
    return 0;
}

int broadcast_add(struct db *db, const char *name, const char *state, const char *source,
                  const char *by, int64_t begin_ms, int64_t confirmed, int64_t now_ms,
                  struct err *e)
{
    return db_exec(db, e,
                   "INSERT INTO broadcast (name, state, source, by, begin_ms, confirmed, created_ms)"
                   " VALUES ($1, $2, $3, $4, $5, $6, $7)",
                   "ssssiii", name, state, source, by, begin_ms, confirmed, now_ms);
}

int broadcast_get(struct db *db, const char *name, json_t **out, struct err *e)
{
    return first_of(db_query(db, "SELECT " COLUMNS " FROM broadcast WHERE name = $1", "s", name),
                    broadcast_read, out, e);
}

json_t *broadcast_list(struct db *db, struct err *e)
{
    return rows_all(db_query(db, "SELECT " COLUMNS " FROM broadcast ORDER BY id DESC", ""),
                    broadcast_read, e);
}

int broadcast_put(struct db *db, const json_t *b, struct err *e)
{
    return db_exec(db, e,
                   "UPDATE broadcast SET state = $2, was = $3, by = $4, reason = $5, begin_ms = $6,"
                   " confirmed = $7, walk_id = $8, walk_to = $9, recipients = $10, dealt = $11,"
                   " winner = $12, winner_why = $13, decide_ms = $14, ended_ms = $15 WHERE id = $1",
                   "issssiiiiiiisoo", json_get_int(b, "id", 0), json_get_str(b, "state", ""),
                   json_get_str(b, "was", NULL), json_get_str(b, "by", ""),
                   json_get_str(b, "reason", NULL), json_get_int(b, "begin_ms", 0),
                   json_get_int(b, "confirmed", 0), json_get_int(b, "walk_id", 0),
                   json_get_int(b, "walk_to", 0), json_get_int(b, "recipients", 0),
                   json_get_int(b, "dealt", 0), json_get_int(b, "winner", 0),
                   json_get_str(b, "winner_why", NULL), json_get_int(b, "decide_ms", 0),
                   json_get_int(b, "ended_ms", 0));
}

int broadcast_any(struct db *db, int64_t ended_since_ms, bool *out, struct err *e)
{
    return db_has(db, e, out,
                  "SELECT 1 FROM broadcast WHERE ended_ms IS NULL OR ended_ms > $1 LIMIT 1", "i",
                  ended_since_ms);
}

/* ---- zones ----------------------------------------------------------------------- */

int broadcast_zone(struct db *db, int64_t broadcast, const char *names, int64_t *zone_out,
                   struct err *e)
{
    if (db_get_int(db, e, zone_out, -1,
                   "SELECT zone FROM broadcast_zone WHERE broadcast_id = $1 AND names = $2", "is",
                   broadcast, names) < 0)
        return -1;
    if (*zone_out >= 0)
        return 0;
    if (db_get_int(db, e, zone_out, 0,
                   "SELECT count(*) FROM broadcast_zone WHERE broadcast_id = $1", "i", broadcast) < 0)
        return -1;
    return db_exec(db, e,
                   "INSERT INTO broadcast_zone (broadcast_id, zone, names) VALUES ($1, $2, $3)",
                   "iis", broadcast, *zone_out, names);
}

static json_t *zone_read(struct db_rows *r)
{
    return json_pack("{s:I, s:s}", "zone", db_int(r, 0), "names", db_text(r, 1));
}

json_t *broadcast_zones_waiting(struct db *db, int64_t broadcast, int64_t rank_to, struct err *e)
{
    return rows_all(db_query(db,
                             "SELECT z.zone, z.names FROM broadcast_zone z WHERE z.broadcast_id = $1"
                             " AND EXISTS (SELECT 1 FROM broadcast_part p WHERE p.broadcast_id = $1"
                             " AND p.zone = z.zone AND p.rank <= $2 AND p.state = 'waiting')"
                             " ORDER BY z.names",
                             "ii", broadcast, rank_to),
                    zone_read, e);
}

/* ---- parts ------------------------------------------------------------------------- */

/* Where it says +broadcast_id, SQLite would take the primary key, which has it first, and go
 * through everybody of the broadcast for the few that another index knows. */

#define PART                                                                                       \
    "broadcast_id, contact_id, lead_id, state, reason, zone, rank, variant, test, outbox_id, "     \
    "made_ms, sent_ms, bounced_ms, replied_ms, unsubscribed_ms, won_ms"

static json_t *part_read(struct db_rows *r)
{
    static const char *const stamps[] = {"made_ms", "sent_ms", "bounced_ms", "replied_ms",
                                         "unsubscribed_ms", "won_ms"};
    json_t *j = json_pack("{s:I, s:I, s:s, s:I, s:I, s:I, s:I}", "broadcast_id", db_int(r, 0),
                          "contact_id", db_int(r, 1), "state", db_text(r, 3), "zone", db_int(r, 5),
                          "rank", db_int(r, 6), "variant", db_int(r, 7), "test", db_int(r, 8));
    put_ms(j, "lead_id", r, 2);
    json_put_str(j, "reason", db_text(r, 4));
    put_ms(j, "outbox_id", r, 9);
    for (int i = 0; i < (int)ARRAY_LEN(stamps); i++)
        put_ms(j, stamps[i], r, 10 + i);
    return j;
}

int part_get(struct db *db, int64_t broadcast, int64_t contact, json_t **out, struct err *e)
{
    return first_of(db_query(db,
                             "SELECT " PART " FROM broadcast_part WHERE broadcast_id = $1 AND"
                             " contact_id = $2",
                             "ii", broadcast, contact),
                    part_read, out, e);
}

int part_add(struct db *db, const struct part_row *p, bool *added_out, struct err *e)
{
    int64_t there;
    if (db_get_int(db, e, &there, 0,
                   "SELECT 1 FROM broadcast_part WHERE broadcast_id = $1 AND contact_id = $2", "ii",
                   p->broadcast, p->contact) < 0)
        return -1;
    *added_out = !there;
    return there ? 0
                 : db_exec(db, e,
                           "INSERT INTO broadcast_part (broadcast_id, contact_id, lead_id, state,"
                           " reason, mailbox, zone, rank) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
                           "iiosssii", p->broadcast, p->contact, p->lead,
                           p->reason ? "left_out" : "waiting", p->reason, p->mailbox, p->zone,
                           p->rank);
}

int part_next(struct db *db, int64_t broadcast, int64_t zone, int64_t rank_to, json_t **out,
              struct err *e)
{
    return first_of(db_query(db,
                             "SELECT " PART " FROM broadcast_part WHERE broadcast_id = $1 AND"
                             " zone = $2 AND rank <= $3 AND state = 'waiting' ORDER BY rank LIMIT 1",
                             "iii", broadcast, zone, rank_to),
                    part_read, out, e);
}

int part_double(struct db *db, int64_t broadcast, const char *mailbox, int64_t contact,
                int64_t *other_out, struct err *e)
{
    return db_get_int(db, e, other_out, 0,
                      "SELECT contact_id FROM broadcast_part WHERE mailbox = $1 AND"
                      " +broadcast_id = $2 AND contact_id <> $3 AND"
                      " state <> 'left_out' LIMIT 1",
                      "sii", mailbox, broadcast, contact);
}

int part_leave_out(struct db *db, int64_t broadcast, int64_t contact, const char *reason,
                   struct err *e)
{
    return db_exec(db, e,
                   "UPDATE broadcast_part SET state = 'left_out', reason = $3 WHERE"
                   " broadcast_id = $1 AND contact_id = $2",
                   "iis", broadcast, contact, reason);
}

int part_move(struct db *db, int64_t broadcast, int64_t contact, int64_t zone, struct err *e)
{
    return db_exec(db, e,
                   "UPDATE broadcast_part SET zone = $3 WHERE broadcast_id = $1 AND contact_id = $2",
                   "iii", broadcast, contact, zone);
}

int part_made(struct db *db, int64_t broadcast, int64_t contact, int64_t variant, bool test,
              int64_t outbox, int64_t now_ms, struct err *e)
{
    return db_exec(db, e,
                   "UPDATE broadcast_part SET state = 'made', variant = $3, test = $4,"
                   " outbox_id = $5, made_ms = $6 WHERE broadcast_id = $1 AND contact_id = $2",
                   "iiiiii", broadcast, contact, variant, (int64_t)test, outbox, now_ms);
}

static json_t *settled_read(struct db_rows *r)
{
    return json_pack("{s:I, s:I, s:s, s:I, s:s}", "broadcast_id", db_int(r, 0), "contact_id",
                     db_int(r, 1), "state", db_text(r, 2), "done_ms", db_int(r, 3), "reply",
                     db_text(r, 4) ? db_text(r, 4) : "");
}

#define SETTLED                                                                                    \
    "SELECT p.broadcast_id, p.contact_id, o.state, coalesce(o.done_ms, 0), o.reply FROM"           \
    " broadcast_part p JOIN outbox o ON o.id = p.outbox_id WHERE o.done_ms IS NOT NULL AND "

/* What came back was sent before, and its row of the outbox says so (bounce.c). */
static int part_settle(struct db *db, const json_t *row, struct err *e)
{
    const char *state = json_get_str(row, "state", "");
    return db_exec(db, e,
                   "UPDATE broadcast_part SET"
                   " sent_ms = CASE WHEN $3 = 'sent' OR $5 LIKE 'bounced:%' THEN"
                   "  coalesce(sent_ms, $4) ELSE sent_ms END,"
                   " bounced_ms = CASE WHEN $5 LIKE 'bounced:%' THEN $4 END,"
                   " state = $3, reason = $5"
                   " WHERE broadcast_id = $1 AND contact_id = $2 AND state <> 'left_out'",
                   "iisis", json_get_int(row, "broadcast_id", 0), json_get_int(row, "contact_id", 0),
                   state, json_get_int(row, "done_ms", 0),
                   strcmp(state, "failed") == 0 ? json_get_str(row, "reply", NULL) : NULL);
}

int part_sync(struct db *db, int64_t broadcast, int64_t contact, struct err *e)
{
    size_t i;
    json_t *row;
    struct db_rows *r = broadcast
                            ? db_query(db, SETTLED "+p.broadcast_id = $1 AND p.state = 'made'", "i", broadcast)
                            : db_query(db, SETTLED "p.contact_id = $1 AND p.state <> o.state AND"
                                           " p.state <> 'left_out'", "i", contact);
    AUTO_JSON json_t *rows = rows_all(r, settled_read, e);
    if (!rows)
        return -1;
    json_array_foreach(rows, i, row)
        if (part_settle(db, row, e) < 0)
            return -1;
    return 0;
}

int part_any_made(struct db *db, int64_t broadcast, bool *yes_out, struct err *e)
{
    return db_has(db, e, yes_out,
                  "SELECT 1 FROM broadcast_part WHERE broadcast_id = $1 AND outbox_id IS NOT NULL"
                  " LIMIT 1",
                  "i", broadcast);
}

int broadcast_forget(struct db *db, int64_t id, struct err *e)
{
    return db_exec(db, e, "DELETE FROM broadcast_part WHERE broadcast_id = $1", "i", id) < 0 ||
                   db_exec(db, e, "DELETE FROM broadcast_zone WHERE broadcast_id = $1", "i", id) < 0
               ? -1
               : db_exec(db, e, "DELETE FROM broadcast WHERE id = $1", "i", id);
}

int part_count_made(struct db *db, int64_t broadcast, int64_t *out, struct err *e)
{
    return db_get_int(db, e, out, 0,
                      "SELECT count(*) FROM broadcast_part WHERE +broadcast_id = $1 AND state = 'made'",
                      "i", broadcast);
}

static json_t *id_read(struct db_rows *r)
{
    return json_integer(db_int(r, 0));
}

json_t *part_made_rows(struct db *db, int64_t broadcast, struct err *e)
{
    return rows_all(db_query(db,
                             "SELECT outbox_id FROM broadcast_part WHERE +broadcast_id = $1 AND"
                             " state = 'made'",
                             "i", broadcast),
                    id_read, e);
}

static json_t *open_read(struct db_rows *r)
{
    json_t *j = json_pack("{s:I, s:s, s:s}", "broadcast_id", db_int(r, 0), "broadcast",
                          db_text(r, 1), "state", db_text(r, 3));
    put_ms(j, "outbox_id", r, 2);
    return j;
}

json_t *part_open_of_contact(struct db *db, int64_t contact, struct err *e)
{
    return rows_all(db_query(db,
                             "SELECT p.broadcast_id, b.name, p.outbox_id, p.state FROM broadcast_part p"
                             " JOIN broadcast b ON b.id = p.broadcast_id WHERE p.contact_id = $1"
                             " AND (p.state = 'waiting' OR p.state = 'made')",
                             "i", contact),
                    open_read, e);
}

/* The column is written once, so several of a kind are one. */
#define MARK(column)                                                                               \
    "UPDATE broadcast_part SET " column " = $3 WHERE broadcast_id = $1 AND contact_id = $2 AND "   \
    column " IS NULL"

int part_mark(struct db *db, int64_t broadcast, int64_t contact, enum part_mark which,
              int64_t now_ms, struct err *e)
{
    switch (which) {
    case PART_BOUNCED:
        return db_exec(db, e, MARK("bounced_ms"), "iii", broadcast, contact, now_ms);
    case PART_REPLIED:
        return db_exec(db, e, MARK("replied_ms"), "iii", broadcast, contact, now_ms);
    case PART_UNSUBSCRIBED:
        return db_exec(db, e, MARK("unsubscribed_ms"), "iii", broadcast, contact, now_ms);
    case PART_WON:
        break;
    }
    return db_exec(db, e, MARK("won_ms"), "iii", broadcast, contact, now_ms);
}

int part_mark_last(struct db *db, int64_t contact, enum part_mark which, int64_t since_ms,
                   int64_t now_ms, struct err *e)
{
    int64_t last;
    if (db_get_int(db, e, &last, 0,
                   "SELECT broadcast_id FROM broadcast_part WHERE contact_id = $1 AND sent_ms > $2"
                   " ORDER BY sent_ms DESC, broadcast_id DESC LIMIT 1",
                   "ii", contact, since_ms) < 0)
        return -1;
    return last ? part_mark(db, last, contact, which, now_ms, e) : 0;
}

int part_recent(struct db *db, int64_t broadcast, int64_t contact, int64_t since_ms, bool *yes_out,
                struct err *e)
{
    return db_has(db, e, yes_out,
                  "SELECT 1 FROM broadcast_part WHERE contact_id = $1 AND broadcast_id <> $2 AND"
                  " made_ms > $3 AND state <> 'left_out' LIMIT 1",
                  "iii", contact, broadcast, since_ms);
}

static json_t *count_read(struct db_rows *r)
{
    json_t *j = json_pack("{s:I, s:I, s:s, s:I, s:I, s:I, s:I, s:I, s:I}", "variant", db_int(r, 0),
                          "test", db_int(r, 1), "state", db_text(r, 2), "n", db_int(r, 4),
                          "sent", db_int(r, 5), "bounced", db_int(r, 6), "replied",
                          db_int(r, 7), "unsubscribed", db_int(r, 8), "won", db_int(r, 9));
    json_put_str(j, "reason", db_text(r, 3));
    return j;
}

json_t *part_counts(struct db *db, int64_t broadcast, struct err *e)
{
    return rows_all(db_query(db,
                             "SELECT variant, test, state, reason, count(*),"
                             " count(sent_ms), count(bounced_ms),"
                             " count(replied_ms), count(unsubscribed_ms), count(won_ms)"
                             " FROM broadcast_part WHERE broadcast_id = $1"
                             " GROUP BY variant, test, state, reason"
                             " ORDER BY variant, test, state, count(*) DESC",
                             "i", broadcast),
                    count_read, e);
}

static json_t *held_read(struct db_rows *r)
{
    return json_pack("{s:s, s:I}", "reason", db_text(r, 0), "number", db_int(r, 1));
}

json_t *part_held(struct db *db, int64_t broadcast, struct err *e)
{
    return rows_all(db_query(db,
                             "SELECT coalesce(o.reply, ''), count(*) FROM broadcast_part p JOIN outbox o"
                             " ON o.id = p.outbox_id WHERE +p.broadcast_id = $1 AND p.state = 'made'"
                             " AND o.state = 'held' GROUP BY 1 ORDER BY 2 DESC",
                             "i", broadcast),
                    held_read, e);
}

json_t *part_list(struct db *db, int64_t broadcast, const char *state, int64_t after, int64_t limit,
                  struct err *e)
{
    return rows_all(db_query(db,
                             "SELECT " PART " FROM broadcast_part WHERE broadcast_id = $1 AND"
                             " contact_id > $3 AND (CAST($2 AS TEXT) IS NULL OR state = $2)"
                             " ORDER BY contact_id LIMIT $4",
                             "isii", broadcast, state, after, limit),
                    part_read, e);
}

/* ---- what is going on with a contact --------------------------------------------------- */

int broadcast_talk(struct db *db, int64_t contact, int64_t since_ms, int64_t now_ms,
                   const char **why_out, struct err *e)
{
    static const char *const why[] = {NULL, "has an open case", "has written or was written to",
                                      "a meeting is ahead"};
    int64_t n;
    if (db_get_int(db, e, &n, 0,
                   "SELECT CASE"
                   " WHEN EXISTS (SELECT 1 FROM support_case WHERE contact_id = $1 AND"
                   "  status <> 'closed' AND deleted_ms IS NULL) THEN 1"
                   " WHEN EXISTS (SELECT 1 FROM lead WHERE contact_id = $1 AND deleted_ms IS NULL AND"
                   "  (last_in_ms > $2 OR said_ms > $2)) THEN 2"
                   " WHEN EXISTS (SELECT 1 FROM activity WHERE contact_id = $1 AND lead_id IS NULL"
                   "  AND case_id IS NULL AND direction = 'in' AND at_ms > $2) THEN 2"
                   " WHEN EXISTS (SELECT 1 FROM activity a JOIN lead l ON a.lead_id = l.id WHERE"
                   "  l.contact_id = $1 AND a.kind = 'meeting' AND a.at_ms > $3 AND"
                   "  a.deleted_ms IS NULL) THEN 3"
                   " WHEN EXISTS (SELECT 1 FROM activity WHERE contact_id = $1 AND lead_id IS NULL"
                   "  AND case_id IS NULL AND kind = 'meeting' AND at_ms > $3 AND"
                   "  deleted_ms IS NULL) THEN 3 ELSE 0 END",
                   "iii", contact, since_ms, now_ms) < 0)
        return -1;
    *why_out = why[n];
    return 0;
}
