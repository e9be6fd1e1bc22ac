/* SPDX-License-Identifier: ISC
 *
 * cmd_task - task [DUE] [EVERY] TEXT (task.h) and done [T42]
 */
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "base/text.h"
#include "crm/assign.h"
#include "crm/cmd.h"
#include "crm/task.h"
#include "crm/when.h"
#include "store/task.h"

/* The end of a text that begins with a quote, when nothing but what task_said_read() takes
 * stands behind it; else NULL: then the quote is one of its words. */
static const char *quote_end(struct cmd *c, const char *p, struct err *e)
{
    struct task_said behind;
    const char *q = p + 1;
    while (*q && (*q != *p || (*p == '\'' && q[1] == '\'')))
        q += *q == *p ? 2 : 1;
    if (!*q)
        return NULL;
    const char *rest = q + 1 + strspn(q + 1, " \t");
    int n = task_said_read(rest, c->crm, c->crm->zone, c->now_ms, &behind, e);
    task_said_done(&behind);
    return n >= 0 && !rest[n] ? q : NULL;
}

/* c->to gets what is said of times and people, c->text the words. */
static int task_parse(struct cmd *c, struct err *e)
{
    struct task_said said;
    const char *p = grammar_peek(&c->g);
    int n = task_said_read(p, c->crm, c->crm->zone, c->now_ms, &said, e);
    task_said_done(&said);
    if (n < 0)
        return -1;
    c->to = mem_strn(p, (size_t)n);
    grammar_skip(&c->g, n);
    p = grammar_peek(&c->g);
    const char *end = *p == '"' || *p == '\'' ? quote_end(c, p, e) : NULL;
    if (!end)
        return e->cls != ERR_NONE ? -1 : cmd_text(c, "what is to be done", e);
    char *to = mem_printf("%s%s%s", c->to, *c->to ? " " : "", end + 1 + strspn(end + 1, " \t"));
    mem_free(c->to);
    c->to = to;
    c->text = mem_strn(p + 1, (size_t)(end - p - 1));
    for (char *q = c->text; *p == '\'' && (q = strstr(q, "''")) != NULL; q++)
        memmove(q, q + 1, strlen(q));
    grammar_skip(&c->g, (int)strlen(p));
    return *c->text ? 0 : err_set(e, ERR_INPUT, "task: what is to be done?");
}

/* Of the record that it is about. */
static const char *record_owner(struct crm_ctx *ctx, const struct crm_target *t)
{
    static const enum crm_entity order[] = {CRM_CASE, CRM_LEAD, CRM_DEAL};
    const char *owner = NULL;
    for (size_t i = t->main != CRM_CASE; i < ARRAY_LEN(order) && !owner; i++) {
        int64_t id = crm_target_id(t, order[i]);
        const json_t *rec = id ? crm_record_any(ctx, order[i], id, NULL) : NULL;
        owner = json_get_str(rec, "owner", NULL);
    }
    return owner ? owner : crm_setting(ctx->crm, "default_owner", NULL);
}

/* Whose task it is: who is named, else the user's who says so, else the owner's. */
static const char *task_owner(struct crm_ctx *ctx, const struct crm_target *t, const char *named)
{
    if (named && strcmp(named, "owner"))
        return crm_keep_str(ctx, named);
    return !named && ctx->op_actor.kind == CRM_BY_USER ? ctx->op_actor.name : record_owner(ctx, t);
}

int cmd_task_make(struct crm_ctx *ctx, struct crm_target *t, json_t *rec, struct err *e)
{
    const char *title = json_get_str(rec, "title", "");
    json_put_str(rec, "kind", crm_task_kind(ctx->crm, title));
    json_put_int(rec, "lead_id", t->lead);
    json_put_int(rec, "contact_id", t->contact);
    json_put_int(rec, "deal_id", t->deal);
    json_put_int(rec, "case_id", t->kase);
    json_put_str(rec, "created_by", crm_actor_text(ctx, &ctx->op_actor));
    return crm_create(ctx, CRM_TASK, rec, &t->task, e);
}

/* What comes again, in full: from when it is first due. */
static int recur_put(struct crm_ctx *ctx, const struct task_said *said, json_t *rec, struct err *e)
{
    struct recur r = said->recur, first = r;
    const struct zone *z = assign_zone(ctx->crm, json_get_str(rec, "owner", ""));
    char text[RECUR_TEXT];
    if (!said->has_due) {
        if (r.minute < 0)
            first.minute = r.minute = 9 * 60;
        first.every = r.from ? r.every : 1;
        recur_settle(&first, z, ctx->now_ms);
        AUTO_JSON json_t *ask = json_pack("{s:s, s:s?}", "recur", recur_print(&first, text), "owner",
                                          json_get_str(rec, "owner", NULL));
        int64_t due = crm_task_next(ctx->crm, ask, ctx->now_ms);
        if (!due)
            return err_set(e, ERR_INPUT, "task: there is no such day any more");
        json_put_int(rec, "due_ms", due);
    }
    recur_settle(&r, z, json_get_int(rec, "due_ms", 0));
    json_put_str(rec, "recur", recur_print(&r, text));
    return 0;
}

static void task_say(struct crm_ctx *ctx, struct crm_result *out, const json_t *rec, int64_t id)
{
    char due[40];
    const char *owner = json_get_str(rec, "owner", NULL), *recur = json_get_str(rec, "recur", NULL);
    int64_t at = json_get_int(rec, "due_ms", 0);
    cmd_say(out, "%s for %s%s%s%s%s", cmd_id(ctx, CRM_TASK, id), owner ? owner : "nobody",
            at ? ", due " : "",
            at ? crm_when_print(crm_task_zone(ctx, owner), at, due, sizeof(due)) : "",
            recur ? ", then " : "", recur ? recur : "");
}

static int task_run(struct cmd *c, struct crm_ctx *ctx, struct crm_target *t,
                    struct crm_result *out, struct err *e)
{
    struct task_said said;
    AUTO_JSON json_t *rec = json_object();
    text_make_line(c->text);
    json_put_str(rec, "title", c->text);
    /* once to know whose it is, and then by that one's clock */
    int rc = task_said_read(c->to, ctx->crm, ctx->crm->zone, ctx->now_ms, &said, e);
    const char *owner = rc < 0 ? NULL : task_owner(ctx, t, said.who);
    task_said_done(&said);
    if (rc >= 0)
        rc = task_said_read(c->to, ctx->crm, crm_task_zone(ctx, owner), ctx->now_ms, &said, e);
    json_put_str(rec, "owner", owner);
    if (rc >= 0 && said.has_due)
        json_put_int(rec, "due_ms", said.due);
    if (rc >= 0 && said.remind_ms != TASK_REMIND_UNSAID)
        json_put_int(rec, "remind_ms", said.remind_ms);
    if (rc >= 0 && said.recurs && recur_put(ctx, &said, rec, e) < 0)
        rc = -1;
    task_said_done(&said);
    if (rc < 0 || cmd_task_make(ctx, t, rec, e) < 0)
        return -1;
    task_say(ctx, out, rec, t->task);
    return 0;
}

/* It does not come again. */
static int for_good(struct cmd *c, struct err *e)
{
    if (cmd_word(c, "good", e) < 0)
        return -1;
    if (strcasecmp(c->name, "good"))
        return err_set(e, ERR_INPUT, "done: 'for %s'? done T42 for good", c->name);
    c->mode = 1;
    return cmd_end(c, e);
}

static int done_parse(struct cmd *c, struct err *e)
{
    enum crm_entity t = CRM_NONE;
    if (grammar_at_end(&c->g))
        return 0;
    if (cmd_word(c, "a task", e) < 0)
        return -1;
    if (!strcasecmp(c->name, "for"))
        return for_good(c, e);
    if (crm_id_parse(c->name, &t, &c->number) < 0 || t != CRM_TASK)
        return err_set(e, ERR_INPUT, "done: '%s' is no task such as T42", c->name);
    if (grammar_at_end(&c->g))
        return 0;
    if (cmd_word(c, "for good", e) < 0)
        return -1;
    return strcasecmp(c->name, "for") ? err_set(e, ERR_INPUT, "done: '%s' is too much", c->name)
                                      : for_good(c, e);
}

/* The only open task of the lead, when none is named. */
static int done_guess(struct crm_ctx *ctx, const struct crm_target *t, int64_t *id, struct err *e)
{
    int open = 0;
    if (t->task) {
        *id = t->task;
        return 0;
    }
    if (!t->lead)
        return err_set(e, ERR_INPUT, "which task? say done T42");
    struct db_rows *r = task_of_lead(ctx->crm->db, t->lead);
    while (db_step(r)) {
        AUTO_JSON json_t *rec = record_of_row(r, &task_table);
        if (strcmp(json_get_str(rec, "status", ""), "open"))
            continue;
        open++;
        *id = json_get_int(rec, "id", 0);
    }
    if (db_done(&r, e) < 0)
        return -1;
    if (open == 0)
        return err_set(e, ERR_INPUT, "%s has no open task", cmd_id(ctx, CRM_LEAD, t->lead));
    if (open > 1)
        return err_set(e, ERR_INPUT, "%s has %d open tasks; say which is done, such as done T42",
                       cmd_id(ctx, CRM_LEAD, t->lead), open);
    return 0;
}

/* The next of a task that comes again: one, however many were missed. */
static int done_next(struct crm_ctx *ctx, const json_t *rec, int64_t *id_out, int64_t *due_out,
                     struct err *e)
{
    static const char *const kept[] = {"title", "owner", "kind", "remind_ms", "recur"};
    int64_t due = json_get_int(rec, "due_ms", 0);
    struct crm_target t = {.lead = json_get_int(rec, "lead_id", 0),
                           .contact = json_get_int(rec, "contact_id", 0),
                           .deal = json_get_int(rec, "deal_id", 0),
                           .kase = json_get_int(rec, "case_id", 0)};
    AUTO_JSON json_t *next = json_object();
    for (size_t i = 0; i < ARRAY_LEN(kept); i++)
        if (json_object_get(rec, kept[i]))
            json_object_set(next, kept[i], json_object_get(rec, kept[i]));
    *due_out = crm_task_next(ctx->crm, rec, due > ctx->now_ms ? due : ctx->now_ms);
    *id_out = 0;
    if (!*due_out)
        return 0;
    json_put_int(next, "due_ms", *due_out);
    if (cmd_task_make(ctx, &t, next, e) < 0)
        return -1;
    *id_out = t.task;
    return 0;
}

static int done_run(struct cmd *c, struct crm_ctx *ctx, struct crm_target *t,
                    struct crm_result *out, struct err *e)
{
    int64_t id = c->number;
    if (!id && done_guess(ctx, t, &id, e) < 0)
        return -1;
    const json_t *rec = crm_record(ctx, CRM_TASK, id, e);
    if (!rec)
        return -1;
    t->task = id;
    int64_t next = 0, due = 0;
    char when[40];
    if (!strcmp(json_get_str(rec, "status", ""), "open")) {
        if (crm_change_str(ctx, CRM_TASK, id, "status", "done", e) < 0 ||
            crm_change_int(ctx, CRM_TASK, id, "done_ms", ctx->now_ms, e) < 0)
            return -1;
        crm_op_event(ctx, "task.done", CRM_TASK, id);
        if (!c->mode && done_next(ctx, rec, &next, &due, e) < 0)
            return -1;
    }
    cmd_say(out, "%s is done%s%s%s%s", cmd_id(ctx, CRM_TASK, id), next ? "; " : "",
            next ? cmd_id(ctx, CRM_TASK, next) : "", next ? " is the next, due " : "",
            next ? crm_when_print(crm_task_zone(ctx, json_get_str(rec, "owner", NULL)), due, when,
                                  sizeof(when)) : "");
    return 0;
}

const struct cmd_row crm_cmd_task = {
    "task", "[DUE] [EVERY] [remind SPAN] [for USER] TEXT", MAY_ALL, WORDS_WITH_FIELDS, task_parse,
    task_run, "removes the task",
    "a task for whoever says it, or for the owner; DUE is today, tomorrow, fri 10:00, 3d, "
    "2026-12-01 10:00; EVERY is every Monday 9:00, every 2 weeks, monthly; a TEXT in quotes may "
    "stand in front of the rest", "task fri 10:00 send the offer"};
const struct cmd_row crm_cmd_done = {"done", "[T42] [for good]", MAY_ALL, WORDS_OPEN, done_parse, done_run,
                                     "opens the task again",
                                     "the task is done; one that comes again makes the next, "
                                     "unless it is done for good",
                                     "done T7"};
