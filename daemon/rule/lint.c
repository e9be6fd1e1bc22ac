/* SPDX-License-Identifier: ISC
 *
 * lint - what one rule says about itself, see lint.h
 *
 * Comparing rules with each other is lint_pairs.c, what they cause lint_cycle.c.
 */
#include "rule/lint.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/units.h"
#include "rule/lint_set.h"

#define LINT_QUESTIONS 40000 /* for comparing rules: a few seconds */
#define LINT_DAY DAY_MS
#define LINT_MONDAY INT64_C(1780272000000) /* 2026-06-01, far from the usual holidays */
#define LINT_CONJUNCTS 200   /* compared pair by pair within one rule */

json_t *lint_add(struct lint *l, const struct lint_rule *r, const struct rule_line *line,
                 const char *finding, const char *advice, const char *fmt, ...)
{
    char text[1024];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    json_t *f = json_object();
    json_put_str(f, "at", line ? line->at : r->pub->at);
    json_put_str(f, r->pub->escalation ? "escalation" : r->pub->asked ? "sequence" : "rule",
                 r->pub->name);
    json_put_str(f, "finding", finding);
    json_put_str(f, "text", text);
    json_put_str(f, "advice", advice);
    json_array_append_new(l->found, f);
    return f;
}

void lint_caret(json_t *finding, const struct lint_conjunct *c)
{
    json_put_str(finding, "source", c->line->text);
    json_put_int(finding, "col", c->node->col);
}

char *lint_words(const struct lint_conjunct *c)
{
    return mem_strn(c->line->text + c->node->col, (size_t)c->node->len);
}

void lint_fields_add(struct lint_fields *s, int field)
{
    if (field >= LINT_FIELDS)
        s->more = true;
    else if (field >= 0)
        s->bits[field / 64] |= UINT64_C(1) << (field % 64);
}

bool lint_fields_has(const struct lint_fields *s, int field)
{
    if (field >= LINT_FIELDS)
        return s->more;
    return field >= 0 && (s->bits[field / 64] >> (field % 64) & 1);
}

static bool fields_meet(const struct lint_fields *a, const struct lint_fields *b)
{
    uint64_t both = a->more && b->more;
    for (size_t i = 0; i < ARRAY_LEN(a->bits); i++)
        both |= a->bits[i] & b->bits[i];
    return both != 0;
}

bool lint_touches(const struct lint_rule *from, const struct lint_rule *to)
{
    return (from->anything && to->when_count > 0) || fields_meet(&from->writes, &to->reads);
}

/* ---- the conditions of one rule --------------------------------------------- */

static uint64_t part_mark(const char *text)
{
    uint64_t h = 0xcbf29ce484222325; /* FNV-1a */
    for (; *text; text++)
        h = (h ^ (unsigned char)*text) * 0x100000001b3;
    return UINT64_C(1) << (h >> 58);
}

/* What the values it allows of its one field are marked with; 0: not known. */
static uint64_t part_marks(const struct expr_node *n)
{
    uint64_t marks = 0;
    bool equal = n->op == EXPR_IN || (n->op == EXPR_COMPARE && n->cmp == EXPR_EQ);
    for (size_t i = 1; equal && i < n->arg_count; i++) {
        if (!n->args[i].fold)
            return 0;
        marks |= part_mark(n->args[i].fold);
    }
    for (size_t i = 0; equal && n->table && i < rule_table_count(n->table); i++)
        marks |= part_mark(rule_table_folded(n->table, i));
    return marks;
}

static void rule_take(struct lint *l, struct lint_rule *r, const struct expr_node *n,
                      const struct rule_line *line)
{
    if (n->op == EXPR_AND) {
        for (const struct expr_node *part = n->first; part; part = part->next)
            rule_take(l, r, part, line);
        return;
    }
    const struct expr_node *bare = n;
    while (bare->op == EXPR_NOT)
        bare = bare->first;
    bool value = bare->op > EXPR_NOT && lint_part_decidable(l->solver, bare);
    r->when = mem_grow(r->when, (r->when_count + 1) * sizeof(*r->when));
    r->when[r->when_count++] = (struct lint_conjunct){
        n, line, value ? bare->args[0].field : -1, value && bare == n ? part_marks(n) : 0};
}

static void rule_init(struct lint *l, struct lint_rule *r, const struct ruleset_rule *rule)
{
    r->rule = rule;
    r->pub = &rule->pub;
    for (size_t i = 0; i < r->pub->when_count; i++) {
        const int *fields;
        size_t n = expr_fields(rule->when[i], &fields);
        for (size_t k = 0; k < n; k++)
            lint_fields_add(&r->reads, fields[k]);
        rule_take(l, r, rule->when[i]->root, &r->pub->when[i]);
    }
    r->effects = mem_array(r->pub->command_count, sizeof(*r->effects));
    for (size_t i = 0; i < r->pub->command_count; i++) {
        struct lint_effect *e = &r->effects[i];
        l->env->effect(l->env->arg, r->pub->over ? r->pub->over : r->pub->on,
                       r->pub->commands[i].text, e);
        r->anything |= e->anything;
        r->writes.more |= e->writes.more;
        for (size_t k = 0; k < ARRAY_LEN(e->writes.bits); k++)
            r->writes.bits[k] |= e->writes.bits[k];
    }
}

bool lint_both_possible(struct lint *l, const struct lint_rule *a, const struct lint_rule *b,
                        const struct lint_conjunct *not_this, const struct lint_given *given,
                        size_t given_count)
{
    size_t n = 0, all = a->when_count + (b ? b->when_count : 0) + 1;
    AUTO_FREE struct lint_term *terms = mem_array(all, sizeof(*terms));
    for (size_t i = 0; i < a->when_count; i++)
        terms[n++] = (struct lint_term){a->when[i].node, true};
    for (size_t i = 0; b && i < b->when_count; i++)
        terms[n++] = (struct lint_term){b->when[i].node, true};
    if (not_this)
        terms[n++] = (struct lint_term){not_this->node, false};
    return lint_possible(l->solver, terms, n, given, given_count);
}

bool lint_implies(struct lint *l, const struct lint_rule *a, const struct lint_rule *b)
{
    for (size_t i = 0; i < b->when_count; i++) {
        if (l->questions-- <= 0 || lint_both_possible(l, a, NULL, &b->when[i], NULL, 0))
            return false;
    }
    return true;
}

/* ---- never, always ------------------------------------------------------------ */

static bool part_possible(struct lint *l, const struct expr_node *n, bool truth)
{
    struct lint_term t = {n, truth};
    return lint_possible(l->solver, &t, 1, NULL, 0);
}

static bool pair_possible(struct lint *l, const struct lint_conjunct *a,
                          const struct lint_conjunct *b)
{
    struct lint_term t[2] = {{a->node, true}, {b->node, true}};
    return lint_possible(l->solver, t, 2, NULL, 0);
}

static void found_never(struct lint *l, struct lint_rule *r, const struct lint_conjunct *a,
                        const struct lint_conjunct *b)
{
    static const char *const advice = "the rule does nothing: correct the condition, or remove it";
    AUTO_FREE char *wa = a ? lint_words(a) : NULL, *wb = b ? lint_words(b) : NULL;
    r->dead = true;
    if (!a) {
        lint_add(l, r, NULL, "never", advice, "can never match: its conditions cannot hold together");
        return;
    }
    json_t *f = wb ? lint_add(l, r, b->line, "never", advice,
                              "can never match: `%.200s` and `%.200s` cannot both hold", wa, wb)
                   : lint_add(l, r, a->line, "never", advice,
                              "can never match: `%.300s` never holds", wa);
    lint_caret(f, b ? b : a);
}

/* The smallest reason: one part, two, or all of them together. */
static void rule_never(struct lint *l, struct lint_rule *r)
{
    if (lint_both_possible(l, r, NULL, NULL, NULL, 0))
        return;
    for (size_t i = 0; i < r->when_count; i++)
        if (!part_possible(l, r->when[i].node, true)) {
            found_never(l, r, &r->when[i], NULL);
            return;
        }
    for (size_t i = 1; i < r->when_count && i < LINT_CONJUNCTS; i++)
        for (size_t k = 0; k < i; k++)
            if (!pair_possible(l, &r->when[k], &r->when[i])) {
                found_never(l, r, &r->when[k], &r->when[i]);
                return;
            }
    found_never(l, r, NULL, NULL);
}

/* A part inside of `or` and `not` that never holds, or always does. */
static void rule_parts(struct lint *l, struct lint_rule *r, const struct lint_conjunct *c,
                       const struct expr_node *n, bool top)
{
    struct lint_conjunct part = {.node = n, .line = c->line};
    AUTO_FREE char *words = lint_words(&part);
    if (!part_possible(l, n, false)) {
        lint_caret(lint_add(l, r, c->line, "always",
                            "it says nothing: remove it, or correct what was meant",
                            "`%.300s` always holds", words), &part);
    } else if (!top && !part_possible(l, n, true)) {
        lint_caret(lint_add(l, r, c->line, "never", "correct what was meant, or remove this part",
                            "`%.300s` never holds", words), &part);
    } else if (n->op <= EXPR_NOT) {
        for (const struct expr_node *sub = n->first; sub; sub = sub->next)
            rule_parts(l, r, c, sub, false);
    }
}

static void rule_conditions(struct lint *l, struct lint_rule *r)
{
    rule_never(l, r);
    for (size_t i = 0; i < r->when_count && !r->dead; i++)
        rule_parts(l, r, &r->when[i], r->when[i].node, true);
}

/* The first text of a comparison that its field never has; of a table as well. */
static const char *value_never(const struct lint *l, const struct expr_node *n, int *col_out,
                               char *why, size_t size)
{
    bool asks = n->op == EXPR_IN || (n->op == EXPR_COMPARE && n->cmp <= EXPR_NE);
    if (!asks || n->args[0].kind != ARG_FIELD || n->args[0].type != RULE_TYPE_TEXT)
        return NULL;
    for (size_t i = 1; i < n->arg_count; i++) {
        *col_out = n->args[i].col;
        if (n->args[i].kind == ARG_TEXT &&
            l->env->never(l->env->arg, n->args[0].field, n->args[i].word, why, size))
            return n->args[i].word;
    }
    for (size_t i = 0; n->table && i < rule_table_count(n->table); i++) {
        *col_out = n->table_col;
        if (l->env->never(l->env->arg, n->args[0].field, rule_table_value(n->table, i), why, size))
            return rule_table_value(n->table, i);
    }
    return NULL;
}

static void rule_values(struct lint *l, struct lint_rule *r, const struct rule_line *line,
                        const struct expr_node *n)
{
    char why[200] = "";
    int col = 0;
    for (const struct expr_node *p = n->op <= EXPR_NOT ? n->first : NULL; p; p = p->next)
        rule_values(l, r, line, p);
    const char *text = n->op > EXPR_NOT ? value_never(l, n, &col, why, sizeof(why)) : NULL;
    if (!text)
        return;
    json_t *f = lint_add(l, r, line, "value", why, "%s is never '%.100s'",
                         rule_fields_get(l->env->fields, n->args[0].field)->name, text);
    json_put_str(f, "source", line->text);
    json_put_int(f, "col", col);
}

/* ---- the rest of one rule --------------------------------------------------------- */

static bool arg_moves(const struct lint *l, const struct expr_arg *a)
{
    return a->kind == ARG_FIELD && !a->was && l->env->moves(l->env->arg, a->field);
}

/* Does it become true by waiting: lead.age > 2 days? */
static bool part_waits(const struct lint *l, const struct expr_node *n)
{
    if (n->op == EXPR_BETWEEN)
        return arg_moves(l, &n->args[0]);
    if (n->op != EXPR_COMPARE)
        return false;
    if (n->cmp == EXPR_GT || n->cmp == EXPR_GE)
        return arg_moves(l, &n->args[0]);
    return (n->cmp == EXPR_LT || n->cmp == EXPR_LE) && arg_moves(l, &n->args[1]);
}

static void rule_clock(struct lint *l, struct lint_rule *r)
{
    if (!r->pub->edge || r->pub->timed)
        return;
    for (size_t i = 0; i < r->when_count; i++) {
        AUTO_FREE char *words = lint_words(&r->when[i]);
        if (!part_waits(l, r->when[i].node))
            continue;
        AUTO_FREE char *advice = mem_printf(
            "wait with after = \"..\" while the other conditions hold, or look at every %s at fixed "
            "times with every = \"..\" and over = \"%s\" in place of on", r->pub->on, r->pub->on);
        lint_caret(lint_add(l, r, r->when[i].line, "clock", advice,
                            "`%.200s` becomes true by the clock, which wakes no rule: this fires only "
                            "when something else happens to the %s after that", words, r->pub->on),
                   &r->when[i]);
        return;
    }
}

static void rule_dates(struct lint *l, struct lint_rule *r)
{
    if (r->pub->valid_to == INT64_MAX || r->pub->valid_to >= l->env->now_ms)
        return;
    r->dead = true;
    lint_add(l, r, NULL, "over", "remove the rule, or give it a later valid_to",
             "does nothing any more: valid_to is past");
}

static bool rule_on_created(const struct rule *r)
{
    size_t n = strlen(r->on), tail = strlen(".created");
    return !r->edge && n > tail && strcmp(r->on + n - tail, ".created") == 0;
}

static void rule_limits(struct lint *l, struct lint_rule *r)
{
    const struct rule *p = r->pub;
    bool max = p->max > 0 && !p->again.text;
    const char *what = p->once ? "once" : p->cooldown.text ? "cooldown" : max ? "max" : NULL;
    if (p->once && (p->cooldown.text || max))
        lint_add(l, r, NULL, "useless", "remove one of the two",
                 "once is the stricter limit: %s changes nothing", p->cooldown.text ? "cooldown" : "max");
    else if (what && rule_on_created(p) && !p->again.text)
        lint_add(l, r, NULL, "useless", "remove it",
                 "%s happens once for a record: %s changes nothing", p->on, what);
}

/* Asks whether the contact was answered, or about what it changes itself. */
static bool rule_guarded(const struct lint *l, const struct lint_rule *r)
{
    const char *const *name = l->env->answered;
    if (r->pub->limited || r->pub->timed)
        return true;
    for (; name && *name; name++)
        if (lint_fields_has(&r->reads, rule_fields_find(l->env->fields, *name)))
            return true;
    return lint_touches(r, r);
}

/* Real days that so much business time takes in ordinary weeks. */
static int64_t span_days(const struct rule_span *s)
{
    int64_t days = (calendar_span_add(&s->span, LINT_MONDAY) - LINT_MONDAY) / LINT_DAY;
    return days > 3650 ? 3650 : days;
}

int64_t lint_span_days(const struct rule_span *s)
{
    size_t n = s->text ? strspn(s->text, "0123456789 ") : 0;
    int64_t days = s->text && s->span.calendar ? span_days(s) : 0;
    return !days || !strchr("dw", s->text[n]) || days * LINT_DAY <= s->span.ms * 3 / 2 ? 0 : days;
}

static void rule_span(struct lint *l, struct lint_rule *r, const struct rule_span *s,
                      const char *key)
{
    int64_t days = lint_span_days(s);
    if (days)
        lint_add(l, r, NULL, "days", LINT_DAYS_ADVICE, LINT_DAYS_TEXT, key, s->text, days);
}

static void rule_spans(struct lint *l, struct lint_rule *r)
{
    rule_span(l, r, &r->pub->after, "after");
    rule_span(l, r, &r->pub->again, "again");
    rule_span(l, r, &r->pub->cooldown, "cooldown");
}

static void rule_answers(struct lint *l, struct lint_rule *r)
{
    if (strcmp(r->pub->on, "message.received") != 0 || rule_guarded(l, r))
        return;
    for (size_t i = 0; i < r->pub->command_count; i++)
        if (r->effects[i].to_contact) {
            lint_add(l, r, &r->pub->commands[i], "unguarded",
                     "limit it with cooldown = \"1d\" or once = true, or ask `not lead.contacted`",
                     "`%.200s` answers every message of the same person", r->pub->commands[i].text);
            return;
        }
}

/* Conditions end it when they turn false, but for those that were decided at once, as
 * what the message said; without any it goes on for as long as the record is there. */
static void rule_endless(struct lint *l, struct lint_rule *r)
{
    const struct rule *p = r->pub;
    if (!p->again.text || p->max > 0 || p->until)
        return;
    for (size_t i = 0; i < p->when_count; i++)
        if (r->rule->waits[i])
            return;
    lint_add(l, r, NULL, "endless",
             "end it: max = 3 for so many times, until = \"..\" or when = \"..\" for as long as",
             "runs every %.100s without end: it has no max and no until, and no condition that "
             "could turn false", p->again.text);
}

/* ---- all ------------------------------------------------------------------------------ */

/* "file:12": by file, then by line. */
static int found_order(const void *pa, const void *pb)
{
    const json_t *const *a = pa, *const *b = pb;
    const char *x = json_get_str(*a, "at", ""), *y = json_get_str(*b, "at", "");
    const char *cx = strrchr(x, ':'), *cy = strrchr(y, ':');
    size_t n = cx ? (size_t)(cx - x) : 0, m = cy ? (size_t)(cy - y) : 0;
    int c = memcmp(x, y, n < m ? n : m);
    if (c || n != m)
        return c ? c : n < m ? -1 : 1;
    long i = cx ? strtol(cx + 1, NULL, 10) : 0, k = cy ? strtol(cy + 1, NULL, 10) : 0;
    if (i != k)
        return i < k ? -1 : 1;
    return strcmp(json_get_str(*a, "text", ""), json_get_str(*b, "text", ""));
}

bool rule_lint_possible(const struct rule_fields *fields, struct expr *const *hold, size_t count,
                        const struct expr *not_this)
{
    AUTO_FREE struct lint_term *terms = mem_array(count + 1, sizeof(*terms));
    struct lint_solver *solver = lint_solver_new(fields);
    for (size_t i = 0; i < count; i++)
        terms[i] = (struct lint_term){hold[i]->root, true};
    if (not_this)
        terms[count] = (struct lint_term){not_this->root, false};
    bool possible = lint_possible(solver, terms, count + (not_this != NULL), NULL, 0);
    lint_solver_free(&solver);
    return possible;
}

json_t *rule_lint_sorted(json_t *found)
{
    size_t n = json_array_size(found);
    AUTO_FREE json_t **all = mem_array(n + 1, sizeof(*all));
    json_t *out = json_array();
    for (size_t i = 0; i < n; i++)
        all[i] = json_array_get(found, i);
    qsort(all, n, sizeof(*all), found_order);
    for (size_t i = 0; i < n; i++)
        json_array_append(out, all[i]);
    json_decref(found);
    return out;
}

void lint_open(struct lint *l, const struct ruleset *rs, const struct lint_env *env, json_t *found)
{
    *l = (struct lint){.rs = rs, .env = env, .found = found, .questions = LINT_QUESTIONS};
    l->solver = lint_solver_new(env->fields);
    l->count = rs->count;
    l->rules = mem_array(rs->count + 1, sizeof(*l->rules));
    for (size_t i = 0; i < rs->count; i++)
        rule_init(l, &l->rules[i], &rs->rules[i]);
}

void lint_close(struct lint *l)
{
    for (size_t i = 0; i < l->count; i++) {
        mem_free(l->rules[i].when);
        mem_free(l->rules[i].effects);
    }
    mem_free(l->rules);
    lint_solver_free(&l->solver);
}

void lint_conditions(struct lint *l, struct lint_rule *r)
{
    rule_conditions(l, r);
    for (size_t i = 0; l->env->never && i < r->pub->when_count; i++)
        rule_values(l, r, &r->pub->when[i], r->rule->when[i]->root);
}

json_t *rule_lint(const struct ruleset *rs, const struct lint_env *env)
{
    struct lint l;
    lint_open(&l, rs, env, json_array());
    for (size_t i = 0; i < rs->count; i++) {
        lint_conditions(&l, &l.rules[i]);
        rule_dates(&l, &l.rules[i]);
        rule_clock(&l, &l.rules[i]);
        rule_limits(&l, &l.rules[i]);
        rule_spans(&l, &l.rules[i]);
        rule_answers(&l, &l.rules[i]);
        rule_endless(&l, &l.rules[i]);
    }
    lint_pairs(&l);
    lint_cycles(&l);
    lint_close(&l);
    return rule_lint_sorted(l.found);
}
