/* SPDX-License-Identifier: ISC
 *
 * config/ics: holidays from iCalendar files, also from files that are none
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/bounds.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/mem.h"
#include "config/ics.h"

#ifndef MUTATIONS
#define MUTATIONS 400 /* give more with CPPFLAGS=-DMUTATIONS=200000 */
#endif

static char dir[64];

static void put_bytes(const char *name, const void *p, size_t n)
{
    FILE *f = fopen(name, "w");
    assert_non_null(f);
    assert_int_equal(fwrite(p, 1, n, f), n);
    fclose(f);
}

static void put(const char *name, const char *text)
{
    put_bytes(name, text, strlen(text));
}

static int setup(void **state)
{
    (void)state;
    snprintf(dir, sizeof(dir), "/tmp/leadd-ics-XXXXXX");
    return mkdtemp(dir) && chdir(dir) == 0 ? 0 : -1;
}

static int teardown(void **state)
{
    (void)state;
    unlink("x.ics");
    return chdir("/") == 0 && rmdir(dir) == 0 ? 0 : -1;
}

/* What events become, one a line; "(timed N)" behind, or "error: ..". */
static char *read_events(const char *events)
{
    struct buf out AUTO_BUF;
    struct err e = {0};
    size_t timed = 0, i;
    json_t *v;
    buf_init(&out, MIB(8));
    char *file AUTO_FREE = mem_printf("BEGIN:VCALENDAR\r\nVERSION:2.0\r\n%sEND:VCALENDAR\r\n",
                                      events);
    put("x.ics", file);
    json_t *list AUTO_JSON = ics_read("x.ics", &timed, &e);
    if (!list)
        buf_printf(&out, "error: %s", e.text);
    json_array_foreach(list, i, v)
        buf_printf(&out, "%s\n", json_string_value(v));
    if (timed)
        buf_printf(&out, "(timed %zu)", timed);
    return buf_take(&out);
}

#define EVENT(lines) "BEGIN:VEVENT\r\nUID:1\r\nSUMMARY:A day\r\n" lines "END:VEVENT\r\n"

static void becomes(const char *events, const char *want)
{
    char *got AUTO_FREE = read_events(events);
    assert_string_equal(got, want);
}

static void all_day_events_become_holidays(void **state)
{
    (void)state;
    becomes("", "");
    becomes(EVENT("DTSTART;VALUE=DATE:20261225\r\n"), "2026-12-25 A day\n");
    becomes(EVENT("DTSTART;VALUE=DATE:20261225\r\nDTEND;VALUE=DATE:20261226\r\n"),
            "2026-12-25 A day\n");
    becomes(EVENT("DTSTART;VALUE=DATE:20261224\r\nDTEND;VALUE=DATE:20270102\r\n"),
            "2026-12-24..2027-01-01 A day\n");
    becomes(EVENT("DTSTART;VALUE=DATE:20261224\r\nDURATION:P3D\r\n"),
            "2026-12-24..2026-12-26 A day\n");
    becomes(EVENT("DTSTART;VALUE=DATE:20261224\r\nDTEND;VALUE=DATE:20261220\r\n"),
            "2026-12-24 A day\n");
    becomes(EVENT("DTSTART;TZID=Europe/Vienna:20261224T000000\r\nDURATION:P1D\r\n"),
            "2026-12-24 A day\n");
    becomes(EVENT("DTSTART:20261224T080000Z\r\nDTEND:20261224T090000Z\r\n"), "(timed 1)");
    becomes(EVENT("DTSTART;VALUE=DATE:20261225\r\nSTATUS:CANCELLED\r\n"), "");
    becomes("BEGIN:VEVENT\r\nDTSTART;VALUE=DATE:20261225\r\nSUMMARY:One\\, two\\n thr\r\n ee\r\n"
            "END:VEVENT\r\n", "2026-12-25 One, two  three\n");
    becomes("BEGIN:VEVENT\r\nDTSTART;VALUE=DATE:20261225\r\nEND:VEVENT\r\n", "2026-12-25\n");
}

static void recurring_events_become_all_their_days(void **state)
{
    (void)state;
    becomes(EVENT("DTSTART;VALUE=DATE:20201226\r\nRRULE:FREQ=YEARLY\r\n"), "12-26 A day\n");
    becomes(EVENT("DTSTART;VALUE=DATE:20261225\r\nRRULE:FREQ=YEARLY;COUNT=3\r\n"),
            "2026-12-25 A day\n2027-12-25 A day\n2028-12-25 A day\n");
    becomes(EVENT("DTSTART;VALUE=DATE:20261225\r\nDTEND;VALUE=DATE:20261227\r\n"
                  "RRULE:FREQ=YEARLY;INTERVAL=2;UNTIL=20301231\r\n"),
            "2026-12-25..2026-12-26 A day\n2028-12-25..2028-12-26 A day\n"
            "2030-12-25..2030-12-26 A day\n");
    /* the fourth Thursday of November and the last Monday of May */
    becomes(EVENT("DTSTART;VALUE=DATE:20261126\r\n"
                  "RRULE:FREQ=YEARLY;BYMONTH=11;BYDAY=4TH;COUNT=4\r\n"
                  "EXDATE;VALUE=DATE:20271125\r\n"),
            "2026-11-26 A day\n2028-11-23 A day\n2029-11-22 A day\n");
    becomes(EVENT("DTSTART;VALUE=DATE:20260525\r\nRRULE:FREQ=YEARLY;BYMONTH=5;BYDAY=-1MO;COUNT=2\r\n"
                  "RDATE;VALUE=DATE:20260601\r\n"),
            "2026-05-25 A day\n2027-05-31 A day\n2026-06-01 A day\n");
    becomes(EVENT("DTSTART;VALUE=DATE:20260102\r\nRRULE:FREQ=WEEKLY;COUNT=2\r\n"),
            "2026-01-02 A day\n2026-01-09 A day\n");
}

/* Without an end it goes on to 2100, and not beyond. */
static void what_recurs_for_ever_ends(void **state)
{
    (void)state;
    char *got AUTO_FREE = read_events(
        EVENT("DTSTART;VALUE=DATE:19001126\r\nRRULE:FREQ=YEARLY;BYMONTH=11;BYDAY=4TH\r\n"));
    assert_memory_equal(got, "1970-11-26 A day\n", 17);
    assert_non_null(strstr(got, "2099-11-26 A day\n"));
    assert_null(strstr(got, "2100-"));
    becomes(EVENT("DTSTART;VALUE=DATE:20260102\r\nRRULE:FREQ=DAILY\r\n")
            EVENT("DTSTART;VALUE=DATE:20260102\r\nRRULE:FREQ=DAILY\r\n"),
            "error: more than 40000 days, with \"A day\"");
    int64_t start = clock_mono_ms();
    becomes(EVENT("DTSTART;VALUE=DATE:20260102\r\nRRULE:FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30\r\n"),
            "");
    becomes(EVENT("DTSTART;VALUE=DATE:20260102\r\nRRULE:FREQ=HOURLY\r\n"),
            "error: \"A day\" recurs within a day; a holiday lasts whole days");
    assert_true(clock_mono_ms() - start < 10000);
}

static void files_that_are_no_calendars_are_refused(void **state)
{
    (void)state;
    static const char *const files[] = {"", "hello\n", "BEGIN:VEVENT\nEND:VEVENT\n",
                                        "BEGIN:VCALENDAR\n"};
    struct err e;
    size_t timed;
    for (size_t i = 0; i < ARRAY_LEN(files); i++) {
        put("x.ics", files[i]);
        json_t *v = ics_read("x.ics", &timed, &e);
        if (v)
            json_decref(v); /* the last one may count as an empty calendar */
        else
            assert_string_equal(e.text, "no calendar (VCALENDAR) in it");
        assert_true(!v || i == 3);
    }
    put_bytes("x.ics", "BEGIN:VCALENDAR\0", 16);
    assert_null(ics_read("x.ics", &timed, &e));
    assert_string_equal(e.text, "not a text");
    assert_null(ics_read("none.ics", &timed, &e));
    assert_string_equal(e.text, "cannot open none.ics: No such file or directory");
    char *large AUTO_FREE = mem_array(1, BOUND_CALENDAR_FILE + 2);
    memset(large, 'x', BOUND_CALENDAR_FILE + 1);
    put("x.ics", large);
    assert_null(ics_read("x.ics", &timed, &e));
}

static uint64_t seed;

static uint32_t next(uint32_t below)
{
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(seed >> 33) % below;
}

static void mutated_files_are_refused_or_read_but_never_fatal(void **state)
{
    (void)state;
    static const char text[] =
        EVENT("DTSTART;VALUE=DATE:20261126\r\nRRULE:FREQ=YEARLY;BYMONTH=11;BYDAY=4TH;COUNT=40\r\n"
              "EXDATE;VALUE=DATE:20271125,20281123\r\nRDATE;VALUE=DATE:20260601\r\n")
        EVENT("DTSTART;TZID=Europe/Vienna:20261224T000000\r\nDURATION:P1D\r\n"
              "RRULE:FREQ=MONTHLY;BYDAY=MO,TU;BYSETPOS=-1;UNTIL=20300101\r\n");
    static const char *const tokens[] = {"-", "99999999999", "0", ";", ",", "BYDAY=", "\r\n", "T",
                                         "BEGIN:VEVENT\r\n", "END:", "FREQ=DAILY", "-366", "\xff"};
    int read = 0;
    for (int i = 0; i < MUTATIONS; i++) {
        struct buf b AUTO_BUF;
        buf_init(&b, KIB(64));
        seed = (uint64_t)i * 7919 + 1;
        size_t at = next(sizeof(text) - 1), cut = next(3) ? next(4) : next(60);
        buf_add(&b, text, at);
        if (next(2))
            buf_str(&b, tokens[next(ARRAY_LEN(tokens))]);
        if (at + cut < sizeof(text) - 1)
            buf_str(&b, text + at + cut);
        char *got AUTO_FREE = read_events(b.data);
        read += strncmp(got, "error", 5) != 0;
    }
    assert_true(read > MUTATIONS / 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_day_events_become_holidays),
        cmocka_unit_test(recurring_events_become_all_their_days),
        cmocka_unit_test(what_recurs_for_ever_ends),
        cmocka_unit_test(files_that_are_no_calendars_are_refused),
        cmocka_unit_test(mutated_files_are_refused_or_read_but_never_fatal),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
