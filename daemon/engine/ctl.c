/* SPDX-License-Identifier: ISC
 *
 * ctl - see ctl.h
 */
#include "engine/ctl.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/bounds.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"
#include "crm/when.h"
#include "engine/asks.h"
#include "engine/gateway_pull.h"
#include "engine/gateway_test.h"
#include "engine/segment.h"

static const struct {
    const char *name;
    json_t *(*run)(struct ctl *c, struct err *e);
    int min, max; /* arguments after the name */
    const char *usage;
} commands[] = {
    {"status", ctl_status, 0, 0, "status"},
    {"list", ctl_list, 1, 20,
     "list leads|contacts|companies|deals|cases|activities|tasks [FIELD=VALUE ...] [limit=N], "
     "list users|fields|events|commands"},
    {"show", ctl_show, 1, 2, "show ID, show M12 [raw]"},
    {"timeline", ctl_timeline, 1, 2, "timeline ID [limit=N]"},
    {"why", ctl_why, 1, 3, "why ID [rule=NAME] [limit=N], why M12"},
    {"do", ctl_do, 2, 60, "do ID COMMAND ..."},
    {"absent", ctl_absence, 2, 60, "absent USER UNTIL | FROM..TO [REASON]"},
    {"present", ctl_absence, 1, 1, "present USER"},
    {"undo", ctl_undo, 1, 2, "undo ID [JOURNAL]"},
    {"merge", ctl_merge, 2, 2, "merge ID OTHER"},
    {"duplicates", ctl_duplicates, 0, 2, "duplicates [contacts|companies|leads|cases] [limit=N]"},
    {"timers", ctl_timers, 0, 3, "timers [ID] [rule=NAME] [limit=N]"},
    {"due", ctl_due, 0, 60, "due [--late] [rule=NAME] [limit=N] | release|drop all|rule=NAME|ID .."},
    {"sequence", ctl_sequence, 1, 63,
     "sequence list | show NAME | preview ID [NAME] | start NAME ID .. | enrolments [NAME] [state=STATE] [limit=N] | "
     "migrate NAME"},
    {"template", ctl_template, 3, 6,
     "template preview NAME ID [lang=LANG] [part=html|raw] | send NAME ID to=ADDRESS [lang=LANG]"},
    {"segment", ctl_segment, 1, 3, "segment list | show NAME | count NAME | export NAME [limit=N]"},
    {"broadcast", ctl_broadcast, 1, 6,
     "broadcast list | show NAME | preview NAME [ID] | test NAME USER ID | start NAME [confirm=N] "
     "[at=TIME] | confirm NAME N | pause NAME | go-on NAME | cancel NAME | winner NAME N | "
     "results NAME | recipients NAME [state=STATE] [after=ID] [limit=N]"},
    {"pools", ctl_pools, 0, 1, "pools [NAME]"},
    {"outbox", ctl_outbox, 1, 10,
     "outbox list [state=STATE] [lead=ID] | show N | retry|release|drop N | retry|release|drop "
     "state=STATE [domain=DOMAIN] [reason=WORDS] [template=NAME] [since=TIME] [until=TIME] [count=N] "
     "| copies [retry] [state=STATE] [mailbox=NAME]"},
    {"held", ctl_held, 1, 3, "held list [all] [limit=N] | show H3 | release H3 | drop H3"},
    {"consent", ctl_consent, 2, 60,
     "consent show ADDRESS|C7 | grant ADDRESS [WORDS] | withdraw ADDRESS [WORDS]"},
    {"suppression", ctl_suppression, 1, 61,
     "suppression list [reason=opted_out|bouncing] [limit=N] | show ADDRESS | add ADDRESS .. | remove "
     "ADDRESS .."},
    {"address", ctl_address, 1, 3, "address secret USER [new|off] | dropbox [USER] [new]"},
    {"calls", ctl_calls, 1, 10,
     "calls list [state=STATE] [endpoint=NAME] [lead=ID] | show N | retry N | drop N | enable NAME"},
    {"gateway", ctl_gateway, 1, 4, "gateway status | enable NAME | pull NAME | test NAME [NUMBER [wait=30s]]"},
    {"relay", ctl_relay, 1, 1, "relay status"},
    {"hold", ctl_hold, 0, 1, "hold [limit=N]"},
    {"release", ctl_release, 1, 60, "release all|none|since=TIME|ID .. [rest=drop]"},
    {"resume", ctl_resume, 0, 0, "resume"},
    {"backup", ctl_backup, 0, 0, "backup PATH"},
    {"quarantine", ctl_quarantine, 1, 2, "quarantine list [unconfirmed] | show Q | retry Q | drop Q"},
    {"message", ctl_message, 2, 2, "message M12 NUMBER"},
    {"ledger", ctl_ledger, 0, 3, "ledger [state=STATE] [source=SOURCE] [limit=N]"},
    {"reconcile", ctl_reconcile, 0, 1, "reconcile [MAILBOX]"},
    {"mailbox", ctl_mailbox, 1, 10,
     "mailbox list | status | preview NAME | refetch NAME [FOLDER] UID|NAME ..."},
    {"rules", ctl_rules, 1, 5,
     "rules coverage [--never] [--since=30d|DATE] | history [limit=N] | show HASH"},
    {"reload", ctl_reload, 0, 0, "reload"},
    {"clock", ctl_clock, 0, 2, "clock [advance DURATION]"},
};

json_t *ctl_table(json_t *rows, const char *columns)
{
    json_t *list = json_array();
    for (const char *p = columns; *p;) {
        size_t name = strcspn(p, " "), all = strcspn(p, "|");
        json_array_append_new(list, json_pack("{s:s%, s:s%}", "name", p, name, "title", p + name + 1,
                                              all - name - 1));
        p += all + (p[all] == '|');
    }
    return json_pack("{s:o, s:o}", "columns", list, "rows", rows);
}

json_t *ctl_section(const char *title, json_t *rows, const char *columns)
{
    json_t *table = ctl_table(rows, columns);
    json_put_str(table, "title", title);
    return table;
}

json_t *ctl_text(const char *fmt, ...)
{
    char text[1024];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    return json_pack("{s:s}", "text", text);
}

const char *ctl_option(const struct ctl *c, const char *name)
{
    size_t n = strlen(name);
    for (int i = 1; i < c->argc; i++)
        if (strncmp(c->argv[i], name, n) == 0 && c->argv[i][n] == '=')
            return c->argv[i] + n + 1;
    return NULL;
}

static bool limit_parse(const char *s, int64_t *n)
{
    return text_parse_int(s, n) == 0 && *n > 0 && *n <= CTL_LIMIT_MAX;
}

int64_t ctl_limit(const struct ctl *c)
{
    int64_t n;
    const char *s = ctl_option(c, "limit");
    return s && limit_parse(s, &n) ? n : CTL_LIMIT_DEFAULT;
}

static bool option_among(const char *arg, size_t n, const char *names)
{
    for (const char *p = names; n && *p; p += strcspn(p, " "), p += *p == ' ')
        if (strcspn(p, " ") == n && strncmp(p, arg, n) == 0)
            return true;
    return false;
}

int ctl_option_time(const struct ctl *c, const char *name, int64_t *ms_out, struct err *e)
{
    const char *s = ctl_option(c, name);
    if (!s || clock_parse_utc(s, ms_out) == 0)
        return 0;
    int n = crm_when_parse(s, engine_setting(c->eng, "time_zone", "UTC"), clock_now_ms(), ms_out, e);
    if (n > 0 && s[n] == '\0')
        return 0;
    return n < 0 ? -1 : err_set(e, ERR_INPUT, "%s=%s: expected a time such as "
                                "\"2026-11-21 15:00\"", name, s);
}

int ctl_options_check(const struct ctl *c, int first, const char *names, struct err *e)
{
    int64_t n;
    for (int i = first; i < c->argc; i++) {
        const char *arg = c->argv[i], *eq = strchr(arg, '=');
        if (names && (!eq || !option_among(arg, (size_t)(eq - arg), names)))
            return err_set(e, ERR_INPUT, "%s: \"%s\" is not known; expected NAME=VALUE with one "
                           "of: %s", c->argv[0], arg, names);
        if (strncmp(arg, "limit=", 6) == 0 && !limit_parse(arg + 6, &n))
            return err_set(e, ERR_INPUT, "%s: expected a number from 1 to %d", arg, CTL_LIMIT_MAX);
    }
    return 0;
}

bool ctl_word_in(const char *word, const char *list)
{
    size_t n = strlen(word);
    for (const char *p = list; n && (p = strstr(p, word)); p += n)
        if ((p == list || p[-1] == ' ') && (p[n] == ' ' || p[n] == '\0'))
            return true;
    return false;
}

const struct ctl_move *ctl_move_find(const struct ctl_move *moves, size_t n, const char *verb)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(verb, moves[i].verb) == 0)
            return &moves[i];
    return NULL;
}

int ctl_move_check(const struct ctl_move *m, const char *what, int64_t id, const char *state,
                   struct err *e)
{
    if (ctl_word_in(state, m->from))
        return 0;
    return err_set(e, ERR_INPUT, "%s %lld is %s; %s is for: %s", what, (long long)id, state, m->verb,
                   m->from);
}

json_t *ctl_done(const struct engine *eng, json_t *j)
{
    json_put_str(j, "zone", engine_setting(eng, "time_zone", "UTC"));
    size_t n = json_dumpb(j, NULL, 0, JSON_COMPACT);
    if (n <= BOUND_FRAME_JSON)
        return j;
    json_decref(j); /* what fits no frame would be no answer at all */
    AUTO_FREE char *text =
        mem_printf("the answer has %zu bytes, more than fit: ask for less, as with limit=20", n);
    return ctl_done(eng, json_pack("{s:i, s:s}", "exit", 1, "error", text));
}

static struct answer *ctl_answer(struct engine *eng, const struct item *it, int code,
                                 const char *error, json_t *data)
{
    json_t *j = json_pack("{s:i, s:s?}", "exit", code, "error", error);
    if (data)
        json_object_set_new(j, "data", data);
    return engine_answer(eng, it->peer, FRAME_CTL_DONE, it->frame.id, ctl_done(eng, j));
}

static int ctl_read(struct engine *eng, const struct item *it, struct ctl *c)
{
    const json_t *argv = json_get_arr(it->frame.json, "argv");
    struct peer *p = peer_by_serial(eng, it->peer);
    *c = (struct ctl){.eng = eng, .it = it, .user = p && p->who ? p->who : "?"};
    if (json_array_size(argv) == 0 || json_array_size(argv) > BOUND_CTL_ARGS)
        return -1;
    for (size_t i = 0; i < json_array_size(argv); i++) {
        const char *s = json_string_value(json_array_get(argv, i));
        if (!s || strlen(s) > BOUND_CTL_ARG)
            return -1;
        c->argv[c->argc++] = s;
    }
    return 0;
}

int ctl_frame(struct engine *eng, struct item *it, struct err *e)
{
    struct ctl c;
    const char *names[ARRAY_LEN(commands)];
    if (ctl_read(eng, it, &c) < 0) {
        ctl_answer(eng, it, 64, "no command, or too many or too long arguments", NULL);
        return 0;
    }
    for (size_t i = 0; i < ARRAY_LEN(commands); i++) {
        names[i] = commands[i].name;
        if (strcmp(commands[i].name, c.argv[0]) != 0)
            continue;
        AUTO_FREE char *usage = mem_printf("usage: leadctl %s", commands[i].usage);
        struct err ce = {0};
        if (c.argc - 1 < commands[i].min || c.argc - 1 > commands[i].max) {
            ctl_answer(eng, it, 64, usage, NULL);
            return 0;
        }
        json_t *data = commands[i].run(&c, &ce);
        if (data) {
            struct answer *a = ctl_answer(eng, it, c.exit, NULL, data);
            a->raw = c.raw;
            a->raw_len = c.raw_len;
            return 0;
        }
        if (ce.cls == ERR_NONE)
            return 0; /* an ask will answer */
        *e = ce;
        return -1;
    }
    const char *near = text_nearest(c.argv[0], names, ARRAY_LEN(commands));
    AUTO_FREE char *msg = near ? mem_printf("no command \"%s\"; did you mean \"%s\"?", c.argv[0], near)
                               : mem_printf("no command \"%s\"; see leadctl help", c.argv[0]);
    ctl_answer(eng, it, 64, msg, NULL);
    return 0;
}

json_t *ask_answer(struct ask *a)
{
    int code = 0;
    json_t *data;
    if (strcmp(a->what, "reconcile") == 0)
        data = ctl_reconcile_answer(a->eng, a->parts, &code);
    else if (strcmp(a->what, "preview") == 0)
        data = ctl_preview_answer(a->parts, &code);
    else if (strcmp(a->what, "pull") == 0)
        data = pull_answer(a->parts, &code);
    else if (strcmp(a->what, "gateway test") == 0)
        data = gateway_test_answer(a, &code);
    else if (strcmp(a->what, "reload") == 0)
        data = ctl_reload_answer(a->eng, a->parts, &code);
    else
        data = ctl_status_answer(a->eng, a->parts);
    json_t *j = json_pack("{s:i, s:o}", "exit", code, "data", data);
    bool tells_itself = strcmp(a->what, "gateway test") == 0;
    if (a->owed_count > 0 && !tells_itself) {
        json_put_str(j, "error", "not everybody answered in time; the rest is shown");
        json_put_int(j, "exit", code ? code : 75);
    }
    return ctl_done(a->eng, j);
}
