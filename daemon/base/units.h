/* SPDX-License-Identifier: ISC
 *
 * units - of sizes, in bytes, and of times, in milliseconds
 */
#ifndef LEADD_UNITS_H
#define LEADD_UNITS_H

#include <stddef.h>
#include <stdint.h>

#define KIB(n) ((size_t)(n) * 1024)
#define MIB(n) ((size_t)(n) * 1024 * 1024)

#define SECOND_MS INT64_C(1000)
#define MINUTE_MS (60 * SECOND_MS)
#define HOUR_MS (60 * MINUTE_MS)
#define DAY_MS (24 * HOUR_MS) /* in UTC: where people live, some have 23 or 25 hours */

#endif
