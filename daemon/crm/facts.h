/* SPDX-License-Identifier: ISC
 *
 * facts - a target at a moment, for the readers of fields
 */
#ifndef LEADD_CRM_FACTS_H
#define LEADD_CRM_FACTS_H

#include "crm/crm.h"

#define VIEW_NOW SIZE_MAX

struct crm_view {
    struct crm_ctx *ctx;
    struct crm_target target;
    size_t at; /* as it was when the input had made so many changes; VIEW_NOW */
    const struct crm_actor *actor; /* may be NULL */
};

struct rule_value;
/* For the matcher: reads a field of a view. */
void crm_view_get(void *view, int field, struct rule_value *out);

#endif
