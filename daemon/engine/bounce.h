/* SPDX-License-Identifier: ISC
 *
 * bounce - what mail systems say about our mails: they came back, or somebody complained
 *
 * It counts only when it proves which mail it is about: the VERP return path it came to
 * carries our token, or the returned header does (Message-ID, X-Leadd-Token). The rest
 * is filed and changes nothing: anybody can write a bounce of anybody's address.
 *
 * A permanent fault of the address marks it as bouncing, which stops all automatic mail
 * to it: what is due is not sent, and rules that only send wait no longer. A fault that
 * may pass, or that is about the mail and not the address, counts; several over days mark
 * it too. The owner is told once, with what to do. A complaint opts the contact out.
 */
#ifndef LEADD_ENGINE_BOUNCE_H
#define LEADD_ENGINE_BOUNCE_H

#include "engine/engine.h"

/* *ours_out: it is about an outbox row of ours, which was settled. */
int bounce_take(struct engine *eng, const json_t *message, int64_t message_id, bool *ours_out,
                struct err *e) LEADD_MUST_CHECK;

/* The same for a complaint report (message kind "report"). */
int complaint_take(struct engine *eng, const json_t *message, int64_t message_id, bool *ours_out,
                   struct err *e) LEADD_MUST_CHECK;

#endif
