/* SPDX-License-Identifier: ISC
 *
 * sms - texts to gateways: the request that a preset describes, made by libcurl
 *
 * A text waits until its gateway has a free connection, and runs in one request. The slot
 * becomes FINAL just before the request leaves (CURLOPT_PREREQFUNCTION); from then on only
 * a whole answer decides, and anything else is unknown: never sent a second time, here or
 * elsewhere. A gateway that cannot be reached, or says that it is not the recipient's fault
 * (sign-in, rate, balance, later), is left for the next one named.
 *
 * What an answer means is the preset's (base/gateway.h). Nothing is redirected, no proxy is
 * asked, and a connection is used once: libcurl would repeat a request on a used one that
 * has died, and nobody could say how often the text went out.
 */
#ifndef LEADD_COURIER_SMS_H
#define LEADD_COURIER_SMS_H

#include <event2/event.h>

#include "courier/gate.h"

struct texts;

struct texts *texts_new(struct event_base *base, struct gates *gates); /* gates: borrowed */
void texts_free(struct texts **ts); /* accepts NULL; jobs must be finished */

/* Fills the job's list from the names in a TEXT; unknown ones are skipped. */
void texts_resolve(struct texts *ts, struct job *j, const json_t *names);
/* Takes the job; it ends in job_finish(), perhaps from inside. */
void texts_add(struct texts *ts, struct job *j);

/* No new work: gives back what waits. */
void texts_drain(struct texts *ts);
/* Ends everything that still runs; each job gets its outcome. */
void texts_cut(struct texts *ts, const char *why);

#endif
