/* SPDX-License-Identifier: ISC
 *
 * dropbox - what a user's mail hands over: a copy of what he wrote, or what somebody
 * else wrote
 *
 * A dropbox is an address of the company, or of one user, that nobody else knows. What
 * a user sends a copy of to it (BCC) is filed as outgoing with those it went to; what he
 * forwards to it, or proven to any address of ours, is filed as the mail of who wrote it.
 *
 * Whom a forward is credited to has consequences: that one gets mail from us. So it must
 * be believed who forwards (proof.h, or the dropbox's secret), and be certain who wrote:
 * the mail is attached, or the forward's own header block says it. The user is told what
 * was understood. Else the mail is filed, credited to nobody, and the user decides.
 *
 * The address of a dropbox comes to be known: it stands in copies that customers get. So
 * what it makes without another proof of the user is bounded, for a mail and for a day;
 * the user hears of what was left out, and the administrator of a day that was full.
 */
#ifndef LEADD_ENGINE_DROPBOX_H
#define LEADD_ENGINE_DROPBOX_H

#include "crm/crm.h"
#include "engine/engine.h"
#include "engine/ours.h"
#include "engine/proof.h"

enum dropbox_passed {
    PASSED_NOTHING,
    PASSED_CREDITED, /* to who wrote it */
    PASSED_KNOWN,    /* it had come here itself, before */
    PASSED_DOUBTFUL,
    PASSED_UNPROVEN
};

struct dropbox {
    enum dropbox_passed passed;
    char why[160];      /* doubtful: in words */
    char user[BOUND_CONFIG_NAME + 1]; /* whose dropbox it came to; "" */
    char words[OURS_WORDS_MAX];       /* of our address: "task-tomorrow", "L42"; "" */
    int64_t known;      /* the message that it was */
    bool answered;      /* its commands were: nothing more need be told */
    bool counted;       /* no proof but the address: what it makes is bounded */
    int64_t day_ms, made; /* of the address: since when, and how much it made */
};

/* Looks at a mail before it is filed and says so in ci: dropbox, forward, and the thread
 * where the mail names a record or is known. user: by its From, or NULL. */
int dropbox_read(struct engine *eng, struct crm_ctx *ctx, const char *user,
                 const struct proof *proof, struct crm_input *ci, struct dropbox *out,
                 struct err *e) LEADD_MUST_CHECK;
/* The words of one of our addresses that a mail came to, "task-tomorrow", or "". */
void dropbox_words(struct engine *eng, const json_t *message, char out[OURS_WORDS_MAX]);

/* After it was filed: tells the user what was understood, and how to take it back.
 * journal: of the filing. */
int dropbox_tell(struct engine *eng, const struct dropbox *d, const struct crm_input *ci,
                 const struct crm_who *who, const struct proof *proof, int64_t journal,
                 struct err *e) LEADD_MUST_CHECK;

/* The address of a user's dropbox, of the company's for NULL; own, NULL with e when no
 * such address can arrive. renew: another one, and the old one is nobody's. */
char *dropbox_address(struct engine *eng, const char *user, bool renew, struct err *e);

#endif
