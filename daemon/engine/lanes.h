/* SPDX-License-Identifier: ISC
 *
 * lanes - which of the mails that are due go first
 *
 * Each lane of the outbox has two lines, fresh rows and rows that were tried
 * before. Lines with due rows take turns by weight, so none waits for another to
 * end; and each may have only a part of the courier's slots, so that a personal
 * mail finds one free behind any mailing and any pile of retries. Pure: no store.
 */
#ifndef LEADD_ENGINE_LANES_H
#define LEADD_ENGINE_LANES_H

#include <stdbool.h>
#include <stdint.h>

#include "store/outbox.h"

struct lanes {
    int64_t turn[OUTBOX_LINES]; /* the line with the lowest is next */
    bool full[OUTBOX_LINES];    /* has as many slots as it may have */
};

/* How many rows of each line are to be claimed now, at most `most` in all. due: has
 * rows that are due; in_hand: slots it has, of `slots` in all. Says which are full. */
void lanes_share(struct lanes *l, const bool due[OUTBOX_LINES], const int64_t in_hand[OUTBOX_LINES],
                 int64_t slots, int64_t most, int64_t share_out[OUTBOX_LINES]);
/* n rows of the line were claimed: the others come first now. */
void lanes_took(struct lanes *l, const bool due[OUTBOX_LINES], int line, int64_t n);
/* Slots came free. */
void lanes_free(struct lanes *l);

#endif
