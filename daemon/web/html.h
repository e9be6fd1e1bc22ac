/* SPDX-License-Identifier: ISC
 *
 * html - text in pages: the one place where it is escaped
 */
#ifndef LEADD_WEB_HTML_H
#define LEADD_WEB_HTML_H

#include "base/buf.h"

/* Safe between tags and in quoted attributes. */
void html_text(struct buf *out, const char *s);

#endif
