/* SPDX-License-Identifier: ISC
 *
 * reply - the new words of a mail, its signature, and the mail it forwards
 *
 * New are the words that are neither quotation nor signature, wherever they
 * stand: above, below or between. When unsure, words are kept. Linear in the
 * size of both texts. Nothing here says who really wrote anything.
 */
#ifndef LEADD_MAIL_REPLY_H
#define LEADD_MAIL_REPLY_H

#include "base/buf.h"
#include "mail/ctx.h"

struct mail_words {
    const char *text;    /* borrowed; what people read */
    const char *html;    /* borrowed; the HTML's text with marks (lines.h), or NULL */
    bool html_is_text;   /* text is html without its marks */
    const char *name;    /* borrowed; the sender's, or NULL */
    const char *subject; /* borrowed */
};

/* Puts reply, signature, signature_facts? and forward? into msg, where an attached
 * mail may already be the forward: it gets its note. */
void mail_reply_read(struct mail_ctx *c, const struct mail_words *w, json_t *msg);

#endif
