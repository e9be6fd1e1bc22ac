/* SPDX-License-Identifier: ISC
 *
 * hook - calls of endpoints by HTTP: webhooks that tell, and questions that are answered
 *
 * Each CALL becomes one POST at once, signed as Standard Webhooks has it; what came of it
 * is told in CALLED, again to a new engine, until its receipt. The engine hands over no
 * more for an endpoint than its connections, so one that hangs holds up nothing.
 *
 * libcurl does DNS, TLS and HTTP on the loop, and is kept on a short lead: one URL, from
 * the config; HTTP and HTTPS only, verified; no redirect, no proxy; a time for the whole
 * of it; at most BOUND_CALL_ANSWER bytes are read. What a receiver says never reaches
 * anything but the engine.
 */
#ifndef LEADD_COURIER_HOOK_H
#define LEADD_COURIER_HOOK_H

#include <event2/event.h>

#include "base/err.h"
#include "base/frame.h"
#include "base/json.h"
#include "base/sandbox.h"

struct hooks;

/* Reads the credential files too: call while the rights are there. */
struct hooks *hooks_new(struct event_base *base, const json_t *config, struct err *e);
void hooks_rights(const struct hooks *hs, struct sandbox *sb);
void hooks_free(struct hooks **hs); /* accepts NULL */

/* engine may be NULL: outcomes wait for the next. busy gets the numbers of all calls in
 * hand; hooks_greeted tells what is known already. */
void hooks_engine(struct hooks *hs, struct chan *engine);
void hooks_busy(const struct hooks *hs, json_t *busy);
void hooks_greeted(struct hooks *hs);

void hooks_call(struct hooks *hs, struct frame *f);
void hooks_receipt(struct hooks *hs, uint64_t id);

/* No new work: what comes is given back. */
void hooks_drain(struct hooks *hs);
bool hooks_are_idle(const struct hooks *hs);   /* none runs */
bool hooks_are_settled(const struct hooks *hs); /* and the engine has every outcome */
void hooks_cut(struct hooks *hs); /* each that runs gets an outcome: no answer */

/* For tests: "v1,BASE64" over id.at.body. own. */
char *hook_signature(const void *key, size_t key_len, const char *id, int64_t at,
                     const char *body, size_t n);

#endif
