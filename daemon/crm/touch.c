/* SPDX-License-Identifier: ISC
 *
 * touch - when a human of ours acted on a record last, and had the last word
 *
 * These stamps are no changes of their own: no event, no entry in the journal, and
 * undo leaves them. They are read by the clocks of escalations.
 */
#include <string.h>

#include "crm/ctx.h"

static int stamp(struct crm_ctx *ctx, enum crm_entity t, int64_t id, const char *field,
                 struct err *e)
{
    json_t *rec = crm_record_any(ctx, t, id, e);
    AUTO_JSON json_t *now = json_integer(ctx->now_ms);
    if (!rec)
        return -1;
    if (json_get_int(rec, field, 0) == ctx->now_ms)
        return 0;
    if (record_set(ctx->crm->db, crm_table(t), id, field, now, ctx->now_ms, e) < 0)
        return -1;
    json_object_set(rec, field, now);
    return 0;
}

int crm_touch(struct crm_ctx *ctx, const struct crm_target *t, struct err *e)
{
    bool of_case = t->kase && (t->main == CRM_CASE || (!t->lead && t->main == CRM_NONE));
    bool of_deal = t->deal && t->main == CRM_DEAL;
    if (of_case && stamp(ctx, CRM_CASE, t->kase, "touched_ms", e) < 0)
        return -1;
    if (!of_case && t->lead && stamp(ctx, CRM_LEAD, t->lead, "touched_ms", e) < 0)
        return -1;
    if (of_deal && stamp(ctx, CRM_DEAL, t->deal, "touched_ms", e) < 0)
        return -1;
    for (size_t i = ctx->op_first; i < ctx->log_count; i++) {
        const struct crm_change *c = &ctx->log[i];
        bool has = c->entity == CRM_LEAD || c->entity == CRM_DEAL || c->entity == CRM_CASE;
        if (has && stamp(ctx, c->entity, c->id, "touched_ms", e) < 0)
            return -1;
    }
    return 0;
}

int crm_said(struct crm_ctx *ctx, int64_t lead, struct err *e)
{
    return stamp(ctx, CRM_LEAD, lead, "said_ms", e);
}

int crm_clock(struct crm_ctx *ctx, enum crm_entity t, int64_t id, struct crm_clock *out,
              struct err *e)
{
    const json_t *rec = crm_record(ctx, t, id, e);
    if (!rec)
        return -1;
    *out = (struct crm_clock){.created_ms = json_get_int(rec, "created_ms", 0),
                              .touched_ms = json_get_int(rec, "touched_ms", 0)};
    const char *status = json_get_str(rec, "status", "");
    out->closed = !strcmp(status, "closed") || !strcmp(status, "won") || !strcmp(status, "lost");
    if (t == CRM_CASE)
        out->waits = strcmp(json_get_str(rec, "status", ""), "waiting") == 0;
    else if (t == CRM_LEAD)
        out->said_ms = json_get_int(rec, "said_ms", 0), out->heard_ms = json_get_int(rec, "last_in_ms", 0);
    out->waits |= out->said_ms > out->heard_ms;
    return 0;
}
