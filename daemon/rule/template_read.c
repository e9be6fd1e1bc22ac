/* SPDX-License-Identifier: ISC
 *
 * template_read - mustache tags to operations
 *
 * Goes on after an error, so that one run finds all of them. Nothing here
 * trusts the text: tags, nesting and the growth through partials are bounded.
 */
#include "rule/template_ops.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"

#define READ_NAME 128

/* Where we are in one text: a template's part, or a partial. */
struct read_text {
    struct template_reader *r;
    const char *path;
    const char *p, *end;
    const char *line_start;
    int line;
    int open_base; /* sections opened outside */
};

struct read_tag {
    char sigil; /* '#', '^', '/', '!', '>', '&', '{', '=' or 0 */
    char name[READ_NAME];
    struct str unset; /* the words behind "|", for when it is not set; p is NULL without */
    const char *start, *after; /* of the whole tag */
    int line;
};

static void read_fail(const struct read_text *t, int line, const char *fmt, ...)
    LEADD_PRINTF(3, 4);
static void read_fail(const struct read_text *t, int line, const char *fmt, ...)
{
    char what[512];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(what, sizeof(what), fmt, ap);
    va_end(ap);
    AUTO_FREE char *at = mem_printf("%s:%d", t->path, line);
    errlist_add(t->r->errors, at, "%s", what);
}

static struct template_op *read_op(struct read_text *t, enum template_op_kind kind)
{
    struct template_part *part = t->r->part;
    if (part->count == part->cap) {
        part->cap = part->cap ? part->cap * 2 : 16;
        part->ops = mem_grow(part->ops, (size_t)part->cap * sizeof(*part->ops));
    }
    struct template_op *op = &part->ops[part->count++];
    *op = (struct template_op){
        .kind = kind, .field = -1, .scope = -1, .path = t->path, .line = t->line};
    return op;
}

static void read_literal(struct read_text *t, const char *from, const char *to)
{
    if (from >= to || t->r->too_many)
        return;
    t->r->bytes += (size_t)(to - from);
    if (t->r->bytes > BOUND_TEMPLATE_OUTPUT) {
        read_fail(t, t->line, "the template with its partials is larger than %zu bytes",
                  BOUND_TEMPLATE_OUTPUT);
        t->r->too_many = true;
        return;
    }
    struct template_op *op = read_op(t, OP_TEXT);
    op->len = (size_t)(to - from);
    op->text = mem_strn(from, op->len);
}

static const char *read_find(const char *p, const char *end, const char *what)
{
    return memmem(p, (size_t)(end - p), what, strlen(what));
}

static struct str read_trimmed(const char *p, const char *end)
{
    while (p < end && isspace((unsigned char)*p))
        p++;
    while (end > p && isspace((unsigned char)end[-1]))
        end--;
    return (struct str){p, (size_t)(end - p)};
}

/* Parses the tag at t->p ("{{..."); false when it is not closed. */
static bool read_tag(struct read_text *t, struct read_tag *tag)
{
    const char *p = t->p + 2;
    tag->start = t->p;
    tag->line = t->line;
    tag->sigil = 0;
    if (p < t->end && strchr("#^/!>&{=", *p) && *p)
        tag->sigil = *p++;
    const char *close = tag->sigil == '{' ? "}}}" : "}}";
    const char *stop = read_find(p, t->end, close);
    if (!stop) {
        read_fail(t, t->line, "the tag that opens here is never closed with %s", close);
        return false;
    }
    const char *name_end = memchr(p, '|', (size_t)(stop - p));
    tag->unset = (struct str){0};
    if (name_end && (!tag->sigil || tag->sigil == '{' || tag->sigil == '&'))
        tag->unset = read_trimmed(name_end + 1, stop);
    else
        name_end = stop;
    while (p < stop && isspace((unsigned char)*p))
        p++;
    while (name_end > p && isspace((unsigned char)name_end[-1]))
        name_end--;
    snprintf(tag->name, sizeof(tag->name), "%.*s",
             (int)text_utf8_cut(p, (size_t)(name_end - p), READ_NAME - 1), p);
    tag->after = stop + strlen(close);
    return true;
}

static bool read_is_blank(const char *from, const char *to)
{
    for (; from < to; from++)
        if (*from != ' ' && *from != '\t')
            return false;
    return true;
}

/* A section, comment or partial tag alone on its line takes the line with it:
 * text_end_out is where the text before it ends, the result where to go on. */
static const char *read_standalone(const struct read_text *t, const struct read_tag *tag,
                                   const char **text_end_out)
{
    const char *eol = memchr(tag->after, '\n', (size_t)(t->end - tag->after));
    if (t->r->header || !tag->sigil || !strchr("#^/!>", tag->sigil) ||
        !read_is_blank(t->line_start, tag->start) ||
        !read_is_blank(tag->after, eol ? eol : t->end))
        return tag->after;
    *text_end_out = t->line_start;
    return eol ? eol + 1 : t->end;
}

static int read_field(struct read_text *t, const struct read_tag *tag)
{
    int field = rule_fields_find(t->r->fields, tag->name);
    if (field < 0) {
        const char *near = rule_fields_nearest(t->r->fields, tag->name);
        read_fail(t, tag->line, "unknown name \"%s\"%s%s%s", tag->name,
                  near ? "; did you mean \"" : "", near ? near : "", near ? "\"?" : "");
    }
    return field;
}

/* The innermost open {{#...}}, or -1. */
static int read_scope(const struct template_reader *r)
{
    for (int i = r->open_count - 1; i >= 0; i--)
        if (r->part->ops[r->open[i]].kind == OP_SECTION)
            return r->open[i];
    return -1;
}

static void read_value(struct read_text *t, const struct read_tag *tag, enum template_op_kind kind)
{
    struct template_reader *r = t->r;
    int field, scope = -1;
    if (strcmp(tag->name, ".") == 0) {
        scope = read_scope(r);
        if (scope < 0) {
            read_fail(t, tag->line, "{{.}} stands only in a section: {{#lead.tags}}..{{/lead.tags}}");
            return;
        }
        field = r->part->ops[scope].field;
    } else {
        field = read_field(t, tag);
    }
    if (field < 0)
        return;
    struct template_op *op = read_op(t, kind);
    op->field = field;
    op->scope = scope;
    if (!tag->unset.p)
        return;
    op->len = tag->unset.n;
    op->text = mem_strn(tag->unset.p, tag->unset.n);
    r->bytes += op->len;
}

static void read_open(struct read_text *t, const struct read_tag *tag)
{
    struct template_reader *r = t->r;
    int field = read_field(t, tag);
    if (r->open_count == BOUND_TEMPLATE_DEPTH) {
        read_fail(t, tag->line, "sections nested deeper than %d", BOUND_TEMPLATE_DEPTH);
        return;
    }
    struct template_op *op = read_op(t, tag->sigil == '#' ? OP_SECTION : OP_INVERTED);
    op->field = field; /* -1 after an error: the template is not used */
    r->open[r->open_count] = (int)(op - r->part->ops);
    r->open_line[r->open_count++] = tag->line;
}

static const char *read_open_name(const struct read_text *t)
{
    int field = t->r->part->ops[t->r->open[t->r->open_count - 1]].field;
    return field < 0 ? NULL : rule_fields_get(t->r->fields, field)->name;
}

static void read_close(struct read_text *t, const struct read_tag *tag)
{
    struct template_reader *r = t->r;
    if (r->open_count == t->open_base) {
        read_fail(t, tag->line, "{{/%s}} closes nothing", tag->name);
        return;
    }
    const char *name = read_open_name(t);
    if (name && strcmp(name, tag->name) != 0)
        read_fail(t, tag->line, "{{/%s}} closes {{#%s}} of line %d", tag->name, name,
                  r->open_line[r->open_count - 1]);
    r->open_count--;
    r->part->ops[r->open[r->open_count]].end = r->part->count;
}

static bool read_is_inside(const struct template_reader *r, const char *name)
{
    for (int i = 0; i < r->partial_depth; i++)
        if (strcmp(r->partials[i], name) == 0)
            return true;
    return false;
}

/* The partial's text may go before the template does; its path is told later, too. */
static const char *read_keep_path(struct template *t, const char *path)
{
    for (size_t i = 0; i < t->path_count; i++)
        if (strcmp(t->paths[i], path) == 0)
            return t->paths[i];
    t->paths = mem_grow(t->paths, (t->path_count + 1) * sizeof(*t->paths));
    return t->paths[t->path_count++] = mem_str(path);
}

static void read_partial(struct read_text *t, const struct read_tag *tag)
{
    const char *text, *path = tag->name;
    bool signature = strcmp(tag->name, "signature") == 0;
    if (t->r->header) {
        read_fail(t, tag->line, "a header takes no partial");
    } else if (!t->r->partial || !t->r->partial(t->r->arg, tag->name, &text, &path)) {
        if (signature && t->r->signature)
            read_op(t, OP_SIGNATURE);
        else if (signature && t->r->partial)
            read_fail(t, tag->line, "a signature holds no signature");
        else
            read_fail(t, tag->line, "there is no partial \"%s\"", tag->name);
    } else if (read_is_inside(t->r, tag->name)) {
        read_fail(t, tag->line, "the partial \"%s\" holds itself", tag->name);
    } else if (t->r->partial_depth == BOUND_TEMPLATE_DEPTH) {
        read_fail(t, tag->line, "partials nested deeper than %d", BOUND_TEMPLATE_DEPTH);
    } else if (strlen(text) > BOUND_TEMPLATE_BYTES || !text_is_utf8(text, strlen(text))) {
        read_fail(t, tag->line, "partial \"%s\" is too long or not valid UTF-8", tag->name);
    } else {
        t->r->partials[t->r->partial_depth++] = tag->name;
        template_read(t->r, text, strlen(text), read_keep_path(t->r->t, path), 1);
        t->r->partial_depth--;
    }
}

static void read_apply(struct read_text *t, const struct read_tag *tag)
{
    if (tag->sigil == '!')
        return;
    if (tag->sigil == '=') {
        read_fail(t, tag->line, "other delimiters than {{ }} are not supported");
        return;
    }
    if (!tag->name[0]) {
        read_fail(t, tag->line, "the tag has no name");
        return;
    }
    switch (tag->sigil) {
    case '#':
    case '^':
        read_open(t, tag);
        break;
    case '/':
        read_close(t, tag);
        break;
    case '>':
        read_partial(t, tag);
        break;
    default:
        read_value(t, tag, tag->sigil ? OP_RAW : OP_VALUE);
        break;
    }
}

/* Every tag counts, also one that is wrong or does nothing: with partials in
 * partials there may be more of them than bytes in all the files. */
static void read_count(struct read_text *t)
{
    if (++t->r->total <= BOUND_TEMPLATE_TAGS || t->r->too_many)
        return;
    read_fail(t, t->line, "the template has more than %d tags", BOUND_TEMPLATE_TAGS);
    t->r->too_many = true;
}

static void read_advance(struct read_text *t, const char *to)
{
    for (; t->p < to; t->p++)
        if (*t->p == '\n') {
            t->line++;
            t->line_start = t->p + 1;
        }
}

void template_read(struct template_reader *r, const char *text, size_t n, const char *path, int line)
{
    struct read_text t = {.r = r, .path = path, .p = text, .end = text + n, .line_start = text,
                          .line = line, .open_base = r->open_count};
    const char *from = text; /* text not yet written */
    struct read_tag tag;
    while (!r->too_many) {
        const char *open = read_find(t.p, t.end, "{{");
        read_advance(&t, open ? open : t.end);
        if (!open || !read_tag(&t, &tag))
            break;
        const char *text_end = tag.start;
        const char *next = read_standalone(&t, &tag, &text_end);
        read_literal(&t, from, text_end < from ? from : text_end);
        read_count(&t);
        read_apply(&t, &tag);
        from = next;
        read_advance(&t, next);
    }
    read_literal(&t, from, t.end);
    while (r->open_count > t.open_base) {
        const char *name = read_open_name(&t);
        read_fail(&t, r->open_line[r->open_count - 1], "the section {{#%s}} is never closed",
                  name ? name : "?");
        r->open_count--;
        r->part->ops[r->open[r->open_count]].end = r->part->count;
    }
}
