/* SPDX-License-Identifier: ISC
 *
 * bounce - a delivery status notification for one of our mails (RFC 3464)
 *
 * It counts only when it proves which mail it is about: the VERP return path
 * it came to carries our token, or the returned Message-ID does.
 */
#ifndef LEADD_ENGINE_BOUNCE_H
#define LEADD_ENGINE_BOUNCE_H

#include "engine/engine.h"

/* *ours_out: it is about an outbox row of ours, which was settled. */
int bounce_take(struct engine *eng, const json_t *message, int64_t message_id, bool *ours_out,
                struct err *e) LEADD_MUST_CHECK;

#endif
