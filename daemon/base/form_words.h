/* SPDX-License-Identifier: ISC
 *
 * form_words - what is said to who fills in a form, in the form's language
 *
 * A language is a column, a sentence a row. Words of the config ("messages") come
 * before these; a language that is not here is English.
 */
#ifndef LEADD_FORM_WORDS_H
#define LEADD_FORM_WORDS_H

#include "base/json.h"

/* %s stands for the field's label, the second %s for what is expected. */
enum form_word {
    FORM_W_THANKS_TITLE,
    FORM_W_FAILED_TITLE,
    FORM_W_ARRIVED,
    FORM_W_LATER,
    FORM_W_BUSY,
    FORM_W_REFUSED,
    FORM_W_CORRECT, /* stands above the list of faults */
    FORM_W_MISSING,
    FORM_W_SHAPE,   /* a list or object where text is expected */
    FORM_W_EMAIL,
    FORM_W_NUMBER,
    FORM_W_DATE,
    FORM_W_BOOL,
    FORM_W_CHOICE,
    FORM_W_LONG,
    FORM_W_CONSENT,
    FORM_W_FILE_MISSING,
    FORM_W_FILE_TYPE,
    FORM_W_FILE_SIZE,
    FORM_W_FILE_OTHER,
    FORM_W_REQUIRED, /* of the snippet: beside a label */
    FORM_W_SEND,
    FORM_W_SENDING,
    FORM_W_FAILED_NET,
    FORM_W_HONEYPOT,
    FORM_W_CHOOSE,
    FORM_W_CONFIRM_ASKED, /* after the post: a mail has left */
    FORM_W_CONFIRM_LATER, /* too many have left lately */
    FORM_W_CONFIRM_SUBJECT,
    FORM_W_CONFIRM_MAIL, /* %s: the company; the link stands below */
    FORM_W_CONFIRM_UNTIL, /* %s: a time */
    FORM_W_CONFIRM_NOT_YOU,
    FORM_W_CONFIRM_PAGE, /* %s: the company, the address */
    FORM_W_CONFIRM_BUTTON,
    FORM_W_CONFIRMED,
    FORM_W_CONFIRM_GONE,
    FORM_W_COUNT
};

const char *form_word(const char *lang, enum form_word w);
/* The same with its label and what is expected (may be NULL) put in; own. */
char *form_word_fill(const char *lang, enum form_word w, const char *label, const char *what);

#endif
