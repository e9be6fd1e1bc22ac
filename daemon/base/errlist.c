/* SPDX-License-Identifier: ISC
 *
 * errlist - see errlist.h
 */
#include "base/errlist.h"

#include <string.h>

#include "base/mem.h"
#include "base/text.h"

#define ERRLIST_TEXT 2048   /* bytes of one line */
#define ERRLIST_BEFORE 60   /* source shown before the caret when it is cut */
#define ERRLIST_WINDOW 110  /* source shown in all */
#define ERRLIST_INDENT "    "

void errlist_init(struct errlist *l, size_t max)
{
    *l = (struct errlist){.max = max};
}

void errlist_done(struct errlist *l)
{
    for (size_t i = 0; i < l->count; i++) {
        mem_free(l->v[i].at);
        mem_free(l->v[i].text);
        mem_free(l->v[i].lines);
    }
    mem_free(l->v);
    *l = (struct errlist){.max = l->max};
}

static char *errlist_format(const char *fmt, va_list ap)
{
    char text[ERRLIST_TEXT];
    int n = vsnprintf(text, sizeof(text), fmt, ap);
    if (n < 0)
        text[0] = '\0';
    else if ((size_t)n >= sizeof(text))
        text[text_utf8_cut(text, (size_t)n, sizeof(text) - 1)] = '\0';
    text_make_line(text);
    return mem_str(text);
}

void errlist_add(struct errlist *l, const char *at, const char *fmt, ...)
{
    if (l->count >= l->max) {
        l->dropped++;
        return;
    }
    if ((l->count & (l->count - 1)) == 0) /* 0, 1, 2, 4, 8 ...: double */
        l->v = mem_grow(l->v, (l->count ? l->count * 2 : 1) * sizeof(*l->v));
    va_list ap;
    va_start(ap, fmt);
    l->v[l->count++] = (struct errlist_entry){.at = mem_str(at), .text = errlist_format(fmt, ap)};
    va_end(ap);
}

static void errlist_append(struct errlist *l, const char *line)
{
    if (l->count == 0 || l->dropped > 0)
        return;
    struct errlist_entry *en = &l->v[l->count - 1];
    char *all = mem_printf("%s" ERRLIST_INDENT "%s\n", en->lines ? en->lines : "", line);
    mem_free(en->lines);
    en->lines = all;
}

void errlist_line(struct errlist *l, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    AUTO_FREE char *line = errlist_format(fmt, ap);
    va_end(ap);
    errlist_append(l, line);
}

/* Characters, not bytes, so that the caret stands right under non-ASCII text. */
static size_t errlist_chars(const char *s, size_t n)
{
    size_t chars = 0;
    for (size_t i = 0; i < n; i++)
        chars += ((unsigned char)s[i] & 0xc0) != 0x80;
    return chars;
}

void errlist_caret(struct errlist *l, const char *source, int col)
{
    size_t n = strlen(source), at = col < 0 ? 0 : (size_t)col, from = 0;
    if (at > n)
        at = n;
    if (n > ERRLIST_WINDOW && at > ERRLIST_BEFORE) {
        from = at - ERRLIST_BEFORE;
        while (from < at && ((unsigned char)source[from] & 0xc0) == 0x80)
            from++;
    }
    size_t len = text_utf8_cut(source + from, n - from, ERRLIST_WINDOW);
    const char *head = from ? "..." : "", *tail = from + len < n ? "..." : "";
    AUTO_FREE char *text = mem_printf("%s%.*s%s", head, (int)len, source + from, tail);
    text_make_line(text);
    errlist_append(l, text);
    size_t pad = strlen(head) + errlist_chars(source + from, at - from);
    AUTO_FREE char *caret = mem_printf("%*s^", (int)pad, "");
    errlist_append(l, caret);
}

void errlist_copy(struct errlist *l, const struct errlist_entry *entry)
{
    errlist_add(l, entry->at, "%s", entry->text);
    if (l->dropped == 0)
        l->v[l->count - 1].lines = mem_str(entry->lines);
}

size_t errlist_total(const struct errlist *l)
{
    return l->count + l->dropped;
}

static void errlist_entry_print(const struct errlist_entry *en, struct buf *out)
{
    if (en->at)
        buf_printf(out, "%s: ", en->at);
    buf_str(out, en->text);
    buf_char(out, '\n');
    if (en->lines)
        buf_str(out, en->lines);
}

void errlist_print(const struct errlist *l, struct buf *out)
{
    for (size_t i = 0; i < l->count; i++)
        errlist_entry_print(&l->v[i], out);
    if (l->dropped)
        buf_printf(out, "and %zu more errors\n", l->dropped);
}

json_t *errlist_json(const struct errlist *l)
{
    json_t *arr = json_array();
    for (size_t i = 0; i < l->count; i++) {
        struct buf one AUTO_BUF, clean AUTO_BUF;
        buf_init(&one, (size_t)64 * ERRLIST_TEXT);
        buf_init(&clean, (size_t)192 * ERRLIST_TEXT);
        errlist_entry_print(&l->v[i], &one);
        if (one.len > 0 && one.data[one.len - 1] == '\n')
            one.data[--one.len] = '\0';
        text_add_utf8(&clean, one.data, one.len);
        json_array_append_new(arr, json_stringn(clean.data, clean.len));
    }
    if (l->dropped) {
        AUTO_FREE char *more = mem_printf("and %zu more errors", l->dropped);
        json_array_append_new(arr, json_string(more));
    }
    return arr;
}
