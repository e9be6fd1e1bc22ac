/* SPDX-License-Identifier: ISC
 *
 * why_again - decisions that the journal does not tell are made again (see why.h)
 *
 * The journal keeps what rules were decided from and which of them ran. The rule set of
 * that time, compiled leniently, decides once more from that; what ran, waited or was
 * held back then stands in the row and is believed. Never writes.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "engine/engine.h"
#include "engine/why.h"
#include "rule/record.h"
#include "store/history.h"
#include "store/message.h"

/* An event with more rules tells only of those that ran or were held back, and counts
 * the others. */
#define AGAIN_ALL 100

struct again {
    struct engine *eng;
    const struct why_rules *rules;
    const char *only;        /* NULL: all rules */
    const json_t *row;
    struct crm_ctx *ctx;     /* own; NULL: the message was not asked for yet */
    json_t *message;         /* own */
    struct rule_recall *recall; /* own */
    size_t event;
    const json_t *told;      /* rule -> its decision in the row, of this event */
    json_t *out;             /* all decisions */
    size_t others;           /* left out */
};

/* ---- facts --------------------------------------------------------------------- */

/* A long text of the message of that time. */
static bool again_fetch(void *arg, int field, struct rule_value *out)
{
    struct again *a = arg;
    struct history_item it = {0};
    struct err e = {0};
    if (!a->ctx) {
        a->ctx = crm_begin(a->eng->crm, NULL, json_get_int(a->row, "at_ms", 0));
        if (history_of_cause(json_get_str(a->row, "cause", ""), &it))
            a->message = message_json(a->eng->db, it.message, &e);
        if (a->message)
            crm_message_again(a->ctx, a->message);
    }
    if (a->message)
        crm_message_value(a->ctx, field, out);
    return a->message != NULL;
}

/* The row knows what became of a rule whose conditions held. */
static enum rule_outcome again_gate(void *arg, const struct rule *rule, struct rule_gate *out)
{
    const struct again *a = arg;
    enum rule_outcome o = RULE_CANNOT_KNOW;
    const json_t *d = json_object_get(a->told, rule->name);
    if (d && rule_outcome_parse(json_get_str(d, "outcome", "matched"), &o))
        return o;
    snprintf(out->reason, sizeof(out->reason), "its conditions held; why it did not run is not kept");
    return RULE_CANNOT_KNOW;
}

/* ---- decisions ------------------------------------------------------------------ */

/* Its values are shown as they are; "not known yet" is what was erased meanwhile. */
static json_t *again_json(const struct again *a, struct rule_match *m)
{
    size_t i;
    json_t *seen, *d = rule_match_json(m);
    json_array_foreach(json_get_arr(json_get_obj(d, "trace"), "seen"), i, seen) {
        json_object_del(seen, "personal");
        if (strcmp(json_get_str(seen, "value", ""), "not known yet") == 0)
            json_put_str(seen, "value", "(erased)");
    }
    json_put_int(d, "event", (int64_t)a->event);
    return d;
}

static void again_decision(struct again *a, struct rule_match *m, struct rule_decision *d,
                           size_t rules)
{
    json_t *told = json_object_get(a->told, d->rule->name);
    enum rule_outcome then;
    bool wanted = a->only ? strcmp(a->only, d->rule->name) == 0 : told || rules <= AGAIN_ALL;
    if (wanted)
        json_array_append_new(a->out, told ? json_incref(told) : again_json(a, m));
    else
        a->others++;
    if (told && rule_outcome_parse(json_get_str(told, "outcome", "matched"), &then) &&
        then != d->outcome) /* some of its facts are lost */
        rule_match_as(m, then, d);
    if (d->outcome == RULE_MATCHED)
        rule_recall_next(a->recall);
}

/* Rules of that event that cannot be compiled any more. */
static void again_lost(struct again *a, const char *event)
{
    size_t i, n = strcspn(event, ".");
    json_t *rule;
    json_array_foreach(json_get_arr(a->rules->source, "rules"), i, rule) {
        const char *name = json_get_str(rule, "name", "?"),
                   *on = json_get_str(json_get_obj(rule, "on"), "text", ""),
                   *why = json_get_str(a->rules->lost, name, NULL);
        bool asked = strcmp(on, event) == 0 || (strlen(on) == n && strncmp(on, event, n) == 0);
        json_t *told = json_object_get(a->told, name);
        if (!why || !(told || asked) || (a->only && strcmp(a->only, name) != 0))
            continue;
        json_array_append_new(a->out, told ? json_incref(told)
                                           : json_pack("{s:s, s:s, s:s, s:I}", "rule", name, "outcome",
                                                       "cannot_know", "reason", why, "event",
                                                       (json_int_t)a->event));
    }
}

static void again_event(struct again *a, json_t *event)
{
    struct rule_decision d;
    const char *name = json_get_str(event, "event", "");
    const struct ruleset *rs = a->rules->set;
    rule_recall_event(a->recall, event);
    struct rule_facts facts = rule_recall_facts(a->recall);
    facts.gate = again_gate;
    facts.gate_arg = a;
    struct rule_match *m = rule_match_new(rs, name, &facts);
    size_t rules = ruleset_at_event(rs, name);
    rule_match_every(m);
    a->others = 0;
    while (rule_match_next(m, &d))
        again_decision(a, m, &d, rules);
    rule_match_free(&m);
    if (a->others && !a->only)
        json_put_int(event, "others", (int64_t)a->others);
    again_lost(a, name);
}

/* The sealed values; [7] is the new value of the row's change 7. NULL: erased. */
static json_t *again_sealed(const json_t *personal)
{
    size_t i;
    json_t *v, *facts = json_get_arr(personal, "facts"), *out = facts ? json_array() : NULL;
    json_array_foreach(facts, i, v) {
        const json_t *change = json_array_get(v, 0);
        char key[24];
        if (json_is_integer(change)) {
            snprintf(key, sizeof(key), "%" PRId64, (int64_t)json_integer_value(change));
            v = json_object_get(json_object_get(personal, key), "new");
        }
        json_array_append_new(out, v ? json_incref(v) : json_null());
    }
    return out;
}

/* The decisions of one event that the row has, by rule; timers have nothing else. */
static json_t *told_of(const json_t *decisions, size_t event)
{
    size_t i;
    json_t *d, *told = json_object();
    json_array_foreach((json_t *)decisions, i, d)
        if (json_get_int(d, "event", -1) == (int64_t)event)
            json_object_set(told, json_get_str(d, "rule", "?"), d);
    return told;
}

/* Those that no rule of the set at that event can be: of timers and escalations. */
static void again_rest(struct again *a, size_t from)
{
    const char *name;
    json_t *d;
    json_object_foreach((json_t *)a->told, name, d) {
        bool there = false;
        for (size_t i = from; i < json_array_size(a->out) && !there; i++)
            there = strcmp(json_get_str(json_array_get(a->out, i), "rule", ""), name) == 0;
        if (!there && (!a->only || strcmp(a->only, name) == 0))
            json_array_append(a->out, d);
    }
}

void why_again(struct engine *eng, json_t *row, const struct why_rules *rules, const char *only)
{
    json_t *body = json_get_obj(row, "body"), *event;
    struct again a = {.eng = eng, .rules = rules, .only = only, .row = row};
    json_t *decisions = json_get_arr(body, "decisions");
    AUTO_JSON json_t *sealed = again_sealed(json_get_obj(row, "personal"));
    size_t i;
    a.out = json_array();
    a.recall = rule_recall_new(crm_fields(eng->crm), sealed, again_fetch, &a);
    json_array_foreach(json_get_arr(body, "events"), i, event) {
        AUTO_JSON json_t *told = told_of(decisions, i);
        size_t from = json_array_size(a.out);
        a.event = i;
        a.told = told;
        again_event(&a, event);
        again_rest(&a, from);
    }
    json_object_set_new(body, "decisions", a.out);
    rule_recall_free(&a.recall);
    crm_end(&a.ctx);
    json_decref(a.message);
}
