/* SPDX-License-Identifier: ISC
 *
 * late - many timers that became due while leadd did not run
 *
 * At a start, timers of rules, escalations and sequences that are later than
 * settings.late_after are counted. Fewer than settings.late_limit fire now, each once. As
 * many or more are held, since what they
 * do was meant for another time, or was done in a world that a restore took back: one
 * notice tells, `leadctl due --late` lists them, and people release or drop them. Whatever
 * becomes due later is not concerned, and what is held is cancelled as ever when its
 * conditions turn false.
 *
 * What is held is one moment: all that was due until then (engine.timers.held_ms, kept in
 * meta); a released timer is due now. Other kinds (schedules, digests, reminders, probes)
 * have ways of their own with what they missed, and go on.
 */
#ifndef LEADD_ENGINE_LATE_H
#define LEADD_ENGINE_LATE_H

#include "engine/engine.h"

/* At the start, before the first timer is queued. */
int late_start(struct engine *eng, struct err *e) LEADD_MUST_CHECK;
/* A pass was undone: what is held is what the store says. */
void late_undone(struct engine *eng);
/* The handler of ITEM_TIMERS_LATE: holds them, and tells the administrator. */
int late_item(struct engine *eng, struct item *it, struct err *e) LEADD_MUST_CHECK;
/* How many are held; counts no further than TIMERS_COUNTED. */
int late_count(struct engine *eng, int64_t *out, struct err *e) LEADD_MUST_CHECK;
/* Has that time passed by more than late_after? What people release is due anew. */
bool late_is(const struct engine *eng, int64_t due_ms);
/* All that is held is due now. */
int late_release_all(struct engine *eng, int64_t *count_out, struct err *e) LEADD_MUST_CHECK;

#endif
