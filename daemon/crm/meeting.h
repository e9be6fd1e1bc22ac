/* SPDX-License-Identifier: ISC
 *
 * meeting - an invitation becomes an activity of kind meeting, and follows its changes
 *
 * A UID counts between us and one contact: nobody moves or calls off the meeting of
 * somebody else by writing its UID. What an invitation says is told in the command that
 * files the mail, so `why` shows it and undo takes it back.
 */
#ifndef LEADD_CRM_MEETING_H
#define LEADD_CRM_MEETING_H

#include "crm/ctx.h"

/* An answer to an invitation, or the end of one: it makes no lead by itself. */
bool crm_meeting_is_update(const json_t *message);

/* Inside a command. Nothing when the message has no calendar, or t no contact.
 * direction: "in" from the contact, "out" to it, "none". */
int crm_meeting_take(struct crm_ctx *ctx, const json_t *message, const struct crm_target *t,
                     int64_t message_id, const char *direction, struct err *e) LEADD_MUST_CHECK;

#endif
