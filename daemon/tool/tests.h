/* SPDX-License-Identifier: ISC
 *
 * tests - the tests that stand beside the rules, run without a daemon
 *
 * For `leadctl rules test`, and for the throwaway child that checks a config before it
 * is taken. Each test has an engine of its own (engine/solo.h): an empty CRM at the
 * test's own time. One that does not come to an end fails.
 */
#ifndef LEADD_TOOL_TESTS_H
#define LEADD_TOOL_TESTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/errlist.h"
#include "base/json.h"

struct crm;

/* What tests name and is not there: forms, users, rules, templates, fields; with the
 * nearest name, file:line and, for conditions, a caret. crm is made of the same tree.
 * 0, or -1 when errors were added. */
/* The same for a tree with mistakes, without an engine: names and times alone are looked at. */
void tests_check_names(const json_t *config_tree, struct errlist *errors);
int tests_check(const json_t *config_tree, const struct crm *crm, struct errlist *errors)
    LEADD_MUST_CHECK;

struct tests_options {
    const char *const *names; /* only these; NULL: all */
    size_t name_count;
    bool story;       /* tell what happened, also when all is well */
    json_t *ran;      /* borrowed; gets NAME: true for each rule that ran. NULL: not asked */
    int64_t limit_ms; /* for all of them together; 0: none, each has BOUND_TEST_MS */
};

/* Called after each test with its entry. */
typedef void (*tests_each_fn)(void *arg, const json_t *test);

/* {"tests": [{"name", "at", "ok", "ms", "failures": [{"at", "expected", "found",
 * "why": [..]}], "story"?}], "passed", "failed", "ms"}; NULL when errors were added. */
json_t *tests_run(const json_t *config_tree, const struct tests_options *options,
                  tests_each_fn each, void *arg, struct errlist *errors);
size_t tests_count(const json_t *config_tree);

/* One failure as text: "file:line: NAME: expected .., found ..\n  why\n". */
void tests_print_failure(const char *test, const json_t *failure, struct buf *out);

#endif
