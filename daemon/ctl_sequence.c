/* SPDX-License-Identifier: ISC
 *
 * ctl_sequence - leadctl sequence start: many begin a sequence
 *
 * The records of the arguments or of stdin, or all that fit a condition or are in a
 * segment. The daemon is asked a slice at a time (engine/ctl_begin.c), so that it does
 * everything else in between. Without --yes nothing is changed and who would be left out
 * is told. What was begun stays begun when leadctl or the daemon ends on the way: the same
 * once more begins the others.
 *
 * The other subcommands are the daemon's.
 */
#include "ctl.h"

#include <ctype.h>
#include <getopt.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "base/bounds.h"
#include "base/mem.h"

#define ID_CHARS 24 /* longer ones are none */

struct start {
    const struct ctl_options *opt;
    const char *name;
    char *which; /* own; "where=..", "segment=.."; NULL: a list */
    bool yes, again;
    json_t *ids;      /* own */
    json_t *rows;     /* own; who is left out, and why */
    json_t *contacts; /* own; {C: record}: who would begin, of a preview */
    int64_t looked, fit, begun;
};

static int usage(void)
{
    fputs("usage: leadctl sequence start NAME [ID .. | < LIST] [--again] [--yes]\n"
          "       leadctl sequence start NAME --where CONDITION | --segment NAME [--again] [--yes]\n", stderr);
    return CTL_EXIT_USAGE;
}

/* ---- what is asked for -------------------------------------------------------------------- */

static int start_id(struct start *s, const char *text, size_t n, const char *where, long line)
{
    char id[ID_CHARS];
    if (n < sizeof(id))
        snprintf(id, sizeof(id), "%.*s", (int)n, text);
    if (n < 2 || n >= sizeof(id) || !isalpha((unsigned char)id[0]) ||
        strspn(id + 1, "0123456789") != n - 1) {
        fprintf(stderr, "leadctl: %s", where);
        if (line)
            fprintf(stderr, ":%ld", line);
        fprintf(stderr, ": expected a record such as L42; nobody has begun\n");
        return CTL_EXIT_USAGE;
    }
    json_array_append_new(s->ids, json_string(id));
    return 0;
}

/* The first word of each line, so that tables and CSV can be piped in. */
static int start_stdin(struct start *s)
{
    char *line = NULL;
    size_t size = 0;
    int code = 0;
    for (long at = 1; code == 0 && getline(&line, &size, stdin) >= 0; at++) {
        const char *word = line + strspn(line, " \t\"");
        size_t n = strcspn(word, " \t\r\n,;\"");
        bool title = at == 1 && n == 2 && strncasecmp(word, "id", 2) == 0;
        if (n && *word != '#' && !title)
            code = start_id(s, word, n, "stdin", at);
    }
    free(line); /* getline's */
    return code;
}

static int start_read(struct start *s, int argc, char **argv)
{
    static const struct option longs[] = {
        {"where", required_argument, NULL, 'w'}, {"segment", required_argument, NULL, 's'},
        {"again", no_argument, NULL, 'a'},       {"yes", no_argument, NULL, 'y'},
        {NULL, 0, NULL, 0}};
    int c, code = 0;
    optind = 0;
    while ((c = getopt_long(argc, argv, "", longs, NULL)) != -1) {
        if (c == 'a')
            s->again = true;
        else if (c == 'y')
            s->yes = true;
        else if (c == '?' || s->which)
            return usage();
        else
            s->which = mem_printf("%s=%s", c == 'w' ? "where" : "segment", optarg);
    }
    if (argc - optind < 1 || (s->which && argc - optind > 1))
        return usage();
    s->name = argv[optind++];
    bool listed = optind < argc && strcmp(argv[optind], "-") != 0;
    for (; code == 0 && listed && optind < argc; optind++)
        code = start_id(s, argv[optind], strlen(argv[optind]), argv[optind], 0);
    if (code == 0 && !listed && !s->which)
        code = start_stdin(s);
    return code;
}

/* ---- asking ---------------------------------------------------------------------------------- */

static void start_progress(const struct start *s, bool end)
{
    if (isatty(STDERR_FILENO))
        fprintf(stderr, "\r%" PRId64 " looked at, %" PRId64 " %s%s", s->looked, s->begun,
                s->yes ? "begun" : "would begin", end ? "\n" : "");
}

/* Of one contact only one begins, if the sequence may not run beside itself. */
static void start_once(struct start *s, const json_t *contacts)
{
    size_t i;
    json_t *pair;
    json_array_foreach((json_t *)contacts, i, pair) {
        char key[ID_CHARS];
        const char *record = json_string_value(json_array_get(pair, 0));
        snprintf(key, sizeof(key), "C%" JSON_INTEGER_FORMAT, json_integer_value(json_array_get(pair, 1)));
        const char *other = json_get_str(s->contacts, key, NULL);
        if (!other) {
            json_put_str(s->contacts, key, record);
            continue;
        }
        AUTO_FREE char *why = mem_printf("its contact %s begins with %s", key, other);
        json_array_append_new(s->rows, json_pack("{s:s, s:s}", "record", record, "why", why));
        s->begun--;
    }
}

/* One slice; *data_out is own. */
static int start_ask(struct start *s, json_t *argv, json_t **data_out)
{
    struct frame f;
    int code = ctl_call(s->opt, argv, &f);
    const json_t *data = json_get_obj(f.json, "data");
    if (code == 0) {
        s->looked += json_get_int(data, "looked", 0);
        s->fit += json_get_int(data, "fit", 0);
        s->begun += json_get_int(data, "begun", 0);
        json_array_extend(s->rows, json_get_arr(data, "rows"));
        start_once(s, json_get_arr(data, "contacts"));
        start_progress(s, false);
        *data_out = json_incref((json_t *)data);
    }
    frame_done(&f);
    return code;
}

static json_t *start_argv(const struct start *s)
{
    json_t *argv = json_pack("[s, s, s]", "sequence", "begin", s->name);
    if (!s->yes)
        json_array_append_new(argv, json_string("try=yes"));
    if (s->again)
        json_array_append_new(argv, json_string("again=yes"));
    if (s->which)
        json_array_append_new(argv, json_string(s->which));
    return argv;
}

static int start_list(struct start *s)
{
    size_t at = 0;
    int code = 0;
    do { /* an empty list, too, is asked for: is there such a sequence? */
        json_t *argv = start_argv(s), *data = NULL;
        for (size_t n = 0; n < BOUND_BEGIN_SLICE && at < json_array_size(s->ids); n++)
            json_array_append(argv, json_array_get(s->ids, at++));
        code = start_ask(s, argv, &data);
        json_decref(data);
    } while (code == 0 && at < json_array_size(s->ids));
    return code;
}

static int start_walk(struct start *s)
{
    int64_t at = 0, to = -1;
    int code = 0;
    while (code == 0 && at != to) {
        json_t *argv = start_argv(s), *data = NULL;
        AUTO_FREE char *after = mem_printf("after=%" PRId64, at), *until = mem_printf("to=%" PRId64, to);
        json_array_append_new(argv, json_string(after));
        if (to >= 0)
            json_array_append_new(argv, json_string(until));
        code = start_ask(s, argv, &data);
        at = json_get_int(data, "at", 0);
        to = json_get_int(data, "to", 0);
        json_decref(data);
    }
    return code;
}

/* ---- the answer --------------------------------------------------------------------------------- */

static void start_tell(const struct start *s)
{
    struct ctl_look look = {ctl_terminal_width(stdout), NULL, false};
    size_t left = json_array_size(s->rows);
    AUTO_JSON json_t *data = json_pack(
        "{s:[[s,s],[s,I],[s,I],[s,I],[s,I]]}", "fields", "sequence", s->name, "looked at",
        (json_int_t)s->looked, s->which ? "fit" : "named", (json_int_t)s->fit,
        s->yes ? "begun" : "would begin", (json_int_t)s->begun, "left out", (json_int_t)left);
    if (left)
        json_object_set_new(data, "sections",
                            json_pack("[{s:s, s:[{s:s, s:s}, {s:s, s:s}], s:O}]", "title", "Left out",
                                      "columns", "name", "record", "title", "RECORD", "name", "why", "title",
                                      "WHY", "rows", s->rows));
    if (s->opt->json)
        ctl_render_json(data, stdout);
    else
        ctl_render(data, &look, stdout);
    if (!s->yes && s->begun && !s->opt->json)
        fputs("\nNothing was changed. With --yes they begin.\n", stdout);
}

static int start_run(struct start *s)
{
    int code = s->which ? start_walk(s) : start_list(s);
    if (s->looked)
        start_progress(s, true);
    if (code == 0)
        start_tell(s);
    else if (s->yes && s->looked)
        fprintf(stderr, "leadctl: %" PRId64 " have begun so far; the same once more%s begins the "
                "others\n", s->begun, s->again ? ", without --again," : "");
    return code;
}

int ctl_local_sequence(const struct ctl_options *opt, int argc, char **argv)
{
    if (argc < 2 || strcmp(argv[1], "start") != 0)
        return ctl_ask_daemon(opt, argc, argv);
    struct start s = {.opt = opt, .ids = json_array(), .rows = json_array(), .contacts = json_object()};
    int code = start_read(&s, argc - 1, argv + 1);
    if (code == 0)
        code = start_run(&s);
    json_decref(s.ids);
    json_decref(s.rows);
    json_decref(s.contacts);
    mem_free(s.which);
    return code;
}
