/* SPDX-License-Identifier: ISC
 *
 * The CRM against a real database: who is it, what is created, each command and
 * its undo, who may, fair pools, facts for rules.
 */
#include "crm_fixture.h"

#include "crm/enrich.h"
#include "crm/events.h"
#include "crm/form.h"
#include "rule/ruleset.h"
#include "rule/template.h"

/* ---- identity ---------------------------------------------------------------- */

static void a_mail_of_somebody_new_makes_contact_company_and_lead(void **state)
{
    struct fixture *f = *state;
    struct crm_who who;
    receive_mail(f, "lena@customer.example", "Lead, Lena", "An offer, please", "person", &who);
    assert_int_equal(who.kind, CRM_WHO_CONTACT);
    assert_true(who.new_contact && who.new_lead);
    assert_string_equal(CONTACT(f, "name", who.target.contact), "Lena Lead");
    assert_string_equal(CONTACT(f, "last_name", who.target.contact), "Lead");
    assert_string_equal(LEAD(f, "subject", who.target.lead), "An offer, please");
    assert_string_equal(LEAD(f, "source", who.target.lead), "sales");
    assert_string_equal(cell(f, "SELECT domain FROM company WHERE id = $1", who.target.company),
                        "customer.example");
    assert_string_equal(f->events[0], "message.received");
    assert_true(had_event(f, "lead.created"));
    assert_true(had_event(f, "contact.created"));
}

static void a_new_lead_costs_five_rows_here(void **state)
{
    struct fixture *f = *state;
    int64_t before = db_total_changes(f->db);
    some_lead(f);
    assert_int_equal(db_total_changes(f->db) - before, 5 + 1); /* and the journal row */
}

static void the_same_person_is_found_again_and_the_open_lead_too(void **state)
{
    struct fixture *f = *state;
    struct crm_who first, again, third;
    receive_mail(f, "lena@customer.example", NULL, "One", "person", &first);
    receive_mail(f, "lena@customer.example", "Lena Lead", "Two", "person", &again);
    assert_false(again.new_contact || again.new_lead);
    assert_int_equal(again.target.lead, first.target.lead);
    assert_string_equal(CONTACT(f, "name", first.target.contact), "Lena Lead");
    assert_true(had_event(f, "lead.changed"));
    run_command(f, &first.target, "anna", "close 'no money'");
    receive_mail(f, "lena@customer.example", NULL, "Three", "person", &third);
    assert_true(third.new_lead);
    assert_false(third.new_contact);
    assert_int_equal(third.target.contact, first.target.contact);
}

static void colleagues_share_a_company_but_a_mail_provider_is_none(void **state)
{
    struct fixture *f = *state;
    struct crm_who a, b, c;
    receive_mail(f, "a@customer.example", NULL, "x", "person", &a);
    receive_mail(f, "b@customer.example", NULL, "x", "person", &b);
    receive_mail(f, "c@gmail.com", NULL, "x", "person", &c);
    assert_int_equal(a.target.company, b.target.company);
    assert_int_not_equal(a.target.contact, b.target.contact);
    assert_int_equal(c.target.company, 0);
    assert_true(c.new_lead);
}

static void a_user_is_never_made_a_contact(void **state)
{
    struct fixture *f = *state;
    struct crm_who who;
    int64_t n;
    receive_mail(f, "ben@home.example", "Ben", "hello", "person", &who);
    assert_int_equal(who.kind, CRM_WHO_USER);
    assert_string_equal(who.user, "ben");
    assert_int_equal(who.target.lead, 0);
    OK(db_get_int(f->db, e, &n, -1, "SELECT COUNT(*) FROM contact", ""));
    assert_int_equal(n, 0);
    assert_true(had_event(f, "message.received"));
}

static void a_users_mail_to_the_contact_is_the_first_answer_when_proven(void **state)
{
    struct fixture *f = *state;
    struct crm_who who;
    struct crm_target t = some_lead(f);
    AUTO_JSON json_t *m = fixture_json(
        "{'channel': 'email', 'kind': 'person', 'subject': 'Re: An offer', 'from':"
        " {'address': 'anna@our.example'}, 'to': [{'address': 'Lena@Customer.example'}],"
        " 'cc': [{'address': 'crm@our.example'}]}");
    struct crm_input in = {.kind = "mail", .message = m, .source = "sales", .at_ms = f->now};
    input_begin(f);
    OK(crm_receive(f->ctx, &in, &who, e));
    input_end(f, &who.target);
    assert_int_equal(who.target.lead, t.lead);
    /* the From alone files it and changes nothing */
    assert_string_equal(LEAD(f, "status", t.lead), "new");
    assert_false(had_event(f, "lead.contacted"));
    in.proven = true;
    input_begin(f);
    OK(crm_receive(f->ctx, &in, &who, e));
    input_end(f, &who.target);
    assert_string_equal(LEAD(f, "status", t.lead), "contacted");
    assert_true(had_event(f, "lead.contacted"));
    assert_string_equal(cell(f, "SELECT actor || ' ' || direction FROM activity WHERE id = $1",
                             who.target.activity), "user anna out");
}

static void machines_create_nothing_and_answer_nothing(void **state)
{
    static const char *const kinds[] = {"auto_reply", "bounce", "receipt", "report", "own", "list"};
    struct fixture *f = *state;
    struct crm_who who;
    struct crm_target t;
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        receive_mail(f, "robot@machine.example", NULL, "x", kinds[i], &who);
        assert_int_equal(who.target.contact, 0);
        assert_int_equal(who.target.lead, 0);
        assert_true(had_event(f, "message.received"));
    }
    t = some_lead(f);
    AUTO_FREE char *before = mem_str(LEAD(f, "last_in_ms", t.lead));
    receive_mail(f, "lena@customer.example", NULL, "Out of office", "auto_reply", &who);
    assert_int_equal(who.target.lead, t.lead);
    assert_string_equal(LEAD(f, "last_in_ms", t.lead), before);
}

static void receive_json(struct fixture *f, const char *text, struct crm_who *who)
{
    AUTO_JSON json_t *m = fixture_json(text);
    struct crm_input in = {.kind = "mail", .message = m, .source = "sales"};
    input_begin(f);
    in.at_ms = f->now;
    OK(crm_receive(f->ctx, &in, who, e));
    input_end(f, &who->target);
}

static void a_list_of_our_own_is_people_and_others_are_not(void **state)
{
    struct fixture *f = *state;
    struct crm_who who;
    receive_json(f, "{'from': {'address': 'a@one.example'}, 'kind': 'list',"
                    " 'auto': {'list_id': 'Sales <sales.our.example>'}}", &who);
    assert_true(who.new_lead);
    receive_json(f, "{'from': {'address': 'b@two.example'}, 'kind': 'list',"
                    " 'auto': {'list_id': '<news.your.example>'}}", &who);
    assert_int_equal(who.target.contact, 0);
    receive_json(f, "{'from': {'address': 'c@three.example'}, 'kind': 'list',"
                    " 'auto': {'list_id': '<newsfour.example>'}}", &who);
    assert_int_equal(who.target.contact, 0);
}

static void we_are_never_a_contact_of_ours(void **state)
{
    struct fixture *f = *state;
    struct crm_who who;
    /* a form mailer writes in our name: the person is in Reply-To */
    receive_json(f, "{'from': {'address': 'CRM@our.example', 'name': 'Web site'},"
                    " 'reply_to': [{'address': 'lena@customer.example', 'name': 'Lena Lead'}],"
                    " 'kind': 'person'}", &who);
    assert_string_equal(who.address, "lena@customer.example");
    assert_string_equal(CONTACT(f, "name", who.target.contact), "Lena Lead");
    receive_json(f, "{'from': {'address': 'crm+L1.abc@our.example'}, 'kind': 'person',"
                    " 'subject': 'words that must not be lost'}", &who);
    assert_string_equal(who.address, "");
    assert_true(who.new_lead);
    struct err e;
    assert_int_equal(try_command(f, &who.target, "anna", "send welcome", NULL, &e), -1);
}

static void mail_that_names_nobody_makes_nothing(void **state)
{
    static const char *const mails[] = {
        "{'kind': 'person', 'subject': 'words', 'text': 'and more'}",
        "{'kind': 'person', 'text': 'xQ z', 'reply_to': [], 'attachments': []}",
        "{'kind': 'person', 'subject': 'words', 'from': {'address': 'no address'}}"};
    struct fixture *f = *state;
    struct crm_who who;
    for (size_t i = 0; i < ARRAY_LEN(mails); i++) {
        receive_json(f, mails[i], &who);
        assert_true(who.no_sender && !who.new_contact && !who.new_lead);
    }
    assert_string_equal(cell(f, "SELECT CAST(COUNT(*) AS TEXT) FROM contact WHERE $1 = 0", 0), "0");
    receive_json(f, "{'kind': 'person', 'text': ' ', 'attachments': []}", &who);
    assert_false(who.no_sender); /* nothing is in it */
    receive_json(f, "{'kind': 'person', 'text': 'words',"
                    " 'reply_to': [{'address': 'lena@customer.example'}]}", &who);
    assert_true(who.new_lead && !who.no_sender);
}

static void a_proven_thread_wins_over_the_sender(void **state)
{
    struct fixture *f = *state;
    struct crm_who who;
    receive_mail(f, "lena@customer.example", NULL, "An offer, please", "person", &who);
    struct crm_target t = who.target;
    AUTO_JSON json_t *m = fixture_json("{'channel': 'email', 'kind': 'person', 'subject': 'Re',"
                                       " 'from': {'address': 'boss@customer.example',"
                                       " 'name': 'The Boss'}}");
    struct crm_input in = {.kind = "mail", .message = m, .source = "sales", .thread = t};
    input_begin(f);
    in.at_ms = f->now;
    OK(crm_receive(f->ctx, &in, &who, e));
    input_end(f, &who.target);
    assert_int_equal(who.target.lead, t.lead);
    assert_false(who.new_lead || who.new_contact);
    assert_string_equal(CONTACT(f, "name", t.contact), "-");
}

static int64_t post_form(struct fixture *f, const char *fields, struct crm_who *who)
{
    AUTO_JSON json_t *posted = fixture_json(fields);
    struct crm_input in = {.kind = "form", .form = "contact", .fields = posted};
    input_begin(f);
    in.at_ms = f->now;
    OK(crm_receive(f->ctx, &in, who, e));
    return input_end(f, &who->target);
}

static void a_form_fills_in_and_never_overwrites(void **state)
{
    struct fixture *f = *state;
    struct crm_who who, again;
    struct err why = {0};
    post_form(f, "{'mail': 'Lena@Customer.example', 'name': 'Lena Lead', 'tel': '0660 7654321',"
                 " 'size': 250, 'words': ' Call me\\nor not'}", &who);
    assert_true(who.new_lead);
    assert_string_equal(LEAD(f, "source", who.target.lead), "website");
    assert_string_equal(LEAD(f, "subject", who.target.lead), "Call me");
    assert_string_equal(CONTACT(f, "country", who.target.contact), "AT");
    assert_string_equal(cell(f, "SELECT actor FROM activity WHERE id = $1", who.target.activity),
                        "contact C1");
    assert_string_equal(LEAD(f, "custom", who.target.lead), "{\"employees\":250}");
    assert_string_equal(cell(f, "SELECT value FROM address WHERE contact_id = $1 AND "
                                "channel = 'phone'", who.target.contact), "+436607654321");
    assert_string_equal(f->events[0], "form.received");
    post_form(f, "{'mail': 'lena@customer.example', 'name': 'Somebody Else', 'size': 1}", &again);
    assert_int_equal(again.target.lead, who.target.lead);
    assert_string_equal(CONTACT(f, "name", who.target.contact), "Lena Lead");
    assert_string_equal(LEAD(f, "custom", who.target.lead), "{\"employees\":250}");
    /* what does not fit its field is left out, but a wrong address is told */
    post_form(f, "{'mail': 'x@other.example', 'tel': 'none', 'size': 'many'}", &again);
    assert_string_equal(LEAD(f, "custom", again.target.lead), "-");
    AUTO_JSON json_t *odd = fixture_json("{'mail': 'x@other.example', 'size': ' zwölf ',"
                                         " 'name': 'Otto', 'words': 'many'}");
    AUTO_JSON json_t *misfits = crm_form_misfits(f->crm, "contact", odd, f->now);
    assert_int_equal(json_array_size(misfits), 1);
    assert_string_equal(json_get_str(json_array_get(misfits, 0), "text", ""),
                        "size: 'zwölf' is no whole number; not taken into lead.employees");
    AUTO_JSON json_t *bad = fixture_json("{'mail': 'not an address'}");
    assert_int_equal(crm_form_check(f->crm, "contact", bad, &why), -1);
    assert_non_null(strstr(why.text, "mail"));
}

static void somebody_elses_phone_number_stays_his(void **state)
{
    struct fixture *f = *state;
    struct crm_who a, b;
    post_form(f, "{'mail': 'a@one.example', 'tel': '0660 7654321'}", &a);
    post_form(f, "{'mail': 'b@two.example', 'tel': '0660 7654321'}", &b);
    assert_true(b.new_lead);
    assert_int_not_equal(a.target.contact, b.target.contact);
    assert_string_equal(cell(f, "SELECT CAST(contact_id AS TEXT) FROM address WHERE "
                                "channel = 'phone' AND $1 = 0", 0),
                        cell(f, "SELECT CAST($1 AS TEXT)", a.target.contact));
}

/* ---- assignment ---------------------------------------------------------------- */

static void a_pool_of_two_to_one_is_exact_and_interleaved(void **state)
{
    struct fixture *f = *state;
    struct crm_target t = some_lead(f);
    int anna = 0, run = 0, longest = 0;
    for (int i = 0; i < 300; i++) {
        run_command(f, &t, "dora", "assign pool dach");
        bool is_anna = !strcmp(LEAD(f, "owner", t.lead), "anna");
        anna += is_anna;
        run = is_anna ? run + 1 : 0;
        longest = run > longest ? run : longest;
        if (i % 3 == 2)
            assert_int_equal(anna, (i + 1) / 3 * 2);
    }
    assert_int_equal(anna, 200);
    assert_int_equal(longest, 2);
}

static void a_pools_round_survives_a_restart(void **state)
{
    struct fixture f;
    struct crm_target t;
    const char *path = "test_crm_pool.db";
    static const char *const expected[] = {"anna", "ben", "anna", "anna", "ben", "anna"};
    (void)state;
    remove(path);
    for (int i = 0; i < 6; i++) {
        fixture_open(&f, path, fixture_config);
        if (i == 0)
            t = some_lead(&f);
        run_command(&f, &t, "dora", "assign pool dach");
        assert_string_equal(LEAD(&f, "owner", t.lead), expected[i]);
        fixture_close(&f);
    }
    remove(path);
    remove("test_crm_pool.db-wal");
    remove("test_crm_pool.db-shm");
}

static void who_left_the_config_is_skipped(void **state)
{
    struct fixture *f = *state;
    struct crm_target t = some_lead(f);
    json_object_del(json_object_get((json_t *)crm_config(f->crm), "users"), "anna");
    for (int i = 0; i < 4; i++) {
        run_command(f, &t, "dora", "assign pool dach");
        assert_string_equal(LEAD(f, "owner", t.lead), "ben");
    }
}

static void who_is_full_or_takes_none_is_passed_over_until_tomorrow(void **state)
{
    struct fixture *f = *state;
    struct crm_target t = some_lead(f);
    json_t *users = json_object_get((json_t *)crm_config(f->crm), "users");
    json_put_int(json_object_get(users, "anna"), "capacity", 1);
    run_command(f, &t, "dora", "assign pool dach");
    assert_string_equal(LEAD(f, "owner", t.lead), "anna");
    run_command(f, &t, "dora", "undo"); /* gives back her turn and her lead of today */
    run_command(f, &t, "dora", "assign pool dach");
    assert_string_equal(LEAD(f, "owner", t.lead), "anna");
    for (int i = 0; i < 4; i++) {
        run_command(f, &t, "dora", "assign pool dach");
        assert_string_equal(LEAD(f, "owner", t.lead), "ben");
    }
    json_put_bool(json_object_get(users, "ben"), "takes", false);
    refuse_command(f, &t, "dora", "assign pool dach", "anna has had 1 of 1 today");
    f->now += INT64_C(86400000);
    run_command(f, &t, "dora", "assign pool dach");
    assert_string_equal(LEAD(f, "owner", t.lead), "anna");
}

static void an_owner_is_assigned_directly_and_by_default(void **state)
{
    struct fixture *f = *state;
    struct crm_target t = some_lead(f);
    bool assigned = false;
    input_begin(f);
    OK(crm_ensure_owner(f->ctx, t.lead, &assigned, e));
    assert_true(assigned);
    assert_true(had_event(f, "lead.assigned"));
    OK(crm_ensure_owner(f->ctx, t.lead, &assigned, e));
    assert_false(assigned);
    input_end(f, &t);
    assert_string_equal(LEAD(f, "owner", t.lead), "dora");
    int64_t j = run_command(f, &t, "anna", "assign anna");
    assert_string_equal(LEAD(f, "owner", t.lead), "anna");
    run_command(f, &t, "anna", "undo");
    assert_string_equal(LEAD(f, "owner", t.lead), "dora");
    (void)j;
    refuse_command(f, &t, "anna", "assign ana", "did you mean 'anna'");
    refuse_command(f, &t, "anna", "assign pool dac", "did you mean 'dach'");
    run_command(f, &t, "anna", "assign team sales");
    assert_string_equal(LEAD(f, "owner", t.lead), "anna");
}

/* ---- deals --------------------------------------------------------------------- */

static void stage_makes_the_deal_and_undo_takes_it_back(void **state)
{
    struct fixture *f = *state;
    struct crm_target t = some_lead(f);
    run_command(f, &t, "anna", "stage proposal");
    assert_true(t.deal > 0);
    assert_string_equal(DEAL(f, "stage", t.deal), "proposal");
    assert_string_equal(LEAD(f, "status", t.lead), "qualified");
    assert_true(had_event(f, "deal.created"));
    assert_true(had_event(f, "deal.stage_changed"));
    run_command(f, &t, "anna", "stage negotiation");
    run_command(f, &t, "anna", "undo");
    assert_string_equal(DEAL(f, "stage", t.deal), "proposal");
    run_command(f, &t, "anna", "undo");
    assert_string_not_equal(DEAL(f, "deleted_ms", t.deal), "-");
    assert_string_equal(LEAD(f, "status", t.lead), "new");
    refuse_command(f, &t, "anna", "stage propsal", "did you mean 'proposal'");
}

static void won_on_a_lead_without_a_deal_makes_one(void **state)
{
    struct fixture *f = *state;
    struct crm_target t = some_lead(f);
    struct crm_result out;
    struct err e;
    assert_true(try_command(f, &t, "anna", "won 5.000,50 usd", &out, &e) > 0);
    assert_string_equal(out.text, "D1 is won for 5000.50 USD");
    assert_string_equal(DEAL(f, "status", t.deal), "won");
    assert_string_equal(DEAL(f, "amount", t.deal), "500050");
    assert_string_equal(LEAD(f, "status", t.lead), "closed");
    assert_true(had_event(f, "deal.won"));
    refuse_command(f, &t, "anna", "won", "closed");
    run_command(f, &t, "anna", "undo");
    assert_string_equal(LEAD(f, "status", t.lead), "new");
    refuse_command(f, &t, "anna", "won five", "too much");
    refuse_command(f, &t, "anna", "won 5000 XXQ", "no currency");
}

static void lost_keeps_the_reason_and_reopen_of_the_deal_opens_both(void **state)
{
    struct fixture *f = *state;
    struct crm_target t = some_lead(f), deal;
    run_command(f, &t, "anna", "stage proposal");
    refuse_command(f, &t, "anna", "close", "say won or lost");
    run_command(f, &t, "anna", "lost too expensive");
    assert_string_equal(DEAL(f, "lost_reason", t.deal), "too expensive");
    assert_string_equal(LEAD(f, "status", t.lead), "closed");
    deal = t;
    deal.main = CRM_DEAL;
    run_command(f, &deal, "anna", "reopen");
    assert_string_equal(DEAL(f, "status", t.deal), "open");
    assert_string_equal(LEAD(f, "status", t.lead), "qualified");
    refuse_command(f, &deal, "anna", "reopen", "not closed");
    run_command(f, &deal, "anna", "undo");
    assert_string_equal(DEAL(f, "status", t.deal), "lost");
    assert_string_equal(DEAL(f, "lost_reason", t.deal), "too expensive");
    assert_string_equal(LEAD(f, "status", t.lead), "closed");
}

static void reopen_of_a_lead_leaves_its_won_deal_won(void **state)
{
    struct fixture *f = *state;
    struct crm_target t = some_lead(f), deal;
    run_command(f, &t, "anna", "won 5000");
    deal = t;
    deal.main = CRM_DEAL;
    run_command(f, &t, "anna", "reopen");
    assert_string_equal(LEAD(f, "status", t.lead), "qualified");
    assert_string_equal(DEAL(f, "status", deal.deal), "won");
    assert_string_equal(DEAL(f, "amount", deal.deal), "500000");
    assert_string_not_equal(DEAL(f, "closed_ms", deal.deal), "-");
    run_command(f, &t, "anna", "stage proposal"); /* the next deal is another one */
    assert_string_equal(DEAL(f, "status", deal.deal), "won");
    refuse_command(f, &deal, "anna", "reopen", "D2 is open");
}

static void a_closed_lead_gets_no_status_but_by_reopen(void **state)
{
    struct fixture *f = *state;
    struct crm_target t = some_lead(f);
    run_command(f, &t, "anna", "close spam");
    refuse_command(f, &t, "anna", "status qualified", "reopen it first");
    assert_string_equal(LEAD(f, "status", t.lead), "closed");
    run_command(f, &t, "anna", "reopen");
    run_command(f, &t, "anna", "status qualified");
    assert_string_equal(LEAD(f, "status", t.lead), "qualified");
}

/* ---- notes, tasks, tags, fields ---------------------------------------------------- */

static void only_humans_make_contact(void **state)
{
    struct fixture *f = *state;
    struct crm_target t = some_lead(f);
    struct crm_actor rule = {CRM_BY_RULE, "greet", "r.conf:3"};
    input_begin(f);
    OK(crm_command_run(f->ctx, &t, "call a robot called", &rule, NULL, e));
    OK(crm_record_sent(f->ctx, &t, "Welcome", 0, 7, &rule, e));
    input_end(f, &t);
    assert_string_equal(LEAD(f, "status", t.lead), "new");
    assert_string_not_equal(LEAD(f, "first_out_ms", t.lead), "-");
    run_command(f, &t, "anna", "note just thinking");
    assert_string_equal(LEAD(f, "status", t.lead), "new");
    run_command(f, &t, "anna", "call spoke with her");
    assert_string_equal(LEAD(f, "status", t.lead), "contacted");
    assert_true(had_event(f, "call.logged"));
    run_command(f, &t, "anna", "undo");
    assert_string_equal(LEAD(f, "status", t.lead), "new");
    assert_string_equal(LEAD(f, "contacted_ms", t.lead), "-");
}

static void tasks_have_a_due_time_and_an_owner_and_get_done(void **state)
{
    struct fixture *f = *state;
    struct crm_target t = some_lead(f);
    run_command(f, &t, "anna", "assign ben");
    run_command(f, &t, "anna", "task fri 10:00 send the offer");
    assert_string_equal(TASK(f, "title", t.task), "send the offer");
    assert_string_equal(TASK(f, "owner", t.task), "anna");
    assert_string_equal(TASK(f, "due_ms", t.task), "1795770000000");
    int64_t first = t.task;
    t.task = 0;
    run_command(f, &t, NULL, "task 'Call back today'");
    assert_string_equal(TASK(f, "owner", t.task), "ben");
    assert_string_equal(TASK(f, "title", t.task), "Call back today");
    t.task = 0;
    refuse_command(f, &t, "anna", "done", "2 open tasks");
    run_command(f, &t, "anna", "done T1");
    assert_string_equal(TASK(f, "status", first), "done");
    assert_true(had_event(f, "task.done"));
    run_command(f, &t, "anna", "undo");
    assert_string_equal(TASK(f, "status", first), "open");
    refuse_command(f, &t, "anna", "done T99", "no task T99");
    refuse_command(f, &t, "anna", "task 31.2.2027 party", "no date");
    refuse_command(f, &t, "anna", "task", "missing");
}

static void tags_fold_and_come_off(void **state)
{
    struct fixture *f = *state;
    struct crm_target t = some_lead(f);
    const char *count = "SELECT CAST(COUNT(*) AS TEXT) FROM tag WHERE record_id = $1";
    run_command(f, &t, "anna", "tag Hot");
    run_command(f, &t, "anna", "tag hot");
    assert_string_equal(cell(f, count, t.lead), "1");
    run_command(f, &t, "anna", "untag HOT");
    assert_string_equal(cell(f, count, t.lead), "0");
    run_command(f, &t, "anna", "undo");
    assert_string_equal(cell(f, count, t.lead), "1");
}

static void set_reads_values_by_type(void **state)
{
    struct fixture *f = *state;
    struct crm_target t = some_lead(f);
    run_command(f, &t, "anna", "set lead.score +10");
    run_command(f, &t, "anna", "set lead.score +5");
    assert_string_equal(LEAD(f, "score", t.lead), "15");
    run_command(f, &t, "anna", "set lead.budget 5k");
    run_command(f, &t, "anna", "set lead.demo yes");
    assert_string_equal(LEAD(f, "custom", t.lead),
                        "{\"budget\":{\"amount\":500000,\"currency\":\"EUR\"},\"demo\":true}");
    run_command(f, &t, "anna", "undo");
    run_command(f, &t, "anna", "set lead.budget");
    assert_string_equal(LEAD(f, "custom", t.lead), "-");
    run_command(f, &t, "anna", "set contact.email lena@private.example");
    input_begin(f);
    struct template_result r = {0};
    OK(crm_render(f->ctx, &t, &(struct crm_rendering){.name = "welcome"}, &r, e));
    template_result_done(&r);
    crm_end(&f->ctx);
    run_command(f, &t, "anna", "set deal.amount 99");
    assert_string_equal(DEAL(f, "amount", t.deal), "9900");
    run_command(f, &t, "anna", "set lead.score");
    assert_string_equal(LEAD(f, "score", t.lead), "0");
    run_command(f, &t, "anna", "set deal.amount");
    assert_string_equal(DEAL(f, "COALESCE(amount, 0) || COALESCE(currency, '')", t.deal), "0");
    refuse_command(f, &t, "anna", "set lead.employes 5", "did you mean lead.employees");
    refuse_command(f, &t, "anna", "set lead.owner ben", "command assign");
    refuse_command(f, &t, "anna", "set lead.created 2020-01-01", "cannot be set");
    refuse_command(f, &t, "anna", "set lead.employees many", "no whole number");
    refuse_command(f, &t, "anna", "set contact.email nonsense", "no email address");
}

static void another_contacts_address_cannot_be_taken(void **state)
{
    struct fixture *f = *state;
    struct crm_target t = some_lead(f);
    struct crm_who other;
    receive_mail(f, "otto@other.example", NULL, "x", "person", &other);
    refuse_command(f, &t, "anna", "set contact.email otto@other.example", "belongs to C2");
}

static void a_contacts_new_address_counts_and_undo_gives_the_old(void **state)
{
    struct fixture *f = *state;
    struct crm_target t = some_lead(f);
    run_command(f, &t, "anna", "set contact.email lena@private.example");
    run_command(f, &t, "anna", "send welcome");
    assert_string_equal(f->sent_to, "lena@private.example");
    run_command(f, &t, "anna", "undo"); /* of the mail */
    run_command(f, &t, "anna", "undo"); /* of the address */
    run_command(f, &t, "anna", "send welcome");
    assert_string_equal(f->sent_to, "lena@customer.example");
}

/* ---- cases ---------------------------------------------------------------------------- */

static void a_case_opens_waits_closes_and_opens_again(void **state)
{
    struct fixture *f = *state;
    struct crm_target t = some_lead(f);
    run_command(f, &t, "anna", "assign anna");
    run_command(f, &t, "anna", "case the pump leaks");
    assert_string_equal(CASE(f, "owner", t.kase), "anna");
    t.main = CRM_CASE;
    run_command(f, &t, "anna", "status waiting");
    f->now += 60000;
    run_command(f, &t, "anna", "close fixed");
    assert_string_equal(CASE(f, "waited_ms", t.kase), "61000");
    assert_string_equal(CASE(f, "closed_reason", t.kase), "fixed");
    assert_string_equal(LEAD(f, "status", t.lead), "new");
    assert_true(had_event(f, "case.closed"));
    run_command(f, &t, "anna", "reopen");
    assert_string_equal(CASE(f, "status", t.kase), "open");
    assert_string_equal(CASE(f, "reopened", t.kase), "1");
    run_command(f, &t, "anna", "undo");
    assert_string_equal(CASE(f, "status", t.kase), "closed");
    assert_string_equal(CASE(f, "closed_reason", t.kase), "fixed");
    refuse_command(f, &t, "anna", "status qualified", "no status of a case");
}

static void mail_to_a_support_mailbox_makes_cases_and_opens_them_again(void **state)
{
    struct fixture *f = *state;
    struct crm_who who, again;
    AUTO_JSON json_t *m = fixture_json("{'channel': 'email', 'kind': 'person', 'subject': 'Help',"
                                       " 'from': {'address': 'lena@customer.example'}}");
    struct crm_input in = {.kind = "mail", .message = m, .source = "support", .creates = "case"};
    input_begin(f);
    in.at_ms = f->now;
    OK(crm_receive(f->ctx, &in, &who, e));
    input_end(f, &who.target);
    assert_true(who.new_case && !who.new_lead);
    assert_true(had_event(f, "case.created"));
    run_command(f, &who.target, "anna", "close done");
    in.thread = who.target;
    input_begin(f);
    in.at_ms = f->now;
    OK(crm_receive(f->ctx, &in, &again, e));
    input_end(f, &again.target);
    assert_int_equal(again.target.kase, who.target.kase);
    assert_string_equal(CASE(f, "status", who.target.kase), "open");
    assert_true(had_event(f, "case.reopened"));
    bool assigned = false;
    input_begin(f);
    OK(crm_ensure_case_owner(f->ctx, who.target.kase, &assigned, e));
    input_end(f, &who.target);
    assert_true(assigned);
    assert_string_equal(CASE(f, "owner", who.target.kase), "dora");
}

/* ---- sending and consent ---------------------------------------------------------------- */

static void undo_of_an_optout_does_not_pass_the_contacts_own(void **state)
{
    struct fixture *f = *state;
    struct crm_target t = some_lead(f);
    struct crm_actor contact = {CRM_BY_CONTACT, "C1", NULL};
    enum crm_address_use use;
    char line[32];
    int64_t j = run_command(f, &t, "anna", "optout lena@customer.example by phone");
    input_begin(f);
    OK(crm_command_run(f->ctx, &t, "optout lena@customer.example by link", &contact, NULL, e));
    input_end(f, &t);
    snprintf(line, sizeof(line), "undo J%lld", (long long)j);
    refuse_command(f, &t, "anna", line, "opted_out");
    OK(crm_address_check(f->db, "email", "lena@customer.example", &use, e));
    assert_int_equal(use, CRM_ADDRESS_OPTED_OUT);
}

static void the_answer_names_the_address_whose_state_it_is(void **state)
{
    static const char *const said[][2] = {
        {"optout", "optout is noted for lena@customer.example"},
        {"optin Lena@Customer.example", "optin is noted for lena@customer.example"},
        {"optin", "optin was known already for lena@customer.example"},
        {"bounced other@customer.example 550", "bounced is noted for other@customer.example"},
        {"verified other@customer.example", "verified is noted for other@customer.example"},
    };
    struct fixture *f = *state;
    struct crm_target t = some_lead(f);
    struct crm_result out;
    struct err e;
    for (size_t i = 0; i < ARRAY_LEN(said); i++) {
        assert_true(try_command(f, &t, "dora", said[i][0], &out, &e) >= 0);
        assert_string_equal(out.text, said[i][1]);
    }
}

static void who_opted_out_or_bounces_gets_nothing(void **state)
{
    struct fixture *f = *state;
    struct crm_target t = some_lead(f);
    struct crm_actor contact = {CRM_BY_CONTACT, "C1", NULL};
    enum crm_address_use use;
    run_command(f, &t, "anna", "send welcome to contact");
    assert_string_equal(f->sent_to, "lena@customer.example");
    input_begin(f);
    OK(crm_command_run(f->ctx, &t, "optout lena@customer.example by link", &contact, NULL, e));
    assert_true(had_event(f, "address.opted_out"));
    input_end(f, &t);
    refuse_command(f, &t, "anna", "send welcome", "opted out");
    OK(crm_address_check(f->db, "email", "lena@customer.example", &use, e));
    assert_int_equal(use, CRM_ADDRESS_OPTED_OUT);
    run_command(f, &t, "anna", "optin");
    run_command(f, &t, NULL, "bounced lena@customer.example 550 no such user");
    refuse_command(f, &t, "anna", "send welcome", "comes back");
    run_command(f, &t, "dora", "verified lena@customer.example");
    run_command(f, &t, "anna", "send welcome");
    assert_int_equal(f->sends, 2);
    run_command(f, &t, "anna", "assign ben");
    run_command(f, &t, "anna", "send welcome to owner");
    assert_string_equal(f->sent_to, "ben@our.example");
    refuse_command(f, &t, "anna", "send welcom", "did you mean 'welcome'");
    refuse_command(f, &t, "anna", "send welcome to nobody", "neither");
}

static void undo_takes_a_mail_back_while_it_has_not_left(void **state)
{
    struct fixture *f = *state;
    struct crm_target t = some_lead(f);
    struct crm_result out;
    struct err e;
    run_command(f, &t, "anna", "send welcome");
    run_command(f, &t, "anna", "undo");
    assert_int_equal(f->unsends, 1);
    f->unsend_refused = true;
    run_command(f, &t, "anna", "send welcome");
    assert_true(try_command(f, &t, "anna", "undo", &out, &e) > 0);
    assert_non_null(strstr(out.text, "1 mail that left"));
}

/* ---- permission ------------------------------------------------------------------------ */

static void everybody_may_only_what_the_table_says(void **state)
{
    struct fixture *f = *state;
    struct crm_target t = some_lead(f);
    struct crm_actor contact = {CRM_BY_CONTACT, "C1", NULL}, rule = {CRM_BY_RULE, "r", NULL};
    refuse_command(f, &t, "vera", "note hello", "may not use note");
    refuse_command(f, &t, "nobody", "note hello", "may not use note");
    refuse_command(f, &t, NULL, "won 5", "may not use won");
    refuse_command(f, &t, "anna", "nonsense", "no command 'nonsense'");
    refuse_command(f, &t, "anna", "asign ben", "did you mean 'assign'");
    assert_false(crm_command_allowed(f->crm, "note x", &contact));
    assert_true(crm_command_allowed(f->crm, "optout", &contact));
    assert_false(crm_command_allowed(f->crm, "undo", &rule));
    assert_false(crm_command_allowed(f->crm, "optin", &rule));
    assert_true(crm_command_allowed(f->crm, " #won 500", &(struct crm_actor){
                                                            CRM_BY_USER, "anna", NULL}));
    /* a rep takes back his own, a manager anybody's */
    run_command(f, &t, "anna", "tag mine");
    refuse_command(f, &t, "ben", "undo", "a manager may");
    run_command(f, &t, "dora", "undo");
}

/* ---- undo --------------------------------------------------------------------------------- */

static void undo_refuses_when_the_field_was_touched_later_and_names_it(void **state)
{
    struct fixture *f = *state;
    struct crm_target t = some_lead(f);
    int64_t j = run_command(f, &t, "anna", "set lead.score 10"), other;
    char line[32], part[64];
    run_command(f, &t, "anna", "tag other-field");
    other = run_command(f, &t, "ben", "set lead.score 20");
    snprintf(line, sizeof(line), "undo J%lld", (long long)j);
    snprintf(part, sizeof(part), "J%lld (user ben, 2026-11-21", (long long)other);
    refuse_command(f, &t, "anna", line, part);
    refuse_command(f, &t, "anna", line, "score of L1");
    /* once that is taken back, it goes */
    snprintf(part, sizeof(part), "undo J%lld", (long long)other);
    run_command(f, &t, "ben", part);
    run_command(f, &t, "anna", line);
    assert_string_equal(LEAD(f, "score", t.lead), "0");
    refuse_command(f, &t, "anna", line, "taken back already");
    refuse_command(f, &t, "anna", "undo J999", "no entry of this record");
}

static void an_undo_can_be_undone(void **state)
{
    struct fixture *f = *state;
    struct crm_target t = some_lead(f);
    char line[32];
    run_command(f, &t, "anna", "set lead.score 10");
    int64_t j = run_command(f, &t, "anna", "undo");
    snprintf(line, sizeof(line), "undo J%lld", (long long)j);
    run_command(f, &t, "anna", line);
    assert_string_equal(LEAD(f, "score", t.lead), "10");
    run_command(f, &t, "anna", "undo");
    assert_string_equal(LEAD(f, "score", t.lead), "0");
}

static void undo_of_a_note_leaves_later_work_alone(void **state)
{
    struct fixture *f = *state;
    struct crm_target t = some_lead(f);
    char line[32];
    snprintf(line, sizeof(line), "undo J%lld", (long long)run_command(f, &t, "anna", "note one"));
    run_command(f, &t, "anna", "note two");
    run_command(f, &t, "anna", "stage proposal");
    run_command(f, &t, "anna", line);
    assert_string_equal(cell(f, "SELECT group_concat(text) FROM activity WHERE lead_id = $1 AND "
                                "kind = 'note' AND deleted_ms IS NULL", t.lead), "two");
}

static void undo_of_a_filing_marks_deleted_and_keeps_the_ids(void **state)
{
    struct fixture *f = *state;
    struct crm_who who, again;
    char line[32];
    int64_t j = receive_mail(f, "lena@customer.example", NULL, "x", "person", &who);
    snprintf(line, sizeof(line), "undo J%lld", (long long)j);
    refuse_command(f, &who.target, "anna", "undo", "nothing to take back");
    run_command(f, &who.target, "anna", "tag seen");
    refuse_command(f, &who.target, "dora", line, "changed later");
    run_command(f, &who.target, "anna", "undo");
    run_command(f, &who.target, "anna", "note somebody's work");
    refuse_command(f, &who.target, "dora", line, "was changed later");
    run_command(f, &who.target, "anna", "undo");
    run_command(f, &who.target, "dora", line);
    refuse_command(f, &who.target, "anna", "note x", "deleted");
    receive_mail(f, "lena@customer.example", NULL, "x", "person", &again);
    assert_true(again.new_contact && again.new_lead);
    assert_int_not_equal(again.target.lead, who.target.lead);
}

static void personal_values_stand_beside_the_journal_only(void **state)
{
    struct fixture *f = *state;
    struct crm_target t = some_lead(f);
    struct err why = {0};
    int64_t j = run_command(f, &t, "anna", "set contact.name Magdalena Secret");
    AUTO_JSON json_t *row = journal_get(f->db, j, &why);
    AUTO_FREE char *body = json_text(json_object_get(row, "body"));
    AUTO_FREE char *personal = json_text(json_object_get(row, "personal"));
    assert_null(strstr(body, "Secret"));
    assert_non_null(strstr(personal, "Secret"));
    j = run_command(f, &t, "anna", "note she said Secret");
    json_decref(row);
    row = journal_get(f->db, j, &why);
    AUTO_FREE char *note = json_text(json_object_get(row, "body"));
    assert_null(strstr(note, "Secret"));
    /* erased: it cannot come back */
    OK(db_exec(f->db, e, "UPDATE journal SET personal = NULL WHERE id < $1", "i", j));
    refuse_command(f, &t, "anna", "undo J2", "erased");
}

/* ---- facts ----------------------------------------------------------------------------------- */

static void no_command_changes_anything_when_it_is_refused_by_the_outbox(void **state)
{
    struct fixture *f = *state;
    struct crm_target t = some_lead(f);
    f->hooks.send = NULL;
    refuse_command(f, &t, "anna", "send welcome", "nothing can be sent");
}

static const struct crm_event *find_event(struct fixture *f, const char *name)
{
    for (int i = 0; i < f->event_count; i++)
        if (!strcmp(f->events[i], name))
            return &f->last[i];
    fail_msg("no event %s", name);
    return NULL;
}

static int64_t fact(struct fixture *f, const struct crm_facts *facts, const char *name, void *view,
                    struct rule_value *out)
{
    const struct rule_fields *fields = crm_fields(f->crm);
    int i = rule_fields_find(fields, name);
    assert_true(i >= 0);
    *out = (struct rule_value){0};
    crm_facts_rule(facts)->get(view, i, out);
    return out->num;
}

static void facts_know_before_event_and_now(void **state)
{
    struct fixture *f = *state;
    struct crm_target t = some_lead(f);
    struct crm_actor anna = by_user("anna");
    struct rule_value v;
    input_begin(f);
    OK(crm_command_run(f->ctx, &t, "set lead.score 10", &anna, NULL, e));
    struct crm_event ev = *find_event(f, "lead.changed");
    OK(crm_command_run(f->ctx, &t, "set lead.score 30", &anna, NULL, e));
    OK(crm_command_run(f->ctx, &t, "tag late", &anna, NULL, e));
    struct crm_facts *facts = crm_facts_new(f->ctx, &ev);
    const struct rule_facts *r = crm_facts_rule(facts);
    assert_int_equal(fact(f, facts, "lead.score", r->before, &v), 0);
    assert_int_equal(fact(f, facts, "lead.score", r->event, &v), 10);
    assert_int_equal(fact(f, facts, "lead.score", r->now, &v), 30);
    fact(f, facts, "lead.tags", r->event, &v);
    assert_int_equal(v.state, RULE_VALUE_UNSET);
    fact(f, facts, "lead.tags", r->now, &v);
    assert_int_equal(v.count, 1);
    fact(f, facts, "contact.email", r->now, &v);
    assert_int_equal(v.text.n, strlen("lena@customer.example"));
    fact(f, facts, "lead.contacted", r->now, &v);
    assert_int_equal(v.state, RULE_VALUE_SET);
    fact(f, facts, "actor", r->now, &v);
    assert_memory_equal(v.text.p, "anna", 4);
    crm_facts_free(&facts);
    OK(crm_facts_error(f->ctx, e));
    input_end(f, &t);
}

static void a_created_lead_was_never_before(void **state)
{
    struct fixture *f = *state;
    struct crm_who who;
    struct rule_value v;
    AUTO_JSON json_t *m = fixture_json("{'channel': 'email', 'kind': 'person', 'subject': 'Offer',"
                                       " 'from': {'address': 'lena@customer.example'},"
                                       " 'to': [{'address': 'crm@our.example'}]}");
    struct crm_input in = {.kind = "mail", .message = m, .source = "sales"};
    input_begin(f);
    in.at_ms = f->now;
    OK(crm_receive(f->ctx, &in, &who, e));
    struct crm_facts *facts = crm_facts_new(f->ctx, find_event(f, "lead.created"));
    assert_null(crm_facts_rule(facts)->before);
    fact(f, facts, "message.subject", crm_facts_rule(facts)->now, &v);
    assert_int_equal(v.text.n, 5);
    fact(f, facts, "message.to", crm_facts_rule(facts)->now, &v);
    assert_int_equal(v.count, 1);
    fact(f, facts, "actor.kind", crm_facts_rule(facts)->now, &v);
    assert_memory_equal(v.text.p, "contact", 7);
    crm_facts_free(&facts);
    input_end(f, &who.target);
}

static void every_event_of_a_record_is_told_once(void **state)
{
    struct fixture *f = *state;
    struct crm_target t = some_lead(f);
    struct crm_actor anna = by_user("anna");
    input_begin(f);
    OK(crm_command_run(f->ctx, &t, "won 100", &anna, NULL, e));
    int full = 0;
    for (int i = 0; i < f->event_count; i++)
        if (f->last[i].entity == CRM_DEAL && f->last[i].before < f->last[i].after)
            full++;
    assert_int_equal(full, 1); /* deal.created has the changes, deal.won comes after */
    assert_false(had_event(f, "deal.changed"));
    assert_true(had_event(f, "deal.won"));
    input_end(f, &t);
}

static void templates_see_the_record_as_it_is_now(void **state)
{
    struct fixture *f = *state;
    struct crm_target t = some_lead(f);
    struct template_result r = {0};
    input_begin(f);
    OK(crm_render(f->ctx, &t, &(struct crm_rendering){.name = "welcome"}, &r, e));
    assert_string_equal(r.subject, "Hello Lena");
    assert_string_equal(r.text, "Your number is L1.\n");
    template_result_done(&r);
    input_end(f, &t);
}

static void a_country_is_kept_as_its_code_however_it_is_written(void **state)
{
    static const char *const cases[][2] = {
        {"at", "AT"}, {"Germany", "DE"}, {"österreich", "AT"}, {"USA", "US"}, {"uk", "GB"},
        {"France", "FR"}, {"Nippon", "Nippon"}, {"日本", "JP"}, {"DEU", "DE"}, {"XQ", "XQ"}};
    struct fixture *f = *state;
    struct crm_target t = some_lead(f);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        AUTO_FREE char *line = mem_printf("set contact.country %s", cases[i][0]);
        run_command(f, &t, "anna", line);
        assert_string_equal(CONTACT(f, "country", t.contact), cases[i][1]);
    }
}

/* ---- lists ------------------------------------------------------------------------------------- */

static void lists_filter_by_any_field(void **state)
{
    struct fixture *f = *state;
    struct crm_target t = some_lead(f);
    json_t *out = NULL;
    struct err why = {0};
    struct crm_who who;
    receive_mail(f, "otto@other.example", "Otto Other", "x", "person", &who);
    run_command(f, &t, "anna", "set lead.employees 7");
    run_command(f, &t, "anna", "tag Hot");
    run_command(f, &t, "anna", "assign anna");
    static const char *const yes[] = {"['status=new']",   "['owner=anna']",
                                      "['employees=7']",  "['tag=HOT']",
                                      "['contact=lena lead']", "['contact=C1', 'owner=anna']",
                                      "['tags=hot']",      "['owner=Anna', 'status=NEW']",
                                      "['contacted=no', 'owner=anna']",
                                      "['owner=', 'contacted=no']",
                                      "['lead.employees=7']", "['contact.name=lena lead']",
                                      "['employees=', 'created=2026']", "['owner.name=Anna One']"};
    for (size_t i = 0; i < ARRAY_LEN(yes); i++) {
        AUTO_JSON json_t *filters = fixture_json(yes[i]);
        OK(crm_list(f->crm, CRM_LEAD, filters, 10, &out, e));
        assert_int_equal(json_array_size(json_get_arr(out, "rows")), i == 0 ? 2 : 1);
        json_decref(out);
    }
    static const char *const none[] = {"['contacted=yes']", "['created=2025']", "['tags=cold']"};
    for (size_t i = 0; i < ARRAY_LEN(none); i++) {
        AUTO_JSON json_t *filters = fixture_json(none[i]);
        OK(crm_list(f->crm, CRM_LEAD, filters, 10, &out, e));
        assert_int_equal(json_array_size(json_get_arr(out, "rows")), 0);
        json_decref(out);
    }
    static const char *const bad[][2] = {
        {"['nonsense=1']", "a lead has no field nonsense; see leadctl list fields"},
        {"['employes=1']", "a lead has no field employes; did you mean employees?"},
        {"['country=DE']", "a lead has no field country; did you mean contact.country?"},
        {"['status=nwe']", "status=nwe: did you mean new?"},
        {"['owner=ana']", "owner=ana: did you mean anna?"},
        {"['contacted=perhaps']", "contacted=perhaps: expected yes or no"},
        {"['employees=many']", "employees=many: expected a number"},
        {"['created=yesterday']", "created=yesterday: expected a day such as 2026-11-20, or a month "
                                  "such as 2026-11"},
        {"['lead=7']", "lead=7: expected a lead such as L42"},
        {"['message.subject=x']", "a lead has no field message.subject; did you mean"},
    };
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        AUTO_JSON json_t *filters = fixture_json(bad[i][0]);
        why = (struct err){0};
        assert_int_equal(crm_list(f->crm, CRM_LEAD, filters, 10, &out, &why), -1);
        if (strncmp(why.text, bad[i][1], strlen(bad[i][1])) != 0)
            fail_msg("%s: %s", bad[i][0], why.text);
    }
    OK(crm_list(f->crm, CRM_LEAD, NULL, 10, &out, e));
    const json_t *row = json_array_get(json_get_arr(out, "rows"), 1);
    assert_string_equal(json_get_str(row, "id", ""), "L1");
    assert_string_equal(json_get_str(row, "email", ""), "lena@customer.example");
    json_decref(out);
}

static void deals_are_listed_by_their_stage_and_not_by_its_time(void **state)
{
    struct fixture *f = *state;
    struct crm_target t = some_lead(f);
    json_t *out = NULL;
    run_command(f, &t, "anna", "stage proposal");
    AUTO_JSON json_t *filters = fixture_json("['stage=proposal']");
    OK(crm_list(f->crm, CRM_DEAL, filters, 10, &out, e));
    assert_int_equal(json_array_size(json_get_arr(out, "rows")), 1);
    const json_t *row = json_array_get(json_get_arr(out, "rows"), 0);
    assert_string_equal(json_get_str(row, "stage", ""), "proposal");
    assert_string_not_equal(json_get_str(row, "created", ""), "");
    json_decref(out);
}

static void fields_events_commands_and_users_are_listed(void **state)
{
    static const struct {
        const char *what, *has;
    } cases[] = {{"fields", "lead.employees"}, {"events", "deal.won"}, {"commands", "assign"},
                 {"users", "vera"}};
    struct fixture *f = *state;
    struct err why = {0};
    json_t *out = NULL;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        OK(crm_list_names(f->crm, cases[i].what, &out, e));
        size_t n;
        const json_t *row;
        bool found = false;
        json_array_foreach(json_get_arr(out, "rows"), n, row)
            found |= !strcmp(json_get_str(row, "name", ""), cases[i].has);
        assert_true(found);
        json_decref(out);
    }
    assert_int_equal(crm_list_names(f->crm, "nonsense", &out, &why), -1);
}

static size_t row_with_text(const json_t *rows, const char *text)
{
    for (size_t i = 0; i < json_array_size(rows); i++)
        if (!strcmp(json_get_str(json_array_get(rows, i), "text", ""), text))
            return i;
    return SIZE_MAX;
}

static void show_and_timeline_tell_what_happened(void **state)
{
    struct fixture *f = *state;
    struct crm_target t = some_lead(f);
    json_t *out = NULL;
    run_command(f, &t, "anna", "note first words");
    run_command(f, &t, "anna", "stage proposal");
    run_command(f, &t, "anna", "task tomorrow call");
    run_command(f, &t, NULL, "set lead.employees 7");
    OK(crm_show(f->crm, CRM_LEAD, t.lead, &out, e));
    AUTO_FREE char *text = json_text(out);
    assert_non_null(strstr(text, "\"Status\",\"qualified\""));
    assert_non_null(strstr(text, "\"Number of employees\",7"));
    assert_non_null(strstr(text, "C1 Lena Lead lena@customer.example"));
    assert_int_equal(json_array_size(json_get_arr(out, "sections")), 2);
    json_decref(out);
    OK(crm_show(f->crm, CRM_CONTACT, t.contact, &out, e));
    assert_int_equal(json_array_size(json_get_arr(out, "sections")), 2);
    json_decref(out);
    OK(crm_show(f->crm, CRM_COMPANY, t.company, &out, e));
    assert_int_equal(json_array_size(json_get_arr(out, "sections")), 1);
    json_decref(out);
    static const enum crm_entity of[] = {CRM_LEAD, CRM_CONTACT, CRM_DEAL};
    const int64_t ids[] = {t.lead, t.contact, t.deal};
    for (size_t i = 0; i < ARRAY_LEN(of); i++) {
        OK(crm_timeline(f->crm, of[i], ids[i], 10, &out, e));
        const json_t *rows = json_get_arr(out, "rows");
        assert_int_equal(json_array_size(rows), 5);
        assert_string_equal(json_get_str(json_array_get(rows, 0), "kind", ""), "mail");
        size_t note = row_with_text(rows, "first words");
        assert_true(note < row_with_text(rows, "stage proposal"));
        assert_true(row_with_text(rows, "stage proposal") <
                    row_with_text(rows, "task tomorrow call"));
        assert_int_equal(row_with_text(rows, "note first words"), SIZE_MAX);
        json_decref(out);
    }
}

static void users_of_the_config_are_in_the_store(void **state)
{
    struct fixture *f = *state;
    assert_string_equal(cell(f, "SELECT role FROM app_user WHERE name = 'dora' AND $1 = 0", 0),
                        "manager");
    assert_string_equal(crm_user_by_address(f->crm, "phone", "+436601234567"), "anna");
}

/* One line of a rule for a target. */
static int rule_says(struct fixture *f, struct crm_target *t, const char *line, struct err *e)
{
    struct crm_actor actor = {CRM_BY_RULE, "greet", "10.conf:3"};
    struct crm_result out = {0};
    *e = (struct err){0};
    input_begin(f);
    int rc = crm_command_run(f->ctx, t, line, &actor, &out, e);
    if (rc == 0)
        *t = out.target;
    input_end(f, t);
    return rc;
}

static void a_score_goes_up_and_down_and_undo_takes_it_back(void **state)
{
    struct fixture *f = *state;
    struct crm_who who;
    receive_mail(f, "zoe@customer.example", NULL, "a", "person", &who);
    run_command(f, &who.target, "anna", "score 50");
    run_command(f, &who.target, "anna", "score +10");
    run_command(f, &who.target, "anna", "score -25");
    assert_string_equal(LEAD(f, "score", who.target.lead), "35");
    run_command(f, &who.target, "anna", "undo");
    assert_string_equal(LEAD(f, "score", who.target.lead), "60");
    refuse_command(f, &who.target, "anna", "score +", "no number");
    refuse_command(f, &who.target, "anna", "score 99999999999", "no number");
    refuse_command(f, &who.target, "anna", "score", "missing");
}

static void a_case_is_raised_step_by_step_and_stays_at_the_top(void **state)
{
    struct fixture *f = *state;
    struct crm_who who;
    receive_mail(f, "zoe@customer.example", NULL, "a", "person", &who);
    refuse_command(f, &who.target, "anna", "priority up", "there is no case here");
    run_command(f, &who.target, "anna", "case the pump leaks");
    run_command(f, &who.target, "anna", "priority up");
    assert_string_equal(CASE(f, "priority", who.target.kase), "high");
    run_command(f, &who.target, "anna", "priority up");
    run_command(f, &who.target, "anna", "priority up");
    assert_string_equal(CASE(f, "priority", who.target.kase), "urgent");
    run_command(f, &who.target, "anna", "priority low");
    run_command(f, &who.target, "anna", "priority down");
    assert_string_equal(CASE(f, "priority", who.target.kase), "low");
    refuse_command(f, &who.target, "anna", "priority hihg", "did you mean 'high'");
}

static void a_deal_has_its_name_and_amount_and_a_lead_has_one(void **state)
{
    struct fixture *f = *state;
    struct crm_who who;
    receive_mail(f, "zoe@customer.example", NULL, "a", "person", &who);
    refuse_command(f, &who.target, "anna", "deal annual plan", "in quotes");
    run_command(f, &who.target, "anna", "deal 'annual plan' 5.000,50 EUR");
    assert_string_equal(DEAL(f, "name", who.target.deal), "annual plan");
    assert_string_equal(DEAL(f, "amount", who.target.deal), "500050");
    assert_string_equal(LEAD(f, "status", who.target.lead), "qualified");
    refuse_command(f, &who.target, "anna", "deal more", "one open deal");
}

static void the_words_of_a_rule_take_fields_and_those_of_people_do_not(void **state)
{
    struct fixture *f = *state;
    struct crm_who who;
    struct err e;
    receive_mail(f, "zoe@customer.example", "Zoe Q", "40 pumps", "person", &who);
    assert_int_equal(rule_says(f, &who.target, "task call {{contact.name}} about {{lead.subject}}",
                               &e), 0);
    assert_string_equal(TASK(f, "title", who.target.task), "call Zoe Q about 40 pumps");
    assert_int_equal(rule_says(f, &who.target, "set contact.last_name '{{contact.name}}!'", &e), 0);
    assert_string_equal(CONTACT(f, "last_name", who.target.contact), "Zoe Q!");
    assert_int_equal(rule_says(f, &who.target, "deal '{{lead.subject}}'", &e), 0);
    assert_string_equal(DEAL(f, "name", who.target.deal), "40 pumps");
    run_command(f, &who.target, "anna", "task ask {{contact.name}}");
    assert_string_equal(TASK(f, "title", who.target.task), "ask {{contact.name}}");
    /* nothing is left, or what is left does not fit: refused, and no value is told */
    assert_int_equal(rule_says(f, &who.target, "note {{contact.country}}", &e), -1);
    assert_non_null(strstr(e.text, "nothing is left"));
    assert_int_equal(rule_says(f, &who.target, "set lead.employees {{contact.name}}", &e), -1);
    assert_null(strstr(e.text, "Zoe"));
}

static void fields_in_a_rules_words_are_checked_when_it_is_loaded(void **state)
{
    struct fixture *f = *state;
    struct err e = {0};
    int col = -1;
    assert_int_equal(crm_command_check(f->crm, "note about {{lead.subjct}}", &col, &e), -1);
    assert_non_null(strstr(e.text, "lead.subject"));
    assert_int_equal(col, 11);
    assert_int_equal(crm_command_check(f->crm, "note about {{lead.subject", &col, &e), -1);
    assert_int_equal(crm_command_check(f->crm, "note {{lead.subject}}", &col, &e), 0);
    assert_int_equal(crm_command_check(f->crm, "set lead.employees {{contact.name}}", &col, &e), 0);
    assert_int_equal(crm_command_check(f->crm, "tag {{lead.subject}}", &col, &e), 0);
}

static void a_notice_reaches_everybody_once(void **state)
{
    static const struct {
        const char *line, *sent;
    } cases[] = {
        {"notify owner", "anna@our.example,"},
        {"notify manager", "dora@our.example,"},
        {"notify owner, manager by email", "anna@our.example,dora@our.example,"},
        {"notify owner,anna , anna@our.example", "anna@our.example,"},
        {"notify team sales", "anna@our.example,ben@our.example,"},
        {"notify team sales, ben@home.example, role manager",
         "anna@our.example,ben@our.example,dora@our.example,"},
        {"notify night@desk.example by email using welcome", "night@desk.example,"},
    };
    struct fixture *f = *state;
    struct crm_who who;
    struct err e;
    receive_mail(f, "zoe@customer.example", NULL, "a", "person", &who);
    run_command(f, &who.target, "dora", "assign anna");
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        f->sent_all[0] = '\0';
        assert_int_equal(rule_says(f, &who.target, cases[i].line, &e), 0);
        assert_string_equal(f->sent_all, cases[i].sent);
    }
}

static void a_notice_never_goes_to_a_customer(void **state)
{
    struct fixture *f = *state;
    struct crm_who who;
    struct err e;
    receive_mail(f, "zoe@customer.example", NULL, "a", "person", &who);
    assert_int_equal(rule_says(f, &who.target, "notify Zoe@customer.example", &e), -1);
    assert_non_null(strstr(e.text, "the address is that of C1"));
    assert_int_equal(f->sends, 0);
    /* the others are told all the same */
    assert_int_equal(rule_says(f, &who.target, "notify zoe@customer.example, ben", &e), 0);
    assert_string_equal(f->sent_all, "ben@our.example,");
    /* nobody owns it */
    assert_int_equal(rule_says(f, &who.target, "notify owner", &e), -1);
    assert_non_null(strstr(e.text, "no owner"));
}

static void without_a_manager_the_managers_are_told_or_the_head_himself(void **state)
{
    struct fixture *f = *state;
    struct crm_who who;
    struct err e;
    receive_mail(f, "zoe@customer.example", NULL, "a", "person", &who);
    run_command(f, &who.target, "dora", "assign vera");
    assert_int_equal(rule_says(f, &who.target, "notify manager", &e), 0);
    assert_string_equal(f->sent_all, "dora@our.example,");
    run_command(f, &who.target, "dora", "assign dora");
    f->sent_all[0] = '\0';
    assert_int_equal(rule_says(f, &who.target, "notify manager", &e), 0);
    assert_string_equal(f->sent_all, "dora@our.example,");
}

static void wrong_notices_are_told_when_the_rules_are_loaded(void **state)
{
    static const struct {
        const char *line, *text;
        int col;
    } cases[] = {
        {"notify", "whom?", -2},
        {"notify owner manager", "'manager' is not expected here; a comma", 13},
        {"notify team sale", "did you mean 'sales'", 12},
        {"notify role boss", "role 'boss'", 12},
        {"notify ana", "did you mean 'anna'", 7},
        {"notify owner by sms", "there are no gateways for SMS", -1},
        {"notify owner by email, sms", "there are no gateways for SMS", -1},
        {"notify owner by fax", "channel 'fax'", 16},
        {"notify owner using welcom", "did you mean 'welcome'", 19},
        {"notify owner using welcome now", "'now' is too much", -2},
        {"notify owner,", "whom?", -2},
        {"notify anna@", "no address", 7},
        {"notify by email", "whom?", -2},
        {"webhook erp lead.subject lead.score", "a comma goes between two fields: lead.subject, lead.score", 25},
    };
    struct fixture *f = *state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct err e = {0};
        int col = -1;
        if (crm_command_check(f->crm, cases[i].line, &col, &e) == 0)
            fail_msg("%s was taken", cases[i].line);
        if (!strstr(e.text, cases[i].text) || (cases[i].col >= 0 && cases[i].col != col))
            fail_msg("%s: %d %s", cases[i].line, col, e.text);
    }
}

static void a_webhook_carries_the_values_of_that_moment(void **state)
{
    struct fixture *f = *state;
    struct crm_who who;
    struct err e;
    receive_mail(f, "zoe@customer.example", NULL, "40 pumps", "person", &who);
    run_command(f, &who.target, "anna", "set lead.budget 1.500,50 EUR");
    run_command(f, &who.target, "anna", "tag hot");
    assert_int_equal(rule_says(f, &who.target, "webhook erp lead.subject, lead.budget,lead.score "
                               ", lead.tags, contact.country, lead.created, lead.contacted", &e), 0);
    assert_string_equal(f->called, "erp - {\"contact.country\":null,\"lead.budget\":{\"amount\":"
                        "\"1500.50\",\"currency\":\"EUR\"},\"lead.contacted\":false,"
                        "\"lead.created\":\"2026-11-21T10:00:01.000Z\",\"lead.score\":0,"
                        "\"lead.subject\":\"40 pumps\",\"lead.tags\":[\"hot\"]}");
    assert_int_equal(rule_says(f, &who.target, "enrich scoring", &e), 0);
    assert_string_equal(f->called, "erp scoring {\"contact.domain\":\"customer.example\","
                        "\"lead.subject\":\"40 pumps\"}");
    refuse_command(f, &who.target, "anna", "webhook erp", "may not use");
    run_command(f, &who.target, "dora", "undo"); /* takes the question back */
    assert_int_equal(f->uncalls, 1);
}

static void answers_are_held_against_their_fields_whole_or_not_at_all(void **state)
{
    static const struct {
        const char *answer, *read, *error; /* read NULL: refused with error */
    } cases[] = {
        {"{'result': {'score': 87}}", "{'lead.score': '87'}", NULL},
        {"{'result': {'score': -3.0}, 'size': 40, 'demo': true}",
         "{'lead.score': '-3', 'lead.employees': '40', 'lead.demo': 'yes'}", NULL},
        {"{'size': 40, 'lang': null, 'other': [1]}", "{'lead.employees': '40'}", NULL},
        {"{'size': 40, 'lang': ''}", "{'lead.employees': '40'}", NULL},
        {"{'deal': {'amount': '12.50', 'currency': 'CHF'}}", "{'lead.budget': '12.50 CHF'}", NULL},
        {"{'deal': 12.5}", "{'lead.budget': '12.50'}", NULL},
        {"{'result': {'score': '87'}, 'size': 4}", NULL, "result.score is a text"},
        {"{'result': {'score': 8.5}}", NULL, "result.score is a number"},
        {"{'result': {'score': 1e300}}", NULL, "result.score"},
        {"{'result': {'score': [1]}}", NULL, "a list"},
        {"{'size': 'many'}", NULL, "size is a text"},
        {"{'demo': 'yes'}", NULL, "demo is a text"},
        {"{'lang': 5, 'size': 1}", NULL, "lang is a number"},
        {"{'deal': 'much'}", NULL, "deal does not fit lead.budget"},
        {"{'result': 5}", NULL, "none of the parts"},
        {"{}", NULL, "none of the parts"},
        {"[]", NULL, "none of the parts"},
    };
    struct fixture *f = *state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct err e = {0};
        AUTO_JSON json_t *answer = fixture_json(cases[i].answer);
        AUTO_JSON json_t *got = crm_enrich_read(f->crm, "scoring", answer, f->now, &e);
        AUTO_JSON json_t *want = cases[i].read ? fixture_json(cases[i].read) : NULL;
        if ((want == NULL) != (got == NULL) || (want && !json_equal(want, got)) ||
            (!want && (e.cls != ERR_INPUT || !strstr(e.text, cases[i].error))))
            fail_msg("%s: %s", cases[i].answer, e.text);
    }
}

static void what_our_own_people_set_stays(void **state)
{
    struct fixture *f = *state;
    struct crm_who who;
    struct crm_actor actor = {CRM_BY_RULE, "enrich-scoring", NULL};
    receive_mail(f, "zoe@customer.example", NULL, "a", "person", &who);
    for (int round = 0; round < 3; round++) { /* 0: by the program alone, 1: by anna, 2: again */
        AUTO_JSON json_t *values = json_pack("{s:s%, s:s}", "lead.score", "123", (size_t)round + 1,
                                             "contact.language", "de");
        int kept;
        if (round == 1)
            run_command(f, &who.target, "anna", "score 99");
        input_begin(f);
        OK(crm_enrich_merge(f->ctx, &who.target, "scoring", values, &actor, &kept, e));
        input_end(f, &who.target);
        assert_int_equal(kept, round > 0);
        assert_string_equal(LEAD(f, "score", who.target.lead), round ? "99" : "1");
        assert_string_equal(CONTACT(f, "language", who.target.contact), "de");
    }
}

#define T(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(a_mail_of_somebody_new_makes_contact_company_and_lead),
        T(a_new_lead_costs_five_rows_here),
        T(the_same_person_is_found_again_and_the_open_lead_too),
        T(colleagues_share_a_company_but_a_mail_provider_is_none),
        T(a_user_is_never_made_a_contact),
        T(a_users_mail_to_the_contact_is_the_first_answer_when_proven),
        T(machines_create_nothing_and_answer_nothing),
        T(a_list_of_our_own_is_people_and_others_are_not),
        T(we_are_never_a_contact_of_ours),
        T(mail_that_names_nobody_makes_nothing),
        T(a_proven_thread_wins_over_the_sender),
        T(a_form_fills_in_and_never_overwrites),
        T(somebody_elses_phone_number_stays_his),
        T(a_pool_of_two_to_one_is_exact_and_interleaved),
        T(a_pools_round_survives_a_restart),
        T(who_left_the_config_is_skipped),
        T(who_is_full_or_takes_none_is_passed_over_until_tomorrow),
        T(an_owner_is_assigned_directly_and_by_default),
        T(stage_makes_the_deal_and_undo_takes_it_back),
        T(won_on_a_lead_without_a_deal_makes_one),
        T(lost_keeps_the_reason_and_reopen_of_the_deal_opens_both),
        T(reopen_of_a_lead_leaves_its_won_deal_won),
        T(a_closed_lead_gets_no_status_but_by_reopen),
        T(only_humans_make_contact),
        T(tasks_have_a_due_time_and_an_owner_and_get_done),
        T(tags_fold_and_come_off), T(a_score_goes_up_and_down_and_undo_takes_it_back),
        T(a_case_is_raised_step_by_step_and_stays_at_the_top),
        T(a_deal_has_its_name_and_amount_and_a_lead_has_one),
        T(the_words_of_a_rule_take_fields_and_those_of_people_do_not),
        T(fields_in_a_rules_words_are_checked_when_it_is_loaded),
        T(a_notice_reaches_everybody_once), T(a_notice_never_goes_to_a_customer),
        T(without_a_manager_the_managers_are_told_or_the_head_himself),
        T(wrong_notices_are_told_when_the_rules_are_loaded),
        T(a_webhook_carries_the_values_of_that_moment),
        T(answers_are_held_against_their_fields_whole_or_not_at_all),
        T(what_our_own_people_set_stays),
        T(set_reads_values_by_type),
        T(another_contacts_address_cannot_be_taken),
        T(a_contacts_new_address_counts_and_undo_gives_the_old),
        T(a_case_opens_waits_closes_and_opens_again),
        T(mail_to_a_support_mailbox_makes_cases_and_opens_them_again),
        T(the_answer_names_the_address_whose_state_it_is),
        T(undo_of_an_optout_does_not_pass_the_contacts_own),
        T(who_opted_out_or_bounces_gets_nothing),
        T(undo_takes_a_mail_back_while_it_has_not_left),
        T(everybody_may_only_what_the_table_says),
        T(undo_refuses_when_the_field_was_touched_later_and_names_it),
        T(an_undo_can_be_undone),
        T(undo_of_a_note_leaves_later_work_alone),
        T(undo_of_a_filing_marks_deleted_and_keeps_the_ids),
        T(personal_values_stand_beside_the_journal_only),
        T(no_command_changes_anything_when_it_is_refused_by_the_outbox),
        T(facts_know_before_event_and_now),
        T(a_created_lead_was_never_before),
        T(every_event_of_a_record_is_told_once),
        T(templates_see_the_record_as_it_is_now),
        T(a_country_is_kept_as_its_code_however_it_is_written),
        T(lists_filter_by_any_field),
        T(deals_are_listed_by_their_stage_and_not_by_its_time),
        T(fields_events_commands_and_users_are_listed),
        T(show_and_timeline_tell_what_happened),
        T(users_of_the_config_are_in_the_store),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
