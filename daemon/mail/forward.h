/* SPDX-License-Identifier: ISC
 *
 * forward - the mail that a mail forwards in its text
 *
 * Found is {exact: false, confidence, from? {address?, name?}, to [], date_ms?,
 * subject?, text}: "sure" when a forward's own separator, or a forward's subject,
 * stands with a header block that has an address; else "guess". "Fwd:" in the
 * subject without any of it is nothing. A date without a zone is read as UTC.
 *
 * Whoever wrote the mail could have written all of this by hand: it says what the
 * mail claims, never who wrote.
 */
#ifndef LEADD_MAIL_FORWARD_H
#define LEADD_MAIL_FORWARD_H

#include "mail/ctx.h"
#include "mail/lines.h"

/* The forward in lines whose kinds are known, without its note; own, or NULL. */
json_t *mail_forward_find(struct mail_ctx *c, const struct mail_lines *l, const char *subject);

/* A date as mail programs write it into a text, in the languages of phrases.c.
 * 0, or -1 when the order of day and month is open or something is missing. */
int mail_forward_date(const char *s, int64_t *ms_out);

#endif
