/* SPDX-License-Identifier: ISC
 *
 * web: the rate limit and the metrics page
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/bounds.h"
#include "web/metrics.h"
#include "web/rate.h"

static int allowed(struct rate *r, const char *address, int64_t now, int tries)
{
    int n = 0, retry;
    for (int i = 0; i < tries; i++)
        n += rate_allow(r, address, now, &retry);
    return n;
}

static void a_minutes_worth_passes_then_one_for_each_share_of_a_minute(void **state)
{
    (void)state;
    int retry = 0;
    struct rate *r = rate_new(60, 100);
    assert_int_equal(allowed(r, "192.0.2.1", 1000, 100), 60);
    assert_false(rate_allow(r, "192.0.2.1", 1500, &retry));
    assert_int_equal(retry, 1);
    assert_int_equal(allowed(r, "192.0.2.1", 4000, 100), 3);
    assert_int_equal(allowed(r, "192.0.2.1", 3000, 100), 0); /* a clock that steps back */
    assert_int_equal(allowed(r, "192.0.2.1", 10000000, 100), 60);
    rate_free(&r);
    assert_null(r);
}

static void waiting_as_long_as_told_is_enough(void **state)
{
    (void)state;
    for (int64_t rate = 1; rate < 100; rate += 7) {
        struct rate *r = rate_new(rate, 100);
        int retry = 0;
        allowed(r, "192.0.2.1", 0, 1000);
        assert_false(rate_allow(r, "192.0.2.1", 3, &retry));
        assert_true(retry >= 1 && retry <= 60);
        assert_true(rate_allow(r, "192.0.2.1", 3 + retry * 1000, &retry));
        rate_free(&r);
    }
}

static void addresses_have_their_own_buckets_and_ipv6_one_per_64(void **state)
{
    (void)state;
    struct rate *r = rate_new(5, 1000);
    assert_int_equal(allowed(r, "192.0.2.1", 0, 10), 5);
    assert_int_equal(allowed(r, "192.0.2.2", 0, 10), 5);
    assert_int_equal(allowed(r, "2001:db8::1", 0, 10), 5);
    assert_int_equal(allowed(r, "2001:db8::2", 0, 10), 0);
    assert_int_equal(allowed(r, "2001:db8:0:1::2", 0, 10), 5);
    assert_int_equal(allowed(r, "not an address", 0, 10), 5);
    rate_free(&r);
}

static void zero_means_no_limit(void **state)
{
    (void)state;
    struct rate *r = rate_new(0, 10);
    assert_int_equal(allowed(r, "192.0.2.1", 0, 10000), 10000);
    rate_free(&r);
}

static void many_addresses_neither_grow_the_table_nor_lock_others_out(void **state)
{
    (void)state;
    char address[32];
    int retry;
    struct rate *r = rate_new(2, 64);
    for (int i = 0; i < 20000; i++) {
        snprintf(address, sizeof(address), "10.%d.%d.%d", i >> 16, (i >> 8) & 255, i & 255);
        assert_true(rate_allow(r, address, i, &retry));
    }
    assert_true(rate_allow(r, "192.0.2.1", 20001, &retry));
    rate_free(&r);
}

static void render(const char *json, const char *want)
{
    struct buf b AUTO_BUF;
    AUTO_JSON json_t *stats = json_loads(json, 0, NULL);
    buf_init(&b, MIB(1));
    metrics_render(stats, &b);
    assert_string_equal(b.data, want);
}

static void metrics_have_help_and_type_once_per_name(void **state)
{
    (void)state;
    render("{}", "");
    render("{\"counters\":{\"a{x=\\\"2\\\"}\":2,\"a_b\":7,\"a\":1},\"gauges\":{\"g\":-1.5}}",
           "# HELP leadd_a_total a\n# TYPE leadd_a_total counter\n"
           "leadd_a_total 1\nleadd_a_total{x=\"2\"} 2\n"
           "# HELP leadd_a_b_total a b\n# TYPE leadd_a_b_total counter\nleadd_a_b_total 7\n"
           "# HELP leadd_g g\n# TYPE leadd_g gauge\nleadd_g -1.5\n");
}

static void metrics_with_bad_names_are_left_out(void **state)
{
    (void)state;
    render("{\"gauges\":{\"\":1,\"1a\":1,\"a b\":1,\"a{\":1,\"a{}\":1,\"a{b}\":1,\"a{b=\\\"\":1,"
           "\"a{b=\\\"\\n\\\"}\":1,\"a{b=\\\"c\\\"}x\":1,\"a{b=\\\"\\\\x\\\"}\":1,\"ä\":1,"
           "\"t\":\"text\",\"o\":{}},\"counters\":[1]}",
           "");
    render("7", "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_minutes_worth_passes_then_one_for_each_share_of_a_minute),
        cmocka_unit_test(waiting_as_long_as_told_is_enough),
        cmocka_unit_test(addresses_have_their_own_buckets_and_ipv6_one_per_64),
        cmocka_unit_test(zero_means_no_limit),
        cmocka_unit_test(many_addresses_neither_grow_the_table_nor_lock_others_out),
        cmocka_unit_test(metrics_have_help_and_type_once_per_name),
        cmocka_unit_test(metrics_with_bad_names_are_left_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
