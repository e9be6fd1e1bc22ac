/* SPDX-License-Identifier: ISC
 *
 * page - see page.h
 */
#include "web/page.h"

#include <string.h>


static void add(struct buf *out, const char *s)
{
    buf_add(out, s, strlen(s));
}

void page_render(const json_t *answer, struct buf *out)
{
    const char *title = json_get_str(answer, "title", ""),
               *button = json_get_str(answer, "button", NULL);
    add(out, "<!DOCTYPE html>\n<html lang=\"");
    buf_html(out, json_get_str(answer, "lang", "en"));
    add(out, "\"><head><meta charset=\"utf-8\">"
             "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">"
             "<meta name=\"robots\" content=\"noindex\"><title>");
    buf_html(out, title);
    add(out, "</title></head>\n<body><h1>");
    buf_html(out, title);
    add(out, "</h1>\n<p>");
    buf_html(out, json_get_str(answer, "text", ""));
    add(out, "</p>\n");
    if (button) {
        add(out, "<form method=\"post\"><button type=\"submit\">");
        buf_html(out, button);
        add(out, "</button></form>\n");
    }
    add(out, "</body></html>\n");
}
