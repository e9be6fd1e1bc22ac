/* SPDX-License-Identifier: ISC
 *
 * relays - by which relays a mail may go now, and what the engine knows of each
 *
 * In the order of leadd.conf. A relay is left out while
 *
 *   breaker   it cannot be reached, refuses the session, or refuses one mail after the
 *             other: then one mail in a while tries it, and the others go by the next
 *             relay or wait, without a try that counts. The administrator hears of it
 *             once, and once more when it is back
 *   ceiling   it has had its mails of the day (daily_max, and warm_up which grows)
 *
 * The first that is left gives the mail its turn (rate). With per_domain, no more mails to
 * one domain are under way than that. What has to wait gets the time as its due time.
 */
#ifndef LEADD_ENGINE_RELAYS_H
#define LEADD_ENGINE_RELAYS_H

#include "engine/engine.h"

int relays_start(struct engine *eng, struct err *e) LEADD_MUST_CHECK;
void relays_stop(struct engine *eng);

/* Before rows are claimed: counts what is under way. */
int relays_look(struct engine *eng, struct err *e) LEADD_MUST_CHECK;
/* Names for the courier (own). *names_out NULL: not now; the row has been told when, and why. */
int relays_for(struct engine *eng, const json_t *row, json_t **names_out,
               struct err *e) LEADD_MUST_CHECK;
/* A person wants mail tried at once: each breaker lets the next one through. */
void relays_try_now(struct engine *eng);

/* What the courier told of a mail: the SENT frame; NULL: it ended before it could. */
int relays_said(struct engine *eng, int64_t row, const json_t *sent, struct err *e) LEADD_MUST_CHECK;

/* For leadctl: [{"name", "where", "state", "next", "rate", "mails", "ceiling", "said"}]; the two
 * of the day only where there is a ceiling. */
json_t *relays_status(struct engine *eng, struct err *e);

/* The ceiling of a day: `first` mails on day 0, more by `percent` every day, at most `most`
 * (0: no limit). 0: there is none. */
int64_t relay_ceiling(int64_t first, int64_t percent, int64_t most, int64_t day);

#endif
