/* SPDX-License-Identifier: ISC
 *
 * fuzz_words - any text, and any HTML beside it, as the words of a mail
 *
 * What is taken as new words or signature stands in one of the two forms, line by
 * line; nothing the HTML marked with is left; a forward is of the form that the
 * engine takes. The first byte says which forms there are, a 0xff parts them.
 */
#include <stdint.h>
#include <string.h>

#include "base/bounds.h"
#include "base/mem.h"
#include "base/text.h"
#include "mail/ctx.h"
#include "mail/flow.h"
#include "mail/html.h"
#include "mail/lines.h"
#include "mail/reply.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void check_lines(const char *words, const char *text, const char *html)
{
    while (*words) {
        size_t n = strcspn(words, "\n");
        if (n > 0 && !memmem(text, strlen(text), words, n))
            LEADD_ASSERT(html && memmem(html, strlen(html), words, n));
        words += n + (words[n] == '\n');
    }
}

static void check_text(const char *s)
{
    LEADD_ASSERT(text_is_utf8(s, strlen(s)));
    for (; *s; s++)
        LEADD_ASSERT((unsigned char)*s > MAIL_MARK_CUT);
}

static void check_forward(const json_t *f)
{
    const char *confidence = json_get_str(f, "confidence", "");
    const json_t *from = json_get_obj(f, "from");
    const char *address = json_get_str(from, "address", NULL);
    LEADD_ASSERT(!json_get_bool(f, "exact", true) && json_get_arr(f, "to"));
    LEADD_ASSERT(strcmp(confidence, "guess") == 0 || (strcmp(confidence, "sure") == 0 && address));
    LEADD_ASSERT(!address || (strchr(address, '@') && text_is_single_line(address)));
    LEADD_ASSERT(!from || address || json_get_str(from, "name", NULL));
    check_text(json_get_str(f, "text", ""));
    LEADD_ASSERT(text_is_single_line(json_get_str(f, "subject", "")));
}

static void read_plain(struct mail_ctx *c, struct buf *out, const char *p, size_t n)
{
    AUTO_BUF struct buf utf8;
    buf_init(&utf8, 4 * n + 16);
    text_add_utf8(&utf8, p, n);
    mail_text_clean(c, out, utf8.data, utf8.len);
}

static void read_html(struct mail_ctx *c, struct buf *out, const char *p, size_t n)
{
    AUTO_BUF struct buf utf8;
    buf_init(&utf8, 4 * n + 16);
    text_add_utf8(&utf8, p, n);
    mail_html_to_text(c, out, utf8.data, utf8.len, true);
}

static void read_words(const uint8_t *data, size_t n)
{
    struct mail_limits lim;
    struct mail_ctx c;
    AUTO_BUF struct buf text, marked;
    AUTO_JSON json_t *msg = json_object();
    mail_limits_default(&lim);
    lim.ms = 0;
    mail_ctx_init(&c, &lim);
    const char *p = (const char *)data + 1, *cut = memchr(p, 0xff, n - 1);
    size_t plain = cut ? (size_t)(cut - p) : n - 1;
    buf_init(&text, KIB(512));
    buf_init(&marked, KIB(512));
    if (cut)
        read_html(&c, &marked, cut + 1, n - plain - 2);
    read_plain(&c, &text, p, plain);
    AUTO_FREE char *html = mem_str(marked.data);
    mail_marks_strip(html, strlen(html));
    bool only_html = cut && data[0] & 1;
    struct mail_words w = {.text = only_html ? html : text.data,
                           .html = cut ? marked.data : NULL,
                           .html_is_text = only_html,
                           .name = data[0] & 2 ? "Ann Lee" : NULL,
                           .subject = data[0] & 4 ? "Fwd: x" : "x"};
    mail_reply_read(&c, &w, msg);
    check_text(json_get_str(msg, "reply", ""));
    check_text(json_get_str(msg, "signature", ""));
    check_lines(json_get_str(msg, "reply", ""), w.text, html);
    check_lines(json_get_str(msg, "signature", ""), w.text, html);
    if (json_object_get(msg, "forward"))
        check_forward(json_get_obj(msg, "forward"));
    mail_ctx_done(&c);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    if (n > 0 && n <= KIB(32))
        read_words(data, n);
    return 0;
}
