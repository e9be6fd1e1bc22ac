/* SPDX-License-Identifier: ISC
 *
 * conversation_inner - what both directions of a conversation share
 */
#ifndef LEADD_ENGINE_CONVERSATION_INNER_H
#define LEADD_ENGINE_CONVERSATION_INNER_H

#include "engine/conversation.h"
#include "engine/letter.h"

/* Whom an answer to this mail goes to: From, or Reply-To of what a mailer of ours or a
 * machine sent for somebody. Borrowed; NULL: nobody. */
const json_t *conversation_writer(struct engine *eng, const json_t *message);

/* Our frame, with a tag, and the words of the contact's mail below it. note may be NULL. */
void conversation_letter_text(struct engine *eng, const struct crm_target *t, const json_t *rec,
                              const json_t *message, int64_t message_id, const char *note,
                              struct buf *out);
/* A picture of a signature: passed on to nobody. */
bool conversation_is_logo(const json_t *attachment);

/* letter_put(); what cannot be written is said, the mail itself is filed. */
int conversation_tell(struct input *in, const struct letter *l, int64_t *outbox_out,
                      int64_t message_id, struct err *e) LEADD_MUST_CHECK;

#endif
