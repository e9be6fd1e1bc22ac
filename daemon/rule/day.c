/* SPDX-License-Identifier: ISC
 *
 * day - see day.h
 */
#include "rule/day.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"

const char *const day_names[7] = {"Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"};
const char *const day_month_names[12] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                         "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

/* Days of a year that begins in March, so that the leap day is its last. */
int64_t day_number(int year, int month, int mday)
{
    int64_t y = month <= 2 ? year - 1 : year;
    int64_t m = month <= 2 ? month + 9 : month - 3;
    int64_t era = (y >= 0 ? y : y - 399) / 400, of_era = y - era * 400;
    int64_t of_year = (153 * m + 2) / 5 + mday - 1;
    return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

struct day_date day_date(int64_t day)
{
    int64_t z = day + 719468, era = (z >= 0 ? z : z - 146096) / 146097, n = z - era * 146097;
    int64_t y = (n - n / 1460 + n / 36524 - n / 146096) / 365;
    int64_t of_year = n - (365 * y + y / 4 - y / 100), m = (5 * of_year + 2) / 153;
    struct day_date d = {.month = (int)(m < 10 ? m + 3 : m - 9),
                         .mday = (int)(of_year - (153 * m + 2) / 5 + 1)};
    d.year = (int)(y + era * 400 + (d.month <= 2));
    return d;
}

int day_weekday(int64_t day)
{
    int64_t w = (day + 3) % 7; /* 1970-01-01 was a Thursday */
    return (int)(w < 0 ? w + 7 : w);
}

int day_month_length(int year, int month)
{
    static const int lengths[12] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return lengths[month - 1] + (month == 2 && leap);
}

bool day_read_weekday(const char **p, int *weekday_out)
{
    static const char *const full[7] = {"monday", "tuesday",  "wednesday", "thursday",
                                        "friday", "saturday", "sunday"};
    size_t n = 0;
    while (isalpha((unsigned char)(*p)[n]))
        n++;
    for (int i = 0; i < 7; i++)
        if ((n == 3 || n == strlen(full[i])) && strncasecmp(*p, full[i], n) == 0) {
            *weekday_out = i;
            *p += n;
            return true;
        }
    return false;
}

static const char *day_spaces(const char *s)
{
    while (*s == ' ' || *s == '\t')
        s++;
    return s;
}

/* One day or a range, which may go over the end of the week: "Sat-Mon". */
static bool day_read_range(const char **p, unsigned *mask)
{
    const char *s = *p;
    int from, to;
    if (!day_read_weekday(&s, &from))
        return false;
    to = from;
    const char *dash = day_spaces(s);
    if (*dash == '-') {
        s = day_spaces(dash + 1);
        if (!day_read_weekday(&s, &to))
            return false;
    }
    for (int d = from;; d = (d + 1) % 7) {
        *mask |= 1u << d;
        if (d == to)
            break;
    }
    *p = s;
    return true;
}

bool day_read_weekdays(const char **p, unsigned *mask_out)
{
    unsigned mask = 0;
    const char *s = *p;
    if (strncasecmp(s, "daily", 5) == 0 && !isalpha((unsigned char)s[5])) {
        *p = s + 5;
        *mask_out = 0x7f;
        return true;
    }
    if (!day_read_range(&s, &mask))
        return false;
    for (;;) {
        const char *next = day_spaces(s);
        if (*next != ',')
            break;
        next = day_spaces(next + 1);
        if (!day_read_range(&next, &mask))
            break;
        s = next;
    }
    *p = s;
    *mask_out = mask;
    return true;
}

/* Exactly n digits, or at most n when loose. */
static bool day_read_digits(const char **p, int n, bool loose, int *out)
{
    int v = 0, i = 0;
    while (i < n && isdigit((unsigned char)(*p)[i]))
        v = v * 10 + ((*p)[i++] - '0');
    if (i == 0 || (i < n && !loose) || isdigit((unsigned char)(*p)[i]))
        return false;
    *p += i;
    *out = v;
    return true;
}

bool day_read_time(const char **p, int *minutes_out)
{
    const char *s = *p;
    int h, m;
    if (!day_read_digits(&s, 2, true, &h) || *s++ != ':' || !day_read_digits(&s, 2, false, &m))
        return false;
    if (h > 24 || m > 59 || (h == 24 && m > 0))
        return false;
    *p = s;
    *minutes_out = h * 60 + m;
    return true;
}

bool day_read_yearly(const char **p, struct day_date *out)
{
    const char *s = *p;
    struct day_date d = {0};
    if (!day_read_digits(&s, 2, false, &d.month) || *s++ != '-' ||
        !day_read_digits(&s, 2, false, &d.mday))
        return false;
    if (d.month < 1 || d.month > 12 || d.mday < 1 || d.mday > day_month_length(2000, d.month))
        return false;
    *p = s;
    *out = d;
    return true;
}

bool day_read_date(const char **p, struct day_date *out)
{
    const char *s = *p;
    struct day_date d = {0};
    int year;
    if (!day_read_digits(&s, 4, false, &year) || *s++ != '-' || !day_read_yearly(&s, &d))
        return false;
    if (d.mday > day_month_length(year, d.month))
        return false;
    d.year = year;
    *p = s;
    *out = d;
    return true;
}
