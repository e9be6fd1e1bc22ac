/* SPDX-License-Identifier: ISC
 *
 * ctl_rules_explain - `leadctl rules explain`: what the rules would do with this mail
 *
 * Needs no daemon, sends nothing and keeps nothing.
 */
#include "ctl_rules.h"

#include <getopt.h>
#include <string.h>
#include <unistd.h>

#include "base/bounds.h"
#include "base/mem.h"
#include "tool/explain.h"

static int say_errors(const struct ctl_options *opt, const struct errlist *errors)
{
    struct buf text AUTO_BUF;
    buf_init(&text, MIB(4));
    if (opt->json) {
        AUTO_JSON json_t *j = json_pack("{s:b, s:o}", "ok", 0, "errors", errlist_json(errors));
        ctl_render_json(j, stdout);
    } else {
        errlist_print(errors, &text);
        ctl_render_text(text.data, stderr);
    }
    return CTL_EXIT_FAILED;
}

static int explain(const struct ctl_options *opt, const char *dir, struct explain_options *o)
{
    struct err e = {0};
    struct errlist errors AUTO_ERRLIST;
    struct buf raw AUTO_BUF;
    errlist_init(&errors, CTL_RULES_ERRORS);
    buf_init(&raw, BOUND_FRAME_RAW);
    AUTO_FREE char *path = ctl_rules_path(dir, &e);
    if (!path || buf_read_fd(&raw, STDIN_FILENO, &e) < 0) {
        fprintf(stderr, "leadctl: %s\n", e.text);
        return CTL_EXIT_FAILED;
    }
    o->raw = raw.data;
    o->raw_len = raw.len;
    AUTO_JSON json_t *tree = ctl_rules_load(path, &errors);
    AUTO_JSON json_t *data = tree ? explain_run(tree, o, &errors) : NULL;
    if (!data)
        return say_errors(opt, &errors);
    struct ctl_look look = {.width = ctl_terminal_width(stdout), .seconds = true,
                            .zone = json_get_str(json_get_obj(tree, "settings"), "time_zone", NULL)};
    if (opt->json)
        ctl_render_json(data, stdout);
    else
        ctl_render(data, &look, stdout);
    return 0;
}

int ctl_rules_explain(const struct ctl_options *opt, int argc, char **argv)
{
    static const struct option longs[] = {{"form", required_argument, NULL, 'f'},
                                          {"mailbox", required_argument, NULL, 'm'},
                                          {"at", required_argument, NULL, 'a'},
                                          {NULL, 0, NULL, 0}};
    struct explain_options o = {.form = NULL};
    int c;
    optind = 0; /* main() has read options of its own */
    while ((c = getopt_long(argc, argv, "", longs, NULL)) != -1) {
        if (c == 'f')
            o.form = optarg;
        else if (c == 'm')
            o.mailbox = optarg;
        else if (c == 'a')
            o.at = optarg;
        else
            return ctl_rules_usage(argv[0]);
    }
    if (argc - optind > 1 || (o.form && o.mailbox))
        return ctl_rules_usage(argv[0]);
    if (isatty(STDIN_FILENO))
        fprintf(stderr, "leadctl: reading the %s from the terminal; end it with Ctrl-D\n",
                o.form ? "form, in lines NAME=VALUE," : "mail");
    return explain(opt, optind < argc ? argv[optind] : NULL, &o);
}
