/* SPDX-License-Identifier: ISC
 *
 * identity - the parts of crm_identify() that receiving needs, too
 */
#ifndef LEADD_CRM_IDENTITY_H
#define LEADD_CRM_IDENTITY_H

#include "crm/crm.h"

/* 0 in *out when nobody has the address. */
int crm_find_contact(struct crm_ctx *ctx, const char *channel, const char *value, int64_t *out,
                     struct err *e) LEADD_MUST_CHECK;
/* The first contact among To and Cc of a message; 0 when there is none. */
int crm_find_recipient(struct crm_ctx *ctx, const json_t *message, int64_t *contact_out,
                       struct err *e) LEADD_MUST_CHECK;
/* "lead", "case" or "nothing" */
const char *crm_creates(const struct crm *crm, const struct crm_input *in);

#endif
