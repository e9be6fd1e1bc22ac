/* SPDX-License-Identifier: ISC
 *
 * turn - see turn.h
 */
#include "engine/turn.h"

#include <inttypes.h>
#include <stdio.h>

#define BURST_US INT64_C(1000000) /* what was not used is kept for a second */

void turn_begin(struct turn *t, int64_t per_minute)
{
    *t = (struct turn){.cost_us = per_minute > 0 ? INT64_C(60000000) / per_minute : 0,
                       .rows = json_object()};
}

void turn_end(struct turn *t)
{
    json_decref(t->rows);
    t->rows = NULL;
}

bool turn_take(struct turn *t, int64_t row, int64_t units, int64_t now_ms, int64_t *later_out)
{
    char id[32];
    int64_t cost = t->cost_us * (units > 0 ? units : 1), now = now_ms * 1000;
    if (cost == 0)
        return true;
    snprintf(id, sizeof(id), "%" PRId64, row);
    bool in_line = json_object_get(t->rows, id) != NULL;
    if (t->free_us < now - BURST_US)
        t->free_us = now - BURST_US;
    if (t->free_us <= now && (in_line || t->line_ms <= now_ms)) {
        t->free_us += cost;
        json_object_del(t->rows, id);
        return true;
    }
    if (in_line) { /* the clock was coarser than the line */
        *later_out = t->free_us / 1000 + 1;
        return false;
    }
    if (t->line_ms < t->free_us / 1000 + 1)
        t->line_ms = t->free_us / 1000 + 1;
    *later_out = t->line_ms;
    t->line_ms += cost / 1000 + (cost % 1000 != 0);
    json_put_bool(t->rows, id, true);
    return false;
}

bool turn_spare(struct turn *t, int64_t units, int64_t now_ms)
{
    int64_t now = now_ms * 1000;
    if (t->free_us < now - BURST_US)
        t->free_us = now - BURST_US;
    if (t->cost_us && (t->free_us > now || t->line_ms > now_ms))
        return false;
    t->free_us += t->cost_us * units;
    return true;
}

void turn_back(struct turn *t, int64_t units)
{
    t->free_us -= t->cost_us * units;
}
