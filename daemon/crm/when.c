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
#include "base/units.h"
#include "crm/when_words.h"

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

/* Digits at s: how many, and their value. */
static int digits(const char *s, int max, int *value)
{
    int n = 0;
    *value = 0;
    while (n < max && isdigit((unsigned char)s[n]))
        *value = *value * 10 + (s[n++] - '0');
    return n;
}

/* "3d", "2h 30m", "1w": days and weeks keep the local time of day. */
static int span_parse(const char *s, UCalendar *cal, int64_t now_ms, int64_t *out)
{
    int taken = 0, at = 0, days = 0, v;
    int64_t ms = 0;
    for (;;) {
        int n = digits(s + at, 5, &v);
        char unit = n ? s[at + n] : '\0';
        if (!unit || !strchr("mhdw", unit) || !when_word_ends(s + at + n + 1))
            break;
        ms += unit == 'm' ? v * MINUTE_MS : unit == 'h' ? v * HOUR_MS : 0;
        days += unit == 'd' ? v : unit == 'w' ? v * 7 : 0;
        taken = at + n + 1;
        at = taken + (int)strspn(s + taken, " \t");
    }
    if (!taken || days > YEARS_MAX * 366)
        return 0;
    if (days) {
        struct local l = local_of(cal, now_ms);
        local_add_days(cal, &l, days);
        now_ms = local_to_ms(cal, &l) + now_ms % MINUTE_MS;
    }
    *out = now_ms + ms;
    return taken;
}

/* The first such day from today on. */
static void date_next(const struct when_day *d, struct local *l)
{
    struct local today = *l;
    *l = (struct local){d->year ? d->year : today.year, d->month, d->n, -1};
    if (d->year)
        return;
    for (int i = 0; i < 8 && (l->month < today.month ||
                              (l->month == today.month && l->day < today.day) ||
                              l->day > when_month_days(l->year, l->month)); i++) {
        l->year++; /* 29.02. comes at the latest after eight years */
        today.month = 0;
    }
}

/* repeat_out: days after which it comes again, when it is over today. */
static void day_find(const struct when_day *d, UCalendar *cal, int64_t now_ms, struct local *l,
                     int *repeat_out)
{
    UErrorCode rc = U_ZERO_ERROR;
    *l = local_of(cal, now_ms);
    l->minute = -1;
    if (d->kind == WHEN_OFFSET) {
        local_add_days(cal, l, d->n);
    } else if (d->kind == WHEN_WEEKDAY) {
        int ahead = (d->n - ucal_get(cal, UCAL_DAY_OF_WEEK, &rc) + 7) % 7;
        local_add_days(cal, l, ahead == 0 && d->strict ? 7 : ahead);
        *repeat_out = 7;
    } else {
        date_next(d, l);
    }
}

static int64_t span_end(const struct when_day *d, UCalendar *cal, int64_t now_ms)
{
    UErrorCode rc = U_ZERO_ERROR;
    struct local l = local_of(cal, now_ms);
    if (d->days)
        local_add_days(cal, &l, d->days);
    if (d->months) {
        ucal_setMillis(cal, (double)now_ms, &rc);
        ucal_add(cal, UCAL_MONTH, d->months, &rc);
        return (int64_t)ucal_getMillis(cal, &rc);
    }
    int64_t at = d->days ? local_to_ms(cal, &l) + now_ms % MINUTE_MS : now_ms;
    return at + d->minutes * MINUTE_MS;
}

/* A time of day behind a day, with or without a comma between: bytes in all. */
static int with_time_of_day(const char *s, int taken, struct local *l, struct err *e)
{
    int gap = s[taken] == ',' ? 1 : 0;
    gap += (int)strspn(s + taken + gap, " \t");
    int n = gap ? when_words_clock(s + taken + gap, &l->minute, e) : 0;
    if (n < 0)
        return -1;
    return n ? taken + gap + n : taken;
}

static int days_parse(const char *s, UCalendar *cal, int64_t now_ms, int64_t *out, struct err *e)
{
    struct when_day d = {0};
    struct local l = {0};
    int repeat = 0, taken = when_words_clock(s, &l.minute, e);
    if (taken > 0) {
        int minute = l.minute;
        l = local_of(cal, now_ms);
        l.minute = minute;
        repeat = 1;
    } else if (taken == 0) {
        taken = when_words_day(s, &d, e);
        if (taken > 0 && d.kind == WHEN_SPAN && !d.days && !d.months) {
            *out = span_end(&d, cal, now_ms);
            return taken;
        }
        if (taken > 0 && d.kind == WHEN_SPAN) {
            int64_t end = span_end(&d, cal, now_ms);
            l = local_of(cal, end);
            l.minute = -1;
            int whole = with_time_of_day(s, taken, &l, e);
            *out = whole > taken ? local_to_ms(cal, &l) : end;
            return whole;
        }
        if (taken > 0) {
            day_find(&d, cal, now_ms, &l, &repeat);
            taken = with_time_of_day(s, taken, &l, e);
        }
    }
    if (taken <= 0)
        return taken;
    bool today = l.minute < 0 && d.end;
    if (l.minute < 0)
        l.minute = today ? DAY_END : DAY_START;
    *out = local_to_ms(cal, &l);
    if (repeat && *out <= now_ms) {
        local_add_days(cal, &l, repeat);
        *out = local_to_ms(cal, &l);
    }
    if (today && *out <= now_ms)
        *out = now_ms + HOUR_MS;
    return taken;
}

static int when_parse(const char *s, UCalendar *cal, int64_t now_ms, int64_t *out, struct err *e)
{
    int taken = span_parse(s, cal, now_ms, out);
    if (taken == 0)
        taken = days_parse(s, cal, now_ms, out, e);
    if (taken != 0)
        return taken;
    int lead_in = when_words_lead_in(s); /* "by friday" */
    if (lead_in)
        taken = days_parse(s + lead_in, cal, now_ms, out, e);
    return taken > 0 ? lead_in + taken : taken;
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
