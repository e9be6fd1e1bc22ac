/* SPDX-License-Identifier: ISC
 *
 * fuzz_compose - any words as the fields of an outgoing mail
 *
 * The input is split at RS (0x1e) into From, its name, To, its name, Cc, Reply-To,
 * Subject, Message-ID, In-Reply-To, a reference, an extra header's name and value,
 * text, HTML, a calendar
 * and its method; an empty part is not given. What is composed is safe on the wire,
 * has each header once, and reads back with the same subject, addresses and text
 * shape; what is refused is refused with a reason, and nothing is half written.
 */
#include <stdint.h>
#include <string.h>
#include <strings.h>

#include "base/bounds.h"
#include "base/mem.h"
#include "base/text.h"
#include "mail/compose.h"
#include "mail/parse.h"
#include "wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { FROM, FROM_NAME, TO, TO_NAME, CC, REPLY_TO, SUBJECT, ID, IN_REPLY_TO, REFERENCE, EXTRA,
       EXTRA_VALUE, TEXT, HTML, CALENDAR, METHOD, PARTS };

static void split(const uint8_t *data, size_t size, char *parts[PARTS])
{
    const char *p = (const char *)data, *end = p + size;
    for (int i = 0; i < PARTS; i++) {
        const char *cut = p < end && i < PARTS - 1 ? memchr(p, 0x1e, (size_t)(end - p)) : NULL;
        size_t n = (size_t)((cut ? cut : end) - p);
        parts[i] = n ? mem_strn(p, n) : NULL;
        p = cut ? cut + 1 : end;
    }
}

static bool same_address(const json_t *list, const char *want)
{
    const char *got = json_get_str(json_array_get(list, 0), "address", "");
    return strcasecmp(got, want) == 0;
}

/* White space is folded and collapsed on the way. */
static bool same_words(const char *a, const char *b)
{
    for (;;) {
        while (*a == ' ' || *a == '\t')
            a++;
        while (*b == ' ' || *b == '\t')
            b++;
        if (!*a || !*b)
            return *a == *b;
        if (*a++ != *b++)
            return false;
    }
}

static bool is_plain(const char *s)
{
    for (; *s; s++)
        if ((unsigned char)*s < 0x20 && *s != '\t')
            return false;
    return true;
}

static void check_mail(const struct mail_compose *m, const struct buf *out)
{
    static const char *const once[] = {"from", "to", "subject", "mime-version", "content-type"};
    struct err e = {0};
    wire_check(out->data, out->len);
    LEADD_ASSERT(strlen(out->data) == out->len);
    for (size_t i = 0; i < ARRAY_LEN(once); i++)
        LEADD_ASSERT(m->header_count || wire_count(out->data, once[i]) == 1);
    LEADD_ASSERT(m->header_count || wire_count(out->data, "bcc") == 0);
    if (m->header_count)
        return; /* it may be any header, Subject too */
    AUTO_JSON json_t *msg = mail_parse(out->data, out->len, NULL, &e);
    LEADD_ASSERT(msg);
    const char *subject = m->subject ? m->subject : "";
    if (strlen(subject) < 300 && is_plain(subject))
        LEADD_ASSERT(same_words(json_get_str(msg, "subject", "?"), subject));
    LEADD_ASSERT(json_array_size(json_get_arr(msg, "to")) == 1);
    LEADD_ASSERT(json_array_size(json_get_arr(msg, "cc")) == m->cc_count);
    LEADD_ASSERT(strlen(m->to->address) > 100 || !strchr(m->to->address, '@') ||
                 strpbrk(m->to->address, "\"\\()[];:") ||
                 same_address(json_get_arr(msg, "to"), m->to->address));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *p[PARTS];
    struct buf out AUTO_BUF;
    struct err e = {0};
    if (size > KIB(64))
        return 0;
    split(data, size, p);
    struct mail_address to = {p[TO], p[TO_NAME]}, cc = {p[CC], NULL};
    struct mail_header extra = {p[EXTRA], p[EXTRA_VALUE] ? p[EXTRA_VALUE] : ""};
    const char *reference = p[REFERENCE];
    struct mail_compose m = {
        .from = {p[FROM], p[FROM_NAME]},
        .to = &to,
        .to_count = p[TO] != NULL,
        .cc = &cc,
        .cc_count = p[CC] != NULL,
        .reply_to = {p[REPLY_TO], NULL},
        .subject = p[SUBJECT],
        .message_id = p[ID],
        .in_reply_to = p[IN_REPLY_TO],
        .references = &reference,
        .reference_count = reference != NULL,
        .headers = &extra,
        .header_count = p[EXTRA] != NULL,
        .date_ms = INT64_C(1795251600000),
        .text = p[TEXT],
        .html = p[HTML],
        .calendar = p[CALENDAR],
        .method = p[METHOD],
    };
    buf_init(&out, MIB(4));
    if (mail_compose(&m, &out, &e) == 0)
        check_mail(&m, &out);
    else
        LEADD_ASSERT(e.cls != ERR_NONE && e.text[0] && text_is_single_line(e.text));
    for (int i = 0; i < PARTS; i++)
        mem_free(p[i]);
    return 0;
}
