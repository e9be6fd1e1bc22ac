/* SPDX-License-Identifier: ISC
 *
 * body - text, attachments and security of a mail's parts
 */
#ifndef LEADD_MAIL_BODY_H
#define LEADD_MAIL_BODY_H

#include "mail/ctx.h"
#include "mail/part.h"

/* What reading the words needs besides the text. */
struct mail_body {
    char *marked;      /* own; the text as the HTML has it, with marks (lines.h), or NULL */
    bool html_is_text; /* text is marked without its marks */
};

/* Puts text, attachments, encrypted and signed into msg; forward for an attached mail. */
void mail_body_read(struct mail_ctx *c, const struct mail_parts *ps, json_t *msg,
                    struct mail_body *out);

#endif
