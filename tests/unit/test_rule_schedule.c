/* SPDX-License-Identifier: ISC
 *
 * rule/schedule: the times that a text names, also on the nights when clocks
 * change, and what is said about a text that names none
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "rule/schedule.h"

static struct calendars *calendars;

static int setup(void **state)
{
    (void)state;
    struct errlist errors;
    errlist_init(&errors, 5);
    json_t *j AUTO_JSON = json_pack("{s:{s:s, s:s, s:[s]}}", "vienna", "zone", "Europe/Vienna",
                                    "hours", "Mon-Fri 09:00-17:00", "holidays", "2026-11-23");
    calendars = calendars_new(j, &errors);
    errlist_done(&errors);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    calendars_free(&calendars);
    return 0;
}

/* The next times after `from`, separated by spaces, in UTC to the minute. */
static void runs(const char *text, const char *from, const char *want)
{
    struct err e = {0};
    int64_t ms;
    struct schedule *s = schedule_new(text, "Europe/Vienna", calendars, NULL, &e, NULL);
    if (!s)
        fail_msg("%s", e.text);
    assert_int_equal(clock_parse_utc(from, &ms), 0);
    struct buf got AUTO_BUF;
    buf_init(&got, 4096);
    while (got.len < strlen(want)) {
        char at[40] = "never";
        ms = schedule_next(s, ms);
        if (ms != CALENDAR_NEVER)
            clock_format_utc(ms, at, sizeof(at));
        at[strlen(at) > 16 ? 16 : strlen(at)] = '\0';
        buf_printf(&got, "%s%s", got.len ? " " : "", at);
    }
    schedule_free(&s);
    assert_string_equal(got.data, want);
}

static void refused(const char *text, const char *want, int col)
{
    struct err e = {0};
    int got = -1;
    struct schedule *s = schedule_new(text, "Europe/Vienna", calendars, NULL, &e, &got);
    assert_null(s);
    assert_string_equal(e.text, want);
    assert_int_equal(got, col);
}

static void test_a_text_names_its_times(void **state)
{
    (void)state;
    /* 2026-11-22 is a Sunday; Vienna is one hour ahead of UTC in winter, two in summer */
    runs("Mon 08:00", "2026-11-22", "2026-11-23T07:00 2026-11-30T07:00");
    runs("Mon 08:00", "2026-11-23T07:00:00Z", "2026-11-30T07:00");
    runs("Mon,Thu 08:00,16:30", "2026-11-22",
         "2026-11-23T07:00 2026-11-23T15:30 2026-11-26T07:00 2026-11-26T15:30");
    runs("Sat-Mon 16:00, 08:00", "2026-11-22T12:00:00Z", "2026-11-22T15:00 2026-11-23T07:00");
    runs("daily 07:30 America/New_York", "2026-11-22", "2026-11-22T12:30 2026-11-23T12:30");
    runs("Mon-Fri 08:00 UTC", "2026-11-27T09:00:00Z", "2026-11-30T08:00");
    runs("1st 09:00", "2026-11-22", "2026-12-01T08:00 2027-01-01T08:00");
    runs("31st 09:00", "2027-01-31T09:00:00Z", "2027-03-31T07:00 2027-05-31T07:00");
    runs("last 09:00", "2027-01-31T09:00:00Z", "2027-02-28T08:00 2027-03-31T07:00");
    runs("workday 08:00 vienna", "2026-11-20T08:00:00Z", "2026-11-24T07:00 2026-11-25T07:00");
    runs("15m", "2026-11-22T10:07:00Z", "2026-11-22T10:15 2026-11-22T10:30");
    runs("1h", "2026-11-22T10:00:00Z", "2026-11-22T11:00 2026-11-22T12:00");
}

/* 2026-03-29: 02:00 becomes 03:00; 2026-10-25: 03:00 becomes 02:00. */
static void test_times_on_the_nights_when_clocks_change(void **state)
{
    (void)state;
    runs("daily 02:30", "2026-03-28T12:00:00Z", "2026-03-29T01:00 2026-03-30T00:30");
    runs("daily 02:30, 02:45, 03:00", "2026-03-28T12:00:00Z", "2026-03-29T01:00 2026-03-30T00:30");
    runs("daily 02:30", "2026-10-24T12:00:00Z", "2026-10-25T00:30 2026-10-26T01:30");
    runs("1h", "2026-10-25T00:30:00Z", "2026-10-25T01:00 2026-10-25T02:00 2026-10-25T03:00");
}

static void test_what_names_no_time_is_refused_with_its_column(void **state)
{
    (void)state;
    static const char what[] =
        "expected days and a time such as \"Mon 08:00\", \"Mon-Fri 08:00\", \"daily 07:30\", "
        "\"1st 09:00\", \"last 09:00\", \"workday 08:00\", or an interval such as \"1h\"";
    refused("", what, 0);
    refused("08:00", what, 0);
    refused("1rd 08:00", what, 0);
    refused("32nd 08:00", what, 0);
    refused("Mon 24:00", "expected a time of day such as 08:00", 4);
    refused("Mon 08:00,", "expected a time of day such as 08:00", 10);
    refused("Mon 08:00 Europe/Wien",
            "unknown time zone \"Europe/Wien\"; did you mean \"Europe/Vienna\"?", 10);
    refused("workday 08:00", "workday needs a calendar: name it here, or set calendar in leadd.conf",
            13);
    refused("workday 08:00 vienne", "there is no calendar \"vienne\"; did you mean \"vienna\"?", 14);
    refused("30s", "an interval is from 1m to 12h long; for more, write a day and a time, such as "
            "\"daily 07:30\"", 0);
    refused("1d", "an interval is from 1m to 12h long; for more, write a day and a time, such as "
            "\"daily 07:30\"", 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_text_names_its_times),
        cmocka_unit_test(test_times_on_the_nights_when_clocks_change),
        cmocka_unit_test(test_what_names_no_time_is_refused_with_its_column),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
