/* SPDX-License-Identifier: ISC
 *
 * test_mail_compose - what is composed is 7-bit, safe, and reads back the same
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "base/bounds.h"
#include "base/mem.h"
#include "base/text.h"
#include "mail/compose.h"
#include "mail/parse.h"

static const struct mail_address someone = {"jane@example.com", NULL};

static struct mail_compose plain(void)
{
    return (struct mail_compose){.from = {"sales@example.org", "Sales"},
                                 .to = &someone,
                                 .to_count = 1,
                                 .subject = "Hello",
                                 .message_id = "m1@example.org",
                                 .date_ms = INT64_C(1795251600000),
                                 .text = "Hi\n"};
}

/* 7-bit, CRLF only, no line over 998, and 76 wherever words allow it. */
static void assert_wire_safe(const struct buf *b)
{
    size_t line = 0;
    for (size_t i = 0; i < b->len; i++) {
        unsigned char ch = (unsigned char)b->data[i];
        assert_true(ch < 0x80 && ch != 0);
        if (ch == '\n')
            assert_true(i > 0 && b->data[i - 1] == '\r');
        if (ch == '\r')
            assert_true(i + 1 < b->len && b->data[i + 1] == '\n');
        line = ch == '\n' ? 0 : line + 1;
        assert_true(line <= 998);
    }
    assert_true(b->len > 2 && b->data[b->len - 1] == '\n');
}

static json_t *round_trip(const struct mail_compose *m, struct buf *out)
{
    struct err e = {0};
    buf_reset(out);
    if (mail_compose(m, out, &e) < 0)
        fail_msg("%s", e.text);
    assert_wire_safe(out);
    json_t *msg = mail_parse(out->data, out->len, NULL, &e);
    assert_non_null(msg);
    return msg;
}

static void a_plain_mail_is_readable_as_it_stands(void **state)
{
    (void)state;
    AUTO_BUF struct buf out;
    buf_init(&out, MIB(1));
    struct mail_compose m = plain();
    json_decref(round_trip(&m, &out));
    assert_string_equal(out.data, "Date: Sat, 21 Nov 2026 09:00:00 +0000\r\n"
                                  "From: Sales <sales@example.org>\r\n"
                                  "To: jane@example.com\r\n"
                                  "Subject: Hello\r\n"
                                  "Message-ID: <m1@example.org>\r\n"
                                  "MIME-Version: 1.0\r\n"
                                  "Content-Type: text/plain; charset=utf-8\r\n"
                                  "Content-Transfer-Encoding: 7bit\r\n"
                                  "\r\n"
                                  "Hi\r\n");
}

static void line_breaks_in_any_header_are_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {"a\nBcc: x@example.net", "a\r\nb", "a\rb", "a\x01z", "\x7f"};
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        for (int field = 0; field < 9; field++) {
            AUTO_BUF struct buf out;
            struct err e = {0};
            struct mail_compose m = plain();
            struct mail_header h = {"X-Extra", "v"};
            struct mail_address to = someone;
            const char *ref = bad[i];
            buf_init(&out, MIB(1));
            m.to = &to;
            m.headers = &h;
            m.header_count = 1;
            switch (field) {
            case 0: m.subject = bad[i]; break;
            case 1: m.from.name = bad[i]; break;
            case 2: m.from.address = bad[i]; break;
            case 3: to.name = bad[i]; break;
            case 4: m.reply_to.address = bad[i]; break;
            case 5: m.message_id = bad[i]; break;
            case 6: m.references = &ref, m.reference_count = 1; break;
            case 7: h.value = bad[i]; break;
            default: h.name = bad[i]; break;
            }
            assert_int_equal(mail_compose(&m, &out, &e), -1);
            assert_int_equal(e.cls, ERR_INPUT);
            assert_true(*e.text);
        }
    }
}

static void addresses_that_could_name_others_are_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {"", "nobody", "@x", "a@", "a b@x", "a@x,b@x", "<a@x>",
                                      "a@x>", "j\xc3\xb6@x", "a@x (c)", "\"a\"@x"};
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        AUTO_BUF struct buf out;
        struct err e = {0};
        struct mail_compose m = plain();
        struct mail_address to = {bad[i], NULL};
        buf_init(&out, MIB(1));
        m.to = &to;
        assert_int_equal(mail_compose(&m, &out, &e), -1);
        assert_int_equal(e.cls, ERR_INPUT);
    }
}

static void headers_of_its_own_cannot_be_given_twice(void **state)
{
    (void)state;
    static const char *const bad[] = {"Bcc", "from", "Content-Type", "MIME-Version", "To"};
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        AUTO_BUF struct buf out;
        struct err e = {0};
        struct mail_compose m = plain();
        struct mail_header h = {bad[i], "x"};
        buf_init(&out, MIB(1));
        m.headers = &h;
        m.header_count = 1;
        assert_int_equal(mail_compose(&m, &out, &e), -1);
    }
}

static void too_large_fails_and_says_so(void **state)
{
    (void)state;
    AUTO_BUF struct buf out;
    struct err e = {0};
    struct mail_compose m = plain();
    buf_init(&out, 100);
    assert_int_equal(mail_compose(&m, &out, &e), -1);
    assert_non_null(strstr(e.text, "100 bytes"));
}

static void a_subject_without_spaces_fits_all_the_same(void **state)
{
    (void)state;
    AUTO_BUF struct buf out;
    struct err e = {0};
    char longest[3001];
    struct mail_compose m = plain();
    struct mail_header h = {"List-Unsubscribe", longest};
    buf_init(&out, MIB(1));
    memset(longest, 'x', 3000);
    longest[3000] = '\0';
    m.subject = longest;
    AUTO_JSON json_t *msg = round_trip(&m, &out);
    assert_int_equal(strlen(json_get_str(msg, "subject", "")), BOUND_MAIL_SUBJECT);
    m = plain();
    m.headers = &h;
    m.header_count = 1;
    assert_int_equal(mail_compose(&m, &out, &e), -1);
}

static void not_utf8_is_refused(void **state)
{
    (void)state;
    AUTO_BUF struct buf out;
    struct err e = {0};
    struct mail_compose m = plain();
    buf_init(&out, MIB(1));
    m.text = "Gr\xfc\xdf";
    assert_int_equal(mail_compose(&m, &out, &e), -1);
    m = plain();
    m.subject = "Gr\xfc\xdf";
    assert_int_equal(mail_compose(&m, &out, &e), -1);
}

/* Deterministic, so that a failure comes again. */
static uint32_t seed;
static uint32_t roll(uint32_t n)
{
    seed = seed * 1664525u + 1013904223u;
    return (seed >> 8) % n;
}

static const char *const pieces[] = {
    "a", "word", "Zoë", "Grüße", "日本", "🎉", "=?utf-8?Q?x?=", "=", "?", "_", "\"", "\\", ",", ";",
    "<", ">", "(", ")", "@", ".", "..", "From", "x@example.com", "=20", "é", "ß", "--", "5€", "#won",
    "averyveryveryveryverylongwordwithoutanyspaceinsidethatgoesonandonandonandonandonandon",
};

static void random_text(struct buf *out, size_t words, bool lines)
{
    buf_reset(out);
    for (size_t i = 0; i < words; i++) {
        if (i)
            buf_char(out, lines && roll(6) == 0 ? '\n' : ' ');
        for (uint32_t k = 0; k <= roll(3); k++)
            buf_str(out, pieces[roll(ARRAY_LEN(pieces))]);
    }
    while (out->len && (out->data[out->len - 1] == ' ' || out->data[out->len - 1] == '\n'))
        out->data[--out->len] = '\0'; /* what did not fit left one behind */
}

static void what_is_composed_reads_back_the_same(void **state)
{
    (void)state;
    struct buf out AUTO_BUF, subject AUTO_BUF, name AUTO_BUF, text AUTO_BUF, extra AUTO_BUF;
    buf_init(&out, MIB(1));
    buf_init(&subject, 900);
    buf_init(&name, 190);
    buf_init(&text, KIB(64));
    buf_init(&extra, 900);
    for (seed = 1; seed < 4000u * 7919u; seed += 7919u) {
        uint32_t keep = seed;
        struct mail_compose m = plain();
        random_text(&subject, 1 + roll(12), false);
        random_text(&name, 1 + roll(4), false);
        random_text(&text, 1 + roll(60), true);
        random_text(&extra, 1 + roll(10), false);
        struct mail_header h = {"X-Leadd-Note", extra.data};
        struct mail_address to = {"jane.doe@example.com", name.data};
        buf_char(&text, '\n');
        m.subject = subject.data;
        m.from.name = name.data;
        m.to = &to;
        m.text = text.data;
        m.headers = &h;
        m.header_count = 1;
        m.html = roll(3) == 0 ? "<p>html — words</p>\n" : NULL;
        AUTO_JSON json_t *msg = round_trip(&m, &out);
        json_t *t = json_array_get(json_get_arr(msg, "to"), 0);
        assert_string_equal(json_get_str(msg, "subject", ""), subject.data);
        assert_string_equal(json_get_str(json_get_obj(msg, "from"), "name", ""), name.data);
        assert_string_equal(json_get_str(t, "name", ""), name.data);
        assert_string_equal(json_get_str(t, "address", ""), "jane.doe@example.com");
        assert_string_equal(json_get_str(msg, "text", ""), text.data);
        assert_string_equal(
            json_get_str(json_get_obj(msg, "token_headers"), "x-leadd-note", ""), extra.data);
        assert_int_equal(json_array_size(json_get_arr(msg, "defects")), 0);
        assert_int_equal(json_array_size(json_get_arr(msg, "attachments")), 0);
        seed = keep;
    }
}

static void references_and_ids_thread_back(void **state)
{
    (void)state;
    AUTO_BUF struct buf out;
    const char *refs[40];
    char ids[40][64];
    buf_init(&out, MIB(1));
    for (size_t i = 0; i < ARRAY_LEN(refs); i++) {
        snprintf(ids[i], sizeof(ids[i]), i % 2 ? "<id-%zu.abcdef@mail.example.org>"
                                               : "id-%zu.abcdef@mail.example.org", i);
        refs[i] = ids[i];
    }
    struct mail_compose m = plain();
    m.references = refs;
    m.reference_count = ARRAY_LEN(refs);
    m.in_reply_to = refs[39];
    AUTO_JSON json_t *msg = round_trip(&m, &out);
    assert_int_equal(json_array_size(json_get_arr(msg, "references")), 40);
    assert_string_equal(json_string_value(json_array_get(json_get_arr(msg, "references"), 1)),
                        "id-1.abcdef@mail.example.org");
    assert_string_equal(json_string_value(json_array_get(json_get_arr(msg, "in_reply_to"), 0)),
                        "id-39.abcdef@mail.example.org");
    assert_string_equal(json_get_str(msg, "message_id", ""), "m1@example.org");
    assert_int_equal(json_get_int(msg, "date_ms", 0), INT64_C(1795251600000));
}

static const char meeting[] = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//leadd//EN\r\n"
                              "METHOD:REQUEST\r\nBEGIN:VEVENT\r\nUID:m1@example.org\r\n"
                              "DTSTAMP:20261121T090000Z\r\nDTSTART:20261123T090000Z\r\n"
                              "DTEND:20261123T100000Z\r\nSUMMARY:Gr\xc3\xbc\xc3\x9f Gott\r\n"
                              "ORGANIZER:mailto:sales@example.org\r\nEND:VEVENT\r\n"
                              "END:VCALENDAR\r\n";

/* The types of a mail and its parts, in the order in which they stand. */
static void assert_shape(const struct buf *out, const char *const types[], size_t n)
{
    const char *p = out->data;
    for (size_t i = 0; i < n; i++) {
        const char *next = strstr(p, "Content-Type: ");
        assert_non_null(next);
        p = next + strlen("Content-Type: ");
        if (strncmp(p, types[i], strlen(types[i])) != 0)
            fail_msg("part %zu is %.40s, not %s", i, p, types[i]);
    }
    assert_null(strstr(p, "Content-Type: "));
}

static void what_is_given_decides_the_shape(void **state)
{
    (void)state;
    struct buf out AUTO_BUF;
    static const char pdf[] = "%PDF-1.4\x00\xff";
    const struct mail_attachment a = {"Preise \xc3\xb6.pdf", "application/pdf", pdf, sizeof(pdf)};
    static const char *const all[] = {"multipart/mixed", "multipart/alternative", "text/plain",
                                      "text/html", "text/calendar; method=REQUEST; charset=utf-8",
                                      "application/pdf"};
    struct mail_compose m = plain();
    buf_init(&out, MIB(1));
    m.calendar = meeting;
    m.method = "REQUEST";
    AUTO_JSON json_t *bare = round_trip(&m, &out);
    assert_shape(&out, (const char *const[]){all[1], all[2], all[4]}, 3);
    assert_string_equal(json_get_str(bare, "kind", ""), "calendar");
    m.html = "<p>Hi</p>";
    m.attachments = &a;
    m.attachment_count = 1;
    AUTO_JSON json_t *msg = round_trip(&m, &out);
    assert_shape(&out, all, ARRAY_LEN(all));
    assert_string_equal(json_get_str(msg, "text", ""), "Hi\n");
    assert_int_equal(json_array_size(json_get_arr(msg, "defects")), 0);
    const json_t *got = json_array_get(json_get_arr(msg, "attachments"),
                                       json_array_size(json_get_arr(msg, "attachments")) - 1);
    assert_string_equal(json_get_str(got, "filename", ""), a.filename);
    assert_int_equal(json_get_int(got, "size", 0), sizeof(pdf));
}

static void a_calendar_needs_a_method_that_is_a_word(void **state)
{
    (void)state;
    static const char *const bad[] = {NULL, "", "request", "REQUEST\r\nBcc: x@example.net", "A B",
                                      "REQUEST; x=y", "ABCDEFGHIJKLMNOPQRSTUVWXYZ"};
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct buf out AUTO_BUF;
        struct err e = {0};
        struct mail_compose m = plain();
        buf_init(&out, MIB(1));
        m.calendar = meeting;
        m.method = bad[i];
        assert_int_equal(mail_compose(&m, &out, &e), -1);
        assert_int_equal(e.cls, ERR_INPUT);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_plain_mail_is_readable_as_it_stands),
        cmocka_unit_test(line_breaks_in_any_header_are_refused),
        cmocka_unit_test(addresses_that_could_name_others_are_refused),
        cmocka_unit_test(headers_of_its_own_cannot_be_given_twice),
        cmocka_unit_test(too_large_fails_and_says_so),
        cmocka_unit_test(a_subject_without_spaces_fits_all_the_same),
        cmocka_unit_test(not_utf8_is_refused),
        cmocka_unit_test(what_is_composed_reads_back_the_same),
        cmocka_unit_test(references_and_ids_thread_back),
        cmocka_unit_test(what_is_given_decides_the_shape),
        cmocka_unit_test(a_calendar_needs_a_method_that_is_a_word),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
