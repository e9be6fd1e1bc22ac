/* SPDX-License-Identifier: ISC
 *
 * files - the folders of rule files and templates
 *
 * Files are taken in the order of their names, byte by byte, so that a number
 * in front decides. What is not named like a rule file or a template (backups,
 * hidden files, notes) is passed over.
 */
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/bounds.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "config/lex.h"
#include "config/read.h"

struct listing {
    char **names; /* own */
    size_t count;
};

static void listing_done(struct listing *l)
{
    for (size_t i = 0; i < l->count; i++)
        mem_free(l->names[i]);
    mem_free(l->names);
}

static int listing_compare(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static bool listing_takes(const char *name, const char *const *suffixes)
{
    size_t n = strlen(name);
    if (name[0] == '.')
        return false;
    for (; *suffixes; suffixes++) {
        size_t m = strlen(*suffixes);
        if (n > m && strcmp(name + n - m, *suffixes) == 0)
            return true;
    }
    return false;
}

static void listing_read(struct walk *w, struct listing *l, const char *dir, const char *named,
                         const char *const *suffixes)
{
    DIR *d = opendir(dir);
    if (!d) {
        if (named || errno != ENOENT)
            errlist_add(w->errors, named ? named : dir, "cannot read the folder %s: %s", dir,
                        err_errno());
        return;
    }
    l->names = mem_array(BOUND_CONFIG_FILES, sizeof(*l->names));
    struct dirent *e;
    while ((e = readdir(d))) {
        if (!listing_takes(e->d_name, suffixes))
            continue;
        if (l->count == BOUND_CONFIG_FILES) {
            errlist_add(w->errors, dir, "more than %d files", BOUND_CONFIG_FILES);
            break;
        }
        l->names[l->count++] = mem_str(e->d_name);
    }
    closedir(d);
    qsort(l->names, l->count, sizeof(*l->names), listing_compare);
}

/* Moves the entries of from into the map at tree[key]; a name that is there
 * already is an error that names both places. */
static void files_merge(struct walk *w, json_t *tree, const char *key, const char *what,
                        const json_t *from)
{
    json_t *map = json_object_get(tree, key), *v;
    const char *name;
    json_object_foreach(json_object_get(from, key), name, v) {
        json_t *before = json_object_get(map, name);
        if (before)
            errlist_add(w->errors, json_get_str(v, "at", ""),
                        "%s \"%s\" is already defined in %s; names must differ in all rule files",
                        what, name, json_get_str(before, "at", "?"));
        else
            json_object_set(map, name, v);
    }
}

static void files_rules(struct walk *w, json_t *tree, json_t *places, json_t *file)
{
    json_t *rules = json_object_get(tree, "rules"), *rule;
    const char *name;
    json_object_foreach(json_object_get(file, "rules"), name, rule) {
        const char *at = json_get_str(rule, "at", ""), *before = json_get_str(places, name, NULL);
        if (before) {
            errlist_add(w->errors, at,
                        "rule \"%s\" is already defined in %s; names must differ in all rule files",
                        name, before);
            continue;
        }
        json_put_str(places, name, at);
        json_put_str(rule, "name", name);
        json_array_append(rules, rule);
    }
}

void config_read_rules(struct walk *w, json_t *tree, const char *dir, const char *named)
{
    static const char *const suffixes[] = {".conf", NULL};
    struct listing l __attribute__((cleanup(listing_done))) = {0};
    json_t *places AUTO_JSON = json_object();
    json_object_set_new(tree, "rules", json_array());
    json_object_set_new(tree, "tables", json_object());
    json_object_set_new(tree, "pools", json_object());
    json_object_set_new(tree, "calendars", json_object());
    json_object_set_new(tree, "tests", json_object());
    json_object_set_new(tree, "escalations", json_object());
    json_object_set_new(tree, "enrichments", json_object());
    json_object_set_new(tree, "sequences", json_object());
    json_object_set_new(tree, "segments", json_object());
    json_object_set_new(tree, "broadcasts", json_object());
    json_object_set_new(tree, "territories", json_object());
    listing_read(w, &l, dir, named, suffixes);
    for (size_t i = 0; i < l.count; i++) {
        char *path AUTO_FREE = lex_join(dir, l.names[i]);
        struct scan s;
        size_t before = errlist_total(w->errors);
        bool read = scan_init(&s, path, NULL, w->errors) == 0;
        w->unread |= !read || errlist_total(w->errors) != before;
        if (read) {
            struct place p = {config_root_setting(&s.config), s.root, ""};
            json_t *file AUTO_JSON = schema_walk(w, &schema_rules_file, &p);
            files_rules(w, tree, places, file);
            files_merge(w, tree, "tables", "table", file);
            files_merge(w, tree, "pools", "pool", file);
            files_merge(w, tree, "calendars", "calendar", file);
            files_merge(w, tree, "tests", "test", file);
            files_merge(w, tree, "escalations", "escalation", file);
            files_merge(w, tree, "enrichments", "enrichment", file);
            files_merge(w, tree, "sequences", "sequence", file);
            files_merge(w, tree, "segments", "segment", file);
            files_merge(w, tree, "broadcasts", "broadcast", file);
            files_merge(w, tree, "territories", "territory", file);
        }
        scan_done(&s);
    }
}

static bool files_is_name(const char *s, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (!((s[i] | 32) >= 'a' && (s[i] | 32) <= 'z') && !(s[i] >= '0' && s[i] <= '9') &&
            s[i] != '-' && s[i] != '_')
            return false;
    return n > 0;
}

static bool files_is_letters(const char *s, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (!((s[i] | 32) >= 'a' && (s[i] | 32) <= 'z'))
            return false;
    return n > 0;
}

/* "de", "de-at", "de_AT": written "de", "de-AT" into the n + 1 bytes at out. */
static bool files_is_language(const char *s, size_t n, char *out)
{
    size_t base = n < 3 || s[2] == '-' || s[2] == '_' ? 2 : 3;
    bool region = n == base + 3 && (s[base] == '-' || s[base] == '_');
    if ((n != base && !region) || !files_is_letters(s, base) ||
        (region && !files_is_letters(s + base + 1, 2)))
        return false;
    for (size_t i = 0; i < n; i++)
        out[i] = (char)(i < base ? s[i] | 32 : i == base ? '-' : s[i] & ~32);
    out[n] = '\0';
    return true;
}

/* NAME, NAME.sms, NAME.de-AT or NAME.sms.de-AT: what it is called in the tree, and which
 * of it is the name without the language; false: it is no name. */
static bool files_template_name(char *file, size_t *base_out, const char **lang_out)
{
    char *dot = strrchr(file, '.');
    char lang[16];
    size_t n = strlen(file);
    *lang_out = NULL;
    if (dot && strcmp(dot, ".sms") != 0) {
        size_t m = strlen(dot + 1);
        if (m >= sizeof(lang) || !files_is_language(dot + 1, m, lang))
            return false;
        memcpy(dot + 1, lang, m);
        *lang_out = dot + 1;
        n = (size_t)(dot - file);
    }
    *base_out = n;
    bool sms = n > 4 && memcmp(file + n - 4, ".sms", 4) == 0;
    return files_is_name(file, sms ? n - 4 : n);
}

static void files_template(struct walk *w, json_t *templates, const char *path, const char *file)
{
    char *name AUTO_FREE = mem_strn(file, (size_t)(strrchr(file, '.') - file));
    const char *before, *lang;
    size_t base;
    struct buf text AUTO_BUF;
    struct err e = {0};
    buf_init(&text, BOUND_TEMPLATE_BYTES);
    if (!files_template_name(name, &base, &lang)) {
        errlist_add(w->errors, path,
                    "a template is named with letters, digits, \"-\" and \"_\", and a language such "
                    "as \".de\" or \".de-AT\" behind it; rename the file");
    } else if ((before = json_get_str(json_object_get(templates, name), "path", NULL))) {
        errlist_add(w->errors, path, "template \"%s\" is already defined in %s", name, before);
    } else if (buf_read_file(&text, path, &e)) {
        errlist_add(w->errors, path, "%s", e.text);
    } else if (memchr(text.data, '\0', text.len) || !text_is_utf8(text.data, text.len)) {
        errlist_add(w->errors, path, "not a text in UTF-8; save the file as UTF-8");
    } else {
        json_t *v = json_object();
        json_object_set_new(v, "text", json_stringn(text.data, text.len));
        json_put_str(v, "path", path);
        if (lang) {
            json_put_str(v, "lang", lang);
            json_object_set_new(v, "of", json_stringn(name, base));
        }
        json_object_set_new(templates, name, v);
    }
}

void config_read_templates(struct walk *w, json_t *tree, const char *dir, const char *named)
{
    static const char *const suffixes[] = {".txt", ".tmpl", NULL};
    struct listing l __attribute__((cleanup(listing_done))) = {0};
    json_t *templates = json_object();
    json_object_set_new(tree, "templates", templates);
    listing_read(w, &l, dir, named, suffixes);
    for (size_t i = 0; i < l.count; i++) {
        char *path AUTO_FREE = lex_join(dir, l.names[i]);
        files_template(w, templates, path, l.names[i]);
    }
    config_read_attachments(w, tree, dir);
}
