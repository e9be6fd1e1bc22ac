/* SPDX-License-Identifier: ISC
 *
 * signature - what the DKIM signatures of a mail cover
 *
 * That they are good is for the own server to say. But a signed mail stays good in the
 * hands of everybody who got it: whoever was sent a copy can hand it in again, with
 * other unsigned fields, and as often as he likes. So a signature alone lets a mail
 * command only when its signed fields address it to us, and each only once.
 */
#ifndef LEADD_ENGINE_SIGNATURE_H
#define LEADD_ENGINE_SIGNATURE_H

#include "base/bounds.h"
#include "engine/engine.h"
#include "mail/ctx.h"
#include "mail/header.h"

struct signatures {
    size_t count;   /* of the organization of the domain; only these are looked at */
    bool part;      /* one has l=: it covers a part of the body, anybody may write on */
    bool addressed; /* all cover From, Date, Subject, and a To or Cc with an address of ours */
    bool odd;       /* one cannot be read, or there are too many */
    int64_t keys[BOUND_SIGNATURES]; /* a hash of each: the same one is the same mail */
};

void signatures_read(const struct engine *eng, struct mail_ctx *c, const struct mail_fields *f,
                     const char *domain, struct signatures *out);

#endif
