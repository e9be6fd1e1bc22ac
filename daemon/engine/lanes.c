/* SPDX-License-Identifier: ISC
 *
 * lanes - see lanes.h
 */
#include "engine/lanes.h"

#include <string.h>

#define SLOT_PARTS 16 /* a line's part of the slots is given in sixteenths */
#define COMMON_PARTS 14 /* of all lines but the first: the rest is for fresh personal mail */

/* cost: of one row, so a line with 1 gets 16 rows for each of a line with 16 */
static const struct {
    int cost, parts;
} lines[OUTBOX_LINES] = {
    [LANE_PERSON] = {1, 16},
    [LANE_AUTO] = {2, 12},
    [LANE_BULK] = {8, 4},
    [LANE_RETRY + LANE_PERSON] = {4, 4},
    [LANE_RETRY + LANE_AUTO] = {4, 4},
    [LANE_RETRY + LANE_BULK] = {16, 2},
};

static int64_t slots_of(int64_t slots, int parts)
{
    int64_t n = slots * parts / SLOT_PARTS;
    return n > 0 ? n : 1;
}

/* A line that had nothing for long has no claim on all that it did not take. */
static int64_t turn_floor(const struct lanes *l, const bool due[OUTBOX_LINES])
{
    int64_t low = INT64_MAX;
    for (int i = 0; i < OUTBOX_LINES; i++)
        if (due[i] && l->turn[i] < low)
            low = l->turn[i];
    return low == INT64_MAX ? 0 : low;
}

void lanes_share(struct lanes *l, const bool due[OUTBOX_LINES], const int64_t in_hand[OUTBOX_LINES],
                 int64_t slots, int64_t most, int64_t share_out[OUTBOX_LINES])
{
    int64_t turn[OUTBOX_LINES], common = 0, alone = 0;
    memcpy(turn, l->turn, sizeof(turn));
    memset(share_out, 0, sizeof(*share_out) * OUTBOX_LINES);
    for (int i = 1; i < OUTBOX_LINES; i++)
        common += in_hand[i];
    for (int64_t n = 0; n < most; n++) {
        int next = -1, rivals = 0;
        for (int i = 0; i < OUTBOX_LINES; i++) {
            int64_t room = slots_of(slots, lines[i].parts) - in_hand[i] - share_out[i];
            if (i != LANE_PERSON && room > slots_of(slots, COMMON_PARTS) - common)
                room = slots_of(slots, COMMON_PARTS) - common;
            l->full[i] = room <= 0;
            if (!due[i] || room <= 0)
                continue;
            rivals++;
            if (next < 0 || turn[i] < turn[next]) {
                next = i;
                alone = room;
            }
        }
        if (next < 0)
            return;
        if (rivals == 1) { /* nobody to take turns with */
            share_out[next] += alone < most - n ? alone : most - n;
            return;
        }
        share_out[next]++;
        turn[next] += lines[next].cost;
        common += next != LANE_PERSON;
    }
}

void lanes_took(struct lanes *l, const bool due[OUTBOX_LINES], int line, int64_t n)
{
    int64_t low = turn_floor(l, due);
    l->turn[line] += lines[line].cost * n;
    for (int i = 0; i < OUTBOX_LINES; i++)
        if (!due[i] || l->turn[i] < low)
            l->turn[i] = low;
}

void lanes_free(struct lanes *l)
{
    memset(l->full, 0, sizeof(l->full));
}
