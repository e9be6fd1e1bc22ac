/* SPDX-License-Identifier: ISC
 *
 * reminder - people are told of their tasks: before they are due, when they are, and others
 * when they stay undone
 *
 * A task that is open and has a due time has one timer: step 0 waits for the time before,
 * 1 for when it is due, 2 for the event task.overdue; 3 is over, and the row keeps it from
 * beginning anew. What came before its owner could be told is told late, once. Tasks of one
 * owner that are due within some minutes are one mail, which falls under the storm guard.
 *
 * A task is nobody's to lose: while its owner is absent who stands in for him is told, and
 * he when he is back; of one whose owner is no user any more, whoever answers for that.
 */
#ifndef LEADD_ENGINE_REMINDER_H
#define LEADD_ENGINE_REMINDER_H

#include "engine/timer.h"

/* At the end of an input: tasks that it touched. */
int reminders_check(struct input *in, struct err *e) LEADD_MUST_CHECK;
/* Open tasks that have a due time and no timer, such as those of an older leadd, get theirs. */
int reminders_start(struct engine *eng, struct err *e) LEADD_MUST_CHECK;
extern const struct timer_kind timer_kind_task;

/* The tasks that a mail of ours told of, which this mail answers: "T4 T7", or "". */
#define REMINDER_TOLD 50
int reminder_answered(struct engine *eng, const json_t *message, char out[REMINDER_TOLD * CRM_ID_LEN],
                      struct err *e) LEADD_MUST_CHECK;

#endif
