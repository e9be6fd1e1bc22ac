/* SPDX-License-Identifier: ISC
 *
 * test_mail - every stored mail gives its golden message form
 *
 * LEADD_UPDATE_GOLDENS=1 writes the .json files instead; look at the diff.
 */
#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/bounds.h"
#include "base/buf.h"
#include "base/mem.h"
#include "base/text.h"
#include "mail/parse.h"

static const char *fixture_dir(void)
{
    static char path[1024];
    const char *src = getenv("srcdir");
    snprintf(path, sizeof(path), "%s/tests/fixtures/mail", src ? src : "..");
    return path;
}

static json_t *parse_file(const char *path)
{
    struct err e = {0};
    AUTO_BUF struct buf raw;
    buf_init(&raw, BOUND_MAIL_SIZE);
    if (buf_read_file(&raw, path, &e) < 0)
        fail_msg("%s", e.text);
    json_t *msg = mail_parse(raw.data, raw.len, NULL, &e);
    assert_non_null(msg);
    return msg;
}

static void compare(const char *eml, size_t *count, size_t *wrong)
{
    char golden[1200];
    AUTO_JSON json_t *msg = parse_file(eml);
    snprintf(golden, sizeof(golden), "%.*s.json", (int)(strlen(eml) - 4), eml);
    ++*count;
    if (getenv("LEADD_UPDATE_GOLDENS")) {
        assert_int_equal(json_dump_file(msg, golden, JSON_INDENT(2) | JSON_SORT_KEYS), 0);
        return;
    }
    json_error_t je;
    AUTO_JSON json_t *want = json_load_file(golden, 0, &je);
    if (!want) {
        print_error("%s: %s\n", golden, je.text);
        ++*wrong;
    } else if (!json_equal(want, msg)) {
        char *got = json_dumps(msg, JSON_INDENT(2) | JSON_SORT_KEYS);
        print_error("%s: got\n%s\n", golden, got);
        free(got);
        ++*wrong;
    }
}

static void every_fixture_gives_its_golden(void **state)
{
    (void)state;
    size_t count = 0, wrong = 0;
    DIR *d = opendir(fixture_dir());
    assert_non_null(d);
    for (struct dirent *ent; (ent = readdir(d));) {
        size_t n = strlen(ent->d_name);
        if (n < 5 || strcmp(ent->d_name + n - 4, ".eml") != 0)
            continue;
        AUTO_FREE char *path = mem_printf("%s/%s", fixture_dir(), ent->d_name);
        compare(path, &count, &wrong);
    }
    closedir(d);
    assert_int_equal(wrong, 0);
    assert_true(count >= 60);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_fixture_gives_its_golden),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
