/* SPDX-License-Identifier: ISC
 *
 * alive - does each mailbox still bring mail?
 *
 * A mailbox that stopped working looks like one to which nobody writes. Three things
 * tell them apart, each an alarm of its own (notice.h, and alarm_endpoint as the other
 * way out):
 *
 *   silent     its intake has not reached the server, or not been heard from, for
 *              silent_after: the time counted here is the machine's, not the pretended one
 *   no mail    nothing at all has come for expect_mail
 *   probe      a mail that leadd sent to the mailbox has not come back (probe.c)
 *   token      the token it signs in with is about to end, and nobody has renewed it
 *
 * Each is told once, and once more when it is over.
 */
#ifndef LEADD_ENGINE_ALIVE_H
#define LEADD_ENGINE_ALIVE_H

#include "engine/engine.h"
#include "engine/timer.h"

int alive_start(struct engine *eng, struct err *e) LEADD_MUST_CHECK;
void alive_stop(struct engine *eng);
/* An INTAKE_STATE of that mailbox: a sign of life when it says connected or idle. */
void alive_state(struct engine *eng, const char *mailbox, const json_t *state);
/* A mail has come by it. */
void alive_mail(struct engine *eng, const char *mailbox);
/* Rows for leadctl mailbox status; alarms_out: how many of them have an alarm. NULL
 * with e when the store failed. */
json_t *alive_rows(struct engine *eng, int *alarms_out, struct err *e);

/* ---- probe mails (probe.c) ---- */

extern const struct timer_kind timer_kind_probe;
/* Every mailbox with `probe` has its timer. */
int probes_start(struct engine *eng, struct err *e) LEADD_MUST_CHECK;
/* A mail of our own has come in by that mailbox: is it the one we wait for? */
int probe_back(struct engine *eng, const char *mailbox, int64_t outbox,
               struct err *e) LEADD_MUST_CHECK;

#endif
