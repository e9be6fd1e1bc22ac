/* SPDX-License-Identifier: ISC
 *
 * gateway_test - leadctl gateway test: a gateway tried step by step
 *
 * Name, connection, TLS and sign-in are tried by the courier, without sending anything: it
 * asks about a text that nobody sent, where the gateway has a `pull`. With a number a real
 * text goes by the outbox, as every other; what the gateway says of it, and the first
 * receipt, answer the question. One such text is waited for at a time, the newest.
 */
#ifndef LEADD_ENGINE_GATEWAY_TEST_H
#define LEADD_ENGINE_GATEWAY_TEST_H

#include "engine/asks.h"
#include "engine/ctl.h"
#include "engine/gateways.h"

/* number NULL: nothing is sent. NULL with e.cls 0: the answers come. */
json_t *gateway_test(struct ctl *c, struct gate *g, const char *number, struct err *e);
/* The QUERIED frame of a "test". */
void gateway_test_told(struct engine *eng, const struct item *it);
/* What came of a row of the outbox: its text was taken or not, and a receipt came. */
void gateway_test_settled(struct engine *eng, int64_t outbox, const char *outcome,
                          const char *text);
void gateway_test_receipt(struct engine *eng, int64_t outbox, const char *state);
/* What leadctl shows. */
json_t *gateway_test_answer(const struct ask *a, int *exit_out);

#endif
