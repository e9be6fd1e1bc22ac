/* SPDX-License-Identifier: ISC
 *
 * test_mail_hostile - mail made to hurt: filed, with its defects named, in
 * linear work
 *
 * Work is counted in bytes looked at, not in time. Each case is built in two
 * sizes; twice the size may not cost more than a little over twice the work.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/bounds.h"
#include "base/buf.h"
#include "base/mem.h"
#include "mail/parse.h"

#define TOP                                                                                        \
    "From: Jane <jane@example.com>\r\nMessage-ID: <h@example.com>\r\n"                             \
    "Date: Fri, 20 Nov 2026 10:00:00 +0000\r\n"

static void repeat(struct buf *b, const char *s, size_t times)
{
    for (size_t i = 0; i < times; i++)
        buf_str(b, s);
}

static json_t *parse(const struct buf *b, uint64_t *work)
{
    struct mail_limits lim;
    struct err e = {0};
    mail_limits_default(&lim);
    lim.ms = 0; /* a loaded machine must not decide */
    lim.work = work;
    json_t *msg = mail_parse(b->data, b->len, &lim, &e);
    assert_non_null(msg);
    return msg;
}

static bool has_defect(const json_t *msg, const char *part)
{
    size_t i;
    json_t *d;
    json_array_foreach (json_get_arr(msg, "defects"), i, d)
        if (strstr(json_string_value(d), part))
            return true;
    return false;
}

static void assert_defect(const json_t *msg, const char *part)
{
    if (has_defect(msg, part))
        return;
    char *text = json_text(json_get_arr(msg, "defects"));
    print_error("no \"%s\" in %s\n", part, text);
    mem_free(text);
    fail();
}

/* What every case keeps: the sender is known, whatever else is broken. */
static void assert_filed(const json_t *msg)
{
    assert_string_equal(json_get_str(json_get_obj(msg, "from"), "address", ""),
                        "jane@example.com");
    assert_string_equal(json_get_str(msg, "message_id", ""), "h@example.com");
}

static void ten_thousand_headers_cannot_hide_the_sender(void **state)
{
    (void)state;
    AUTO_BUF struct buf b;
    buf_init(&b, MIB(4));
    repeat(&b, "X-Junk: 1\r\n", 10000);
    buf_str(&b, TOP "Subject: found\r\n\r\nhi\r\n");
    AUTO_JSON json_t *msg = parse(&b, NULL);
    assert_filed(msg);
    assert_string_equal(json_get_str(msg, "subject", ""), "found");
    assert_string_equal(json_get_str(msg, "text", ""), "hi\n");
    assert_defect(msg, "over the limit of 1000 fields");
}

static void a_header_line_of_a_megabyte_is_cut_and_named(void **state)
{
    (void)state;
    AUTO_BUF struct buf b;
    buf_init(&b, MIB(4));
    buf_str(&b, "Subject: ");
    repeat(&b, "x", MIB(1));
    buf_str(&b, "\r\n" TOP "\r\nhi\r\n");
    AUTO_JSON json_t *msg = parse(&b, NULL);
    assert_filed(msg);
    assert_defect(msg, "field of 1048577 bytes");
    assert_defect(msg, "Subject has");
    assert_int_equal(strlen(json_get_str(msg, "subject", "")), BOUND_MAIL_SUBJECT);
}

static void a_hundred_nested_parts_are_opened_to_the_limit(void **state)
{
    (void)state;
    AUTO_BUF struct buf b;
    buf_init(&b, MIB(4));
    buf_str(&b, TOP);
    for (int i = 0; i < 100; i++)
        buf_printf(&b, "Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n\r\nlevel %d\r\n"
                       "--b%d\r\n", i, i, i, i);
    buf_str(&b, "\r\nthe core\r\n");
    for (int i = 99; i >= 0; i--)
        buf_printf(&b, "--b%d--\r\n", i);
    AUTO_JSON json_t *msg = parse(&b, NULL);
    assert_filed(msg);
    assert_defect(msg, "nested deeper than 24");
    assert_non_null(strstr(json_get_str(msg, "text", ""), "level 0\n"));
    assert_non_null(strstr(json_get_str(msg, "text", ""), "level 23\n"));
    assert_null(strstr(json_get_str(msg, "text", ""), "level 24\n"));
    assert_int_equal(json_array_size(json_get_arr(msg, "attachments")), 1);
}

static void mails_in_mails_without_end_are_opened_to_the_limit(void **state)
{
    (void)state;
    AUTO_BUF struct buf b;
    buf_init(&b, MIB(16));
    buf_str(&b, TOP);
    repeat(&b, "Content-Type: message/rfc822\r\n\r\n", 200000);
    AUTO_JSON json_t *msg = parse(&b, NULL);
    assert_filed(msg);
    assert_defect(msg, "nested deeper than 24");
}

static void a_mail_over_the_size_limit_is_read_up_to_it(void **state)
{
    (void)state;
    AUTO_BUF struct buf b;
    buf_init(&b, MIB(60));
    buf_str(&b, TOP "\r\nfirst line\r\n");
    while (b.len < MIB(51))
        buf_str(&b, "another line of the same text, as long as a line may be in a normal mail\r\n");
    AUTO_JSON json_t *msg = parse(&b, NULL);
    assert_filed(msg);
    assert_defect(msg, "only the first 52428800 were read");
    assert_defect(msg, "the text is over the limit");
    assert_int_equal(json_get_int(msg, "size", 0), b.len);
    assert_int_equal(strncmp(json_get_str(msg, "text", ""), "first line\n", 11), 0);
}

static void parts_without_end_stop_at_the_limit(void **state)
{
    (void)state;
    AUTO_BUF struct buf b;
    buf_init(&b, MIB(4));
    buf_str(&b, TOP "Content-Type: multipart/mixed; boundary=b\r\n\r\n");
    repeat(&b, "--b\r\nContent-Type: application/x-y\r\n\r\nz\r\n", 20000);
    AUTO_JSON json_t *msg = parse(&b, NULL);
    assert_filed(msg);
    assert_defect(msg, "more than 500 parts");
    assert_int_equal(json_array_size(json_get_arr(msg, "attachments")), BOUND_MAIL_PARTS - 1);
}

static void addresses_without_end_stop_at_the_limit(void **state)
{
    (void)state;
    AUTO_BUF struct buf b;
    buf_init(&b, MIB(4));
    buf_str(&b, TOP "To: x@example.org");
    for (int i = 0; i < 3000; i++)
        buf_printf(&b, ",\r\n a%d@example.org", i);
    buf_str(&b, "\r\n\r\nhi\r\n");
    AUTO_JSON json_t *msg = parse(&b, NULL);
    assert_filed(msg);
    assert_defect(msg, "To has more than 200 addresses");
    assert_int_equal(json_array_size(json_get_arr(msg, "to")), BOUND_MAIL_ADDRESSES);
}

static void references_keep_the_first_and_the_last(void **state)
{
    (void)state;
    AUTO_BUF struct buf b;
    buf_init(&b, MIB(4));
    buf_str(&b, TOP "References:");
    for (int i = 0; i < 1500; i++)
        buf_printf(&b, "\r\n <r%d@example.org>", i);
    buf_str(&b, "\r\n\r\nhi\r\n");
    AUTO_JSON json_t *msg = parse(&b, NULL);
    json_t *refs = json_get_arr(msg, "references");
    assert_int_equal(json_array_size(refs), BOUND_MAIL_REFERENCES);
    assert_string_equal(json_string_value(json_array_get(refs, 0)), "r0@example.org");
    assert_string_equal(json_string_value(json_array_get(refs, BOUND_MAIL_REFERENCES - 1)),
                        "r1499@example.org");
}

static void defects_are_listed_up_to_a_limit(void **state)
{
    (void)state;
    AUTO_BUF struct buf b;
    buf_init(&b, MIB(4));
    buf_str(&b, TOP "Content-Type: multipart/mixed; boundary=b\r\n\r\n");
    for (int i = 0; i < 100; i++)
        buf_printf(&b, "--b\r\nContent-Transfer-Encoding: x-%d\r\n\r\nz\r\n", i);
    AUTO_JSON json_t *msg = parse(&b, NULL);
    assert_int_equal(json_array_size(json_get_arr(msg, "defects")), BOUND_MAIL_DEFECTS);
    assert_defect(msg, "more defects than are listed");
}

static void the_time_limit_ends_the_work_and_is_named(void **state)
{
    (void)state;
    AUTO_BUF struct buf b;
    struct mail_limits lim;
    struct err e = {0};
    buf_init(&b, MIB(60));
    buf_str(&b, TOP "Content-Type: multipart/mixed; boundary=b\r\n\r\n");
    repeat(&b, "--b\r\nContent-Type: application/zip\r\n\r\nz\r\n", 300);
    repeat(&b, "one more line in the last part\r\n", 1000000);
    mail_limits_default(&lim);
    lim.ms = 1;
    AUTO_JSON json_t *msg = mail_parse(b.data, b.len, &lim, &e);
    assert_non_null(msg);
    assert_defect(msg, "out of time");
    if (!getenv("LEADD_TEST_SLOW")) /* under valgrind one header takes longer than that */
        assert_filed(msg);
}

/* One case of the linear rule: how it begins, and what is repeated. */
struct linear {
    const char *name, *head, *unit, *tail;
};

#define HTML TOP "Content-Type: text/html; charset=utf-8\r\n\r\n"
#define PLAIN TOP "Content-Type: text/plain; charset=utf-8\r\n\r\n"
#define DEEP                                                                                       \
    TOP "Content-Type: multipart/mixed; boundary=aaaaaaaaaaaaaaaaaaaaaaaa1\r\n\r\n"                \
        "--aaaaaaaaaaaaaaaaaaaaaaaa1\r\n"                                                          \
        "Content-Type: multipart/mixed; boundary=aaaaaaaaaaaaaaaaaaaaaaaa2\r\n\r\n"                \
        "--aaaaaaaaaaaaaaaaaaaaaaaa2\r\n\r\n"

static const struct linear cases[] = {
    {"plain lines", PLAIN, "some words in a line\r\n", ""},
    {"one line", PLAIN, "word ", ""},
    {"headers", "", "X-Junk: value\r\n", TOP "\r\nhi"},
    {"recipients in headers", TOP, "To: a\r\n", "\r\nhi"},
    {"folds", "X-Junk: 1\r\n", " folded\r\n", TOP "\r\nhi"},
    {"address commas", TOP "To: ", "a,", "\r\n\r\nhi"},
    {"address brackets", TOP "To: ", "<,", "\r\n\r\nhi"},
    {"address comments", TOP "To: ", "(", "\r\n\r\nhi"},
    {"address quotes", TOP "To: ", "\" ", "\r\n\r\nhi"},
    {"address groups", TOP "To: ", "x:", "\r\n\r\nhi"},
    {"word beginnings", TOP "Subject: ", "=?", "\r\n\r\nhi"},
    {"half words", TOP "Subject: ", "=?u?q?", "\r\n\r\nhi"},
    {"many words", TOP "Subject: ", "=?utf-8?q?a?= ", "\r\n\r\nhi"},
    {"parameters", TOP "Content-Type: text/plain", "; a=b", "\r\n\r\nhi"},
    {"pieces", TOP "Content-Type: text/plain", "; name*1=b", "\r\n\r\nhi"},
    {"almost boundaries", DEEP, "--aaaaaaaaaaaaaaaaaaaaaaaax\r\n", ""},
    {"small parts", TOP "Content-Type: multipart/mixed; boundary=b\r\n\r\n", "--b\r\n\r\nx\r\n", ""},
    {"nested parts", TOP, "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n", ""},
    {"nested mails", TOP, "Content-Type: message/rfc822\r\n\r\n", ""},
    {"open tags", HTML, "<div>", ""},
    {"formatting tags", HTML, "<b><p>x", ""},
    {"tables", HTML, "<table><tr><td>x", ""},
    {"paragraphs", HTML, "<p>some <b>words</b></p>\n", ""},
    {"links", HTML, "<a href=\"http://example.com/x\">y</a> ", ""},
    {"attributes", HTML "<a ", "a=b ", ">x</a>"},
    {"less-thans", HTML, "<", ""},
    {"entities", HTML, "&amp;", ""},
    {"comments", HTML, "<!-- ", ""},
    {"quotations", HTML, "<blockquote>x", ""},
    {"attribution lines", PLAIN, "On 1\r\n", ""},
    {"from lines", PLAIN, "From: x\r\n", ""},
    {"quote marks", PLAIN, ">", ""},
    {"digits", PLAIN, "+1 2", ""},
    {"rules", PLAIN, "--------------\r\n\r\n", ""},
    {"signatures", PLAIN, "-- \r\n", ""},
    {"signatures between quotations", PLAIN, "x\r\n--\r\ny\r\n> z\r\n", ""},
    {"true attributions", PLAIN, "On 20 Nov 2026 at 10:00 A <a@b.example> wrote:\r\n> x\r\n", ""},
    {"colons", PLAIN, "a line 2026 that ends so:\r\n", ""},
    {"colons over empty lines", PLAIN, "a 2026:\r\n\r\n\r\n\r\n", ""},
    {"empty lines", PLAIN "x:\r\n", "\r\n", "From: x\r\n"},
    {"fields with gaps", PLAIN, "From: x\r\n\r\nTo: y\r\n\r\n", ""},
    {"true blocks in a quotation", PLAIN, "> From: x\r\n> Date: 2026\r\n> Subject: y\r\n", ""},
    {"separators", PLAIN, "a\r\n-----xyz-----\r\n", ""},
    {"cited names", PLAIN, "ab> text\r\n", ""},
    {"armour", PLAIN, "-----BEGIN PGP SIGNATURE-----\r\n", ""},
    {"armour with an end", PLAIN,
     "-----BEGIN PGP SIGNATURE-----\r\n-----END PGP SIGNATURE-----\r\nx\r\n", ""},
    {"closing words", PLAIN, "Best regards\r\n", "+49 89 1234567\r\n"},
    {"device lines", PLAIN, "Sent from my iPhone\r\n", ""},
    {"one long paragraph", PLAIN, "confidential for the recipient\r\n", ""},
    {"signature of one line", PLAIN "x\r\n-- \r\n", "a | b ", ""},
    {"signature of short pieces", PLAIN "x\r\n-- \r\n", "a|", ""},
    {"HTML signatures", HTML, "<div class=gmail_signature>x</div>y<br>", ""},
    {"HTML cuts", HTML, "<div id=divRplyFwdMsg>x</div>", ""},
    {"not utf-8", PLAIN, "\xff\xfe", ""},
    {"no charset", TOP "\r\n", "\xe4\xf6 ", ""},
    {"escapes", PLAIN, "\x1b$B", ""},
    {"flowed", TOP "Content-Type: text/plain; format=flowed\r\n\r\n", "x \r\n", ""},
    {"base64", TOP "Content-Type: a/b\r\nContent-Transfer-Encoding: base64\r\n\r\n", "YWJj", ""},
    {"quoted", TOP "Content-Transfer-Encoding: quoted-printable\r\n\r\n", "=41=\r\n", ""},
    {"recipients", TOP "Content-Type: multipart/report; report-type=delivery-status; boundary=b\r\n"
     "\r\n--b\r\nContent-Type: message/delivery-status\r\n\r\n", "Final-Recipient: x;a@b\r\n\r\n", ""},
};

static uint64_t work_of(const struct linear *l, size_t bytes)
{
    AUTO_BUF struct buf b;
    uint64_t work = 0;
    buf_init(&b, MIB(8));
    buf_str(&b, l->head);
    repeat(&b, l->unit, bytes / strlen(l->unit));
    buf_str(&b, l->tail);
    AUTO_JSON json_t *msg = parse(&b, &work);
    assert_filed(msg);
    return work;
}

/* Both forms of a text, where they agree and where not. */
static uint64_t work_of_both(const char *plain, const char *html, size_t bytes)
{
    AUTO_BUF struct buf b;
    uint64_t work = 0;
    buf_init(&b, MIB(8));
    buf_str(&b, TOP "Content-Type: multipart/alternative; boundary=b\r\n\r\n--b\r\n"
                    "Content-Type: text/plain; charset=utf-8\r\n\r\n");
    repeat(&b, plain, bytes / strlen(plain));
    buf_str(&b, "\r\n--b\r\nContent-Type: text/html; charset=utf-8\r\n\r\n");
    repeat(&b, html, bytes / strlen(html));
    buf_str(&b, "\r\n--b--\r\n");
    AUTO_JSON json_t *msg = parse(&b, &work);
    assert_filed(msg);
    return work;
}

static void two_forms_of_a_text_are_brought_to_agree_in_linear_work(void **state)
{
    static const char *const forms[][2] = {
        {"a b c\r\n", "a b c<br>"},
        {"a b c\r\n", "<blockquote>q</blockquote>a b d<br>"},
        {"a\r\na\r\nb\r\n", "<blockquote>q</blockquote>a a a a a a a a<br>"},
        {"<http://x ", "<blockquote>q</blockquote>&lt;http://x "},
        {"1. x\r\n", "<ol><li>x</li></ol><blockquote>q</blockquote>"},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(forms); i++) {
        uint64_t one = work_of_both(forms[i][0], forms[i][1], KIB(24));
        uint64_t two = work_of_both(forms[i][0], forms[i][1], KIB(48));
        if (two > one * 5 / 2 + KIB(16)) {
            print_error("%s: %llu, %llu\n", forms[i][1], (unsigned long long)one,
                        (unsigned long long)two);
            fail();
        }
    }
}

static void twice_the_bytes_are_at_most_a_little_over_twice_the_work(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        uint64_t one = work_of(&cases[i], KIB(24)), two = work_of(&cases[i], KIB(48));
        uint64_t four = work_of(&cases[i], KIB(96));
        if (two > one * 5 / 2 + KIB(16) || four > two * 5 / 2 + KIB(16)) {
            print_error("%s: %llu, %llu, %llu\n", cases[i].name, (unsigned long long)one,
                        (unsigned long long)two, (unsigned long long)four);
            fail();
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ten_thousand_headers_cannot_hide_the_sender),
        cmocka_unit_test(a_header_line_of_a_megabyte_is_cut_and_named),
        cmocka_unit_test(a_hundred_nested_parts_are_opened_to_the_limit),
        cmocka_unit_test(mails_in_mails_without_end_are_opened_to_the_limit),
        cmocka_unit_test(a_mail_over_the_size_limit_is_read_up_to_it),
        cmocka_unit_test(parts_without_end_stop_at_the_limit),
        cmocka_unit_test(addresses_without_end_stop_at_the_limit),
        cmocka_unit_test(references_keep_the_first_and_the_last),
        cmocka_unit_test(defects_are_listed_up_to_a_limit),
        cmocka_unit_test(the_time_limit_ends_the_work_and_is_named),
        cmocka_unit_test(two_forms_of_a_text_are_brought_to_agree_in_linear_work),
        cmocka_unit_test(twice_the_bytes_are_at_most_a_little_over_twice_the_work),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
