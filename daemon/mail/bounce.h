/* SPDX-License-Identifier: ISC
 *
 * bounce - what the readers of delivery reports share (of mail/ alone)
 *
 * bounce.c reads a report's fields, bounce_text.c the words of servers that send
 * none, bounce_words.c knows which words mean which enhanced status (RFC 3463).
 */
#ifndef LEADD_MAIL_BOUNCE_H
#define LEADD_MAIL_BOUNCE_H

#include <stdbool.h>
#include <stddef.h>

#include "mail/ctx.h"
#include "mail/header.h"
#include "mail/part.h"

#define BOUNCE_TEXT KIB(64) /* of a report's words that are looked at */
#define BOUNCE_STATUS 16    /* bytes of "5.1.10" with its NUL, and room */

/* The mail that came back: the header block that stands in the text. */
struct bounce_original {
    json_t *to;   /* borrowed; folded addresses of its To and Cc */
    size_t words; /* bytes of the text before it: what the server says itself */
};

/* What a report brings back as a part: sets original_message_id and original_token of b,
 * and fills o->to. o may be NULL. */
void mail_original_read(struct mail_ctx *c, const struct mail_parts *ps, json_t *b,
                        struct bounce_original *o);

/* ---- bounce_text.c ---- */

/* Where the returned header block begins in text; n when there is none. */
size_t bounce_original_at(const char *text, size_t n);

/* Sets on b what is missing of recipient, status, diagnostic and action. */
void bounce_text_read(const json_t *msg, const char *text, const struct bounce_original *o,
                      json_t *b);

/* ---- bounce_words.c ---- */

/* "5.1.1" for "550 <a@b>: user unknown": from an enhanced code, from the words, from the
 * reply code, in that order. False when it says nothing. text is in lower case. */
bool bounce_status_find(const char *text, size_t n, char out[BOUNCE_STATUS]);
/* Only codes that are written out ("550 5.1.1", "#5.1.1"). *vague: it ends in .0.0 */
bool bounce_status_written(const char *text, size_t n, char out[BOUNCE_STATUS]);

/* The text (in lower case) says that it is still being tried. */
bool bounce_is_delay(const char *text);
bool bounce_has_subject(const char *subject);
/* A sentence that only mail servers write; in the first words of text, unquoted. */
bool bounce_has_marker(const char *text, size_t n);

#endif
