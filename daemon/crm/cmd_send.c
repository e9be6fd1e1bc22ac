/* SPDX-License-Identifier: ISC
 *
 * cmd_send - send [sms using] TEMPLATE [to contact | owner | ADDRESS | NUMBER]
 *
 * The engine's outbox takes it; here it is decided to whom. Who has opted out, or
 * whose address bounces, gets nothing, whoever asks.
 */
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "crm/address.h"
#include "crm/cmd.h"
#include "crm/templates.h"
#include "rule/template.h"
#include "store/contact.h"

int cmd_sms_template(struct cmd *c, struct err *e)
{
    if (cmd_word(c, "a template", e) < 0)
        return -1;
    AUTO_FREE char *own = mem_printf("%s.sms", c->name);
    if (!json_object_get(c->crm->templates_cfg, own) &&
        crm_template_check(c->crm, c->row->name, c->name, e) < 0)
        return -1;
    if (json_object_size(json_object_get(c->crm->config, "gateways")) == 0)
        return err_set(e, ERR_INPUT, "%s: there are no gateways for SMS in leadd.conf",
                       c->row->name);
    return 0;
}

/* "sms using TEMPLATE", behind a template that may itself be called sms. */
static int send_parse_sms(struct cmd *c, struct err *e)
{
    bool ok;
    if (strcasecmp(c->name, "sms"))
        return 0; /* and a mistake is told where the name stands */
    const char *p = grammar_peek(&c->g);
    if (strncasecmp(p, "using", 5) || !p[5] || !strchr(" \t", p[5]))
        return 0;
    grammar_word(&c->g, &ok, e);
    c->sms = true;
    return cmd_sms_template(c, e);
}

static int send_parse_template(struct cmd *c, struct err *e)
{
    if (cmd_word(c, "a template", e) < 0 || send_parse_sms(c, e) < 0)
        return -1;
    if (c->sms)
        return 0;
    if (crm_template_check(c->crm, "send", c->name, e) < 0)
        return -1;
    if (template_is_sms(c->name))
        return err_set(e, ERR_INPUT, "send: %s is words for an SMS: send sms using %.*s", c->name,
                       (int)strlen(c->name) - 4, c->name);
    return 0;
}

static int send_parse(struct cmd *c, struct err *e)
{
    bool ok;
    char folded[CRM_ADDRESS_MAX];
    if (send_parse_template(c, e) < 0)
        return -1;
    const char *w = grammar_word(&c->g, &ok, e);
    if (!w)
        return ok ? 0 : -1;
    if (strcasecmp(w, "to"))
        return err_set(e, ERR_INPUT, "send: 'to' is expected, not '%s'", w);
    w = grammar_word(&c->g, &ok, e);
    if (!w)
        return ok ? err_set(e, ERR_INPUT, "send: to whom? contact, owner or %s",
                            c->sms ? "a number" : "an address")
                  : -1;
    if (!strcasecmp(w, "contact") || !strcasecmp(w, "owner"))
        c->to = mem_str(strcasecmp(w, "owner") ? "contact" : "owner");
    else if (c->sms ? crm_phone_fold(w, c->crm->country, folded, sizeof(folded)) == 0
                    : crm_email_fold(w, folded) == 0)
        c->to = mem_str(folded);
    else
        return err_set(e, ERR_INPUT, "send: '%s' is neither contact nor owner nor %s", w,
                       c->sms ? "a number" : "an address");
    return cmd_end(c, e);
}

int crm_send_to_contact(struct crm_ctx *ctx, const struct crm_target *t, struct crm_send *s,
                        struct err *e)
{
    size_t i;
    const json_t *a, *list, *rec = crm_record(ctx, CRM_CONTACT, t->contact, e);
    if (!rec)
        return -1;
    list = crm_addresses(ctx, t->contact, e);
    if (!list)
        return -1;
    json_array_foreach((json_t *)list, i, a)
        if (!s->to && !strcmp(json_get_str(a, "channel", ""), s->sms ? "phone" : "email"))
            s->to = json_get_str(a, "value", NULL);
    s->to_name = json_get_str(rec, "name", NULL);
    if (!s->to)
        return err_set(e, ERR_INPUT, "%s has no %s", cmd_id(ctx, CRM_CONTACT, t->contact),
                       s->sms ? "phone number" : "email address");
    return 0;
}

static int send_to_owner(struct crm_ctx *ctx, const struct crm_target *t, struct crm_send *s,
                         struct err *e)
{
    enum crm_entity what = cmd_lead_or_case(t, e);
    const json_t *rec = what == CRM_NONE ? NULL : crm_record(ctx, what, crm_target_id(t, what), e);
    if (!rec)
        return -1;
    const char *owner = json_get_str(rec, "owner", NULL);
    const json_t *user = owner ? crm_user(ctx->crm, owner) : NULL;
    s->to = json_get_str(user, s->sms ? "phone" : "email", NULL);
    s->to_name = json_get_str(user, "name", NULL);
    s->to_user = owner;
    if (!s->to)
        return err_set(e, ERR_INPUT, "%s has no owner with %s",
                       cmd_id(ctx, what, crm_target_id(t, what)),
                       s->sms ? "a phone number" : "an email address");
    return 0;
}

static int send_check(struct crm_ctx *ctx, const struct crm_send *s, struct err *e)
{
    enum crm_address_use use;
    if (s->to_user)
        return 0;
    if (crm_address_check(ctx->crm->db, s->sms ? "phone" : "email", s->to, &use, e) < 0)
        return -1;
    if (use == CRM_ADDRESS_OPTED_OUT)
        return err_set(e, ERR_INPUT, "not sent: the recipient has opted out");
    if (use == CRM_ADDRESS_BOUNCING)
        return err_set(e, ERR_INPUT, s->sms ? "not sent: the number cannot get texts"
                                            : "not sent: mail to this address comes back");
    return 0;
}

static int send_run(struct cmd *c, struct crm_ctx *ctx, struct crm_target *t,
                    struct crm_result *out, struct err *e)
{
    struct crm_send s = {.template_name = c->name, .target = *t, .actor = ctx->op_actor,
                         .sms = c->sms};
    int64_t outbox = 0;
    int rc;
    if (!c->to || !strcmp(c->to, "contact")) {
        rc = crm_send_to_contact(ctx, t, &s, e);
    } else if (!strcmp(c->to, "owner")) {
        rc = send_to_owner(ctx, t, &s, e);
    } else {
        s.to = c->to;
        s.to_user = crm_user_by_address(ctx->crm, c->sms ? "phone" : "email", c->to);
        rc = 0;
    }
    if (rc < 0 || send_check(ctx, &s, e) < 0)
        return -1;
    if (!ctx->hooks.send)
        return err_set(e, ERR_INPUT, "nothing can be sent from here");
    if (ctx->hooks.send(ctx->hooks.arg, ctx, &s, &outbox, e) < 0)
        return -1;
    if (outbox) /* else it is told with others, in one mail */
        json_array_append_new(json_object_get(ctx->op, "changes"),
                              json_pack("{s:s, s:I}", "e", "outbox", "id", outbox));
    cmd_say(out, "%s goes out%s", c->name, c->sms ? " as SMS" : "");
    return 0;
}

int crm_address_check(struct db *db, const char *channel, const char *value,
                      enum crm_address_use *out, struct err *e)
{
    AUTO_JSON json_t *row = NULL;
    if (address_get(db, channel, value, &row, e) < 0)
        return -1;
    *out = json_object_get(row, "opted_out_ms")  ? CRM_ADDRESS_OPTED_OUT
           : json_object_get(row, "bouncing_ms") ? CRM_ADDRESS_BOUNCING
                                                 : CRM_ADDRESS_OK;
    return 0;
}

int crm_contact_email(struct crm_ctx *ctx, int64_t contact, const char **out, struct err *e)
{
    const json_t *a, *list = crm_addresses(ctx, contact, e);
    size_t i;
    if (!list)
        return -1;
    *out = NULL;
    json_array_foreach((json_t *)list, i, a)
        if (!*out && !strcmp(json_get_str(a, "channel", ""), "email"))
            *out = json_get_str(a, "value", NULL);
    return 0;
}

int crm_contact_check(struct crm_ctx *ctx, int64_t contact, enum crm_address_use *out,
                      struct err *e)
{
    const char *to = NULL;
    *out = CRM_ADDRESS_OK;
    if (contact && crm_contact_email(ctx, contact, &to, e) < 0)
        return -1;
    return to ? crm_address_check(ctx->crm->db, "email", to, out, e) : 0;
}

bool crm_sends_to_contact(const char *line)
{
    line += strspn(line, " \t");
    if (strncasecmp(line, "send ", 5))
        return false;
    line += 5 + strspn(line + 5, " \t");
    bool sms = !strncasecmp(line, "sms", 3) && !strncasecmp(line + 3 + strspn(line + 3, " \t"), "using ", 6);
    for (int i = 0; i < (sms ? 3 : 1); i++) { /* the template */
        line += strcspn(line, " \t");
        line += strspn(line, " \t");
    }
    return !*line || (!strncasecmp(line, "to contact", 10) && !line[10 + strspn(line + 10, " \t")]);
}

const struct cmd_row crm_cmd_send = {"send",
                                     "[sms using] TEMPLATE [to contact | owner | ADDRESS | NUMBER]",
                                     MAY_SYSTEM | MAY_RULE | MAY_STAFF,
                                     WORDS_SEALED,
                                     send_parse,
                                     send_run,
                                     "takes the mail back while it has not left",
                                     "send a mail, or with sms using an SMS, made from a template",
                                     "send welcome to contact"};
