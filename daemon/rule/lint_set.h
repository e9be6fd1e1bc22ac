/* SPDX-License-Identifier: ISC
 *
 * lint_set - a rule set as lint.c and its parts see it (private to lint*.c)
 */
#ifndef LEADD_RULE_LINT_SET_H
#define LEADD_RULE_LINT_SET_H

#include "rule/lint.h"
#include "rule/lint_solve.h"
#include "rule/ruleset_set.h"

/* One of the parts that must all hold: lines of `when`, taken apart at `and`. */
struct lint_conjunct {
    const struct expr_node *node; /* borrowed */
    const struct rule_line *line; /* borrowed */
    int field;      /* the one it asks about, -1: several */
    uint64_t marks; /* of the texts that field may be; 0: not known */
};

struct lint_rule {
    const struct ruleset_rule *rule; /* borrowed */
    const struct rule *pub;
    struct lint_conjunct *when; /* own */
    size_t when_count;
    struct lint_effect *effects; /* own; one for each command */
    struct lint_fields reads, writes;
    bool anything; /* a command of which nothing is known */
    bool dead;                   /* was found to be without effect: no more of it */
};

struct lint {
    const struct ruleset *rs;
    const struct lint_env *env;
    struct lint_solver *solver; /* own */
    struct lint_rule *rules;    /* own */
    size_t count;
    json_t *found; /* own */
    int questions; /* that may still be put to the solver when comparing rules */
};

/* Takes found as the list that findings are added to; it stays the caller's. */
void lint_open(struct lint *l, const struct ruleset *rs, const struct lint_env *env, json_t *found);
void lint_close(struct lint *l);

/* Adds a finding at the rule, or, with a line, there. */
json_t *lint_add(struct lint *l, const struct lint_rule *r, const struct rule_line *line,
                 const char *finding, const char *advice, const char *fmt, ...) LEADD_PRINTF(6, 7);
/* Puts a caret under the part. */
void lint_caret(json_t *finding, const struct lint_conjunct *c);
/* The words of a part as they stand in the file; own. */
char *lint_words(const struct lint_conjunct *c);
/* Can the parts of both hold, and not this one? c may be NULL; given as in
 * lint_possible(). */
bool lint_both_possible(struct lint *l, const struct lint_rule *a, const struct lint_rule *b,
                        const struct lint_conjunct *not_this, const struct lint_given *given,
                        size_t given_count);
/* Whenever a holds, b does. Certain when true. */
bool lint_implies(struct lint *l, const struct lint_rule *a, const struct lint_rule *b);
/* May a command of the one change what the conditions of the other ask about? */
bool lint_touches(const struct lint_rule *from, const struct lint_rule *to);

/* What the conditions of one rule say: never, always, value. */
void lint_conditions(struct lint *l, struct lint_rule *r);
/* "3d business": a day is 24 hours, also where hours count only while it is open. The real
 * days that it takes, when they are far more; else 0. */
int64_t lint_span_days(const struct rule_span *s);
#define LINT_DAYS_TEXT                                                                             \
    "%s = \"%.100s\" counts 24 open hours for each day, and takes about %" PRId64 " days"
#define LINT_DAYS_ADVICE "write the open hours that are meant: three days of eight are 24h"

void lint_pairs(struct lint *l); /* shadowed, unreachable, duplicate */
void lint_cycles(struct lint *l);

#endif
