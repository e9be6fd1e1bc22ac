/* SPDX-License-Identifier: ISC
 *
 * ics - see ics.h
 *
 * libical reads the file and counts out recurrences (RRULE, RDATE, EXDATE). It
 * runs in the throwaway process that loads a config, on a file of bounded size;
 * what recurs within a day is refused, since counting that out has no bound
 * worth having. An event from midnight to midnight counts as all day.
 */
#include "config/ics.h"

#include <libical/ical.h>
#include <string.h>

#include "base/bounds.h"
#include "base/buf.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"

#define ICS_NAME 100 /* bytes of an event's name that are kept */
#define ICS_DAY (24 * 3600)

struct ics {
    json_t *out;
    size_t timed, days;
    int length; /* of the event, in days */
    char *name; /* own */
};

static bool ics_is_midnight(struct icaltimetype t)
{
    return t.is_date || (t.hour == 0 && t.minute == 0 && t.second == 0);
}

static char *ics_date(time_t at)
{
    struct icaltimetype t = icaltime_from_timet_with_zone(at, 1, NULL);
    return mem_printf("%04d-%02d-%02d", t.year, t.month, t.day);
}

static void ics_put(struct ics *x, const char *dates)
{
    AUTO_FREE char *text = mem_printf("%s%s%s", dates, *x->name ? " " : "", x->name);
    json_array_append_new(x->out, json_string(text));
}

static void ics_occurs(icalcomponent *c, struct icaltime_span *span, void *arg)
{
    struct ics *x = arg;
    (void)c;
    x->days += (size_t)x->length;
    if (x->days > BOUND_CALENDAR_HOLIDAYS || span->start < 0)
        return;
    AUTO_FREE char *from = ics_date(span->start);
    AUTO_FREE char *to = ics_date(span->start + (time_t)(x->length - 1) * ICS_DAY);
    AUTO_FREE char *both = mem_printf("%s..%s", from, to);
    ics_put(x, x->length > 1 ? both : from);
}

static bool ics_has(icalcomponent *c, icalproperty_kind kind)
{
    return icalcomponent_get_first_property(c, kind) != NULL;
}

/* RRULE:FREQ=YEARLY with nothing else: one line instead of a hundred. */
static bool ics_is_plain_yearly(icalcomponent *c)
{
    icalproperty *p = icalcomponent_get_first_property(c, ICAL_RRULE_PROPERTY);
    if (!p || icalcomponent_get_next_property(c, ICAL_RRULE_PROPERTY) ||
        ics_has(c, ICAL_EXDATE_PROPERTY) || ics_has(c, ICAL_RDATE_PROPERTY) ||
        ics_has(c, ICAL_EXRULE_PROPERTY))
        return false;
    struct icalrecurrencetype r = icalproperty_get_rrule(p);
    short none = ICAL_RECURRENCE_ARRAY_MAX;
    return r.freq == ICAL_YEARLY_RECURRENCE && r.interval == 1 && r.count == 0 &&
           icaltime_is_null_time(r.until) && r.by_month[0] == none && r.by_day[0] == none &&
           r.by_month_day[0] == none && r.by_year_day[0] == none && r.by_week_no[0] == none &&
           r.by_set_pos[0] == none && r.by_hour[0] == none && r.by_minute[0] == none &&
           r.by_second[0] == none;
}

static int ics_check_rule(icalcomponent *c, const char *name, struct err *e)
{
    for (icalproperty *p = icalcomponent_get_first_property(c, ICAL_RRULE_PROPERTY); p;
         p = icalcomponent_get_next_property(c, ICAL_RRULE_PROPERTY)) {
        struct icalrecurrencetype r = icalproperty_get_rrule(p);
        if (r.freq < ICAL_DAILY_RECURRENCE)
            return err_set(e, ERR_INPUT, "\"%s\" recurs within a day; a holiday lasts whole days",
                           name);
        if (r.freq == ICAL_NO_RECURRENCE)
            return err_set(e, ERR_INPUT, "\"%s\" has an RRULE that cannot be read", name);
    }
    return 0;
}

static char *ics_name(icalcomponent *c)
{
    const char *summary = icalcomponent_get_summary(c);
    struct buf b AUTO_BUF;
    buf_init(&b, KIB(64));
    if (summary)
        text_add_utf8(&b, summary, strnlen(summary, KIB(16)));
    text_make_line(b.data);
    char *trimmed = text_trim(b.data);
    size_t n = strlen(trimmed);
    return mem_strn(trimmed, text_utf8_cut(trimmed, n, ICS_NAME));
}

static int ics_event(struct ics *x, icalcomponent *c, struct err *e)
{
    struct icaltimetype from = icalcomponent_get_dtstart(c), to = icalcomponent_get_dtend(c);
    if (icaltime_is_null_time(from) || !icaltime_is_valid_time(from))
        return err_set(e, ERR_INPUT, "\"%s\" has no DTSTART that can be read", x->name);
    if (icalcomponent_get_status(c) == ICAL_STATUS_CANCELLED)
        return 0;
    if (!ics_is_midnight(from) || (!icaltime_is_null_time(to) && !ics_is_midnight(to))) {
        x->timed++;
        return 0;
    }
    if (ics_check_rule(c, x->name, e) < 0)
        return -1;
    from.is_date = to.is_date = 1;
    from.zone = to.zone = NULL;
    int64_t seconds = icaltime_is_null_time(to)
                          ? 0
                          : (int64_t)icaltime_as_timet(to) - (int64_t)icaltime_as_timet(from);
    x->length = seconds < ICS_DAY ? 1 : seconds > 366 * (int64_t)ICS_DAY ? 366
                                                                         : (int)(seconds / ICS_DAY);
    if (ics_is_plain_yearly(c) && x->length == 1) {
        AUTO_FREE char *date = mem_printf("%02d-%02d", from.month, from.day);
        ics_put(x, date);
        return 0;
    }
    icalcomponent_set_dtstart(c, from);
    icalcomponent_foreach_recurrence(c, icaltime_from_string("19700101"),
                                     icaltime_from_string("21000101"), ics_occurs, x);
    if (x->days > BOUND_CALENDAR_HOLIDAYS)
        return err_set(e, ERR_INPUT, "more than %d days, with \"%s\"", BOUND_CALENDAR_HOLIDAYS,
                       x->name);
    return 0;
}

static int ics_calendar(struct ics *x, icalcomponent *calendar, struct err *e)
{
    icalcomponent *c = icalcomponent_get_first_component(calendar, ICAL_VEVENT_COMPONENT);
    for (; c; c = icalcomponent_get_next_component(calendar, ICAL_VEVENT_COMPONENT)) {
        mem_free(x->name);
        x->name = ics_name(c);
        if (ics_event(x, c, e) < 0)
            return -1;
    }
    return 0;
}

/* One VCALENDAR, or several behind each other under a root of libical's own. */
static int ics_root(struct ics *x, icalcomponent *root, struct err *e)
{
    if (icalcomponent_isa(root) == ICAL_VCALENDAR_COMPONENT)
        return ics_calendar(x, root, e);
    icalcomponent *c = icalcomponent_get_first_component(root, ICAL_VCALENDAR_COMPONENT);
    if (!c)
        return err_set(e, ERR_INPUT, "no calendar (VCALENDAR) in it");
    for (; c; c = icalcomponent_get_next_component(root, ICAL_VCALENDAR_COMPONENT))
        if (ics_calendar(x, c, e) < 0)
            return -1;
    return 0;
}

json_t *ics_read(const char *path, size_t *timed_out, struct err *e)
{
    struct buf text AUTO_BUF;
    buf_init(&text, BOUND_CALENDAR_FILE);
    if (buf_read_file(&text, path, e) < 0)
        return NULL;
    if (memchr(text.data, '\0', text.len)) {
        err_set(e, ERR_INPUT, "not a text");
        return NULL;
    }
    icalerror_set_errors_are_fatal(false);
    icalcomponent *root = icalparser_parse_string(text.data);
    struct ics x = {.out = json_array()};
    int rc = root ? ics_root(&x, root, e)
                  : err_set(e, ERR_INPUT, "no calendar (VCALENDAR) in it");
    if (root)
        icalcomponent_free(root);
    icalmemory_free_ring();
    mem_free(x.name);
    *timed_out = x.timed;
    if (rc == 0)
        return x.out;
    json_decref(x.out);
    return NULL;
}
