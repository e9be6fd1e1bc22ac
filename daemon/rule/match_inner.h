/* SPDX-License-Identifier: ISC
 *
 * match_inner - a run over the rules of one event inside (private to match.c, which
 * decides, and record.c, which keeps what was decided from)
 */
#ifndef LEADD_RULE_MATCH_INNER_H
#define LEADD_RULE_MATCH_INNER_H

#include "rule/expr_ast.h"
#include "rule/ruleset_set.h"

struct rule_probe;

struct rule_match {
    const struct ruleset *rs;
    struct rule_facts facts;
    const struct ruleset_event *rules; /* of the event; NULL: none */
    const struct ruleset_event *event; /* the same, and NULL behind the last rule */
    int next;                     /* of the event's list; with a probe: of the set */
    bool begun, every;
    struct rule_probe *probe;     /* own; NULL: all rules of the event are asked */
    const struct rule *stopped_by;
    const struct rule **group_by; /* own; per group, who matched */
    struct expr_facts *now, *before, *at_event; /* own */
    bool ran;                     /* commands of the last rule may have changed the record */
    struct rule_decision last;
    struct expr_facts *last_facts; /* in which the last decision failed */
};

#endif
