/* SPDX-License-Identifier: ISC
 *
 * replay - stored history through another rule set, and what would have come of it
 *
 * Two worlds, each a solo engine on a scratch store: one goes on under the rules of
 * today, the other under the new ones, from the same moment and with the same mails,
 * forms, bounces and commands of people, at their own times. What differs in the end
 * is the change of the rules and nothing else. Nothing is sent, and the live store is
 * read from one snapshot.
 *
 * Up to `since` there is one world, under the rules of today, which lives through all
 * stored history: so who writes again is known, and pools stand where they stand.
 *
 * Records of a world have ids REPLAY_SCALE times those of the live store, so that L42
 * is L42 in all three, and a lead that only one world makes takes no other's number.
 */
#ifndef LEADD_TOOL_REPLAY_H
#define LEADD_TOOL_REPLAY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/json.h"

#define REPLAY_SCALE 1000

struct replay;

struct replay_options {
    const json_t *current, *next; /* the engine's part of either configuration */
    const char *store;            /* the live store's file */
    const char *scratch;          /* a folder of our own */
    const unsigned char *key;     /* of the tokens, 32 bytes; NULL: not known */
    int64_t since_ms, until_ms;
    bool fresh;                   /* begin with an empty CRM at since */
    bool against_history;         /* compare with the live store, not with today's rules */
    size_t limit;                 /* differences that are told; all are counted */
    /* done of all journal rows; may be NULL */
    void (*progress)(void *arg, int64_t done, int64_t all);
    void *arg;
};

/* In which times are told. */
const char *replay_zone(const struct replay_options *o);

/* Opens all it will read, and makes the first world: after it, nothing but the scratch
 * folder need be opened. The options are borrowed. NULL with e. */
struct replay *replay_open(const struct replay_options *o, struct err *e);
/* {"same", "differences": [{"record", "what", "key"?, "current", "new", "rule"?, "why"?,
 *   "text"}], "totals": {WHAT: n}, "rules": [{"rule", "current", "new"}],
 *   "inputs": {"mails", "forms", "bounces", "commands", "before"}, "notes": [text]} */
json_t *replay_run(struct replay *r, struct err *e);
void replay_free(struct replay **r); /* accepts NULL, sets NULL */

/* The parts of replay_diff.c. */
struct db;
struct solo;
struct replay_side {
    struct db *db;
    int64_t scale;
    const struct solo *solo; /* NULL: the live store */
};
struct replay_diff {
    struct replay_side current, next;
    int64_t since_ms;
    size_t limit;
    const char *zone;
    json_t *list, *totals; /* borrowed; filled */
};
int replay_compare(struct replay_diff *d, struct err *e) LEADD_MUST_CHECK;

#endif
