/* SPDX-License-Identifier: ISC
 *
 * Merging: what moves, what is filled in, what refuses, and how it is taken back when
 * other things have happened since.
 */
#include "crm_fixture.h"

static struct crm_target contact_of(const struct crm_target *lead)
{
    return (struct crm_target){.contact = lead->contact, .company = lead->company,
                               .main = CRM_CONTACT};
}

#define MERGE(f, into, id)                                                                         \
    do {                                                                                           \
        snprintf(line, sizeof(line), "merge C%d", (int)(id));                                      \
        j = run_command(f, &(into), "dora", line);                                                 \
    } while (0)

#define UNDO(f, t, j)                                                                              \
    do {                                                                                           \
        snprintf(line, sizeof(line), "undo J%d", (int)(j));                                        \
        run_command(f, &(t), "dora", line);                                                        \
    } while (0)

#define OWNER(f, value)                                                                            \
    atoll_(cell(f, "SELECT CAST(contact_id AS TEXT) FROM address WHERE $1 = 0 AND value = '" value \
                   "'", 0))

static long long atoll_(const char *s)
{
    return strtoll(s, NULL, 10);
}

/* Two addresses of one person, each with a lead. */
struct two {
    struct crm_target a, b; /* contacts */
    int64_t lead_a, lead_b;
};

static struct two two(struct fixture *f)
{
    struct two t;
    struct crm_target a = lead_of(f, "lena@customer.example", NULL);
    struct crm_target b = lead_of(f, "lena.lead@gmail.com", "Lena Lead");
    t.lead_a = a.lead;
    t.lead_b = b.lead;
    run_command(f, &b, "anna", "note she has two addresses");
    run_command(f, &b, "anna", "task tomorrow call her");
    t.a = contact_of(&a);
    t.b = contact_of(&b);
    return t;
}

static void everything_of_a_merged_contact_moves_and_its_mail_arrives_at_the_other(void **state)
{
    struct fixture *f = *state;
    char line[64];
    int64_t j;
    struct crm_who who;
    struct two t = two(f);
    MERGE(f, t.a, t.b.contact);
    (void)j;
    assert_true(had_event(f, "contact.merged"));
    assert_int_equal(atoll_(LEAD(f, "contact_id", t.lead_b)), t.a.contact);
    assert_int_equal(OWNER(f, "lena.lead@gmail.com"), t.a.contact);
    assert_string_equal(CONTACT(f, "name", t.a.contact), "Lena Lead");
    assert_string_not_equal(CONTACT(f, "deleted_ms", t.b.contact), "-");
    assert_string_equal(cell(f, "SELECT CAST(count(*) AS TEXT) FROM activity WHERE contact_id = $1",
                             t.b.contact), "0");
    receive_mail(f, "lena.lead@gmail.com", "Lena Lead", "And this?", "person", &who);
    assert_false(who.new_contact || who.new_lead);
    assert_int_equal(who.target.contact, t.a.contact);
    assert_int_equal(who.target.lead, t.lead_b);
}

static void the_address_of_the_one_that_stays_goes_on_counting(void **state)
{
    struct fixture *f = *state;
    char line[64];
    int64_t j;
    struct two t = two(f);
    MERGE(f, t.a, t.b.contact);
    assert_string_equal(cell(f, "SELECT value FROM address WHERE contact_id = $1 "
                                "ORDER BY created_ms DESC LIMIT 1", t.a.contact),
                        "lena@customer.example");
    UNDO(f, t.a, j);
    assert_int_equal(OWNER(f, "lena.lead@gmail.com"), t.b.contact);
}

static void a_token_of_a_merged_record_leads_to_the_one_that_stays(void **state)
{
    struct fixture *f = *state;
    char line[64];
    int64_t j;
    struct crm_target found;
    struct err why = {0};
    struct two t = two(f);
    MERGE(f, t.a, t.b.contact);
    (void)j;
    input_begin(f);
    OK(crm_target_of(f->ctx, CRM_CONTACT, t.b.contact, &found, e));
    assert_int_equal(found.contact, t.a.contact);
    assert_int_equal(crm_target_exact(f->ctx, CRM_CONTACT, t.b.contact, &found, &why), -1);
    assert_int_equal(why.cls, ERR_INPUT);
    crm_end(&f->ctx);
}

static void undo_of_a_merge_brings_everything_back(void **state)
{
    struct fixture *f = *state;
    char line[64];
    int64_t j;
    struct two t = two(f);
    MERGE(f, t.a, t.b.contact);
    UNDO(f, t.a, j);
    assert_int_equal(atoll_(LEAD(f, "contact_id", t.lead_b)), t.b.contact);
    assert_int_equal(OWNER(f, "lena.lead@gmail.com"), t.b.contact);
    assert_int_equal(OWNER(f, "lena@customer.example"), t.a.contact);
    assert_string_equal(CONTACT(f, "name", t.a.contact), "-");
    assert_string_equal(CONTACT(f, "deleted_ms", t.b.contact), "-");
    assert_string_equal(cell(f, "SELECT CAST(count(*) AS TEXT) FROM task WHERE contact_id = $1",
                             t.b.contact), "1");
    assert_string_equal(cell(f, "SELECT CAST(count(*) AS TEXT) FROM merged WHERE into_id = $1",
                             t.a.contact), "0");
    MERGE(f, t.a, t.b.contact); /* and it may be done again */
    UNDO(f, t.a, j);
    assert_string_equal(CONTACT(f, "deleted_ms", t.b.contact), "-");
}

static void what_was_changed_since_a_merge_is_kept_and_told(void **state)
{
    struct fixture *f = *state;
    char line[64];
    int64_t j;
    struct crm_result res = {0};
    struct err e;
    struct crm_who who;
    struct two t = two(f);
    MERGE(f, t.a, t.b.contact);
    run_command(f, &t.a, "anna", "set contact.name 'Lena Married'");
    struct crm_target lead = {.lead = t.lead_b, .contact = t.a.contact, .main = CRM_LEAD};
    run_command(f, &lead, "anna", "close done");
    receive_mail(f, "lena@customer.example", NULL, "On my own", "person", &who);
    struct crm_target own = who.target;
    run_command(f, &own, "anna", "close done");
    receive_mail(f, "lena@customer.example", NULL, "Something new", "person", &who);
    assert_true(who.new_lead);
    snprintf(line, sizeof(line), "undo J%d", (int)j);
    if (try_command(f, &t.a, "dora", line, &res, &e) < 0)
        fail_msg("%s", e.text);
    assert_string_equal(CONTACT(f, "name", t.a.contact), "Lena Married");
    assert_int_equal(atoll_(LEAD(f, "contact_id", t.lead_b)), t.b.contact);
    assert_string_equal(LEAD(f, "status", t.lead_b), "closed");
    assert_int_equal(atoll_(LEAD(f, "contact_id", who.target.lead)), t.a.contact);
    assert_non_null(strstr(res.text, "changed since and kept: name of C"));
    assert_non_null(strstr(res.text, "stays here, being newer: L"));
}

static void mail_filed_on_a_lead_since_goes_back_with_it(void **state)
{
    struct fixture *f = *state;
    char line[64];
    int64_t j;
    struct crm_who who;
    struct two t = two(f);
    MERGE(f, t.a, t.b.contact);
    receive_mail(f, "lena.lead@gmail.com", NULL, "Re: offer", "person", &who);
    assert_int_equal(who.target.lead, t.lead_b);
    UNDO(f, t.a, j);
    assert_string_equal(cell(f, "SELECT CAST(contact_id AS TEXT) FROM activity WHERE id = $1",
                             who.target.activity),
                        cell(f, "SELECT CAST($1 AS TEXT)", t.b.contact));
}

static void merges_on_top_are_taken_back_first(void **state)
{
    struct fixture *f = *state;
    char line[64];
    int64_t j, first;
    struct two t = two(f);
    struct crm_target c = lead_of(f, "third@elsewhere.example", NULL);
    struct crm_target third = contact_of(&c);
    MERGE(f, t.a, t.b.contact);
    first = j;
    MERGE(f, third, t.a.contact);
    snprintf(line, sizeof(line), "undo J%d", (int)first);
    refuse_command(f, &third, "dora", line, "was merged into C3 since then");
    UNDO(f, third, j);
    UNDO(f, t.a, first);
    assert_int_equal(OWNER(f, "lena.lead@gmail.com"), t.b.contact);
    assert_int_equal(OWNER(f, "lena@customer.example"), t.a.contact);
}

static void leads_are_merged_only_within_one_contact_and_into_an_open_one(void **state)
{
    struct fixture *f = *state;
    char line[64];
    int64_t j;
    struct crm_who who;
    struct two t = two(f);
    struct crm_target a = {.lead = t.lead_a, .contact = t.a.contact, .main = CRM_LEAD};
    struct crm_target b = {.lead = t.lead_b, .contact = t.b.contact, .main = CRM_LEAD};
    refuse_command(f, &a, "dora", "merge L2", "merge those two first");
    refuse_command(f, &a, "dora", "merge L1", "one record already");
    refuse_command(f, &a, "dora", "merge C2", "is no lead");
    refuse_command(f, &a, "vera", "merge L2", "may not use merge");
    refuse_command(f, &a, "dora", "merge T2", "is no contact, lead, case or company");
    MERGE(f, t.a, t.b.contact);
    run_command(f, &a, "anna", "close 'not now'");
    refuse_command(f, &a, "dora", "merge L2", "merge the closed one into the open one");
    run_command(f, &b, "anna", "tag hot");
    j = run_command(f, &b, "dora", "merge L1");
    receive_mail(f, "lena@customer.example", NULL, "Me again", "person", &who);
    assert_int_equal(who.target.lead, t.lead_b);
    UNDO(f, b, j);
    assert_string_equal(LEAD(f, "deleted_ms", t.lead_a), "-");
}

static void a_contact_is_not_unmerged_through_a_merge_of_its_leads(void **state)
{
    struct fixture *f = *state;
    char line[64];
    int64_t j, contacts;
    struct two t = two(f);
    MERGE(f, t.a, t.b.contact);
    contacts = j;
    struct crm_target a = {.lead = t.lead_a, .contact = t.a.contact, .main = CRM_LEAD};
    j = run_command(f, &a, "dora", "merge L2");
    assert_string_equal(cell(f, "SELECT CAST(count(*) AS TEXT) FROM task WHERE lead_id = $1",
                             t.lead_a), "1");
    snprintf(line, sizeof(line), "undo J%d", (int)contacts);
    refuse_command(f, &t.a, "dora", line, "L2 was merged into L1 since then");
    UNDO(f, a, j);
    UNDO(f, t.a, contacts);
    assert_int_equal(atoll_(LEAD(f, "contact_id", t.lead_b)), t.b.contact);
}

static void a_merged_company_keeps_its_domain_for_the_one_that_stays(void **state)
{
    struct fixture *f = *state;
    struct crm_who who;
    char line[64];
    struct crm_target a = lead_of(f, "a@customer.example", NULL);
    struct crm_target b = lead_of(f, "b@customer.test", NULL);
    struct crm_target o = {.company = a.company, .main = CRM_COMPANY};
    snprintf(line, sizeof(line), "merge O%d", (int)b.company);
    int64_t j = run_command(f, &o, "dora", line);
    assert_int_equal(atoll_(CONTACT(f, "company_id", b.contact)), a.company);
    assert_int_equal(atoll_(LEAD(f, "company_id", b.lead)), a.company);
    receive_mail(f, "c@customer.test", NULL, "x", "person", &who);
    assert_int_equal(who.target.company, a.company);
    assert_int_equal(atoll_(LEAD(f, "company_id", who.target.lead)), a.company);
    UNDO(f, o, j);
    assert_int_equal(atoll_(CONTACT(f, "company_id", b.contact)), b.company);
    receive_mail(f, "d@customer.test", NULL, "x", "person", &who);
    assert_int_equal(who.target.company, b.company);
    /* once done again, it is taken back by its own entry */
    snprintf(line, sizeof(line), "merge O%d", (int)b.company);
    run_command(f, &o, "dora", line);
    AUTO_FREE char *first = mem_printf("undo J%d", (int)j);
    refuse_command(f, &o, "dora", first, "was merged into O1 again");
}

/* Two cases of one contact; the second in b. */
static struct crm_target case_of(struct fixture *f, const struct crm_target *lead)
{
    struct crm_target t = *lead;
    run_command(f, &t, "anna", "case 'It leaks'");
    t.main = CRM_CASE;
    return t;
}

static void a_merged_case_moves_with_its_mails_and_tasks_and_comes_back(void **state)
{
    struct fixture *f = *state;
    struct crm_target lead = lead_of(f, "lena@customer.example", NULL), found;
    struct crm_target a = case_of(f, &lead), b = case_of(f, &lead);
    char line[64];
    assert_int_not_equal(a.kase, b.kase);
    run_command(f, &b, "anna", "note it drips");
    run_command(f, &b, "anna", "task tomorrow call her");
    run_command(f, &b, "anna", "priority urgent");
    run_command(f, &b, "anna", "tag water");
    snprintf(line, sizeof(line), "merge K%d", (int)b.kase);
    int64_t j = run_command(f, &a, "dora", line);
    assert_true(had_event(f, "case.merged"));
    assert_string_equal(CASE(f, "priority", a.kase), "urgent");
    assert_string_not_equal(CASE(f, "deleted_ms", b.kase), "-");
    assert_string_equal(cell(f, "SELECT CAST(count(*) AS TEXT) FROM activity WHERE case_id = $1",
                             b.kase), "0");
    assert_string_equal(cell(f, "SELECT CAST(count(*) AS TEXT) FROM task WHERE case_id = $1", a.kase),
                        "1");
    input_begin(f);
    OK(crm_target_of(f->ctx, CRM_CASE, b.kase, &found, e)); /* its tokens lead on */
    assert_int_equal(found.kase, a.kase);
    crm_end(&f->ctx);
    UNDO(f, a, j);
    assert_string_equal(CASE(f, "priority", a.kase), "normal");
    assert_string_equal(CASE(f, "deleted_ms", b.kase), "-");
    assert_string_equal(cell(f, "SELECT CAST(count(*) AS TEXT) FROM task WHERE case_id = $1", b.kase),
                        "1");
    assert_string_not_equal(cell(f, "SELECT CAST(count(*) AS TEXT) FROM activity WHERE case_id = $1",
                                 b.kase), "0");
}

static void cases_are_merged_within_one_contact_and_into_an_open_one(void **state)
{
    struct fixture *f = *state;
    char line[64];
    int64_t j;
    struct crm_target lead = lead_of(f, "lena@customer.example", NULL);
    struct crm_target other = lead_of(f, "max@customer.example", NULL);
    struct crm_target a = case_of(f, &lead), b = case_of(f, &lead), c = case_of(f, &other);
    snprintf(line, sizeof(line), "merge K%d", (int)c.kase);
    refuse_command(f, &a, "dora", line, "merge those two first");
    run_command(f, &a, "anna", "close done");
    snprintf(line, sizeof(line), "merge K%d", (int)b.kase);
    refuse_command(f, &a, "dora", line, "merge the closed one into the open one");
    /* nor does a contact go its own way through a merge of its cases */
    struct crm_target one = contact_of(&lead), two = contact_of(&other);
    MERGE(f, one, two.contact);
    int64_t contacts = j;
    snprintf(line, sizeof(line), "merge K%d", (int)c.kase);
    int64_t cases = run_command(f, &b, "dora", line);
    snprintf(line, sizeof(line), "undo J%d", (int)contacts);
    refuse_command(f, &one, "dora", line, "since then: take that back first");
    UNDO(f, b, cases);
    UNDO(f, one, contacts);
    assert_int_equal(atoll_(CASE(f, "contact_id", c.kase)), two.contact);
}

int main(void)
{
#define T(fn) cmocka_unit_test_setup_teardown(fn, fixture_setup, fixture_teardown)
    const struct CMUnitTest tests[] = {
        T(everything_of_a_merged_contact_moves_and_its_mail_arrives_at_the_other),
        T(the_address_of_the_one_that_stays_goes_on_counting),
        T(a_token_of_a_merged_record_leads_to_the_one_that_stays),
        T(undo_of_a_merge_brings_everything_back),
        T(what_was_changed_since_a_merge_is_kept_and_told),
        T(mail_filed_on_a_lead_since_goes_back_with_it),
        T(merges_on_top_are_taken_back_first),
        T(leads_are_merged_only_within_one_contact_and_into_an_open_one),
        T(a_contact_is_not_unmerged_through_a_merge_of_its_leads),
        T(a_merged_company_keeps_its_domain_for_the_one_that_stays),
        T(a_merged_case_moves_with_its_mails_and_tasks_and_comes_back),
        T(cases_are_merged_within_one_contact_and_into_an_open_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
