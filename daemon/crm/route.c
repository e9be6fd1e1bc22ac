/* SPDX-License-Identifier: ISC
 *
 * route - the territory a lead with these fields would fall into, for trying out
 *
 * Needs no store: what is not named is not set.
 */
#include "crm/route.h"

#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "crm/assign.h"
#include "crm/build.h"
#include "crm/ctx.h"
#include "crm/fields.h"

#define FIELDS_MAX 500 /* to choose the nearest from */

struct route {
    const struct crm *crm;
    json_t **values; /* own; by field, NULL: not set */
    struct str item; /* the one of a list */
};

/* "contact.country", or "country" of the first record that has it. */
static const struct crm_field *route_field(const struct crm *crm, const char *name, int *index_out,
                                           struct err *e)
{
    static const char *const records[] = {"", "lead.", "contact.", "company.", "case.", "deal."};
    for (size_t i = 0; i < ARRAY_LEN(records); i++) {
        AUTO_FREE char *full = mem_printf("%s%s", records[i], name);
        *index_out = rule_fields_find(crm_fieldset_rules(crm->fieldset), full);
        if (*index_out >= 0)
            return crm_fieldset_get(crm->fieldset, *index_out);
    }
    const char *names[FIELDS_MAX];
    const struct crm_field *f;
    size_t n = 0;
    for (int i = 0; n < FIELDS_MAX && (f = crm_fieldset_get(crm->fieldset, i)) != NULL; i++)
        if (f->entity != CRM_NONE)
            names[n++] = strchr(f->name, '.') + 1;
    const char *near = strchr(name, '.') ? NULL : text_nearest(name, names, n);
    if (!near)
        return crm_fieldset_find(crm->fieldset, name, e);
    err_set(e, ERR_INPUT, "no field %s; did you mean %s?", name, near);
    return NULL;
}

static int route_set(struct route *r, const char *pair, int64_t now_ms, struct err *e)
{
    const char *eq = strchr(pair, '=');
    AUTO_FREE char *name = mem_strn(pair, eq ? (size_t)(eq - pair) : 0);
    int index;
    if (!eq)
        return err_set(e, ERR_INPUT, "%s: expected FIELD=VALUE, such as country=DE", pair);
    const struct crm_field *f = route_field(r->crm, name, &index, e);
    if (!f)
        return -1;
    json_decref(r->values[index]);
    r->values[index] = f->type == RULE_TYPE_LIST || !eq[1] || (f->type == RULE_TYPE_TEXT && !f->settable)
                           ? json_string(eq + 1)
                           : crm_field_parse(r->crm, f, eq + 1, NULL, now_ms, e);
    return r->values[index] ? 0 : -1;
}

static void route_get(void *arg, int field, struct rule_value *out)
{
    struct route *r = arg;
    const json_t *v = r->values[field];
    const char *s = json_string_value(v);
    if (!v || (s && !*s))
        return;
    out->state = RULE_VALUE_SET;
    out->num = json_is_object(v) ? json_get_int(v, "amount", 0)
               : json_is_true(v) ? 1 : json_integer_value(v);
    const char *currency = json_get_str(v, "currency", "");
    memcpy(out->currency, currency, strnlen(currency, 3));
    if (s)
        out->text = (struct str){s, strlen(s)};
    if (crm_fieldset_get(r->crm->fieldset, field)->type != RULE_TYPE_LIST)
        return;
    r->item = out->text;
    out->items = &r->item;
    out->count = 1;
}

static int route_take(void *arg, const char *name, const struct assign_target *t, struct err *e)
{
    (void)arg;
    (void)name;
    (void)t;
    (void)e;
    return 0;
}

json_t *crm_route(const json_t *tree, const char *const *pairs, size_t count, int64_t now_ms,
                  struct err *e)
{
    struct errlist errors AUTO_ERRLIST;
    errlist_init(&errors, 1);
    struct crm *crm = crm_build(NULL, tree, &errors);
    size_t n = rule_fields_count(crm_fieldset_rules(crm->fieldset));
    struct route r = {.crm = crm, .values = mem_array(n + 1, sizeof(*r.values))};
    const char *found = NULL;
    json_t *walk = json_array(), *out = NULL;
    int rc = 0;
    if (!territories_any(crm->territories))
        rc = err_set(e, ERR_INPUT, "there are no territories");
    for (size_t i = 0; i < count && rc == 0; i++)
        rc = route_set(&r, pairs[i], now_ms, e);
    if (rc == 0)
        rc = territories_walk(crm->territories, route_get, &r, walk, route_take, NULL, &found, e);
    if (rc == 0 && found) {
        AUTO_FREE char *path = territories_path(crm->territories, found);
        out = json_pack("{s:s, s:s, s:O}", "territory", found, "path", path, "walk", walk);
    }
    for (size_t i = 0; i < n; i++)
        json_decref(r.values[i]);
    mem_free(r.values);
    json_decref(walk);
    crm_free(&crm);
    return out;
}
