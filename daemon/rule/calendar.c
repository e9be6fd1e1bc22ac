/* SPDX-License-Identifier: ISC
 *
 * calendar - sums of open time, see calendar.h
 *
 * Everything goes through calendar_day(), one local day after the other. What
 * a day leaves open ends before the next one begins, so sums need no more than
 * the days in their order.
 */
#include "rule/calendar.h"

#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "base/units.h"
#include "rule/calendar_set.h"

struct calendars *calendars_new(const json_t *calendars, struct errlist *errors)
{
    struct calendars *cs = mem_alloc(sizeof(*cs));
    size_t n = json_object_size(calendars);
    const char *name;
    json_t *def;
    cs->v = mem_array(n, sizeof(*cs->v));
    cs->names = mem_array(n, sizeof(*cs->names));
    rule_map_init(&cs->by_name, n);
    json_object_foreach((json_t *)calendars, name, def)
    {
        struct calendar *c = &cs->v[cs->count];
        c->name = mem_str(name);
        c->at = mem_str(json_get_str(def, "at", "?"));
        calendar_read(c, def, errors);
        rule_map_add(&cs->by_name, c->name, strlen(c->name), (int)cs->count);
        cs->names[cs->count++] = c->name;
    }
    return cs;
}

static void calendar_done(struct calendar *c)
{
    for (size_t i = 0; i < c->name_count; i++)
        mem_free(c->names[i]);
    mem_free(c->names);
    mem_free(c->days);
    mem_free(c->name);
    mem_free(c->at);
    zone_free(&c->zone);
}

void calendars_free(struct calendars **calendars)
{
    struct calendars *cs = *calendars;
    if (!cs)
        return;
    for (size_t i = 0; i < cs->count; i++)
        calendar_done(&cs->v[i]);
    rule_map_done(&cs->by_name);
    mem_free(cs->names);
    mem_free(cs->v);
    mem_free(cs);
    *calendars = NULL;
}

size_t calendars_count(const struct calendars *c)
{
    return c ? c->count : 0;
}

const struct calendar *calendars_get(const struct calendars *c, size_t i)
{
    LEADD_ASSERT(i < c->count);
    return &c->v[i];
}

const struct calendar *calendars_find(const struct calendars *c, const char *name)
{
    int i = c ? rule_map_get(&c->by_name, name, strlen(name)) : -1;
    return i < 0 ? NULL : &c->v[i];
}

const char *calendars_nearest(const struct calendars *c, const char *name)
{
    return c ? text_nearest(name, c->names, c->count) : NULL;
}

const char *calendar_name(const struct calendar *c)
{
    return c->name;
}

const char *calendar_at(const struct calendar *c)
{
    return c->at;
}

const struct zone *calendar_zone(const struct calendar *c)
{
    return c->zone;
}

static const char *calendar_holiday(const struct calendar *c, int64_t day)
{
    size_t lo = 0, hi = c->day_count;
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        if (c->days[mid].day < day)
            lo = mid + 1;
        else
            hi = mid;
    }
    if (lo < c->day_count && c->days[lo].day == day)
        return c->days[lo].name;
    struct day_date d = day_date(day);
    return c->yearly[d.month - 1][d.mday - 1];
}

void calendar_day(const struct calendar *c, int64_t day, struct calendar_day *out)
{
    const struct calendar_hours *h = &c->week[day_weekday(day)];
    int64_t last = zone_instant(c->zone, day, 0, ZONE_BEGIN);
    int64_t end = zone_instant(c->zone, day + 1, 0, ZONE_BEGIN);
    *out = (struct calendar_day){.day = day, .holiday = calendar_holiday(c, day)};
    for (size_t i = 0; !out->holiday && i < h->count; i++) {
        int64_t from = zone_instant(c->zone, day, h->v[i].from, ZONE_BEGIN);
        int64_t to = zone_instant(c->zone, day, h->v[i].to, ZONE_END);
        from = from < last ? last : from;
        to = to > end ? end : to;
        if (to <= from)
            continue; /* all of it was skipped, or it came before already */
        out->open[out->count].from = from;
        out->open[out->count++].to = to;
        last = to;
    }
}

/* Answers are defined in that time only: it also bounds every walk. */
static int64_t calendar_clamp(int64_t at)
{
    return at < 0 ? 0 : at > ZONE_END_MS ? ZONE_END_MS : at;
}

int64_t calendar_add(const struct calendar *c, int64_t from, int64_t business_ms)
{
    int64_t at;
    if (business_ms <= 0)
        return from;
    if (!c)
        return __builtin_add_overflow(from, business_ms, &at) ? CALENDAR_NEVER : at;
    from = calendar_clamp(from);
    int64_t first = zone_day(c->zone, from);
    for (int64_t day = first; day <= first + CALENDAR_SEARCH_DAYS; day++) {
        struct calendar_day d;
        calendar_day(c, day, &d);
        for (size_t i = 0; i < d.count; i++) {
            int64_t begin = d.open[i].from < from ? from : d.open[i].from;
            if (d.open[i].to <= begin)
                continue;
            if (d.open[i].to - begin >= business_ms)
                return begin + business_ms;
            business_ms -= d.open[i].to - begin;
        }
    }
    return CALENDAR_NEVER;
}

bool calendar_reaches(const struct calendar *c, int64_t business_ms)
{
    int64_t week = 0;
    if (!c)
        return true;
    for (int d = 0; d < 7; d++)
        for (size_t i = 0; i < c->week[d].count; i++)
            week += (c->week[d].v[i].to - c->week[d].v[i].from) * MINUTE_MS;
    /* and some for the nights that are longer */
    return business_ms <= (CALENDAR_SEARCH_DAYS / 7 + 1) * week + 20 * HOUR_MS;
}

int64_t calendar_between(const struct calendar *c, int64_t from, int64_t to)
{
    int64_t sum = 0;
    if (to <= from)
        return 0;
    if (!c)
        return __builtin_sub_overflow(to, from, &sum) ? CALENDAR_NEVER : sum;
    from = calendar_clamp(from);
    to = calendar_clamp(to);
    for (int64_t day = zone_day(c->zone, from), end = zone_day(c->zone, to); day <= end; day++) {
        struct calendar_day d;
        calendar_day(c, day, &d);
        for (size_t i = 0; i < d.count; i++) {
            int64_t begin = d.open[i].from < from ? from : d.open[i].from;
            int64_t until = d.open[i].to > to ? to : d.open[i].to;
            sum += until > begin ? until - begin : 0;
        }
    }
    return sum;
}

int64_t calendar_next_open(const struct calendar *c, int64_t at)
{
    if (!c)
        return at;
    at = calendar_clamp(at);
    int64_t first = zone_day(c->zone, at);
    for (int64_t day = first; day <= first + CALENDAR_SEARCH_DAYS; day++) {
        struct calendar_day d;
        calendar_day(c, day, &d);
        for (size_t i = 0; i < d.count; i++)
            if (d.open[i].to > at)
                return d.open[i].from > at ? d.open[i].from : at;
    }
    return CALENDAR_NEVER;
}

bool calendar_open_at(const struct calendar *c, int64_t at)
{
    struct calendar_day d;
    if (!c)
        return true;
    calendar_day(c, zone_day(c->zone, calendar_clamp(at)), &d);
    for (size_t i = 0; i < d.count; i++)
        if (d.open[i].from <= at && at < d.open[i].to)
            return true;
    return false;
}

int64_t calendar_span_add(const struct calendar_span *s, int64_t from)
{
    return calendar_add(s->calendar, from, s->ms);
}

char *calendar_span_text(const struct calendar_span *s)
{
    char ms[64];
    text_format_duration(s->ms, ms, sizeof(ms));
    return s->calendar ? mem_printf("%s business %s", ms, s->calendar->name) : mem_str(ms);
}
