/* SPDX-License-Identifier: ISC
 *
 * day - days and times of day, without zone and without clock
 *
 * A day is its number from 1970-01-01 in the Gregorian calendar. A time of day
 * is minutes from midnight, 0 to 1440. The readers take one word from *p, move
 * it on, and leave it alone when they refuse.
 */
#ifndef LEADD_RULE_DAY_H
#define LEADD_RULE_DAY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DAY_MINUTES 1440

struct day_date {
    int year, month, mday; /* month and mday from 1 */
};

int64_t day_number(int year, int month, int mday);
struct day_date day_date(int64_t day);
int day_weekday(int64_t day); /* 0 is Monday */
int day_month_length(int year, int month);
extern const char *const day_names[7]; /* "Mon", .. */
extern const char *const day_month_names[12];

/* "Mon" or "Monday", in any case. */
bool day_read_weekday(const char **p, int *weekday_out);
/* "Mon-Fri", "Sat,Sun", "daily": bit 0 is Monday. A word that is no day after a
 * comma ends the list before the comma. */
bool day_read_weekdays(const char **p, unsigned *mask_out);
/* "9:00", "09:00", "24:00". */
bool day_read_time(const char **p, int *minutes_out);
/* "2026-12-25". */
bool day_read_date(const char **p, struct day_date *out);
/* "12-25": year 0. 02-29 is a date. */
bool day_read_yearly(const char **p, struct day_date *out);

#endif
