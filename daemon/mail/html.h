/* SPDX-License-Identifier: ISC
 *
 * html - HTML becomes readable text
 *
 * Paragraphs, lists, tables and links keep their shape; quotations get "> " in
 * front, so that one reader of quotations serves both kinds of mail; what is
 * hidden, scripted or style is left out.
 *
 * gumbo's tree can grow far beyond its input, and freeing it recurses; so it
 * lives in an arena with a limit, and what does not fit is read by dropping tags
 * (a defect says so).
 */
#ifndef LEADD_MAIL_HTML_H
#define LEADD_MAIL_HTML_H

#include "base/buf.h"
#include "mail/ctx.h"

/* html is UTF-8. Appends text whose lines end in \n; with marks as lines.h has them. */
void mail_html_to_text(struct mail_ctx *c, struct buf *out, const char *html, size_t n, bool marks);

/* The charset a <meta> names near the beginning, in out; "" when none. */
void mail_html_charset(const char *html, size_t n, char *out, size_t cap);

#endif
