/* SPDX-License-Identifier: ISC
 *
 * calendar - business time: the open hours of a named calendar
 *
 * A calendar has a zone, hours for each day of the week, and holidays, on which
 * it is closed all day. Business time runs while it is open. A NULL calendar
 * stands for real time: always open.
 *
 * When clocks change, hours are what the clock on the wall says, once:
 *  - hours that begin or end in the gap begin or end at its end, which is the
 *    instant of the change. 02:30-04:00 on a night that skips 02:00-03:00 is
 *    one hour long; 02:10-02:50 is empty;
 *  - hours whose begin or end comes twice begin the first time and end the last
 *    time. 02:15-02:45 on a night that repeats 02:00-03:00 is an hour and a half;
 *    00:00-02:00 is two hours long, since it ends where the repetition begins;
 *  - a day ends, at 24:00, where the next one begins for the first time;
 *  - hours around a change have their real length: 01:00-04:00 is two hours long
 *    on the one night and four on the other. No instant is counted twice.
 *
 * Pure: no clock, no store, no file. Answers are from 1970 to 2100.
 */
#ifndef LEADD_RULE_CALENDAR_H
#define LEADD_RULE_CALENDAR_H

#include "base/errlist.h"
#include "base/json.h"
#include "rule/day.h"
#include "rule/zone.h"

#define CALENDAR_NEVER INT64_MAX
#define CALENDAR_SEARCH_DAYS 3660 /* closed for so long, or a sum not reached by then: never */
#define CALENDAR_DAY_SPANS 24

struct calendar;
struct calendars;

/* calendars is the config tree's object of that name; NULL: none. A calendar is
 * {"zone", "hours", "holidays", "at"}; zone is a text, hours and holidays lists
 * of texts; each text may be {"text", "at", "col"}. Never NULL; every mistake is
 * added to errors, and a set with mistakes is only good for looking names up. */
struct calendars *calendars_new(const json_t *calendars, struct errlist *errors);
void calendars_free(struct calendars **c); /* accepts NULL, sets NULL */
size_t calendars_count(const struct calendars *c);
const struct calendar *calendars_get(const struct calendars *c, size_t i);
const struct calendar *calendars_find(const struct calendars *c, const char *name); /* or NULL */
const char *calendars_nearest(const struct calendars *c, const char *name);         /* or NULL */

const char *calendar_name(const struct calendar *c);
const char *calendar_at(const struct calendar *c); /* "file:line" */
const struct zone *calendar_zone(const struct calendar *c);

/* The earliest instant at which business_ms of open time lie between from and
 * it; from itself for nothing. CALENDAR_NEVER when that is not within
 * CALENDAR_SEARCH_DAYS. calendar_between() of the two is business_ms again. */
int64_t calendar_add(const struct calendar *c, int64_t from, int64_t business_ms);
/* Could so much open time lie within CALENDAR_SEARCH_DAYS? Told from the weekly hours
 * alone, without a date: false means that calendar_add() is CALENDAR_NEVER always. */
bool calendar_reaches(const struct calendar *c, int64_t business_ms);
/* Open time between two instants; 0 when to is not later. */
int64_t calendar_between(const struct calendar *c, int64_t from, int64_t to);
bool calendar_open_at(const struct calendar *c, int64_t at);
/* at when it is open then, else when it opens, or CALENDAR_NEVER. */
int64_t calendar_next_open(const struct calendar *c, int64_t at);

/* One local day, for whoever shows how a sum came about. */
struct calendar_day {
    int64_t day; /* day.h */
    const char *holiday; /* its name, "" when it has none; NULL: no holiday */
    size_t count;
    struct {
        int64_t from, to; /* instants; never empty, ascending, apart */
    } open[CALENDAR_DAY_SPANS];
};
void calendar_day(const struct calendar *c, int64_t day, struct calendar_day *out);

/* "30m", "2h business", "1h 30m business vienna". */
struct calendar_span {
    int64_t ms;
    const struct calendar *calendar; /* NULL: real time */
};
/* standard: what `business` alone means; NULL when there is no default calendar,
 * then it is refused. 0, or -1 with e and the byte column of the mistake. */
int calendar_span_parse(const char *text, const struct calendars *calendars,
                        const struct calendar *standard, struct calendar_span *out,
                        struct err *e, int *col_out);
int64_t calendar_span_add(const struct calendar_span *s, int64_t from);
/* "1h 30m business vienna"; own (mem_free). */
char *calendar_span_text(const struct calendar_span *s);

#endif
