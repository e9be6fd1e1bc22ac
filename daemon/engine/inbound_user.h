/* SPDX-License-Identifier: ISC
 *
 * inbound_user - a mail whose From is one of our users: is that so, and what comes of it
 *
 * It was filed as every mail is; here its sender is proven or not (proof.h), its commands
 * run or are held (rep.h, held.h), and its answer goes to the customer or stays inside
 * (conversation.h).
 */
#ifndef LEADD_ENGINE_INBOUND_USER_H
#define LEADD_ENGINE_INBOUND_USER_H

#include "crm/crm.h"
#include "engine/engine.h"
#include "engine/input.h"
#include "engine/proof.h"
#include "engine/thread.h"

/* Whose it is by its From, when that is a user; NULL. */
const char *inbound_user(const struct engine *eng, const json_t *message);

/* PROOF_NONE for everybody else's mail, which needs no proof. mailbox: its config, or NULL. */
int inbound_user_proof(struct input *in, const struct item *it, const json_t *mailbox, int64_t id,
                       struct proof *out, struct err *e) LEADD_MUST_CHECK;

/* plus: the words of our address, or "". hold: why nothing automatic may come of it, or
 * NULL. commands_out: there were some; they are answered or held. */
int inbound_user_take(struct engine *eng, const struct crm_input *ci, const struct crm_who *who,
                      const struct thread *thread, const struct proof *proof, const char *plus,
                      const char *hold, bool *commands_out, struct err *e) LEADD_MUST_CHECK;

/* The message `same` came before, and this copy of it is filed with it. When nothing proved
 * that one and something proves this one, what waits of it is done now, once: as this copy
 * says it, for a stranger may have written the other. */
int inbound_user_again(struct engine *eng, const struct item *it, const json_t *mailbox,
                       int64_t same, const char *hold, struct err *e) LEADD_MUST_CHECK;

#endif
