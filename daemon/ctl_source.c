/* SPDX-License-Identifier: ISC
 *
 * ctl_source - `leadctl source`: what would be understood of a request of a source
 *
 * Reads the config with the rights of who asks; needs no daemon. Nothing is verified:
 * it shows which of the source's events a body is, and what the mapping makes of it.
 */
#include "ctl_rules.h"

#include <string.h>
#include <unistd.h>

#include "base/bounds.h"
#include "base/form.h"
#include "base/mem.h"
#include "base/text.h"
#include "config/config.h"
#include "crm/source_map.h"

struct asked {
    const char *config, *name, *type, *query;
    json_t *headers; /* own */
};

static int source_usage(void)
{
    fputs("usage: leadctl source list [-c CONFIG]\n"
          "       leadctl source test NAME [-c CONFIG] [--type TYPE] [--query a=b] [--header 'Name: "
          "value'] < BODY\n"
          "TYPE is the Content-Type, such as application/x-www-form-urlencoded; without it, JSON;\n"
          "CONFIG is leadd.conf, or its folder. Nothing is verified and nothing is stored.\n",
          stderr);
    return CTL_EXIT_USAGE;
}

/* "X-Topic: orders/paid" */
static bool header_add(json_t *headers, const char *line)
{
    const char *colon = strchr(line, ':');
    if (!colon)
        return false;
    AUTO_FREE char *name = mem_strn(line, (size_t)(colon - line));
    text_lower(name);
    json_put_str(headers, text_trim(name), colon + 1 + strspn(colon + 1, " "));
    return true;
}

static bool options(int argc, char **argv, struct asked *a)
{
    for (int i = 2; i < argc; i++) {
        const char *value = i + 1 < argc ? argv[i + 1] : NULL;
        bool option = argv[i][0] == '-';
        if (!option && !a->name)
            a->name = argv[i];
        else if (option && value && strcmp(argv[i], "-c") == 0)
            a->config = argv[++i];
        else if (option && value && strcmp(argv[i], "--type") == 0)
            a->type = argv[++i];
        else if (option && value && strcmp(argv[i], "--query") == 0)
            a->query = argv[++i];
        else if (!(option && value && strcmp(argv[i], "--header") == 0 &&
                   header_add(a->headers, argv[++i])))
            return false;
    }
    return true;
}

static json_t *body_read(const struct asked *a, struct err *e)
{
    struct buf raw AUTO_BUF;
    struct form f;
    buf_init(&raw, BOUND_HTTP_BODY_MAX);
    char block[4096];
    for (size_t n; (n = fread(block, 1, sizeof(block), stdin)) > 0;)
        buf_add(&raw, block, n);
    if (raw.full) {
        err_set(e, ERR_INPUT, "the body is larger than any request may be");
        return NULL;
    }
    if (form_type_of(a->type) == FORM_TYPE_JSON)
        return raw.len ? json_load_bounded(raw.data, raw.len, BOUND_HTTP_BODY_MAX, e) : json_object();
    form_init(&f);
    json_t *values = form_read(&f, a->type, raw.len ? raw.data : "", raw.len, e) == 0
                         ? json_incref(f.values)
                         : NULL;
    form_done(&f);
    return values;
}

/* "order.amount" of a record, a line each. */
static void record_lines(const json_t *record, const char *prefix, json_t *fields)
{
    const char *key;
    size_t i;
    json_t *v, *item;
    json_object_foreach((json_t *)record, key, v) {
        AUTO_FREE char *name = mem_printf("%s%s", prefix, key);
        AUTO_FREE char *deep = mem_printf("%s.", name);
        if (json_is_object(v))
            record_lines(v, strcmp(key, "values") == 0 ? "" : deep, fields);
        else if (json_is_array(v))
            json_array_foreach(v, i, item)
                json_array_append_new(fields, json_pack("[s, O]", name, item));
        else
            json_array_append_new(fields, json_pack("[s, O]", name, v));
    }
}

static int source_show(const struct ctl_options *opt, const json_t *tree, const struct asked *a)
{
    struct err e = {0};
    const json_t *conf = json_get_obj(json_get_obj(tree, "sources"), a->name);
    struct form query;
    if (!conf) {
        fprintf(stderr, "leadctl: there is no source \"%s\"; leadctl source list\n", a->name);
        return CTL_EXIT_FAILED;
    }
    AUTO_JSON json_t *body = body_read(a, &e);
    if (!body) {
        fprintf(stderr, "leadctl: %s\n", e.text);
        return CTL_EXIT_DATA;
    }
    form_init(&query);
    form_read_urlencoded(&query, a->query, strlen(a->query));
    const struct source_in in = {.body = body, .query = query.values, .headers = a->headers};
    AUTO_JSON json_t *record =
        source_map(conf, &in, json_get_str(json_get_obj(tree, "settings"), "currency", "EUR"));
    AUTO_JSON json_t *shown = json_pack("{s:[]}", "fields");
    struct ctl_look look = {.width = ctl_terminal_width(stdout)};
    record_lines(record, "", json_get_arr(shown, "fields"));
    if (opt->json)
        ctl_render_json(record, stdout);
    else
        ctl_render(shown, &look, stdout);
    form_done(&query);
    return 0;
}

static int source_list(const struct ctl_options *opt, const json_t *tree)
{
    static const char *const columns[] = {"name", "path", "preset", "verify", "creates"};
    struct ctl_look look = {.width = ctl_terminal_width(stdout)};
    json_t *head = json_array(), *rows = json_array(), *conf;
    const char *name;
    for (size_t i = 0; i < ARRAY_LEN(columns); i++)
        json_array_append_new(head, json_pack("{s:s}", "name", columns[i]));
    json_object_foreach(json_get_obj(tree, "sources"), name, conf) {
        AUTO_FREE char *path = mem_printf("/hook/%s", name);
        json_array_append_new(rows, json_pack("[s, s, s, s, s]", name, path,
                                              json_get_str(conf, "preset", ""),
                                              json_get_str(json_get_obj(conf, "verify"), "scheme", ""),
                                              json_get_str(conf, "creates", "")));
    }
    AUTO_JSON json_t *table = json_pack("{s:o, s:o}", "columns", head, "rows", rows);
    if (opt->json)
        ctl_render_json(table, stdout);
    else
        ctl_render(table, &look, stdout);
    return 0;
}

int ctl_local_source(const struct ctl_options *opt, int argc, char **argv)
{
    struct err e = {0};
    struct errlist errors AUTO_ERRLIST;
    struct buf said AUTO_BUF;
    struct asked a = {.type = "application/json", .query = "", .headers = json_object()};
    int rc = CTL_EXIT_FAILED;
    errlist_init(&errors, CTL_RULES_ERRORS);
    buf_init(&said, MIB(1));
    bool test = argc > 1 && strcmp(argv[1], "test") == 0;
    bool list = argc > 1 && strcmp(argv[1], "list") == 0;
    if ((!test && !list) || !options(argc, argv, &a) || test != (a.name != NULL)) {
        json_decref(a.headers);
        return source_usage();
    }
    AUTO_FREE char *path = ctl_rules_path(a.config, &e);
    AUTO_JSON json_t *tree = path ? ctl_rules_load(path, &errors) : NULL;
    errlist_print(&errors, &said);
    if (!path)
        fprintf(stderr, "leadctl: %s\n", e.text);
    else if (!tree)
        ctl_render_text(said.data ? said.data : "", stderr);
    else
        rc = test ? source_show(opt, tree, &a) : source_list(opt, tree);
    json_decref(a.headers);
    return rc;
}
