/* SPDX-License-Identifier: ISC
 *
 * ctl_rules_activate - `leadctl rules activate`: a rule set comes into force, or does not
 *
 * Checks and tests the files, tells what they change, has the daemon reload, and waits
 * until it decides by them. How the files come to be there is the business of git, of a
 * package, of whoever keeps them: either they lie where leadd reads them already, or
 * leadd reads them through a link to a folder, and the link is switched to another one
 * in one step, and back when the daemon refuses. Files are never copied or edited.
 */
#include <errno.h>
#include <libgen.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/bounds.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/mem.h"
#include "config/config.h"
#include "crm/crm.h"
#include "ctl_rules.h"
#include "engine/solo.h"
#include "rule/ruleset.h"
#include "tool/tests.h"

#define IN_FORCE_MS 30000 /* from the answer of the old engine to the first of the new one */
#define ASK_AGAIN_MS 100

struct activate {
    const struct ctl_options *opt;
    const char *dir, *replay; /* borrowed; may be NULL */
    char *config;             /* own; the leadd.conf that the daemon reads */
    bool config_asked;        /* -c said it */
    char *link, *was;         /* own; the link to switch, and where it pointed; NULL: none */
    bool dry;
    json_t *now, *next;       /* own; the engine's part, of the daemon and of the files */
    json_t *changes;          /* own; {SECTION: {"added": [..], "removed": [..], "changed": [..]}} */
    char before[80], after[80]; /* hashes */
    int64_t tests;
};

/* ---- what the files say ------------------------------------------------------------------ */

static int told_errors(const struct errlist *errors, struct err *e)
{
    struct buf text AUTO_BUF;
    buf_init(&text, MIB(4));
    errlist_print(errors, &text);
    fflush(stdout);
    ctl_render_text(text.len ? text.data : "", stderr);
    return err_set(e, ERR_INPUT, "the files have mistakes: nothing was changed");
}

static int files_test(struct activate *a, const json_t *tree, struct errlist *errors,
                      struct err *e)
{
    struct tests_options o = {.names = NULL};
    struct buf text AUTO_BUF;
    size_t i, k;
    json_t *t, *f;
    buf_init(&text, MIB(4));
    AUTO_JSON json_t *result = tests_run(tree, &o, NULL, NULL, errors);
    if (!result)
        return told_errors(errors, e);
    a->tests = json_get_int(result, "passed", 0);
    json_array_foreach(json_get_arr(result, "tests"), i, t)
        json_array_foreach(json_get_arr(t, "failures"), k, f)
            tests_print_failure(json_get_str(t, "name", "?"), f, &text);
    if (json_get_int(result, "failed", 0) == 0)
        return 0;
    ctl_render_text(text.data, stderr);
    return err_set(e, ERR_INPUT, "%lld of their own tests failed: nothing was changed",
                   (long long)json_get_int(result, "failed", 0));
}

/* The set's hash, as the daemon would have it. */
static int files_hash(const json_t *part, char out[80], struct err *e)
{
    struct solo *s = solo_new(part, NULL, e);
    if (!s)
        return -1;
    snprintf(out, 80, "%s", ruleset_hash(crm_rules(solo_crm(s))));
    solo_free(&s);
    return 0;
}

/* The engine's part of that leadd.conf, checked. */
static json_t *files_load(const char *path, struct activate *a, bool test, struct err *e)
{
    struct errlist errors AUTO_ERRLIST;
    errlist_init(&errors, CTL_RULES_ERRORS);
    AUTO_JSON json_t *tree = ctl_rules_load(path, &errors);
    if (!tree) {
        told_errors(&errors, e);
        return NULL;
    }
    if (test && files_test(a, tree, &errors, e) < 0)
        return NULL;
    AUTO_JSON json_t *parts = config_split(tree);
    return json_incref(json_get_obj(parts, "engine"));
}

/* ---- what the daemon says ------------------------------------------------------------------ */

/* Takes argv; the whole answer, own. NULL with e: nobody answered. */
static json_t *daemon_ask(const struct activate *a, json_t *argv, struct err *e)
{
    struct frame f = {.fd = -1};
    AUTO_JSON json_t *ask = json_pack("{s:o}", "argv", argv);
    AUTO_FREE char *sock = ctl_socket_of(a->opt, "ctl.sock");
    if (ctl_ask(sock, FRAME_CTL, ask, NULL, 0, FRAME_CTL_DONE, a->opt->wait_s, &f, e) < 0)
        return NULL;
    json_t *answer = json_incref(f.json);
    frame_done(&f);
    return answer;
}

static int daemon_hash(const struct activate *a, char out[80], struct err *e)
{
    AUTO_JSON json_t *j = daemon_ask(a, json_pack("[s,s,s]", "rules", "history", "limit=1"), e);
    const json_t *rows = json_get_arr(json_get_obj(j, "data"), "rows");
    if (!j)
        return -1;
    snprintf(out, 80, "%s", json_get_str(json_array_get(rows, 0), "hash", ""));
    return 0;
}

static int daemon_now(struct activate *a, struct err *e)
{
    AUTO_JSON json_t *j = daemon_ask(a, json_pack("[s]", "backup"), e);
    json_t *config = json_get_obj(json_get_obj(j, "data"), "config");
    a->now = config ? json_incref(config) : json_object();
    return j ? daemon_hash(a, a->before, e) : -1;
}

static int daemon_reload(const struct activate *a, struct err *e)
{
    AUTO_JSON json_t *j = daemon_ask(a, json_pack("[s]", "reload"), e);
    if (!j)
        return -1;
    if (json_get_int(j, "exit", 1) == 0)
        return 0;
    return err_set(e, ERR_INPUT, "the daemon refused the files: %s",
                   json_get_str(json_get_obj(j, "data"), "text", json_get_str(j, "error", "?")));
}

/* leadd.conf as the daemon was told it; -c may say another name of the same file. The
 * places of rules begin with that name, and are part of the set. */
static int config_find(struct activate *a, struct err *e)
{
    struct stat asked, read;
    const char *file = json_get_str(a->now, "config_file", NULL);
    if (!file)
        return 0; /* an older daemon */
    if (a->config_asked &&
        (stat(a->config, &asked) < 0 || stat(file, &read) < 0 || asked.st_ino != read.st_ino ||
         asked.st_dev != read.st_dev))
        return err_set(e, ERR_INPUT, "the daemon reads %s, not %s", file, a->config);
    mem_free(a->config);
    a->config = mem_str(file);
    return 0;
}

/* The old engine answers the reload, and is gone a moment later. */
static int daemon_wait(const struct activate *a, struct err *e)
{
    char hash[80] = "";
    int64_t end = clock_mono_ms() + IN_FORCE_MS;
    while (clock_mono_ms() < end) {
        if (daemon_hash(a, hash, e) == 0 && strcmp(hash, a->after) == 0)
            return 0;
        poll(NULL, 0, ASK_AGAIN_MS);
    }
    return err_set(e, ERR_TEMP, "the daemon decides by rule set %.12s and not by %.12s of %s: does "
                   "it read another configuration? See leadctl rules history", hash, a->after,
                   a->config);
}

/* ---- what changes ------------------------------------------------------------------------------ */

/* Without the places in the files. */
static json_t *stripped(const json_t *v)
{
    const char *key;
    size_t i;
    json_t *item;
    if (json_is_array(v)) {
        json_t *list = json_array();
        json_array_foreach((json_t *)v, i, item)
            json_array_append_new(list, stripped(item));
        return list;
    }
    if (!json_is_object(v))
        return json_incref((json_t *)v);
    json_t *obj = json_object();
    json_object_foreach((json_t *)v, key, item)
        if (strcmp(key, "at") != 0 && strcmp(key, "col") != 0 && strcmp(key, "path") != 0)
            json_object_set_new(obj, key, stripped(item));
    return obj;
}

/* A list of what has names, as an object; anything else as it is. own */
static json_t *by_name(const json_t *section)
{
    size_t i;
    json_t *item;
    json_t *obj = json_object();
    if (!json_is_array(section)) {
        json_decref(obj);
        return section ? stripped(section) : json_object();
    }
    json_array_foreach((json_t *)section, i, item) {
        const char *name = json_is_string(item) ? json_string_value(item)
                                                : json_get_str(item, "name", "?");
        json_object_set_new(obj, name, stripped(item));
    }
    return obj;
}

static void change_add(json_t *changes, const char *section, const char *kind, const char *name)
{
    json_t *s = json_get_obj(changes, section);
    if (!s)
        json_object_set_new(changes, section, s = json_object());
    json_t *list = json_get_arr(s, kind);
    if (!list)
        json_object_set_new(s, kind, list = json_array());
    json_array_append_new(list, json_string(name));
}

static void section_compare(json_t *changes, const char *section, const json_t *old,
                            const json_t *new)
{
    const char *name;
    json_t *v;
    AUTO_JSON json_t *was = by_name(old);
    AUTO_JSON json_t *is = by_name(new);
    if (!json_is_object(was) || !json_is_object(is)) {
        if (!json_equal(was, is))
            change_add(changes, section, "changed", section);
        return;
    }
    json_object_foreach(is, name, v) {
        const json_t *before = json_object_get(was, name);
        if (!before || !json_equal(before, v))
            change_add(changes, section, before ? "changed" : "added", name);
    }
    json_object_foreach(was, name, v)
        if (!json_object_get(is, name))
            change_add(changes, section, "removed", name);
}

/* What the supervisor adds to what stands in files. */
static bool of_the_start(const char *section)
{
    return strcmp(section, "config_file") == 0 || strncmp(section, "pretend_", 8) == 0;
}

static json_t *parts_compare(const json_t *old, const json_t *new)
{
    json_t *changes = json_object(), *v;
    const char *section;
    json_object_foreach((json_t *)new, section, v)
        section_compare(changes, section, json_object_get(old, section), v);
    json_object_foreach((json_t *)old, section, v)
        if (!json_object_get(new, section) && !of_the_start(section))
            section_compare(changes, section, v, NULL);
    return changes;
}

/* ---- the link -------------------------------------------------------------------------------------- */

static char *folder_of(const char *path)
{
    AUTO_FREE char *copy = mem_str(path);
    return mem_str(dirname(copy));
}

static bool same_folder(const char *a, const char *b)
{
    struct stat x, y;
    return stat(a, &x) == 0 && stat(b, &y) == 0 && x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

/* DIR is another folder than the one that is read: is it read through a link? */
static int link_find(struct activate *a, struct err *e)
{
    char target[4096];
    AUTO_FREE char *folder = folder_of(a->config);
    if (!a->dir || same_folder(a->dir, folder))
        return 0;
    ssize_t n = readlink(folder, target, sizeof(target) - 1);
    if (n < 0)
        return err_set(e, ERR_INPUT, "leadd reads %s, which is no link that could be switched to %s: "
                       "bring the files there, then leadctl rules activate; see leadd-rules(5)",
                       folder, a->dir);
    a->link = mem_str(folder);
    a->was = mem_strn(target, (size_t)n);
    return 0;
}

/* Nobody sees a moment without the link. */
static int link_point(const char *link, const char *target, struct err *e)
{
    AUTO_FREE char *aside = mem_printf("%s.new", link);
    if (unlink(aside) < 0 && errno != ENOENT)
        return err_set(e, ERR_PERM, "%s: %s", aside, err_errno());
    if (symlink(target, aside) < 0 || rename(aside, link) < 0)
        return err_set(e, ERR_PERM, "cannot switch %s: %s", link, err_errno());
    return 0;
}

static int link_switch(const struct activate *a, struct err *e)
{
    AUTO_FREE char *full = a->link ? realpath(a->dir, NULL) : NULL;
    if (!a->link)
        return 0;
    if (!full)
        return err_set(e, ERR_INPUT, "%s: %s", a->dir, err_errno());
    return link_point(a->link, full, e);
}

static void link_back(const struct activate *a)
{
    struct err e = {0};
    if (a->link && link_point(a->link, a->was, &e) < 0)
        fprintf(stderr, "leadctl: %s: it points to the refused files still\n", e.text);
}

/* ---- the command --------------------------------------------------------------------------------------- */

/* In a process of its own, since it gives up its rights for good. */
static int replay_tell(const struct activate *a, const char *path, struct err *e)
{
    int status = 0;
    char *argv[] = {(char *)"replay", (char *)"--rules", (char *)path, (char *)"--since",
                    (char *)a->replay, (char *)"--limit", (char *)"40", NULL};
    struct ctl_options opt = *a->opt;
    opt.json = false;
    fflush(stdout);
    pid_t pid = fork();
    if (pid == 0) {
        if (a->opt->json)
            dup2(STDERR_FILENO, STDOUT_FILENO); /* stdout is for the answer alone */
        int code = ctl_rules_replay(&opt, (int)ARRAY_LEN(argv) - 1, argv);
        fflush(stdout);
        _exit(code);
    }
    if (pid < 0 || waitpid(pid, &status, 0) < 0 || !WIFEXITED(status) || WEXITSTATUS(status) > 1)
        return err_set(e, ERR_INPUT, "the replay could not be done: nothing was changed");
    return 0;
}

/* All that can refuse, before anything is changed. */
static int activate_look(struct activate *a, struct err *e)
{
    if (daemon_now(a, e) < 0 || config_find(a, e) < 0)
        return -1;
    AUTO_FREE char *path = ctl_rules_path(a->dir ? a->dir : a->config, e);
    if (!path || link_find(a, e) < 0)
        return -1;
    a->next = files_load(path, a, true, e);
    if (!a->next)
        return -1;
    a->changes = parts_compare(a->now, a->next);
    return a->replay ? replay_tell(a, path, e) : 0;
}

static int activate_do(struct activate *a, struct err *e)
{
    if (link_switch(a, e) < 0)
        return -1;
    /* once more through the link: the places of the rules are part of the set */
    AUTO_JSON json_t *part = files_load(a->config, a, false, e);
    if (part && files_hash(part, a->after, e) == 0 && daemon_reload(a, e) == 0)
        return daemon_wait(a, e);
    link_back(a);
    return -1;
}

static void print_names(const char *sign, const json_t *list)
{
    size_t i;
    json_t *v;
    json_array_foreach((json_t *)list, i, v)
        printf(" %s%s", sign, json_string_value(v));
}

static void print_changes(const struct activate *a)
{
    const char *section;
    json_t *v;
    json_object_foreach(a->changes, section, v) {
        printf("%s:", section);
        print_names("+", json_get_arr(v, "added"));
        print_names("-", json_get_arr(v, "removed"));
        print_names("~", json_get_arr(v, "changed"));
        putchar('\n');
    }
    if (json_object_size(a->changes) == 0)
        puts("nothing has changed");
    printf("%lld test%s passed\n", (long long)a->tests, a->tests == 1 ? "" : "s");
    if (a->dry)
        puts("not activated (-n)");
    else if (strcmp(a->before, a->after) == 0)
        printf("rule set %.12s is in force, as before\n", a->after);
    else
        printf("rule set %.12s is in force; before: leadctl rules show %.12s\n", a->after,
               a->before);
}

static void print_result(const struct activate *a)
{
    if (!a->opt->json) {
        print_changes(a);
        return;
    }
    AUTO_JSON json_t *j = json_pack("{s:b, s:O, s:I, s:s, s:s}", "active", !a->dry, "changes",
                                    a->changes, "tests", (json_int_t)a->tests, "before", a->before,
                                    "hash", a->after);
    ctl_render_json(j, stdout);
}

static int activate_options(struct activate *a, int argc, char **argv)
{
    int c;
    const char *config = NULL;
    optind = 0;
    while ((c = getopt(argc, argv, "c:nr:")) != -1) {
        if (c == 'c')
            config = optarg;
        else if (c == 'r')
            a->replay = optarg;
        else if (c == 'n')
            a->dry = true;
        else
            return -1;
    }
    struct err e = {0};
    a->config = ctl_rules_path(config, &e);
    a->config_asked = config != NULL;
    if (!a->config)
        fprintf(stderr, "leadctl: %s\n", e.text);
    a->dir = optind < argc ? argv[optind] : NULL;
    return a->config && argc - optind <= 1 ? 0 : -1;
}

int ctl_rules_activate(const struct ctl_options *opt, int argc, char **argv)
{
    struct activate a = {.opt = opt};
    struct err e = {0};
    int code = CTL_EXIT_USAGE;
    if (activate_options(&a, argc, argv) < 0) {
        ctl_rules_usage(argv[0]);
    } else if (activate_look(&a, &e) < 0 || (!a.dry && activate_do(&a, &e) < 0)) {
        fflush(stdout);
        fputs("leadctl: ", stderr);
        ctl_render_text(e.text, stderr);
        code = e.cls == ERR_TEMP ? CTL_EXIT_UNAVAILABLE : CTL_EXIT_FAILED;
    } else {
        print_result(&a);
        code = 0;
    }
    mem_free(a.config);
    mem_free(a.link);
    mem_free(a.was);
    json_decref(a.now);
    json_decref(a.next);
    json_decref(a.changes);
    return code;
}
