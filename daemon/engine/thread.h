/* SPDX-License-Identifier: ISC
 *
 * thread - which records a mail belongs to
 *
 * Proof in this order: a thread token of ours in References, In-Reply-To, a
 * recipient address or the subject; then References to a mail that this sender
 * took part in. The subject's words alone never.
 */
#ifndef LEADD_ENGINE_THREAD_H
#define LEADD_ENGINE_THREAD_H

#include "crm/crm.h"
#include "engine/engine.h"

/* out is all zero when the mail starts something new. */
int thread_find(struct engine *eng, struct crm_ctx *ctx, const json_t *message,
                struct crm_target *out, struct err *e) LEADD_MUST_CHECK;
/* A mail we sent ourselves; outbox_out gets its name, "O17". */
bool thread_is_own(struct engine *eng, const json_t *message, char outbox_out[32]);
/* The outbox row whose Message-ID this is; 0 when it is none of ours. */
int thread_outbox(struct engine *eng, const char *id, int64_t *out, struct err *e) LEADD_MUST_CHECK;

#endif
