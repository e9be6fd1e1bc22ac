/* SPDX-License-Identifier: ISC
 *
 * ctl_mailbox - quarantine, mailbox list, preview and refetch, reconcile
 *
 * reconcile asks the server what it holds and compares with the ledger: what
 * is there without a row is missing, whatever the cursor says (promise 1).
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/bounds.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"
#include "engine/alive.h"
#include "engine/asks.h"
#include "engine/ctl.h"
#include "store/confirmation.h"
#include "store/ledger.h"

#define MISSING_SHOWN 100

/* ---- quarantine ------------------------------------------------------------- */

static json_t *quarantine_cmd_list(struct ctl *c, struct err *e)
{
    size_t i;
    json_t *row, *rows = quarantine_list(c->eng->db, 1000, e);
    if (!rows)
        return NULL;
    json_array_foreach(rows, i, row) {
        char stamp[32];
        AUTO_FREE char *q = mem_printf("Q%" PRId64, json_get_int(row, "id", 0));
        json_put_str(row, "q", q);
        json_put_str(row, "at",
                     clock_format_utc(json_get_int(row, "at_ms", 0), stamp, sizeof(stamp)));
    }
    return ctl_table(rows, "q ID|at SINCE|source SOURCE|key KEY|size SIZE|attempts TRIES|"
                           "reason REASON");
}

/* What `quarantine retry` does with it. */
static const char *retry_tells(const char *kind)
{
    static const struct {
        const char *kind, *words;
    } all[] = {
        {"mail", "it is read again and filed"},
        {"form", "it is filed as it came, whatever was thought of it"},
        {"hook", "its signature is verified again, with the secrets of today; then it is processed"},
        {QUARANTINE_UNCONFIRMED, "it is filed now, without a proof of the address; the link of the mail "
                                 "that asked stays valid and adds it"},
    };
    for (size_t i = 0; i < ARRAY_LEN(all); i++)
        if (strcmp(kind, all[i].kind) == 0)
            return all[i].words;
    return "it goes the same way again";
}

static json_t *quarantine_cmd_show(struct ctl *c, int64_t id, struct err *e)
{
    const char *key;
    json_t *v, *fields;
    size_t n = 0;
    AUTO_JSON json_t *q = quarantine_get(c->eng->db, id, e);
    AUTO_FREE char *raw = q ? quarantine_raw(c->eng->db, id, &n, e) : NULL;
    if (!raw)
        return NULL;
    fields = json_array();
    json_object_foreach(q, key, v)
        json_array_append_new(fields, json_pack("[s, O]", key, v));
    json_array_append_new(fields, json_pack("[s, s]", "retry", retry_tells(json_get_str(q, "kind", ""))));
    struct buf text AUTO_BUF;
    buf_init(&text, 256 * 1024);
    text_add_utf8(&text, raw, n < 64 * 1024 ? n : 64 * 1024);
    return json_pack("{s:o, s:[{s:s, s:s}]}", "fields", fields, "sections", "title",
                     n > 64 * 1024 ? "The first 64 KB" : "As it came", "text", text.data);
}

struct item *item_of_quarantine(struct engine *eng, int64_t id, struct err *e)
{
    size_t n = 0;
    AUTO_JSON json_t *q = quarantine_get(eng->db, id, e);
    char *raw = q ? quarantine_raw(eng->db, id, &n, e) : NULL;
    if (!raw)
        return NULL;
    const char *kind = json_get_str(q, "kind", "");
    bool hook = strcmp(kind, "hook") == 0, mail = strcmp(kind, "mail") == 0;
    json_t *meta = json_object_get(q, "meta");
    struct item *it = item_new(mail ? ITEM_MAIL : ITEM_FRAME, NULL);
    it->frame.type = hook ? FRAME_HOOK : mail ? FRAME_MAIL : FRAME_FORM;
    it->frame.json = json_incref(meta);
    it->frame.raw = raw;
    it->frame.raw_len = n;
    it->peer_name = mem_str(json_get_str(meta, "peer", "ingest"));
    it->quarantine = id;
    return it;
}

/* The bytes go the same way again; the row stays until they are filed. */
static json_t *quarantine_cmd_retry(struct ctl *c, int64_t id, struct err *e)
{
    AUTO_JSON json_t *q = quarantine_get(c->eng->db, id, e);
    struct item *it = q ? item_of_quarantine(c->eng, id, e) : NULL;
    if (!it)
        return NULL;
    if (it->kind == ITEM_MAIL)
        parsing_add(c->eng, it);
    else
        engine_queue(c->eng, it);
    return ctl_text("Q%" PRId64 " is tried again: %s. leadctl quarantine list%s shows whether it is "
                    "still there", id, retry_tells(json_get_str(q, "kind", "")),
                    strcmp(json_get_str(q, "kind", ""), QUARANTINE_UNCONFIRMED) == 0 ? " unconfirmed" : "");
}

static json_t *quarantine_cmd_drop(struct ctl *c, int64_t id, struct err *e)
{
    AUTO_JSON json_t *q = quarantine_get(c->eng->db, id, e);
    if (!q)
        return NULL;
    AUTO_FREE char *why = mem_printf("dropped by %s: %s", c->user, json_get_str(q, "reason", ""));
    if (ledger_settle(c->eng->db, json_get_int(q, "ledger", 0), "ignored", why, 0, e) < 0 ||
        quarantine_remove(c->eng->db, id, e) < 0)
        return NULL;
    return ctl_text("Q%" PRId64 " dropped", id);
}

static void put_time(json_t *row, const char *to, const char *from)
{
    char stamp[32];
    json_put_str(row, to, clock_format_utc(json_get_int(row, from, 0), stamp, sizeof(stamp)));
}

/* Forms that wait until their sender confirms his address. */
static json_t *quarantine_cmd_unconfirmed(struct ctl *c, struct err *e)
{
    size_t i;
    json_t *row, *rows = confirmation_list(c->eng->db, 1000, e);
    if (!rows)
        return NULL;
    json_array_foreach(rows, i, row) {
        AUTO_FREE char *q = mem_printf("Q%" PRId64, json_get_int(row, "id", 0));
        json_put_str(row, "q", q);
        json_put_str(row, "mail", json_get_int(row, "asked_ms", 0) ? "sent" : "not sent");
        if (json_get_int(row, "ask_ms", 0))
            put_time(row, "mail", "ask_ms");
        put_time(row, "at", "at_ms");
        put_time(row, "until", "until_ms");
    }
    return ctl_table(rows, "q ID|at SINCE|until UNTIL|form FORM|value ADDRESS|remote FROM|mail MAIL");
}

json_t *ctl_quarantine(struct ctl *c, struct err *e)
{
    int64_t id;
    const char *verb = c->argv[1], *q = c->argc > 2 ? c->argv[2] : "";
    if (strcmp(verb, "list") == 0 && strcmp(q, "unconfirmed") == 0)
        return quarantine_cmd_unconfirmed(c, e);
    if (strcmp(verb, "list") == 0)
        return quarantine_cmd_list(c, e);
    if (text_parse_int(*q == 'Q' || *q == 'q' ? q + 1 : q, &id) < 0) {
        err_set(e, ERR_INPUT, "expected: quarantine %s Q3, as in quarantine list", verb);
        return NULL;
    }
    if (strcmp(verb, "show") == 0)
        return quarantine_cmd_show(c, id, e);
    if (strcmp(verb, "retry") == 0)
        return quarantine_cmd_retry(c, id, e);
    if (strcmp(verb, "drop") == 0)
        return quarantine_cmd_drop(c, id, e);
    err_set(e, ERR_INPUT, "quarantine %s: expected list, show, retry or drop", verb);
    return NULL;
}

/* ---- asking the intakes -------------------------------------------------------- */

/* Is there such a mailbox in the config? Names those that are, when not. */
static int mailbox_known(struct ctl *c, const char *name, struct err *e)
{
    json_t *boxes = json_get_obj(c->eng->role->config, "mailboxes"), *v;
    const char *key;
    struct buf all AUTO_BUF;
    buf_init(&all, 64 * 1024);
    if (json_object_get(boxes, name))
        return 0;
    json_object_foreach(boxes, key, v)
        buf_printf(&all, "%s%s", all.len ? ", " : "", key);
    return err_set(e, ERR_INPUT, "no mailbox \"%s\"; there is: %.400s", name,
                   all.len ? all.data : "none at all");
}

/* Every mailbox of the config: one that does not run must not look like one in order. */
static json_t *ask_intakes(struct ctl *c, const char *what, enum frame_type type,
                           enum frame_type answer, const char *only, struct err *e)
{
    const char *name;
    json_t *box;
    if (only && mailbox_known(c, only, e) < 0)
        return NULL;
    struct ask *a = ask_new(c->eng, c->it, what);
    json_object_foreach(json_get_obj(c->eng->role->config, "mailboxes"), name, box) {
        AUTO_FREE char *full = mem_printf("intake:%s", name);
        struct peer *p = peer_by_name(c->eng, full);
        if (only && strcmp(name, only) != 0)
            continue;
        if (!p) {
            ask_add(a, json_pack("{s:s, s:s}", "mailbox", name, "error",
                                 "it is not running now; ask again"));
            continue;
        }
        ask_expect(a, p->serial, answer);
        chan_send_json(p->chan, type, a->id, NULL);
    }
    if (a->owed_count == 0 && json_array_size(a->parts) == 0)
        ask_add(a, json_pack("{s:s, s:s}", "mailbox", "-", "error", "there is no mailbox"));
    ask_asked(a);
    return NULL;
}

json_t *ctl_reconcile(struct ctl *c, struct err *e)
{
    return ask_intakes(c, "reconcile", FRAME_LIST, FRAME_LISTED, c->argc > 1 ? c->argv[1] : NULL, e);
}

static json_t *mailbox_cmd_list(struct ctl *c)
{
    const char *name;
    json_t *box, *rows = json_array();
    json_object_foreach(json_get_obj(c->eng->role->config, "mailboxes"), name, box) {
        AUTO_FREE char *full = mem_printf("intake:%s", name);
        struct peer *p = peer_by_name(c->eng, full);
        json_array_append_new(
            rows, json_pack("{s:s, s:s, s:s, s:s, s:s}", "name", name, "type",
                            json_get_str(box, "type", ""), "where",
                            json_get_str(box, "host", json_get_str(box, "path", "")), "state",
                            p ? json_get_str(p->state, "state", "starting") : "not running",
                            "error", p ? json_get_str(p->state, "error", "") : ""));
    }
    return ctl_table(rows, "name MAILBOX|type TYPE|where WHERE|state STATE|error ERROR");
}

static json_t *mailbox_cmd_refetch(struct ctl *c, struct err *e)
{
    AUTO_FREE char *full = mem_printf("intake:%s", c->argc > 2 ? c->argv[2] : "");
    struct peer *p = peer_by_name(c->eng, full);
    json_t *box = json_get_obj(json_get_obj(c->eng->role->config, "mailboxes"),
                               c->argc > 2 ? c->argv[2] : "");
    if (!p || c->argc < 4) {
        err_set(e, ERR_INPUT, "expected: mailbox refetch NAME [FOLDER] UID|FILE ... with a mailbox "
                "that runs");
        return NULL;
    }
    AUTO_JSON json_t *ask = json_object();
    json_t *list = json_array();
    bool imap = strcmp(json_get_str(box, "type", ""), "imap") == 0;
    int first = 3;
    int64_t uid;
    if (imap && text_parse_int(c->argv[3], &uid) < 0)
        first = 4;
    json_put_str(ask, "folder", first == 4 ? c->argv[3] : "INBOX");
    json_object_set_new(ask, imap ? "uids" : "names", list);
    for (int i = first; i < c->argc; i++) {
        if (imap && text_parse_int(c->argv[i], &uid) < 0) {
            err_set(e, ERR_INPUT, "\"%s\" is no UID", c->argv[i]);
            return NULL;
        }
        json_array_append_new(list, imap ? json_integer(uid) : json_string(c->argv[i]));
    }
    chan_send_json(p->chan, FRAME_REFETCH, 0, ask);
    return ctl_text("asked for %zu message(s); what is not in the ledger is filed",
                    json_array_size(list));
}

static json_t *mailbox_cmd_status(struct ctl *c, struct err *e)
{
    int alarms;
    json_t *rows = alive_rows(c->eng, &alarms, e);
    if (!rows)
        return NULL;
    c->exit = alarms > 0;
    return ctl_table(rows, "name MAILBOX|state STATE|heard LAST HEARD|mail LAST MAIL|probe PROBE|"
                           "token_ends TOKEN ENDS|alarm ALARM|error ERROR");
}

json_t *ctl_mailbox(struct ctl *c, struct err *e)
{
    if (strcmp(c->argv[1], "status") == 0)
        return mailbox_cmd_status(c, e);
    if (strcmp(c->argv[1], "list") == 0)
        return mailbox_cmd_list(c);
    if (strcmp(c->argv[1], "preview") == 0 && c->argc == 3)
        return ask_intakes(c, "preview", FRAME_PREVIEW, FRAME_PREVIEWED, c->argv[2], e);
    if (strcmp(c->argv[1], "refetch") == 0)
        return mailbox_cmd_refetch(c, e);
    err_set(e, ERR_INPUT, "expected: mailbox list, status, preview NAME or refetch NAME ...");
    return NULL;
}

json_t *ctl_preview_answer(const json_t *parts, int *exit_out)
{
    size_t i, k;
    json_t *part, *f, *rows = json_array();
    json_array_foreach((json_t *)parts, i, part) {
        const char *error = json_get_str(part, "error", NULL);
        if (error) {
            *exit_out = 1;
            json_array_append_new(rows, json_pack("{s:s, s:s}", "folder",
                                                  json_get_str(part, "mailbox", ""), "note", error));
        }
        json_array_foreach(json_get_arr(part, "folders"), k, f) {
            char a[32], b[32];
            int64_t first = json_get_int(f, "first_ms", 0), last = json_get_int(f, "last_ms", 0);
            const char *refused = json_get_str(f, "error", NULL);
            if (refused)
                *exit_out = 1;
            json_put_str(f, "note", refused);
            json_put_str(f, "first", first ? clock_format_utc(first, a, sizeof(a)) : "");
            json_put_str(f, "last", last ? clock_format_utc(last, b, sizeof(b)) : "");
            json_array_append(rows, f);
        }
    }
    return ctl_table(rows, "folder FOLDER|messages MESSAGES|older LEFT ALONE|newer WOULD BE TAKEN|"
                           "first OLDEST|last NEWEST|bytes BYTES|note NOTE");
}

/* ---- reconcile ---------------------------------------------------------------- */

struct tally {
    int64_t there, filed, ignored, quarantined, missing;
    bool cut; /* there is more than is compared */
    json_t *missing_keys; /* own */
};

/* state: of its row in the ledger; empty: there is none. */
static void tally_state(struct tally *t, const char *key, const char *state)
{
    t->there++;
    if (!*state) {
        if (t->missing++ < MISSING_SHOWN)
            json_array_append_new(t->missing_keys, json_string(key));
    } else if (strcmp(state, "filed") == 0) {
        t->filed++;
    } else if (strcmp(state, "ignored") == 0) {
        t->ignored++;
    } else {
        t->quarantined++;
    }
}

static void tally_key(struct tally *t, const json_t *keys, const char *key)
{
    tally_state(t, key, json_get_str(keys, key, ""));
}

/* "1:5,9": UIDs from start on. */
static void tally_uids(struct tally *t, const json_t *keys, const char *set, int64_t start)
{
    while (*set) {
        char *end, key[24];
        long long a = strtoll(set, &end, 10), b = a;
        if (end == set)
            return;
        if (*end == ':')
            b = strtoll(end + 1, &end, 10);
        for (long long u = a < start ? start : a; u <= b && u <= UINT32_MAX && !t->cut; u++) {
            snprintf(key, sizeof(key), "%lld", u);
            tally_key(t, keys, key);
            t->cut = t->there >= BOUND_RECONCILE_UIDS; /* no server has that many */
        }
        set = *end == ',' ? end + 1 : end;
        if (*end && *end != ',')
            return;
    }
}

static json_t *tally_row(struct tally *t, const char *source)
{
    return json_pack("{s:s, s:I, s:I, s:I, s:I, s:I, s:o}", "source", source, "there", t->there,
                     "filed", t->filed, "ignored", t->ignored, "quarantined", t->quarantined,
                     "missing", t->missing, "missing_keys", t->missing_keys);
}

static json_t *reconcile_folder(struct engine *eng, const char *mailbox, const json_t *f)
{
    AUTO_FREE char *source = mem_printf("imap:%s/%s", mailbox, json_get_str(f, "folder", "INBOX"));
    const char *error = json_get_str(f, "error", NULL);
    if (error)
        return json_pack("{s:s, s:s}", "source", source, "note", error);
    struct tally t = {.missing_keys = json_array()};
    struct source_cursor c = {0};
    AUTO_JSON json_t *keys =
        ledger_keys(eng->db, source, json_get_int(f, "uidvalidity", 0), NULL);
    if (source_cursor_get(eng->db, source, &c, NULL) == 0 && keys)
        tally_uids(&t, keys, json_get_str(f, "uids", ""), c.start_uid);
    json_t *row = tally_row(&t, source);
    json_put_bool(row, "cut", t.cut);
    return row;
}

/* Adds one row to another of the same source. */
static void row_add(json_t *sum, const json_t *row)
{
    static const char *const counts[] = {"there",       "filed",   "ignored",
                                         "quarantined", "missing", "left_alone"};
    size_t i;
    json_t *key, *keys = json_get_arr(sum, "missing_keys");
    for (i = 0; i < ARRAY_LEN(counts); i++)
        json_put_int(sum, counts[i],
                     json_get_int(sum, counts[i], 0) + json_get_int(row, counts[i], 0));
    json_array_foreach(json_get_arr(row, "missing_keys"), i, key)
        if (json_array_size(keys) < MISSING_SHOWN)
            json_array_append(keys, key);
}

/* The names of one LISTED frame of a Maildir are compared as it comes, so that a large
 * one takes neither much memory nor long. A file that intake cannot hand over has no
 * row: it is missing, too. */
json_t *ctl_reconcile_names(struct engine *eng, const char *mailbox, const json_t *listed,
                            struct err *e)
{
    struct tally t = {.missing_keys = json_array()};
    int64_t left_alone = json_get_int(listed, "left_alone", 0);
    size_t i;
    json_t *name;
    char state[16];
    AUTO_FREE char *source = mem_printf("maildir:%s", mailbox);
    json_array_foreach(json_get_arr(listed, "names"), i, name) {
        if (!json_is_string(name))
            continue;
        if (ledger_state(eng->db, source, 0, json_string_value(name), state, e) < 0) {
            json_decref(t.missing_keys);
            return NULL;
        }
        tally_state(&t, json_string_value(name), state);
    }
    t.there += left_alone;
    t.missing += left_alone;
    json_t *row = tally_row(&t, source);
    json_put_int(row, "left_alone", left_alone);
    return json_pack("{s:s, s:o}", "mailbox", mailbox, "row", row);
}

void ctl_reconcile_merge(json_t *into, const json_t *part)
{
    row_add(json_get_obj(into, "row"), json_get_obj(part, "row"));
}

static char *reconcile_note(const json_t *row)
{
    int64_t odd = json_get_int(row, "left_alone", 0);
    if (json_get_bool(row, "cut", false))
        return mem_printf("only the first %d are compared: the list is too long to be true",
                          BOUND_RECONCILE_UIDS);
    AUTO_FREE char *keys = json_dumps(json_object_get(row, "missing_keys"), JSON_COMPACT);
    AUTO_FREE char *lost = json_get_int(row, "missing", 0) > odd
                               ? mem_printf("missing %s: leadctl mailbox refetch", keys)
                               : mem_str("");
    if (odd == 0)
        return mem_str(lost);
    return mem_printf("%s%s%" PRId64 " left alone: not a file, or a name that is not text; rename",
                      lost, *lost ? "; " : "", odd);
}

json_t *ctl_reconcile_answer(struct engine *eng, const json_t *parts, int *exit_out)
{
    size_t i, k;
    json_t *part, *f, *row, *rows = json_array();
    json_array_foreach((json_t *)parts, i, part) {
        const char *box = json_get_str(part, "mailbox", "?"),
                   *error = json_get_str(part, "error", NULL);
        if (error) {
            *exit_out = 75;
            json_array_append_new(rows, json_pack("{s:s, s:s}", "source", box, "note", error));
        }
        json_array_foreach(json_get_arr(part, "folders"), k, f) {
            if (json_get_str(f, "error", NULL))
                *exit_out = 75;
            json_array_append_new(rows, reconcile_folder(eng, box, f));
        }
        if (json_get_obj(part, "row"))
            json_array_append(rows, json_get_obj(part, "row"));
    }
    json_array_foreach(rows, i, row) {
        if (json_get_int(row, "missing", 0) == 0)
            continue;
        *exit_out = 1;
        AUTO_FREE char *note = reconcile_note(row);
        json_put_str(row, "note", note);
    }
    return ctl_table(rows, "source SOURCE|there ON THE SERVER|filed FILED|ignored IGNORED|"
                           "quarantined QUARANTINED|missing MISSING|note NOTE");
}
