/* SPDX-License-Identifier: ISC
 *
 * see - see see.h
 */
#include "crm/see.h"

#include <string.h>

#include "crm/ctx.h"
#include "store/case.h"
#include "store/lead.h"

static bool sees_all(const struct crm *crm, const char *user)
{
    const char *role = json_get_str(crm_user(crm, user), "role", "rep");
    return strcmp(role, "rep") != 0;
}

static bool sees_owner(const struct crm *crm, const char *user, const char *owner)
{
    const char *mine = json_get_str(crm_user(crm, user), "team", NULL);
    const char *his = json_get_str(crm_user(crm, owner ? owner : ""), "team", NULL);
    return !owner || !*owner || !strcmp(owner, user) || (mine && his && !strcmp(mine, his));
}

static const char *owner_of(struct crm_ctx *ctx, enum crm_entity t, int64_t id)
{
    return json_get_str(crm_record_any(ctx, t, id, NULL), "owner", NULL);
}

/* Of all records that belong to a contact one is enough; none at all, too. */
static int contact_seen(struct crm_ctx *ctx, const char *user, int64_t contact, bool *seen,
                        struct err *e)
{
    bool any = false;
    *seen = false;
    for (int cases = 0; cases < 2; cases++) {
        struct db_rows *r = cases ? case_of_contact(ctx->crm->db, contact)
                                  : lead_of_contact(ctx->crm->db, contact);
        while (db_step(r)) {
            AUTO_JSON json_t *rec = record_of_row(r, crm_table(cases ? CRM_CASE : CRM_LEAD));
            any = true;
            *seen |= sees_owner(ctx->crm, user, json_get_str(rec, "owner", NULL));
        }
        if (db_done(&r, e) < 0)
            return -1;
    }
    *seen |= !any;
    return 0;
}

static int record_seen(struct crm_ctx *ctx, const char *user, enum crm_entity t, int64_t id,
                       bool *seen, struct err *e)
{
    struct crm_target target;
    if (!crm_record(ctx, t, id, e) || crm_target_of(ctx, t, id, &target, e) < 0)
        return -1;
    *seen = true;
    if (sees_all(ctx->crm, user) || t == CRM_COMPANY ||
        (t == CRM_TASK && sees_owner(ctx->crm, user, owner_of(ctx, t, id)))) /* his to do */
        return 0;
    if (target.kase && (t == CRM_CASE || !target.lead))
        *seen = sees_owner(ctx->crm, user, owner_of(ctx, CRM_CASE, target.kase));
    else if (target.lead)
        *seen = sees_owner(ctx->crm, user, owner_of(ctx, CRM_LEAD, target.lead));
    else if (t == CRM_DEAL || t == CRM_TASK)
        *seen = sees_owner(ctx->crm, user, owner_of(ctx, t, id));
    else if (target.contact)
        return contact_seen(ctx, user, target.contact, seen, e);
    return 0;
}

int crm_may_see(struct crm_ctx *ctx, const char *user, enum crm_entity t, int64_t id,
                struct err *e)
{
    char name[CRM_ID_LEN];
    struct err why = {0};
    bool seen = false;
    if (record_seen(ctx, user, t, id, &seen, &why) < 0 && why.cls != ERR_INPUT)
        return err_set(e, why.cls, "%s", why.text);
    if (seen)
        return 0;
    return err_set(e, ERR_INPUT, "there is no %s that you may see", crm_id_format(t, id, name));
}

int crm_see_rows(struct crm_ctx *ctx, const char *user, json_t *rows, struct err *e)
{
    for (size_t i = json_array_size(rows); i-- > 0;) {
        enum crm_entity t;
        int64_t id;
        struct err why = {0};
        const char *name = json_get_str(json_array_get(rows, i), "id", "");
        if (crm_id_parse(name, &t, &id) < 0 || crm_may_see(ctx, user, t, id, &why) == 0)
            continue;
        if (why.cls != ERR_INPUT)
            return err_set(e, why.cls, "%s", why.text);
        json_array_remove(rows, i);
    }
    return 0;
}
