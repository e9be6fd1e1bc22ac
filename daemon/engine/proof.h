/* SPDX-License-Identifier: ISC
 *
 * proof - did the user really write this mail?
 *
 * Anybody can write a From. A mail commands only when
 *   the own mail server says so: dmarc=pass, or dkim=pass or spf=pass of the domain
 *     of From, in its Authentication-Results in the trusted block (engine/trust.h);
 *   or it says that the user has signed in there: auth=pass smtp.auth=, or the header
 *     that it writes for that;
 *   or the mail came to the user's secret address.
 * What none of them proves can be confirmed: engine/held.h. Of a mail that was piped in
 * (leadctl ingest) nobody knows who wrote its first lines: the first two count there only
 * with settings.trusted_ingest.
 *
 * A signed mail that did not come straight from its domain (SPF) may have been handed
 * on by anybody who got it: it is the user's, and commands only when it was signed as
 * one to us, and the first time it comes (engine/signature.h).
 *
 * In every case From is one plain address, one that the config has for this user, and
 * the mail is a person's. Everything that is doubtful is no proof; text says why. The
 * store is asked only for a secret address that is written to, and for a signature.
 */
#ifndef LEADD_ENGINE_PROOF_H
#define LEADD_ENGINE_PROOF_H

#include "engine/engine.h"

enum proof_how {
    PROOF_NONE,
    PROOF_AUTH,       /* the own server vouches for the domain of From */
    PROOF_SUBMISSION, /* ... for the user, who signed in there */
    PROOF_SECRET      /* it came to the user's secret address: for commands alone */
};

struct proof {
    enum proof_how how;
    bool commands;  /* it may command, and (but for PROOF_SECRET) its words may be sent on;
                     * without it, what the user once signed may have been handed on */
    bool user;      /* its From is one of ours: it was looked at */
    bool could;     /* the own server says of mails who wrote them: without its word, doubt */
    char text[256]; /* one line: what proved it, or why not */
};

struct proof_mail {
    const json_t *message; /* the message form */
    const char *raw;       /* as it came; the header block will do */
    size_t n;
    const json_t *mailbox; /* config of the mailbox it came through; NULL: it was piped in */
    const char *user;      /* who From says it is; in the config */
    int64_t message_id;    /* M */
};

/* -1 only when the store failed. */
int proof_check(struct engine *eng, const struct proof_mail *mail, struct proof *out,
                struct err *e) LEADD_MUST_CHECK;

const char *proof_name(enum proof_how how); /* "none", "auth", "submission", ... */
enum proof_how proof_named(const char *name); /* PROOF_NONE for NULL, and what is unknown */

#endif
