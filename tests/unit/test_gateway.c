/* SPDX-License-Identifier: ISC
 *
 * What an SMS takes, and what a preset of a gateway says.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "base/gateway.h"
#include "base/mem.h"
#include "crm/sms_text.h"

static char *times(const char *s, int n)
{
    struct buf b AUTO_BUF;
    buf_init(&b, 100000);
    for (int i = 0; i < n; i++)
        buf_str(&b, s);
    return mem_str(b.data);
}

static void the_parts_of_a_text_are_counted_as_operators_do(void **state)
{
    static const struct {
        const char *piece;
        int n;
        enum sms_encoding enc;
        unsigned units, segments;
    } cases[] = {
        {"a", 0, SMS_GSM7, 0, 0},      {"a", 160, SMS_GSM7, 160, 1},
        {"a", 161, SMS_GSM7, 161, 2},  {"a", 306, SMS_GSM7, 306, 2},
        {"a", 307, SMS_GSM7, 307, 3},  {"\xe2\x82\xac", 80, SMS_GSM7, 160, 1},
        {"\xe2\x82\xac", 81, SMS_GSM7, 162, 2},
        /* 76 of two septets in a part of 153: the pair is not cut */
        {"[", 153, SMS_GSM7, 306, 3},  {"\xc3\xa4", 160, SMS_GSM7, 160, 1},
        {"\xc3\xa1", 70, SMS_UCS2, 70, 1}, {"\xc3\xa1", 71, SMS_UCS2, 71, 2},
        {"\xc3\xa1", 134, SMS_UCS2, 134, 2}, {"\xc3\xa1", 135, SMS_UCS2, 135, 3},
        {"\xf0\x9f\x91\x8d", 35, SMS_UCS2, 70, 1},
        /* 33 pairs in a part of 67 */
        {"\xf0\x9f\x91\x8d", 67, SMS_UCS2, 134, 3}, {"`", 1, SMS_UCS2, 1, 1},
        {"\xff", 1, SMS_UCS2, 1, 1},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct sms_count c;
        char *text AUTO_FREE = times(cases[i].piece, cases[i].n);
        sms_count(text, &c);
        if (c.encoding != cases[i].enc || c.units != cases[i].units ||
            c.segments != cases[i].segments)
            fail_msg("case %zu: %s, %u units, %u segments", i, sms_encoding_name(c.encoding),
                     c.units, c.segments);
    }
}

static void the_character_that_makes_a_text_dear_is_named(void **state)
{
    struct sms_count c;
    (void)state;
    sms_count("it\xe2\x80\x99s \xc3\xa9t\xc3\xa9", &c);
    assert_string_equal(c.odd, "\xe2\x80\x99");
    assert_string_equal(c.instead, "'");
    assert_int_equal(c.odd_count, 1);
    sms_count("\xc3\xa1 \xc3\xa1 \xe2\x98\x83", &c);
    assert_int_equal(c.odd_kinds, 2);
    assert_int_equal(c.odd_count, 3);
    sms_count("\xe2\x98\x83", &c);
    assert_null(c.instead);
}

static void a_text_is_cut_where_a_part_ends(void **state)
{
    char *a AUTO_FREE = times("a", 400), *snow AUTO_FREE = times("\xe2\x98\x83", 100);
    (void)state;
    assert_int_equal(sms_cut(a, 1), 160);
    assert_int_equal(sms_cut(a, 2), 306);
    assert_int_equal(sms_cut(a, 3), 400);
    assert_int_equal(sms_cut(snow, 1), 210);
}

/* ---- requests ------------------------------------------------------------------------- */

static json_t *gw(const char *text)
{
    json_error_t e;
    json_t *v = json_loads(text, 0, &e);
    if (!v)
        fail_msg("%s", e.text);
    return v;
}

static void each_place_of_a_request_has_its_own_escaping(void **state)
{
    json_t *g AUTO_JSON = gw(
        "{\"url\":\"http://127.0.0.1\",\"user\":\"me\",\"number\":\"+431\",\"params\":{\"zone\":\"a/b\"},"
        "\"send\":{\"path\":\"/{zone}/x\",\"query\":{\"t\":\"{text}\",\"n\":5,\"none\":\"{receipt_url}?k\"},"
        "\"json\":{\"a\":[\"{text}\"],\"f\":\"{from_digits}\",\"b\":true},"
        "\"headers\":{\"X-Key\":\"{secret}\"},\"auth\":\"basic\"}}");
    json_t *text AUTO_JSON = gw("{\"to\":\"+432\",\"text\":\"a&b\\\"\\u00e4\\n\"}");
    json_t *v AUTO_JSON = gateway_values(g, "s3", text);
    struct gateway_request r;
    struct err e = {0};
    (void)state;
    assert_int_equal(gateway_check(g, &e), 0);
    assert_int_equal(gateway_request(g, "send", v, &r, &e), 0);
    assert_string_equal(r.url, "http://127.0.0.1/a%2Fb/x?t=a%26b%22%C3%A4%0A&n=5");
    assert_string_equal(r.body.data, "{\"a\":[\"a&b\\\"\xc3\xa4\\u000a\"],\"f\":\"431\",\"b\":true}");
    assert_string_equal(json_get_str(r.headers, "Authorization", ""), "Basic bWU6czM=");
    assert_string_equal(json_get_str(r.headers, "X-Key", ""), "s3");
    gateway_request_done(&r);
}

static void a_header_never_becomes_two(void **state)
{
    json_t *g AUTO_JSON = gw("{\"url\":\"http://h\",\"send\":{\"headers\":{\"X\":\"{text}\"}}}");
    json_t *text AUTO_JSON = gw("{\"text\":\"a\\r\\nY: b\"}");
    json_t *v AUTO_JSON = gateway_values(g, NULL, text);
    struct gateway_request r;
    struct err e = {0};
    (void)state;
    assert_int_equal(gateway_request(g, "send", v, &r, &e), -1);
    gateway_request_done(&r);
}

static void a_value_that_is_not_there_is_told_at_load(void **state)
{
    json_t *g AUTO_JSON = gw("{\"url\":\"http://h\",\"send\":{\"form\":{\"To\":\"{tto}\"}}}");
    struct err e = {0};
    (void)state;
    assert_int_equal(gateway_check(g, &e), -1);
    assert_non_null(strstr(e.text, "send.form.To: {tto} is neither one of params nor a value"));
    assert_non_null(strstr(e.text, "did you mean {to}?"));
}

/* ---- answers ----------------------------------------------------------------------------- */

static void an_error_is_looked_up_by_code_then_words_then_status(void **state)
{
    static const struct {
        long status;
        const char *type, *body;
        enum gateway_reason reason;
        const char *id;
    } cases[] = {
        {201, "application/json", "{\"m\":[{\"id\":\"X1\",\"st\":0}]}", GATEWAY_OK, "X1"},
        {200, NULL, "{\"m\":[{\"id\":\"X1\",\"st\":\"0\"}]}", GATEWAY_OK, "X1"},
        {200, "application/json", "{\"m\":[{\"st\":7}]}", GATEWAY_OPTED_OUT, ""},
        {200, "application/json", "{\"m\":[{\"st\":99}]}", GATEWAY_PERMANENT, ""},
        {200, "application/json", "{\"m\":[]}", GATEWAY_UNKNOWN, ""},
        {200, "application/json", "{\"m\":[{", GATEWAY_UNKNOWN, ""},
        {400, "text/plain", "Sorry, NO CREDIT here", GATEWAY_BALANCE, ""},
        {404, "text/plain", "?", GATEWAY_INVALID_NUMBER, ""},
        {401, "text/plain", "?", GATEWAY_AUTH, ""},
        {429, "text/plain", "?", GATEWAY_RATE, ""},
        {503, "text/plain", "?", GATEWAY_TEMPORARY, ""},
        {503, "text/plain", "upstream connect error or disconnect/reset before headers. reset "
         "reason: connection termination", GATEWAY_UNKNOWN, ""},
        {500, "text/plain", "?", GATEWAY_UNKNOWN, ""},
        {502, "text/plain", "?", GATEWAY_UNKNOWN, ""},
        {302, "text/plain", "?", GATEWAY_PERMANENT, ""},
    };
    json_t *send AUTO_JSON = gw(
        "{\"ok\":{\"name\":\"m.0.st\",\"is\":[\"0\"]},\"id\":\"m.0.id\",\"error\":[\"m.0.st\"],"
        "\"errors\":{\"opted_out\":[\"7\"],\"balance\":[\"~no credit\"],\"invalid_number\":[\"http:404\"]}}");
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct gateway_answer a;
        gateway_answer(send, cases[i].status, cases[i].type, cases[i].body, strlen(cases[i].body),
                       &a);
        if (a.reason != cases[i].reason || strcmp(a.id, cases[i].id) != 0)
            fail_msg("case %zu: %s id=%s text=%s", i, gateway_reason_name(a.reason), a.id, a.text);
    }
}

static void amounts_are_read_as_millionths(void **state)
{
    (void)state;
    assert_int_equal(gateway_micros("0.0075"), 7500);
    assert_int_equal(gateway_micros("-0.00750"), 7500);
    assert_int_equal(gateway_micros("12"), 12000000);
    assert_int_equal(gateway_micros("0.12345678"), 123456);
    assert_int_equal(gateway_micros(""), -1);
    assert_int_equal(gateway_micros("1e5"), -1);
    assert_true(gateway_micros("99999999999999999999999999") < 0 ||
                gateway_micros("99999999999999999999999999") > 0); /* no overflow */
}

static void a_post_with_several_receipts_gives_each(void **state)
{
    json_t *g AUTO_JSON = gw(
        "{\"receipt\":{\"each\":\"r\",\"id\":[\"id\"],\"status\":[\"st\"],\"error\":[\"e\"],"
        "\"states\":{\"delivered\":[\"OK\"],\"failed\":[\"NO\"]},\"errors\":{\"landline\":[\"9\"]}}}");
    json_t *v AUTO_JSON = gw("{\"r.0.id\":\"A\",\"r.0.st\":\"ok\",\"r.1.id\":\"B\",\"r.1.st\":\"NO\","
                             "\"r.1.e\":\"9\"}");
    struct gateway_receipt r;
    (void)state;
    assert_true(gateway_receipt(g, "receipt", v, 0, &r));
    assert_string_equal(r.id, "A");
    assert_int_equal(r.state, GATEWAY_DELIVERED);
    assert_true(gateway_receipt(g, "receipt", v, 1, &r));
    assert_int_equal(r.state, GATEWAY_FAILED);
    assert_int_equal(r.reason, GATEWAY_LANDLINE);
    assert_false(gateway_receipt(g, "receipt", v, 2, &r));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_parts_of_a_text_are_counted_as_operators_do),
        cmocka_unit_test(the_character_that_makes_a_text_dear_is_named),
        cmocka_unit_test(a_text_is_cut_where_a_part_ends),
        cmocka_unit_test(each_place_of_a_request_has_its_own_escaping),
        cmocka_unit_test(a_header_never_becomes_two),
        cmocka_unit_test(a_value_that_is_not_there_is_told_at_load),
        cmocka_unit_test(an_error_is_looked_up_by_code_then_words_then_status),
        cmocka_unit_test(amounts_are_read_as_millionths),
        cmocka_unit_test(a_post_with_several_receipts_gives_each),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
