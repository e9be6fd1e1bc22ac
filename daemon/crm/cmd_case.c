/* SPDX-License-Identifier: ISC
 *
 * cmd_case - case TEXT, close [REASON], reopen
 *
 * A reopened lead leaves its won and lost deals as they are: what was won stays won.
 * Only a deal that is addressed itself opens again, and its lead with it.
 */
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "crm/cmd.h"
#include "store/deal.h"

static int case_parse(struct cmd *c, struct err *e)
{
    return cmd_text(c, "what it is about", e);
}

static int case_run(struct cmd *c, struct crm_ctx *ctx, struct crm_target *t,
                    struct crm_result *out, struct err *e)
{
    const json_t *contact = crm_record(ctx, CRM_CONTACT, t->contact, e), *lead = NULL;
    if (!contact)
        return -1;
    if (t->lead) {
        lead = crm_record(ctx, CRM_LEAD, t->lead, e);
        if (!lead)
            return -1;
    }
    AUTO_JSON json_t *rec = json_object();
    json_put_int(rec, "contact_id", t->contact);
    json_put_int(rec, "company_id", json_get_int(contact, "company_id", 0));
    json_put_int(rec, "lead_id", t->lead);
    text_make_line(c->text);
    json_put_str(rec, "subject", c->text);
    json_put_str(rec, "owner", json_get_str(lead, "owner", NULL));
    json_put_str(rec, "source", json_get_str(lead, "source", ctx->source));
    if (crm_create(ctx, CRM_CASE, rec, &t->kase, e) < 0)
        return -1;
    cmd_say(out, "%s is open", cmd_id(ctx, CRM_CASE, t->kase));
    return 0;
}

static int close_parse(struct cmd *c, struct err *e)
{
    return cmd_text(c, NULL, e);
}

static int close_run(struct cmd *c, struct crm_ctx *ctx, struct crm_target *t,
                     struct crm_result *out, struct err *e)
{
    enum crm_entity what = cmd_lead_or_case(t, e);
    int64_t deal = 0;
    if (what == CRM_NONE)
        return -1;
    if (what == CRM_LEAD) {
        if (deal_find(ctx->crm->db, t->lead, true, &deal, e) < 0)
            return -1;
        if (deal)
            return err_set(e, ERR_INPUT, "%s is still open: say won or lost",
                           cmd_id(ctx, CRM_DEAL, deal));
        if (cmd_lead_status(ctx, t->lead, "closed", c->text, e) < 0)
            return -1;
    } else if (cmd_case_status(ctx, t->kase, "closed", c->text, e) < 0) {
        return -1;
    }
    cmd_say(out, "%s is closed", cmd_id(ctx, what, crm_target_id(t, what)));
    return 0;
}

static int reopen_parse(struct cmd *c, struct err *e)
{
    return cmd_end(c, e);
}

static int reopen_deal(struct crm_ctx *ctx, int64_t deal, struct err *e)
{
    const json_t *rec = crm_record(ctx, CRM_DEAL, deal, e), *lead;
    int64_t lead_id = json_get_int(rec, "lead_id", 0), other = 0;
    if (!rec || (lead_id && deal_find(ctx->crm->db, lead_id, true, &other, e) < 0))
        return -1;
    if (!strcmp(json_get_str(rec, "status", ""), "open"))
        return err_set(e, ERR_INPUT, "%s is not closed", cmd_id(ctx, CRM_DEAL, deal));
    if (other)
        return err_set(e, ERR_INPUT, "%s is open: a lead has one open deal",
                       cmd_id(ctx, CRM_DEAL, other));
    if (crm_change_str(ctx, CRM_DEAL, deal, "status", "open", e) < 0 ||
        crm_change(ctx, CRM_DEAL, deal, "closed_ms", NULL, e) < 0 ||
        crm_change(ctx, CRM_DEAL, deal, "lost_reason", NULL, e) < 0)
        return -1;
    if (!lead_id)
        return 0;
    lead = crm_record(ctx, CRM_LEAD, lead_id, e);
    return lead ? cmd_lead_status(ctx, lead_id, "qualified", NULL, e) : -1;
}

static int reopen_lead(struct crm_ctx *ctx, struct crm_target *t, struct err *e)
{
    const json_t *lead = crm_record(ctx, CRM_LEAD, t->lead, e);
    int64_t deal = 0;
    if (!lead || crm_deal_of_lead(ctx, t->lead, &deal, e) < 0)
        return -1;
    if (strcmp(json_get_str(lead, "status", ""), "closed"))
        return err_set(e, ERR_INPUT, "%s is not closed", cmd_id(ctx, CRM_LEAD, t->lead));
    return cmd_lead_status(ctx, t->lead,
                           deal                                     ? "qualified"
                           : json_object_get(lead, "contacted_ms") ? "contacted"
                                                                    : "new",
                           NULL, e);
}

static int reopen_run(struct cmd *c, struct crm_ctx *ctx, struct crm_target *t,
                      struct crm_result *out, struct err *e)
{
    bool deal = t->main == CRM_DEAL && t->deal;
    enum crm_entity what = deal ? CRM_DEAL : cmd_lead_or_case(t, e);
    (void)c;
    if (what == CRM_NONE)
        return -1;
    if (what == CRM_DEAL) {
        if (reopen_deal(ctx, t->deal, e) < 0)
            return -1;
    } else if (what == CRM_LEAD) {
        if (reopen_lead(ctx, t, e) < 0)
            return -1;
    } else {
        const json_t *rec = crm_record(ctx, CRM_CASE, t->kase, e);
        if (!rec)
            return -1;
        if (strcmp(json_get_str(rec, "status", ""), "closed"))
            return err_set(e, ERR_INPUT, "%s is not closed", cmd_id(ctx, CRM_CASE, t->kase));
        if (cmd_case_status(ctx, t->kase, "open", NULL, e) < 0)
            return -1;
    }
    cmd_say(out, "%s is open again", cmd_id(ctx, what, crm_target_id(t, what)));
    return 0;
}

const struct cmd_row crm_cmd_case = {"case",
                                     "TEXT",
                                     MAY_ALL,
                                     WORDS_WITH_FIELDS,
                                     case_parse,
                                     case_run,
                                     "removes the case",
                                     "open a case for the contact",
                                     "case the pump leaks"};
const struct cmd_row crm_cmd_close = {"close",     "[REASON]", MAY_ALL,  WORDS_WITH_FIELDS,
                                      close_parse, close_run,  "reopen", "close the lead or case",
                                      "close spam"};
const struct cmd_row crm_cmd_reopen = {"reopen", "", MAY_ALL, WORDS_OPEN, reopen_parse, reopen_run,
                                       "close", "open a closed lead, case or deal again", "reopen"};
