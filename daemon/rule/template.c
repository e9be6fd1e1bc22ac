/* SPDX-License-Identifier: ISC
 *
 * template - a template file cut into headers, text and HTML (see template.h)
 */
#include "rule/template.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/bounds.h"
#include "base/mem.h"
#include "base/text.h"
#include "rule/template_ops.h"

#define TEMPLATE_HTML_MARK "--html--"

struct template_file {
    struct template *t;
    struct template_reader reader;
    const char *path;
    const char *p; /* next line */
    int line;      /* its number */
    bool open_end; /* the line before it is the last, and does not end */
};

static void template_fail(struct template_file *f, int line, const char *fmt, ...)
    LEADD_PRINTF(3, 4);
static void template_fail(struct template_file *f, int line, const char *fmt, ...)
{
    char what[256];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(what, sizeof(what), fmt, ap);
    va_end(ap);
    AUTO_FREE char *at = mem_printf("%s:%d", f->path, line);
    errlist_add(f->reader.errors, at, "%s", what);
}

/* All line ends become LF; own. */
static char *template_lines(const char *text)
{
    size_t n = strlen(text), k = 0;
    char *out = mem_alloc(n + 1);
    for (size_t i = 0; i < n; i++) {
        if (text[i] == '\r' && text[i + 1] == '\n')
            continue;
        out[k++] = text[i] == '\r' ? '\n' : text[i];
    }
    return out;
}

static void template_part(struct template_file *f, enum template_part_id id, const char *text,
                          size_t n, int line)
{
    f->reader.part = &f->t->parts[id];
    f->reader.header = id == PART_SUBJECT;
    template_read(&f->reader, text, n, f->path, line);
}

/* The line at f->p, without its end; moves on. */
static struct str template_line(struct template_file *f)
{
    const char *eol = strchr(f->p, '\n');
    struct str s = {f->p, eol ? (size_t)(eol - f->p) : strlen(f->p)};
    f->p = eol ? eol + 1 : f->p + s.n;
    f->open_end = !eol;
    f->line++;
    return s;
}

/* Headers, in the order of their names. */
enum header_id {
    HEADER_SUBJECT, HEADER_LIST, HEADER_CLICKS, HEADER_FROM, HEADER_ATTACH, HEADER_COUNT
};
static const char *const header_names[] = {"Subject", "List", "Track-Clicks", "From", "Attach"};

static void template_value(struct template_file *f, enum header_id id, const char *value, size_t n,
                           int line)
{
    switch (id) {
    case HEADER_SUBJECT:
        template_part(f, PART_SUBJECT, value, n, line);
        return;
    case HEADER_LIST:
        mem_free(f->t->list);
        f->t->list = mem_strn(value, n);
        return;
    case HEADER_CLICKS:
        f->t->track_clicks = n == 3 && strncmp(value, "yes", 3) == 0;
        if (!f->t->track_clicks && !(n == 2 && strncmp(value, "no", 2) == 0))
            template_fail(f, line, "Track-Clicks: expected yes or no");
        return;
    case HEADER_FROM:
        f->t->from_owner = n == 5 && strncasecmp(value, "owner", n) == 0;
        if (!f->t->from_owner && (n != 7 || strncasecmp(value, "company", n) != 0))
            template_fail(f, line, "From is owner or company; the addresses are those of leadd.conf");
        return;
    case HEADER_ATTACH: /* config/attach.c has read it */
    case HEADER_COUNT:
        break;
    }
}

static void template_header(struct template_file *f, struct str s, bool seen[HEADER_COUNT])
{
    int line = f->line - 1, id = 0;
    const char *colon = memchr(s.p, ':', s.n);
    if (!colon || s.p[0] == ' ' || s.p[0] == '\t') {
        template_fail(f, line, "expected a header such as \"Subject: ...\", or an empty line before "
                               "the text");
        return;
    }
    AUTO_FREE char *name = mem_strn(s.p, (size_t)(colon - s.p));
    while (id < HEADER_COUNT && strcasecmp(name, header_names[id]) != 0)
        id++;
    if (id == HEADER_COUNT) {
        const char *near = text_nearest(name, header_names, HEADER_COUNT);
        template_fail(f, line, "unknown header \"%.60s\"%s%s%s", name,
                      near ? "; did you mean \"" : "", near ? near : "", near ? "\"?" : "");
        return;
    }
    const char *value = colon + 1, *end = s.p + s.n;
    while (value < end && (*value == ' ' || *value == '\t'))
        value++;
    while (end > value && (end[-1] == ' ' || end[-1] == '\t'))
        end--;
    if (seen[id] && id != HEADER_ATTACH)
        template_fail(f, line, "a second %s", id == HEADER_SUBJECT ? "subject" : header_names[id]);
    else if (value == end)
        template_fail(f, line, "the %s is empty", id == HEADER_SUBJECT ? "subject" : header_names[id]);
    seen[id] = true;
    template_value(f, (enum header_id)id, value, (size_t)(end - value), line);
}

static void template_headers(struct template_file *f)
{
    bool seen[HEADER_COUNT] = {false};
    while (*f->p) {
        struct str s = template_line(f);
        if (s.n == 0)
            break;
        template_header(f, s, seen);
    }
    if (!seen[HEADER_SUBJECT])
        template_fail(f, 1, "there is no \"Subject: ...\" line before the first empty line");
}

/* Text up to the line --html--, then HTML. */
static void template_bodies(struct template_file *f)
{
    const char *start = f->p;
    int first = f->line;
    while (*f->p) {
        const char *line = f->p;
        struct str s = template_line(f);
        if (s.n != strlen(TEMPLATE_HTML_MARK) || memcmp(s.p, TEMPLATE_HTML_MARK, s.n) != 0)
            continue;
        template_part(f, PART_TEXT, start, (size_t)(line - start), first);
        template_part(f, PART_HTML, f->p, strlen(f->p), f->line);
        f->t->has_html = true;
        f->t->html_alone = strspn(start, " \t\n") >= (size_t)(line - start);
        if (f->t->html_alone && f->p[strspn(f->p, " \t\n")] == '\0')
            template_fail(f, first, "the text is empty");
        return;
    }
    template_part(f, PART_TEXT, start, strlen(start), first);
    if (start[strspn(start, " \t\n")] == '\0')
        template_fail(f, *start || !f->open_end ? first : first - 1, "the text is empty");
}

bool template_is_sms(const char *name)
{
    const char *dot = strchr(name, '.');
    return dot && dot > name && strncmp(dot, ".sms", 4) == 0 && (!dot[4] || dot[4] == '.');
}

struct template *template_compile(const char *name, const char *text, const char *path,
                                  const struct rule_fields *fields, template_partial_fn partial,
                                  void *arg, struct errlist *errors)
{
    size_t before = errlist_total(errors);
    if (strlen(text) > BOUND_TEMPLATE_BYTES) {
        errlist_add(errors, path, "the template is larger than %zu bytes", BOUND_TEMPLATE_BYTES);
        return NULL;
    }
    if (!text_is_utf8(text, strlen(text))) {
        errlist_add(errors, path, "the template is not valid UTF-8");
        return NULL;
    }
    AUTO_FREE char *lines = template_lines(text);
    struct template *t = mem_alloc(sizeof(*t));
    t->name = mem_str(name);
    t->fields = fields;
    t->path = mem_str(path);
    struct template_file f = {
        .t = t, .path = t->path, .p = lines, .line = 1,
        .reader = {.fields = fields, .partial = partial, .arg = arg, .errors = errors, .t = t,
                   .signature = partial && !text_starts(name, "_signature")}};
    if (template_is_sms(name) || name[0] == '_')
        template_part(&f, PART_SUBJECT, "SMS", 3, 1); /* nobody sees it */
    else
        template_headers(&f);
    template_bodies(&f);
    if (errlist_total(errors) > before)
        template_free(&t);
    return t;
}

void template_free(struct template **t)
{
    if (!*t)
        return;
    for (int i = 0; i < PART_COUNT; i++) {
        struct template_part *part = &(*t)->parts[i];
        for (int k = 0; k < part->count; k++)
            mem_free(part->ops[k].text);
        mem_free(part->ops);
    }
    for (size_t i = 0; i < (*t)->path_count; i++)
        mem_free((*t)->paths[i]);
    mem_free((*t)->paths);
    mem_free((*t)->path);
    mem_free((*t)->name);
    mem_free((*t)->list);
    mem_free(*t);
    *t = NULL;
}

const char *template_name(const struct template *t)
{
    return t->name;
}

bool template_has_html(const struct template *t)
{
    return t->has_html;
}

bool template_track_clicks(const struct template *t)
{
    return t->track_clicks;
}

bool template_from_owner(const struct template *t)
{
    return t->from_owner;
}

const char *template_list(const struct template *t)
{
    return t->list;
}
