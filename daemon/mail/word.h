/* SPDX-License-Identifier: ISC
 *
 * word - encoded words (RFC 2047) and parameters (RFC 2045, RFC 2231)
 *
 * Tolerant where senders err and the meaning is plain: words inside quotes,
 * words split inside a character, raw 8-bit text between them, unquoted file
 * names with spaces, encoded words as parameter values.
 */
#ifndef LEADD_MAIL_WORD_H
#define LEADD_MAIL_WORD_H

#include <stddef.h>

#include "base/buf.h"
#include "mail/ctx.h"

/* Appends the decoded, single-line UTF-8 of an unfolded value. */
void mail_words_decode(struct mail_ctx *c, struct buf *out, const char *p, size_t n,
                       const char *what);

/* The first word of a parameterised field in lower case ("text/plain",
 * "attachment"), at most cap - 1 bytes. v is unfolded. */
void mail_param_value(const char *v, char *out, size_t cap);

/* The parameter of that name, joined from its RFC 2231 pieces and decoded; own,
 * or NULL. v is unfolded. what names the field in defects. */
char *mail_param_get(struct mail_ctx *c, const char *v, const char *name, const char *what);

#endif
