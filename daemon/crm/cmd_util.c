/* SPDX-License-Identifier: ISC
 *
 * cmd_util - what several commands do alike (see cmd.h)
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "crm/cmd.h"
#include "store/deal.h"

enum crm_entity cmd_lead_or_case(const struct crm_target *t, struct err *e)
{
    if (t->main == CRM_CASE && t->kase)
        return CRM_CASE;
    if (t->lead)
        return CRM_LEAD;
    if (t->kase)
        return CRM_CASE;
    err_set(e, ERR_INPUT, "there is no lead or case here");
    return CRM_NONE;
}

enum crm_entity cmd_main(const struct crm_target *t, struct err *e)
{
    static const enum crm_entity order[] = {CRM_LEAD, CRM_CASE, CRM_DEAL, CRM_CONTACT, CRM_COMPANY};
    if (t->main != CRM_NONE && t->main != CRM_ACTIVITY && t->main != CRM_TASK &&
        crm_target_id(t, t->main))
        return t->main;
    for (size_t i = 0; i < ARRAY_LEN(order); i++)
        if (crm_target_id(t, order[i]))
            return order[i];
    err_set(e, ERR_INPUT, "the command is about nothing");
    return CRM_NONE;
}

const char *cmd_id(struct crm_ctx *ctx, enum crm_entity t, int64_t id)
{
    char text[CRM_ID_LEN];
    return crm_keep_str(ctx, crm_id_format(t, id, text));
}

void cmd_say(struct crm_result *out, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(out->text, sizeof(out->text), fmt, ap);
    va_end(ap);
    out->text[text_utf8_cut(out->text, strlen(out->text), sizeof(out->text) - 2)] = '\0';
}

int cmd_new_deal(struct crm_ctx *ctx, struct crm_target *t, const char *name, struct err *e)
{
    const json_t *lead = crm_record(ctx, CRM_LEAD, t->lead, e);
    const char *stage = json_string_value(json_array_get(ctx->crm->stages, 0));
    if (!lead)
        return -1;
    AUTO_JSON json_t *rec = json_object();
    json_put_int(rec, "lead_id", t->lead);
    json_put_int(rec, "contact_id", json_get_int(lead, "contact_id", 0));
    json_put_int(rec, "company_id", json_get_int(lead, "company_id", 0));
    json_put_str(rec, "name", name ? name : json_get_str(lead, "subject", NULL));
    json_put_str(rec, "owner", json_get_str(lead, "owner", NULL));
    json_put_str(rec, "stage", stage);
    if (crm_create(ctx, CRM_DEAL, rec, &t->deal, e) < 0)
        return -1;
    const char *status = json_get_str(lead, "status", "");
    if (!strcmp(status, "new") || !strcmp(status, "contacted"))
        return cmd_lead_status(ctx, t->lead, "qualified", NULL, e);
    return 0;
}

int cmd_open_deal(struct crm_ctx *ctx, struct crm_target *t, bool create, struct err *e)
{
    int64_t id = 0;
    const json_t *rec;
    if (t->main == CRM_DEAL && t->deal) {
        rec = crm_record(ctx, CRM_DEAL, t->deal, e);
        if (!rec)
            return -1;
        if (!strcmp(json_get_str(rec, "status", ""), "open"))
            return 0;
        return err_set(e, ERR_INPUT, "%s is %s already", cmd_id(ctx, CRM_DEAL, t->deal),
                       json_get_str(rec, "status", ""));
    }
    if (!t->lead)
        return err_set(e, ERR_INPUT, "there is no lead or deal here");
    if (deal_find(ctx->crm->db, t->lead, true, &id, e) < 0)
        return -1;
    if (id) {
        t->deal = id;
        return 0;
    }
    rec = crm_record(ctx, CRM_LEAD, t->lead, e);
    if (!rec)
        return -1;
    if (!strcmp(json_get_str(rec, "status", ""), "closed"))
        return err_set(e, ERR_INPUT, "%s is closed; reopen it first",
                       cmd_id(ctx, CRM_LEAD, t->lead));
    if (!create)
        return err_set(e, ERR_INPUT, "%s has no open deal", cmd_id(ctx, CRM_LEAD, t->lead));
    return cmd_new_deal(ctx, t, NULL, e);
}

int cmd_lead_status(struct crm_ctx *ctx, int64_t lead, const char *status, const char *reason,
                    struct err *e)
{
    const json_t *rec = crm_record(ctx, CRM_LEAD, lead, e);
    bool closed = !strcmp(status, "closed");
    if (!rec)
        return -1;
    if (!strcmp(json_get_str(rec, "status", ""), status))
        return 0;
    AUTO_JSON json_t *at = closed ? json_integer(ctx->now_ms) : NULL;
    if (crm_change_str(ctx, CRM_LEAD, lead, "status", status, e) < 0 ||
        crm_change(ctx, CRM_LEAD, lead, "closed_ms", at, e) < 0 ||
        crm_change_str(ctx, CRM_LEAD, lead, "closed_reason", closed ? reason : NULL, e) < 0)
        return -1;
    crm_op_event(ctx, "lead.status_changed", CRM_LEAD, lead);
    return 0;
}

/* The time a case waits for the customer is not ours. */
static int case_clock(struct crm_ctx *ctx, const json_t *rec, int64_t kase, bool wait,
                      struct err *e)
{
    int64_t since = json_get_int(rec, "waiting_ms", 0);
    if (wait)
        return since ? 0 : crm_change_int(ctx, CRM_CASE, kase, "waiting_ms", ctx->now_ms, e);
    if (!since)
        return 0;
    int64_t sum = json_get_int(rec, "waited_ms", 0);
    if (ctx->now_ms > since)
        sum += ctx->now_ms - since;
    if (crm_change_int(ctx, CRM_CASE, kase, "waited_ms", sum, e) < 0)
        return -1;
    return crm_change(ctx, CRM_CASE, kase, "waiting_ms", NULL, e);
}

int cmd_case_status(struct crm_ctx *ctx, int64_t kase, const char *status, const char *reason,
                    struct err *e)
{
    const json_t *rec = crm_record(ctx, CRM_CASE, kase, e);
    bool closed = !strcmp(status, "closed"), was_closed;
    if (!rec)
        return -1;
    was_closed = !strcmp(json_get_str(rec, "status", ""), "closed");
    if (!strcmp(json_get_str(rec, "status", ""), status))
        return 0;
    AUTO_JSON json_t *at = closed ? json_integer(ctx->now_ms) : NULL;
    if (crm_change_str(ctx, CRM_CASE, kase, "status", status, e) < 0 ||
        case_clock(ctx, rec, kase, !strcmp(status, "waiting"), e) < 0 ||
        crm_change(ctx, CRM_CASE, kase, "closed_ms", at, e) < 0 ||
        crm_change_str(ctx, CRM_CASE, kase, "closed_reason", closed ? reason : NULL, e) < 0)
        return -1;
    if (was_closed && crm_change_int(ctx, CRM_CASE, kase, "reopened",
                                     json_get_int(rec, "reopened", 0) + 1, e) < 0)
        return -1;
    if (closed || was_closed)
        crm_op_event(ctx, closed ? "case.closed" : "case.reopened", CRM_CASE, kase);
    return 0;
}

int crm_add_activity(struct crm_ctx *ctx, const struct crm_target *t, const char *kind,
                     const char *direction, const char *text, int64_t message_id, int64_t outbox,
                     int64_t at_ms, int64_t *id_out, struct err *e)
{
    AUTO_JSON json_t *rec = json_object();
    int64_t id;
    json_put_str(rec, "kind", kind);
    json_put_str(rec, "direction", direction);
    json_put_int(rec, "at_ms", at_ms);
    json_put_int(rec, "lead_id", t->lead);
    json_put_int(rec, "contact_id", t->contact);
    json_put_int(rec, "deal_id", t->main == CRM_DEAL ? t->deal : 0);
    json_put_int(rec, "case_id", t->kase);
    json_put_int(rec, "message_id", message_id);
    json_put_int(rec, "outbox_id", outbox);
    json_put_str(rec, "actor", crm_actor_text(ctx, &ctx->op_actor));
    json_put_str(rec, "text", text);
    if (crm_create(ctx, CRM_ACTIVITY, rec, &id, e) < 0)
        return -1;
    if (id_out)
        *id_out = id;
    return 0;
}

int crm_mark_contacted(struct crm_ctx *ctx, const struct crm_target *t, struct err *e)
{
    const json_t *rec;
    if (crm_touch(ctx, t, e) < 0)
        return -1;
    if (t->main == CRM_CASE && t->kase) {
        rec = crm_record(ctx, CRM_CASE, t->kase, e);
        if (!rec)
            return -1;
        if (!json_object_get(rec, "answered_ms") &&
            crm_change_int(ctx, CRM_CASE, t->kase, "answered_ms", ctx->now_ms, e) < 0)
            return -1;
        return 0;
    }
    if (!t->lead)
        return 0;
    rec = crm_record(ctx, CRM_LEAD, t->lead, e);
    if (!rec)
        return -1;
    if (crm_said(ctx, t->lead, e) < 0)
        return -1;
    if (json_object_get(rec, "contacted_ms"))
        return 0;
    if (crm_change_int(ctx, CRM_LEAD, t->lead, "contacted_ms", ctx->now_ms, e) < 0)
        return -1;
    crm_op_event(ctx, "lead.contacted", CRM_LEAD, t->lead);
    if (!strcmp(json_get_str(rec, "status", ""), "new"))
        return cmd_lead_status(ctx, t->lead, "contacted", NULL, e);
    return 0;
}
