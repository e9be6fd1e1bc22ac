/* SPDX-License-Identifier: ISC
 *
 * related - see related.h
 *
 * The limit is BOUND_RELATED: somebody who writes a hundred thousand mails must not
 * make each of them dearer than the one before.
 */
#include "store/related.h"

#include <string.h>

#include "base/bounds.h"
#include "base/mem.h"

#define COUNT(what)                                                                                \
    "SELECT count(*) FROM (SELECT 1 FROM " what " LIMIT " BOUND_STR(BOUND_RELATED) ")"
#define BOUND_STR(x) BOUND_STR_(x)
#define BOUND_STR_(x) #x

static const struct related related[] = {
    {"lead.open_tasks", "task", "lead_id", {{"status", "open", false}},
     COUNT("task WHERE lead_id = $1 AND status = 'open' AND deleted_ms IS NULL")},
    {"lead.mails_in", "activity", "lead_id", {{"kind", "mail", false}, {"direction", "in", false}},
     COUNT("activity WHERE lead_id = $1 AND kind = 'mail' AND direction = 'in' "
           "AND deleted_ms IS NULL")},
    {"lead.mails_out", "activity", "lead_id", {{"kind", "mail", false}, {"direction", "out", false}},
     COUNT("activity WHERE lead_id = $1 AND kind = 'mail' AND direction = 'out' "
           "AND deleted_ms IS NULL")},
    {"lead.notes", "activity", "lead_id", {{"kind", "note", false}},
     COUNT("activity WHERE lead_id = $1 AND kind = 'note' AND deleted_ms IS NULL")},
    {"contact.leads", "lead", "contact_id", {{NULL, NULL, false}},
     COUNT("lead WHERE contact_id = $1 AND deleted_ms IS NULL")},
    {"contact.open_leads", "lead", "contact_id", {{"status", "closed", true}},
     COUNT("lead WHERE contact_id = $1 AND status <> 'closed' AND deleted_ms IS NULL")},
    /* deals have an index by their lead only */
    {"contact.won_deals", "deal", "contact_id", {{"status", "won", false}},
     COUNT("lead l CROSS JOIN deal d ON d.lead_id = l.id WHERE l.contact_id = $1 "
           "AND d.contact_id = $1 AND d.status = 'won' AND d.deleted_ms IS NULL")},
    {"contact.open_cases", "case", "contact_id", {{"status", "closed", true}},
     COUNT("support_case WHERE contact_id = $1 AND status <> 'closed' AND deleted_ms IS NULL")},
};

const struct related *related_find(const char *name)
{
    for (size_t i = 0; i < ARRAY_LEN(related); i++)
        if (!strcmp(related[i].name, name))
            return &related[i];
    return NULL;
}

int related_count(struct db *db, const struct related *r, int64_t id, int64_t *out, struct err *e)
{
    return db_get_int(db, e, out, 0, r->sql, "i", id);
}
