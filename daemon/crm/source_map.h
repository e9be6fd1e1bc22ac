/* SPDX-License-Identifier: ISC
 *
 * source_map - what another program sent, in words of the CRM
 *
 * The config of a source says which of its events are what (`events`, the first whose
 * `when` holds) and where the values stand (`map`; that of the event before that of the
 * source). The result is one record:
 *
 *   { "kind": "order.paid", "event": "evt_1", "event_outside": true (it is not in the body),
 *     "id": "1001", "at_ms": ..,
 *     "values": { "contact.email": TEXT, "message.text": TEXT, "lead.budget": TEXT, .. },
 *     "order": { "number", "status", "amount": {"amount": 4990, "currency": "EUR"}, "refunded": {..}, "items" },
 *     "call":  { "direction", "duration", "status", "recording", "transcript" },
 *     "visit": { "url", "title" },
 *     "direction": "in", "title": "order 1001 paid, 49.90 EUR", "defects": [TEXT] }
 *
 * Pure: no store, no clock. What cannot be read is left out and named as a defect.
 */
#ifndef LEADD_CRM_SOURCE_MAP_H
#define LEADD_CRM_SOURCE_MAP_H

#include "base/errlist.h"
#include "crm/crm.h"
#include "crm/source_path.h"

/* Own; never NULL. Of an event that the config says nothing of, kind is "nothing", and
 * "why" says so. currency: of amounts without one. */
json_t *source_map(const json_t *conf, const struct source_in *in, const char *currency);

/* All sources of the config: paths and conditions can be read, targets are fields. */
void source_map_check(const struct crm *crm, struct errlist *errors);

/* The kind as an activity has it: "order" of "order.paid"; the event, or NULL. */
const char *source_activity(const char *kind);
const char *source_event(const char *kind);
/* Which of two things said of one order or call is the later one. */
int source_rank(const char *kind);

#endif
