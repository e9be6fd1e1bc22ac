/* SPDX-License-Identifier: ISC
 *
 * rule/expr: what the event did (was, changed, entered), and times that move
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/bounds.h"
#include "rule/ruleset.h"
#include "rule_facts.h"

static struct rule_fields *fields;

static int setup(void **state)
{
    (void)state;
    fields = rule_fields_new(test_fields, ARRAY_LEN(test_fields));
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    rule_fields_free(&fields);
    return 0;
}

#define T RULE_TRUE
#define F RULE_FALSE
#define U RULE_UNKNOWN

struct row {
    const char *text;
    const char *before; /* NULL: there was no record */
    const char *event;
    enum rule_result want;
    const char *trace; /* NULL: not looked at */
};

static void report_print(void *arg, int col, const char *what)
{
    print_error("column %d: %s (in %s)\n", col, what, (const char *)arg);
}

static int check_row(const struct row *r)
{
    struct expr_env env = {.fields = fields};
    struct expr *x = expr_compile(&env, r->text, report_print, (void *)r->text);
    if (!x)
        return 1;
    struct test_facts was = {.text = r->before}, is = {.text = r->event};
    struct expr_facts *before = r->before ? expr_facts_new(fields, test_get, &was) : NULL,
                      *now = expr_facts_new(fields, test_get, &is);
    struct expr_trace trace;
    struct buf said AUTO_BUF;
    buf_init(&said, 4096);
    expr_facts_event(now, before, NULL);
    enum rule_result got = expr_eval(x, now), again = expr_explain(x, now, &trace);
    if (got != T)
        expr_trace_print(x, &trace, &said);
    bool bad = got != r->want || again != got || (r->trace && strcmp(said.data, r->trace) != 0);
    if (bad)
        print_error("%s\n  with %s -> %s\n  wanted %d %s\n  got    %d %s\n", r->text,
                    r->before ? r->before : "nothing", r->event, r->want, r->trace ? r->trace : "",
                    got, said.data);
    expr_facts_free(&now);
    expr_facts_free(&before);
    expr_free(&x);
    return bad;
}

static void check_rows(const struct row *rows, size_t n)
{
    int bad = 0;
    for (size_t i = 0; i < n; i++)
        bad += check_row(&rows[i]);
    assert_int_equal(bad, 0);
}

static void changed_says_whether_the_event_gave_another_value(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"changed(lead.score)", "lead.score=5", "lead.score=6", T, NULL},
        {"changed(lead.score)", "lead.score=5", "lead.score=5", F,
         "changed(lead.score) is false: lead.score is 5, was(lead.score) is 5"},
        {"changed(lead.score)", "lead.x=5", "lead.score=5", T, NULL},
        {"changed(lead.score)", "lead.score=5", "lead.x=5", T, NULL},
        {"changed(lead.score)", "lead.x=1", "lead.x=2", F,
         "changed(lead.score) is false: lead.score is not set, was(lead.score) is not set"},
        {"not changed(lead.score)", "lead.score=5", "lead.score=5", T, NULL},
        /* a record that did not exist: what is set has changed */
        {"changed(lead.score)", NULL, "lead.score=5", T, NULL},
        {"changed(lead.score)", NULL, "lead.x=5", F, NULL},
        {"changed(contact.name)", "contact.name=ada", "contact.name=Ada", T, NULL},
        {"changed(contact.name)", "contact.name=Ada", "contact.name=Ada", F, NULL},
        {"changed(lead.tags)", "lead.tags=a,b", "lead.tags=a,b", F, NULL},
        {"changed(lead.tags)", "lead.tags=a,b", "lead.tags=a,c", T, NULL},
        {"changed(lead.tags)", "lead.tags=a,b", "lead.tags=a", T, NULL},
        {"changed(deal.amount)", "deal.amount=5 EUR", "deal.amount=5 CHF", T, NULL},
        {"changed(deal.amount)", "deal.amount=5 EUR", "deal.amount=5 EUR", F, NULL},
        {"changed(lead.contacted)", "lead.contacted=true", "lead.contacted=false", T, NULL},
        {"changed(lead.created)", "lead.created=2026-01-01", "lead.created=2026-01-01", F, NULL},
        {"changed(lead.industry)", "lead.industry=?", "lead.industry=a", U, NULL},
        {"changed(lead.industry)", "lead.industry=a", "lead.industry=?", U, NULL},
    };
    check_rows(rows, ARRAY_LEN(rows));
}

static void was_stands_wherever_a_field_may_stand(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"was(lead.stage) == 'new'", "lead.stage=new", "lead.stage=closed", T, NULL},
        {"was(lead.stage) == 'new'", "lead.stage=closed", "lead.stage=new", F,
         "was(lead.stage) == 'new' is false: was(lead.stage) is 'closed'"},
        {"was(lead.stage) == 'new'", NULL, "lead.stage=new", F,
         "was(lead.stage) == 'new' is false: was(lead.stage) is not set"},
        {"was(lead.score) < 50 and lead.score >= 50", "lead.score=49", "lead.score=50", T, NULL},
        {"was(lead.score) < 50 and lead.score >= 50", "lead.score=50", "lead.score=51", F,
         "was(lead.score) < 50 is false: was(lead.score) is 50"},
        {"lead.score > was(lead.score)", "lead.score=50", "lead.score=51", T, NULL},
        {"lead.score > was(lead.score)", "lead.score=51", "lead.score=51", F,
         "lead.score > was(lead.score) is false: lead.score is 51, was(lead.score) is 51"},
        {"was(lead.tags) contains 'vip'", "lead.tags=vip", "lead.x=1", T, NULL},
        {"was(lead.stage) in ['new', 'closed']", "lead.stage=NEW", "lead.x=1", T, NULL},
        {"was(contact.name) ~ '^dr'", "contact.name=Dr No", "lead.x=1", T, NULL},
        {"was(contact.name) starts 'dr'", "contact.name=Dr No", "lead.x=1", T, NULL},
        {"was(lead.contacted)", "lead.contacted=true", "lead.x=1", T, NULL},
        {"not was(lead.contacted)", "lead.contacted=true", "lead.x=1", F, NULL},
        {"was(lead.score) is not set", "lead.x=1", "lead.score=2", T, NULL},
        {"was(lead.score) between 1 and 5", "lead.score=3", "lead.x=1", T, NULL},
        {"was ( lead.score ) == 3", "lead.score=3", "lead.x=1", T, NULL},
    };
    check_rows(rows, ARRAY_LEN(rows));
}

static void entered_says_that_the_value_is_new(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"entered(lead.stage, 'qualified')", "lead.stage=new", "lead.stage=qualified", T, NULL},
        {"entered(lead.stage, 'Qualified')", "lead.stage=new", "lead.stage=qualified", T, NULL},
        {"entered(lead.stage, 'qualified')", "lead.stage=qualified", "lead.stage=qualified", F,
         "entered(lead.stage, 'qualified') is false: lead.stage is 'qualified', was(lead.stage) is "
         "'qualified'"},
        {"entered(lead.stage, 'qualified')", "lead.stage=qualified", "lead.stage=closed", F, NULL},
        {"entered(lead.stage, 'new')", NULL, "lead.stage=new", T, NULL},
        {"entered(lead.stage, 'new')", "lead.x=1", "lead.stage=new", T, NULL},
        {"entered(lead.stage, 'new')", "lead.stage=new", "lead.x=1", F, NULL},
        {"entered(lead.tags, 'vip')", "lead.tags=a", "lead.tags=a,VIP", T, NULL},
        {"entered(lead.tags, 'vip')", "lead.tags=vip", "lead.tags=a,vip", F, NULL},
        {"entered(lead.score, 60)", "lead.score=59", "lead.score=60", T, NULL},
        {"entered(lead.contacted, true)", "lead.contacted=false", "lead.contacted=true", T, NULL},
        {"entered(deal.amount, 5 EUR)", "deal.amount=5 CHF", "deal.amount=5 EUR", T, NULL},
        {"entered(lead.created, '2026-01-02')", "lead.created=2026-01-01T10:00:00Z",
         "lead.created=2026-01-02T10:00:00Z", T, NULL},
        {"entered(lead.industry, 'a')", "lead.industry=?", "lead.industry=a", U, NULL},
        {"entered(lead.industry, 'a')", "lead.industry=?", "lead.industry=b", F, NULL},
        {"entered(lead.industry, 'a')", "lead.industry=b", "lead.industry=?", U, NULL},
    };
    check_rows(rows, ARRAY_LEN(rows));
}

static void times_move_by_durations(void **state)
{
    (void)state;
#define DAYS "lead.created=2026-01-04T10:00:00Z|lead.changed=2026-01-01T10:00:00Z|lead.age=2d"
    static const struct row rows[] = {
        {"lead.changed <= lead.created - 3 days", NULL, DAYS, T, NULL},
        {"lead.changed < lead.created - 3 days", NULL, DAYS, F, NULL},
        {"lead.changed < lead.created -2 days", NULL, DAYS, T, NULL},
        {"lead.changed + 3 days 1h > lead.created", NULL, DAYS, T, NULL},
        {"lead.created == lead.changed + 72h", NULL, DAYS, T, NULL},
        {"lead.created - lead.changed == 3 days", NULL, DAYS, T, NULL},
        {"lead.created - lead.changed > lead.age", NULL, DAYS, T, NULL},
        {"lead.created - lead.changed - 1 day == lead.age", NULL, DAYS, T, NULL},
        {"lead.age < lead.created - lead.changed", NULL, DAYS, T, NULL},
        {"lead.age + 1 day >= lead.created - lead.changed", NULL, DAYS, T, NULL},
        {"lead.changed - lead.created < 0s", NULL, DAYS, T, NULL},
        {"lead.created - 3 days is set", NULL, DAYS, T, NULL},
        {"lead.created between lead.changed + 2 days and lead.changed + 4 days", NULL, DAYS, T, NULL},
        {"lead.created - lead.changed > 3 days", NULL, "lead.created=2026-01-01", F,
         "lead.created - lead.changed > 3 days is false: lead.created is 2026-01-01 00:00:00 UTC, "
         "lead.changed is not set"},
        {"was(lead.created) < lead.created - 1h", "lead.created=2026-01-01",
         "lead.created=2026-01-02", T, NULL},
        {"was(lead.created) + 1 day == lead.created", "lead.created=2026-01-01",
         "lead.created=2026-01-02", T, NULL},
    };
    check_rows(rows, ARRAY_LEN(rows));
}

/* ---- through a rule set ---- */

static const struct rule_event events[] = {{"lead.changed", "lead"}};

static void run(const char *on, const char *when, const char *const states[3], const char *want)
{
    struct ruleset_env env = {.fields = fields, .events = events, .event_count = 1};
    struct errlist errors AUTO_ERRLIST;
    struct buf said AUTO_BUF;
    errlist_init(&errors, 5);
    buf_init(&said, 4096);
    json_t *config AUTO_JSON = json_pack(
        "{s:[{s:s, s:s, s:{s:s}, s:[{s:s}], s:[{s:s}]}]}", "rules", "name", "r", "at", "r.conf:1",
        "on", "text", on, "when", "text", when, "do", "text", "tag x");
    struct ruleset *rs = ruleset_new(config, &env, &errors);
    assert_non_null(rs);
    struct test_facts now = {.text = states[0]}, before = {.text = states[1]},
                      event = {.text = states[2]};
    struct rule_facts facts = {
        .get = test_get, .now = &now, .before = &before, .event = states[2] ? &event : NULL};
    struct rule_match *m = rule_match_new(rs, "lead.changed", &facts);
    struct rule_decision d;
    while (rule_match_next(m, &d))
        rule_match_print(m, &said);
    rule_match_free(&m);
    ruleset_free(&rs);
    assert_string_equal(said.data, want);
}

static void a_change_by_an_earlier_rule_counts_at_its_own_event(void **state)
{
    (void)state;
    /* the event changed the score; a rule has changed the source since */
    const char *const states[] = {"lead.score=6|lead.source=new", "lead.score=5|lead.source=old",
                                  "lead.score=6|lead.source=old"};
    run("lead.changed", "changed(lead.score)", states, "r (r.conf:1): matched");
    run("lead.changed", "changed(lead.source)", states,
        "r (r.conf:1): not matched: changed(lead.source) is false: lead.source is 'old', "
        "was(lead.source) is 'old'");
    run("lead.changed", "entered(lead.source, 'new')", states,
        "r (r.conf:1): not matched: entered(lead.source, 'new') is false: lead.source is 'old', "
        "was(lead.source) is 'old'");
}

static void a_rule_on_an_entity_fires_at_each_change_it_names(void **state)
{
    (void)state;
    const char *const changed[] = {"lead.score=60|lead.source=b", "lead.score=60|lead.source=a",
                                   NULL},
                *const same[] = {"lead.score=61|lead.source=a", "lead.score=60|lead.source=a", NULL};
    run("lead", "lead.score >= 60 and changed(lead.source)", changed, "r (r.conf:1): matched");
    run("lead", "lead.score >= 60", changed,
        "r (r.conf:1): not matched: it was true before the event already");
    run("lead", "lead.score >= 60 and changed(lead.source)", same,
        "r (r.conf:1): not matched: changed(lead.source) is false: lead.source is 'a', "
        "was(lead.source) is 'a'");
    run("lead", "was(lead.score) < 61 and lead.score >= 61", same, "r (r.conf:1): matched");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(changed_says_whether_the_event_gave_another_value),
        cmocka_unit_test(was_stands_wherever_a_field_may_stand),
        cmocka_unit_test(entered_says_that_the_value_is_new),
        cmocka_unit_test(times_move_by_durations),
        cmocka_unit_test(a_change_by_an_earlier_rule_counts_at_its_own_event),
        cmocka_unit_test(a_rule_on_an_entity_fires_at_each_change_it_names),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
