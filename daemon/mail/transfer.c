/* SPDX-License-Identifier: ISC
 *
 * transfer - see transfer.h
 */
#include "mail/transfer.h"

#include <string.h>

#include "mail/header.h"

static int hex_digit(char ch)
{
    if (ch >= '0' && ch <= '9')
        return ch - '0';
    if (ch >= 'a' && ch <= 'f')
        return ch - 'a' + 10;
    if (ch >= 'A' && ch <= 'F')
        return ch - 'A' + 10;
    return -1;
}

int transfer_hex(const char *p, size_t n)
{
    if (n < 2 || hex_digit(p[0]) < 0 || hex_digit(p[1]) < 0)
        return -1;
    return hex_digit(p[0]) * 16 + hex_digit(p[1]);
}

static int base64_digit(char ch)
{
    if (ch >= 'A' && ch <= 'Z')
        return ch - 'A';
    if (ch >= 'a' && ch <= 'z')
        return ch - 'a' + 26;
    if (ch >= '0' && ch <= '9')
        return ch - '0' + 52;
    return ch == '+' ? 62 : ch == '/' ? 63 : -1;
}

size_t transfer_base64(struct buf *out, const char *p, size_t n)
{
    unsigned bits = 0, have = 0;
    size_t foreign = 0;
    for (size_t i = 0; i < n; i++) {
        int v = base64_digit(p[i]);
        if (p[i] == '=') {
            have = 0; /* padding ends a run; another may follow */
            bits = 0;
        } else if (v < 0) {
            foreign += !strchr(" \t\r\n", p[i]) || p[i] == '\0';
        } else {
            bits = (bits << 6 | (unsigned)v) & 0xffffff;
            have += 6;
        }
        if (have >= 8) {
            have -= 8;
            buf_char(out, (char)(bits >> have & 0xff));
        }
    }
    return foreign;
}

void transfer_q_word(struct buf *out, const char *p, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        int v = p[i] == '=' ? transfer_hex(p + i + 1, n - i - 1) : -1;
        buf_char(out, v >= 0 ? (char)v : p[i] == '_' ? ' ' : p[i]);
        i += v >= 0 ? 2 : 0;
    }
}

/* One line without its end; true when it ends softly. */
static bool quoted_line(struct buf *out, const char *p, size_t n, size_t *foreign)
{
    while (n > 0 && (p[n - 1] == ' ' || p[n - 1] == '\t'))
        n--; /* added on the way (RFC 2045 6.7) */
    bool soft = n > 0 && p[n - 1] == '=';
    n -= soft;
    for (size_t i = 0; i < n;) {
        const char *eq = memchr(p + i, '=', n - i);
        size_t plain = eq ? (size_t)(eq - p) - i : n - i;
        buf_add(out, p + i, plain);
        i += plain;
        if (!eq)
            break;
        int v = transfer_hex(eq + 1, n - i - 1);
        buf_char(out, v >= 0 ? (char)v : '=');
        *foreign += v < 0;
        i += v >= 0 ? 3 : 1;
    }
    return soft;
}

size_t transfer_quoted(struct buf *out, const char *p, size_t n)
{
    size_t foreign = 0;
    while (n > 0) {
        size_t text, len = mail_line_len(p, n, &text);
        bool soft = quoted_line(out, p, text, &foreign);
        if (!soft)
            buf_add(out, p + text, len - text);
        p += len;
        n -= len;
    }
    return foreign;
}
