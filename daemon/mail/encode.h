/* SPDX-License-Identifier: ISC
 *
 * encode - UTF-8 as 7-bit mail: encoded words, folding, body encodings
 */
#ifndef LEADD_MAIL_ENCODE_H
#define LEADD_MAIL_ENCODE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"

bool encode_is_ascii(const char *s);

/* Appends value as the rest of an unstructured header line that already has col
 * characters: encoded words when it is not ASCII or looks like one, else folded
 * at white space. A word too long for a line is encoded too when words is true
 * (free text), else -1 (addresses and links would lose their meaning). */
int encode_unstructured(struct buf *out, size_t col, const char *value, bool words);

/* Appends a display name: an atom, a quoted string or encoded words. Returns the
 * new column. */
size_t encode_phrase(struct buf *out, size_t col, const char *name);

/* Which Content-Transfer-Encoding this text needs. */
const char *encode_body_kind(const char *text);
/* Appends text that way; lines of text end in \n, \r\n or \r, of the output in
 * CRLF. */
void encode_body(struct buf *out, const char *text, const char *kind);
/* Bytes as lines of base64. */
void encode_base64(struct buf *out, const void *p, size_t n);

#endif
