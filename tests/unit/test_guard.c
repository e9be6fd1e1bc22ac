/* SPDX-License-Identifier: ISC
 *
 * The limits on what a mail server may send.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/bounds.h"
#include "base/mem.h"
#include "intake/guard.h"

static int feed(struct guard *g, const char *s)
{
    struct err e = {0};
    return guard_check(g, s, strlen(s), &e);
}

static struct guard fresh(size_t budget, size_t literal)
{
    struct guard g;
    guard_init(&g);
    guard_allow(&g, budget, literal);
    return g;
}

static void ordinary_responses_pass(void **state)
{
    (void)state;
    struct guard g = fresh(4096, 100);
    assert_int_equal(feed(&g, "* OK [CAPABILITY IMAP4rev1] it's ready (\r\n"), 0);
    assert_int_equal(feed(&g, "* 1 FETCH (UID 5 BODY[] {5}\r\n((((\"  FLAGS (\\Seen))\r\n"), 0);
    assert_int_equal(g.depth, 0);
    assert_int_equal(feed(&g, "2 OK done\r\n"), 0);
}

static void a_literal_is_skipped_even_in_single_bytes(void **state)
{
    (void)state;
    struct guard g = fresh(4096, 100);
    const char *text = "* 1 FETCH (BODY[] {4}\r\n{9}\n)\r\n";
    struct err e;
    for (const char *p = text; *p; p++)
        assert_int_equal(guard_check(&g, p, 1, &e), 0);
    assert_int_equal(g.line, 0);
    assert_int_equal(g.literal_left, 0);
}

static void a_literal_larger_than_asked_is_refused(void **state)
{
    (void)state;
    struct guard g = fresh(1 << 20, 1000);
    assert_int_equal(feed(&g, "* 1 FETCH (BODY[] {1001}"), -1);
    g = fresh(1 << 20, 1000);
    assert_int_equal(feed(&g, "* 1 FETCH (BODY[] {99999999999999999999999999}"), -1);
    g = fresh(1 << 20, 1000);
    assert_int_equal(feed(&g, "* 1 FETCH (BODY[] {4294967295}"), -1);
}

static void braces_in_a_quoted_string_are_text(void **state)
{
    (void)state;
    struct guard g = fresh(4096, 10);
    assert_int_equal(feed(&g, "* LIST () \"/\" \"a{5000}\\\"{7000}\"\r\n"), 0);
}

static void the_budget_is_per_command(void **state)
{
    (void)state;
    struct guard g = fresh(10, 10);
    assert_int_equal(feed(&g, "0123456789"), 0);
    assert_int_equal(feed(&g, "x"), -1);
    guard_allow(&g, 5, 10);
    assert_int_equal(feed(&g, "x"), 0);
}

static void an_endless_line_is_cut(void **state)
{
    (void)state;
    struct guard g = fresh(SIZE_MAX, 10);
    char block[4096];
    memset(block, 'a', sizeof block);
    struct err e = {0};
    size_t n = 0;
    while (n <= BOUND_INTAKE_LINE && guard_check(&g, block, sizeof block, &e) == 0)
        n += sizeof block;
    assert_int_equal(n, BOUND_INTAKE_LINE);
}

static void endless_empty_lines_are_cut(void **state)
{
    (void)state;
    struct guard g = fresh(SIZE_MAX, 10);
    int n = 0;
    while (n <= BOUND_INTAKE_LINES && feed(&g, "\r\n") == 0)
        n++;
    assert_int_equal(n, BOUND_INTAKE_LINES);
    guard_allow(&g, SIZE_MAX, 10);
    assert_int_equal(feed(&g, "\r\n"), 0);
}

static void deep_nesting_is_cut_also_across_literals(void **state)
{
    (void)state;
    struct guard g = fresh(1 << 20, 10);
    for (int i = 0; i < BOUND_INTAKE_NESTING; i++)
        assert_int_equal(feed(&g, "({1}\r\nx"), 0);
    assert_int_equal(feed(&g, "("), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ordinary_responses_pass),
        cmocka_unit_test(a_literal_is_skipped_even_in_single_bytes),
        cmocka_unit_test(a_literal_larger_than_asked_is_refused),
        cmocka_unit_test(braces_in_a_quoted_string_are_text),
        cmocka_unit_test(the_budget_is_per_command),
        cmocka_unit_test(an_endless_line_is_cut),
        cmocka_unit_test(endless_empty_lines_are_cut),
        cmocka_unit_test(deep_nesting_is_cut_also_across_literals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
