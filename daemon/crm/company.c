/* SPDX-License-Identifier: ISC
 *
 * company - which company an address belongs to
 *
 * By its domain, or by one above it: mail.shop.example is shop.example's, unless that
 * is a registry's or everybody's provider. The company's own domain is nobody's.
 */
#include <string.h>

#include "base/mem.h"
#include "crm/address.h"
#include "crm/identity.h"
#include "crm/ctx.h"
#include "crm/merge.h"
#include "store/contact.h"

bool crm_domain_is_own(const struct crm *crm, const char *domain)
{
    const char *address = strrchr(crm_setting(crm, "address", ""), '@');
    const char *own = crm_setting(crm, "domain", address ? address + 1 : "");
    return !strcmp(domain, own) && !crm_domain_is_free(domain);
}

/* The company of this very domain; 0 when there is none. A merged one is the one that it
 * became, a deleted one comes back. */
static int company_at(struct crm_ctx *ctx, const char *domain, int64_t *out, struct err *e)
{
    if (company_find(ctx->crm->db, domain, out, e) < 0)
        return -1;
    if (!*out)
        return 0;
    const json_t *rec = crm_record_any(ctx, CRM_COMPANY, *out, e);
    if (rec && !json_object_get(rec, "deleted_ms"))
        return 0;
    if (!rec || crm_follow(ctx->crm->db, CRM_COMPANY, out, e) < 0)
        return -1;
    rec = crm_record_any(ctx, CRM_COMPANY, *out, e);
    return !rec ? -1
           : json_object_get(rec, "deleted_ms")
               ? crm_change(ctx, CRM_COMPANY, *out, "deleted_ms", NULL, e)
               : 0;
}

int crm_company_of(struct crm_ctx *ctx, const char *domain, int64_t *out, struct err *e)
{
    const char *root = domain, *p;
    *out = 0;
    if (crm_domain_is_free(domain) || crm_domain_is_own(ctx->crm, domain))
        return 0;
    if (company_at(ctx, domain, out, e) < 0)
        return -1;
    while (!*out && crm_domain_parent(root, &p) == 0) {
        root = p;
        if (crm_domain_is_free(root) || crm_domain_is_own(ctx->crm, root))
            return 0;
        if (company_at(ctx, root, out, e) < 0)
            return -1;
    }
    if (*out)
        return 0;
    AUTO_JSON json_t *rec = json_object();
    json_put_str(rec, "name", root);
    json_put_str(rec, "domain", root);
    return crm_create(ctx, CRM_COMPANY, rec, out, e);
}
