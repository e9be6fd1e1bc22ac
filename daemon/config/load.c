/* SPDX-License-Identifier: ISC
 *
 * load - config_load(), see config.h
 *
 * Every step goes on after an error, so that all of them are told at once; the
 * tree is given away only when there was none.
 */
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/hook.h" /* LEADD_TEST_HOOKS */
#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "config/config.h"
#include "config/lex.h"
#include "config/read.h"

#ifdef LEADD_TEST_HOOKS /* a build in a checkout */
#define LEADD_PRESETS LEADD_CHECKOUT "/contrib"
#else
#define LEADD_PRESETS LEADD_DATADIR
#endif

/* Sorts what the walk gave into the sections of the tree: plain values are
 * settings, the rest stands for itself. */
static void load_shape(json_t *tree, const json_t *raw)
{
    json_t *settings = json_object();
    json_object_set_new(tree, "settings", settings);
    for (size_t i = 0; i < schema_main.count; i++) {
        const struct schema_key *k = &schema_main.keys[i];
        json_t *v = json_object_get(raw, k->name);
        bool plain = k->type <= TYPE_LINE && k->type != TYPE_TEXTS;
        if (v)
            json_object_set(plain ? settings : tree, k->name, v);
    }
}

static void load_put_missing(json_t *obj, const char *key, const char *value)
{
    if (json_is_object(obj) && !json_object_get(obj, key))
        json_put_str(obj, key, value);
}

static void load_int_missing(json_t *obj, const char *key, int64_t value)
{
    if (!json_object_get(obj, key))
        json_put_int(obj, key, value);
}

static void load_fill_settings(json_t *tree)
{
    json_t *st = json_object_get(tree, "settings"), *store = json_object_get(tree, "store");
    const char *address = json_get_str(st, "address", NULL);
    if (address) {
        load_put_missing(st, "domain", strrchr(address, '@') + 1);
        load_put_missing(st, "return_path", address);
    }
    const char *owner = json_get_str(st, "default_owner", "");
    const json_t *user = json_object_get(json_object_get(tree, "users"), owner);
    load_put_missing(st, "admin", json_get_str(user, "email", NULL));
    char *db AUTO_FREE = lex_join(json_get_str(st, "state_dir", "."), "leadd.db");
    load_put_missing(store, "path", db);
}

/* Of a Maildir: what is the name of a folder elsewhere is a path here. */
static void load_whole_path(const struct walk *w, json_t *m, const char *key)
{
    char *path AUTO_FREE = lex_join(w->dir, json_get_str(m, key, ""));
    if (json_object_get(m, key))
        json_put_str(m, key, path);
}

static void load_fill_mailboxes(const struct walk *w, json_t *tree)
{
    int64_t size = json_get_int(json_object_get(tree, "settings"), "mail_size", 0);
    const char *name;
    json_t *m;
    json_object_foreach(json_object_get(tree, "mailboxes"), name, m) {
        load_int_missing(m, "mail_size", size);
        if (strcmp(json_get_str(m, "type", ""), "imap") == 0) {
            bool tls = strcmp(json_get_str(m, "tls", "tls"), "tls") == 0;
            load_int_missing(m, "port", tls ? 993 : 143);
            load_int_missing(m, "poll", 300000);
            continue;
        }
        load_int_missing(m, "poll", 10000);
        load_whole_path(w, m, "move_to");
        load_whole_path(w, m, "sent_folder");
    }
}

static void load_fill_names(json_t *tree)
{
    const char *name;
    json_t *v;
    size_t i;
    json_array_foreach(json_object_get(tree, "relays"), i, v) {
        const char *tls = json_get_str(v, "tls", "none");
        if (strcmp(json_get_str(v, "type", ""), "smtp") == 0)
            load_int_missing(v, "port", strcmp(tls, "tls") == 0 ? 465 : *tls == 's' ? 587 : 25);
    }
    json_object_foreach(json_object_get(tree, "forms"), name, v)
        load_put_missing(v, "source", name);
    json_object_foreach(json_object_get(tree, "teams"), name, v)
        load_put_missing(v, "name", name);
    const char *kind;
    json_t *fields;
    json_object_foreach(json_object_get(tree, "fields"), kind, fields)
        json_object_foreach(fields, name, v)
            load_put_missing(v, "label", name);
}

/* After the rule files: their calendars stand in the zone of leadd.conf. */
static void load_fill_calendars(json_t *tree)
{
    const char *zone = json_get_str(json_object_get(tree, "settings"), "time_zone", "UTC");
    const char *name;
    json_t *v;
    json_object_foreach(json_object_get(tree, "calendars"), name, v) {
        load_put_missing(v, "zone", zone);
        if (!json_object_get(v, "holidays"))
            json_object_set_new(v, "holidays", json_array());
    }
}

/* The folder in key, or the default one beside the config file; inside of the
 * config's own folder it is written as the config file was, for short messages. */
static char *load_dir(const struct walk *w, const json_t *tree, const struct scan_node *root,
                      const char *path, const char *key, const char *def, char **named_out)
{
    const char *set = json_get_str(json_object_get(tree, "settings"), key, NULL);
    const struct scan_node *n = scan_member(root, key);
    size_t len = strlen(w->dir);
    *named_out = n ? scan_at(n) : NULL;
    char *dir AUTO_FREE = lex_dir(path);
    if (set && strncmp(set, w->dir, len) == 0 && set[len] == '/')
        return lex_join(dir, set + len + 1);
    return set ? mem_str(set) : lex_join(dir, def);
}

static void load_folders(struct walk *w, json_t *tree, const struct scan_node *root,
                         const char *path)
{
    char *rules_at AUTO_FREE = NULL, *templates_at AUTO_FREE = NULL;
    char *rules AUTO_FREE = load_dir(w, tree, root, path, "rules_dir", "rules.d", &rules_at);
    char *templates AUTO_FREE =
        load_dir(w, tree, root, path, "templates_dir", "templates", &templates_at);
    config_read_rules(w, tree, rules, rules_at);
    config_read_templates(w, tree, templates, templates_at);
    load_fill_calendars(tree);
    json_t *st = json_object_get(tree, "settings");
    char *abs_rules AUTO_FREE = lex_join(w->dir, "rules.d");
    char *abs_templates AUTO_FREE = lex_join(w->dir, "templates");
    load_put_missing(st, "rules_dir", abs_rules);
    load_put_missing(st, "templates_dir", abs_templates);
}

static char *load_base_dir(const char *path)
{
    char *dir AUTO_FREE = lex_dir(path);
    char real[PATH_MAX];
    return mem_str(realpath(dir, real) ? real : dir);
}

/* Where an entry stands: bytes of the file's name in at, and the line. */
static size_t load_place(const char *at, long *line)
{
    size_t n = strcspn(at ? at : "", ":");
    *line = at && at[n] ? strtol(at + n + 1, NULL, 10) : 0;
    return n;
}

/* Brings what was added into the order of lines, file by file; files stay in
 * the order in which they were first complained about. */
static void load_sort(struct errlist *l, size_t from)
{
    for (size_t i = from + 1; i < l->count; i++) {
        struct errlist_entry e = l->v[i];
        long line, other;
        size_t n = load_place(e.at, &line), j = i, k = i;
        while (j > from) { /* the last one of the same file that is not behind it */
            const char *at = l->v[j - 1].at;
            bool same = at && e.at && load_place(at, &other) == n && memcmp(at, e.at, n) == 0;
            if (same && other <= line)
                break;
            j--;
            if (same)
                k = j;
        }
        memmove(&l->v[k + 1], &l->v[k], (i - k) * sizeof(e));
        l->v[k] = e;
    }
}

/* Needed before the keys are walked: those of a preset stand among them. */
static char *load_presets(const struct scan *s, const char *dir)
{
    const struct scan_node *n = scan_member(s->root, "presets_dir");
    const config_setting_t *v =
        n && n->type == SCAN_STRING ? config_lookup(&s->config, "presets_dir") : NULL;
    return v ? lex_join(dir, config_setting_get_string(v)) : mem_str(LEADD_PRESETS);
}

/* some: with mistakes, too, when each file could be read. */
static json_t *load(const char *path, bool away, bool some, struct errlist *errors)
{
    size_t before = errlist_total(errors), kept = errors->count;
    char *dir AUTO_FREE = load_base_dir(path);
    struct walk w = {.errors = errors, .warnings = json_array(), .dir = dir, .away = away};
    json_t *tree = json_object();
    json_object_set_new(tree, "warnings", w.warnings);
    struct scan s;
    bool read = scan_init(&s, path, NULL, errors) == 0;
    w.unread = !read || errlist_total(errors) != before;
    if (read) {
        struct place p = {config_root_setting(&s.config), s.root, ""};
        char *presets AUTO_FREE = load_presets(&s, dir);
        w.presets = presets;
        json_t *raw AUTO_JSON = schema_walk(&w, &schema_main, &p);
        load_shape(tree, raw);
        load_fill_settings(tree);
        load_fill_mailboxes(&w, tree);
        load_fill_names(tree);
    }
    load_folders(&w, tree, s.root, path);
    if (read)
        config_check(&w, s.root, tree);
    scan_done(&s);
    load_sort(errors, kept);
    if (errlist_total(errors) == before || (some && !w.unread))
        return tree;
    json_decref(tree);
    return NULL;
}

json_t *config_load(const char *path, struct errlist *errors)
{
    return load(path, false, false, errors);
}

json_t *config_load_away(const char *path, struct errlist *errors)
{
    return load(path, true, false, errors);
}

json_t *config_load_some(const char *path, struct errlist *errors)
{
    return load(path, true, true, errors);
}
