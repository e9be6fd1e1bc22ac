/* SPDX-License-Identifier: ISC
 *
 * cmd_assign - assign USER | pool NAME | team NAME: the owner of a lead or case
 */
#include <strings.h>

#include "base/mem.h"
#include "crm/cmd.h"

enum { TO_USER, TO_POOL, TO_TEAM };

static int assign_parse(struct cmd *c, struct err *e)
{
    if (cmd_word(c, "a user, or pool and its name,", e) < 0)
        return -1;
    c->mode = !strcasecmp(c->name, "pool") ? TO_POOL : !strcasecmp(c->name, "team") ? TO_TEAM : TO_USER;
    if (c->mode != TO_USER && cmd_word(c, "its name", e) < 0)
        return -1;
    if (c->mode == TO_USER && cmd_known(c->crm->users, "user", c->name, e) < 0)
        return -1;
    if (c->mode == TO_POOL && cmd_known(c->crm->pools, "pool", c->name, e) < 0)
        return -1;
    if (c->mode == TO_TEAM && cmd_known(c->crm->teams, "team", c->name, e) < 0)
        return -1;
    return cmd_end(c, e);
}

static int assign_run(struct cmd *c, struct crm_ctx *ctx, struct crm_target *t,
                      struct crm_result *out, struct err *e)
{
    enum crm_entity what =
        t->main == CRM_DEAL && !t->lead && t->deal ? CRM_DEAL : cmd_lead_or_case(t, e);
    const char *user = c->name;
    int64_t id = crm_target_id(t, what);
    if (what == CRM_NONE || !crm_record(ctx, what, id, e) ||
        (c->mode == TO_POOL && crm_pool_next(ctx, c->name, &user, e) < 0) ||
        (c->mode == TO_TEAM && crm_team_next(ctx, c->name, &user, e) < 0) ||
        crm_assign(ctx, what, id, user, e) < 0)
        return -1;
    cmd_say(out, "%s is assigned to %s", cmd_id(ctx, what, id), user);
    return 0;
}

const struct cmd_row crm_cmd_assign = {
    "assign", "USER | pool NAME | team NAME", MAY_ALL, WORDS_OPEN, assign_parse, assign_run,
    "assign the owner it had", "give the lead or case to a user, or to the next of a pool or team",
    "assign pool dach"};
