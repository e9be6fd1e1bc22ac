/* SPDX-License-Identifier: ISC
 *
 * ctl_template - see ctl_template.h
 *
 * The files are those of -c, checked as `leadd -t` does.
 */
#include "ctl_template.h"

#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "base/bounds.h"
#include "base/clock.h"
#include "base/mem.h"
#include "crm/build.h"
#include "crm/lint.h"
#include "crm/templates.h"
#include "ctl_rules.h"
#include "rule/template.h"

struct ask {
    const struct ctl_options *opt;
    const char *config, *lang, *to, *part; /* of the options, or NULL */
    char *words[4];                        /* the subcommand and what follows it */
    int count;
};

static int usage(void)
{
    fputs("usage: leadctl template list | show NAME [--lang LANG] | check  [-c CONFIG]\n"
          "       leadctl template preview NAME ID [--lang LANG] [--html | --raw]\n"
          "       leadctl template send NAME ID --to ADDRESS [--lang LANG]\n", stderr);
    return CTL_EXIT_USAGE;
}

static int ask_read(struct ask *a, int argc, char **argv)
{
    static const struct option longs[] = {
        {"config", required_argument, NULL, 'c'}, {"lang", required_argument, NULL, 'l'},
        {"to", required_argument, NULL, 't'},     {"html", no_argument, NULL, 'h'},
        {"raw", no_argument, NULL, 'r'},          {NULL, 0, NULL, 0}};
    int c;
    optind = 0;
    while ((c = getopt_long(argc, argv, "c:", longs, NULL)) != -1) {
        if (c == 'c')
            a->config = optarg;
        else if (c == 'l')
            a->lang = optarg;
        else if (c == 't')
            a->to = optarg;
        else if (c == 'h' || c == 'r')
            a->part = c == 'h' ? "html" : "raw";
        else
            return -1;
    }
    for (; optind < argc; optind++) {
        if (a->count == (int)ARRAY_LEN(a->words))
            return -1;
        a->words[a->count++] = argv[optind];
    }
    return a->count ? 0 : -1;
}

/* The daemon's commands have NAME=VALUE where people write options. */
static int ask_daemon(const struct ask *a)
{
    char *argv[8] = {(char *)"template", a->words[0], a->words[1], a->words[2]};
    int argc = 4;
    AUTO_FREE char *lang = mem_printf("lang=%s", a->lang ? a->lang : "");
    AUTO_FREE char *to = mem_printf("to=%s", a->to ? a->to : "");
    AUTO_FREE char *part = mem_printf("part=%s", a->part ? a->part : "");
    if (a->count != 3)
        return usage();
    if (a->lang)
        argv[argc++] = lang;
    if (a->to)
        argv[argc++] = to;
    if (a->part)
        argv[argc++] = part;
    return ctl_ask_daemon(a->opt, argc, argv);
}

/* ---- files ----------------------------------------------------------------------------------- */

/* "en de de-AT" */
static void languages_of(const json_t *all, const char *name, const json_t *tree, struct buf *out)
{
    const char *key;
    json_t *v;
    buf_str(out, json_get_str(json_get_obj(tree, "settings"), "language", "-"));
    json_object_foreach((json_t *)all, key, v)
        if (strcmp(json_get_str(v, "of", ""), name) == 0)
            buf_printf(out, " %s", json_get_str(v, "lang", ""));
}

static json_t *list_row(const struct crm *crm, const json_t *tree, const char *name, const json_t *def)
{
    const struct template *t = crm_template(crm, name);
    struct buf languages AUTO_BUF;
    buf_init(&languages, KIB(16));
    languages_of(json_get_obj(tree, "templates"), name, tree, &languages);
    return json_pack("{s:s, s:s, s:s, s:s, s:s, s:i, s:s, s:s}", "name", name, "languages", languages.data,
                     "parts", !t ? "part" : template_is_sms(name) ? "sms" : template_has_html(t) ? "html" : "text",
                     "from", t && template_from_owner(t) ? "owner" : t ? "company" : "", "list",
                     t && template_list(t) ? template_list(t) : "", "attached",
                     (int)json_array_size(json_get_arr(def, "attach")), "sent",
                     crm_template_is_sent(tree, name) ? "yes" : "", "path", json_get_str(def, "path", ""));
}

static int template_list_all(const struct ask *a, const struct crm *crm, const json_t *tree)
{
    static const char *const titles[][2] = {{"name", "TEMPLATE"}, {"languages", "LANGUAGES"},
                                            {"parts", "PARTS"},   {"from", "FROM"},
                                            {"list", "LIST"},     {"attached", "ATTACHED"},
                                            {"sent", "TO CONTACTS"}, {"path", "FILE"}};
    const char *name;
    json_t *v, *rows = json_array(), *columns = json_array();
    for (size_t i = 0; i < ARRAY_LEN(titles); i++)
        json_array_append_new(columns, json_pack("{s:s, s:s}", "name", titles[i][0], "title", titles[i][1]));
    json_object_foreach(json_get_obj(tree, "templates"), name, v)
        if (!json_object_get(v, "of"))
            json_array_append_new(rows, list_row(crm, tree, name, v));
    AUTO_JSON json_t *data = json_pack("{s:o, s:o}", "columns", columns, "rows", rows);
    struct ctl_look look = {ctl_terminal_width(stdout), NULL, false};
    if (a->opt->json)
        ctl_render_json(data, stdout);
    else
        ctl_render(data, &look, stdout);
    return 0;
}

static int template_show(const struct ask *a, const struct crm *crm, const json_t *tree)
{
    const struct template *t = a->count == 2 ? crm_template_in(crm, a->words[1], a->lang) : NULL;
    const json_t *def = t ? json_get_obj(json_get_obj(tree, "templates"), template_name(t)) : NULL;
    if (a->count != 2)
        return usage();
    if (!def) {
        fprintf(stderr, "leadctl: there is no template \"%s\"; leadctl template list\n", a->words[1]);
        return CTL_EXIT_FAILED;
    }
    if (a->opt->json) {
        ctl_render_json(def, stdout);
        return 0;
    }
    printf("%s\n\n", json_get_str(def, "path", ""));
    ctl_render_text(json_get_str(def, "text", ""), stdout);
    return 0;
}

static int template_findings(const struct ask *a, const json_t *tree)
{
    static const char *const kinds = " unset empty parts language ";
    size_t i;
    json_t *f, *told = json_array();
    AUTO_JSON json_t *found = crm_lint(tree, clock_now_ms());
    AUTO_JSON json_t *data = json_pack("{s:o}", "findings", told);
    json_array_foreach(found, i, f) {
        AUTO_FREE char *kind = mem_printf(" %s ", json_get_str(f, "finding", ""));
        if (strstr(kinds, kind))
            json_array_append(told, f);
    }
    if (a->opt->json)
        ctl_render_json(data, stdout);
    else
        json_array_foreach(told, i, f) {
            AUTO_FREE char *text = mem_printf("%s: %s [%s]\n    %s\n", json_get_str(f, "at", ""),
                                              json_get_str(f, "text", ""), json_get_str(f, "finding", ""),
                                              json_get_str(f, "advice", ""));
            ctl_render_text(text, stdout);
        }
    if (!a->opt->json && json_array_size(told) == 0)
        puts("templates OK");
    return json_array_size(told) ? CTL_EXIT_FAILED : 0;
}

/* Mistakes are told by whichever of the two finds them. */
static int with_files(const struct ask *a)
{
    struct errlist errors AUTO_ERRLIST;
    struct buf text AUTO_BUF;
    struct err e = {0};
    errlist_init(&errors, CTL_RULES_ERRORS);
    buf_init(&text, MIB(4));
    AUTO_FREE char *path = ctl_rules_path(a->config, &e);
    AUTO_JSON json_t *tree = path ? ctl_rules_load(path, &errors) : NULL;
    if (!tree) {
        errlist_print(&errors, &text);
        ctl_render_text(path ? text.data : e.text, stderr);
        return CTL_EXIT_FAILED;
    }
    struct crm *crm = crm_build(NULL, tree, &errors);
    int rc = strcmp(a->words[0], "list") == 0   ? template_list_all(a, crm, tree)
             : strcmp(a->words[0], "show") == 0 ? template_show(a, crm, tree)
                                                : template_findings(a, tree);
    crm_free(&crm);
    return rc;
}

int ctl_local_template(const struct ctl_options *opt, int argc, char **argv)
{
    struct ask a = {.opt = opt};
    if (ask_read(&a, argc, argv) < 0)
        return usage();
    if (strcmp(a.words[0], "preview") == 0 || strcmp(a.words[0], "send") == 0)
        return ask_daemon(&a);
    if (strcmp(a.words[0], "list") == 0 || strcmp(a.words[0], "show") == 0 ||
        strcmp(a.words[0], "check") == 0)
        return with_files(&a);
    return usage();
}
