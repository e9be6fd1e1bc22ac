/* SPDX-License-Identifier: ISC
 *
 * click - a person opened a link of a mail of ours: on the timeline, and told to rules
 */
#ifndef LEADD_CRM_CLICK_H
#define LEADD_CRM_CLICK_H

#include "crm/crm.h"

/* text: the address, and the mail's subject. */
int crm_record_clicked(struct crm_ctx *ctx, const struct crm_target *t, const char *text,
                       int64_t outbox, struct err *e) LEADD_MUST_CHECK;

#endif
