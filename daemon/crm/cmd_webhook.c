/* SPDX-License-Identifier: ISC
 *
 * cmd_webhook - webhook ENDPOINT [FIELD, ..] and enrich NAME: other programs are told
 * and asked
 *
 * The engine keeps the call as a row of the same transaction and makes it later: a
 * rule never waits for a network.
 */
#include <string.h>

#include "base/bounds.h"
#include "base/mem.h"
#include "crm/cmd.h"
#include "crm/enrich.h"

static int webhook_fields(struct cmd *c, struct err *e)
{
    bool more = !grammar_at_end(&c->g);
    while (more) {
        const char *p = grammar_peek(&c->g);
        AUTO_FREE char *name = mem_strn(p, strcspn(p, " \t\r\n,"));
        grammar_skip(&c->g, (int)strlen(name));
        if (!*name)
            return err_set(e, ERR_INPUT, "webhook: a field is missing: webhook %s",
                           c->row->grammar);
        const struct crm_field *f = crm_fieldset_find(c->crm->fieldset, name, e);
        if (!f)
            return -1;
        json_array_append_new(c->who, json_string(f->name));
        if (json_array_size(c->who) > BOUND_CALL_FIELDS)
            return err_set(e, ERR_INPUT, "webhook: more than %d fields", BOUND_CALL_FIELDS);
        more = *grammar_peek(&c->g) == ',';
        grammar_skip(&c->g, more);
        p = grammar_peek(&c->g);
        AUTO_FREE char *next = mem_strn(p, strcspn(p, " \t\r\n,"));
        if (!more && *next && rule_fields_find(crm_fieldset_rules(c->crm->fieldset), next) >= 0)
            return err_set(e, ERR_INPUT, "webhook: a comma goes between two fields: %s, %s", name,
                           next);
    }
    return cmd_end(c, e);
}

static int webhook_parse(struct cmd *c, struct err *e)
{
    c->who = json_array();
    if (cmd_word(c, "an endpoint", e) < 0 ||
        cmd_known(c->crm->endpoints, "endpoint", c->name, e) < 0)
        return -1;
    return webhook_fields(c, e);
}

static int call_make(struct crm_ctx *ctx, const struct crm_target *t, struct crm_call *call,
                     const json_t *names, int64_t *id, struct err *e)
{
    AUTO_JSON json_t *fields = crm_values(ctx, t, names, &ctx->op_actor);
    call->target = *t;
    call->actor = ctx->op_actor;
    call->fields = fields;
    if (!ctx->hooks.call)
        return err_set(e, ERR_INPUT, "no other program can be reached from here");
    if (ctx->hooks.call(ctx->hooks.arg, ctx, call, id, e) < 0)
        return -1;
    json_array_append_new(json_object_get(ctx->op, "changes"),
                          json_pack("{s:s, s:I}", "e", "call", "id", *id));
    return 0;
}

static int webhook_run(struct cmd *c, struct crm_ctx *ctx, struct crm_target *t,
                       struct crm_result *out, struct err *e)
{
    struct crm_call call = {.kind = "webhook", .endpoint = c->name};
    int64_t id = 0;
    if (cmd_main(t, e) == CRM_NONE || call_make(ctx, t, &call, c->who, &id, e) < 0)
        return -1;
    cmd_say(out, "call %lld: %s is told", (long long)id, c->name);
    return 0;
}

static int enrich_parse(struct cmd *c, struct err *e)
{
    if (cmd_word(c, "an enrichment", e) < 0 ||
        cmd_known(c->crm->enrichments, "enrichment", c->name, e) < 0)
        return -1;
    return cmd_end(c, e);
}

static int enrich_run(struct cmd *c, struct crm_ctx *ctx, struct crm_target *t,
                      struct crm_result *out, struct err *e)
{
    const json_t *en = crm_enrichment(ctx->crm, c->name);
    struct crm_call call = {
        .kind = "enrich", .endpoint = json_get_str(en, "endpoint", ""), .name = c->name};
    int64_t id = 0;
    if (!t->lead && !t->kase && !t->contact)
        return err_set(e, ERR_INPUT, "enrich: there is no lead, case or contact here");
    if (call_make(ctx, t, &call, json_get_arr(en, "send"), &id, e) < 0)
        return -1;
    cmd_say(out, "call %lld: %s is asked", (long long)id, call.endpoint);
    return 0;
}

const struct cmd_row crm_cmd_webhook = {
    "webhook",
    "ENDPOINT [FIELD, ...]",
    MAY_RULE | MAY_ADMIN,
    WORDS_OPEN,
    webhook_parse,
    webhook_run,
    "takes the call back while it has not left",
    "tell another program, an endpoint of leadd.conf, with the values of these fields",
    "webhook erp lead.subject, contact.email"};
const struct cmd_row crm_cmd_enrich = {
    "enrich",
    "NAME",
    MAY_RULE | MAY_MANAGER | MAY_ADMIN,
    WORDS_OPEN,
    enrich_parse,
    enrich_run,
    "takes the question back while it has not left",
    "ask another program, as enrichments says; its answer sets fields and wakes lead.enriched",
    "enrich scoring"};
