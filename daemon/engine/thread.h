/* SPDX-License-Identifier: ISC
 *
 * thread - which records a mail belongs to, and what it is an answer to
 *
 * A token of ours says which record is meant: in a recipient's address, in
 * In-Reply-To, References, or as the short tag of a subject. It counts for people of
 * ours and for those who take part in that record: the contact, whoever wrote or was
 * written to in it, and colleagues of the contact at the same company. From anybody
 * else a token is stolen, or forwarded: the mail is then filed as if it had none, and
 * a person is told (stranger). Without a token, References count to mails that this
 * sender wrote or got. The subject's words never do.
 *
 * Where a relay gave our mail another Message-ID, the first answer that proves itself
 * in another way teaches it, and so does a bounce that brings our own header back.
 */
#ifndef LEADD_ENGINE_THREAD_H
#define LEADD_ENGINE_THREAD_H

#include "crm/crm.h"
#include "engine/engine.h"
#include "engine/ours.h"

struct thread {
    struct crm_target target; /* all zero: the mail starts something new */
    struct ours said;         /* thread, conversation or notice; OURS_NONE: no word of it */
    bool doubtful;            /* it is to a conversation and to a notice, or to two of them */
    bool stranger;            /* said names a record that this sender takes no part in */
};

int thread_read(struct engine *eng, struct crm_ctx *ctx, const json_t *message,
                struct thread *out, struct err *e) LEADD_MUST_CHECK;
/* Does this folded address take part in the record? */
int thread_takes_part(struct engine *eng, struct crm_ctx *ctx, const struct crm_target *t,
                      const char *address, bool *yes_out, struct err *e) LEADD_MUST_CHECK;
/* A relay gave the mail of this outbox row that Message-ID. Nothing is learned of an id
 * that is known, or that could be one of ours. */
int thread_learn(struct engine *eng, const char *message_id, int64_t outbox,
                 struct err *e) LEADD_MUST_CHECK;
/* A mail we sent ourselves; outbox_out gets its name, "O17". */
bool thread_is_own(struct engine *eng, const json_t *message, char outbox_out[32]);
/* The outbox row whose Message-ID this is; 0 when it is none of ours. */
int thread_outbox(struct engine *eng, const char *id, int64_t *out, struct err *e) LEADD_MUST_CHECK;

#endif
