/* SPDX-License-Identifier: ISC
 *
 * sms_in - an SMS that a gateway got for us
 */
#include "engine/webhook.h"

int sms_take(struct engine *eng, struct webhook *w, struct err *e)
{
    bool fresh;
    if (webhook_enter(eng, w, NULL, &fresh, e) < 0)
        return -1;
    return fresh ? webhook_filed(eng, w, "nothing is known of what this gateway says", 0, e) : 0;
}
