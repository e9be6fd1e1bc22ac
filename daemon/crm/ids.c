/* SPDX-License-Identifier: ISC
 *
 * ids - public ids such as L42, and which records belong together
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "base/text.h"
#include "crm/ctx.h"
#include "crm/fields.h"
#include "crm/merge.h"
#include "store/record.h"

static const struct {
    const char *name, *plural;
    char letter;
    const struct record_table *table;
} entities[CRM_ENTITY_COUNT] = {
    [CRM_LEAD] = {"lead", "leads", 'L', &lead_table},
    [CRM_CONTACT] = {"contact", "contacts", 'C', &contact_table},
    [CRM_COMPANY] = {"company", "companies", 'O', &company_table},
    [CRM_DEAL] = {"deal", "deals", 'D', &deal_table},
    [CRM_CASE] = {"case", "cases", 'K', &case_table},
    [CRM_ACTIVITY] = {"activity", "activities", 'A', &activity_table},
    [CRM_TASK] = {"task", "tasks", 'T', &task_table},
};

const char *crm_entity_name(enum crm_entity t)
{
    return t > CRM_NONE && t < CRM_ENTITY_COUNT ? entities[t].name : NULL;
}

const struct record_table *crm_table(enum crm_entity t)
{
    LEADD_ASSERT(t > CRM_NONE && t < CRM_ENTITY_COUNT);
    return entities[t].table;
}

enum crm_entity crm_entity_parse(const char *name)
{
    for (int t = CRM_NONE + 1; name && t < CRM_ENTITY_COUNT; t++)
        if (!strcasecmp(name, entities[t].name) || !strcasecmp(name, entities[t].plural))
            return (enum crm_entity)t;
    return CRM_NONE;
}

int crm_id_parse(const char *s, enum crm_entity *entity_out, int64_t *id_out)
{
    int64_t id;
    if (!s || !s[0] || s[1] < '1' || s[1] > '9' || text_parse_int(s + 1, &id) < 0 || id <= 0)
        return -1;
    for (int t = CRM_NONE + 1; t < CRM_ENTITY_COUNT; t++)
        if ((s[0] & ~0x20) == entities[t].letter) {
            *entity_out = (enum crm_entity)t;
            *id_out = id;
            return 0;
        }
    return -1;
}

const char *crm_id_format(enum crm_entity t, int64_t id, char out[CRM_ID_LEN])
{
    LEADD_ASSERT(t > CRM_NONE && t < CRM_ENTITY_COUNT);
    snprintf(out, CRM_ID_LEN, "%c%" PRId64, entities[t].letter, id);
    return out;
}

static int target_lead(struct crm_ctx *ctx, int64_t id, struct crm_target *out, struct err *e)
{
    const json_t *r = crm_record_any(ctx, CRM_LEAD, id, e);
    if (!r)
        return -1;
    out->lead = id;
    out->contact = json_get_int(r, "contact_id", 0);
    out->company = json_get_int(r, "company_id", 0);
    return crm_deal_of_lead(ctx, id, &out->deal, e);
}

static int target_linked(struct crm_ctx *ctx, const json_t *r, struct crm_target *out,
                         struct err *e)
{
    int64_t lead = json_get_int(r, "lead_id", 0), deal = json_get_int(r, "deal_id", 0);
    if (lead && target_lead(ctx, lead, out, e) < 0)
        return -1;
    if (deal)
        out->deal = deal;
    out->kase = json_get_int(r, "case_id", 0);
    if (!out->contact)
        out->contact = json_get_int(r, "contact_id", 0);
    if (!out->company)
        out->company = json_get_int(r, "company_id", 0);
    return 0;
}

int crm_target_exact(struct crm_ctx *ctx, enum crm_entity t, int64_t id, struct crm_target *out,
                     struct err *e)
{
    char a[CRM_ID_LEN], b[CRM_ID_LEN];
    if (crm_target_of(ctx, t, id, out, e) < 0)
        return -1;
    if (crm_target_id(out, t) == id)
        return 0;
    return err_set(e, ERR_INPUT, "%s was merged into %s", crm_id_format(t, id, a),
                   crm_id_format(t, crm_target_id(out, t), b));
}

int crm_target_of(struct crm_ctx *ctx, enum crm_entity t, int64_t id, struct crm_target *out,
                  struct err *e)
{
    struct crm_target found = {.main = t};
    const json_t *r = crm_record_any(ctx, t, id, e);
    if (r && json_object_get(r, "deleted_ms")) { /* its tokens and links lead on */
        if (crm_follow(ctx->crm->db, t, &id, e) < 0)
            return -1;
        r = crm_record_any(ctx, t, id, e);
    }
    if (!r)
        return -1;
    switch (t) {
    case CRM_LEAD:
        if (target_lead(ctx, id, &found, e) < 0)
            return -1;
        break;
    case CRM_CONTACT:
        found.contact = id;
        found.company = json_get_int(r, "company_id", 0);
        break;
    case CRM_COMPANY:
        found.company = id;
        break;
    case CRM_DEAL:
    case CRM_CASE:
    case CRM_ACTIVITY:
    case CRM_TASK:
        if (target_linked(ctx, r, &found, e) < 0)
            return -1;
        if (t == CRM_DEAL)
            found.deal = id;
        else if (t == CRM_CASE)
            found.kase = id;
        else if (t == CRM_ACTIVITY)
            found.activity = id;
        else
            found.task = id;
        break;
    case CRM_NONE:
    case CRM_ENTITY_COUNT:
        return err_set(e, ERR_BUG, "no such entity");
    }
    *out = found;
    return 0;
}
