/* SPDX-License-Identifier: ISC
 *
 * help - the schema told to people: rows for the man pages, lines for a terminal
 */
#include <string.h>

#include "base/buf.h"
#include "base/bounds.h"
#include "base/mem.h"
#include "config/config.h"
#include "config/read.h"

void config_mdoc(struct buf *out, const char *s)
{
    for (const char *p = s; *p; p++) {
        bool start = out->len == 0 || out->data[out->len - 1] == '\n';
        if (*p == '\\')
            buf_str(out, "\\e");
        else if (start && (*p == '.' || *p == '\''))
            buf_printf(out, "\\&%c", *p);
        else if (*p == '"')
            buf_str(out, "\\(dq");
        else if (*p == ' ' && p > s && strchr(".?!", p[-1]))
            buf_char(out, '\n');
        else
            buf_char(out, *p);
    }
}

static const char *help_type(const struct schema_key *k, char *out, size_t n)
{
    if (k->type == TYPE_CUSTOM)
        return "see below";
    return schema_expected(k, out, n);
}

static bool help_is_group(const struct schema_key *k)
{
    return k->sub && !(k->flags & SCHEMA_AGAIN) &&
           (k->type == TYPE_GROUP || k->type == TYPE_MAP || k->type == TYPE_LIST ||
            k->type == TYPE_CUSTOM);
}

/* "a b" as it is written in a config: [ "a", "b" ]. */
static void help_default_list(struct buf *out, const char *def)
{
    buf_str(out, "[ ");
    for (const char *p = def; *p; p += *p == ' ') {
        size_t n = strcspn(p, " ");
        AUTO_FREE char *item = mem_printf("%s\"%.*s\"", p == def ? "" : ", ", (int)n, p);
        config_mdoc(out, item);
        p += n;
    }
    buf_str(out, " ].");
}

static void help_default(struct buf *out, const struct schema_key *k)
{
    static const struct {
        const char *value, *name;
    } built[] = {{LEADD_STATEDIR, "the state folder chosen at build time"},
                 {LEADD_RUNDIR, "the run folder chosen at build time"}};
    const char *def = k->def;
    bool quote = k->type != TYPE_INT && k->type != TYPE_BOOL && k->type != TYPE_PORT;
    if (!def)
        return;
    if (out->data[out->len - 1] != '\n')
        buf_char(out, '\n');
    for (size_t i = 0; i < ARRAY_LEN(built); i++)
        if (strcmp(def, built[i].value) == 0) {
            buf_printf(out, "Default: %s.", built[i].name);
            return;
        }
    buf_str(out, "Default: ");
    if (k->type == TYPE_TEXTS) {
        help_default_list(out, def);
        return;
    }
    config_mdoc(out, quote ? "\"" : "");
    config_mdoc(out, def);
    config_mdoc(out, quote ? "\"." : ".");
}

static void help_mdoc_row(struct buf *out, const struct schema_key *k)
{
    char type[256];
    buf_printf(out, ".It Ic %s", k->name);
    if (k->flags & SCHEMA_REQUIRED)
        buf_str(out, " Pq required");
    buf_char(out, '\n');
    if (k->only)
        buf_printf(out, "Only for type %s.\n", k->only);
    config_mdoc(out, k->help);
    buf_char(out, '\n');
    if (k->type != TYPE_CUSTOM) {
        buf_str(out, "Expects ");
        config_mdoc(out, help_type(k, type, sizeof(type)));
        if (k->unit && k->max != k->min)
            buf_printf(out, " (%s)", k->unit);
        buf_str(out, ".");
    }
    help_default(out, k);
    if (out->data[out->len - 1] != '\n')
        buf_char(out, '\n');
}

static void help_mdoc_schema(struct buf *out, const struct schema *s, const char *path)
{
    buf_printf(out, ".Ss %s\n.Bl -tag -width Ds\n", path);
    for (size_t i = 0; i < s->count; i++)
        if (!(s->keys[i].flags & SCHEMA_HIDDEN))
            help_mdoc_row(out, &s->keys[i]);
    buf_str(out, ".El\n");
    for (size_t i = 0; i < s->count; i++) {
        const struct schema_key *k = &s->keys[i];
        if (!help_is_group(k) || (i > 0 && s->keys[i - 1].sub == k->sub))
            continue;
        bool twins = i + 1 < s->count && s->keys[i + 1].sub == k->sub;
        const char *name = twins ? "KIND" : k->name;
        bool names = k->type == TYPE_MAP || (k->flags & SCHEMA_NAMES);
        const char *tail = names ? ".NAME" : k->type == TYPE_LIST ? "[]" : "";
        bool root = s == &schema_main || s == &schema_rules_file;
        char *sub AUTO_FREE = mem_printf("%s%s%s%s", root ? "" : path, root ? "" : ".", name, tail);
        help_mdoc_schema(out, k->sub, sub);
    }
}

static char *help_mdoc(const struct schema *s, const char *title)
{
    struct buf out AUTO_BUF;
    buf_init(&out, MIB(1));
    help_mdoc_schema(&out, s, title);
    return buf_take(&out);
}

char *config_help_mdoc(void)
{
    return help_mdoc(&schema_main, "Top level");
}

char *config_help_rules_mdoc(void)
{
    return help_mdoc(&schema_rules_file, "A rule file");
}

static void help_text_schema(struct buf *out, const struct schema *s, int depth)
{
    for (size_t i = 0; i < s->count; i++) {
        const struct schema_key *k = &s->keys[i];
        char type[256];
        if (k->flags & SCHEMA_HIDDEN)
            continue;
        buf_printf(out, "%*s%s%s: %s", depth * 2, "", k->name,
                   k->flags & SCHEMA_REQUIRED ? " (required)" : "", k->help);
        if (k->type != TYPE_CUSTOM)
            buf_printf(out, " %s.", help_type(k, type, sizeof(type)));
        if (k->def)
            buf_printf(out, " Default: %s.", k->def);
        buf_char(out, '\n');
        if (help_is_group(k))
            help_text_schema(out, k->sub, depth + 1);
    }
}

char *config_help_text(void)
{
    struct buf out AUTO_BUF;
    buf_init(&out, MIB(1));
    help_text_schema(&out, &schema_main, 0);
    return buf_take(&out);
}
