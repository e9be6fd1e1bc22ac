/* SPDX-License-Identifier: ISC
 *
 * check - what `leadd -t` asks of the CRM
 */
#ifndef LEADD_CRM_CHECK_H
#define LEADD_CRM_CHECK_H

#include "base/errlist.h"
#include "base/json.h"

/* Compiles fields, rules and templates of a config tree and checks what refers to
 * them: pools, forms, users, default_owner, time zone. Every mistake is added,
 * with file:line. 0, or -1 when there was one. Touches no store. */
int crm_check(const json_t *config_tree, struct errlist *errors) LEADD_MUST_CHECK;

#endif
