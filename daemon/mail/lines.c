/* SPDX-License-Identifier: ISC
 *
 * lines - see lines.h
 */
#include "mail/lines.h"

#include <string.h>
#include <unicode/uchar.h>
#include <unicode/utf8.h>

#include "base/mem.h"
#include "mail/header.h"

#define DEPTH_MAX 255

static bool is_mark(char ch)
{
    return ch >= MAIL_MARK_SIGNATURE && ch <= MAIL_MARK_CUT;
}

/* "> > >", "＞" and a space behind each of them. */
static void quote_skip(struct mail_line *l)
{
    const char *p = l->p;
    size_t n = l->n, spaces = 0;
    while (n > 0) {
        size_t step = *p == '>' ? 1 : n >= 3 && memcmp(p, "\xef\xbc\x9e", 3) == 0 ? 3 : 0;
        if (step == 0 && spaces == 0 && *p == ' ') {
            spaces++; /* one space may stand between two, or in front */
            p++, n--;
            continue;
        }
        if (step == 0)
            break;
        spaces = 0;
        p += step;
        n -= step;
        l->depth += l->depth < DEPTH_MAX;
        l->p = n > 0 && *p == ' ' ? p + 1 : p;
        l->n = n > 0 && *p == ' ' ? n - 1 : n;
    }
}

static void line_read(struct mail_line *l, const char *p, size_t n)
{
    *l = (struct mail_line){.p = p, .n = n};
    if (n > 0 && is_mark(*p)) {
        l->mark = *p;
        l->p++;
        l->n--;
    }
    while (l->n > 0) {
        const char *end = l->p + l->n;
        size_t cut = end[-1] == ' ' || end[-1] == '\t' ? 1 : 0;
        if (l->n >= 2 && memcmp(end - 2, "\xc2\xa0", 2) == 0)
            cut = 2;
        if (cut == 0)
            break;
        l->n -= cut;
        l->spaced = true;
    }
    quote_skip(l);
    if (l->depth > 0)
        l->kind = MAIL_LINE_QUOTE;
}

void mail_lines_read(struct mail_lines *l, const char *text, size_t n)
{
    size_t cap = 1;
    *l = (struct mail_lines){.v = NULL};
    for (size_t i = 0; i < n; i++)
        cap += text[i] == '\n';
    l->v = mem_array(cap, sizeof(*l->v));
    while (n > 0) {
        size_t t, len = mail_line_len(text, n, &t);
        struct mail_line *line = &l->v[l->count++];
        line_read(line, text, t);
        l->marked |= line->mark || line->depth > 0;
        text += len;
        n -= len;
    }
}

void mail_lines_done(struct mail_lines *l)
{
    mem_free(l->v);
    *l = (struct mail_lines){.v = NULL};
}

size_t mail_lines_next(const struct mail_lines *l, size_t i)
{
    size_t from = i;
    while (i < l->count && mail_line_empty(&l->v[i]))
        i++;
    if (l->work)
        *l->work += i - from;
    return i;
}

/* What is not seen: soft hyphen, zero width, direction marks. */
static bool is_invisible(UChar32 c)
{
    return c == 0xad || (c >= 0x200b && c <= 0x200f) || (c >= 0x202a && c <= 0x202e) ||
           (c >= 0x2060 && c <= 0x2069) || c == 0xfeff || c == '*' || (c < 0x20 && c != '\t');
}

static UChar32 plain(UChar32 c)
{
    switch (c) {
    case '\t': case 0xa0: case 0x2009: case 0x202f: case 0x3000:
        return ' ';
    case 0xff1a:
        return ':';
    case 0x2018: case 0x2019:
        return '\'';
    default:
        return c < 0 ? 0xfffd : u_tolower(c);
    }
}

size_t mail_line_fold(char *out, size_t cap, const char *p, size_t n)
{
    size_t len = 0;
    int32_t i = 0, end = n > 4096 ? 4096 : (int32_t)n;
    bool space = false;
    while (i < end) {
        UChar32 c;
        char one[U8_MAX_LENGTH];
        int32_t k = 0;
        UBool bad = 0;
        U8_NEXT(p, i, end, c);
        if (is_invisible(c))
            continue;
        c = plain(c);
        if (c == ' ') {
            space = len > 0;
            continue;
        }
        U8_APPEND(one, k, U8_MAX_LENGTH, c, bad);
        if (bad || len + (size_t)k + space + 1 > cap)
            break;
        if (space)
            out[len++] = ' ';
        memcpy(out + len, one, (size_t)k);
        len += (size_t)k;
        space = false;
    }
    if (cap > 0)
        out[len] = '\0';
    return len;
}

size_t mail_marks_strip(char *text, size_t n)
{
    size_t len = 0;
    for (size_t i = 0; i < n; i++)
        if (!is_mark(text[i]))
            text[len++] = text[i];
    text[len] = '\0';
    return len;
}
