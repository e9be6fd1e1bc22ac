/* SPDX-License-Identifier: ISC
 *
 * consent - see consent.h
 */
#include "crm/consent.h"

#include "base/mem.h"
#include "crm/ctx.h"
#include "store/consent.h"

void crm_consent_by(struct crm_ctx *ctx, const struct crm_consent *c)
{
    ctx->consent = c;
}

int crm_consent_add(struct crm_ctx *ctx, const char *channel, const char *value, bool granted,
                    bool counts, const struct crm_consent *c, struct err *e)
{
    struct consent_row row = {
        .channel = channel,
        .value = value,
        .sender = c->sender,
        .granted = granted,
        .counts = counts,
        .source = c->source,
        .words = c->words,
        .message_id = c->message_id,
        .at_ms = ctx->now_ms,
    };
    return consent_add(ctx->crm->db, &row, e);
}

void crm_set_unsubscribe(struct crm_ctx *ctx, const char *url)
{
    ctx->unsubscribe = url;
}

char *crm_list_sender(const char *list)
{
    return mem_printf(CONSENT_LIST "%s", list);
}

int crm_consent_note(struct crm_ctx *ctx, const char *channel, const char *value, bool granted,
                     const char *reason, struct err *e)
{
    struct crm_consent c = {.source = crm_actor_text(ctx, &ctx->op_actor), .words = reason};
    return crm_consent_add(ctx, channel, value, granted, true, ctx->consent ? ctx->consent : &c, e);
}
