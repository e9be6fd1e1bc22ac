/* SPDX-License-Identifier: ISC
 *
 * reply - the text both ways of SMTP: replies read, a mail written
 *
 * Pure. A reply comes from a stranger: lines and their number are bounded, and
 * what is not a reply is said to be broken rather than guessed at.
 */
#ifndef LEADD_COURIER_REPLY_H
#define LEADD_COURIER_REPLY_H

#include "base/bounds.h"
#include "base/buf.h"

struct reply {
    int code;                   /* 200..599 */
    unsigned lines;             /* seen so far */
    char text[BOUND_SMTP_TEXT]; /* code and words, one line of valid UTF-8 */
};

enum reply_result { REPLY_MORE, REPLY_DONE, REPLY_BROKEN };

/* Takes the lines of one reply from the front of in, which may hold it in
 * pieces: on REPLY_MORE call again with more bytes and the same r. Start with
 * a zeroed r. On REPLY_BROKEN text holds what came. */
enum reply_result reply_take(struct reply *r, struct buf *in);

/* What goes between 354 and the final ".": every line ends in CRLF (a bare CR
 * or LF, with which a second mail could be smuggled in, becomes one), and a
 * line that begins with a dot gets a second. -1 when out's limit is reached. */
int reply_wire(struct buf *out, const char *raw, size_t n) LEADD_MUST_CHECK;

#endif
