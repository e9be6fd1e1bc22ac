/* SPDX-License-Identifier: ISC
 *
 * index - which rules of an event may match, without asking all of them
 * (private to ruleset.c and match.c)
 *
 * Of each rule one condition is chosen that must hold for it to match and that is
 * likely to be false; the rule stands under what makes it true: a text, a word, a
 * threshold. The facts are then looked up, once per field, and give the rules to
 * evaluate: never fewer than those that match or cannot be known, mostly few more.
 * A rule without such a condition is always asked.
 */
#ifndef LEADD_RULE_INDEX_H
#define LEADD_RULE_INDEX_H

#include <stdint.h>

#include "rule/ruleset_set.h"

/* Events with fewer rules are asked one by one: that is quicker. */
#define RULE_INDEX_FROM 12

struct rule_index;

struct rule_index *rule_index_new(const struct ruleset *rs);
void rule_index_free(struct rule_index **x); /* accepts NULL, sets NULL */
/* How many of the event's rules stand in the index; for tests and figures. */
size_t rule_index_indexed(const struct rule_index *x, size_t event);
size_t rule_index_bytes(const struct rule_index *x);

/* The candidates of one event. */
struct rule_probe;
/* facts: the record as it is now, with its other states (expr_facts_event). NULL
 * when the event has so few rules that all are candidates. */
struct rule_probe *rule_probe_new(struct rule_index *x, size_t event, struct expr_facts *facts);
void rule_probe_free(struct rule_probe **p); /* accepts NULL, sets NULL */
/* The facts may have changed: adds what they make a candidate now. */
void rule_probe_again(struct rule_probe *p, struct expr_facts *facts);
/* The lowest candidate >= rule, or -1. */
int rule_probe_next(const struct rule_probe *p, int rule);

#endif
