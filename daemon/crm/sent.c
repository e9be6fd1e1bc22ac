/* SPDX-License-Identifier: ISC
 *
 * sent - what left becomes an activity of its record
 */

#include "crm/cmd.h"

static int sent_file(struct crm_ctx *ctx, const struct crm_target *t, const char *kind,
                     const char *subject,
                     int64_t message_id, int64_t outbox, const struct crm_actor *actor,
                     struct err *e)
{
    bool on_case = t->kase && (t->main == CRM_CASE || !t->lead);
    enum crm_entity what = on_case ? CRM_CASE : CRM_LEAD;
    int64_t id = crm_target_id(t, what);
    if (id) {
        const json_t *rec = crm_record_any(ctx, what, id, e);
        if (!rec ||
            (!json_object_get(rec, "first_out_ms") &&
             crm_change_int(ctx, what, id, "first_out_ms", ctx->now_ms, e) < 0) ||
            crm_change_int(ctx, what, id, "last_out_ms", ctx->now_ms, e) < 0)
            return -1;
    }
    if (t->activity
            ? crm_change_str(ctx, CRM_ACTIVITY, t->activity, "direction", "out", e) < 0 ||
                  crm_change_int(ctx, CRM_ACTIVITY, t->activity, "outbox_id", outbox, e) < 0
            : crm_add_activity(ctx, t, kind, "out", subject, message_id, outbox, ctx->now_ms,
                               NULL, e) < 0)
        return -1;
    return crm_actor_is_human(actor) ? crm_mark_contacted(ctx, t, e) : 0;
}

const json_t *crm_target_record(struct crm_ctx *ctx, const struct crm_target *t,
                                enum crm_entity *what_out, struct err *e)
{
    *what_out = t->kase && (t->main == CRM_CASE || !t->lead) ? CRM_CASE : CRM_LEAD;
    return crm_record(ctx, *what_out, crm_target_id(t, *what_out), e);
}

static int record_sent(struct crm_ctx *ctx, const struct crm_target *t, const char *kind,
                       const char *subject, int64_t message_id, int64_t outbox,
                       const struct crm_actor *actor, struct err *e)
{
    crm_op_begin(ctx, "sent", false, actor);
    if (sent_file(ctx, t, kind, subject, message_id, outbox, actor, e) == 0)
        return crm_op_end(ctx, NULL, e);
    crm_op_failed(ctx, e);
    return -1;
}

int crm_record_sent(struct crm_ctx *ctx, const struct crm_target *t, const char *subject,
                    int64_t message_id, int64_t outbox, const struct crm_actor *actor,
                    struct err *e)
{
    return record_sent(ctx, t, "mail", subject, message_id, outbox, actor, e);
}

int crm_record_texted(struct crm_ctx *ctx, const struct crm_target *t, const char *text,
                      int64_t outbox, const struct crm_actor *actor, struct err *e)
{
    return record_sent(ctx, t, "sms", text, 0, outbox, actor, e);
}
