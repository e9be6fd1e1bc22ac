/* SPDX-License-Identifier: ISC
 *
 * test_rule_broadcast - which template wins, how fast mails are written, who is the test
 */
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "base/units.h"
#include "rule/broadcast.h"


static void the_greater_share_of_answers_wins(void **state)
{
    (void)state;
    char why[BROADCAST_WHY_MAX];
    struct broadcast_score s[] = {{"a", 100, 9, 0}, {"b", 50, 5, 0}, {"c", 10, 0, 0}};
    assert_int_equal(broadcast_winner(s, 3, 10, why), 1);
    assert_string_equal(why, "b: the greater share answered (5 of 50, a 9 of 100)");
    s[0].replied = 11;
    assert_int_equal(broadcast_winner(s, 3, 10, why), 0);
}

static void a_draw_is_for_the_fewer_who_unsubscribed_and_then_the_first(void **state)
{
    (void)state;
    char why[BROADCAST_WHY_MAX];
    struct broadcast_score s[] = {{"a", 100, 10, 3}, {"b", 50, 5, 1}};
    assert_int_equal(broadcast_winner(s, 2, 10, why), 1);
    assert_non_null(strstr(why, "fewer unsubscribed"));
    s[0].unsubscribed = 2;
    assert_int_equal(broadcast_winner(s, 2, 10, why), 0);
    assert_non_null(strstr(why, "a draw"));
}

static void too_few_answers_and_nobody_written_to_decide_nothing(void **state)
{
    (void)state;
    char why[BROADCAST_WHY_MAX];
    struct broadcast_score s[] = {{"a", 100, 0, 0}, {"b", 100, 9, 0}};
    assert_int_equal(broadcast_winner(s, 2, 10, why), 0);
    assert_string_equal(why, "a: 9 answered in all, fewer than 10: the one named first");
    assert_int_equal(broadcast_winner(s, 2, 9, why), 1);
    struct broadcast_score none[] = {{"a", 0, 0, 0}, {"b", 5, 0, 0}};
    assert_int_equal(broadcast_winner(none, 2, 0, why), 1);
    assert_non_null(strstr(why, "nothing was sent"));
}

/* The best of the others is named, wherever it stands. */
static void every_order_of_three_has_the_same_winner(void **state)
{
    (void)state;
    static const int orders[6][3] = {{0, 1, 2}, {0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};
    const struct broadcast_score s[] = {{"a", 10, 5, 0}, {"b", 10, 4, 0}, {"c", 10, 3, 0}};
    for (int i = 0; i < 6; i++) {
        char why[BROADCAST_WHY_MAX];
        struct broadcast_score mixed[3] = {s[orders[i][0]], s[orders[i][1]], s[orders[i][2]]};
        size_t best = broadcast_winner(mixed, 3, 1, why);
        assert_string_equal(mixed[best].name, "a");
        assert_string_equal(why, "a: the greater share answered (5 of 10, b 4 of 10)");
    }
}

/* At each tick that is not before the one before it: no 3600 s have more. */
static void no_hour_has_more_than_it_may(void **state)
{
    (void)state;
    for (int64_t per_hour = 1; per_hour < 1000000; per_hour += 1 + per_hour / 7) {
        struct broadcast b = {.per_hour = per_hour};
        int64_t tick, n;
        broadcast_pace(&b, &tick, &n);
        int64_t ticks = (HOUR_MS + tick - 1) / tick; /* that begin in an hour, at most */
        assert_true(n >= 1 && tick >= 1000);
        assert_true(ticks * n <= per_hour);
        assert_true(ticks * n * 2 > per_hour); /* and it is made use of */
    }
}

static void about_the_share_that_is_asked_for_is_the_test(void **state)
{
    (void)state;
    struct broadcast b = {.test = 10};
    int in = 0;
    for (int64_t c = 1; c <= 20000; c++) {
        int64_t rank = broadcast_rank("spring", c);
        assert_true(rank >= 0);
        assert_int_equal(rank, broadcast_rank("spring", c));
        in += rank <= broadcast_test_rank(&b);
    }
    assert_in_range(in, 1850, 2150);
    b.test = 0;
    assert_true(broadcast_test_rank(&b) < 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_greater_share_of_answers_wins),
        cmocka_unit_test(a_draw_is_for_the_fewer_who_unsubscribed_and_then_the_first),
        cmocka_unit_test(too_few_answers_and_nobody_written_to_decide_nothing),
        cmocka_unit_test(every_order_of_three_has_the_same_winner),
        cmocka_unit_test(no_hour_has_more_than_it_may),
        cmocka_unit_test(about_the_share_that_is_asked_for_is_the_test),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
