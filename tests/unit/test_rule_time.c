/* SPDX-License-Identifier: ISC
 *
 * rule/ruleset: when rules run and how often: what the keys mean, what is
 * refused, the gate, and one rule asked again by itself
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

#define HOUR INT64_C(3600000)
#define DAY (24 * HOUR)

static const struct rule_event test_events[] = {
    {"lead.created", "lead"}, {"lead.changed", "lead"}, {"message.received", NULL}};

static struct rule_fields *fields;

static bool of_event(void *arg, int field)
{
    (void)arg;
    return text_starts(rule_fields_get(fields, field)->name, "message.");
}

static struct ruleset_env env = {.events = test_events,
                                 .event_count = ARRAY_LEN(test_events),
                                 .time_zone = "Europe/Vienna",
                                 .of_event = of_event};

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

/* keys: of a rule "r" on the event lead.created, in JSON with ` for "; "$x" stands
 * for a line {text: x}. What was wrong is in said. */
static struct ruleset *load(const char *keys, struct buf *said)
{
    struct errlist errors AUTO_ERRLIST;
    struct buf text AUTO_BUF;
    struct err e = {0};
    errlist_init(&errors, 20);
    buf_init(&text, 65536);
    buf_str(&text, "{\"rules\":[{\"name\":\"r\",\"at\":\"r.conf:1\",");
    if (!strstr(keys, "`on`") && !strstr(keys, "`every`"))
        buf_str(&text, "\"on\":{\"text\":\"lead.created\"},");
    buf_str(&text, "\"do\":[{\"text\":\"tag x\"}],");
    for (const char *p = keys; *p; p++) {
        bool line = p[0] == '`' && p[1] == '$';
        const char *end = line ? strchr(p + 1, '`') : NULL;
        if (line)
            buf_printf(&text, "{\"text\":\"%.*s\",\"at\":\"r.conf:2\"}", (int)(end - p - 2), p + 2);
        else
            buf_char(&text, *p == '`' ? '"' : *p);
        p = line ? end : p;
    }
    buf_str(&text, "}],\"calendars\":{\"shop\":{\"zone\":\"Europe/Vienna\",\"at\":\"c.conf:1\","
                   "\"hours\":[\"Mon-Fri 09:00-17:00\"]}}}");
    json_t *config AUTO_JSON = json_load_bounded(text.data, text.len, MIB(1), &e);
    if (!config)
        fail_msg("%s: %s", e.text, text.data);
    struct ruleset *rs = ruleset_new(config, &env, &errors);
    errlist_print(&errors, said);
    return rs;
}

static struct ruleset *good(const char *keys)
{
    struct buf said AUTO_BUF;
    buf_init(&said, 8192);
    struct ruleset *rs = load(keys, &said);
    if (!rs)
        fail_msg("%s", said.data);
    return rs;
}

static void bad(const char *keys, const char *want)
{
    struct buf said AUTO_BUF;
    buf_init(&said, 8192);
    struct ruleset *rs = load(keys, &said);
    bool refused = rs == NULL;
    ruleset_free(&rs);
    if (!refused || !strstr(said.data, want))
        fail_msg("%s: expected \"%s\", got: %s", keys, want, refused ? said.data : "nothing wrong");
}

static void spans_dates_and_limits_are_read(void **state)
{
    (void)state;
    struct ruleset *rs = good("`after`:`$30m`,`again`:`$2h`,`max`:3,`until`:`$lead.score > 9`,"
                              "`cooldown`:`$1w`,`mode`:`canary`,`canary`:10,"
                              "`valid_from`:`$2026-12-01`,`valid_to`:`$2026-12-24`");
    const struct rule *r = ruleset_rule(rs, 0);
    assert_true(r->timed && r->limited && r->gated);
    assert_int_equal(calendar_span_add(&r->after.span, 1000), HOUR / 2 + 1000);
    assert_int_equal(calendar_span_add(&r->again.span, 0), 2 * HOUR);
    assert_int_equal(calendar_span_add(&r->cooldown.span, 0), 7 * DAY);
    assert_string_equal(r->again.text, "2h");
    assert_int_equal(r->max, 3);
    assert_int_equal(r->mode, RULE_CANARY);
    assert_int_equal(r->canary, 10);
    assert_string_equal(r->until->text, "lead.score > 9");
    /* days of the zone: Vienna is an hour before UTC in December */
    assert_int_equal(r->valid_from, INT64_C(1796079600000));
    assert_int_equal(r->valid_to, INT64_C(1796079600000) + 24 * DAY - 1);
    ruleset_free(&rs);
}

static void business_time_is_that_of_a_calendar_also_when_read_from_the_source(void **state)
{
    (void)state;
    struct err e = {0};
    struct errlist errors AUTO_ERRLIST;
    errlist_init(&errors, 5);
    env.calendar = "shop";
    struct ruleset *rs = good("`after`:`$2h business`,`again`:`$2h business shop`,`cooldown`:`$2h`");
    env.calendar = NULL;
    json_t *source AUTO_JSON =
        json_load_bounded(ruleset_source(rs), strlen(ruleset_source(rs)), MIB(1), &e);
    struct ruleset *again = ruleset_new(source, &env, &errors);
    assert_non_null(again);
    assert_string_equal(ruleset_hash(rs), ruleset_hash(again));
    const struct rule *r = ruleset_rule(again, 0);
    int64_t friday = INT64_C(1796396400000); /* 2026-12-04 16:00 in Vienna */
    assert_int_equal(calendar_span_add(&r->after.span, friday), friday + 66 * HOUR);
    assert_int_equal(calendar_span_add(&r->again.span, friday), friday + 66 * HOUR);
    assert_int_equal(calendar_span_add(&r->cooldown.span, friday), friday + 2 * HOUR);
    ruleset_free(&rs);
    ruleset_free(&again);
    bad("`after`:`$2h business`", "\"business\" needs a calendar");
    bad("`after`:`$2h business shp`", "did you mean \"shop\"?");
}

static void a_plain_rule_asks_no_gate_and_keeps_no_count(void **state)
{
    (void)state;
    struct ruleset *rs = good("`first`:`g`,`stop`:`rule`");
    const struct rule *r = ruleset_rule(rs, 0);
    assert_false(r->timed || r->limited || r->gated || r->once || r->after.text || r->until);
    assert_int_equal(r->mode, RULE_LIVE);
    ruleset_free(&rs);
    rs = good("`after`:`$1h`,`again`:`$1h`,`max`:2");
    assert_false(ruleset_rule(rs, 0)->limited); /* max counts the rounds of its timer */
    ruleset_free(&rs);
    rs = good("`max`:2");
    assert_true(ruleset_rule(rs, 0)->limited);
    ruleset_free(&rs);
}

static void what_would_be_ignored_is_refused(void **state)
{
    (void)state;
    bad("`after`:`$soon`", "r.conf:2: rule r: after: expected a duration");
    bad("`again`:`$0m`", "again: must be longer than nothing");
    bad("`valid_from`:`$tomorrow`", "valid_from: expected a date such as \"2026-12-01\"");
    bad("`valid_from`:`$2026-02-02`,`valid_to`:`$2026-02-01`", "valid_to is before valid_from");
    bad("`once`:true,`max`:3", "once means one time only: max does not go with it");
    bad("`once`:true,`again`:`$1h`", "again does not go with it");
    bad("`mode`:`canary`", "needs canary, the share in percent");
    bad("`canary`:10", "canary is only for mode = \"canary\"");
    bad("`until`:`$lead.score > 9`", "there is neither; put it into when");
    bad("`after`:`$1h`,`until`:`$lead.scor > 9`", "did you mean");
    bad("`after`:`$1h`,`until`:`$message.subject is set`", "can name only fields of records");
    bad("`after`:`$1h`,`first`:`g`", "first belongs to the moment of the event");
    bad("`again`:`$1h`,`stop`:`all`", "stop belongs to the moment of the event");
    bad("`after`:`$1h`,`when`:[`$lead.score > 5 and message.subject is set`]",
        "write them as two lines of when");
    bad("`on`:`$lead`,`every`:`$Mon 08:00`,`over`:`lead`", "a rule has one of them");
    bad("`every`:`$Mon 08:00`", "every needs over");
    bad("`over`:`lead`", "over is only for a rule with every");
    bad("`every`:`$Mon 08:00`,`over`:`lead`,`first`:`g`", "first does not go with every");
    bad("`every`:`$Mon 08:00`,`over`:`lead`,`when`:[`$message.subject is set`]",
        "has no event to ask about");
    bad("`on`:1", "on is missing");
}

/* ---- the gate --------------------------------------------------------------------- */

static enum rule_outcome answer;

static enum rule_outcome gate(void *arg, const struct rule *rule, struct rule_gate *out)
{
    int *asked = arg;
    (*asked)++;
    assert_non_null(rule);
    if (answer != RULE_MATCHED)
        snprintf(out->reason, sizeof(out->reason), "because");
    return answer;
}

static void who_may_not_run_takes_no_group_and_stops_nothing(void **state)
{
    (void)state;
    struct buf out AUTO_BUF;
    struct err e = {0};
    struct errlist errors AUTO_ERRLIST;
    errlist_init(&errors, 5);
    buf_init(&out, 8192);
    const char *text = "{\"rules\":[{\"name\":\"a\",\"at\":\"r:1\",\"on\":{\"text\":\"lead.created\"},"
                       "\"first\":\"g\",\"stop\":\"all\",\"once\":true},"
                       "{\"name\":\"b\",\"at\":\"r:2\",\"on\":{\"text\":\"lead.created\"},"
                       "\"first\":\"g\",\"stop\":\"rule\"}]}";
    json_t *config AUTO_JSON = json_load_bounded(text, strlen(text), MIB(1), &e);
    struct ruleset *rs = ruleset_new(config, &env, &errors);
    assert_non_null(rs);
    int asked = 0;
    struct test_facts now = {.text = ""};
    struct rule_facts facts = {.get = test_get, .now = &now, .gate = gate, .gate_arg = &asked};
    struct rule_decision d;
    answer = RULE_LIMITED;
    struct rule_match *m = rule_match_new(rs, "lead.created", &facts);
    assert_true(rule_match_next(m, &d));
    assert_int_equal(d.outcome, RULE_LIMITED);
    assert_string_equal(d.gate.reason, "because");
    json_t *j AUTO_JSON = rule_match_json(m);
    assert_string_equal(json_get_str(j, "outcome", ""), "limited");
    assert_string_equal(json_get_str(j, "reason", ""), "because");
    answer = RULE_MATCHED;
    assert_true(rule_match_next(m, &d));
    assert_int_equal(d.outcome, RULE_MATCHED);
    assert_int_equal(asked, 2);
    rule_match_free(&m);
    ruleset_free(&rs);
}

static void the_gate_is_asked_only_when_all_conditions_hold(void **state)
{
    (void)state;
    struct ruleset *rs = good("`once`:true,`when`:[`$lead.score > 5`]");
    int asked = 0;
    struct test_facts now = {.text = "lead.score=3"};
    struct rule_facts facts = {.get = test_get, .now = &now, .gate = gate, .gate_arg = &asked};
    struct rule_decision d;
    struct rule_match *m = rule_match_new(rs, "lead.created", &facts);
    assert_true(rule_match_next(m, &d));
    assert_int_equal(d.outcome, RULE_NOT_TRUE);
    assert_int_equal(asked, 0);
    rule_match_free(&m);
    ruleset_free(&rs);
}

/* ---- one rule again ------------------------------------------------------------------ */

static void check_one(const struct ruleset *rs, const char *facts_now, enum rule_outcome want,
                      int when)
{
    struct test_facts now = {.text = facts_now};
    struct rule_facts facts = {.get = test_get, .now = &now};
    struct rule_decision d;
    struct rule_match *m = rule_match_one(rs, ruleset_rule(rs, 0), &facts, &d);
    assert_int_equal(d.outcome, want);
    assert_int_equal(d.when_index, when);
    struct expr_trace trace;
    assert_int_equal(rule_match_explain(m, &trace), when >= 0);
    rule_match_free(&m);
}

static void what_the_event_did_is_not_asked_again(void **state)
{
    (void)state;
    struct ruleset *rs = good("`after`:`$1h`,`when`:[`$changed(lead.score)`,`$was(lead.score) < 5`,"
                              "`$lead.score > 5`,`$entered(lead.stage, 'new')`]");
    check_one(rs, "lead.score=6", RULE_MATCHED, -1);
    check_one(rs, "lead.score=5", RULE_NOT_TRUE, 2);
    ruleset_free(&rs);
    bad("`after`:`$1h`,`until`:`$changed(lead.score)`", "can name only fields of records");
}

static void at_a_timer_what_asks_about_the_event_is_left_out(void **state)
{
    (void)state;
    struct ruleset *rs = good("`after`:`$1h`,`until`:`$lead.score > 90`,"
                              "`when`:[`$message.subject contains 'x'`,`$lead.score > 5`,"
                              "`$lead.industry == 'it'`]");
    check_one(rs, "lead.score=6|lead.industry=it", RULE_MATCHED, -1);
    check_one(rs, "lead.score=5|lead.industry=it", RULE_NOT_TRUE, 1);
    check_one(rs, "lead.score=6|lead.industry=?", RULE_CANNOT_KNOW, 2);
    check_one(rs, "lead.score=5|lead.industry=?", RULE_NOT_TRUE, 1);
    check_one(rs, "lead.score=91|lead.industry=it", RULE_ENDED, -1);
    check_one(rs, "lead.score=91", RULE_NOT_TRUE, 2);
    ruleset_free(&rs);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(spans_dates_and_limits_are_read),
        cmocka_unit_test(business_time_is_that_of_a_calendar_also_when_read_from_the_source),
        cmocka_unit_test(a_plain_rule_asks_no_gate_and_keeps_no_count),
        cmocka_unit_test(what_would_be_ignored_is_refused),
        cmocka_unit_test(who_may_not_run_takes_no_group_and_stops_nothing),
        cmocka_unit_test(the_gate_is_asked_only_when_all_conditions_hold),
        cmocka_unit_test(what_the_event_did_is_not_asked_again),
        cmocka_unit_test(at_a_timer_what_asks_about_the_event_is_left_out),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
