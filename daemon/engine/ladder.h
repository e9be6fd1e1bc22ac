/* SPDX-License-Identifier: ISC
 *
 * ladder - how much automatic mail one address may get, so that two machines
 * answering each other stop by themselves
 *
 * Sliding windows: per recipient and record (lead, case, or contact) 10 in 10 minutes,
 * 15 in 30, 25 in an hour, 50 in 3 hours, 100 in 10; per recipient in all three times
 * that. Our own people hear of many records, so for them in all counts only what is
 * about no record, and BOUND_OWN_MAILS an hour of everything.
 *
 * Asked by outgoing.c alone, through which every mail goes.
 */
#ifndef LEADD_ENGINE_LADDER_H
#define LEADD_ENGINE_LADDER_H

#include "engine/engine.h"

struct ladder_mail {
    const char *to; /* folded */
    int64_t lead, kase, contact;
    bool ours;    /* to one of our own: a user, the administrator, ourselves */
    bool counted; /* its maker bounds how many there are (storm.h, the clock): only what is
                   * about one record is looked at */
    bool alarm;   /* tells the administrator: of too many of these nobody is told */
    bool trial;   /* nothing is sent: why is filled, and that is all */
};

/* why is filled when the mail must wait for a person; else left as it is. */
int ladder_check(struct engine *eng, const struct ladder_mail *m, int64_t now_ms, char *why,
                 size_t n, struct err *e) LEADD_MUST_CHECK;
/* A mail was put into the outbox: it counts from now on. */
int ladder_note(struct engine *eng, const struct ladder_mail *m, int64_t now_ms,
                struct err *e) LEADD_MUST_CHECK;

#endif
