/* SPDX-License-Identifier: ISC
 *
 * hold - after a restore nothing leaves until a person says so
 *
 * The world went on after the backup: what it had waiting was sent since, and
 * mails that come in again were answered. So every mail made now is held, too,
 * and `leadctl hold` and `leadctl release` decide.
 */
#ifndef LEADD_ENGINE_HOLD_H
#define LEADD_ENGINE_HOLD_H

#include "engine/engine.h"

/* At the start: is it in hold? Says so in the log. */
int hold_load(struct engine *eng, struct err *e) LEADD_MUST_CHECK;
/* Why a new mail is held, or NULL. */
const char *hold_why(const struct engine *eng);
/* For status: own, NULL when not in hold. */
char *hold_status(const struct engine *eng);
/* The pass in which leadctl ended the hold is durable, or was undone. */
void hold_committed(struct engine *eng);
void hold_undone(struct engine *eng);

#endif
