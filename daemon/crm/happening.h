/* SPDX-License-Identifier: ISC
 *
 * happening - a call, chat, order, lead form or visit of which another program tells
 *
 * The first word of it goes the way of a form (crm_receive): identity by address, then
 * number; one activity on the right contact. What is said later of the same order, call or
 * chat changes that activity; what is older than what is known changes nothing.
 */
#ifndef LEADD_CRM_HAPPENING_H
#define LEADD_CRM_HAPPENING_H

#include "crm/crm.h"

struct crm_happening {
    const char *source;   /* of the config */
    const json_t *record; /* of source_map() */
    const json_t *message; /* crm_happening_message() of it */
    const char *creates;  /* "lead", "case", "contact" or "nothing" */
    bool proven;          /* the source shows who it is: a call through it counts as contact */
    int64_t message_id, at_ms;
};

/* The message form of a record, for the store, and for rules; own. */
json_t *crm_happening_message(const struct crm *crm, const char *source, const json_t *record);

/* *ignored_out: why nothing came of it, static, or NULL. */
int crm_happening_take(struct crm_ctx *ctx, const struct crm_happening *h, struct crm_who *out,
                       const char **ignored_out, struct err *e) LEADD_MUST_CHECK;

/* The name under which a source stands among the forms: own. */
char *crm_source_form(const char *source);
/* {"source:NAME": {"fields", "source"}} for all sources of the config; own. */
json_t *crm_source_forms(const json_t *config);

#endif
