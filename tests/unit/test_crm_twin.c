/* SPDX-License-Identifier: ISC
 *
 * Who looks like a contact that is there, and who does not; which lead a second message
 * of a contact goes to.
 */
#include "crm_fixture.h"

/* A form posted by hand: PHONE and NAME may be NULL. */
static struct crm_who post(struct fixture *f, const char *mail, const char *name, const char *tel)
{
    struct crm_who who;
    AUTO_JSON json_t *fields = json_pack("{s:s, s:s?, s:s?, s:s}", "mail", mail, "name", name, "tel",
                                         tel, "words", "How much?");
    struct crm_input in = {.kind = "form", .form = "contact", .fields = fields, .message_id = 7};
    input_begin(f);
    in.at_ms = f->now;
    OK(crm_receive(f->ctx, &in, &who, e));
    input_end(f, &who.target);
    return who;
}

/* A mail with words and a signature. */
static struct crm_who write_mail(struct fixture *f, const char *from, const char *name,
                                 const char *reply, const char *signature, const char *phone)
{
    struct crm_who who;
    AUTO_JSON json_t *m = json_pack(
        "{s:s, s:{s:s, s:s, s:s?}, s:s, s:s, s:s, s:s, s:s, s:[], s:[], s:[]}", "channel", "email",
        "from", "address", from, "folded", from, "name", name, "subject", "Widgets", "text", reply,
        "reply", reply, "signature", signature, "kind", "person", "attachments", "to", "cc");
    if (phone)
        json_object_set_new(m, "signature_facts", json_pack("{s:[s]}", "phones", phone));
    struct crm_input in = {
        .kind = "mail", .message = m, .source = "sales", .creates = "lead", .message_id = 1};
    input_begin(f);
    in.at_ms = f->now;
    OK(crm_receive(f->ctx, &in, &who, e));
    input_end(f, &who.target);
    return who;
}

#define IS_TWIN(f, who, of, reason)                                                                \
    do {                                                                                           \
        assert_int_equal((who).twin.contact, (who).target.contact);                                \
        assert_int_equal((who).twin.other, of);                                                    \
        assert_string_equal((who).twin.why, reason);                                               \
        assert_true(had_event(f, "lead.duplicate"));                                               \
    } while (0)

#define NO_TWIN(f, who)                                                                            \
    do {                                                                                           \
        assert_int_equal((who).twin.other, 0);                                                     \
        assert_false(had_event(f, "lead.duplicate"));                                              \
    } while (0)

static void the_same_phone_under_another_address_is_told(void **state)
{
    struct fixture *f = *state;
    struct crm_who a = post(f, "lena@customer.example", "Lena Lead", "0660 7654321");
    NO_TWIN(f, a);
    struct crm_who b = post(f, "lena.lead@gmail.com", "Lena Lead", "+43 660 7654321");
    IS_TWIN(f, b, a.target.contact, "phone");
    assert_int_equal(b.twin.lead, a.target.lead);
    assert_true(b.new_contact && b.new_lead); /* and nothing was joined */
    assert_string_equal(cell(f, "SELECT CAST(contact_id AS TEXT) FROM address WHERE $1 = 0 AND "
                                "value = '+436607654321'", 0),
                        cell(f, "SELECT CAST($1 AS TEXT)", a.target.contact));
    /* once for the two: who writes again is who he was */
    b = post(f, "lena.lead@gmail.com", "Lena Lead", "0660 7654321");
    NO_TWIN(f, b);
}

static void a_switchboard_makes_nobody_a_twin(void **state)
{
    struct fixture *f = *state;
    struct crm_who a = write_mail(f, "ann@customer.example", "Ann Lee", "Hi", "", NULL);
    struct crm_target t = {.contact = a.target.contact, .main = CRM_CONTACT};
    run_command(f, &t, "anna", "set contact.phone '+43 1 5551234'");
    struct crm_who b = write_mail(f, "carl@customer.example", "Carl Huber", "Hi", "", "+43 1 5551234");
    NO_TWIN(f, b);
    b = write_mail(f, "alee@customer.example", "A. Lee", "Hi", "", "01 5551234");
    IS_TWIN(f, b, a.target.contact, "phone");
}

static void the_same_name_at_the_same_company_is_told(void **state)
{
    struct fixture *f = *state;
    struct crm_who a = write_mail(f, "zoe@customer.example", "Zo\xc3\xab Lead", "Hi", "", NULL);
    struct crm_who b = write_mail(f, "z.lead@mail.customer.example", "LEAD, ZO\xc3\x8b", "Hi", "", NULL);
    IS_TWIN(f, b, a.target.contact, "name");
    b = write_mail(f, "z@elsewhere.example", "Zo\xc3\xab Lead", "Hi", "", NULL);
    NO_TWIN(f, b);
    b = write_mail(f, "zoe.poe@customer.example", "Zo\xc3\xab Poe", "Hi", "", NULL);
    NO_TWIN(f, b);
    a = write_mail(f, "max@gmail.com", "Max Muster", "Hi", "", NULL);
    b = write_mail(f, "max2@gmail.com", "Max Muster", "Hi", "", NULL);
    NO_TWIN(f, b); /* a provider is no company */
}

static void an_address_that_a_contact_has_named_is_known_when_it_writes(void **state)
{
    struct fixture *f = *state;
    struct crm_who a = write_mail(f, "lena@customer.example", "Lena Lead", "Hi",
                                  "Lena Lead\nprivate: <ll77@gmail.com>", NULL);
    struct crm_who b = write_mail(f, "ll77@gmail.com", NULL, "It is me", "", NULL);
    IS_TWIN(f, b, a.target.contact, "email");
    /* and the other way round */
    b = write_mail(f, "other@gmx.net", "Somebody", "Hi", "mail: ann@customer.example", NULL);
    NO_TWIN(f, b);
    b = write_mail(f, "lena.new@gmx.net", "Lena Lead", "Hi", "mail: lena@customer.example", NULL);
    IS_TWIN(f, b, a.target.contact, "email");
}

static void an_address_in_the_words_counts_only_for_who_is_called_alike(void **state)
{
    struct fixture *f = *state;
    struct crm_who a = write_mail(f, "lena@customer.example", "Lena Lead",
                                  "Write to bob@customer.example, or to me at lena77@gmail.com.\n", "",
                                  NULL);
    struct crm_who b = write_mail(f, "bob@customer.example", "Bob Poe", "Lena told me", "", NULL);
    NO_TWIN(f, b);
    b = write_mail(f, "lena77@gmail.com", NULL, "It is me", "", NULL);
    IS_TWIN(f, b, a.target.contact, "email");
}

static void nobody_is_the_twin_of_who_was_deleted_or_of_one_of_ours(void **state)
{
    struct fixture *f = *state;
    struct crm_who a = post(f, "lena@customer.example", "Lena Lead", "0660 7654321");
    struct crm_who b = post(f, "lena2@elsewhere.example", "Lena Lead", "0660 1234567"); /* anna's */
    NO_TWIN(f, b);
    struct crm_target t = {.contact = b.target.contact, .main = CRM_CONTACT};
    char line[32];
    snprintf(line, sizeof(line), "merge C%d", (int)a.target.contact);
    run_command(f, &t, "dora", line);
    b = post(f, "lena3@third.example", "Lena Lead", "0660 7654321");
    IS_TWIN(f, b, t.contact, "phone"); /* the number went with the merge */
}

static void a_rule_sees_whom_and_why(void **state)
{
    struct fixture *f = *state;
    struct crm_who who;
    post(f, "lena@customer.example", "Lena Lead", "0660 7654321");
    AUTO_JSON json_t *fields = json_pack("{s:s, s:s}", "mail", "ll@gmail.com", "tel", "06607654321");
    struct crm_input in = {.kind = "form", .form = "contact", .fields = fields};
    input_begin(f);
    in.at_ms = f->now;
    OK(crm_receive(f->ctx, &in, &who, e));
    static const struct {
        const char *field, *value;
    } want[] = {{"duplicate.contact", "C1"}, {"duplicate.lead", "L1"}, {"duplicate.why", "phone"}};
    for (int i = 0; i < f->event_count; i++) {
        if (strcmp(f->events[i], "lead.duplicate"))
            continue;
        struct crm_facts *facts = crm_facts_new(f->ctx, &f->last[i]);
        const struct rule_facts *r = crm_facts_rule(facts);
        for (size_t k = 0; k < ARRAY_LEN(want); k++) {
            struct rule_value v = {0};
            r->get(r->now, rule_fields_find(crm_fields(f->crm), want[k].field), &v);
            assert_int_equal(v.state, RULE_VALUE_SET);
            assert_memory_equal(v.text.p, want[k].value, v.text.n);
            assert_int_equal(v.text.n, strlen(want[k].value));
        }
        crm_facts_free(&facts);
    }
    input_end(f, &who.target);
}

/* ---- the same interest -------------------------------------------------------------------- */

static int setup_separate(void **state)
{
    AUTO_FREE char *config = mem_str(fixture_config);
    AUTO_FREE char *all = mem_printf("{'separate_leads_by': ['lead.source', 'lead.employees'],%s",
                                     config + 1);
    return fixture_setup_with(state, all);
}

static int64_t post_size(struct fixture *f, const char *size)
{
    struct crm_who who;
    AUTO_JSON json_t *fields = json_pack("{s:s, s:s?, s:s}", "mail", "lena@customer.example", "size",
                                         size, "words", "x");
    struct crm_input in = {.kind = "form", .form = "contact", .fields = fields};
    input_begin(f);
    in.at_ms = f->now;
    OK(crm_receive(f->ctx, &in, &who, e));
    input_end(f, &who.target);
    return who.target.lead;
}

static void another_message_of_a_contact_goes_to_the_open_lead(void **state)
{
    struct fixture *f = *state;
    struct crm_who who;
    int64_t lead = post_size(f, "10");
    assert_int_equal(post_size(f, "20"), lead);
    receive_mail(f, "lena@customer.example", NULL, "Something else", "person", &who);
    assert_int_equal(who.target.lead, lead);
    run_command(f, &who.target, "anna", "close done");
    assert_int_not_equal(post_size(f, "10"), lead);
}

static void what_differs_as_configured_is_a_lead_of_its_own(void **state)
{
    struct fixture *f = *state;
    struct crm_who who;
    int64_t ten = post_size(f, "10"), twenty = post_size(f, "20");
    assert_int_not_equal(ten, twenty);
    assert_int_equal(post_size(f, "10"), ten);
    assert_int_equal(post_size(f, NULL), twenty); /* says nothing of it: the newest */
    receive_mail(f, "lena@customer.example", NULL, "Hello", "person", &who);
    assert_int_not_equal(who.target.lead, ten); /* the mailbox is another source */
    assert_int_not_equal(who.target.lead, twenty);
}

int main(void)
{
#define T(fn) cmocka_unit_test_setup_teardown(fn, fixture_setup, fixture_teardown)
    const struct CMUnitTest tests[] = {
        T(the_same_phone_under_another_address_is_told),
        T(a_switchboard_makes_nobody_a_twin),
        T(the_same_name_at_the_same_company_is_told),
        T(an_address_that_a_contact_has_named_is_known_when_it_writes),
        T(an_address_in_the_words_counts_only_for_who_is_called_alike),
        T(nobody_is_the_twin_of_who_was_deleted_or_of_one_of_ours),
        T(a_rule_sees_whom_and_why),
        T(another_message_of_a_contact_goes_to_the_open_lead),
        cmocka_unit_test_setup_teardown(what_differs_as_configured_is_a_lead_of_its_own,
                                        setup_separate, fixture_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
