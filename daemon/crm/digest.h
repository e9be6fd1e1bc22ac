/* SPDX-License-Identifier: ISC
 *
 * digest - what a user finds in the morning mail: tasks that are due, the meetings of the
 * day, leads that are new, people who wait for an answer, deals that rest; and a manager
 * what is late in the team, and whom nobody there has answered
 */
#ifndef LEADD_CRM_DIGEST_H
#define LEADD_CRM_DIGEST_H

#include "base/errlist.h"
#include "crm/crm.h"
#include "rule/schedule.h"

/* When this user gets it: `digest` of the user, else of the settings, in the zone the
 * user lives in. *out is NULL when there is none; own. ERR_INPUT names the mistake. */
int crm_digest_schedule(const struct crm *crm, const char *user, struct schedule **out,
                        struct err *e) LEADD_MUST_CHECK;
/* Mistakes in what the config says of it, for crm_build(). */
void crm_digest_check(const struct crm *crm, struct errlist *errors);
/* Subject and words (own) of what there is at now_ms and, of new leads, since since_ms.
 * Both NULL when there is nothing to tell, or the user is absent. */
int crm_digest(struct crm_ctx *ctx, const char *user, int64_t since_ms, char **subject_out,
               char **text_out, struct err *e) LEADD_MUST_CHECK;

#endif
