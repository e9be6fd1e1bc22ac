/* SPDX-License-Identifier: ISC
 *
 * quota - how much of the disk the requests of one source may fill
 *
 *   rows   requests of a day that are stored, whatever becomes of them
 *   bytes  of what cannot be verified and is kept to be looked at
 *   days   how long that is kept
 *
 * Counted in memory, from the store at first; what is refused beyond is counted in one
 * row of the ledger for each day (key "over:2026-11-22"). A pass that is undone leaves the
 * count a little too high until the engine starts again: that way it errs.
 *
 * Posts of a form that nobody has confirmed have one, too: BOUND_CONFIRM_BYTES.
 */
#ifndef LEADD_ENGINE_QUOTA_H
#define LEADD_ENGINE_QUOTA_H

#include "engine/engine.h"

struct quota {
    int64_t day;          /* since 1970, that rows and over are of; 0: nothing is counted yet */
    int64_t rows, over;
    int64_t bytes;
    int64_t counted_mono; /* when bytes were last read from the store; 0: never */
};

/* conf: the group `quota`. source: "hook:shop". *full_out: the request is refused, and that
 * is counted. */
int quota_request(struct engine *eng, struct quota *q, const json_t *conf, const char *source,
                  bool *full_out, struct err *e) LEADD_MUST_CHECK;
/* The same for one that would be kept with so many bytes; what is too old goes first. */
int quota_keep(struct engine *eng, struct quota *q, const json_t *conf, const char *source,
               size_t bytes, bool *full_out, struct err *e) LEADD_MUST_CHECK;

/* A post of this form that would wait until it is confirmed. */
int quota_unconfirmed(struct engine *eng, const char *form, size_t bytes, bool *full_out,
                      struct err *e) LEADD_MUST_CHECK;
struct form_quotas;
void quota_forms_free(struct form_quotas **q); /* accepts NULL, sets NULL */

#endif
