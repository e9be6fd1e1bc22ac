/* SPDX-License-Identifier: ISC
 *
 * suspect - which message is in hand, in a file that outlives the engine
 *
 * What was not acknowledged comes again after a restart. When the engine dies of one
 * message, it would die of it for ever, so it writes down what it is at: 8 bytes per
 * message, not synced, since a process dies here and not the machine. Its successor
 * counts one death against what was in hand. At the SUSPECT_DEATHS-th the message is
 * no longer run; once something was committed with it, it is innocent.
 */
#ifndef LEADD_SUSPECT_H
#define LEADD_SUSPECT_H

#include <stddef.h>
#include <stdint.h>

#define SUSPECT_DEATHS 3

struct suspect;

/* Never NULL: without a file, which is logged, nothing is remembered. */
struct suspect *suspect_open(const char *state_dir);
void suspect_free(struct suspect **s); /* accepts NULL */

/* A name for what is in hand: the same again after a restart, never 0. */
uint64_t suspect_of_bytes(const char *p, size_t n);
uint64_t suspect_of_row(const char *what, int64_t id);

/* This is in hand now (0: nothing that could be blamed). Returns how many engines
 * ended at it. Nothing is remembered, and none ended, where s is NULL. */
unsigned suspect_at(struct suspect *s, uint64_t name);
/* The pass was committed, or undone. */
void suspect_committed(struct suspect *s);
void suspect_undone(struct suspect *s);

#endif
