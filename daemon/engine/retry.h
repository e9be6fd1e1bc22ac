/* SPDX-License-Identifier: ISC
 *
 * retry - when to try a mail again, and when not any more
 */
#ifndef LEADD_ENGINE_RETRY_H
#define LEADD_ENGINE_RETRY_H

#include <stdint.h>

#define RETRY_GIVE_UP_MS (INT64_C(5) * 86400 * 1000) /* as most mail systems: five days */

/* Delay before try number `attempts` + 1: 1, 4, 9, 16 .. minutes (quadratic, as
 * schedulers of mail queues do), at most 4 hours, with up to a quarter of
 * jitter from `random`, so that a backlog does not come back in one second. */
int64_t retry_delay_ms(int64_t attempts, uint32_t random);

/* The same for a call of an endpoint: 5 s, 20 s, 80 s .. an hour. */
int64_t retry_call_ms(int64_t attempts, uint32_t random);

#endif
