/* SPDX-License-Identifier: ISC
 *
 * task - what somebody has to do
 */
#ifndef LEADD_STORE_TASK_H
#define LEADD_STORE_TASK_H

#include "store/record.h"

int task_add(struct db *db, const json_t *rec, int64_t now_ms, int64_t *id_out,
             struct err *e) LEADD_MUST_CHECK;
/* Tasks of a lead, open ones first: db_step and record_of_row. */
struct db_rows *task_of_lead(struct db *db, int64_t lead_id);

/* Tasks of that owner (NULL: of none) whose reminder is due at before_ms or earlier, what is due first
 * first: records, and in "step" the step of the timer. */
json_t *task_reminders(struct db *db, const char *owner, int64_t before_ms, int64_t limit,
                       struct err *e);
/* Ids of open tasks with a due time and no timer. */
json_t *task_without_timer(struct db *db, int64_t limit, struct err *e);

#endif
