/* SPDX-License-Identifier: ISC
 *
 * transfer - base64 and quoted-printable undone, whatever is between
 *
 * libetpan's decoders turn a stray '=' into a NUL byte and do not say what they
 * skipped; here such text stays as it was written, and is counted.
 */
#ifndef LEADD_MAIL_TRANSFER_H
#define LEADD_MAIL_TRANSFER_H

#include <stddef.h>

#include "base/buf.h"

/* Appends the bytes; returns how many characters had no place in the encoding. */
size_t transfer_base64(struct buf *out, const char *p, size_t n);
size_t transfer_quoted(struct buf *out, const char *p, size_t n);

/* The "Q" form of encoded words: '_' is a space, there are no soft line ends. */
void transfer_q_word(struct buf *out, const char *p, size_t n);

/* The value of two hex digits at p, or -1. */
int transfer_hex(const char *p, size_t n);

#endif
