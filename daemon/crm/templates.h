/* SPDX-License-Identifier: ISC
 *
 * templates - the templates of the config, each in its languages
 *
 * welcome.txt is what everybody gets whose language has no file of its own;
 * welcome.de.txt and welcome.de-AT.txt are the same mail in a language. Which one
 * somebody gets: de-AT, de, the language of the settings, the one without. Parts
 * ({{> _footer}}, {{> signature}}) are looked for in the same order.
 */
#ifndef LEADD_CRM_TEMPLATES_H
#define LEADD_CRM_TEMPLATES_H

#include "crm/crm.h"

struct template;

/* Compiles all of them; every mistake is added. */
void crm_templates_build(struct crm *crm, struct errlist *errors);
void crm_templates_free(struct crm *crm);

/* Of NAME and its languages in the config the text for that language, which has no index of
 * its own (a notice, a part of others); NULL: there is none. */
const json_t *crm_template_text(const struct crm *crm, const char *name, const char *language);
/* In what language a reader of that one (or NULL) has times and amounts in it; NULL: none
 * was said, and they stand as in leadctl. */
const char *crm_template_language(const struct crm *crm, const struct template *t,
                                  const char *reader);
/* What {{> signature}} is: the user's (NULL: of no user), else the company's; or NULL. */
const struct template *crm_signature(const struct crm *crm, const char *user, const char *language);

/* Does the template's mail go to customers: is it named by `send`, a step of a sequence or a
 * broadcast? */
bool crm_template_is_sent(const json_t *config, const char *name);
/* Is there one for that language, without falling back to another? */
bool crm_template_speaks(const struct crm *crm, const char *name, const char *language);
/* What of the config names a template as a command's word: ERR_INPUT when it is none, a
 * part of others, or one language of another. */
int crm_template_check(const struct crm *crm, const char *command, const char *name,
                       struct err *e) LEADD_MUST_CHECK;

#endif
