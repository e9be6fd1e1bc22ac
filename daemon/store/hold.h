/* SPDX-License-Identifier: ISC
 *
 * hold - nothing is sent until a person has looked: after a restore
 *
 * meta has "hold", a JSON object that says since when and why. While it is there
 * new mails are held; a mail that is held for this reason has HOLD_MARK at the
 * start of its reply.
 */
#ifndef LEADD_STORE_HOLD_H
#define LEADD_STORE_HOLD_H

#include <jansson.h>

#include "store/db.h"

#define HOLD_MARK "in hold: "

/* Inside a transaction. */
int hold_begin(struct db *db, const char *json, struct err *e) LEADD_MUST_CHECK;
int hold_end(struct db *db, struct err *e) LEADD_MUST_CHECK;
/* {"made_ms", "restored_ms", "path"} or NULL in *out: not in hold. */
int hold_get(struct db *db, json_t **out, struct err *e) LEADD_MUST_CHECK;

/* Held mails: oldest first, at most limit above the id after. [{"id", "class", "to",
 * "template", "subject", "lead_id", "created_ms", "reply", "came_ms"}]: came_ms is
 * when the message was written that caused it, or else when it was made. */
json_t *hold_list(struct db *db, int64_t after, int64_t limit, struct err *e);

#endif
