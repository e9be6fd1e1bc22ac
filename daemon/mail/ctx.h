/* SPDX-License-Identifier: ISC
 *
 * ctx - what the readers of one mail share: limits, defects, time and work
 *
 * Every reader asks mail_late() in its outer loop and stops with what it has.
 * work counts bytes looked at, so that a test can hold that it grows linearly.
 */
#ifndef LEADD_MAIL_CTX_H
#define LEADD_MAIL_CTX_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "mail/parse.h"

struct mail_ctx {
    const struct mail_limits *lim; /* borrowed */
    json_t *defects;               /* own */
    int64_t deadline_ms;           /* monotonic; 0: none */
    bool late;
    char charset[64]; /* what the mail's text declares: a hint for raw header bytes; "" */
    uint64_t work;
};

void mail_ctx_init(struct mail_ctx *c, const struct mail_limits *lim);
void mail_ctx_done(struct mail_ctx *c);

/* Notes what was wrong and how it was read. The same text is kept once, and at
 * most lim->defects of them, the last saying that there were more. */
void mail_defect(struct mail_ctx *c, const char *fmt, ...) LEADD_PRINTF(2, 3);

/* Adds to work; true once the time for this mail is over (then a defect). */
bool mail_late(struct mail_ctx *c, uint64_t work);

#endif
