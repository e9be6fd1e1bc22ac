/* SPDX-License-Identifier: ISC
 *
 * tables - writes the tables of the program into the manual pages
 *
 *     tables [--check] PAGE..
 *
 * What stands in a page between .\" table NAME and .\" end is made from the
 * table of that name: the keys of the configs, and the fields, events and
 * commands that rules may name, and those that users give. `make man-tables` writes; a test runs --check,
 * which changes nothing and fails when a page is behind. Not installed.
 */
#include <stdio.h>
#include <string.h>

#include "base/bounds.h"
#include "base/buf.h"
#include "base/mem.h"
#include "config/config.h"
#include "crm/command.h"
#include "crm/events.h"
#include "crm/fields.h"

#define PAGE_MAX MIB(4)

/* ---- the tables ---------------------------------------------------------- */

static void table_keys(struct buf *out)
{
    char *text AUTO_FREE = config_help_mdoc();
    buf_str(out, text);
}

static void table_rule_keys(struct buf *out)
{
    char *text AUTO_FREE = config_help_rules_mdoc();
    buf_str(out, text);
}

static const char *field_type(enum rule_type t)
{
    static const char *const names[] = {
        [RULE_TYPE_TEXT] = "text",      [RULE_TYPE_INT] = "number", [RULE_TYPE_MONEY] = "money",
        [RULE_TYPE_BOOL] = "yes or no", [RULE_TYPE_TIME] = "time",  [RULE_TYPE_DURATION] = "duration",
        [RULE_TYPE_LIST] = "list"};
    return names[t];
}

/* "lead" of "lead.score"; "" of a name without a point. */
static size_t record_of(const char *name)
{
    const char *dot = strchr(name, '.');
    return dot ? (size_t)(dot - name) : 0;
}

/* Does the help name all the values already? */
static bool help_has_choices(const struct crm_field *f)
{
    for (size_t i = 0; f->choices && f->choices[i]; i++)
        if (!strstr(f->help, f->choices[i]))
            return false;
    return true;
}

static void put_field(struct buf *out, const struct crm_field *f)
{
    buf_printf(out, ".It Ic %s Pq %s%s\n", f->name, field_type(f->type),
               f->settable ? ", can be set" : "");
    config_mdoc(out, f->help);
    for (size_t i = 0; !help_has_choices(f) && f->choices[i]; i++)
        buf_printf(out, "%s%s", i ? ", " : ": ", f->choices[i]);
    buf_char(out, '\n');
}

/* A paragraph for each record, fields in the order of the table. */
static void table_fields(struct buf *out)
{
    struct errlist errors AUTO_ERRLIST;
    errlist_init(&errors, 1);
    struct crm_fieldset *set = crm_fieldset_new(NULL, &errors);
    const struct crm_field *f, *last = NULL;
    for (int i = 0; (f = crm_fieldset_get(set, i)) != NULL; i++) {
        size_t n = record_of(f->name);
        bool same = last && record_of(last->name) == n && memcmp(last->name, f->name, n) == 0;
        if (!last)
            buf_str(out, ".Bl -tag -width Ds -compact\n");
        else if (!same)
            buf_str(out, ".El\n.Pp\n.Bl -tag -width Ds -compact\n");
        put_field(out, f);
        last = f;
    }
    buf_str(out, ".El\n");
    crm_fieldset_free(&set);
}

static void table_events(struct buf *out)
{
    buf_str(out, ".Bl -tag -width case.status_changed -compact\n");
    for (size_t i = 0; i < crm_events_count; i++) {
        const struct crm_event_row *row = &crm_events_table[i];
        buf_printf(out, ".It Ic %s\n", row->name);
        config_mdoc(out, row->help);
        buf_char(out, '\n');
    }
    buf_str(out, ".El\n");
}

static void put_commands(struct buf *out, bool by_rules)
{
    const struct crm_command_help *h;
    buf_str(out, ".Bl -tag -width Ds\n");
    for (size_t i = 0; (h = crm_command_help(i)) != NULL; i++) {
        if (by_rules ? !h->by_rules : !h->by_staff)
            continue;
        buf_printf(out, ".It Ic %s", h->name);
        if (*h->grammar) {
            buf_str(out, " Ar \"");
            config_mdoc(out, h->grammar);
            buf_char(out, '"');
        }
        buf_char(out, '\n');
        config_mdoc(out, h->help);
        buf_printf(out, ":\n.Ql %s", by_rules ? "" : "#");
        config_mdoc(out, h->example);
        buf_char(out, '\n');
    }
    buf_str(out, ".El\n");
}

static void table_commands(struct buf *out)
{
    put_commands(out, true);
}

static void table_staff_commands(struct buf *out)
{
    put_commands(out, false);
}

static const struct {
    const char *name;
    void (*make)(struct buf *out);
} tables[] = {
    {"keys", table_keys},     {"rule-keys", table_rule_keys}, {"fields", table_fields},
    {"events", table_events}, {"commands", table_commands},
    {"staff-commands", table_staff_commands},
};

/* ---- pages ------------------------------------------------------------------ */

static int table_make(const char *name, size_t n, struct buf *out)
{
    for (size_t i = 0; i < ARRAY_LEN(tables); i++)
        if (strlen(tables[i].name) == n && memcmp(tables[i].name, name, n) == 0) {
            tables[i].make(out);
            return 0;
        }
    fprintf(stderr, "tables: there is no table %.*s\n", (int)n, name);
    return -1;
}

/* The page with its tables as they should be. */
static int page_made(const char *path, const char *page, struct buf *out)
{
    static const char begin[] = ".\\\" table ", end[] = ".\\\" end\n";
    for (const char *p = page; *p;) {
        size_t line = strcspn(p, "\n") + 1;
        buf_add(out, p, line);
        if (strncmp(p, begin, sizeof(begin) - 1) != 0) {
            p += line;
            continue;
        }
        const char *name = p + sizeof(begin) - 1, *to = strstr(p, end);
        if (!to) {
            fprintf(stderr, "%s: a table without end\n", path);
            return -1;
        }
        if (table_make(name, strcspn(name, " \n"), out) < 0)
            return -1;
        p = to;
    }
    return 0;
}

static int page_write(const char *path, const struct buf *text)
{
    AUTO_FCLOSE FILE *f = fopen(path, "w");
    if (f && fwrite(text->data, 1, text->len, f) == text->len && fflush(f) == 0)
        return 0;
    fprintf(stderr, "tables: cannot write %s\n", path);
    return -1;
}

static int page_do(const char *path, bool check)
{
    struct buf page AUTO_BUF, made AUTO_BUF;
    struct err e = {0};
    buf_init(&page, PAGE_MAX);
    buf_init(&made, PAGE_MAX);
    if (buf_read_file(&page, path, &e)) {
        fprintf(stderr, "tables: %s\n", e.text);
        return -1;
    }
    if (page_made(path, page.data, &made) < 0)
        return -1;
    if (made.len == page.len && memcmp(made.data, page.data, page.len) == 0)
        return 0;
    if (!check)
        return page_write(path, &made);
    fprintf(stderr, "%s: its tables are behind the program; `make man-tables` writes them\n", path);
    return -1;
}

int main(int argc, char **argv)
{
    bool check = argc > 1 && strcmp(argv[1], "--check") == 0;
    int failed = argc < 2 + check;
    for (int i = 1 + check; i < argc; i++)
        failed |= page_do(argv[i], check) < 0;
    return failed;
}
