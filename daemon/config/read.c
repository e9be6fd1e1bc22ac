/* SPDX-License-Identifier: ISC
 *
 * read - values with a form of their own, see read.h
 */
#include "config/read.h"

#include <string.h>

#include "base/bounds.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "config/lex.h"

static const char *read_string(const struct place *p)
{
    return p->node->type == SCAN_STRING ? config_setting_get_string(p->setting) : NULL;
}

static json_t *read_wrong(struct walk *w, const struct place *p, const char *want)
{
    char *got AUTO_FREE = walk_got(p);
    walk_error(w, p, "expected %s, got %s", want, got);
    return NULL;
}

/* The scan has bounded depth and number. */
static json_t *read_data(const struct place *p)
{
    json_t *out = p->node->type == SCAN_GROUP ? json_object() : json_array();
    for (size_t i = 0; i < p->node->count; i++) {
        char *path AUTO_FREE = NULL;
        struct place c = schema_child(p, i, &path);
        json_t *v = c.node->type == SCAN_STRING ? json_string(config_setting_get_string(c.setting))
                    : c.node->type == SCAN_BOOL ? json_boolean(config_setting_get_bool(c.setting))
                    : c.node->type != SCAN_NUMBER ? read_data(&c)
                    : config_setting_type(c.setting) == CONFIG_TYPE_FLOAT
                        ? json_real(config_setting_get_float(c.setting))
                        : json_integer(config_setting_get_int(c.setting));
        if (c.node->name)
            json_object_set_new(out, c.node->name, v);
        else
            json_array_append_new(out, v);
    }
    return out;
}

json_t *config_read_data(struct walk *w, const struct schema_key *key, const struct place *p)
{
    bool text = strstr(key->choices, "text") != NULL;
    if (text && p->node->type == SCAN_STRING)
        return json_string(config_setting_get_string(p->setting));
    if (!text && p->node->type == SCAN_GROUP)
        return read_data(p);
    return read_wrong(w, p, key->choices);
}

json_t *config_read_run_as(struct walk *w, const struct schema_key *key, const struct place *p)
{
    const char *s = read_string(p);
    if (p->node->type == SCAN_GROUP)
        return schema_walk(w, key->sub, p);
    if (s && strcmp(s, "self") == 0)
        return json_object();
    return read_wrong(w, p, "\"self\" or a group { engine = USER; ... }");
}

json_t *config_read_stop(struct walk *w, const struct schema_key *key, const struct place *p)
{
    const char *s = read_string(p);
    if (p->node->type == SCAN_BOOL)
        return config_setting_get_bool(p->setting) ? json_string("rule") : NULL;
    if (s && (strcmp(s, "rule") == 0 || strcmp(s, "all") == 0))
        return json_string(s);
    return read_wrong(w, p, key->choices);
}

static void read_form_put(struct walk *w, json_t *out, const struct place *p, const char *from,
                          const char *to)
{
    char *at AUTO_FREE = mem_printf("%s:%d", p->node->file, p->node->value_line);
    if (json_object_get(out, from)) {
        walk_error(w, p, "\"%s\" is already mapped", from);
        return;
    }
    json_t *v = json_object();
    json_put_str(v, "to", to);
    json_put_str(v, "at", at);
    json_object_set_new(out, from, v);
}

static const struct schema_key read_form_keys[] = {
    {"from", TYPE_TEXT, SCHEMA_REQUIRED, .help = "The name as it is posted."},
    {"to", TYPE_TEXT, SCHEMA_REQUIRED, .help = "The field it fills."},
};
static const struct schema read_form_schema = {
    .name = "field", .keys = read_form_keys, .count = ARRAY_LEN(read_form_keys)};

json_t *config_read_form_fields(struct walk *w, const struct schema_key *key,
                                const struct place *p)
{
    if (p->node->type != SCAN_GROUP && p->node->type != SCAN_LIST)
        return read_wrong(w, p, key->choices);
    json_t *out = json_object();
    for (size_t i = 0; i < p->node->count; i++) {
        char *path AUTO_FREE = NULL;
        struct place c = schema_child(p, i, &path);
        if (c.node->name) {
            json_t *to AUTO_JSON = schema_value(w, &read_form_keys[1], &c);
            if (to)
                read_form_put(w, out, &c, c.node->name, json_string_value(to));
        } else if (c.node->type == SCAN_GROUP) {
            json_t *v AUTO_JSON = schema_walk(w, &read_form_schema, &c);
            const char *from = json_get_str(v, "from", NULL), *to = json_get_str(v, "to", NULL);
            if (from && to)
                read_form_put(w, out, &c, from, to);
        } else {
            read_wrong(w, &c, "a group { from = \"posted name\"; to = \"contact.name\"; }");
        }
    }
    if (p->node->count == 0)
        walk_error(w, p, "must not be empty");
    return out;
}

json_t *config_read_members(struct walk *w, const struct schema_key *key, const struct place *p)
{
    if (p->node->type != SCAN_ARRAY && p->node->type != SCAN_LIST)
        return read_wrong(w, p, key->choices);
    json_t *out = json_array();
    for (size_t i = 0; i < p->node->count; i++) {
        char *path AUTO_FREE = NULL;
        struct place c = schema_child(p, i, &path);
        if (c.node->type == SCAN_GROUP) {
            json_array_append_new(out, schema_walk(w, key->sub, &c));
            continue;
        }
        json_t *user = schema_value(w, &key->sub->keys[0], &c);
        if (!user)
            continue;
        char *at AUTO_FREE = scan_at(c.node);
        json_t *v = json_object();
        json_object_set_new(v, "user", user);
        json_put_int(v, "weight", 1);
        json_put_str(v, "at", at);
        json_array_append_new(out, v);
    }
    if (p->node->count == 0 && !p->node->damaged)
        walk_error(w, p, "a pool needs at least one member");
    return out;
}

/* One text in a line; empty lines and lines beginning with # do not count. */
static json_t *read_table_file(struct walk *w, const struct place *p, const char *name)
{
    char *dir AUTO_FREE = lex_dir(p->node->file);
    char *path AUTO_FREE = lex_join(dir, name);
    struct buf text AUTO_BUF;
    struct err e = {0};
    buf_init(&text, BOUND_CONFIG_FILE);
    if (buf_read_file(&text, path, &e)) {
        walk_error(w, p, strchr(name, ',') ? "%s; values stand in a list: [ \"a\", \"b\" ]" : "%s",
                   e.text);
        return NULL;
    }
    json_t *values = json_array();
    int line = 0;
    size_t skip = text.len >= 3 && memcmp(text.data, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;
    for (char *s = text.data + skip, *end = text.data + text.len; s < end;) {
        size_t n = (size_t)((char *)(memchr(s, '\n', (size_t)(end - s)) ?: (void *)end) - s);
        char *next = s + n + 1;
        line++;
        bool plain = !memchr(s, '\0', n) && text_is_utf8(s, n);
        if (plain) {
            s[n] = '\0'; /* at the end this is the buffer's own NUL */
            char *v = text_trim(s);
            if (*v && *v != '#' && text_is_single_line(v))
                json_array_append_new(values, json_string(v));
        } else {
            char *at AUTO_FREE = mem_printf("%s:%d", path, line);
            errlist_add(w->errors, at, "not a line of UTF-8 text");
        }
        s = next;
    }
    return values;
}

json_t *config_read_tables(struct walk *w, const struct schema_key *key, const struct place *p)
{
    static const struct schema_key values_key = {"values", TYPE_TEXTS, .help = ""};
    if (p->node->type != SCAN_GROUP)
        return read_wrong(w, p, key->choices);
    json_t *out = json_object();
    for (size_t i = 0; i < p->node->count; i++) {
        char *path AUTO_FREE = NULL;
        struct place c = schema_child(p, i, &path);
        const char *file = read_string(&c);
        json_t *values = file ? read_table_file(w, &c, file) : schema_value(w, &values_key, &c);
        if (!values)
            continue;
        char *at AUTO_FREE = scan_at(c.node);
        json_t *v = json_object();
        json_object_set_new(v, "values", values);
        json_put_str(v, "at", at);
        json_object_set_new(out, c.node->name, v);
    }
    return out;
}
