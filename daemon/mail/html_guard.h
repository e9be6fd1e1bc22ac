/* SPDX-License-Identifier: ISC
 *
 * html_guard - is this HTML harmless to a tree builder?
 *
 * An HTML5 parser looks through its open elements at almost every tag, and opens
 * unclosed <b> and <font> again in every paragraph: a few hundred KB of the right
 * tags cost minutes and gigabytes. This reads the tags once, without a tree, and
 * says no before that. It never says no to what mail programs write.
 */
#ifndef LEADD_MAIL_HTML_GUARD_H
#define LEADD_MAIL_HTML_GUARD_H

#include <stdbool.h>
#include <stddef.h>

/* False: nested too deep, too many unclosed formatting tags, or one tag with too
 * many attributes. */
bool html_guard_is_harmless(const char *html, size_t n);

#endif
