/* SPDX-License-Identifier: ISC
 *
 * test_quiet - the hours in which nobody is texted: against a walk minute by minute
 */
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "base/text.h"
#include "base/units.h"
#include "rule/day.h"
#include "rule/quiet.h"

#define ZONES_MAX 64

static const struct quiet night = {21 * 60, 8 * 60};

static int64_t utc(int year, int month, int day, int hour, int minute)
{
    return day_number(year, month, day) * DAY_MS + (hour * 60 + minute) * MINUTE_MS;
}

/* By the clock on the wall alone. */
static bool is_quiet(const struct quiet *q, const struct zone *z, int64_t t)
{
    int64_t local = t + zone_offset(z, t);
    int m = (int)((local % DAY_MS + DAY_MS) % DAY_MS / MINUTE_MS);
    return q->begin > q->end ? m >= q->begin || m < q->end : m >= q->begin && m < q->end;
}

struct place {
    struct zone *v[ZONES_MAX];
    size_t count;
};

static void place_open(struct place *p, const char *country)
{
    char names[ZONES_MAX][QUIET_ZONE_NAME];
    struct err e = {0};
    p->count = quiet_zones_of(country, names, ZONES_MAX);
    assert_in_range(p->count, 1, ZONES_MAX);
    for (size_t i = 0; i < p->count; i++) {
        p->v[i] = zone_new(names[i], &e);
        if (!p->v[i])
            fail_msg("%s", e.text);
    }
}

static void place_close(struct place *p)
{
    for (size_t i = 0; i < p->count; i++)
        zone_free(&p->v[i]);
}

static int64_t until(const struct place *p, const struct quiet *q, int64_t t)
{
    return quiet_until(q, (const struct zone *const *)p->v, p->count, t);
}

static void the_night_in_vienna(void **state)
{
    struct place at;
    (void)state;
    place_open(&at, "AT");
    assert_int_equal(at.count, 1);
    /* winter: UTC + 1 */
    assert_int_equal(until(&at, &night, utc(2026, 11, 23, 19, 59)), utc(2026, 11, 23, 19, 59));
    assert_int_equal(until(&at, &night, utc(2026, 11, 23, 20, 0)), utc(2026, 11, 24, 7, 0));
    assert_int_equal(until(&at, &night, utc(2026, 11, 24, 3, 0)), utc(2026, 11, 24, 7, 0));
    assert_int_equal(until(&at, &night, utc(2026, 11, 24, 7, 0)), utc(2026, 11, 24, 7, 0));
    /* the night in which clocks go on, and the one in which they go back */
    assert_int_equal(until(&at, &night, utc(2026, 3, 28, 22, 0)), utc(2026, 3, 29, 6, 0));
    assert_int_equal(until(&at, &night, utc(2026, 10, 24, 21, 0)), utc(2026, 10, 25, 7, 0));
    place_close(&at);
}

static void an_american_number_waits_for_hawaii_and_new_york(void **state)
{
    struct place us;
    (void)state;
    place_open(&us, "US");
    assert_in_range(us.count, 20, ZONES_MAX);
    /* 10:00 in New York (UTC - 5): night in Honolulu and Adak until 8:00 there (UTC - 10) */
    assert_int_equal(until(&us, &night, utc(2026, 1, 12, 15, 0)), utc(2026, 1, 12, 18, 0));
    assert_int_equal(until(&us, &night, utc(2026, 1, 12, 18, 0)), utc(2026, 1, 12, 18, 0));
    /* 21:00 in New York: the next day, when it is 8:00 in Honolulu */
    assert_int_equal(until(&us, &night, utc(2026, 1, 13, 2, 0)), utc(2026, 1, 13, 18, 0));
    place_close(&us);
}

/* The answer is quiet nowhere, and every minute before it was quiet somewhere. */
static void the_answer_is_the_first_open_minute_in_all_zones(void **state)
{
    static const char *const countries[] = {"AT", "US", "AU", "RU", "GB", "CA", "BR", "IE"};
    static const struct quiet hours[] = {{21 * 60, 8 * 60}, {22 * 60 + 30, 7 * 60}, {0, 6 * 60},
                                         {2 * 60, 3 * 60}, {1 * 60 + 30, 2 * 60 + 30}};
    static const struct day_date days[] = {{2026, 3, 8},  {2026, 3, 29}, {2026, 4, 5}, {2026, 10, 4},
                                           {2026, 10, 25}, {2026, 11, 1}, {2026, 6, 15}};
    (void)state;
    for (size_t c = 0; c < ARRAY_LEN(countries); c++) {
        struct place p;
        place_open(&p, countries[c]);
        for (size_t d = 0; d < ARRAY_LEN(days); d++)
            for (size_t h = 0; h < ARRAY_LEN(hours); h++) {
                int64_t day = utc(days[d].year, days[d].month, days[d].mday, 0, 0) - DAY_MS;
                for (int64_t t = day; t < day + 3 * DAY_MS; t += 47 * MINUTE_MS) {
                    int64_t got = until(&p, &hours[h], t);
                    if (got < 0) /* Russia at night has no hour in common */
                        continue;
                    for (int64_t m = t; m < got; m += MINUTE_MS) {
                        bool any = false;
                        for (size_t i = 0; i < p.count && !any; i++)
                            any = is_quiet(&hours[h], p.v[i], m);
                        /* what repeats is quiet both times, and what lies between */
                        bool repeats = false;
                        for (size_t i = 0; i < p.count && !repeats; i++)
                            repeats = zone_offset(p.v[i], m - 3 * 3600 * 1000) !=
                                      zone_offset(p.v[i], m + 3 * 3600 * 1000);
                        if (!any && !repeats)
                            fail_msg("%s %zu %zu: %" PRId64 " is open before %" PRId64,
                                     countries[c], d, h, m, got);
                    }
                    for (size_t i = 0; i < p.count; i++)
                        if (is_quiet(&hours[h], p.v[i], got))
                            fail_msg("%s: quiet in %s", countries[c], zone_name(p.v[i]));
                }
            }
        place_close(&p);
    }
}

static void no_hours_and_no_common_hour(void **state)
{
    struct place ru;
    static const struct quiet none = {60, 60}, long_one = {12 * 60, 9 * 60};
    (void)state;
    place_open(&ru, "RU");
    assert_int_equal(until(&ru, &none, 12345), 12345);
    assert_int_equal(until(&ru, &long_one, utc(2026, 1, 12, 15, 0)), -1);
    place_close(&ru);
    char names[2][QUIET_ZONE_NAME];
    assert_int_equal(quiet_zones_of("ZZ", names, 2), 0);
}

static void hours_are_read_from_text(void **state)
{
    static const char *const bad[] = {"", "21:00", "21-08", "21:00-", "25:00-08:00", "21:60-08:00",
                                      "21:00-08:00 ", "a21:00-08:00", "021:00-08:00", "21:0-8:0"};
    int begin, end;
    (void)state;
    assert_int_equal(text_parse_hours("21:00-08:00", &begin, &end), 0);
    assert_int_equal(begin, 21 * 60);
    assert_int_equal(end, 8 * 60);
    assert_int_equal(text_parse_hours("9:30-24:00", &begin, &end), 0);
    assert_int_equal(end, 24 * 60);
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        if (text_parse_hours(bad[i], &begin, &end) == 0)
            fail_msg("\"%s\" was read", bad[i]);
}

int main(void)
{
#define T(f) cmocka_unit_test(f)
    const struct CMUnitTest tests[] = {
        T(the_night_in_vienna),
        T(an_american_number_waits_for_hawaii_and_new_york),
        T(the_answer_is_the_first_open_minute_in_all_zones),
        T(no_hours_and_no_common_hour),
        T(hours_are_read_from_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
