/* SPDX-License-Identifier: ISC
 *
 * match - deciding the rules of one event, one after the other (see ruleset.h)
 *
 * What is cheap comes first: stop and group need no facts, the record as it is
 * now is shared by all rules, the other two states are read only for a rule on
 * an entity whose conditions hold now.
 */
#include "rule/ruleset.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "rule/index.h"
#include "rule/match_inner.h"

static const char *const outcome_names[] = {
    [RULE_MATCHED] = "matched",         [RULE_NOT_TRUE] = "not_true",
    [RULE_NOT_NEW] = "not_new",         [RULE_GROUP_TAKEN] = "group_taken",
    [RULE_STOPPED] = "stopped",         [RULE_CANNOT_KNOW] = "cannot_know",
    [RULE_WAITS] = "waits",             [RULE_LIMITED] = "limited",
    [RULE_SHADOW] = "shadow",           [RULE_NOT_CANARY] = "not_canary",
    [RULE_NOT_VALID] = "not_valid",     [RULE_OVER_BUDGET] = "over_budget",
    [RULE_ENDED] = "ended",
};

const char *rule_outcome_name(enum rule_outcome o)
{
    return (size_t)o < ARRAY_LEN(outcome_names) ? outcome_names[o] : "?";
}

bool rule_outcome_parse(const char *name, enum rule_outcome *out)
{
    for (size_t i = 0; i < ARRAY_LEN(outcome_names); i++)
        if (strcmp(outcome_names[i], name) == 0) {
            *out = (enum rule_outcome)i;
            return true;
        }
    return false;
}

static struct expr_facts *match_state(const struct rule_match *m, void *arg)
{
    return arg ? expr_facts_new(m->rs->env.fields, m->facts.get, arg) : NULL;
}

/* The three states; each knows what was before the event and what it left. What
 * nobody reads costs next to nothing. */
static void match_states(struct rule_match *m)
{
    m->now = match_state(m, m->facts.now);
    m->before = match_state(m, m->facts.before);
    m->at_event = match_state(m, m->facts.event);
    expr_facts_event(m->now, m->before, m->at_event);
    if (m->at_event)
        expr_facts_event(m->at_event, m->before, NULL);
    if (m->before) /* for changed(): nothing had changed yet */
        expr_facts_event(m->before, m->before, NULL);
}

struct rule_match *rule_match_new(const struct ruleset *rs, const char *event,
                                  const struct rule_facts *facts)
{
    struct rule_match *m = mem_alloc(sizeof(*m));
    int i = rule_map_get(&rs->by_event, event, strlen(event));
    m->rs = rs;
    m->facts = *facts;
    m->rules = m->event = i < 0 ? NULL : &rs->events[i];
    m->group_by = mem_array(rs->by_group.count, sizeof(*m->group_by));
    match_states(m);
    return m;
}

void rule_match_free(struct rule_match **m)
{
    if (!*m)
        return;
    rule_probe_free(&(*m)->probe);
    expr_facts_free(&(*m)->now);
    expr_facts_free(&(*m)->before);
    expr_facts_free(&(*m)->at_event);
    mem_free((void *)(*m)->group_by);
    mem_free(*m);
    *m = NULL;
}

/* All conditions in one state of the record; index_out names the first that
 * was false or, when none was, the first that is unknown. */
static enum rule_result match_all(const struct ruleset_rule *r, struct expr_facts *f,
                                  int *index_out)
{
    enum rule_result all = RULE_TRUE;
    for (size_t i = 0; i < r->pub.when_count; i++) {
        enum rule_result one = expr_eval(r->when[i], f);
        if (one == RULE_FALSE) {
            *index_out = (int)i;
            return one;
        }
        if (one == RULE_UNKNOWN && all == RULE_TRUE) {
            *index_out = (int)i;
            all = one;
        }
    }
    return all;
}

/* True when the decision is made: the conditions fail in this state. */
static bool match_fails(struct rule_match *m, const struct ruleset_rule *r, struct expr_facts *f)
{
    int index = -1;
    enum rule_result res = match_all(r, f, &index);
    if (res == RULE_TRUE)
        return false;
    m->last.outcome = res == RULE_FALSE ? RULE_NOT_TRUE : RULE_CANNOT_KNOW;
    m->last.when_index = index;
    m->last_facts = f;
    return true;
}

/* A rule on an entity that holds now: did the event make it true? */
static void match_edge(struct rule_match *m, const struct ruleset_rule *r)
{
    int index;
    if (m->at_event && match_fails(m, r, m->at_event))
        return;
    if (!m->before)
        return;
    switch (match_all(r, m->before, &index)) {
    case RULE_TRUE:
        m->last.outcome = RULE_NOT_NEW;
        break;
    case RULE_UNKNOWN:
        m->last.outcome = RULE_CANNOT_KNOW;
        m->last.when_index = index;
        m->last_facts = m->before;
        break;
    case RULE_FALSE:
        break;
    }
}

static void match_decide(struct rule_match *m, const struct ruleset_rule *r)
{
    m->last = (struct rule_decision){.rule = &r->pub, .outcome = RULE_MATCHED, .when_index = -1};
    m->last_facts = NULL;
    if (m->stopped_by) {
        m->last.outcome = RULE_STOPPED;
        m->last.by = m->stopped_by;
        return;
    }
    if (r->group >= 0 && m->group_by[r->group]) {
        m->last.outcome = RULE_GROUP_TAKEN;
        m->last.by = m->group_by[r->group];
        return;
    }
    if (!match_fails(m, r, m->now) && r->pub.edge)
        match_edge(m, r);
    if (m->last.outcome == RULE_MATCHED && m->facts.gate)
        m->last.outcome = m->facts.gate(m->facts.gate_arg, &r->pub, &m->last.gate);
}

/* Commands ran. What the record was does not change, but a value that was not
 * different then may have been read from where it is now. */
static void match_forget(struct rule_match *m)
{
    expr_facts_changed(m->now);
    if (m->before)
        expr_facts_changed(m->before);
    if (m->at_event)
        expr_facts_changed(m->at_event);
}

void rule_match_every(struct rule_match *m)
{
    LEADD_ASSERT(!m->begun);
    m->every = true;
}

/* The number of the next rule to be decided, or -1. */
static int match_following(struct rule_match *m)
{
    if (!m->event)
        return -1;
    if (!m->begun && !m->every)
        m->probe = rule_probe_new(m->rs->index, (size_t)(m->event - m->rs->events), m->now);
    else if (m->probe && m->ran)
        rule_probe_again(m->probe, m->now);
    m->begun = true;
    if (!m->probe)
        return m->next < (int)m->event->count ? m->event->rules[m->next++] : -1;
    int rule = rule_probe_next(m->probe, m->next);
    m->next = rule + 1;
    return rule;
}

/* What the decision just made means for the rules behind. */
static void match_took(struct rule_match *m)
{
    const struct ruleset_rule *r = &m->rs->rules[m->last.rule->index];
    m->ran = m->last.outcome == RULE_MATCHED;
    if (m->ran && r->group >= 0)
        m->group_by[r->group] = &r->pub;
    if (m->ran && r->pub.stop != RULE_STOP_NO)
        m->stopped_by = &r->pub;
}

bool rule_match_next(struct rule_match *m, struct rule_decision *d)
{
    if (m->ran)
        match_forget(m);
    int rule = match_following(m);
    m->ran = false;
    if (rule < 0) {
        m->event = NULL; /* the end, also when asked again */
        m->last.rule = NULL;
        return false;
    }
    match_decide(m, &m->rs->rules[rule]);
    match_took(m);
    *d = m->last;
    return true;
}

void rule_match_as(struct rule_match *m, enum rule_outcome outcome, struct rule_decision *d)
{
    m->last.outcome = outcome;
    m->last.when_index = -1;
    m->last.by = NULL;
    m->last_facts = NULL;
    match_took(m);
    *d = m->last;
}

struct rule_match *rule_match_one(const struct ruleset *rs, const struct rule *rule,
                                  const struct rule_facts *facts, struct rule_decision *d)
{
    const struct ruleset_rule *r = &rs->rules[rule->index];
    struct rule_match *m = rule_match_new(rs, "", facts);
    struct expr_facts *now = m->now;
    m->last = (struct rule_decision){.rule = rule, .outcome = RULE_MATCHED, .when_index = -1};
    for (int i = 0; i < (int)rule->when_count; i++) {
        enum rule_result one = r->waits[i] ? expr_eval(r->when[i], now) : RULE_TRUE;
        if (one == RULE_TRUE || (one == RULE_UNKNOWN && m->last.outcome != RULE_MATCHED))
            continue;
        m->last.outcome = one == RULE_FALSE ? RULE_NOT_TRUE : RULE_CANNOT_KNOW;
        m->last.when_index = i;
        m->last_facts = now;
        if (one == RULE_FALSE)
            break;
    }
    if (m->last.outcome == RULE_MATCHED && r->until && expr_eval(r->until, now) == RULE_TRUE) {
        m->last.outcome = RULE_ENDED;
        snprintf(m->last.gate.reason, sizeof(m->last.gate.reason), "until is true");
    }
    if (m->last.outcome == RULE_MATCHED && facts->gate)
        m->last.outcome = facts->gate(facts->gate_arg, rule, &m->last.gate);
    *d = m->last;
    return m;
}

static const struct expr *match_last_expr(const struct rule_match *m)
{
    return m->rs->rules[m->last.rule->index].when[m->last.when_index];
}

bool rule_match_explain(struct rule_match *m, struct expr_trace *trace)
{
    if (!m->last.rule || !m->last_facts)
        return false;
    expr_explain(match_last_expr(m), m->last_facts, trace);
    return true;
}

json_t *rule_match_json(struct rule_match *m)
{
    struct expr_trace trace;
    json_t *obj = json_object();
    if (!m->last.rule)
        return obj;
    json_put_str(obj, "rule", m->last.rule->name);
    json_put_str(obj, "at", m->last.rule->at);
    json_put_str(obj, "outcome", rule_outcome_name(m->last.outcome));
    if (m->last.by)
        json_put_str(obj, "by", m->last.by->name);
    if (*m->last.gate.reason)
        json_put_str(obj, "reason", m->last.gate.reason);
    if (m->last.gate.until_ms)
        json_put_int(obj, "until_ms", m->last.gate.until_ms);
    if (rule_match_explain(m, &trace)) {
        json_put_int(obj, "when", m->last.when_index);
        json_object_set_new(obj, "trace", expr_trace_json(match_last_expr(m), &trace));
    }
    return obj;
}

void rule_match_print(struct rule_match *m, struct buf *out)
{
    struct expr_trace trace;
    const struct rule_decision *d = &m->last;
    if (!d->rule)
        return;
    buf_printf(out, "%s (%s): ", d->rule->name, d->rule->at);
    switch (d->outcome) {
    case RULE_MATCHED:
        buf_str(out, "matched");
        break;
    case RULE_NOT_TRUE:
        buf_str(out, "not matched: ");
        break;
    case RULE_NOT_NEW:
        buf_str(out, "not matched: it was true before the event already");
        break;
    case RULE_GROUP_TAKEN:
        buf_printf(out, "skipped: %s matched first in group \"%s\"", d->by->name, d->rule->group);
        break;
    case RULE_STOPPED:
        buf_printf(out, "skipped: %s (%s) stopped the event", d->by->name, d->by->at);
        break;
    case RULE_CANNOT_KNOW:
        buf_str(out, "cannot be decided now: ");
        break;
    default:
        buf_printf(out, "%s: %s", rule_outcome_name(d->outcome), d->gate.reason);
        break;
    }
    if (rule_match_explain(m, &trace))
        expr_trace_print(match_last_expr(m), &trace, out);
}
