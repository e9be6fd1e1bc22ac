/* SPDX-License-Identifier: ISC
 *
 * input - see input.h
 */
#include "engine/input.h"

#include <inttypes.h>
#include <stdarg.h>
#include <string.h>

#include "base/bounds.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "crm/command.h"
#include "crm/events.h"
#include "engine/coverage.h"
#include "engine/broadcast.h"
#include "engine/enrol.h"
#include "engine/firing.h"
#include "engine/call.h"
#include "engine/notice.h"
#include "engine/reminder.h"
#include "engine/timer.h"
#include "rule/record.h"
#include "rule/ruleset.h"
#include "store/journal.h"

void input_note(struct input *in, const char *fmt, ...)
{
    char text[512];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    text[text_utf8_cut(text, strlen(text), sizeof(text) - 2)] = '\0'; /* or JSON refuses it */
    if (json_array_size(in->j_notes) < 64)
        json_array_append_new(in->j_notes, json_string(text));
}

/* ---- events ---------------------------------------------------------------- */

static void input_on_event(void *arg, const struct crm_event *ev)
{
    struct input *in = arg;
    char what[96];
    if (in->depth >= BOUND_CHAIN_DEPTH) {
        snprintf(what, sizeof(what), "%s would be the %dth event in a chain", ev->name,
                 in->depth + 1);
        input_loop(in, what, &ev->actor);
        return;
    }
    if (in->count >= BOUND_EVENTS_PER_INPUT) {
        snprintf(what, sizeof(what), "more than %d events of one input", BOUND_EVENTS_PER_INPUT);
        input_loop(in, what, &ev->actor);
        return;
    }
    if (in->count == in->cap) {
        in->cap = in->cap ? in->cap * 2 : 16;
        in->events = mem_grow(in->events, in->cap * sizeof(*in->events));
    }
    in->events[in->count++] =
        (struct input_event){.ev = *ev, .depth = in->depth + 1, .parent = in->running};
}

static enum crm_entity target_entity(const struct crm_event *ev, int64_t *id_out)
{
    const struct crm_target *t = &ev->target;
    const int64_t ids[CRM_ENTITY_COUNT] = {
        [CRM_LEAD] = t->lead,         [CRM_CONTACT] = t->contact, [CRM_COMPANY] = t->company,
        [CRM_DEAL] = t->deal,         [CRM_CASE] = t->kase,       [CRM_TASK] = t->task,
        [CRM_ACTIVITY] = t->activity,
    };
    *id_out = ids[ev->entity];
    return ev->entity;
}

/* Every journal row is short: who did it is said when it is somebody else than
 * before, and a depth when it is not 1. */
size_t input_journal_event(struct input *in, const struct crm_event *ev, int depth)
{
    char id[CRM_ID_LEN] = "";
    int64_t record;
    enum crm_entity t = target_entity(ev, &record);
    const struct crm_actor *last = &in->j_actor;
    json_t *j = json_object();
    json_put_str(j, "event", ev->name);
    if (record)
        json_put_str(j, "entity", crm_id_format(t, record, id));
    if (depth != 1)
        json_put_int(j, "depth", depth);
    if (!last->name || last->kind != ev->actor.kind || strcmp(last->name, ev->actor.name) != 0) {
        json_put_str(j, "by", crm_actor_kind_name(ev->actor.kind));
        json_put_str(j, "actor", ev->actor.name);
        in->j_actor = ev->actor;
    }
    json_array_append_new(in->j_events, j);
    return json_array_size(in->j_events) - 1;
}

/* ---- rules ------------------------------------------------------------------ */

/* Takes personal values out of a trace: they go where erasure reaches them. */
static void trace_seal(struct input *in, json_t *decision)
{
    size_t i;
    json_t *seen;
    json_t *list = json_get_arr(json_get_obj(decision, "trace"), "seen");
    json_array_foreach(list, i, seen) {
        bool personal = json_get_bool(seen, "personal", false);
        json_object_del(seen, "personal");
        if (strcmp(json_get_str(seen, "value", ""), "not set") == 0)
            json_object_del(seen, "value"); /* `why` says it of nothing */
        if (!personal || !json_object_get(seen, "value"))
            continue;
        char key[32];
        snprintf(key, sizeof(key), "seen:%zu:%zu", json_array_size(in->j_decisions), i);
        json_object_set(in->j_personal, key, json_object_get(seen, "value"));
        json_object_del(seen, "value");
        json_put_str(seen, "sealed", key);
    }
}

/* What the rule set of this row's ruleset_id tells again is left out: where the
 * rule stands, and the condition's text when the whole of it was false. That a
 * rule matched goes without saying, and that a condition named was not true. */
static void decision_shorten(json_t *d, const struct rule_decision *rd)
{
    json_t *trace = json_get_obj(d, "trace");
    const char *part = json_get_str(trace, "part", NULL);
    json_object_del(d, "at");
    if (rd->outcome == (json_object_get(d, "when") ? RULE_NOT_TRUE : RULE_MATCHED))
        json_object_del(d, "outcome");
    if (part && rd->when_index >= 0 && strcmp(part, rd->rule->when[rd->when_index].text) == 0) {
        json_object_del(trace, "part");
        json_object_del(trace, "col");
    }
}

json_t *input_journal_decision(struct input *in, size_t event, struct rule_match *m,
                               const struct rule_decision *rd)
{
    json_t *d = rule_match_json(m);
    if (!rd->rule->asked) /* of no rule of the set: all of it is kept */
        decision_shorten(d, rd);
    json_put_int(d, "event", (json_int_t)event);
    trace_seal(in, d);
    json_array_append_new(in->j_decisions, d);
    return d;
}

/* One entry of a decision's "did": the number of the command that has line and
 * result, or both when it was refused or its entry is sealed. */
static json_t *journal_did(const struct input *in, const char *line, const char *error,
                           const char *result)
{
    size_t last = json_array_size(crm_commands(in->ctx)) - 1;
    if (!error && json_get_str(json_array_get(crm_commands(in->ctx), last), "result", NULL))
        return json_integer((json_int_t)last);
    return json_pack("{s:s, s:s}", "line", line, error ? "error" : "result", error ? error : result);
}

/* A command that is refused leaves the others of its rule alone: the lead is
 * still worth what can be done. The refusal is told. */
int input_run_rule(struct input *in, const struct crm_event *ev, const struct rule *rule,
                   json_t *decision, struct err *e)
{
    struct crm_actor actor = {.kind = CRM_BY_RULE, .name = rule->name, .at = rule->at};
    json_t *results = json_array();
    json_object_set_new(decision, "did", results);
    struct coverage *coverage = rule->asked ? NULL : in->eng->coverage; /* of the set's rules */
    coverage_fired(coverage, rule);
    if (firing_ran(in, rule, ev, e) < 0)
        return -1;
    for (size_t i = 0; i < rule->command_count; i++) {
        struct crm_result res = {0};
        struct err ce = {0};
        const char *line = rule->commands[i].text;
        if (++in->commands > BOUND_COMMANDS_PER_INPUT) {
            char what[64];
            snprintf(what, sizeof(what), "more than %d commands of one input",
                     BOUND_COMMANDS_PER_INPUT);
            input_loop(in, what, &actor);
            return 0;
        }
        int rc = crm_command_run(in->ctx, &ev->target, line, &actor, &res, &ce);
        if (rc < 0 && ce.cls != ERR_INPUT) {
            *e = ce;
            return err_wrap(e, "rule %s (%s): %s", rule->name, rule->commands[i].at, line);
        }
        json_array_append_new(results, journal_did(in, line, rc < 0 ? ce.text : NULL, res.text));
        if (rc == 0)
            continue;
        coverage_refused(coverage, rule);
        log_warn("rule.refused", "rule=%s at=%s command=\"%s\" error=\"%s\" next=ignored",
                 rule->name, rule->commands[i].at, line, ce.text);
    }
    return 0;
}

/* ---- one event -------------------------------------------------------------------- */

/* What the others were decided from is kept instead, once for all rules. */
static bool journal_wants(const struct input *in, const struct rule_decision *d)
{
    return in->eng->journal == JOURNAL_EVERY || d->outcome == RULE_MATCHED ||
           d->outcome >= RULE_WAITS;
}

static void facts_begin(struct input *in, struct rule_match *m, const char *event, size_t place)
{
    const int *fields;
    const struct ruleset *rules = crm_rules(in->eng->crm);
    if (in->eng->journal == JOURNAL_EVERY)
        rule_match_every(m);
    if (in->eng->journal != JOURNAL_FACTS || ruleset_fields(rules, event, &fields) == 0)
        return;
    if (!in->record) {
        in->record = rule_record_new(crm_fields(in->eng->crm), crm_kept_with_message, in->ctx);
        in->j_sealed = json_array();
    }
    rule_record_event(in->record, json_array_get(in->j_events, place));
}

static void facts_take(struct input *in, struct rule_match *m)
{
    if (in->record && in->eng->journal == JOURNAL_FACTS)
        rule_record_take(in->record, m, in->j_sealed);
}

static int event_decided(struct input *in, const struct crm_event *ev, size_t place,
                         struct rule_match *m, const struct rule_decision *d, struct err *e)
{
    json_t *j = journal_wants(in, d) ? input_journal_decision(in, place, m, d) : NULL;
    int rc = 0;
    coverage_decided(in->eng->coverage, d->rule, coverage_is_hit(d->outcome), in->now_ms);
    if (d->outcome == RULE_MATCHED) {
        facts_take(in, m);
        rc = input_run_rule(in, ev, d->rule, j, e);
        in->stopped |= d->rule->stop == RULE_STOP_ALL;
    }
    coverage_done(in->eng->coverage, d->rule);
    return rc;
}

static int input_event_run(struct input *in, size_t n, struct err *e)
{
    struct crm_event ev = in->events[n].ev; /* the array may move */
    int rc = 0;
    in->depth = in->events[n].depth;
    in->running = n + 1;
    crm_set_cause(in->ctx, &in->events[n].ev.actor);
    size_t place = input_journal_event(in, &ev, in->depth);
    struct crm_facts *facts = crm_facts_new(in->ctx, &ev);
    struct firing firing = {.in = in, .ev = &ev};
    struct rule_facts gated = *crm_facts_rule(facts);
    gated.gate = firing_gate;
    gated.gate_arg = &firing;
    struct rule_match *m = rule_match_new(crm_rules(in->eng->crm), ev.name, &gated);
    facts_begin(in, m, ev.name, place);
    struct rule_decision d;
    coverage_begin(in->eng->coverage);
    while (rc == 0 && rule_match_next(m, &d))
        rc = event_decided(in, &ev, place, m, &d, e);
    if (rc == 0)
        facts_take(in, m);
    rule_match_free(&m);
    crm_facts_free(&facts);
    if (rc == 0)
        rc = crm_facts_error(in->ctx, e);
    if (rc == 0 && in->failed.cls != ERR_NONE)
        rc = err_set(e, in->failed.cls, "%s", in->failed.text);
    return rc;
}

static int input_drain(struct input *in, struct err *e)
{
    while (in->next < in->count && !in->stopped)
        if (input_event_run(in, in->next++, e) < 0)
            return -1;
    in->depth = 0;
    in->running = 0;
    crm_set_cause(in->ctx, NULL);
    return 0;
}

/* ---- the end of it ------------------------------------------------------------ */

/* A gap in the assignment rules: told in the log, and to the administrator at
 * most once an hour. */
static int owner_missed(struct input *in, const char *id, bool lead, struct err *e)
{
    char hour[32];
    log_warn(lead ? "lead.no_rule" : "case.no_rule", "%s=%s next=\"default_owner\"",
             lead ? "lead" : "case", id);
    engine_count(in->eng, lead ? "leads_default_owner" : "cases_default_owner", 1);
    AUTO_FREE char *key = mem_printf("no-rule/%s", notice_hour(hour));
    AUTO_FREE char *text =
        mem_printf("No rule gave %s an owner, so the default owner has it.\n\n"
                   "leadctl why %s shows what each rule saw. This is told at most once an hour; all\n"
                   "such leads: leadctl list leads owner=%s\n",
                   id, id, engine_setting(in->eng, "default_owner", "?"));
    return notice_admin(in->eng, key, "leadd: no assignment rule matched", text, e);
}

static int input_owners(struct input *in, struct err *e)
{
    for (size_t i = 0; i < in->count; i++) {
        struct crm_event ev = in->events[i].ev; /* the array grows below */
        bool assigned = false, lead = strcmp(ev.name, "lead.created") == 0;
        char id[CRM_ID_LEN];
        if (!lead && strcmp(ev.name, "case.created") != 0)
            continue;
        if ((lead ? crm_ensure_owner(in->ctx, ev.target.lead, &assigned, e)
                  : crm_ensure_case_owner(in->ctx, ev.target.kase, &assigned, e)) < 0)
            return -1;
        if (!assigned)
            continue;
        crm_id_format(lead ? CRM_LEAD : CRM_CASE, lead ? ev.target.lead : ev.target.kase, id);
        input_note(in, "no rule gave %s an owner: default_owner \"%s\" got it", id,
                   engine_setting(in->eng, "default_owner", "?"));
        if (owner_missed(in, id, lead, e) < 0)
            return -1;
    }
    return 0;
}

/* Rules that go in a circle, or too often: told at most once an hour each. */
static int input_warn(struct input *in, struct err *e)
{
    char hour[32];
    AUTO_FREE char *loop = mem_printf("loop/%s", notice_hour(hour));
    AUTO_FREE char *budget = mem_printf("budget/%s", notice_hour(hour));
    if (in->loop &&
        notice_admin(in->eng, loop, "leadd: rules go round in a circle", in->loop, e) < 0)
        return -1;
    if (in->over_budget && notice_admin(in->eng, budget, "leadd: too many rules ran for one record",
                                        in->over_budget, e) < 0)
        return -1;
    return 0;
}

static void journal_put(json_t *body, const char *key, const json_t *list)
{
    if (json_array_size(list))
        json_object_set(body, key, (json_t *)list);
}

/* A personal value that a change of this row has, too, is a reference to it: [change]. A row
 * of some bytes less is two in a page of the log instead of one. */
static void facts_seal(struct input *in)
{
    const char *key;
    const json_t *change;
    for (size_t i = 0; i < json_array_size(in->j_sealed); i++)
        json_object_foreach(in->j_personal, key, change) {
            const json_t *now = json_object_get(change, "new");
            int64_t n;
            if (!now || text_parse_int(key, &n) < 0 ||
                !json_equal(now, json_array_get(in->j_sealed, i)))
                continue;
            json_array_set_new(in->j_sealed, i, json_pack("[I]", (json_int_t)n));
            break;
        }
    if (json_array_size(in->j_sealed))
        json_object_set(in->j_personal, "facts", in->j_sealed);
}

static int input_journal(struct input *in, struct err *e)
{
    const json_t *commands = crm_commands(in->ctx);
    if (in->count + json_array_size(in->j_events) + json_array_size(commands) +
            json_array_size(in->j_notes) == 0)
        return 0;
    json_object_update_missing(in->j_personal, (json_t *)crm_personal(in->ctx));
    AUTO_JSON json_t *body = json_object();
    if (in->record)
        json_put_int(body, "v", JOURNAL_VERSION);
    facts_seal(in);
    journal_put(body, "events", in->j_events);
    journal_put(body, "decisions", in->j_decisions);
    journal_put(body, "commands", commands);
    journal_put(body, "notes", in->j_notes);
    json_put_str(body, "record", *in->given_on ? in->given_on : NULL);
    json_put_str(body, "proof", in->proof);
    if (in->handed_on)
        json_put_bool(body, "handed_on", true);
    AUTO_FREE char *text = json_line(body);
    AUTO_FREE char *personal = json_object_size(in->j_personal) ? json_line(in->j_personal) : NULL;
    struct journal_row row = {
        .at_ms = in->now_ms,
        .cause = in->cause,
        .contact_id = in->target.contact,
        .lead_id = in->target.lead,
        .case_id = in->target.kase,
        .ruleset_id = in->eng->ruleset_id,
        .body = text,
        .personal = personal,
    };
    if (journal_add(in->eng->db, &row, e) < 0)
        return -1;
    in->journal = row.id;
    return 0;
}

int input_run(struct input *in, struct err *e)
{
    return input_drain(in, e) < 0 || input_owners(in, e) < 0 ? -1 : input_drain(in, e);
}

int input_finish(struct input *in, struct err *e)
{
    if (input_run(in, e) < 0 || reminders_check(in, e) < 0 || timers_check(in, e) < 0 ||
        broadcasts_see(in, e) < 0 || escalations_begin(in, e) < 0)
        return -1;
    if (in->failed.cls != ERR_NONE)
        return err_set(e, in->failed.cls, "%s", in->failed.text);
    if ((in->loop || in->over_budget) && input_warn(in, e) < 0)
        return -1;
    return input_journal(in, e);
}

void input_begin(struct input *in, struct engine *eng, char *cause, char *intent)
{
    *in = (struct input){.eng = eng,
                         .hooks = {.arg = in,
                                   .event = input_on_event,
                                   .send = followup_send,
                                   .unsend = followup_unsend,
                                   .call = call_make,
                                   .uncall = call_take_back,
                                   .enrol = enrol_hook,
                                   .unenrol = enrol_undo,
                                   .broadcast = broadcast_hook},
                         .now_ms = clock_now_ms(),
                         .cause = cause,
                         .intent = intent,
                         .j_events = json_array(),
                         .j_decisions = json_array(),
                         .j_notes = json_array(),
                         .j_personal = json_object(),
                         .enrolled = json_array()};
    in->ctx = crm_begin(eng->crm, &in->hooks, in->now_ms);
}

void input_end(struct input *in)
{
    crm_end(&in->ctx);
    rule_record_free(&in->record);
    json_decref(in->j_sealed);
    json_decref(in->enrolled);
    mem_free(in->cause);
    mem_free(in->intent);
    mem_free(in->events);
    mem_free(in->begun);
    mem_free(in->loop);
    mem_free(in->over_budget);
    json_decref(in->j_events);
    json_decref(in->j_decisions);
    json_decref(in->j_notes);
    json_decref(in->j_personal);
}
