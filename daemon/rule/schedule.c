/* SPDX-License-Identifier: ISC
 *
 * schedule - see schedule.h
 */
#include "rule/schedule.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "base/text.h"
#include "base/units.h"

#define SCHEDULE_TIMES 24
#define SCHEDULE_MIN_MS MINUTE_MS
#define SCHEDULE_MAX_MS (12 * HOUR_MS)

enum schedule_kind { SCHEDULE_EVERY, SCHEDULE_WEEKDAYS, SCHEDULE_MONTHDAY, SCHEDULE_WORKDAY };

struct schedule {
    enum schedule_kind kind;
    int64_t every_ms;
    unsigned days; /* bit 0 is Monday */
    int mday;      /* 0: the last one */
    int times[SCHEDULE_TIMES]; /* minutes from midnight, ascending */
    size_t count;
    struct zone *own;                /* own; NULL when it is the calendar's */
    const struct zone *zone;
    const struct calendar *calendar; /* SCHEDULE_WORKDAY; borrowed */
};

struct reading {
    struct schedule *s;
    const char *text, *p;
    struct err *e;
    int *col_out;
};

static int reading_fail(struct reading *r, const char *where, const char *fmt, ...)
    LEADD_PRINTF(3, 4);
static int reading_fail(struct reading *r, const char *where, const char *fmt, ...)
{
    char what[512];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(what, sizeof(what), fmt, ap);
    va_end(ap);
    if (r->col_out)
        *r->col_out = (int)(where - r->text);
    return err_set(r->e, ERR_INPUT, "%s", what);
}

static const char *skip(const char *p)
{
    while (*p == ' ' || *p == '\t')
        p++;
    return p;
}

/* "1st", "22nd", "last". */
static bool reading_monthday(struct reading *r)
{
    const char *p = r->p;
    size_t n = 0;
    while (isalnum((unsigned char)p[n]))
        n++;
    if (n == 4 && strncasecmp(p, "last", 4) == 0) {
        r->s->mday = 0;
        r->p += 4;
        return true;
    }
    char *end;
    long v = isdigit((unsigned char)*p) && n <= 4 ? strtol(p, &end, 10) : 0;
    if (v < 1 || v > 31 || end != p + n - 2)
        return false;
    const char *suffix = v % 10 == 1 && v != 11   ? "st"
                         : v % 10 == 2 && v != 12 ? "nd"
                         : v % 10 == 3 && v != 13 ? "rd"
                                                  : "th";
    if (strncasecmp(end, suffix, 2) != 0)
        return false;
    r->s->mday = (int)v;
    r->p += n;
    return true;
}

static int reading_times(struct reading *r)
{
    struct schedule *s = r->s;
    for (const char *p = skip(r->p);; p = skip(p + 1)) {
        const char *start = p;
        int t;
        if (!day_read_time(&p, &t) || t == DAY_MINUTES)
            return reading_fail(r, start, "expected a time of day such as 08:00");
        if (s->count == SCHEDULE_TIMES)
            return reading_fail(r, start, "more than %d times in a day", SCHEDULE_TIMES);
        size_t i = s->count++;
        for (; i > 0 && s->times[i - 1] > t; i--)
            s->times[i] = s->times[i - 1];
        s->times[i] = t;
        r->p = p = skip(p);
        if (*p != ',')
            return 0;
    }
}

static int reading_zone(struct reading *r, const char *zone)
{
    const char *name = *r->p ? r->p : zone ? zone : "UTC";
    r->s->own = zone_new(name, r->e);
    r->s->zone = r->s->own;
    if (r->s->own)
        return 0;
    if (r->col_out)
        *r->col_out = (int)(r->p - r->text);
    return -1;
}

static int reading_calendar(struct reading *r, const struct calendars *calendars,
                            const struct calendar *standard)
{
    const char *name = r->p;
    const struct calendar *c = *name ? calendars_find(calendars, name) : standard;
    if (!c && !*name)
        return reading_fail(r, name, "workday needs a calendar: name it here, or set calendar in "
                                     "leadd.conf");
    if (!c) {
        const char *near = calendars_nearest(calendars, name);
        return reading_fail(r, name, "there is no calendar \"%.60s\"%s%s%s", name,
                            near ? "; did you mean \"" : "; define it in calendars of a rule file",
                            near ? near : "", near ? "\"?" : "");
    }
    r->s->calendar = c;
    r->s->zone = calendar_zone(c);
    return 0;
}

static int reading_every(struct reading *r)
{
    int64_t ms = r->s->every_ms;
    if (ms < SCHEDULE_MIN_MS || ms > SCHEDULE_MAX_MS)
        return reading_fail(r, r->text, "an interval is from 1m to 12h long; for more, write a day "
                                        "and a time, such as \"daily 07:30\"");
    return 0;
}

static int reading_all(struct reading *r, const char *zone, const struct calendars *calendars,
                       const struct calendar *standard)
{
    static const char workday[] = "workday";
    struct schedule *s = r->s;
    r->p = skip(r->text);
    if (text_parse_duration(r->text, &s->every_ms) == 0)
        return reading_every(r);
    if (strncasecmp(r->p, workday, sizeof(workday) - 1) == 0 && skip(r->p + 7) > r->p + 7) {
        s->kind = SCHEDULE_WORKDAY;
        r->p += sizeof(workday) - 1;
    } else if (day_read_weekdays(&r->p, &s->days)) {
        s->kind = SCHEDULE_WEEKDAYS;
    } else if (reading_monthday(r)) {
        s->kind = SCHEDULE_MONTHDAY;
    } else {
        return reading_fail(r, r->p, "expected days and a time such as \"Mon 08:00\", \"Mon-Fri "
                            "08:00\", \"daily 07:30\", \"1st 09:00\", \"last 09:00\", \"workday "
                            "08:00\", or an interval such as \"1h\"");
    }
    if (reading_times(r) < 0)
        return -1;
    return s->kind == SCHEDULE_WORKDAY ? reading_calendar(r, calendars, standard)
                                       : reading_zone(r, zone);
}

struct schedule *schedule_new(const char *text, const char *zone,
                              const struct calendars *calendars, const struct calendar *standard,
                              struct err *e, int *col_out)
{
    AUTO_FREE char *copy = mem_str(text);
    size_t n = strlen(copy);
    while (n > 0 && (copy[n - 1] == ' ' || copy[n - 1] == '\t'))
        copy[--n] = '\0';
    struct schedule *s = mem_alloc(sizeof(*s));
    struct reading r = {.s = s, .text = copy, .e = e, .col_out = col_out};
    if (reading_all(&r, zone, calendars, standard) < 0)
        schedule_free(&s);
    return s;
}

void schedule_free(struct schedule **schedule)
{
    struct schedule *s = *schedule;
    if (!s)
        return;
    zone_free(&s->own);
    mem_free(s);
    *schedule = NULL;
}

static bool schedule_takes(const struct schedule *s, int64_t day)
{
    struct day_date d = day_date(day);
    struct calendar_day open;
    switch (s->kind) {
    case SCHEDULE_WEEKDAYS:
        return s->days & 1u << day_weekday(day);
    case SCHEDULE_MONTHDAY:
        return d.mday == (s->mday ? s->mday : day_month_length(d.year, d.month));
    case SCHEDULE_WORKDAY:
        calendar_day(s->calendar, day, &open);
        return open.count > 0;
    case SCHEDULE_EVERY:
        break;
    }
    return false;
}

int64_t schedule_next(const struct schedule *s, int64_t after_ms)
{
    if (after_ms < 0)
        after_ms = 0;
    if (after_ms >= ZONE_END_MS)
        return CALENDAR_NEVER;
    if (s->kind == SCHEDULE_EVERY)
        return (after_ms / s->every_ms + 1) * s->every_ms;
    int64_t first = zone_day(s->zone, after_ms);
    for (int64_t day = first; day <= first + CALENDAR_SEARCH_DAYS; day++) {
        if (!schedule_takes(s, day))
            continue;
        for (size_t i = 0; i < s->count; i++) {
            int64_t at = zone_instant(s->zone, day, s->times[i], ZONE_BEGIN);
            if (at > after_ms)
                return at;
        }
    }
    return CALENDAR_NEVER;
}
