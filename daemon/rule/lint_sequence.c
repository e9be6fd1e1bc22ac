/* SPDX-License-Identifier: ISC
 *
 * lint_sequence - what the steps of a sequence say about themselves, see lint.h
 *
 * Time passes between steps, so conditions of different steps are never held against each
 * other. Only `until` is: it is asked right before each step.
 */
#include <inttypes.h>

#include "base/mem.h"
#include "rule/lint_set.h"

struct walk {
    const struct sequence *q;
    struct lint *l;
    bool *seen;  /* own; per place: somebody comes to it */
    bool *leads; /* own; per place: something is done there or behind it */
    json_t *found; /* borrowed */
};

void rule_lint_sequence_found(json_t *found, const char *name, const char *at, const char *finding,
                              const char *text, const char *advice)
{
    json_t *f = json_object();
    json_put_str(f, "at", at);
    json_put_str(f, "sequence", name);
    json_put_str(f, "finding", finding);
    json_put_str(f, "text", text);
    json_put_str(f, "advice", advice);
    json_array_append_new(found, f);
}

static void found_at(const struct walk *w, const struct step *s, const char *at,
                     const char *finding, const char *text, const char *advice)
{
    AUTO_FREE char *name = mem_printf("%s%s%s", sequence_name(w->q), s ? "/" : "", s ? s->path : "");
    rule_lint_sequence_found(w->found, name, at, finding, text, advice);
}

/* Where one may go from that place; `to` has room for all. */
static size_t next_of(const struct step *s, size_t at, size_t *to)
{
    size_t n = 0;
    switch (s->kind) {
    case STEP_JUMP:
        to[n++] = s->to;
        break;
    case STEP_VARIANTS:
        for (size_t i = 0; i < s->variant_count; i++)
            to[n++] = s->variants[i].to;
        break;
    case STEP_END:
        if (s->rule && s->rule->when_count)
            to[n++] = at + 1;
        break;
    case STEP_BRANCH:
        to[n++] = s->to;
        to[n++] = at + 1;
        break;
    case STEP_DO:
    case STEP_WAIT:
        to[n++] = at + 1;
        break;
    }
    return n;
}

/* Jumps lead forward: one pass in order finds who comes where, one back what lies behind. */
static void walk_places(struct walk *w)
{
    size_t count = sequence_count(w->q), to[SEQUENCE_VARIANTS];
    w->seen[0] = true;
    for (size_t i = 0; i < count; i++)
        for (size_t n = next_of(sequence_step(w->q, i), i, to); w->seen[i] && n > 0; n--)
            w->seen[to[n - 1]] = true;
    for (size_t i = count; i-- > 0;) {
        w->leads[i] = sequence_step(w->q, i)->kind == STEP_DO;
        for (size_t n = next_of(sequence_step(w->q, i), i, to); n > 0; n--)
            w->leads[i] |= w->leads[to[n - 1]];
    }
}

/* Of several in a row the first. */
static void lint_places(const struct walk *w)
{
    bool told = false;
    for (size_t i = 0; i < sequence_count(w->q); i++) {
        const struct step *s = sequence_step(w->q, i);
        if (!w->seen[i] && s->kind != STEP_JUMP && !told)
            found_at(w, s, s->at, "unreachable", "nobody comes to this step: the sequence ends before it",
                     "remove it, or give the end before it a condition");
        told = !w->seen[i];
        if (w->seen[i] && s->kind == STEP_WAIT && !w->leads[i])
            found_at(w, s, s->at, "useless", "waits, and nothing is done after it", "remove it");
    }
}

/* What until asks is asked right before the step: both cannot be true. */
static void lint_until(const struct walk *w, const struct step *s, struct lint_rule *r)
{
    const struct rule *until;
    for (size_t n = 0; !r->dead && (until = sequence_until(w->q, n)) != NULL; n++) {
        const struct lint_rule *u = &w->l->rules[until->index];
        struct lint_conjunct line = {.node = u->rule->when[0]->root, .line = &until->when[0]};
        if (r->when_count == 0 || lint_both_possible(w->l, r, NULL, &line, NULL, 0))
            continue;
        AUTO_FREE char *text = mem_printf("whenever its conditions hold, until = \"%.200s\" has ended the "
                                          "sequence", until->when[0].text);
        found_at(w, s, s->at, "unreachable", text, "remove the step, or correct one of the two");
        return;
    }
}

static void lint_steps(const struct walk *w)
{
    for (size_t i = 0; i < sequence_count(w->q); i++) {
        const struct step *s = sequence_step(w->q, i);
        int64_t days = s->kind == STEP_WAIT ? lint_span_days(&s->wait) : 0;
        if (days) {
            AUTO_FREE char *text = mem_printf(LINT_DAYS_TEXT, "wait", s->wait.text, days);
            found_at(w, s, s->at, "days", text, LINT_DAYS_ADVICE);
        }
        if (s->rule && s->kind != STEP_BRANCH)
            lint_until(w, s, &w->l->rules[s->rule->index]);
    }
}

/* The most mails and texts that one contact can get. */
static size_t sends_at_most(const struct walk *w)
{
    size_t count = sequence_count(w->q), to[SEQUENCE_VARIANTS];
    AUTO_FREE size_t *most = mem_array(count + 1, sizeof(*most));
    for (size_t i = count; i-- > 0;) {
        for (size_t n = next_of(sequence_step(w->q, i), i, to); n > 0; n--)
            most[i] = most[to[n - 1]] > most[i] ? most[to[n - 1]] : most[i];
        most[i] += sequence_step(w->q, i)->sends;
    }
    return most[0];
}

static void lint_answered(const struct walk *w)
{
    size_t n = sends_at_most(w);
    if (n < 2 || (sequence_stops(w->q) & SEQUENCE_REPLY) || sequence_until(w->q, 0))
        return;
    AUTO_FREE char *text = mem_printf("writes up to %zu times, also to who has answered", n);
    found_at(w, NULL, sequence_at(w->q), "unguarded", text,
             "name reply in stop, or end it with until = \"..\"");
}

void rule_lint_sequence(const struct sequence *q, const struct lint_env *env, json_t *found)
{
    struct lint l;
    lint_open(&l, sequence_rules(q), env, found);
    AUTO_FREE bool *seen = mem_array(sequence_count(q) + 1, sizeof(*seen));
    AUTO_FREE bool *leads = mem_array(sequence_count(q) + 1, sizeof(*leads));
    struct walk w = {.q = q, .l = &l, .seen = seen, .leads = leads, .found = found};
    for (size_t i = 0; i < l.count; i++)
        lint_conditions(&l, &l.rules[i]);
    walk_places(&w);
    lint_places(&w);
    lint_steps(&w);
    lint_answered(&w);
    lint_close(&l);
}
