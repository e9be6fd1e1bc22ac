/* SPDX-License-Identifier: ISC
 *
 * flow - plain text as people read it: line ends, format=flowed, quotation
 */
#ifndef LEADD_MAIL_FLOW_H
#define LEADD_MAIL_FLOW_H

#include <stdbool.h>

#include "base/buf.h"
#include "mail/ctx.h"

/* Appends text with every line end (CRLF, CR) as \n and without controls. */
void mail_text_clean(struct mail_ctx *c, struct buf *out, const char *p, size_t n);

/* RFC 3676: joins flowed lines of one quote depth. Input and output as above. */
void mail_text_unflow(struct mail_ctx *c, struct buf *out, const char *p, size_t n, bool delsp);

/* Numbers that look like phone numbers, as they are written. */
void mail_phones_find(struct mail_ctx *c, const char *text, size_t n, json_t *out);

#endif
