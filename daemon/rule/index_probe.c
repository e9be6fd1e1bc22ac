/* SPDX-License-Identifier: ISC
 *
 * index_probe - the rules that the facts of an event leave over (see index.h)
 *
 * Each field is looked up once; after commands ran, only those that changed.
 */
#include "rule/index_inner.h"

#include <string.h>

#include "base/mem.h"

/* What a column's field held when it was looked up. */
struct probe_seen {
    enum rule_state state;
    uint64_t value; /* a hash of texts */
};

struct rule_probe {
    struct rule_index *index;
    const struct index_event *event;
    uint64_t *bits;          /* own; candidates, also of other events */
    struct probe_seen *seen; /* own; per column of the event */
};

static void probe_chain(struct rule_probe *p, int chain)
{
    const struct rule_index *x = p->index;
    for (int i = x->heads[chain]; i >= 0; i = x->links[i].next) {
        if (x->links[i].rule >= 0)
            index_bit_set(p->bits, x->links[i].rule);
        else
            probe_chain(p, -1 - x->links[i].rule);
    }
}

static void probe_found(void *arg, int chain)
{
    probe_chain(arg, chain);
}

static void probe_text(struct rule_probe *p, const struct index_column *c, struct str text)
{
    int chain = rule_map_get(&c->texts, text.p, text.n);
    if (chain >= 0)
        probe_chain(p, chain);
    if (c->words && c->type == RULE_TYPE_TEXT)
        words_scan(c->words, text, probe_found, p);
}

/* How many begin at v or below. */
static size_t numbers_until(const struct index_numbers *list, int64_t v)
{
    size_t lo = 0, hi = list->count;
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        if (list->v[mid].lo <= v)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo;
}

static void probe_number(struct rule_probe *p, const struct index_column *c, int64_t v)
{
    for (size_t i = numbers_until(&c->ranges, v); i-- > 0 && c->ranges.v[i].most >= v;)
        if (c->ranges.v[i].hi >= v)
            probe_chain(p, c->ranges.v[i].chain);
    for (size_t i = numbers_until(&c->low, v); i-- > 0;)
        probe_chain(p, c->low.v[i].chain);
    for (size_t i = c->high.count; i-- > 0 && c->high.v[i].lo >= v;)
        probe_chain(p, c->high.v[i].chain);
}

static struct expr_facts *column_facts(const struct index_column *c, struct expr_facts *f)
{
    return c->state == STATE_NOW ? f : c->state == STATE_WAS ? f->was : f->at;
}

static const struct rule_value *column_value(const struct index_column *c, struct expr_facts *f)
{
    static const struct rule_value unset;
    return f ? expr_facts_value(f, c->field) : &unset;
}

static void probe_set(struct rule_probe *p, const struct index_column *c, struct expr_facts *f,
                      const struct rule_value *v)
{
    probe_chain(p, c->set);
    if (c->type == RULE_TYPE_TEXT) {
        if (c->texts.count > 0 || c->words)
            probe_text(p, c, expr_facts_folded(f, c->field));
    } else if (c->type == RULE_TYPE_LIST) {
        const struct str *items = expr_facts_folded_items(f, c->field);
        for (size_t i = 0; i < v->count; i++)
            probe_text(p, c, items[i]);
    } else if (index_is_number(c->type)) {
        probe_number(p, c, c->type == RULE_TYPE_BOOL ? v->num != 0 : v->num);
    }
}

/* Of a text that is looked up nowhere it only matters that it is set. */
static struct probe_seen seen_value(const struct index_column *c, struct expr_facts *f,
                                    const struct rule_value *v)
{
    struct probe_seen s = {.state = v->state};
    if (v->state != RULE_VALUE_SET)
        return s;
    if (c->type == RULE_TYPE_TEXT)
        s.value = c->texts.count > 0 || c->words ? expr_facts_hash(f, c->field) : 0;
    else if (c->type == RULE_TYPE_LIST)
        for (size_t i = 0; i < v->count; i++)
            s.value = expr_hash(s.value, v->items[i].p, v->items[i].n);
    else
        s.value = (uint64_t)v->num;
    return s;
}

/* Money is only asked whether it is set: its currency does not matter. */
static void probe_column(struct rule_probe *p, size_t i, struct expr_facts *facts, bool again)
{
    const struct index_column *c = &p->index->columns[p->event->columns[i]];
    struct expr_facts *f = column_facts(c, facts);
    const struct rule_value *v = column_value(c, f);
    if (c->changed && expr_node_eval(c->changed->node, facts) != RULE_FALSE)
        probe_chain(p, c->changed->chain);
    struct probe_seen now = seen_value(c, f, v);
    if (again && now.state == p->seen[i].state && now.value == p->seen[i].value)
        return;
    p->seen[i] = now;
    switch (v->state) {
    case RULE_VALUE_UNKNOWN:
        probe_chain(p, c->all);
        break;
    case RULE_VALUE_UNSET:
        probe_chain(p, c->unset);
        break;
    case RULE_VALUE_SET:
        probe_set(p, c, f, v);
        break;
    }
}

/* Ten thousand conditions do not stay in the processor's cache: those of all candidates
 * are fetched at once, instead of one after the other when they are asked. */
static void probe_fetch(const struct rule_probe *p)
{
    const struct ruleset_rule *rules = p->index->rs->rules;
    for (int i = rule_probe_next(p, 0); i >= 0; i = rule_probe_next(p, i + 1))
        __builtin_prefetch(&rules[i].when);
    for (int i = rule_probe_next(p, 0); i >= 0; i = rule_probe_next(p, i + 1))
        for (size_t k = 0; k < rules[i].pub.when_count; k++)
            __builtin_prefetch(rules[i].when[k]->root->args);
}

struct rule_probe *rule_probe_new(struct rule_index *x, size_t event, struct expr_facts *facts)
{
    const struct index_event *ev = &x->events[event];
    if (!ev->used)
        return NULL;
    struct rule_probe *p = mem_alloc(sizeof(*p));
    p->index = x;
    p->event = ev;
    p->bits = mem_array(x->words, sizeof(*p->bits));
    memcpy(p->bits, ev->always, x->words * sizeof(*p->bits));
    p->seen = mem_array(ev->column_count, sizeof(*p->seen));
    for (size_t i = 0; i < ev->column_count; i++)
        probe_column(p, i, facts, false);
    probe_fetch(p);
    return p;
}

void rule_probe_free(struct rule_probe **p)
{
    if (!*p)
        return;
    mem_free((*p)->bits);
    mem_free((*p)->seen);
    mem_free(*p);
    *p = NULL;
}

void rule_probe_again(struct rule_probe *p, struct expr_facts *facts)
{
    for (size_t i = 0; i < p->event->column_count; i++)
        probe_column(p, i, facts, true);
}

int rule_probe_next(const struct rule_probe *p, int rule)
{
    size_t w = (size_t)rule / 64;
    if (w >= p->index->words)
        return -1;
    uint64_t bits = p->bits[w] & p->event->rules[w] & (~UINT64_C(0) << (rule % 64));
    while (!bits) {
        if (++w == p->index->words)
            return -1;
        bits = p->bits[w] & p->event->rules[w];
    }
    return (int)(w * 64) + __builtin_ctzll(bits);
}
