/* SPDX-License-Identifier: ISC
 *
 * What lint believes of the commands is what they do: each is run, and changes and
 * announces nothing that effect.c does not name. And what nothing uses is found.
 */
#include "crm_fixture.h"

#include "crm/ctx.h"
#include "crm/fields.h"
#include "crm/lint.h"

static void every_command_tells_what_it_changes(void **state)
{
    (void)state;
    for (size_t i = 0; crm_command_help(i); i++)
        if (crm_command_help(i)->by_rules && !crm_effect_known(crm_command_help(i)->name))
            fail_msg("%s has no row in crm/effect.c: name the fields it may change and the events it "
                     "may announce", crm_command_help(i)->name);
}

/* Has the effect the fields that a change of this column shows in? */
static void change_is_named(const struct crm *crm, const char *line, const json_t *change,
                            const struct lint_effect *e)
{
    const char *entity = json_get_str(change, "e", ""), *f = json_get_str(change, "f", "");
    const struct crm_field *field;
    for (int i = 0; (field = crm_fieldset_get(crm->fieldset, i)) != NULL; i++) {
        bool record = field->entity != CRM_NONE && !strcmp(crm_entity_name(field->entity), entity);
        bool same = !strcmp(field->key, f) || (!strncmp(f, "tags.", 5) && !strcmp(field->key, "tags"));
        if (record && same && !e->anything && !lint_fields_has(&e->writes, i))
            fail_msg("\"%s\" changes %s, which crm/effect.c does not name", line, field->name);
    }
}

static void events_are_named(const struct fixture *f, const char *line, const struct lint_effect *e)
{
    for (int i = 0; i < f->event_count; i++) {
        bool named = false;
        for (size_t k = 0; k < e->event_count; k++)
            named |= !strcmp(e->events[k], f->events[i]);
        if (!named)
            fail_msg("\"%s\" announces %s, which crm/effect.c does not name", line, f->events[i]);
    }
}

/* What it left behind is what the effect says is known. */
static void value_is_as_told(struct fixture *f, const char *line, const struct crm_target *t,
                             const struct lint_effect *e)
{
    struct crm_event ev = {.name = "lead.changed", .entity = CRM_LEAD, .target = *t, .actor = crm_system};
    if (!e->known || crm_fieldset_get(f->crm->fieldset, e->field)->type != RULE_TYPE_TEXT)
        return;
    struct crm_facts *facts = crm_facts_new(f->ctx, &ev);
    struct rule_value v = {0};
    crm_facts_rule(facts)->get(crm_facts_rule(facts)->now, e->field, &v);
    if (v.text.n != strlen(e->value) || (v.text.n && memcmp(v.text.p, e->value, v.text.n) != 0))
        fail_msg("\"%s\" leaves %.*s, not %s", line, (int)v.text.n, v.text.p, e->value);
    crm_facts_free(&facts);
}

static void run_one(struct fixture *f, const struct crm_target *t, const char *on, const char *line)
{
    struct crm_actor rule = {CRM_BY_RULE, "r", "r:1"};
    struct crm_result result;
    struct lint_effect effect = {0};
    struct err e = {0};
    size_t i;
    json_t *change;
    input_begin(f);
    crm_effect(f->crm, on, line, &effect);
    if (crm_command_run(f->ctx, t, line, &rule, &result, &e) == 0) {
        const json_t *op = json_array_get(crm_commands(f->ctx), json_array_size(crm_commands(f->ctx)) - 1);
        json_array_foreach(json_get_arr(op, "changes"), i, change)
            change_is_named(f->crm, line, change, &effect);
        events_are_named(f, line, &effect);
        if (t->main != CRM_CASE)
            value_is_as_told(f, line, &result.target, &effect);
    } else if (e.cls != ERR_INPUT) {
        fail_msg("%s: %s", line, e.text);
    }
    input_end(f, t);
}

static void commands_do_what_effect_says_and_no_more(void **state)
{
    static const char *const lines[] = {
        "assign ben", "assign pool dach", "assign team sales", "status contacted", "status qualified",
        "stage proposal", "stage negotiation", "deal plan 500 EUR", "set deal.amount 700 EUR",
        "set lead.source fair", "set lead.employees 20", "set lead.employees +2", "set lead.source",
        "set contact.email new@example.com", "set contact.country DE", "score +5", "score 50",
        "tag hot", "untag hot", "note hello", "call spoke", "meeting met", "task 1d call", "done",
        "case it leaks", "priority high", "priority up", "send welcome", "send welcome to owner",
        "notify owner", "close done", "reopen", "won 5000 EUR", "reopen", "lost too dear",
        "optout by phone", "status open", "status waiting", "status closed", "status open"};
    struct fixture f;
    struct crm_who who;
    (void)state;
    fixture_open(&f, ":memory:", fixture_config);
    receive_mail(&f, "eve@example.com", "Eve", "An offer", "person", &who);
    struct crm_target lead = who.target, support;
    lead.main = CRM_LEAD;
    for (int round = 0; round < 2; round++)
        for (size_t i = 0; i < ARRAY_LEN(lines); i++)
            run_one(&f, &lead, "lead.changed", lines[i]);
    receive_mail(&f, "sue@example.com", "Sue", "Broken", "person", &who);
    support = who.target;
    run_command(&f, &support, "dora", "case it is broken");
    support.main = CRM_CASE;
    for (size_t i = 0; i < ARRAY_LEN(lines); i++)
        run_one(&f, &support, "case.changed", lines[i]);
    fixture_close(&f);
}

static void commands_that_nobody_knows_may_do_anything(void **state)
{
    struct fixture f;
    struct lint_effect e = {0};
    (void)state;
    fixture_open(&f, ":memory:", fixture_config);
    crm_effect(f.crm, "lead.created", "frobnicate x", &e);
    assert_true(e.anything);
    fixture_close(&f);
}

static void what_nothing_names_is_found(void **state)
{
    AUTO_JSON json_t *config = fixture_json(
        "{'tables': {'used': {'at': 't:1'}, 'words': {'at': 't:2'}},"
        " 'pools': {'sales': {'at': 'p:1'}, 'sale': {'at': 'p:2'}},"
        " 'templates': {'welcome': {'path': 'w', 'text': 'x {{> _foot}}'},"
        "   '_foot': {'path': 'f', 'text': 'y'}, 'old': {'path': 'o', 'text': 'welcome'}},"
        " 'rules': [{'name': 'old', 'at': 'r:1', 'when': [{'text': 'contact.country in @used'}],"
        "   'do': [{'text': 'assign pool sales'}, {'text': 'send welcome'}, {'text': 'tag words'}]}]}");
    AUTO_JSON json_t *found = json_array();
    struct buf got AUTO_BUF;
    size_t i;
    json_t *v;
    (void)state;
    buf_init(&got, 4096);
    crm_lint_unused(config, found);
    json_array_foreach(found, i, v)
        buf_printf(&got, "%s|", json_get_str(v, "text", ""));
    assert_string_equal(got.data, "the table \"words\" is used nowhere|the pool \"sale\" is used nowhere|"
                                  "the template \"old\" is used nowhere|");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_command_tells_what_it_changes),
        cmocka_unit_test(commands_do_what_effect_says_and_no_more),
        cmocka_unit_test(commands_that_nobody_knows_may_do_anything),
        cmocka_unit_test(what_nothing_names_is_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
