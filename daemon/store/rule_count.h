/* SPDX-License-Identifier: ISC
 *
 * rule_count - how often each rule was asked and what it did, by day (UTC)
 *
 * The engine counts in memory and adds what has come together now and then, so
 * these rows are never on the way of a message. Old days are folded into day 0,
 * so the table stays as large as the rules times the days kept.
 */
#ifndef LEADD_STORE_RULE_COUNT_H
#define LEADD_STORE_RULE_COUNT_H

#include <jansson.h>

#include "base/units.h"
#include "store/db.h"

#define RULE_COUNT_DAY_MS DAY_MS

struct rule_count {
    int64_t evaluated, matched; /* decisions, and those that were "matched" */
    int64_t fired, refused;     /* times its commands ran; commands that were refused */
    int64_t cpu_ns;             /* processor time, from samples */
    int64_t last_ms;            /* of the last match; 0: none */
};

/* Adds to the rule's row of that day, which is made when it is not there. */
int rule_count_add(struct db *db, const char *rule, int64_t day, int64_t ruleset_id,
                   const struct rule_count *c, struct err *e) LEADD_MUST_CHECK;
/* Adds all days before that one together. */
int rule_count_fold(struct db *db, int64_t before_day, struct err *e) LEADD_MUST_CHECK;
/* One object per rule that was ever counted, sums from that day on (0: of all), but
 * the last match of all times: [{"rule", "ruleset_id", "evaluated", "matched",
 * "fired", "refused", "cpu_ns", "last_ms"}]; ruleset_id: the set that had it last. */
json_t *rule_count_list(struct db *db, int64_t from_day, struct err *e);
/* The first day that is counted by itself; 0 when nothing is counted. folded_out:
 * there are counts from before it. */
int rule_count_first(struct db *db, int64_t *day_out, bool *folded_out,
                     struct err *e) LEADD_MUST_CHECK;

#endif
