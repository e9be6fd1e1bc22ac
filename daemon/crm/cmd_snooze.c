/* SPDX-License-Identifier: ISC
 *
 * cmd_snooze - snooze [T42] WHEN: not now
 *
 * Moves what is to be done: the task that is named or at hand, else the open tasks of
 * the lead or case that are the user's own. Where there is none, a task is made that
 * brings the record back.
 */
#include <string.h>

#include "base/mem.h"
#include "crm/cmd.h"
#include "crm/task.h"
#include "crm/when.h"
#include "store/task.h"

static int snooze_parse(struct cmd *c, struct err *e)
{
    enum crm_entity t = CRM_NONE;
    const char *p = grammar_peek(&c->g);
    if ((*p | 0x20) == 't' && p[1] >= '0' && p[1] <= '9') {
        if (cmd_word(c, "a task", e) < 0)
            return -1;
        if (crm_id_parse(c->name, &t, &c->number) < 0 || t != CRM_TASK)
            return err_set(e, ERR_INPUT, "snooze: '%s' is no task such as T42", c->name);
        p = grammar_peek(&c->g);
    }
    int n = crm_when_parse(p, c->crm->zone, c->now_ms, &c->due, e);
    if (n < 0)
        return -1;
    if (n == 0)
        return err_set(e, ERR_INPUT, "snooze: until when? 2d, fri 10:00, next monday, 24.12.");
    c->to = mem_strn(p, (size_t)n);
    n += p[n] && strchr(".,;!", p[n]) ? 1 : 0;
    grammar_skip(&c->g, n);
    return cmd_end(c, e);
}

static int task_move(struct cmd *c, struct crm_ctx *ctx, int64_t task, struct err *e)
{
    const json_t *rec = crm_record(ctx, CRM_TASK, task, e);
    if (!rec)
        return -1;
    if (strcmp(json_get_str(rec, "status", ""), "open"))
        return err_set(e, ERR_INPUT, "%s is done", cmd_id(ctx, CRM_TASK, task));
    return crm_change_int(ctx, CRM_TASK, task, "due_ms", c->due, e);
}

/* Those of the lead that are open, and of the user when one says so. */
static int tasks_move(struct cmd *c, struct crm_ctx *ctx, int64_t lead, int *moved, struct err *e)
{
    const struct crm_actor *a = &ctx->op_actor;
    AUTO_JSON json_t *ids = json_array();
    struct db_rows *r = task_of_lead(ctx->crm->db, lead);
    while (db_step(r)) {
        AUTO_JSON json_t *rec = record_of_row(r, &task_table);
        if (!strcmp(json_get_str(rec, "status", ""), "open") && !json_object_get(rec, "deleted_ms") &&
            (a->kind != CRM_BY_USER || !strcmp(json_get_str(rec, "owner", ""), a->name)))
            json_array_append_new(ids, json_integer(json_get_int(rec, "id", 0)));
    }
    if (db_done(&r, e) < 0)
        return -1;
    for (size_t i = 0; i < json_array_size(ids); i++)
        if (task_move(c, ctx, json_integer_value(json_array_get(ids, i)), e) < 0)
            return -1;
    *moved = (int)json_array_size(ids);
    return 0;
}

static int reminder_make(struct cmd *c, struct crm_ctx *ctx, struct crm_target *t, struct err *e)
{
    enum crm_entity what = cmd_main(t, e);
    if (what == CRM_NONE || !crm_record(ctx, what, crm_target_id(t, what), e))
        return -1;
    AUTO_FREE char *title = mem_printf("look at %s again", cmd_id(ctx, what, crm_target_id(t, what)));
    const char *owner = ctx->op_actor.kind == CRM_BY_USER
                            ? ctx->op_actor.name
                            : crm_setting(ctx->crm, "default_owner", NULL);
    AUTO_JSON json_t *rec = json_pack("{s:s, s:s?, s:I}", "title", title, "owner", owner, "due_ms",
                                      (json_int_t)c->due);
    return cmd_task_make(ctx, t, rec, e);
}

static int snooze_run(struct cmd *c, struct crm_ctx *ctx, struct crm_target *t,
                      struct crm_result *out, struct err *e)
{
    char due[40];
    int moved = 0;
    int64_t task = c->number ? c->number : t->main == CRM_TASK ? t->task : 0;
    const char *zone = crm_task_zone(ctx, NULL); /* his who says it */
    if (crm_when_parse(c->to, zone, ctx->now_ms, &c->due, e) < 0)
        return -1;
    crm_when_print(zone, c->due, due, sizeof(due));
    if (task) {
        if (task_move(c, ctx, task, e) < 0)
            return -1;
        t->task = task;
        cmd_say(out, "%s is due %s", cmd_id(ctx, CRM_TASK, task), due);
        return 0;
    }
    if (t->lead && t->main != CRM_CASE && tasks_move(c, ctx, t->lead, &moved, e) < 0)
        return -1;
    if (moved) {
        cmd_say(out, "%d task%s of %s %s due %s", moved, moved == 1 ? "" : "s",
                cmd_id(ctx, CRM_LEAD, t->lead), moved == 1 ? "is" : "are", due);
        return 0;
    }
    if (reminder_make(c, ctx, t, e) < 0)
        return -1;
    cmd_say(out, "%s brings it back %s", cmd_id(ctx, CRM_TASK, t->task), due);
    return 0;
}

const struct cmd_row crm_cmd_snooze = {
    "snooze", "[T42] WHEN", MAY_STAFF, WORDS_OPEN, snooze_parse, snooze_run, "the time it was due",
    "move the open tasks to then; without one, make one that brings the record back",
    "snooze 2d"};
