/* SPDX-License-Identifier: ISC
 *
 * config: what a file says, what is said about a file that is wrong, and who
 * gets to know which part of it
 *
 * Messages are compared whole, since they are what a sysadmin has to go by.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <libconfig.h>

#include "config_files.h"

/* ---- fixtures/config/bad.txt ---- */

static int kind_without(const char *kind)
{
    static const char *const kinds[] = {"company", "users", "relays", "mailboxes"};
    for (int i = 0; i < (int)ARRAY_LEN(kinds); i++)
        if (strcmp(kind, kinds[i]) == 0)
            return i;
    return -1;
}

static void bad_case(const char *kind, const char *text, const char *want)
{
    clear();
    put("pw", "secret\n");
    put("empty", "");
    chmod("pw", 0600);
    put("rules.d/list.txt", "ok\nno\xff\n");
    if (strcmp(kind, "alone") == 0)
        put("leadd.conf", text);
    else
        put_config(kind_without(kind), strcmp(kind, "rules") == 0 ? "" : text);
    if (strcmp(kind, "rules") == 0)
        put("rules.d/10-a.conf", text);
    char *got AUTO_FREE = messages("leadd.conf", NULL);
    if (strcmp(got, want) != 0)
        fail_msg("%s\n--- got:\n%s--- want:\n%s", text, got, want);
}

static void every_mistake_has_its_message(void **state)
{
    (void)state;
    char *all AUTO_FREE = read_file(FIXTURES "/bad.txt");
    int count = 0;
    for (char *p = strstr(all, "\n>>> "); p; count++) {
        char *kind = p + 5, *text = strchr(kind, '\n') + 1;
        char *want = strncmp(text, "===\n", 4) == 0 ? text - 1 : strstr(text, "\n===\n");
        text[-1] = '\0';
        char *next = strstr(want + 1, "\n>>> ");
        char *input AUTO_FREE = mem_strn(text, want + 1 > text ? (size_t)(want + 1 - text) : 0);
        char *messages_wanted AUTO_FREE =
            next ? mem_strn(want + 5, (size_t)(next + 1 - want - 5)) : mem_str(want + 5);
        bad_case(kind, input, messages_wanted);
        p = next;
    }
    assert_true(count >= 160);
}

/* Bytes that a text fixture should not hold. */
static void bytes_that_are_no_text_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *text, *want;
    } cases[] = {
        {"time_zone = \"\xff\";\n",
         "leadd.conf:5:13: text is not UTF-8; save the file as UTF-8\n"},
        {"time_zone = \"a\tb\x01\";\n", "leadd.conf:5:17: control character in a text\n"},
        {"time_zone = \"\\xff\";\n", "leadd.conf:5: time_zone: text must be one line of UTF-8\n"},
        {"time_zone = \"a\\nb\";\n", "leadd.conf:5: time_zone: text must be one line of UTF-8\n"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        clear();
        put_config(-1, cases[i].text);
        char *got AUTO_FREE = messages("leadd.conf", NULL);
        assert_string_equal(got, cases[i].want);
    }
}

static void a_nul_byte_is_refused_with_its_line(void **state)
{
    (void)state;
    clear();
    put_bytes("leadd.conf", "company = \"A\";\n\0\n", 17);
    char *got AUTO_FREE = messages("leadd.conf", NULL);
    assert_string_equal(got, "leadd.conf:2: NUL byte; this is not a text file\n");
}

/* ---- what libconfig 1.5 does, and why the scan is there ---- */

static void libconfig_takes_it(const char *text, bool want)
{
    config_t c;
    config_init(&c);
    int ok = config_read_string(&c, text);
    config_destroy(&c);
    if (ok != want)
        fail_msg("libconfig %s: %s", ok ? "takes" : "refuses", text);
}

/* Each text is read by libconfig in silence, or refused without a useful word;
 * bad.txt holds what we say instead. When a newer libconfig changes its mind,
 * this is where it shows. */
static void the_traps_of_libconfig_are_still_there(void **state)
{
    (void)state;
    static const char *const silent[] = {
        "a = 491511234567;", "a = 3000000000L;", "a = 0x1FFFFFFFF;", "a = [ \"x\" \"y\" ];",
        "#include \"x\"\n",  "a = 1 b = 2",      "/* a = 1;",        "a = \"two\nlines\";",
        "a = \"\\x00b\";",
    };
    static const char *const refused[] = {
        "a = [ \"x\", ];", "24h-x = 1;", "\xc3\xbc = 1;", "a = \"x", "a = [ 1, \"x\" ];",
        "a = [ 1;",        "a { b = 1; }", "a = yes;",     "_a = 1;", ("\xef\xbb\xbf" "a = 1;"),
    };
    for (size_t i = 0; i < ARRAY_LEN(silent); i++)
        libconfig_takes_it(silent[i], true);
    for (size_t i = 0; i < ARRAY_LEN(refused); i++)
        libconfig_takes_it(refused[i], false);
    config_t c;
    config_init(&c);
    assert_true(config_read_string(&c, "a = 491511234567;\nb = [ \"x\",\n\"y\"\n,\"z\" ];"));
    assert_int_equal(config_setting_get_int(config_lookup(&c, "a")), 1884962823);
    /* the second element stands in line 3: its place must come from the scan */
    assert_int_equal(config_setting_source_line(config_lookup(&c, "b.[1]")), 4);
    config_destroy(&c);
}

/* ---- good files ---- */

static json_t *good_tree(void)
{
    json_t *tree = NULL;
    char *got AUTO_FREE = messages(FIXTURES "/good/leadd.conf", &tree);
    assert_string_equal(got, "");
    return tree;
}

static void a_good_config_becomes_exactly_this_tree(void **state)
{
    (void)state;
    json_t *tree AUTO_JSON = good_tree();
    json_object_del(tree, "warnings"); /* they depend on the mode of the checkout */
    char *text = json_dumps(tree, JSON_INDENT(1));
    char *real = realpath(FIXTURES, NULL);
    char *as_given AUTO_FREE = replaced(text, FIXTURES, "DIR");
    char *got AUTO_FREE = replaced(as_given, real, "DIR");
    free(text);
    free(real);
    char *want AUTO_FREE = read_file(FIXTURES "/good.json");
    char *trimmed = text_trim(want);
    if (strcmp(got, trimmed) != 0) {
        fprintf(stderr, "%s\n", got);
        fail_msg("differs from good.json");
    }
}

static void the_least_config_is_good(void **state)
{
    (void)state;
    clear();
    put_config(-1, "");
    json_t *tree AUTO_JSON = NULL;
    char *got AUTO_FREE = messages("leadd.conf", &tree);
    assert_string_equal(got, "");
    assert_int_equal(json_array_size(json_object_get(tree, "warnings")), 0);
    const json_t *st = json_object_get(tree, "settings");
    assert_string_equal(json_get_str(st, "domain", ""), "example.com");
    assert_string_equal(json_get_str(st, "admin", ""), "mia@example.com");
    assert_string_equal(json_get_str(st, "return_path", ""), "crm@example.com");
    assert_string_equal(json_get_str(json_get_obj(tree, "run_as"), "web_ui", ""), "leadd-ui");
    assert_int_equal(json_get_int(json_get_obj(tree, "web"), "timeout", 0), 20000);
}

static void the_shipped_example_is_good(void **state)
{
    (void)state;
    json_t *tree AUTO_JSON = NULL;
    char *got AUTO_FREE = messages(EXAMPLES "/leadd.conf", &tree);
    assert_string_equal(got, "");
    assert_true(json_array_size(json_object_get(tree, "rules")) >= 8);
    assert_true(json_object_size(json_object_get(tree, "templates")) >= 2);
}

static void sign_in_without_tls_warns_when_allowed(void **state)
{
    (void)state;
    static const char box[] =
        "mailboxes : { m : { type = \"imap\"; host = \"%s\"; user = \"u\"; tls = \"none\"; "
        "password_file = \"pw\"; allow_plaintext = %s; }; };\n";
    static const struct {
        const char *host, *allow;
        bool ok;
        size_t warnings;
    } cases[] = {{"imap.example.com", "false", false, 0}, {"imap.example.com", "true", true, 1},
                 {"localhost", "false", true, 0},         {"127.0.0.9", "false", true, 0},
                 {"::1", "false", true, 0},               {"127.0.0.1.example.com", "false", false, 0}};
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        clear();
        put("pw", "x");
        chmod("pw", 0600);
        char *more AUTO_FREE = mem_printf(box, cases[i].host, cases[i].allow);
        put_config(3, more);
        json_t *tree AUTO_JSON = NULL;
        char *got AUTO_FREE = messages("leadd.conf", &tree);
        (void)got;
        assert_int_equal(tree != NULL, cases[i].ok);
        if (tree)
            assert_int_equal(json_array_size(json_object_get(tree, "warnings")), cases[i].warnings);
    }
}

static void credentials_are_found_and_looked_at(void **state)
{
    (void)state;
    clear();
    put("pw", "x");
    chmod("pw", 0644);
    put_config(3, "mailboxes : { m : { type = \"imap\"; host = \"h\"; user = \"u\"; password_file = "
                  "\"$CREDENTIALS_DIRECTORY/pw\"; }; };\n");
    unsetenv("CREDENTIALS_DIRECTORY");
    json_t *first AUTO_JSON = NULL, *second AUTO_JSON = NULL;
    char *got AUTO_FREE = messages("leadd.conf", &first);
    (void)got;
    assert_string_equal(json_string_value(json_array_get(json_object_get(first, "warnings"), 0)),
                        "leadd.conf:4: mailboxes.m.password_file: CREDENTIALS_DIRECTORY is not set "
                        "here, so the file is not checked");
    setenv("CREDENTIALS_DIRECTORY", dir, 1);
    char *again AUTO_FREE = messages("leadd.conf", &second);
    (void)again;
    unsetenv("CREDENTIALS_DIRECTORY");
    const char *warning =
        json_string_value(json_array_get(json_object_get(second, "warnings"), 0));
    char *want AUTO_FREE = mem_printf("leadd.conf:4: mailboxes.m.password_file: everybody on this "
                                      "machine can read %s/pw; chmod o= %s/pw", dir, dir);
    assert_string_equal(warning, want);
}

static void names_in_two_files_are_refused_with_both_places(void **state)
{
    (void)state;
    clear();
    put_config(-1, "");
    put("rules.d/10-a.conf", "lang = 1;\nrules : { r : { on = \"x\"; do = \"y\"; }; };\n"
                             "tables : { t = [ \"a\" ]; };\npools : { p : { members = [ \"mia\" ]; }; };\n");
    put("rules.d/20-b.conf", "lang = 1; rules : { r : { on = \"x\"; do = \"y\"; }; };\n"
                             "pools : { p : { members = [ \"mia\" ]; }; };\ntables : { t = [ \"a\" ]; };\n");
    put("templates/a.txt", "Subject: x\n");
    put("templates/a.tmpl", "Subject: x\n");
    put("templates/b b.txt", "Subject: x\n");
    put("templates/c.txt", "\xff");
    char *got AUTO_FREE = messages("leadd.conf", NULL);
    assert_string_equal(
        got,
        "rules.d/20-b.conf:1: rule \"r\" is already defined in rules.d/10-a.conf:2; names must "
        "differ in all rule files\n"
        "rules.d/20-b.conf:2: pool \"p\" is already defined in rules.d/10-a.conf:4; names must "
        "differ in all rule files\n"
        "rules.d/20-b.conf:3: table \"t\" is already defined in rules.d/10-a.conf:3; names must "
        "differ in all rule files\n"
        "templates/a.txt: template \"a\" is already defined in templates/a.tmpl\n"
        "templates/b b.txt: a template is named with letters, digits, \"-\" and \"_\", and a language "
        "such as \".de\" or \".de-AT\" behind it; rename the "
        "file\n"
        "templates/c.txt: not a text in UTF-8; save the file as UTF-8\n");
}

static void included_files_have_their_own_places(void **state)
{
    (void)state;
    clear();
    put_config(-1, "web : {\n@include \"inc.conf\"\n};\ncurrency = 5;\n");
    put("inc.conf", "# of the web\nrate = 0;\nlog_level = \"x\";\n@include \"inc.conf\"\n");
    char *got AUTO_FREE = messages("leadd.conf", NULL);
    assert_non_null(strstr(got, "inc.conf:2: web.rate: expected a number from 1 to 1000000"));
    assert_non_null(strstr(got, "inc.conf:4:1: @include nested deeper than 10; does \"inc.conf\" "
                                "include itself?"));
    assert_non_null(strstr(got, "leadd.conf:8: currency: expected"));
}

/* ---- split ---- */

static void has_keys(const json_t *parts, const char *role, const char *want)
{
    struct buf b AUTO_BUF;
    const char *key;
    json_t *v;
    buf_init(&b, 4096);
    json_object_foreach(json_object_get(parts, role), key, v)
        buf_printf(&b, "%s ", key);
    if (strcmp(b.data, want) != 0)
        fail_msg("%s has %s, not %s", role, b.data, want);
}

static void each_role_gets_its_part_and_no_more(void **state)
{
    (void)state;
    json_t *tree AUTO_JSON = good_tree(), *parts AUTO_JSON = config_split(tree);
    const char *role;
    json_t *part;
    has_keys(parts, "web-in", "log_level log_personal run_as web forms sources gateways ");
    has_keys(parts, "web-ui", "log_level log_personal run_as web store ");
    has_keys(parts, "courier", "log_level log_personal run_as relays endpoints gateways domain ");
    has_keys(parts, "parser", "log_level log_personal run_as default_country mail_size ");
    has_keys(parts, "intake:sales", "log_level log_personal run_as name mailbox ");
    has_keys(parts, "supervisor", "log_level log_personal store run_as settings web mailboxes ");
    assert_int_equal(json_object_size(parts), 9);
    json_object_foreach(parts, role, part) {
        char *text AUTO_FREE = json_text(part);
        bool secret = strstr(text, "_file") || strstr(text, "/pw\"");
        bool may = strcmp(role, "courier") == 0 || strcmp(role, "intake:sales") == 0 ||
                   strcmp(role, "intake:old") == 0;
        assert_int_equal(secret, may);
        assert_non_null(json_get_str(part, "log_level", NULL));
        if (strcmp(role, "supervisor") != 0)
            assert_non_null(json_get_str(part, "run_as", NULL));
    }
    const json_t *engine = json_object_get(parts, "engine");
    assert_string_equal(json_get_str(engine, "run_as", ""), "crm");
    assert_non_null(json_object_get(json_object_get(engine, "mailboxes"), "sales"));
    assert_int_equal(json_array_size(json_object_get(engine, "rules")), 5);
    char *sales AUTO_FREE = json_text(json_object_get(parts, "intake:sales"));
    assert_null(strstr(sales, "smtp"));
    assert_null(strstr(sales, "\"old\""));
    /* the tree itself is left as it was */
    char *whole AUTO_FREE = json_text(tree);
    assert_non_null(strstr(whole, "password_file"));
}

static void nobody_changes_user_when_run_as_self(void **state)
{
    (void)state;
    clear();
    put_config(-1, "run_as = \"self\";\n");
    json_t *tree AUTO_JSON = NULL;
    char *got AUTO_FREE = messages("leadd.conf", &tree);
    (void)got;
    assert_int_equal(json_object_size(json_object_get(tree, "run_as")), 0);
    json_t *parts AUTO_JSON = config_split(tree), *part;
    const char *role;
    json_object_foreach(parts, role, part)
        assert_null(json_get_str(part, "run_as", NULL));
}

/* ---- the manual ---- */

static void the_manual_is_made_from_the_schema(void **state)
{
    (void)state;
    char *conf AUTO_FREE = read_file(MAN "/leadd.conf.5");
    char *rules AUTO_FREE = read_file(MAN "/leadd-rules.5");
    char *keys AUTO_FREE = config_help_mdoc(), *rule_keys AUTO_FREE = config_help_rules_mdoc();
    if (!strstr(conf, keys))
        fail_msg("leadd.conf.5 is out of date; its key section should be:\n%s", keys);
    if (!strstr(rules, rule_keys))
        fail_msg("leadd-rules.5 is out of date; its key section should be:\n%s", rule_keys);
    char *text AUTO_FREE = config_help_text();
    assert_non_null(strstr(text, "password_file"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_least_config_is_good),
        cmocka_unit_test(every_mistake_has_its_message),
        cmocka_unit_test(bytes_that_are_no_text_are_refused),
        cmocka_unit_test(a_nul_byte_is_refused_with_its_line),
        cmocka_unit_test(the_traps_of_libconfig_are_still_there),
        cmocka_unit_test(a_good_config_becomes_exactly_this_tree),
        cmocka_unit_test(the_shipped_example_is_good),
        cmocka_unit_test(sign_in_without_tls_warns_when_allowed),
        cmocka_unit_test(credentials_are_found_and_looked_at),
        cmocka_unit_test(names_in_two_files_are_refused_with_both_places),
        cmocka_unit_test(included_files_have_their_own_places),
        cmocka_unit_test(each_role_gets_its_part_and_no_more),
        cmocka_unit_test(nobody_changes_user_when_run_as_self),
        cmocka_unit_test(the_manual_is_made_from_the_schema),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
