/* SPDX-License-Identifier: ISC
 *
 * link - what a user does with one click on a page that a notice names
 *
 *   https://crm.example.com/do/take/L42/anna/493912/TOKEN
 *
 * Action, record, user, the hour (since 1970) in which it ends, and an HMAC over all
 * of them: who has it may do this one thing as that user until then, and nothing else.
 * To open the page changes nothing, for scanners follow links; the button on it posts.
 */
#ifndef LEADD_ENGINE_LINK_H
#define LEADD_ENGINE_LINK_H

#include "base/buf.h"
#include "crm/crm.h"
#include "engine/engine.h"

/* "Take it: URL", a line each, of what this user could do with the record now. Adds
 * nothing where web.url is not set. */
int link_lines(struct engine *eng, const char *user, const struct crm_target *t, struct buf *out,
               struct err *e) LEADD_MUST_CHECK;
/* The handler of LINK: shows the page, or does it. */
int link_frame(struct engine *eng, struct item *it, struct err *e) LEADD_MUST_CHECK;

#endif
