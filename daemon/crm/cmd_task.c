/* SPDX-License-Identifier: ISC
 *
 * cmd_task - task [DUE] TEXT and done [T42]
 */
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "crm/cmd.h"
#include "crm/when.h"
#include "store/task.h"

static int task_parse(struct cmd *c, struct err *e)
{
    const char *p = grammar_peek(&c->g);
    int n = crm_when_parse(p, c->crm->zone, c->now_ms, &c->due, e);
    if (n < 0)
        return -1;
    c->has_due = n > 0;
    grammar_skip(&c->g, n + (n > 0 && p[n] && strchr(",.:;", p[n])));
    return cmd_text(c, "what is to be done", e);
}

/* Whose task it is: the user's who says so, else the owner's. */
static const char *task_owner(struct crm_ctx *ctx, const struct crm_target *t)
{
    static const enum crm_entity order[] = {CRM_CASE, CRM_LEAD, CRM_DEAL};
    const char *owner = NULL;
    if (ctx->op_actor.kind == CRM_BY_USER)
        return ctx->op_actor.name;
    for (size_t i = t->main != CRM_CASE; i < ARRAY_LEN(order) && !owner; i++) {
        int64_t id = crm_target_id(t, order[i]);
        const json_t *rec = id ? crm_record_any(ctx, order[i], id, NULL) : NULL;
        owner = json_get_str(rec, "owner", NULL);
    }
    return owner ? owner : crm_setting(ctx->crm, "default_owner", NULL);
}

int cmd_task_make(struct crm_ctx *ctx, struct crm_target *t, const char *title, const char *owner,
                  int64_t due_ms, struct err *e)
{
    AUTO_JSON json_t *rec = json_object();
    json_put_str(rec, "title", title);
    json_put_str(rec, "owner", owner);
    if (due_ms)
        json_put_int(rec, "due_ms", due_ms);
    json_put_int(rec, "lead_id", t->lead);
    json_put_int(rec, "contact_id", t->contact);
    json_put_int(rec, "deal_id", t->deal);
    json_put_int(rec, "case_id", t->kase);
    json_put_str(rec, "created_by", crm_actor_text(ctx, &ctx->op_actor));
    return crm_create(ctx, CRM_TASK, rec, &t->task, e);
}

static int task_run(struct cmd *c, struct crm_ctx *ctx, struct crm_target *t,
                    struct crm_result *out, struct err *e)
{
    char due[40];
    const char *owner = task_owner(ctx, t);
    text_make_line(c->text);
    if (cmd_task_make(ctx, t, c->text, owner, c->has_due ? c->due : 0, e) < 0)
        return -1;
    cmd_say(out, "%s for %s%s%s", cmd_id(ctx, CRM_TASK, t->task), owner ? owner : "nobody",
            c->has_due ? ", due " : "",
            c->has_due ? crm_when_print(ctx->crm->zone, c->due, due, sizeof(due)) : "");
    return 0;
}

static int done_parse(struct cmd *c, struct err *e)
{
    enum crm_entity t = CRM_NONE;
    if (grammar_at_end(&c->g))
        return 0;
    if (cmd_word(c, "a task", e) < 0)
        return -1;
    if (crm_id_parse(c->name, &t, &c->number) < 0 || t != CRM_TASK)
        return err_set(e, ERR_INPUT, "done: '%s' is no task such as T42", c->name);
    return cmd_end(c, e);
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
    if (!strcmp(json_get_str(rec, "status", ""), "open")) {
        if (crm_change_str(ctx, CRM_TASK, id, "status", "done", e) < 0 ||
            crm_change_int(ctx, CRM_TASK, id, "done_ms", ctx->now_ms, e) < 0)
            return -1;
        crm_op_event(ctx, "task.done", CRM_TASK, id);
    }
    cmd_say(out, "%s is done", cmd_id(ctx, CRM_TASK, id));
    return 0;
}

const struct cmd_row crm_cmd_task = {
    "task", "[DUE] TEXT", MAY_ALL, WORDS_WITH_FIELDS, task_parse, task_run, "removes the task",
    "a task for whoever says it, or for the owner; DUE is today, tomorrow, fri 10:00, 3d, "
    "2026-12-01 10:00", "task fri 10:00 send the offer"};
const struct cmd_row crm_cmd_done = {"done", "[T42]", MAY_ALL, WORDS_OPEN, done_parse, done_run,
                                     "opens the task again", "the task is done", "done T7"};
