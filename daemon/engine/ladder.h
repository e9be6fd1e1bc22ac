/* SPDX-License-Identifier: ISC
 *
 * ladder - how much automatic mail one address may get, so that two machines
 * answering each other stop by themselves
 *
 * Sliding windows: per recipient and lead 10 in 10 minutes, 15 in 30, 25 in an
 * hour, 50 in 3 hours, 100 in 10; per recipient in all three times that. Our
 * own users get notices about many leads, so for them only the ladder per lead
 * counts.
 */
#ifndef LEADD_ENGINE_LADDER_H
#define LEADD_ENGINE_LADDER_H

#include "crm/crm.h"
#include "engine/engine.h"

/* why is filled when the mail must wait for a person; else left empty. */
int ladder_check(struct engine *eng, const struct crm_send *s, int64_t now_ms, char *why, size_t n,
                 struct err *e) LEADD_MUST_CHECK;
/* A mail was put into the outbox: it counts from now on. */
int ladder_note(struct engine *eng, const struct crm_send *s, int64_t now_ms,
                struct err *e) LEADD_MUST_CHECK;

#endif
