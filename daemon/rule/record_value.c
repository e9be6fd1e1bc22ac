/* SPDX-License-Identifier: ISC
 *
 * record_value - one value as JSON and back (see record.h)
 */
#include "rule/record_inner.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "rule/expr_ast.h"

const char *const record_state_names[RECORD_STATES] = {"", "was(", "at("};

int64_t record_text_hash(const char *s, size_t n)
{
    uint64_t h = expr_hash(1, s, n);
    return (int64_t)((h ^ h >> 32) & UINT32_MAX);
}

static json_t *list_json(const struct rule_value *v)
{
    json_t *list = json_array();
    for (size_t i = 0; i < v->count; i++)
        json_array_append_new(list, json_stringn(v->items[i].p, v->items[i].n));
    return list;
}

json_t *record_value_json(const struct rule_field *f, const struct rule_value *v)
{
    json_t *j = NULL;
    if (v->state != RULE_VALUE_SET)
        return v->state == RULE_VALUE_UNSET ? json_null() : json_object();
    switch (f->type) {
    case RULE_TYPE_TEXT:
        j = json_stringn(v->text.p, v->text.n);
        break;
    case RULE_TYPE_INT:
    case RULE_TYPE_TIME:
    case RULE_TYPE_DURATION:
        j = json_integer(v->num);
        break;
    case RULE_TYPE_MONEY:
        j = json_pack("{s:I, s:s}", "amount", (json_int_t)v->num, "currency", v->currency);
        break;
    case RULE_TYPE_BOOL:
        j = json_boolean(v->num);
        break;
    case RULE_TYPE_LIST:
        j = list_json(v);
        break;
    }
    return j ? j : json_object(); /* no UTF-8: no reader gives that */
}

static bool text_is(const struct str *s, const json_t *j)
{
    return json_is_string(j) && json_string_length(j) == s->n &&
           memcmp(json_string_value(j), s->p, s->n) == 0;
}

static bool list_is(const struct rule_value *v, const json_t *j)
{
    if (!json_is_array(j) || json_array_size(j) != v->count)
        return false;
    for (size_t i = 0; i < v->count; i++)
        if (!text_is(&v->items[i], json_array_get(j, i)))
            return false;
    return true;
}

bool record_value_is(const struct rule_field *f, const struct rule_value *v, const json_t *j)
{
    if (v->state == RULE_VALUE_UNSET)
        return !j || json_is_null(j);
    if (v->state == RULE_VALUE_UNKNOWN)
        return json_is_object(j) && json_object_size(j) == 0;
    switch (f->type) {
    case RULE_TYPE_TEXT:
        return text_is(&v->text, j);
    case RULE_TYPE_INT:
    case RULE_TYPE_TIME:
    case RULE_TYPE_DURATION:
        return json_is_integer(j) && json_integer_value(j) == v->num;
    case RULE_TYPE_MONEY:
        return json_is_object(j) && json_object_size(j) > 0 &&
               json_get_int(j, "amount", 0) == v->num &&
               strcmp(json_get_str(j, "currency", ""), v->currency) == 0;
    case RULE_TYPE_BOOL:
        return json_is_boolean(j) && json_is_true(j) == (v->num != 0);
    case RULE_TYPE_LIST:
        return list_is(v, j);
    }
    return false;
}

static bool list_read(const json_t *j, struct rule_value *out, struct str **items)
{
    size_t n = json_array_size(j);
    *items = mem_array(n, sizeof(**items));
    for (size_t i = 0; i < n; i++) {
        const json_t *s = json_array_get(j, i);
        if (!json_is_string(s))
            return false;
        (*items)[i] = (struct str){json_string_value(s), json_string_length(s)};
    }
    out->items = *items;
    out->count = n;
    return json_is_array(j);
}

bool record_value_read(const struct rule_field *f, const json_t *j, struct rule_value *out,
                       struct str **items)
{
    *items = NULL;
    *out = (struct rule_value){0};
    if (!j || json_is_null(j))
        return true;
    if (json_is_object(j) && json_object_size(j) == 0) {
        out->state = RULE_VALUE_UNKNOWN;
        return true;
    }
    out->state = RULE_VALUE_SET;
    switch (f->type) {
    case RULE_TYPE_TEXT:
        out->text = (struct str){json_string_value(j), json_string_length(j)};
        return json_is_string(j);
    case RULE_TYPE_INT:
    case RULE_TYPE_TIME:
    case RULE_TYPE_DURATION:
        out->num = json_integer_value(j);
        return json_is_integer(j);
    case RULE_TYPE_MONEY:
        out->num = json_get_int(j, "amount", 0);
        snprintf(out->currency, sizeof(out->currency), "%s", json_get_str(j, "currency", ""));
        return json_get_str(j, "currency", NULL) != NULL;
    case RULE_TYPE_BOOL:
        out->num = json_is_true(j);
        return json_is_boolean(j);
    case RULE_TYPE_LIST:
        return list_read(j, out, items);
    }
    return false;
}
