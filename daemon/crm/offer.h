/* SPDX-License-Identifier: ISC
 *
 * offer - what somebody says about himself, and his record does not
 *
 * Phone numbers, post and company in the signature of a mail, numbers in forms, addresses
 * that he names. What a stranger writes overwrites nothing: a fact that the record has not
 * got is filled in at once only where it is sure to be the contact's own word (the mail
 * that made him, an answer in a thread of ours); all else is kept as an offer, for a
 * person to take (the command take). An address that another contact has is never taken
 * from him: the two may be one (twin.h).
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

/* All that a person's mail says of its sender, who is that contact. sure: it is his. */
int crm_offer_mail(struct crm_ctx *ctx, const struct crm_who *who, const json_t *message,
                   bool sure, struct err *e) LEADD_MUST_CHECK;

/* [{"channel","value","source","message_id","other"?: "C3"}]: what is offered and the
 * record has not got, the newest first. other: whose address it is. */
int crm_offers(struct crm_ctx *ctx, int64_t contact, json_t **out, struct err *e) LEADD_MUST_CHECK;
/* What a person may take without looking twice: not of the words of a mail, and nobody else's. */
bool crm_offer_is_plain(const json_t *offer);

enum crm_offer_done { OFFER_TAKEN, OFFER_HAS, OFFER_OTHERS, OFFER_STAYS };
/* Puts it on the record. OFFER_STAYS: there is another value, and replace is not said. */
int crm_offer_take(struct crm_ctx *ctx, int64_t contact, const char *channel, const char *value,
                   bool replace, enum crm_offer_done *out, struct err *e) LEADD_MUST_CHECK;

/* A number tells the country of who has none. */
int crm_fill_country(struct crm_ctx *ctx, int64_t contact, const char *phone,
                     struct err *e) LEADD_MUST_CHECK;

#endif
