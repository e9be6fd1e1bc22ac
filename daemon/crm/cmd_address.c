/* SPDX-License-Identifier: ISC
 *
 * cmd_address - optout, optin, bounced and verified: the state of an address
 *
 * Given by the courier's outcomes, by unsubscribe requests and by staff. Without
 * an address all email addresses of the contact are meant, with `sms` all its numbers;
 * with list:NAME only what belongs to that list.
 */
#include <string.h>
#include <strings.h>

#include "base/buf.h"
#include "base/mem.h"
#include "crm/address.h"
#include "crm/cmd.h"

/* list:NAME, where it stands: mail alone has lists. */
static int list_parse(struct cmd *c, struct err *e)
{
    const char *p = grammar_peek(&c->g);
    size_t n = strcspn(p, " \t\r\n");
    if (c->list || strncasecmp(p, "list:", 5) != 0)
        return 0;
    if (c->name || (c->to && c->to[0] == '+'))
        return err_set(e, ERR_INPUT, "%s: lists are of mail, not of SMS", c->row->name);
    c->list = mem_strn(p + 5, n - 5);
    grammar_skip(&c->g, (int)n);
    return cmd_known(json_get_obj(c->crm->config, "lists"), "list", c->list, e);
}

static int address_parse(struct cmd *c, struct err *e)
{
    char folded[CRM_ADDRESS_MAX];
    const char *p = grammar_peek(&c->g);
    if (!*p)
        return 0;
    /* the first word is an address, or everything is the reason */
    size_t n = strcspn(p, " \t\r\n");
    AUTO_FREE char *word = mem_strn(p, n);
    if (strcasecmp(word, "sms") == 0) {
        c->name = mem_str("phone");
        grammar_skip(&c->g, (int)n);
        return 0;
    }
    if (strchr(word, '@') && crm_email_fold(word, folded) < 0)
        return err_set(e, ERR_INPUT, "%s: this is no email address", c->row->name);
    if (strchr(word, '@') ||
        (word[0] == '+' && crm_phone_fold(word, c->crm->country, folded, sizeof(folded)) == 0)) {
        c->to = mem_str(folded);
        grammar_skip(&c->g, (int)n);
    }
    return 0;
}

static int address_words(struct cmd *c, struct err *e)
{
    return address_parse(c, e) < 0 ? -1 : cmd_text(c, NULL, e);
}

/* optout and optin, in which the list may stand before or behind the address. */
static int consent_parse(struct cmd *c, struct err *e)
{
    if (list_parse(c, e) < 0 || address_parse(c, e) < 0 || list_parse(c, e) < 0)
        return -1;
    if (c->list && c->name)
        return err_set(e, ERR_INPUT, "%s: lists are of mail, not of SMS", c->row->name);
    return cmd_text(c, NULL, e);
}

static int address_event(struct crm_ctx *ctx, const struct crm_target *t, const char *field,
                         bool on)
{
    if (on && !strcmp(field, "opted_out"))
        crm_emit(ctx, "address.opted_out", t, &ctx->op_actor);
    else if (on && !strcmp(field, "bouncing"))
        crm_emit(ctx, "address.bounced", t, &ctx->op_actor);
    return 0;
}

static int address_set(struct cmd *c, struct crm_ctx *ctx, const char *channel, const char *value,
                       const char *field, int64_t at, struct err *e)
{
    return c->list ? crm_change_list(ctx, value, c->list, at != 0, c->text, e)
                   : crm_change_address(ctx, channel, value, field, at, c->text, e);
}

static int address_run(struct cmd *c, struct crm_ctx *ctx, struct crm_target *t, const char *field,
                       bool on, struct crm_result *out, struct err *e)
{
    int64_t at = on ? ctx->now_ms : 0;
    size_t before = ctx->log_count, i;
    const json_t *a;
    const char *channel = c->name ? c->name : "email";
    struct buf whose AUTO_BUF;
    buf_init(&whose, sizeof(out->text));
    if (c->to) {
        if (address_set(c, ctx, c->to[0] == '+' ? "phone" : "email", c->to, field, at, e) < 0)
            return -1;
    } else {
        const json_t *list = t->contact ? crm_addresses(ctx, t->contact, e) : NULL;
        if (!list)
            return t->contact ? -1 : err_set(e, ERR_INPUT, "%s: whose address?", c->row->name);
        AUTO_JSON json_t *copy = json_deep_copy(list); /* the cache is renewed by each change */
        json_array_foreach(copy, i, a) {
            const char *value = json_get_str(a, "value", "");
            if (strcmp(json_get_str(a, "channel", ""), channel) != 0)
                continue;
            if (address_set(c, ctx, channel, value, field, at, e) < 0)
                return -1;
            buf_printf(&whose, "%s%s", whose.len ? ", " : "", value);
        }
    }
    if (!c->to && !whose.len)
        cmd_say(out, "%s: the contact has no %s", c->row->name,
                c->name ? "phone number" : "email address");
    else
        cmd_say(out, ctx->log_count > before ? "%s is noted for %s" : "%s was known already for %s",
                c->row->name, c->to ? c->to : whose.data);
    if (ctx->log_count > before && c->list)
        crm_emit(ctx, on ? "list.left" : "list.joined", t, &ctx->op_actor);
    return ctx->log_count > before && !c->list ? address_event(ctx, t, field, on) : 0;
}

static int optout_run(struct cmd *c, struct crm_ctx *ctx, struct crm_target *t,
                      struct crm_result *out, struct err *e)
{
    return address_run(c, ctx, t, "opted_out", true, out, e);
}

static int optin_run(struct cmd *c, struct crm_ctx *ctx, struct crm_target *t,
                     struct crm_result *out, struct err *e)
{
    return address_run(c, ctx, t, "opted_out", false, out, e);
}

static int bounced_run(struct cmd *c, struct crm_ctx *ctx, struct crm_target *t,
                       struct crm_result *out, struct err *e)
{
    return address_run(c, ctx, t, "bouncing", true, out, e);
}

static int verified_run(struct cmd *c, struct crm_ctx *ctx, struct crm_target *t,
                        struct crm_result *out, struct err *e)
{
    if (address_run(c, ctx, t, "bouncing", false, out, e) < 0)
        return -1;
    return address_run(c, ctx, t, "verified", true, out, e);
}

const struct cmd_row crm_cmd_optout = {"optout",
                                       "[ADDRESS | sms] [list:NAME] [REASON]",
                                       MAY_ALL | MAY_CONTACT,
                                       WORDS_SEALED,
                                       consent_parse,
                                       optout_run,
                                       "optin",
                                       "no more automatic mail to the contact, or to this address; sms: no more texts; "
                                       "list:NAME: nothing more of that list",
                                       "optout asked by phone"};
const struct cmd_row crm_cmd_optin = {"optin",
                                      "[ADDRESS | sms] [list:NAME] [REASON]",
                                      MAY_SYSTEM | MAY_STAFF | MAY_CONTACT,
                                      WORDS_SEALED,
                                      consent_parse,
                                      optin_run,
                                      "optout",
                                      "automatic mail is welcome again; sms: texts; "
                                      "list:NAME: mail of that list",
                                      "optin"};
const struct cmd_row crm_cmd_bounced = {"bounced",
                                        "[ADDRESS | sms] [REASON]",
                                        MAY_SYSTEM | MAY_STAFF,
                                        WORDS_SEALED,
                                        address_words,
                                        bounced_run,
                                        "verified",
                                        "mail to the address comes back for good",
                                        "bounced anna@example.com 550 no such user"};
const struct cmd_row crm_cmd_verified = {"verified",
                                         "[ADDRESS | sms] [REASON]",
                                         MAY_SYSTEM | MAY_STAFF,
                                         WORDS_SEALED,
                                         address_words,
                                         verified_run,
                                         "none",
                                         "the address works: mail may go there again",
                                         "verified anna@example.com"};
