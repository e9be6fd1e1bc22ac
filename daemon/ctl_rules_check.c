/* SPDX-License-Identifier: ISC
 *
 * ctl_rules_check - `leadctl rules check`: every mistake of a rule set
 *
 * Reads the files with the rights of who asks, writes nothing and asks nobody.
 */
#include "ctl_rules.h"

#include <ctype.h>
#include <string.h>

#include "base/bounds.h"
#include "base/clock.h"
#include "base/mem.h"
#include "config/config.h"
#include "crm/check.h"
#include "crm/lint.h"
#include "tool/tests.h"

#define CHECK_TESTS_MS 20000 /* for all tests together */

struct check {
    bool strict; /* warnings are errors */
    struct errlist errors;
    struct errlist warnings; /* findings, and what the config warns of */
    json_t *found;           /* own; findings of crm/lint.h */
    int64_t passed;          /* tests */
};

/* A finding as it is told to people: place, rule, what, a caret, and what to do. */
static void check_finding(struct errlist *to, const json_t *f)
{
    static const char *const kinds[] = {"rule", "test", "escalation", "sequence", "territory"};
    const char *source = json_get_str(f, "source", NULL), *name = NULL;
    size_t i = 0;
    while (i < ARRAY_LEN(kinds) && !(name = json_get_str(f, kinds[i], NULL)))
        i++;
    errlist_add(to, json_get_str(f, "at", NULL), "warning: %s%s%s%s%s [%s]", name ? kinds[i] : "",
                name ? " " : "", name ? name : "", name ? ": " : "", json_get_str(f, "text", ""),
                json_get_str(f, "finding", ""));
    if (source)
        errlist_caret(to, source, (int)json_get_int(f, "col", 0));
    errlist_line(to, "%s", json_get_str(f, "advice", ""));
}

/* "file:line: what", as the config says it. */
static void check_warning(struct errlist *to, const char *text)
{
    const char *what = strstr(text, ": ");
    AUTO_FREE char *at = mem_strn(text, what ? (size_t)(what - text) : 0);
    errlist_add(to, what ? at : NULL, "warning: %s", what ? what + 2 : text);
}

/* Has the rule (escalation) a finding already? */
static bool check_is_found(const json_t *found, const char *what, const char *name)
{
    size_t i;
    json_t *f;
    json_array_foreach((json_t *)found, i, f)
        if (strcmp(json_get_str(f, what, ""), name) == 0)
            return true;
    return false;
}

static void check_ran(const json_t *ran, json_t *found, const char *what, const char *name,
                      const json_t *rule)
{
    if (json_object_get(ran, name) || check_is_found(found, what, name))
        return;
    json_t *f = json_object();
    json_put_str(f, "at", json_get_str(rule, "at", "?"));
    json_put_str(f, what, name);
    json_put_str(f, "finding", "untested");
    json_put_str(f, "text", "runs in no test");
    json_put_str(f, "advice", "write one in which it runs, so that a later change cannot break it "
                              "unseen");
    json_array_append_new(found, f);
}

struct check_steps {
    const json_t *ran;
    json_t *found;
};

static void check_step(void *arg, const char *what, const char *name, const json_t *line)
{
    const struct check_steps *s = arg;
    if (strcmp(what, "sequence") == 0)
        check_ran(s->ran, s->found, what, name, line);
}

/* Why it fails is told by `rules test`. */
static void check_failed(json_t *found, const json_t *test)
{
    const json_t *why = json_array_get(json_get_arr(test, "failures"), 0);
    json_t *f = json_object();
    AUTO_FREE char *text = mem_printf("fails: expected %s, found %s",
                                      json_get_str(why, "expected", "?"),
                                      json_get_str(why, "found", "?"));
    json_put_str(f, "at", json_get_str(why, "at", json_get_str(test, "at", "?")));
    json_put_str(f, "test", json_get_str(test, "name", "?"));
    json_put_str(f, "finding", "failing");
    json_put_str(f, "text", text);
    json_put_str(f, "advice", "leadctl rules test tells why; a reload refuses these files");
    json_array_append_new(found, f);
}

/* Runs the tests: what they name and is not there is a mistake; those that fail are
 * findings, and so are rules, escalations and steps that run in none of them. */
static void check_tests(struct check *c, const json_t *tree)
{
    AUTO_JSON json_t *ran = json_object();
    struct tests_options o = {.ran = ran, .limit_ms = CHECK_TESTS_MS};
    const char *name;
    size_t i;
    json_t *rule;
    if (tests_count(tree) == 0)
        return;
    AUTO_JSON json_t *result = tests_run(tree, &o, NULL, NULL, &c->errors);
    if (!result)
        return;
    c->passed = json_get_int(result, "passed", 0);
    json_array_foreach(json_get_arr(result, "tests"), i, rule)
        if (!json_get_bool(rule, "ok", false))
            check_failed(c->found, rule);
    json_array_foreach(json_get_arr(tree, "rules"), i, rule)
        check_ran(ran, c->found, "rule", json_get_str(rule, "name", "?"), rule);
    json_object_foreach(json_get_obj(tree, "escalations"), name, rule)
        check_ran(ran, c->found, "escalation", name, rule);
    crm_lint_lines(tree, check_step, &(struct check_steps){ran, c->found});
    c->found = rule_lint_sorted(c->found);
}

/* ---- mistakes of all kinds ------------------------------------------------------------ */

/* Of "rules.large.whn: unknown key": "large", what the mistake is in; of "time_zone: ..", that. */
static char *mistake_name(const char *text)
{
    size_t path = strcspn(text, ":"), first = strcspn(text, ".[:");
    if (first == path)
        return mem_strn(text, path);
    const char *name = text + first + 1;
    return mem_strn(name, strcspn(name, ".[]:"));
}

static bool in_name(char c)
{
    return c == '_' || c == '-' || isalnum((unsigned char)c);
}

static bool names_word(const char *text, const char *word)
{
    size_t n = strlen(word);
    for (const char *p = text; n && (p = strstr(p, word)); p += n)
        if ((p == text || !in_name(p[-1])) && !in_name(p[n]))
            return true;
    return false;
}

/* What names something that has a mistake of notation may follow from that one: it is told
 * when that is mended. */
static bool check_follows(const struct errlist *errors, size_t count, const struct errlist_entry *e)
{
    for (size_t i = 0; i < count; i++) {
        AUTO_FREE char *name = mistake_name(errors->v[i].text);
        if (names_word(e->text, name))
            return true;
    }
    return false;
}

/* Notation first, then meaning, then the names in tests; false when there was a mistake. */
static bool check_all(struct check *c, const json_t *tree)
{
    size_t count = c->errors.count;
    struct errlist more AUTO_ERRLIST;
    errlist_init(&more, CTL_RULES_ERRORS);
    if (crm_check(tree, &more) < 0 || count > 0)
        tests_check_names(tree, &more);
    for (size_t i = 0; i < more.count; i++)
        if (!check_follows(&c->errors, count, &more.v[i]))
            errlist_copy(&c->errors, &more.v[i]);
    return errlist_total(&c->errors) == 0;
}

static json_t *check_run(struct check *c, const char *path)
{
    size_t i;
    json_t *v;
    json_t *tree = config_load_some(path, &c->errors);
    if (!tree)
        return NULL;
    if (!check_all(c, tree)) {
        json_decref(tree);
        return NULL;
    }
    c->found = crm_lint(tree, clock_now_ms());
    check_tests(c, tree);
    json_array_foreach(json_get_arr(tree, "warnings"), i, v)
        check_warning(&c->warnings, json_string_value(v) ? json_string_value(v) : "?");
    json_array_foreach(c->found, i, v)
        check_finding(&c->warnings, v);
    return tree;
}

static void check_print(const struct check *c, const char *path)
{
    size_t n = errlist_total(&c->errors), w = errlist_total(&c->warnings);
    struct buf text AUTO_BUF;
    buf_init(&text, MIB(8));
    errlist_print(&c->errors, &text);
    errlist_print(&c->warnings, &text);
    if (text.len)
        ctl_render_text(text.data, stdout);
    if (n == 0 && w == 0) {
        printf("%s: rules OK", path);
        if (c->passed > 0)
            printf(", %lld test%s pass%s", (long long)c->passed, c->passed == 1 ? "" : "s",
                   c->passed == 1 ? "es" : "");
        putchar('\n');
        return;
    }
    fflush(stdout);
    if (n > 0)
        fprintf(stderr, "%zu error%s\n", n, n == 1 ? "" : "s");
    if (w > 0)
        fprintf(stderr, "%zu warning%s\n", w, w == 1 ? "" : "s");
}

static void check_json(const struct check *c, const json_t *tree, bool ok)
{
    json_t *warnings = json_get_arr(tree, "warnings");
    AUTO_JSON json_t *data = json_object();
    json_put_bool(data, "ok", ok);
    json_object_set_new(data, "errors", errlist_json(&c->errors));
    json_object_set_new(data, "warnings", warnings ? json_incref(warnings) : json_array());
    json_put_int(data, "tests_passed", c->passed);
    json_object_set_new(data, "findings", c->found ? json_incref(c->found) : json_array());
    ctl_render_json(data, stdout);
}

int ctl_rules_check(const struct ctl_options *opt, int argc, char **argv)
{
    struct err e = {0};
    struct check c = {0};
    const char *arg = NULL;
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--strict") == 0)
            c.strict = true;
        else if (arg || argv[i][0] == '-')
            return ctl_rules_usage(argv[0]);
        else
            arg = argv[i];
    }
    AUTO_FREE char *path = ctl_rules_path(arg, &e);
    if (!path) {
        fprintf(stderr, "leadctl: %s\n", e.text);
        return CTL_EXIT_FAILED;
    }
    errlist_init(&c.errors, CTL_RULES_ERRORS);
    errlist_init(&c.warnings, CTL_RULES_ERRORS);
    AUTO_JSON json_t *tree = check_run(&c, path);
    bool ok = errlist_total(&c.errors) == 0 && (!c.strict || errlist_total(&c.warnings) == 0);
    if (opt->json)
        check_json(&c, tree, ok);
    else
        check_print(&c, path);
    errlist_done(&c.errors);
    errlist_done(&c.warnings);
    json_decref(c.found);
    return ok ? 0 : CTL_EXIT_FAILED;
}
