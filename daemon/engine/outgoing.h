/* SPDX-License-Identifier: ISC
 *
 * outgoing - the one way into the outbox
 *
 * Whatever writes a mail or an SMS, a template, a person's words, a notice, an answer to
 * commands, puts its row in here. Whether it may leave is decided here alone: consent
 * (consent.h), the reason its maker has against it, the ladder (ladder.h), and the hold
 * after a restore.
 * So no mail leaves unless the ladder was asked; tests/lint lets no other file add rows.
 */
#ifndef LEADD_ENGINE_OUTGOING_H
#define LEADD_ENGINE_OUTGOING_H

#include "engine/engine.h"
#include "engine/ladder.h"
#include "store/outbox.h"

struct outgoing {
    const char *intent;    /* unique: who, why, which step */
    const char *class_;    /* of the outbox */
    const char *template_; /* or NULL */
    const char *list;      /* of leadd.conf, that the mail belongs to; or NULL */
    struct ladder_mail mail; /* to whom, and about what */
    int64_t now_ms, next_ms; /* next_ms: not before then; 0: now */
    const char *hold;      /* why it may not leave now, or NULL */
    enum outbox_lane lane; /* what a person wrote or waits for, and notices: LANE_PERSON */
    const char *channel;   /* "sms", or NULL: a mail */
    bool exempt;           /* the one answer to a STOP: whatever else goes there */
};

#define OUTGOING_WHY_MAX 256
/* ERR_INPUT: the address wants no mail, or none of that list. row_out->id is 0 when the
 * intent is there already: nothing was written; else the body is for outbox_fill(). why
 * gets what holds it, or "". */
int outgoing_add(struct engine *eng, const struct outgoing *o, struct outbox_row *row_out,
                 char why[OUTGOING_WHY_MAX], struct err *e) LEADD_MUST_CHECK;

#endif
