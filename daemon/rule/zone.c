/* SPDX-License-Identifier: ISC
 *
 * zone - see zone.h
 */
#include "rule/zone.h"

#include <string.h>
#include <unicode/ucal.h>
#include <unicode/uenum.h>
#include <unicode/ustring.h>

#include "base/mem.h"
#include "base/place.h"
#include "base/text.h"
#include "base/units.h"
#include "rule/day.h"

#define ZONE_NAME 64
#define ZONE_SWITCHES 2000 /* far more than any zone has until 2100 */

struct zone_switch {
    int64_t at;     /* from then on, ... */
    int64_t offset; /* ... local minus UTC */
};

struct zone {
    char *name;            /* own */
    struct zone_switch *v; /* own; ascending; the first one is at INT64_MIN */
    size_t count;
};

static const char *zone_nearest(const char *name, char out[ZONE_NAME])
{
    UErrorCode ec = U_ZERO_ERROR;
    UEnumeration *all = ucal_openTimeZones(&ec);
    const char *best = NULL, *one = place_zone(name);
    if (one)
        snprintf(out, ZONE_NAME, "%s", one);
    if (one || U_FAILURE(ec)) {
        uenum_close(all);
        return one ? out : NULL;
    }
    /* one more candidate at a time: the winner so far is one of the two */
    while ((one = uenum_next(all, NULL, &ec)) && U_SUCCESS(ec)) {
        const char *both[2] = {best, one};
        const char *near = text_nearest(name, best ? both : both + 1, best ? 2 : 1);
        if (near == one && strlen(one) < ZONE_NAME) {
            snprintf(out, ZONE_NAME, "%s", one);
            best = out;
        }
    }
    uenum_close(all);
    return best;
}

static int zone_unknown(const char *name, struct err *e)
{
    char near[ZONE_NAME];
    const char *best = zone_nearest(name, near);
    return err_set(e, ERR_INPUT, "unknown time zone \"%.60s\"%s%s%s", name,
                   best ? "; did you mean \"" : "; write one such as \"Europe/Vienna\"",
                   best ? best : "", best ? "\"?" : "");
}

static int64_t zone_icu_offset(UCalendar *cal, UErrorCode *ec)
{
    return (int64_t)ucal_get(cal, UCAL_ZONE_OFFSET, ec) + ucal_get(cal, UCAL_DST_OFFSET, ec);
}

static void zone_fill(struct zone *z, UCalendar *cal, UErrorCode *ec)
{
    UDate next = 0;
    z->v = mem_array(ZONE_SWITCHES, sizeof(*z->v));
    ucal_setMillis(cal, 0, ec);
    z->v[z->count++] = (struct zone_switch){INT64_MIN, zone_icu_offset(cal, ec)};
    while (z->count < ZONE_SWITCHES && U_SUCCESS(*ec) &&
           ucal_getTimeZoneTransitionDate(cal, UCAL_TZ_TRANSITION_NEXT, &next, ec) &&
           next < (UDate)ZONE_END_MS) {
        ucal_setMillis(cal, next, ec);
        int64_t offset = zone_icu_offset(cal, ec);
        if (offset != z->v[z->count - 1].offset) /* some only change their name */
            z->v[z->count++] = (struct zone_switch){(int64_t)next, offset};
    }
    z->v = mem_grow(z->v, z->count * sizeof(*z->v));
}

int zone_check(const char *name, struct err *e)
{
    UErrorCode ec = U_ZERO_ERROR;
    UChar id[ZONE_NAME], canonical[ZONE_NAME];
    UBool known = false;
    if (!*name || strlen(name) >= ZONE_NAME)
        return zone_unknown(name, e);
    u_uastrcpy(id, name);
    ucal_getCanonicalTimeZoneID(id, -1, canonical, ZONE_NAME, &known, &ec);
    return U_SUCCESS(ec) && known ? 0 : zone_unknown(name, e);
}

struct zone *zone_new(const char *name, struct err *e)
{
    UErrorCode ec = U_ZERO_ERROR;
    UChar id[ZONE_NAME];
    if (zone_check(name, e) < 0)
        return NULL;
    u_uastrcpy(id, name);
    UCalendar *cal = ucal_open(id, -1, "en", UCAL_GREGORIAN, &ec);
    if (!cal || U_FAILURE(ec)) {
        zone_unknown(name, e);
        return NULL;
    }
    struct zone *z = mem_alloc(sizeof(*z));
    z->name = mem_str(name);
    zone_fill(z, cal, &ec);
    ucal_close(cal);
    if (U_FAILURE(ec)) {
        err_set(e, ERR_PERM, "time zone \"%s\": %s", name, u_errorName(ec));
        zone_free(&z);
    }
    return z;
}

void zone_free(struct zone **zone)
{
    struct zone *z = *zone;
    if (!z)
        return;
    mem_free(z->name);
    mem_free(z->v);
    mem_free(z);
    *zone = NULL;
}

const char *zone_name(const struct zone *z)
{
    return z->name;
}

/* The last entry that begins at or before utc_ms. */
static size_t zone_find(const struct zone *z, int64_t utc_ms)
{
    size_t lo = 0, hi = z->count;
    while (hi - lo > 1) {
        size_t mid = lo + (hi - lo) / 2;
        if (z->v[mid].at <= utc_ms)
            lo = mid;
        else
            hi = mid;
    }
    return lo;
}

int64_t zone_offset(const struct zone *z, int64_t utc_ms)
{
    return z->v[zone_find(z, utc_ms)].offset;
}

int64_t zone_instant(const struct zone *z, int64_t day, int minutes, enum zone_side side)
{
    /* An end belongs to what comes before it: the moment before is looked for. */
    int64_t back = side == ZONE_END;
    int64_t local = day * DAY_MS + (int64_t)minutes * 60000 - back, found = 0, gap = 0;
    bool any = false;
    /* No offset is larger than a day, so what matters begins within two. */
    for (size_t i = zone_find(z, local - 2 * DAY_MS); i < z->count; i++) {
        const struct zone_switch *s = &z->v[i];
        int64_t at = local - s->offset, end = i + 1 < z->count ? s[1].at : INT64_MAX;
        if (s->at > local + 2 * DAY_MS)
            break;
        if (at < s->at)
            gap = gap ? gap : s->at; /* later than this here: skipped, when not found at all */
        else if (at < end && (!any || side == ZONE_END)) {
            found = at + back;
            any = true;
        }
    }
    return any ? found : gap;
}

int64_t zone_day(const struct zone *z, int64_t utc_ms)
{
    int64_t local = utc_ms + zone_offset(z, utc_ms);
    return local / DAY_MS - (local % DAY_MS < 0);
}

bool zone_next_switch(const struct zone *z, int64_t utc_ms, int64_t *at_out, int64_t *shift_out)
{
    size_t i = zone_find(z, utc_ms) + 1;
    if (i >= z->count)
        return false;
    *at_out = z->v[i].at;
    *shift_out = z->v[i].offset - z->v[i - 1].offset;
    return true;
}
