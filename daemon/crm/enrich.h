/* SPDX-License-Identifier: ISC
 *
 * enrich - what other programs are told of a record, and what they may say of it
 *
 * Values go out as JSON and come back as JSON; what comes back is held against the
 * field table (type, choices, length) before anything is changed: all of an answer is
 * taken, or nothing of it. What one of our own has set stays, unless the enrichment
 * says overwrite.
 */
#ifndef LEADD_CRM_ENRICH_H
#define LEADD_CRM_ENRICH_H

#include "base/errlist.h"
#include "crm/crm.h"

/* The enrichments of the config: endpoints and fields that exist. */
void crm_enrich_check(const struct crm *crm, struct errlist *errors);
/* The config's object, or NULL. */
const json_t *crm_enrichment(const struct crm *crm, const char *name);

/* {"lead.subject": "..", "deal.amount": {"amount": "5000.00", "currency": "EUR"}}: text,
 * lists of text, whole numbers, true and false as JSON has them, times as RFC 3339,
 * durations in seconds, null for what is not set. names: an array; unknown ones are
 * left out. */
json_t *crm_values(struct crm_ctx *ctx, const struct crm_target *t, const json_t *names,
                   const struct crm_actor *actor);

/* What an answer says: {FIELD: text as `set` takes it}, without what it leaves out or
 * gives as null. NULL with e (ERR_INPUT) when anything of it does not fit its field. */
json_t *crm_enrich_read(const struct crm *crm, const char *name, const json_t *answer,
                        int64_t now_ms, struct err *e);
/* Sets them, as actor rule "enrich-NAME". *kept_out: fields that our own people had set.
 * ERR_INPUT: undo the input; something may be changed already. */
int crm_enrich_merge(struct crm_ctx *ctx, const struct crm_target *t, const char *name,
                     const json_t *values, const struct crm_actor *actor, int *kept_out,
                     struct err *e) LEADD_MUST_CHECK;

#endif
