/* SPDX-License-Identifier: ISC
 *
 * text - small questions about text
 */
#ifndef LEADD_TEXT_H
#define LEADD_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

/* No CR, LF or NUL-like control character that could end a header or a
 * command line. The one gate for everything written into a text protocol. */
bool text_is_single_line(const char *s);

bool text_is_utf8(const char *s, size_t n);
/* Appends s as valid UTF-8: what is not becomes U+FFFD, NUL is dropped.
 * True when s was valid and had no NUL. */
bool text_add_utf8(struct buf *out, const char *s, size_t n);
/* For messages made of what came from outside, in place: a control character
 * becomes a space, a byte that is not UTF-8 becomes '?'. */
void text_make_line(char *s);
/* Cuts to at most max bytes without splitting a character; returns the length. */
size_t text_utf8_cut(const char *s, size_t n, size_t max);

/* Removes ASCII white space at both ends, in place; returns s moved forward. */
char *text_trim(char *s);
/* Lower case for ASCII only, in place. Unicode folding is crm's business. */
void text_lower(char *s);
bool text_starts(const char *s, const char *prefix);

/* "90s", "30m", "2h", "3d", "1w" and "2 days", "1h 30m". 0 or -1. */
int text_parse_duration(const char *s, int64_t *ms_out);
/* "10485760", "64K", "50M", "1G" (powers of 1024). 0 or -1. */
int text_parse_size(const char *s, int64_t *bytes_out);
int text_parse_int(const char *s, int64_t *out);
/* "21:00-08:00": minutes of the day. 0 or -1. */
int text_parse_hours(const char *s, int *begin_out, int *end_out);
/* "3d", "1h 30m", "12s": the reverse of text_parse_duration. */
const char *text_format_duration(int64_t ms, char *out, size_t n);

/* The candidate nearest to s by edit distance, or NULL when none is near. */
const char *text_nearest(const char *s, const char *const *candidates, size_t count);

void text_hex(const void *p, size_t n, char *out); /* out: 2n+1 bytes */
/* RFC 4648 base32 in lower case without padding; out: (n*8+4)/5+1 bytes. */
void text_base32(const void *p, size_t n, char *out);
bool text_equal_ct(const char *a, const char *b); /* constant time in the content */

#endif
