/* SPDX-License-Identifier: ISC
 *
 * firing - may a rule whose conditions hold run now, for this record?
 *
 * The gate of struct rule_facts. In this order: its dates; the share of a canary; the
 * record's budget for today (budget.h); once, cooldown and max; a shadow rule never
 * runs; a rule with after begins its timer. What the gate said stands in the journal
 * with its reason, for `why`.
 */
#ifndef LEADD_ENGINE_FIRING_H
#define LEADD_ENGINE_FIRING_H

#include "crm/crm.h"
#include "engine/input.h"
#include "rule/ruleset.h"

struct firing {
    struct input *in;
    const struct crm_event *ev;
    bool due;     /* its timer is due: it has waited */
    int64_t step; /* due: how often it has fired since it began */
};

/* The record a rule runs for: that of the event, or for events about none (a message,
 * a note) the lead, else the case, the contact. id 0: there is none. */
enum crm_entity firing_record(const struct crm_event *ev, int64_t *id_out);

/* arg: a struct firing. A failure of the store is kept in in->failed. */
enum rule_outcome firing_gate(void *arg, const struct rule *rule, struct rule_gate *out);

/* Its commands run: counts it where there are limits. */
int firing_ran(struct input *in, const struct rule *rule, const struct crm_event *ev,
               struct err *e) LEADD_MUST_CHECK;

/* Is the record in the share of the canary? The same answer for ever. */
bool firing_in_canary(const struct rule *rule, enum crm_entity t, int64_t id);

#endif
