/* SPDX-License-Identifier: ISC
 *
 * turn - so many in a minute: whose turn it is, and a place in line for those who are early
 *
 * A row of the outbox that comes too early gets its place in line as its due time, so a
 * thousand of them hold up neither others nor the courier's slots. Kept in memory.
 */
#ifndef LEADD_ENGINE_TURN_H
#define LEADD_ENGINE_TURN_H

#include <stdbool.h>
#include <stdint.h>

#include "base/json.h"

struct turn {
    int64_t cost_us; /* of one unit; 0: as fast as they come */
    int64_t free_us; /* when the next may leave, but for a burst */
    int64_t line_ms; /* the end of the line */
    json_t *rows;    /* own; ids of rows that have their place in line */
};

void turn_begin(struct turn *t, int64_t per_minute); /* 0: no limit */
void turn_end(struct turn *t);
/* Has the row its turn? Then it is taken. Else *later_out is its place in line. */
bool turn_take(struct turn *t, int64_t row, int64_t units, int64_t now_ms, int64_t *later_out);
/* A turn that may not be needed: taken at once where nobody waits for it; and given back. */
bool turn_spare(struct turn *t, int64_t units, int64_t now_ms);
void turn_back(struct turn *t, int64_t units);

#endif
