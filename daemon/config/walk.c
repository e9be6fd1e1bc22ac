/* SPDX-License-Identifier: ISC
 *
 * walk - a file held against its schema, see schema.h
 *
 * Two trees of one shape go hand in hand: libconfig's with the values and the
 * scan's with the places. Nothing is looked up by name in libconfig, since its
 * lookups succeed with wrong numbers and never see a misspelt key.
 */
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "config/read.h"
#include "config/schema.h"

#define WALK_NAMES 64 /* keys of one schema */

void walk_error(struct walk *w, const struct place *p, const char *fmt, ...)
{
    char text[1024];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    char *at AUTO_FREE = scan_at(p->node);
    errlist_add(w->errors, at, "%s%s%s", p->path, p->path[0] ? ": " : "", text);
}

void walk_warn(struct walk *w, const char *at, const char *fmt, ...)
{
    char text[1024];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    char *line AUTO_FREE = mem_printf("%s: %s", at, text);
    json_array_append_new(w->warnings, json_string(line));
}

static const char *walk_string(const struct place *p)
{
    return p->node->type == SCAN_STRING ? config_setting_get_string(p->setting) : NULL;
}

char *walk_got(const struct place *p)
{
    switch (p->node->type) {
    case SCAN_STRING:
        return mem_printf("\"%.60s\"", walk_string(p));
    case SCAN_NUMBER:
        if (config_setting_type(p->setting) == CONFIG_TYPE_FLOAT)
            return mem_printf("the number %g", config_setting_get_float(p->setting));
        return mem_printf("the number %d", config_setting_get_int(p->setting));
    case SCAN_BOOL:
        return mem_str(config_setting_get_bool(p->setting) ? "true" : "false");
    case SCAN_GROUP:
        return mem_str("a group { }");
    case SCAN_ARRAY:
        return mem_str("a list [ ]");
    case SCAN_LIST:
        break;
    }
    return mem_str("a list ( )");
}

struct place schema_child(const struct place *p, size_t i, char **path_out)
{
    const struct scan_node *n = p->node->sub[i];
    if (n->name)
        *path_out = mem_printf("%s%s%s", p->path, p->path[0] ? "." : "", n->name);
    else
        *path_out = mem_printf("%s[%zu]", p->path, i + 1);
    return (struct place){config_setting_get_elem(p->setting, (unsigned)i), n, *path_out};
}

/* What to write instead, when the value is right but its notation is not. */
static const char *walk_hint(const struct schema_key *key, const struct place *p)
{
    bool number = key->type == TYPE_INT || key->type == TYPE_PORT;
    if (p->node->type == SCAN_NUMBER && !number && key->type < TYPE_GROUP &&
        key->type != TYPE_BOOL)
        return key->type == TYPE_DURATION || key->type == TYPE_SIZE ? "; quote it, with its unit"
                                                                    : "; quote it";
    const char *s = walk_string(p);
    int64_t v;
    if (s && number && text_parse_int(s, &v) == 0)
        return "; write it without quotes";
    if (s && key->type == TYPE_BOOL && (!strcmp(s, "true") || !strcmp(s, "false")))
        return "; write it without quotes";
    return "";
}

static json_t *walk_wrong(struct walk *w, const struct schema_key *key, const struct place *p)
{
    char want[256];
    char *got AUTO_FREE = walk_got(p);
    walk_error(w, p, "expected %s, got %s%s", schema_expected(key, want, sizeof(want)), got,
               walk_hint(key, p));
    return NULL;
}

static json_t *walk_text(struct walk *w, const struct schema_key *key, const struct place *p)
{
    const char *s = walk_string(p);
    if (!s)
        return walk_wrong(w, key, p);
    struct err e = {0};
    json_t *v = schema_text(w, key, s, &e);
    if (!v)
        walk_error(w, p, "%s", e.text);
    return v;
}

static json_t *walk_int(struct walk *w, const struct schema_key *key, const struct place *p)
{
    if (p->node->type != SCAN_NUMBER || config_setting_type(p->setting) != CONFIG_TYPE_INT)
        return walk_wrong(w, key, p);
    int64_t v = config_setting_get_int(p->setting);
    int64_t min = key->type == TYPE_PORT ? 1 : key->min;
    int64_t max = key->type == TYPE_PORT ? 65535 : key->max;
    return v < min || v > max ? walk_wrong(w, key, p) : json_integer(v);
}

/* A text with the column of its first character: where a caret would stand. */
static json_t *walk_line(struct walk *w, const struct schema_key *key, const struct place *p)
{
    json_t *text = walk_text(w, key, p);
    if (!text)
        return NULL;
    char *at AUTO_FREE = mem_printf("%s:%d", p->node->file, p->node->value_line);
    json_t *v = json_object();
    json_object_set_new(v, "text", text);
    json_put_str(v, "at", at);
    json_put_int(v, "col", p->node->value_col);
    return v;
}

/* A list of what one text may be; a single text stands for a list of one. */
static json_t *walk_many(struct walk *w, const struct schema_key *key, const struct place *p,
                         enum schema_type type)
{
    struct schema_key one = *key;
    one.type = type;
    json_t *list = json_array();
    if (p->node->type == SCAN_STRING) {
        json_array_append_new(list, schema_value(w, &one, p));
        return list;
    }
    if (p->node->type != SCAN_ARRAY && p->node->type != SCAN_LIST) {
        json_decref(list);
        return walk_wrong(w, key, p);
    }
    if ((key->flags & SCHEMA_FULL) && p->node->count == 0 && !p->node->damaged)
        walk_error(w, p, "must not be empty");
    for (size_t i = 0; i < p->node->count; i++) {
        char *path AUTO_FREE = NULL;
        struct place e = schema_child(p, i, &path);
        json_t *v = schema_value(w, &one, &e);
        if (v)
            json_array_append_new(list, v);
    }
    return list;
}

json_t *schema_value(struct walk *w, const struct schema_key *key, const struct place *p)
{
    switch (key->type) {
    case TYPE_INT:
    case TYPE_PORT:
        return walk_int(w, key, p);
    case TYPE_BOOL:
        if (p->node->type != SCAN_BOOL)
            return walk_wrong(w, key, p);
        return json_boolean(config_setting_get_bool(p->setting));
    case TYPE_TEXTS:
        return walk_many(w, key, p, TYPE_TEXT);
    case TYPE_EMAILS:
        return walk_many(w, key, p, TYPE_EMAIL);
    case TYPE_SECRETS:
        return walk_many(w, key, p, TYPE_SECRET);
    case TYPE_LINE:
        return walk_line(w, key, p);
    case TYPE_LINES:
        return walk_many(w, key, p, TYPE_LINE);
    case TYPE_GROUP:
        if (p->node->type != SCAN_GROUP)
            return walk_wrong(w, key, p);
        return schema_walk(w, key->sub, p);
    case TYPE_MAP:
        if (p->node->type != SCAN_GROUP)
            return walk_wrong(w, key, p);
        return schema_walk_map(w, key->sub, p);
    case TYPE_LIST:
        if (p->node->type != SCAN_LIST)
            return walk_wrong(w, key, p);
        return schema_walk_list(w, key->sub, p);
    case TYPE_CUSTOM:
        return key->read(w, key, p);
    default:
        return walk_text(w, key, p);
    }
}

static const struct schema_key *walk_find(const struct schema *s, const char *name)
{
    for (size_t i = 0; i < s->count; i++)
        if (strcmp(s->keys[i].name, name) == 0)
            return &s->keys[i];
    return NULL;
}

static bool walk_applies(const struct schema_key *key, const char *variant)
{
    return !key->only || (variant && strcmp(key->only, variant) == 0);
}

static void walk_unknown(struct walk *w, const struct schema *s, const struct place *p,
                         const char *variant)
{
    const char *names[WALK_NAMES] = {0};
    char all[900] = "";
    size_t n = 0, at = 0;
    for (size_t i = 0; i < s->count && n < WALK_NAMES; i++)
        if (walk_applies(&s->keys[i], variant) && !(s->keys[i].flags & SCHEMA_HIDDEN))
            names[n++] = s->keys[i].name;
    const char *name = p->node->name, *near = text_nearest(name, names, n);
    if (s == &schema_main && walk_find(&schema_rules_file, name)) {
        walk_error(w, p, "stands in a rule file, not here; see rules_dir");
        return;
    }
    if (s == &schema_rules_file && walk_find(&schema_main, name)) {
        walk_error(w, p, "stands in leadd.conf, not in a rule file");
        return;
    }
    for (size_t i = 0; i < n && at < sizeof(all); i++)
        at += (size_t)snprintf(all + at, sizeof(all) - at, "%s%s", i ? ", " : "", names[i]);
    if (near)
        walk_error(w, p, "unknown key; did you mean \"%s\"?", near);
    else
        walk_error(w, p, "unknown key; those of %s are: %s", s->name, all);
}

/* The `type` of this group, which decides which keys it has. */
static const char *walk_variant(const struct schema *s, const struct place *p)
{
    const struct schema_key *type = walk_find(s, "type");
    if (!type)
        return NULL;
    for (size_t i = 0; i < p->node->count; i++) {
        char *path AUTO_FREE = NULL;
        struct place c = schema_child(p, i, &path);
        struct err e = {0};
        const char *value = walk_string(&c);
        if (strcmp(c.node->name, "type") != 0)
            continue;
        json_t *v AUTO_JSON = value ? schema_text(NULL, type, value, &e) : NULL;
        return v ? value : NULL;
    }
    return type->def;
}

/* What a key is when it is not set: its default, or the empty form of a list
 * or map, so that readers of the tree need not ask whether it is there. */
static json_t *walk_default(struct walk *w, const struct schema_key *k, const struct place *p)
{
    struct err e = {0};
    json_t *v = NULL;
    if (k->def) {
        v = schema_text(w, k, k->def, &e);
        if (!v)
            walk_error(w, p, "default of \"%s\": %s", k->name, e.text);
    } else if (k->type == TYPE_GROUP || (k->type == TYPE_CUSTOM && k->sub == &schema_run_as)) {
        v = json_object();
        for (size_t i = 0; i < k->sub->count; i++) {
            json_t *d = walk_default(w, &k->sub->keys[i], p);
            if (d)
                json_object_set_new(v, k->sub->keys[i].name, d);
        }
    } else if (k->type == TYPE_MAP) {
        v = json_object();
    } else if (k->type == TYPE_LIST || k->type == TYPE_TEXTS || k->type == TYPE_EMAILS ||
               k->type == TYPE_LINES || k->type == TYPE_SECRETS) {
        v = json_array();
    }
    return v;
}

static void walk_missing(struct walk *w, const struct schema *s, const struct place *p,
                         const char *variant, json_t *out)
{
    for (size_t i = 0; i < s->count; i++) {
        const struct schema_key *k = &s->keys[i];
        char want[256];
        if (!walk_applies(k, variant) || json_object_get(out, k->name))
            continue;
        bool written = scan_member(p->node, k->name) != NULL;
        bool required = k->flags & SCHEMA_REQUIRED;
        if (required && !written && !p->node->damaged)
            walk_error(w, p, "\"%s\" is missing; set it to %s", k->name,
                       schema_expected(k, want, sizeof(want)));
        json_t *v = written || required ? NULL : walk_default(w, k, p);
        if (v)
            json_object_set_new(out, k->name, v);
    }
}

/* Once a preset has said what it has to say: defaults, and what is missing, all the way
 * down. What only the preset has counts as standing where the preset is named. */
static void walk_fill(struct walk *w, const struct schema *s, const struct place *p, json_t *out)
{
    const char *name;
    walk_missing(w, s, p, NULL, out);
    for (size_t i = 0; i < s->count; i++) {
        const struct schema_key *k = &s->keys[i];
        json_t *v = json_object_get(out, k->name), *one;
        const struct scan_node *node = scan_member(p->node, k->name);
        struct scan_node none = {.file = p->node->file, .line = p->node->line};
        char *path AUTO_FREE = mem_printf("%s.%s", p->path, k->name);
        struct place sub = {NULL, node ? node : &none, path};
        if (k->type == TYPE_GROUP && v)
            walk_fill(w, k->sub, &sub, v);
        if (k->type != TYPE_MAP)
            continue;
        json_object_foreach(v, name, one) {
            const struct scan_node *n = scan_member(sub.node, name);
            char *deep AUTO_FREE = mem_printf("%s.%s", path, name);
            struct place each = {NULL, n ? n : &none, deep};
            walk_fill(w, k->sub, &each, one);
        }
    }
}

json_t *schema_walk(struct walk *w, const struct schema *s, const struct place *p)
{
    json_t *out = json_object();
    const char *variant = walk_variant(s, p);
    bool bare = w->bare;
    w->bare |= s->presets != NULL;
    for (size_t i = 0; i < p->node->count; i++) {
        char *path AUTO_FREE = NULL;
        struct place c = schema_child(p, i, &path);
        const struct schema_key *k = walk_find(s, c.node->name);
        if (!k) {
            walk_unknown(w, s, &c, variant);
            continue;
        }
        if (!walk_applies(k, variant)) {
            if (variant)
                walk_error(w, &c, "is only for type = \"%s\"", k->only);
            continue;
        }
        json_t *v = schema_value(w, k, &c);
        if (v)
            json_object_set_new(out, k->name, v);
    }
    w->bare = bare;
    if (s->presets) {
        preset_merge(w, s, p, out);
        walk_fill(w, s, p, out);
    } else if (!bare) {
        walk_missing(w, s, p, variant, out);
    }
    if (s->place) {
        char *at AUTO_FREE = scan_at(p->node);
        json_put_str(out, "at", at);
    }
    return out;
}

json_t *schema_walk_map(struct walk *w, const struct schema *s, const struct place *p)
{
    json_t *out = json_object();
    for (size_t i = 0; i < p->node->count; i++) {
        char *path AUTO_FREE = NULL;
        struct place c = schema_child(p, i, &path);
        if (strchr(c.node->name, '*'))
            walk_error(w, &c, "\"*\" cannot stand in a name");
        else if (c.node->type == SCAN_GROUP)
            json_object_set_new(out, c.node->name, schema_walk(w, s, &c));
        else
            walk_error(w, &c, "expected a group { ... } for the %s \"%s\"", s->name, c.node->name);
    }
    return out;
}

json_t *schema_walk_list(struct walk *w, const struct schema *s, const struct place *p)
{
    json_t *out = json_array();
    for (size_t i = 0; i < p->node->count; i++) {
        char *path AUTO_FREE = NULL;
        struct place c = schema_child(p, i, &path);
        if (c.node->type == SCAN_GROUP)
            json_array_append_new(out, schema_walk(w, s, &c));
        else
            walk_error(w, &c, "expected a group { ... } for a %s", s->name);
    }
    return out;
}
