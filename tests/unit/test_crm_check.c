/* SPDX-License-Identifier: ISC
 *
 * What leadd -t says about a config: every mistake, where it stands, and what
 * was probably meant. And the shipped example has none.
 */
#include "crm_fixture.h"

#include "config/config.h"
#include "crm/check.h"

/* The fixture's config with one thing changed: path "pools/dach/members", value as JSON. */
static json_t *config_with(const char *path, const char *value)
{
    json_t *config = fixture_json(fixture_config), *at = config;
    AUTO_FREE char *keys = mem_str(path);
    char *key = keys, *slash;
    while ((slash = strchr(key, '/')) != NULL) {
        *slash = '\0';
        at = json_object_get(at, key);
        assert_non_null(at);
        key = slash + 1;
    }
    json_object_set_new(at, key, fixture_json(value));
    return config;
}

static void mistakes_are_told_with_place_and_nearest_name(void **state)
{
    static const struct {
        const char *path, *value, *at, *text;
    } cases[] = {
        {"settings/default_owner", "'dorra'", "", "default_owner: no user 'dorra'; did you mean 'dora'"},
        {"settings/time_zone", "'Europe/Wien'", "", "no time zone Europe/Wien"},
        {"users/anna/team", "'sale'", "c:2", "no team 'sale'; did you mean 'sales'"},
        {"users/anna/email", "'anna'", "c:2", "no email address"},
        {"users/ben/addresses", "['anna@our.example']", "c:3", "have the same email"},
        {"pools/dach/members", "[]", "c:6", "no members"},
        {"pools/dach/members", "[{'user': 'ana', 'weight': 1, 'at': 'c:7'}]", "c:7",
         "no user 'ana'; did you mean 'anna'"},
        {"pools/dach/members", "[{'user': 'anna', 'weight': 0, 'at': 'c:7'}]", "c:7", "weight"},
        {"forms/contact/fields/size", "{'to': 'lead.employes', 'at': 'c:16'}", "c:16",
         "did you mean lead.employees"},
        {"forms/contact/fields/size", "{'to': 'lead.created', 'at': 'c:16'}", "c:16",
         "lead.created cannot be set"},
        {"forms/contact/fields", "{'words': {'to': 'message.text', 'at': 'c:17'}}", "c:12",
         "contact.email or contact.phone"},
        {"fields/lead/score", "{'type': 'int', 'at': 'c:18'}", "c:18", "field of leadd already"},
        {"fields/deal", "{'kind': {'type': 'number', 'at': 'c:19'}}", "c:19", "deal.kind"},
        {"templates/bad", "{'path': 'bad.txt', 'text': 'Subject: x\\n\\n{{lead.idd}}'}", "bad.txt:3",
         "lead.idd"},
        {"rules", "[{'name': 'r', 'at': 'r:1', 'on': {'text': 'lead.created', 'at': 'r:2'},"
                  " 'when': [], 'do': [{'text': 'asign anna', 'at': 'r:4', 'col': 8}]}]", "r:4",
         "no command 'asign'; did you mean 'assign'"},
        {"rules", "[{'name': 'r', 'at': 'r:1', 'on': {'text': 'lead.created', 'at': 'r:2'},"
                  " 'when': [], 'do': [{'text': 'send welcom', 'at': 'r:4', 'col': 8}]}]", "r:4",
         "no template 'welcom'; did you mean 'welcome'"},
        {"rules", "[{'name': 'r', 'at': 'r:1', 'on': {'text': 'lead.created', 'at': 'r:2'},"
                  " 'when': [{'text': 'lead.statuss == 1', 'at': 'r:3', 'col': 8}], 'do': []}]",
         "r:3", "lead.status"},
        {"enrichments/scoring/endpoint", "'epr'", "c:21", "no endpoint \"epr\" in leadd.conf; did you "
         "mean \"erp\""},
        {"enrichments/scoring/send", "['lead.subjct']", "c:21", "did you mean lead.subject"},
        {"enrichments/scoring/set", "{'a': {'to': 'lead.created', 'at': 'c:22'}}", "c:22",
         "lead.created cannot be set"},
        {"rules", "[{'name': 'r', 'at': 'r:1', 'on': {'text': 'lead.creatd', 'at': 'r:2'},"
                  " 'when': [], 'do': [{'text': 'tag x', 'at': 'r:4', 'col': 8}]}]", "r:2",
         "lead.created"},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        AUTO_JSON json_t *config = config_with(cases[i].path, cases[i].value);
        struct errlist errors AUTO_ERRLIST;
        struct buf text;
        errlist_init(&errors, 20);
        assert_int_equal(crm_check(config, &errors), -1);
        buf_init(&text, 65536);
        errlist_print(&errors, &text);
        if (!strstr(text.data, cases[i].text) || !strstr(text.data, cases[i].at))
            fail_msg("%s = %s: %s", cases[i].path, cases[i].value, text.data);
        buf_done(&text);
    }
}

static void a_good_config_has_no_mistakes(void **state)
{
    AUTO_JSON json_t *config = fixture_json(fixture_config);
    struct errlist errors AUTO_ERRLIST;
    (void)state;
    errlist_init(&errors, 20);
    assert_int_equal(crm_check(config, &errors), 0);
    assert_int_equal(errlist_total(&errors), 0);
}

static void several_mistakes_are_told_in_one_run(void **state)
{
    AUTO_JSON json_t *config = config_with("settings/default_owner", "'x'");
    struct errlist errors AUTO_ERRLIST;
    (void)state;
    json_put_str(json_object_get(config, "settings"), "time_zone", "Nowhere");
    json_object_set_new(json_object_get(json_object_get(config, "pools"), "dach"), "members",
                        json_array());
    errlist_init(&errors, 20);
    assert_int_equal(crm_check(config, &errors), -1);
    assert_int_equal(errlist_total(&errors), 3);
}

static void crm_new_refuses_what_the_check_refuses(void **state)
{
    AUTO_JSON json_t *config = config_with("users/anna/email", "'anna'");
    struct err e = {0};
    struct db *db = db_open(":memory:", false, &e);
    (void)state;
    assert_null(crm_new(db, config, NOW, &e));
    assert_non_null(strstr(e.text, "no email address"));
    db_close(&db);
}

static void the_shipped_example_is_without_mistakes(void **state)
{
    const char *dir = getenv("srcdir");
    AUTO_FREE char *path = mem_printf("%s/rules/leadd.conf", dir ? dir : "..");
    struct errlist errors AUTO_ERRLIST;
    struct buf text;
    (void)state;
    errlist_init(&errors, 20);
    AUTO_JSON json_t *config = config_load(path, &errors);
    buf_init(&text, 65536);
    if (!config || crm_check(config, &errors) < 0) {
        errlist_print(&errors, &text);
        fail_msg("%s: %s", path, text.data);
    }
    buf_done(&text);
}

static void every_commands_example_is_a_command(void **state)
{
    struct fixture f;
    struct err e = {0};
    int col = 0;
    (void)state;
    fixture_open(&f, ":memory:", fixture_config);
    for (size_t i = 0; crm_command_help(i); i++) {
        const struct crm_command_help *h = crm_command_help(i);
        assert_true(*h->help && *h->example);
        if (crm_command_check(f.crm, h->example, &col, &e) < 0)
            fail_msg("%s: %s", h->example, e.text);
    }
    assert_int_equal(crm_command_check(f.crm, "assign pool dahc", &col, &e), -1);
    assert_int_equal(col, 12);
    assert_int_equal(crm_command_check(f.crm, "set lead.score ten", &col, &e), -1);
    assert_int_equal(col, 15);
    assert_int_equal(crm_command_check(f.crm, "set lead.scoer 10", &col, &e), -1);
    assert_int_equal(col, 4);
    fixture_close(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(mistakes_are_told_with_place_and_nearest_name),
        cmocka_unit_test(a_good_config_has_no_mistakes),
        cmocka_unit_test(several_mistakes_are_told_in_one_run),
        cmocka_unit_test(crm_new_refuses_what_the_check_refuses),
        cmocka_unit_test(the_shipped_example_is_without_mistakes),
        cmocka_unit_test(every_commands_example_is_a_command),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
