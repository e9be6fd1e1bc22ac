/* SPDX-License-Identifier: ISC
 *
 * filter - see filter.h
 */
#include "crm/filter.h"

#include <inttypes.h>
#include <string.h>
#include <strings.h>

#include "base/bounds.h"
#include "base/mem.h"
#include "base/text.h"
#include "crm/facts.h"
#include "crm/fields.h"
#include "crm/list.h"
#include "crm/when.h"
#include "rule/field.h"
#include "store/user.h"

#define NAMES_MAX 400 /* to choose the nearest from */

/* What crm_cell() of list.h has besides fields and columns. */
static const char *const links[] = {"contact", "lead", "company", "email", "phone"};

void filters_done(struct filters *f)
{
    for (size_t i = 0; i < f->count; i++) {
        mem_free(f->v[i].name);
        mem_free(f->v[i].value);
    }
}

/* ---- names ------------------------------------------------------------------------ */

static bool is_link(const char *name)
{
    for (size_t i = 0; i < ARRAY_LEN(links); i++)
        if (!strcmp(name, links[i]))
            return true;
    return false;
}

/* Does a record of this kind have it, itself or by what it belongs to? */
static bool field_fits(const struct crm_field *f)
{
    return f->entity != CRM_NONE || text_starts(f->name, "owner.");
}

static int refuse_name(struct crm *crm, enum crm_entity t, const char *name, struct err *e)
{
    const char *names[NAMES_MAX];
    const struct crm_field *f;
    size_t n = 0, skip = strlen(crm_entity_name(t)) + 1;
    for (; n < ARRAY_LEN(links); n++)
        names[n] = links[n];
    for (int i = 0; n + 1 < NAMES_MAX && (f = crm_fieldset_get(crm->fieldset, i)) != NULL; i++) {
        if (f->entity == t)
            names[n++] = f->name + skip;
        if (strchr(name, '.') && field_fits(f))
            names[n++] = f->name;
    }
    const char *near = text_nearest(name, names, n);
    for (int i = 0; !near && (f = crm_fieldset_get(crm->fieldset, i)) != NULL; i++)
        if (field_fits(f) && strchr(f->name, '.') && !strcmp(strchr(f->name, '.') + 1, name))
            near = f->name; /* country: contact.country */
    if (near)
        return err_set(e, ERR_INPUT, "a %s has no field %s; did you mean %s?", crm_entity_name(t),
                       name, near);
    return err_set(e, ERR_INPUT, "a %s has no field %s; see leadctl list fields",
                   crm_entity_name(t), name);
}

/* Fields whose value stands in the row as it is are compared there: no record is read. */
static bool field_is_plain(enum crm_entity t, const struct crm_field *f)
{
    return f->entity == t && f->read == crm_read_column &&
           (f->type == RULE_TYPE_TEXT || f->type == RULE_TYPE_INT);
}

static int name_find(struct crm *crm, enum crm_entity t, struct filter *f, struct err *e)
{
    const char *name = strcmp(f->name, "tag") ? f->name : "tags";
    AUTO_FREE char *full = strchr(name, '.') ? mem_str(name)
                                             : mem_printf("%s.%s", crm_entity_name(t), name);
    f->index = rule_fields_find(crm_fieldset_rules(crm->fieldset), full);
    f->field = crm_fieldset_get(crm->fieldset, f->index);
    if (f->field && field_fits(f->field))
        return 0;
    AUTO_FREE char *time = mem_printf("%s_ms", name);
    f->field = NULL;
    if (is_link(name) || record_col_find(crm_table(t), name))
        return 0;
    f->time = record_col_find(crm_table(t), time) != NULL;
    return f->time ? 0 : refuse_name(crm, t, name, e);
}

/* ---- values ----------------------------------------------------------------------- */

static int refuse_value(const struct filter *f, const char *near, const char *expected,
                        struct err *e)
{
    return err_set(e, ERR_INPUT, "%s=%s: %s%s%s", f->name, f->value,
                   near ? "did you mean " : "expected ", near ? near : expected, near ? "?" : "");
}

static void value_replace(struct filter *f, const char *value)
{
    char *own = mem_str(value);
    mem_free(f->value);
    f->value = own;
}

static int value_choice(struct filter *f, struct err *e)
{
    struct buf all AUTO_BUF;
    size_t n = 0;
    buf_init(&all, KIB(4));
    for (; f->field->choices[n]; n++) {
        if (rule_fold_equal(f->field->choices[n], f->value)) {
            value_replace(f, f->field->choices[n]);
            return 0;
        }
        buf_printf(&all, "%s%s", n ? ", " : "", f->field->choices[n]);
    }
    return refuse_value(f, text_nearest(f->value, f->field->choices, n), all.data, e);
}

/* Also those who were users once: what they have is still there. */
static int value_user(struct crm *crm, struct filter *f, struct err *e)
{
    json_t *row;
    size_t i, n = 0;
    json_t *rows = NULL;
    if (user_list(crm->db, &rows, e) < 0)
        return -1;
    AUTO_JSON json_t *list = rows;
    AUTO_FREE const char **names = mem_array(json_array_size(list) + 1, sizeof(*names));
    json_array_foreach(list, i, row) {
        names[n] = json_get_str(row, "name", "");
        if (rule_fold_equal(names[n++], f->value)) {
            value_replace(f, names[n - 1]);
            return 0;
        }
    }
    return refuse_value(f, text_nearest(f->value, names, n), "a user; see leadctl list users", e);
}

static int value_bool(struct filter *f, struct err *e)
{
    static const char *const words[] = {"no", "yes", "false", "true", "0", "1"};
    for (size_t i = 0; i < ARRAY_LEN(words); i++)
        if (!strcasecmp(words[i], f->value)) {
            f->num = (int64_t)(i % 2);
            return 0;
        }
    return refuse_value(f, NULL, "yes or no", e);
}

/* A year, a month, a day or more of it: "2026-11-20 10". */
static int value_time(struct filter *f, struct err *e)
{
    static const char form[] = "dddd-dd-dd dd:dd";
    size_t n = strlen(f->value);
    bool ok = n >= 4 && n < sizeof(form) && form[n - 1] == 'd';
    if (n > 10 && f->value[10] == 'T')
        f->value[10] = ' ';
    for (size_t i = 0; ok && i < n; i++)
        ok = form[i] == 'd' ? f->value[i] >= '0' && f->value[i] <= '9' : f->value[i] == form[i];
    return ok ? 0 : refuse_value(f, NULL, "a day such as 2026-11-20, or a month such as 2026-11", e);
}

static int value_read(struct crm *crm, struct filter *f, struct err *e)
{
    size_t n = f->field ? strlen(f->field->name) : 0;
    enum crm_entity t;
    int64_t id;
    if (!*f->value)
        return 0;
    if (f->time)
        return value_time(f, e);
    if (!strcmp(f->name, "lead") && (crm_id_parse(f->value, &t, &id) < 0 || t != CRM_LEAD))
        return refuse_value(f, NULL, "a lead such as L42", e);
    if (!f->field)
        return 0;
    if (f->field->choices)
        return value_choice(f, e);
    if (n > 6 && !strcmp(f->field->name + n - 6, ".owner"))
        return value_user(crm, f, e);
    switch (f->field->type) {
    case RULE_TYPE_BOOL:
        return value_bool(f, e);
    case RULE_TYPE_TIME:
        return value_time(f, e);
    case RULE_TYPE_INT:
        return text_parse_int(f->value, &f->num) == 0 ? 0 : refuse_value(f, NULL, "a number", e);
    case RULE_TYPE_DURATION:
        return text_parse_duration(f->value, &f->num) == 0
                   ? 0 : refuse_value(f, NULL, "a length of time such as 3d", e);
    case RULE_TYPE_MONEY:
        return rule_money_parse(f->value, crm->currency, &f->num, f->currency) == 0
                   ? 0 : refuse_value(f, NULL, "an amount such as 5000 or \"5000 EUR\"", e);
    case RULE_TYPE_TEXT:
    case RULE_TYPE_LIST:
        break;
    }
    return 0;
}

int filters_read(struct crm *crm, enum crm_entity t, const json_t *list, struct filters *out,
                 struct err *e)
{
    size_t i;
    const json_t *v;
    json_array_foreach((json_t *)list, i, v) {
        const char *s = json_string_value(v), *eq = s ? strchr(s, '=') : NULL;
        if (!eq || eq == s)
            return err_set(e, ERR_INPUT, "'%s' is no filter such as status=new", s ? s : "?");
        if (out->count == FILTERS_MAX)
            return err_set(e, ERR_INPUT, "more than %d filters", FILTERS_MAX);
        struct filter *f = &out->v[out->count++];
        *f = (struct filter){.name = mem_strn(s, (size_t)(eq - s)), .value = mem_str(eq + 1)};
        if (name_find(crm, t, f, e) < 0 || value_read(crm, f, e) < 0)
            return -1;
        if (*f->value && (!strcmp(f->name, "status") ||
                          (t == CRM_ACTIVITY && !strcmp(f->name, "kind"))))
            out->status = f->value;
        if (*f->value && (!strcmp(f->name, "owner") ||
                          (t == CRM_ACTIVITY && !strcmp(f->name, "actor"))))
            out->owner = f->value;
    }
    return 0;
}

/* ---- matching --------------------------------------------------------------------- */

static bool list_has(const struct rule_value *v, const char *value)
{
    for (size_t i = 0; i < v->count; i++) {
        AUTO_FREE char *item = mem_strn(v->items[i].p, v->items[i].n);
        if (rule_fold_equal(item, value))
            return true;
    }
    return false;
}

static bool value_matches(const struct crm *crm, const struct filter *f, const struct rule_value *v)
{
    char at[40];
    if (f->field->type == RULE_TYPE_BOOL && *f->value)
        return (v->state == RULE_VALUE_SET && v->num) == (f->num != 0);
    if (v->state != RULE_VALUE_SET || !*f->value)
        return v->state != RULE_VALUE_SET && !*f->value;
    switch (f->field->type) {
    case RULE_TYPE_TEXT: {
        AUTO_FREE char *text = mem_strn(v->text.p, v->text.n);
        return rule_fold_equal(text, f->value);
    }
    case RULE_TYPE_LIST:
        return list_has(v, f->value);
    case RULE_TYPE_TIME:
        return text_starts(crm_when_print(crm->zone, v->num, at, sizeof(at)), f->value);
    case RULE_TYPE_MONEY:
        return v->num == f->num && !strcmp(v->currency, f->currency);
    case RULE_TYPE_INT:
    case RULE_TYPE_DURATION:
    case RULE_TYPE_BOOL:
        break;
    }
    return v->num == f->num;
}

static enum filter_match match_field(struct crm_ctx *ctx, enum crm_entity t, const json_t *rec,
                                     const struct filter *f, struct err *e)
{
    struct crm_view view = {.ctx = ctx, .at = VIEW_NOW};
    struct rule_value v = {0};
    if (crm_target_of(ctx, t, json_get_int(rec, "id", 0), &view.target, e) < 0)
        return FILTER_FAILED;
    crm_view_get(&view, f->index, &v);
    if (crm_facts_error(ctx, e) < 0)
        return FILTER_FAILED;
    return value_matches(ctx->crm, f, &v) ? FILTER_YES : FILTER_NO;
}

static json_t *company_name(struct crm_ctx *ctx, int64_t id, struct err *e)
{
    const json_t *company = crm_record_any(ctx, CRM_COMPANY, id, e);
    return company ? json_string(json_get_str(company, "name", "")) : NULL;
}

static enum filter_match match_cell(struct crm_ctx *ctx, enum crm_entity t, const json_t *rec,
                                    const struct filter *f, struct err *e)
{
    char id[CRM_ID_LEN], at[40];
    const char *dot = strchr(f->name, '.');
    if (f->time) {
        AUTO_FREE char *column = mem_printf("%s_ms", f->name);
        int64_t ms = json_get_int(rec, column, 0);
        crm_when_print(ctx->crm->zone, ms, at, sizeof(at));
        return (*f->value ? ms && text_starts(at, f->value) : !ms) ? FILTER_YES : FILTER_NO;
    }
    if (!strcmp(f->name, "contact") && json_get_int(rec, "contact_id", 0) &&
        !strcasecmp(crm_id_format(CRM_CONTACT, json_get_int(rec, "contact_id", 0), id), f->value))
        return FILTER_YES;
    int64_t company = strcmp(f->name, "company") ? 0 : json_get_int(rec, "company_id", 0);
    json_t *cell = company && crm_id_parse(f->value, &(enum crm_entity){0}, &(int64_t){0}) < 0
                       ? company_name(ctx, company, e)
                       : crm_cell(ctx, t, rec, dot ? dot + 1 : f->name, e);
    if (!cell)
        return FILTER_FAILED;
    AUTO_FREE char *text = json_is_integer(cell)
                               ? mem_printf("%" PRId64, (int64_t)json_integer_value(cell))
                               : mem_str(json_is_string(cell) ? json_string_value(cell) : "");
    json_decref(cell);
    return rule_fold_equal(text, f->value) ? FILTER_YES : FILTER_NO;
}

enum filter_match filters_match(struct crm_ctx *ctx, enum crm_entity t, const json_t *rec,
                                const struct filters *f, struct err *e)
{
    for (size_t i = 0; i < f->count; i++) {
        const struct filter *one = &f->v[i];
        bool cell = !one->field || is_link(one->name) || field_is_plain(t, one->field);
        enum filter_match m = cell ? match_cell(ctx, t, rec, one, e)
                                   : match_field(ctx, t, rec, one, e);
        if (m != FILTER_YES)
            return m;
    }
    return FILTER_YES;
}
