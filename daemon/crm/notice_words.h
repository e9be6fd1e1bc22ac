/* SPDX-License-Identifier: ISC
 *
 * notice_words - the wording of notices that leadd writes by itself
 *
 * What is shipped stands in one table here, as templates (rule/template.h). A file of
 * templates_dir named _notice-NAME.txt takes the place of one; it is checked when the
 * config is loaded, against the variables of that notice. One that cannot be rendered
 * with the values of the day is sent in the shipped words: a notice is never lost to
 * its wording.
 */
#ifndef LEADD_CRM_NOTICE_WORDS_H
#define LEADD_CRM_NOTICE_WORDS_H

#include "base/errlist.h"
#include "crm/crm.h"
#include "rule/template.h"

/* name: "held"; values: {variable: text}, what is not there is unset. */
int crm_notice_words(const struct crm *crm, const char *name, const json_t *values,
                     struct template_result *out, struct err *e) LEADD_MUST_CHECK;
/* The same for somebody with that language (NULL: not known): _notice-NAME.de.txt. */
int crm_notice_words_in(const struct crm *crm, const char *name, const char *language,
                        const json_t *values, struct template_result *out,
                        struct err *e) LEADD_MUST_CHECK;
/* Of those about a record ("lead", "case", "contact"), whose variables are the fields; own. */
struct template *crm_notice_of_record(const struct crm *crm, const char *name, bool shipped,
                                      struct err *e);
/* rc of a rendering, or -1 when what it made is empty: then out is, too. */
int crm_notice_whole(const struct template *t, int rc, struct template_result *out,
                     struct err *e) LEADD_MUST_CHECK;
/* Files that name no notice, or a variable that it has not got. */
void crm_notices_check(const struct crm *crm, struct errlist *errors);

#endif
