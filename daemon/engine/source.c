/* SPDX-License-Identifier: ISC
 *
 * source - what other programs tell of: calls, chats, orders, leads, visits
 */
#include "engine/webhook.h"

int source_take(struct engine *eng, struct webhook *w, struct err *e)
{
    bool fresh;
    if (webhook_enter(eng, w, NULL, &fresh, e) < 0)
        return -1;
    return fresh ? webhook_filed(eng, w, "nothing is known of what this source says", 0, e) : 0;
}
