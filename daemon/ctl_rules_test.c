/* SPDX-License-Identifier: ISC
 *
 * ctl_rules_test - `leadctl rules test`: the tests beside the rules
 *
 * Needs no daemon and sends nothing; each test has an engine of its own in memory.
 */
#include "ctl_rules.h"

#include <inttypes.h>
#include <string.h>

#include "base/bounds.h"
#include "base/mem.h"
#include "tool/tests.h"

static void print_text(const struct buf *text)
{
    if (text->len)
        ctl_render_text(text->data, stdout);
}

/* One line for each test, and what was wrong below it. */
static void print_test(void *arg, const json_t *test)
{
    const struct ctl_options *opt = arg;
    const char *name = json_get_str(test, "name", "?"), *story = json_get_str(test, "story", NULL);
    bool ok = json_get_bool(test, "ok", false);
    struct buf text AUTO_BUF;
    size_t i;
    json_t *f;
    buf_init(&text, MIB(4));
    if (opt->json)
        return;
    buf_printf(&text, "%s  %s\n", ok ? "ok    " : "FAILED", name);
    json_array_foreach(json_get_arr(test, "failures"), i, f)
        tests_print_failure(name, f, &text);
    if (story)
        buf_printf(&text, "%s\n", story);
    print_text(&text);
    fflush(stdout);
}

static int print_end(const struct ctl_options *opt, const json_t *result)
{
    int64_t passed = json_get_int(result, "passed", 0), failed = json_get_int(result, "failed", 0);
    if (opt->json)
        ctl_render_json(result, stdout);
    else if (passed + failed == 0)
        puts("no tests: they stand in a section \"tests\" of the rule files, see leadd-rules(5)");
    else
        printf("%" PRId64 " test%s passed, %" PRId64 " failed\n", passed, passed == 1 ? "" : "s",
               failed);
    return failed ? CTL_EXIT_FAILED : 0;
}

static int print_errors(const struct ctl_options *opt, const struct errlist *errors)
{
    struct buf text AUTO_BUF;
    size_t n = errlist_total(errors);
    buf_init(&text, MIB(4));
    if (opt->json) {
        AUTO_JSON json_t *j = json_pack("{s:b, s:o}", "ok", 0, "errors", errlist_json(errors));
        ctl_render_json(j, stdout);
    } else {
        errlist_print(errors, &text);
        print_text(&text);
        fflush(stdout);
        fprintf(stderr, "%zu error%s; no test was run\n", n, n == 1 ? "" : "s");
    }
    return CTL_EXIT_FAILED;
}

int ctl_rules_test(const struct ctl_options *opt, int argc, char **argv)
{
    struct err e = {0};
    struct tests_options o = {.names = NULL};
    struct errlist errors AUTO_ERRLIST;
    errlist_init(&errors, CTL_RULES_ERRORS);
    int n = 1; /* arguments without -v */
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "-v") == 0)
            o.story = true;
        else if (argv[i][0] == '-')
            return ctl_rules_usage(argv[0]);
        else
            argv[n++] = argv[i];
    }
    AUTO_FREE char *path = ctl_rules_path(n > 1 ? argv[1] : NULL, &e);
    if (!path) {
        fprintf(stderr, "leadctl: %s\n", e.text);
        return CTL_EXIT_FAILED;
    }
    o.names = (const char *const *)argv + 2;
    o.name_count = n > 2 ? (size_t)n - 2 : 0;
    AUTO_JSON json_t *tree = ctl_rules_load(path, &errors);
    AUTO_JSON json_t *result =
        tree ? tests_run(tree, &o, print_test, (void *)opt, &errors) : NULL;
    return result ? print_end(opt, result) : print_errors(opt, &errors);
}
