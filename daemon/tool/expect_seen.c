/* SPDX-License-Identifier: ISC
 *
 * expect_seen - what has happened: mails, calls, rules, timers (see expect_check.h)
 */
#include <inttypes.h>
#include <string.h>

#include "base/bounds.h"
#include "base/mem.h"
#include "base/text.h"
#include "crm/when.h"
#include "rule/field.h"
#include "store/timer.h"
#include "tool/expect_check.h"

#define FOUND_MAX 12 /* mails and timers that a message lists */

/* ---- mails ---------------------------------------------------------------------------- */

void expect_mail_read(const char *text, struct expect_mail *out)
{
    *out = (struct expect_mail){.own = mem_str(text)};
    char *own = text_trim(out->own), *to = strncmp(own, "to ", 3) == 0 ? own : strstr(own, " to ");
    if (to) {
        out->to = text_trim(to + (*to == ' ' ? 4 : 3));
        *to = '\0';
        own = text_trim(own);
    }
    out->template_name = *own ? own : NULL;
}

void expect_mail_done(struct expect_mail *m)
{
    mem_free(m->own);
}

static bool mail_is(const struct scene *s, const json_t *row, const struct expect_mail *m)
{
    const json_t *user = json_get_obj(json_get_obj(s->config, "users"), m->to ? m->to : "");
    bool sms = strcmp(json_get_str(row, "channel", ""), "sms") == 0;
    const char *to = user ? json_get_str(user, sms ? "phone" : "email", "") : m->to;
    if (m->template_name && strcmp(json_get_str(row, "template", ""), m->template_name) != 0)
        return false;
    return !to || rule_fold_equal(json_get_str(row, "to", ""), to);
}

/* It will leave, or has left; what is held waits for a person. */
static bool mail_leaves(const json_t *row)
{
    const char *state = json_get_str(row, "state", "");
    return strcmp(state, "held") != 0 && strcmp(state, "failed") != 0;
}

static void mail_print(const json_t *row, struct buf *out)
{
    const char *state = json_get_str(row, "state", "?"), *reply = json_get_str(row, "reply", NULL);
    buf_printf(out, "%s to %s", json_get_str(row, "template", "a mail"), json_get_str(row, "to", "?"));
    if (!mail_leaves(row))
        buf_printf(out, " (%s%s%s)", state, reply ? ": " : "", reply ? reply : "");
}

static void mails_print(const struct check *c, struct buf *out)
{
    size_t i;
    json_t *row;
    json_array_foreach(c->mails, i, row) {
        if (i == FOUND_MAX) {
            buf_printf(out, ", and %zu more", json_array_size(c->mails) - i);
            break;
        }
        buf_str(out, i ? ", " : "");
        mail_print(row, out);
    }
    if (out->len == 0)
        buf_str(out, "no mail");
}

/* The first mail of that kind that is not taken yet; each stands for one line. */
static json_t *mail_take(const struct check *c, const struct expect_mail *m, json_t *taken)
{
    size_t i;
    json_t *row;
    json_array_foreach(c->mails, i, row) {
        char id[24];
        snprintf(id, sizeof(id), "%zu", i);
        if (!mail_leaves(row) || !mail_is(c->s, row, m) || json_object_get(taken, id))
            continue;
        json_object_set_new(taken, id, json_true());
        return row;
    }
    return NULL;
}

static void sent_failed(struct check *c, const json_t *line, const struct expect_mail *m)
{
    struct buf found AUTO_BUF;
    json_t *why = json_array();
    buf_init(&found, KIB(16));
    mails_print(c, &found);
    AUTO_FREE char *expected = mem_printf("sent: %s", line_text(line));
    reason_command(c->s, expect_all(c), "send", m->template_name, why);
    reason_command(c->s, expect_all(c), "notify", m->template_name, why);
    expect_failed(c->failures, line_at(line), expected, found.data, why);
}

static void check_sent(struct check *c)
{
    size_t i;
    json_t *line;
    AUTO_JSON json_t *taken = json_object();
    json_array_foreach(json_get_arr(c->expect, "sent"), i, line) {
        struct expect_mail m;
        expect_mail_read(line_text(line), &m);
        if (!mail_take(c, &m, taken))
            sent_failed(c, line, &m);
        expect_mail_done(&m);
    }
}

static void check_not_sent(struct check *c)
{
    size_t i;
    json_t *line, *row;
    json_array_foreach(json_get_arr(c->expect, "not_sent"), i, line) {
        struct expect_mail m;
        struct buf found AUTO_BUF;
        AUTO_JSON json_t *none = json_object();
        buf_init(&found, KIB(4));
        expect_mail_read(line_text(line), &m);
        if ((row = mail_take(c, &m, none))) {
            AUTO_FREE char *expected = mem_printf("not sent: %s", line_text(line));
            json_t *why = json_array();
            mail_print(row, &found);
            reason_command(c->s, expect_all(c), "send", m.template_name, why);
            reason_command(c->s, expect_all(c), "notify", m.template_name, why);
            expect_failed(c->failures, line_at(line), expected, found.data, why);
        }
        expect_mail_done(&m);
    }
}

static void check_mails(struct check *c)
{
    int64_t n = 0;
    size_t i;
    json_t *row;
    struct buf found AUTO_BUF;
    buf_init(&found, KIB(16));
    json_array_foreach(c->mails, i, row)
        n += mail_leaves(row);
    mails_print(c, &found);
    if (json_get_obj(c->expect, "mails"))
        expect_count(c, "mails", n, found.data, NULL);
}

/* ---- tasks -------------------------------------------------------------------------------- */

/* "remind/tom/1795770000000/T1.T2", also "remind-sms/..": is it to that user? */
static bool reminder_is(const json_t *row, const char *user)
{
    const char *intent = json_get_str(row, "intent", ""), *to = strchr(intent, '/');
    size_t n = strlen(user);
    return to && strncmp(to + 1, user, n) == 0 && to[1 + n] == '/';
}

/* "tom of T1.T2, eva of T3" */
static void reminders_print(const json_t *reminders, struct buf *out)
{
    size_t i;
    json_t *row;
    json_array_foreach((json_t *)reminders, i, row) {
        const char *to = strchr(json_get_str(row, "intent", ""), '/'), *ids = to ? strrchr(to, '/') : NULL;
        if (ids)
            buf_printf(out, "%s%.*s of %s", out->len ? ", " : "", (int)strcspn(to + 1, "/"), to + 1, ids + 1);
    }
    if (out->len == 0)
        buf_str(out, "nobody was reminded");
}

static int check_reminded(struct check *c, const char *key, bool wanted, struct err *e)
{
    size_t i, k;
    json_t *line, *row;
    struct buf found AUTO_BUF;
    buf_init(&found, KIB(64));
    if (json_array_size(json_get_arr(c->expect, key)) == 0)
        return 0;
    AUTO_JSON json_t *reminders = scene_reminders(c->s, e);
    if (!reminders)
        return -1;
    reminders_print(reminders, &found);
    json_array_foreach(json_get_arr(c->expect, key), i, line) {
        bool is = false;
        json_array_foreach(reminders, k, row)
            is |= reminder_is(row, line_text(line));
        AUTO_FREE char *expected = mem_printf("%s: %s", wanted ? "reminded" : "not reminded", line_text(line));
        if (is != wanted)
            expect_failed(c->failures, line_at(line), expected, found.data, NULL);
    }
    return 0;
}

static void check_overdue(struct check *c)
{
    size_t i, k;
    json_t *row, *ev;
    int64_t n = 0;
    json_array_foreach(c->rows, i, row)
        json_array_foreach(json_get_arr(json_get_obj(row, "body"), "events"), k, ev)
            n += strcmp(json_get_str(ev, "event", ""), "task.overdue") == 0;
    if (json_get_obj(c->expect, "overdue"))
        expect_count(c, "overdue", n, NULL, NULL);
}

/* ---- calls -------------------------------------------------------------------------------- */

static bool call_made(const json_t *calls, const char *name, struct buf *all)
{
    size_t i;
    json_t *row;
    bool made = false;
    json_array_foreach((json_t *)calls, i, row) {
        const char *called = json_get_str(row, "name", ""), *endpoint = json_get_str(row, "endpoint", "");
        bool webhook = strcmp(json_get_str(row, "kind", ""), "enrich") != 0;
        made |= strcmp(endpoint, name) == 0 || (!webhook && strcmp(called, name) == 0);
        buf_printf(all, "%s%s", i ? ", " : "", webhook ? endpoint : called);
    }
    if (all->len == 0)
        buf_str(all, "no call");
    return made;
}

static int check_calls(struct check *c, const char *key, bool wanted, struct err *e)
{
    size_t i;
    json_t *line;
    if (json_array_size(json_get_arr(c->expect, key)) == 0)
        return 0;
    AUTO_JSON json_t *calls = scene_calls(c->s, e);
    if (!calls)
        return -1;
    json_array_foreach(json_get_arr(c->expect, key), i, line) {
        struct buf found AUTO_BUF;
        buf_init(&found, KIB(8));
        if (call_made(calls, line_text(line), &found) == wanted)
            continue;
        AUTO_FREE char *expected = mem_printf("%s: %s", wanted ? "called" : "not called", line_text(line));
        json_t *why = json_array();
        reason_command(c->s, expect_all(c), "webhook", line_text(line), why);
        reason_command(c->s, expect_all(c), "enrich", line_text(line), why);
        expect_failed(c->failures, line_at(line), expected, found.data, why);
    }
    return 0;
}

/* ---- rules and timers ------------------------------------------------------------------- */

static bool rule_ran(const struct check *c, const char *name)
{
    size_t i, k;
    json_t *row, *d;
    json_array_foreach(c->rows, i, row)
        json_array_foreach(json_get_arr(json_get_obj(row, "body"), "decisions"), k, d)
            if (strcmp(json_get_str(d, "rule", ""), name) == 0 && reason_ran(d))
                return true;
    return false;
}

static void check_rules(struct check *c, const char *key, bool wanted)
{
    size_t i;
    json_t *line;
    json_array_foreach(json_get_arr(c->expect, key), i, line) {
        const char *name = line_text(line);
        json_t *why;
        if (rule_ran(c, name) == wanted)
            continue;
        AUTO_FREE char *expected = mem_printf("rule %s %s", name, wanted ? "runs" : "does not run");
        reason_rule(c->s, c->rows, name, why = json_array());
        expect_failed(c->failures, line_at(line), expected, wanted ? "it did not" : "it ran", why);
    }
}

/* The timer of a task has no rule. */
static const char *timer_name(const json_t *t)
{
    const char *rule = json_get_str(t, "rule", "");
    return *rule ? rule : json_get_str(t, "kind", "?");
}

static void timer_print(const struct check *c, const json_t *t, struct buf *out)
{
    char when[40];
    int64_t due = json_get_int(t, "due_ms", 0);
    buf_printf(out, "%s %s", timer_name(t), due ? "at " : "(paused)");
    if (due)
        buf_str(out, crm_when_tell(scene_zone(c->s), due, due % 60000 != 0, when, sizeof(when)));
}

/* "RULE", or "RULE at TIME". */
static bool timer_is(const struct check *c, const json_t *t, const char *text)
{
    const char *at = strstr(text, " at ");
    size_t n = at ? (size_t)(at - text) : strlen(text);
    const char *rule = timer_name(t);
    int64_t ms = 0;
    struct err e;
    if (strlen(rule) != n || strncmp(rule, text, n) != 0)
        return false;
    return !at || (scene_time(scene_zone(c->s), at + 4, &ms, &e) == 0 &&
                   json_get_int(t, "due_ms", 0) / 60000 == ms / 60000);
}

static void timers_print(const struct check *c, const json_t *timers, struct buf *out)
{
    size_t i;
    json_t *t;
    json_array_foreach((json_t *)timers, i, t) {
        buf_str(out, i ? ", " : "");
        if (i == FOUND_MAX) {
            buf_str(out, "and more");
            break;
        }
        timer_print(c, t, out);
    }
    if (out->len == 0)
        buf_str(out, "no timer");
}

/* A rule with `every` always waits, and for no record; what is paused, or has run through
 * its levels, waits for no time. */
static bool timers_wait(const json_t *timers)
{
    size_t i;
    json_t *t;
    json_array_foreach((json_t *)timers, i, t)
        if (json_get_int(t, "record_id", 0) && json_get_int(t, "due_ms", 0))
            return true;
    return false;
}

static int check_timers(struct check *c, struct err *e)
{
    const json_t *lines = json_get_arr(c->expect, "timers"), *none = json_get_obj(c->expect, "no_timers");
    size_t i, k;
    json_t *line, *t;
    struct buf found AUTO_BUF;
    buf_init(&found, KIB(16));
    if (json_array_size(lines) == 0 && !none)
        return 0;
    AUTO_JSON json_t *timers = timer_list(solo_db(c->s->solo), NULL, COUNT_MAX, e);
    if (!timers)
        return -1;
    timers_print(c, timers, &found);
    json_array_foreach((json_t *)lines, i, line) {
        bool there = false;
        json_array_foreach(timers, k, t)
            there |= timer_is(c, t, line_text(line));
        if (there)
            continue;
        AUTO_FREE char *rule = mem_strn(line_text(line), strcspn(line_text(line), " "));
        AUTO_FREE char *expected = mem_printf("timer: %s", line_text(line));
        json_t *why = json_array();
        reason_rule(c->s, expect_all(c), rule, why);
        expect_failed(c->failures, line_at(line), expected, found.data, why);
    }
    if (none && timers_wait(timers))
        expect_failed(c->failures, line_at(none), "no timers", found.data, NULL);
    return 0;
}

int expect_seen(struct check *c, struct err *e)
{
    check_rules(c, "rules", true);
    check_rules(c, "not_rules", false);
    check_sent(c);
    check_not_sent(c);
    check_mails(c);
    check_overdue(c);
    if (check_reminded(c, "reminded", true, e) < 0 || check_reminded(c, "not_reminded", false, e) < 0)
        return -1;
    if (check_calls(c, "called", true, e) < 0 || check_calls(c, "not_called", false, e) < 0)
        return -1;
    return check_timers(c, e);
}
