/* SPDX-License-Identifier: ISC
 *
 * calendar - an invitation (RFC 5545 in the manner of RFC 6047) becomes msg.calendar
 *
 *   method        "request" "reply" "cancel" "counter" "publish" ..., in lower case
 *   uid, sequence, all_day, recurs
 *   instance?     true: about one day of a series (RECURRENCE-ID)
 *   start_ms?, end_ms?        UTC; of an all-day event midnight UTC, the end excluded
 *   zone?         in which its start was written; absent: nobody knows it, and start_ms
 *                 is what the clock on the wall says, read as UTC
 *   summary?, location?, status?
 *   organizer?, attendees []  {address, folded, name?, status?: "accepted" ...}
 *
 * The reader is ours. libical looks for zone files on disk, which ends a parser in its
 * sandbox, and counts out any recurrence that a stranger writes into a VTIMEZONE. One
 * pass over the lines, no recursion; of a series only its first day is read.
 */
#ifndef LEADD_MAIL_CALENDAR_H
#define LEADD_MAIL_CALENDAR_H

#include <stdbool.h>
#include <stdint.h>

#include "mail/ctx.h"
#include "mail/part.h"

/* Sets msg.calendar. *invites: the mail is the invitation, not a letter with one. */
bool mail_calendar_read(struct mail_ctx *c, const struct mail_parts *ps, json_t *msg,
                        bool *invites);

/* ---- calendar_zone.c ---- */

struct cal_time {
    int year, month, day, hour, minute, second;
};

#define CAL_RULES 16
#define CAL_ZONES 8

/* One STANDARD or DAYLIGHT of a VTIMEZONE. */
struct cal_rule {
    struct cal_time from;
    int offset; /* seconds east of UTC, from then on */
    bool yearly;
    int month, week, weekday; /* BYMONTH; BYDAY=-1SU is week -1, weekday 0; week 0: by day */
    int until_year;           /* 0: for ever */
};

struct cal_zone {
    char id[128];
    struct cal_rule rules[CAL_RULES];
    size_t count;
};

/* The UTC instant of a local time. zones are the mail's own. name_out gets the name of
 * the zone; false when it is not known to anybody. */
bool cal_zone_resolve(const struct cal_zone *zones, size_t count, const char *id,
                      const struct cal_time *t, int64_t *ms_out, char name_out[128]);
int64_t cal_utc_ms(const struct cal_time *t);
void cal_zone_warm_up(void);

#endif
