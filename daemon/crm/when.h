/* SPDX-License-Identifier: ISC
 *
 * when - times and amounts as people write them
 *
 * Pure: the time it is now and the zone are given. Local times that a change of
 * the clocks skips move forward by the gap (02:30 becomes 03:30); those that
 * happen twice mean the first.
 */
#ifndef LEADD_CRM_WHEN_H
#define LEADD_CRM_WHEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

/* Is zone one that ICU knows? */
bool crm_zone_ok(const char *zone);

/* Reads a due time from the start of s: "today", "tomorrow", "eod", "fri", "next
 * monday", "in 3 days", "2026-12-01", "1.12.2026", "24.12.", "24 dec", "heute", "morgen",
 * "nächsten Montag" ..., each with an optional "10:00", "2pm", "10 Uhr" or "afternoon"
 * behind and "by", "on" or "bis" in front; "10:00" alone (today, or tomorrow when that is
 * over); "3d", "2h 30m". A day without a time means 09:00, today and eod 17:00. Returns
 * the bytes it took, 0 when s does not begin with a time, and -1 with e when it does but
 * it cannot be (31.02., 25:00). */
int crm_when_parse(const char *s, const char *zone, int64_t now_ms, int64_t *out, struct err *e);

/* "2026-11-21 10:00" in the zone. */
const char *crm_when_print(const char *zone, int64_t ms, char *out, size_t n);

/* For people who must know which clock is meant: as crm_when_print, with ":05"
 * for the seconds if wanted. Without a zone, in "UTC" and in a zone that ICU does
 * not know it is UTC and ends in "Z". n >= 32. */
const char *crm_when_tell(const char *zone, int64_t ms, bool seconds, char *out, size_t n);
/* The same for what is exactly a time in UTC, "2026-11-21T09:00:00.000Z"; NULL for
 * any other text, and for times before 1970. */
const char *crm_when_retell(const char *zone, const char *utc, bool seconds, char *out, size_t n);

/* "5000", "5.000,50 EUR", "5,000.50", "5k", "1.5m", "EUR 5000", "€ 20": to minor
 * units. One separator followed by exactly three digits groups thousands;
 * otherwise it is the decimal point. Returns the bytes taken, 0 when s does not
 * begin with an amount, -1 with e when it is one that cannot be. currency_out
 * gets default_currency when none is named. */
int crm_amount_parse(const char *s, const char *default_currency, int64_t *minor_out,
                     char currency_out[4], struct err *e);

#endif
