/* SPDX-License-Identifier: ISC
 *
 * config: files that nobody wrote by hand are refused, never fatal, never slow
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/clock.h"
#include "config_files.h"

#ifndef MUTATIONS
#define MUTATIONS 400 /* of each file; give more with CPPFLAGS=-DMUTATIONS=20000 */
#endif

static uint64_t seed;

static uint32_t next(uint32_t below)
{
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(seed >> 33) % below;
}

/* One to four changes: a byte, a run cut out, a run doubled, a token put in. */
static void mutate(struct buf *b, const char *text)
{
    static const char *const tokens[] = {"{", "}", "[", "]", "(", ")", "\"", ";", ",", "=", "/*",
                                         "#include \"x\"", "@include \"leadd.conf\"", "\\", "\n",
                                         "9999999999", "\xff", "true", "x ", "\"a\" \"b\"", "0x"};
    buf_reset(b);
    buf_str(b, text);
    for (uint32_t i = next(4) + 1; i > 0; i--) {
        uint32_t at = next((uint32_t)b->len), n = next(40) + 1;
        if (at + n > b->len)
            n = (uint32_t)b->len - at;
        char *tail AUTO_FREE = mem_strn(b->data + at, b->len - at);
        size_t tail_len = b->len - at;
        switch (next(4)) {
        case 0:
            b->data[at] = (char)(next(255) + 1);
            break;
        case 1:
            memmove(b->data + at, b->data + at + n, b->len - at - n);
            b->len -= n;
            break;
        case 2:
            b->len = at;
            buf_add(b, tail, n);
            buf_add(b, tail, tail_len);
            break;
        default:
            b->len = at;
            buf_str(b, tokens[next(ARRAY_LEN(tokens))]);
            buf_add(b, tail, tail_len);
        }
        if (b->len == 0)
            buf_str(b, "x");
    }
}

static void mutate_file(const char *name, const char *text)
{
    struct buf b AUTO_BUF;
    buf_init(&b, MIB(1));
    for (int i = 0; i < MUTATIONS; i++) {
        seed = (uint64_t)i * 7919 + strlen(text);
        mutate(&b, text);
        put_bytes(name, b.data, b.len);
        char *got AUTO_FREE = messages("leadd.conf", NULL);
        if (strstr(got, "libconfig refuses"))
            fail_msg("mutation %d of %s: the scan let through what libconfig refuses: %s", i, name,
                     got);
    }
    put(name, text);
}

static void mutated_files_are_refused_or_read_but_never_fatal(void **state)
{
    (void)state;
    char *conf AUTO_FREE = read_file(FIXTURES "/good/leadd.conf");
    char *people AUTO_FREE = read_file(FIXTURES "/good/people.conf");
    char *rules AUTO_FREE = read_file(FIXTURES "/good/rules.d/10-first.conf");
    char *pools AUTO_FREE = read_file(FIXTURES "/good/rules.d/20-second.conf");
    clear();
    put("pw", "x");
    put("people.conf", people);
    put("rules.d/many.txt", "a\nb\n");
    put("rules.d/at.ics", "BEGIN:VCALENDAR\nEND:VCALENDAR\n");
    put("rules.d/10-a.conf", rules);
    put("rules.d/20-b.conf", pools);
    put("leadd.conf", conf);
    char *got AUTO_FREE = messages("leadd.conf", NULL);
    assert_string_equal(got, "");
    mutate_file("leadd.conf", conf);
    mutate_file("rules.d/10-a.conf", rules);
    mutate_file("rules.d/20-b.conf", pools);
}

static void repeat(struct buf *b, const char *s, size_t n)
{
    for (size_t i = 0; i < n; i++)
        buf_str(b, s);
}

/* Reads head, n times middle, tail behind the base; gives the time it took. */
static int64_t huge(const char *head, const char *middle, size_t n, const char *tail,
                    const char *want)
{
    struct buf b AUTO_BUF;
    clear();
    buf_init(&b, MIB(16));
    buf_str(&b, head);
    repeat(&b, middle, n);
    buf_str(&b, tail);
    put_config(-1, b.data);
    int64_t start = clock_mono_ms();
    char *got AUTO_FREE = messages("leadd.conf", NULL);
    if (!strstr(got, want))
        fail_msg("%s%s...: wanted %s, got %.300s", head, middle, want, got);
    return clock_mono_ms() - start;
}

static void deep_and_huge_files_are_refused_quickly(void **state)
{
    (void)state;
    int64_t ms = 0;
    ms += huge("a = ", "( ", 1000000, "", "nested deeper than 16");
    ms += huge("a : ", "{ a : ", 500000, "", "nested deeper than 16");
    ms += huge("a = [ ", "1, ", 1000000, "1 ];", "more than 20000 elements in one list");
    ms += huge("a = ( ", "[ 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1 ], ", 19999,
               "1 );", "more than 400000 values in one file");
    ms += huge("", "} ", 1000000, "", "closes nothing that is open");
    ms += huge("a = \"", "x", 7000000, "\";", "a: unknown key");
    ms += huge("", "\"", 999999, "", "the quote opened here is not closed");
    ms += huge("", "#\n", 3000000, "b", "expected \"=\" and a value after \"b\"");
    ms += huge("", "/*", 2000000, "", "never closed");
    ms += huge("a = ", "9", 5000000, ";", "more than 9 digits");
    ms += huge("", "a", 5000000, " = 1;", "is longer than 64 characters");
    ms += huge("", "a = 1;\n", 1000000, "", "already set");
    ms += huge("", "x ", 4200000, "", "larger than");
    const char *slow = getenv("LEADD_TEST_SLOW"); /* under valgrind */
    assert_true(ms < 60000 * (slow ? strtol(slow, NULL, 10) : 1)); /* under sanitizers, on a busy machine */
}

static void many_errors_are_counted_and_cut(void **state)
{
    (void)state;
    clear();
    struct buf b AUTO_BUF;
    buf_init(&b, MIB(4));
    for (int i = 0; i < 1000; i++)
        buf_printf(&b, "unknown-%d = 1;\n", i);
    put_config(-1, b.data);
    struct errlist l AUTO_ERRLIST;
    errlist_init(&l, 200);
    assert_null(config_load("leadd.conf", &l));
    assert_int_equal(l.count, 200);
    assert_int_equal(errlist_total(&l), 1000);
}

static void ten_thousand_rules_load(void **state)
{
    (void)state;
    clear();
    struct buf b AUTO_BUF;
    buf_init(&b, MIB(8));
    buf_str(&b, "lang = 1;\nrules : {\n");
    for (int i = 0; i < 10000; i++)
        buf_printf(&b, "r%d : { on = \"lead.created\"; when = [ \"lead.score > %d\" ]; do = \"tag x\"; };\n",
                   i, i);
    buf_str(&b, "};\n");
    put_config(-1, "");
    put_bytes("rules.d/10-a.conf", b.data, b.len);
    json_t *tree AUTO_JSON = NULL;
    char *got AUTO_FREE = messages("leadd.conf", &tree);
    assert_string_equal(got, "");
    assert_int_equal(json_array_size(json_object_get(tree, "rules")), 10000);
}

static void random_bytes_are_refused(void **state)
{
    (void)state;
    clear();
    char bytes[4096];
    for (int i = 0; i < 200; i++) {
        seed = (uint64_t)i;
        for (size_t k = 0; k < sizeof(bytes); k++)
            bytes[k] = (char)(next(255) + (i % 2 ? 1 : 0));
        put_bytes("leadd.conf", bytes, sizeof(bytes));
        put_bytes("rules.d/10-a.conf", bytes, sizeof(bytes));
        json_t *tree = NULL;
        char *got AUTO_FREE = messages("leadd.conf", &tree);
        (void)got;
        assert_null(tree);
    }
}

static void files_that_are_no_files_are_refused(void **state)
{
    (void)state;
    clear();
    char *none AUTO_FREE = messages("leadd.conf", NULL);
    assert_string_equal(none, "cannot open leadd.conf: No such file or directory\n");
    char *folder AUTO_FREE = messages("rules.d", NULL);
    assert_true(folder[0] != '\0');
    put_config(-1, "@include \"/dev/zero\"\n");
    char *zero AUTO_FREE = messages("leadd.conf", NULL);
    assert_non_null(strstr(zero, "leadd.conf:5:1: "));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(files_that_are_no_files_are_refused),
        cmocka_unit_test(random_bytes_are_refused),
        cmocka_unit_test(many_errors_are_counted_and_cut),
        cmocka_unit_test(deep_and_huge_files_are_refused_quickly),
        cmocka_unit_test(ten_thousand_rules_load),
        cmocka_unit_test(mutated_files_are_refused_or_read_but_never_fatal),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
