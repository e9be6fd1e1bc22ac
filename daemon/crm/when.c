/* SPDX-License-Identifier: ISC
 *
 * when - times as people write them (see when.h)
 *
 * Calendars and zones are ICU's; a local time is put together here and given to
 * it, after a check that the day exists.
 */
#include "crm/when.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <unicode/ucal.h>
#include <unicode/ustring.h>

#include "base/clock.h"
#include "base/mem.h"

#define MINUTE INT64_C(60000)
#define HOUR (60 * MINUTE)
#define DAY_START (9 * 60) /* a day without a time of day: 09:00 */
#define DAY_END (17 * 60)  /* today without one: 17:00 */
#define YEARS_MAX 100

struct local {
    int year, month, day; /* month from 1 */
    int minute;           /* of the day; -1 when not said */
};

static UCalendar *calendar_open(const char *zone)
{
    UChar id[64];
    UErrorCode rc = U_ZERO_ERROR;
    u_uastrncpy(id, zone && *zone ? zone : "UTC", (int32_t)ARRAY_LEN(id) - 1);
    id[ARRAY_LEN(id) - 1] = 0;
    UCalendar *cal = ucal_open(id, -1, "en_US", UCAL_GREGORIAN, &rc);
    if (U_FAILURE(rc))
        return NULL;
    ucal_setAttribute(cal, UCAL_REPEATED_WALL_TIME, UCAL_WALLTIME_FIRST);
    ucal_setAttribute(cal, UCAL_SKIPPED_WALL_TIME, UCAL_WALLTIME_LAST);
    return cal;
}

bool crm_zone_ok(const char *zone)
{
    UChar id[64], canonical[64];
    UErrorCode rc = U_ZERO_ERROR;
    UBool system = 0;
    if (!zone || strlen(zone) >= ARRAY_LEN(id))
        return false;
    u_uastrcpy(id, zone);
    ucal_getCanonicalTimeZoneID(id, -1, canonical, ARRAY_LEN(canonical), &system, &rc);
    return U_SUCCESS(rc);
}

static struct local local_of(UCalendar *cal, int64_t ms)
{
    UErrorCode rc = U_ZERO_ERROR;
    ucal_setMillis(cal, (double)ms, &rc);
    return (struct local){ucal_get(cal, UCAL_YEAR, &rc), ucal_get(cal, UCAL_MONTH, &rc) + 1,
                          ucal_get(cal, UCAL_DATE, &rc),
                          ucal_get(cal, UCAL_HOUR_OF_DAY, &rc) * 60 +
                              ucal_get(cal, UCAL_MINUTE, &rc)};
}

static int64_t local_to_ms(UCalendar *cal, const struct local *l)
{
    UErrorCode rc = U_ZERO_ERROR;
    ucal_clear(cal);
    ucal_setDateTime(cal, l->year, l->month - 1, l->day, l->minute / 60, l->minute % 60, 0, &rc);
    ucal_set(cal, UCAL_MILLISECOND, 0);
    return (int64_t)ucal_getMillis(cal, &rc);
}

static void local_add_days(UCalendar *cal, struct local *l, int days)
{
    UErrorCode rc = U_ZERO_ERROR;
    struct local noon = *l;
    noon.minute = 12 * 60;
    local_to_ms(cal, &noon);
    ucal_add(cal, UCAL_DATE, days, &rc);
    l->year = ucal_get(cal, UCAL_YEAR, &rc);
    l->month = ucal_get(cal, UCAL_MONTH, &rc) + 1;
    l->day = ucal_get(cal, UCAL_DATE, &rc);
}

static int month_days(int year, int month)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return month == 2 && leap ? 29 : days[month - 1];
}

static bool word_ends(const char *s)
{
    return *s == '\0' || *s == ' ' || *s == '\t' || *s == ',';
}

/* Digits at s: how many, and their value. */
static int digits(const char *s, int max, int *value)
{
    int n = 0;
    *value = 0;
    while (n < max && isdigit((unsigned char)s[n]))
        *value = *value * 10 + (s[n++] - '0');
    return n;
}

/* "10:00" or "9:05": bytes, 0 when it is none, -1 when it cannot be. */
static int clock_parse(const char *s, int *minute, struct err *e)
{
    int h, m, n = digits(s, 2, &h);
    if (n == 0 || s[n] != ':' || digits(s + n + 1, 2, &m) != 2 || !word_ends(s + n + 3))
        return 0;
    if (h > 23 || m > 59)
        return err_set(e, ERR_INPUT, "%.*s is no time of day", n + 3, s);
    *minute = h * 60 + m;
    return n + 3;
}

static int date_check(const char *s, int n, const struct local *l, struct err *e)
{
    if (l->month < 1 || l->month > 12 || l->day < 1 || l->day > month_days(l->year, l->month))
        return err_set(e, ERR_INPUT, "%.*s is no date", n, s);
    return n;
}

/* "2026-12-01" or "1.12.2026". */
static int date_parse(const char *s, struct local *l, struct err *e)
{
    int a, b, c, n = digits(s, 4, &a), n2, n3;
    if (n == 4 && s[4] == '-' && digits(s + 5, 2, &b) == 2 && s[7] == '-' &&
        digits(s + 8, 2, &c) == 2 && word_ends(s + 10)) {
        *l = (struct local){a, b, c, -1};
        return date_check(s, 10, l, e);
    }
    if (n < 1 || n > 2 || s[n] != '.')
        return 0;
    n2 = digits(s + n + 1, 2, &b);
    if (n2 < 1 || s[n + 1 + n2] != '.')
        return 0;
    n3 = digits(s + n + n2 + 2, 4, &c);
    if (n3 != 4 || !word_ends(s + n + n2 + 2 + n3))
        return 0;
    *l = (struct local){c, b, a, -1};
    return date_check(s, n + n2 + 2 + n3, l, e);
}

static size_t word_length(const char *s)
{
    size_t n = 0;
    while (isalpha((unsigned char)s[n]))
        n++;
    return word_ends(s + n) ? n : 0;
}

/* The weekday 1 (Sunday) .. 7, 0 when it is none. */
static int weekday_parse(const char *s, size_t n)
{
    static const char *const names[] = {"sunday",   "monday", "tuesday", "wednesday",
                                        "thursday", "friday", "saturday"};
    for (int i = 0; i < 7; i++)
        if ((n == 3 || n == strlen(names[i])) && !strncasecmp(s, names[i], n))
            return i + 1;
    return 0;
}

/* "today", "tomorrow", "fri": the day and whether it may be today. */
static int day_word_parse(const char *s, UCalendar *cal, int64_t now_ms, struct local *l,
                          int *repeat)
{
    size_t n = word_length(s);
    UErrorCode rc = U_ZERO_ERROR;
    int day = weekday_parse(s, n);
    *repeat = 0;
    *l = local_of(cal, now_ms);
    l->minute = -1;
    if (n == 5 && !strncasecmp(s, "today", n))
        return (int)n;
    if (n == 8 && !strncasecmp(s, "tomorrow", n)) {
        local_add_days(cal, l, 1);
        return (int)n;
    }
    if (!day)
        return 0;
    ucal_setMillis(cal, (double)now_ms, &rc);
    local_add_days(cal, l, (day - ucal_get(cal, UCAL_DAY_OF_WEEK, &rc) + 7) % 7);
    *repeat = 7;
    return (int)n;
}

/* "3d", "2h 30m", "1w": days and weeks keep the local time of day. */
static int span_parse(const char *s, UCalendar *cal, int64_t now_ms, int64_t *out)
{
    int taken = 0, at = 0, days = 0, v;
    int64_t ms = 0;
    for (;;) {
        int n = digits(s + at, 5, &v);
        char unit = n ? s[at + n] : '\0';
        if (!unit || !strchr("mhdw", unit) || !word_ends(s + at + n + 1))
            break;
        ms += unit == 'm' ? v * MINUTE : unit == 'h' ? v * HOUR : 0;
        days += unit == 'd' ? v : unit == 'w' ? v * 7 : 0;
        taken = at + n + 1;
        at = taken + (int)strspn(s + taken, " \t");
    }
    if (!taken || days > YEARS_MAX * 366)
        return 0;
    if (days) {
        struct local l = local_of(cal, now_ms);
        local_add_days(cal, &l, days);
        now_ms = local_to_ms(cal, &l) + now_ms % MINUTE;
    }
    *out = now_ms + ms;
    return taken;
}

static int with_time_of_day(const char *s, int taken, struct local *l, struct err *e)
{
    int gap = (int)strspn(s + taken, " \t");
    int n = clock_parse(s + taken + gap, &l->minute, e);
    if (n < 0)
        return -1;
    return n ? taken + gap + n : taken;
}

static int when_parse(const char *s, UCalendar *cal, int64_t now_ms, int64_t *out, struct err *e)
{
    struct local l = {0};
    int repeat = 0, taken = span_parse(s, cal, now_ms, out);
    if (taken)
        return taken;
    taken = clock_parse(s, &l.minute, e);
    if (taken > 0) {
        int minute = l.minute;
        l = local_of(cal, now_ms);
        l.minute = minute;
        repeat = 1;
    } else if (taken == 0) {
        taken = date_parse(s, &l, e);
        if (taken == 0)
            taken = day_word_parse(s, cal, now_ms, &l, &repeat);
        if (taken > 0)
            taken = with_time_of_day(s, taken, &l, e);
    }
    if (taken <= 0)
        return taken;
    bool today = l.minute < 0 && !strncasecmp(s, "today", 5);
    if (l.minute < 0)
        l.minute = today ? DAY_END : DAY_START;
    *out = local_to_ms(cal, &l);
    if (repeat && *out <= now_ms) {
        local_add_days(cal, &l, repeat);
        *out = local_to_ms(cal, &l);
    }
    if (today && *out <= now_ms)
        *out = now_ms + HOUR;
    return taken;
}

int crm_when_parse(const char *s, const char *zone, int64_t now_ms, int64_t *out, struct err *e)
{
    int64_t at = 0;
    UCalendar *cal = calendar_open(zone);
    if (!cal)
        return err_set(e, ERR_PERM, "no time zone %s", zone);
    int taken = when_parse(s, cal, now_ms, &at, e);
    ucal_close(cal);
    if (taken > 0)
        *out = at;
    return taken;
}

const char *crm_when_print(const char *zone, int64_t ms, char *out, size_t n)
{
    UCalendar *cal = calendar_open(zone);
    struct local l = {0};
    if (cal) {
        l = local_of(cal, ms);
        ucal_close(cal);
    }
    snprintf(out, n, "%04d-%02d-%02d %02d:%02d", l.year, l.month, l.day, l.minute / 60,
             l.minute % 60);
    return out;
}

const char *crm_when_tell(const char *zone, int64_t ms, bool seconds, char *out, size_t n)
{
    bool known = zone && *zone && strcmp(zone, "UTC") != 0 && crm_zone_ok(zone);
    char day[32], rest[8] = "";
    crm_when_print(known ? zone : "UTC", ms, day, sizeof(day));
    if (seconds) /* the same in every zone: offsets are whole minutes since 1972 */
        snprintf(rest, sizeof(rest), ":%02d", (int)(ms / 1000 % 60));
    snprintf(out, n, "%s%s%s", day, rest, known ? "" : "Z");
    return out;
}

const char *crm_when_retell(const char *zone, const char *utc, bool seconds, char *out, size_t n)
{
    int64_t ms;
    size_t len = strlen(utc);
    if (len < strlen("2026-11-21T09:00:00Z") || utc[10] != 'T' || utc[16] != ':' || utc[len - 1] != 'Z' ||
        clock_parse_utc(utc, &ms) < 0 || ms < 0)
        return NULL;
    return crm_when_tell(zone, ms, seconds, out, n);
}
