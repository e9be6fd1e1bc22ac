/* SPDX-License-Identifier: ISC
 *
 * Bytes of strangers: random and crooked command lines, messages and forms whose
 * JSON has the wrong types. They are refused or filed; nothing crashes, and what
 * is refused changes nothing. The random numbers are the same in every run.
 */
#include "crm_fixture.h"

#include "base/text.h"
#include "crm/address.h"
#include "crm/when.h"

static uint32_t seed = 20261121;

static uint32_t draw(uint32_t below)
{
    seed = seed * 1664525u + 1013904223u;
    return (seed >> 8) % below;
}

static const char *const pieces[] = {
    "assign", "pool", "team", "stage", "won", "lost", "note", "call", "task", "done", "tag",
    "untag", "set", "status", "send", "case", "close", "reopen", "undo", "optout", "bounced",
    "anna", "dach", "proposal", "lead.score", "contact.email", "lead.budget", "deal.amount",
    "task.due", "welcome", "to", "contact", "owner", "+", "-", "'", "''", "5", "5.000,50", "5k",
    "EUR", "XXQ", "fri", "10:00", "25:61", "2026-02-30", "3d", "99999999999999999999", "J17", "T1",
    "L1", "#", "@", "lena@customer.example", "\xc3\xa4", "\xe2\x82\xac", ".", ",", "closed", "new",
    "waiting", "yes", "9223372036854775807", "+9223372036854775807", "1w", "99999d"};

static void random_line(char *out, size_t n)
{
    size_t len = 0, words = draw(7);
    out[0] = '\0';
    for (size_t i = 0; i < words; i++) {
        const char *p = pieces[draw(ARRAY_LEN(pieces))];
        size_t k = strlen(p);
        if (len + k + 2 >= n)
            break;
        memcpy(out + len, p, k);
        len += k;
        if (draw(4))
            out[len++] = draw(12) ? ' ' : '\n';
        out[len] = '\0';
    }
    if (len && draw(8) == 0) { /* a byte gone wrong */
        char c = (char)(1 + draw(255));
        out[draw((uint32_t)len)] = c;
    }
}

static void random_command_lines_are_run_or_refused_whole(void **state)
{
    struct fixture f;
    struct crm_who who;
    int done = 0, refused = 0;
    (void)state;
    fixture_open(&f, ":memory:", fixture_config);
    receive_mail(&f, "lena@customer.example", "Lena Lead", "x", "person", &who);
    for (int i = 0; i < 6000; i++) {
        char line[400];
        struct err e = {0};
        struct crm_target t = who.target;
        random_line(line, sizeof(line));
        int64_t before = db_total_changes(f.db);
        int64_t j = try_command(&f, &t, draw(2) ? "dora" : "anna", line, NULL, &e);
        if (j > 0) {
            done++;
            continue;
        }
        refused++;
        if (e.cls != ERR_INPUT || !e.text[0])
            fail_msg("'%s': class %d, %s", line, e.cls, e.text);
        if (db_total_changes(f.db) != before)
            fail_msg("'%s' was refused and changed something", line);
        if (i % 500 == 0) { /* a new lead, the old one may be closed or gone */
            char from[64];
            snprintf(from, sizeof(from), "lena%d@customer.example", i);
            receive_mail(&f, from, "Lena Lead", "x", "person", &who);
        }
    }
    assert_true(done > 300);
    assert_true(refused > 300);
    fixture_close(&f);
}

static void random_text_is_read_within_its_bounds(void **state)
{
    (void)state;
    for (int i = 0; i < 20000; i++) {
        char line[400], currency[4], folded[CRM_ADDRESS_MAX];
        struct err e = {0};
        int64_t v = 0;
        struct crm_name name;
        random_line(line, sizeof(line));
        int n = crm_amount_parse(line, "EUR", &v, currency, &e);
        assert_true(n <= (int)strlen(line));
        assert_true(n <= 0 || v >= 0);
        n = crm_when_parse(line, "Europe/Vienna", NOW, &v, &e);
        assert_true(n <= (int)strlen(line));
        crm_name_split(line, &name);
        if (text_is_utf8(line, strlen(line)))
            assert_true(text_is_utf8(name.full, strlen(name.full)));
        if (crm_email_fold(line, folded) == 0)
            assert_true(text_is_single_line(folded));
        (void)crm_phone_fold(line, "AT", folded, sizeof(folded));
    }
}

static void messages_of_the_wrong_types_are_filed(void **state)
{
    static const char *const messages[] = {
        "{}",
        "{'from': 'lena@customer.example'}",
        "{'from': {'address': 5, 'name': []}}",
        "{'from': {'address': 'a@b.example', 'name': {'x': 1}}, 'to': {'address': 'x'}}",
        "{'from': {'address': 'a@b.example'}, 'to': [1, null, [], {'address': 7}], 'cc': 'x'}",
        "{'from': {'address': '@'}, 'subject': 12, 'kind': 5}",
        "{'from': {'address': 'a@b.example'}, 'kind': 'nonsense', 'subject': {'a': 1}}",
        "{'from': [], 'reply_to': [{'address': 'r@b.example'}]}",
        "{'from': {'address': 'anna@our.example'}, 'to': [{'address': 'anna@our.example'}, 3]}",
    };
    struct fixture f;
    (void)state;
    fixture_open(&f, ":memory:", fixture_config);
    for (size_t i = 0; i < ARRAY_LEN(messages); i++) {
        AUTO_JSON json_t *m = fixture_json(messages[i]);
        struct crm_who who;
        struct crm_input in = {.kind = "mail", .message = m, .source = "sales"};
        input_begin(&f);
        in.at_ms = f.now;
        OK(crm_receive(f.ctx, &in, &who, e));
        for (int k = 0; k < f.event_count; k++) {
            struct crm_facts *facts = crm_facts_new(f.ctx, &f.last[k]);
            for (size_t n = 0; n < rule_fields_count(crm_fields(f.crm)); n++) {
                struct rule_value v = {0};
                crm_facts_rule(facts)->get(crm_facts_rule(facts)->now, (int)n, &v);
                v = (struct rule_value){0};
                crm_facts_rule(facts)->get(crm_facts_rule(facts)->event, (int)n, &v);
            }
            crm_facts_free(&facts);
        }
        input_end(&f, &who.target);
    }
    fixture_close(&f);
}

static void forms_of_the_wrong_types_are_filed(void **state)
{
    static const char *const forms[] = {
        "{}",
        "{'mail': [], 'name': {}, 'tel': null, 'size': 1.5, 'words': true}",
        "{'mail': ['a@b.example', 5], 'name': ['x', 'y'], 'size': 99999999999}",
        "{'mail': 'a@b.example', 'name': '', 'tel': '+', 'size': '-', 'more': {'a': [1]}}",
        "{'name': 'Nobody at all', 'words': 'no address'}",
    };
    struct fixture f;
    (void)state;
    fixture_open(&f, ":memory:", fixture_config);
    for (size_t i = 0; i < ARRAY_LEN(forms); i++) {
        AUTO_JSON json_t *fields = fixture_json(forms[i]);
        struct err why = {0};
        struct crm_who who;
        struct crm_input in = {.kind = "form", .form = "contact", .fields = fields};
        if (crm_form_check(f.crm, "contact", fields, &why) < 0)
            continue;
        input_begin(&f);
        in.at_ms = f.now;
        OK(crm_receive(f.ctx, &in, &who, e));
        assert_true(who.target.lead > 0); /* whoever it was: the words are not lost */
        input_end(&f, &who.target);
    }
    fixture_close(&f);
}

static void a_very_long_subject_is_cut_between_characters(void **state)
{
    struct fixture f;
    struct crm_who who;
    char *subject = mem_alloc(3001);
    (void)state;
    for (int i = 0; i < 3000; i += 3)
        memcpy(subject + i, "\xe2\x82\xac", 3);
    fixture_open(&f, ":memory:", fixture_config);
    receive_mail(&f, "lena@customer.example", subject, subject, "person", &who);
    const char *kept = LEAD(&f, "length(subject)", who.target.lead);
    assert_string_equal(kept, "100");
    fixture_close(&f);
    mem_free(subject);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_command_lines_are_run_or_refused_whole),
        cmocka_unit_test(random_text_is_read_within_its_bounds),
        cmocka_unit_test(messages_of_the_wrong_types_are_filed),
        cmocka_unit_test(forms_of_the_wrong_types_are_filed),
        cmocka_unit_test(a_very_long_subject_is_cut_between_characters),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
