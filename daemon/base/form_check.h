/* SPDX-License-Identifier: ISC
 *
 * form_check - what a form of the config makes of the posted values
 *
 * Each posted field of the config is looked up, gets its default, and is held against
 * its type. What a person at the other end can correct at once is a fault, in the
 * form's language: a missing field, an address with a typo, a file that is too large.
 * What only the CRM can judge (a phone number, an own field) is not asked here: it is
 * noted with the message and loses no lead.
 *
 * A fault quotes the config alone, never what was posted. Pure.
 */
#ifndef LEADD_FORM_CHECK_H
#define LEADD_FORM_CHECK_H

#include "base/form.h"

#define FORM_FAULTS_MAX 32

struct form_checked {
    json_t *fields; /* own; {POSTED: text}: what the form knows, with its defaults */
    json_t *extra;  /* own; {POSTED: text}: all else that was posted */
    json_t *faults; /* own; [{"field", "code", "text"}]; empty: all is well */
};

/* conf: a form of the config, see daemon/README.md. True when there is no fault. */
bool form_check(const struct form *f, const json_t *conf, struct form_checked *out);
void form_checked_done(struct form_checked *c);
/* The texts of all faults, one after the other; own. */
char *form_faults_text(const json_t *faults);

bool form_looks_like_email(const char *s);

#endif
