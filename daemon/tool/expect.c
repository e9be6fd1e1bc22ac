/* SPDX-License-Identifier: ISC
 *
 * expect - see expect.h
 */
#include "tool/expect.h"

#include <inttypes.h>
#include <string.h>

#include "base/bounds.h"
#include "base/mem.h"
#include "base/text.h"
#include "crm/when.h"
#include "rule/field.h"
#include "rule/ruleset.h"
#include "store/journal.h"
#include "store/timer.h"

#define COUNT_MAX 10000 /* of records that an expectation counts */
#define FOUND_MAX 12    /* mails and timers that a message lists */

struct check {
    struct scene *s;
    const json_t *expect;
    json_t *failures; /* borrowed */
    json_t *rows, *mails; /* own; since the mark */
    json_t *all;          /* own; rows of the journal from the start */
    char record[CRM_ID_LEN];
    enum crm_entity entity; /* of record; CRM_NONE: there is none */
    struct crm_ctx *ctx;     /* own; with facts NULL when there is no record */
    struct crm_facts *facts; /* own */
};

void expect_failed(json_t *failures, const char *at, const char *expected, const char *found,
                   json_t *why)
{
    json_array_append_new(failures,
                          json_pack("{s:s, s:s, s:s, s:o}", "at", at ? at : "?", "expected", expected,
                                    "found", found, "why", why ? why : json_array()));
}

static const char *line_text(const json_t *line)
{
    return json_get_str(line, "text", "");
}

static const char *line_at(const json_t *line)
{
    return json_get_str(line, "at", "?");
}

/* ---- fields of the record ----------------------------------------------------------- */

/* The value for people, without the quotes of a text; out is empty when there is none. */
static void field_value(const struct check *c, const char *field, struct buf *out, bool *set_out)
{
    const struct rule_fields *fields = crm_fields(solo_crm(c->s->solo));
    int index = rule_fields_find(fields, field);
    struct rule_value v = {0};
    *set_out = false;
    if (index < 0 || !c->facts)
        return;
    const struct rule_facts *facts = crm_facts_rule(c->facts);
    facts->get(facts->now, index, &v);
    if (v.state != RULE_VALUE_SET)
        return;
    *set_out = true;
    if (rule_fields_get(fields, index)->type == RULE_TYPE_TEXT)
        buf_add(out, v.text.p, v.text.n);
    else
        rule_value_print(rule_fields_get(fields, index), &v, 1000, out);
}

static bool record_there(const struct check *c, const json_t *line, const char *what)
{
    if (c->facts)
        return true;
    AUTO_FREE char *expected = mem_printf("%s %s", what, line_text(line));
    expect_failed(c->failures, line_at(line), expected, "no record that it could be of", NULL);
    return false;
}

/* owner, status and stage: one text of the record. verb: the command that sets it. */
static void check_field(struct check *c, const char *key, const char *verb)
{
    const json_t *line = json_get_obj(c->expect, key);
    struct buf value AUTO_BUF;
    bool set;
    buf_init(&value, KIB(4));
    if (!line || !record_there(c, line, key))
        return;
    const char *entity = strcmp(key, "stage") == 0 ? "deal" : crm_entity_name(c->entity);
    AUTO_FREE char *field = mem_printf("%s.%s", entity, key);
    field_value(c, field, &value, &set);
    if (set && rule_fold_equal(value.data, line_text(line)))
        return;
    AUTO_FREE char *expected = mem_printf("%s of %s: %s", key, c->record, line_text(line));
    json_t *why = json_array();
    if (set)
        reason_change(c->s, c->all, c->record, key, why);
    reason_command(c->s, c->all, verb, line_text(line), why);
    expect_failed(c->failures, line_at(line), expected, set ? value.data : "none", why);
}

static bool has_tag(const struct check *c, const char *tag, struct buf *all)
{
    AUTO_FREE char *field = mem_printf("%s.tags", crm_entity_name(c->entity));
    const struct rule_fields *fields = crm_fields(solo_crm(c->s->solo));
    int index = rule_fields_find(fields, field);
    struct rule_value v = {0};
    bool found = false;
    const struct rule_facts *facts = crm_facts_rule(c->facts);
    if (index >= 0)
        facts->get(facts->now, index, &v);
    for (size_t i = 0; v.state == RULE_VALUE_SET && i < v.count; i++) {
        AUTO_FREE char *one = mem_strn(v.items[i].p, v.items[i].n);
        found |= rule_fold_equal(one, tag);
        buf_printf(all, "%s%s", i ? ", " : "", one);
    }
    if (all->len == 0)
        buf_str(all, "no tags");
    return found;
}

static void check_tags(struct check *c, const char *key, bool wanted)
{
    size_t i;
    json_t *line;
    json_array_foreach(json_get_arr(c->expect, key), i, line) {
        struct buf all AUTO_BUF;
        buf_init(&all, KIB(4));
        if (!record_there(c, line, "the tag") || has_tag(c, line_text(line), &all) == wanted)
            continue;
        AUTO_FREE char *expected = mem_printf("%s of %s: %s%s", wanted ? "tag" : "tags", c->record,
                                              wanted ? "" : "not ", line_text(line));
        json_t *why = json_array();
        reason_command(c->s, c->all, "tag", line_text(line), why);
        expect_failed(c->failures, line_at(line), expected, all.data, why);
    }
}

static void ignore_error(void *arg, int col, const char *what)
{
    (void)arg;
    (void)col;
    (void)what; /* tests_check has told it */
}

static void check_condition(struct check *c, const json_t *line)
{
    const struct expr_env *env = ruleset_expr_env(crm_rules(solo_crm(c->s->solo)));
    const struct rule_facts *rf = crm_facts_rule(c->facts);
    struct expr *x = expr_compile(env, line_text(line), ignore_error, NULL);
    struct expr_facts *facts = expr_facts_new(env->fields, rf->get, rf->now);
    struct expr_trace trace;
    struct buf found AUTO_BUF;
    buf_init(&found, KIB(8));
    if (x && expr_explain(x, facts, &trace) != RULE_TRUE) {
        expr_trace_print(x, &trace, &found);
        const char *seen = strstr(found.data, " is false: ");
        bool whole = seen && strncmp(found.data, line_text(line), strlen(line_text(line))) == 0;
        expect_failed(c->failures, line_at(line), line_text(line),
                      whole ? seen + strlen(" is false: ") : found.data, NULL);
    }
    expr_facts_free(&facts);
    expr_free(&x);
}

static void check_conditions(struct check *c)
{
    size_t i;
    json_t *line;
    json_array_foreach(json_get_arr(c->expect, "when"), i, line)
        if (record_there(c, line, "the condition"))
            check_condition(c, line);
}

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
    const char *to = user ? json_get_str(user, "email", "") : m->to;
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
    reason_command(c->s, c->all, "send", m->template_name, why);
    reason_command(c->s, c->all, "notify", m->template_name, why);
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
            reason_command(c->s, c->all, "send", m.template_name, why);
            reason_command(c->s, c->all, "notify", m.template_name, why);
            expect_failed(c->failures, line_at(line), expected, found.data, why);
        }
        expect_mail_done(&m);
    }
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
        reason_command(c->s, c->all, "webhook", line_text(line), why);
        reason_command(c->s, c->all, "enrich", line_text(line), why);
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

static void timer_print(const struct check *c, const json_t *t, struct buf *out)
{
    char when[40];
    int64_t due = json_get_int(t, "due_ms", 0);
    buf_printf(out, "%s %s", json_get_str(t, "rule", "?"), due ? "at " : "(paused)");
    if (due)
        buf_str(out, crm_when_tell(scene_zone(c->s), due, due % 60000 != 0, when, sizeof(when)));
}

/* "RULE", or "RULE at TIME". */
static bool timer_is(const struct check *c, const json_t *t, const char *text)
{
    const char *at = strstr(text, " at ");
    size_t n = at ? (size_t)(at - text) : strlen(text);
    const char *rule = json_get_str(t, "rule", "");
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
        reason_rule(c->s, c->all, rule, why);
        expect_failed(c->failures, line_at(line), expected, found.data, why);
    }
    if (none && timers_wait(timers))
        expect_failed(c->failures, line_at(none), "no timers", found.data, NULL);
    return 0;
}

/* ---- counts and answers ------------------------------------------------------------------ */

static void count_is(struct check *c, const char *key, int64_t n, const char *found, json_t *why)
{
    const json_t *want = json_get_obj(c->expect, key);
    char number[32];
    if (json_get_int(want, "count", 0) == n) {
        json_decref(why);
        return;
    }
    AUTO_FREE char *expected = mem_printf("%s: %" PRId64, key, json_get_int(want, "count", 0));
    snprintf(number, sizeof(number), "%" PRId64, n);
    expect_failed(c->failures, line_at(want), expected, found ? found : number, why);
}

static int check_count(struct check *c, const char *key, enum crm_entity t, const char *filter,
                       struct err *e)
{
    json_t *list;
    if (!json_get_obj(c->expect, key))
        return 0;
    AUTO_JSON json_t *filters = filter ? json_pack("[s]", filter) : json_array();
    if (crm_list(solo_crm(c->s->solo), t, filters, COUNT_MAX, &list, e) < 0)
        return -1;
    int64_t n = (int64_t)json_array_size(json_get_arr(list, "rows"));
    json_decref(list);
    json_t *why = NULL;
    if (strcmp(c->s->answer.status, "ignored") == 0) /* a likely reason for too few */
        why = json_pack("[s]", c->s->answer.text);
    count_is(c, key, n, NULL, why);
    return 0;
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
        count_is(c, "mails", n, found.data, NULL);
}

static void check_answer(struct check *c)
{
    const json_t *line = json_get_obj(c->expect, "answer");
    const struct solo_answer *a = &c->s->answer;
    if (!line || strcmp(line_text(line), a->status) == 0)
        return;
    AUTO_FREE char *expected = mem_printf("answer: %s", line_text(line));
    expect_failed(c->failures, line_at(line), expected, *a->status ? a->status : "none",
                  *a->text ? json_pack("[s]", a->text) : NULL);
}

/* ---- all of it ------------------------------------------------------------------------- */

static int check_record(struct check *c, struct err *e)
{
    const json_t *about = json_get_obj(c->expect, "about");
    struct crm_event ev = {.name = "lead.changed", .actor = crm_system};
    struct err why = {0};
    int64_t id;
    snprintf(c->record, sizeof(c->record), "%s", c->s->record);
    c->ctx = crm_begin(solo_crm(c->s->solo), NULL, solo_now(c->s->solo));
    int rc = about ? scene_find(c->s, line_text(about), c->record, &why) : 0;
    if (rc == 0 && !*c->record)
        return 0;
    if (rc == 0 && crm_id_parse(c->record, &c->entity, &id) == 0)
        rc = crm_target_of(c->ctx, c->entity, id, &ev.target, &why);
    if (rc < 0 && why.cls != ERR_INPUT) {
        *e = why;
        return -1;
    }
    if (rc < 0) {
        AUTO_FREE char *expected = mem_printf("about %s", about ? line_text(about) : c->record);
        expect_failed(c->failures, line_at(about ? about : c->expect), expected, why.text, NULL);
        return 0;
    }
    ev.entity = c->entity;
    c->facts = crm_facts_new(c->ctx, &ev);
    return 0;
}

static int check_all(struct check *c, struct err *e)
{
    if (!(c->all = journal_since(solo_db(c->s->solo), 0, COUNT_MAX, e)) ||
        !(c->rows = scene_journal(c->s, e)) || !(c->mails = scene_mails(c->s, e)) ||
        check_record(c, e) < 0)
        return -1;
    check_answer(c);
    if (check_count(c, "leads", CRM_LEAD, NULL, e) < 0 ||
        check_count(c, "cases", CRM_CASE, NULL, e) < 0)
        return -1;
    check_field(c, "owner", "assign");
    check_field(c, "status", "status");
    check_field(c, "stage", "stage");
    check_tags(c, "tags", true);
    check_tags(c, "not_tags", false);
    check_conditions(c);
    check_rules(c, "rules", true);
    check_rules(c, "not_rules", false);
    check_sent(c);
    check_not_sent(c);
    check_mails(c);
    if (check_calls(c, "called", true, e) < 0 || check_calls(c, "not_called", false, e) < 0)
        return -1;
    if (check_timers(c, e) < 0 || check_count(c, "tasks", CRM_TASK, "status=open", e) < 0)
        return -1;
    return crm_facts_error(c->ctx, e);
}

int expect_check(struct scene *s, const json_t *expect, json_t *failures, struct err *e)
{
    struct check c = {.s = s, .expect = expect, .failures = failures};
    int rc = check_all(&c, e);
    if (c.facts)
        crm_facts_free(&c.facts);
    if (c.ctx)
        crm_end(&c.ctx);
    json_decref(c.rows);
    json_decref(c.all);
    json_decref(c.mails);
    return rc < 0 ? -1 : scene_mark(s, e);
}
