/* SPDX-License-Identifier: ISC
 *
 * read_calendar - the holidays of a calendar, from the file or an .ics beside it
 *
 * What an .ics file says goes into the tree as data, so that nobody but the
 * process that loads a config ever opens it.
 */
#include <string.h>

#include "base/mem.h"
#include "config/ics.h"
#include "config/lex.h"
#include "config/read.h"

static void holidays_file(struct walk *w, const struct place *p, const char *name, json_t *out)
{
    char *dir AUTO_FREE = lex_dir(p->node->file);
    char *path AUTO_FREE = lex_join(dir, name);
    struct err e = {0};
    size_t timed = 0;
    json_t *dates AUTO_JSON = ics_read(path, &timed, &e);
    if (!dates) {
        walk_error(w, p, strstr(e.text, path) ? "%.0s%s" : "%s: %s", path, e.text);
        return;
    }
    json_array_extend(out, dates);
    if (timed > 0 || json_array_size(dates) == 0) {
        char *at AUTO_FREE = scan_at(p->node);
        walk_warn(w, at, "%s: %zu whole days; events with a time of day (%zu) are no holidays",
                  path, json_array_size(dates), timed);
    }
}

static void holidays_one(struct walk *w, const struct place *p, json_t *out)
{
    static const struct schema_key line = {"holidays", TYPE_LINE, .help = ""};
    json_t *v AUTO_JSON = schema_value(w, &line, p);
    const char *s = json_get_str(v, "text", "");
    size_t n = strlen(s);
    if (n > 4 && strcmp(s + n - 4, ".ics") == 0)
        holidays_file(w, p, s, out);
    else if (v)
        json_array_append(out, v);
}

json_t *config_read_holidays(struct walk *w, const struct schema_key *key, const struct place *p)
{
    json_t *out = json_array();
    if (p->node->type == SCAN_STRING) {
        holidays_one(w, p, out);
        return out;
    }
    if (p->node->type != SCAN_ARRAY && p->node->type != SCAN_LIST) {
        char *got AUTO_FREE = walk_got(p);
        walk_error(w, p, "expected %s, got %s", key->choices, got);
        return out;
    }
    for (size_t i = 0; i < p->node->count; i++) {
        char *path AUTO_FREE = NULL;
        struct place c = schema_child(p, i, &path);
        holidays_one(w, &c, out);
    }
    return out;
}
