/* SPDX-License-Identifier: ISC
 *
 * quiet - see quiet.h
 */
#include "rule/quiet.h"

#include <string.h>
#include <unicode/ucal.h>
#include <unicode/uenum.h>

#include "base/units.h"
#include "rule/day.h"

#define QUIET_LOOK (2 * DAY_MS)

/* The end of the quiet hours that t lies in; t itself when it lies in none. */
static int64_t quiet_end(const struct quiet *q, const struct zone *z, int64_t t)
{
    bool night = q->begin > q->end;
    /* the night of yesterday may last */
    for (int64_t day = zone_day(z, t) - night, i = 0; i <= night; i++, day++) {
        int64_t begin = zone_instant(z, day, q->begin, ZONE_BEGIN),
                end = zone_instant(z, day + night, q->end, ZONE_END);
        if (t >= begin && t < end)
            return end;
    }
    return t;
}

int64_t quiet_until(const struct quiet *q, const struct zone *const *zones, size_t count,
                    int64_t now_ms)
{
    int64_t t = now_ms, was;
    if (q->begin == q->end)
        return now_ms;
    do {
        was = t;
        for (size_t i = 0; i < count; i++)
            t = quiet_end(q, zones[i], t);
        if (t - now_ms > QUIET_LOOK)
            return -1;
    } while (t != was);
    return t;
}

size_t quiet_zones_of(const char *country, char (*out)[QUIET_ZONE_NAME], size_t n)
{
    UErrorCode ec = U_ZERO_ERROR;
    size_t count = 0;
    UEnumeration *all = ucal_openTimeZoneIDEnumeration(UCAL_ZONE_TYPE_CANONICAL_LOCATION, country,
                                                       NULL, &ec);
    for (const char *one; U_SUCCESS(ec) && (one = uenum_next(all, NULL, &ec)) && U_SUCCESS(ec);) {
        if (strlen(one) >= QUIET_ZONE_NAME)
            continue;
        if (count < n)
            memcpy(out[count], one, strlen(one) + 1);
        count++;
    }
    uenum_close(all);
    return count;
}
