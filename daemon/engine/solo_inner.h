/* SPDX-License-Identifier: ISC
 *
 * solo_inner - the inside of solo.c (life, items, time) and solo_in.c (what comes in)
 */
#ifndef LEADD_SOLO_INNER_H
#define LEADD_SOLO_INNER_H

#include "engine/engine.h"
#include "engine/solo.h"

struct solo {
    struct role role;
    struct engine eng;
    int64_t now_ms;
    int64_t deadline; /* of clock_mono_ms; 0: none */
    int64_t arrivals; /* numbers what comes in: UIDs, request ids */
    int64_t internal_ms; /* of the next mail; 0: now */
};

/* Around every call: the clock and the log are the process's. leave returns rc. */
int solo_enter(struct solo *s, struct err *e) LEADD_MUST_CHECK;
int solo_leave(int rc);
/* What came in is handled; takes the item. Then what is due now happens. */
int solo_arrival(struct solo *s, struct item *it, struct solo_answer *out, struct err *e)
    LEADD_MUST_CHECK;
int solo_due(struct solo *s, struct err *e) LEADD_MUST_CHECK;

#endif
