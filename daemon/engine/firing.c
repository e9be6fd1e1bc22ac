/* SPDX-License-Identifier: ISC
 *
 * firing - see firing.h
 */
#include "engine/firing.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/bounds.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/mem.h"
#include "engine/budget.h"
#include "engine/notice.h"
#include "engine/timer.h"
#include "store/timer.h"

enum crm_entity firing_record(const struct crm_event *ev, int64_t *id_out)
{
    const struct crm_target *t = &ev->target;
    *id_out = ev->entity == CRM_LEAD      ? t->lead
              : ev->entity == CRM_CONTACT ? t->contact
              : ev->entity == CRM_COMPANY ? t->company
              : ev->entity == CRM_DEAL    ? t->deal
              : ev->entity == CRM_CASE    ? t->kase
              : ev->entity == CRM_TASK    ? t->task
                                          : 0;
    return *id_out ? ev->entity : budget_record(t, id_out);
}

bool firing_in_canary(const struct rule *rule, enum crm_entity t, int64_t id)
{
    AUTO_FREE char *name = mem_printf("%s/%s/%" PRId64, rule->name, crm_entity_name(t), id);
    return (uint64_t)hash_64(name, strlen(name)) % 100 < (uint64_t)rule->canary;
}

static enum rule_outcome gate_say(struct rule_gate *out, enum rule_outcome o, int64_t until_ms,
                                  const char *fmt, ...) LEADD_PRINTF(4, 5);
static enum rule_outcome gate_say(struct rule_gate *out, enum rule_outcome o, int64_t until_ms,
                                  const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(out->reason, sizeof(out->reason), fmt, ap);
    va_end(ap);
    out->until_ms = until_ms;
    return o;
}

static enum rule_outcome gate_failed(struct input *in, const struct err *e)
{
    if (in->failed.cls == ERR_NONE)
        in->failed = *e;
    return RULE_CANNOT_KNOW;
}

static enum rule_outcome gate_dates(const struct rule *rule, int64_t now, struct rule_gate *out)
{
    if (now < rule->valid_from)
        return gate_say(out, RULE_NOT_VALID, rule->valid_from, "valid from");
    if (now > rule->valid_to)
        return gate_say(out, RULE_NOT_VALID, rule->valid_to, "valid until");
    return RULE_MATCHED;
}

static enum rule_outcome gate_limits(struct input *in, const struct rule *rule, enum crm_entity t,
                                     int64_t id, struct rule_gate *out)
{
    int64_t count, last;
    struct err e = {0};
    if (firing_get(in->eng->db, rule->name, crm_entity_name(t), id, &count, &last, &e) < 0)
        return gate_failed(in, &e);
    if (count == 0)
        return RULE_MATCHED;
    if (rule->once)
        return gate_say(out, RULE_LIMITED, last, "fired once already,");
    if (rule->max && !rule->again.text && count >= rule->max)
        return gate_say(out, RULE_LIMITED, last, "fired %" PRId64 " times, the most that max "
                        "allows, last", count);
    int64_t until = rule->cooldown.text ? calendar_span_add(&rule->cooldown.span, last) : 0;
    if (in->now_ms < until)
        return gate_say(out, RULE_LIMITED, until, "cooldown until");
    return RULE_MATCHED;
}

/* Told in the log and to the administrator, once an hour. */
static void budget_told(struct input *in, const struct rule *rule, const char *id)
{
    log_warn("rules.budget", "record=%s rule=%s at=%s most=%d next=\"no rule runs for it until "
             "tomorrow\"", id, rule->name, rule->at, BOUND_FIRINGS_PER_DAY);
    engine_count(in->eng, "rules_over_budget", 1);
    if (in->over_budget)
        return;
    in->over_budget = mem_printf(
        "Rules ran %d times for %s today, which is as much as leadd lets them for one record in a\n"
        "day. Until tomorrow (UTC) no rule runs for it; the one that would have been next is\n"
        "%s (%s). Rules that wake each other by timers or mails do this.\n\n"
        "leadctl why %s shows what ran, and why. This is told at most once an hour.\n",
        BOUND_FIRINGS_PER_DAY, id, rule->name, rule->at, id);
}

static enum rule_outcome gate_budget(const struct firing *f, const struct rule *rule,
                                     struct rule_gate *out)
{
    int64_t id, spent;
    struct err e = {0};
    char name[CRM_ID_LEN];
    struct input *in = f->in;
    enum crm_entity t = budget_record(&f->ev->target, &id);
    if (budget_spent(in->eng->budget, in->eng->db, t, id, in->now_ms, &spent, &e) < 0)
        return gate_failed(in, &e);
    if (spent < BOUND_FIRINGS_PER_DAY)
        return RULE_MATCHED;
    budget_told(in, rule, crm_id_format(t, id, name));
    return gate_say(out, RULE_OVER_BUDGET, 0, "rules ran %" PRId64 " times for %s today", spent,
                    name);
}

static enum rule_outcome gate_shadow(const struct firing *f, const struct rule *rule,
                                     struct rule_gate *out)
{
    int64_t wait = rule->after.text && !f->due
                       ? calendar_span_add(&rule->after.span, f->in->now_ms) : 0;
    if (wait)
        return gate_say(out, RULE_SHADOW, wait, "would wait until");
    return gate_say(out, RULE_SHADOW, 0, "would run");
}

static enum rule_outcome gate_rule(const struct firing *f, const struct rule *rule,
                                   struct rule_gate *out)
{
    int64_t id;
    enum crm_entity t = firing_record(f->ev, &id);
    enum rule_outcome o = gate_dates(rule, f->in->now_ms, out);
    if (o != RULE_MATCHED)
        return o;
    if (rule->mode == RULE_CANARY && !firing_in_canary(rule, t, id))
        return gate_say(out, RULE_NOT_CANARY, 0, "not in the %d %%", rule->canary);
    if (rule->limited && f->step == 0 &&
        (o = gate_limits(f->in, rule, t, id, out)) != RULE_MATCHED)
        return o;
    return rule->mode == RULE_SHADOW_MODE ? gate_shadow(f, rule, out) : RULE_MATCHED;
}

enum rule_outcome firing_gate(void *arg, const struct rule *rule, struct rule_gate *out)
{
    struct firing *f = arg;
    enum rule_outcome o = rule->gated ? gate_rule(f, rule, out) : RULE_MATCHED;
    if (o == RULE_MATCHED)
        o = gate_budget(f, rule, out);
    if (o == RULE_MATCHED && rule->timed && !f->due)
        o = timer_begin(f->in, rule, f->ev, out);
    return o;
}

int firing_ran(struct input *in, const struct rule *rule, const struct crm_event *ev,
               struct err *e)
{
    int64_t id;
    enum crm_entity t = budget_record(&ev->target, &id);
    budget_spend(in->eng->budget, t, id, in->now_ms);
    if (!rule->limited)
        return 0;
    t = firing_record(ev, &id);
    return id ? firing_add(in->eng->db, rule->name, crm_entity_name(t), id, in->now_ms, e) : 0;
}
