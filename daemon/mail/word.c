/* SPDX-License-Identifier: ISC
 *
 * word - see word.h
 */
#include "mail/word.h"

#include <string.h>
#include <strings.h>

#include "base/bounds.h"
#include "base/mem.h"
#include "base/text.h"
#include "mail/charset.h"
#include "mail/transfer.h"

#define CHARSET_MAX 64
#define PIECES_MAX 64 /* of one RFC 2231 parameter */

struct word {
    char charset[CHARSET_MAX];
    char encoding; /* 'q' or 'b' */
    const char *text;
    size_t n;
    size_t len; /* of the whole word */
};

/* Reads "=?charset?e?text?=" at p. Each scan ends at the next '?', so that a
 * value full of beginnings still costs linear time. */
static bool word_read(const char *p, size_t n, struct word *w)
{
    if (n < 8 || p[0] != '=' || p[1] != '?')
        return false;
    const char *q = memchr(p + 2, '?', n - 2 < CHARSET_MAX ? n - 2 : CHARSET_MAX);
    if (!q || q == p + 2 || (size_t)(p + n - q) < 5 || q[2] != '?')
        return false;
    size_t cs = (size_t)(q - p - 2);
    memcpy(w->charset, p + 2, cs);
    w->charset[cs] = '\0';
    w->charset[strcspn(w->charset, "*")] = '\0'; /* RFC 2231 language */
    w->encoding = (char)(q[1] | 0x20);
    if (w->encoding != 'q' && w->encoding != 'b')
        return false;
    w->text = q + 3;
    const char *end = memchr(w->text, '?', (size_t)(p + n - w->text));
    while (end && w->encoding == 'q' && end + 1 < p + n && end[1] != '=') {
        /* a raw '?' in Q text is wrong but meant; never past the next word */
        const char *more = memchr(end + 1, '?', (size_t)(p + n - end - 1));
        if (!more || more - w->text > 200 || more[-1] == '=')
            return false;
        end = more;
    }
    if (!end || end + 1 >= p + n || end[1] != '=')
        return false;
    w->n = (size_t)(end - w->text);
    w->len = (size_t)(end - p) + 2;
    return true;
}

/* What was collected under one charset: words may split inside a character. */
struct pending {
    struct buf bytes;
    char charset[CHARSET_MAX];
};

static void pending_flush(struct mail_ctx *c, struct buf *out, struct pending *w, const char *what)
{
    if (w->bytes.len)
        mail_to_utf8(c, out, w->bytes.data, w->bytes.len, w->charset, what);
    buf_reset(&w->bytes);
}

/* Text between words: ASCII as it is, 8-bit by guess. */
static void add_plain(struct mail_ctx *c, struct buf *out, const char *p, size_t n,
                      const char *what)
{
    if (n)
        mail_to_utf8(c, out, p, n, NULL, what);
}

static bool is_blank(const char *p, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (p[i] != ' ' && p[i] != '\t')
            return false;
    return true;
}

static void words_decode_raw(struct mail_ctx *c, struct buf *out, const char *p, size_t n,
                             const char *what)
{
    struct pending w = {.charset = ""};
    struct word word;
    size_t plain = 0; /* where the text not yet written begins */
    bool after = false;
    buf_init(&w.bytes, n + 64);
    for (size_t i = 0; i < n && !mail_late(c, 1);) {
        const char *eq = memchr(p + i, '=', n - i);
        if (!eq)
            break;
        i = (size_t)(eq - p);
        if (!word_read(eq, n - i, &word)) {
            i++;
            continue;
        }
        bool joined = after && is_blank(p + plain, i - plain);
        if (!joined || strcasecmp(w.charset, word.charset) != 0)
            pending_flush(c, out, &w, what);
        if (!joined)
            add_plain(c, out, p + plain, i - plain, what);
        memcpy(w.charset, word.charset, sizeof(w.charset));
        if (word.encoding == 'q')
            transfer_q_word(&w.bytes, word.text, word.n);
        else
            transfer_base64(&w.bytes, word.text, word.n);
        i += word.len;
        plain = i;
        after = true;
    }
    pending_flush(c, out, &w, what);
    add_plain(c, out, p + plain, n - plain, what);
    buf_done(&w.bytes);
}

void mail_words_decode(struct mail_ctx *c, struct buf *out, const char *p, size_t n,
                       const char *what)
{
    AUTO_BUF struct buf raw;
    buf_init(&raw, n * 4 + 256);
    words_decode_raw(c, &raw, p, n, what);
    bool control = false;
    for (size_t i = 0; i < raw.len; i++)
        if ((unsigned char)raw.data[i] < 0x20 || raw.data[i] == 0x7f) {
            control |= raw.data[i] != '\t'; /* white space of a folded line */
            raw.data[i] = ' ';
        }
    if (control)
        mail_defect(c, "%s holds control characters: read as spaces", what);
    char *t = text_trim(raw.data);
    buf_add(out, t, text_utf8_cut(t, strlen(t), out->max - out->len));
}

void mail_param_value(const char *v, char *out, size_t cap)
{
    size_t n = 0;
    while (*v == ' ')
        v++;
    for (; *v && !strchr(" ;(\",", *v) && n + 1 < cap; v++)
        if ((unsigned char)*v > 0x20 && (unsigned char)*v < 0x7f)
            out[n++] = *v >= 'A' && *v <= 'Z' ? (char)(*v + 32) : *v;
    out[n] = '\0';
}

struct param {
    struct str name;
    struct buf value; /* own; quotes and escapes removed */
};

/* The next "; name=value" at *v. False at the end. */
static bool param_next(const char **v, struct param *a)
{
    const char *p = *v;
    buf_reset(&a->value);
    for (;;) {
        p += strcspn(p, ";");
        p += strspn(p, "; ");
        if (!*p)
            return false;
        size_t n = strcspn(p, "=; ");
        a->name = (struct str){p, n};
        p += n + strspn(p + n, " ");
        if (*p == '=' && n > 0)
            break;
    }
    p++;
    p += strspn(p, " ");
    if (*p == '"') {
        for (p++; *p && *p != '"'; p++) {
            if (*p == '\\' && (p[1] == '"' || p[1] == '\\'))
                p++;
            buf_char(&a->value, *p);
        }
        p += *p == '"';
    } else {
        size_t n = strcspn(p, ";");
        buf_add(&a->value, p, n);
        p += n;
        while (a->value.len && a->value.data[a->value.len - 1] == ' ')
            a->value.data[--a->value.len] = '\0';
    }
    *v = p;
    return true;
}

/* The pieces of one parameter: name, name*, name*N and name*N*. */
struct pieces {
    struct buf piece[PIECES_MAX];
    bool have[PIECES_MAX], plain;
    char charset[CHARSET_MAX];
};

/* "charset'language'rest": keeps the charset, returns the rest. */
static const char *take_charset(struct pieces *s, const char *v)
{
    const char *a = strchr(v, '\''), *b = a ? strchr(a + 1, '\'') : NULL;
    if (!b || a - v >= CHARSET_MAX)
        return v;
    memcpy(s->charset, v, (size_t)(a - v));
    s->charset[a - v] = '\0';
    return b + 1;
}

static void piece_add(struct pieces *s, size_t index, bool extended, const struct buf *value)
{
    if (index >= PIECES_MAX || s->have[index])
        return;
    s->have[index] = true;
    buf_init(&s->piece[index], value->len + 1);
    const char *v = value->data;
    if (extended && index == 0)
        v = take_charset(s, v);
    for (size_t n = strlen(v), i = 0; i < n; i++) {
        int x = extended && v[i] == '%' ? transfer_hex(v + i + 1, n - i - 1) : -1;
        buf_char(&s->piece[index], x >= 0 ? (char)x : v[i]);
        i += x >= 0 ? 2 : 0;
    }
}

/* Is this parameter a piece of name? Then which one. */
static bool piece_index(const struct str *have, const char *name, size_t *index, bool *extended)
{
    size_t n = strlen(name);
    *index = 0;
    *extended = have->n > 0 && have->p[have->n - 1] == '*';
    if (have->n < n + 1 || strncasecmp(have->p, name, n) != 0 || have->p[n] != '*')
        return false;
    size_t digits = have->n - n - 1 - (*extended ? 1 : 0);
    if (have->n == n + 1)
        return true; /* name* */
    for (size_t i = 0; i < digits; i++) {
        char ch = have->p[n + 1 + i];
        if (ch < '0' || ch > '9' || digits > 3)
            return false;
        *index = *index * 10 + (size_t)(ch - '0');
    }
    return digits > 0;
}

static char *pieces_join(struct mail_ctx *c, struct pieces *s, const char *what)
{
    AUTO_BUF struct buf all, out;
    buf_init(&all, BOUND_MAIL_FIELD * 4);
    buf_init(&out, BOUND_MAIL_FIELD * 4);
    for (size_t i = 0; i < PIECES_MAX && s->have[i]; i++)
        buf_add(&all, s->piece[i].data, s->piece[i].len);
    if (*s->charset) {
        mail_to_utf8(c, &out, all.data, all.len, s->charset, what);
    } else {
        mail_words_decode(c, &out, all.data, all.len, what);
    }
    return buf_take(&out);
}

char *mail_param_get(struct mail_ctx *c, const char *v, const char *name, const char *what)
{
    struct pieces s = {.charset = ""};
    struct param a;
    AUTO_BUF struct buf simple;
    bool have_simple = false;
    buf_init(&a.value, BOUND_MAIL_FIELD);
    buf_init(&simple, BOUND_MAIL_FIELD);
    while (param_next(&v, &a) && !mail_late(c, a.value.len + 8)) {
        size_t index;
        bool extended;
        if (a.name.n == strlen(name) && strncasecmp(a.name.p, name, a.name.n) == 0) {
            if (!have_simple)
                buf_add(&simple, a.value.data, a.value.len);
            have_simple = true;
        } else if (piece_index(&a.name, name, &index, &extended)) {
            piece_add(&s, index, extended, &a.value);
        }
    }
    buf_done(&a.value);
    if (!s.have[0] && have_simple)
        piece_add(&s, 0, false, &simple);
    char *out = s.have[0] ? pieces_join(c, &s, what) : NULL;
    for (size_t i = 0; i < PIECES_MAX; i++)
        if (s.have[i])
            buf_done(&s.piece[i]);
    return out;
}
