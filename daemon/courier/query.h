/* SPDX-License-Identifier: ISC
 *
 * query - what the engine asks a gateway besides sending: what became of a text, and
 * whether the gateway is there
 *
 * A question changes nothing at the gateway, so it may be asked again at will: it has no
 * slot and no receipt, and ends with the courier. The engine holds the rate; libcurl holds
 * no more connections to a gateway than a few. The answer's meaning is the engine's.
 */
#ifndef LEADD_COURIER_QUERY_H
#define LEADD_COURIER_QUERY_H

#include <event2/event.h>

#include "base/frame.h"
#include "courier/gate.h"

struct queries;

struct queries *queries_new(struct event_base *base, struct gates *gates); /* gates: borrowed */
void queries_free(struct queries **qs); /* accepts NULL; those in hand are forgotten */
/* engine may be NULL: what is in hand then has nobody to be told to. */
void queries_engine(struct queries *qs, struct chan *engine);
/* A QUERY frame; QUERIED follows, perhaps from inside. */
void queries_ask(struct queries *qs, const struct frame *f);

#endif
