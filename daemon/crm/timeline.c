/* SPDX-License-Identifier: ISC
 *
 * timeline - what happened to a record, oldest first
 *
 * Mails, forms, notes and calls are activities. What people and rules did is in
 * the journal, one command each: who was assigned, what was won, what was taken
 * back. A command that is an activity itself (a note, a call) stands once, and
 * one that was refused does not stand here: it changed nothing.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "crm/facts.h"
#include "crm/list.h"
#include "crm/merge.h"
#include "crm/render.h"
#include "store/activity.h"
#include "store/journal.h"
#include "store/merged.h"
#include "store/sms.h"

#define TIMELINE_MAX 1000

static json_t *row_new(int64_t at_ms, const char *id, const char *kind, const char *direction)
{
    json_t *row = json_object();
    json_object_set_new(row, "time", crm_time_json(at_ms));
    json_put_str(row, "id", id);
    json_put_str(row, "kind", kind);
    json_put_str(row, "direction", direction);
    return row;
}

static json_t *activity_row(const json_t *rec)
{
    char name[CRM_ID_LEN];
    json_t *row = row_new(json_get_int(rec, "at_ms", 0),
                          crm_id_format(CRM_ACTIVITY, json_get_int(rec, "id", 0), name),
                          json_get_str(rec, "kind", ""), json_get_str(rec, "direction", ""));
    json_put_str(row, "who", json_get_str(rec, "actor", ""));
    json_put_str(row, "text", json_get_str(rec, "text", ""));
    if (strcmp(json_get_str(rec, "kind", ""), "sms") == 0 && json_get_int(rec, "outbox_id", 0))
        json_put_int(row, "out", json_get_int(rec, "outbox_id", 0));
    return row;
}

/* What became of a text that left, behind its words. */
static int delivery_tell(struct db *db, json_t *row, struct err *e)
{
    json_t *found = NULL;
    if (!json_object_get(row, "out"))
        return 0;
    if (sms_get(db, json_get_int(row, "out", 0), &found, e) < 0)
        return -1;
    AUTO_JSON json_t *sms = found;
    const char *state = json_get_str(sms, "delivery", NULL), *why = json_get_str(sms, "reason", NULL);
    if (!state)
        return 0;
    AUTO_FREE char *text = mem_printf("%s (%s%s%s)", json_get_str(row, "text", ""), state,
                                      why ? ": " : "", why ? why : "");
    json_put_str(row, "delivery", state);
    json_put_str(row, "text", text);
    return 0;
}

static bool command_told(const json_t *cmd)
{
    static const char *const activities[] = {"note", "call", "meeting"};
    static const char *const own[] = {"file", "new-lead", "new-case"};
    const char *line = json_get_str(cmd, "line", "");
    bool system = !strcmp(json_get_str(cmd, "by", ""), "system");
    size_t word = strcspn(line, " ");
    if (json_object_get(cmd, "error") || !strcmp(line, "sent")) /* the mail is told by itself */
        return false;
    for (size_t i = 0; i < ARRAY_LEN(activities); i++)
        if (strlen(activities[i]) == word && !strncmp(line, activities[i], word))
            return false;
    for (size_t i = 0; system && i < ARRAY_LEN(own); i++)
        if (!strcmp(line, own[i]))
            return false;
    return true;
}

static json_t *command_row(const json_t *pass, const json_t *cmd, size_t i)
{
    char key[32], id[32];
    const char *by = json_get_str(cmd, "by", ""), *actor = json_get_str(cmd, "actor", by);
    snprintf(key, sizeof(key), "line:%zu", i);
    snprintf(id, sizeof(id), "J%" PRId64, json_get_int(pass, "id", 0));
    json_t *row = row_new(json_get_int(pass, "at_ms", 0), id, "command", "none");
    AUTO_FREE char *who = strcmp(by, actor) ? mem_printf("%s %s", by, actor) : mem_str(by);
    json_put_str(row, "who", who);
    const char *line = json_get_str(cmd, "line", "");
    if (crm_has_fields(line)) /* as the rule has it: what came of it says more */
        line = json_get_str(cmd, "result", line);
    json_put_str(row, "text", json_get_str(json_get_obj(pass, "personal"), key, line));
    return row;
}

/* ---- both together ----------------------------------------------------------- */

struct moment {
    const char *time; /* of the row: RFC 3339 of one width, so that it sorts as text */
    size_t seq;
    json_t *row;
};

static int moment_order(const void *a, const void *b)
{
    const struct moment *x = a, *y = b;
    int c = strcmp(x->time, y->time);
    return c ? c : x->seq < y->seq ? -1 : x->seq > y->seq;
}

/* The newest of rows, by time, into out; of one moment those that stand first come first. */
static void newest(const json_t *rows, int64_t limit, json_t *out)
{
    size_t n = json_array_size(rows), i;
    json_t *row;
    AUTO_FREE struct moment *all = mem_array(n + 1, sizeof(*all));
    json_array_foreach((json_t *)rows, i, row)
        all[i] = (struct moment){json_get_str(row, "time", ""), i, row};
    qsort(all, n, sizeof(*all), moment_order);
    for (i = (int64_t)n > limit ? n - (size_t)limit : 0; i < n; i++)
        json_array_append(out, all[i].row);
}

/* What came in stands before what was done because of it. Both lists come newest first. */
static int gather(struct db_rows *r, const json_t *passes, json_t *rows, struct err *e)
{
    while (db_step(r)) {
        AUTO_JSON json_t *rec = record_of_row(r, &activity_table);
        json_array_insert_new(rows, 0, activity_row(rec));
    }
    for (size_t i = json_array_size(passes); i-- > 0;) {
        const json_t *pass = json_array_get(passes, i), *cmd;
        size_t k;
        json_array_foreach(json_get_arr(json_get_obj(pass, "body"), "commands"), k, cmd)
            if (command_told(cmd))
                json_array_append_new(rows, command_row(pass, cmd, k));
    }
    return db_done(&r, e);
}

/* What was done with the records that became this one. They sort by time later. */
static int merged_passes(struct crm_ctx *ctx, enum crm_entity t, char letter, int64_t id,
                         int64_t limit, json_t *passes, struct err *e)
{
    size_t i;
    json_t *v;
    AUTO_JSON json_t *list = merged_of(ctx->crm->db, crm_entity_name(t), id, e);
    if (!list)
        return -1;
    json_array_foreach(list, i, v) {
        AUTO_JSON json_t *more = journal_list(ctx->crm->db, letter, json_integer_value(v), 0, limit, e);
        if (!more || json_array_extend(passes, more) < 0)
            return -1;
    }
    return 0;
}

static int timeline_rows(struct crm_ctx *ctx, enum crm_entity t, int64_t id, int64_t limit,
                         json_t *rows, struct err *e)
{
    char letter = t == CRM_CASE ? 'K' : t == CRM_CONTACT ? 'C' : 'L'; /* a deal is its lead's */
    if (crm_follow(ctx->crm->db, t, &id, e) < 0)
        return -1;
    const json_t *rec = crm_record_any(ctx, t, id, e);
    if (!rec)
        return -1;
    AUTO_JSON json_t *passes =
        journal_list(ctx->crm->db, letter, t == CRM_DEAL ? json_get_int(rec, "lead_id", 0) : id, 0,
                     limit, e);
    if (!passes || merged_passes(ctx, t, letter, id, limit, passes, e) < 0)
        return -1;
    AUTO_JSON json_t *all = json_array();
    if (gather(activity_of(ctx->crm->db, crm_entity_name(t), id, limit), passes, all, e) < 0)
        return -1;
    newest(all, limit, rows);
    size_t i;
    json_t *row;
    json_array_foreach(rows, i, row)
        if (delivery_tell(ctx->crm->db, row, e) < 0)
            return -1;
    return 0;
}

int crm_timeline(struct crm *crm, enum crm_entity t, int64_t id, int64_t limit, json_t **out,
                 struct err *e)
{
    AUTO_JSON json_t *rows = json_array();
    if (t != CRM_LEAD && t != CRM_CASE && t != CRM_DEAL && t != CRM_CONTACT)
        return err_set(e, ERR_INPUT, "a timeline belongs to a lead, case, deal or contact");
    struct crm_ctx *ctx = crm_begin(crm, NULL, 0);
    int rc = timeline_rows(ctx, t, id, limit > 0 && limit < TIMELINE_MAX ? limit : TIMELINE_MAX,
                           rows, e);
    crm_end(&ctx);
    if (rc == 0)
        *out = json_pack("{s:[{s:s, s:s}, {s:s, s:s}, {s:s, s:s}, {s:s, s:s}, {s:s, s:s}, "
                         "{s:s, s:s}], s:O}",
                         "columns", "name", "time", "title", "Time", "name", "id", "title", "Id",
                         "name", "kind", "title", "Kind", "name", "direction", "title",
                         "Direction", "name", "who", "title", "Who", "name", "text", "title",
                         "Text", "rows", rows);
    return rc;
}
