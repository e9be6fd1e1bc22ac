/* SPDX-License-Identifier: ISC
 *
 * ctl_rules_route - `leadctl rules route`: whose would a lead with these fields be?
 *
 * With --expect the exit status says whether it is that territory, for scripts.
 */
#include "ctl_rules.h"

#include <string.h>

#include "base/bounds.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"
#include "crm/route.h"

static void route_print(const json_t *route)
{
    size_t i;
    json_t *v;
    printf("%s\n", json_get_str(route, "path", ""));
    json_array_foreach(json_get_arr(route, "walk"), i, v)
        printf("  %s (%s): %s\n", json_get_str(v, "territory", ""), json_get_str(v, "at", ""),
               json_get_bool(v, "holds", false) ? "holds" : "does not hold");
}

/* Is it there at all? Else a wrong name in a script would only ever fail. */
static bool route_expects(const json_t *tree, const char *expect)
{
    const char *name;
    const json_t *v, *all = json_get_obj(tree, "territories");
    AUTO_FREE const char **names = mem_array(json_object_size(all) + 1, sizeof(*names));
    size_t n = 0;
    json_object_foreach((json_t *)all, name, v) {
        (void)v;
        names[n++] = name;
    }
    if (!expect || n == 0 || json_object_get(all, expect))
        return true;
    const char *near = text_nearest(expect, names, n);
    fprintf(stderr, "leadctl: --expect: there is no territory %s%s%s%s\n", expect,
            near ? "; did you mean " : "", near ? near : "", near ? "?" : "");
    return false;
}

int ctl_rules_route(const struct ctl_options *opt, int argc, char **argv)
{
    struct err e = {0};
    const char *expect = NULL, *dir = NULL;
    AUTO_FREE const char **pairs = mem_array((size_t)argc, sizeof(*pairs));
    size_t n = 0;
    struct errlist errors AUTO_ERRLIST;
    errlist_init(&errors, CTL_RULES_ERRORS);
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--expect") == 0 && i + 1 < argc)
            expect = argv[++i];
        else if (strchr(argv[i], '='))
            pairs[n++] = argv[i];
        else if (argv[i][0] == '-' || dir)
            return ctl_rules_usage(argv[0]);
        else
            dir = argv[i];
    }
    AUTO_FREE char *path = ctl_rules_path(dir, &e);
    AUTO_JSON json_t *tree = path ? ctl_rules_load(path, &errors) : NULL;
    AUTO_JSON json_t *route = tree ? crm_route(tree, pairs, n, clock_now_ms(), &e) : NULL;
    if (errlist_total(&errors) > 0) {
        struct buf text AUTO_BUF;
        buf_init(&text, MIB(4));
        errlist_print(&errors, &text);
        ctl_render_text(text.data, stderr);
        return CTL_EXIT_FAILED;
    }
    if (tree && !route_expects(tree, expect))
        return CTL_EXIT_FAILED;
    if (!route) {
        fprintf(stderr, "leadctl: %s\n", e.text);
        return CTL_EXIT_FAILED;
    }
    if (opt->json)
        ctl_render_json(route, stdout);
    else
        route_print(route);
    const char *is = json_get_str(route, "territory", "");
    if (!expect || strcmp(expect, is) == 0)
        return 0;
    fprintf(stderr, "leadctl: expected %s, not %s\n", expect, is);
    return CTL_EXIT_FAILED;
}
