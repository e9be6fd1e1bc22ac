/* SPDX-License-Identifier: ISC
 *
 * budget - how many rules may run for one lead, case or contact in a day
 *
 * BOUND_CHAIN_DEPTH ends a loop within one input. A loop that goes around through
 * timers, mails or other people's machines is slower, and ends here: whatever its
 * parts are, no record has more than BOUND_FIRINGS_PER_DAY rules run for it in a day
 * (UTC). Counted in memory; what ran before this engine was started is looked up in
 * the journal, for the few records that get anywhere near it.
 */
#ifndef LEADD_ENGINE_BUDGET_H
#define LEADD_ENGINE_BUDGET_H

#include "crm/crm.h"
#include "store/db.h"

struct budget;

struct budget *budget_new(void);
void budget_free(struct budget **b); /* accepts NULL */

/* The record that the budget is kept for: the lead, else the case, the contact, ...; id 0
 * when the target has none. */
enum crm_entity budget_record(const struct crm_target *t, int64_t *id_out);

/* Rules that ran for it today. */
int budget_spent(struct budget *b, struct db *db, enum crm_entity t, int64_t id, int64_t now_ms,
                 int64_t *out, struct err *e) LEADD_MUST_CHECK;
/* One more. */
void budget_spend(struct budget *b, enum crm_entity t, int64_t id, int64_t now_ms);
/* The pass was committed, or undone. */
void budget_committed(struct budget *b);
void budget_undone(struct budget *b);

#endif
