/* SPDX-License-Identifier: ISC
 *
 * metrics - see metrics.h
 */
#include "web/metrics.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"

#define NAMES_MAX 2000

/* What a number means, for those whose name does not say it all. */
static const struct {
    const char *name, *help;
} helps[] = {
    {"mails", "Mails taken in"},
    {"forms", "Forms stored"},
    {"leads", "Leads created"},
    {"outbox_ready", "Messages waiting to be sent"},
    {"quarantine", "Messages in quarantine"},
    {"passes", "Passes of the engine's loop"},
};

static size_t metrics_name_len(const char *s)
{
    size_t n = 0;
    if (!isalpha((unsigned char)s[0]) && s[0] != '_')
        return 0;
    while (isalnum((unsigned char)s[n]) || s[n] == '_')
        n++;
    return n;
}

/* The end of one `name="value"`, or NULL. */
static const char *metrics_label(const char *p)
{
    size_t n = metrics_name_len(p);
    if (n == 0 || p[n] != '=' || p[n + 1] != '"')
        return NULL;
    for (p += n + 2; *p && *p != '"'; p++) {
        if (*p == '\n' || *p == '\r')
            return NULL;
        if (*p == '\\' && (p[1] == '\\' || p[1] == '"' || p[1] == 'n'))
            p++;
        else if (*p == '\\')
            return NULL;
    }
    return *p == '"' ? p + 1 : NULL;
}

/* {a="b",c="d"} to the end, or nothing. */
static bool metrics_labels_ok(const char *p)
{
    if (*p == '\0')
        return true;
    if (*p != '{')
        return false;
    do {
        p = metrics_label(p + 1);
    } while (p && *p == ',');
    return p && p[0] == '}' && p[1] == '\0';
}

static void metrics_head(struct buf *out, const char *name, size_t n, const char *suffix,
                         const char *type)
{
    const char *help = NULL;
    for (size_t i = 0; i < ARRAY_LEN(helps); i++)
        if (strlen(helps[i].name) == n && memcmp(helps[i].name, name, n) == 0)
            help = helps[i].help;
    buf_printf(out, "# HELP leadd_%.*s%s ", (int)n, name, suffix);
    if (help) {
        buf_str(out, help);
    } else {
        for (size_t i = 0; i < n; i++)
            buf_char(out, name[i] == '_' ? ' ' : name[i]);
    }
    buf_printf(out, "\n# TYPE leadd_%.*s%s %s\n", (int)n, name, suffix, type);
}

static int metrics_compare(const void *a, const void *b)
{
    const char *x = *(const char *const *)a, *y = *(const char *const *)b;
    size_t nx = metrics_name_len(x), ny = metrics_name_len(y);
    int d = memcmp(x, y, nx < ny ? nx : ny);
    if (d == 0)
        d = (nx > ny) - (nx < ny);
    return d ? d : strcmp(x + nx, y + ny);
}

/* Series of one name stand together under one head, whatever their labels. */
static void metrics_group(const json_t *group, const char *type, const char *add, struct buf *out)
{
    const char *name, *last = "";
    size_t count = 0, last_n = 0;
    json_t *v;
    AUTO_FREE const char **names = mem_array(json_object_size(group) + 1, sizeof(*names));
    json_object_foreach ((json_t *)group, name, v)
        if (count < NAMES_MAX && json_is_number(v))
            names[count++] = name;
    qsort(names, count, sizeof(*names), metrics_compare);
    for (size_t i = 0; i < count; i++) {
        name = names[i];
        size_t n = metrics_name_len(name);
        if (n == 0 || n > 200 || !metrics_labels_ok(name + n))
            continue;
        bool has = n >= strlen(add) && memcmp(name + n - strlen(add), add, strlen(add)) == 0;
        const char *suffix = has ? "" : add;
        if (n != last_n || memcmp(name, last, n) != 0)
            metrics_head(out, name, n, suffix, type);
        last = name;
        last_n = n;
        v = json_object_get(group, name);
        buf_printf(out, "leadd_%.*s%s%s ", (int)n, name, suffix, name + n);
        AUTO_FREE char *number = json_text(v);
        buf_str(out, number);
        buf_char(out, '\n');
    }
}

void metrics_render(const json_t *stats, struct buf *out)
{
    metrics_group(json_get_obj(stats, "counters"), "counter", "_total", out);
    metrics_group(json_get_obj(stats, "gauges"), "gauge", "", out);
}
