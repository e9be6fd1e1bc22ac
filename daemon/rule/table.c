/* SPDX-License-Identifier: ISC
 *
 * table - see table.h
 */
#include "rule/table.h"

#include <string.h>

#include "base/bounds.h"
#include "base/mem.h"
#include "base/text.h"
#include "rule/field.h"
#include "rule/map.h"

struct rule_table {
    char *name, *at;         /* own */
    char **values, **folded; /* own */
    size_t count;
    struct rule_map by_fold;
};

struct rule_tables {
    struct rule_table *v;
    size_t count;
    struct rule_map by_name;
    const char **names; /* own; the strings are the tables' */
};

static void table_fill(struct rule_table *t, const json_t *values, struct errlist *errors)
{
    size_t n = json_array_size(values);
    t->values = mem_array(n, sizeof(*t->values));
    t->folded = mem_array(n, sizeof(*t->folded));
    rule_map_init(&t->by_fold, n);
    struct buf fold AUTO_BUF;
    buf_init(&fold, BOUND_FOLD_BYTES);
    for (size_t i = 0; i < n; i++) {
        const char *s = json_string_value(json_array_get(values, i));
        if (!s || !*s) {
            errlist_add(errors, t->at, "table \"%s\": value %zu is %s", t->name, i + 1,
                        s ? "empty" : "not text");
            continue;
        }
        buf_reset(&fold);
        rule_fold(s, strlen(s), &fold);
        char *key = mem_strn(fold.data, fold.len);
        if (!rule_map_add(&t->by_fold, key, fold.len, (int)t->count)) {
            mem_free(key); /* twice the same: harmless */
            continue;
        }
        t->values[t->count] = mem_str(s);
        t->folded[t->count++] = key;
    }
}

struct rule_tables *rule_tables_new(const json_t *tables, struct errlist *errors)
{
    struct rule_tables *ts = mem_alloc(sizeof(*ts));
    size_t n = json_object_size(tables);
    ts->v = mem_array(n, sizeof(*ts->v));
    ts->names = mem_array(n, sizeof(*ts->names));
    rule_map_init(&ts->by_name, n);
    const char *name;
    json_t *def;
    json_object_foreach((json_t *)tables, name, def)
    {
        struct rule_table *t = &ts->v[ts->count];
        t->name = mem_str(name);
        t->at = mem_str(json_get_str(def, "at", "?"));
        table_fill(t, json_get_arr(def, "values"), errors);
        rule_map_add(&ts->by_name, t->name, strlen(t->name), (int)ts->count);
        ts->names[ts->count++] = t->name;
    }
    return ts;
}

void rule_tables_free(struct rule_tables **t)
{
    struct rule_tables *ts = *t;
    if (!ts)
        return;
    for (size_t i = 0; i < ts->count; i++) {
        struct rule_table *one = &ts->v[i];
        for (size_t k = 0; k < one->count; k++) {
            mem_free(one->values[k]);
            mem_free(one->folded[k]);
        }
        mem_free(one->values);
        mem_free(one->folded);
        mem_free(one->name);
        mem_free(one->at);
        rule_map_done(&one->by_fold);
    }
    rule_map_done(&ts->by_name);
    mem_free(ts->names);
    mem_free(ts->v);
    mem_free(ts);
    *t = NULL;
}

const struct rule_table *rule_tables_find(const struct rule_tables *t, const char *name)
{
    int i = t ? rule_map_get(&t->by_name, name, strlen(name)) : -1;
    return i < 0 ? NULL : &t->v[i];
}

const char *rule_tables_nearest(const struct rule_tables *t, const char *name)
{
    return t ? text_nearest(name, t->names, t->count) : NULL;
}

const char *rule_table_name(const struct rule_table *t)
{
    return t->name;
}

const char *rule_table_at(const struct rule_table *t)
{
    return t->at;
}

size_t rule_table_count(const struct rule_table *t)
{
    return t->count;
}

const char *rule_table_value(const struct rule_table *t, size_t i)
{
    return t->values[i];
}

const char *rule_table_folded(const struct rule_table *t, size_t i)
{
    return t->folded[i];
}

bool rule_table_has(const struct rule_table *t, const char *folded, size_t n)
{
    return rule_map_get(&t->by_fold, folded, n) >= 0;
}
