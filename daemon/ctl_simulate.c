/* SPDX-License-Identifier: ISC
 *
 * ctl_simulate - see ctl_simulate.h
 *
 * Once the configuration and all inputs are read the process gives up files and network:
 * what runs then can neither send nor keep anything.
 */
#include "ctl_simulate.h"

#include <getopt.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "base/bounds.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/sandbox.h"
#include "base/text.h"
#include "config/config.h"
#include "crm/address.h"
#include "ctl_rules.h"
#include "tool/scene.h"
#include "tool/simulate.h"

#define DAYS "30"
#define DAYS_MAX 3660
#define PROGRESS_MS 1000

struct job {
    const struct ctl_options *opt;
    const char *rules, *from, *days, *who, *answered; /* borrowed */
    bool shift, progress;
    struct simulate_options o;
    struct simulate_items items; /* own */
    json_t *config;              /* own; the engine's part */
    char address[CRM_ADDRESS_MAX];
    int64_t told_mono;
};

static int usage(void)
{
    fputs("usage: leadctl simulate [--rules DIR|FILE] [--from DATE] [--days 30] [--shift] [--answered 2d]\n"
          "                        [--mailbox NAME] [--who ADDRESS] [--progress] MBOX|MAILDIR|MAIL|FORMS ..\n",
          stderr);
    return CTL_EXIT_USAGE;
}

static int job_options(struct job *j, int argc, char **argv)
{
    static const struct option longs[] = {
        {"rules", required_argument, NULL, 'r'},    {"from", required_argument, NULL, 'f'},
        {"days", required_argument, NULL, 'd'},     {"who", required_argument, NULL, 'w'},
        {"answered", required_argument, NULL, 'a'}, {"mailbox", required_argument, NULL, 'm'},
        {"shift", no_argument, NULL, 's'},          {"progress", no_argument, NULL, 'p'},
        {NULL, 0, NULL, 0}};
    int c;
    j->days = DAYS;
    j->progress = isatty(STDERR_FILENO);
    optind = 0;
    while ((c = getopt_long(argc, argv, "", longs, NULL)) != -1) {
        const char **const texts[] = {['r'] = &j->rules, ['f'] = &j->from, ['d'] = &j->days,
                                      ['w'] = &j->who, ['a'] = &j->answered, ['m'] = &j->o.mailbox};
        if (c == 's')
            j->shift = true;
        else if (c == 'p')
            j->progress = true;
        else if (c == '?')
            return -1;
        else
            *texts[c] = optarg;
    }
    return optind < argc ? 0 : -1;
}

/* Checked as `rules check` does. */
static int job_config(struct job *j, struct err *e)
{
    struct errlist errors AUTO_ERRLIST;
    struct buf text AUTO_BUF;
    errlist_init(&errors, CTL_RULES_ERRORS);
    buf_init(&text, MIB(4));
    AUTO_FREE char *path = ctl_rules_path(j->rules, e);
    AUTO_JSON json_t *tree = path ? ctl_rules_load(path, &errors) : NULL;
    if (!path)
        return -1;
    if (!tree) {
        errlist_print(&errors, &text);
        ctl_render_text(text.data, stderr);
        return err_set(e, ERR_INPUT, "nothing was simulated");
    }
    AUTO_JSON json_t *parts = config_split(tree);
    j->config = json_incref(json_get_obj(parts, "engine"));
    j->o.config = j->config;
    if (j->o.mailbox && !json_get_obj(json_get_obj(j->config, "mailboxes"), j->o.mailbox))
        return err_set(e, ERR_INPUT, "no mailbox \"%s\" in the config", j->o.mailbox);
    return 0;
}

/* The day of the first input that says a time, unless one is named. */
static int job_times(struct job *j, struct err *e)
{
    int64_t days, first = 0;
    for (size_t i = 0; i < j->items.count; i++)
        if (j->items.v[i].at_ms && (!first || j->items.v[i].at_ms < first))
            first = j->items.v[i].at_ms;
    if (!j->from && !first)
        return err_set(e, ERR_INPUT, "no input says a time: name the first day by --from");
    if (text_parse_int(j->days, &days) < 0 || days < 1 || days > DAYS_MAX)
        return err_set(e, ERR_INPUT, "--days: expected 1 to %d days", DAYS_MAX);
    j->o.from_ms = first;
    if (j->from) {
        AUTO_FREE char *midnight = strlen(j->from) == 10 ? mem_printf("%s 00:00", j->from) : mem_str(j->from);
        if (scene_time(simulate_zone(j->config), midnight, &j->o.from_ms, e) < 0)
            return -1;
    }
    j->o.until_ms = j->o.from_ms + days * DAY_MS;
    j->o.shift_ms = j->shift && first ? j->o.from_ms - first : 0;
    if (j->answered && (text_parse_duration(j->answered, &j->o.answer_ms) < 0 || j->o.answer_ms < 1000))
        return err_set(e, ERR_INPUT, "--answered: expected a duration such as 2d");
    if (j->who && crm_email_fold(j->who, j->address) < 0)
        return err_set(e, ERR_INPUT, "--who: \"%s\" is no email address", j->who);
    j->o.who = j->who ? j->address : NULL;
    return 0;
}

static int job_read(struct job *j, int argc, char **argv, struct err *e)
{
    for (int i = optind; i < argc; i++)
        if (simulate_read(&j->items, argv[i], e) < 0)
            return -1;
    return j->items.count ? 0 : err_set(e, ERR_INPUT, "there are no mails and no forms in it");
}

static void on_progress(void *arg, int64_t done, int64_t all)
{
    struct job *j = arg;
    int64_t now = clock_mono_ms();
    bool tty = isatty(STDERR_FILENO);
    if (now - j->told_mono < PROGRESS_MS)
        return;
    j->told_mono = now;
    fprintf(stderr, "%s%" PRId64 " of %" PRId64 "%s", tty ? "\r\033[K" : "", done, all, tty ? "" : "\n");
    fflush(stderr);
}

static json_t *job_run(struct job *j, int argc, char **argv, struct err *e)
{
    struct sandbox_held held;
    if (job_config(j, e) < 0 || job_read(j, argc, argv, e) < 0 || job_times(j, e) < 0)
        return NULL;
    j->o.progress = j->progress ? on_progress : NULL;
    j->o.arg = j;
    j->told_mono = clock_mono_ms();
    struct sandbox *sb = sandbox_new("tool");
    int rc = sandbox_enter(sb, &held, e);
    sandbox_free(&sb);
    json_t *result = rc == 0 ? simulate_run(&j->items, &j->o, e) : NULL;
    if (j->progress && isatty(STDERR_FILENO))
        fputs("\r\033[K", stderr);
    return result;
}

/* ---- telling --------------------------------------------------------------------------------------- */

static void print_line(const char *time, const json_t *v)
{
    const char *rule = json_get_str(v, "rule", NULL), *at = json_get_str(v, "at", NULL),
               *by = json_get_str(v, "by", NULL);
    AUTO_FREE char *text = mem_printf("  %-5s  %s%s%s%s%s%s%s\n", time, json_get_str(v, "text", ""),
                                      rule ? ", by " : "", rule ? rule : "", by ? ", by " : "", by ? by : "",
                                      at ? " at " : "", at ? at : "");
    ctl_render_text(text, stdout);
}

static void print_day(const json_t *day)
{
    size_t i, k;
    json_t *entry, *did;
    printf("%s\n", json_get_str(day, "day", ""));
    json_array_foreach(json_get_arr(day, "entries"), i, entry) {
        print_line(json_get_str(entry, "time", ""), entry);
        json_array_foreach(json_get_arr(entry, "did"), k, did)
            print_line("", did);
    }
    putchar('\n');
}

static void print_result(const json_t *result)
{
    size_t i;
    json_t *v, *in = json_get_obj(result, "inputs");
    const char *what;
    bool first = true;
    printf("times of %s\n\n", json_get_str(result, "zone", "UTC"));
    json_array_foreach(json_get_arr(result, "days"), i, v)
        print_day(v);
    printf("%" PRId64 " mails, %" PRId64 " forms and %" PRId64 " assumed answers came in",
           json_get_int(in, "mails", 0), json_get_int(in, "forms", 0), json_get_int(in, "answers", 0));
    json_object_foreach(json_get_obj(result, "totals"), what, v) {
        printf("%s%s %" JSON_INTEGER_FORMAT, first ? ": " : ", ", what, json_integer_value(v));
        first = false;
    }
    puts(".");
    if (json_get_int(in, "outside", 0))
        printf("note: %" PRId64 " inputs are not of these days and were left out; --shift moves all to --from\n",
               json_get_int(in, "outside", 0));
    if (json_get_int(in, "confirmed", 0))
        printf("note: %" PRId64 " forms had to be confirmed, and were taken as confirmed at once\n",
               json_get_int(in, "confirmed", 0));
    if (json_get_int(in, "refused", 0))
        printf("note: %" PRId64 " inputs were not filed: ignored, doubles, or forms with mistakes\n",
               json_get_int(in, "refused", 0));
}

int ctl_local_simulate(const struct ctl_options *opt, int argc, char **argv)
{
    struct job j = {.opt = opt};
    struct err e = {0};
    if (job_options(&j, argc, argv) < 0)
        return usage();
    AUTO_JSON json_t *result = job_run(&j, argc, argv, &e);
    if (!result) {
        fputs("leadctl: ", stderr);
        ctl_render_text(e.text, stderr);
    } else if (opt->json) {
        ctl_render_json(result, stdout);
    } else {
        print_result(result);
    }
    simulate_items_done(&j.items);
    json_decref(j.config);
    return result ? 0 : CTL_EXIT_FAILED;
}
