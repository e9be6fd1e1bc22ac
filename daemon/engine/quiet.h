/* SPDX-License-Identifier: ISC
 *
 * quiet - is it night where that number is?
 *
 * The zone is contact.time_zone where somebody said it; else it must be no night in any
 * zone of the countries that the number and contact.country name. Zones are read from ICU
 * once and kept.
 */
#ifndef LEADD_ENGINE_QUIET_H
#define LEADD_ENGINE_QUIET_H

#include "engine/engine.h"

/* The first moment from now_ms on at which the number may be texted; now_ms: at once. */
int quiet_next(struct engine *eng, const char *number, const char *class_, int64_t now_ms,
               int64_t *at_out, struct err *e) LEADD_MUST_CHECK;
void quiet_free(struct quiet_zones **q);

#endif
