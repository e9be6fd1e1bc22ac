/* SPDX-License-Identifier: ISC
 *
 * task - see task.h
 */
#include "crm/task.h"

#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "base/units.h"
#include "crm/assign.h"
#include "crm/cmd.h"
#include "crm/when.h"
#include "crm/when_words.h"
#include "rule/calendar.h"

/* ---- reading -------------------------------------------------------------------- */

static int blanks(const char *s)
{
    return (int)strspn(s, " \t");
}

/* Bytes of that word and the blanks behind it; 0: another stands there. */
static int word(const char *s, const char *w)
{
    size_t n = strlen(w);
    return strncasecmp(s, w, n) == 0 && (s[n] == ' ' || s[n] == '\t') ? (int)n + blanks(s + n) : 0;
}

static int read_due(const char *s, const char *zone, int64_t now_ms, struct task_said *t,
                    struct err *e)
{
    int said = word(s, "due"), plus = s[said] == '+';
    if (t->has_due)
        return 0;
    int n = crm_when_parse(s + said + plus, zone, now_ms, &t->due, e);
    if (n <= 0)
        return n;
    t->has_due = true;
    n += said + plus;
    return n + (s[n] && strchr(",.:;", s[n]));
}

/* "remind 2h", "remind 1h 30m before", "remind never" */
static int read_remind(const char *s, struct task_said *t, struct err *e)
{
    struct calendar_span span;
    struct err why = {0};
    int n = word(s, "remind"), col, len = 0;
    char text[64] = "";
    if (!n)
        return 0;
    if (word(s + n, "never")) {
        t->remind_ms = TASK_REMIND_NEVER;
        return n + (int)strlen("never");
    }
    while (s[n + len] >= '0' && s[n + len] <= '9' && len < 40)
        len += (int)strcspn(s + n + len, " \t") + blanks(s + n + len + strcspn(s + n + len, " \t"));
    snprintf(text, sizeof(text), "%.*s", len, s + n);
    if (!len || calendar_span_parse(text, NULL, NULL, &span, &why, &col) < 0)
        return 0; /* "remind Ada of it": words */
    if (span.ms > 366 * DAY_MS)
        return err_set(e, ERR_INPUT, "remind: a year before is the most");
    t->remind_ms = span.ms;
    int before = word(s + n + len, "before");
    return n + len + before;
}

static int read_who(const char *s, const struct crm *crm, struct task_said *t)
{
    int n = word(s, "for");
    size_t len = strcspn(s + n, " \t,:;");
    if (!n || t->who)
        return 0;
    AUTO_FREE char *name = mem_strn(s + n, len);
    if (strcmp(name, "owner") && !crm_user(crm, name))
        return 0;
    t->who = mem_str(name);
    n += (int)len;
    return n + (s[n] && strchr(",:;", s[n]));
}

int task_said_read(const char *s, const struct crm *crm, const char *zone, int64_t now_ms,
                   struct task_said *out, struct err *e)
{
    int taken = 0, n, due_at = 0, due_len = 0;
    *out = (struct task_said){.remind_ms = TASK_REMIND_UNSAID};
    do {
        const char *p = s + taken;
        n = read_due(p, zone, now_ms, out, e);
        if (n > 0) {
            due_at = taken;
            due_len = n;
        }
        if (n == 0 && !out->recurs) {
            n = recur_parse(p, &out->recur, e);
            out->recurs = n > 0;
        }
        if (n == 0 && out->remind_ms == TASK_REMIND_UNSAID)
            n = read_remind(p, out, e);
        if (n == 0)
            n = read_who(p, crm, out);
        if (n < 0)
            return -1;
        taken += n;
        taken += blanks(s + taken);
    } while (n > 0);
    AUTO_FREE char *due = due_len ? mem_strn(s + due_at, (size_t)due_len) : NULL;
    return task_slip(s + taken, crm, zone, now_ms, due, out, e) < 0 ? -1 : taken;
}

void task_said_done(struct task_said *t)
{
    mem_free(t->who);
    t->who = NULL;
}

const char *crm_task_kind(const struct crm *crm, const char *title)
{
    size_t i, n = strcspn(title, ": ");
    const json_t *v;
    if (title[n] != ':')
        return NULL;
    json_array_foreach(json_get_arr(crm->config, "task_kinds"), i, v) {
        const char *kind = json_string_value(v);
        if (strlen(kind) == n && strncasecmp(kind, title, n) == 0)
            return kind;
    }
    return NULL;
}

/* ---- zones, and what comes again ---------------------------------------------------- */

const char *crm_task_zone(const struct crm_ctx *ctx, const char *owner)
{
    const struct crm_actor *a = &ctx->op_actor;
    const char *whose = a->kind == CRM_BY_USER ? a->name : a->kind == CRM_BY_RULE ? owner : NULL;
    return whose && crm_user(ctx->crm, whose) ? zone_name(assign_zone(ctx->crm, whose))
                                              : ctx->crm->zone;
}

int64_t crm_task_next(const struct crm *crm, const json_t *task, int64_t after_ms)
{
    const char *text = json_get_str(task, "recur", NULL), *owner = json_get_str(task, "owner", ""),
               *name = json_get_str(crm_user(crm, owner), "calendar", NULL);
    const struct calendar *own = name ? calendars_find(crm->calendars, name) : NULL;
    struct recur r;
    struct err e = {0};
    if (!text || recur_parse(text, &r, &e) <= 0)
        return 0;
    recur_settle(&r, assign_zone(crm, owner), json_get_int(task, "due_ms", after_ms));
    int64_t at = recur_next(&r, assign_zone(crm, owner), own ? own : crm->calendar, after_ms);
    return at == CALENDAR_NEVER ? 0 : at;
}
