/* SPDX-License-Identifier: ISC
 *
 * assign - who gets the next one
 *
 * A pool is dealt by smooth weighted round robin: everybody who is active gains
 * his weight, the one with the most credit is next and pays the sum of weights.
 * So weights 2:1 give a, b, a and not a, a, b. The credits are stored with the
 * assignment, in the same transaction: a restart or a rollback cannot make it
 * unfair. Who left the config is skipped and forgotten.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "crm/cmd.h"
#include "crm/ctx.h"
#include "store/pool.h"

#define CREDIT_MAX INT64_C(1000000000)

/* One step over members [{user, weight}]. NULL when nobody is active. */
static const char *round_step(const struct crm *crm, const json_t *members, json_t *state)
{
    const json_t *m;
    const char *best = NULL;
    int64_t best_credit = 0, sum = 0;
    size_t i;
    json_t *next = json_object();
    json_array_foreach((json_t *)members, i, m) {
        const char *user = json_get_str(m, "user", "");
        int64_t weight = json_get_int(m, "weight", 1);
        if (!crm_user(crm, user) || weight <= 0)
            continue;
        int64_t credit = json_get_int(next, user, json_get_int(state, user, 0));
        if (credit > CREDIT_MAX || credit < -CREDIT_MAX)
            credit = 0;
        credit += weight;
        sum += weight;
        json_put_int(next, user, credit);
        if (!best || credit > best_credit) {
            best = json_get_str(m, "user", NULL);
            best_credit = credit;
        }
    }
    if (best)
        json_put_int(next, best, best_credit - sum);
    json_object_clear(state);
    json_object_update(state, next);
    json_decref(next);
    return best;
}

static int round_next(struct crm_ctx *ctx, const char *key, const json_t *members,
                      const char **user_out, struct err *e)
{
    json_t *state = NULL;
    if (pool_load(ctx->crm->db, key, &state, e) < 0)
        return -1;
    const char *user = round_step(ctx->crm, members, state);
    int rc = user ? pool_store(ctx->crm->db, key, state, ctx->now_ms, e)
                  : err_set(e, ERR_INPUT, "nobody in %s is active", key);
    json_decref(state);
    if (rc == 0)
        *user_out = user;
    return rc;
}

int crm_pool_next(struct crm_ctx *ctx, const char *pool, const char **user_out, struct err *e)
{
    const json_t *p = json_get_obj(ctx->crm->pools, pool);
    AUTO_FREE char *key = mem_printf("pool %s", pool);
    if (!p)
        return err_set(e, ERR_INPUT, "no pool '%s'", pool);
    if (strcmp(json_get_str(p, "by", "weighted"), "round_robin"))
        return round_next(ctx, key, json_get_arr(p, "members"), user_out, e);
    /* the same with equal weights */
    AUTO_JSON json_t *equal = json_deep_copy(json_get_arr(p, "members"));
    json_t *m;
    size_t i;
    json_array_foreach(equal, i, m)
        json_put_int(m, "weight", 1);
    return round_next(ctx, key, equal, user_out, e);
}

int crm_team_next(struct crm_ctx *ctx, const char *team, const char **user_out, struct err *e)
{
    AUTO_JSON json_t *members = json_array();
    AUTO_FREE char *key = mem_printf("team %s", team);
    const char *name;
    const json_t *u;
    json_object_foreach((json_t *)ctx->crm->users, name, u) {
        if (strcmp(json_get_str(u, "team", ""), team) ||
            !strcmp(json_get_str(u, "role", "rep"), "viewer"))
            continue;
        json_t *m = json_object();
        json_put_str(m, "user", name);
        json_array_append_new(members, m);
    }
    const char *user;
    if (round_next(ctx, key, members, &user, e) < 0)
        return -1;
    *user_out = crm_keep_str(ctx, user); /* members ends here */
    return 0;
}

int crm_assign(struct crm_ctx *ctx, enum crm_entity t, int64_t id, const char *user, struct err *e)
{
    const json_t *rec = crm_record(ctx, t, id, e), *deal;
    int64_t deal_id = 0;
    if (!rec)
        return -1;
    const char *old = json_get_str(rec, "owner", "");
    if (!strcmp(old, user))
        return 0;
    if (crm_change_str(ctx, t, id, "owner", user, e) < 0 ||
        (t != CRM_DEAL && crm_change_int(ctx, t, id, "assigned_ms", ctx->now_ms, e) < 0))
        return -1;
    if (t == CRM_CASE)
        crm_op_event(ctx, "case.assigned", t, id);
    if (t != CRM_LEAD)
        return 0;
    crm_op_event(ctx, "lead.assigned", t, id);
    /* its open deal goes along, unless somebody else was put on it */
    if (crm_deal_of_lead(ctx, id, &deal_id, e) < 0)
        return -1;
    deal = deal_id ? crm_record(ctx, CRM_DEAL, deal_id, e) : NULL;
    if (deal && !strcmp(json_get_str(deal, "status", ""), "open") &&
        !strcmp(json_get_str(deal, "owner", ""), old))
        return crm_change_str(ctx, CRM_DEAL, deal_id, "owner", user, e);
    return deal_id && !deal ? -1 : 0;
}

static int ensure_owner(struct crm_ctx *ctx, enum crm_entity t, int64_t id, bool *assigned_out,
                        struct err *e)
{
    const json_t *rec = crm_record_any(ctx, t, id, e);
    const char *owner = crm_setting(ctx->crm, "default_owner", NULL);
    bool needed;
    if (!rec)
        return -1;
    needed = owner && !json_object_get(rec, "owner") && !json_object_get(rec, "deleted_ms") &&
             strcmp(json_get_str(rec, "status", ""), "closed");
    if (needed) {
        AUTO_FREE char *line = mem_printf("assign %s", owner);
        struct crm_target target;
        if (crm_target_of(ctx, t, id, &target, e) < 0 ||
            crm_command_run(ctx, &target, line, &crm_system, NULL, e) < 0)
            return -1;
    }
    *assigned_out = needed;
    return 0;
}

int crm_ensure_owner(struct crm_ctx *ctx, int64_t lead, bool *assigned_out, struct err *e)
{
    return ensure_owner(ctx, CRM_LEAD, lead, assigned_out, e);
}

int crm_ensure_case_owner(struct crm_ctx *ctx, int64_t kase, bool *assigned_out, struct err *e)
{
    return ensure_owner(ctx, CRM_CASE, kase, assigned_out, e);
}
