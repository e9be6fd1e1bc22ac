/* SPDX-License-Identifier: ISC
 *
 * solo: the engine's pipeline alone, on a scratch store and a pretended clock
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "crm/crm.h"
#include "engine/engine.h"
#include "engine/sent_copies.h"
#include "engine/solo.h"
#include "store/journal.h"
#include "store/outbox.h"
#include "store/sent_copy.h"

#define NOW INT64_C(1795255200000) /* 2026-11-21 10:00 UTC */
#define MINUTE INT64_C(60000)

static const char config_text[] =
    "{'settings': {'company': 'Example Ltd', 'domain': 'our.example', 'address': 'crm@our.example',"
    "  'default_owner': 'dora', 'default_country': 'AT', 'currency': 'EUR', 'undo_window': 60000,"
    "  'time_zone': 'Europe/Vienna'},"
    " 'teams': {},"
    " 'users': {"
    "  'anna': {'name': 'Anna One', 'email': 'anna@our.example', 'role': 'rep', 'at': 'c:2'},"
    "  'vera': {'name': 'Vera Five', 'email': 'vera@our.example', 'role': 'viewer', 'at': 'c:3'},"
    "  'dora': {'name': 'Dora Four', 'email': 'dora@our.example', 'role': 'manager', 'at': 'c:4'}},"
    " 'pools': {}, 'stages': ['new', 'proposal'], 'tables': {}, 'fields': {},"
    " 'mailboxes': {'sales': {'type': 'imap', 'folders': ['INBOX'], 'creates': 'lead'},"
    "   'drop': {'type': 'maildir', 'creates': 'nothing'}},"
    " 'forms': {'contact': {'source': 'website', 'creates': 'lead', 'at': 'c:12',"
    "   'required': ['mail'], 'fields': {'mail': {'to': 'contact.email', 'at': 'c:13'},"
    "     'land': {'to': 'contact.country', 'at': 'c:14'}}}},"
    " 'rules': ["
    "  {'name': 'austria', 'at': 'r:1', 'on': {'text': 'lead.created', 'at': 'r:2', 'col': 1},"
    "   'when': [{'text': 'contact.country == \\'AT\\'', 'at': 'r:3', 'col': 1}],"
    "   'do': [{'text': 'assign anna', 'at': 'r:4', 'col': 1},"
    "          {'text': 'send welcome', 'at': 'r:4', 'col': 1}]},"
    "  {'name': 'left', 'at': 'r:5', 'on': {'text': 'outbox.sent', 'at': 'r:6', 'col': 1},"
    "   'when': [], 'do': [{'text': 'tag greeted', 'at': 'r:7', 'col': 1}]}],"
    " 'templates': {'welcome': {'path': 'welcome.txt', 'text':"
    "   'Subject: Hello {{contact.first_name|you}}\\n\\nYour number is {{lead.id}}.\\n'}}}";

/* JSON with single quotes, for reading; \' is one inside of a text. */
static json_t *config_new(void)
{
    AUTO_FREE char *s = mem_str(config_text);
    char *to = s;
    for (char *p = s; *p; p++) {
        if (p[0] == '\\' && p[1] == '\'')
            *to++ = *++p;
        else
            *to++ = *p == '\'' ? '"' : *p;
    }
    *to = '\0';
    json_t *j = json_loads(s, 0, NULL);
    assert_non_null(j);
    return j;
}

static int setup(void **state)
{
    struct err e = {0};
    AUTO_JSON json_t *config = config_new();
    struct solo *s = solo_new(config, NULL, &e);
    if (!s)
        fail_msg("%s", e.text);
    if (solo_begin(s, NOW, &e) < 0)
        fail_msg("%s", e.text);
    *state = s;
    return 0;
}

static int teardown(void **state)
{
    struct solo *s = *state;
    solo_free(&s);
    return 0;
}

static struct solo_answer post(struct solo *s, const char *mail, const char *land)
{
    struct err e = {0};
    struct solo_answer a;
    AUTO_JSON json_t *fields = json_pack("{s:s, s:s, s:s}", "mail", mail, "land", land, "color", "red");
    if (solo_form(s, "contact", fields, &a, &e) < 0)
        fail_msg("%s", e.text);
    return a;
}

static size_t count(struct solo *s, enum crm_entity t, const char *filter)
{
    struct err e = {0};
    json_t *list;
    AUTO_JSON json_t *filters = filter ? json_pack("[s]", filter) : json_array();
    if (crm_list(solo_crm(s), t, filters, 1000, &list, &e) < 0)
        fail_msg("%s", e.text);
    size_t n = json_array_size(json_get_arr(list, "rows"));
    json_decref(list);
    return n;
}

static const char *const mail = "From: Ada <ada@shop.example>\r\nTo: crm@our.example\r\n"
                                "Subject: price\r\nMessage-ID: <1@shop.example>\r\n"
                                "Date: Sat, 21 Nov 2026 09:00:00 +0000\r\n\r\nhow much?\r\n";

static void a_form_becomes_a_lead_and_the_rules_run(void **state)
{
    struct solo *s = *state;
    struct solo_answer a = post(s, "ada@shop.example", "AT");
    assert_string_equal(a.status, "ok");
    assert_int_equal(count(s, CRM_LEAD, "owner=anna"), 1);
    post(s, "bob@shop.example", "FR");
    assert_int_equal(count(s, CRM_LEAD, "owner=dora"), 1);
}

static void what_the_sender_is_told_comes_back(void **state)
{
    struct solo *s = *state;
    struct err e = {0};
    struct solo_answer a = post(s, " ", "AT");
    assert_string_equal(a.status, "invalid");
    assert_string_equal(a.text, "The field \"mail\" is missing.");
    a = post(s, "not an address", "AT");
    assert_string_equal(a.status, "invalid");
    assert_int_equal(count(s, CRM_LEAD, NULL), 0);
    assert_int_equal(solo_mail(s, mail, strlen(mail), "drop", &a, &e), 0);
    assert_string_equal(a.status, "ignored");
    assert_string_equal(a.text, "the mailbox creates nothing");
    assert_int_equal(solo_mail(s, "\r\njust words\r\n", 14, "sales", &a, &e), 0);
    assert_string_equal(a.status, "quarantined");
    assert_non_null(strstr(a.text, "no header"));
}

static void a_mail_is_read_and_filed_as_the_daemon_does_it(void **state)
{
    struct solo *s = *state;
    struct err e = {0};
    struct solo_answer a;
    assert_int_equal(solo_mail(s, mail, strlen(mail), "sales", &a, &e), 0);
    assert_string_equal(a.status, "filed");
    assert_int_equal(count(s, CRM_LEAD, NULL), 1);
    assert_int_equal(solo_mail(s, mail, strlen(mail), NULL, &a, &e), 0);
    assert_string_equal(a.text, "the same message as before");
    assert_int_equal(count(s, CRM_LEAD, NULL), 1);
    assert_int_equal(solo_mail(s, mail, strlen(mail), "nowhere", &a, &e), -1);
    assert_int_equal(e.cls, ERR_INPUT);
}

static void a_stored_message_can_be_given_again(void **state)
{
    struct solo *s = *state;
    struct err e = {0};
    struct solo_answer a;
    AUTO_JSON json_t *form = json_pack("{s:s, s:s, s:{s:s, s:s}, s:{s:s}}", "channel", "form", "form",
                                       "contact", "fields", "mail", "ada@shop.example", "land", "AT",
                                       "extra", "color", "red");
    AUTO_JSON json_t *m = json_pack("{s:s, s:s, s:s, s:{s:s, s:s}, s:s, s:s}", "channel", "email",
                                    "kind", "person", "message_id", "2@x", "from", "address",
                                    "eve@shop.example", "folded", "eve@shop.example", "subject",
                                    "again", "text", "words");
    assert_int_equal(solo_message(s, form, NULL, &a, &e), 0);
    assert_string_equal(a.status, "ok");
    assert_int_equal(solo_message(s, m, "sales", &a, &e), 0);
    assert_string_equal(a.status, "filed");
    assert_int_equal(count(s, CRM_LEAD, NULL), 2);
}

/* The undo window is a minute: before it the mail waits, after it it has left, and
 * the rule on outbox.sent has run at the mail's own time. */
static void mail_leaves_when_it_is_due_and_the_rules_hear_of_it(void **state)
{
    struct solo *s = *state;
    struct err e = {0};
    post(s, "ada@shop.example", "AT");
    AUTO_JSON json_t *waits = outbox_list(solo_db(s), "ready", 0, 10, &e);
    assert_int_equal(json_array_size(waits), 1);
    assert_int_equal(solo_advance(s, NOW + MINUTE - 1, &e), 0);
    assert_int_equal(count(s, CRM_LEAD, "tags=greeted"), 0);
    assert_int_equal(solo_advance(s, NOW + 5 * MINUTE, &e), 0);
    assert_int_equal(solo_now(s), NOW + 5 * MINUTE);
    AUTO_JSON json_t *sent = outbox_list(solo_db(s), "sent", 0, 10, &e);
    assert_int_equal(json_array_size(sent), 1);
    assert_int_equal(json_get_int(json_array_get(sent, 0), "done_ms", 0), NOW + MINUTE);
    AUTO_JSON json_t *rows = journal_since(solo_db(s), 0, 100, &e);
    assert_int_equal(json_array_size(rows), 2);
    assert_int_equal(json_get_int(json_array_get(rows, 1), "at_ms", 0), NOW + MINUTE);
    assert_int_equal(solo_advance(s, NOW, &e), -1); /* time only goes forward */
}

static void a_command_runs_as_its_user_and_a_refused_one_changes_nothing(void **state)
{
    struct solo *s = *state;
    struct err e = {0};
    struct solo_answer a;
    post(s, "ada@shop.example", "FR");
    assert_int_equal(solo_command(s, "L1", "assign anna", "dora", &a, &e), 0);
    assert_int_equal(count(s, CRM_LEAD, "owner=anna"), 1);
    assert_int_equal(solo_command(s, "L1", "assign dora", "vera", &a, &e), -1);
    assert_int_equal(e.cls, ERR_INPUT);
    assert_int_equal(solo_command(s, "L1", "assign nobody", NULL, &a, &e), -1);
    assert_int_equal(solo_command(s, "L9", "assign anna", NULL, &a, &e), -1);
    assert_int_equal(solo_command(s, "L1", "assign anna", "zoe", &a, &e), -1);
    assert_int_equal(count(s, CRM_LEAD, "owner=anna"), 1);
    assert_int_equal(solo_command(s, "L1", "tag hot", NULL, &a, &e), 0); /* it goes on */
}

static void each_beginning_is_an_empty_crm(void **state)
{
    struct solo *s = *state;
    struct err e = {0};
    for (int i = 0; i < 3; i++) {
        post(s, "ada@shop.example", "AT");
        assert_int_equal(count(s, CRM_LEAD, "id=L1"), 1);
        assert_int_equal(solo_begin(s, NOW + i * MINUTE, &e), 0);
        assert_int_equal(count(s, CRM_LEAD, NULL), 0);
        assert_int_equal(count(s, CRM_CONTACT, NULL), 0);
    }
}

static void two_of_them_keep_their_own_time(void **state)
{
    struct solo *s = *state;
    struct err e = {0};
    AUTO_JSON json_t *config = config_new();
    struct solo *other = solo_new(config, NULL, &e);
    assert_non_null(other);
    assert_int_equal(solo_begin(other, NOW - 1000 * MINUTE, &e), 0);
    post(s, "ada@shop.example", "AT");
    post(other, "ada@shop.example", "AT");
    AUTO_JSON json_t *a = journal_since(solo_db(s), 0, 1, &e);
    AUTO_JSON json_t *b = journal_since(solo_db(other), 0, 1, &e);
    assert_int_equal(json_get_int(json_array_get(a, 0), "at_ms", 0), NOW);
    assert_int_equal(json_get_int(json_array_get(b, 0), "at_ms", 0), NOW - 1000 * MINUTE);
    solo_free(&other);
}

static size_t decisions(struct solo *s)
{
    struct err e = {0};
    size_t n = 0, i;
    json_t *row;
    AUTO_JSON json_t *rows = journal_since(solo_db(s), 0, 100, &e);
    json_array_foreach(rows, i, row)
        n += json_array_size(json_get_arr(json_get_obj(row, "body"), "decisions"));
    return n;
}

/* The same happens; the journal is shorter. */
static void brief_leaves_out_what_cannot_match_and_nothing_else(void **state)
{
    struct solo *s = *state;
    struct err e = {0};
    post(s, "bob@shop.example", "FR");
    assert_int_equal(decisions(s), 1); /* austria: did not match */
    assert_int_equal(solo_begin(s, NOW, &e), 0);
    solo_brief(s, true);
    post(s, "bob@shop.example", "FR");
    assert_true(decisions(s) <= 1); /* a small set is asked whole */
    assert_int_equal(count(s, CRM_LEAD, "owner=dora"), 1);
    post(s, "ada@shop.example", "AT");
    assert_int_equal(count(s, CRM_LEAD, "owner=anna"), 1);
}

static void one_that_is_out_of_time_stops(void **state)
{
    struct solo *s = *state;
    struct err e = {0};
    struct solo_answer a;
    AUTO_JSON json_t *fields = json_pack("{s:s}", "mail", "ada@shop.example");
    solo_deadline(s, clock_mono_ms());
    assert_int_equal(solo_form(s, "contact", fields, &a, &e), -1);
    assert_int_equal(e.cls, ERR_TEMP);
    assert_int_equal(solo_mail(s, mail, strlen(mail), "sales", &a, &e), -1);
    assert_int_equal(solo_advance(s, NOW + MINUTE, &e), -1);
    assert_int_equal(solo_begin(s, NOW, &e), -1);
    solo_deadline(s, 0);
    assert_int_equal(solo_begin(s, NOW, &e), 0);
}

static void rules_that_do_not_compile_are_told(void **state)
{
    struct err e = {0};
    AUTO_JSON json_t *config = config_new();
    json_t *rule = json_array_get(json_get_arr(config, "rules"), 0);
    (void)state;
    json_object_set_new(json_array_get(json_get_arr(rule, "do"), 0), "text",
                        json_string("assign nobody"));
    assert_null(solo_new(config, NULL, &e));
    assert_non_null(strstr(e.text, "nobody"));
}

/* Nothing is logged by what is only tried. */
static void the_log_stays_empty(void **state)
{
    struct solo *s = *state;
    char path[] = "/tmp/leadd-solo-XXXXXX";
    int fd = mkstemp(path), err = dup(STDERR_FILENO);
    assert_true(fd >= 0 && err >= 0);
    dup2(fd, STDERR_FILENO);
    post(s, "ada@shop.example", "FR"); /* "lead.no_rule", else */
    dup2(err, STDERR_FILENO);
    assert_int_equal(lseek(fd, 0, SEEK_END), 0);
    close(err);
    close(fd);
    unlink(path);
}

/* The state of the only copy, as far as the assertion needs it; 'x': there is none. */
static char copy_state(struct solo *s)
{
    struct err e = {0};
    AUTO_JSON json_t *rows = sent_copy_list(solo_db(s), NULL, NULL, 10, &e);
    return json_get_str(json_array_get(rows, 0), "state", "x")[0];
}

static void a_copy_whose_handing_over_was_undone_is_handed_over_again(void **state)
{
    struct solo *s = *state;
    struct engine *eng = solo_engine(s);
    struct err e = {0};
    struct peer intake = {.name = (char *)"intake:sales"};
    AUTO_JSON json_t *idle = json_pack("{s:s}", "state", "idle");
    post(s, "a@shop.example", "AT");
    assert_int_equal(solo_advance(s, NOW + 5 * MINUTE, &e), 0);
    clock_pretend(NOW + 5 * MINUTE);
    assert_int_equal(sent_copy_add(eng->db, 1, "sales", NOW, NOW, &e), 0);
    assert_int_equal(sent_copies_start(eng, &e), 0);
    intake.state = idle;
    eng->peers = &intake;
    for (int i = 0; i < 2; i++) {
        assert_int_equal(copy_state(s), 'w');
        assert_int_equal(db_savepoint(eng->db, &e), 0);
        assert_int_equal(sent_copies_due(eng, &e), 0);
        assert_int_equal(copy_state(s), 'h');
        assert_int_equal(eng->answer_count, 1);
        engine_answers_drop(eng, 0);
        db_rollback_to(eng->db);
    }
    eng->peers = NULL;
    sent_copies_stop(eng);
}

static void copies_nobody_takes_are_given_up_after_five_days_though_a_pass_was_undone(void **state)
{
    struct solo *s = *state;
    struct engine *eng = solo_engine(s);
    struct err e = {0};
    post(s, "a@shop.example", "AT"); /* mail 1 */
    clock_pretend(NOW);
    assert_int_equal(sent_copy_add(eng->db, 1, "sales", NOW, NOW, &e), 0);
    assert_int_equal(sent_copies_start(eng, &e), 0);
    assert_int_equal(sent_copies_next(eng), NOW + 5 * 24 * 60 * MINUTE);
    clock_pretend(sent_copies_next(eng));
    assert_int_equal(db_savepoint(eng->db, &e), 0);
    assert_int_equal(sent_copies_due(eng, &e), 0);
    assert_int_equal(copy_state(s), 'f');
    db_rollback_to(eng->db);
    assert_int_equal(copy_state(s), 'w');
    assert_true(sent_copies_next(eng) > clock_now_ms());
    clock_pretend(sent_copies_next(eng));
    assert_int_equal(sent_copies_due(eng, &e), 0);
    assert_int_equal(copy_state(s), 'f');
    sent_copies_stop(eng);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_form_becomes_a_lead_and_the_rules_run, setup, teardown),
        cmocka_unit_test_setup_teardown(what_the_sender_is_told_comes_back, setup, teardown),
        cmocka_unit_test_setup_teardown(a_mail_is_read_and_filed_as_the_daemon_does_it, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_stored_message_can_be_given_again, setup, teardown),
        cmocka_unit_test_setup_teardown(mail_leaves_when_it_is_due_and_the_rules_hear_of_it, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_command_runs_as_its_user_and_a_refused_one_changes_nothing,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(each_beginning_is_an_empty_crm, setup, teardown),
        cmocka_unit_test_setup_teardown(two_of_them_keep_their_own_time, setup, teardown),
        cmocka_unit_test_setup_teardown(one_that_is_out_of_time_stops, setup, teardown),
        cmocka_unit_test_setup_teardown(brief_leaves_out_what_cannot_match_and_nothing_else, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(the_log_stays_empty, setup, teardown),
        cmocka_unit_test_setup_teardown(a_copy_whose_handing_over_was_undone_is_handed_over_again, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(
            copies_nobody_takes_are_given_up_after_five_days_though_a_pass_was_undone, setup, teardown),
        cmocka_unit_test(rules_that_do_not_compile_are_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
