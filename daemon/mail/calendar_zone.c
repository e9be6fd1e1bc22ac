/* SPDX-License-Identifier: ISC
 *
 * calendar_zone - a local time of an invitation becomes an instant
 *
 * Names first: IANA's, also behind a path ("/citadel.org/2021/Europe/Vienna"), and
 * Windows' ("W. Europe Standard Time"), both from ICU's tables; then the rules that the
 * mail brings. Of those only yearly ones are counted, a year back at most, so that no
 * recurrence a stranger writes takes time.
 */
#include <string.h>
#include <unicode/ucal.h>
#include <unicode/ustring.h>

#include "base/mem.h"
#include "mail/calendar.h"

#define DAY_S 86400

/* Days since 1970-01-01 of the Gregorian calendar. */
static int64_t days_of(int y, int m, int d)
{
    int64_t year = m <= 2 ? y - 1 : y;
    int64_t era = (year >= 0 ? year : year - 399) / 400, yoe = year - era * 400;
    int64_t doy = (153 * (m + (m > 2 ? -3 : 9)) + 2) / 5 + d - 1;
    return era * 146097 + yoe * 365 + yoe / 4 - yoe / 100 + doy - 719468;
}

int64_t cal_utc_ms(const struct cal_time *t)
{
    return ((days_of(t->year, t->month, t->day) * DAY_S) + t->hour * 3600 + t->minute * 60 +
            t->second) *
           1000;
}

/* ---- names ---- */

static bool icu_resolve(const UChar *id, int32_t n, const struct cal_time *t, int64_t *ms_out,
                        char name_out[128])
{
    UErrorCode e = U_ZERO_ERROR;
    UChar canonical[128];
    UBool system = false;
    int32_t len = ucal_getCanonicalTimeZoneID(id, n, canonical, 128, &system, &e);
    if (U_FAILURE(e) || len >= 128 || !system)
        return false;
    UCalendar *cal = ucal_open(id, n, "en", UCAL_GREGORIAN, &e);
    if (U_FAILURE(e))
        return false;
    ucal_clear(cal);
    ucal_setDateTime(cal, t->year, t->month - 1, t->day, t->hour, t->minute, t->second, &e);
    UDate ms = ucal_getMillis(cal, &e);
    ucal_close(cal);
    if (U_FAILURE(e))
        return false;
    u_strToUTF8(name_out, 128, NULL, id, n, &e);
    *ms_out = (int64_t)ms;
    return U_SUCCESS(e);
}

static bool name_resolve(const char *name, const struct cal_time *t, int64_t *ms_out,
                         char name_out[128])
{
    UErrorCode e = U_ZERO_ERROR;
    UChar id[128], iana[128];
    int32_t n = 0;
    u_strFromUTF8(id, 127, &n, name, -1, &e);
    if (U_FAILURE(e) || n == 0 || n >= 127)
        return false;
    if (icu_resolve(id, n, t, ms_out, name_out))
        return true;
    int32_t len = ucal_getTimeZoneIDForWindowsID(id, n, NULL, iana, 127, &e);
    return U_SUCCESS(e) && len > 0 && len < 127 && icu_resolve(iana, len, t, ms_out, name_out);
}

/* "/freeassociation.org/Europe/Vienna": the last two, then the last three names of it. */
static bool path_resolve(const char *id, const struct cal_time *t, int64_t *ms_out,
                         char name_out[128])
{
    int slashes = 0;
    for (size_t i = strlen(id); i-- > 0;)
        if (id[i] == '/' && ++slashes >= 2 && name_resolve(id + i + 1, t, ms_out, name_out))
            return true;
        else if (slashes > 3)
            return false;
    return false;
}

/* ---- the rules that the mail brings ---- */

static int weekday_of(int64_t days)
{
    return (int)(((days % 7) + 7 + 4) % 7); /* 1970-01-01 was a Thursday */
}

static int month_length(int y, int m)
{
    return (int)(m == 12 ? 31 : days_of(y, m + 1, 1) - days_of(y, m, 1));
}

/* Seconds (local) at which the rule begins to hold in that year. */
static int64_t rule_onset(const struct cal_rule *r, int year)
{
    int day = r->from.day, month = r->month ? r->month : r->from.month;
    if (r->week) {
        int64_t first = days_of(year, month, 1);
        int length = month_length(year, month);
        if (r->week > 0) {
            day = 1 + (r->weekday - weekday_of(first) + 7) % 7 + (r->week - 1) * 7;
        } else {
            int last = weekday_of(first + length - 1);
            day = length - (last - r->weekday + 7) % 7 + (r->week + 1) * 7;
        }
        if (day < 1 || day > length)
            day = length;
    }
    return days_of(year, month, day) * DAY_S + r->from.hour * 3600 + r->from.minute * 60 +
           r->from.second;
}

/* The rule whose latest beginning before t is the latest of all. */
static bool rules_resolve(const struct cal_zone *z, const struct cal_time *t, int64_t *ms_out)
{
    int64_t local = cal_utc_ms(t) / 1000, best = INT64_MIN;
    int offset = 0;
    for (size_t i = 0; i < z->count; i++) {
        const struct cal_rule *r = &z->rules[i];
        int64_t first = cal_utc_ms(&r->from) / 1000, at = first;
        for (int year = t->year; r->yearly && year >= t->year - 1; year--) {
            int64_t onset = rule_onset(r, year);
            if (year < r->from.year || (r->until_year && year > r->until_year) || onset > local)
                continue;
            at = onset;
            break;
        }
        if ((at <= local || z->count == 1) && at > best) {
            best = at;
            offset = r->offset;
        }
    }
    if (best == INT64_MIN && z->count == 0)
        return false;
    if (best == INT64_MIN)
        offset = z->rules[0].offset;
    *ms_out = (local - offset) * 1000;
    return true;
}

bool cal_zone_resolve(const struct cal_zone *zones, size_t count, const char *id,
                      const struct cal_time *t, int64_t *ms_out, char name_out[128])
{
    if (name_resolve(id, t, ms_out, name_out) || path_resolve(id, t, ms_out, name_out))
        return true;
    for (size_t i = 0; i < count; i++)
        if (strcmp(zones[i].id, id) == 0 && rules_resolve(&zones[i], t, ms_out)) {
            snprintf(name_out, 128, "%s", id);
            return true;
        }
    return false;
}

void cal_zone_warm_up(void)
{
    char name[128];
    int64_t ms;
    struct cal_time t = {2026, 7, 1, 12, 0, 0};
    cal_zone_resolve(NULL, 0, "Europe/Vienna", &t, &ms, name);
    cal_zone_resolve(NULL, 0, "W. Europe Standard Time", &t, &ms, name);
    cal_zone_resolve(NULL, 0, "no such zone", &t, &ms, name);
}
