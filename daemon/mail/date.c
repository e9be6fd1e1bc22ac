/* SPDX-License-Identifier: ISC
 *
 * date - the Date field of mail: RFC 5322, obsolete forms, and what senders do
 *
 * Reads "Sat, 21 Nov 2026 10:00:00 +0100 (CET)" in any order of day, month name
 * and year, with or without weekday, seconds and zone; an unknown zone is UTC.
 */
#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "base/mem.h"
#include "mail/address.h"

struct when {
    int day, month, year, hour, minute, second, zone_minutes;
    bool has_time;
};

static const struct {
    const char *name;
    int hours;
} zones[] = {
    {"gmt", 0}, {"utc", 0}, {"ut", 0}, {"z", 0}, {"est", -5}, {"edt", -4}, {"cst", -6},
    {"cdt", -5}, {"mst", -7}, {"mdt", -6}, {"pst", -8}, {"pdt", -7}, {"cet", 1}, {"cest", 2},
};

static int month_number(const char *s, size_t n)
{
    static const char names[] = "janfebmaraprmayjunjulaugsepoctnovdec";
    for (int i = 0; n >= 3 && i < 12; i++)
        if (strncasecmp(s, names + i * 3, 3) == 0)
            return i + 1;
    return 0;
}

static int digits(const char *s, size_t n, int *out)
{
    int v = 0;
    if (n == 0 || n > 4)
        return -1;
    for (size_t i = 0; i < n; i++) {
        if (s[i] < '0' || s[i] > '9')
            return -1;
        v = v * 10 + (s[i] - '0');
    }
    *out = v;
    return 0;
}

/* "10:00" or "10:00:59" */
static void read_time(struct when *w, const char *s, size_t n)
{
    int part[3] = {0, 0, 0};
    size_t k = 0, at = 0;
    while (k < 3 && at < n) {
        const char *colon = memchr(s + at, ':', n - at);
        size_t len = colon ? (size_t)(colon - s) - at : n - at;
        if (digits(s + at, len < 2 ? len : 2, &part[k]) < 0)
            return;
        at += len + 1;
        k++;
    }
    if (k < 2)
        return;
    w->hour = part[0];
    w->minute = part[1];
    w->second = part[2];
    w->has_time = true;
}

static void read_zone(struct when *w, const char *s, size_t n)
{
    int v;
    if ((*s == '+' || *s == '-') && n == 5 && digits(s + 1, 4, &v) == 0) {
        int minutes = v / 100 * 60 + v % 100;
        w->zone_minutes = *s == '-' ? -minutes : minutes;
        return;
    }
    for (size_t i = 0; i < ARRAY_LEN(zones); i++)
        if (strlen(zones[i].name) == n && strncasecmp(s, zones[i].name, n) == 0)
            w->zone_minutes = zones[i].hours * 60;
}

static void read_word(struct when *w, const char *s, size_t n)
{
    int v;
    if (memchr(s, ':', n)) {
        read_time(w, s, n);
    } else if (!w->has_time && digits(s, n, &v) == 0) {
        if (w->day == 0 && n <= 2)
            w->day = v;
        else if (w->year == 0)
            w->year = n == 2 ? (v < 50 ? 2000 + v : 1900 + v) : n == 3 ? 1900 + v : v;
    } else if (digits(s, n, &v) == 0 && n == 4 && w->year == 0) {
        w->year = v; /* "Sat Nov 21 10:00:00 2026" */
    } else if (w->month == 0 && month_number(s, n)) {
        w->month = month_number(s, n);
    } else if (w->has_time) {
        read_zone(w, s, n);
    }
}

int mail_date_parse(const char *s, int64_t *ms_out)
{
    struct when w = {.day = 0};
    while (*s) {
        s += strspn(s, " \t,.");
        if (*s == '(')
            break;
        size_t n = strcspn(s, " \t,(");
        bool dashed = n > 6 && n < 12 && *s != '-' && *s != '+' && memchr(s, '-', n) &&
                      !memchr(s, ':', n);
        if (dashed) /* "21-Nov-2026" */
            n = strcspn(s, "-");
        if (n)
            read_word(&w, s, n);
        s += n;
        s += *s == '-' && dashed;
    }
    char iso[96];
    if (w.year < 1970 || w.year > 9999 || w.month < 1 || w.day < 1 || w.day > 31 ||
        w.hour > 23 || w.minute > 59 || w.second > 60)
        return -1;
    if (w.second == 60)
        w.second = 59;
    snprintf(iso, sizeof(iso), "%04d-%02d-%02dT%02d:%02d:%02dZ", w.year, w.month, w.day, w.hour,
             w.minute, w.second);
    int64_t ms;
    if (clock_parse_utc(iso, &ms) < 0)
        return -1;
    *ms_out = ms - (int64_t)w.zone_minutes * 60000;
    return 0;
}
