/* SPDX-License-Identifier: ISC
 *
 * index - see index.h
 *
 * Two runs over the rules: the first counts how many different values each column
 * knows, the second chooses: the condition that is least likely to hold, as far as
 * that can be told without having seen a lead.
 */
#include "rule/index_inner.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

/* ---- postings ------------------------------------------------------------------ */

static int index_chain(struct rule_index *x)
{
    if (x->head_count == x->head_cap) {
        x->head_cap = x->head_cap ? x->head_cap * 2 : 64;
        x->heads = mem_grow(x->heads, x->head_cap * sizeof(*x->heads));
    }
    x->heads[x->head_count] = -1;
    return (int)x->head_count++;
}

static void index_link(struct rule_index *x, int chain, int rule)
{
    if (x->link_count == x->link_cap) {
        x->link_cap = x->link_cap ? x->link_cap * 2 : 64;
        x->links = mem_grow(x->links, x->link_cap * sizeof(*x->links));
    }
    x->links[x->link_count] = (struct index_link){rule, x->heads[chain]};
    x->heads[chain] = (int)x->link_count++;
}

/* The chain of a key, made when it is new. */
static int index_key(struct rule_index *x, struct rule_map *m, const char *key, size_t n)
{
    int chain = rule_map_get(m, key, n);
    if (chain < 0) {
        chain = index_chain(x);
        rule_map_add(m, key, n, chain);
    }
    return chain;
}

static void index_number(struct rule_index *x, struct index_numbers *list, int64_t lo, int64_t hi,
                         int rule)
{
    if (list->count == list->cap) {
        list->cap = list->cap ? list->cap * 2 : 8;
        list->v = mem_grow(list->v, list->cap * sizeof(*list->v));
    }
    int chain = index_chain(x);
    index_link(x, chain, rule);
    list->v[list->count++] = (struct index_number){.lo = lo, .hi = hi, .chain = chain};
}

static struct index_column *index_column(struct rule_index *x, const struct expr_arg *a,
                                         enum index_state state)
{
    for (size_t i = 0; i < x->column_count; i++)
        if (x->columns[i].field == a->field && x->columns[i].state == state)
            return &x->columns[i];
    x->columns = mem_grow(x->columns, (x->column_count + 1) * sizeof(*x->columns));
    struct index_column *c = &x->columns[x->column_count++];
    *c = (struct index_column){.field = a->field, .state = state, .type = a->type};
    c->set = index_chain(x);
    c->unset = index_chain(x);
    c->all = index_chain(x);
    return c;
}

/* The chain of a table that is asked for in this way; NULL: not yet. */
static struct index_table *column_table(const struct index_column *c, const struct expr_node *n)
{
    for (size_t i = 0; i < c->table_count; i++)
        if (c->tables[i].table == n->table && c->tables[i].op == n->op)
            return &c->tables[i];
    return NULL;
}

static struct index_table *column_table_add(struct rule_index *x, struct index_column *c,
                                            const struct expr_node *n)
{
    c->tables = mem_grow(c->tables, (c->table_count + 1) * sizeof(*c->tables));
    c->tables[c->table_count] = (struct index_table){n->table, n->op, index_chain(x)};
    return &c->tables[c->table_count++];
}

/* ---- what can be looked up ------------------------------------------------------- */

static enum index_state node_state(const struct expr_node *n)
{
    if (n->op == EXPR_CHANGED || n->op == EXPR_ENTERED)
        return STATE_AT;
    return n->args[0].was ? STATE_WAS : STATE_NOW;
}

/* A plain field compared with literals. */
static bool node_is_plain(const struct expr_node *n)
{
    if (n->arg_count == 0 || n->args[0].less >= 0 || n->args[0].shift_word)
        return false;
    for (size_t i = 1; i < n->arg_count; i++)
        if (n->args[i].kind == ARG_FIELD)
            return false;
    return true;
}

static bool node_has_words(const struct expr_node *n)
{
    for (size_t i = 1; i < n->arg_count; i++)
        if (n->args[i].fold_len == 0)
            return false;
    for (size_t i = 0; n->table && i < rule_table_count(n->table); i++)
        if (!*rule_table_folded(n->table, i))
            return false;
    return true;
}

static bool node_is_indexable(const struct expr_node *n)
{
    enum rule_type t;
    if (!node_is_plain(n))
        return false;
    t = n->args[0].type;
    switch (n->op) {
    case EXPR_TRUTH:
    case EXPR_SET:
    case EXPR_CHANGED:
        return true;
    case EXPR_ENTERED:
        return index_is_number(t) || t == RULE_TYPE_TEXT || t == RULE_TYPE_LIST;
    case EXPR_COMPARE:
        if (n->cmp == EXPR_NE)
            return t == RULE_TYPE_BOOL;
        return index_is_number(t) || (t == RULE_TYPE_TEXT && n->cmp == EXPR_EQ);
    case EXPR_IN:
        return index_is_number(t) || t == RULE_TYPE_TEXT;
    case EXPR_BETWEEN:
        return index_is_number(t);
    case EXPR_CONTAINS:
    case EXPR_STARTS:
    case EXPR_ENDS:
        return t == RULE_TYPE_LIST || node_has_words(n);
    case EXPR_MATCHES:
    case EXPR_AND:
    case EXPR_OR:
    case EXPR_NOT:
        break;
    }
    return false;
}

/* `x is not set`, and `not x` of a field that is true or false. */
static bool node_is_unset(const struct expr_node *n)
{
    return n->op == EXPR_NOT && (n->first->op == EXPR_SET || n->first->op == EXPR_TRUTH) &&
           node_is_plain(n->first);
}

static bool node_is_words(const struct expr_node *n)
{
    return (n->op == EXPR_CONTAINS || n->op == EXPR_STARTS || n->op == EXPR_ENDS) &&
           n->args[0].type == RULE_TYPE_TEXT;
}

/* ---- choosing -------------------------------------------------------------------- */

/* The texts a column knows: the values rules name are most of those there are. */
static void index_count(struct rule_index *x, const struct expr_node *n)
{
    for (const struct expr_node *part = n->first; part; part = part->next)
        index_count(x, part);
    if (n->op <= EXPR_NOT || !node_is_indexable(n) || node_is_words(n))
        return;
    struct index_column *c = index_column(x, &n->args[0], node_state(n));
    if (c->type != RULE_TYPE_TEXT && c->type != RULE_TYPE_LIST)
        return;
    if (n->table && !column_table(c, n)) {
        column_table_add(x, c, n);
        c->known += rule_table_count(n->table);
    }
    for (size_t i = 1; i < n->arg_count; i++)
        if (rule_map_get(&c->texts, n->args[i].fold, n->args[i].fold_len) < 0) {
            index_key(x, &c->texts, n->args[i].fold, n->args[i].fold_len);
            c->known++;
        }
}

static double likely_words(const struct expr_node *n)
{
    double sum = n->table ? 0.02 * (double)rule_table_count(n->table) : 0;
    for (size_t i = 1; i < n->arg_count; i++)
        sum += n->args[i].fold_len < 3 ? 0.3 : n->args[i].fold_len < 5 ? 0.06 : 0.02;
    return sum > 0.6 ? 0.6 : sum;
}

static double likely_values(const struct rule_index *x, const struct expr_node *n)
{
    const struct index_column *c = index_column((struct rule_index *)x, &n->args[0], node_state(n));
    double known = c->known < 10 ? 10 : (double)c->known;
    double values = n->table ? (double)rule_table_count(n->table) : (double)(n->arg_count - 1);
    if (index_is_number(c->type))
        return values > 8 ? 0.4 : 0.05 * values;
    return values >= known ? 0.9 : values / known;
}

/* How likely it is to hold; above 1: it cannot be looked up. */
static double index_likely(const struct rule_index *x, const struct expr_node *n)
{
    double sum = 0;
    if (n->op == EXPR_OR) {
        for (const struct expr_node *part = n->first; part; part = part->next)
            sum += index_likely(x, part);
        return sum;
    }
    if (n->op == EXPR_AND) {
        sum = 2;
        for (const struct expr_node *part = n->first; part; part = part->next) {
            double one = index_likely(x, part);
            sum = one < sum ? one : sum;
        }
        return sum;
    }
    if (node_is_unset(n))
        return n->first->op == EXPR_SET ? 0.5 : 0.7;
    if (n->op == EXPR_NOT || !node_is_indexable(n))
        return 2;
    if (n->args[0].type == RULE_TYPE_BOOL)
        return 0.5;
    switch (n->op) {
    case EXPR_SET:
        return 0.9;
    case EXPR_CHANGED:
        return 0.2;
    case EXPR_ENTERED:
        return 0.03;
    case EXPR_COMPARE:
        return n->cmp == EXPR_EQ ? likely_values(x, n) : 0.5;
    case EXPR_BETWEEN:
        return 0.3;
    default:
        return node_is_words(n) ? likely_words(n) : likely_values(x, n);
    }
}

/* ---- standing in a column ----------------------------------------------------------- */

static void column_add_words(struct rule_index *x, struct index_column *c,
                             const struct expr_node *n, int rule)
{
    enum word_place place = n->op == EXPR_STARTS ? WORD_STARTS
                            : n->op == EXPR_ENDS ? WORD_ENDS
                                                 : WORD_ANYWHERE;
    struct index_table *t = n->table ? column_table(c, n) : NULL;
    bool known = t != NULL;
    if (n->table && !known)
        t = column_table_add(x, c, n);
    int chain = t ? t->chain : index_chain(x);
    index_link(x, chain, rule);
    if (!c->words)
        c->words = words_new();
    for (size_t i = 1; i < n->arg_count; i++)
        words_add(c->words, n->args[i].fold, n->args[i].fold_len, place, chain);
    for (size_t i = 0; n->table && !known && i < rule_table_count(n->table); i++) {
        const char *word = rule_table_folded(n->table, i);
        words_add(c->words, word, strlen(word), place, chain);
    }
}

static void column_add_texts(struct rule_index *x, struct index_column *c,
                             const struct expr_node *n, int rule)
{
    for (size_t i = 1; i < n->arg_count; i++)
        index_link(x, index_key(x, &c->texts, n->args[i].fold, n->args[i].fold_len), rule);
    if (!n->table)
        return;
    int chain = column_table(c, n)->chain; /* index_count() has put it there */
    if (x->heads[chain] < 0) /* the first rule here that names it */
        for (size_t i = 0; i < rule_table_count(n->table); i++) {
            const char *value = rule_table_folded(n->table, i);
            index_link(x, index_key(x, &c->texts, value, strlen(value)), -1 - chain);
        }
    index_link(x, chain, rule);
}

static void column_add_compare(struct rule_index *x, struct index_column *c,
                               const struct expr_node *n, int rule)
{
    const struct expr_arg *a = &n->args[1];
    switch (n->cmp) {
    case EXPR_EQ:
        index_number(x, &c->ranges, a->lo, a->hi, rule);
        break;
    case EXPR_NE: /* true or false */
        index_number(x, &c->ranges, !a->lo, !a->lo, rule);
        break;
    case EXPR_LT:
        if (a->lo > INT64_MIN)
            index_number(x, &c->high, a->lo - 1, 0, rule);
        break;
    case EXPR_LE:
        index_number(x, &c->high, a->hi, 0, rule);
        break;
    case EXPR_GT:
        if (a->hi < INT64_MAX)
            index_number(x, &c->low, a->hi + 1, 0, rule);
        break;
    case EXPR_GE:
        index_number(x, &c->low, a->lo, 0, rule);
        break;
    }
}

static void column_add_numbers(struct rule_index *x, struct index_column *c,
                               const struct expr_node *n, int rule)
{
    if (n->op == EXPR_COMPARE)
        column_add_compare(x, c, n, rule);
    else if (n->op == EXPR_BETWEEN)
        index_number(x, &c->ranges, n->args[1].lo, n->args[2].hi, rule);
    else if (n->op == EXPR_TRUTH)
        index_number(x, &c->ranges, 1, 1, rule);
    else
        for (size_t i = 1; i < n->arg_count; i++)
            index_number(x, &c->ranges, n->args[i].lo, n->args[i].hi, rule);
}

static void column_add_changed(struct rule_index *x, struct index_column *c,
                               const struct expr_node *n, int rule)
{
    if (!c->changed) {
        c->changed = mem_alloc(sizeof(*c->changed));
        *c->changed = (struct index_changed){n, index_chain(x)};
    }
    index_link(x, c->changed->chain, rule);
}

/* used grows by the columns; at most one per part of the condition. */
static void index_add(struct rule_index *x, const struct expr_node *n, int rule, int *used,
                      size_t *used_count)
{
    if (n->op == EXPR_OR) {
        for (const struct expr_node *part = n->first; part; part = part->next)
            index_add(x, part, rule, used, used_count);
        return;
    }
    if (n->op == EXPR_AND) {
        const struct expr_node *best = n->first;
        for (const struct expr_node *part = n->first; part; part = part->next)
            if (index_likely(x, part) < index_likely(x, best))
                best = part;
        index_add(x, best, rule, used, used_count);
        return;
    }
    bool unset = node_is_unset(n);
    const struct expr_node *test = unset ? n->first : n;
    struct index_column *c = index_column(x, &test->args[0], node_state(test));
    used[(*used_count)++] = (int)(c - x->columns);
    index_link(x, c->all, rule);
    if (unset) {
        index_link(x, c->unset, rule);
        if (test->op == EXPR_TRUTH)
            index_number(x, &c->ranges, 0, 0, rule);
    } else if (n->op == EXPR_SET) {
        index_link(x, c->set, rule);
    } else if (n->op == EXPR_CHANGED) {
        column_add_changed(x, c, n, rule);
    } else if (node_is_words(n)) {
        column_add_words(x, c, n, rule);
    } else if (index_is_number(c->type)) {
        column_add_numbers(x, c, n, rule);
    } else {
        column_add_texts(x, c, n, rule);
    }
}

/* ---- making it ------------------------------------------------------------------------ */

static int number_order(const void *a, const void *b)
{
    const struct index_number *x = a, *y = b;
    return (x->lo > y->lo) - (x->lo < y->lo);
}

static void numbers_build(struct index_numbers *list)
{
    if (list->count > 0)
        qsort(list->v, list->count, sizeof(*list->v), number_order);
    for (size_t i = 0; i < list->count; i++)
        list->v[i].most = i && list->v[i - 1].most > list->v[i].hi ? list->v[i - 1].most
                                                                    : list->v[i].hi;
}

/* Puts one rule where it is looked up; the columns it stands in, or none. */
static size_t index_rule(struct rule_index *x, const struct ruleset_rule *r, int *used)
{
    const struct expr_node *best = NULL;
    double likely = 0.95;
    size_t count = 0;
    for (size_t i = 0; !r->dear && i < r->pub.when_count; i++) {
        double one = index_likely(x, r->when[i]->root);
        if (one < likely) {
            likely = one;
            best = r->when[i]->root;
        }
    }
    if (best)
        index_add(x, best, r->pub.index, used, &count);
    return count;
}

static size_t node_parts(const struct expr_node *n)
{
    size_t count = 1;
    for (const struct expr_node *part = n->first; part; part = part->next)
        count += node_parts(part);
    return count;
}

/* used: per rule the columns it stands in, from starts[rule] to starts[rule + 1]. */
static void index_event(struct rule_index *x, size_t e, const int *used, const size_t *starts)
{
    const struct ruleset_event *ev = &x->rs->events[e];
    struct index_event *ie = &x->events[e];
    if (ev->count < RULE_INDEX_FROM)
        return;
    bool *marks = mem_array(x->column_count, sizeof(*marks));
    ie->used = true;
    ie->rules = mem_array(x->words, sizeof(*ie->rules));
    ie->always = mem_array(x->words, sizeof(*ie->always));
    ie->columns = mem_array(x->column_count, sizeof(*ie->columns));
    for (size_t i = 0; i < ev->count; i++) {
        int rule = ev->rules[i];
        index_bit_set(ie->rules, rule);
        if (starts[rule] == starts[rule + 1])
            index_bit_set(ie->always, rule);
        else
            ie->indexed++;
        for (size_t k = starts[rule]; k < starts[rule + 1]; k++)
            marks[used[k]] = true;
    }
    for (size_t i = 0; i < x->column_count; i++)
        if (marks[i])
            ie->columns[ie->column_count++] = (int)i;
    mem_free(marks);
}

static void index_rules(struct rule_index *x)
{
    const struct ruleset *rs = x->rs;
    size_t parts = 0, count = 0;
    for (size_t i = 0; i < rs->count; i++)
        for (size_t w = 0; w < rs->rules[i].pub.when_count; w++) {
            index_count(x, rs->rules[i].when[w]->root);
            parts += node_parts(rs->rules[i].when[w]->root);
        }
    int *used = mem_array(parts, sizeof(*used));
    size_t *starts = mem_array(rs->count + 1, sizeof(*starts));
    for (size_t i = 0; i < rs->count; i++) {
        count += index_rule(x, &rs->rules[i], used + count);
        starts[i + 1] = count;
    }
    for (size_t e = 0; e < rs->env.event_count; e++)
        index_event(x, e, used, starts);
    mem_free(used);
    mem_free(starts);
}

struct rule_index *rule_index_new(const struct ruleset *rs)
{
    struct rule_index *x = mem_alloc(sizeof(*x));
    bool wanted = false;
    x->rs = rs;
    x->words = (rs->count + 63) / 64;
    x->events = mem_array(rs->env.event_count, sizeof(*x->events));
    for (size_t e = 0; e < rs->env.event_count; e++)
        wanted = wanted || rs->events[e].count >= RULE_INDEX_FROM;
    if (!wanted)
        return x;
    index_rules(x);
    for (size_t i = 0; i < x->column_count; i++) {
        struct index_column *c = &x->columns[i];
        numbers_build(&c->ranges);
        numbers_build(&c->low);
        numbers_build(&c->high);
        if (c->words)
            words_build(c->words);
    }
    return x;
}

void rule_index_free(struct rule_index **index)
{
    struct rule_index *x = *index;
    if (!x)
        return;
    for (size_t i = 0; i < x->column_count; i++) {
        struct index_column *c = &x->columns[i];
        rule_map_done(&c->texts);
        mem_free(c->tables);
        mem_free(c->ranges.v);
        mem_free(c->low.v);
        mem_free(c->high.v);
        mem_free(c->changed);
        words_free(&c->words);
    }
    for (size_t e = 0; e < x->rs->env.event_count; e++) {
        mem_free(x->events[e].rules);
        mem_free(x->events[e].always);
        mem_free(x->events[e].columns);
    }
    mem_free(x->events);
    mem_free(x->columns);
    mem_free(x->heads);
    mem_free(x->links);
    mem_free(x);
    *index = NULL;
}

size_t rule_index_bytes(const struct rule_index *x)
{
    size_t n = x->column_count * sizeof(*x->columns) + x->head_cap * sizeof(*x->heads) +
               x->link_cap * sizeof(*x->links);
    for (size_t i = 0; i < x->column_count; i++) {
        const struct index_column *c = &x->columns[i];
        n += c->texts.cap * sizeof(*c->texts.v) + c->table_count * sizeof(*c->tables) +
             (c->ranges.cap + c->low.cap + c->high.cap) * sizeof(*c->ranges.v) +
             (c->words ? words_bytes(c->words) : 0);
    }
    for (size_t e = 0; e < x->rs->env.event_count; e++)
        n += x->events[e].used ? 2 * x->words * sizeof(uint64_t) : 0;
    return n;
}

size_t rule_index_indexed(const struct rule_index *x, size_t event)
{
    return x->events[event].indexed;
}
