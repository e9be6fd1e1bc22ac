/* SPDX-License-Identifier: ISC
 *
 * lint_solve - can conditions hold together? (private to lint*.c)
 *
 * A part of a condition that compares one field with fixed values splits the
 * values of that field into a few regions within which nothing it asks differs:
 * not set, below 10, 10, above it; each text that is named, and all others. One
 * value of each region is put to the evaluator itself, so that what is said here
 * about a value is what matching says. A choice of one region per field is a
 * world; conditions that hold in no world hold never.
 *
 * Parts that cannot be split so (patterns, keywords in other texts, two fields,
 * the time before the event) are taken to be true or false as they like, each
 * the same wherever it stands. So "never" is certain, and "maybe" is all the
 * rest, also what would take too long.
 */
#ifndef LEADD_RULE_LINT_SOLVE_H
#define LEADD_RULE_LINT_SOLVE_H

#include "rule/expr_ast.h"

struct lint_term {
    const struct expr_node *node; /* borrowed */
    bool truth;                   /* what it must be */
};

/* What is known of a field besides. */
enum lint_given_kind {
    LINT_GIVEN_UNSET,
    LINT_GIVEN_TEXT,    /* text, folded or not */
    LINT_GIVEN_NUMBER,  /* number: whole numbers and bools */
    LINT_GIVEN_HAS,     /* a list: text is in it */
    LINT_GIVEN_HAS_NOT,
};

struct lint_given {
    int field;
    enum lint_given_kind kind;
    const char *text; /* borrowed */
    int64_t number;
};

struct lint_solver;
struct lint_solver *lint_solver_new(const struct rule_fields *fields);
void lint_solver_free(struct lint_solver **s); /* accepts NULL, sets NULL */

/* False: there are no facts under which all terms are as they must be. */
bool lint_possible(struct lint_solver *s, const struct lint_term *terms, size_t count,
                   const struct lint_given *given, size_t given_count);

/* For lint_worlds.c. */
#define LINT_PARTS 64 /* different parts in one question */

enum lint_part_kind {
    PART_OPEN,  /* a variable of its own: true or false as it likes */
    PART_VALUE, /* decided by the value of one field */
};

struct lint_part {
    const struct expr_node *node; /* borrowed */
    enum lint_part_kind kind;
    int field;
};

/* One field with its regions, or one open part. */
struct lint_variable {
    int field;        /* -1: an open part */
    uint64_t parts;   /* which parts it decides */
    uint64_t *worlds; /* own; of these parts, which are true */
    size_t count, cap;
};

struct lint_solver {
    const struct rule_fields *fields; /* borrowed */
    struct expr_facts *facts;         /* own */
    int field;                        /* the one that has a value now */
    struct rule_value value;
    struct lint_part parts[LINT_PARTS];
    size_t part_count;
    struct lint_variable variables[LINT_PARTS];
    size_t variable_count;
    bool too_much; /* nothing certain can be said */
};

/* Is the part one that its field's value alone decides? */
bool lint_part_decidable(const struct lint_solver *s, const struct expr_node *n);
bool lint_part_equal(const struct expr_node *a, const struct expr_node *b);
/* Fills v->worlds. */
void lint_worlds(struct lint_solver *s, struct lint_variable *v, const struct lint_given *given,
                 size_t given_count);

#endif
