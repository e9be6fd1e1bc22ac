/* SPDX-License-Identifier: ISC
 *
 * confirm - a form that counts once its sender has shown that the address is his
 *
 * The post is kept as it came, in quarantine under a kind of its own, and the address gets
 * one mail with a signed link. The page behind it has a button; only what that sends makes
 * lead, event and consent. So nobody gets more than that mail for what somebody else posted:
 * and of those mails an address gets few in a day, one who posts and one form few in an
 * hour; what is beyond is kept without a mail. Who has opted out gets none. What nobody
 * confirms is dropped.
 */
#ifndef LEADD_ENGINE_CONFIRM_H
#define LEADD_ENGINE_CONFIRM_H

#include "engine/engine.h"

/* Does the post have an address that can be asked? */
bool confirm_can(struct engine *eng, const struct item *it);
/* A valid post of a form with confirm: kept, and asked for. */
int confirm_ask(struct engine *eng, struct item *it, const json_t *conf,
                struct err *e) LEADD_MUST_CHECK;

#endif
