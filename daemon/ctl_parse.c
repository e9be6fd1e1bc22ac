/* SPDX-License-Identifier: ISC
 *
 * ctl_parse - shows how leadd reads one mail; needs no daemon
 *
 * With --json the message form itself, as rules and tests see it.
 */
#include "ctl.h"

#include <string.h>

#include "base/bounds.h"
#include "base/mem.h"
#include "mail/parse.h"

static void field_add(json_t *fields, const char *label, json_t *value)
{
    if (value)
        json_array_append_new(fields, json_pack("[s, o]", label, value));
}

/* "Name <address>, ..." of one address or a list of them. */
static json_t *address_text(const json_t *v)
{
    struct buf b AUTO_BUF;
    buf_init(&b, KIB(64));
    size_t n = json_is_array(v) ? json_array_size(v) : v ? 1 : 0;
    for (size_t i = 0; i < n; i++) {
        const json_t *a = json_is_array(v) ? json_array_get(v, i) : v;
        const char *name = json_get_str(a, "name", "");
        const char *address = json_get_str(a, "address", "");
        buf_printf(&b, *name && *address ? "%s%s <%s>" : "%s%s%s", i ? ", " : "", name, address);
    }
    return b.len ? json_string(b.data) : NULL;
}

static json_t *list_text(const json_t *v, const char *key)
{
    struct buf b AUTO_BUF;
    size_t i;
    json_t *one;
    buf_init(&b, KIB(64));
    json_array_foreach((json_t *)v, i, one) {
        const char *s = key ? json_get_str(one, key, "?") : json_string_value(one);
        buf_printf(&b, "%s%s", i ? ", " : "", s ? s : "?");
    }
    return b.len ? json_string(b.data) : NULL;
}

static json_t *message_for_people(const json_t *m)
{
    json_t *fields = json_array();
    field_add(fields, "From", address_text(json_get_obj(m, "from")));
    field_add(fields, "To", address_text(json_get_arr(m, "to")));
    field_add(fields, "Cc", address_text(json_get_arr(m, "cc")));
    field_add(fields, "Subject", json_string(json_get_str(m, "subject", "")));
    field_add(fields, "Message-ID", json_incref(json_object_get(m, "message_id")));
    field_add(fields, "Kind", json_string(json_get_str(m, "kind", "")));
    field_add(fields, "Attachments", list_text(json_get_arr(m, "attachments"), "filename"));
    field_add(fields, "Defects", list_text(json_get_arr(m, "defects"), NULL));
    const json_t *forward = json_get_obj(m, "forward"), *facts = json_get_obj(m, "signature_facts");
    if (forward) {
        json_t *from = address_text(json_get_obj(forward, "from"));
        field_add(fields, "Forwards", json_sprintf("%s (%s)", from ? json_string_value(from) : "?",
                                                   json_get_str(forward, "confidence", "")));
        json_decref(from);
    }
    field_add(fields, "Phones", list_text(json_get_arr(facts, "phones"), NULL));
    field_add(fields, "Title", json_incref(json_object_get(facts, "title")));
    const char *reply = json_get_str(m, "reply", "");
    return json_pack("{s:o, s:[{s:s, s:s}]}", "fields", fields, "sections", "title", "New words",
                     "text", *reply || forward ? reply : json_get_str(m, "text", ""));
}

int ctl_local_parse(const struct ctl_options *opt, int argc, char **argv)
{
    struct err e = {0};
    AUTO_FCLOSE FILE *in = NULL;
    if (argc > 2) {
        fputs("usage: leadctl parse [--json] [FILE]\n", stderr);
        return CTL_EXIT_USAGE;
    }
    if (argc == 2 && !(in = fopen(argv[1], "rbe"))) {
        fprintf(stderr, "leadctl: %s: %s\n", argv[1], err_errno());
        return CTL_EXIT_FAILED;
    }
    if (opt->json) {
        if (mail_print_json(in ? in : stdin, stdout, &e) == 0)
            return 0;
        fprintf(stderr, "leadctl: parse: %s\n", e.text);
        return CTL_EXIT_DATA;
    }
    struct buf raw AUTO_BUF;
    buf_init(&raw, BOUND_FRAME_RAW);
    AUTO_JSON json_t *m = buf_read_fd(&raw, fileno(in ? in : stdin), &e) < 0
                              ? NULL
                              : mail_parse(raw.data, raw.len, NULL, &e);
    if (!m) {
        fprintf(stderr, "leadctl: parse: %s\n", e.text);
        return CTL_EXIT_DATA;
    }
    AUTO_JSON json_t *data = message_for_people(m);
    struct ctl_look look = {.width = ctl_terminal_width(stdout), .seconds = true};
    ctl_render(data, &look, stdout);
    return 0;
}
