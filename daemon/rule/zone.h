/* SPDX-License-Identifier: ISC
 *
 * zone - a time zone of the IANA database, as a table of its switches
 *
 * Read once from ICU, from 1970 to 2100; outside of that the nearest offset
 * holds. From then on it is arithmetic, so what a zone answers costs a search
 * in some hundred entries and is the same at every call.
 *
 * A time of day that clocks skip is the instant of the switch. One that comes
 * twice begins what begins with it the first time, and ends what ends with it
 * the last time; what ends where the repetition begins is not repeated.
 */
#ifndef LEADD_RULE_ZONE_H
#define LEADD_RULE_ZONE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct zone;

#define ZONE_END_MS INT64_C(4102444800000) /* 2100-01-01 */

enum zone_side { ZONE_BEGIN, ZONE_END };

/* Is there such a zone? e names the nearest one. */
int zone_check(const char *name, struct err *e) LEADD_MUST_CHECK;
/* NULL with e when there is no such zone. A thousandth of a second: it reads all switches. */
struct zone *zone_new(const char *name, struct err *e);
void zone_free(struct zone **z); /* accepts NULL, sets NULL */
const char *zone_name(const struct zone *z);

int64_t zone_offset(const struct zone *z, int64_t utc_ms); /* local minus UTC, ms */
/* The instant of minutes (0..1440) on a local day (day.h). */
int64_t zone_instant(const struct zone *z, int64_t day, int minutes, enum zone_side side);
int64_t zone_day(const struct zone *z, int64_t utc_ms); /* the local day of an instant */
/* The first switch after utc_ms; false when there is none. */
bool zone_next_switch(const struct zone *z, int64_t utc_ms, int64_t *at_out, int64_t *shift_out);

#endif
