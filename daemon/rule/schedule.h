/* SPDX-License-Identifier: ISC
 *
 * schedule - at which times something is run: "Mon 08:00 Europe/Vienna"
 *
 *     DAYS TIME[,TIME..] [ZONE]       Mon 08:00   Mon,Thu 08:00   Mon-Fri 08:00,16:00   daily 07:30
 *     Nth TIME [ZONE]                 1st 09:00   15th 09:00      last 09:00   (of the month)
 *     workday TIME [CALENDAR]         every day on which the calendar opens at all
 *     DURATION                        15m   1h    from 1m to 12h, counted from midnight UTC
 *
 * A month without a 31st is passed over. A time that clocks skip is the instant
 * of the change; one that comes twice is meant the first time. Two times of a day
 * that fall on one instant are one.
 *
 * Pure: no clock, no store.
 */
#ifndef LEADD_RULE_SCHEDULE_H
#define LEADD_RULE_SCHEDULE_H

#include "rule/calendar.h"

struct schedule;

/* zone: what stands for a missing one; NULL: UTC. standard: what workday alone
 * means; NULL: it must name one. NULL with e and the byte column of the mistake. */
struct schedule *schedule_new(const char *text, const char *zone,
                              const struct calendars *calendars, const struct calendar *standard,
                              struct err *e, int *col_out);
void schedule_free(struct schedule **s); /* accepts NULL, sets NULL */

/* The first time after that instant, or CALENDAR_NEVER. */
int64_t schedule_next(const struct schedule *s, int64_t after_ms);

#endif
