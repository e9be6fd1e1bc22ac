/* SPDX-License-Identifier: ISC
 *
 * classify - what kind of mail this is, and what a bounce says
 *
 * kind says how the mail is filed; auto.suppress says that nothing automatic may
 * answer it. They differ on purpose: a shop's form mail from noreply@ is filed
 * like a person's, because a lead is in it, but is never answered by a machine.
 */
#ifndef LEADD_MAIL_CLASSIFY_H
#define LEADD_MAIL_CLASSIFY_H

#include "mail/ctx.h"
#include "mail/part.h"

/* Sets kind, auto, bounce and token_headers on msg, which already has its
 * addresses, subject and text. */
void mail_classify(struct mail_ctx *c, const struct mail_parts *ps, json_t *msg);

/* A folded address that only machines have: noreply@, mailer-daemon@ ... */
bool mail_is_machine_address(const char *folded);

/* Sets msg.bounce from a delivery report, or from what other systems write
 * instead. False when it is no bounce; *delivered: a report of success. */
bool mail_bounce_read(struct mail_ctx *c, const struct mail_parts *ps, json_t *msg,
                      bool *delivered);

/* Set msg.receipt (read or not) and msg.report (a complaint), and say whether the mail is
 * such a one. */
bool mail_receipt_read(struct mail_ctx *c, const struct mail_parts *ps, json_t *msg);
bool mail_complaint_read(struct mail_ctx *c, const struct mail_parts *ps, json_t *msg);

/* A field's decoded value; own, or NULL when missing. */
char *mail_field_text(struct mail_ctx *c, const struct mail_fields *f, const char *name);

#endif
