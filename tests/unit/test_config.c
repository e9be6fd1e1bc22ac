/* SPDX-License-Identifier: ISC
 *
 * config: what a file says, and what is said about a file that is wrong
 *
 * Every case is a set of files in a fresh folder; messages are compared whole,
 * since they are what a sysadmin has to go by.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/bounds.h"
#include "base/mem.h"
#include "base/text.h"
#include "config/config.h"

static char dir[64];

/* The least that is a whole config; cases add to it. */
#define BASE                                                                                       \
    "company = \"Example\"; address = \"crm@example.com\"; default_owner = \"mia\";\n"             \
    "users : { mia : { name = \"Mia\"; email = \"mia@example.com\"; }; };\n"                       \
    "relays = ( { name = \"out\"; type = \"maildir\"; path = \"out\"; } );\n"                      \
    "mailboxes : { drop : { type = \"maildir\"; path = \"in\"; }; };\n"

static void put_bytes(const char *name, const void *p, size_t n)
{
    FILE *f = fopen(name, "w");
    assert_non_null(f);
    assert_int_equal(fwrite(p, 1, n, f), n);
    fclose(f);
}

static void put(const char *name, const char *text)
{
    put_bytes(name, text, strlen(text));
}

static void clear(void)
{
    char *cmd[] = {"rules.d/10-a.conf", "rules.d/20-b.conf", "rules.d/list.txt",
                   "templates/a.txt", "templates/a.tmpl", "templates/b b.txt", "leadd.conf",
                   "inc.conf", "pw"};
    for (size_t i = 0; i < ARRAY_LEN(cmd); i++)
        unlink(cmd[i]);
}

static int setup(void **state)
{
    (void)state;
    snprintf(dir, sizeof(dir), "/tmp/leadd-config-XXXXXX");
    if (!mkdtemp(dir) || chdir(dir) || mkdir("rules.d", 0700) || mkdir("templates", 0700))
        return -1;
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    clear();
    return rmdir("rules.d") || rmdir("templates") || chdir("/") || rmdir(dir);
}

/* All messages of leadd.conf as it lies there; "" when it is good. */
static char *messages(json_t **tree_out)
{
    struct errlist l AUTO_ERRLIST;
    struct buf out AUTO_BUF;
    errlist_init(&l, 200);
    json_t *tree = config_load("leadd.conf", &l);
    buf_init(&out, MIB(1));
    errlist_print(&l, &out);
    assert_int_equal(tree == NULL, errlist_total(&l) > 0);
    if (tree_out)
        *tree_out = tree;
    else
        json_decref(tree);
    return buf_take(&out);
}

struct bad {
    const char *extra; /* put behind BASE, so that its first line is line 5 */
    const char *want;
};

static const struct bad bad_cases[] = {
    {"stor = 5;", "leadd.conf:5: stor: unknown key; did you mean \"store\"?\n"},
};

static void every_mistake_has_its_message(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(bad_cases); i++) {
        clear();
        char *text AUTO_FREE = mem_printf("%s%s", BASE, bad_cases[i].extra);
        put("leadd.conf", text);
        char *got AUTO_FREE = messages(NULL);
        if (strcmp(got, bad_cases[i].want) != 0)
            fail_msg("case %zu: %s\ngot:  %s\nwant: %s", i, bad_cases[i].extra, got,
                     bad_cases[i].want);
    }
}

static void the_least_config_is_good(void **state)
{
    (void)state;
    clear();
    put("leadd.conf", BASE);
    json_t *tree = NULL;
    char *got AUTO_FREE = messages(&tree);
    assert_string_equal(got, "");
    assert_int_equal(json_array_size(json_object_get(tree, "warnings")), 0);
    json_t *parts = config_split(tree);
    assert_non_null(json_object_get(parts, "intake:drop"));
    json_decref(parts);
    json_decref(tree);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_least_config_is_good),
        cmocka_unit_test(every_mistake_has_its_message),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
