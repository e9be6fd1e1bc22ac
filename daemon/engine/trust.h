/* SPDX-License-Identifier: ISC
 *
 * trust - what the own mail server says of a mail, and nobody else could have written
 *
 * A server adds its lines on top of what it got. So the lines above the topmost
 * Received are the own server's, as far as every mail comes through it: those of
 * hosts that trusted_hosts names are gone past, and those of a local delivery
 * (LMTP). What stands there under the server's pinned name, or under the header
 * that it writes for those who have signed in, is believed. Everything below may
 * have come with the mail.
 *
 * Some servers write their results below their own Received (trusted_below): what
 * stands between that line and the next one is believed then, too, so such a server
 * must take away results under its name that a mail brings along.
 *
 * The raw header block is read here, strictly: one with a defect proves nothing.
 */
#ifndef LEADD_ENGINE_TRUST_H
#define LEADD_ENGINE_TRUST_H

#include "base/json.h"
#include "mail/ctx.h"
#include "mail/header.h"

/* Those of the whole config, or of the mailbox when it has its own. */
struct trust {
    const char *auth;   /* the pinned authserv-id, or NULL */
    const char *header; /* who signed in, as the server writes it; or NULL */
    const json_t *hosts;
    bool below;
};
/* config: the engine's part of the tree; mailbox may be NULL. */
void trust_read(const json_t *config, const json_t *mailbox, struct trust *out);

struct trust_head {
    struct mail_limits lim;
    struct mail_ctx ctx;
    struct mail_fields fields; /* all of the block, borrowed from the mail */
    json_t *results;  /* own; those of trusted fields, as mail/authres.h has them */
    json_t *signed_in; /* own; values of the header */
    char why[200];    /* when there is neither: what was in the way */
};
/* False: the block is not sound, why says how. trust_head_done in any case. */
bool trust_head_read(const struct trust *t, const char *raw, size_t n, struct trust_head *out);
void trust_head_done(struct trust_head *h);

#endif
