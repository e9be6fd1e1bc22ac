/* SPDX-License-Identifier: ISC
 *
 * clock - the only place that reads the time
 *
 * clock_now_ms() is wall time in UTC milliseconds since 1970: for due times
 * and stored stamps. Only the engine uses it; other roles get times in frames.
 * clock_mono_ms() never goes back: for timeouts.
 *
 * A test or a simulation sets the wall clock with clock_pretend(); it then
 * stands still until clock_advance(). The monotonic clock is never pretended.
 */
#ifndef LEADD_CLOCK_H
#define LEADD_CLOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

int64_t clock_now_ms(void);
int64_t clock_mono_ms(void);
/* Processor time of this thread, in ns: for what a part of the work costs. */
int64_t clock_thread_ns(void);
/* Processor time that process has used so far, or -1 when it cannot be told. */
int64_t clock_cpu_ms(pid_t pid);

void clock_pretend(int64_t ms);
void clock_advance(int64_t ms);
bool clock_is_pretended(void);

/* RFC 3339 in UTC with milliseconds, "2026-11-21T10:00:00.000Z"; n >= 25. */
const char *clock_format_utc(int64_t ms, char *out, size_t n);
/* RFC 5322 date in UTC, "Sat, 21 Nov 2026 10:00:00 +0000"; n >= 32. */
const char *clock_format_mail(int64_t ms, char *out, size_t n);
/* Reads "2026-11-21" or RFC 3339 with Z or offset. 0 or -1. */
int clock_parse_utc(const char *s, int64_t *ms_out);
/* Does it begin as a date does, "2026-02-30", and there is no such day? */
bool clock_no_such_day(const char *s);

#endif
