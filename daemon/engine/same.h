/* SPDX-License-Identifier: ISC
 *
 * same - has this mail come before, through another mailbox or a list?
 *
 * The Message-ID names candidates; they are the same mail when sender, date and words
 * agree, but for what a list or a gateway put below the words. A Message-ID alone proves
 * nothing: anybody can write it, and a second mail must not be lost to the first.
 */
#ifndef LEADD_ENGINE_SAME_H
#define LEADD_ENGINE_SAME_H

#include "engine/engine.h"

/* Of Message-ID, sender, date and words. */
int64_t same_hash(const json_t *message);
/* The message that it is, 0 when it is new. *idle_out: nothing came of that one: a list's
 * copy, say, or one in a mailbox that creates nothing. */
int same_find(struct engine *eng, const json_t *message, int64_t msgid_hash, int64_t hash,
              int64_t *id_out, bool *idle_out, struct err *e) LEADD_MUST_CHECK;

#endif
