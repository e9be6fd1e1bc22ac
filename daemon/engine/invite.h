/* SPDX-License-Identifier: ISC
 *
 * invite - the mail that carries an invitation to a meeting
 *
 * Answers come to the thread of the record, since that is the organizer's address.
 */
#ifndef LEADD_ENGINE_INVITE_H
#define LEADD_ENGINE_INVITE_H

#include "engine/input.h"

/* The crm hook `send` of one with s->invite. */
int invite_mail(struct input *in, const struct crm_send *s, int64_t *outbox_out,
                struct err *e) LEADD_MUST_CHECK;

/* The contact has proposed another time for a meeting of ours: its owner hears of it, with
 * the line that moves it. */
int invite_countered(struct input *in, struct err *e) LEADD_MUST_CHECK;

#endif
