/* SPDX-License-Identifier: ISC
 *
 * What a mail says about its sender: what is filled in at once, what waits for a person,
 * and what nobody may overwrite.
 */
#include "crm_fixture.h"

#define ADA "ada@customer.example"

struct said {
    const char *from, *name, *phone, *title, *company;
    struct crm_target thread;
};

static struct crm_who says(struct fixture *f, const struct said *s)
{
    struct crm_who who;
    AUTO_JSON json_t *phones = s->phone ? json_pack("[s]", s->phone) : json_array();
    AUTO_JSON json_t *m = json_pack(
        "{s:s, s:{s:s, s:s, s:s?}, s:s, s:s, s:s, s:s, s:{s:O, s:s?, s:s?}, s:[], s:[], s:[]}",
        "channel", "email", "from", "address", s->from, "folded", s->from, "name", s->name, "subject",
        "Widgets", "text", "Hi", "reply", "Hi", "kind", "person", "signature_facts", "phones", phones,
        "title", s->title, "company", s->company, "attachments", "to", "cc");
    struct crm_input in = {.kind = "mail", .message = m, .source = "sales", .creates = "lead",
                           .message_id = 1, .thread = s->thread};
    input_begin(f);
    in.at_ms = f->now;
    OK(crm_receive(f->ctx, &in, &who, e));
    input_end(f, &who.target);
    return who;
}

static const char *phones(struct fixture *f, int64_t contact)
{
    return cell(f, "SELECT coalesce(group_concat(value), '-') FROM (SELECT value FROM address WHERE "
                   "contact_id = $1 AND channel = 'phone' ORDER BY created_ms DESC)", contact);
}

static const char *company(struct fixture *f, int64_t contact)
{
    return cell(f, "SELECT name FROM company WHERE id = (SELECT company_id FROM contact WHERE id = $1)",
                contact);
}

static void the_mail_that_makes_a_contact_fills_what_its_signature_says(void **state)
{
    struct fixture *f = *state;
    struct crm_who w = says(f, &(struct said){ADA, "Ada One", "0660 1112223", "Head of Sales", "Customer Ltd",
                                              {0}});
    assert_string_equal(phones(f, w.target.contact), "+436601112223");
    assert_string_equal(CONTACT(f, "title", w.target.contact), "Head of Sales");
    assert_string_equal(CONTACT(f, "country", w.target.contact), "AT");
    assert_string_equal(company(f, w.target.contact), "Customer Ltd");
    assert_string_equal(w.offered, "");
}

static void a_later_mail_fills_nothing_but_offers_and_take_takes_it(void **state)
{
    struct fixture *f = *state;
    char line[32];
    struct crm_who w = says(f, &(struct said){ADA, "Ada One", NULL, NULL, NULL, {0}});
    w = says(f, &(struct said){ADA, "Ada One", "0660 1112223", "Head of Sales", "Customer Ltd", {0}});
    assert_string_equal(w.offered, "phone, title, company");
    assert_string_equal(phones(f, w.target.contact), "-");
    assert_string_equal(CONTACT(f, "title", w.target.contact), "-");
    int64_t j = run_command(f, &w.target, "anna", "take");
    assert_string_equal(phones(f, w.target.contact), "+436601112223");
    assert_string_equal(CONTACT(f, "title", w.target.contact), "Head of Sales");
    assert_string_equal(company(f, w.target.contact), "Customer Ltd");
    refuse_command(f, &w.target, "anna", "take", "nothing is offered");
    snprintf(line, sizeof(line), "undo J%d", (int)j);
    run_command(f, &w.target, "anna", line);
    assert_string_equal(phones(f, w.target.contact), "-");
    assert_string_equal(CONTACT(f, "title", w.target.contact), "-");
    assert_string_equal(company(f, w.target.contact), "customer.example");
    run_command(f, &w.target, "anna", "take"); /* and it is offered still */
    assert_string_equal(phones(f, w.target.contact), "+436601112223");
}

static void an_answer_in_a_thread_of_ours_fills_gaps(void **state)
{
    struct fixture *f = *state;
    struct crm_who w = says(f, &(struct said){ADA, "Ada One", NULL, "Buyer", NULL, {0}});
    struct crm_target thread = w.target;
    w = says(f, &(struct said){ADA, "Ada One", "0660 1112223", "Head of Sales", NULL, thread});
    assert_string_equal(phones(f, w.target.contact), "+436601112223");
    assert_string_equal(CONTACT(f, "title", w.target.contact), "Buyer"); /* what is there stays */
    assert_string_equal(w.offered, "title");
    /* a colleague in the thread speaks of himself */
    w = says(f, &(struct said){"bo@customer.example", "Bo Two", "0660 9998887", NULL, NULL, thread});
    assert_int_equal(w.target.contact, thread.contact);
    assert_string_equal(phones(f, thread.contact), "+436601112223");
    assert_string_equal(w.offered, "");
}

static void a_second_number_comes_behind_the_first_and_a_title_is_replaced_by_name(void **state)
{
    struct fixture *f = *state;
    struct crm_who w = says(f, &(struct said){ADA, "Ada One", "0660 1112223", "Buyer", NULL, {0}});
    w = says(f, &(struct said){ADA, "Ada One", "01 5554443", "Head of Sales", NULL, {0}});
    run_command(f, &w.target, "anna", "take");
    assert_string_equal(phones(f, w.target.contact), "+436601112223,+4315554443");
    assert_string_equal(CONTACT(f, "title", w.target.contact), "Buyer");
    run_command(f, &w.target, "anna", "take head of sales");
    assert_string_equal(CONTACT(f, "title", w.target.contact), "Head of Sales");
    refuse_command(f, &w.target, "vera", "take", "may not use take");
}

static void what_another_contact_has_stays_with_that_one(void **state)
{
    struct fixture *f = *state;
    struct crm_who a = says(f, &(struct said){ADA, "Ada One", "0660 1112223", NULL, NULL, {0}});
    struct crm_who b = says(f, &(struct said){"ada1@gmail.com", "Ada One", NULL, NULL, NULL, {0}});
    b = says(f, &(struct said){"ada1@gmail.com", "Ada One", "0660 1112223", NULL, NULL, {0}});
    assert_int_equal(b.twin.other, a.target.contact);
    refuse_command(f, &b.target, "anna", "take", "nothing is offered");
    refuse_command(f, &b.target, "anna", "take 0660 1112223", "which is that of C1");
}

static void who_works_nowhere_is_put_to_the_company_of_that_name(void **state)
{
    struct fixture *f = *state;
    struct crm_who a = says(f, &(struct said){ADA, "Ada One", NULL, NULL, "Customer Ltd", {0}});
    struct crm_who b = says(f, &(struct said){"bo@gmail.com", "Bo Two", NULL, NULL, "CUSTOMER LTD", {0}});
    struct crm_who c = says(f, &(struct said){"cy@gmail.com", "Cy Three", NULL, NULL, "New Ltd", {0}});
    assert_string_equal(CONTACT(f, "company_id", b.target.contact), "-"); /* not by his own word */
    run_command(f, &b.target, "anna", "take");
    run_command(f, &c.target, "anna", "take company");
    assert_string_equal(CONTACT(f, "company_id", b.target.contact),
                        CONTACT(f, "company_id", a.target.contact));
    assert_string_equal(company(f, c.target.contact), "New Ltd");
}

int main(void)
{
#define T(fn) cmocka_unit_test_setup_teardown(fn, fixture_setup, fixture_teardown)
    const struct CMUnitTest tests[] = {
        T(the_mail_that_makes_a_contact_fills_what_its_signature_says),
        T(a_later_mail_fills_nothing_but_offers_and_take_takes_it),
        T(an_answer_in_a_thread_of_ours_fills_gaps),
        T(a_second_number_comes_behind_the_first_and_a_title_is_replaced_by_name),
        T(what_another_contact_has_stays_with_that_one),
        T(who_works_nowhere_is_put_to_the_company_of_that_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
