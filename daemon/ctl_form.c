/* SPDX-License-Identifier: ISC
 *
 * ctl_form - leadctl form list | snippet NAME | test NAME FIELD=VALUE ..
 *
 * Works on the config alone. `test` posts to an engine of its own in memory and tells
 * what would become of it; nothing is sent and nothing is kept.
 */
#include "ctl_form.h"

#include <string.h>

#include "base/bounds.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"
#include "config/config.h"
#include "crm/crm.h"
#include "ctl_rules.h"
#include "engine/solo.h"

static int usage(void)
{
    fputs("usage: leadctl form list | snippet NAME [--url URL] | test NAME FIELD=VALUE .. "
          "[-c CONFIG]\n", stderr);
    return CTL_EXIT_USAGE;
}

static int failed(const struct err *e)
{
    fputs("leadctl: ", stderr);
    ctl_render_text(e->text, stderr);
    return CTL_EXIT_FAILED;
}

static int form_list(const struct ctl_options *opt, const json_t *forms)
{
    const char *name;
    json_t *v, *rows = json_array();
    json_object_foreach ((json_t *)forms, name, v) {
        json_t *row = json_pack("{s:s, s:s, s:s, s:s, s:i}", "form", name, "source",
                                json_get_str(v, "source", ""), "creates",
                                json_get_str(v, "creates", ""), "lang", json_get_str(v, "lang", "en"),
                                "fields", (int)json_object_size(json_get_obj(v, "fields")));
        json_array_append_new(rows, row);
    }
    AUTO_JSON json_t *data = json_pack(
        "{s:[{s:s,s:s},{s:s,s:s},{s:s,s:s},{s:s,s:s},{s:s,s:s}], s:o}", "columns", "name", "form",
        "title", "FORM", "name", "source", "title", "SOURCE", "name", "creates", "title", "CREATES",
        "name", "lang", "title", "LANG", "name", "fields", "title", "FIELDS", "rows", rows);
    struct ctl_look look = {ctl_terminal_width(stdout), NULL, false};
    if (opt->json)
        ctl_render_json(data, stdout);
    else
        ctl_render(data, &look, stdout);
    return 0;
}

static int form_snippet(const json_t *tree, const char *name, const json_t *conf, const char *url)
{
    struct buf out AUTO_BUF;
    buf_init(&out, MIB(1));
    const json_t *web = json_get_obj(tree, "web");
    AUTO_FREE char *local = mem_printf("http://%s", json_get_str(web, "listen", ""));
    if (!url)
        url = json_get_str(web, "in_url", NULL);
    if (!url)
        fprintf(stderr, "leadctl: the snippet posts to %s; in_url of web, or --url, says how that is "
                "reached from outside\n", local);
    ctl_snippet(name, conf, url ? url : local, &out);
    fputs(out.data, stdout);
    return 0;
}

/* ---- test --------------------------------------------------------------------------- */

static int test_show(const struct ctl_options *opt, const char *zone, struct solo *s,
                     const struct solo_answer *a, struct err *e)
{
    static const struct {
        enum crm_entity of;
        const char *title;
    } all[] = {{CRM_CONTACT, "contact"}, {CRM_LEAD, "lead"}, {CRM_CASE, "case"}};
    AUTO_JSON json_t *told = json_pack("{s:s, s:s}", "status", a->status, "text", a->text);
    for (size_t i = 0; i < ARRAY_LEN(all); i++) {
        json_t *list, *shown;
        if (crm_list(solo_crm(s), all[i].of, NULL, 1, &list, e) < 0)
            return -1;
        size_t n = json_array_size(json_get_arr(list, "rows"));
        json_decref(list);
        if (n == 0)
            continue;
        if (crm_show(solo_crm(s), all[i].of, 1, &shown, e) < 0)
            return -1;
        json_object_set_new(told, all[i].title, shown);
    }
    if (opt->json) {
        ctl_render_json(told, stdout);
        return 0;
    }
    printf("%s%s%s\n", a->status, *a->text ? ": " : "", a->text);
    for (size_t i = 0; i < ARRAY_LEN(all); i++) {
        struct ctl_look look = {ctl_terminal_width(stdout), zone, false};
        if (json_object_get(told, all[i].title)) {
            putchar('\n');
            ctl_render(json_object_get(told, all[i].title), &look, stdout);
        }
    }
    return 0;
}

static int form_test(const struct ctl_options *opt, const json_t *tree, const char *name,
                     const json_t *posted)
{
    struct err e = {0};
    struct solo_answer a = {.status = ""};
    AUTO_JSON json_t *parts = config_split(tree);
    struct solo *s = solo_new(json_get_obj(parts, "engine"), NULL, &e);
    int rc = s ? solo_begin(s, clock_now_ms(), &e) : -1;
    if (rc == 0)
        rc = solo_form(s, name, posted, &a, &e);
    if (rc == 0)
        rc = test_show(opt, json_get_str(json_get_obj(tree, "settings"), "time_zone", NULL), s, &a, &e);
    solo_free(&s);
    if (rc < 0)
        return failed(&e);
    return strcmp(a.status, "ok") == 0 || text_starts(a.text, "taken") ? 0 : CTL_EXIT_FAILED;
}

/* ---- the command --------------------------------------------------------------------- */

struct args {
    const char *verb, *name, *url, *config;
    json_t *posted;
};

static int args_read(int argc, char **argv, struct args *a)
{
    for (int i = 1; i < argc; i++) {
        const char *eq = strchr(argv[i], '=');
        if (strcmp(argv[i], "--url") == 0 && i + 1 < argc)
            a->url = argv[++i];
        else if (strcmp(argv[i], "-c") == 0 && i + 1 < argc)
            a->config = argv[++i];
        else if (!a->verb)
            a->verb = argv[i];
        else if (!a->name)
            a->name = argv[i];
        else if (eq && strcmp(a->verb, "test") == 0 && text_is_utf8(argv[i], strlen(argv[i])))
            json_object_setn_new(a->posted, argv[i], (size_t)(eq - argv[i]), json_string(eq + 1));
        else
            return -1;
    }
    if (!a->verb)
        return -1;
    bool list = strcmp(a->verb, "list") == 0;
    return list == !a->name &&
                   (list || strcmp(a->verb, "snippet") == 0 || strcmp(a->verb, "test") == 0)
               ? 0
               : -1;
}

static int form_run(const struct ctl_options *opt, const struct args *a, const json_t *tree)
{
    const json_t *forms = json_get_obj(tree, "forms"), *conf = json_get_obj(forms, a->name ? a->name : "");
    struct err e = {0};
    if (strcmp(a->verb, "list") == 0)
        return form_list(opt, forms);
    if (!conf) {
        err_set(&e, ERR_INPUT, "no form \"%s\" in the config; leadctl form list names them", a->name);
        return failed(&e);
    }
    return strcmp(a->verb, "snippet") == 0 ? form_snippet(tree, a->name, conf, a->url)
                                           : form_test(opt, tree, a->name, a->posted);
}

int ctl_local_form(const struct ctl_options *opt, int argc, char **argv)
{
    struct err e = {0};
    struct buf text AUTO_BUF;
    struct errlist errors AUTO_ERRLIST;
    AUTO_JSON json_t *posted = json_object();
    struct args a = {.posted = posted};
    buf_init(&text, MIB(1));
    errlist_init(&errors, CTL_RULES_ERRORS);
    if (args_read(argc, argv, &a) < 0)
        return usage();
    AUTO_FREE char *path = ctl_rules_path(a.config, &e);
    if (!path)
        return failed(&e);
    AUTO_JSON json_t *tree = ctl_rules_load(path, &errors);
    if (tree)
        return form_run(opt, &a, tree);
    errlist_print(&errors, &text);
    if (text.len)
        ctl_render_text(text.data, stderr);
    return CTL_EXIT_FAILED;
}
