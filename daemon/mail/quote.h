/* SPDX-License-Identifier: ISC
 *
 * quote - which lines of a text are quotation, and what says so
 *
 * Looks at words of many languages, and without them at the shape: a line that
 * ends in ':' with an address, a date and a time; a block of fields below a rule.
 * What HTML says of its lines (lines.h) counts more than either. Two signs are
 * needed where people could have written the line themselves.
 */
#ifndef LEADD_MAIL_QUOTE_H
#define LEADD_MAIL_QUOTE_H

#include "mail/ctx.h"
#include "mail/lines.h"

/* Fills kind and lines of all lines. */
void mail_quote_find(struct mail_ctx *c, struct mail_lines *l);

/* Is there a header block at line i, whatever the quotation around it? sure: a
 * separator stands above, so that less is enough. Returns its lines, or 0. */
size_t mail_quote_block(const struct mail_lines *l, size_t i, bool sure);

/* A folded line that stands above a forwarded mail. */
bool mail_quote_is_forward(const char *line);

#endif
