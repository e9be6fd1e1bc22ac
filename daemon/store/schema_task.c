/* SPDX-License-Identifier: ISC
 *
 * schema_task - reminders and recurrence of tasks, and meetings that we invite to
 *
 * When somebody is reminded is in the table of timers, kind 'task'.
 */
#include "store/migrate.h"

const char schema_task_1[] =
    "ALTER TABLE task ADD COLUMN kind TEXT;"       /* "call": what rules chain by */
    "ALTER TABLE task ADD COLUMN remind_ms INTEGER;" /* so long before it is due; unset: the setting's */
    "ALTER TABLE task ADD COLUMN recur TEXT;";     /* "every week on Mon 09:00" */
