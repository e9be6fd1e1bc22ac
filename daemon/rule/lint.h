/* SPDX-License-Identifier: ISC
 *
 * lint - what is allowed in a rule set, and yet hardly meant
 *
 * A rule that can never match, one that another always takes the place of, rules
 * that wake each other without end. Each finding is a fact about the rules, not a
 * matter of taste; where it cannot be sure it says nothing.
 *
 * Findings are objects of an array, in the order of files and lines:
 * {"at", "rule", "escalation" or "sequence", "finding", "text", "advice", "source"?, "col"?}; col is
 * the byte (from 0) in source under which a caret stands. "finding" is one word, stable:
 *
 *   never        the conditions cannot hold together
 *   always       a condition that says nothing
 *   shadowed     an earlier rule of the group matches whenever this one does
 *   unreachable  an earlier rule stops this event whenever this one matches; a step that
 *                nobody comes to
 *   duplicate    an earlier rule does the same when the same holds
 *   cycle        rules wake each other again and again
 *   clock        time alone would make it true, and time wakes no rule
 *   over         valid_to is past
 *   useless      a limit, a wait that changes nothing
 *   value        asks for a text that the field never has
 *   unguarded    answers every message; mails on although it was answered
 *   endless      comes again and again, and nothing is named that would end it
 *   days         a day of business time is 24 open hours
 *
 * Pure, as all of this room. Work is bounded: of very many rules in one group not
 * all pairs are compared.
 */
#ifndef LEADD_RULE_LINT_H
#define LEADD_RULE_LINT_H

#include "rule/sequence.h"

#define LINT_EVENTS 12
#define LINT_FIELDS 1024 /* those behind count as asked and written by all */

/* A set of fields, by their index. */
struct lint_fields {
    uint64_t bits[LINT_FIELDS / 64];
    bool more;
};
void lint_fields_add(struct lint_fields *s, int field);
bool lint_fields_has(const struct lint_fields *s, int field);

/* What one command leaves behind. */
struct lint_effect {
    struct lint_fields writes;       /* fields whose value it may change */
    const char *events[LINT_EVENTS]; /* what it may announce; borrowed from the event table */
    size_t event_count;
    bool anything;   /* nothing is known of it */
    bool repeats;    /* announces its events also when all is as it wants it already */
    bool to_contact; /* writes to the contact */
    /* the value one field has afterwards */
    bool known;
    int field;
    bool has, has_not; /* of a list: what it holds, or does not */
    char value[200];   /* as people type it; empty: not set */
};

struct lint_env {
    const struct rule_fields *fields;
    int64_t now_ms;
    /* The command of a rule with this `on`; out comes in as zeroes. */
    void (*effect)(void *arg, const char *on, const char *command, struct lint_effect *out);
    /* Does time alone change the field? */
    bool (*moves)(void *arg, int field);
    /* A text that the field never has: why tells what is right instead. NULL: not asked */
    bool (*never)(void *arg, int field, const char *text, char *why, size_t n);
    void *arg;
    /* Fields that say whether the contact was answered; NULL-terminated. */
    const char *const *answered;
};

json_t *rule_lint(const struct ruleset *rs, const struct lint_env *env); /* own */
/* Adds what is to be said of its steps; "sequence" is "nurture/3" then. */
void rule_lint_sequence(const struct sequence *q, const struct lint_env *env, json_t *found);
/* One more finding of sequences; name is a sequence, or SEQUENCE/STEP. */
void rule_lint_sequence_found(json_t *found, const char *name, const char *at, const char *finding,
                              const char *text, const char *advice);
/* Can all these hold together, and not_this (NULL: nothing) not? false is certain. */
bool rule_lint_possible(const struct rule_fields *fields, struct expr *const *hold, size_t count,
                        const struct expr *not_this);
/* The findings in the order of files and lines; takes found, own. */
json_t *rule_lint_sorted(json_t *found);

#endif
