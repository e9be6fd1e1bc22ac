/* SPDX-License-Identifier: ISC
 *
 * html - see html.h
 */
#include "web/html.h"

void html_text(struct buf *out, const char *s)
{
    for (; *s; s++)
        switch (*s) {
        case '<':
            buf_str(out, "&lt;");
            break;
        case '>':
            buf_str(out, "&gt;");
            break;
        case '&':
            buf_str(out, "&amp;");
            break;
        case '"':
            buf_str(out, "&quot;");
            break;
        case '\'':
            buf_str(out, "&#39;");
            break;
        default:
            buf_char(out, *s);
        }
}
