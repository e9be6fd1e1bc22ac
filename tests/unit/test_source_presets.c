/* SPDX-License-Identifier: ISC
 *
 * test_source_presets - the presets of contrib/sources against what their senders document
 *
 * Each fixture is a request as the documentation that the preset names has it, and what
 * must be understood of it. Then every value of every preset is broken, one after the
 * other: each time a fixture must fail, or the value would not matter. How a preset
 * verifies stands in the table below.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/bounds.h"
#include "base/buf.h"
#include "base/form.h"
#include "base/mem.h"
#include "base/text.h"
#include "config/config.h"
#include "crm/source_map.h"

#define COMPANY                                                                                    \
    "company = \"Example\"; address = \"crm@example.com\"; default_owner = \"mia\";\n"              \
    "users : { mia : { name = \"Mia\"; email = \"mia@example.com\"; }; };\n"                         \
    "relays = ( { name = \"out\"; type = \"maildir\"; path = \"out\"; } );\n"

static const struct {
    const char *preset, *verify, *creates;
} shown[] = {
    {"aircall", "{\"scheme\": \"token\", \"field\": \"token\"}", "nothing"},
    {"calendly", "{\"scheme\": \"stripe\", \"header\": \"Calendly-Webhook-Signature\"}", "lead"},
    {"crisp",
     "{\"scheme\": \"hmac\", \"header\": \"X-Crisp-Signature\", \"time\": \"X-Crisp-Request-Timestamp\","
     " \"signs\": \"[{header X-Crisp-Request-Timestamp};{body}]\"}", "lead"},
    {"generic-lead", "{\"scheme\": \"token\"}", "lead"},
    {"github", "{\"scheme\": \"github\"}", "nothing"},
    {"google-ads", "{\"scheme\": \"token\", \"field\": \"google_key\"}", "lead"},
    {"intercom", "{\"scheme\": \"hmac\", \"header\": \"X-Hub-Signature\", \"algorithm\": \"sha1\","
     " \"prefix\": \"sha1=\"}", "lead"},
    {"mailgun", "{\"scheme\": \"mailgun\"}", "nothing"},
    {"meta-leads", "{\"scheme\": \"token\"}", "lead"},
    {"page-visits", "{\"scheme\": \"token\"}", "nothing"},
    {"shopify", "{\"scheme\": \"hmac\", \"header\": \"X-Shopify-Hmac-Sha256\", \"encoding\": \"base64\"}",
     "contact"},
    {"stripe", "{\"scheme\": \"stripe\"}", "contact"},
    {"tawk", "{\"scheme\": \"hmac\", \"header\": \"X-Tawk-Signature\", \"algorithm\": \"sha1\"}", "lead"},
    {"twilio-voice", "{\"scheme\": \"twilio\"}", "nothing"},
    {"typeform", "{\"scheme\": \"typeform\"}", "lead"},
    {"woocommerce",
     "{\"scheme\": \"hmac\", \"header\": \"X-WC-Webhook-Signature\", \"encoding\": \"base64\"}", "contact"},
};

static char dir[64];
static json_t *sources; /* own; of the config, each preset under its name */
static json_t *cases;   /* own; name -> fixture */

/* ---- what there is ------------------------------------------------------------------- */

static json_t *load_config(void)
{
    struct buf more AUTO_BUF;
    struct errlist errors AUTO_ERRLIST;
    struct buf said AUTO_BUF;
    buf_init(&more, KIB(64));
    buf_init(&said, KIB(64));
    errlist_init(&errors, 100);
    buf_printf(&more, COMPANY "presets_dir = \"%s\";\nsources : {\n", CONTRIB);
    for (size_t i = 0; i < ARRAY_LEN(shown); i++)
        buf_printf(&more, "  %s : { preset = \"%s\"; verify : { secret_files = \"s\"; }; };\n",
                   shown[i].preset, shown[i].preset);
    buf_str(&more, "};\n");
    FILE *f = fopen("leadd.conf", "w");
    assert_non_null(f);
    assert_int_equal(fwrite(more.data, 1, more.len, f), more.len);
    fclose(f);
    json_t *tree = config_load_away("leadd.conf", &errors);
    errlist_print(&errors, &said);
    if (!tree)
        fail_msg("%s", said.data);
    return tree;
}

static void load_cases(void)
{
    DIR *d = opendir(FIXTURES);
    assert_non_null(d);
    cases = json_object();
    for (struct dirent *e; (e = readdir(d));) {
        json_error_t je;
        if (e->d_name[0] == '.')
            continue;
        AUTO_FREE char *path = mem_printf("%s/%s", FIXTURES, e->d_name);
        json_t *one = json_load_file(path, 0, &je);
        if (!one)
            fail_msg("%s:%d: %s", path, je.line, je.text);
        json_object_set_new(cases, e->d_name, one);
    }
    closedir(d);
}

static int setup(void **state)
{
    (void)state;
    snprintf(dir, sizeof(dir), "/tmp/leadd-presets-XXXXXX");
    assert_non_null(mkdtemp(dir));
    assert_int_equal(chdir(dir), 0);
    AUTO_JSON json_t *tree = load_config();
    sources = json_incref(json_get_obj(tree, "sources"));
    load_cases();
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    json_decref(sources);
    json_decref(cases);
    assert_int_equal(unlink("leadd.conf"), 0);
    assert_int_equal(chdir("/"), 0);
    return rmdir(dir);
}

/* ---- one fixture ------------------------------------------------------------------------ */

static json_t *headers_of(const json_t *fixture)
{
    json_t *headers = json_object();
    size_t i;
    const json_t *line;
    json_array_foreach(json_get_arr(fixture, "headers"), i, line) {
        const char *text = json_string_value(line), *colon = strchr(text, ':');
        AUTO_FREE char *name = mem_strn(text, (size_t)(colon - text));
        text_lower(name);
        json_put_str(headers, name, colon + 2);
    }
    return headers;
}

static json_t *values_of(const char *type, const char *text)
{
    struct form f;
    struct err e = {0};
    form_init(&f);
    assert_int_equal(form_read(&f, type, text, strlen(text), &e), 0);
    json_t *values = json_incref(f.values);
    form_done(&f);
    return values;
}

static json_t *understood(const json_t *conf, const json_t *fixture)
{
    static const char form[] = "application/x-www-form-urlencoded";
    const char *raw = json_get_str(fixture, "raw", NULL);
    AUTO_JSON json_t *body =
        raw ? values_of(form, raw) : json_incref(json_object_get(fixture, "body"));
    AUTO_JSON json_t *query = values_of(form, json_get_str(fixture, "query", ""));
    AUTO_JSON json_t *headers = headers_of(fixture);
    const struct source_in in = {.body = body, .query = query, .headers = headers};
    return source_map(conf, &in, "EUR");
}

/* The first key of what is wanted that is otherwise; NULL: all is as it should be. */
static const char *difference(const json_t *conf, const json_t *fixture)
{
    const char *key;
    json_t *v;
    AUTO_JSON json_t *got = understood(conf, fixture);
    if (json_array_size(json_get_arr(got, "defects")))
        return "defects";
    json_object_foreach(json_get_obj(fixture, "want"), key, v)
        if (!json_equal(v, json_object_get(got, key)))
            return key;
    return NULL;
}

static bool is_of(const json_t *fixture, const char *preset)
{
    return strcmp(json_get_str(fixture, "preset", ""), preset) == 0;
}

static void what_each_sender_documents_is_understood(void **state)
{
    (void)state;
    const char *name;
    json_t *fixture;
    json_object_foreach(cases, name, fixture) {
        const json_t *conf = json_get_obj(sources, json_get_str(fixture, "preset", ""));
        if (!conf)
            fail_msg("%s: no such preset", name);
        const char *key = difference(conf, fixture);
        AUTO_JSON json_t *got = understood(conf, fixture);
        AUTO_FREE char *text = json_text(got);
        if (key)
            fail_msg("%s: %s is not as it should be: %s", name, key, text);
    }
}

static void each_preset_verifies_as_its_sender_signs(void **state)
{
    (void)state;
    size_t files = 0;
    for (size_t i = 0; i < ARRAY_LEN(shown); i++) {
        const json_t *conf = json_get_obj(sources, shown[i].preset);
        AUTO_JSON json_t *want = json_loads(shown[i].verify, 0, NULL);
        AUTO_JSON json_t *got = json_deep_copy(json_get_obj(conf, "verify"));
        json_object_del(got, "secret_files");
        json_object_del(got, "window");
        if (!json_equal(got, want) || strcmp(json_get_str(conf, "creates", ""), shown[i].creates))
            fail_msg("%s", shown[i].preset);
    }
    DIR *d = opendir(CONTRIB "/sources");
    assert_non_null(d);
    for (struct dirent *e; (e = readdir(d));)
        files += strstr(e->d_name, ".conf") != NULL;
    closedir(d);
    assert_int_equal(files, ARRAY_LEN(shown)); /* every preset is in the table */
}

/* ---- every line matters -------------------------------------------------------------------- */

struct breaking {
    const char *preset;
    const json_t *conf;
    int broken, missed;
};

static void must_fail(struct breaking *b, const char *what, const char *value)
{
    const char *name;
    json_t *fixture;
    b->broken++;
    json_object_foreach(cases, name, fixture)
        if (is_of(fixture, b->preset) && difference(b->conf, fixture))
            return;
    print_message("%s: no fixture misses %s in \"%s\"\n", b->preset, what, value);
    b->missed++;
}

/* With each part between bars gone, nothing must be as before. */
static void break_parts(struct breaking *b, json_t *group, const char *key, const char *worse)
{
    AUTO_FREE char *was = mem_str(json_get_str(group, key, ""));
    for (const char *p = was; *p;) {
        size_t n = strcspn(p, "|");
        AUTO_FREE char *part = mem_strn(p, n);
        AUTO_FREE char *text = mem_printf("%.*s%s%s", (int)(p - was), was, worse, p + n);
        json_put_str(group, key, text);
        if (*text_trim(part))
            must_fail(b, part, was);
        p += n + (p[n] == '|');
    }
    json_put_str(group, key, was);
}

static void break_map(struct breaking *b, json_t *group)
{
    json_t *map = json_get_obj(group, "map");
    AUTO_JSON json_t *keys = json_array();
    const char *key;
    size_t i;
    json_t *v;
    json_object_foreach(map, key, v)
        json_array_append_new(keys, json_string(key));
    json_array_foreach(keys, i, v) {
        bool word = strstr(json_string_value(v), "_in") != NULL;
        if (word) {
            json_t *was = json_incref(json_object_get(map, json_string_value(v)));
            json_object_del(map, json_string_value(v));
            must_fail(b, json_string_value(v), "map");
            json_object_set_new(map, json_string_value(v), was);
        } else {
            break_parts(b, map, json_string_value(v), " nowhere.at.all ");
        }
    }
}

static void break_kind(struct breaking *b, json_t *group)
{
    AUTO_FREE char *was = mem_str(json_get_str(group, "kind", ""));
    if (!*was)
        return;
    json_put_str(group, "kind", strcmp(was, "visit") ? "visit" : "lead");
    must_fail(b, "kind", was);
    json_put_str(group, "kind", was);
}

static void break_when(struct breaking *b, json_t *event)
{
    size_t i;
    json_t *line;
    json_array_foreach(json_get_arr(event, "when"), i, line) {
        AUTO_FREE char *was = mem_str(json_get_str(line, "text", ""));
        json_put_str(line, "text", "nowhere is not set"); /* holds always */
        must_fail(b, "the condition", was);
        char *eq = strstr(was, " = ");
        AUTO_FREE char *head = eq ? mem_strn(was, (size_t)(eq - was) + 3) : NULL;
        for (const char *p = eq ? eq + 3 : ""; *p;) { /* and each of its words */
            size_t n = strcspn(p, "|");
            AUTO_FREE char *text = mem_printf("%s%.*snowhere%s", head, (int)(p - eq - 3), eq + 3, p + n);
            json_put_str(line, "text", text);
            must_fail(b, text, was);
            p += n + (p[n] == '|');
        }
        json_put_str(line, "text", was);
    }
}

static void with_any_value_of_a_preset_broken_a_fixture_fails(void **state)
{
    (void)state;
    int all = 0, missed = 0;
    for (size_t i = 0; i < ARRAY_LEN(shown); i++) {
        json_t *conf = json_get_obj(sources, shown[i].preset), *event;
        const char *name;
        struct breaking b = {.preset = shown[i].preset, .conf = conf};
        break_map(&b, conf);
        break_kind(&b, conf);
        json_object_foreach(json_get_obj(conf, "events"), name, event) {
            break_map(&b, event);
            break_kind(&b, event);
            break_when(&b, event);
        }
        all += b.broken;
        missed += b.missed;
    }
    print_message("%d values were broken, %d of them no fixture misses\n", all, missed);
    assert_int_equal(missed, 0);
    assert_true(all > 250);
}

/* ---- paths and conditions -------------------------------------------------------------------- */

static const char body_text[] =
    "{\"a\": {\"b\": 1, \"c\": [2, {\"d\": \"x\"}]}, \"list\": [{\"k\": \"one\", \"v\": \"first\"}, {\"k\": \"two\","
    " \"v\": \"second\"}], \"dotted.name\": \"whole\", \"empty\": \"\", \"no\": null, \"yes\": true, \"real\": 1.5}";

static void a_value_is_found_where_the_path_says(void **state)
{
    (void)state;
    static const struct {
        const char *value, *text;
    } rows[] = {
        {"a.b", "1"}, {"a.c.0", "2"}, {"a.c.1.d", "x"}, {"list[k=two].v", "second"},
        {"list[k=three].v", NULL}, {"list[*].v", "first, second"}, {"dotted.name", "whole"},
        {"empty", NULL}, {"empty | a.b", "1"}, {"no", NULL}, {"yes", "true"}, {"real", "1.5"},
        {"{a.b}-{a.c.0}", "1-2"}, {"{nothing} {at.all}", NULL}, {"{nothing}{a.b}", "1"},
        {"'EUR'", "EUR"}, {"nothing | 'x y'", "x y"}, {"header.x-t", "topic"}, {"query.q", "asked"},
        {"a", NULL}, {"a.b.c", NULL}, {"", NULL}, {"a..b", NULL}, {"[", NULL}, {"list[k=one", NULL},
        {"{", NULL}, {"list[].v", NULL}, {"a.c.99", NULL}, {"a.c.-1", NULL},
    };
    AUTO_JSON json_t *body = json_loads(body_text, 0, NULL);
    AUTO_JSON json_t *headers = json_pack("{s:s}", "x-t", "topic");
    AUTO_JSON json_t *query = json_pack("{s:s}", "q", "asked");
    const struct source_in in = {.body = body, .query = query, .headers = headers};
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        AUTO_FREE char *got = source_text(&in, rows[i].value);
        if (rows[i].text ? !got || strcmp(got, rows[i].text) : got != NULL)
            fail_msg("%s: %s", rows[i].value, got ? got : "nothing");
    }
}

static void a_condition_holds_when_it_should(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool holds;
    } rows[] = {
        {"a.b = 1", true}, {"a.b = 2", false}, {"a.b = 2|1", true}, {"a.b = 2 | 1", true},
        {"a.b != 2", true}, {"a.b != 1|2", false}, {"nothing != 1", true}, {"nothing = ", false},
        {"a.c.1.d = X", true}, {"list.0.v starts fi", true}, {"list.0.v starts xx|fi", true},
        {"list.0.v starts ir", false}, {"a.b is set", true}, {"a is set", true}, {"no is set", false},
        {"empty is set", false}, {"empty is not set", true}, {"a.b is not set", false},
        {"yes = true", true}, {"nonsense", false}, {"", false}, {" = ", false},
    };
    AUTO_JSON json_t *body = json_loads(body_text, 0, NULL);
    const struct source_in in = {.body = body};
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        if (source_holds(&in, rows[i].text) != rows[i].holds)
            fail_msg("%s", rows[i].text);
}

static void a_mistake_in_a_path_or_condition_is_told(void **state)
{
    (void)state;
    struct err e = {0};
    static const char *const bad_values[] = {"{a", "list[k=v", "a b", "x | {y"};
    static const char *const bad_conditions[] = {"a", "a == b", "is set", "", "a like b"};
    for (size_t i = 0; i < ARRAY_LEN(bad_values); i++)
        assert_int_equal(source_value_check(bad_values[i], &e), -1);
    for (size_t i = 0; i < ARRAY_LEN(bad_conditions); i++)
        assert_int_equal(source_condition_check(bad_conditions[i], &e), -1);
    assert_int_equal(source_value_check("a.b | {c} {d} | 'e f' | list[x=y z].v", &e), 0);
}

static void amounts_times_and_durations_are_read_as_senders_write_them(void **state)
{
    (void)state;
    static const struct {
        const char *map, *key, *want; /* want: JSON of the record's order, call or at_ms */
    } rows[] = {
        {"{\"amount\": \"'49.90'\"}", "order", "{\"amount\": {\"amount\": 4990, \"currency\": \"EUR\"}}"},
        {"{\"amount\": \"'49.9000'\"}", "order", "{\"amount\": {\"amount\": 4990, \"currency\": \"EUR\"}}"},
        {"{\"amount\": \"'49'\", \"currency\": \"'jpy'\"}", "order",
         "{\"amount\": {\"amount\": 49, \"currency\": \"JPY\"}}"},
        {"{\"amount\": \"'49.00'\", \"currency\": \"'JPY'\"}", "order",
         "{\"amount\": {\"amount\": 49, \"currency\": \"JPY\"}}"},
        {"{\"amount\": \"'4990'\", \"amount_in\": \"minor\", \"currency\": \"'usd'\"}", "order",
         "{\"amount\": {\"amount\": 4990, \"currency\": \"USD\"}}"},
        {"{\"amount\": \"'-5.00'\"}", "order", "{\"amount\": {\"amount\": -500, \"currency\": \"EUR\"}}"},
        {"{\"amount\": \"'lots'\"}", "order", "{}"},
        {"{\"amount\": \"'1'\", \"currency\": \"'Euro'\"}", "order",
         "{\"amount\": {\"amount\": 100, \"currency\": \"EUR\"}}"},
        {"{\"at\": \"'1686089970'\"}", "at_ms", "1686089970000"},
        {"{\"at\": \"'1686089970123'\"}", "at_ms", "1686089970123"},
        {"{\"at\": \"'1529006854.329574'\"}", "at_ms", "1529006854000"},
        {"{\"at\": \"'2018-01-18T18:17:02Z'\"}", "at_ms", "1516299422000"},
        {"{\"at\": \"'Tue, 31 Aug 2010 20:36:28 +0000'\"}", "at_ms", "1283286988000"},
        {"{\"at\": \"'Tue, 31 Aug 2010 22:36:28 +0200'\"}", "at_ms", "1283286988000"},
        {"{\"at\": \"'yesterday'\"}", "at_ms", NULL},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        AUTO_JSON json_t *conf = json_pack("{s:s, s:o}", "kind", "order.paid", "map",
                                           json_loads(rows[i].map, 0, NULL));
        const struct source_in in = {0};
        AUTO_JSON json_t *got = source_map(conf, &in, "EUR");
        AUTO_JSON json_t *want = rows[i].want ? json_loads(rows[i].want, JSON_DECODE_ANY, NULL) : NULL;
        AUTO_FREE char *text = json_text(got);
        if (want ? !json_equal(json_object_get(got, rows[i].key), want)
                 : json_object_get(got, rows[i].key) != NULL)
            fail_msg("%s: %s", rows[i].map, text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_each_sender_documents_is_understood),
        cmocka_unit_test(each_preset_verifies_as_its_sender_signs),
        cmocka_unit_test(with_any_value_of_a_preset_broken_a_fixture_fails),
        cmocka_unit_test(a_value_is_found_where_the_path_says),
        cmocka_unit_test(a_condition_holds_when_it_should),
        cmocka_unit_test(a_mistake_in_a_path_or_condition_is_told),
        cmocka_unit_test(amounts_times_and_durations_are_read_as_senders_write_them),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
