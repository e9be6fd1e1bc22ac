/* SPDX-License-Identifier: ISC
 *
 * schema_task - reminders and recurrence of tasks, and meetings that we invite to
 *
 * When somebody is reminded is in the table of timers, kind 'task'.
 */
#include "store/migrate.h"

const char schema_task_1[] =
    "CREATE INDEX task_case ON task (case_id) WHERE case_id IS NOT NULL;"
    "CREATE INDEX task_contact ON task (contact_id) WHERE lead_id IS NULL AND case_id IS NULL;"
    "ALTER TABLE task ADD COLUMN kind TEXT;"       /* "call": what rules chain by */
    "ALTER TABLE task ADD COLUMN remind_ms INTEGER;" /* so long before it is due; unset: the setting's */
    "ALTER TABLE task ADD COLUMN recur TEXT;"      /* "every week on Mon 09:00" */

    /* of meetings that we invite to; unset for those that others do */
    "ALTER TABLE meeting ADD COLUMN start_ms INTEGER;"
    "ALTER TABLE meeting ADD COLUMN end_ms INTEGER;"
    "ALTER TABLE meeting ADD COLUMN what TEXT;"    /* personal, as the activity's text */
    "CREATE INDEX meeting_own ON meeting (activity_id) WHERE start_ms IS NOT NULL;";
