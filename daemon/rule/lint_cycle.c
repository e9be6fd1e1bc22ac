/* SPDX-License-Identifier: ISC
 *
 * lint_cycle - rules that wake each other without end, see lint.h
 *
 * A rule follows another when a command of the first announces what wakes the
 * second. A ring of such rules is gone through in thought: what each command
 * leaves behind is kept, so that a rule whose conditions no longer hold after a
 * round, or a command that finds all as it wants it and announces nothing, ends
 * the ring. What is left goes on until the daemon cuts the chain.
 *
 * Rules with limits or a timer are left out: they end, or wait, by themselves.
 */
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "rule/lint_set.h"

#define CYCLE_LENGTH 4     /* longer rings are not looked for */
#define CYCLE_STEPS 200000 /* rules looked at */
#define CYCLE_KNOWN 32

/* What is known after the commands so far. */
struct cycle_state {
    struct lint_given known[CYCLE_KNOWN];
    size_t count;
};

struct cycle {
    struct lint *l;
    const struct lint_rule *ring[CYCLE_LENGTH];
    size_t length;
    int steps;
    int actor, actor_kind; /* fields, -1: there are none */
};

/* ---- what commands leave behind ---------------------------------------------- */

/* The effect as something known; false when it has none. */
static bool effect_known(const struct lint *l, const struct lint_effect *e, struct lint_given *out)
{
    if (!e->known)
        return false;
    *out = (struct lint_given){.field = e->field, .text = e->value};
    enum rule_type t = rule_fields_get(l->env->fields, e->field)->type;
    if (e->has || e->has_not)
        out->kind = e->has ? LINT_GIVEN_HAS : LINT_GIVEN_HAS_NOT;
    else if (!*e->value)
        out->kind = LINT_GIVEN_UNSET;
    else if (t == RULE_TYPE_TEXT)
        out->kind = LINT_GIVEN_TEXT;
    else if (t == RULE_TYPE_INT && text_parse_int(e->value, &out->number) == 0)
        out->kind = LINT_GIVEN_NUMBER;
    else
        return false;
    return true;
}

static bool state_has(const struct cycle_state *st, const struct lint_given *g)
{
    for (size_t i = 0; i < st->count; i++) {
        const struct lint_given *k = &st->known[i];
        if (k->field == g->field && k->kind == g->kind &&
            (!g->text || (k->text && strcmp(k->text, g->text) == 0)))
            return true;
    }
    return false;
}

static void state_apply(const struct lint *l, struct cycle_state *st, const struct lint_effect *e)
{
    struct lint_given g;
    bool known = effect_known(l, e, &g), list = known && (e->has || e->has_not);
    size_t n = 0;
    for (size_t i = 0; i < st->count && !e->anything; i++) {
        const struct lint_given *k = &st->known[i];
        bool other_item = list && k->field == g.field && strcmp(k->text, g.text) != 0;
        if (!lint_fields_has(&e->writes, k->field) || other_item)
            st->known[n++] = *k;
    }
    st->count = n;
    if (known && st->count < CYCLE_KNOWN)
        st->known[st->count++] = g;
}

/* ---- one step ------------------------------------------------------------------ */

static const char *event_entity(const struct lint *l, const char *event)
{
    for (size_t i = 0; i < l->rs->env.event_count; i++)
        if (strcmp(l->rs->env.events[i].name, event) == 0)
            return l->rs->env.events[i].entity;
    return NULL;
}

/* The event of this effect that wakes the rule, or NULL. */
static const char *effect_wakes(const struct lint *l, const struct lint_effect *e,
                                const struct lint_rule *to)
{
    for (size_t i = 0; i < e->event_count; i++) {
        const char *entity = to->pub->edge ? event_entity(l, e->events[i]) : NULL;
        if (strcmp(e->events[i], to->pub->on) == 0 || (entity && !strcmp(entity, to->pub->on)))
            return e->events[i];
    }
    return NULL;
}

static bool rule_wakes(const struct lint *l, const struct lint_rule *from,
                       const struct lint_rule *to)
{
    for (size_t i = 0; i < from->pub->command_count; i++)
        if (effect_wakes(l, &from->effects[i], to))
            return !to->pub->edge || lint_touches(from, to);
    return false;
}

/* Runs the commands of `from` on the state. The event that wakes `to` then, NULL
 * when there is none. */
static const char *cycle_run(struct cycle *c, const struct lint_rule *from,
                             const struct lint_rule *to, struct cycle_state *st)
{
    const char *event = NULL;
    for (size_t i = 0; i < from->pub->command_count; i++) {
        const struct lint_effect *e = &from->effects[i];
        struct lint_given g;
        bool idle = !e->repeats && effect_known(c->l, e, &g) && state_has(st, &g);
        if (!idle && !event)
            event = effect_wakes(c->l, e, to);
        state_apply(c->l, st, e);
    }
    return event;
}

/* Terms for what the event did not do: changed(f) and entered(f, v) are false of a
 * field that the commands do not write. */
static size_t terms_unchanged(const struct lint_rule *from, const struct expr_node *n,
                              struct lint_term *terms, size_t count, size_t max)
{
    bool asks = n->op == EXPR_CHANGED || n->op == EXPR_ENTERED;
    if (asks && count < max && !from->anything &&
        !lint_fields_has(&from->writes, n->args[0].field))
        terms[count++] = (struct lint_term){n, false};
    for (const struct expr_node *part = n->first; part; part = part->next)
        count = terms_unchanged(from, part, terms, count, max);
    return count;
}

static bool cycle_matches(struct cycle *c, const struct lint_rule *from, const struct lint_rule *to,
                          const struct cycle_state *st)
{
    struct lint_term terms[LINT_PARTS];
    size_t n = 0;
    for (size_t i = 0; i < to->when_count && n < LINT_PARTS; i++)
        terms[n++] = (struct lint_term){to->when[i].node, true};
    for (size_t i = 0; i < to->when_count; i++)
        n = terms_unchanged(from, to->when[i].node, terms, n, LINT_PARTS);
    return lint_possible(c->l->solver, terms, n, st->known, st->count);
}

static bool cycle_holds(struct cycle *c, const struct lint_rule *from, const struct lint_rule *to,
                        struct cycle_state *st)
{
    struct cycle_state after;
    if (!cycle_run(c, from, to, st))
        return false;
    after = *st;
    if (c->actor >= 0 && after.count < CYCLE_KNOWN)
        after.known[after.count++] = (struct lint_given){
            .field = c->actor, .kind = LINT_GIVEN_TEXT, .text = from->pub->name};
    if (c->actor_kind >= 0 && after.count < CYCLE_KNOWN)
        after.known[after.count++] =
            (struct lint_given){.field = c->actor_kind, .kind = LINT_GIVEN_TEXT, .text = "rule"};
    return cycle_matches(c, from, to, &after);
}

/* A rule on a kind of record runs again only if its conditions were false meanwhile:
 * somewhere in the ring they must be, for certain. st: after a round. */
static bool cycle_turns(struct cycle *c, const struct lint_rule *r, struct cycle_state st)
{
    bool turns = !r->pub->edge;
    for (size_t i = 0; i < c->length && !turns; i++) {
        (void)cycle_run(c, c->ring[i], c->ring[(i + 1) % c->length], &st);
        turns = !lint_both_possible(c->l, r, NULL, NULL, st.known, st.count);
    }
    return turns;
}

/* ---- rings ------------------------------------------------------------------------ */

/* The second round: by then all that the first leaves behind is known. */
static bool cycle_goes_on(struct cycle *c)
{
    struct cycle_state st = {0};
    for (size_t i = 0; i < c->length; i++)
        (void)cycle_run(c, c->ring[i], c->ring[(i + 1) % c->length], &st);
    for (size_t i = 0; i < c->length; i++)
        if (!cycle_turns(c, c->ring[i], st))
            return false;
    for (size_t i = 0; i < c->length; i++)
        if (!cycle_holds(c, c->ring[i], c->ring[(i + 1) % c->length], &st))
            return false;
    return true;
}

static void found_cycle(struct cycle *c)
{
    struct buf text AUTO_BUF;
    struct cycle_state st = {0};
    buf_init(&text, 800);
    for (size_t i = 0; i < c->length; i++) {
        const struct lint_rule *from = c->ring[i], *to = c->ring[(i + 1) % c->length];
        const char *event = cycle_run(c, from, to, &st);
        event = event ? event : to->pub->on;
        if (c->length == 1)
            buf_printf(&text, "wakes itself again and again: it causes %s", event);
        else if (i == 0)
            buf_printf(&text, "a cycle: it causes %s, which wakes %s (%s)", event, to->pub->name,
                       to->pub->at);
        else if (i + 1 == c->length)
            buf_printf(&text, "; that causes %s, which wakes this one again", event);
        else
            buf_printf(&text, "; that causes %s, which wakes %s (%s)", event, to->pub->name,
                       to->pub->at);
    }
    lint_add(c->l, c->ring[0], NULL, "cycle",
             "add a condition that is false afterwards, or once = true",
             "%s", text.data);
}

/* Does it ask with was()? What that says after a round is not worked out here. */
static bool node_asks_was(const struct expr_node *n)
{
    for (size_t i = 0; i < n->arg_count; i++)
        if (n->args[i].was)
            return true;
    for (const struct expr_node *part = n->first; part; part = part->next)
        if (node_asks_was(part))
            return true;
    return false;
}

static bool cycle_member(const struct lint_rule *r)
{
    for (size_t i = 0; i < r->when_count; i++)
        if (node_asks_was(r->when[i].node))
            return false;
    return !r->dead && !r->pub->gated && *r->pub->on && r->pub->command_count > 0;
}

/* Rings that begin at ring[0] and go through later rules only, so each is found
 * once. True when one was. */
static bool cycle_search(struct cycle *c)
{
    const struct lint_rule *last = c->ring[c->length - 1];
    if (rule_wakes(c->l, last, c->ring[0]) && c->l->questions-- > 0 && cycle_goes_on(c)) {
        found_cycle(c);
        return true;
    }
    if (c->length == CYCLE_LENGTH)
        return false;
    for (size_t i = (size_t)c->ring[0]->pub->index + 1; i < c->l->count; i++) {
        const struct lint_rule *next = &c->l->rules[i];
        bool in = !cycle_member(next);
        if (--c->steps < 0)
            return false;
        for (size_t k = 0; k < c->length && !in; k++)
            in = c->ring[k] == next;
        if (in || !rule_wakes(c->l, last, next))
            continue;
        c->ring[c->length++] = next;
        if (cycle_search(c))
            return true;
        c->length--;
    }
    return false;
}

void lint_cycles(struct lint *l)
{
    struct cycle c = {.l = l, .steps = CYCLE_STEPS};
    c.actor = rule_fields_find(l->env->fields, "actor");
    c.actor_kind = rule_fields_find(l->env->fields, "actor.kind");
    for (size_t i = 0; i < l->count && c.steps > 0 && l->questions > 0; i++) {
        if (!cycle_member(&l->rules[i]))
            continue;
        c.ring[0] = &l->rules[i];
        c.length = 1;
        (void)cycle_search(&c);
    }
}
