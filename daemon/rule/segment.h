/* SPDX-License-Identifier: ISC
 *
 * segment - people by condition: the segments of the rule files, compiled
 *
 *   segments : {
 *     austrians : { over = "contact"; when = [ "contact.country == 'AT'", ".." ]; };
 *   };
 *
 * A segment has no members: whoever fits now is in it. Its conditions are a rule of a set
 * of the segments' own, which is asked as rules are (timer_ask_of).
 *
 * Pure, as the whole room. Immutable.
 */
#ifndef LEADD_RULE_SEGMENT_H
#define LEADD_RULE_SEGMENT_H

#include "rule/ruleset.h"

struct segment {
    const char *name, *at, *label; /* label: "" for none */
    const char *over;              /* "contact" or "lead" */
    const struct rule *rule;
};

struct segments;

/* defs: name -> definition. config: the tree that tables and calendars come from; what is
 * needed is copied. env is borrowed. NULL when errors were added. */
struct segments *segments_new(const json_t *defs, const json_t *config,
                              const struct ruleset_env *env, struct errlist *errors);
void segments_free(struct segments **s); /* accepts NULL, sets NULL */
const struct segment *segments_get(const struct segments *s, size_t i); /* NULL after the last */
const struct segment *segments_find(const struct segments *s, const char *name); /* or NULL */
const struct ruleset *segments_rules(const struct segments *s);

#endif
