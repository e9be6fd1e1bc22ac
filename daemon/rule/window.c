/* SPDX-License-Identifier: ISC
 *
 * window - see window.h
 */
#include "rule/window.h"

#include <string.h>

#include "base/mem.h"

#define ZONES_KEPT 64u
#define OPEN_ROUNDS 64 /* zones that are never open together are given up */

struct zoned {
    char *zone; /* own */
    struct calendars *set; /* own; one calendar */
};

struct window {
    char *home, *at; /* own */
    json_t *hours, *holidays; /* own; holidays may be NULL */
    struct zoned kept[ZONES_KEPT]; /* those that were asked for */
    size_t count;
};

static struct calendars *zoned_new(const struct window *w, const char *zone, struct errlist *errors)
{
    AUTO_JSON json_t *set = json_object(), *one = json_object();
    json_put_str(one, "zone", zone);
    json_object_set_new(one, "hours", json_array());
    json_array_append(json_get_arr(one, "hours"), w->hours);
    if (w->holidays)
        json_object_set(one, "holidays", w->holidays);
    json_put_str(one, "at", w->at);
    json_object_set(set, "window", one);
    return calendars_new(set, errors);
}

struct window *window_new(const json_t *def, const json_t *config, const char *what, const char *at,
                          const char *home, struct errlist *errors)
{
    const char *name = json_get_str(def, "calendar", NULL);
    json_t *hours = json_object_get(def, "window");
    json_t *calendar = name ? json_object_get(json_get_obj(config, "calendars"), name) : NULL;
    size_t before = errlist_total(errors);
    if (name && !calendar)
        errlist_add(errors, at, "%s: there is no calendar \"%s\"; define it in calendars of a rule file",
                    what, name);
    if (name && !hours)
        errlist_add(errors, at, "%s: calendar needs window: without one, mails leave at any time", what);
    if (!hours)
        return NULL;
    struct window *w = mem_alloc(sizeof(*w));
    *w = (struct window){.home = mem_str(home), .at = mem_str(at), .hours = json_incref(hours),
                         .holidays = json_incref(json_get_arr(calendar, "holidays"))};
    struct calendars *try = zoned_new(w, home, errors);
    calendars_free(&try);
    if (errlist_total(errors) > before)
        window_free(&w);
    return w;
}

void window_free(struct window **p)
{
    struct window *w = *p;
    *p = NULL;
    if (!w)
        return;
    for (size_t i = 0; i < w->count; i++) {
        mem_free(w->kept[i].zone);
        calendars_free(&w->kept[i].set);
    }
    json_decref(w->hours);
    json_decref(w->holidays);
    mem_free(w->home);
    mem_free(w->at);
    mem_free(w);
}

const char *window_text(const struct window *w)
{
    return json_get_str(w->hours, "text", "");
}

/* The window in a zone; NULL when there is no such zone. */
static const struct calendar *window_in(struct window *w, const char *zone)
{
    for (size_t i = 0; i < w->count; i++)
        if (strcmp(w->kept[i].zone, zone) == 0)
            return calendars_get(w->kept[i].set, 0);
    if (zone_check(zone, NULL) < 0)
        return NULL;
    if (w->count == ZONES_KEPT) { /* the oldest makes room */
        mem_free(w->kept[0].zone);
        calendars_free(&w->kept[0].set);
        memmove(w->kept, w->kept + 1, sizeof(*w->kept) * --w->count);
    }
    struct errlist none AUTO_ERRLIST;
    errlist_init(&none, 1);
    struct zoned *z = &w->kept[w->count++];
    *z = (struct zoned){.zone = mem_str(zone), .set = zoned_new(w, zone, &none)};
    return calendars_get(z->set, 0);
}

int64_t window_open(struct window *w, const char *const *zones, size_t count, int64_t from)
{
    int64_t t = from;
    if (!w)
        return from;
    for (int round = 0; round < OPEN_ROUNDS; round++) {
        int64_t before = t;
        for (size_t i = 0; i < count || i == 0; i++) {
            const struct calendar *c = window_in(w, i < count ? zones[i] : w->home);
            t = c ? calendar_next_open(c, t) : t;
            if (t == CALENDAR_NEVER)
                return t;
        }
        if (t == before)
            return t;
    }
    return CALENDAR_NEVER;
}

static int64_t calendar_closes(const struct calendar *c, int64_t at)
{
    struct calendar_day day;
    calendar_day(c, zone_day(calendar_zone(c), at), &day);
    for (size_t i = 0; i < day.count; i++)
        if (at >= day.open[i].from && at < day.open[i].to)
            return day.open[i].to;
    return at;
}

int64_t window_closes(struct window *w, const char *const *zones, size_t count, int64_t at)
{
    int64_t end = CALENDAR_NEVER;
    for (size_t i = 0; w && (i < count || i == 0); i++) {
        const struct calendar *c = window_in(w, i < count ? zones[i] : w->home);
        int64_t t = c ? calendar_closes(c, at) : CALENDAR_NEVER;
        end = t < end ? t : end;
    }
    return end;
}
