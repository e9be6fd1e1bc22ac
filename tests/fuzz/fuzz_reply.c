/* SPDX-License-Identifier: ISC
 *
 * fuzz_reply - any bytes as a relay's replies, and as a mail to be written out
 *
 * Replies mean the same in one piece as byte by byte, and their text is bounded
 * and one line. A mail's wire form holds nothing that could end it early. The
 * unit test runs the same on mutations.
 */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "courier/reply.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_reply(const struct reply *r, enum reply_result res)
{
    LEADD_ASSERT(strlen(r->text) < BOUND_SMTP_TEXT);
    LEADD_ASSERT(text_is_single_line(r->text) && text_is_utf8(r->text, strlen(r->text)));
    LEADD_ASSERT(res != REPLY_DONE || (r->code >= 200 && r->code <= 599));
}

/* The first reply of p[0..n), given in pieces of step bytes; what was left over
 * is not part of the answer. */
static enum reply_result first_reply(const char *p, size_t n, size_t step, struct reply *r)
{
    struct buf in AUTO_BUF;
    enum reply_result res = REPLY_MORE;
    buf_init(&in, MIB(1));
    *r = (struct reply){0};
    for (size_t at = 0; at < n && res == REPLY_MORE; at += step) {
        buf_add(&in, p + at, n - at < step ? n - at : step);
        res = reply_take(r, &in);
    }
    return res;
}

static void check_wire(const char *p, size_t n)
{
    struct buf out AUTO_BUF;
    buf_init(&out, 3 * n + 16);
    LEADD_ASSERT(reply_wire(&out, p, n) == 0);
    LEADD_ASSERT(n == 0 || (out.len >= 2 && memcmp(out.data + out.len - 2, "\r\n", 2) == 0));
    for (size_t i = 0; i < out.len; i++) {
        LEADD_ASSERT((out.data[i] == '\r') == (i + 1 < out.len && out.data[i + 1] == '\n'));
        bool begins = i == 0 || out.data[i - 1] == '\n';
        LEADD_ASSERT(!begins || out.data[i] != '.' || out.data[i + 1] == '.');
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *p = (const char *)data;
    struct reply whole, pieces;
    if (size > KIB(64))
        return 0;
    enum reply_result a = first_reply(p, size, size ? size : 1, &whole);
    enum reply_result b = first_reply(p, size, 1, &pieces);
    check_reply(&whole, a);
    check_reply(&pieces, b);
    LEADD_ASSERT(a == b && whole.code == pieces.code && whole.lines == pieces.lines);
    LEADD_ASSERT(a == REPLY_BROKEN || strcmp(whole.text, pieces.text) == 0);
    check_wire(p, size);
    return 0;
}
