/* SPDX-License-Identifier: ISC
 *
 * calendar_write - see calendar_write.h
 */
#include "mail/calendar_write.h"

#include <inttypes.h>
#include <string.h>

#include "base/bounds.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"

#define LINE_BYTES 75

/* One content line, folded. */
static void put_line(struct buf *out, const char *line)
{
    size_t left = strlen(line), room = LINE_BYTES;
    while (left > room) {
        size_t n = text_utf8_cut(line, left, room);
        buf_add(out, line, n);
        buf_str(out, "\r\n ");
        line += n;
        left -= n;
        room = LINE_BYTES - 1; /* the blank counts */
    }
    buf_add(out, line, left);
    buf_str(out, "\r\n");
}

/* TEXT: backslash, comma, semicolon and line ends are escaped, other controls left out. */
static void put_text(struct buf *out, const char *name, const char *value)
{
    struct buf line AUTO_BUF;
    buf_init(&line, KIB(16));
    buf_printf(&line, "%s:", name);
    for (const char *p = value; *p; p++)
        if (*p == '\n')
            buf_str(&line, "\\n");
        else if (strchr("\\,;", *p))
            buf_printf(&line, "\\%c", *p);
        else if ((unsigned char)*p >= ' ' && *p != 0x7f)
            buf_char(&line, *p);
    put_line(out, line.data);
}

static void put_time(struct buf *out, const char *name, int64_t ms)
{
    char iso[32], line[64];
    size_t n = (size_t)snprintf(line, sizeof(line), "%s:", name);
    clock_format_utc(ms, iso, sizeof(iso)); /* 2026-11-27T09:00:00.000Z */
    for (const char *p = iso; *p && *p != '.' && n + 2 < sizeof(line); p++)
        if (*p != '-' && *p != ':')
            line[n++] = *p;
    line[n++] = 'Z';
    line[n] = '\0';
    put_line(out, line);
}

/* ATTENDEE;CN="Ada";..:mailto:ada@shop.example; a parameter holds no quote and no control. */
static void put_person(struct buf *out, const char *name, const struct calendar_person *p)
{
    struct buf line AUTO_BUF;
    buf_init(&line, KIB(4));
    buf_str(&line, name);
    if (p->name && *p->name) {
        buf_str(&line, ";CN=\"");
        for (const char *c = p->name; *c; c++)
            if ((unsigned char)*c >= ' ' && *c != '"' && *c != 0x7f)
                buf_char(&line, *c);
        buf_char(&line, '"');
    }
    if (p->status)
        buf_printf(&line, ";ROLE=REQ-PARTICIPANT;PARTSTAT=%s;RSVP=%s", p->status,
                   strcmp(p->status, "ACCEPTED") ? "TRUE" : "FALSE");
    buf_printf(&line, ":mailto:%s", p->address);
    put_line(out, line.data);
}

void calendar_write(const struct calendar_event *ev, struct buf *out)
{
    char sequence[40];
    snprintf(sequence, sizeof(sequence), "SEQUENCE:%" PRId64, ev->sequence);
    put_line(out, "BEGIN:VCALENDAR");
    put_line(out, "VERSION:2.0");
    put_line(out, "PRODID:-//leadd//leadd//EN");
    put_line(out, ev->cancel ? "METHOD:CANCEL" : "METHOD:REQUEST");
    put_line(out, "BEGIN:VEVENT");
    put_text(out, "UID", ev->uid);
    put_line(out, sequence);
    put_time(out, "DTSTAMP", ev->now_ms);
    put_time(out, "DTSTART", ev->start_ms);
    put_time(out, "DTEND", ev->end_ms);
    put_text(out, "SUMMARY", ev->summary);
    put_line(out, ev->cancel ? "STATUS:CANCELLED" : "STATUS:CONFIRMED");
    put_person(out, "ORGANIZER", &ev->organizer);
    for (size_t i = 0; i < ev->attendee_count; i++)
        put_person(out, "ATTENDEE", &ev->attendees[i]);
    put_line(out, "END:VEVENT");
    put_line(out, "END:VCALENDAR");
}
