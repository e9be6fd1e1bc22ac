/* SPDX-License-Identifier: ISC
 *
 * web/form: bodies of strangers become names and values
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "base/bounds.h"
#include "base/buf.h"
#include "base/form.h"
#include "base/hash.h"
#include "base/mem.h"
#include "web/form_check.h"

#define URL "application/x-www-form-urlencoded"
#define MULTI "multipart/form-data; boundary=XX"
#define JSON "application/json"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Reads a body from memory of exactly its size, so that ASan sees one byte
 * too many. */
static int read_n(struct form *f, const char *type, const char *body, size_t n, struct err *e)
{
    AUTO_FREE char *exact = mem_array(n ? n : 1, 1);
    memcpy(exact, body, n);
    form_init(f);
    return form_read(f, type, exact, n, e);
}

static void expect(const char *type, const char *body, const char *json, size_t defects)
{
    struct form f;
    struct err e = {0};
    assert_int_equal(read_n(&f, type, body, strlen(body), &e), 0);
    AUTO_FREE char *got = json_text(f.values);
    assert_string_equal(got, json);
    assert_int_equal(json_array_size(f.defects), defects);
    form_done(&f);
}

static void expect_refused(const char *type, const char *body, const char *why)
{
    struct form f;
    struct err e = {0};
    assert_int_equal(read_n(&f, type, body, strlen(body), &e), -1);
    assert_int_equal(e.cls, ERR_INPUT);
    assert_non_null(strstr(e.text, why));
    form_done(&f);
}

static void urlencoded_names_and_values_are_decoded(void **state)
{
    (void)state;
    expect(URL, "a=1&b=x+y%21&%C3%A4=%e2%82%ac", "{\"a\":\"1\",\"b\":\"x y!\",\"ä\":\"€\"}", 0);
    expect(URL, "", "{}", 0);
    expect(URL, "&&a&=x&b=&c==d", "{\"(no name)\":\"x\",\"a\":\"\",\"b\":\"\",\"c\":\"=d\"}", 0);
    expect(URL "; charset=UTF-8", "a=1%0d%0a2%0d3", "{\"a\":\"1\\n2\\n3\"}", 0);
}

static void malformed_percent_signs_stay_and_are_named(void **state)
{
    (void)state;
    expect(URL, "a=100%&b=%4&c=%zz%41", "{\"a\":\"100%\",\"b\":\"%4\",\"c\":\"%zzA\"}", 1);
}

static void repeated_names_keep_the_first_and_number_the_others(void **state)
{
    (void)state;
    expect(URL, "a=1&a=2&a=3&a.1=x", "{\"a\":\"1\",\"a.1\":\"2\",\"a.1.1\":\"x\",\"a.2\":\"3\"}", 0);
}

static void charsets_are_read_when_declared_and_replaced_when_not(void **state)
{
    (void)state;
    expect(URL, "a=%E4%80", "{\"a\":\"\xef\xbf\xbd\xef\xbf\xbd\"}", 1);
    expect(URL "; charset=ISO-8859-1", "a=%E4%80", "{\"a\":\"ä€\"}", 0);
    expect(URL, "a=%E4&_charset_=windows-1252", "{\"_charset_\":\"windows-1252\",\"a\":\"ä\"}", 0);
    expect(URL, "a=%E4&x_charset_=windows-1252",
           "{\"a\":\"\xef\xbf\xbd\",\"x_charset_\":\"windows-1252\"}", 1);
    expect(URL, "a=x%00y", "{\"a\":\"xy\"}", 1);
}

static void json_is_flattened(void **state)
{
    (void)state;
    expect(JSON, "{\"a\":{\"b\":[1,{\"c\":true}]},\"d\":null,\"e\":[],\"f\":1.5,\"\":\"x\"}",
           "{\"(no name)\":\"x\",\"a.b.0\":\"1\",\"a.b.1.c\":\"true\",\"f\":\"1.5\"}", 0);
    expect(JSON, "{\"a.b\":\"1\",\"a\":{\"b\":\"2\"}}", "{\"a.b\":\"1\",\"a.b.1\":\"2\"}", 0);
    expect_refused(JSON, "[1]", "expected one JSON object");
    expect_refused(JSON, "", "JSON line");
    expect_refused(JSON, "{\"a\":\"\\u0000\"}", "JSON line");
    expect_refused(JSON, "{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{"
                         "\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":1}}}}}}}}}}}}}}}}}",
                   "nested deeper than 16");
}

static void names_too_long_in_json_are_left_out_and_the_rest_stays(void **state)
{
    (void)state;
    struct buf b AUTO_BUF;
    buf_init(&b, 4096);
    buf_str(&b, "{\"a\":{\"");
    for (int i = 0; i < BOUND_FORM_NAME; i++)
        buf_char(&b, 'n');
    buf_str(&b, "\":1,\"ok\":2},\"z\":3}");
    expect(JSON, b.data, "{\"a.ok\":\"2\",\"z\":\"3\"}", 1);
}

static void multipart_values_and_files_are_told_apart(void **state)
{
    (void)state;
    struct form f;
    struct err e = {0};
    const char *body = "preamble\r\n--XX\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n"
                       "1\r\n--XXnot\r\n2\r\n"
                       "--XX\r\nCONTENT-DISPOSITION:form-data;name=b\r\n"
                       "Content-Type: text/plain; charset=iso-8859-1\r\n\r\n\xe4\r\n"
                       "--XX  \r\nContent-Disposition: form-data; name=\"f\"; "
                       "filename=\"x%22y\\\"z.txt\"\r\nContent-Type: text/csv; x=y\r\n\r\nabc\r\n"
                       "--XX\r\nContent-Disposition: form-data; name=\"g\"; filename=\"\"\r\n\r\n\r\n"
                       "--XX--\r\nepilogue\r\n--XX\r\n";
    assert_int_equal(read_n(&f, MULTI, body, strlen(body), &e), 0);
    AUTO_FREE char *values = json_text(f.values);
    assert_string_equal(values, "{\"a\":\"1\\n--XXnot\\n2\",\"b\":\"ä\"}");
    assert_int_equal(json_array_size(f.files), 1);
    const json_t *file = json_array_get(f.files, 0);
    char sha[HASH_SHA256_HEX];
    hash_sha256_hex("abc", 3, sha);
    assert_string_equal(json_get_str(file, "field", ""), "f");
    assert_string_equal(json_get_str(file, "filename", ""), "x\"y\"z.txt");
    assert_string_equal(json_get_str(file, "type", ""), "text/csv");
    assert_int_equal(json_get_int(file, "size", -1), 3);
    assert_string_equal(json_get_str(file, "sha256", ""), sha);
    assert_int_equal(json_array_size(f.defects), 0);
    form_done(&f);
}

#define CD "Content-Disposition: form-data; name="

static void multipart_with_defects_keeps_what_can_be_kept(void **state)
{
    (void)state;
    expect(MULTI, "--XX\r\n" CD "a\r\n\r\n1", "{\"a\":\"1\"}", 1);
    expect(MULTI, "--XX\n" CD "a\n\n1\n--XX--", "{\"a\":\"1\"}", 0);
    expect(MULTI, "--XX\r\n" CD "a\r\n\r\n--XX\r\n" CD "b\r\n\r\n\r\n--XX--",
           "{\"a\":\"\",\"b\":\"\"}", 0);
    expect(MULTI, "--XX\r\n\r\nx\r\n--XX\r\n" CD "a\r\n\r\n1\r\n--XX--", "{\"a\":\"1\"}", 1);
    expect(MULTI, "--XX\r\n" CD "\"a", "{}", 2);
    expect(MULTI, "--XX", "{}", 2);
    expect(MULTI, "--XX--", "{}", 0);
    expect(MULTI, "--XX\r\nContent-Disposition: form-data\r\n\r\n1\r\n--XX--",
           "{\"(no name)\":\"1\"}", 0);
    expect_refused(MULTI, "x--XX\r\n", "nowhere");
    expect_refused("multipart/form-data", "--XX\r\n", "without a boundary");
    expect_refused("multipart/form-data; boundary=\"\"", "--\r\n", "without a boundary");
}

static void bounds_hold_for_count_name_value_and_text(void **state)
{
    (void)state;
    struct buf b AUTO_BUF;
    struct form f;
    struct err e = {0};
    buf_init(&b, MIB(4));
    for (int i = 0; i < 5000; i++)
        buf_printf(&b, "k%d=v&", i);
    assert_int_equal(read_n(&f, URL, b.data, b.len, &e), 0);
    assert_int_equal(json_object_size(f.values), BOUND_FORM_FIELDS);
    assert_int_equal(json_array_size(f.defects), 1);
    form_done(&f);
    buf_reset(&b);
    for (int i = 0; i < 20; i++) {
        buf_printf(&b, "&k%d=", i);
        for (size_t n = 0; n < BOUND_FORM_VALUE + 10; n++)
            buf_char(&b, 'x');
    }
    assert_int_equal(read_n(&f, URL, b.data, b.len, &e), 0);
    assert_int_equal(strlen(json_get_str(f.values, "k0", "")), BOUND_FORM_VALUE);
    assert_true(f.text <= BOUND_FORM_TEXT);
    assert_int_equal(json_object_size(f.values), BOUND_FORM_TEXT / BOUND_FORM_VALUE - 1);
    assert_true(json_array_size(f.defects) > 1);
    form_done(&f);
}

static void content_types_are_recognised_by_their_whole_name(void **state)
{
    (void)state;
    assert_int_equal(form_type_of(NULL), FORM_TYPE_UNKNOWN);
    assert_int_equal(form_type_of("Application/JSON"), FORM_TYPE_JSON);
    assert_int_equal(form_type_of(" application/json ; charset=x"), FORM_TYPE_JSON);
    assert_int_equal(form_type_of("application/jsonp"), FORM_TYPE_UNKNOWN);
    assert_int_equal(form_type_of("multipart/mixed; boundary=x"), FORM_TYPE_UNKNOWN);
    expect_refused("text/plain", "a=1", "expected one of");
}

static void parameters_are_found_outside_quotes_only(void **state)
{
    (void)state;
    static const struct {
        const char *header, *name, *value;
    } rows[] = {
        {"x; a=1; b=2", "b", "2"},         {"x; a=\"; b=9\"; b=2", "b", "2"},
        {"x; A = \"q\\\"r\"", "a", NULL},   {"x; a=\"q\\\"r\"", "A", "q\"r"},
        {"x; a; b=", "b", ""},             {"x", "x", NULL},
        {"x; aa=1", "a", NULL},            {"x; a=\"open", "a", "open"},
        {"x; a=12345678901", "a", NULL},   {";;;a=1", "a", "1"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        AUTO_FREE char *v = form_param(rows[i].header, strlen(rows[i].header), rows[i].name, 10);
        if (rows[i].value && !v)
            fail_msg("row %zu: nothing found", i);
        if (rows[i].value)
            assert_string_equal(v, rows[i].value);
        else if (v && strcmp(v, "") != 0)
            fail_msg("row %zu: found \"%s\"", i, v);
    }
}

static void email_addresses_are_told_from_typos(void **state)
{
    (void)state;
    static const char *const good[] = {"a@b.example", "a.b+c@x-y.example", "ö@ü.example", "1@2.de"};
    static const char *const bad[] = {"",          "a",           "@b.de",        "a@",
                                      "a@b",       "a@.de",       "a@b.",         "a b@c.de",
                                      "a@b@c.de",  "a..b@c.de",   ".a@c.de",      "a.@c.de",
                                      "a@b..de",   "<a@b.de>",    "a@b.de,c@d.de", "a@b.de\n",
                                      "a@-b.de",   "a:b@c.de",    "a@b.de-"};
    for (size_t i = 0; i < ARRAY_LEN(good); i++)
        if (!form_looks_like_email(good[i]))
            fail_msg("refused: %s", good[i]);
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        if (form_looks_like_email(bad[i]))
            fail_msg("accepted: %s", bad[i]);
}

static void unknown_fields_go_to_extra_and_required_ones_are_named(void **state)
{
    (void)state;
    struct form f;
    struct err e = {0};
    json_t *fields = NULL, *extra = NULL;
    const char *bad = NULL;
    AUTO_JSON json_t *conf = json_pack("{s:{s:{s:s}},s:[s]}", "fields", "mail", "to",
                                       "contact.email", "required", "mail");
    assert_int_equal(read_n(&f, URL, "mail=a%40b.de&x=1", 17, &e), 0);
    assert_int_equal(form_check(&f, conf, &fields, &extra, &bad, &e), 0);
    assert_string_equal(json_get_str(fields, "mail", ""), "a@b.de");
    assert_string_equal(json_get_str(extra, "x", ""), "1");
    assert_int_equal(json_object_size(fields) + json_object_size(extra), 2);
    json_decref(fields);
    json_decref(extra);
    form_done(&f);
    assert_int_equal(read_n(&f, URL, "mail=+&x=1", 10, &e), 0);
    assert_int_equal(form_check(&f, conf, &fields, &extra, &bad, &e), -1);
    assert_string_equal(bad, "mail");
    assert_non_null(strstr(e.text, "\"mail\" is missing"));
    form_done(&f);
}

static uint32_t next_random(uint32_t *s)
{
    *s ^= *s << 13;
    *s ^= *s >> 17;
    *s ^= *s << 5;
    return *s;
}

static size_t mutate(uint8_t *p, size_t n, size_t cap, uint32_t *s)
{
    static const char *const bits[] = {"\r\n",   "--XX", "--XX--\r\n", "\"",     ";",  "=",
                                       "%",      "&",    "{",          "[\"",    "\\", "name=\"",
                                       "\xc3",   "\xff", "_charset_=", "\r\n\r\n", "filename=\"",
                                       "charset=latin1"};
    for (uint32_t k = next_random(s) % 6 + 1; k > 0; k--) {
        size_t at = n ? next_random(s) % n : 0;
        const char *bit = bits[next_random(s) % ARRAY_LEN(bits)];
        size_t len = strlen(bit);
        switch (next_random(s) % 4) {
        case 0:
            if (n > 0)
                p[at] = (uint8_t)next_random(s);
            break;
        case 1:
            if (n + len <= cap) {
                memmove(p + at + len, p + at, n - at);
                memcpy(p + at, bit, len);
                n += len;
            }
            break;
        case 2:
            n = n > 1 ? at + 1 : n; /* cut */
            break;
        default:
            if (n > at + 3) {
                memmove(p + at, p + at + 3, n - at - 3);
                n -= 3;
            }
        }
    }
    return n;
}

static void mutated_bodies_never_break_a_promise(void **state)
{
    (void)state;
    static const char *const seeds[] = {
        "\x01" "{\"a\":{\"b\":[1,2,\"x\"]},\"email\":\"a@b.de\"}",
        "\x02--XX\r\n" CD "\"a\"\r\n\r\n1\r\n--XX\r\n" CD "\"f\"; filename=\"x.txt\"\r\n"
        "Content-Type: text/plain; charset=latin1\r\n\r\nabc\r\n--XX--\r\n",
        "\x03multipart/form-data; boundary=\"XX\"\n--XX\r\n" CD "a\r\n\r\n1\r\n--XX--",
        "\x03" URL "; charset=windows-1252\na=%E4&a=b+c&_charset_=utf-8&=&%",
    };
    uint32_t s = 20261121;
    uint8_t base[512];
    for (int i = 0; i < 20000; i++) {
        const char *seed = seeds[i % (int)ARRAY_LEN(seeds)];
        size_t n = strlen(seed);
        memcpy(base, seed, n);
        if (i % 8 == 3)
            base[0] = 0;
        uint8_t first = base[0];
        n = mutate(base, n, sizeof(base), &s);
        if (n > 0 && base[0] > 3)
            base[0] = first;
        AUTO_FREE uint8_t *exact = mem_array(n ? n : 1, 1);
        memcpy(exact, base, n);
        LLVMFuzzerTestOneInput(exact, n);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(urlencoded_names_and_values_are_decoded),
        cmocka_unit_test(malformed_percent_signs_stay_and_are_named),
        cmocka_unit_test(repeated_names_keep_the_first_and_number_the_others),
        cmocka_unit_test(charsets_are_read_when_declared_and_replaced_when_not),
        cmocka_unit_test(json_is_flattened),
        cmocka_unit_test(names_too_long_in_json_are_left_out_and_the_rest_stays),
        cmocka_unit_test(multipart_values_and_files_are_told_apart),
        cmocka_unit_test(multipart_with_defects_keeps_what_can_be_kept),
        cmocka_unit_test(bounds_hold_for_count_name_value_and_text),
        cmocka_unit_test(content_types_are_recognised_by_their_whole_name),
        cmocka_unit_test(parameters_are_found_outside_quotes_only),
        cmocka_unit_test(email_addresses_are_told_from_typos),
        cmocka_unit_test(unknown_fields_go_to_extra_and_required_ones_are_named),
        cmocka_unit_test(mutated_bodies_never_break_a_promise),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
