/* SPDX-License-Identifier: ISC
 *
 * dress - what a mail made from a template has besides its words
 *
 * The language of who reads it, whom it comes from, who signs it, and the files that go
 * with it. The address in From is the company's, so that DMARC finds it aligned; From:
 * owner puts the owner's name there, and the owner's address when it is one of the
 * company's domain.
 */
#ifndef LEADD_ENGINE_DRESS_H
#define LEADD_ENGINE_DRESS_H

#include "engine/input.h"
#include "mail/compose.h"

struct dress {
    const char *language, *signed_by; /* borrowed from the context; or NULL */
    struct mail_address from;
    char *name;                       /* own; that of from, or NULL */
    struct mail_attachment *files;    /* own, with their data */
    size_t file_count, bytes;
};

/* Of the company alone where the send has no template. */
int dress_make(struct input *in, const struct crm_send *s, struct dress *out, struct err *e)
    LEADD_MUST_CHECK;
void dress_done(struct dress *d);

#endif
