/* SPDX-License-Identifier: ISC
 *
 * recur - what comes again, as people say it
 *
 *     every Monday 9:00          every 2 weeks on Mon,Thu     every other Friday
 *     daily, every 3 days        weekly                       every workday
 *     monthly                    every month on the 15th      every month on the last day
 *     every first Monday         every last Fri of the month  quarterly, yearly
 *
 * each with an optional time of day behind it, "from 2026-11-23" and "until 2027-06-30".
 * These are the rules of RFC 5545 with FREQ, INTERVAL, BYDAY (with a number), BYMONTHDAY
 * and UNTIL; weeks begin on Monday. Otherwise than there, a month without a 31st is not
 * passed over: its last day counts, since a task must not be forgotten in February.
 *
 * With a calendar, a weekday that is a holiday, and a day of the month on which the
 * calendar does not open, stand for the next day on which it does. A time that clocks
 * skip is the instant of the change; one that comes twice is meant the first time.
 *
 * Pure: no clock, no store. Nothing is kept of the past, so what was missed is one
 * occurrence, never ten.
 */
#ifndef LEADD_CRM_RECUR_H
#define LEADD_CRM_RECUR_H

#include "rule/calendar.h"

enum recur_unit { RECUR_DAY, RECUR_WORKDAY, RECUR_WEEK, RECUR_MONTH, RECUR_YEAR };

struct recur {
    enum recur_unit unit;
    int every;       /* 1: each */
    unsigned days;   /* week: bit 0 is Monday; month with nth: that one; 0: not said */
    int nth;         /* month: 1 to 4, -1 the last; 0: by mday */
    int mday;        /* month, year: 1 to 31, -1 the last; 0: not said */
    int month;       /* year */
    int minute;      /* of the day; -1: not said */
    int64_t from;    /* local day; 0: not said */
    int64_t until;   /* the last day; 0: for ever */
};

/* Reads one from the start of s: bytes taken, 0 when s does not begin with one, -1 with e
 * when it does but cannot be ("every 0 days"). */
int recur_parse(const char *s, struct recur *out, struct err *e);
/* What was not said is as of that instant: the day, the time, where counting begins. */
void recur_settle(struct recur *r, const struct zone *z, int64_t at_ms);
/* The words that recur_parse() reads as the same; of a settled one. */
#define RECUR_TEXT 120
const char *recur_print(const struct recur *r, char out[RECUR_TEXT]);

/* The first time after that instant, of a settled one; CALENDAR_NEVER when it is over.
 * calendar NULL: every day is a working day. */
int64_t recur_next(const struct recur *r, const struct zone *z, const struct calendar *calendar,
                   int64_t after_ms);

#endif
