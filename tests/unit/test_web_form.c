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
#include "base/form_check.h"
#include "base/form_words.h"
#include "base/hash.h"
#include "base/mem.h"
#include "base/text.h"

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

/* Reads a urlencoded body and holds it against a form of the config, written as JSON. */
static bool check(const char *conf_text, const char *body, struct form_checked *out)
{
    struct form f;
    struct err e = {0};
    AUTO_JSON json_t *conf = json_loads(conf_text, 0, NULL);
    assert_non_null(conf);
    assert_int_equal(read_n(&f, URL, body, strlen(body), &e), 0);
    bool ok = form_check(&f, conf, out);
    form_done(&f);
    return ok;
}

static void unknown_fields_go_to_extra_and_required_ones_are_named(void **state)
{
    (void)state;
    static const char conf[] = "{\"fields\": {\"mail\": {\"to\": \"contact.email\"}}, "
                               "\"required\": [\"mail\"]}";
    struct form_checked c;
    assert_true(check(conf, "mail=a%40b.de&x=1", &c));
    assert_string_equal(json_get_str(c.fields, "mail", ""), "a@b.de");
    assert_string_equal(json_get_str(c.extra, "x", ""), "1");
    assert_int_equal(json_object_size(c.fields) + json_object_size(c.extra), 2);
    form_checked_done(&c);
    assert_false(check(conf, "mail=+&x=1", &c));
    assert_string_equal(json_get_str(json_array_get(c.faults, 0), "field", ""), "mail");
    AUTO_FREE char *text = form_faults_text(c.faults);
    assert_string_equal(text, "The field \"mail\" is missing.");
    form_checked_done(&c);
}

static void each_type_takes_what_it_should_and_names_the_fault(void **state)
{
    (void)state;
    static const struct {
        const char *row, *posted, *value, *code; /* of the field x */
    } cases[] = {
        {"{\"type\": \"number\"}", "x=1,000.50", "1,000.50", NULL},
        {"{\"type\": \"number\"}", "x=-3", "-3", NULL},
        {"{\"type\": \"number\"}", "x=many", "many", "number"},
        {"{\"type\": \"number\"}", "x=.", ".", "number"},
        {"{\"type\": \"date\"}", "x=2026-12-31", "2026-12-31", NULL},
        {"{\"type\": \"date\"}", "x=2026-13-01", "2026-13-01", "date"},
        {"{\"type\": \"date\"}", "x=31.12.2026", "31.12.2026", "date"},
        {"{\"type\": \"date\"}", "x=2026-12-311", "2026-12-311", "date"},
        {"{\"type\": \"bool\"}", "x=on", "yes", NULL},
        {"{\"type\": \"bool\"}", "x=FALSE", "no", NULL},
        {"{\"type\": \"bool\"}", "x=perhaps", "no", "bool"},
        {"{\"type\": \"bool\"}", "", NULL, NULL},
        {"{\"type\": \"email\"}", "x=+a%40b.de+", "a@b.de", NULL},
        {"{\"type\": \"email\"}", "x=a%40b", "a@b", "email"},
        {"{\"type\": \"choice\", \"choices\": [\"a\", \"b c\"]}", "x=b+c", "b c", NULL},
        {"{\"type\": \"choice\", \"choices\": [\"a\", \"b c\"]}", "x=b", "b", "choice"},
        {"{\"type\": \"choice\", \"several\": true, \"choices\": [\"a\", \"b\"]}", "x=b&x=a",
         "b, a", NULL},
        {"{\"type\": \"choice\", \"several\": true, \"choices\": [\"a\", \"b\"]}", "x=b&x=c",
         "b, c", "choice"},
        {"{\"max\": 3}", "x=%C3%A4%C3%B6%C3%BC", "äöü", NULL},
        {"{\"max\": 3}", "x=abcd", "abcd", "too_long"},
        {"{\"default\": \"web\"}", "x=", "web", NULL},
        {"{\"default\": \"web\"}", "", "web", NULL},
        {"{\"required\": true}", "x=", "", "missing"},
        {"{\"required\": true}", "x.0=a", NULL, "shape"},
        {"{\"type\": \"consent\", \"text\": \"News?\"}", "", NULL, NULL},
        {"{\"type\": \"consent\", \"text\": \"News?\"}", "x=on", "yes", NULL},
        {"{\"type\": \"consent\", \"required\": true}", "x=no", "no", "consent"},
        {"{\"type\": \"consent\", \"required\": true}", "", NULL, "consent"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct form_checked c;
        AUTO_FREE char *conf = mem_printf("{\"fields\": {\"x\": %s}}", cases[i].row);
        bool ok = check(conf, cases[i].posted, &c);
        const char *value = json_get_str(c.fields, "x", NULL);
        const char *code = json_get_str(json_array_get(c.faults, 0), "code", NULL);
        if (ok != !cases[i].code || !value != !cases[i].value ||
            (value && strcmp(value, cases[i].value)) || !code != !cases[i].code ||
            (code && strcmp(code, cases[i].code)))
            fail_msg("%s with \"%s\" gave \"%s\", %s", cases[i].row, cases[i].posted,
                     value ? value : "nothing", code ? code : "no fault");
        form_checked_done(&c);
    }
}

static void a_star_gathers_what_stands_in_an_array(void **state)
{
    (void)state;
    static const char body[] = "{\"answers\": [{\"email\": \"a@b.de\", \"tag\": \"x\"}, {\"tag\": "
                               "\"y\"}], \"other\": {\"deep\": [1]}}";
    struct form f;
    struct err e = {0};
    struct form_checked c;
    AUTO_JSON json_t *conf = json_pack(
        "{s:{s:{s:s}, s:{s:s}}}", "fields", "answers.0.email", "to", "contact.email",
        "answers.*.tag", "to", "lead.subject");
    assert_int_equal(read_n(&f, "application/json", body, strlen(body), &e), 0);
    assert_true(form_check(&f, conf, &c));
    assert_string_equal(json_get_str(c.fields, "answers.0.email", ""), "a@b.de");
    assert_string_equal(json_get_str(c.fields, "answers.*.tag", ""), "x, y");
    assert_string_equal(json_get_str(c.extra, "other.deep.0", ""), "1");
    assert_int_equal(json_object_size(c.extra), 1);
    form_checked_done(&c);
    form_done(&f);
}

static void files_are_held_against_their_field_and_found_by_their_place(void **state)
{
    (void)state;
    static const char type[] = "multipart/form-data; boundary=XX";
    static const char body[] = "--XX\r\nContent-Disposition: form-data; name=\"cv\"; "
                               "filename=\"a.PDF\"\r\nContent-Type: application/pdf\r\n\r\n%PDF-1\r\n"
                               "--XX--\r\n";
    static const struct {
        const char *row, *code;
    } cases[] = {
        {"{\"type\": \"file\"}", NULL},
        {"{\"type\": \"file\", \"accept\": [\".pdf\"]}", NULL},
        {"{\"type\": \"file\", \"accept\": [\"application/*\"]}", NULL},
        {"{\"type\": \"file\", \"accept\": [\"image/*\", \".png\"]}", "file_type"},
        {"{\"type\": \"file\", \"max_size\": 5}", "file_size"},
        {"{\"type\": \"text\"}", NULL}, /* a form that asks for no files takes any */
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct form f;
        struct err e = {0};
        struct form_checked c;
        AUTO_FREE char *text = mem_printf("{\"fields\": {\"cv\": %s}}", cases[i].row);
        AUTO_JSON json_t *conf = json_loads(text, 0, NULL);
        assert_int_equal(read_n(&f, type, body, strlen(body), &e), 0);
        const json_t *file = json_array_get(f.files, 0);
        assert_memory_equal(body + json_get_int(file, "at", 0), "%PDF-1", 6);
        assert_int_equal(json_get_int(file, "bytes", 0), 6);
        form_check(&f, conf, &c);
        const char *code = json_get_str(json_array_get(c.faults, 0), "code", "none");
        assert_string_equal(code, cases[i].code ? cases[i].code : "none");
        form_checked_done(&c);
        form_done(&f);
    }
    struct form_checked c;
    assert_false(check("{\"fields\": {\"cv\": {\"type\": \"file\", \"required\": true}}}", "cv=",
                       &c));
    assert_int_equal(json_object_size(c.extra), 0);
    form_checked_done(&c);
}

static void faults_speak_the_language_of_the_form(void **state)
{
    (void)state;
    static const char *const langs[] = {"en", "de", "fr", "es", "it"};
    for (size_t i = 0; i < ARRAY_LEN(langs); i++)
        for (int w = 0; w < FORM_W_COUNT; w++) {
            const char *s = form_word(langs[i], (enum form_word)w);
            assert_non_null(s);
            assert_true(*s && text_is_utf8(s, strlen(s)));
            AUTO_FREE char *full = form_word_fill(langs[i], (enum form_word)w, "A", "B");
            assert_null(strstr(full, "%s"));
        }
    struct form_checked c;
    assert_false(check("{\"lang\": \"de\", \"fields\": {\"n\": {\"label\": \"Ihr Name\", "
                       "\"required\": true}}}", "", &c));
    AUTO_FREE char *text = form_faults_text(c.faults);
    assert_string_equal(text, "Das Feld „Ihr Name“ fehlt.");
    form_checked_done(&c);
    assert_string_equal(form_word("xx", FORM_W_SEND), "Send");
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
        cmocka_unit_test(each_type_takes_what_it_should_and_names_the_fault),
        cmocka_unit_test(a_star_gathers_what_stands_in_an_array),
        cmocka_unit_test(files_are_held_against_their_field_and_found_by_their_place),
        cmocka_unit_test(faults_speak_the_language_of_the_form),
        cmocka_unit_test(mutated_bodies_never_break_a_promise),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
