/* SPDX-License-Identifier: ISC
 *
 * recur_probe - prints when things come again, for tests that compute it by other means
 *
 *     recur_probe ZONE AFTER_MS N RULE      N times, in milliseconds, one a line
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "crm/recur.h"

int main(int argc, char **argv)
{
    struct recur r, first;
    struct err e = {0};
    struct zone *z = argc == 5 ? zone_new(argv[1], &e) : NULL;
    int64_t at = argc == 5 ? strtoll(argv[2], NULL, 10) : 0;
    if (!z || recur_parse(argv[4], &r, &e) <= 0) {
        fprintf(stderr, "recur_probe: %s\n", e.text);
        return 1;
    }
    first = r;
    first.every = 1; /* where counting begins, as a task line does */
    recur_settle(&first, z, at);
    recur_settle(&r, z, recur_next(&first, z, NULL, at));
    for (int n = atol(argv[3]); n > 0 && at != CALENDAR_NEVER; n--) {
        at = recur_next(&r, z, NULL, at);
        printf("%" PRId64 "\n", at);
    }
    zone_free(&z);
    return 0;
}
