/* SPDX-License-Identifier: ISC
 *
 * offer - see offer.h
 */
#include "crm/offer.h"

#include <stdio.h>
#include <string.h>

#include "base/bounds.h"
#include "base/mem.h"
#include "base/text.h"
#include "crm/address.h"
#include "crm/ctx.h"
#include "crm/identity.h"
#include "crm/twin.h"
#include "store/contact.h"
#include "store/offer.h"

#define FACT_MAX 160

int crm_offers_any(struct crm_ctx *ctx, bool *out, struct err *e)
{
    if (!ctx->crm->offers_known && offer_any(ctx->crm->db, &ctx->crm->offers, e) < 0)
        return -1;
    ctx->crm->offers_known = true;
    *out = ctx->crm->offers;
    return 0;
}

static int offer_put(struct crm_ctx *ctx, int64_t contact, const char *channel, const char *value,
                     const char *source, bool *new_out, struct err *e)
{
    if (offer_add(ctx->crm->db, contact, channel, value, source, ctx->message_id, ctx->now_ms,
                  new_out, e) < 0)
        return -1;
    ctx->crm->offers = ctx->crm->offers_known = true;
    size_t n = strlen(ctx->offered);
    if (*new_out && !strstr(ctx->offered, channel))
        snprintf(ctx->offered + n, sizeof(ctx->offered) - n, "%s%s", n ? ", " : "", channel);
    return 0;
}

static int has_address(struct crm_ctx *ctx, int64_t contact, const char *channel,
                       const char *value, bool *out, struct err *e)
{
    const json_t *list = crm_addresses(ctx, contact, e), *a;
    size_t i;
    *out = false;
    if (!list)
        return -1;
    json_array_foreach((json_t *)list, i, a)
        *out |= !strcmp(json_get_str(a, "channel", ""), channel) &&
                !strcmp(json_get_str(a, "value", ""), value);
    return 0;
}

/* Does the address say anything about who the contact is? other: who has it, 0: nobody. */
static int is_telling(struct crm_ctx *ctx, int64_t contact, int64_t other, const char *channel,
                      const char *source, bool *out, struct err *e)
{
    bool differ = false;
    *out = true;
    if (!other)
        return 0;
    if ((!strcmp(channel, "phone") ? crm_twin_switchboard(ctx, contact, other, &differ, e)
         : !strcmp(source, "text") ? crm_twin_differ(ctx, contact, other, &differ, e)
                                   : 0) < 0)
        return -1;
    *out = !differ;
    return 0;
}

int crm_offer_address(struct crm_ctx *ctx, int64_t contact, const char *channel,
                      const char *value, const char *source, struct err *e)
{
    int64_t other;
    bool has, telling, fresh;
    if (crm_user_by_address(ctx->crm, channel, value))
        return 0;
    if (has_address(ctx, contact, channel, value, &has, e) < 0 ||
        crm_find_contact(ctx, channel, value, &other, e) < 0)
        return -1;
    if (has || other == contact)
        return 0;
    if (is_telling(ctx, contact, other, channel, source, &telling, e) < 0)
        return -1;
    if (!telling)
        return 0;
    if (offer_put(ctx, contact, channel, value, source, &fresh, e) < 0)
        return -1;
    if (other && fresh)
        crm_twin_note(ctx, contact, other, channel);
    return 0;
}

/* ---- the record ------------------------------------------------------------------------- */

/* What it has, NULL: nothing. A company that is called after its domain has no name yet. */
static int fact_of(struct crm_ctx *ctx, int64_t contact, const char *channel, const char **out,
                   struct err *e)
{
    const json_t *rec = crm_record(ctx, CRM_CONTACT, contact, e), *company;
    *out = NULL;
    if (!rec)
        return -1;
    if (strcmp(channel, "company")) {
        *out = json_get_str(rec, channel, NULL);
        return 0;
    }
    int64_t id = json_get_int(rec, "company_id", 0);
    company = id ? crm_record_any(ctx, CRM_COMPANY, id, e) : NULL;
    if (id && !company)
        return -1;
    const char *name = json_get_str(company, "name", "");
    *out = *name && strcmp(name, json_get_str(company, "domain", "")) ? name : NULL;
    return 0;
}

static int has_fact(struct crm_ctx *ctx, int64_t contact, const char *channel, const char *value,
                    bool *out, struct err *e)
{
    const char *has;
    if (!strcmp(channel, "phone") || !strcmp(channel, "email"))
        return has_address(ctx, contact, channel, value, out, e);
    if (fact_of(ctx, contact, channel, &has, e) < 0)
        return -1;
    *out = has && rule_fold_equal(has, value);
    /* another way to write his name is no news */
    *out |= has && !strcmp(channel, "name");
    return 0;
}

int crm_fill_country(struct crm_ctx *ctx, int64_t contact, const char *phone, struct err *e)
{
    char country[3];
    const json_t *rec = crm_record(ctx, CRM_CONTACT, contact, e);
    if (!rec)
        return -1;
    if (json_object_get(rec, "country") || crm_phone_country(phone, country) < 0)
        return 0;
    return crm_change_str(ctx, CRM_CONTACT, contact, "country", country, e);
}

/* It comes behind those that he has: the one that counts goes on counting. */
static int take_address(struct crm_ctx *ctx, int64_t contact, const char *channel,
                        const char *value, enum crm_offer_done *out, struct err *e)
{
    const json_t *list = crm_addresses(ctx, contact, e), *a;
    AUTO_JSON json_t *row = NULL;
    bool first = true;
    size_t i;
    if (!list || address_get(ctx->crm->db, channel, value, &row, e) < 0)
        return -1;
    int64_t other = json_get_int(row, "contact_id", 0);
    *out = other == contact ? OFFER_HAS : other ? OFFER_OTHERS : OFFER_TAKEN;
    if (other)
        return 0;
    json_array_foreach((json_t *)list, i, a)
        first &= strcmp(json_get_str(a, "channel", ""), channel) != 0;
    if ((first ? crm_change_str(ctx, CRM_CONTACT, contact, channel, value, e)
               : crm_link_address(ctx, contact, channel, value, e)) < 0)
        return -1;
    return strcmp(channel, "phone") ? 0 : crm_fill_country(ctx, contact, value, e);
}

/* A company without a name gets it; who has none, works at the one of that name. */
static int take_company(struct crm_ctx *ctx, int64_t contact, const char *value, struct err *e)
{
    const json_t *rec = crm_record(ctx, CRM_CONTACT, contact, e);
    int64_t id = json_get_int(rec, "company_id", 0);
    if (!rec)
        return -1;
    if (id)
        return crm_change_str(ctx, CRM_COMPANY, id, "name", value, e);
    if (company_named(ctx->crm->db, value, &id, e) < 0)
        return -1;
    AUTO_JSON json_t *company = json_pack("{s:s}", "name", value);
    if (!id && crm_create(ctx, CRM_COMPANY, company, &id, e) < 0)
        return -1;
    return crm_change_int(ctx, CRM_CONTACT, contact, "company_id", id, e);
}

int crm_offer_take(struct crm_ctx *ctx, int64_t contact, const char *channel, const char *value,
                   bool replace, enum crm_offer_done *out, struct err *e)
{
    const char *has;
    struct crm_name name;
    *out = OFFER_STAYS;
    if (!strcmp(channel, "phone") || !strcmp(channel, "email"))
        return take_address(ctx, contact, channel, value, out, e);
    if (fact_of(ctx, contact, channel, &has, e) < 0)
        return -1;
    if (has && (!replace || !strcmp(channel, "company"))) /* its name is not one person's */
        return 0;
    *out = OFFER_TAKEN;
    if (!strcmp(channel, "company"))
        return take_company(ctx, contact, value, e);
    if (strcmp(channel, "name"))
        return crm_change_str(ctx, CRM_CONTACT, contact, channel, value, e);
    crm_name_split(value, &name);
    return crm_name_contact(ctx, contact, &name, e);
}

/* ---- what is offered ----------------------------------------------------------------------- */

bool crm_offer_is_plain(const json_t *offer)
{
    return strcmp(json_get_str(offer, "source", ""), "text") && !json_object_get(offer, "other");
}

int crm_offers(struct crm_ctx *ctx, int64_t contact, json_t **out, struct err *e)
{
    char name[CRM_ID_LEN];
    size_t i;
    json_t *v;
    bool any, same;
    AUTO_JSON json_t *open = json_array(), *list = NULL;
    if (crm_offers_any(ctx, &any, e) < 0)
        return -1;
    list = any ? offer_list(ctx->crm->db, contact, e) : json_array();
    if (!list)
        return -1;
    json_array_foreach(list, i, v) {
        const char *channel = json_get_str(v, "channel", ""), *value = json_get_str(v, "value", "");
        int64_t other = 0;
        if (has_fact(ctx, contact, channel, value, &same, e) < 0 ||
            ((!strcmp(channel, "phone") || !strcmp(channel, "email")) &&
             crm_find_contact(ctx, channel, value, &other, e) < 0))
            return -1;
        if (other && other != contact)
            json_put_str(v, "other", crm_id_format(CRM_CONTACT, other, name));
        if (!same)
            json_array_append(open, v);
    }
    *out = json_incref(open);
    return 0;
}

/* ---- mails ------------------------------------------------------------------------------ */

/* Bytes of an address around the @ at p, which it begins before; 0: it is none. */
static size_t address_around(const char *text, const char *at, const char **begin_out)
{
    static const char more[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_";
    const char *from = at, *to = at + 1;
    while (from > text && (strchr(more, from[-1]) || from[-1] == '+'))
        from--;
    to += strspn(to, more);
    while (to > at + 1 && strchr(".-_", to[-1]))
        to--;
    *begin_out = from;
    return from < at && to > at + 1 && memchr(at, '.', (size_t)(to - at)) ? (size_t)(to - from) : 0;
}

/* Addresses in what he wrote, but ours and his own. */
static int offer_named_in(struct crm_ctx *ctx, const struct crm_who *who, const char *text,
                          const char *source, struct err *e)
{
    char folded[CRM_ADDRESS_MAX];
    const char *end = text + strnlen(text, BOUND_OFFER_BYTES), *begin;
    int n = 0;
    for (const char *at = strchr(text, '@'); at && at < end && n < BOUND_OFFER_ADDRESSES;
         at = strchr(at + 1, '@')) {
        size_t len = address_around(text, at, &begin);
        if (!len || len >= CRM_ADDRESS_MAX)
            continue;
        AUTO_FREE char *one = mem_strn(begin, len);
        if (crm_email_fold(one, folded) < 0 || crm_is_inside(ctx->crm, folded))
            continue;
        n++;
        if (crm_offer_address(ctx, who->target.contact, "email", folded, source, e) < 0)
            return -1;
    }
    return 0;
}

/* The first number of somebody who has none. */
static int offer_phone(struct crm_ctx *ctx, int64_t contact, const char *phone, bool sure,
                       struct err *e)
{
    const json_t *list = crm_addresses(ctx, contact, e), *a;
    enum crm_offer_done done = OFFER_OTHERS;
    size_t i;
    if (!list)
        return -1;
    json_array_foreach((json_t *)list, i, a)
        sure &= strcmp(json_get_str(a, "channel", ""), "phone") != 0;
    if (sure && !crm_user_by_address(ctx->crm, "phone", phone) &&
        crm_offer_take(ctx, contact, "phone", phone, false, &done, e) < 0)
        return -1;
    return done == OFFER_TAKEN ? 0 : crm_offer_address(ctx, contact, "phone", phone, "signature", e);
}

/* Post, company, name. */
static int offer_fact(struct crm_ctx *ctx, int64_t contact, const char *channel,
                      const char *value, bool sure, struct err *e)
{
    enum crm_offer_done done = OFFER_STAYS;
    char line[FACT_MAX];
    bool fresh, same;
    if (!value || !*value)
        return 0;
    snprintf(line, sizeof(line), "%s", value);
    line[text_utf8_cut(line, strlen(line), sizeof(line) - 2)] = '\0';
    text_make_line(line);
    value = text_trim(line);
    if (has_fact(ctx, contact, channel, value, &same, e) < 0)
        return -1;
    if (same)
        return 0;
    const json_t *rec = crm_record(ctx, CRM_CONTACT, contact, e);
    if (!rec)
        return -1;
    /* a company that is there may get its name; nobody comes to one by his own word */
    sure &= strcmp(channel, "company") || json_object_get(rec, "company_id");
    if (sure && crm_offer_take(ctx, contact, channel, value, false, &done, e) < 0)
        return -1;
    return done == OFFER_TAKEN ? 0 : offer_put(ctx, contact, channel, value, "signature", &fresh, e);
}

int crm_offer_mail(struct crm_ctx *ctx, const struct crm_who *who, const json_t *message,
                   bool sure, struct err *e)
{
    static const char *const facts_of[] = {"name", "title", "company"};
    const json_t *facts = json_get_obj(message, "signature_facts"), *v;
    int64_t contact = who->target.contact;
    char folded[CRM_ADDRESS_MAX];
    size_t i;
    json_array_foreach(json_get_arr(facts, "phones"), i, v) {
        const char *phone = json_string_value(v);
        if (phone && crm_phone_fold(phone, ctx->crm->country, folded, sizeof(folded)) == 0 &&
            offer_phone(ctx, contact, folded, sure, e) < 0)
            return -1;
    }
    for (i = 0; i < ARRAY_LEN(facts_of); i++)
        if (offer_fact(ctx, contact, facts_of[i], json_get_str(facts, facts_of[i], NULL), sure, e) < 0)
            return -1;
    return offer_named_in(ctx, who, json_get_str(message, "signature", ""), "signature", e) < 0 ||
                   offer_named_in(ctx, who, json_get_str(message, "reply", ""), "text", e) < 0
               ? -1
               : 0;
}
