/* SPDX-License-Identifier: ISC
 *
 * tests - see tests.h
 */
#include "tool/tests.h"

#include <inttypes.h>
#include <string.h>

#include "base/bounds.h"
#include "base/clock.h"
#include "base/hook.h"
#include "base/mem.h"
#include "base/text.h"
#include "engine/why.h"
#include "store/journal.h"
#include "tool/expect.h"

#define STORY_MAX MIB(1)

struct run {
    const json_t *tree;
    struct solo *solo;
    const struct tests_options *options;
    int64_t end_mono; /* of all tests; 0: none */
};

static const char *test_zone(const json_t *tree)
{
    return json_get_str(json_get_obj(tree, "settings"), "time_zone", "UTC");
}

/* ---- one test -------------------------------------------------------------------------- */

/* What the sender was told and a test would have to expect. */
static bool answer_is_bad(const struct solo_answer *a)
{
    return strcmp(a->status, "invalid") == 0 || strcmp(a->status, "refused") == 0 ||
           strcmp(a->status, "quarantined") == 0 || strcmp(a->status, "dropped") == 0;
}

/* Does the next expect look at the answer itself? */
static bool answer_is_asked(const json_t *test, size_t from)
{
    const json_t *given = json_get_arr(test, "given");
    for (size_t i = from; i < json_array_size(given); i++) {
        const json_t *expect = json_get_obj(json_array_get(given, i), "expect");
        if (expect)
            return json_object_get(expect, "answer") != NULL;
    }
    return json_object_get(json_get_obj(test, "expect"), "answer") != NULL;
}

static bool step_answers(const json_t *step)
{
    static const char *const verbs[] = {"form", "mail", "mail_file", "sms", "command"};
    bool answers = false;
    for (size_t i = 0; i < ARRAY_LEN(verbs); i++)
        answers |= json_object_get(step, verbs[i]) != NULL;
    return answers;
}

static int test_step(struct scene *s, const json_t *test, size_t i, json_t *failures, struct err *e)
{
    const json_t *step = json_array_get(json_get_arr(test, "given"), i);
    const json_t *expect = json_get_obj(step, "expect");
    const char *at = json_get_str(step, "at", "?");
    if (expect)
        return expect_check(s, expect, failures, e);
    if (scene_step(s, step, e) < 0) {
        if (e->cls != ERR_INPUT)
            return -1;
        expect_failed(failures, at, "a step that can be played", e->text, NULL);
        return 1;
    }
    if (!step_answers(step) || !answer_is_bad(&s->answer) || answer_is_asked(test, i + 1))
        return 0;
    expect_failed(failures, at, json_object_get(step, "command") ? "the command runs" : "it is taken in",
                  s->answer.status, json_pack("[s]", s->answer.text));
    return 0;
}

/* All steps, and what must be so in the end. */
static int test_play(struct run *r, struct scene *s, const json_t *test, json_t *failures,
                     struct err *e)
{
    const json_t *given = json_get_arr(test, "given"), *expect = json_get_obj(test, "expect");
    int64_t at;
    const char *when = json_get_str(json_get_obj(test, "time"), "text", "");
    if (scene_time(test_zone(r->tree), when, &at, e) < 0 ||
        scene_begin(s, r->solo, r->tree, at, e) < 0)
        return -1;
    for (size_t i = 0; i < json_array_size(given); i++) {
        int rc = test_step(s, test, i, failures, e);
        if (rc)
            return rc < 0 ? -1 : 0; /* what comes behind it makes no sense */
    }
    return expect ? expect_check(s, expect, failures, e) : 0;
}

static void test_story(struct run *r, json_t *entry)
{
    struct buf out AUTO_BUF;
    struct err e = {0};
    buf_init(&out, STORY_MAX);
    AUTO_JSON json_t *rows = journal_since(solo_db(r->solo), 0, 1000, &e);
    if (rows && why_tell(solo_engine(r->solo), rows, NULL, &out, &e) == 0)
        json_put_str(entry, "story", out.data);
}

/* Which rules ran, over the whole of the test. */
static void test_rules(struct run *r)
{
    struct err e = {0};
    AUTO_JSON json_t *rows = journal_since(solo_db(r->solo), 0, 1000, &e);
    size_t i, k;
    json_t *row, *d;
    json_array_foreach(rows, i, row)
        json_array_foreach(json_get_arr(json_get_obj(row, "body"), "decisions"), k, d)
            if (reason_ran(d) && json_get_str(d, "rule", NULL))
                json_put_bool(r->options->ran, json_get_str(d, "rule", ""), true);
}

static int64_t test_deadline(const struct run *r)
{
    int64_t end = clock_mono_ms() + (HOOK("rules.test_short") ? BOUND_TEST_MS / 10 : BOUND_TEST_MS);
    return r->end_mono && r->end_mono < end ? r->end_mono : end;
}

static json_t *test_run(struct run *r, const char *name, const json_t *test)
{
    struct scene s;
    struct err e = {0};
    int64_t start = clock_mono_ms();
    json_t *failures = json_array();
    json_t *entry = json_pack("{s:s, s:s}", "name", name, "at", json_get_str(test, "at", "?"));
    solo_deadline(r->solo, test_deadline(r));
    solo_brief(r->solo, !r->options->story);
    int rc = test_play(r, &s, test, failures, &e);
    if (rc == 0 && json_array_size(failures) > 0 && !r->options->story) {
        json_array_clear(failures); /* once more, with all that was decided: for the reasons */
        solo_brief(r->solo, false);
        rc = test_play(r, &s, test, failures, &e);
    }
    if (rc < 0)
        expect_failed(failures, json_get_str(test, "at", "?"), "the test comes to its end", e.text,
                      NULL);
    solo_deadline(r->solo, 0);
    if (r->options->story)
        test_story(r, entry);
    if (r->options->ran)
        test_rules(r);
    json_put_bool(entry, "ok", json_array_size(failures) == 0);
    json_object_set_new(entry, "failures", failures);
    json_put_int(entry, "ms", clock_mono_ms() - start);
    return entry;
}

/* ---- all of them -------------------------------------------------------------------------- */

static bool is_chosen(const struct tests_options *o, const char *name)
{
    for (size_t i = 0; i < o->name_count; i++)
        if (strcmp(o->names[i], name) == 0)
            return true;
    return o->name_count == 0;
}

static void names_check(const json_t *tests, const struct tests_options *o, struct errlist *errors)
{
    for (size_t i = 0; i < o->name_count; i++) {
        const char *name;
        json_t *v;
        size_t n = 0;
        if (json_object_get(tests, o->names[i]))
            continue;
        AUTO_FREE const char **all = mem_array(json_object_size(tests) + 1, sizeof(*all));
        json_object_foreach((json_t *)tests, name, v)
            all[n++] = name;
        const char *near = text_nearest(o->names[i], all, n);
        errlist_add(errors, NULL, "no test \"%s\"%s%s%s", o->names[i],
                    near ? "; did you mean \"" : "", near ? near : "", near ? "\"?" : "");
    }
}

size_t tests_count(const json_t *tree)
{
    return json_object_size(json_get_obj(tree, "tests"));
}

static json_t *tests_play(struct run *r, tests_each_fn each, void *arg)
{
    const char *name;
    json_t *test, *list = json_array();
    int64_t passed = 0, failed = 0, start = clock_mono_ms();
    json_object_foreach(json_get_obj(r->tree, "tests"), name, test) {
        if (!is_chosen(r->options, name))
            continue;
        json_t *entry = test_run(r, name, test);
        json_array_append_new(list, entry);
        if (json_get_bool(entry, "ok", false))
            passed++;
        else
            failed++;
        if (each)
            each(arg, entry);
    }
    return json_pack("{s:o, s:I, s:I, s:I}", "tests", list, "passed", (json_int_t)passed, "failed",
                     (json_int_t)failed, "ms", (json_int_t)(clock_mono_ms() - start));
}

json_t *tests_run(const json_t *tree, const struct tests_options *options, tests_each_fn each,
                  void *arg, struct errlist *errors)
{
    struct err e = {0};
    struct run r = {.tree = tree, .options = options};
    json_t *out = NULL;
    size_t before = errlist_total(errors);
    if (options->limit_ms)
        r.end_mono = clock_mono_ms() + options->limit_ms;
    names_check(json_get_obj(tree, "tests"), options, errors);
    r.solo = solo_new(tree, NULL, &e);
    if (!r.solo)
        errlist_add(errors, NULL, "%s", e.text);
    else if (tests_check(tree, solo_crm(r.solo), errors) == 0 && errlist_total(errors) == before)
        out = tests_play(&r, each, arg);
    solo_free(&r.solo);
    return out;
}

void tests_print_failure(const char *test, const json_t *f, struct buf *out)
{
    size_t i;
    json_t *v;
    buf_printf(out, "%s: %s: expected %s, found %s\n", json_get_str(f, "at", "?"), test,
               json_get_str(f, "expected", "?"), json_get_str(f, "found", "?"));
    json_array_foreach(json_get_arr(f, "why"), i, v)
        buf_printf(out, "    %s\n", json_string_value(v) ? json_string_value(v) : "");
}
