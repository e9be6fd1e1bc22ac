/* SPDX-License-Identifier: ISC
 *
 * fuzz_config - any bytes as config file, rule file, template and table
 *
 * The input is split at RS (0x1e) into leadd.conf, rules.d/10.conf, a table's file,
 * templates/welcome.txt and a file of holidays (.ics), which are written to a folder in memory and loaded as
 * the throwaway child loads them: read, checked by crm, cut into parts, and, when
 * there is no mistake, linted. Either there is a tree or there are errors; every
 * error is one line that names a place inside of what was written; a tree has its
 * sections and no secret reaches the engine's part; a finding names its place.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bounds.h"
#include "base/errlist.h"
#include "base/mem.h"
#include "base/text.h"
#include "config/config.h"
#include "crm/check.h"
#include "crm/lint.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const names[] = {"leadd.conf", "rules.d/10.conf", "rules.d/words.txt",
                                    "templates/welcome.txt", "rules.d/days.ics"};
#define FILES ARRAY_LEN(names)

static char dir[128];

static void folder_remove(void)
{
    for (size_t i = 0; i < FILES; i++) {
        AUTO_FREE char *path = mem_printf("%s/%s", dir, names[i]);
        unlink(path);
    }
    AUTO_FREE char *rules = mem_printf("%s/rules.d", dir);
    AUTO_FREE char *templates = mem_printf("%s/templates", dir);
    rmdir(rules);
    rmdir(templates);
    rmdir(dir);
}

static void folder_make(void)
{
    const char *tmp = getenv("TMPDIR");
    snprintf(dir, sizeof(dir), "%s/leadd-fuzz-XXXXXX", tmp ? tmp : "/tmp");
    LEADD_ASSERT(mkdtemp(dir));
    AUTO_FREE char *rules = mem_printf("%s/rules.d", dir);
    AUTO_FREE char *templates = mem_printf("%s/templates", dir);
    LEADD_ASSERT(mkdir(rules, 0700) == 0 && mkdir(templates, 0700) == 0);
    atexit(folder_remove);
}

/* Lines of each file, to hold places against; -1: not there. */
static void write_files(const uint8_t *data, size_t size, long lines[FILES])
{
    const char *p = (const char *)data, *end = p + size;
    for (size_t i = 0; i < FILES; i++) {
        const char *cut = p < end && i < FILES - 1 ? memchr(p, 0x1e, (size_t)(end - p)) : NULL;
        size_t n = (size_t)((cut ? cut : end) - p);
        AUTO_FREE char *path = mem_printf("%s/%s", dir, names[i]);
        lines[i] = -1;
        if (n == 0 && i > 0) {
            unlink(path);
        } else {
            AUTO_FCLOSE FILE *f = fopen(path, "w");
            LEADD_ASSERT(f && fwrite(p, 1, n, f) == n);
            lines[i] = 1;
            for (size_t k = 0; k < n; k++)
                lines[i] += p[k] == '\n';
        }
        p = cut ? cut + 1 : end;
    }
}

static void check_errors(const struct errlist *errors, const long lines[FILES])
{
    LEADD_ASSERT(errors->count <= errors->max);
    for (size_t i = 0; i < errors->count; i++) {
        const struct errlist_entry *e = &errors->v[i];
        LEADD_ASSERT(*e->text && text_is_single_line(e->text));
        LEADD_ASSERT(text_is_utf8(e->text, strlen(e->text)));
        const char *colon = e->at ? strrchr(e->at, ':') : NULL;
        for (size_t k = 0; colon && k < FILES; k++) {
            size_t n = strlen(names[k]), at = (size_t)(colon - e->at);
            if (at >= n && strncmp(colon - n, names[k], n) == 0)
                LEADD_ASSERT(lines[k] >= 0 && strtol(colon + 1, NULL, 10) <= lines[k]);
        }
    }
    AUTO_JSON json_t *list = errlist_json(errors);
    LEADD_ASSERT(json_array_size(list) >= errors->count);
}

static void check_tree(const json_t *tree)
{
    static const char *const objects[] = {"settings", "store", "web", "mailboxes", "forms",
                                          "teams", "users", "fields", "tables", "pools",
                                          "templates"};
    for (size_t i = 0; i < ARRAY_LEN(objects); i++)
        LEADD_ASSERT(json_get_obj(tree, objects[i]));
    LEADD_ASSERT(json_get_arr(tree, "rules") && json_get_arr(tree, "relays"));
    AUTO_JSON json_t *parts = config_split(tree);
    AUTO_FREE char *engine = json_text(json_get_obj(parts, "engine"));
    LEADD_ASSERT(engine && !strstr(engine, "\"password_file\":"));
    const char *name;
    json_t *part;
    json_object_foreach(parts, name, part)
        LEADD_ASSERT(json_is_object(part) && json_get_str(part, "log_level", NULL));
}

static void check_lint(const json_t *tree)
{
    AUTO_JSON json_t *found = crm_lint(tree, INT64_C(1795305600000));
    size_t i;
    json_t *f;
    json_array_foreach(found, i, f) {
        const char *text = json_get_str(f, "text", NULL), *source = json_get_str(f, "source", NULL);
        int64_t col = json_get_int(f, "col", 0);
        LEADD_ASSERT(text && *text && json_get_str(f, "at", NULL) && json_get_str(f, "advice", NULL));
        LEADD_ASSERT(!source || (col >= 0 && col <= (int64_t)strlen(source)));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    long lines[FILES];
    struct errlist errors AUTO_ERRLIST;
    if (size > KIB(64))
        return 0;
    if (!*dir)
        folder_make();
    write_files(data, size, lines);
    errlist_init(&errors, 50);
    AUTO_FREE char *path = mem_printf("%s/leadd.conf", dir);
    AUTO_JSON json_t *tree = config_load(path, &errors);
    LEADD_ASSERT((tree == NULL) == (errlist_total(&errors) > 0));
    if (tree) {
        check_tree(tree);
        size_t before = errlist_total(&errors);
        bool good = crm_check(tree, &errors) == 0;
        LEADD_ASSERT(good == (errlist_total(&errors) == before));
        if (good)
            check_lint(tree);
    }
    check_errors(&errors, lines);
    return 0;
}
