/* SPDX-License-Identifier: ISC
 *
 * grammar - command lines: words, quoted text, and the rest of the line
 *
 * Shared by rules, mail, leadctl and everything else that gives commands. A word
 * ends at white space; 'quoted text' is one word, '' in it is a quote. Columns
 * are 0-based bytes of the line.
 */
#ifndef LEADD_CRM_GRAMMAR_H
#define LEADD_CRM_GRAMMAR_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

#define GRAMMAR_LINE_MAX 16384

struct grammar {
    const char *line; /* borrowed */
    int at;           /* next byte */
    int word_at;      /* where the last word began: for the column of an error */
    char *word;       /* own; the last word */
};

/* ERR_INPUT when the line is no single line of UTF-8 or too long. */
int grammar_init(struct grammar *g, const char *line, struct err *e) LEADD_MUST_CHECK;
void grammar_done(struct grammar *g);
#define AUTO_GRAMMAR __attribute__((cleanup(grammar_done)))

/* The next word, or NULL at the end; valid until the next call. *ok is set to
 * false with e when a quote is not closed. */
const char *grammar_word(struct grammar *g, bool *ok, struct err *e);
/* The rest of the line, trimmed, one pair of quotes around it taken away; own
 * (mem_free). NULL when nothing is left. */
char *grammar_rest(struct grammar *g);
/* Where the next word would begin. */
const char *grammar_peek(struct grammar *g);
void grammar_skip(struct grammar *g, int bytes);
bool grammar_at_end(struct grammar *g);

#endif
