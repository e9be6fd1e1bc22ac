/* SPDX-License-Identifier: ISC
 *
 * rule/calendar, rule/zone, rule/day: open hours, sums of them, the nights on
 * which clocks change, spans, and what is said about a wrong calendar
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "base/bounds.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"
#include "rule/schedule.h"

#define MINUTE INT64_C(60000)
#define HOUR (60 * MINUTE)

/* A calendar of one name, "c"; holidays separated by '|', or NULL. */
static struct calendars *load(const char *zone, const char *hours, const char *holidays,
                              struct errlist *errors)
{
    json_t *def = json_pack("{s:s, s:s, s:s}", "zone", zone, "hours", hours, "at", "a.conf:3");
    json_t *list = json_array();
    for (const char *p = holidays; p && *p;) {
        size_t n = strcspn(p, "|");
        json_array_append_new(list, json_stringn(p, n));
        p += n + (p[n] == '|');
    }
    json_object_set_new(def, "holidays", list);
    json_t *all AUTO_JSON = json_pack("{s:o}", "c", def);
    return calendars_new(all, errors);
}

static struct calendars *good(const char *zone, const char *hours, const char *holidays)
{
    struct errlist errors AUTO_ERRLIST;
    struct buf said AUTO_BUF;
    errlist_init(&errors, 20);
    buf_init(&said, 8192);
    struct calendars *cs = load(zone, hours, holidays, &errors);
    errlist_print(&errors, &said);
    if (errors.count)
        fail_msg("%s", said.data);
    return cs;
}

static void bad(const char *zone, const char *hours, const char *holidays, const char *want)
{
    struct errlist errors AUTO_ERRLIST;
    struct buf said AUTO_BUF;
    errlist_init(&errors, 20);
    buf_init(&said, 8192);
    struct calendars *cs = load(zone, hours, holidays, &errors);
    errlist_print(&errors, &said);
    assert_string_equal(said.data, want);
    calendars_free(&cs);
}

static int64_t utc(const char *s)
{
    int64_t ms;
    if (clock_parse_utc(s, &ms))
        fail_msg("%s", s);
    return ms;
}

static void same(int64_t got, const char *want)
{
    char s[40] = "never";
    if (got != CALENDAR_NEVER)
        clock_format_utc(got, s, sizeof(s));
    s[strlen(want)] = '\0';
    assert_string_equal(s, want);
}

static void test_days_are_counted_and_named(void **state)
{
    (void)state;
    assert_int_equal(day_number(1970, 1, 1), 0);
    assert_int_equal(day_number(2000, 2, 29), 11016);
    assert_int_equal(day_weekday(0), 3);
    for (int64_t d = day_number(1899, 12, 31); d < day_number(2101, 1, 2); d++) {
        struct day_date x = day_date(d);
        assert_int_equal(day_number(x.year, x.month, x.mday), d);
        assert_true(x.mday <= day_month_length(x.year, x.month));
    }
}

static void test_business_time_runs_only_while_it_is_open(void **state)
{
    (void)state;
    struct calendars *cs = good("Europe/Vienna",
                                "Mon-Fri 09:00-12:30, 13:00-17:00; Sat 09:00-12:00",
                                "2026-12-25 Christmas|12-26|2026-12-31..2027-01-01");
    const struct calendar *c = calendars_find(cs, "c");
    int64_t fri = utc("2026-11-20T15:45:00Z"); /* 16:45 in Vienna */
    same(calendar_add(c, fri, 15 * MINUTE), "2026-11-20T16:00:00");
    same(calendar_add(c, fri, 16 * MINUTE), "2026-11-21T08:01:00");
    same(calendar_add(c, fri, 15 * MINUTE + 3 * HOUR + 1), "2026-11-23T08:00:00.001");
    same(calendar_add(c, fri, 0), "2026-11-20T15:45:00");
    assert_int_equal(calendar_between(c, fri, utc("2026-11-23T08:00:00Z")), 195 * MINUTE);
    assert_int_equal(calendar_between(c, fri, fri), 0);
    assert_int_equal(calendar_between(c, fri, fri - HOUR), 0);
    assert_true(calendar_open_at(c, fri));
    assert_true(calendar_open_at(c, utc("2026-11-20T08:00:00Z")));
    assert_false(calendar_open_at(c, utc("2026-11-20T16:00:00Z")));
    assert_false(calendar_open_at(c, utc("2026-11-20T11:30:00Z")));
    same(calendar_next_open(c, utc("2026-11-20T11:30:00Z")), "2026-11-20T12:00:00");
    same(calendar_next_open(c, fri), "2026-11-20T15:45:00");
    /* Thu 24th, then Christmas, the 26th of every year, and a Sunday */
    same(calendar_next_open(c, utc("2026-12-24T16:00:00Z")), "2026-12-28T08:00:00");
    same(calendar_next_open(c, utc("2026-12-30T16:00:00Z")), "2027-01-02T08:00:00");
    struct calendar_day d;
    calendar_day(c, day_number(2026, 12, 25), &d);
    assert_string_equal(d.holiday, "Christmas");
    assert_int_equal(d.count, 0);
    calendar_day(c, day_number(2027, 12, 26), &d);
    assert_string_equal(d.holiday, "");
    calendars_free(&cs);
}

static void test_no_calendar_is_real_time(void **state)
{
    (void)state;
    assert_int_equal(calendar_add(NULL, 1000, 500), 1500);
    assert_int_equal(calendar_add(NULL, INT64_MAX - 1, 500), CALENDAR_NEVER);
    assert_int_equal(calendar_between(NULL, 1000, 1500), 500);
    assert_true(calendar_open_at(NULL, 1));
    assert_int_equal(calendar_next_open(NULL, 7), 7);
}

/* Open time of one local day in Vienna under these hours. */
static int64_t open_time(const char *zone, const char *hours, int y, int m, int mday)
{
    struct calendars *cs = good(zone, hours, NULL);
    struct calendar_day d;
    int64_t sum = 0;
    calendar_day(calendars_find(cs, "c"), day_number(y, m, mday), &d);
    for (size_t i = 0; i < d.count; i++)
        sum += d.open[i].to - d.open[i].from;
    calendars_free(&cs);
    return sum / MINUTE;
}

/* 2026-03-29: 02:00 becomes 03:00; 2026-10-25: 03:00 becomes 02:00. */
static void test_hours_on_the_nights_when_clocks_change(void **state)
{
    (void)state;
    const char *v = "Europe/Vienna";
    assert_int_equal(open_time(v, "daily 01:00-04:00", 2026, 3, 29), 120);
    assert_int_equal(open_time(v, "daily 01:00-04:00", 2026, 10, 25), 240);
    assert_int_equal(open_time(v, "daily 01:00-04:00", 2026, 10, 26), 180);
    assert_int_equal(open_time(v, "daily 02:30-04:00", 2026, 3, 29), 60);
    assert_int_equal(open_time(v, "daily 02:10-02:50", 2026, 3, 29), 0);
    assert_int_equal(open_time(v, "daily 01:00-02:30", 2026, 3, 29), 60);
    assert_int_equal(open_time(v, "daily 01:00-02:30, 02:30-04:00", 2026, 3, 29), 120);
    assert_int_equal(open_time(v, "daily 02:15-02:45", 2026, 10, 25), 90);
    assert_int_equal(open_time(v, "daily 00:00-02:00", 2026, 10, 25), 120);
    assert_int_equal(open_time(v, "daily 03:00-04:00", 2026, 10, 25), 60);
    assert_int_equal(open_time(v, "daily 01:00-02:30, 02:30-04:00", 2026, 10, 25), 240);
    assert_int_equal(open_time(v, "daily 02:00-02:20, 02:40-03:00", 2026, 10, 25), 120);
    assert_int_equal(open_time(v, "daily 00:00-24:00", 2026, 10, 25), 25 * 60);
    assert_int_equal(open_time(v, "daily 00:00-24:00", 2026, 3, 29), 23 * 60);
    /* there, a day begins with the gap, and one hour of it comes twice at midnight */
    assert_int_equal(open_time("America/Havana", "daily 00:00-24:00", 2026, 3, 8), 23 * 60);
    assert_int_equal(open_time("America/Havana", "daily 00:00-24:00", 2026, 11, 1), 25 * 60);
    assert_int_equal(open_time("America/Havana", "daily 23:00-24:00", 2026, 10, 31), 60);
    assert_int_equal(open_time("America/Havana", "daily 00:00-01:00", 2026, 11, 1), 120);
    /* half an hour of change */
    assert_int_equal(open_time("Australia/Lord_Howe", "daily 01:00-03:00", 2026, 4, 5), 150);
}

static void test_a_span_that_never_ends_is_never(void **state)
{
    (void)state;
    struct calendars *cs = good("UTC", "Mon 09:00-09:01", "01-01..12-30");
    const struct calendar *c = calendars_find(cs, "c");
    /* the 31st of December is a Monday in 2029, 2035, 2040 */
    same(calendar_next_open(c, utc("2026-06-01")), "2029-12-31T09:00:00");
    same(calendar_add(c, utc("2026-06-01"), 2 * MINUTE), "2035-12-31T09:01:00");
    same(calendar_add(c, utc("2026-06-01"), 3 * MINUTE), "never");
    same(calendar_add(c, INT64_MAX, 3 * MINUTE), "never");
    same(calendar_add(c, INT64_MIN, 1), "1973-12-31T09:00:00.001");
    assert_int_equal(calendar_between(c, INT64_MIN, INT64_MAX),
                     calendar_between(c, 0, ZONE_END_MS));
    calendars_free(&cs);
}

/* Reads as few words and as much as a sysadmin would. */
static void test_hours_are_read_as_written(void **state)
{
    (void)state;
    const char *v = "UTC";
    assert_int_equal(open_time(v, "Mon-Sun 9:00-17:00", 2026, 11, 22), 480);
    assert_int_equal(open_time(v, "Sat-Mon 09:00-10:00", 2026, 11, 22), 60);
    assert_int_equal(open_time(v, "mon,wed , sunday 09:00 - 10:00 , 11:00 - 12:00;",
                               2026, 11, 22), 120);
    assert_int_equal(open_time(v, "Mon 08:00-09:00, Sun 09:00-10:00", 2026, 11, 22), 60);
    assert_int_equal(open_time(v, "Mon-Fri 08:00-17:00; Sun closed", 2026, 11, 22), 0);
    assert_int_equal(open_time(v, "Sun 13:00-17:00; daily 08:00-12:00", 2026, 11, 22), 480);
    assert_int_equal(open_time(v, "Sun 00:00-24:00", 2026, 11, 22), 1440);
}

static void test_what_is_wrong_is_said_with_its_column(void **state)
{
    (void)state;
    bad("Europe/Viena", "Mon 09:00-10:00", NULL,
        "a.conf:3: calendar c: unknown time zone \"Europe/Viena\"; did you mean "
        "\"Europe/Vienna\"?\n");
    bad("UTC", "Mon-Fri 09:00-25:00", NULL,
        "a.conf:3: calendar c: hours: expected a time such as 17:00\n"
        "    Mon-Fri 09:00-25:00\n"
        "                  ^\n");
    bad("UTC", "Mon-Fry 09:00-17:00", NULL,
        "a.conf:3: calendar c: hours: expected a day such as Mon, or days such as Mon-Fri\n"
        "    Mon-Fry 09:00-17:00\n"
        "    ^\n");
    bad("UTC", "Mon-Fri 09:00-12:30, 12:00-17:00", NULL,
        "a.conf:3: calendar c: hours: they overlap others of Mon\n"
        "    Mon-Fri 09:00-12:30, 12:00-17:00\n"
        "                         ^\n");
    bad("UTC", "Mon-Fri 22:00-06:00", NULL,
        "a.conf:3: calendar c: hours: they end before they begin; over midnight, write "
        "22:00-24:00 and, for the next day, 00:00-06:00\n"
        "    Mon-Fri 22:00-06:00\n"
        "            ^\n");
    bad("UTC", "Mon-Fri 09-17", NULL,
        "a.conf:3: calendar c: hours: expected a time such as 09:00, or \"closed\"\n"
        "    Mon-Fri 09-17\n"
        "            ^\n");
    bad("UTC", "Mon 09:00-10:00 11:00-12:00", NULL,
        "a.conf:3: calendar c: hours: expected \",\" and further hours, or \";\" and further "
        "days\n"
        "    Mon 09:00-10:00 11:00-12:00\n"
        "                    ^\n");
    bad("UTC", "Mon-Fri 09:00-10:00; Fri closed", NULL,
        "a.conf:3: calendar c: hours: Fri is closed in one place and open in another\n"
        "    Mon-Fri 09:00-10:00; Fri closed\n"
        "                             ^\n");
    bad("UTC", "daily closed", NULL,
        "a.conf:3: calendar c: it is never open; give it hours such as "
        "\"Mon-Fri 09:00-17:00\"\n");
    bad("UTC", "daily 09:00-10:00", "01-01..12-31",
        "a.conf:3: calendar c: every day of the year is a holiday, so it is never open\n");
    bad("UTC", "daily 09:00-10:00", "2026-02-29",
        "a.conf:3: calendar c: holidays: there is no such day\n"
        "    2026-02-29\n"
        "    ^\n");
    bad("UTC", "daily 09:00-10:00", "2027-01-01..2026-12-24",
        "a.conf:3: calendar c: holidays: the range ends before it begins\n"
        "    2027-01-01..2026-12-24\n"
        "    ^\n");
    bad("UTC", "daily 09:00-10:00", "2026-12-24..12-31",
        "a.conf:3: calendar c: holidays: expected a date of the same form as the first, "
        "YYYY-MM-DD\n"
        "    2026-12-24..12-31\n"
        "                ^\n");
    bad("UTC", "daily 09:00-10:00", "2026-01-01..2030-12-31",
        "a.conf:3: calendar c: holidays: longer than a year\n"
        "    2026-01-01..2030-12-31\n"
        "    ^\n");
}

static void span(const struct calendars *cs, const struct calendar *standard, const char *text,
                 const char *want, int want_col)
{
    struct calendar_span s = {0};
    struct err e = {0};
    int col = -1;
    if (calendar_span_parse(text, cs, standard, &s, &e, &col) == 0) {
        AUTO_FREE char *back = calendar_span_text(&s);
        assert_string_equal(back, want);
        assert_int_equal(want_col, -1);
    } else {
        assert_string_equal(e.text, want);
        assert_int_equal(col, want_col);
    }
}

static void test_spans_are_read(void **state)
{
    (void)state;
    struct calendars *cs = good("UTC", "daily 09:00-10:00", NULL);
    const struct calendar *c = calendars_find(cs, "c");
    span(cs, NULL, "30m", "30m", -1);
    span(cs, c, "90m business", "1h 30m business c", -1);
    span(cs, NULL, " 1 day 2h business c ", "1d 2h business c", -1);
    span(cs, NULL, "2h business", "\"business\" needs a calendar: name it here, or set calendar in "
         "leadd.conf", 11);
    span(cs, c, "2h business d", "there is no calendar \"d\"; did you mean \"c\"?", 12);
    span(cs, c, "153 days business", "153d business c", -1);
    span(cs, c, "160 days business", "the calendar \"c\" is not open that long in ten years", 0);
    span(cs, c, "2h buisness", "expected a duration such as \"30m\", \"2h business\" or "
         "\"1d 12h\", got \"2h buisness\"", 0);
    span(cs, c, "2h businessday", "expected \"business\", got \"businessday\"", 3);
    span(cs, c, "business", "expected a duration such as \"30m\", \"2h business\" or "
         "\"1d 12h\", got \"business\"", 0);
    struct calendar_span s;
    struct err e;
    assert_int_equal(calendar_span_parse("90m business", cs, c, &s, &e, NULL), 0);
    same(calendar_span_add(&s, utc("2026-11-22")), "2026-11-23T09:30:00");
    calendars_free(&cs);
}

static uint64_t seed = 4;

static uint32_t next(uint32_t below)
{
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(seed >> 33) % below;
}

/* One to four changes: bytes cut out, a token put in. */
static char *mutated(const char *text, bool change)
{
    static const char *const tokens[] = {"-", ":", "..", "24:00", "99:99", "closed", "Mon", "daily",
                                         ";", ",", " ", "last", "31st", "workday", "business",
                                         "99999999999999999999", "\xff", "02-29", "9999-12-31"};
    char *s = mem_str(text);
    for (uint32_t n = change ? next(4) + 1 : 0; n > 0; n--) {
        uint32_t len = (uint32_t)strlen(s), at = next(len + 1), cut = next(3) ? next(6) : 0;
        cut = at + cut > len ? len - at : cut;
        const char *put = next(2) ? tokens[next(ARRAY_LEN(tokens))] : "";
        char *changed = mem_printf("%.*s%s%s", (int)at, s, put, s + at + cut);
        mem_free(s);
        s = changed;
    }
    return s;
}

/* Never fatal, and what is accepted answers. */
static void test_mutated_texts_are_read_or_refused(void **state)
{
    (void)state;
    int read = 0;
    for (int i = 0; i < 3000; i++) {
        AUTO_FREE char *hours = mutated("Mon-Fri 09:00-12:30, 13:00-17:00; Sat 09:00-12:00", i % 3 == 0);
        AUTO_FREE char *days = mutated("12-26|2026-12-24..2027-01-01|12-24..01-06 Winter",
                                       i % 3 == 1);
        AUTO_FREE char *text = mutated(i % 2 ? "1h 30m business c" : "Mon-Fri,Sun 08:00,16:30 UTC",
                                       i % 3 == 2);
        struct calendar_span s;
        struct errlist errors AUTO_ERRLIST;
        struct err e;
        errlist_init(&errors, 5);
        bool plain = text_is_utf8(days, strlen(days)); /* json_string would refuse it */
        struct calendars *cs = load("UTC", text_is_utf8(hours, strlen(hours)) ? hours : "daily closed",
                                    plain ? days : NULL, &errors);
        const struct calendar *c = calendars_find(cs, "c");
        if (errlist_total(&errors) == 0) {
            int64_t at = calendar_add(c, utc("2026-06-01"), 90 * HOUR);
            assert_true(at == CALENDAR_NEVER ||
                        calendar_between(c, utc("2026-06-01"), at) == 90 * HOUR);
            struct schedule *times = schedule_new(text, NULL, cs, c, &e, NULL);
            read += times && schedule_next(times, 0) > 0;
            schedule_free(&times);
            read += calendar_span_parse(text, cs, c, &s, &e, NULL) == 0;
        }
        calendars_free(&cs);
    }
    assert_true(read > 300);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_days_are_counted_and_named),
        cmocka_unit_test(test_business_time_runs_only_while_it_is_open),
        cmocka_unit_test(test_no_calendar_is_real_time),
        cmocka_unit_test(test_hours_on_the_nights_when_clocks_change),
        cmocka_unit_test(test_a_span_that_never_ends_is_never),
        cmocka_unit_test(test_hours_are_read_as_written),
        cmocka_unit_test(test_what_is_wrong_is_said_with_its_column),
        cmocka_unit_test(test_spans_are_read),
        cmocka_unit_test(test_mutated_texts_are_read_or_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
