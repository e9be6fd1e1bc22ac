/* SPDX-License-Identifier: ISC
 *
 * judge - another program says whether the post of a form is spam, before anything comes of it
 *
 * The post is kept as it came, in quarantine, its sender is answered as ever, and an
 * endpoint is asked by a call of the kind "verdict". "ham" and "unsure" let the post go
 * its way, marked with what was said, and with confirm the mail leaves only then; "spam"
 * leaves it where it is, with the reason, for a person to release. Without a verdict in
 * time, `otherwise` of the form decides. What a person has released or dropped meanwhile
 * is decided; so is what has no row in the table of verdicts any more.
 */
#ifndef LEADD_ENGINE_JUDGE_H
#define LEADD_ENGINE_JUDGE_H

#include "engine/call.h"
#include "engine/engine.h"

enum judge_said { JUDGE_HAM, JUDGE_SPAM, JUDGE_UNSURE, JUDGE_NOTHING };

/* Whom the form asks; NULL: nobody. */
const char *judge_of(const json_t *conf);
/* A valid post of such a form: kept, and asked about. */
int judge_ask(struct engine *eng, struct item *it, const json_t *conf,
              struct err *e) LEADD_MUST_CHECK;

/* ---- for call.c and its files: row is that of the call ---- */

bool judge_asks(const json_t *row); /* is the call such a question? */
/* What is asked; own. NULL with e: too large, or nobody waits for it any more. */
json_t *judge_body(struct engine *eng, const json_t *row, struct err *e);
int judge_read(const struct call_outcome *o, enum judge_said *out, struct err *e) LEADD_MUST_CHECK;
/* Is there no time left? */
int judge_is_late(struct engine *eng, const json_t *row, bool *out, struct err *e) LEADD_MUST_CHECK;
/* Takes the post on. why: of JUDGE_NOTHING. ERR_INPUT: it cannot be filed. */
int judge_decide(struct engine *eng, const json_t *row, enum judge_said said, const char *why,
                 struct err *e) LEADD_MUST_CHECK;
/* It cannot be filed: it stays in quarantine, with the reason. */
int judge_stuck(struct engine *eng, const json_t *row, const char *why,
                struct err *e) LEADD_MUST_CHECK;

#endif
