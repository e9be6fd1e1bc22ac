/* SPDX-License-Identifier: ISC
 *
 * escalation - a state that lasts too long: levels of a clock (see timer.h)
 *
 * One row of the table of timers stands for one episode, from the input that brought
 * the state to the one that ends it: step is the level that is next, since_ms what the
 * clock counts from, due_ms the time of that level. While the clock is paused due_ms is
 * empty and left_ms the time that was left, on the clock's own calendar; when all levels
 * have been, both are empty, and the row keeps the episode from beginning anew.
 *
 * The time of a level is counted from that of the one before, not from when that fired,
 * so an engine that was down fires what it missed in order, and the rest at its time.
 */
#include <inttypes.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "base/units.h"
#include "engine/coverage.h"
#include "engine/firing.h"
#include "engine/timer.h"

#define UNKNOWN_MS INT64_C(600000) /* an outside lookup has not answered: later */

static const struct rule *escalation_find(const struct ruleset *rs, const char *name)
{
    const struct rule *r = ruleset_find(rs, name);
    return r && r->escalation ? r : NULL;
}

static struct timer_row row_read(const json_t *row)
{
    return (struct timer_row){.key = timer_key_of(row),
                              .due_ms = json_get_int(row, "due_ms", 0),
                              .step = json_get_int(row, "step", 0),
                              .since_ms = json_get_int(row, "since_ms", 0),
                              .left_ms = json_get_int(row, "left_ms", 0)};
}

/* 0: never. */
static int64_t add(const struct rule_escalation *x, int64_t from, int64_t ms)
{
    int64_t at = calendar_add(x->calendar, from, ms);
    return at == CALENDAR_NEVER ? 0 : at;
}

static int64_t clock_base(const struct rule_escalation *x, const struct crm_clock *c)
{
    return x->since == RULE_SINCE_TOUCHED && c->touched_ms ? c->touched_ms : c->created_ms;
}

/* Stops the clock while the customer is to answer, and lets it go on. */
static bool row_pause(const struct rule_escalation *x, struct timer_row *t, bool waits,
                      int64_t now_ms)
{
    if (waits && t->due_ms) {
        t->left_ms = calendar_between(x->calendar, now_ms, t->due_ms);
        t->left_ms += t->left_ms == 0; /* empty would mean: no level is left */
        t->due_ms = 0;
        return true;
    }
    if (!waits && t->left_ms) {
        t->due_ms = add(x, now_ms, t->left_ms);
        t->left_ms = 0;
        return true;
    }
    return false;
}

/* The first level of a new episode, or of a clock that was started over. */
static void row_begin(const struct rule_escalation *x, const struct crm_clock *c, int64_t now_ms,
                      struct timer_row *t)
{
    t->step = 0;
    t->since_ms = clock_base(x, c);
    t->due_ms = add(x, t->since_ms, x->levels[0].after_ms);
    t->left_ms = 0;
    row_pause(x, t, x->pauses && c->waits, now_ms);
}

/* ---- what the gate adds to the conditions ------------------------------------------- */

struct gate {
    const struct crm_clock *clock;
    struct firing *due;          /* a level is due; else NULL */
    const struct timer_row *row; /* begins, or is due; else NULL */
    bool paused;
};

static enum rule_outcome escalation_gate(void *arg, const struct rule *rule, struct rule_gate *out)
{
    const struct gate *g = arg;
    const struct rule_escalation *x = rule->escalation;
    if (x->since == RULE_SINCE_UNTOUCHED && g->clock->touched_ms) {
        snprintf(out->reason, sizeof(out->reason), "somebody of ours acted on it,");
        out->until_ms = g->clock->touched_ms;
        return RULE_ENDED;
    }
    if (!g->row)
        return RULE_MATCHED;
    snprintf(out->reason, sizeof(out->reason), "level %" PRId64 " of %zu%s", g->row->step + 1,
             x->level_count, g->due ? "" : g->paused ? ", paused" : ", until");
    if (g->due)
        return firing_gate(g->due, rule, out);
    out->until_ms = g->row->due_ms;
    return RULE_WAITS;
}

/* ---- the end of an input -------------------------------------------------------------- */

static int escalation_check(struct input *in, const json_t *row, const struct crm_target *target,
                            struct err *e)
{
    struct timer_asked a;
    struct crm_clock clock;
    struct timer_row t = row_read(row);
    enum crm_entity kind = crm_entity_parse(t.key.entity);
    const struct rule *rule = escalation_find(crm_rules(in->eng->crm), t.key.rule);
    if (!rule)
        return 0; /* timer_reload.c takes it out */
    if (crm_clock(in->ctx, kind, t.key.record_id, &clock, e) < 0)
        return -1;
    const struct rule_escalation *x = rule->escalation;
    struct gate gate = {.clock = &clock};
    timer_ask(in, rule, "escalation.ended", kind, target, escalation_gate, &gate, &a);
    int rc = 0;
    if (!timer_goes_on(&a)) {
        timer_asked_journal(in, &a);
        engine_count(in->eng, "timers_cancelled", 1);
        rc = timer_remove(in->eng, &t.key, e);
    } else if (x->since == RULE_SINCE_TOUCHED && clock_base(x, &clock) != t.since_ms) {
        row_begin(x, &clock, in->now_ms, &t);
        input_note(in, "escalation %s starts over: somebody of ours acted on it", t.key.rule);
        rc = timer_write(in->eng, &t, e);
    } else if (row_pause(x, &t, x->pauses && clock.waits, in->now_ms)) {
        input_note(in, "escalation %s %s", t.key.rule,
                   t.left_ms ? "is paused: the customer is to answer" : "goes on");
        rc = timer_write(in->eng, &t, e);
    }
    timer_asked_done(&a);
    return rc;
}

static int begin_one(struct input *in, const struct rule *rule, enum crm_entity t,
                     const struct crm_target *target, int64_t id, struct err *e)
{
    struct timer_asked a;
    struct crm_clock clock;
    json_t *there = NULL;
    const struct rule_escalation *x = rule->escalation;
    struct timer_row row = {.key = {"escalation", rule->name, crm_entity_name(t), id}};
    if (in->eng->timers.some && timer_get(in->eng->db, &row.key, &there, e) < 0)
        return -1;
    json_decref(there);
    if (there)
        return 0;
    if (crm_clock(in->ctx, t, id, &clock, e) < 0)
        return -1;
    if (x->since == RULE_SINCE_UNTOUCHED && clock.touched_ms)
        return 0;
    row_begin(x, &clock, in->now_ms, &row);
    struct gate gate = {.clock = &clock, .row = &row, .paused = row.left_ms > 0};
    timer_ask(in, rule, "escalation.begun", t, target, escalation_gate, &gate, &a);
    int rc = 0;
    if (a.d.outcome == RULE_WAITS) {
        timer_asked_journal(in, &a);
        engine_count(in->eng, "timers_begun", 1);
        rc = timer_write(in->eng, &row, e);
    }
    timer_asked_done(&a);
    return rc;
}

static int64_t target_id(const struct crm_target *t, enum crm_entity kind)
{
    return kind == CRM_LEAD ? t->lead : kind == CRM_DEAL ? t->deal : kind == CRM_CASE ? t->kase : t->task;
}

/* A record that no event before this one was about. */
static bool is_first(const struct input *in, size_t n, enum crm_entity kind, int64_t id)
{
    for (size_t i = 0; i < n; i++)
        if (target_id(&in->events[i].ev.target, kind) == id)
            return false;
    return true;
}

static int begin_record(struct input *in, const struct ruleset *rs, enum crm_entity kind,
                        int64_t id, struct err *e)
{
    struct crm_target target;
    struct err gone = {0};
    bool known = false;
    for (size_t i = ruleset_first_escalation(rs); i < ruleset_count(rs); i++) {
        const struct rule *rule = ruleset_rule(rs, i);
        if (strcmp(rule->over, crm_entity_name(kind)) != 0)
            continue;
        if (!known && crm_target_exact(in->ctx, kind, id, &target, &gone) < 0) {
            if (gone.cls == ERR_INPUT) /* deleted meanwhile */
                return 0;
            *e = gone;
            return -1;
        }
        known = true;
        if (begin_one(in, rule, kind, &target, id, e) < 0)
            return -1;
    }
    return 0;
}

int escalations_begin(struct input *in, struct err *e)
{
    static const enum crm_entity kinds[] = {CRM_LEAD, CRM_DEAL, CRM_CASE, CRM_TASK};
    const struct ruleset *rs = crm_rules(in->eng->crm);
    if (ruleset_first_escalation(rs) == ruleset_count(rs))
        return 0;
    for (size_t i = 0; i < in->count; i++)
        for (size_t k = 0; k < ARRAY_LEN(kinds); k++) {
            int64_t id = target_id(&in->events[i].ev.target, kinds[k]);
            if (id && is_first(in, i, kinds[k], id) && begin_record(in, rs, kinds[k], id, e) < 0)
                return -1;
        }
    return crm_facts_error(in->ctx, e);
}

/* ---- due ---------------------------------------------------------------------------------- */

static int fire_level(struct input *in, const struct rule *rule, struct timer_row *t,
                      struct timer_asked *a, struct err *e)
{
    const struct rule_escalation *x = rule->escalation;
    json_t *j = timer_asked_journal(in, a);
    switch (a->d.outcome) {
    case RULE_MATCHED:
        engine_count(in->eng, "timers_fired", 1);
        if (input_run_rule(in, &a->ev, &x->levels[t->step].run, j, e) < 0)
            return -1;
        t->step++;
        t->due_ms = (size_t)t->step < x->level_count
                        ? add(x, t->due_ms, x->levels[t->step].after_ms -
                                                x->levels[t->step - 1].after_ms)
                        : 0;
        return timer_write(in->eng, t, e);
    case RULE_OVER_BUDGET: /* it begins anew tomorrow */
        t->due_ms = (in->now_ms / DAY_MS + 1) * DAY_MS;
        return timer_write(in->eng, t, e);
    case RULE_CANNOT_KNOW: /* or the store failed: then input_finish() does, too */
        t->due_ms = in->now_ms + UNKNOWN_MS;
        return timer_write(in->eng, t, e);
    default:
        engine_count(in->eng, "timers_cancelled", 1);
        return timer_remove(in->eng, &t->key, e);
    }
}

static int fire_in(struct input *in, const struct rule *rule, struct timer_row *t, struct err *e)
{
    struct timer_asked a;
    struct crm_clock clock;
    enum crm_entity kind = crm_entity_parse(t->key.entity);
    if ((size_t)t->step >= rule->escalation->level_count) { /* it had more levels once */
        t->due_ms = 0;
        return timer_write(in->eng, t, e);
    }
    if (crm_clock(in->ctx, kind, t->key.record_id, &clock, e) < 0)
        return -1;
    struct firing due = {.in = in, .ev = &a.ev, .due = true, .step = t->step};
    struct gate gate = {.clock = &clock, .due = &due, .row = t};
    timer_ask(in, rule, "escalation.due", kind, &in->target, escalation_gate, &gate, &a);
    coverage_decided(in->eng->coverage, rule, coverage_is_hit(a.d.outcome), in->now_ms);
    int rc = fire_level(in, rule, t, &a, e);
    timer_asked_done(&a);
    return rc;
}

/* The record or the escalation is gone. */
static int fire_gone(struct input *in, const struct timer_row *t, const char *why, struct err *e)
{
    input_note(in, "escalation %s cancelled: %s", t->key.rule, why);
    engine_count(in->eng, "timers_cancelled", 1);
    return timer_remove(in->eng, &t->key, e);
}

static int escalation_fire(struct engine *eng, const json_t *row, struct err *e)
{
    struct input in;
    struct err gone = {0};
    char id[CRM_ID_LEN];
    struct timer_row t = row_read(row);
    const struct rule *rule = escalation_find(crm_rules(eng->crm), t.key.rule);
    timer_record(row, id);
    input_begin(&in, eng, mem_printf("escalation %s, level %" PRId64 ", on %s", t.key.rule, t.step + 1, id),
                mem_printf("E/%s/%s/%" PRId64 "/%" PRId64, t.key.rule, id, clock_now_ms(), t.step));
    int rc = crm_target_exact(in.ctx, crm_entity_parse(t.key.entity), t.key.record_id, &in.target,
                           &gone);
    if (rc < 0 && gone.cls != ERR_INPUT)
        *e = gone;
    else if (rc < 0 || !rule)
        rc = fire_gone(&in, &t, rc < 0 ? gone.text : "it is not in the rules any more", e);
    else
        rc = fire_in(&in, rule, &t, e);
    if (rc == 0)
        rc = input_finish(&in, e);
    input_end(&in);
    return rc;
}

/* ---- the kind ------------------------------------------------------------------------------ */

static bool escalation_known(const struct ruleset *rs, const char *name)
{
    return escalation_find(rs, name) != NULL;
}

static void escalation_tell(const struct ruleset *rs, const json_t *row, char *out, size_t n)
{
    struct timer_row t = row_read(row);
    const struct rule *rule = escalation_find(rs, t.key.rule);
    char ms[64];
    *out = '\0';
    if (!rule)
        return;
    const struct rule_escalation *x = rule->escalation;
    const char *calendar = x->calendar ? calendar_name(x->calendar) : "";
    if ((size_t)t.step >= x->level_count) {
        snprintf(out, n, "all %zu levels have been (%s)", x->level_count, rule->at);
        return;
    }
    text_format_duration(t.left_ms ? t.left_ms : x->levels[t.step].after_ms, ms, sizeof(ms));
    snprintf(out, n, "level %" PRId64 " of %zu, %s%s%s%s (%s)", t.step + 1, x->level_count,
             t.left_ms ? "the customer is to answer; left: " : t.due_ms ? "after " : "never: after ",
             ms, *calendar ? " business " : "", calendar, x->levels[t.step].run.at);
}

/* Of all its levels nothing is left to come. */
static bool escalation_over(const struct ruleset *rs, const json_t *row)
{
    const struct rule *rule = escalation_find(rs, json_get_str(row, "rule", ""));
    return rule && (size_t)json_get_int(row, "step", 0) >= rule->escalation->level_count;
}

const struct timer_kind timer_kind_escalation = {.name = "escalation",
                                                 .over = escalation_over,
                                                 .fire = escalation_fire,
                                                 .check = escalation_check,
                                                 .known = escalation_known,
                                                 .tell = escalation_tell};
