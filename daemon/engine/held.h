/* SPDX-License-Identifier: ISC
 *
 * held - commands of a mail that proves nothing wait for the user's word
 *
 * The mail was filed; its commands were not run. The user hears of them at the
 * registered address, whatever the mail said of Reply-To, and confirms them with an
 * answer: it goes to an address that only that mail names, and says yes. Then they run
 * once, as they stand in the mail that was filed. The answer itself commands nothing
 * else. An answer of a machine, or one that says anything but yes or no, changes
 * nothing, since out-of-office replies come to that address, too.
 *
 * Forged mail must not make leadd a source of mail: a user hears of at most
 * BOUND_HELD_TOLD an hour, then the administrator does.
 */
#ifndef LEADD_ENGINE_HELD_H
#define LEADD_ENGINE_HELD_H

#include "crm/crm.h"
#include "engine/engine.h"

struct held_mail {
    const char *user;
    const char *from;         /* whom its From names: a stranger's words */
    int64_t message_id;
    struct crm_target target; /* what it was filed with */
    const json_t *lines;      /* the commands as they were written: ["#won 5000"] */
    const char *why;          /* proof.text */
};

/* id_out: 0 when that message is held already. */
int held_put(struct engine *eng, const struct held_mail *m, int64_t *id_out,
             struct err *e) LEADD_MUST_CHECK;

/* A mail of the user whose commands still wait: *id_out, and what they are about; 0: none. */
int held_waits(struct engine *eng, int64_t message_id, const char *user, int64_t *id_out,
               struct crm_target *target_out, struct err *e) LEADD_MUST_CHECK;
/* It came again with a proof: they wait no more, the caller runs them. */
int held_proven(struct engine *eng, int64_t id, struct err *e) LEADD_MUST_CHECK;

#define HELD_SAID_MAX 160
/* Is this mail of a user an answer to such a mail of ours? Then it does what it says;
 * said_out tells what that was, and is empty when it is none. */
int held_answer(struct engine *eng, const json_t *message, const char *user, int64_t message_id,
                char said_out[HELD_SAID_MAX], struct err *e) LEADD_MUST_CHECK;

#endif
