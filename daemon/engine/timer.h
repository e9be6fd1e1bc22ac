/* SPDX-License-Identifier: ISC
 *
 * timer - what rules do later: `after`, `again`, `until`, `max`
 *
 * A rule that waits puts a row into the table of timers (store/timer.h), in the
 * transaction of the event that began it. The row goes, or changes, in the transaction
 * in which it fires or is cancelled, so a crash at any moment repeats nothing and
 * forgets nothing. At the end of every input the timers of the records it touched are
 * looked at: a rule whose `when` is not true any more, or whose `until` is, waits no
 * longer, and the journal says which condition it was. When a timer is due all is asked
 * once more, and its commands are an input of their own: "timer RULE on L42".
 *
 * One event of the loop is set to the earliest due time; it comes at most once a second,
 * and then queues the timers that are due, a bounded number of items, each of which has
 * its savepoint. A timer that is late fires once.
 *
 * A kind of timer is a row in the table of timer_kind.c: rules here, escalations and
 * schedules in files of their own. Where there are no timers nothing is ever looked up.
 */
#ifndef LEADD_ENGINE_TIMER_H
#define LEADD_ENGINE_TIMER_H

#include "base/units.h"
#include "engine/engine.h"
#include "engine/input.h"
#include "rule/ruleset.h"
#include "store/timer.h"

/* The row of timers_queue() and the JSON of store/timer.h as a key, borrowed from it. */
struct timer_key timer_key_of(const json_t *row);
/* Every change goes through these: the loop's event follows. */
int timer_write(struct engine *eng, const struct timer_row *t, struct err *e) LEADD_MUST_CHECK;
int timer_remove(struct engine *eng, const struct timer_key *k, struct err *e) LEADD_MUST_CHECK;

/* ---- a kind of timer ------------------------------------------------------------- */

struct timer_kind {
    const char *name; /* "rule" */
    /* It is due: does it and changes or removes the row. row is borrowed. */
    int (*fire)(struct engine *eng, const json_t *row, struct err *e);
    /* At the end of an input that touched its record: is it still to wait? Removes or
     * changes the row if not. target: of its record. NULL: it belongs to no record. */
    int (*check)(struct input *in, const json_t *row, const struct crm_target *target,
                 struct err *e);
    /* Is what it belongs to still in the rule set, as something that waits? NULL: rules
     * have no say in it. */
    bool (*known)(const struct ruleset *rs, const char *rule);
    /* Does the row only keep it from beginning anew? NULL: none does. */
    bool (*over)(const struct ruleset *rs, const json_t *row);
    /* "after 30m business", for people; "" when unknown */
    void (*tell)(const struct ruleset *rs, const json_t *row, char *out, size_t n);
};
const struct timer_kind *timer_kind_find(const char *name); /* or NULL */

/* ---- a rule asked by itself (timer_rule.c) ------------------------------------------ */

struct timer_asked {
    struct crm_event ev;
    struct crm_facts *facts;  /* own */
    struct rule_match *match; /* own */
    struct rule_decision d;
};

/* As things are now; event names the occasion in the journal. gate may be NULL. End it
 * with timer_asked_done(). */
void timer_ask(struct input *in, const struct rule *rule, const char *event, enum crm_entity t,
               const struct crm_target *target, rule_gate_fn gate, void *gate_arg,
               struct timer_asked *a);
/* The same of a rule of another set, without a gate. */
void timer_ask_of(struct input *in, const struct ruleset *rs, const struct rule *rule,
                  const char *event, enum crm_entity t, const struct crm_target *target,
                  struct timer_asked *a);
void timer_asked_done(struct timer_asked *a);
/* It matched, or nobody can know now. */
bool timer_goes_on(const struct timer_asked *a);
/* Event and decision into the journal; the decision, borrowed. */
json_t *timer_asked_journal(struct input *in, struct timer_asked *a);
/* "L42", "" for none, of a row. */
const char *timer_record(const json_t *row, char out[CRM_ID_LEN]);

/* ---- escalations and schedules -------------------------------------------------------- */

extern const struct timer_kind timer_kind_escalation, timer_kind_schedule, timer_kind_digest,
    timer_kind_sequence, timer_kind_quarantine, timer_kind_confirm,
    timer_kind_click, timer_kind_broadcast, timer_kind_verdict;
/* Every user with a digest has its row (digest.c). */
int digests_start(struct engine *eng, struct err *e) LEADD_MUST_CHECK;
/* After all its events: begins escalations of the records that the input touched. */
int escalations_begin(struct input *in, struct err *e) LEADD_MUST_CHECK;
/* Every scheduled rule has its row, and walks that were cut off go on. */
int schedules_start(struct engine *eng, struct err *e) LEADD_MUST_CHECK;
/* The handler of ITEM_SCHEDULE, one record of a walk; and when that failed: on to the next. */
int schedule_item(struct engine *eng, struct item *it, struct err *e) LEADD_MUST_CHECK;
int schedule_failed(struct engine *eng, const struct item *it, const struct err *why,
                    struct err *e) LEADD_MUST_CHECK;

/* ---- rules (timer_rule.c) ----------------------------------------------------------- */

/* From the gate: the conditions hold. Remembers that its timer is to be begun at the end
 * of the input, unless it has one. RULE_WAITS, or RULE_MATCHED for one that runs at once
 * and then again. */
enum rule_outcome timer_begin(struct input *in, const struct rule *rule,
                              const struct crm_event *ev, struct rule_gate *out);
extern const struct timer_kind timer_kind_rule;

/* ---- the end of an input ------------------------------------------------------------ */

/* After all its events: cancels what need not wait any more, begins what was remembered. */
int timers_check(struct input *in, struct err *e) LEADD_MUST_CHECK;

/* ---- the loop (timer.c) --------------------------------------------------------------- */

int timers_start(struct engine *eng, struct err *e) LEADD_MUST_CHECK;
void timers_stop(struct engine *eng);
/* After a commit, and when the clock was moved. */
void timers_arm(struct engine *eng);
/* Queues those that are due, BOUND_TIMERS_PASS at most. How many. */
size_t timers_queue(struct engine *eng);
/* The handler of ITEM_TIMER; and what is done when that failed: later again. */
int timer_item(struct engine *eng, struct item *it, struct err *e) LEADD_MUST_CHECK;
int timer_failed(struct engine *eng, const struct item *it, const struct err *why,
                 struct err *e) LEADD_MUST_CHECK;
/* An item has been through a pass. */
void timer_item_done(struct engine *eng);
/* pending, late, next_ms of the store as it is; pending is counted up to
 * TIMERS_COUNTED. */
#define TIMERS_COUNTED 100000
#define TIMERS_LATE_MS MINUTE_MS
struct timers_stats {
    int64_t pending, late, next_ms;
    int64_t held; /* of the late ones (late.h) */
};
int timers_stats(struct engine *eng, struct timers_stats *out, struct err *e) LEADD_MUST_CHECK;

/* ---- after a reload (timer_reload.c) ---------------------------------------------------- */

/* The rule set is another than the timers were looked through for last: queues the work. */
int timers_reload_start(struct engine *eng, struct err *e) LEADD_MUST_CHECK;
/* The handler of ITEM_TIMERS_RELOAD: one slice. */
int timers_reload_item(struct engine *eng, struct item *it, struct err *e) LEADD_MUST_CHECK;

/* ---- pretended time (walk.c) -------------------------------------------------------------- */

/* The clock goes to that time, and stops at every due time on the way until all that is
 * due then is done. The asker is answered at the end. */
void walk_start(struct engine *eng, const struct item *asker, int64_t to_ms);
void walk_stop(struct engine *eng);
/* At the start: pretended time is as the engine before this one left it. */
int walk_go_on(struct engine *eng, struct err *e) LEADD_MUST_CHECK;
/* After every pass. */
void walk_step(struct engine *eng);

#endif
