/* SPDX-License-Identifier: ISC
 *
 * reply - see reply.h
 */
#include "courier/reply.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"

/* Appends a line's words to the text, cut to what fits, without control characters. */
static void reply_note(struct reply *r, const char *p, size_t n)
{
    struct buf clean AUTO_BUF;
    buf_init(&clean, BOUND_SMTP_LINE * 4);
    if (r->lines > 0)
        buf_char(&clean, ' ');
    text_add_utf8(&clean, p, n);
    for (size_t i = 0; i < clean.len; i++)
        if ((unsigned char)clean.data[i] < 0x20 || clean.data[i] == 0x7f)
            clean.data[i] = ' ';
    size_t have = strlen(r->text), room = sizeof(r->text) - 1 - have;
    size_t k = text_utf8_cut(clean.data, clean.len, room);
    memcpy(r->text + have, clean.data, k);
    r->text[have + k] = '\0';
}

/* The code of "250", "250 text" or "250-text"; 0 for anything else. */
static int line_code(const char *p, size_t n)
{
    if (n < 3 || p[0] < '2' || p[0] > '5' || p[1] < '0' || p[1] > '9' || p[2] < '0' || p[2] > '9')
        return 0;
    if (n > 3 && p[3] != ' ' && p[3] != '-')
        return 0;
    return (p[0] - '0') * 100 + (p[1] - '0') * 10 + (p[2] - '0');
}

static enum reply_result reply_line(struct reply *r, const char *p, size_t n)
{
    int code = line_code(p, n);
    if (code == 0 || (r->lines > 0 && code != r->code) || r->lines >= BOUND_SMTP_REPLY_LINES) {
        reply_note(r, p, n);
        return REPLY_BROKEN;
    }
    bool last = n == 3 || p[3] == ' ';
    r->code = code;
    if (r->lines == 0) {
        reply_note(r, p, 3);
        r->lines = 1;
        if (n > 4)
            reply_note(r, p + 4, n - 4);
    } else {
        if (n > 4)
            reply_note(r, p + 4, n - 4);
        r->lines++;
    }
    return last ? REPLY_DONE : REPLY_MORE;
}

enum reply_result reply_take(struct reply *r, struct buf *in)
{
    size_t at = 0;
    enum reply_result res = REPLY_MORE;
    while (res == REPLY_MORE) {
        const char *p = in->data + at, *lf = memchr(p, '\n', in->len - at);
        size_t n = lf ? (size_t)(lf - p) : in->len - at;
        if (n > BOUND_SMTP_LINE) {
            reply_note(r, p, 80);
            res = REPLY_BROKEN;
            break;
        }
        if (!lf)
            break;
        at += n + 1;
        while (n > 0 && p[n - 1] == '\r')
            n--;
        res = reply_line(r, p, n);
    }
    buf_drop(in, at);
    return res;
}

int reply_wire(struct buf *out, const char *raw, size_t n)
{
    for (size_t at = 0; at < n;) {
        const char *p = raw + at, *lf = memchr(p, '\n', n - at);
        size_t len = lf ? (size_t)(lf - p) : n - at;
        const char *cr = memchr(p, '\r', len);
        at += len + 1;
        if (cr) {
            len = (size_t)(cr - p);
            at = (size_t)(cr - raw) + 1;
            if (at < n && raw[at] == '\n')
                at++;
        }
        if (len > 0 && p[0] == '.')
            buf_char(out, '.');
        buf_add(out, p, len);
        buf_add(out, "\r\n", 2);
    }
    return buf_ok(out) ? 0 : -1;
}
