/* SPDX-License-Identifier: ISC
 *
 * ctl_rules_check - `leadctl rules check`: every mistake of a rule set
 *
 * Reads the files with the rights of who asks, writes nothing and asks nobody.
 */
#include "ctl_rules.h"

#include <string.h>

#include "base/bounds.h"
#include "base/mem.h"

static void check_print(const char *path, const json_t *warnings, const struct errlist *errors)
{
    size_t i, n = errlist_total(errors);
    json_t *v;
    struct buf text AUTO_BUF;
    buf_init(&text, MIB(4));
    json_array_foreach((json_t *)warnings, i, v) {
        fputs("warning: ", stdout);
        ctl_render_text(json_string_value(v) ? json_string_value(v) : "?", stdout);
    }
    errlist_print(errors, &text);
    if (text.len)
        ctl_render_text(text.data, stdout);
    fflush(stdout);
    if (n)
        fprintf(stderr, "%zu error%s\n", n, n == 1 ? "" : "s");
    else
        printf("%s: rules OK\n", path);
}

int ctl_rules_check(const struct ctl_options *opt, int argc, char **argv)
{
    struct err e = {0};
    struct errlist errors AUTO_ERRLIST;
    errlist_init(&errors, CTL_RULES_ERRORS);
    if (argc > 2 || (argc == 2 && argv[1][0] == '-'))
        return ctl_rules_usage(argv[0]);
    AUTO_FREE char *path = ctl_rules_path(argc > 1 ? argv[1] : NULL, &e);
    if (!path) {
        fprintf(stderr, "leadctl: %s\n", e.text);
        return CTL_EXIT_FAILED;
    }
    AUTO_JSON json_t *tree = ctl_rules_load(path, &errors);
    json_t *warnings = json_get_arr(tree, "warnings");
    if (opt->json) {
        AUTO_JSON json_t *data = json_object();
        json_put_bool(data, "ok", tree != NULL);
        json_object_set_new(data, "errors", errlist_json(&errors));
        json_object_set_new(data, "warnings", warnings ? json_incref(warnings) : json_array());
        ctl_render_json(data, stdout);
    } else {
        check_print(path, warnings, &errors);
    }
    return tree ? 0 : CTL_EXIT_FAILED;
}
