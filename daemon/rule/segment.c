/* SPDX-License-Identifier: ISC
 *
 * segment - see segment.h
 */
#include "rule/segment.h"

#include <string.h>

#include "base/mem.h"
#include "rule/ruleset_set.h"

struct segments {
    json_t *defs;           /* own */
    struct segment *list;   /* own */
    size_t count;
    struct ruleset *rules;  /* own; the rule of each, in the same order */
};

/* What a record of that kind has beside itself. */
static bool has_field(const char *over, const char *field)
{
    static const struct {
        const char *field, *over;
    } has[] = {{"contact.", "contact lead deal case"}, {"company.", "contact lead deal case"},
               {"lead.", "lead deal"}, {"deal.", "lead deal"}, {"case.", "case"}};
    for (size_t i = 0; i < ARRAY_LEN(has); i++)
        if (strncmp(field, has[i].field, strlen(has[i].field)) == 0)
            return strstr(has[i].over, over) != NULL;
    return false;
}

/* A condition over what is never there would hold for nobody, or for all. */
static void segment_fields(const struct segment *s, const struct ruleset_rule *r,
                           const struct rule_fields *all, struct errlist *errors)
{
    for (size_t w = 0; w < r->pub.when_count; w++) {
        const int *fields;
        size_t n = expr_fields(r->when[w], &fields);
        for (size_t k = 0; k < n; k++) {
            const char *name = rule_fields_get(all, fields[k])->name;
            if (!has_field(s->over, name))
                errlist_add(errors, r->pub.when[w].at, "segment %s: a %s has no %s%s", s->name,
                            s->over, name,
                            strncmp(name, "lead.", 5) == 0 ? "; with over = \"lead\" it has" : "");
        }
    }
}

static void segments_read(struct segments *s, json_t *rules)
{
    const char *name;
    json_t *def;
    json_object_foreach(s->defs, name, def) {
        struct segment *one = &s->list[s->count++];
        *one = (struct segment){.name = name, .at = json_get_str(def, "at", "?"),
                                .label = json_get_str(def, "label", ""),
                                .over = json_get_str(def, "over", "contact")};
        json_t *rule = json_pack("{s:s, s:s, s:s}", "name", name, "at", one->at, "asked", "segment");
        json_object_set(rule, "when", json_get_arr(def, "when"));
        json_object_set_new(rule, "do", json_array());
        json_array_append_new(rules, rule);
    }
}

struct segments *segments_new(const json_t *defs, const json_t *config,
                              const struct ruleset_env *env, struct errlist *errors)
{
    size_t before = errlist_total(errors);
    struct segments *s = mem_alloc(sizeof(*s));
    s->defs = defs ? json_deep_copy(defs) : json_object();
    s->list = mem_array(json_object_size(s->defs) + 1, sizeof(*s->list));
    AUTO_JSON json_t *set = json_object(), *rules = json_array();
    segments_read(s, rules);
    json_object_set(set, "rules", rules);
    if (s->count) {
        json_object_set(set, "tables", json_get_obj(config, "tables"));
        json_object_set(set, "calendars", json_get_obj(config, "calendars"));
    }
    s->rules = ruleset_new(set, env, errors);
    for (size_t i = 0; s->rules && i < s->count; i++) {
        s->list[i].rule = ruleset_rule(s->rules, i);
        segment_fields(&s->list[i], &s->rules->rules[i], env->fields, errors);
    }
    if (errlist_total(errors) > before)
        segments_free(&s);
    return s;
}

void segments_free(struct segments **p)
{
    struct segments *s = *p;
    *p = NULL;
    if (!s)
        return;
    ruleset_free(&s->rules);
    mem_free(s->list);
    json_decref(s->defs);
    mem_free(s);
}

const struct segment *segments_get(const struct segments *s, size_t i)
{
    return s && i < s->count ? &s->list[i] : NULL;
}

const struct segment *segments_find(const struct segments *s, const char *name)
{
    for (size_t i = 0; s && i < s->count; i++)
        if (strcmp(s->list[i].name, name) == 0)
            return &s->list[i];
    return NULL;
}

const struct ruleset *segments_rules(const struct segments *s)
{
    return s->rules;
}
