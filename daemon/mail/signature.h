/* SPDX-License-Identifier: ISC
 *
 * signature - where the new words end and the signature begins, and what it says
 *
 * A signature is what stands below "-- ", what HTML says is one, a device's line,
 * a notice about confidentiality, and a block with contact facts below a closing
 * word or the sender's name. A closing word and a name alone are kept: they are
 * words. A block that holds a sentence is kept, too.
 */
#ifndef LEADD_MAIL_SIGNATURE_H
#define LEADD_MAIL_SIGNATURE_H

#include "mail/ctx.h"
#include "mail/lines.h"

enum mail_keep { MAIL_DROP, MAIL_KEEP, MAIL_SIGNATURE };

/* keep[i] of lines that are new words becomes MAIL_SIGNATURE where they are none.
 * name: the sender's, may be NULL. */
void mail_signature_find(struct mail_ctx *c, const struct mail_lines *l, unsigned char *keep,
                         const char *name);

/* {phones [], name?, title?, company?} of a signature (own); NULL when there is
 * nothing but the name. */
json_t *mail_signature_facts(struct mail_ctx *c, const char *signature, const char *name);

#endif
