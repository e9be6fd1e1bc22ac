/* SPDX-License-Identifier: ISC
 *
 * rule: a decision made again from what was kept is the decision that was made
 *
 * Random rules and facts, from a fixed seed; LEADD_PROPERTY=N does N times as much. The
 * index passes rules over when the facts are kept; all are asked again from them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>

#include "base/bounds.h"
#include "rule/index.h"
#include "rule/record.h"
#include "rule_random.h"

#define SETS 30
#define RUNS 10 /* per set */
#define RULES_MAX 64
#define RUN_EVENTS 3

/* ---- one run: some events, one after the other --------------------------------- */

struct run {
    struct rnd_facts now, before, event;
    bool existed;
    uint64_t seed;
    const struct ruleset *rs;
};

/* What the gate says of a rule whose conditions hold: follows from the run alone. */
static enum rule_outcome run_gate(void *arg, const struct rule *rule, struct rule_gate *out)
{
    const struct run *w = arg;
    struct rnd r = {w->seed * 31 + (uint64_t)rule->index};
    rnd(&r, 2);
    if (rnd(&r, 6))
        return RULE_MATCHED;
    snprintf(out->reason, sizeof(out->reason), "cooldown");
    out->until_ms = (int64_t)w->seed;
    return RULE_LIMITED;
}

static void run_event(struct run *w, struct rnd *r)
{
    rnd_facts_copy(&w->before, &w->now);
    for (uint32_t n = 1 + rnd(r, 4); n > 0; n--)
        rnd_value(r, &w->now, rnd(r, ARRAY_LEN(test_fields)));
    rnd_facts_copy(&w->event, &w->now);
    if (rnd(r, 4) == 0)
        rnd_value(r, &w->now, rnd(r, ARRAY_LEN(test_fields)));
    w->existed = rnd(r, 5) != 0;
    w->seed = rnd(r, 1000000);
}

/* Its commands change something, sometimes also what was before as it is read now. */
static void run_commands(struct run *w, const struct rule *rule)
{
    struct rnd r = {w->seed + (uint64_t)rule->index};
    if (rnd(&r, 2))
        rnd_value(&r, &w->now, rnd(&r, ARRAY_LEN(test_fields)));
    if (rnd(&r, 8) == 0)
        rnd_value(&r, &w->before, rnd(&r, ARRAY_LEN(test_fields)));
    if (rnd(&r, 8) == 0)
        rnd_value(&r, &w->event, rnd(&r, ARRAY_LEN(test_fields)));
}

static struct rule_facts run_facts(struct run *w)
{
    return (struct rule_facts){.get = rnd_get, .now = &w->now,
                               .before = w->existed ? &w->before : NULL, .event = &w->event,
                               .gate = run_gate, .gate_arg = w};
}

/* ---- the journal in small -------------------------------------------------------- */

static bool is_text_of_message(void *arg, int field)
{
    (void)arg;
    return strcmp(test_fields[field].name, "message.text") == 0;
}

static bool is_dear(void *arg, int field)
{
    (void)arg;
    return strcmp(test_fields[field].name, "lead.employees") == 0 ||
           strcmp(test_fields[field].name, "lead.tags") == 0;
}

static json_t *decision_line(const char *text)
{
    return json_string(text);
}

static json_t *match_text(struct rule_match *m)
{
    AUTO_JSON json_t *j = rule_match_json(m);
    AUTO_FREE char *text = json_text(j);
    return decision_line(text);
}

/* Runs one event; all decisions go to out when every is set, else the index passes
 * over what it can, and record and ran keep what a journal keeps. */
static void event_live(struct run *w, bool every, struct rule_record *record, json_t *event,
                       json_t *sealed, json_t *out)
{
    struct rule_facts facts = run_facts(w);
    struct rule_match *m = rule_match_new(w->rs, "lead.changed", &facts);
    struct rule_decision d;
    json_t *inline_ = json_object();
    if (every)
        rule_match_every(m);
    else
        rule_record_event(record, event);
    while (rule_match_next(m, &d)) {
        if (every)
            json_array_append_new(out, match_text(m));
        else if (d.outcome == RULE_MATCHED || d.outcome >= RULE_WAITS)
            json_object_set_new(inline_, d.rule->name,
                                json_pack("[i, s, I]", (int)d.outcome, d.gate.reason,
                                          (json_int_t)d.gate.until_ms));
        if (d.outcome != RULE_MATCHED)
            continue;
        if (!every)
            rule_record_take(record, m, sealed);
        run_commands(w, d.rule);
    }
    if (!every) {
        rule_record_take(record, m, sealed);
        json_object_set(event, "inline", inline_);
    }
    json_decref(inline_);
    rule_match_free(&m);
}

static enum rule_outcome recall_gate(void *arg, const struct rule *rule, struct rule_gate *out)
{
    const json_t *j = json_object_get(json_get_obj(arg, "inline"), rule->name);
    if (!j)
        fail_msg("%s ran in its second life alone", rule->name);
    snprintf(out->reason, sizeof(out->reason), "%s", json_string_value(json_array_get(j, 1)));
    out->until_ms = json_integer_value(json_array_get(j, 2));
    return (enum rule_outcome)json_integer_value(json_array_get(j, 0));
}

static void event_again(const struct ruleset *rs, struct rule_recall *recall, json_t *event,
                        json_t *out)
{
    struct rule_decision d;
    rule_recall_event(recall, event);
    struct rule_facts facts = rule_recall_facts(recall);
    facts.gate = recall_gate;
    facts.gate_arg = event;
    struct rule_match *m = rule_match_new(rs, "lead.changed", &facts);
    rule_match_every(m);
    while (rule_match_next(m, &d)) {
        json_array_append_new(out, match_text(m));
        if (d.outcome == RULE_MATCHED)
            rule_recall_next(recall);
    }
    rule_match_free(&m);
}

/* ---- the property ------------------------------------------------------------------- */

struct tally {
    int decisions, outcomes[RULE_ENDED + 1];
    size_t bytes, whole;
};

static const char *long_text(void)
{
    static char text[400];
    if (!*text)
        for (size_t i = 0; i + 8 < sizeof(text); i += 6)
            memcpy(text + i, i % 18 ? "offer " : "nOTHin ", 7);
    return text;
}

static bool fetch_text(void *arg, int field, struct rule_value *out)
{
    (void)arg;
    assert_true(is_text_of_message(NULL, field));
    out->state = RULE_VALUE_SET;
    out->text = rnd_str(long_text());
    return true;
}

static void run_begin(struct run *w, const struct ruleset *rs, struct rnd *r)
{
    w->rs = rs;
    for (size_t i = 0; i < ARRAY_LEN(test_fields); i++) {
        rnd_value(r, &w->now, i);
        if (is_text_of_message(NULL, (int)i) && rnd(r, 2)) {
            w->now.v[i].state = RULE_VALUE_SET;
            w->now.v[i].text = rnd_str(long_text());
        }
    }
}

static void run_compare(const json_t *expected, const json_t *made, struct tally *t)
{
    assert_int_equal(json_array_size(expected), json_array_size(made));
    for (size_t i = 0; i < json_array_size(expected); i++) {
        const char *a = json_string_value(json_array_get(expected, i)),
                   *b = json_string_value(json_array_get(made, i));
        if (strcmp(a, b) != 0)
            fail_msg("decided      %s\ndecided again %s", a, b);
        AUTO_JSON json_t *j = json_loads(a, 0, NULL);
        enum rule_outcome o;
        assert_true(rule_outcome_parse(json_get_str(j, "outcome", ""), &o));
        t->decisions++;
        t->outcomes[o]++;
    }
}

/* The same run three times: with every rule asked, kept, and decided again. */
static void run_thrice(const struct ruleset *rs, struct rnd *r, struct tally *t)
{
    static struct run start, w;
    struct rnd mark;
    AUTO_JSON json_t *expected = json_array(), *made = json_array(), *events = json_array(),
                     *sealed = json_array();
    run_begin(&start, rs, r);
    mark = *r;
    for (int every = 0; every < 2; every++) {
        struct rule_record *record = rule_record_new(ruleset_expr_env(rs)->fields,
                                                     is_text_of_message, NULL);
        w = start;
        rnd_facts_copy(&w.now, &start.now);
        *r = mark;
        for (int i = 0; i < RUN_EVENTS; i++) {
            AUTO_JSON json_t *event = json_object();
            run_event(&w, r);
            event_live(&w, every, record, event, sealed, expected);
            if (!every)
                json_array_append(events, event);
        }
        rule_record_free(&record);
    }
    AUTO_FREE char *text = json_line(events), *secret = json_line(sealed);
    AUTO_JSON json_t *stored = json_loads(text, 0, NULL), *kept = json_loads(secret, 0, NULL);
    struct rule_recall *recall = rule_recall_new(ruleset_expr_env(rs)->fields, kept, fetch_text,
                                                 NULL);
    for (size_t i = 0; i < json_array_size(stored); i++)
        event_again(rs, recall, json_array_get(stored, i), made);
    assert_false(rule_recall_lost(recall));
    rule_recall_free(&recall);
    t->bytes += strlen(text) + strlen(secret);
    run_compare(expected, made, t);
}

static struct ruleset *random_set(const struct ruleset_env *env, struct rnd *r, int rules)
{
    struct errlist errors AUTO_ERRLIST;
    errlist_init(&errors, 5);
    AUTO_JSON json_t *config = rnd_config(r, rules);
    struct ruleset *rs = ruleset_new(config, env, &errors);
    assert_non_null(rs);
    return rs;
}

static int times(void)
{
    const char *s = getenv("LEADD_PROPERTY");
    int64_t n = 1;
    return s && text_parse_int(s, &n) == 0 && n > 0 ? (int)n : 1;
}

static void a_decision_made_again_from_its_facts_is_the_same_byte_for_byte(void **state)
{
    (void)state;
    struct rule_fields *fields = rule_fields_new(test_fields, ARRAY_LEN(test_fields));
    struct ruleset_env env = {.events = rnd_events, .event_count = ARRAY_LEN(rnd_events),
                              .fields = fields, .is_dear = is_dear};
    struct rnd r = {20261122};
    struct tally t = {0};
    for (int i = 0; i < SETS * times(); i++) {
        struct ruleset *rs = random_set(&env, &r, 1 + (int)rnd(&r, RULES_MAX));
        for (int k = 0; k < RUNS; k++)
            run_thrice(rs, &r, &t);
        ruleset_free(&rs);
    }
    print_message("%d decisions:", t.decisions);
    for (size_t i = 0; i <= RULE_ENDED; i++)
        if (t.outcomes[i])
            print_message(" %s %.1f %%", rule_outcome_name((enum rule_outcome)i),
                          100.0 * t.outcomes[i] / t.decisions);
    print_message("; %.0f bytes an event\n", (double)t.bytes / (SETS * times() * RUNS * RUN_EVENTS));
    assert_true(t.outcomes[RULE_MATCHED] > t.decisions / 20);
    assert_true(t.outcomes[RULE_LIMITED] > 0 && t.outcomes[RULE_NOT_NEW] > 0);
    rule_fields_free(&fields);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_decision_made_again_from_its_facts_is_the_same_byte_for_byte),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
