/* SPDX-License-Identifier: ISC
 *
 * ics - the all-day events of an iCalendar file, as holidays
 */
#ifndef LEADD_CONFIG_ICS_H
#define LEADD_CONFIG_ICS_H

#include <jansson.h>

#include "base/err.h"

/* A list of texts as `holidays` has them: "2026-12-24..2026-12-26 Christmas",
 * "12-25 Christmas" for what comes every year on that date; what recurs in
 * another way stands there with each of its dates until 2100. *timed_out counts
 * the events with a time of day, which are not taken. NULL with e. */
json_t *ics_read(const char *path, size_t *timed_out, struct err *e);

#endif
