/* SPDX-License-Identifier: ISC
 *
 * rule: what holds of any condition, any rule set and any event
 *
 * Random ones, from a fixed seed; LEADD_PROPERTY=N does N times as much, from
 * other seeds.
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
#include "rule/ruleset.h"
#include "rule/words.h"
#include "rule_random.h"

#define EXPRESSIONS 5000
#define SETS 500
#define EVENTS 200 /* per set: 100,000 pairs */

static struct rule_fields *fields;
static struct ruleset_env env = {.events = rnd_events, .event_count = ARRAY_LEN(rnd_events)};

static int setup(void **state)
{
    (void)state;
    fields = rule_fields_new(test_fields, ARRAY_LEN(test_fields));
    env.fields = fields;
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    rule_fields_free(&fields);
    return 0;
}

static int times(void)
{
    const char *s = getenv("LEADD_PROPERTY");
    int64_t n = 1;
    return s && text_parse_int(s, &n) == 0 && n > 0 ? (int)n : 1;
}

/* ---- print and parse --------------------------------------------------------- */

static void report_fail(void *arg, int col, const char *what)
{
    fail_msg("column %d: %s\n%s", col, what, (const char *)arg);
}

static struct rule_tables *random_tables(void)
{
    struct errlist errors AUTO_ERRLIST;
    errlist_init(&errors, 5);
    struct rnd r = {1};
    json_t *config AUTO_JSON = rnd_config(&r, 0);
    return rule_tables_new(json_get_obj(config, "tables"), &errors);
}

static void what_is_printed_is_the_same_condition(void **state)
{
    (void)state;
    struct rule_tables *tables = random_tables();
    struct expr_env e = {.fields = fields, .tables = tables};
    struct rnd r = {4711};
    struct buf text AUTO_BUF, printed AUTO_BUF, again AUTO_BUF;
    buf_init(&text, KIB(16));
    buf_init(&printed, KIB(64));
    buf_init(&again, KIB(64));
    for (int i = 0; i < EXPRESSIONS * times(); i++) {
        buf_reset(&text);
        buf_reset(&printed);
        buf_reset(&again);
        rnd_expr(&r, (int)rnd(&r, 5), &text);
        struct expr *x = expr_compile(&e, text.data, report_fail, text.data);
        expr_print(x, &printed);
        struct expr *y = expr_compile(&e, printed.data, report_fail, printed.data);
        expr_print(y, &again);
        if (!expr_same(x, y) || strcmp(printed.data, again.data) != 0)
            fail_msg("written %s\nprinted %s\nagain   %s", text.data, printed.data, again.data);
        expr_free(&x);
        expr_free(&y);
    }
    rule_tables_free(&tables);
}

/* ---- index and linear evaluation ------------------------------------------------ */

#define RULES_MAX 64

struct made {
    enum rule_outcome outcome;
    int when;
    const struct rule *by;
    char *json; /* own; of some */
};

struct world {
    struct rnd_facts now, before, event;
    bool existed;
    uint64_t seed;
};

static void world_make(struct world *w, struct rnd *r)
{
    for (size_t i = 0; i < ARRAY_LEN(test_fields); i++)
        rnd_value(r, &w->before, i);
    rnd_facts_copy(&w->event, &w->before);
    for (uint32_t n = 1 + rnd(r, 4); n > 0; n--)
        rnd_value(r, &w->event, rnd(r, ARRAY_LEN(test_fields)));
    rnd_facts_copy(&w->now, &w->event);
    if (rnd(r, 4) == 0)
        rnd_value(r, &w->now, rnd(r, ARRAY_LEN(test_fields)));
    w->existed = rnd(r, 5) != 0;
    w->seed = rnd(r, 1000000);
}

/* All decisions, by rule; those passed over keep outcome -1. */
static int decide(const struct ruleset *rs, const struct world *start, bool every, bool json,
                  struct made *out)
{
    static struct world w;
    struct rule_decision d;
    int matched = 0;
    w = *start;
    rnd_facts_copy(&w.now, &start->now);
    struct rule_facts facts = {.get = rnd_get, .now = &w.now,
                               .before = w.existed ? &w.before : NULL, .event = &w.event};
    struct rule_match *m = rule_match_new(rs, "lead.changed", &facts);
    if (every)
        rule_match_every(m);
    for (int i = 0; i < RULES_MAX; i++)
        out[i] = (struct made){.outcome = (enum rule_outcome)-1};
    for (int last = -1; rule_match_next(m, &d); last = d.rule->index) {
        struct made *made = &out[d.rule->index];
        assert_true(d.rule->index > last); /* in order */
        *made = (struct made){d.outcome, d.when_index, d.by, NULL};
        if (json) {
            json_t *j AUTO_JSON = rule_match_json(m);
            made->json = json_text(j);
        }
        if (d.outcome == RULE_MATCHED) {
            struct rnd r = {w.seed + (uint64_t)d.rule->index};
            matched++;
            if (rnd(&r, 2)) /* its commands change something */
                rnd_value(&r, &w.now, rnd(&r, ARRAY_LEN(test_fields)));
        }
    }
    rule_match_free(&m);
    return matched;
}

static bool may_be_passed_over(enum rule_outcome o)
{
    return o == RULE_NOT_TRUE || o == RULE_GROUP_TAKEN || o == RULE_STOPPED;
}

struct tally {
    int pairs, matching, by_matches[6], rules, passed, indexed;
};

static void compare(const struct ruleset *rs, const struct world *w, bool json, struct tally *t)
{
    struct made all[RULES_MAX], some[RULES_MAX];
    int matched = decide(rs, w, true, json, all), again = decide(rs, w, false, json, some);
    assert_int_equal(matched, again);
    t->pairs++;
    t->matching += matched > 0;
    t->by_matches[matched < 5 ? matched : 5]++;
    for (size_t i = 0; i < ruleset_count(rs); i++) {
        t->rules++;
        if (some[i].outcome == (enum rule_outcome)-1) {
            t->passed++;
            if (!may_be_passed_over(all[i].outcome))
                fail_msg("rule %s was passed over: %s", ruleset_rule(rs, i)->name,
                         rule_outcome_name(all[i].outcome));
        } else if (all[i].outcome != some[i].outcome || all[i].when != some[i].when ||
                   all[i].by != some[i].by ||
                   (json && strcmp(all[i].json, some[i].json) != 0)) {
            fail_msg("rule %s: %s, by the index %s", ruleset_rule(rs, i)->name,
                     rule_outcome_name(all[i].outcome), rule_outcome_name(some[i].outcome));
        }
        mem_free(all[i].json);
        mem_free(some[i].json);
    }
}

static struct ruleset *random_set(struct rnd *r, int rules)
{
    struct errlist errors AUTO_ERRLIST;
    struct buf said AUTO_BUF;
    errlist_init(&errors, 5);
    buf_init(&said, KIB(8));
    json_t *config AUTO_JSON = rnd_config(r, rules);
    struct ruleset *rs = ruleset_new(config, &env, &errors);
    errlist_print(&errors, &said);
    if (!rs)
        fail_msg("%s", said.data);
    return rs;
}

static void index_and_linear_evaluation_agree(void **state)
{
    (void)state;
    static struct world w;
    struct tally t = {0};
    struct rnd r = {20261122};
    for (int s = 0; s < SETS * times(); s++) {
        struct ruleset *rs = random_set(&r, RULE_INDEX_FROM + (int)rnd(&r, 12));
        for (int e = 0; e < EVENTS; e++) {
            world_make(&w, &r);
            compare(rs, &w, e % 100 == 0, &t);
        }
        ruleset_free(&rs);
    }
    print_message("%d pairs of rules and event: %.1f %% match something; "
                  "0 to 4 and more rules match in %d, %d, %d, %d, %d, %d; "
                  "of %d rules %.1f %% were passed over\n",
                  t.pairs, 100.0 * t.matching / t.pairs, t.by_matches[0], t.by_matches[1],
                  t.by_matches[2], t.by_matches[3], t.by_matches[4], t.by_matches[5], t.rules,
                  100.0 * t.passed / t.rules);
    assert_true(t.pairs >= SETS * EVENTS);
    assert_true(t.matching * 10 >= t.pairs * 3);
    assert_true(t.passed * 10 >= t.rules * 2); /* and it spares work */
}

/* ---- words ---------------------------------------------------------------------- */

static void found_one(void *arg, int value)
{
    bool *found = arg;
    found[value] = true;
}

static void words_are_found_where_a_search_finds_them(void **state)
{
    (void)state;
    struct rnd r = {99};
    for (int i = 0; i < 2000 * times(); i++) {
        char words[40][5], text[40];
        enum word_place places[40];
        size_t count = 1 + rnd(&r, 40), n = rnd(&r, 40);
        struct words *w = words_new();
        for (size_t k = 0; k < count; k++) {
            size_t len = 1 + rnd(&r, 4);
            for (size_t c = 0; c < len; c++)
                words[k][c] = (char)('a' + rnd(&r, 3));
            words[k][len] = '\0';
            places[k] = (enum word_place)rnd(&r, 3);
            words_add(w, words[k], len, places[k], (int)k);
        }
        for (size_t c = 0; c < n; c++)
            text[c] = (char)('a' + rnd(&r, 3));
        words_build(w);
        for (int again = 0; again < 2; again++) {
            bool found[40] = {false};
            words_scan(w, (struct str){text, n}, found_one, found);
            for (size_t k = 0; k < count; k++) {
                size_t len = strlen(words[k]);
                bool want = places[k] == WORD_ANYWHERE ? memmem(text, n, words[k], len) != NULL
                            : places[k] == WORD_STARTS
                                ? n >= len && memcmp(text, words[k], len) == 0
                                : n >= len && memcmp(text + n - len, words[k], len) == 0;
                if (found[k] != want)
                    fail_msg("%s (%d) in %.*s: %d", words[k], places[k], (int)n, text, found[k]);
            }
        }
        words_free(&w);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_printed_is_the_same_condition),
        cmocka_unit_test(index_and_linear_evaluation_agree),
        cmocka_unit_test(words_are_found_where_a_search_finds_them),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
