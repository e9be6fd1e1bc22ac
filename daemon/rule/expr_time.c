/* SPDX-License-Identifier: ISC
 *
 * expr_time - dates and times in conditions
 *
 * Reads no clock. A local time that a switch to summer time skips means the
 * same distance behind the switch; one that exists twice means the later.
 */
#include "base/units.h"
#include "rule/expr_ast.h"

#include <string.h>
#include <unicode/ucal.h>
#include <unicode/ustring.h>

#include "base/clock.h"
#include "base/mem.h"

#define TIME_TEXT 40

static int time_number(const char *s, int n)
{
    int v = 0;
    for (int i = 0; i < n; i++)
        v = v * 10 + (s[i] - '0');
    return v;
}

/* s was checked: "YYYY-MM-DD" or "YYYY-MM-DDTHH:MM[:SS]". */
static int time_local(const char *s, const char *zone, int64_t *lo_out, int64_t *hi_out)
{
    UErrorCode ec = U_ZERO_ERROR;
    UChar name[128];
    bool is_date = strlen(s) == 10;
    u_uastrncpy(name, zone, 127);
    name[127] = 0;
    UCalendar *cal = ucal_open(name, -1, "en", UCAL_GREGORIAN, &ec);
    if (U_FAILURE(ec))
        return -1;
    ucal_clear(cal);
    ucal_setDateTime(cal, time_number(s, 4), time_number(s + 5, 2) - 1, time_number(s + 8, 2),
                     is_date ? 0 : time_number(s + 11, 2), is_date ? 0 : time_number(s + 14, 2),
                     strlen(s) > 16 ? time_number(s + 17, 2) : 0, &ec);
    int64_t lo = (int64_t)ucal_getMillis(cal, &ec), hi = lo;
    if (is_date) {
        ucal_add(cal, UCAL_DAY_OF_MONTH, 1, &ec);
        hi = (int64_t)ucal_getMillis(cal, &ec) - 1;
    }
    ucal_close(cal);
    if (U_FAILURE(ec))
        return -1;
    *lo_out = lo;
    *hi_out = hi;
    return 0;
}

int expr_time_parse(const char *s, const char *zone, int64_t *lo_out, int64_t *hi_out)
{
    int64_t ms;
    size_t n = strlen(s);
    if (n > TIME_TEXT)
        return -1;
    AUTO_FREE char *as_utc = mem_printf(n == 10 ? "%s" : "%sZ", s);
    bool local = clock_parse_utc(as_utc, &ms) == 0 && (n == 10 || n == 16 || n == 19);
    if (local && zone && strcmp(zone, "UTC") != 0)
        return time_local(s, zone, lo_out, hi_out);
    if (!local && clock_parse_utc(s, &ms) < 0)
        return -1;
    *lo_out = ms;
    *hi_out = n == 10 ? ms + DAY_MS - 1 : ms;
    return 0;
}
