/* SPDX-License-Identifier: ISC
 *
 * see - which records a user may look at, and name in a command
 *
 * Admins, managers and viewers see all. A rep sees what is his, his team's or
 * nobody's; a contact by its leads and cases, a deal, task or activity by its lead or
 * case, a company always (but what belongs to it is asked for by itself).
 */
#ifndef LEADD_CRM_SEE_H
#define LEADD_CRM_SEE_H

#include "crm/crm.h"

/* ERR_INPUT when there is no such record, or when it is not his to see: both are said
 * in the same words, so that nobody learns which numbers are taken. */
int crm_may_see(struct crm_ctx *ctx, const char *user, enum crm_entity t, int64_t id,
                struct err *e) LEADD_MUST_CHECK;

/* Tables of crm_show() and crm_list() without the rows that are not his to see. */
int crm_see_rows(struct crm_ctx *ctx, const char *user, json_t *rows, struct err *e)
    LEADD_MUST_CHECK;

#endif
