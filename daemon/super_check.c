/* SPDX-License-Identifier: ISC
 *
 * super_check - the inside of the throwaway child, and `leadd -t`
 *
 * The only code of the supervisor's that reads config files. It runs in a
 * process of its own that ends right after, so that the long-lived supervisor
 * never parses anything but this process's one JSON text.
 */
#include "super.h"

#include <errno.h>
#include <libgen.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/bounds.h"
#include "base/errlist.h"
#include "base/mem.h"
#include "config/config.h"
#include "crm/check.h"
#include "tool/tests.h"

#define CHECK_ERRORS 200 /* told in one run */

/* A role's part travels in one frame: role_config_send(). */
static void check_sizes(const json_t *parts, struct errlist *errors)
{
    const char *name;
    json_t *part;
    json_object_foreach((json_t *)parts, name, part) {
        if (json_dumpb(part, NULL, 0, JSON_COMPACT) > BOUND_CONFIG_PART)
            errlist_add(errors, NULL, "the config of %s is larger than %zu MB", name,
                        BOUND_CONFIG_PART / MIB(1));
    }
}

/* What the supervisor needs itself; see super_prepare and super_listen. */
static json_t *check_own(const json_t *tree, const json_t *parts)
{
    json_t *settings = json_get_obj(tree, "settings"), *web = json_get_obj(tree, "web");
    json_t *own = json_object(), *listen = json_object();
    json_put_str(own, "state_dir", json_get_str(settings, "state_dir", LEADD_STATEDIR));
    json_put_str(own, "run_dir", json_get_str(settings, "run_dir", LEADD_RUNDIR));
    json_put_str(own, "log_level", json_get_str(settings, "log_level", "info"));
    json_put_str(own, "store", json_get_str(json_get_obj(tree, "store"), "path", NULL));
    json_put_str(own, "engine_user", json_get_str(json_get_obj(tree, "run_as"), "engine", NULL));
    if (json_get_obj(parts, "web-in"))
        json_put_str(listen, "web-in", json_get_str(web, "listen", NULL));
    if (json_get_obj(parts, "web-ui"))
        json_put_str(listen, "web-ui", json_get_str(web, "ui_listen", NULL));
    json_object_set_new(own, "listen", listen);
    return own;
}

/* Tests that fail are mistakes like any other. */
static void check_tests(const json_t *tree, struct errlist *errors)
{
    const struct tests_options all = {.limit_ms = BOUND_TESTS_MS};
    size_t i, k;
    json_t *test, *f, *line;
    AUTO_JSON json_t *result = tests_count(tree) ? tests_run(tree, &all, NULL, NULL, errors) : NULL;
    json_array_foreach(json_get_arr(result, "tests"), i, test)
        json_array_foreach(json_get_arr(test, "failures"), k, f) {
            size_t w;
            errlist_add(errors, json_get_str(f, "at", NULL), "test %s failed: expected %s, found %s",
                        json_get_str(test, "name", "?"), json_get_str(f, "expected", "?"),
                        json_get_str(f, "found", "?"));
            json_array_foreach(json_get_arr(f, "why"), w, line)
                errlist_line(errors, "    %s", json_string_value(line) ? json_string_value(line) : "");
        }
}

static void look_warn(json_t *warnings, const json_t *of, const char *path, const char *what)
{
    AUTO_FREE char *text = mem_printf("%s: %s: %s", json_get_str(of, "at", "?"), path, what);
    json_array_append_new(warnings, json_string(text));
}

/* What is to be there when leadd starts, and may still be made: no mistake. */
static void look_folders(const json_t *tree, json_t *warnings)
{
    const char *name;
    size_t i;
    json_t *v;
    json_object_foreach(json_get_obj(tree, "mailboxes"), name, v) {
        const char *path = json_get_str(v, "path", "");
        AUTO_FREE char *cur = mem_printf("%s/cur", path);
        if (strcmp(json_get_str(v, "type", ""), "maildir") == 0 && access(cur, F_OK) < 0 &&
            errno == ENOENT)
            look_warn(warnings, v, path, "there is no Maildir: make it with its folders cur, new and "
                                         "tmp, for the user of intake");
    }
    json_array_foreach(json_get_arr(tree, "relays"), i, v) {
        const char *path = json_get_str(v, "path", "");
        AUTO_FREE char *copy = mem_str(path);
        if (strcmp(json_get_str(v, "type", ""), "maildir") == 0 && access(dirname(copy), F_OK) < 0 &&
            errno == ENOENT)
            look_warn(warnings, v, path, "the folder it is to be made in is not there");
    }
}

/* The parts, or NULL with errors. *tests: run them? Becomes how many there are. look:
 * also for what is not there yet, which the processes say themselves when they start. */
static json_t *check_config(const char *path, struct errlist *errors, json_t **warnings_out,
                            int64_t *tests, bool look)
{
    AUTO_JSON json_t *tree = config_load(path, errors);
    if (!tree)
        return NULL;
    (void)!crm_check(tree, errors); /* the list says it */
    *warnings_out = json_incref(json_get_arr(tree, "warnings"));
    if (look)
        look_folders(tree, *warnings_out);
    json_t *parts = config_split(tree);
    json_object_set_new(parts, "supervisor", check_own(tree, parts));
    check_sizes(parts, errors);
    if (*tests && errlist_total(errors) == 0)
        check_tests(tree, errors);
    *tests = (int64_t)tests_count(tree);
    if (errlist_total(errors) == 0)
        return parts;
    json_decref(parts);
    return NULL;
}

int super_check_main(const char *path, bool tests, int fd)
{
    int64_t count = tests;
    struct errlist errors AUTO_ERRLIST;
    struct err e = {0};
    struct sandbox_held held;
    errlist_init(&errors, CHECK_ERRORS);
    struct sandbox *sb = sandbox_new("config");
    if (sandbox_enter(sb, &held, &e) < 0)
        errlist_add(&errors, NULL, "%s", e.text);
    sandbox_free(&sb);
    AUTO_JSON json_t *warnings = NULL;
    AUTO_JSON json_t *parts = check_config(path, &errors, &warnings, &count, false);
    AUTO_JSON json_t *result = json_object();
    json_put_int(result, "tests", count);
    json_put_bool(result, "ok", parts != NULL);
    json_object_set_new(result, "errors", errlist_json(&errors));
    if (parts)
        json_object_set(result, "parts", parts);
    if (warnings)
        json_object_set(result, "warnings", warnings);
    AUTO_FREE char *text = json_line(result);
    return buf_write_fd(fd, text, strlen(text)) == 0 ? 0 : SUPER_EXIT_FAILED;
}

int super_check_print(const char *path, bool tests)
{
    int64_t count = tests;
    struct errlist errors AUTO_ERRLIST;
    errlist_init(&errors, CHECK_ERRORS);
    AUTO_JSON json_t *warnings = NULL;
    AUTO_JSON json_t *parts = check_config(path, &errors, &warnings, &count, true);
    size_t i;
    json_t *v;
    json_array_foreach(warnings, i, v)
        fprintf(stderr, "warning: %s\n", json_string_value(v) ? json_string_value(v) : "?");
    if (parts) {
        printf("%s: configuration OK\n", path);
        return 0;
    }
    struct buf text AUTO_BUF;
    buf_init(&text, MIB(4));
    errlist_print(&errors, &text);
    fputs(text.data, stderr);
    fprintf(stderr, "%zu error%s\n", errlist_total(&errors), errlist_total(&errors) == 1 ? "" : "s");
    return SUPER_EXIT_CONFIG;
}
