/* SPDX-License-Identifier: ISC
 *
 * ctl_render - answers as tables for people
 *
 * Columns are as wide as their widest cell; when the terminal is narrower, the
 * widest columns give way and cut cells end in "…". Widths count terminal
 * columns, not bytes. Control characters, and those that turn the direction of
 * the writing, become U+FFFD: a subject line must not be able to repaint the
 * screen or to pose as another column.
 */
#include "ctl.h"

#include <locale.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <wchar.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/text.h"
#include "crm/when.h"

#define RENDER_COLUMNS 32
#define RENDER_NARROW 8 /* a column is not cut below that */
#define RENDER_CELL (64 * 1024)
#define RENDER_GAP 2

struct column {
    const char *title;
    bool right;
    int width; /* of the widest cell, then as shown */
};

struct table {
    struct column col[RENDER_COLUMNS];
    size_t ncol, nrow;
    char **cell; /* own; ncol * nrow */
};

int ctl_terminal_width(FILE *to)
{
    const char *env = getenv("COLUMNS");
    struct winsize ws;
    int64_t n;
    if (env && text_parse_int(env, &n) == 0 && n >= 20 && n < 10000)
        return (int)n;
    if (isatty(fileno(to)) && ioctl(fileno(to), TIOCGWINSZ, &ws) == 0 && ws.ws_col >= 20)
        return ws.ws_col;
    return 0;
}

/* ---- characters -------------------------------------------------------- */

/* The character at p and its length; U+FFFD for what is not UTF-8. */
static uint32_t char_at(const char *p, size_t *len_out)
{
    const unsigned char *s = (const unsigned char *)p;
    int n = s[0] < 0x80 ? 1 : (s[0] & 0xe0) == 0xc0 ? 2 : (s[0] & 0xf0) == 0xe0 ? 3
            : (s[0] & 0xf8) == 0xf0 ? 4 : 0;
    uint32_t c = n == 1 ? s[0] : n ? s[0] & (0x7fu >> n) : 0xfffd;
    *len_out = 1;
    for (int i = 1; i < n; i++) {
        if ((s[i] & 0xc0) != 0x80)
            return 0xfffd;
        c = c << 6 | (s[i] & 0x3fu);
    }
    *len_out = n ? (size_t)n : 1;
    return c;
}

static bool char_harmful(uint32_t c)
{
    return c < 0x20 || (c >= 0x7f && c < 0xa0) ||          /* C0, DEL, C1 */
           c == 0x061c || c == 0x200e || c == 0x200f ||    /* marks of direction */
           (c >= 0x2028 && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069) || c == 0xfeff;
}

static int char_width(uint32_t c)
{
    int w = wcwidth((wchar_t)c);
    return w < 0 ? 1 : w;
}

static int text_width(const char *s)
{
    int width = 0;
    size_t len;
    for (; *s; s += len)
        width += char_width(char_at(s, &len));
    return width;
}

/* Appends s made harmless. In a line, white space becomes a single space. */
static void add_harmless(struct buf *out, const char *s, bool line)
{
    size_t len;
    for (; *s; s += len) {
        uint32_t c = char_at(s, &len);
        if (!line && c == '\r' && s[1] == '\n')
            continue; /* a line end of mail */
        if (c == '\n' || c == '\t' || c == '\r')
            buf_str(out, line || c == '\r' ? " " : c == '\n' ? "\n" : "\t");
        else if (char_harmful(c) || c == 0xfffd)
            buf_str(out, "\xef\xbf\xbd");
        else
            buf_add(out, s, len);
    }
}

void ctl_render_text(const char *text, FILE *to)
{
    struct buf b AUTO_BUF;
    buf_init(&b, 64 * 1024 * 1024);
    add_harmless(&b, text, false);
    fputs(b.data, to);
    if (b.len && b.data[b.len - 1] != '\n')
        fputc('\n', to);
}

/* A list of texts, such as tags, is read as one: a, b. */
static bool texts_only(const json_t *v)
{
    size_t i;
    json_t *item;
    json_array_foreach((json_t *)v, i, item)
        if (!json_is_string(item))
            return false;
    return json_is_array(v);
}

/* Without a look, for titles and labels, a time stays as it is written. */
static char *cell_text(const json_t *v, const struct ctl_look *look)
{
    struct buf b AUTO_BUF;
    char when[40];
    buf_init(&b, RENDER_CELL);
    if (json_is_string(v)) {
        const char *s = json_string_value(v);
        const char *told =
            look ? crm_when_retell(look->zone, s, look->seconds, when, sizeof(when)) : NULL;
        add_harmless(&b, told ? told : s, true);
    } else if (json_is_boolean(v)) {
        buf_str(&b, json_is_true(v) ? "yes" : "no");
    } else if (texts_only(v)) {
        size_t i;
        json_t *item;
        json_array_foreach((json_t *)v, i, item) {
            buf_str(&b, i ? ", " : "");
            add_harmless(&b, json_string_value(item), true);
        }
    } else if (v && !json_is_null(v)) {
        AUTO_FREE char *text = json_text(v);
        add_harmless(&b, text, true);
    }
    return buf_take(&b);
}

/* Prints s in exactly width columns, cut with "…" when longer. */
static void put_padded(const char *s, int width, bool right, bool last, FILE *to)
{
    int full = text_width(s), used = 0;
    size_t len;
    if (full <= width) {
        int pad = width - full;
        fprintf(to, "%*s%s%*s", right ? pad : 0, "", s, right || last ? 0 : pad, "");
        return;
    }
    for (; *s; s += len) {
        int w = char_width(char_at(s, &len));
        if (used + w > width - 1)
            break;
        fwrite(s, 1, len, to);
        used += w;
    }
    fprintf(to, "…%*s", last ? 0 : width - 1 - used, "");
}

/* ---- tables ------------------------------------------------------------ */

static void table_fit(struct table *t, int width)
{
    int total = (int)(t->ncol - 1) * RENDER_GAP;
    for (size_t i = 0; i < t->ncol; i++)
        total += t->col[i].width;
    while (width > 0 && total > width) {
        struct column *widest = NULL;
        for (size_t i = 0; i < t->ncol; i++)
            if (t->col[i].width > RENDER_NARROW && !t->col[i].right &&
                (!widest || t->col[i].width > widest->width))
                widest = &t->col[i];
        if (!widest)
            return;
        widest->width--;
        total--;
    }
}

static void table_put_row(const struct table *t, char *const *cells, FILE *to)
{
    size_t end = t->ncol; /* no blanks after the last cell that holds something */
    while (cells && end > 1 && !*cells[end - 1])
        end--;
    for (size_t i = 0; i < end; i++) {
        bool last = i + 1 == end;
        put_padded(cells ? cells[i] : t->col[i].title, t->col[i].width, t->col[i].right, last, to);
        fprintf(to, "%*s", last ? 0 : RENDER_GAP, "");
    }
    fputc('\n', to);
}

/* A row is an array in the order of the columns, or an object by their names. */
static const json_t *row_cell(const json_t *row, const json_t *column, size_t i)
{
    return json_is_object(row) ? json_object_get(row, json_get_str(column, "name", ""))
                               : json_array_get(row, i);
}

/* As the column says; else numbers stand to the right. */
static bool column_right(const json_t *column, const json_t *rows, size_t i)
{
    const char *align = json_get_str(column, "align", NULL);
    bool number = false;
    size_t r;
    json_t *row;
    if (align)
        return strcmp(align, "right") == 0;
    json_array_foreach((json_t *)rows, r, row) {
        const json_t *v = row_cell(row, column, i);
        if (v && !json_is_null(v) && !json_is_number(v))
            return false;
        number |= json_is_number(v);
    }
    return number;
}

static void render_table(const json_t *columns, const json_t *rows, const struct ctl_look *look,
                         FILE *to)
{
    struct table t = {.ncol = json_array_size(columns), .nrow = json_array_size(rows)};
    if (t.ncol == 0 || t.ncol > RENDER_COLUMNS)
        return;
    char *title[RENDER_COLUMNS];
    t.cell = mem_array(t.ncol * t.nrow + 1, sizeof(*t.cell));
    for (size_t i = 0; i < t.ncol; i++) {
        const json_t *c = json_array_get(columns, i);
        title[i] = cell_text(json_object_get(c, json_get_str(c, "title", NULL) ? "title" : "name"),
                             NULL);
        t.col[i] = (struct column){title[i], column_right(c, rows, i), text_width(title[i])};
        for (size_t r = 0; r < t.nrow; r++) {
            char *text = cell_text(row_cell(json_array_get(rows, r), c, i), look);
            int w = text_width(text);
            t.cell[r * t.ncol + i] = text;
            if (w > t.col[i].width)
                t.col[i].width = w;
        }
    }
    table_fit(&t, look->width);
    table_put_row(&t, NULL, to);
    for (size_t r = 0; r < t.nrow; r++)
        table_put_row(&t, t.cell + r * t.ncol, to);
    for (size_t i = 0; i < t.ncol; i++)
        mem_free(title[i]);
    for (size_t i = 0; i < t.ncol * t.nrow; i++)
        mem_free(t.cell[i]);
    mem_free(t.cell);
}

static void render_fields(const json_t *fields, const struct ctl_look *look, FILE *to)
{
    int widest = 0;
    size_t i;
    json_t *v;
    json_array_foreach((json_t *)fields, i, v) {
        AUTO_FREE char *label = cell_text(json_array_get(v, 0), NULL);
        int w = text_width(label);
        if (w > widest)
            widest = w;
    }
    json_array_foreach((json_t *)fields, i, v) {
        AUTO_FREE char *label = cell_text(json_array_get(v, 0), NULL);
        AUTO_FREE char *value = cell_text(json_array_get(v, 1), look);
        put_padded(label, widest, false, false, to);
        fprintf(to, "%*s%s\n", RENDER_GAP, "", value);
    }
}

static void render_block(const json_t *data, const struct ctl_look *look, FILE *to)
{
    json_t *columns = json_get_arr(data, "columns"), *rows = json_get_arr(data, "rows");
    const char *text = json_get_str(data, "text", NULL);
    if (json_get_arr(data, "fields"))
        render_fields(json_get_arr(data, "fields"), look, to);
    if (columns && json_array_size(rows) > 0)
        render_table(columns, rows, look, to);
    else if (columns)
        fputs("none\n", to);
    if (text)
        ctl_render_text(text, to);
}

void ctl_render(const json_t *data, const struct ctl_look *look, FILE *to)
{
    size_t i;
    json_t *v;
    setlocale(LC_CTYPE, "C.UTF-8"); /* for wcwidth: what we print is always UTF-8 */
    if (json_is_string(data)) {
        ctl_render_text(json_string_value(data), to);
        return;
    }
    render_block(data, look, to);
    json_array_foreach(json_get_arr(data, "sections"), i, v) {
        AUTO_FREE char *title = cell_text(json_object_get(v, "title"), NULL);
        fprintf(to, "\n%s\n", title);
        render_block(v, look, to);
    }
}

void ctl_render_json(const json_t *data, FILE *to)
{
    /* jansson escapes C0 but not C1 controls: on a terminal, all but ASCII */
    size_t ascii = isatty(fileno(to)) ? JSON_ENSURE_ASCII : 0;
    json_dumpf(data, to, JSON_INDENT(2) | JSON_ENCODE_ANY | ascii);
    fputc('\n', to);
}
