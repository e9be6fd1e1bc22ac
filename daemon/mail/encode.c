/* SPDX-License-Identifier: ISC
 *
 * encode - see encode.h
 */
#include "mail/encode.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"

#define LINE_AIM 76
#define LINE_MAX 990
#define WORD_TEXT 42 /* bytes of UTF-8 in a B word: 75 with its frame */
#define WORD_MAX 75

bool encode_is_ascii(const char *s)
{
    for (; *s; s++)
        if ((unsigned char)*s >= 0x80)
            return false;
    return true;
}

/* Allowed as it is in a Q word, also inside a phrase (RFC 2047 5.3). */
static bool is_q_plain(unsigned char ch)
{
    return (ch >= 'a' && ch <= 'z') || (ch >= 'A' && ch <= 'Z') || (ch >= '0' && ch <= '9') ||
           (ch && strchr("!*+-/", ch));
}

static size_t q_size(const char *p, size_t n)
{
    size_t size = 0;
    for (size_t i = 0; i < n; i++)
        size += is_q_plain((unsigned char)p[i]) || p[i] == ' ' ? 1 : 3;
    return size;
}

static void add_base64(struct buf *out, const char *p, size_t n)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (size_t i = 0; i < n; i += 3) {
        unsigned v = (unsigned char)p[i] << 16;
        v |= i + 1 < n ? (unsigned)(unsigned char)p[i + 1] << 8 : 0;
        v |= i + 2 < n ? (unsigned char)p[i + 2] : 0;
        buf_char(out, digits[v >> 18]);
        buf_char(out, digits[v >> 12 & 63]);
        buf_char(out, i + 1 < n ? digits[v >> 6 & 63] : '=');
        buf_char(out, i + 2 < n ? digits[v & 63] : '=');
    }
}

static void add_hex(struct buf *out, unsigned char ch)
{
    static const char hex[] = "0123456789ABCDEF";
    buf_char(out, '=');
    buf_char(out, hex[ch >> 4]);
    buf_char(out, hex[ch & 15]);
}

static void add_word(struct buf *out, const char *p, size_t n, bool q)
{
    buf_str(out, q ? "=?utf-8?Q?" : "=?utf-8?B?");
    if (!q)
        add_base64(out, p, n);
    for (size_t i = 0; q && i < n; i++) {
        if (p[i] == ' ')
            buf_char(out, '_');
        else if (is_q_plain((unsigned char)p[i]))
            buf_char(out, p[i]);
        else
            add_hex(out, (unsigned char)p[i]);
    }
    buf_str(out, "?=");
}

/* How much of p fits into one word of at most room characters, whole characters
 * only. */
static size_t word_fit(const char *p, size_t n, bool q, size_t room)
{
    if (room < 24)
        return 0;
    room -= 12;
    size_t fit = text_utf8_cut(p, n, q ? room : room / 4 * 3);
    while (q && fit > 0 && q_size(p, fit) > room)
        fit = text_utf8_cut(p, n, fit - 1);
    return fit;
}

/* The whole value as encoded words: white space between them does not count. */
static size_t add_words(struct buf *out, size_t col, const char *p)
{
    size_t n = strlen(p);
    bool q = q_size(p, n) <= n + n / 2;
    bool first = true;
    while (n > 0) {
        size_t room = col < LINE_AIM ? LINE_AIM - col : 0;
        size_t fit = word_fit(p, n, q, room < WORD_MAX ? room : WORD_MAX);
        if (fit == 0) {
            buf_str(out, "\r\n ");
            col = 1;
            fit = word_fit(p, n, q, WORD_MAX);
        } else if (!first) {
            buf_str(out, "\r\n ");
            col = 1;
            fit = word_fit(p, n, q, WORD_MAX);
        }
        size_t before = out->len;
        add_word(out, p, fit, q);
        col += out->len - before;
        p += fit;
        n -= fit;
        first = false;
    }
    return col;
}

/* ASCII, folded in front of white space where a line gets long. */
static int add_folded(struct buf *out, size_t col, const char *p)
{
    while (*p) {
        size_t gap = strspn(p, " \t"), word = strcspn(p + gap, " \t");
        if (word == 0)
            break; /* white space at the end says nothing */
        if (col + gap + word > LINE_AIM && gap > 0 && col > 1) {
            buf_str(out, "\r\n");
            col = 0;
        } else if (col + gap + word > LINE_AIM && gap == 0 && col > 2 &&
                   out->len > 0 && out->data[out->len - 1] == ' ') {
            out->data[--out->len] = '\0'; /* the space behind the colon begins the next line */
            buf_str(out, "\r\n ");
            col = 1;
        }
        if (gap + word > LINE_MAX)
            return -1;
        buf_add(out, p, gap + word);
        col += gap + word;
        p += gap + word;
    }
    return 0;
}

static bool has_long_word(const char *p)
{
    for (; *p; p += strspn(p, " \t")) {
        size_t n = strcspn(p, " \t");
        if (n > LINE_MAX)
            return true;
        p += n;
    }
    return false;
}

int encode_unstructured(struct buf *out, size_t col, const char *value, bool words)
{
    while (*value == ' ' || *value == '\t')
        value++;
    if (!encode_is_ascii(value) || strstr(value, "=?") || (words && has_long_word(value))) {
        add_words(out, col, value);
        return 0;
    }
    return add_folded(out, col, value);
}

size_t encode_phrase(struct buf *out, size_t col, const char *name)
{
    size_t before = out->len, n = strlen(name);
    bool atoms = true;
    for (const char *p = name; *p; p++)
        atoms = atoms && (*p == ' ' || ((unsigned char)*p > 0x20 && (unsigned char)*p < 0x7f &&
                                        !strchr("()<>[]:;@\\,.\"", *p)));
    if (!encode_is_ascii(name) || strstr(name, "=?"))
        return add_words(out, col, name);
    if (atoms && n > 0 && name[0] != ' ' && name[n - 1] != ' ' && !strstr(name, "  ")) {
        buf_str(out, name);
        return col + n;
    }
    buf_char(out, '"');
    for (const char *p = name; *p; p++) {
        if (*p == '"' || *p == '\\')
            buf_char(out, '\\');
        buf_char(out, *p == '\t' ? ' ' : *p);
    }
    buf_char(out, '"');
    return col + out->len - before;
}

/* One line of text and how many bytes its end takes. */
static size_t line_of(const char *p, size_t *end)
{
    size_t n = strcspn(p, "\r\n");
    *end = p[n] == '\r' && p[n + 1] == '\n' ? 2 : p[n] ? 1 : 0;
    return n;
}

const char *encode_body_kind(const char *text)
{
    size_t high = 0, n = 0;
    bool plain = true;
    while (*text) {
        size_t end, len = line_of(text, &end);
        for (size_t i = 0; i < len; i++) {
            unsigned char ch = (unsigned char)text[i];
            high += ch >= 0x80;
            plain = plain && ch < 0x7f && (ch >= 0x20 || ch == '\t');
        }
        plain = plain && len <= LINE_AIM && strncmp(text, "From ", 5) != 0;
        n += len + end;
        text += len + end;
    }
    return plain ? "7bit" : high * 4 > n ? "base64" : "quoted-printable";
}

static void add_quoted_line(struct buf *out, const char *p, size_t n)
{
    size_t col = 0;
    for (size_t i = 0; i < n; i++) {
        unsigned char ch = (unsigned char)p[i];
        bool last = i + 1 == n;
        bool plain = (ch > 0x20 && ch < 0x7f && ch != '=') ||
                     ((ch == ' ' || ch == '\t') && !last);
        if (i == 0 && n > 4 && strncmp(p, "From ", 5) == 0)
            plain = false;
        if (col + (plain ? 1 : 3) > LINE_AIM - 1) {
            buf_str(out, "=\r\n");
            col = 0;
        }
        if (plain)
            buf_char(out, (char)ch);
        else
            add_hex(out, ch);
        col += plain ? 1 : 3;
    }
    buf_str(out, "\r\n");
}

static void add_base64_body(struct buf *out, const char *text)
{
    AUTO_BUF struct buf crlf;
    buf_init(&crlf, out->max);
    while (*text) {
        size_t end, n = line_of(text, &end);
        buf_add(&crlf, text, n);
        buf_str(&crlf, "\r\n");
        text += n + end;
    }
    for (size_t at = 0; at < crlf.len; at += 57) {
        add_base64(out, crlf.data + at, crlf.len - at < 57 ? crlf.len - at : 57);
        buf_str(out, "\r\n");
    }
    out->full = out->full || crlf.full;
}

void encode_body(struct buf *out, const char *text, const char *kind)
{
    if (*kind == 'b') {
        add_base64_body(out, text);
        return;
    }
    while (*text) {
        size_t end, n = line_of(text, &end);
        if (*kind == 'q') {
            add_quoted_line(out, text, n);
        } else {
            buf_add(out, text, n);
            buf_str(out, "\r\n");
        }
        text += n + end;
    }
}

void encode_base64(struct buf *out, const void *p, size_t n)
{
    const char *bytes = p;
    for (size_t at = 0; at < n; at += 57) {
        add_base64(out, bytes + at, n - at < 57 ? n - at : 57);
        buf_str(out, "\r\n");
    }
}
