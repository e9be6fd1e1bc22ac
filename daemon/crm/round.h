/* SPDX-License-Identifier: ISC
 *
 * round - whose turn it is among the members of a pool
 *
 * The share of a lead is, for each of those who could get it at that time, his
 * weight over the sum of theirs; for all others nothing.
 *
 *  - Among the same members with the same weights, in every window of ROUND_WINDOW
 *    leads nobody's number is more than one off the sum of his shares (once the last
 *    change is as many leads old twice over, and from the first lead of a new pool).
 *    round.c says why.
 *  - While members come and go, fill up and come back, this is measured, not proven:
 *    tests/unit/test_round.c deals 10,000 leads to 2 to 12 members, with a change in 40
 *    and in 200 leads, from a new seed each time, and fails when anybody is two off in
 *    any window. About one window in a thousand is more than one off, by up to 0.7; the
 *    test prints it.
 *
 * Nor could one off be promised for the second: of four equal members, each of whom drops
 * out when he was dealt one, the last has shares of 1/4 + 1/3 + 1/2 while three leads
 * go to others, whoever is chosen when.
 *
 * How: each has a credit, the sum of his shares less what he got; the highest credit
 * is next. That keeps every credit near zero for ever, but may put two extremes into
 * one window. So the last ROUND_WINDOW leads are remembered, and a lead goes to the
 * highest credit among those with whom every window that is to come can still be kept
 * (round.c says why somebody always can). It is an order of the dealing only: over a
 * long time it is the credit that counts.
 *
 * Who is away keeps his credit, which is less than about a lead and a half: he is
 * neither flooded when he comes back nor starved. Who is new begins at zero. What one
 * who left for good was owed, or owes, the others have by their weights.
 *
 * Pure: the state is JSON that the caller stores.
 */
#ifndef LEADD_CRM_ROUND_H
#define LEADD_CRM_ROUND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/json.h"

#define ROUND_WINDOW 100
#define ROUND_ONE INT64_C(1000000000) /* one lead, in the unit of shares and credits */

struct round_member {
    const char *user;
    int64_t weight; /* 1 or more */
    bool can;       /* get this lead */
};

/* The member who gets the next lead, noted in state (an object, {} at first): at most
 * BOUND_POOL_MEMBERS of them, at least one of whom can. */
size_t round_next(json_t *state, const struct round_member *m, size_t n);
/* How often was dealt. */
int64_t round_dealt(const json_t *state);
/* Takes the last lead back, when it went to user; false when it did not. */
bool round_take_back(json_t *state, const char *user);

struct round_account {
    int64_t credit;     /* in parts of ROUND_ONE: what he is owed */
    int got;            /* of the remembered leads */
    int64_t share;      /* of them, in parts of ROUND_ONE */
    int since;          /* leads ago that he got his last one, from 1; 0: not remembered */
};
void round_account(const json_t *state, const char *user, struct round_account *out);

#endif
