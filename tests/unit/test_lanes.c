/* SPDX-License-Identifier: ISC
 *
 * lanes: whoever is due gets turns by weight, and nobody the last slots but fresh personal mail
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "engine/lanes.h"

#define SLOTS 256

/* Claims for a while, as many a pass as there is room; what is claimed stays in hand for one
 * pass. all_out: rows that each line got. */
static void run(struct lanes *l, const bool due[OUTBOX_LINES], int64_t most, int passes,
                int64_t all_out[OUTBOX_LINES])
{
    int64_t in_hand[OUTBOX_LINES] = {0}, share[OUTBOX_LINES];
    memset(all_out, 0, sizeof(share));
    for (int n = 0; n < passes; n++) {
        lanes_share(l, due, in_hand, SLOTS, most, share);
        for (int i = 0; i < OUTBOX_LINES; i++) {
            assert_true(due[i] || share[i] == 0);
            lanes_took(l, due, i, share[i]);
            all_out[i] += share[i];
        }
    }
}

static void every_line_gets_its_part_however_few_are_claimed_at_once(void **state)
{
    (void)state;
    const bool all[OUTBOX_LINES] = {true, true, true, true, true, true};
    for (int64_t most = 1; most <= 16; most++) {
        struct lanes l = {0};
        int64_t got[OUTBOX_LINES];
        run(&l, all, most, 1000, got);
        int64_t bulk = got[LANE_BULK];
        assert_true(bulk > 0 && got[LANE_RETRY + LANE_BULK] > 0);
        assert_in_range(got[LANE_PERSON] - 8 * bulk + 100, 0, 200);
        assert_in_range(got[LANE_AUTO] - 4 * bulk + 100, 0, 200);
        assert_in_range(got[LANE_RETRY + LANE_PERSON] - 2 * bulk + 100, 0, 200);
    }
}

static void a_line_that_is_due_alone_gets_all_there_is(void **state)
{
    (void)state;
    for (int i = 0; i < OUTBOX_LINES; i++) {
        struct lanes l = {0};
        bool due[OUTBOX_LINES] = {false};
        int64_t got[OUTBOX_LINES];
        due[i] = true;
        run(&l, due, 16, 10, got);
        assert_int_equal(got[i], 160);
    }
}

static void who_had_nothing_for_long_has_saved_nothing_up(void **state)
{
    (void)state;
    struct lanes l = {0};
    int64_t got[OUTBOX_LINES];
    bool due[OUTBOX_LINES] = {false};
    due[LANE_AUTO] = true;
    run(&l, due, 16, 1000, got);
    due[LANE_BULK] = true;
    run(&l, due, 16, 10, got);
    assert_true(got[LANE_AUTO] >= 3 * got[LANE_BULK]);
    /* nor does the one that worked for long have to wait for the other */
    due[LANE_AUTO] = false;
    run(&l, due, 16, 1000, got);
    due[LANE_AUTO] = true;
    run(&l, due, 16, 10, got);
    assert_true(got[LANE_AUTO] >= 3 * got[LANE_BULK] && got[LANE_BULK] > 0);
}

static void the_last_slots_are_for_fresh_personal_mail(void **state)
{
    (void)state;
    struct lanes l = {0};
    bool due[OUTBOX_LINES] = {false, true, true, true, true, true};
    int64_t in_hand[OUTBOX_LINES] = {0}, share[OUTBOX_LINES], sum = 0;
    for (int n = 0; n < 100; n++) {
        lanes_share(&l, due, in_hand, SLOTS, 64, share);
        for (int i = 0; i < OUTBOX_LINES; i++) {
            lanes_took(&l, due, i, share[i]);
            in_hand[i] += share[i];
            sum += share[i];
        }
    }
    assert_in_range(sum, SLOTS / 2, SLOTS - SLOTS / 8);
    for (int i = 1; i < OUTBOX_LINES; i++)
        assert_true(in_hand[i] > 0 && l.full[i]);
    assert_false(l.full[LANE_PERSON]);
    due[LANE_PERSON] = true;
    lanes_share(&l, due, in_hand, SLOTS, 64, share);
    assert_true(share[LANE_PERSON] >= SLOTS - sum);
    lanes_free(&l);
    assert_false(l.full[LANE_BULK]);
}

static void a_mailing_may_have_a_quarter_even_when_nothing_else_is_there(void **state)
{
    (void)state;
    struct lanes l = {0};
    bool due[OUTBOX_LINES] = {false};
    int64_t in_hand[OUTBOX_LINES] = {0}, share[OUTBOX_LINES];
    due[LANE_BULK] = true;
    lanes_share(&l, due, in_hand, SLOTS, 1000, share);
    assert_int_equal(share[LANE_BULK], SLOTS / 4);
    lanes_share(&l, due, in_hand, 1, 64, share); /* a table of one slot still sends */
    assert_int_equal(share[LANE_BULK], 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_line_gets_its_part_however_few_are_claimed_at_once),
        cmocka_unit_test(a_line_that_is_due_alone_gets_all_there_is),
        cmocka_unit_test(who_had_nothing_for_long_has_saved_nothing_up),
        cmocka_unit_test(the_last_slots_are_for_fresh_personal_mail),
        cmocka_unit_test(a_mailing_may_have_a_quarter_even_when_nothing_else_is_there),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
