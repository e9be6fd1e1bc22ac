/* SPDX-License-Identifier: ISC
 *
 * calendar_set - a calendar inside (private to calendar.c and calendar_read.c)
 */
#ifndef LEADD_RULE_CALENDAR_SET_H
#define LEADD_RULE_CALENDAR_SET_H

#include "rule/calendar.h"
#include "rule/map.h"

struct calendar_hours {
    size_t count;
    struct {
        int from, to; /* minutes from midnight */
    } v[CALENDAR_DAY_SPANS]; /* ascending, apart */
};

struct calendar_holiday {
    int64_t day;
    const char *name; /* borrowed from names */
};

struct calendar {
    char *name, *at;   /* own */
    struct zone *zone; /* own */
    struct calendar_hours week[7]; /* from Monday */
    struct calendar_holiday *days; /* own; ascending */
    size_t day_count, day_cap;
    const char *yearly[12][31];    /* the same for every year; NULL: none */
    char **names;                  /* own */
    size_t name_count;
};

struct calendars {
    struct calendar *v; /* own */
    size_t count;
    struct rule_map by_name;
    const char **names; /* own; the strings are the calendars' */
};

/* Fills c, whose name and at are set; all mistakes are added. */
void calendar_read(struct calendar *c, const json_t *def, struct errlist *errors);

#endif
