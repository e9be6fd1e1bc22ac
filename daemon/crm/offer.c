/* SPDX-License-Identifier: ISC
 *
 * offer - see offer.h
 */
#include "crm/offer.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "crm/address.h"
#include "crm/ctx.h"
#include "crm/identity.h"
#include "crm/twin.h"
#include "store/offer.h"

#define NAMED_MAX 5        /* addresses in the words of one mail that are looked at */
#define WORDS_BYTES 20000  /* of them */

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
    const char *end = text + strnlen(text, WORDS_BYTES), *begin;
    int n = 0;
    for (const char *at = strchr(text, '@'); at && at < end && n < NAMED_MAX;
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

int crm_offer_mail(struct crm_ctx *ctx, const struct crm_who *who, const json_t *message,
                   struct err *e)
{
    const json_t *facts = json_get_obj(message, "signature_facts"), *v;
    char folded[CRM_ADDRESS_MAX];
    size_t i;
    json_array_foreach(json_get_arr(facts, "phones"), i, v) {
        const char *phone = json_string_value(v);
        if (phone && crm_phone_fold(phone, ctx->crm->country, folded, sizeof(folded)) == 0 &&
            crm_offer_address(ctx, who->target.contact, "phone", folded, "signature", e) < 0)
            return -1;
    }
    return offer_named_in(ctx, who, json_get_str(message, "signature", ""), "signature", e) < 0 ||
                   offer_named_in(ctx, who, json_get_str(message, "reply", ""), "text", e) < 0
               ? -1
               : 0;
}
