/* SPDX-License-Identifier: ISC
 *
 * index_inner - the index inside (private to index.c, which makes it, and index_probe.c,
 * which looks up)
 *
 * A column is a field in one state of the record (now, before the event, as the
 * event left it). It holds postings: lists of rules under each text, under each
 * number, threshold and range, and an automaton of words. A table that many rules
 * name is one posting of each of its values, which leads to all of them.
 */
#ifndef LEADD_RULE_INDEX_INNER_H
#define LEADD_RULE_INDEX_INNER_H

#include "rule/expr_ast.h"
#include "rule/index.h"
#include "rule/words.h"

enum index_state { STATE_NOW, STATE_WAS, STATE_AT };

/* Postings are chains in one array: a rule, or another chain. */
struct index_link {
    int rule;  /* or -1 - chain */
    int next;  /* link or -1 */
};

struct index_number {
    int64_t lo, hi;  /* lo alone for thresholds */
    int64_t most;    /* ranges: the highest hi of this one and those before */
    int chain;
};

struct index_numbers {
    struct index_number *v; /* own; ascending by lo */
    size_t count, cap;
};

struct index_column {
    int field;
    enum index_state state;
    enum rule_type type;
    size_t known;          /* how many different texts or values rules name */
    struct rule_map texts; /* folded text -> chain */
    struct index_table *tables; /* own */
    size_t table_count;
    struct index_numbers ranges, low, high; /* lo <= v <= hi, v >= lo, v <= lo */
    int set, unset, all;                    /* chains; all: every rule that stands here */
    struct index_changed *changed;          /* own */
    struct words *words;                    /* own; NULL: none */
};

/* All rules that name a table in one way have one chain. */
struct index_table {
    const struct rule_table *table;
    enum expr_op op;
    int chain;
};

struct index_changed {
    const struct expr_node *node; /* any changed(f) */
    int chain;
};

struct index_event {
    bool used;        /* has rules enough */
    uint64_t *rules;  /* own; bit per rule of the set: those of this event */
    uint64_t *always; /* own; of them those that stand nowhere */
    int *columns;     /* own; that rules of this event stand in */
    size_t column_count, indexed;
};

struct rule_index {
    const struct ruleset *rs;
    size_t words; /* uint64_t per set of rules */
    struct index_column *columns; /* own */
    size_t column_count;
    int *heads; /* own; chain -> first link or -1 */
    size_t head_count, head_cap;
    struct index_link *links; /* own */
    size_t link_count, link_cap;
    struct index_event *events; /* own */
};

static inline void index_bit_set(uint64_t *bits, int i)
{
    bits[i >> 6] |= UINT64_C(1) << (i & 63);
}

static inline bool index_is_number(enum rule_type t)
{
    return t == RULE_TYPE_INT || t == RULE_TYPE_TIME || t == RULE_TYPE_DURATION ||
           t == RULE_TYPE_BOOL;
}

#endif
