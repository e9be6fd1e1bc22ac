/* SPDX-License-Identifier: ISC
 *
 * form_check - what a form of the config asks of the posted values
 */
#ifndef LEADD_WEB_FORM_CHECK_H
#define LEADD_WEB_FORM_CHECK_H

#include "base/form.h"

/* Splits the values by a form of the config: known names go to fields, others
 * to extra (both own). -1 with ERR_INPUT when a required field is missing or
 * blank, or when what goes to contact.email does not look like an address;
 * field_out (when not NULL) then names the posted field, borrowed from conf. */
int form_check(const struct form *f, const json_t *conf, json_t **fields_out, json_t **extra_out,
               const char **field_out, struct err *e) LEADD_MUST_CHECK;
bool form_looks_like_email(const char *s);

#endif
