/* SPDX-License-Identifier: ISC
 *
 * ctl_rules_replay - `leadctl rules replay`: what another rule set would have done
 *
 * Runs beside the daemon: the store is read from one snapshot, on a read connection of
 * its own, and all that is tried happens in scratch stores in a folder that goes away.
 * Once everything is open the process gives up the network and all writing elsewhere.
 * Exit: 0 nothing would differ, 1 something would, 2 it could not be done.
 */
#include <getopt.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/bounds.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/sandbox.h"
#include "base/text.h"
#include "config/config.h"
#include "crm/when.h"
#include "ctl_rules.h"
#include "tool/replay.h"

#define EXIT_SAME 0
#define EXIT_DIFFERS 1
#define EXIT_TROUBLE 2 /* as diff(1) */

#define SINCE "30d"
#define LIMIT 200
#define LIMIT_MAX 1000000
#define PROGRESS_MS 1000

struct job {
    const struct ctl_options *opt;
    const char *rules, *config, *store_arg, *since, *until; /* borrowed */
    struct replay_options o;
    json_t *current, *next; /* own; the engine's parts */
    char *store, *state_dir; /* own */
    char scratch[256];
    unsigned char key[32];
    int64_t now_ms, start_mono, told_mono;
    bool progress;
};

/* ---- the two configurations ----------------------------------------------------------- */

/* The engine's part of a configuration, checked as `rules check` does. */
static json_t *part_load(const char *arg, struct err *e)
{
    struct errlist errors AUTO_ERRLIST;
    errlist_init(&errors, CTL_RULES_ERRORS);
    AUTO_FREE char *path = ctl_rules_path(arg, e);
    AUTO_JSON json_t *tree = path ? ctl_rules_load(path, &errors) : NULL;
    if (tree) {
        AUTO_JSON json_t *parts = config_split(tree);
        return json_incref(json_get_obj(parts, "engine"));
    }
    struct buf text AUTO_BUF;
    buf_init(&text, MIB(4));
    errlist_print(&errors, &text);
    if (text.len) {
        ctl_render_text(text.data, stderr);
        err_set(e, ERR_INPUT, "nothing was replayed");
    }
    return NULL;
}

/* What the daemon runs on now; the files may have been changed since. */
static json_t *part_ask(struct job *j, struct err *e)
{
    struct frame f = {.fd = -1};
    AUTO_JSON json_t *ask = json_pack("{s:[s]}", "argv", "backup");
    AUTO_FREE char *sock = ctl_socket_of(j->opt, "ctl.sock");
    if (ctl_ask(sock, FRAME_CTL, ask, NULL, 0, FRAME_CTL_DONE, j->opt->wait_s, &f, e) < 0) {
        err_wrap(e, "without a daemon, name the configuration of today by -c");
        return NULL;
    }
    json_t *facts = json_get_obj(f.json, "data"), *config = json_get_obj(facts, "config");
    json_t *part = config ? json_incref(config) : NULL;
    j->now_ms = json_get_int(facts, "now_ms", j->now_ms);
    if (!part)
        err_set(e, ERR_INPUT, "%s", json_get_str(f.json, "error", "the daemon's configuration is too "
                "large to be asked for: name it by -c"));
    frame_done(&f);
    return part;
}

static int job_configs(struct job *j, struct err *e)
{
    j->now_ms = clock_now_ms();
    j->current = j->config ? part_load(j->config, e) : part_ask(j, e);
    if (!j->current)
        return -1;
    j->next = part_load(j->rules, e);
    if (!j->next)
        return -1;
    const char *store = json_get_str(json_get_obj(j->current, "store"), "path", "");
    j->store = mem_str(j->store_arg ? j->store_arg : store);
    j->state_dir = mem_str(json_get_str(json_get_obj(j->current, "settings"), "state_dir", ""));
    return 0;
}

/* ---- options -------------------------------------------------------------------------- */

static int time_read(const char *text, int64_t now_ms, int64_t *out, struct err *e)
{
    int64_t ms;
    if (text_parse_duration(text, &ms) == 0)
        *out = now_ms - ms;
    else if (clock_parse_utc(text, out) < 0)
        return err_set(e, ERR_INPUT, "%s: expected a duration such as 30d, or a time such as "
                       "2026-11-01 or 2026-11-01T09:00:00Z", text);
    return 0;
}

static int job_times(struct job *j, struct err *e)
{
    j->o.until_ms = j->now_ms + 1; /* with what happens now */
    if ((j->until && time_read(j->until, j->now_ms, &j->o.until_ms, e) < 0) ||
        time_read(j->since, j->now_ms, &j->o.since_ms, e) < 0)
        return -1;
    if (j->o.since_ms >= j->o.until_ms)
        return err_set(e, ERR_INPUT, "--since is not before --until");
    return 0;
}

static int job_options(struct job *j, int argc, char **argv)
{
    static const struct option longs[] = {
        {"rules", required_argument, NULL, 'r'},  {"since", required_argument, NULL, 's'},
        {"until", required_argument, NULL, 'u'},  {"limit", required_argument, NULL, 'l'},
        {"config", required_argument, NULL, 'c'}, {"store", required_argument, NULL, 'd'},
        {"fresh", no_argument, NULL, 'f'},        {"against-history", no_argument, NULL, 'a'},
        {"progress", no_argument, NULL, 'p'},     {NULL, 0, NULL, 0}};
    int c;
    int64_t n = LIMIT;
    j->since = SINCE;
    j->progress = isatty(STDERR_FILENO);
    optind = 0;
    while ((c = getopt_long(argc, argv, "c:", longs, NULL)) != -1) {
        const char **const texts[] = {['r'] = &j->rules, ['s'] = &j->since, ['u'] = &j->until,
                                      ['c'] = &j->config, ['d'] = &j->store_arg};
        if (c == 'f')
            j->o.fresh = true;
        else if (c == 'a')
            j->o.against_history = true;
        else if (c == 'p')
            j->progress = true;
        else if (c == 'l' && (text_parse_int(optarg, &n) < 0 || n < 0 || n > LIMIT_MAX))
            return -1;
        else if (c == '?')
            return -1;
        else if (c != 'l')
            *texts[c] = optarg;
    }
    j->o.limit = (size_t)n;
    return j->rules && optind == argc ? 0 : -1;
}

/* ---- progress --------------------------------------------------------------------------- */

static void on_progress(void *arg, int64_t done, int64_t all)
{
    struct job *j = arg;
    int64_t now = clock_mono_ms(), ms = now - j->start_mono;
    if (now - j->told_mono < PROGRESS_MS || ms <= 0 || done <= 0)
        return;
    bool tty = isatty(STDERR_FILENO);
    char left[32];
    j->told_mono = now;
    text_format_duration(all > done ? ms * (all - done) / done / 1000 * 1000 : 0, left,
                         sizeof(left));
    fprintf(stderr, "%s%" PRId64 " of %" PRId64 " (%" PRId64 " %%), %" PRId64 "/s, %s left%s",
            tty ? "\r\033[K" : "", done, all, all ? done * 100 / all : 0, done * 1000 / ms, left,
            tty ? "" : "\n");
    fflush(stderr);
}

/* ---- the run ------------------------------------------------------------------------------ */

static bool key_read(struct job *j)
{
    struct err e = {0};
    struct buf key AUTO_BUF;
    AUTO_FREE char *path = mem_printf("%s/secret.key", j->state_dir);
    buf_init(&key, 64);
    if (buf_read_file(&key, path, &e) < 0 || key.len != sizeof(j->key))
        return false;
    memcpy(j->key, key.data, sizeof(j->key));
    return true;
}

static int scratch_make(struct job *j, struct err *e)
{
    const char *tmp = getenv("TMPDIR");
    snprintf(j->scratch, sizeof(j->scratch), "%.200s/leadd-replay-XXXXXX",
             tmp && *tmp ? tmp : "/var/tmp");
    if (mkdtemp(j->scratch))
        return 0;
    int rc = err_set(e, ERR_TEMP, "cannot make %s: %s", j->scratch, err_errno());
    j->scratch[0] = '\0';
    return rc;
}

static void scratch_remove(const struct job *j)
{
    static const char *const names[] = {"current.db", "next.db"}, *const ends[] = {"", "-wal", "-shm"};
    if (!*j->scratch)
        return;
    for (size_t i = 0; i < ARRAY_LEN(names) * ARRAY_LEN(ends); i++) {
        AUTO_FREE char *path = mem_printf("%s/%s%s", j->scratch, names[i / ARRAY_LEN(ends)],
                                          ends[i % ARRAY_LEN(ends)]);
        unlink(path);
    }
    rmdir(j->scratch);
}

static int job_sandbox(const struct job *j, struct err *e)
{
    struct sandbox_held held;
    struct sandbox *sb = sandbox_new("tool");
    sandbox_path(sb, j->scratch, SANDBOX_WRITE);
    int rc = sandbox_enter(sb, &held, e);
    sandbox_free(&sb);
    return rc;
}

static json_t *job_run(struct job *j, struct err *e)
{
    if (job_configs(j, e) < 0 || job_times(j, e) < 0 || scratch_make(j, e) < 0)
        return NULL;
    j->o.current = j->current;
    j->o.next = j->next;
    j->o.store = j->store;
    j->o.scratch = j->scratch;
    j->o.key = key_read(j) ? j->key : NULL;
    j->o.progress = j->progress ? on_progress : NULL;
    j->o.arg = j;
    j->start_mono = j->told_mono = clock_mono_ms();
    struct replay *r = replay_open(&j->o, e);
    json_t *result = r && job_sandbox(j, e) == 0 ? replay_run(r, e) : NULL;
    replay_free(&r);
    if (j->progress && isatty(STDERR_FILENO))
        fputs("\r\033[K", stderr);
    return result;
}

/* ---- telling ------------------------------------------------------------------------------- */

static void print_totals(const json_t *result)
{
    const char *what;
    json_t *n, *totals = json_get_obj(result, "totals");
    bool first = true;
    if (json_get_bool(result, "same", false)) {
        puts("Nothing would differ.");
        return;
    }
    fputs("Would differ:", stdout);
    json_object_foreach(totals, what, n) {
        printf("%s %" JSON_INTEGER_FORMAT " %s", first ? "" : ",", json_integer_value(n), what);
        first = false;
    }
    putchar('\n');
}

static void print_list(const json_t *result)
{
    size_t i;
    json_t *v, *list = json_get_arr(result, "differences");
    int64_t all = 0;
    const char *what;
    json_object_foreach(json_get_obj(result, "totals"), what, v)
        all += json_integer_value(v);
    json_array_foreach(list, i, v) {
        ctl_render_text(json_get_str(v, "text", ""), stdout);
    }
    if (all > (int64_t)json_array_size(list))
        printf("... and %" PRId64 " more: --limit %" PRId64 "\n",
               all - (int64_t)json_array_size(list), all);
    if (all)
        putchar('\n');
}

static void print_result(const struct job *j, const json_t *result)
{
    char since[40], until[40];
    const char *zone = replay_zone(&j->o);
    size_t i;
    json_t *v, *in = json_get_obj(result, "inputs");
    int64_t mails = json_get_int(in, "mails", 0), forms = json_get_int(in, "forms", 0),
            bounces = json_get_int(in, "bounces", 0), commands = json_get_int(in, "commands", 0),
            before = json_get_int(in, "before", 0);
    int64_t ms = json_get_int(result, "ms", 0);
    print_list(result);
    json_array_foreach(json_get_arr(result, "rules"), i, v) {
        if (i == 0)
            puts("Rules that would match otherwise:");
        printf("  %s: %" PRId64 " -> %" PRId64 "\n", json_get_str(v, "rule", ""),
               json_get_int(v, "current", 0), json_get_int(v, "new", 0));
    }
    print_totals(result);
    crm_when_tell(zone, j->o.since_ms, false, since, sizeof(since));
    crm_when_tell(zone, j->o.until_ms, false, until, sizeof(until));
    printf("Replayed %" PRId64 " mails, %" PRId64 " forms, %" PRId64 " bounces and %" PRId64
           " commands of %s to %s", mails, forms, bounces, commands, since, until);
    if (before)
        printf(", after %" PRId64 " from before", before);
    printf("; %" PRId64 " a second.\n",
           ms ? (mails + forms + bounces + commands + before) * 1000 / ms : 0);
    json_array_foreach(json_get_arr(result, "notes"), i, v)
        printf("note: %s\n", json_string_value(v));
}

int ctl_rules_replay(const struct ctl_options *opt, int argc, char **argv)
{
    struct job j = {.opt = opt};
    struct err e = {0};
    if (job_options(&j, argc, argv) < 0) {
        ctl_rules_usage(argv[0]);
        return EXIT_TROUBLE;
    }
    AUTO_JSON json_t *result = job_run(&j, &e);
    scratch_remove(&j);
    if (result) {
        json_put_int(result, "ms", clock_mono_ms() - j.start_mono);
        if (opt->json)
            ctl_render_json(result, stdout);
        else
            print_result(&j, result);
    } else {
        fputs("leadctl: ", stderr);
        ctl_render_text(e.text, stderr);
    }
    json_decref(j.current);
    json_decref(j.next);
    mem_free(j.store);
    mem_free(j.state_dir);
    if (!result)
        return EXIT_TROUBLE;
    return json_get_bool(result, "same", false) ? EXIT_SAME : EXIT_DIFFERS;
}
