/* SPDX-License-Identifier: ISC
 *
 * why - a journal row told to people: events, what each rule decided, what was done
 *
 * For `leadctl why`, and for tools that run on solo.h. Texts end in a newline.
 */
#ifndef LEADD_WHY_H
#define LEADD_WHY_H

#include "base/buf.h"
#include "base/err.h"
#include "base/json.h"

struct engine;

/* rows as journal_list() gives them, but oldest first. */
int why_tell(struct engine *eng, const json_t *rows, struct buf *out, struct err *e)
    LEADD_MUST_CHECK;
/* One decision of one row: "dach (20-a.conf:7): did not match: ..". */
int why_tell_decision(struct engine *eng, const json_t *row, const json_t *decision,
                      struct buf *out, struct err *e) LEADD_MUST_CHECK;

#endif
