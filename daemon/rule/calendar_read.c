/* SPDX-License-Identifier: ISC
 *
 * calendar_read - a calendar and a span of time as they are written
 *
 * The words of the config become tables here, and every mistake a message with
 * its place.
 */
#include <ctype.h>
#include <string.h>

#include "base/bounds.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"
#include "rule/calendar_set.h"

struct reading {
    struct calendar *c;
    struct errlist *errors;
    const char *text, *at; /* of the line that is read */
    int said[7];           /* of each day so far: -1 that it is closed, 1 hours */
};

static void reading_fail(struct reading *r, const char *where, const char *fmt, ...)
    LEADD_PRINTF(3, 4);
static void reading_fail(struct reading *r, const char *where, const char *fmt, ...)
{
    char what[512];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(what, sizeof(what), fmt, ap);
    va_end(ap);
    errlist_add(r->errors, r->at, "calendar %s: %s", r->c->name, what);
    if (where)
        errlist_caret(r->errors, r->text, (int)(where - r->text));
}

/* A text, or {text, at, col}. */
static void reading_line(struct reading *r, const json_t *line)
{
    r->text = json_is_string(line) ? json_string_value(line) : json_get_str(line, "text", "");
    r->at = json_get_str(line, "at", r->c->at);
}

static const char *skip(const char *p)
{
    while (*p == ' ' || *p == '\t')
        p++;
    return p;
}

/* Puts one span among those of its day, which stay in order. */
static bool reading_insert(struct calendar_hours *h, int from, int to)
{
    size_t i = h->count;
    while (i > 0 && h->v[i - 1].from >= to)
        i--;
    if (i > 0 && h->v[i - 1].to > from)
        return false;
    memmove(&h->v[i + 1], &h->v[i], (h->count - i) * sizeof(h->v[0]));
    h->v[i].from = from;
    h->v[i].to = to;
    h->count++;
    return true;
}

static bool reading_put(struct reading *r, const char *where, unsigned days, int from, int to)
{
    for (int d = 0; d < 7; d++) {
        struct calendar_hours *h = &r->c->week[d];
        if (!(days & 1u << d))
            continue;
        if (h->count == CALENDAR_DAY_SPANS) {
            reading_fail(r, where, "hours: more than %d in one day", CALENDAR_DAY_SPANS);
            return false;
        }
        if (!reading_insert(h, from, to)) {
            reading_fail(r, where, "hours: they overlap others of %s", day_names[d]);
            return false;
        }
    }
    return true;
}

/* "09:00-12:30" */
static bool reading_span(struct reading *r, const char **p, unsigned days)
{
    const char *s = *p, *dash;
    int from, to;
    if (!day_read_time(&s, &from)) {
        reading_fail(r, s, "hours: expected a time such as 09:00, or \"closed\"");
        return false;
    }
    dash = skip(s);
    if (*dash != '-') {
        reading_fail(r, dash, "hours: expected \"-\" and the time of closing");
        return false;
    }
    s = skip(dash + 1);
    if (!day_read_time(&s, &to)) {
        reading_fail(r, s, "hours: expected a time such as 17:00");
        return false;
    }
    if (to <= from) {
        reading_fail(r, *p, "hours: they end before they begin; over midnight, write %02d:%02d-24:00 "
                            "and, for the next day, 00:00-%02d:%02d",
                     from / 60, from % 60, to / 60, to % 60);
        return false;
    }
    if (!reading_put(r, *p, days, from, to))
        return false;
    *p = s;
    return true;
}

/* What a group of days has: "closed", or spans with commas between. */
static bool reading_spans(struct reading *r, const char **p, unsigned days)
{
    const char *s = *p;
    bool closed = strncmp(s, "closed", 6) == 0 && !isalnum((unsigned char)s[6]);
    for (int d = 0; d < 7; d++) {
        if (!(days & 1u << d))
            continue;
        if (r->said[d] && (r->said[d] < 0) != closed) {
            reading_fail(r, s, "hours: %s is closed in one place and open in another",
                         day_names[d]);
            return false;
        }
        r->said[d] = closed ? -1 : 1;
    }
    if (closed) {
        *p = skip(s + 6);
        return true;
    }
    for (;;) {
        if (!reading_span(r, &s, days))
            return false;
        s = skip(s);
        const char *next = *s == ',' ? skip(s + 1) : s;
        if (next == s || isalpha((unsigned char)*next))
            break;
        s = next;
    }
    *p = s;
    return true;
}

/* "Mon-Fri 09:00-12:30, 13:00-17:00; Sat 09:00-12:00" */
static bool reading_hours(struct reading *r)
{
    for (const char *p = skip(r->text);;) {
        unsigned days;
        if (!day_read_weekdays(&p, &days)) {
            reading_fail(r, p, "hours: expected a day such as Mon, or days such as Mon-Fri");
            return false;
        }
        p = skip(p);
        if (!reading_spans(r, &p, days))
            return false;
        if (!*p)
            return true;
        if (*p != ';' && *p != ',') {
            reading_fail(r, p, "hours: expected \",\" and further hours, or \";\" and further days");
            return false;
        }
        p = skip(p + 1);
        if (!*p)
            return true;
    }
}

static const char *reading_keep(struct calendar *c, const char *name)
{
    c->names = mem_grow(c->names, (c->name_count + 1) * sizeof(*c->names));
    return c->names[c->name_count++] = mem_str(name);
}

static bool reading_add_days(struct reading *r, const char *where, int64_t from, int64_t to,
                             const char *name)
{
    struct calendar *c = r->c;
    if (to - from >= 366) {
        reading_fail(r, where, "holidays: longer than a year");
        return false;
    }
    if (c->day_count + (size_t)(to - from) + 1 > BOUND_CALENDAR_HOLIDAYS) {
        reading_fail(r, where, "holidays: more than %d days", BOUND_CALENDAR_HOLIDAYS);
        return false;
    }
    for (; from <= to; from++) {
        if (c->day_count == c->day_cap) {
            c->day_cap = c->day_cap ? c->day_cap * 2 : 64;
            c->days = mem_grow(c->days, c->day_cap * sizeof(*c->days));
        }
        c->days[c->day_count++] = (struct calendar_holiday){from, name};
    }
    return true;
}

/* The last day may come in the next year: 12-24..01-06. */
static void reading_add_yearly(struct calendar *c, struct day_date from, struct day_date to,
                               const char *name)
{
    for (;;) {
        if (!c->yearly[from.month - 1][from.mday - 1])
            c->yearly[from.month - 1][from.mday - 1] = name;
        if (from.month == to.month && from.mday == to.mday)
            break;
        if (++from.mday > day_month_length(2000, from.month)) {
            from.mday = 1;
            from.month = from.month % 12 + 1;
        }
    }
}

/* "2026-12-25", "12-26", "2026-12-24..2027-01-01", each with a name behind it. */
static bool reading_holiday(struct reading *r)
{
    const char *start = skip(r->text), *p = start;
    struct day_date from, to;
    bool yearly = !day_read_date(&p, &from);
    if (yearly && !day_read_yearly(&p, &from)) {
        if (clock_no_such_day(start)) {
            reading_fail(r, start, "holidays: there is no such day");
            return false;
        }
        reading_fail(r, start, "holidays: expected a date such as 2026-12-25, 12-25 for every year, "
                               "a range such as 2026-12-24..2027-01-01, or a file that ends in .ics");
        return false;
    }
    to = from;
    if (p[0] == '.' && p[1] == '.') {
        const char *second = p + 2;
        p = second;
        if (!(yearly ? day_read_yearly(&p, &to) : day_read_date(&p, &to))) {
            reading_fail(r, second, "holidays: expected a date of the same form as the first, %s",
                         yearly ? "MM-DD" : "YYYY-MM-DD");
            return false;
        }
    }
    if (*p && *p != ' ' && *p != '\t') {
        reading_fail(r, p, "holidays: expected a name, after a space, or nothing");
        return false;
    }
    const char *name = reading_keep(r->c, skip(p));
    if (yearly) {
        reading_add_yearly(r->c, from, to, name);
        return true;
    }
    int64_t a = day_number(from.year, from.month, from.mday);
    int64_t b = day_number(to.year, to.month, to.mday);
    if (b < a) {
        reading_fail(r, start, "holidays: the range ends before it begins");
        return false;
    }
    return reading_add_days(r, start, a, b, name);
}

static int holiday_compare(const void *a, const void *b)
{
    const struct calendar_holiday *x = a, *y = b;
    return x->day < y->day ? -1 : x->day > y->day;
}

/* A list, or one, through fn; false when one of them was wrong. */
static bool reading_list(struct reading *r, const json_t *list, bool (*fn)(struct reading *r))
{
    bool good = true;
    size_t n = json_is_array(list) ? json_array_size(list) : list ? 1 : 0;
    for (size_t i = 0; i < n; i++) {
        reading_line(r, json_is_array(list) ? json_array_get(list, i) : list);
        good &= fn(r);
    }
    return good;
}

/* Some day of the week and some date must be left, or no span would ever end. */
static void reading_check_open(struct reading *r)
{
    const struct calendar *c = r->c;
    bool hours = false, date = false;
    for (int d = 0; d < 7; d++)
        hours |= c->week[d].count > 0;
    for (int m = 0; m < 12; m++)
        for (int d = 0; d < day_month_length(2001, m + 1); d++)
            date |= !c->yearly[m][d];
    r->at = c->at;
    if (!hours)
        reading_fail(r, NULL, "it is never open; give it hours such as \"Mon-Fri 09:00-17:00\"");
    else if (!date)
        reading_fail(r, NULL, "every day of the year is a holiday, so it is never open");
}

void calendar_read(struct calendar *c, const json_t *def, struct errlist *errors)
{
    struct reading r = {.c = c, .errors = errors};
    struct err e = {0};
    const json_t *zone = json_object_get(def, "zone");
    reading_line(&r, zone);
    c->zone = zone_new(zone ? r.text : "UTC", &e);
    if (!c->zone)
        reading_fail(&r, NULL, "%s", e.text);
    bool good = reading_list(&r, json_object_get(def, "hours"), reading_hours);
    good &= reading_list(&r, json_object_get(def, "holidays"), reading_holiday);
    if (c->day_count > 1)
        qsort(c->days, c->day_count, sizeof(*c->days), holiday_compare);
    if (good)
        reading_check_open(&r);
}

static int span_fail(struct err *e, int *col_out, int col, const char *fmt, ...)
    LEADD_PRINTF(4, 5);
static int span_fail(struct err *e, int *col_out, int col, const char *fmt, ...)
{
    char what[512];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(what, sizeof(what), fmt, ap);
    va_end(ap);
    if (col_out)
        *col_out = col;
    return err_set(e, ERR_INPUT, "%s", what);
}

static int span_calendar(const char *text, const char *name, const struct calendars *calendars,
                         const struct calendar *standard, const struct calendar **out,
                         struct err *e, int *col_out)
{
    int col = (int)(name - text);
    if (!*name && !standard)
        return span_fail(e, col_out, col, "\"business\" needs a calendar: name it here, or set "
                                          "calendar in leadd.conf");
    const struct calendar *c = *name ? calendars_find(calendars, name) : standard;
    if (!c) {
        const char *near = calendars_nearest(calendars, name);
        return span_fail(e, col_out, col, "there is no calendar \"%.60s\"%s%s%s", name,
                         near ? "; did you mean \"" : "; define it in calendars of a rule file",
                         near ? near : "", near ? "\"?" : "");
    }
    *out = c;
    return 0;
}

int calendar_span_parse(const char *text, const struct calendars *calendars,
                        const struct calendar *standard, struct calendar_span *out,
                        struct err *e, int *col_out)
{
    static const char word[] = "business";
    struct calendar_span s = {0};
    const char *p = skip(text), *end = p;
    /* the duration goes up to the first word that is no unit of its own */
    while (*end && strncmp(end, word, sizeof(word) - 1) != 0)
        end++;
    AUTO_FREE char *duration = mem_strn(p, (size_t)(end - p));
    if (text_parse_duration(text_trim(duration), &s.ms) < 0)
        return span_fail(e, col_out, (int)(p - text),
                         "expected a duration such as \"30m\", \"2h business\" or \"1d 12h\", got "
                         "\"%.60s\"", text);
    if (*end) {
        const char *after = end + sizeof(word) - 1, *name = skip(after);
        AUTO_FREE char *one = mem_str(name);
        size_t n = strlen(text_trim(one));
        if (*after && name == after)
            return span_fail(e, col_out, (int)(end - text), "expected \"business\", got \"%.60s\"",
                             end);
        /* columns are those of text, which only has spaces behind the name */
        AUTO_FREE char *whole = mem_strn(text, (size_t)(name - text) + n);
        if (span_calendar(whole, whole + (name - text), calendars, standard, &s.calendar, e,
                          col_out) < 0)
            return -1;
        if (!calendar_reaches(s.calendar, s.ms))
            return span_fail(e, col_out, (int)(p - text), "the calendar \"%s\" is not open that long "
                             "in ten years", calendar_name(s.calendar));
    }
    *out = s;
    return 0;
}
