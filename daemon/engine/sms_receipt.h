/* SPDX-License-Identifier: ISC
 *
 * sms_receipt - what a gateway says became of an SMS of ours
 *
 *   queued -> sent -> undelivered, failed -> delivered
 *
 * A state is only ever followed by one further to the right: receipts come twice, late and
 * in any order. "delivered" counts even after a failure was told, since the phone has it.
 * A receipt that comes before the answer with the gateway's id waits for it (store/sms.h);
 * one that names our own key finds its row at once, and ends the doubt about a text whose
 * answer never came. Rules hear of it as sms.delivered and sms.failed.
 */
#ifndef LEADD_ENGINE_SMS_RECEIPT_H
#define LEADD_ENGINE_SMS_RECEIPT_H

#include "base/gateway.h"
#include "engine/input.h"

/* Inside an input whose target is the row's. row as outbox_get gives it. */
int sms_receipt_apply(struct input *in, const json_t *row, const char *gateway,
                      const struct gateway_receipt *r, struct err *e) LEADD_MUST_CHECK;
/* The answer has come: what was told of this id before. */
int sms_receipt_early(struct input *in, const json_t *row, const char *gateway,
                      const char *provider_id, struct err *e) LEADD_MUST_CHECK;
/* The same for a row by its id, in an input of its own; one that is gone is nothing. */
int sms_receipt_of(struct engine *eng, int64_t outbox, const char *gateway,
                   const struct gateway_receipt *r, struct err *e) LEADD_MUST_CHECK;
/* One receipt from outside of an input: its row is looked up. */
int sms_receipt_one(struct engine *eng, const char *gateway, const struct gateway_receipt *r,
                    const char **why_out, struct err *e) LEADD_MUST_CHECK;

#endif
