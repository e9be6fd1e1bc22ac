/* SPDX-License-Identifier: ISC
 *
 * gateway_pull - asking gateways what became of texts whose receipt never came
 *
 * A timer for each gateway with a `pull`: texts that left some time ago and have no last
 * state are asked about once a day, for a week, no more a minute than pull.rate says. What
 * comes back takes the way of a receipt (sms_receipt.h), so no state moves back, and a
 * receipt that comes as well changes nothing.
 *
 * asked_ms is written when a question is handed over: one that the courier loses is asked
 * again the next day, and a gateway that refuses is left alone for an hour.
 */
#ifndef LEADD_ENGINE_GATEWAY_PULL_H
#define LEADD_ENGINE_GATEWAY_PULL_H

#include "engine/ctl.h"
#include "engine/gateways.h"
#include "engine/timer.h"

extern const struct timer_kind timer_kind_pull;

int pulls_start(struct engine *eng, struct err *e) LEADD_MUST_CHECK;
/* leadctl gateway pull: now, whatever was asked today. NULL with e.cls 0: the answers come. */
json_t *pull_now(struct ctl *c, struct gate *g, struct err *e);
/* The QUERIED frame of a "pull". */
int pull_told(struct engine *eng, struct item *it, struct err *e) LEADD_MUST_CHECK;
/* What leadctl shows of the answers. */
json_t *pull_answer(const json_t *parts, int *exit_out);

#endif
