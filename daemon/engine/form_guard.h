/* SPDX-License-Identifier: ISC
 *
 * form_guard - is a posted form a program's, or the same as before?
 *
 * What is taken for spam is quarantined with the reason and can be released; its sender
 * is told what a person is told. The same words again within same_within are the message
 * that is there, and their sender is told that they have arrived: they have.
 */
#ifndef LEADD_ENGINE_FORM_GUARD_H
#define LEADD_ENGINE_FORM_GUARD_H

#include "engine/engine.h"
#include "store/message.h"

/* Why it is taken for spam; own, NULL: it is not. j: of the FORM frame. */
char *form_guard_spam(const json_t *conf, const json_t *j);
/* Sets m->msgid_hash, by which the next one finds this one, when the form asks for that;
 * same_out gets the message that has the same words, 0: none. message: as it would be
 * stored. */
int form_guard_same(struct engine *eng, const json_t *conf, const json_t *message,
                    struct message_row *m, int64_t *same_out, struct err *e) LEADD_MUST_CHECK;

#endif
