/* SPDX-License-Identifier: ISC
 *
 * suspect - records that may be the same, for people who decide
 *
 * Nothing here merges anything: two people of one name and company are two people
 * until somebody has looked.
 */
#include <string.h>

#include "base/mem.h"
#include "crm/ctx.h"
#include "store/contact.h"
#include "store/merged.h"

/* What a person knows it by. */
static int suspect_name(struct crm_ctx *ctx, enum crm_entity t, int64_t id, json_t *row,
                        const char *key, struct err *e)
{
    const json_t *rec = crm_record_any(ctx, t, id, e), *list = NULL;
    if (!rec)
        return -1;
    bool is_owned = t == CRM_LEAD || t == CRM_CASE;
    const char *name = json_get_str(rec, is_owned ? "subject" : "name", "");
    const char *more = json_get_str(rec, is_owned ? "status" : "domain", "");
    if (t == CRM_CONTACT) {
        list = crm_addresses(ctx, id, e);
        if (!list)
            return -1;
        more = json_get_str(json_array_get(list, 0), "value", "");
    }
    AUTO_FREE char *text = mem_printf("%s%s%s", name, *name && *more ? ", " : "",
                                      strcmp(name, more) != 0 || !*name ? more : "");
    json_put_str(row, key, text);
    return 0;
}

static int suspect_row(struct crm_ctx *ctx, enum crm_entity t, const json_t *pair, json_t *rows,
                       struct err *e)
{
    char a[CRM_ID_LEN], b[CRM_ID_LEN];
    int64_t id = json_get_int(pair, "a", 0), other = json_get_int(pair, "b", 0);
    AUTO_JSON json_t *row = json_object();
    json_put_str(row, "id", crm_id_format(t, id, a));
    json_put_str(row, "other", crm_id_format(t, other, b));
    json_put_str(row, "why", json_get_str(pair, "why", ""));
    AUTO_FREE char *command = mem_printf("leadctl merge %s %s", a, b);
    json_put_str(row, "merge", command);
    if (suspect_name(ctx, t, id, row, "name", e) < 0 ||
        suspect_name(ctx, t, other, row, "other_name", e) < 0)
        return -1;
    return json_array_append(rows, row);
}

int crm_duplicates(struct crm *crm, enum crm_entity t, int64_t limit, json_t *rows, struct err *e)
{
    size_t i;
    json_t *pair;
    AUTO_JSON json_t *pairs = merged_suspects(crm->db, crm_entity_name(t), limit, e);
    if (!pairs)
        return -1;
    struct crm_ctx *ctx = crm_begin(crm, NULL, 0);
    int rc = 0;
    json_array_foreach(pairs, i, pair) if (rc == 0) rc = suspect_row(ctx, t, pair, rows, e);
    crm_end(&ctx);
    return rc;
}
