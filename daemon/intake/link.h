/* SPDX-License-Identifier: ISC
 *
 * link - one connection to an IMAP server, already logged in
 *
 * libcurl does TCP, TLS with verification of chain and host name, STARTTLS and
 * SASL. What it hands over is read and written here, through the guard, as the
 * low driver of libetpan or line by line (IDLE). Every wait goes through the
 * role's loop, so frames are handled meanwhile, and ends at the deadline of
 * the command: link_begin() is the one place that sets it.
 *
 * After the first error nothing is read or written any more.
 */
#ifndef LEADD_INTAKE_LINK_H
#define LEADD_INTAKE_LINK_H

#include <libetpan/libetpan.h>

#include "base/buf.h"
#include "intake/desk.h"
#include "intake/settings.h"

struct link;

enum link_trouble {
    LINK_TROUBLE_NETWORK, /* try again soon */
    LINK_TROUBLE_REFUSED, /* password, certificate, TLS: a human has to act */
};

/* NULL with e and why. */
struct link *link_open(struct desk *d, const struct settings *s, enum link_trouble *why,
                       struct err *e);
void link_free(struct link **l);

/* What one command may cost. */
struct link_limits {
    size_t bytes;    /* at most in its answer */
    size_t literal;  /* largest literal in it */
    size_t expected; /* of bytes; gives it more time */
};
/* A command begins; its deadline follows from the setting and the expected. */
void link_begin(struct link *l, struct link_limits limits);
/* The command may take longer by ms (IDLE). */
void link_extend(struct link *l, int ms);
/* As above with a deadline of its own; lasts also while the role ends. */
void link_begin_last(struct link *l, int ms);

/* What broke the link, or NULL. ERR_INPUT: the server broke a limit. */
const struct err *link_error(const struct link *l);

/* libetpan's stream over this link; it does not own the link. */
mailstream *link_stream(struct link *l);

/* Without libetpan, between two of its commands: */
int link_write(struct link *l, const char *p, size_t n);
enum link_line { LINK_LINE, LINK_NO_LINE, LINK_BROKEN };
/* One line without its end. LINK_NO_LINE: none within ms, or a frame came. */
enum link_line link_read_line(struct link *l, struct buf *line, int ms);

#endif
