/* SPDX-License-Identifier: ISC
 *
 * optout_words - what is said about leaving our mail: at its end, and on the page
 *
 * A language is a column, a sentence a row; another language is English.
 */
#ifndef LEADD_CRM_OPTOUT_WORDS_H
#define LEADD_CRM_OPTOUT_WORDS_H

#include <stddef.h>

/* %s is filled in by optout_word_fill(). */
enum optout_word {
    OPTOUT_W_FOOT_LIST, /* label of the list; the link stands below */
    OPTOUT_W_FOOT_ALL,
    OPTOUT_W_TITLE,     /* company */
    OPTOUT_W_FOR,       /* the address, in part */
    OPTOUT_W_ALL,       /* the box for all that leadd sends */
    OPTOUT_W_LANGUAGE,
    OPTOUT_W_SAVE,
    OPTOUT_W_SAVED,
    OPTOUT_W_GONE,      /* after one click */
    OPTOUT_W_LEDGER,    /* above what is kept */
    OPTOUT_W_GRANTED,
    OPTOUT_W_WITHDRAWN,
    OPTOUT_W_COUNT
};

/* Languages of the columns: "en", "de", ..; NULL after the last. */
const char *optout_language(size_t i);
/* "de-AT" -> "de"; what is no column is "en". */
const char *optout_language_of(const char *said);
const char *optout_word(const char *language, enum optout_word w);
/* With what stands for %s; own. */
char *optout_word_fill(const char *language, enum optout_word w, const char *what);

#endif
