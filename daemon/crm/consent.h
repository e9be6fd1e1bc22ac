/* SPDX-License-Identifier: ISC
 *
 * consent - who says that an address may be written to, and who that it may not
 *
 * Every change of address.opted_out goes through crm_change_address(), which asks here for
 * the row of the ledger that belongs to it: so the ledger has all of them, whoever made
 * them, undo included. What a form's field grants is a row, too, but lifts no opt-out:
 * anybody can post somebody else's address.
 */
#ifndef LEADD_CRM_CONSENT_H
#define LEADD_CRM_CONSENT_H

#include "crm/crm.h"

struct crm_consent {
    const char *source; /* "sms main", "gateway main", "link", "form contact" */
    const char *words;  /* as they were said; may be NULL */
    const char *sender; /* what of ours it is about, as in struct consent_row; NULL: all we send */
    int64_t message_id; /* M, the proof; 0: none */
};

/* Who says the opt-outs that this input's commands make from here on, where it is not
 * the command's actor; borrowed until it is set to NULL or the input ends. */
void crm_consent_by(struct crm_ctx *ctx, const struct crm_consent *c);

/* The sender in the ledger that stands for a list of leadd.conf: "list:news"; own. */
char *crm_list_sender(const char *list);

/* The row for an opt-out or its end (change.c). */
int crm_consent_note(struct crm_ctx *ctx, const char *channel, const char *value, bool granted,
                     const char *reason, struct err *e) LEADD_MUST_CHECK;
/* A row alone: what a form's field grants (counts false), or an opt-out from one sender of
 * ours. value is folded. */
int crm_consent_add(struct crm_ctx *ctx, const char *channel, const char *value, bool granted,
                    bool counts, const struct crm_consent *c, struct err *e) LEADD_MUST_CHECK;

#endif
