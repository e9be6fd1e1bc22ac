/* SPDX-License-Identifier: ISC
 *
 * timer_rule - timers of rules: begun, cancelled, fired (see timer.h)
 *
 * Whatever becomes of a timer stands in the journal as a decision of its rule, under an
 * event of its own that no rule can name: timer.due or timer.cancelled.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/bounds.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "crm/when.h"
#include "engine/coverage.h"
#include "engine/firing.h"
#include "engine/late.h"
#include "engine/timer.h"

#define UNKNOWN_MS INT64_C(600000) /* an outside lookup has not answered: later */

/* ---- begun ------------------------------------------------------------------------ */

static struct timer_key begun_key(const struct timer_begun *b)
{
    return (struct timer_key){"rule", b->rule->name, crm_entity_name(b->entity), b->id};
}

static bool begun_already(const struct input *in, const struct rule *rule, enum crm_entity t,
                          int64_t id, int64_t *due_out)
{
    for (size_t i = 0; i < in->begun_count; i++) {
        const struct timer_begun *b = &in->begun[i];
        if (b->rule == rule && b->entity == t && b->id == id) {
            *due_out = b->due_ms;
            return true;
        }
    }
    return false;
}

static void begun_add(struct input *in, struct timer_begun b)
{
    if (in->begun_count == in->begun_cap) {
        in->begun_cap = in->begun_cap ? in->begun_cap * 2 : 8;
        in->begun = mem_grow(in->begun, in->begun_cap * sizeof(*in->begun));
    }
    in->begun[in->begun_count++] = b;
}

static enum rule_outcome say(struct rule_gate *out, enum rule_outcome o, int64_t until_ms,
                             const char *reason)
{
    snprintf(out->reason, sizeof(out->reason), "%s", reason);
    out->until_ms = until_ms;
    return o;
}

static bool waits_already(struct input *in, const struct rule *rule, enum crm_entity t, int64_t id,
                          int64_t *due_out, struct err *e)
{
    struct timer_key k = {"rule", rule->name, crm_entity_name(t), id};
    json_t *row = NULL;
    if (begun_already(in, rule, t, id, due_out))
        return true;
    if (!in->eng->timers.some)
        return false;
    if (timer_get(in->eng->db, &k, &row, e) < 0)
        return false;
    *due_out = json_get_int(row, "due_ms", 0);
    bool there = row != NULL;
    json_decref(row);
    return there;
}

enum rule_outcome timer_begin(struct input *in, const struct rule *rule,
                              const struct crm_event *ev, struct rule_gate *out)
{
    struct timer_begun b = {.rule = rule, .target = ev->target};
    struct err e = {0};
    int64_t due = 0;
    b.entity = firing_record(ev, &b.id);
    if (!b.id)
        return say(out, RULE_LIMITED, 0, "the event is about no record that could wait");
    if (waits_already(in, rule, b.entity, b.id, &due, &e))
        return say(out, RULE_WAITS, due, "already, until");
    if (e.cls != ERR_NONE) {
        in->failed = e;
        return RULE_CANNOT_KNOW;
    }
    bool at_once = !rule->after.text; /* runs now, and again later */
    b.due_ms = calendar_span_add(at_once ? &rule->again.span : &rule->after.span, in->now_ms);
    b.step = at_once;
    if (at_once && rule->max == 1)
        return RULE_MATCHED;
    if (b.due_ms == CALENDAR_NEVER)
        return at_once ? RULE_MATCHED
                       : say(out, RULE_LIMITED, 0, "the calendar is closed for ever");
    begun_add(in, b);
    return at_once ? RULE_MATCHED : say(out, RULE_WAITS, b.due_ms, "until");
}

struct input_address {
    struct input *in;
    int64_t contact;
    struct err e;
};

/* ---- asked again -------------------------------------------------------------------- */

static void ask(struct input *in, const struct ruleset *rs, const struct rule *rule,
                const char *event, enum crm_entity t, const struct crm_target *target,
                rule_gate_fn gate, void *gate_arg, struct timer_asked *a)
{
    size_t changes = in->count ? in->events[in->count - 1].ev.after : 0;
    a->ev = (struct crm_event){.name = event,
                               .entity = t,
                               .target = *target,
                               .actor = in->count ? in->events[in->count - 1].ev.actor : crm_system,
                               .before = changes,
                               .after = changes};
    a->facts = crm_facts_new(in->ctx, &a->ev);
    struct rule_facts facts = *crm_facts_rule(a->facts);
    facts.gate = gate;
    facts.gate_arg = gate_arg;
    a->match = rule_match_one(rs, rule, &facts, &a->d);
}

void timer_ask(struct input *in, const struct rule *rule, const char *event, enum crm_entity t,
               const struct crm_target *target, rule_gate_fn gate, void *gate_arg,
               struct timer_asked *a)
{
    ask(in, crm_rules(in->eng->crm), rule, event, t, target, gate, gate_arg, a);
}

void timer_ask_of(struct input *in, const struct ruleset *rs, const struct rule *rule,
                  const char *event, enum crm_entity t, const struct crm_target *target,
                  struct timer_asked *a)
{
    ask(in, rs, rule, event, t, target, NULL, NULL, a);
}

void timer_asked_done(struct timer_asked *a)
{
    rule_match_free(&a->match);
    crm_facts_free(&a->facts);
}

bool timer_goes_on(const struct timer_asked *a)
{
    return a->d.outcome == RULE_MATCHED || a->d.outcome == RULE_CANNOT_KNOW;
}

json_t *timer_asked_journal(struct input *in, struct timer_asked *a)
{
    return input_journal_decision(in, input_journal_event(in, &a->ev, 1), a->match, &a->d);
}

const char *timer_record(const json_t *row, char out[CRM_ID_LEN])
{
    struct timer_key k = timer_key_of(row);
    *out = '\0';
    return *k.entity ? crm_id_format(crm_entity_parse(k.entity), k.record_id, out) : out;
}

/* A rule that only mails the contact has nothing to wait for when no mail may go there. */
static enum rule_outcome gate_address(void *arg, const struct rule *rule, struct rule_gate *out)
{
    struct input_address *x = arg;
    enum crm_address_use use;
    for (size_t i = 0; i < rule->command_count; i++)
        if (!crm_sends_to_contact(rule->commands[i].text))
            return RULE_MATCHED;
    if (rule->command_count == 0 || crm_contact_check(x->in->ctx, x->contact, &use, &x->e) < 0 ||
        use == CRM_ADDRESS_OK)
        return RULE_MATCHED;
    return say(out, RULE_LIMITED, 0,
               use == CRM_ADDRESS_OPTED_OUT ? "the contact has opted out"
                                            : "mail to the contact comes back");
}

static int rule_check(struct input *in, const json_t *row, const struct crm_target *target,
                      struct err *e)
{
    struct timer_asked a;
    struct timer_key k = timer_key_of(row);
    const struct rule *rule = ruleset_find(crm_rules(in->eng->crm), k.rule);
    if (!rule || !rule->timed)
        return 0; /* timer_reload.c takes it out */
    struct input_address x = {.in = in, .contact = target->contact};
    timer_ask(in, rule, "timer.cancelled", crm_entity_parse(k.entity), target, gate_address, &x, &a);
    int rc = 0;
    if (x.e.cls != ERR_NONE) {
        *e = x.e;
        rc = -1;
    } else if (!timer_goes_on(&a)) {
        timer_asked_journal(in, &a);
        engine_count(in->eng, "timers_cancelled", 1);
        rc = timer_remove(in->eng, &k, e);
    }
    timer_asked_done(&a);
    return rc;
}

static int begun_put(struct input *in, const struct timer_begun *b, struct err *e)
{
    struct timer_asked a;
    struct timer_row t = {.key = begun_key(b), .due_ms = b->due_ms, .step = b->step,
                          .since_ms = in->now_ms};
    struct crm_target target;
    struct err gone = {0};
    if (crm_target_exact(in->ctx, b->entity, b->id, &target, &gone) < 0) {
        if (gone.cls == ERR_INPUT)
            return 0;
        *e = gone;
        return -1;
    }
    timer_ask(in, b->rule, "timer.cancelled", b->entity, &target, NULL, NULL, &a);
    int rc = 0;
    if (timer_goes_on(&a))
        rc = timer_write(in->eng, &t, e);
    else
        timer_asked_journal(in, &a);
    engine_count(in->eng, "timers_begun", timer_goes_on(&a));
    timer_asked_done(&a);
    return rc;
}

/* ---- the end of an input --------------------------------------------------------------- */

static int row_check(struct input *in, const json_t *row, struct err *e)
{
    struct timer_key k = timer_key_of(row);
    const struct timer_kind *kind = timer_kind_find(k.kind);
    struct crm_target target;
    struct err gone = {0};
    if (!kind || !kind->check)
        return 0;
    if (crm_target_exact(in->ctx, crm_entity_parse(k.entity), k.record_id, &target, &gone) == 0)
        return kind->check(in, row, &target, e);
    *e = gone;
    if (gone.cls != ERR_INPUT)
        return -1;
    input_note(in, "timer of %s %s cancelled: %s", k.kind, k.rule, gone.text);
    return timer_remove(in->eng, &k, e);
}

static int rows_check(struct input *in, json_t *rows, struct err *e)
{
    size_t i;
    json_t *row;
    int rc = rows ? 0 : -1;
    json_array_foreach(rows, i, row)
        if (rc == 0)
            rc = row_check(in, row, e);
    json_decref(rows);
    return rc;
}

/* Events say what was touched. All that belongs to one contact is looked at in one go,
 * since a rule on a lead may ask about the contact or the deal. */
static bool touched_before(const struct input *in, size_t n, enum crm_entity t, int64_t id)
{
    int64_t other;
    for (size_t i = 0; i < n; i++) {
        const struct crm_event *ev = &in->events[i].ev;
        if (t == CRM_CONTACT ? ev->target.contact == id
                             : !ev->target.contact && firing_record(ev, &other) == t && other == id)
            return true;
    }
    return false;
}

static bool made_here(const struct input *in, enum crm_entity t, int64_t id)
{
    for (size_t i = 0; i < in->count; i++)
        if (t == CRM_CONTACT && in->events[i].ev.target.contact == id &&
            strcmp(in->events[i].ev.name, "contact.created") == 0)
            return true;
    return false;
}

int timers_check(struct input *in, struct err *e)
{
    for (size_t i = 0; in->eng->timers.some && i < in->count; i++) {
        const struct crm_event *ev = &in->events[i].ev;
        int64_t id = ev->target.contact;
        enum crm_entity t = id ? CRM_CONTACT : firing_record(ev, &id);
        if (!id || touched_before(in, i, t, id) || made_here(in, t, id))
            continue;
        if (rows_check(in, t == CRM_CONTACT
                               ? timer_of_contact(in->eng->db, id, e)
                               : timer_of_record(in->eng->db, crm_entity_name(t), id, e), e) < 0)
            return -1;
    }
    for (size_t i = 0; i < in->begun_count; i++)
        if (begun_put(in, &in->begun[i], e) < 0)
            return -1;
    return crm_facts_error(in->ctx, e);
}

/* ---- due -------------------------------------------------------------------------------- */

/* After it ran, or was skipped: again, or no more. */
static int fire_next(struct input *in, const struct rule *rule, const json_t *row, bool ran,
                     struct err *e)
{
    struct timer_row t = {.key = timer_key_of(row),
                          .step = json_get_int(row, "step", 0) + ran,
                          .since_ms = json_get_int(row, "since_ms", 0)};
    if (!rule->again.text || (rule->max && t.step >= rule->max))
        return timer_remove(in->eng, &t.key, e);
    t.due_ms = calendar_span_add(&rule->again.span, in->now_ms);
    return t.due_ms == CALENDAR_NEVER ? timer_remove(in->eng, &t.key, e)
                                      : timer_write(in->eng, &t, e);
}

static int fire_later(struct input *in, const json_t *row, int64_t due_ms, struct err *e)
{
    struct timer_row t = {.key = timer_key_of(row),
                          .due_ms = due_ms,
                          .step = json_get_int(row, "step", 0),
                          .since_ms = json_get_int(row, "since_ms", 0)};
    return timer_write(in->eng, &t, e);
}

static int fire_decided(struct input *in, const struct rule *rule, const json_t *row,
                        struct timer_asked *a, struct err *e)
{
    struct timer_key k = timer_key_of(row);
    json_t *j = timer_asked_journal(in, a);
    coverage_decided(in->eng->coverage, rule, coverage_is_hit(a->d.outcome), in->now_ms);
    switch (a->d.outcome) {
    case RULE_MATCHED:
        engine_count(in->eng, "timers_fired", 1);
        if (input_run_rule(in, &a->ev, rule, j, e) < 0)
            return -1;
        return fire_next(in, rule, row, true, e);
    case RULE_OVER_BUDGET: /* it begins anew tomorrow */
        return fire_later(in, row, (in->now_ms / DAY_MS + 1) * DAY_MS, e);
    case RULE_CANNOT_KNOW: /* or the store failed: then input_finish() does, too */
        return fire_later(in, row, in->now_ms + UNKNOWN_MS, e);
    default:
        engine_count(in->eng, "timers_cancelled", 1);
        return timer_remove(in->eng, &k, e);
    }
}

static int fire_in(struct input *in, const struct rule *rule, const json_t *row, struct err *e)
{
    struct timer_asked a;
    struct firing f = {.in = in, .ev = &a.ev, .due = true, .step = json_get_int(row, "step", 0)};
    struct timer_key k = timer_key_of(row);
    timer_ask(in, rule, "timer.due", crm_entity_parse(k.entity), &in->target, firing_gate, &f, &a);
    int rc = fire_decided(in, rule, row, &a, e);
    timer_asked_done(&a);
    return rc == 0 ? input_finish(in, e) : -1;
}

/* The record or the rule is gone. */
static int fire_gone(struct input *in, const json_t *row, const char *why, struct err *e)
{
    struct timer_key k = timer_key_of(row);
    input_note(in, "timer of %s cancelled: %s", k.rule, why);
    engine_count(in->eng, "timers_cancelled", 1);
    return timer_remove(in->eng, &k, e) < 0 ? -1 : input_finish(in, e);
}

/* The rule says that what is so late is not worth doing. */
static int fire_late(struct input *in, const struct rule *rule, const json_t *row, struct err *e)
{
    char when[40];
    crm_when_print(engine_setting(in->eng, "time_zone", "UTC"), json_get_int(row, "due_ms", 0), when,
                   sizeof(when));
    input_note(in, "timer of %s skipped: late, it was due %s", rule->name, when);
    engine_count(in->eng, "timers_skipped", 1);
    return fire_next(in, rule, row, false, e) < 0 ? -1 : input_finish(in, e);
}

static int rule_fire(struct engine *eng, const json_t *row, struct err *e)
{
    struct input in;
    struct err gone = {0};
    char id[CRM_ID_LEN];
    struct timer_key k = timer_key_of(row);
    const struct rule *rule = ruleset_find(crm_rules(eng->crm), k.rule);
    enum crm_entity t = crm_entity_parse(k.entity);
    crm_id_format(t, k.record_id, id);
    input_begin(&in, eng, mem_printf("timer %s on %s", k.rule, id),
                mem_printf("T/%s/%s/%" PRId64 "/%" PRId64, k.rule, id,
                           json_get_int(row, "since_ms", 0), json_get_int(row, "step", 0)));
    int rc = crm_target_exact(in.ctx, t, k.record_id, &in.target, &gone);
    if (rc < 0 && gone.cls != ERR_INPUT)
        *e = gone;
    else if (rc < 0)
        rc = fire_gone(&in, row, gone.text, e);
    else if (!rule || !rule->timed)
        rc = fire_gone(&in, row, rule ? "the rule does not wait any more" : "there is no such rule",
                       e);
    else if (rule->late_skip && late_is(eng, json_get_int(row, "due_ms", 0)))
        rc = fire_late(&in, rule, row, e);
    else
        rc = fire_in(&in, rule, row, e);
    input_end(&in);
    return rc;
}

/* ---- the kind ------------------------------------------------------------------------------ */

static bool rule_known(const struct ruleset *rs, const char *name)
{
    const struct rule *rule = ruleset_find(rs, name);
    return rule && rule->timed;
}

static void rule_tell(const struct ruleset *rs, const json_t *row, char *out, size_t n)
{
    const struct rule *rule = ruleset_find(rs, json_get_str(row, "rule", ""));
    int64_t step = json_get_int(row, "step", 0);
    char max[32] = "";
    *out = '\0';
    if (!rule || !rule->timed)
        return;
    if (rule->max && rule->again.text)
        snprintf(max, sizeof(max), " of %d", rule->max);
    if (step == 0)
        snprintf(out, n, "after %s (%s)", rule->after.text ? rule->after.text : "0s", rule->at);
    else
        snprintf(out, n, "again after %s, firing %" PRId64 "%s (%s)",
                 rule->again.text ? rule->again.text : "0s", step + 1, max, rule->at);
}

const struct timer_kind timer_kind_rule = {
    .name = "rule", .fire = rule_fire, .check = rule_check, .known = rule_known, .tell = rule_tell};
