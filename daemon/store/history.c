/* SPDX-License-Identifier: ISC
 *
 * history - see history.h
 */
#include "store/history.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "store/ledger.h"
#include "store/message.h"

struct history {
    struct db *db;
    struct db_rows *rows; /* own */
};

struct history *history_new(struct db *db, int64_t from_ms, int64_t to_ms)
{
    struct history *h = mem_alloc(sizeof(*h));
    h->db = db;
    h->rows = db_query(db,
                       "SELECT id, at_ms, cause, contact_id, lead_id, case_id, body, personal "
                       "FROM journal WHERE at_ms >= $1 AND at_ms < $2 "
                       "AND cause NOT LIKE 'mail out %' ORDER BY id",
                       "ii", from_ms, to_ms);
    return h;
}

void history_free(struct history **hp)
{
    struct history *h = *hp;
    struct err e = {0};
    *hp = NULL;
    if (!h)
        return;
    if (h->rows)
        (void)!db_done(&h->rows, &e);
    mem_free(h);
}

void history_item_done(struct history_item *it)
{
    json_decref(it->json);
    mem_free(it->line);
    mem_free(it->actor);
    *it = (struct history_item){0};
}

int history_size(struct db *db, int64_t to_ms, int64_t *rows_out, struct err *e)
{
    return db_get_int(db, e, rows_out, 0, "SELECT count(*) FROM journal WHERE at_ms < $1", "i",
                      to_ms);
}

int history_start(struct db *db, int64_t *ms_out, struct err *e)
{
    return db_get_int(db, e, ms_out, 0, "SELECT at_ms FROM journal ORDER BY id LIMIT 1", "");
}

/* ---- one row -------------------------------------------------------------------- */

/* "mail M12 from SOURCE", "form NAME M12", "bounce M12 of mail 17", "complaint ..". */
bool history_of_cause(const char *cause, struct history_item *it)
{
    const char *m;
    if (sscanf(cause, "mail M%" SCNd64 " from %299[^\n]", &it->message, it->source) == 2) {
        it->kind = HISTORY_MAIL;
        return true;
    }
    if (sscanf(cause, "bounce M%" SCNd64 " of mail %" SCNd64, &it->message, &it->outbox) == 2 ||
        sscanf(cause, "complaint M%" SCNd64 " of mail %" SCNd64, &it->message, &it->outbox) == 2) {
        it->kind = HISTORY_BOUNCE;
        return true;
    }
    if (!text_starts(cause, "form ") || !(m = strrchr(cause, ' ')) || m[1] != 'M')
        return false;
    it->kind = HISTORY_FORM;
    it->message = strtoll(m + 2, NULL, 10);
    return it->message > 0;
}

/* A change without a field is the making of the record it is of. */
static void created_note(struct history_item *it, const json_t *command)
{
    static const char letters[] = "KDT";
    size_t i;
    json_t *change;
    json_array_foreach(json_get_arr(command, "changes"), i, change) {
        const char *of = json_get_str(change, "of", ""), *p = *of ? strchr(letters, *of) : NULL;
        if (p && !json_object_get(change, "f") && it->created[p - letters] == 0)
            it->created[p - letters] = strtoll(of + 1, NULL, 10);
    }
}

/* "anna: L42 assign bert", "anna: present anna"; "anna by mail M12: #assign", where the
 * record stands in the body. */
static void cause_record(const char *words, const json_t *body, const char *line,
                         struct history_item *it)
{
    if (*words == '#')
        snprintf(it->record, sizeof(it->record), "%s", json_get_str(body, "record", ""));
    else if (strcmp(words, line) != 0)
        snprintf(it->record, sizeof(it->record), "%.*s", (int)strcspn(words, " "), words);
}

/* What a person said is the first command of the row. */
static bool cause_command(const char *cause, const char *body_text, const char *personal_text,
                          struct history_item *it)
{
    AUTO_JSON json_t *body = json_loads(body_text, 0, NULL);
    const json_t *command = json_array_get(json_get_arr(body, "commands"), 0);
    const char *by = json_get_str(command, "by", ""), *line = json_get_str(command, "line", ""),
               *colon = strstr(cause, ": ");
    it->by_user = strcmp(by, "user") == 0;
    if (!colon || (!it->by_user && strcmp(by, "operator") != 0))
        return false;
    AUTO_JSON json_t *personal = personal_text ? json_loads(personal_text, 0, NULL) : NULL;
    line = json_get_str(personal, "line:0", line);
    cause_record(colon + 2, body, line, it);
    it->line = mem_str(line);
    it->actor = mem_str(json_get_str(command, "actor", it->by_user ? "" : "operator"));
    it->kind = HISTORY_COMMAND;
    created_note(it, command);
    return true;
}

/* The message, when the server had it, and what proved it. */
static int message_load(struct history *h, struct history_item *it, const char *body_text,
                        struct err *e)
{
    struct err gone = {0};
    it->json = message_json(h->db, it->message, &gone);
    if (!it->json && gone.cls != ERR_INPUT) {
        *e = gone;
        return -1;
    }
    if (it->kind != HISTORY_MAIL)
        return 0;
    AUTO_JSON json_t *arrivals = ledger_of_message(h->db, it->message, e);
    if (!arrivals)
        return -1;
    it->internal_ms = json_get_int(json_array_get(arrivals, json_array_size(arrivals) - 1),
                                   "internal_ms", 0);
    if (!strstr(body_text, "\"proof\"")) /* it is of no user: most are */
        return 0;
    AUTO_JSON json_t *body = json_loads(body_text, 0, NULL);
    snprintf(it->proof, sizeof(it->proof), "%s", json_get_str(body, "proof", ""));
    it->handed_on = json_get_bool(body, "handed_on", false);
    return 0;
}

int history_next(struct history *h, struct history_item *out, struct err *e)
{
    while (db_step(h->rows)) {
        const char *cause = db_text(h->rows, 2);
        *out = (struct history_item){
            .journal = db_int(h->rows, 0),
            .at_ms = db_int(h->rows, 1),
            .contact = db_int(h->rows, 3),
            .lead = db_int(h->rows, 4),
            .kase = db_int(h->rows, 5),
        };
        if (history_of_cause(cause, out)) {
            if (message_load(h, out, db_text(h->rows, 6), e) == 0)
                return 1;
            history_item_done(out);
            return -1;
        }
        if (cause_command(cause, db_text(h->rows, 6), db_text(h->rows, 7), out))
            return 1;
    }
    return db_done(&h->rows, e) < 0 ? -1 : 0;
}

/* ---- ids -------------------------------------------------------------------------- */

int history_owner_of(struct db *db, char entity, int64_t id, char *out, size_t n, struct err *e)
{
    static const char deal[] = "SELECT lead_id, 0 FROM deal WHERE id = $1";
    static const char activity[] = "SELECT lead_id, case_id FROM activity WHERE id = $1";
    struct db_rows *r = db_query(db, entity == 'D' ? deal : activity, "i", id);
    *out = '\0';
    if (db_step(r)) {
        int64_t lead = db_int(r, 0), kase = db_int(r, 1);
        if (lead || kase)
            snprintf(out, n, "%c%" PRId64, lead ? 'L' : 'K', lead ? lead : kase);
    }
    return db_done(&r, e);
}

int history_pin(struct db *db, const char *table, int64_t id, struct err *e)
{
    int64_t there;
    if (db_get_int(db, e, &there, -1, "SELECT seq FROM sqlite_sequence WHERE name = $1", "s",
                   table) < 0)
        return -1;
    if (there < 0)
        return db_exec(db, e, "INSERT INTO sqlite_sequence (name, seq) VALUES ($1, $2)", "si",
                       table, id - 1);
    if (there >= id - 1)
        return 0;
    return db_exec(db, e, "UPDATE sqlite_sequence SET seq = $2 WHERE name = $1", "si", table,
                   id - 1);
}

/* By its lead, which has an index; only the few mails of no lead are looked for among all. */
int history_same_mail(struct db *scratch, int64_t scale, struct db *from, int64_t outbox,
                      int64_t *out, struct err *e)
{
    struct db_rows *r =
        db_query(from, "SELECT to_addr, template, created_ms, lead_id FROM outbox WHERE id = $1",
                 "i", outbox);
    struct err end = {0};
    int rc = 0;
    bool there = db_step(r);
    *out = 0;
    if (there && db_int(r, 3))
        rc = db_get_int(scratch, e, out, 0,
                        "SELECT id FROM outbox WHERE lead_id = $4 AND to_addr = $1 AND "
                        "template IS $2 ORDER BY abs(created_ms - $3), id LIMIT 1",
                        "ssii", db_text(r, 0), db_text(r, 1), db_int(r, 2), scale * db_int(r, 3));
    else if (there)
        rc = db_get_int(scratch, e, out, 0,
                        "SELECT id FROM outbox WHERE lead_id IS NULL AND to_addr = $1 AND "
                        "template IS $2 ORDER BY abs(created_ms - $3), id LIMIT 1",
                        "ssi", db_text(r, 0), db_text(r, 1), db_int(r, 2));
    return db_done(&r, rc < 0 ? &end : e) < 0 ? -1 : rc;
}

int history_same_task(struct db *scratch, int64_t scale, struct db *from, int64_t task,
                      int64_t *out, struct err *e)
{
    struct db_rows *r =
        db_query(from, "SELECT title, lead_id, case_id FROM task WHERE id = $1", "i", task);
    struct err end = {0};
    int rc = 0;
    *out = 0;
    if (db_step(r))
        rc = db_get_int(scratch, e, out, 0,
                        "SELECT id FROM task WHERE title = $1 AND lead_id IS $2 AND "
                        "case_id IS $3 ORDER BY id LIMIT 1",
                        "soo", db_text(r, 0), scale * db_int(r, 1), scale * db_int(r, 2));
    return db_done(&r, rc < 0 ? &end : e) < 0 ? -1 : rc;
}
