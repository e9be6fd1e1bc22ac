/* SPDX-License-Identifier: ISC
 *
 * calendar_write - a meeting as an iCalendar object (RFC 5545, sent as RFC 6047 says)
 *
 * One VEVENT, times in UTC, so that no reader needs to know a zone of ours. Lines are folded at 75
 * bytes and never inside a character; what people wrote is escaped, and cannot begin a line.
 */
#ifndef LEADD_MAIL_CALENDAR_WRITE_H
#define LEADD_MAIL_CALENDAR_WRITE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"

struct calendar_person {
    const char *address, *name; /* the name may be NULL */
    const char *status;         /* "ACCEPTED", "NEEDS-ACTION" */
};

struct calendar_event {
    bool cancel;                /* METHOD:CANCEL; else REQUEST */
    const char *uid;
    int64_t sequence, now_ms, start_ms, end_ms;
    const char *summary;
    struct calendar_person organizer;
    const struct calendar_person *attendees;
    size_t attendee_count;
};

void calendar_write(const struct calendar_event *ev, struct buf *out);

#endif
