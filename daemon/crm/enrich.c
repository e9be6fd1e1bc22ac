/* SPDX-License-Identifier: ISC
 *
 * enrich - see enrich.h
 */
#include "crm/enrich.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/bounds.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"
#include "crm/ctx.h"
#include "crm/facts.h"
#include "crm/fields.h"
#include "store/journal.h"

#define HISTORY_MAX 200 /* journal rows that are looked through for who set a field */

const json_t *crm_enrichment(const struct crm *crm, const char *name)
{
    return json_get_obj(crm->enrichments, name);
}

/* ---- the config ---------------------------------------------------------------- */

static void check_endpoint(const struct crm *crm, const char *name, const json_t *en,
                           struct errlist *errors)
{
    const char *endpoint = json_get_str(en, "endpoint", ""), *names[BOUND_ENDPOINTS], *key;
    const json_t *v;
    size_t n = 0;
    if (json_get_obj(crm->endpoints, endpoint))
        return;
    json_object_foreach((json_t *)crm->endpoints, key, v) if (v && n < ARRAY_LEN(names))
        names[n++] = key;
    const char *near = text_nearest(endpoint, names, n);
    errlist_add(errors, json_get_str(en, "at", NULL),
                "enrichment %s: there is no endpoint \"%s\" in leadd.conf%s%s%s", name, endpoint,
                near ? "; did you mean \"" : "", near ? near : "", near ? "\"?" : "");
}

static void check_field(const struct crm *crm, const char *name, const char *at, const char *field,
                        bool set, struct errlist *errors)
{
    struct err e = {0};
    const struct crm_field *f = crm_fieldset_find(crm->fieldset, field, &e);
    if (!f)
        errlist_add(errors, at, "enrichment %s: %s", name, e.text);
    else if (set && (!f->settable || f->entity == CRM_NONE))
        errlist_add(errors, at, "enrichment %s: %s cannot be set", name, field);
}

void crm_enrich_check(const struct crm *crm, struct errlist *errors)
{
    const char *name, *path;
    const json_t *en, *v;
    size_t i;
    json_object_foreach((json_t *)crm->enrichments, name, en)
    {
        const char *at = json_get_str(en, "at", NULL);
        check_endpoint(crm, name, en, errors);
        json_array_foreach(json_get_arr(en, "send"), i, v)
            check_field(crm, name, at, json_string_value(v), false, errors);
        json_object_foreach(json_get_obj(en, "set"), path, v) check_field(
            crm, name, json_get_str(v, "at", at), json_get_str(v, "to", ""), true, errors);
    }
}

/* ---- values out ----------------------------------------------------------------- */

static json_t *money_json(const struct rule_value *v)
{
    struct buf b AUTO_BUF;
    buf_init(&b, KIB(1));
    rule_money_print(v->num, v->currency, &b);
    size_t n = strcspn(b.data, " ");
    return json_pack("{s:s%, s:s}", "amount", b.data, n, "currency", v->currency);
}

static json_t *value_json(const struct crm_field *f, const struct rule_value *v)
{
    char text[32];
    json_t *list;
    if (v->state != RULE_VALUE_SET)
        return json_null();
    switch (f->type) {
    case RULE_TYPE_TEXT:
        return json_stringn(v->text.p, v->text.n);
    case RULE_TYPE_INT:
        return json_integer(v->num);
    case RULE_TYPE_MONEY:
        return money_json(v);
    case RULE_TYPE_BOOL:
        return json_boolean(v->num != 0);
    case RULE_TYPE_TIME:
        return json_string(clock_format_utc(v->num, text, sizeof(text)));
    case RULE_TYPE_DURATION:
        return json_integer(v->num / 1000);
    case RULE_TYPE_LIST:
        list = json_array();
        for (size_t i = 0; i < v->count; i++)
            json_array_append_new(list, json_stringn(v->items[i].p, v->items[i].n));
        return list;
    }
    return json_null();
}

json_t *crm_values(struct crm_ctx *ctx, const struct crm_target *t, const json_t *names,
                   const struct crm_actor *actor)
{
    struct crm_view view = {ctx, *t, VIEW_NOW, actor};
    json_t *out = json_object();
    const json_t *name;
    size_t i;
    json_array_foreach((json_t *)names, i, name)
    {
        const struct crm_field *f =
            crm_fieldset_find(ctx->crm->fieldset, json_string_value(name), NULL);
        struct rule_value v = {0};
        if (!f)
            continue;
        f->read(&view, f, &v);
        json_t *j = value_json(f, &v);
        json_object_set_new(out, f->name, j ? j : json_null()); /* no UTF-8: nothing */
    }
    return out;
}

/* ---- values in ------------------------------------------------------------------ */

/* "company.size", "list.0.name"; a name with a dot in it cannot be meant. */
static const json_t *answer_at(const json_t *v, const char *path)
{
    while (v && *path) {
        size_t n = strcspn(path, ".");
        AUTO_FREE char *key = mem_strn(path, n);
        int64_t i;
        if (json_is_array(v))
            v = text_parse_int(key, &i) == 0 && i >= 0 ? json_array_get(v, (size_t)i) : NULL;
        else
            v = json_object_get(v, key);
        path += n + (path[n] == '.');
    }
    return v;
}

static const char *json_kind(const json_t *v)
{
    return json_is_string(v)    ? "a text"
           : json_is_number(v)  ? "a number"
           : json_is_boolean(v) ? "true or false"
           : json_is_array(v)   ? "a list"
                                : "an object";
}

/* A number as text; NULL when it has a fraction or is too large. */
static char *whole_number(const json_t *v)
{
    double d = json_real_value(v);
    if (json_is_integer(v))
        return mem_printf("%" JSON_INTEGER_FORMAT, json_integer_value(v));
    if (!json_is_real(v) || d != floor(d) || fabs(d) > 9e15)
        return NULL;
    return mem_printf("%.0f", d);
}

static char *money_text(const json_t *v)
{
    const char *currency = json_get_str(v, "currency", "");
    const json_t *amount = json_is_object(v) ? json_object_get(v, "amount") : v;
    AUTO_FREE char *number = json_is_string(amount)    ? mem_str(json_string_value(amount))
                             : json_is_integer(amount) ? whole_number(amount)
                             : json_is_real(amount)    ? mem_printf("%.2f", json_real_value(amount))
                                                       : NULL;
    if (!number)
        return NULL;
    return mem_printf("%s%s%s", number, *currency ? " " : "", currency);
}

/* As `set` would be told it, or NULL: JSON of a kind that the field does not take. */
static char *value_text(const struct crm_field *f, const json_t *v)
{
    switch (f->type) {
    case RULE_TYPE_TEXT:
    case RULE_TYPE_TIME:
        return json_is_string(v) ? mem_str(json_string_value(v)) : NULL;
    case RULE_TYPE_INT:
        return whole_number(v);
    case RULE_TYPE_MONEY:
        return money_text(v);
    case RULE_TYPE_BOOL:
        return json_is_boolean(v) ? mem_str(json_is_true(v) ? "yes" : "no") : NULL;
    case RULE_TYPE_DURATION:
        if (json_is_integer(v))
            return mem_printf("%" JSON_INTEGER_FORMAT "s", json_integer_value(v));
        return json_is_string(v) ? mem_str(json_string_value(v)) : NULL;
    case RULE_TYPE_LIST:
        break;
    }
    return NULL;
}

static int read_one(const struct crm *crm, const char *path, const struct crm_field *f,
                    const json_t *v, int64_t now_ms, json_t *out, struct err *e)
{
    struct err why = {0};
    AUTO_FREE char *text = value_text(f, v);
    if (!text)
        return err_set(e, ERR_INPUT, "%s is %s, and %s is a %s", path, json_kind(v), f->name,
                       rule_type_name(f->type));
    if (!*text_trim(text))
        return 0; /* nothing is known */
    AUTO_JSON json_t *parsed = crm_field_parse(crm, f, text, NULL, now_ms, &why);
    if (!parsed) /* the text of why may hold the value */
        return err_set(e, ERR_INPUT, "%s does not fit %s (%s)", path, f->name,
                       f->choices ? "none of its values" : rule_type_name(f->type));
    json_put_str(out, f->name, text);
    return 0;
}

json_t *crm_enrich_read(const struct crm *crm, const char *name, const json_t *answer,
                        int64_t now_ms, struct err *e)
{
    const char *path;
    const json_t *to;
    json_t *out = json_object();
    json_object_foreach(json_get_obj(crm_enrichment(crm, name), "set"), path, to)
    {
        const json_t *v = answer_at(answer, path);
        const struct crm_field *f =
            crm_fieldset_find(crm->fieldset, json_get_str(to, "to", ""), NULL);
        if (!f || !v || json_is_null(v) || read_one(crm, path, f, v, now_ms, out, e) == 0)
            continue;
        json_decref(out);
        return NULL;
    }
    if (json_object_size(out) > 0)
        return out;
    json_decref(out);
    err_set(e, ERR_INPUT, "the answer has none of the parts that set names");
    return NULL;
}

/* ---- merging ------------------------------------------------------------------------ */

static bool row_sets(const json_t *row, const char *of, const char *key, bool *human)
{
    const json_t *commands = json_get_arr(json_get_obj(row, "body"), "commands"), *c, *j;
    for (size_t i = json_array_size(commands); i-- > 0;) {
        const char *by;
        size_t k;
        c = json_array_get(commands, i);
        by = json_get_str(c, "by", "");
        json_array_foreach(json_get_arr(c, "changes"), k,
                           j) if (!strcmp(json_get_str(j, "of", ""), of) &&
                                  !strcmp(json_get_str(j, "f", ""), key))
        {
            *human = !strcmp(by, "user") || !strcmp(by, "operator");
            return true;
        }
    }
    return false;
}

/* Was it one of our own who set the field last? */
static int human_set(struct crm_ctx *ctx, const struct crm_target *t, const struct crm_field *f,
                     bool *out, struct err *e)
{
    char of[CRM_ID_LEN];
    char letter = t->lead ? 'L' : t->kase ? 'K' : 'C';
    if ((f->entity == CRM_CONTACT || f->entity == CRM_COMPANY) && t->contact)
        letter = 'C';
    int64_t id = letter == 'L' ? t->lead : letter == 'K' ? t->kase : t->contact;
    size_t i;
    const json_t *row;
    *out = false;
    AUTO_JSON json_t *history = journal_list(ctx->crm->db, letter, id, 0, HISTORY_MAX, e);
    if (!history)
        return -1;
    crm_id_format(f->entity, crm_target_id(t, f->entity), of);
    json_array_foreach(
        history, i,
        row) if (row_sets(row, of, f->key, out)) break;
    return 0;
}

static int merge_one(struct crm_ctx *ctx, const struct crm_target *t, const json_t *en,
                     const char *field, const char *text, int *kept, struct err *e)
{
    const struct crm_field *f = crm_fieldset_find(ctx->crm->fieldset, field, e);
    bool human = false;
    if (!f)
        return -1;
    if (!json_get_bool(en, "overwrite", false) && human_set(ctx, t, f, &human, e) < 0)
        return -1;
    if (human) {
        ++*kept;
        return 0;
    }
    if (crm_field_set(ctx, t, f, text, e) == 0)
        return 0;
    return e->cls == ERR_INPUT ? err_set(e, ERR_INPUT, "%s cannot take the value here", field) : -1;
}

int crm_enrich_merge(struct crm_ctx *ctx, const struct crm_target *t, const char *name,
                     const json_t *values, const struct crm_actor *actor, int *kept_out,
                     struct err *e)
{
    const char *field;
    const json_t *v;
    AUTO_FREE char *line = mem_printf("merge %s", name);
    crm_op_begin(ctx, line, false, actor);
    *kept_out = 0;
    json_object_foreach((json_t *)values, field,
                        v) if (merge_one(ctx, t, crm_enrichment(ctx->crm, name), field,
                                         json_string_value(v), kept_out, e) < 0)
    {
        crm_op_failed(ctx, e);
        return -1;
    }
    return crm_op_end(ctx, NULL, e);
}
