/* SPDX-License-Identifier: ISC
 *
 * outbound_inner - what the two files of outbound share
 */
#ifndef LEADD_ENGINE_OUTBOUND_INNER_H
#define LEADD_ENGINE_OUTBOUND_INNER_H

#include "engine/engine.h"

/* The courier's file of slots (own). */
char *outbound_slots_path(struct engine *eng, const char *gen);

/* Of a row of the outbox. */
bool outbound_is_notice(const json_t *row);
bool outbound_is_sms(const json_t *row);
/* May it leave, still? When not, it has been ended. */
int outbound_allowed(struct engine *eng, const json_t *row, bool *ok_out,
                     struct err *e) LEADD_MUST_CHECK;
/* It does not leave, for this reason; where it is a person's answer, its writer hears. */
int outbound_suppress(struct engine *eng, const json_t *row, const char *why,
                      struct err *e) LEADD_MUST_CHECK;

#endif
