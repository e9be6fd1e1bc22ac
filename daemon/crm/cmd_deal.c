/* SPDX-License-Identifier: ISC
 *
 * cmd_deal - deal NAME [AMOUNT], stage NAME, won [AMOUNT [CURRENCY]], lost [REASON]: the pipeline
 *
 * Addressed to a lead, they mean its open deal; stage and won make one when there
 * is none. Won and lost close the lead, too: what the person writes next is a new
 * matter, unless it answers in the old thread.
 */
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/bounds.h"
#include "base/mem.h"
#include "base/text.h"
#include "crm/cmd.h"
#include "crm/when.h"
#include "store/deal.h"

/* NAME is one word, or in quotes. */
static int deal_parse(struct cmd *c, struct err *e)
{
    if (cmd_word(c, "what is sold", e) < 0)
        return -1;
    int n = crm_amount_parse(grammar_peek(&c->g), c->crm->currency, &c->amount, c->currency, e);
    if (n < 0)
        return -1;
    c->has_amount = n > 0;
    grammar_skip(&c->g, n);
    if (grammar_at_end(&c->g))
        return 0;
    return err_set(e, ERR_INPUT, "deal: '%s' is no amount; a name of several words stands in "
                   "quotes: deal 'annual plan' 5000", grammar_peek(&c->g));
}

static int deal_set_amount(struct cmd *c, struct crm_ctx *ctx, const struct crm_target *t,
                           struct err *e)
{
    if (crm_change_int(ctx, CRM_DEAL, t->deal, "amount", c->amount, e) < 0)
        return -1;
    return crm_change_str(ctx, CRM_DEAL, t->deal, "currency", c->currency, e);
}

static int deal_run(struct cmd *c, struct crm_ctx *ctx, struct crm_target *t,
                    struct crm_result *out, struct err *e)
{
    int64_t open = 0;
    const json_t *lead = crm_record(ctx, CRM_LEAD, t->lead, e);
    if (!lead || deal_find(ctx->crm->db, t->lead, true, &open, e) < 0)
        return -1;
    if (open)
        return err_set(e, ERR_INPUT, "%s is open: a lead has one open deal",
                       cmd_id(ctx, CRM_DEAL, open));
    if (!strcmp(json_get_str(lead, "status", ""), "closed"))
        return err_set(e, ERR_INPUT, "%s is closed; reopen it first",
                       cmd_id(ctx, CRM_LEAD, t->lead));
    text_make_line(c->name);
    if (cmd_new_deal(ctx, t, c->name, e) < 0 ||
        (c->has_amount && deal_set_amount(c, ctx, t, e) < 0))
        return -1;
    cmd_say(out, "%s is open", cmd_id(ctx, CRM_DEAL, t->deal));
    return 0;
}

static int stage_parse(struct cmd *c, struct err *e)
{
    if (cmd_word(c, "a stage", e) < 0 || cmd_known(c->crm->stages, "stage", c->name, e) < 0)
        return -1;
    return cmd_end(c, e);
}

static int stage_run(struct cmd *c, struct crm_ctx *ctx, struct crm_target *t,
                     struct crm_result *out, struct err *e)
{
    if (cmd_open_deal(ctx, t, true, e) < 0)
        return -1;
    const json_t *rec = crm_record(ctx, CRM_DEAL, t->deal, e);
    if (!rec)
        return -1;
    if (strcmp(json_get_str(rec, "stage", ""), c->name)) {
        if (crm_change_str(ctx, CRM_DEAL, t->deal, "stage", c->name, e) < 0 ||
            crm_change_int(ctx, CRM_DEAL, t->deal, "stage_ms", ctx->now_ms, e) < 0)
            return -1;
        crm_op_event(ctx, "deal.stage_changed", CRM_DEAL, t->deal);
    }
    cmd_say(out, "%s is at stage %s", cmd_id(ctx, CRM_DEAL, t->deal), c->name);
    return 0;
}

static int won_parse(struct cmd *c, struct err *e)
{
    int n = crm_amount_parse(grammar_peek(&c->g), c->crm->currency, &c->amount, c->currency, e);
    if (n < 0)
        return -1;
    c->has_amount = n > 0;
    grammar_skip(&c->g, n);
    return cmd_end(c, e);
}

static int deal_close(struct crm_ctx *ctx, struct crm_target *t, const char *status,
                      const char *reason, struct err *e)
{
    const json_t *deal = crm_record(ctx, CRM_DEAL, t->deal, e);
    int64_t lead = json_get_int(deal, "lead_id", 0);
    if (!deal || crm_change_str(ctx, CRM_DEAL, t->deal, "status", status, e) < 0 ||
        crm_change_int(ctx, CRM_DEAL, t->deal, "closed_ms", ctx->now_ms, e) < 0)
        return -1;
    crm_op_event(ctx, !strcmp(status, "won") ? "deal.won" : "deal.lost", CRM_DEAL, t->deal);
    return lead ? cmd_lead_status(ctx, lead, "closed", reason ? reason : status, e) : 0;
}

static int won_run(struct cmd *c, struct crm_ctx *ctx, struct crm_target *t,
                   struct crm_result *out, struct err *e)
{
    char amount[64] = "";
    if (cmd_open_deal(ctx, t, true, e) < 0)
        return -1;
    if (c->has_amount) {
        struct buf b;
        if (deal_set_amount(c, ctx, t, e) < 0)
            return -1;
        buf_init(&b, KIB(1));
        rule_money_print(c->amount, c->currency, &b);
        snprintf(amount, sizeof(amount), " for %s", b.data);
        buf_done(&b);
    }
    if (deal_close(ctx, t, "won", NULL, e) < 0)
        return -1;
    cmd_say(out, "%s is won%s", cmd_id(ctx, CRM_DEAL, t->deal), amount);
    return 0;
}

static int lost_parse(struct cmd *c, struct err *e)
{
    return cmd_text(c, NULL, e);
}

static int lost_run(struct cmd *c, struct crm_ctx *ctx, struct crm_target *t,
                    struct crm_result *out, struct err *e)
{
    if (cmd_open_deal(ctx, t, true, e) < 0)
        return -1;
    if (crm_change_str(ctx, CRM_DEAL, t->deal, "lost_reason", c->text, e) < 0 ||
        deal_close(ctx, t, "lost", c->text, e) < 0)
        return -1;
    cmd_say(out, "%s is lost", cmd_id(ctx, CRM_DEAL, t->deal));
    return 0;
}

const struct cmd_row crm_cmd_deal = {"deal",
                                     "NAME [AMOUNT [CURRENCY]]",
                                     MAY_ALL,
                                     WORDS_WITH_FIELDS,
                                     deal_parse,
                                     deal_run,
                                     "removes the deal",
                                     "open a deal of the lead",
                                     "deal 'annual plan' 5000 EUR"};
const struct cmd_row crm_cmd_stage = {
    "stage", "NAME", MAY_RULE | MAY_STAFF, WORDS_OPEN, stage_parse, stage_run,
    "stage the one it had", "move the deal to a stage; makes the deal when the lead has none",
    "stage proposal"};
const struct cmd_row crm_cmd_won = {
    "won", "[AMOUNT [CURRENCY]]", MAY_RULE | MAY_STAFF, WORDS_OPEN, won_parse, won_run,
    "opens deal and lead again", "the deal is won, for this amount", "won 5.000,50 EUR"};
const struct cmd_row crm_cmd_lost = {
    "lost", "[REASON]", MAY_RULE | MAY_STAFF, WORDS_WITH_FIELDS, lost_parse, lost_run,
    "opens deal and lead again", "the deal is lost", "lost too expensive"};
