/* SPDX-License-Identifier: ISC
 *
 * twin - see twin.h
 */
#include "crm/twin.h"

#include <string.h>

#include "base/mem.h"
#include "crm/ctx.h"
#include "crm/offer.h"
#include "store/contact.h"
#include "store/lead.h"
#include "store/offer.h"

#define WORDS 16
#define WORD_MAX 64
#define STEM 3 /* letters of the shorter of two words that count as one: ann, annie */

/* What somebody is called by, folded. */
struct words {
    char v[WORDS][WORD_MAX];
    size_t n;
};

void crm_twin_note(struct crm_ctx *ctx, int64_t contact, int64_t other, const char *why)
{
    if (!ctx->twin.other && contact != other)
        ctx->twin = (struct crm_twin){.contact = contact, .other = other, .why = why};
}

static void words_of(const char *text, struct words *out)
{
    struct buf folded AUTO_BUF;
    buf_init(&folded, 4096);
    rule_fold(text, strlen(text), &folded);
    out->n = 0;
    for (const char *p = folded.data; p && *p && out->n < WORDS;) {
        size_t n = strcspn(p, " .,_-+@0123456789");
        if (n > 1 && n < WORD_MAX) {
            memcpy(out->v[out->n], p, n);
            out->v[out->n++][n] = '\0';
        }
        p += n + (p[n] != '\0');
    }
}

static bool is_alike(const char *a, const char *b)
{
    size_t n = strlen(a), m = strlen(b), k = n < m ? n : m;
    return n == m ? !strcmp(a, b) : k >= STEM && !strncmp(a, b, k);
}

/* The name; without one, what stands before the @ of his address. */
static int words_of_contact(struct crm_ctx *ctx, int64_t id, struct words *out, struct err *e)
{
    const json_t *rec = crm_record(ctx, CRM_CONTACT, id, e), *list, *a;
    const char *name = json_get_str(rec, "name", NULL);
    size_t i;
    out->n = 0;
    if (!rec)
        return -1;
    if (name) {
        words_of(name, out);
        return 0;
    }
    list = crm_addresses(ctx, id, e);
    if (!list)
        return -1;
    json_array_foreach((json_t *)list, i, a) {
        const char *value = json_get_str(a, "value", "");
        AUTO_FREE char *local = mem_strn(value, strcspn(value, "@"));
        if (strchr(value, '@') && out->n == 0)
            words_of(local, out);
    }
    return 0;
}

int crm_twin_differ(struct crm_ctx *ctx, int64_t a, int64_t b, bool *out, struct err *e)
{
    struct words x, y;
    if (words_of_contact(ctx, a, &x, e) < 0 || words_of_contact(ctx, b, &y, e) < 0)
        return -1;
    *out = true;
    for (size_t i = 0; i < x.n; i++)
        for (size_t k = 0; k < y.n; k++)
            *out = *out && !is_alike(x.v[i], y.v[k]);
    return 0;
}

int crm_twin_switchboard(struct crm_ctx *ctx, int64_t a, int64_t b, bool *out, struct err *e)
{
    const json_t *x = crm_record(ctx, CRM_CONTACT, a, e);
    const json_t *y = x ? crm_record(ctx, CRM_CONTACT, b, e) : NULL;
    *out = false;
    if (!y)
        return -1;
    int64_t company = json_get_int(x, "company_id", 0);
    if (!company || company != json_get_int(y, "company_id", 0))
        return 0;
    return crm_twin_differ(ctx, a, b, out, e);
}

/* ---- by name ----------------------------------------------------------------------- */

/* "Ann M. Lee" and "ann lee", but not "Ann Lee" and "Ann Poe". */
static bool same_name(const json_t *a, const json_t *b)
{
    const char *one = json_get_str(a, "first_name", ""), *two = json_get_str(b, "first_name", "");
    const char *last = json_get_str(a, "last_name", "");
    if (rule_fold_equal(json_get_str(a, "name", ""), json_get_str(b, "name", "")))
        return true;
    if (!*last || !rule_fold_equal(last, json_get_str(b, "last_name", "")))
        return false;
    AUTO_FREE char *x = mem_strn(one, strcspn(one, " ")), *y = mem_strn(two, strcspn(two, " "));
    return *x && rule_fold_equal(x, y);
}

static int look_by_name(struct crm_ctx *ctx, int64_t id, struct err *e)
{
    const json_t *rec = crm_record(ctx, CRM_CONTACT, id, e);
    int64_t company = json_get_int(rec, "company_id", 0), found = 0;
    if (!rec)
        return -1;
    /* nobody works yet at a company that has just been made */
    if (!company || !json_object_get(rec, "name") ||
        crm_log_created_after(ctx, CRM_COMPANY, company, 0))
        return 0;
    struct db_rows *r = contact_of_company(ctx->crm->db, company);
    while (db_step(r)) {
        AUTO_JSON json_t *other = record_of_row(r, crm_table(CRM_CONTACT));
        int64_t n = json_get_int(other, "id", 0);
        if (n != id && same_name(rec, other))
            found = n; /* the one that was there first */
    }
    if (db_done(&r, e) < 0)
        return -1;
    if (found)
        crm_twin_note(ctx, id, found, "name");
    return 0;
}

/* ---- by an address that somebody named ------------------------------------------------- */

static int look_by_offers(struct crm_ctx *ctx, const struct crm_who *who, struct err *e)
{
    size_t i;
    const json_t *v;
    bool any;
    int64_t id = who->target.contact;
    if (crm_offers_any(ctx, &any, e) < 0)
        return -1;
    if (!any || !who->address[0])
        return 0;
    AUTO_JSON json_t *rows = offer_named(ctx->crm->db, who->channel, who->address, e);
    if (!rows)
        return -1;
    json_array_foreach(rows, i, v) {
        int64_t other = json_get_int(v, "contact_id", 0);
        bool differ = false;
        const json_t *rec = crm_record_any(ctx, CRM_CONTACT, other, e);
        if (!rec)
            return -1;
        if (other == id || json_object_get(rec, "deleted_ms"))
            continue;
        if (!strcmp(json_get_str(v, "source", ""), "text") &&
            crm_twin_differ(ctx, id, other, &differ, e) < 0)
            return -1;
        if (!differ)
            crm_twin_note(ctx, id, other, who->channel);
    }
    return 0;
}

int crm_twin_look(struct crm_ctx *ctx, const struct crm_who *who, struct err *e)
{
    return look_by_offers(ctx, who, e) < 0 ? -1 : look_by_name(ctx, who->target.contact, e);
}

int crm_twin_announce(struct crm_ctx *ctx, struct crm_who *who, struct err *e)
{
    const struct crm_target *t = &who->target;
    if (!ctx->twin.other)
        return 0;
    if (lead_find_open(ctx->crm->db, ctx->twin.other, &ctx->twin.lead, e) < 0)
        return -1;
    who->twin = ctx->twin;
    if (t->main == CRM_CASE)
        crm_op_event(ctx, "case.duplicate", CRM_CASE, t->kase);
    else if (t->lead)
        crm_op_event(ctx, "lead.duplicate", CRM_LEAD, t->lead);
    else
        crm_op_event(ctx, "contact.duplicate", CRM_CONTACT, t->contact);
    return 0;
}
