/* SPDX-License-Identifier: ISC
 *
 * preset - what the file of a preset says, below what leadd.conf says
 *
 * A preset is a libconfig file with the keys of one source or gateway. It is read by the
 * same rows as leadd.conf, so its mistakes are told with its own file and line. Groups
 * are merged key by key; a value or list of leadd.conf stands in place of the preset's.
 * Defaults come last, where neither said anything.
 */
#include <dirent.h>
#include <string.h>
#include <unistd.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "config/lex.h"
#include "config/read.h"

#define PRESET_NAMES 256

static void preset_near(const char *dir, const char *name, char *out, size_t n)
{
    char *names[PRESET_NAMES] = {0};
    size_t count = 0;
    DIR *d = opendir(dir);
    snprintf(out, n, "%s", "");
    for (struct dirent *e; d && count < PRESET_NAMES && (e = readdir(d));) {
        size_t len = strlen(e->d_name);
        if (len > 5 && strcmp(e->d_name + len - 5, ".conf") == 0)
            names[count++] = mem_strn(e->d_name, len - 5);
    }
    if (d)
        closedir(d);
    const char *near = text_nearest(name, (const char *const *)names, count);
    if (near)
        snprintf(out, n, "; did you mean \"%s\"?", near);
    for (size_t i = 0; i < count; i++)
        mem_free(names[i]);
}

static void preset_missing(struct walk *w, const struct place *p, const char *dir,
                           const char *name)
{
    char near[128];
    DIR *d = opendir(dir);
    if (!d) {
        walk_error(w, p, "there is no folder %s with presets; set presets_dir to the folder above it (in a "
                   "clone of the source: presets_dir = \"contrib\", from where leadd.conf is)", dir);
        return;
    }
    closedir(d);
    preset_near(dir, name, near, sizeof(near));
    walk_error(w, p, "there is no preset \"%s\" in %s%s", name, dir, near);
}

static void preset_below(json_t *out, const json_t *preset)
{
    const char *key;
    json_t *v, *mine;
    json_object_foreach((json_t *)preset, key, v) {
        mine = json_object_get(out, key);
        if (!mine)
            json_object_set(out, key, v);
        else if (json_is_object(mine) && json_is_object(v))
            preset_below(mine, v);
    }
}

void preset_merge(struct walk *w, const struct schema *s, const struct place *p, json_t *out)
{
    const char *name = json_get_str(out, "preset", NULL);
    if (!name)
        return;
    char *dir AUTO_FREE = lex_join(w->presets, s->presets);
    char *file AUTO_FREE = mem_printf("%s.conf", name);
    char *path AUTO_FREE = lex_join(dir, file);
    struct scan scan;
    if (access(path, R_OK) != 0) {
        preset_missing(w, p, dir, name);
        return;
    }
    char *at AUTO_FREE = scan_at(p->node);
    if (scan_init(&scan, path, at, w->errors) == 0) {
        struct place root = {config_root_setting(&scan.config), scan.root, ""};
        struct schema plain = *s;
        plain.presets = NULL; /* a preset names no other */
        plain.place = false;
        w->bare = true;
        json_t *preset AUTO_JSON = schema_walk(w, &plain, &root);
        w->bare = false;
        preset_below(out, preset);
    }
    scan_done(&scan);
}
