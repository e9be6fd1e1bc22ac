/* SPDX-License-Identifier: ISC
 *
 * rate - so many requests per minute, of one remote address or of all
 *
 * A token bucket per address (an IPv6 address counts as its /64), as deep as
 * one minute's worth. The table is of fixed size: a new address takes the
 * place of the one in its set that was quiet the longest, so that many
 * addresses cannot make it grow. Pure: the caller gives the time.
 */
#ifndef LEADD_WEB_RATE_H
#define LEADD_WEB_RATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* One bucket by itself; zeroed it is full. */
struct bucket {
    int64_t units, seen_ms;
    bool begun;
};
/* Takes one token; when there is none, false and the seconds to wait. */
bool bucket_take(struct bucket *b, int64_t per_minute, int64_t now_ms, int *retry_s_out);

struct rate;

/* per_minute 0: everything is allowed. */
struct rate *rate_new(int64_t per_minute, size_t addresses);
void rate_free(struct rate **r);
/* As bucket_take, of that address. */
bool rate_allow(struct rate *r, const char *address, int64_t now_ms, int *retry_s_out);

#endif
