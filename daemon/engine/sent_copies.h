/* SPDX-License-Identifier: ISC
 *
 * sent_copies - what has left is also put into a mailbox's folder for sent mail
 *
 * A relay's `sent_copies` names the mailbox, whose intake stores them. The row that waits
 * is written with the state "sent", so nothing is lost; a copy that may be there already
 * is looked for before it is stored, so nothing is there twice. A mailbox has a few in
 * hand at a time, so that copies of a mailing do not keep it from reading, and a folder
 * that takes none is left alone for a while: the administrator hears of it once a day.
 *
 * Copies are of what was sent, byte for byte; of SMS there are none.
 */
#ifndef LEADD_ENGINE_SENT_COPIES_H
#define LEADD_ENGINE_SENT_COPIES_H

#include "engine/engine.h"

int sent_copies_start(struct engine *eng, struct err *e) LEADD_MUST_CHECK;
void sent_copies_stop(struct engine *eng);
/* After each pass: when is the next one due? Asks the store nothing. */
void sent_copies_arm(struct engine *eng);
int64_t sent_copies_next(struct engine *eng); /* 0: none waits that may be handed over */
/* For pretended time: one is due now, or in hand. */
bool sent_copies_busy(struct engine *eng);

/* ---- inside the pass ---- */

/* The row of the outbox (as outbox_get gives it) has been sent; relay NULL: nobody knows
 * by which. */
int sent_copies_note(struct engine *eng, const json_t *row, const char *relay, int64_t sent_ms,
                     struct err *e) LEADD_MUST_CHECK;
int sent_copies_due(struct engine *eng, struct err *e) LEADD_MUST_CHECK;
/* APPENDED of an intake. */
int sent_copies_told(struct engine *eng, struct item *it, struct err *e) LEADD_MUST_CHECK;
/* A new intake, or an old one that has a new engine: what was handed over before is handed
 * over again. */
int sent_copies_hello(struct engine *eng, const char *mailbox, struct err *e) LEADD_MUST_CHECK;
/* Somebody has mended the folder: all are due now; mailbox NULL: of all. */
int sent_copies_again(struct engine *eng, const char *mailbox, int64_t *n_out,
                      struct err *e) LEADD_MUST_CHECK;

#endif
