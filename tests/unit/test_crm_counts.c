/* SPDX-License-Identifier: ISC
 *
 * Counts over related records: each right, now and before an event, by an index, and
 * nothing read for a rule set that names none.
 */
#include "crm_fixture.h"

#include "crm/fields.h"
#include "store/related.h"

static const char *const all[] = {"lead.open_tasks", "lead.mails_in", "lead.mails_out",
                                  "lead.notes", "contact.leads", "contact.open_leads",
                                  "contact.won_deals", "contact.open_cases"};

/* The counts in the order of `all`, each a digit, - when unset. */
static const char *read_all(struct fixture *f, const struct crm_event *ev, bool before)
{
    static char text[4][16];
    static int turn;
    char *out = text[turn = (turn + 1) % 4];
    struct crm_facts *facts = crm_facts_new(f->ctx, ev);
    const struct rule_facts *r = crm_facts_rule(facts);
    for (size_t i = 0; i < ARRAY_LEN(all); i++) {
        struct rule_value v = {0};
        if (!before || r->before)
            r->get(before ? r->before : r->now, rule_fields_find(crm_fields(f->crm), all[i]), &v);
        out[i] = v.state == RULE_VALUE_SET ? (char)('0' + v.num) : '-';
    }
    out[ARRAY_LEN(all)] = '\0';
    crm_facts_free(&facts);
    OK(crm_facts_error(f->ctx, e));
    return out;
}

static const struct crm_event *event(struct fixture *f, const char *name)
{
    for (int i = 0; i < f->event_count; i++)
        if (!strcmp(f->events[i], name))
            return &f->last[i];
    fail_msg("no event %s", name);
    return NULL;
}

static void run(struct fixture *f, struct crm_target *t, const char *line)
{
    struct crm_actor anna = by_user("anna");
    struct crm_result out;
    OK(crm_command_run(f->ctx, t, line, &anna, &out, e));
    *t = out.target;
}

static void each_count_changes_within_one_input_and_knows_what_was_before(void **state)
{
    struct fixture *f = *state;
    struct crm_target t = some_lead(f), t2;
    input_begin(f);
    run(f, &t, "note first words");
    assert_string_equal(read_all(f, event(f, "note.added"), false), "01011100");
    run(f, &t, "task 'call her'");
    t2 = t;
    assert_string_equal(read_all(f, event(f, "task.created"), false), "11011100");
    t.main = CRM_LEAD;
    run(f, &t, "won 100"); /* closes the lead */
    assert_string_equal(read_all(f, event(f, "deal.won"), false), "11011010");
    run(f, &t, "case 'it broke'");
    assert_string_equal(read_all(f, event(f, "case.created"), false), "11011011");
    t2.main = CRM_TASK;
    run(f, &t2, "done");
    assert_string_equal(read_all(f, event(f, "task.done"), false), "01011011");
    assert_string_equal(read_all(f, event(f, "task.done"), true), "11011011");
    /* what came since does not change what an event saw before it */
    assert_string_equal(read_all(f, event(f, "deal.created"), true), "--------");
    assert_string_equal(read_all(f, event(f, "lead.status_changed"), true), "11011100");
    input_end(f, &t);
}

static void a_second_lead_of_the_contact_counts_until_one_is_deleted(void **state)
{
    struct fixture *f = *state;
    struct crm_target t = some_lead(f);
    struct crm_who who;
    char line[60];
    run_command(f, &t, "anna", "close 'no money'");
    receive_mail(f, "lena@customer.example", NULL, "Again", "person", &who);
    assert_int_not_equal(who.target.lead, t.lead);
    input_begin(f);
    run(f, &who.target, "score +1");
    assert_string_equal(read_all(f, event(f, "lead.changed"), false), "01002100");
    input_end(f, &t);
    snprintf(line, sizeof(line), "UPDATE lead SET deleted_ms = 1 WHERE id = %d", (int)t.lead);
    OK(db_script(f->db, line, e));
    input_begin(f);
    run(f, &who.target, "score +1");
    assert_string_equal(read_all(f, event(f, "lead.changed"), false), "01001100");
    input_end(f, &t);
}

static void mails_of_ours_count_as_out(void **state)
{
    struct fixture *f = *state;
    struct crm_target t = some_lead(f);
    OK(db_script(f->db, "INSERT INTO activity (kind, direction, at_ms, lead_id, actor, created_ms,"
                        " updated_ms) VALUES ('mail', 'out', 1, 1, 'system', 1, 1)", e));
    input_begin(f);
    run(f, &t, "score +1");
    assert_string_equal(read_all(f, event(f, "lead.changed"), true), "01101100");
    input_end(f, &t);
}

static void every_count_goes_by_an_index_and_ends_somewhere(void **state)
{
    struct fixture *f = *state;
    struct err e = {0};
    for (size_t i = 0; i < ARRAY_LEN(all); i++) {
        const struct related *r = related_find(all[i]);
        assert_non_null(r);
        AUTO_FREE char *sql = mem_printf("EXPLAIN QUERY PLAN %s", r->sql);
        struct db_rows *rows = db_query(f->db, sql, "i", INT64_C(1));
        int searches = 0;
        while (db_step(rows)) {
            const char *plan = db_text(rows, 3);
            searches += strstr(plan, "USING INDEX") != NULL;
            if (!strncmp(plan, "SCAN", 4) && !strstr(plan, "SCAN (subquery"))
                fail_msg("%s: %s", all[i], plan);
        }
        assert_int_equal(db_done(&rows, &e), 0);
        assert_true(searches > 0);
        assert_non_null(strstr(r->sql, "LIMIT 1000)"));
    }
}

static void every_field_that_counts_has_its_query_and_its_sheet_shows_none(void **state)
{
    struct fixture *f = *state;
    struct crm_target t = some_lead(f);
    const struct rule_fields *fields = crm_fields(f->crm);
    json_t *sheet;
    int counts = 0;
    for (size_t i = 0; i < rule_fields_count(fields); i++)
        counts += related_find(rule_fields_get(fields, (int)i)->name) != NULL;
    assert_int_equal(counts, ARRAY_LEN(all));
    OK(crm_show(f->crm, CRM_LEAD, t.lead, &sheet, e));
    AUTO_FREE char *text = json_text(sheet);
    json_decref(sheet);
    assert_null(strstr(text, "ails in"));
}

/* A table that is gone is a fault that only who reads from it can meet. */
static void who_names_no_count_reads_none_and_a_fault_is_told(void **state)
{
    struct fixture *f = *state;
    struct crm_target t = some_lead(f);
    struct rule_value v = {0};
    struct err why = {0};
    input_begin(f);
    run(f, &t, "score +1");
    OK(db_script(f->db, "ALTER TABLE task RENAME TO gone", e));
    struct crm_facts *facts = crm_facts_new(f->ctx, event(f, "lead.changed"));
    const struct rule_facts *r = crm_facts_rule(facts);
    r->get(r->now, rule_fields_find(crm_fields(f->crm), "lead.score"), &v);
    assert_int_equal(crm_facts_error(f->ctx, &why), 0);
    v = (struct rule_value){0};
    r->get(r->now, rule_fields_find(crm_fields(f->crm), "lead.open_tasks"), &v);
    assert_int_equal(v.state, RULE_VALUE_UNSET);
    assert_int_equal(crm_facts_error(f->ctx, &why), -1);
    crm_facts_free(&facts);
    OK(db_script(f->db, "ALTER TABLE gone RENAME TO task", e));
    crm_end(&f->ctx);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define T(f) cmocka_unit_test_setup_teardown(f, fixture_setup, fixture_teardown)
        T(each_count_changes_within_one_input_and_knows_what_was_before),
        T(a_second_lead_of_the_contact_counts_until_one_is_deleted),
        T(mails_of_ours_count_as_out),
        T(every_count_goes_by_an_index_and_ends_somewhere),
        T(every_field_that_counts_has_its_query_and_its_sheet_shows_none),
        T(who_names_no_count_reads_none_and_a_fault_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
