/* SPDX-License-Identifier: ISC
 *
 * cfws - white space, comments and quoted strings of header fields, strictly
 *
 * For the few fields that decide who may do what: what does not follow the
 * grammar is refused, never mended. Comments nest and are counted, not recursed
 * into; every byte is looked at once.
 */
#ifndef LEADD_MAIL_CFWS_H
#define LEADD_MAIL_CFWS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"

struct mail_cfws {
    const char *p, *end; /* what is left; may hold folds, 8-bit bytes and NULs */
};

/* Past white space, folds and comments. False: a comment does not end, or there is a
 * control character. */
bool mail_cfws_skip(struct mail_cfws *c);
/* At a '"': appends what stands inside, and goes past it. False: it does not end. */
bool mail_cfws_quoted(struct mail_cfws *c, struct buf *out);
/* Appends what stands before the next white space, control character or byte of stop;
 * the number of bytes. */
size_t mail_cfws_word(struct mail_cfws *c, const char *stop, struct buf *out);
/* At the byte c: goes past it. */
bool mail_cfws_take(struct mail_cfws *c, char what);
bool mail_cfws_end(const struct mail_cfws *c);

#endif
