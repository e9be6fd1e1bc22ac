/* SPDX-License-Identifier: ISC
 *
 * place - which time zone a city means that has none of its own name
 */
#ifndef LEADD_BASE_PLACE_H
#define LEADD_BASE_PLACE_H

/* "Europe/Wien", "wien", "Europe/Munich": the zone that clocks go by there. NULL: not
 * one of those that people write. */
const char *place_zone(const char *name);

#endif
