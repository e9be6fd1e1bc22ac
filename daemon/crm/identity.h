/* SPDX-License-Identifier: ISC
 *
 * identity - the parts of crm_identify() that receiving needs, too
 */
#ifndef LEADD_CRM_IDENTITY_H
#define LEADD_CRM_IDENTITY_H

#include "base/errlist.h"
#include "crm/address.h"
#include "crm/crm.h"

/* 0 in *out when nobody has the address. */
int crm_find_contact(struct crm_ctx *ctx, const char *channel, const char *value, int64_t *out,
                     struct err *e) LEADD_MUST_CHECK;
/* The company that mail from this domain is of, made when there is none; 0 for a
 * provider's domain, or our own. */
int crm_company_of(struct crm_ctx *ctx, const char *domain, int64_t *out,
                   struct err *e) LEADD_MUST_CHECK;
bool crm_domain_is_own(const struct crm *crm, const char *domain);
/* Puts the address to what the contact has; it counts less than those. */
int crm_link_address(struct crm_ctx *ctx, int64_t contact, const char *channel, const char *value,
                     struct err *e) LEADD_MUST_CHECK;
/* Name, first and last name of a contact; nothing when it is empty. */
int crm_name_contact(struct crm_ctx *ctx, int64_t id, const struct crm_name *name,
                     struct err *e) LEADD_MUST_CHECK;
/* The contact's open lead, or its open case where mail makes cases; else the contact. in:
 * what came in, which may be about something else than an open lead
 * (separate_leads_by); NULL: any is meant. */
int crm_open_record(struct crm_ctx *ctx, int64_t contact, const char *creates,
                    const struct crm_input *in, struct crm_target *out,
                    struct err *e) LEADD_MUST_CHECK;
/* Fields of separate_leads_by that cannot be. */
void crm_separate_check(const struct crm *crm, struct errlist *errors);
/* The first contact among To and Cc of a message; 0 when there is none. */
int crm_find_recipient(struct crm_ctx *ctx, const json_t *message, int64_t *contact_out,
                       struct err *e) LEADD_MUST_CHECK;
/* "lead", "case" or "nothing" */
const char *crm_creates(const struct crm *crm, const struct crm_input *in);

#endif
