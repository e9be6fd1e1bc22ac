/* SPDX-License-Identifier: ISC
 *
 * lint_unused - what is defined and named nowhere
 *
 * A name is used when it stands as a word in any text of the config outside of
 * its own definition: that may let an unused one pass, and never accuses a used
 * one. A template is named by a command, or by another template as a part of it.
 */
#include <ctype.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "crm/lint.h"
#include "rule/template.h"

/* What may be unused. */
static const struct {
    const char *section, *what, *before; /* what must stand in front of the name */
} kinds[] = {
    {"tables", "table", "@"},
    {"pools", "pool", ""},
    {"calendars", "calendar", ""},
    {"templates", "template", ""},
    {"enrichments", "enrichment", ""},
    {"endpoints", "endpoint", ""},
};

static bool word_char(char c)
{
    return isalnum((unsigned char)c) || c == '_' || c == '-';
}

static bool text_names(const char *text, const char *before, const char *name)
{
    size_t n = strlen(name), skip = strlen(before);
    AUTO_FREE char *own = template_is_sms(name) ? mem_strn(name, n - 4) : NULL;
    if (own)
        return text_names(text, before, own); /* send sms using NAME */
    for (const char *p = strstr(text, name); p; p = strstr(p + 1, name)) {
        bool begins = p == text || !word_char(p[-1]);
        bool marked = (size_t)(p - text) >= skip && memcmp(p - skip, before, skip) == 0;
        if (begins && marked && !word_char(p[n]))
            return true;
    }
    return false;
}

/* What is a name of its own, a place, or words for people. */
static bool key_is_apart(const char *key)
{
    static const char *const apart[] = {"at", "path", "name", "label"};
    for (size_t i = 0; i < ARRAY_LEN(apart); i++)
        if (strcmp(key, apart[i]) == 0)
            return true;
    return false;
}

/* Does any text in v name it? Keys are not texts. */
static bool tree_names(const json_t *v, const char *before, const char *name)
{
    const char *key;
    const json_t *sub;
    size_t i;
    if (json_is_string(v))
        return text_names(json_string_value(v), before, name);
    if (json_is_array(v)) {
        json_array_foreach((json_t *)v, i, sub)
            if (tree_names(sub, before, name))
                return true;
        return false;
    }
    json_object_foreach((json_t *)v, key, sub)
        if (!key_is_apart(key) && tree_names(sub, before, name))
            return true;
    return false;
}

/* {{> name}} in another template */
static bool templates_name(const json_t *templates, const char *name)
{
    const char *key;
    const json_t *t;
    json_object_foreach((json_t *)templates, key, t)
        if (strcmp(key, name) != 0 && strstr(json_get_str(t, "text", ""), "{{>") &&
            text_names(json_get_str(t, "text", ""), "", name))
            return true;
    return false;
}

/* Everything but what is written by people for people. */
static bool config_names(const json_t *tree, const char *section, const char *before,
                         const char *name)
{
    static const char *const apart[] = {"templates", "warnings", "mailboxes", "relays", "teams",
                                        "stages", "store", "web", "run_as"};
    const char *key;
    const json_t *v;
    json_object_foreach((json_t *)tree, key, v) {
        bool skip = strcmp(key, section) == 0;
        for (size_t i = 0; i < ARRAY_LEN(apart); i++)
            skip |= strcmp(key, apart[i]) == 0;
        if (!skip && tree_names(v, before, name))
            return true;
    }
    return strcmp(section, "templates") == 0 &&
           templates_name(json_get_obj(tree, "templates"), name);
}

static void found_unused(json_t *found, const char *what, const char *name, const json_t *def)
{
    AUTO_FREE char *at = json_get_str(def, "path", NULL)
                             ? mem_printf("%s:1", json_get_str(def, "path", ""))
                             : mem_str(json_get_str(def, "at", "?"));
    AUTO_FREE char *text = mem_printf("the %s \"%s\" is used nowhere", what, name);
    json_t *f = json_object();
    json_put_str(f, "at", at);
    json_put_str(f, "finding", "unused");
    json_put_str(f, "text", text);
    json_put_str(f, "advice", "remove it, or name it where it was meant to be used");
    json_array_append_new(found, f);
}

void crm_lint_unused(const json_t *config_tree, json_t *found)
{
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        const char *name;
        const json_t *def;
        json_object_foreach(json_get_obj(config_tree, kinds[i].section), name, def)
            if (!json_object_get(def, "of") && !text_starts(name, "_signature") &&
                !config_names(config_tree, kinds[i].section, kinds[i].before, name))
                found_unused(found, kinds[i].what, name, def);
    }
}
