/* SPDX-License-Identifier: ISC
 *
 * lines - a text as lines that know their quotation, and what each of them is
 *
 * Marks: what HTML knows of a line stands as one control byte in front of it.
 * mail_html_to_text() writes them on request, and nothing else can, since text
 * never holds controls. mail_marks_strip() removes them.
 */
#ifndef LEADD_MAIL_LINES_H
#define LEADD_MAIL_LINES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "mail/ctx.h"

#define MAIL_MARK_SIGNATURE '\x01'   /* inside an element that holds the signature */
#define MAIL_MARK_ATTRIBUTION '\x02' /* "On … wrote:", in whatever language */
#define MAIL_MARK_CUT '\x03'         /* the header block of a quoted mail begins here */

enum mail_line_kind {
    MAIL_LINE_TEXT,
    MAIL_LINE_QUOTE,       /* '>' or a variant of it */
    MAIL_LINE_ATTRIBUTION, /* says who wrote what follows */
    MAIL_LINE_ORIGINAL,    /* "-----Original Message-----", a rule above a block, a cut */
    MAIL_LINE_FORWARD,     /* "---------- Forwarded message ---------" */
    MAIL_LINE_BLOCK,       /* the first line of From:, Sent:, To:, Subject: */
};

struct mail_line {
    const char *p; /* behind the mark and the quotation; white space at the end removed */
    size_t n;
    unsigned char depth; /* of quotation; 255 is 255 or more */
    char mark;           /* MAIL_MARK_*, or 0 */
    bool spaced;         /* "-- ": the white space removed was there */
    unsigned char kind;  /* enum mail_line_kind */
    unsigned lines;      /* of an attribution or block: how many lines it has */
};

struct mail_lines {
    struct mail_line *v; /* own; the text is borrowed */
    size_t count;
    bool marked; /* some line has a mark or is quoted by the HTML */
    uint64_t *work; /* borrowed; counts lines looked at, or NULL */
};

void mail_lines_read(struct mail_lines *l, const char *text, size_t n);
void mail_lines_done(struct mail_lines *l);

static inline bool mail_line_empty(const struct mail_line *l)
{
    return l->n == 0;
}

/* The first line at or behind i that is not empty, or count. */
size_t mail_lines_next(const struct mail_lines *l, size_t i);

/* The line for comparing: lower case, one space between words, without emphasis
 * ('*'), invisible characters and white space at the ends; a wide colon is ':'.
 * Returns the length; what does not fit is left out. */
size_t mail_line_fold(char *out, size_t cap, const char *p, size_t n);

/* Removes the marks of a text, in place; returns the new length. */
size_t mail_marks_strip(char *text, size_t n);

#endif
