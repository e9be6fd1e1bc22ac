/* SPDX-License-Identifier: ISC
 *
 * rep_ask - #find, #show, #why and #help: what a user may see, as lines of text
 *
 * They change nothing, so they are no commands. Nothing of a record is told but
 * through crm_may_see().
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "base/text.h"
#include "crm/command.h"
#include "crm/find.h"
#include "crm/see.h"
#include "crm/when.h"
#include "engine/rep_inner.h"
#include "engine/why.h"
#include "store/journal.h"

#define SHOW_ROWS 8     /* of each section of a record */
#define SHOW_CELL 80    /* bytes of a cell */
#define WHY_PASSES 10   /* the last things that happened */
#define WHY_TEXT KIB(24)
#define FIND_HITS 20

struct ask_by_mail {
    struct engine *eng;
    const char *user;
    const struct crm_target *target;
    const char *args;
    struct buf *out;
};

/* ---- cells and tables ------------------------------------------------------------- */

static void cell_add(const struct ask_by_mail *a, const json_t *v)
{
    char time[32];
    const char *zone = engine_setting(a->eng, "time_zone", "UTC"), *s = json_string_value(v);
    struct buf list AUTO_BUF;
    size_t i;
    const json_t *item;
    buf_init(&list, KIB(1));
    json_array_foreach((json_t *)v, i, item)
        buf_printf(&list, "%s%s", i ? ", " : "", json_string_value(item) ? json_string_value(item) : "");
    if (json_is_integer(v))
        buf_printf(&list, "%" PRId64, (int64_t)json_integer_value(v));
    else if (s && crm_when_retell(zone, s, false, time, sizeof(time)))
        s = time;
    if (!s)
        s = list.data;
    AUTO_FREE char *line = mem_strn(s, text_utf8_cut(s, strlen(s), SHOW_CELL));
    text_make_line(line);
    buf_str(a->out, line);
}

static bool is_empty(const json_t *v)
{
    return !v || json_is_null(v) || (json_is_string(v) && !*json_string_value(v)) ||
           (json_is_array(v) && !json_array_size(v));
}

/* "L42  new  anna  Two hundred pumps": what is empty is left out. */
static void row_add(const struct ask_by_mail *a, const json_t *columns, const json_t *row)
{
    size_t i;
    const json_t *c;
    bool first = true;
    buf_str(a->out, "  ");
    json_array_foreach((json_t *)columns, i, c) {
        const json_t *v = json_object_get(row, json_get_str(c, "name", ""));
        if (is_empty(v))
            continue;
        buf_str(a->out, first ? "" : "  ");
        cell_add(a, v);
        first = false;
    }
    buf_char(a->out, '\n');
}

static void section_add(const struct ask_by_mail *a, const json_t *section)
{
    size_t i, n = json_array_size(json_get_arr(section, "rows"));
    const json_t *row;
    if (n == 0)
        return;
    buf_printf(a->out, "\n%s:\n", json_get_str(section, "title", ""));
    json_array_foreach(json_get_arr(section, "rows"), i, row) {
        if (i == SHOW_ROWS) {
            buf_printf(a->out, "  and %zu more\n", n - i);
            break;
        }
        row_add(a, json_get_arr(section, "columns"), row);
    }
}

/* ---- which record ----------------------------------------------------------------------- */

static int ask_record(const struct ask_by_mail *a, struct crm_ctx *ctx, const char *what,
                      enum crm_entity *t, int64_t *id, struct err *e)
{
    const struct crm_target *g = a->target;
    if (*a->args) {
        if (crm_id_parse(a->args, t, id) < 0)
            return err_set(e, ERR_INPUT, "'%.60s' is no record such as L42; #find looks for words",
                           a->args);
    } else if (g->kase && (g->main == CRM_CASE || !g->lead)) {
        *t = CRM_CASE;
        *id = g->kase;
    } else if (g->lead || g->contact) {
        *t = g->lead ? CRM_LEAD : CRM_CONTACT;
        *id = g->lead ? g->lead : g->contact;
    } else {
        return err_set(e, ERR_INPUT, "this mail belongs to no record: name it, as in #%s L42", what);
    }
    return crm_may_see(ctx, a->user, *t, *id, e);
}

/* ---- the four ------------------------------------------------------------------------------ */

static int ask_show(const struct ask_by_mail *a, struct crm_ctx *ctx, struct err *e)
{
    enum crm_entity t;
    int64_t id;
    size_t i;
    json_t *shown = NULL, *v;
    if (ask_record(a, ctx, "show", &t, &id, e) < 0 || crm_show(a->eng->crm, t, id, &shown, e) < 0)
        return -1;
    AUTO_JSON json_t *owned = shown;
    json_array_foreach(json_get_arr(owned, "fields"), i, v) {
        buf_printf(a->out, "  %s: ", json_string_value(json_array_get(v, 0)));
        cell_add(a, json_array_get(v, 1));
        buf_char(a->out, '\n');
    }
    json_array_foreach(json_get_arr(owned, "sections"), i, v) {
        if (crm_see_rows(ctx, a->user, json_get_arr(v, "rows"), e) < 0)
            return -1;
        section_add(a, v);
    }
    return 0;
}

/* Where the rule files lie on the server is nothing to a rep: "20-a.conf:7". Own. */
static char *without_folder(const struct engine *eng, const char *text)
{
    struct buf out AUTO_BUF;
    const char *folder = engine_setting(eng, "rules_dir", ""), *at;
    size_t n = strlen(folder);
    buf_init(&out, MIB(1));
    while (n > 0 && (at = strstr(text, folder)) != NULL) {
        buf_add(&out, text, (size_t)(at - text));
        text = at + n + (at[n] == '/');
    }
    buf_str(&out, text);
    return buf_take(&out);
}

static int ask_why(const struct ask_by_mail *a, struct crm_ctx *ctx, struct err *e)
{
    enum crm_entity t;
    int64_t id;
    struct buf text AUTO_BUF;
    buf_init(&text, MIB(1));
    if (ask_record(a, ctx, "why", &t, &id, e) < 0)
        return -1;
    char letter = t == CRM_LEAD ? 'L' : t == CRM_CASE ? 'K' : t == CRM_CONTACT ? 'C' : 0;
    if (!letter)
        return err_set(e, ERR_INPUT, "#why tells of a lead, case or contact");
    AUTO_JSON json_t *rows = journal_list(a->eng->db, letter, id, 0, WHY_PASSES, e);
    AUTO_JSON json_t *oldest_first = json_array();
    if (!rows)
        return -1;
    for (size_t i = json_array_size(rows); i-- > 0;)
        json_array_append(oldest_first, json_array_get(rows, i));
    if (why_tell(a->eng, oldest_first, NULL, &text, e) < 0)
        return -1;
    AUTO_FREE char *told = without_folder(a->eng, text.data);
    buf_add(a->out, told, text_utf8_cut(told, strlen(told), WHY_TEXT));
    buf_str(a->out, strlen(told) > WHY_TEXT ? "\n...\n" : "");
    return 0;
}

static int ask_find(const struct ask_by_mail *a, struct crm_ctx *ctx, struct err *e)
{
    AUTO_JSON json_t *hits = json_array();
    size_t i;
    const json_t *h;
    if (!*a->args)
        return err_set(e, ERR_INPUT, "find: what? #find pumps, #find ada@shop.example");
    if (crm_find(ctx, a->user, a->args, FIND_HITS, hits, e) < 0)
        return -1;
    json_array_foreach(hits, i, h)
        buf_printf(a->out, "  %s\n", json_string_value(h));
    if (!json_array_size(hits))
        buf_str(a->out, "  nothing found\n");
    else if (json_array_size(hits) == FIND_HITS)
        buf_str(a->out, "  there may be more: add a word\n");
    return 0;
}

static const struct {
    const char *name, *grammar, *help;
} asks[] = {
    {"find", "WORDS", "find leads, cases and contacts by name, address, company or subject"},
    {"show", "[ID]", "what is known of a record; without ID: of the mail's"},
    {"why", "[ID]", "what the rules decided about it, and why"},
    {"help", "[COMMAND]", "this list, or one command"},
};

static void help_line(const struct ask_by_mail *a, const char *name, const char *grammar,
                      const char *help)
{
    buf_printf(a->out, "  #%s%s%s\n      %s\n", name, *grammar ? " " : "", grammar, help);
}

static int ask_help(const struct ask_by_mail *a, struct err *e)
{
    const struct crm_command_help *h;
    struct crm_actor actor = {CRM_BY_USER, a->user, NULL};
    const char *args = a->args + (*a->args == '#');
    bool found = false;
    for (size_t i = 0; (h = crm_command_help(i)) != NULL; i++) {
        bool named = !strcasecmp(args, h->name);
        if ((*args && !named) || !crm_command_allowed(a->eng->crm, h->name, &actor))
            continue;
        help_line(a, h->name, h->grammar, h->help);
        if (named)
            buf_printf(a->out, "      for example: #%s\n", h->example);
        found = true;
    }
    for (size_t i = 0; i < ARRAY_LEN(asks); i++)
        if (!*args || !strcasecmp(args, asks[i].name)) {
            help_line(a, asks[i].name, asks[i].grammar, asks[i].help);
            found = true;
        }
    if (!found)
        return err_set(e, ERR_INPUT, "no command '%.40s' that you may use; #help lists them", args);
    if (!*args)
        buf_str(a->out, "\n  Each stands at the beginning of its line, above the quotation. Of another\n"
                        "  record than the mail's: #L42 won 5000.\n");
    return 0;
}

int rep_ask(struct engine *eng, const char *user, const struct crm_target *target,
            const char *line, struct buf *out, struct err *e)
{
    const char *args = line + strcspn(line, " ");
    args += strspn(args, " ");
    struct ask_by_mail a = {eng, user, target, args, out};
    struct crm_ctx *ctx = crm_begin(eng->crm, NULL, 0);
    int rc = text_starts(line, "find")   ? ask_find(&a, ctx, e)
             : text_starts(line, "show") ? ask_show(&a, ctx, e)
             : text_starts(line, "why")  ? ask_why(&a, ctx, e)
                                         : ask_help(&a, e);
    crm_end(&ctx);
    return rc;
}
