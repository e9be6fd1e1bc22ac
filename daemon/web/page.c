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

static void add_attribute(struct buf *out, const char *name, const char *value)
{
    buf_printf(out, " %s=\"", name);
    buf_html(out, value);
    add(out, "\"");
}

static void add_options(const json_t *choice, struct buf *out)
{
    size_t i;
    const json_t *v;
    const char *chosen = json_get_str(choice, "value", "");
    add(out, " <select");
    add_attribute(out, "name", json_get_str(choice, "name", ""));
    add(out, ">");
    json_array_foreach(json_get_arr(choice, "options"), i, v) {
        const char *text = json_is_string(v) ? json_string_value(v) : "";
        add(out, strcmp(text, chosen) == 0 ? "<option selected>" : "<option>");
        buf_html(out, text);
        add(out, "</option>");
    }
    add(out, "</select>");
}

static void add_choices(const json_t *choices, struct buf *out)
{
    size_t i;
    const json_t *c;
    json_array_foreach((json_t *)choices, i, c) {
        const char *about = json_get_str(c, "about", NULL);
        bool several = json_object_get(c, "options") != NULL;
        add(out, "<p><label>");
        if (!several) {
            add(out, "<input type=\"checkbox\" value=\"1\"");
            add_attribute(out, "name", json_get_str(c, "name", ""));
            add(out, json_get_bool(c, "on", false) ? " checked> " : "> ");
        }
        buf_html(out, json_get_str(c, "label", ""));
        if (several)
            add_options(c, out);
        add(out, "</label>");
        if (about) {
            add(out, "<br>");
            buf_html(out, about);
        }
        add(out, "</p>\n");
    }
    if (!json_array_size(choices))
        return;
    add(out, "<input type=\"hidden\" name=\"_save\" value=\"");
    json_array_foreach((json_t *)choices, i, c) {
        add(out, i ? " " : "");
        buf_html(out, json_get_str(c, "name", ""));
    }
    add(out, "\">");
}

static void add_rows(const json_t *answer, struct buf *out)
{
    size_t i;
    const json_t *row, *rows = json_get_arr(answer, "rows");
    if (json_array_size(rows) == 0)
        return;
    add(out, "<p>");
    buf_html(out, json_get_str(answer, "rows_title", ""));
    add(out, "</p>\n<ul>");
    json_array_foreach((json_t *)rows, i, row) {
        add(out, "<li>");
        buf_html(out, json_is_string(row) ? json_string_value(row) : "");
        add(out, "</li>");
    }
    add(out, "</ul>\n");
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
        add(out, "<form method=\"post\">");
        add_choices(json_get_arr(answer, "choices"), out);
        add(out, "<button type=\"submit\">");
        buf_html(out, button);
        add(out, "</button></form>\n");
    }
    add_rows(answer, out);
    add(out, "</body></html>\n");
}
