/* SPDX-License-Identifier: ISC
 *
 * cmd_assign - assign TARGET: the owner of a lead or case (assign.h says what a target is)
 */
#include "base/mem.h"
#include "crm/assign.h"
#include "crm/cmd.h"

static int target_read(struct cmd *c, struct assign_target *t, struct err *e)
{
    struct err why = {0};
    if (assign_target_read(&c->g, c->crm, t, &why) == 0)
        return 0;
    return err_set(e, why.cls, "assign: %s", why.text);
}

/* Looked at here, and read again when it runs: the line is short. */
static int assign_parse(struct cmd *c, struct err *e)
{
    struct assign_target t;
    int at = c->g.at, rc = target_read(c, &t, e);
    assign_target_done(&t);
    if (rc == 0)
        c->g.at = at;
    return rc;
}

/* Who names a task means the task; what a rule says is of the record. */
static int task_give(struct cmd *c, struct crm_ctx *ctx, const struct crm_target *t,
                     struct crm_result *out, struct err *e)
{
    struct assign_target to;
    struct assign a;
    if (!crm_record(ctx, CRM_TASK, t->task, e))
        return -1;
    assign_begin(&a, ctx, t, CRM_TASK, t->task);
    int rc = target_read(c, &to, e);
    if (rc == 0 && to.to != ASSIGN_USER)
        rc = err_set(e, ERR_INPUT, "assign: a task is given to a user, by name");
    if (rc == 0)
        rc = assign_find(&a, &to, e);
    if (rc == 0)
        rc = crm_change_str(ctx, CRM_TASK, t->task, "owner", a.user, e);
    if (rc == 0)
        cmd_say(out, "%s is for %s", cmd_id(ctx, CRM_TASK, t->task), a.user);
    assign_target_done(&to);
    assign_end(&a);
    return rc;
}

static int assign_run(struct cmd *c, struct crm_ctx *ctx, struct crm_target *t,
                      struct crm_result *out, struct err *e)
{
    enum crm_entity what =
        t->main == CRM_DEAL && !t->lead && t->deal ? CRM_DEAL : cmd_lead_or_case(t, e);
    int64_t id = crm_target_id(t, what);
    struct assign_target to;
    struct assign a;
    if (t->main == CRM_TASK && t->task && crm_actor_is_human(&ctx->op_actor))
        return task_give(c, ctx, t, out, e);
    if (what == CRM_NONE || !crm_record(ctx, what, id, e))
        return -1;
    assign_begin(&a, ctx, t, what, id);
    int rc = target_read(c, &to, e);
    if (rc == 0)
        rc = assign_find(&a, &to, e);
    if (rc == 0)
        rc = crm_assign(ctx, what, id, a.user, e);
    if (rc == 0)
        cmd_say(out, "%s is assigned to %s%s%s%s", cmd_id(ctx, what, id), a.user,
                a.told.len ? " (" : "", a.told.len ? a.told.data + (a.told.data[0] == ',' ? 2 : 0) : "",
                a.told.len ? ")" : "");
    assign_target_done(&to);
    assign_end(&a);
    return rc;
}

const struct cmd_row crm_cmd_assign = {
    "assign",
    "USER | pool NAME | team NAME | territory | manager [with skill NAME [and NAME]] [sticky [company]]",
    MAY_ALL,
    WORDS_OPEN,
    assign_parse,
    assign_run,
    "assign the owner it had",
    "give the lead or case to a user, to the next of a pool, team or territory, or to the "
    "manager of its owner; a task that is named, to a user",
    "assign pool dach"};
