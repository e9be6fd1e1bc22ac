/* SPDX-License-Identifier: ISC
 *
 * build - making a struct crm with every mistake collected: for crm_new() and
 * crm_check()
 */
#ifndef LEADD_CRM_BUILD_H
#define LEADD_CRM_BUILD_H

#include "base/errlist.h"
#include "crm/crm.h"

/* Never NULL; only usable when nothing was added to errors. db may be NULL for
 * checking. */
struct crm *crm_build(struct db *db, const json_t *config, struct errlist *errors);

#endif
