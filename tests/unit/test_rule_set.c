/* SPDX-License-Identifier: ISC
 *
 * rule/ruleset: errors at load, order, groups, stop, edges, and the journal's
 * needs (hash, source, fields)
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>

#include "base/bounds.h"
#include "rule/ruleset.h"
#include "rule_facts.h"

static const struct rule_event test_events[] = {
    {"lead.created", "lead"},     {"lead.changed", "lead"}, {"lead.stage_changed", "lead"},
    {"message.received", NULL},   {"case.opened", "case"},
};

static struct rule_fields *fields;

/* Knows the commands "tag WORD" and "assign WORD". */
static int check_do(void *arg, const char *text, struct err *e, int *col_out)
{
    (void)arg;
    if (text_starts(text, "tag ") || text_starts(text, "assign "))
        return 0;
    *col_out = 0;
    return err_set(e, ERR_INPUT, "unknown command \"%s\"", text);
}

static struct ruleset_env env = {
    .events = test_events, .event_count = ARRAY_LEN(test_events), .check_do = check_do};

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

/* JSON with ` for ", so that conditions can be read. */
static json_t *parse(const char *text)
{
    struct err e = {0};
    AUTO_FREE char *copy = mem_str(text);
    for (char *p = copy; *p; p++)
        if (*p == '`')
            *p = '"';
    json_t *v = json_load_bounded(copy, strlen(copy), MIB(64), &e);
    if (!v)
        fail_msg("%s", e.text);
    return v;
}

static struct ruleset *load(const char *text)
{
    struct errlist errors AUTO_ERRLIST;
    struct buf said AUTO_BUF;
    errlist_init(&errors, 20);
    buf_init(&said, 8192);
    json_t *config AUTO_JSON = parse(text);
    struct ruleset *rs = ruleset_new(config, &env, &errors);
    errlist_print(&errors, &said);
    if (!rs)
        fail_msg("%s", said.data);
    assert_int_equal(errors.count, 0);
    return rs;
}

#define RULE(name, on, rest) "{`name`:`" name "`,`at`:`r.conf:1`,`on`:{`text`:`" on "`}," rest "}"
#define WHEN(text) "`when`:[{`text`:`" text "`,`at`:`r.conf:2`}]"
#define DO "`do`:[{`text`:`tag x`,`at`:`r.conf:3`}]"

struct states {
    const char *now, *before, *event;
};

/* Runs an event and writes one line per decision. */
static void run(const struct ruleset *rs, const char *event, const struct states *s,
                struct buf *out)
{
    struct test_facts now = {.text = s->now}, before = {.text = s->before},
                      at_event = {.text = s->event};
    struct rule_facts facts = {.get = test_get,
                               .now = &now,
                               .before = s->before ? &before : NULL,
                               .event = s->event ? &at_event : NULL};
    struct rule_match *m = rule_match_new(rs, event, &facts);
    struct rule_decision d;
    while (rule_match_next(m, &d)) {
        rule_match_print(m, out);
        buf_char(out, '\n');
    }
    rule_match_free(&m);
}

static void check_run(const char *config, const char *event, const struct states *s,
                      const char *want)
{
    struct buf out AUTO_BUF;
    buf_init(&out, 8192);
    struct ruleset *rs = load(config);
    run(rs, event, s, &out);
    ruleset_free(&rs);
    assert_string_equal(out.data, want);
}

static void rules_run_in_order_and_say_why_not(void **state)
{
    (void)state;
    struct states s = {.now = "lead.score=70|contact.country=FR"};
    check_run("{`rules`:[" RULE("hot", "lead.created", WHEN("lead.score >= 60") "," DO) ","
              RULE("other", "message.received", DO) ","
              RULE("dach", "lead.created",
                   "`when`:[{`text`:`lead.score > 1`,`at`:`r.conf:8`},"
                   "{`text`:`contact.country in @dach`,`at`:`r.conf:9`}]," DO) ","
              RULE("always", "lead.created", DO) "],"
              "`tables`:{`dach`:{`values`:[`DE`,`AT`],`at`:`r.conf:20`}}}",
              "lead.created", &s,
              "hot (r.conf:1): matched\n"
              "dach (r.conf:1): not matched: contact.country in @dach is false: contact.country is "
              "'FR'\n"
              "always (r.conf:1): matched\n");
}

static void in_a_group_the_first_match_wins_and_other_groups_go_on(void **state)
{
    (void)state;
    struct states s = {.now = "lead.score=70"};
    check_run("{`rules`:["
              RULE("a1", "lead.created", "`first`:`a`," WHEN("lead.score > 100") "," DO) ","
              RULE("a2", "lead.created", "`first`:`a`," DO) ","
              RULE("b1", "lead.created", "`first`:`b`," DO) ","
              RULE("a3", "lead.created", "`first`:`a`," DO) ","
              RULE("b2", "lead.created", "`first`:`b`," DO) ","
              RULE("none", "lead.created", DO) "]}",
              "lead.created", &s,
              "a1 (r.conf:1): not matched: lead.score > 100 is false: lead.score is 70\n"
              "a2 (r.conf:1): matched\n"
              "b1 (r.conf:1): matched\n"
              "a3 (r.conf:1): skipped: a2 matched first in group \"a\"\n"
              "b2 (r.conf:1): skipped: b1 matched first in group \"b\"\n"
              "none (r.conf:1): matched\n");
}

static void stop_skips_what_follows(void **state)
{
    (void)state;
    struct states s = {.now = "lead.score=70"};
    check_run("{`rules`:["
              RULE("no", "lead.created", WHEN("lead.score > 100") ",`stop`:`all`," DO) ","
              RULE("yes", "lead.created", "`stop`:true") ","
              RULE("after", "lead.created", DO) "]}",
              "lead.created", &s,
              "no (r.conf:1): not matched: lead.score > 100 is false: lead.score is 70\n"
              "yes (r.conf:1): matched\n"
              "after (r.conf:1): skipped: yes (r.conf:1) stopped the event\n");
    struct ruleset *rs = load("{`rules`:[" RULE("a", "lead.created", "`stop`:`all`") ","
                              RULE("b", "lead.created", "`stop`:`rule`") ","
                              RULE("c", "lead.created", "`stop`:false," DO) "]}");
    assert_int_equal(ruleset_rule(rs, 0)->stop, RULE_STOP_ALL);
    assert_int_equal(ruleset_rule(rs, 1)->stop, RULE_STOP_EVENT);
    assert_int_equal(ruleset_rule(rs, 2)->stop, RULE_STOP_NO);
    ruleset_free(&rs);
}

#define EDGE "{`rules`:[" RULE("e", "lead", WHEN("lead.score >= 60 and not lead.contacted") "," DO) "]}"

static void a_rule_on_an_entity_fires_when_it_becomes_true(void **state)
{
    (void)state;
    static const struct {
        const char *event;
        struct states s;
        const char *want;
    } rows[] = {
        {"lead.changed", {"lead.score=60", "lead.score=59", NULL}, "matched"},
        {"lead.changed", {"lead.score=61", "lead.score=60", NULL},
         "not matched: it was true before the event already"},
        {"lead.changed", {"lead.score=59", "lead.score=60", NULL},
         "not matched: lead.score >= 60 is false: lead.score is 59"},
        {"lead.created", {"lead.score=60", NULL, NULL}, "matched"}, /* there was nothing before */
        {"lead.stage_changed", {"lead.score=60", "lead.score=59", NULL}, "matched"},
        /* an earlier rule of the pass made it true: its own event will fire it, once */
        {"lead.created", {"lead.score=60", NULL, "lead.score=0"},
         "not matched: lead.score >= 60 is false: lead.score is 0"},
        {"lead.changed", {"lead.score=60", "lead.score=0", "lead.score=60"}, "matched"},
        /* an earlier rule has undone it already */
        {"lead.changed",
         {"lead.score=60|lead.contacted=true", "lead.score=0", "lead.score=60"},
         "not matched: not lead.contacted is false: lead.contacted is true"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char want[300];
        snprintf(want, sizeof(want), "e (r.conf:1): %s\n", rows[i].want);
        check_run(EDGE, rows[i].event, &rows[i].s, want);
    }
    struct states s = {.now = "lead.score=60"};
    check_run(EDGE, "case.opened", &s, "");
    check_run(EDGE, "message.received", &s, "");
    check_run(EDGE, "no.such_event", &s, "");
}

static void what_cannot_be_known_is_not_guessed(void **state)
{
    (void)state;
    struct states s = {.now = "lead.industry=?|lead.score=1"};
    check_run("{`rules`:[" RULE("u", "lead.created", WHEN("lead.industry == 'it'") "," DO) ","
              RULE("f", "lead.created",
                   "`when`:[{`text`:`lead.industry == 'it'`},{`text`:`lead.score == 2`}]," DO) "]}",
              "lead.created", &s,
              "u (r.conf:1): cannot be decided now: lead.industry == 'it' is not known yet: "
              "lead.industry is not known yet\n"
              "f (r.conf:1): not matched: lead.score == 2 is false: lead.score is 1\n");
}

static void commands_of_a_rule_count_for_the_rules_after_it(void **state)
{
    (void)state;
    struct ruleset *rs = load("{`rules`:["
                              RULE("one", "lead.created", WHEN("lead.score == 1") "," DO) ","
                              RULE("two", "lead.created", WHEN("lead.score == 2") "," DO) "]}");
    struct test_facts now = {.text = "lead.score=1"};
    struct rule_facts facts = {.get = test_get, .now = &now};
    struct rule_match *m = rule_match_new(rs, "lead.created", &facts);
    struct rule_decision d;
    assert_true(rule_match_next(m, &d));
    assert_int_equal(d.outcome, RULE_MATCHED);
    now.text = "lead.score=2"; /* its command */
    assert_true(rule_match_next(m, &d));
    assert_string_equal(d.rule->name, "two");
    assert_int_equal(d.outcome, RULE_MATCHED);
    assert_false(rule_match_next(m, &d));
    json_t *nothing AUTO_JSON = rule_match_json(m);
    assert_int_equal(json_object_size(nothing), 0);
    rule_match_free(&m);
    ruleset_free(&rs);
}

/* A command may free what an earlier state shared with the record as it is. */
static void no_value_is_kept_over_commands(void **state)
{
    (void)state;
    struct ruleset *rs = load("{`rules`:["
                              RULE("one", "lead", WHEN("contact.country == 'AT'") "," DO) ","
                              RULE("two", "lead", WHEN("contact.country == 'DE'") "," DO)
                              "]}");
    char *shared = mem_str("contact.country=AT"), *old = mem_str("contact.country=FR");
    struct test_facts now = {.text = shared}, at_event = {.text = shared}, before = {.text = old};
    struct rule_facts facts = {.get = test_get, .now = &now, .before = &before, .event = &at_event};
    struct rule_match *m = rule_match_new(rs, "lead.changed", &facts);
    struct rule_decision d;
    assert_true(rule_match_next(m, &d));
    assert_int_equal(d.outcome, RULE_MATCHED);
    now.text = "contact.country=DE";
    at_event.text = mem_str(shared);
    before.text = mem_str(old);
    mem_free(shared);
    mem_free(old);
    assert_true(rule_match_next(m, &d));
    assert_int_equal(d.outcome, RULE_NOT_TRUE); /* as the event left it */
    struct buf said AUTO_BUF;
    buf_init(&said, 1000);
    rule_match_print(m, &said);
    assert_string_equal(said.data, "two (r.conf:1): not matched: contact.country == 'DE' is false: "
                                   "contact.country is 'AT'");
    rule_match_free(&m);
    ruleset_free(&rs);
    mem_free((char *)at_event.text);
    mem_free((char *)before.text);
}

static void a_decision_is_written_as_json_for_the_journal(void **state)
{
    (void)state;
    struct ruleset *rs = load("{`rules`:[" RULE("n", "lead.created",
                              WHEN("contact.name == 'x'") "," DO) "]}");
    struct test_facts now = {.text = "contact.name=Anna"};
    struct rule_facts facts = {.get = test_get, .now = &now};
    struct rule_match *m = rule_match_new(rs, "lead.created", &facts);
    struct rule_decision d;
    assert_true(rule_match_next(m, &d));
    json_t *obj AUTO_JSON = rule_match_json(m);
    AUTO_FREE char *text = json_text(obj);
    assert_string_equal(text, "{\"at\":\"r.conf:1\",\"outcome\":\"not_true\",\"rule\":\"n\","
                              "\"trace\":{\"col\":0,\"part\":\"contact.name == 'x'\",\"seen\":["
                              "{\"field\":\"contact.name\",\"personal\":true,"
                              "\"value\":\"'Anna'\"}]},\"when\":0}");
    rule_match_free(&m);
    ruleset_free(&rs);
}

static void all_errors_come_in_one_run_with_their_place(void **state)
{
    (void)state;
    struct errlist errors AUTO_ERRLIST;
    struct buf said AUTO_BUF;
    errlist_init(&errors, 20);
    buf_init(&said, 8192);
    json_t *config AUTO_JSON = parse(
        "{`rules`:["
        "{`name`:`dach`,`at`:`20-a.conf:3`,`on`:{`text`:`lead.craeted`,`at`:`20-a.conf:4`},"
        "`when`:[{`text`:`contact.country in @dcah`,`at`:`20-a.conf:5`},"
        "{`text`:`lead.employes >= 500 and lead.score > 'x'`,`at`:`20-a.conf:6`}],"
        "`do`:[{`text`:`tag x`,`at`:`20-a.conf:7`},{`text`:`asign pool`,`at`:`20-a.conf:8`}]},"
        "{`name`:`dach`,`at`:`30-b.conf:1`,`on`:{`text`:`lead`,`at`:`30-b.conf:2`},`do`:["
        "{`text`:`tag y`}]},"
        "{`name`:`idle`,`at`:`30-b.conf:9`,`on`:{`text`:`lead.created`}}],"
        "`tables`:{`dach`:{`values`:[`DE`,``],`at`:`20-a.conf:20`}}}");
    assert_null(ruleset_new(config, &env, &errors));
    errlist_print(&errors, &said);
    assert_string_equal(
        said.data,
        "20-a.conf:20: table \"dach\": value 2 is empty\n"
        "20-a.conf:4: rule dach: unknown event \"lead.craeted\"; did you mean \"lead.created\"?\n"
        "20-a.conf:5: rule dach: unknown table \"@dcah\"; did you mean \"@dach\"?\n"
        "    contact.country in @dcah\n"
        "                       ^\n"
        "20-a.conf:6: rule dach: unknown field \"lead.employes\"; did you mean \"lead.employees\"?\n"
        "    lead.employes >= 500 and lead.score > 'x'\n"
        "    ^\n"
        "20-a.conf:6: rule dach: lead.score is a whole number, 'x' is not: write digits without "
        "quotes, such as 60\n"
        "    lead.employes >= 500 and lead.score > 'x'\n"
        "                                          ^\n"
        "20-a.conf:8: rule dach: unknown command \"asign pool\"\n"
        "    asign pool\n"
        "    ^\n"
        "30-b.conf:1: rule dach: there is a rule of this name already (20-a.conf:3)\n"
        "30-b.conf:2: rule dach: on = \"lead\" means \"when the conditions become true\", so it needs "
        "`when`; or name an event such as \"lead.created\"\n"
        "30-b.conf:9: rule idle: has nothing to do: give it `do` or `stop`\n");
}

static void the_hash_follows_the_content_and_the_source_makes_the_same_set(void **state)
{
    (void)state;
    struct errlist errors AUTO_ERRLIST;
    struct err e;
    errlist_init(&errors, 5);
    struct ruleset *a = load(EDGE);
    struct ruleset *b = load("{`tables`:{}," "`rules`:[" RULE("e", "lead",
                             DO "," WHEN("lead.score >= 60 and not lead.contacted")) "]}");
    struct ruleset *c = load("{`rules`:[" RULE("e", "lead", WHEN("lead.score >= 61") "," DO) "]}");
    assert_string_equal(ruleset_hash(a), ruleset_hash(b)); /* order of keys does not count */
    assert_string_not_equal(ruleset_hash(a), ruleset_hash(c));
    assert_int_equal(strlen(ruleset_hash(a)), 64);
    json_t *again AUTO_JSON =
        json_load_bounded(ruleset_source(a), strlen(ruleset_source(a)), MIB(1), &e);
    struct ruleset *d = ruleset_new(again, &env, &errors);
    assert_non_null(d);
    assert_string_equal(ruleset_hash(a), ruleset_hash(d));
    assert_non_null(ruleset_find(d, "e"));
    assert_null(ruleset_find(d, "f"));
    ruleset_free(&a);
    ruleset_free(&b);
    ruleset_free(&c);
    ruleset_free(&d);
}

static void the_order_of_territories_is_of_the_set(void **state)
{
    struct errlist errors AUTO_ERRLIST;
    struct err e;
    (void)state;
    errlist_init(&errors, 5);
    struct ruleset *a = load("{`territories`:{`w`:{`at`:`t:1`},`b`:{`at`:`t:2`},`c`:{`at`:`t:3`}}}");
    struct ruleset *b = load("{`territories`:{`w`:{`at`:`t:1`},`c`:{`at`:`t:3`},`b`:{`at`:`t:2`}}}");
    struct ruleset *c = load("{`pools`:{`p`:{`members`:[{`user`:`a`}]}}}");
    assert_string_not_equal(ruleset_hash(a), ruleset_hash(b));
    assert_string_not_equal(ruleset_hash(a), ruleset_hash(c));
    json_t *again AUTO_JSON =
        json_load_bounded(ruleset_source(a), strlen(ruleset_source(a)), MIB(1), &e);
    struct ruleset *d = ruleset_new(again, &env, &errors);
    assert_string_equal(ruleset_hash(a), ruleset_hash(d));
    ruleset_free(&a);
    ruleset_free(&b);
    ruleset_free(&c);
    ruleset_free(&d);
}

static void the_fields_of_an_event_are_those_its_rules_read(void **state)
{
    (void)state;
    const int *used;
    struct ruleset *rs = load("{`rules`:[" RULE("e", "lead", WHEN("lead.score >= 60") "," DO) ","
                              RULE("m", "lead.changed",
                                   WHEN("lead.score == 1 or contact.name is set") "," DO) "]}");
    assert_int_equal(ruleset_fields(rs, "lead.changed", &used), 2);
    assert_string_equal(test_fields[used[0]].name, "contact.name");
    assert_string_equal(test_fields[used[1]].name, "lead.score");
    assert_int_equal(ruleset_fields(rs, "lead.created", &used), 1);
    assert_int_equal(ruleset_fields(rs, "message.received", &used), 0);
    assert_int_equal(ruleset_fields(rs, "nothing", &used), 0);
    ruleset_free(&rs);
}

/* The time of a load must not grow with the square of the rules: four times
 * the rules may cost at most eight times the time (and some for the start). */
static int64_t load_many(int n)
{
    struct errlist errors AUTO_ERRLIST;
    errlist_init(&errors, 5);
    json_t *config AUTO_JSON = json_object(), *rules = json_array();
    for (int i = 0; i < n; i++) {
        char name[32], when[100];
        snprintf(name, sizeof(name), "rule-%d", i);
        snprintf(when, sizeof(when), "lead.score == %d and contact.domain == 'd%d.example'", i, i);
        json_array_append_new(
            rules, json_pack("{s:s, s:s, s:{s:s}, s:[{s:s}], s:[{s:s}], s:s}", "name", name, "at",
                             "r.conf:1", "on", "text", "lead", "when", "text", when, "do", "text",
                             "tag x", "first", name));
    }
    json_object_set_new(config, "rules", rules);
    int64_t start = clock_mono_ms();
    struct ruleset *rs = ruleset_new(config, &env, &errors);
    int64_t took = clock_mono_ms() - start;
    assert_non_null(rs);
    assert_int_equal(ruleset_count(rs), n);
    ruleset_free(&rs);
    return took;
}

static void loading_many_rules_is_not_quadratic(void **state)
{
    (void)state;
    int64_t small = load_many(2500), big = load_many(10000);
    if (big > small * 8 + 200)
        fail_msg("2500 rules: %d ms, 10000 rules: %d ms", (int)small, (int)big);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rules_run_in_order_and_say_why_not),
        cmocka_unit_test(in_a_group_the_first_match_wins_and_other_groups_go_on),
        cmocka_unit_test(stop_skips_what_follows),
        cmocka_unit_test(a_rule_on_an_entity_fires_when_it_becomes_true),
        cmocka_unit_test(what_cannot_be_known_is_not_guessed),
        cmocka_unit_test(commands_of_a_rule_count_for_the_rules_after_it),
        cmocka_unit_test(no_value_is_kept_over_commands),
        cmocka_unit_test(a_decision_is_written_as_json_for_the_journal),
        cmocka_unit_test(all_errors_come_in_one_run_with_their_place),
        cmocka_unit_test(the_hash_follows_the_content_and_the_source_makes_the_same_set),
        cmocka_unit_test(the_order_of_territories_is_of_the_set),
        cmocka_unit_test(the_fields_of_an_event_are_those_its_rules_read),
        cmocka_unit_test(loading_many_rules_is_not_quadratic),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
