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

#endif
