/* SPDX-License-Identifier: ISC
 *
 * What comes again: words read and printed, and the days that they mean.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "base/units.h"
#include "crm/recur.h"
#include "rule/calendar.h"

#define NOON(y, m, d) (day_number(y, m, d) * DAY_MS + DAY_MS / 2)

static struct zone *utc;

static void settled(const char *text, int64_t at, char out[RECUR_TEXT])
{
    struct recur r, again;
    struct err e = {0};
    char twice[RECUR_TEXT];
    int n = recur_parse(text, &r, &e);
    assert_int_equal(n, (int)strlen(text));
    recur_settle(&r, utc, at);
    recur_print(&r, out);
    assert_true(recur_parse(out, &again, &e) == (int)strlen(out));
    recur_settle(&again, utc, at);
    assert_string_equal(recur_print(&again, twice), out);
}

static void words_are_read_and_printed_so_that_they_are_read_again(void **state)
{
    static const char *const pairs[][2] = {
        {"every Monday 9:00", "every week on Mon 09:00"},
        {"daily", "every day 12:00"},
        {"every other friday at 2pm", "every 2 weeks on Fri 14:00 from 2026-11-20"},
        {"every 2 weeks on Mon and Thu 8:30", "every 2 weeks on Mon,Thu 08:30 from 2026-11-20"},
        {"each workday 7:30", "every workday 07:30"},
        {"weekly", "every week on Fri 12:00"},
        {"monthly", "every month on the 20th 12:00"},
        {"every month on the last day 17:00", "every month on the last day 17:00"},
        {"every last Fri of the month", "every month on the last Fri 12:00"},
        {"every first Monday", "every month on the first Mon 12:00"},
        {"quarterly on the 1st", "every 3 months on the 1st 12:00 from 2026-11-20"},
        {"yearly on 12-24 10:00 until 2030-12-31", "every year on 12-24 10:00 until 2030-12-31"},
        {"every 3 days from 2026-12-01", "every 3 days 12:00 from 2026-12-01"},
        {"every Mon, Wed and Fri", "every week on Mon,Wed,Fri 12:00"},
    };
    char out[RECUR_TEXT];
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(pairs); i++) {
        settled(pairs[i][0], NOON(2026, 11, 20), out);
        assert_string_equal(out, pairs[i][1]);
    }
}

static void other_words_are_none_and_what_cannot_be_is_refused(void **state)
{
    static const char *const none[] = {"everything", "every child", "dailies", "month", "", "every",
                                       "every 2 of them", "weeklyish"};
    static const char *const wrong[] = {"every 0 days", "every 200 weeks", "every 50 years",
                                        "every 5th Monday", "daily from 2026-12-02 until 2026-12-01"};
    struct recur r;
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(none); i++) {
        struct err e = {0};
        assert_int_equal(recur_parse(none[i], &r, &e), 0);
        assert_int_equal(e.cls, ERR_NONE);
    }
    for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
        struct err e = {0};
        assert_int_equal(recur_parse(wrong[i], &r, &e), -1);
        assert_int_equal(e.cls, ERR_INPUT);
    }
}

static void expect_days(const char *text, const struct calendar *c, int64_t from,
                        const int (*days)[3], size_t n)
{
    struct recur r;
    struct err e = {0};
    assert_true(recur_parse(text, &r, &e) > 0);
    recur_settle(&r, utc, from);
    for (size_t i = 0; i < n; i++) {
        from = recur_next(&r, utc, c, from);
        struct day_date d = day_date(zone_day(utc, from));
        assert_int_equal(d.year * 10000 + d.month * 100 + d.mday,
                         days[i][0] * 10000 + days[i][1] * 100 + days[i][2]);
    }
}

static void a_short_month_is_not_passed_over(void **state)
{
    static const int ends[][3] = {{2027, 1, 31}, {2027, 2, 28}, {2027, 3, 31}, {2027, 4, 30}};
    static const int leap[][3] = {{2025, 2, 28}, {2026, 2, 28}, {2027, 2, 28}, {2028, 2, 29}};
    (void)state;
    expect_days("monthly on the 31st", NULL, NOON(2026, 12, 31), ends, ARRAY_LEN(ends));
    expect_days("yearly on 02-29", NULL, NOON(2024, 2, 29), leap, ARRAY_LEN(leap));
}

static void holidays_put_off_and_weekends_that_are_meant_stay(void **state)
{
    struct errlist errors AUTO_ERRLIST;
    static const int mondays[][3] = {{2026, 4, 7}, {2026, 4, 13}}; /* 6 April is a holiday */
    static const int saturdays[][3] = {{2026, 4, 4}, {2026, 4, 11}};
    static const int firsts[][3] = {{2026, 8, 3}, {2026, 9, 1}}; /* 1 August is a Saturday */
    static const int work[][3] = {{2026, 4, 2}, {2026, 4, 3}, {2026, 4, 7}};
    (void)state;
    AUTO_JSON json_t *config = json_pack("{s:{s:s, s:[s], s:[s]}}", "at", "zone", "UTC", "hours",
                                         "Mon-Fri 09:00-17:00", "holidays", "2026-04-06");
    errlist_init(&errors, 5);
    struct calendars *all = calendars_new(config, &errors);
    assert_int_equal(errors.count, 0);
    const struct calendar *c = calendars_find(all, "at");
    expect_days("every Monday", c, NOON(2026, 4, 1), mondays, 2);
    expect_days("every Saturday", c, NOON(2026, 4, 1), saturdays, 2);
    expect_days("monthly on the 1st", c, NOON(2026, 7, 2), firsts, 2);
    expect_days("every workday", c, NOON(2026, 4, 1), work, 3);
    calendars_free(&all);
}

static void it_ends(void **state)
{
    struct recur r;
    struct err e = {0};
    (void)state;
    assert_true(recur_parse("daily until 2026-11-22", &r, &e) > 0);
    recur_settle(&r, utc, NOON(2026, 11, 20));
    assert_true(recur_next(&r, utc, NULL, NOON(2026, 11, 21)) == NOON(2026, 11, 22));
    assert_true(recur_next(&r, utc, NULL, NOON(2026, 11, 22)) == CALENDAR_NEVER);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(words_are_read_and_printed_so_that_they_are_read_again),
        cmocka_unit_test(other_words_are_none_and_what_cannot_be_is_refused),
        cmocka_unit_test(a_short_month_is_not_passed_over),
        cmocka_unit_test(holidays_put_off_and_weekends_that_are_meant_stay),
        cmocka_unit_test(it_ends),
    };
    struct err e = {0};
    utc = zone_new("UTC", &e);
    int rc = cmocka_run_group_tests(tests, NULL, NULL);
    zone_free(&utc);
    return rc;
}
