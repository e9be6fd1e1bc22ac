/* SPDX-License-Identifier: ISC
 *
 * recur - see recur.h
 *
 * An occurrence is looked for day by day: what a day is in a rule is a few divisions, and
 * the longest way, ten years of a yearly one, is some thousand days.
 */
#include "crm/recur.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/text.h"
#include "base/units.h"
#include "crm/when_words.h"

#define EVERY_MAX 99
#define SHIFT_MAX 14 /* days that something is put off for holidays */
#define LOOK_DAYS (366 * (EVERY_MAX + 2))
#define DAY_START (9 * 60)

/* ---- reading -------------------------------------------------------------------- */

static const char *blanks(const char *p)
{
    return p + strspn(p, " \t");
}

/* A word of that text, in any case: moves on behind it and the blanks. */
static bool word(const char **p, const char *w)
{
    size_t n = strlen(w);
    if (strncasecmp(*p, w, n) != 0 || !when_word_ends(*p + n))
        return false;
    *p = blanks(*p + n);
    return true;
}

static bool word_of(const char **p, const char *const *words, size_t n, int *index_out)
{
    for (size_t i = 0; i < n; i++)
        if (word(p, words[i])) {
            *index_out = (int)i;
            return true;
        }
    return false;
}

/* "Mon", "Monday", "Mondays" */
static bool weekday(const char **p, int *out)
{
    char name[16];
    size_t n = 0;
    while (n < sizeof(name) - 1 && isalpha((unsigned char)(*p)[n]))
        n++;
    if (n < 3 || ((*p)[n] != ',' && !when_word_ends(*p + n)))
        return false;
    snprintf(name, sizeof(name), "%.*s", (int)(n > 4 && ((*p)[n - 1] | 0x20) == 's' ? n - 1 : n), *p);
    const char *q = name;
    if (!day_read_weekday(&q, out) || *q)
        return false;
    *p += n;
    return true;
}

/* "Mon", "Mon,Thu", "Monday and Thursday", "Mon, Wed and Fri" */
static bool weekdays(const char **p, unsigned *mask)
{
    const char *q = *p, *end = NULL;
    int d;
    *mask = 0;
    while (weekday(&q, &d)) {
        *mask |= 1u << d;
        end = q;
        q = blanks(q);
        q = blanks(q + (*q == ','));
        (void)word(&q, "and");
    }
    if (end)
        *p = blanks(end);
    return *mask != 0;
}

/* "first", "3rd", "last"; a bare number is none. */
static bool ordinal(const char **p, int *out)
{
    static const char *const names[] = {"first", "second", "third", "fourth", "last"};
    int i;
    char *end;
    if (word_of(p, names, ARRAY_LEN(names), &i)) {
        *out = i == 4 ? -1 : i + 1;
        return true;
    }
    long v = isdigit((unsigned char)**p) ? strtol(*p, &end, 10) : 0;
    if (v < 1 || v > 31 || (strncasecmp(end, "st", 2) && strncasecmp(end, "nd", 2) &&
                            strncasecmp(end, "rd", 2) && strncasecmp(end, "th", 2)) ||
        !when_word_ends(end + 2))
        return false;
    *out = (int)v;
    *p = blanks(end + 2);
    return true;
}

/* "on the 15th", "on the last day", "on the second Tue", "on 12-24" */
static int day_of(const char **p, struct recur *r, struct err *e)
{
    const char *q = *p;
    int n, d;
    (void)word(&q, "on");
    (void)word(&q, "the");
    struct day_date date = {0};
    const char *at = q;
    if (r->unit == RECUR_YEAR && day_read_yearly(&at, &date)) {
        r->month = date.month;
        r->mday = date.mday;
        *p = blanks(at);
        return 0;
    }
    if (r->unit != RECUR_MONTH || !ordinal(&q, &n))
        return 0;
    if (weekday(&q, &d)) {
        if (n > 4)
            return err_set(e, ERR_INPUT, "not every month has a %d. %s: first to fourth, or last", n,
                           day_names[d]);
        r->nth = n;
        r->days = 1u << d;
    } else {
        r->mday = n;
        (void)word(&q, "day");
    }
    q = blanks(q);
    if (word(&q, "of")) {
        (void)(word(&q, "the") || word(&q, "each") || word(&q, "every"));
        (void)word(&q, "month");
    }
    *p = q;
    return 0;
}

static const struct unit {
    const char *one, *many, *adverb; /* NULL: it has none */
    enum recur_unit unit;
    int times;
} units[] = {{"day", "days", "daily", RECUR_DAY, 1},
             {"workday", NULL, NULL, RECUR_WORKDAY, 1},
             {"weekday", NULL, NULL, RECUR_WORKDAY, 1},
             {"working day", NULL, NULL, RECUR_WORKDAY, 1},
             {"business day", NULL, NULL, RECUR_WORKDAY, 1},
             {"week", "weeks", "weekly", RECUR_WEEK, 1},
             {"month", "months", "monthly", RECUR_MONTH, 1},
             {"quarter", "quarters", "quarterly", RECUR_MONTH, 3},
             {"year", "years", "yearly", RECUR_YEAR, 1},
             {NULL, NULL, "annually", RECUR_YEAR, 1}};

static bool unit_of(const char **p, bool many, struct recur *r)
{
    for (size_t i = 0; i < ARRAY_LEN(units); i++) {
        const struct unit *u = &units[i];
        const char *name = many ? u->many : u->one;
        if (!name || !word(p, name))
            continue;
        r->unit = u->unit;
        r->every = u->times;
        return true;
    }
    return false;
}

static bool adverb(const char **p, struct recur *r)
{
    for (size_t i = 0; i < ARRAY_LEN(units); i++)
        if (units[i].adverb && word(p, units[i].adverb)) {
            r->unit = units[i].unit;
            r->every = units[i].times;
            return true;
        }
    return false;
}

/* Behind "every": "2 weeks", "other week", "Monday", "first Monday", "workday". */
static int every_unit(const char **p, struct recur *r, struct err *e)
{
    const char *q = *p, *said = q;
    char *end = NULL;
    int n = 0;
    long v = isdigit((unsigned char)*q) ? strtol(q, &end, 10) : -1;
    if (v >= 0 && (*end == ' ' || *end == '\t')) {
        q = blanks(end);
        if (!unit_of(&q, true, r) && !unit_of(&q, false, r))
            return 0;
        int most = r->unit == RECUR_YEAR ? 10 : r->unit == RECUR_WORKDAY ? 1 : EVERY_MAX;
        if (v < 1 || v * r->every > most)
            return err_set(e, ERR_INPUT, "every %.*s: that cannot be", (int)(q - said), said);
        r->every *= (int)v;
        *p = q;
        return 1;
    }
    r->every = word(&q, "other") ? 2 : 1;
    const char *behind = q;
    if (weekdays(&q, &r->days)) {
        r->unit = RECUR_WEEK;
        *p = q;
        return 1;
    }
    if (ordinal(&q, &n)) { /* of the month */
        q = behind;
        r->unit = RECUR_MONTH;
        int rc = day_of(&q, r, e);
        *p = q;
        return rc < 0 ? -1 : r->nth || r->mday;
    }
    n = r->every;
    if (!unit_of(&q, false, r) || (n > 1 && r->unit == RECUR_WORKDAY))
        return 0;
    r->every *= n;
    *p = q;
    return 1;
}

/* "from 2026-11-23" */
static bool day_said(const char **p, const char *name, int64_t *out)
{
    const char *q = *p;
    struct day_date d;
    if (!word(&q, name) || !day_read_date(&q, &d))
        return false;
    *out = day_number(d.year, d.month, d.mday);
    *p = blanks(q);
    return true;
}

/* What stands behind the unit, in any order. */
static int tail(const char **p, struct recur *r, struct err *e)
{
    for (const char *before = NULL; before != *p;) {
        before = *p;
        const char *q = *p;
        (void)word(&q, "on");
        if (r->unit == RECUR_WEEK && !r->days && weekdays(&q, &r->days))
            *p = q;
        if (!r->nth && !r->mday && day_of(p, r, e) < 0)
            return -1;
        int n = r->minute < 0 ? when_words_clock(*p, &r->minute, e) : 0;
        if (n < 0)
            return -1;
        *p = blanks(*p + n);
        if (!r->from)
            (void)day_said(p, "from", &r->from);
        if (!r->until)
            (void)day_said(p, "until", &r->until);
    }
    return r->from && r->until && r->until < r->from
               ? err_set(e, ERR_INPUT, "it would end before it begins")
               : 0;
}

int recur_parse(const char *s, struct recur *out, struct err *e)
{
    struct recur r = {.every = 1, .minute = -1};
    const char *p = s;
    if (word(&p, "every") || word(&p, "each")) {
        int rc = every_unit(&p, &r, e);
        if (rc <= 0)
            return rc;
    } else if (!adverb(&p, &r)) {
        return 0;
    }
    if (tail(&p, &r, e) < 0)
        return -1;
    while (p > s && strchr(" \t", p[-1]))
        p--;
    *out = r;
    return (int)(p - s);
}

void recur_settle(struct recur *r, const struct zone *z, int64_t at_ms)
{
    int64_t day = zone_day(z, at_ms);
    struct day_date d = day_date(day);
    if (!r->from)
        r->from = day;
    if (r->minute < 0)
        r->minute = (int)((at_ms + zone_offset(z, at_ms) - day * DAY_MS) / 60000);
    if (r->unit == RECUR_WEEK && !r->days)
        r->days = 1u << day_weekday(day);
    if (r->unit >= RECUR_MONTH && !r->nth && !r->mday) {
        r->mday = d.mday;
        r->month = d.month;
    }
}

/* ---- writing -------------------------------------------------------------------- */

static const char *suffix(int n)
{
    return n % 10 == 1 && n != 11   ? "st"
           : n % 10 == 2 && n != 12 ? "nd"
           : n % 10 == 3 && n != 13 ? "rd"
                                    : "th";
}

static void print_day(const struct recur *r, struct buf *b)
{
    static const char *const nth[] = {"", "first", "second", "third", "fourth"};
    const char *sep = " on ";
    for (int d = 0; d < 7 && r->unit == RECUR_WEEK; d++)
        if (r->days >> d & 1) {
            buf_printf(b, "%s%s", sep, day_names[d]);
            sep = ",";
        }
    for (int d = 0; d < 7 && r->nth; d++)
        if (r->days >> d & 1)
            buf_printf(b, " on the %s %s", r->nth < 0 ? "last" : nth[r->nth], day_names[d]);
    if (r->unit == RECUR_YEAR)
        buf_printf(b, " on %02d-%02d", r->month, r->mday);
    else if (r->mday < 0)
        buf_str(b, " on the last day");
    else if (r->mday)
        buf_printf(b, " on the %d%s", r->mday, suffix(r->mday));
}

static void print_date(struct buf *b, const char *name, int64_t day)
{
    struct day_date d = day_date(day);
    buf_printf(b, " %s %04d-%02d-%02d", name, d.year, d.month, d.mday);
}

const char *recur_print(const struct recur *r, char out[RECUR_TEXT])
{
    static const char *const names[] = {"day", "workday", "week", "month", "year"};
    struct buf b AUTO_BUF;
    buf_init(&b, RECUR_TEXT);
    if (r->every > 1)
        buf_printf(&b, "every %d %ss", r->every, names[r->unit]);
    else
        buf_printf(&b, "every %s", names[r->unit]);
    print_day(r, &b);
    buf_printf(&b, " %02d:%02d", r->minute / 60, r->minute % 60);
    if (r->every > 1)
        print_date(&b, "from", r->from);
    if (r->until)
        print_date(&b, "until", r->until);
    snprintf(out, RECUR_TEXT, "%s", b.data);
    return out;
}

/* ---- which days ------------------------------------------------------------------ */

static bool open_on(const struct calendar *c, int64_t day)
{
    struct calendar_day d;
    if (!c)
        return true;
    calendar_day(c, day, &d);
    return d.count > 0;
}

static bool month_has(const struct recur *r, const struct day_date *d, int64_t day)
{
    int length = day_month_length(d->year, d->month);
    if (r->nth < 0)
        return (r->days >> day_weekday(day) & 1) && d->mday > length - 7;
    if (r->nth)
        return (r->days >> day_weekday(day) & 1) && (d->mday - 1) / 7 + 1 == r->nth;
    return d->mday == (r->mday < 0 || r->mday > length ? length : r->mday);
}

/* Is it one, before holidays are looked at? */
static bool nominal(const struct recur *r, const struct calendar *c, int64_t day)
{
    struct day_date d = day_date(day), from = day_date(r->from);
    int64_t weeks = (day - day_weekday(day) - (r->from - day_weekday(r->from))) / 7;
    if (day < r->from || (r->until && day > r->until))
        return false;
    switch (r->unit) {
    case RECUR_DAY:
        return (day - r->from) % r->every == 0;
    case RECUR_WORKDAY:
        return c ? open_on(c, day) : day_weekday(day) < 5;
    case RECUR_WEEK:
        return weeks % r->every == 0 && (r->days >> day_weekday(day) & 1);
    case RECUR_MONTH:
        return ((d.year - from.year) * 12 + d.month - from.month) % r->every == 0 &&
               month_has(r, &d, day);
    case RECUR_YEAR:
        return (d.year - from.year) % r->every == 0 && d.month == r->month && month_has(r, &d, day);
    }
    return false;
}

/* The day on which it is done. Who says Saturday means it, also where nobody works then;
 * a Monday that is a holiday is meant otherwise. */
static int64_t shifted(const struct recur *r, const struct calendar *c, int64_t day)
{
    bool usual = false;
    if (r->unit < RECUR_WEEK || open_on(c, day))
        return day;
    for (int week = 1; week <= 4 && !usual; week++)
        usual = open_on(c, day - 7 * week) || open_on(c, day + 7 * week);
    if (!usual && (r->unit == RECUR_WEEK || r->nth))
        return day;
    for (int i = 1; i <= SHIFT_MAX; i++)
        if (open_on(c, day + i))
            return day + i;
    return day;
}

int64_t recur_next(const struct recur *r, const struct zone *z, const struct calendar *c,
                   int64_t after_ms)
{
    int64_t day = zone_day(z, after_ms) - SHIFT_MAX - 1;
    int minute = r->minute < 0 ? DAY_START : r->minute;
    if (day < r->from)
        day = r->from;
    for (int64_t end = day + LOOK_DAYS; day < end && (!r->until || day <= r->until); day++) {
        if (!nominal(r, c, day))
            continue;
        int64_t at = zone_instant(z, shifted(r, c, day), minute, ZONE_BEGIN);
        if (at > after_ms)
            return at;
    }
    return CALENDAR_NEVER;
}
