/* SPDX-License-Identifier: ISC
 *
 * compose - an outgoing mail as RFC 5322 bytes
 *
 * Always 7-bit, CRLF, every line under 998 bytes (76 aimed at): RFC 2047 words
 * in Subject and names, quoted-printable or base64 bodies. Dots are not stuffed; that is
 * the transport's. What is given decides the shape:
 *
 *   multipart/mixed              when something is attached
 *     multipart/alternative      when there is HTML or a calendar
 *       text/plain               always; also when it is empty
 *       text/html
 *       text/calendar; method=.. last: what can read it takes it (RFC 6047)
 *     attachments
 *
 * A CR, LF, NUL or other control character in anything that becomes a header is
 * refused, never repaired: it is somebody's attempt, or our bug. Addresses and
 * ids must be plain ASCII without space, comma or < >; extra header names are
 * RFC 5322 field names. Text that is not UTF-8 is refused.
 *
 * Bcc is never written. Nothing is invented: no Message-ID or Date unless given.
 */
#ifndef LEADD_MAIL_COMPOSE_H
#define LEADD_MAIL_COMPOSE_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

struct mail_address {
    const char *address;
    const char *name; /* may be NULL */
};

struct mail_header {
    const char *name;
    const char *value; /* UTF-8; ASCII is written as it is and folded at white space */
};

struct mail_attachment {
    const char *filename; /* NULL: none */
    const char *type;     /* what is no plain "a/b", or would need other care, is octet-stream */
    const void *data;     /* as it is; it goes as base64 */
    size_t size;
};

/* All borrowed. NULL or 0: not written. */
struct mail_compose {
    struct mail_address from; /* required */
    struct mail_address sender;
    const struct mail_address *to; /* at least one required */
    size_t to_count;
    const struct mail_address *cc;
    size_t cc_count;
    struct mail_address reply_to;
    const char *subject;           /* NULL: an empty Subject */
    const char *message_id;        /* with or without < > */
    const char *in_reply_to;       /* the same */
    const char *const *references; /* the same each, oldest first */
    size_t reference_count;
    int64_t date_ms;
    const struct mail_header *headers; /* e.g. Auto-Submitted, List-Unsubscribe, X-Leadd-Token */
    size_t header_count;
    const char *text; /* UTF-8, lines end in \n; NULL is empty */
    const char *html; /* UTF-8 */
    const char *calendar; /* an iCalendar object, UTF-8; NULL: none */
    const char *method;   /* of the calendar, as its METHOD says: "REQUEST"; required with it */
    const struct mail_attachment *attachments;
    size_t attachment_count;
};

/* Appends the mail to out (whose limit bounds it). 0, or -1 with e: ERR_INPUT
 * for a refused value, naming it. */
int mail_compose(const struct mail_compose *m, struct buf *out, struct err *e) LEADD_MUST_CHECK;

#endif
