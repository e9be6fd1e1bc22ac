/* SPDX-License-Identifier: ISC
 *
 * quiet - the hours in which nobody is texted, where that person lives
 *
 * Where it is not known in which of several zones somebody is, it must be no quiet hour in
 * any of them. Pure: times and zones come from the caller.
 */
#ifndef LEADD_RULE_QUIET_H
#define LEADD_RULE_QUIET_H

#include "rule/zone.h"

/* Minutes of the local day; begin after end: over midnight. Equal: there are none. */
struct quiet {
    int begin, end;
};

/* The first instant from now_ms on that is quiet in none of the zones: now_ms itself, when it
 * is none now. The hour that clocks repeat is quiet both times, and one that they skip ends
 * where they go on. -1: the zones have no hour in common. */
int64_t quiet_until(const struct quiet *q, const struct zone *const *zones, size_t count,
                    int64_t now_ms);

/* The zones in which people of a country ("AT") live, as ICU names them; at most n are
 * written. Returns how many there are. */
#define QUIET_ZONE_NAME 48
size_t quiet_zones_of(const char *country, char (*out)[QUIET_ZONE_NAME], size_t n);

#endif
