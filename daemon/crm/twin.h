/* SPDX-License-Identifier: ISC
 *
 * twin - somebody who wrote looks like a contact that is there
 *
 * The same phone number under another mail address; the same name at the same company; an
 * address that a known contact has named. None of it proves anything, so nothing is
 * joined: an event tells it to the rules (lead.duplicate), the engine to the owner, and a
 * person merges the two, or does not. Who is found by an address that he has is no twin,
 * but himself.
 *
 * Two people of one company share a switchboard: there, a number counts only for those
 * whose names do not differ. Whoever is named in a mail's words may be anybody: an address
 * there counts only where the names are alike.
 */
#ifndef LEADD_CRM_TWIN_H
#define LEADD_CRM_TWIN_H

#include "crm/crm.h"

/* These two may be one. why: "phone", "email" or "name"; of several the first counts. */
void crm_twin_note(struct crm_ctx *ctx, int64_t contact, int64_t other, const char *why);
/* Have they names, or addresses that stand for them, with nothing in common? */
int crm_twin_differ(struct crm_ctx *ctx, int64_t a, int64_t b, bool *out,
                    struct err *e) LEADD_MUST_CHECK;
/* May a number that both have be a company's switchboard? */
int crm_twin_switchboard(struct crm_ctx *ctx, int64_t a, int64_t b, bool *out,
                         struct err *e) LEADD_MUST_CHECK;
/* For a contact that has just been made: who had named his address, and who at his
 * company has his name. */
int crm_twin_look(struct crm_ctx *ctx, const struct crm_who *who, struct err *e) LEADD_MUST_CHECK;
/* Inside the command: the event, and who->twin. */
int crm_twin_announce(struct crm_ctx *ctx, struct crm_who *who, struct err *e) LEADD_MUST_CHECK;

#endif
