/* SPDX-License-Identifier: ISC
 *
 * retry - see retry.h
 */
#include "engine/retry.h"

#include "base/hook.h"
#include "base/units.h"

#define RETRY_STEP_MS MINUTE_MS
#define RETRY_MAX_MS (4 * HOUR_MS)

int64_t retry_delay_ms(int64_t attempts, uint32_t random)
{
    int64_t n = attempts < 1 ? 1 : attempts > 1000 ? 1000 : attempts;
    int64_t delay = n * n * RETRY_STEP_MS;
    if (delay > RETRY_MAX_MS)
        delay = RETRY_MAX_MS;
    if (HOOK("outbox.retry_soon"))
        delay /= 100;
    return delay + (int64_t)(random % 1000) * delay / 4000;
}

#define CALL_FIRST_MS INT64_C(5000)
#define CALL_MAX_MS HOUR_MS

int64_t retry_call_ms(int64_t attempts, uint32_t random)
{
    int64_t delay = CALL_FIRST_MS;
    for (int64_t i = 1; i < attempts && delay < CALL_MAX_MS; i++)
        delay *= 4;
    if (delay > CALL_MAX_MS)
        delay = CALL_MAX_MS;
    if (HOOK("outbox.retry_soon"))
        delay /= 100;
    return delay + (int64_t)(random % 1000) * delay / 4000;
}
