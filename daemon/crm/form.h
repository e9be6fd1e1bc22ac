/* SPDX-License-Identifier: ISC
 *
 * form - posted fields and what the config makes of them
 */
#ifndef LEADD_CRM_FORM_H
#define LEADD_CRM_FORM_H

#include "base/errlist.h"
#include "crm/crm.h"

/* The config of a form, or what stands for it of a source (crm_source_form); NULL. */
const json_t *crm_form_conf(const struct crm *crm, const char *form);
/* All forms of the config: their targets are fields that can be set. */
void crm_forms_check(const struct crm *crm, struct errlist *errors);
/* "forms" or "sources": the sequences that they begin. */
void crm_begins_check(const struct crm *crm, const char *what, struct errlist *errors);

/* The posted value that goes to a field ("contact.email"), as text; own, NULL
 * when none was posted. */
char *crm_form_value(const struct crm *crm, const char *form, const json_t *fields,
                     const char *field);
/* Sets what was posted where nothing is set yet: who fills in a form proves
 * nothing, so it never overwrites. A value that does not fit its field stays in
 * the message only; crm_form_misfits() names it. */
int crm_form_fill(struct crm_ctx *ctx, const char *form, const json_t *fields,
                  const struct crm_target *t, struct err *e) LEADD_MUST_CHECK;
/* What was posted and does not fit its field: [{"posted", "to", "text"}], text
 * being the defect for people. It quotes the value; the other two never do. Own. */
json_t *crm_form_misfits(const struct crm *crm, const char *form, const json_t *fields,
                         int64_t now_ms);
/* The message form of a posted form; own. files may be NULL. */
json_t *crm_form_message(const struct crm *crm, const char *form, const json_t *fields,
                         const json_t *files);

#endif
