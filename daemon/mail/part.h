/* SPDX-License-Identifier: ISC
 *
 * part - a mail cut into its MIME parts, in one pass over the bytes
 *
 * libetpan's mailmime_parse() recurses once per nesting level, reads every level
 * again and ends the process on a few MB of nested parts; so the walk over the
 * boundaries is here, without recursion and bounded in depth, count and time.
 * Each line is looked at once, whatever encloses it.
 *
 * Broken structure is repaired the way people would read it, and named: a
 * missing boundary parameter is guessed from the body, a multipart whose
 * boundary never comes is text, parts cut off by the end are kept.
 */
#ifndef LEADD_MAIL_PART_H
#define LEADD_MAIL_PART_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "mail/ctx.h"
#include "mail/header.h"

enum mail_part_kind { MAIL_LEAF, MAIL_MULTI, MAIL_MESSAGE };

struct mail_part {
    enum mail_part_kind kind;
    struct mail_fields fields; /* own */
    int parent;                /* index, or -1 */
    unsigned depth;            /* 0 for the mail itself */
    unsigned number, children; /* place among the parent's parts, from 1 */
    struct str body;           /* borrowed: still transfer-encoded */
    char type[80];             /* "text/plain"; lower case */
    char disposition[24];
    char encoding[32];
    char *type_value;  /* own; Content-Type unfolded, "" when missing */
    char *disp_value;  /* own; Content-Disposition unfolded */
    char *boundary;    /* own; of a MULTI */
    bool unopened;     /* deeper than the limit */
};

struct mail_parts {
    struct mail_part *v; /* own; a part stands behind its parent */
    size_t count, cap;
    const char *raw; /* borrowed: where the mail begins; NULL: not known */
};

void mail_parts_read(struct mail_ctx *c, struct mail_parts *ps, const char *p, size_t n);
void mail_parts_done(struct mail_parts *ps);

/* The transfer encoding undone; appended to out. */
void mail_part_decode(struct mail_ctx *c, const struct mail_part *p, struct buf *out);

/* "2.1": the place in the tree, as IMAP numbers parts. */
void mail_part_path(const struct mail_parts *ps, size_t i, struct buf *out);

#endif
