/* SPDX-License-Identifier: ISC
 *
 * offer - what somebody says about himself, and his record does not
 *
 * Phone numbers in the signature of a mail and in forms, addresses that he names. What a
 * stranger writes overwrites nothing: a fact that the record has not got is filled in at
 * once only where it is sure to be the contact's own word (the mail that made him, an
 * answer in a thread of ours), and is kept as an offer else, for a person to take. An
 * address that another contact has is never taken from him: the two may be one (twin.h).
 */
#ifndef LEADD_CRM_OFFER_H
#define LEADD_CRM_OFFER_H

#include "crm/crm.h"

/* Is anything offered, of anybody? False costs nothing. */
int crm_offers_any(struct crm_ctx *ctx, bool *out, struct err *e) LEADD_MUST_CHECK;

/* An address (folded) of the contact, or so it says; source: "form", "signature", "text".
 * Nothing when he has it. */
int crm_offer_address(struct crm_ctx *ctx, int64_t contact, const char *channel,
                      const char *value, const char *source, struct err *e) LEADD_MUST_CHECK;

/* All that a person's mail says of its sender, who is that contact. */
int crm_offer_mail(struct crm_ctx *ctx, const struct crm_who *who, const json_t *message,
                   struct err *e) LEADD_MUST_CHECK;

#endif
