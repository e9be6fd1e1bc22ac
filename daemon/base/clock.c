/* SPDX-License-Identifier: ISC
 *
 * clock - see clock.h
 */
#include "base/clock.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

static bool pretended;
static int64_t pretended_ms;

static int64_t clock_read(clockid_t id)
{
    struct timespec ts;
    clock_gettime(id, &ts);
    return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

int64_t clock_now_ms(void)
{
    return pretended ? pretended_ms : clock_read(CLOCK_REALTIME);
}

int64_t clock_mono_ms(void)
{
    return clock_read(CLOCK_MONOTONIC);
}

int64_t clock_thread_ns(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);
    return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

int64_t clock_cpu_ms(pid_t pid)
{
    clockid_t id;
    struct timespec ts;
    if (pid <= 0 || clock_getcpuclockid(pid, &id) != 0 || clock_gettime(id, &ts) != 0)
        return -1;
    return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

void clock_pretend(int64_t ms)
{
    pretended = true;
    pretended_ms = ms;
}

void clock_advance(int64_t ms)
{
    pretended_ms += ms;
}

bool clock_is_pretended(void)
{
    return pretended;
}

static void clock_split(int64_t ms, struct tm *tm, int *frac)
{
    int64_t sec = ms / 1000;
    int rest = (int)(ms % 1000);
    if (rest < 0) {
        rest += 1000;
        sec--;
    }
    time_t t = (time_t)sec;
    memset(tm, 0, sizeof(*tm));
    gmtime_r(&t, tm);
    *frac = rest;
}

const char *clock_format_utc(int64_t ms, char *out, size_t n)
{
    struct tm tm;
    int frac;
    clock_split(ms, &tm, &frac);
    snprintf(out, n, "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ", tm.tm_year + 1900, tm.tm_mon + 1,
             tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec, frac);
    return out;
}

const char *clock_format_mail(int64_t ms, char *out, size_t n)
{
    static const char days[7][4] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    static const char months[12][4] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                       "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    struct tm tm;
    int frac;
    clock_split(ms, &tm, &frac);
    snprintf(out, n, "%s, %02d %s %04d %02d:%02d:%02d +0000", days[tm.tm_wday], tm.tm_mday,
             months[tm.tm_mon], tm.tm_year + 1900, tm.tm_hour, tm.tm_min, tm.tm_sec);
    return out;
}

static bool clock_digits(const char **p, int n, int *out)
{
    int v = 0;
    for (int i = 0; i < n; i++, (*p)++) {
        if (**p < '0' || **p > '9')
            return false;
        v = v * 10 + (**p - '0');
    }
    *out = v;
    return true;
}

static bool clock_is_date(int y, int m, int d)
{
    static const int len[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = (y % 4 == 0 && y % 100 != 0) || y % 400 == 0;
    return m >= 1 && m <= 12 && d >= 1 && d <= len[m - 1] + (m == 2 && leap);
}

static int clock_parse_zone(const char **p, int *min_out)
{
    int h, m, sign = **p == '-' ? -1 : 1;
    if (**p == 'Z' || **p == 'z') {
        (*p)++;
        *min_out = 0;
        return 0;
    }
    if (**p != '+' && **p != '-')
        return -1;
    (*p)++;
    if (!clock_digits(p, 2, &h))
        return -1;
    if (**p == ':')
        (*p)++;
    if (!clock_digits(p, 2, &m) || h > 23 || m > 59)
        return -1;
    *min_out = sign * (h * 60 + m);
    return 0;
}

bool clock_no_such_day(const char *s)
{
    int y, m, d;
    return clock_digits(&s, 4, &y) && *s++ == '-' && clock_digits(&s, 2, &m) && *s++ == '-' &&
           clock_digits(&s, 2, &d) && !clock_is_date(y, m, d);
}

int clock_parse_utc(const char *s, int64_t *ms_out)
{
    int y, mo, d, h = 0, mi = 0, sec = 0, frac = 0, zone = 0;
    const char *p = s;
    if (!clock_digits(&p, 4, &y) || *p++ != '-' || !clock_digits(&p, 2, &mo) || *p++ != '-' ||
        !clock_digits(&p, 2, &d) || !clock_is_date(y, mo, d))
        return -1;
    if (*p == 'T' || *p == 't' || *p == ' ') {
        p++;
        if (!clock_digits(&p, 2, &h) || *p++ != ':' || !clock_digits(&p, 2, &mi))
            return -1;
        if (*p == ':') {
            p++;
            if (!clock_digits(&p, 2, &sec))
                return -1;
        }
        if (*p == '.') {
            int scale = 100;
            for (p++; *p >= '0' && *p <= '9'; p++, scale /= 10)
                frac += (*p - '0') * scale;
        }
        if (h > 23 || mi > 59 || sec > 60 || clock_parse_zone(&p, &zone) < 0)
            return -1;
    }
    if (*p != '\0')
        return -1;
    struct tm tm = {.tm_year = y - 1900, .tm_mon = mo - 1, .tm_mday = d,
                    .tm_hour = h, .tm_min = mi, .tm_sec = sec};
    *ms_out = ((int64_t)timegm(&tm) - (int64_t)zone * 60) * 1000 + frac;
    return 0;
}
