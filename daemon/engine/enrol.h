/* SPDX-License-Identifier: ISC
 *
 * enrol - who is in which sequence: begun, paused, ended (store/enrolment.h)
 *
 * Every change is made by the command `sequence` or by a step, in the transaction of the
 * input that it belongs to. When the next step is due is a row of the table of timers, so
 * what waits costs nothing, survives a crash and is listed with all other timers.
 *
 * Whoever begins keeps the version of the sequence as it was then; `leadctl sequence
 * migrate` moves to the present one those whose next step is in it.
 */
#ifndef LEADD_ENGINE_ENROL_H
#define LEADD_ENGINE_ENROL_H

#include "engine/input.h"
#include "rule/sequence.h"
#include "store/timer.h"

#define ENROL_VERSIONS 64u /* that are kept at hand */

/* What was compiled of them; accepts NULL, sets NULL. */
struct versions;
void versions_free(struct versions **v);

/* The sequence as this enrolment (store/enrolment.h) has it; borrowed, until the next call.
 * NULL with e: ERR_INPUT says what it names and is gone. */
struct sequence *enrol_sequence(struct engine *eng, const json_t *enrolment, struct err *e);

/* The row of the timers. */
struct timer_key enrol_key(const json_t *enrolment);

/* The end: "done" or "stopped", with the reason; announces sequence.ended. */
int enrol_end(struct input *in, const json_t *enrolment, int64_t step, const char *state,
              const char *reason, struct err *e) LEADD_MUST_CHECK;
/* No step comes until somebody lets it go on. */
int enrol_pause(struct input *in, const json_t *enrolment, const json_t *timer,
                const char *reason, struct err *e) LEADD_MUST_CHECK;

/* Could it begin now, as the command would? ERR_INPUT says why not. Unless again, it may not
 * have been through it before. */
int enrol_may_begin(struct input *in, const char *name, const struct crm_target *t, bool again,
                    struct err *e) LEADD_MUST_CHECK;

/* What a form or source of leadd.conf says: its new post begins that sequence, given by `by`
 * ("form contact"). What is in its way stands in the journal, and is no reason to refuse the post. */
int enrol_from(struct input *in, const char *name, const char *by, struct err *e) LEADD_MUST_CHECK;

/* When the step at that place may come, not before `from`: inside the window where the
 * contact lives, when it sends. CALENDAR_NEVER: the window is never open. */
int enrol_opens(struct crm_ctx *ctx, struct sequence *q, const struct step *s, int64_t contact,
                int64_t from, int64_t *out, struct err *e) LEADD_MUST_CHECK;

/* The crm hooks `enrol` and `unenrol`; arg is the struct input. */
int enrol_hook(void *arg, struct crm_ctx *ctx, const struct crm_enrol *w,
               struct crm_enrolled *out, struct err *e);
int enrol_undo(void *arg, struct crm_ctx *ctx, int64_t id, const char *state, struct err *e);

#endif
