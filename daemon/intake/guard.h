/* SPDX-License-Identifier: ISC
 *
 * guard - what a mail server may send before the connection is cut
 *
 * Every byte from the server passes here before libetpan parses it. libetpan
 * allocates what a literal announces, joins lines without a limit and recurses
 * once per parenthesis, so a lying server is stopped before that: a byte
 * budget per command, a limit on lines, on a literal, on a line and on nesting.
 *
 * Pure: knows of IMAP only lines, quoted strings, parentheses and literals.
 */
#ifndef LEADD_INTAKE_GUARD_H
#define LEADD_INTAKE_GUARD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

enum guard_brace { GUARD_NO_BRACE, GUARD_DIGITS, GUARD_CLOSED, GUARD_CR };

struct guard {
    size_t budget;        /* bytes still allowed for this command */
    size_t literal_max;   /* largest literal that was asked for */
    size_t literal_left;  /* bytes of the current literal still to come */
    size_t lines;         /* ended for this command */
    size_t line;          /* bytes of the current line, literals left out */
    unsigned depth;       /* open parentheses */
    bool quoted, escaped; /* inside "..." */
    enum guard_brace brace;
    uint64_t number; /* in {number} */
};

void guard_init(struct guard *g);
/* A new command: how much may come in answer to it. What is left of the
 * position in a line or literal stays. */
void guard_allow(struct guard *g, size_t budget, size_t literal_max);
/* 0, or -1: the server broke a limit and must not be read any further. */
int guard_check(struct guard *g, const char *p, size_t n, struct err *e) LEADD_MUST_CHECK;

#endif
