/* SPDX-License-Identifier: ISC
 *
 * notice_foot - what stands below every notice to one of ours about a lead or case
 *
 * Why it is his, in the words of the rule and its command; the last three things that
 * happened; what a reply may say; and where to write to answer the customer. The notice
 * itself is a template's; this is the same for all of them.
 */
#ifndef LEADD_ENGINE_NOTICE_FOOT_H
#define LEADD_ENGINE_NOTICE_FOOT_H

#include "base/buf.h"
#include "engine/input.h"

/* For that user, in whose zone times are; appends to out, and nothing for targets without
 * lead and case. */
int notice_foot(struct input *in, const char *user, const struct crm_target *t, struct buf *out,
                struct err *e) LEADD_MUST_CHECK;

/* For `why`: of which kind there are new ones, and not their values. */
void notice_offered(struct input *in, const struct crm_who *who);
/* What a person may take onto the contact, in one line with the command that does it;
 * nothing when nothing is offered. */
int notice_offers(struct input *in, int64_t contact, struct buf *out,
                  struct err *e) LEADD_MUST_CHECK;

#endif
