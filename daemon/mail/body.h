/* SPDX-License-Identifier: ISC
 *
 * body - which parts are the text, and which are attachments
 */
#ifndef LEADD_MAIL_BODY_H
#define LEADD_MAIL_BODY_H

#include "mail/ctx.h"
#include "mail/part.h"

/* Sets text, attachments, encrypted and signed on msg. */
void mail_body_read(struct mail_ctx *c, const struct mail_parts *ps, json_t *msg);

#endif
