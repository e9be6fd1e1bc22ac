/* SPDX-License-Identifier: ISC
 *
 * click - see click.h
 */
#include "crm/click.h"

#include "crm/ctx.h"

/* It is no word of the contact's: no stamp of a lead moves. */
int crm_record_clicked(struct crm_ctx *ctx, const struct crm_target *t, const char *text,
                       int64_t outbox, struct err *e)
{
    int64_t id = 0;
    crm_op_begin(ctx, "clicked", false, &crm_system);
    if (crm_add_activity(ctx, t, "click", "in", text, 0, outbox, ctx->now_ms, &id, e) == 0) {
        crm_op_event(ctx, "message.clicked", CRM_ACTIVITY, id);
        return crm_op_end(ctx, NULL, e);
    }
    crm_op_failed(ctx, e);
    return -1;
}
