/* SPDX-License-Identifier: ISC
 *
 * render - fields in the words of a rule's command
 *
 * note, task, case and the like may say {{lead.subject}} in a rule, with the tags of
 * templates (rule/template.h). A field that is not set leaves nothing.
 */
#ifndef LEADD_CRM_RENDER_H
#define LEADD_CRM_RENDER_H

#include "crm/crm.h"

bool crm_has_fields(const char *text); /* text may be NULL */
/* Are all fields known? ERR_INPUT with the nearest name. */
int crm_words_check(const struct crm *crm, const char *text, struct err *e) LEADD_MUST_CHECK;
/* With the target's fields as they are now, cut at BOUND_COMMAND_WORDS; own. */
char *crm_words(struct crm_ctx *ctx, const struct crm_target *t, const char *text,
                const struct crm_actor *actor, struct err *e);

#endif
