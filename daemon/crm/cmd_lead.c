/* SPDX-License-Identifier: ISC
 *
 * cmd_lead - lead [new] NAME=VALUE ...: somebody called, or something is known now
 *
 * With a lead at hand its fields and its contact's are set; without one, or with `new`,
 * a lead is made, of the contact who has the address or number, else of a new one. A
 * value goes on to the next NAME=, so that names need no quotes. Whoever makes a lead
 * owns it until a rule or a person gives it to somebody else.
 */
#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "base/text.h"
#include "crm/address.h"
#include "crm/cmd.h"
#include "crm/identity.h"
#include "store/contact.h"

#define GIVEN_MAX 20

/* Names that say which record they are of by themselves. */
static const struct {
    const char *word, *field;
} short_names[] = {
    {"name", "contact.name"},     {"email", "contact.email"},       {"mail", "contact.email"},
    {"phone", "contact.phone"},   {"tel", "contact.phone"},         {"mobile", "contact.phone"},
    {"title", "contact.title"},
    {"country", "contact.country"}, {"language", "contact.language"}, {"company", "company.name"},
    {"firma", "company.name"},    {"about", "lead.subject"}};

/* "name=" at p: bytes of the name, 0 when it is none. */
static size_t name_at(const char *p)
{
    size_t n = 0;
    while (isalnum((unsigned char)p[n]) || (n && p[n] && strchr("._-", p[n])))
        n++;
    return n > 0 && n < 64 && p[n] == '=' ? n : 0;
}

/* Bytes up to the next name=, which begins a word. */
static size_t value_bytes(const char *p)
{
    size_t n = 0;
    if (*p == '\'') {
        const char *end = strchr(p + 1, '\'');
        if (end)
            return (size_t)(end - p) + 1;
    }
    while (p[n] && !(p[n] == ' ' && name_at(p + n + strspn(p + n, " "))))
        n++;
    return n;
}

static const struct crm_field *field_named(const struct cmd *c, const char *word, struct err *e)
{
    char name[80];
    snprintf(name, sizeof(name), strchr(word, '.') ? "%s" : "lead.%s", word);
    text_lower(name);
    for (size_t i = 0; i < ARRAY_LEN(short_names); i++)
        if (!strcasecmp(word, short_names[i].word))
            snprintf(name, sizeof(name), "%s", short_names[i].field);
    const struct crm_field *f = crm_fieldset_find(c->crm->fieldset, name, e);
    if (!f)
        return NULL;
    if (!f->settable || (f->entity != CRM_LEAD && f->entity != CRM_CONTACT && f->entity != CRM_COMPANY)) {
        err_set(e, ERR_INPUT, "lead: %s cannot be set", name);
        return NULL;
    }
    return f;
}

static int given_take(struct cmd *c, const char **p, struct err *e)
{
    char word[64];
    size_t n = name_at(*p);
    if (n == 0 || json_array_size(c->who) == GIVEN_MAX)
        return err_set(e, ERR_INPUT, "lead: '%.40s': expected NAME=VALUE, such as "
                       "name=Jane Doe phone=0660 1234567", *p);
    snprintf(word, sizeof(word), "%.*s", (int)n, *p);
    const struct crm_field *f = field_named(c, word, e);
    if (!f)
        return -1;
    *p += n + 1;
    size_t len = value_bytes(*p);
    bool quoted = len > 1 && **p == '\'' && (*p)[len - 1] == '\'';
    AUTO_FREE char *value = mem_strn(*p + quoted, len - 2 * quoted);
    char *trimmed = text_trim(value);
    *p += len;
    *p += strspn(*p, " ,;");
    if (!*trimmed)
        return err_set(e, ERR_INPUT, "lead: %s= without a value", word);
    AUTO_JSON json_t *v = crm_field_parse(c->crm, f, trimmed, NULL, c->now_ms, e);
    if (!v)
        return -1;
    json_array_append_new(c->who, json_pack("{s:s, s:s}", "field", f->name, "value", trimmed));
    return 0;
}

static int lead_parse(struct cmd *c, struct err *e)
{
    const char *p = grammar_peek(&c->g);
    c->who = json_array();
    if (!strncasecmp(p, "new", 3) && (!p[3] || p[3] == ' ')) {
        c->mode = 1;
        p += 3 + strspn(p + 3, " ");
    }
    while (*p)
        if (given_take(c, &p, e) < 0)
            return -1;
    if (!json_array_size(c->who))
        return err_set(e, ERR_INPUT, "lead: what is known? lead name=Jane Doe phone=0660 1234567");
    return 0;
}

static const char *given(const struct cmd *c, const char *field)
{
    size_t i;
    const json_t *g;
    json_array_foreach(c->who, i, g)
        if (!strcmp(json_get_str(g, "field", ""), field))
            return json_get_str(g, "value", NULL);
    return NULL;
}

/* Who has the address or number that was given; 0: nobody. */
static int contact_known(struct cmd *c, struct crm_ctx *ctx, int64_t *out, struct err *e)
{
    char folded[CRM_ADDRESS_MAX];
    const char *email = given(c, "contact.email"), *phone = given(c, "contact.phone");
    *out = 0;
    if (email && crm_email_fold(email, folded) == 0 &&
        crm_find_contact(ctx, "email", folded, out, e) < 0)
        return -1;
    if (!*out && phone && crm_phone_fold(phone, c->crm->country, folded, sizeof(folded)) == 0)
        return crm_find_contact(ctx, "phone", folded, out, e);
    return 0;
}

static int contact_new(struct cmd *c, struct crm_ctx *ctx, struct crm_target *t, struct err *e)
{
    struct crm_name name;
    const char *company = given(c, "company.name"), *email = given(c, "contact.email");
    const char *at = email ? strrchr(email, '@') : NULL;
    AUTO_JSON json_t *rec = json_object();
    bool own = at && !crm_domain_is_free(at + 1) &&
               strcasecmp(at + 1, crm_setting(ctx->crm, "domain", "")) != 0;
    if (own) {
        AUTO_FREE char *domain = mem_str(at + 1);
        text_lower(domain);
        if (company_find(ctx->crm->db, domain, &t->company, e) < 0)
            return -1;
        json_put_str(rec, "domain", domain);
        json_put_str(rec, "name", domain);
    }
    json_put_str(rec, "name", company);
    if (!t->company && (own || company) && crm_create(ctx, CRM_COMPANY, rec, &t->company, e) < 0)
        return -1;
    AUTO_JSON json_t *contact = json_object();
    crm_name_split(given(c, "contact.name"), &name);
    json_put_str(contact, "name", name.full[0] ? name.full : NULL);
    json_put_str(contact, "first_name", name.first[0] ? name.first : NULL);
    json_put_str(contact, "last_name", name.last[0] ? name.last : NULL);
    json_put_int(contact, "company_id", t->company);
    return crm_create(ctx, CRM_CONTACT, contact, &t->contact, e);
}

static int lead_make(struct cmd *c, struct crm_ctx *ctx, struct crm_target *t, struct err *e)
{
    int64_t contact;
    bool mine = ctx->op_actor.kind == CRM_BY_USER;
    if (!given(c, "contact.email") && !given(c, "contact.phone") && !given(c, "contact.name"))
        return err_set(e, ERR_INPUT, "lead: a new lead needs a name=, phone= or email=");
    if (contact_known(c, ctx, &contact, e) < 0)
        return -1;
    *t = (struct crm_target){.main = CRM_LEAD};
    if (contact && crm_target_of(ctx, CRM_CONTACT, contact, t, e) < 0)
        return -1;
    t->main = CRM_LEAD;
    if (!contact && contact_new(c, ctx, t, e) < 0)
        return -1;
    AUTO_JSON json_t *rec = json_object();
    json_put_int(rec, "contact_id", t->contact);
    json_put_int(rec, "company_id", t->company);
    json_put_str(rec, "source", mine ? "rep" : ctx->source);
    if (crm_create(ctx, CRM_LEAD, rec, &t->lead, e) < 0)
        return -1;
    return mine ? crm_assign(ctx, CRM_LEAD, t->lead, ctx->op_actor.name, e) : 0;
}

/* An address that another contact has would be taken from him. */
static int given_check(struct cmd *c, struct crm_ctx *ctx, const struct crm_target *t, struct err *e)
{
    int64_t contact;
    if (contact_known(c, ctx, &contact, e) < 0)
        return -1;
    if (!contact || contact == t->contact)
        return 0;
    return err_set(e, ERR_INPUT, "lead: %s has that address already; for a lead of theirs write: lead "
                   "new ...", cmd_id(ctx, CRM_CONTACT, contact));
}

static int lead_run(struct cmd *c, struct crm_ctx *ctx, struct crm_target *t,
                    struct crm_result *out, struct err *e)
{
    bool makes = c->mode == 1 || !t->lead;
    size_t i;
    const json_t *g;
    if (makes ? lead_make(c, ctx, t, e) < 0
              : !crm_record(ctx, CRM_LEAD, t->lead, e) || given_check(c, ctx, t, e) < 0)
        return -1;
    json_array_foreach(c->who, i, g) {
        const struct crm_field *f =
            crm_fieldset_find(c->crm->fieldset, json_get_str(g, "field", ""), e);
        if (!f)
            return -1;
        if (!crm_target_id(t, f->entity)) /* a company of nobody */
            continue;
        if (makes && (!strcmp(f->name, "contact.name") || !strcmp(f->name, "company.name")))
            continue; /* a known contact keeps his name */
        if (crm_field_set(ctx, t, f, json_get_str(g, "value", ""), e) < 0)
            return -1;
    }
    cmd_say(out, makes ? "%s is new, of %s" : "%s is up to date, with %s",
            cmd_id(ctx, CRM_LEAD, t->lead), cmd_id(ctx, CRM_CONTACT, t->contact));
    return 0;
}

const struct cmd_row crm_cmd_lead = {
    "lead", "[new] NAME=VALUE ...", MAY_STAFF, WORDS_SEALED, lead_parse, lead_run,
    "removes what it made, sets what it had",
    "set fields of the lead and its contact; without a lead, or with new, make one: name, email, "
    "phone, company, subject, and own fields", "lead name=Jane Doe phone=0660 1234567"};
