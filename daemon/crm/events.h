/* SPDX-License-Identifier: ISC
 *
 * events - the table of everything that can happen
 */
#ifndef LEADD_CRM_EVENTS_H
#define LEADD_CRM_EVENTS_H

#include <stddef.h>

#include "crm/crm.h"

struct crm_event_row {
    const char *name;       /* "lead.created" */
    enum crm_entity entity; /* the record it is about */
    bool changes;           /* also wakes rules with on = "lead" (the entity) */
    const char *help;
};

extern const struct crm_event_row crm_events_table[];
extern const size_t crm_events_count;

const struct crm_event_row *crm_event_find(const char *name);

#endif
