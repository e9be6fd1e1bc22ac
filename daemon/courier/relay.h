/* SPDX-License-Identifier: ISC
 *
 * relay - the relays of the config: who carries a mail, and over which connection
 *
 * A job waits at one relay at a time, the first it names that is not known to
 * be down. A relay opens connections as jobs wait, up to its limit, and uses
 * them again. When it cannot be reached, or wants another sign-in, the jobs
 * waiting there go to the next relay they name, or are deferred after the last;
 * for a while new jobs with a choice go elsewhere at once. A relay that hangs
 * holds only its own connections: when all of them do, jobs with a choice go on.
 */
#ifndef LEADD_COURIER_RELAY_H
#define LEADD_COURIER_RELAY_H

#include <event2/event.h>

#include "base/err.h"
#include "base/json.h"
#include "base/sandbox.h"
#include "courier/job.h"

struct relays;

/* Reads the credential files too: call while the rights are there. */
struct relays *relays_new(struct event_base *base, const json_t *config, struct err *e);
/* What the relays need: ports, Maildirs (made when they are missing), CA files. */
void relays_rights(const struct relays *r, struct sandbox *sb);
void relays_free(struct relays **r); /* accepts NULL; jobs must be finished */

/* Fills the job's list from the names in a SEND; unknown ones are skipped. */
void relays_resolve(struct relays *r, struct job *j, const json_t *names);
/* Takes the job; it ends in job_finish(), sooner or later, never from inside. */
void relays_add(struct relays *r, struct job *j);

/* After each pass of the loop: frees dead sessions, gives waiting jobs to idle
 * ones, opens what is missing. */
void relays_pass(struct relays *r);

/* No new work: gives back what waits, says goodbye on idle connections. */
void relays_drain(struct relays *r);
/* Cuts everything that still runs; each job gets its outcome. */
void relays_cut(struct relays *r, const char *why);
bool relays_are_closed(const struct relays *r); /* no session is left */

#endif
