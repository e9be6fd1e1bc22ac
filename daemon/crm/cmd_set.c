/* SPDX-License-Identifier: ISC
 *
 * cmd_set - set FIELD VALUE and status STATUS
 *
 * Values are read by the type of the field. What has a command of its own (owner,
 * stage, status) is not set here, so that its event and checks are not missed.
 */
#include <inttypes.h>
#include <string.h>
#include <strings.h>

#include "base/bounds.h"
#include "base/mem.h"
#include "base/text.h"
#include "crm/address.h"
#include "crm/cmd.h"
#include "crm/country.h"
#include "crm/language.h"
#include "crm/render.h"
#include "crm/when.h"
#include "rule/zone.h"

#define VALUE_MAX 4096

/* Names, subjects and the like are one line: they may stand in a header. */
static json_t *one_line(const char *text)
{
    AUTO_FREE char *s = mem_str(text);
    for (char *p = s; *p; p++)
        if ((unsigned char)*p < ' ' || *p == 0x7f)
            *p = ' ';
    return json_string(text_trim(s));
}

static json_t *parse_text(const struct crm *crm, const struct crm_field *f, const char *text,
                          struct err *e)
{
    char folded[CRM_ADDRESS_MAX];
    if (strlen(text) > VALUE_MAX || !text_is_utf8(text, strlen(text))) {
        err_set(e, ERR_INPUT, "%s: the text is too long or not UTF-8", f->name);
        return NULL;
    }
    if (f->choices && cmd_choice(f->choices, f->name, text, e) < 0)
        return NULL;
    if (f->entity == CRM_CONTACT && !strcmp(f->key, "email")) {
        if (crm_email_fold(text, folded) == 0)
            return json_string(folded);
        err_set(e, ERR_INPUT, "%s: this is no email address", f->name);
        return NULL;
    }
    if (f->entity == CRM_CONTACT && !strcmp(f->key, "phone")) {
        if (crm_phone_fold(text, crm->country, folded, sizeof(folded)) == 0)
            return json_string(folded);
        err_set(e, ERR_INPUT, "%s: this is no phone number", f->name);
        return NULL;
    }
    if (f->entity == CRM_CONTACT && !strcmp(f->key, "time_zone"))
        return zone_check(text, e) < 0 ? NULL : json_string(text);
    char code[3];
    bool of_record = f->entity == CRM_CONTACT || f->entity == CRM_COMPANY;
    if (of_record && !strcmp(f->key, "country") && crm_country_code(crm, text, code) == 0)
        return json_string(code);
    char language[CRM_LANGUAGE_MAX];
    if (f->entity == CRM_CONTACT && !strcmp(f->key, "language") &&
        crm_language_code(crm, text, language) == 0)
        return json_string(language);
    return text_starts(f->key, "custom.") ? json_string(text) : one_line(text);
}

static json_t *parse_int(const struct crm_field *f, const char *text, const json_t *old,
                         struct err *e)
{
    int64_t v, was = json_integer_value(old);
    bool step = text[0] == '+' && text[1];
    if (text_parse_int(step ? text + 1 : text, &v) < 0 ||
        (step && v > 0 && was > INT64_MAX - v)) {
        err_set(e, ERR_INPUT, "%s: '%s' is no whole number", f->name, text);
        return NULL;
    }
    return json_integer(step ? was + v : v);
}

static json_t *parse_bool(const struct crm_field *f, const char *text, struct err *e)
{
    static const char *const yes[] = {"yes", "true", "on", "1"}, *const no[] = {"no", "false",
                                                                               "off", "0"};
    for (size_t i = 0; i < ARRAY_LEN(yes); i++) {
        if (!strcasecmp(text, yes[i]))
            return json_true();
        if (!strcasecmp(text, no[i]))
            return json_false();
    }
    err_set(e, ERR_INPUT, "%s: '%s' is neither yes nor no", f->name, text);
    return NULL;
}

static json_t *parse_money(const struct crm *crm, const struct crm_field *f, const char *text,
                           struct err *e)
{
    int64_t minor;
    char currency[4];
    int n = crm_amount_parse(text, crm->currency, &minor, currency, e);
    if (n < 0)
        return NULL;
    if (n == 0 || text[n]) {
        err_set(e, ERR_INPUT, "%s: '%s' is no amount", f->name, text);
        return NULL;
    }
    return json_pack("{s:I, s:s}", "amount", minor, "currency", currency);
}

static json_t *parse_time(const struct crm *crm, const struct crm_field *f, const char *text,
                          int64_t now_ms, struct err *e)
{
    int64_t ms;
    int n = crm_when_parse(text, crm->zone, now_ms, &ms, e);
    if (n < 0)
        return NULL;
    if (n == 0 || text[n]) {
        err_set(e, ERR_INPUT, "%s: '%s' is no time such as 2026-12-01 10:00", f->name, text);
        return NULL;
    }
    return json_integer(ms);
}

json_t *crm_field_parse(const struct crm *crm, const struct crm_field *f, const char *text,
                        const json_t *old, int64_t now_ms, struct err *e)
{
    int64_t ms;
    switch (f->type) {
    case RULE_TYPE_TEXT:
        return parse_text(crm, f, text, e);
    case RULE_TYPE_INT:
        return parse_int(f, text, old, e);
    case RULE_TYPE_MONEY:
        return parse_money(crm, f, text, e);
    case RULE_TYPE_BOOL:
        return parse_bool(f, text, e);
    case RULE_TYPE_TIME:
        return parse_time(crm, f, text, now_ms, e);
    case RULE_TYPE_DURATION:
        if (text_parse_duration(text, &ms) == 0)
            return json_integer(ms);
        err_set(e, ERR_INPUT, "%s: '%s' is no duration such as 2h 30m", f->name, text);
        return NULL;
    case RULE_TYPE_LIST:
        break;
    }
    err_set(e, ERR_INPUT, "%s cannot be set", f->name);
    return NULL;
}

/* Back to what a new record has. */
static int field_clear(struct crm_ctx *ctx, const struct crm_field *f, int64_t id, struct err *e)
{
    if (!strcmp(f->name, "task.title"))
        return err_set(e, ERR_INPUT, "a task needs a title");
    if (!strcmp(f->name, "lead.score"))
        return crm_change_int(ctx, f->entity, id, f->key, 0, e);
    if (!strcmp(f->name, "case.priority"))
        return crm_change_str(ctx, f->entity, id, f->key, "normal", e);
    if (!strcmp(f->name, "deal.amount") &&
        crm_change(ctx, f->entity, id, "currency", NULL, e) < 0)
        return -1;
    return crm_change(ctx, f->entity, id, f->key, NULL, e);
}

int crm_field_set(struct crm_ctx *ctx, const struct crm_target *t, const struct crm_field *f,
                  const char *text, struct err *e)
{
    int64_t id = crm_target_id(t, f->entity);
    const json_t *rec, *old = NULL;
    if (!id)
        return err_set(e, ERR_INPUT, "%s: there is no %s here", f->name,
                       crm_entity_name(f->entity));
    rec = crm_record(ctx, f->entity, id, e);
    if (!rec)
        return -1;
    if (!text || !*text)
        return field_clear(ctx, f, id, e);
    old = text_starts(f->key, "custom.") ? json_object_get(json_get_obj(rec, "custom"), f->key + 7)
                                         : json_object_get(rec, f->key);
    AUTO_JSON json_t *v = crm_field_parse(ctx->crm, f, text, old, ctx->now_ms, e);
    if (!v)
        return -1;
    if (f->type == RULE_TYPE_MONEY && !text_starts(f->key, "custom.")) {
        if (crm_change(ctx, f->entity, id, "amount", json_object_get(v, "amount"), e) < 0)
            return -1;
        return crm_change(ctx, f->entity, id, "currency", json_object_get(v, "currency"), e);
    }
    return crm_change(ctx, f->entity, id, f->key, v, e);
}

/* ---- set ------------------------------------------------------------------ */

static int set_parse(struct cmd *c, struct err *e)
{
    static const struct {
        const char *field, *command;
    } other[] = {{"lead.owner", "assign"},  {"case.owner", "assign"},  {"deal.owner", "assign"},
                 {"lead.status", "status"}, {"case.status", "status"}, {"deal.stage", "stage"},
                 {"deal.status", "won"},    {"task.status", "done"},   {"lead.tags", "tag"},
                 {"contact.opted_out", "optout"}};
    if (cmd_word(c, "a field", e) < 0)
        return -1;
    int at = c->g.word_at;
    const char *equals = strchr(c->name, '=');
    if (equals || *grammar_peek(&c->g) == '=') {
        c->col = equals ? at + (int)(equals - c->name) : c->g.word_at;
        int field = equals ? (int)(equals - c->name) : (int)strlen(c->name);
        grammar_skip(&c->g, !equals);
        AUTO_FREE char *value = grammar_rest(&c->g);
        return err_set(e, ERR_INPUT, "set has no =: set %.*s %s%s%s", field, c->name,
                       equals ? equals + 1 : "", equals && value ? " " : "", value ? value : "");
    }
    c->g.word_at = at;
    for (size_t i = 0; i < ARRAY_LEN(other); i++)
        if (!strcmp(c->name, other[i].field))
            return err_set(e, ERR_INPUT, "%s is changed with the command %s", c->name,
                           other[i].command);
    c->field = crm_fieldset_find(c->crm->fieldset, c->name, e);
    if (!c->field)
        return -1;
    if (!c->field->settable)
        return err_set(e, ERR_INPUT, "%s cannot be set", c->name);
    grammar_peek(&c->g);
    c->text = grammar_rest(&c->g); /* nothing: the field is cleared */
    if (!c->text || !*c->text)
        return 0;
    if (c->of_rule && crm_has_fields(c->text)) /* what it will be is not known yet */
        return 0;
    AUTO_JSON json_t *v = crm_field_parse(c->crm, c->field, c->text, NULL, c->now_ms, e);
    if (!v && c->g.word_at == at)
        c->col = at;
    return v ? 0 : -1;
}

static int set_run(struct cmd *c, struct crm_ctx *ctx, struct crm_target *t,
                   struct crm_result *out, struct err *e)
{
    if (c->field->type == RULE_TYPE_MONEY && c->field->entity == CRM_DEAL && !t->deal &&
        cmd_open_deal(ctx, t, true, e) < 0)
        return -1;
    if (crm_field_set(ctx, t, c->field, c->text, e) < 0)
        return -1;
    cmd_say(out, "%s is %s on %s", c->field->name, c->text && *c->text ? "set" : "cleared",
            cmd_id(ctx, c->field->entity, crm_target_id(t, c->field->entity)));
    return 0;
}

/* ---- status ----------------------------------------------------------------- */

static int status_parse(struct cmd *c, struct err *e)
{
    static const char *const all[] = {"new",  "contacted", "qualified", "closed",
                                      "open", "waiting",   NULL};
    if (cmd_word(c, "a status", e) < 0 || cmd_choice(all, "status", c->name, e) < 0)
        return -1;
    return cmd_end(c, e);
}

/* Out of closed there is one way: reopen. */
static int lead_status(struct crm_ctx *ctx, int64_t lead, const char *status, struct err *e)
{
    const json_t *rec = crm_record(ctx, CRM_LEAD, lead, e);
    if (!rec)
        return -1;
    if (!strcmp(json_get_str(rec, "status", ""), "closed") && strcmp(status, "closed"))
        return err_set(e, ERR_INPUT, "%s is closed; reopen it first", cmd_id(ctx, CRM_LEAD, lead));
    return cmd_lead_status(ctx, lead, status, NULL, e);
}

static int status_run(struct cmd *c, struct crm_ctx *ctx, struct crm_target *t,
                      struct crm_result *out, struct err *e)
{
    static const char *const of_lead[] = {"new", "contacted", "qualified", "closed", NULL};
    static const char *const of_case[] = {"open", "waiting", "closed", NULL};
    enum crm_entity what = cmd_lead_or_case(t, e);
    if (what == CRM_NONE ||
        cmd_choice(what == CRM_LEAD ? of_lead : of_case,
                   what == CRM_LEAD ? "status of a lead" : "status of a case", c->name, e) < 0)
        return -1;
    if ((what == CRM_LEAD ? lead_status(ctx, t->lead, c->name, e)
                          : cmd_case_status(ctx, t->kase, c->name, NULL, e)) < 0)
        return -1;
    cmd_say(out, "%s is %s", cmd_id(ctx, what, crm_target_id(t, what)), c->name);
    return 0;
}

const struct cmd_row crm_cmd_set = {
    "set", "FIELD [VALUE]", MAY_ALL, WORDS_WITH_FIELDS, set_parse, set_run, "set the value it had",
    "set a field; without a value clear it; +N adds to a number", "set lead.score +10"};
const struct cmd_row crm_cmd_status = {
    "status", "new | contacted | qualified | closed, of a case open | waiting | closed", MAY_ALL,
    WORDS_OPEN, status_parse, status_run, "status it had", "set the status of the lead or case",
    "status qualified"};
