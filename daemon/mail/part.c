/* SPDX-License-Identifier: ISC
 *
 * part - see part.h
 */
#include "mail/part.h"

#include <string.h>
#include <strings.h>

#include "base/bounds.h"
#include "base/mem.h"
#include "base/text.h"
#include "mail/transfer.h"
#include "mail/word.h"

#define BOUNDARY_MAX 200
#define GUESS_LINES 64

struct walker {
    struct mail_ctx *c;
    struct mail_parts *ps;
    const char *p;
    size_t n, at;
    int current; /* the innermost part that is open */
    int *stack;  /* own; open multiparts, outermost first */
    size_t depth;
};

static char *unfolded(const struct mail_fields *f, const char *name)
{
    const struct mail_field *field = mail_fields_get(f, name);
    AUTO_BUF struct buf b;
    buf_init(&b, BOUND_MAIL_FIELD + 1);
    if (field)
        mail_field_unfold(&b, field);
    return buf_take(&b);
}

/* Does the line delimit one of the open multiparts? Innermost first. */
static bool delimits(const struct walker *w, const char *line, size_t n, size_t *level, bool *last)
{
    if (n < 3 || line[0] != '-' || line[1] != '-')
        return false;
    while (n > 2 && (line[n - 1] == ' ' || line[n - 1] == '\t' || line[n - 1] == '\r'))
        n--;
    for (size_t i = w->depth; i-- > 0;) {
        const char *b = w->ps->v[w->stack[i]].boundary;
        size_t len = strlen(b);
        if (n - 2 < len || memcmp(line + 2, b, len) != 0)
            continue;
        *last = n - 2 == len + 2 && line[n - 1] == '-' && line[n - 2] == '-';
        *level = i;
        if (*last || n - 2 == len)
            return true;
    }
    return false;
}

static bool stops_header(const char *line, size_t n, void *arg)
{
    size_t level;
    bool last;
    return delimits(arg, line, n, &level, &last);
}

/* A multipart that names no boundary: its first line of that shape is one. */
static char *guess_boundary(const char *p, size_t n)
{
    for (size_t i = 0; i < GUESS_LINES && n > 0; i++) {
        size_t text, len = mail_line_len(p, n, &text);
        if (text > 4 && text < BOUNDARY_MAX && p[0] == '-' && p[1] == '-' &&
            !memchr(p, ' ', text) && !memchr(p, '\0', text))
            return mem_strn(p + 2, text - 2);
        p += len;
        n -= len;
    }
    return NULL;
}

static void part_read_type(struct walker *w, struct mail_part *part)
{
    struct mail_ctx *c = w->c;
    AUTO_FREE char *encoding = unfolded(&part->fields, "Content-Transfer-Encoding");
    part->type_value = unfolded(&part->fields, "Content-Type");
    part->disp_value = unfolded(&part->fields, "Content-Disposition");
    mail_param_value(part->type_value, part->type, sizeof(part->type));
    mail_param_value(part->disp_value, part->disposition, sizeof(part->disposition));
    mail_param_value(encoding, part->encoding, sizeof(part->encoding));
    const char *slash = strchr(part->type, '/');
    if (slash && slash != part->type && slash[1])
        return;
    bool digest = part->parent >= 0 && strcmp(w->ps->v[part->parent].type, "multipart/digest") == 0;
    if (*part->type_value)
        mail_defect(c, "a part has no usable Content-Type: read as text/plain");
    snprintf(part->type, sizeof(part->type), "%s",
             digest && !*part->type_value ? "message/rfc822" : "text/plain");
}

static bool is_identity(const char *encoding)
{
    return strcmp(encoding, "base64") != 0 && strcmp(encoding, "quoted-printable") != 0;
}

static void part_read_kind(struct walker *w, struct mail_part *part)
{
    bool multi = text_starts(part->type, "multipart/");
    bool message = (strcmp(part->type, "message/rfc822") == 0 ||
                    strcmp(part->type, "message/global") == 0) && is_identity(part->encoding);
    part->kind = MAIL_LEAF;
    if (!multi && !message)
        return;
    if (part->depth >= w->c->lim->depth) {
        mail_defect(w->c, "parts are nested deeper than %zu: the inner ones were not opened",
                    w->c->lim->depth);
        part->unopened = true;
        return;
    }
    if (message) {
        part->kind = MAIL_MESSAGE;
        return;
    }
    part->boundary = mail_param_get(w->c, part->type_value, "boundary", "Content-Type");
    if (!part->boundary || !*part->boundary || strlen(part->boundary) > BOUNDARY_MAX) {
        mem_free(part->boundary);
        part->boundary = guess_boundary(w->p + w->at, w->n - w->at);
        mail_defect(w->c, "a multipart names no usable boundary: %s",
                    part->boundary ? "it was guessed from the text" : "read as text");
    }
    if (part->boundary)
        part->kind = MAIL_MULTI;
    else
        snprintf(part->type, sizeof(part->type), "text/plain");
}

static struct mail_part *part_add(struct walker *w, int parent)
{
    struct mail_parts *ps = w->ps;
    if (ps->count == ps->cap) {
        ps->cap = ps->cap ? ps->cap * 2 : 8;
        ps->v = mem_grow(ps->v, ps->cap * sizeof(*ps->v));
    }
    struct mail_part *part = &ps->v[ps->count++];
    *part = (struct mail_part){.parent = parent};
    if (parent >= 0) {
        part->depth = ps->v[parent].depth + 1;
        part->number = ++ps->v[parent].children;
    }
    return part;
}

/* Reads the header at w->at and opens the part; a message opens what is in it. */
static bool part_open(struct walker *w, int parent)
{
    for (;;) {
        if (w->ps->count >= w->c->lim->parts) {
            mail_defect(w->c, "more than %zu parts: the rest was not read", w->c->lim->parts);
            return false;
        }
        struct mail_part *part = part_add(w, parent);
        int index = (int)w->ps->count - 1;
        char what[48] = "the header";
        if (index > 0)
            snprintf(what, sizeof(what), "the header of inner part %d", index);
        w->at += mail_fields_read(w->c, &part->fields, w->p + w->at, w->n - w->at, what,
                                  stops_header, w);
        part->body = (struct str){w->p + w->at, 0};
        part_read_type(w, part);
        part_read_kind(w, part);
        w->current = index;
        if (part->kind == MAIL_MULTI)
            w->stack[w->depth++] = index;
        if (part->kind != MAIL_MESSAGE)
            return true;
        parent = index;
    }
}

/* The bodies of all open parts below stop end here, the line break in front of
 * the delimiter excluded. */
static void parts_close(struct walker *w, int stop, const char *end)
{
    for (int i = w->current; i != stop && i >= 0; i = w->ps->v[i].parent) {
        struct mail_part *part = &w->ps->v[i];
        size_t n = end > part->body.p ? (size_t)(end - part->body.p) : 0;
        if (n > 0 && end < w->p + w->n) {
            n -= part->body.p[n - 1] == '\n';
            n -= n > 0 && part->body.p[n - 1] == '\r';
        }
        part->body.n = n;
        if (part->kind == MAIL_MULTI && part->children == 0 && !w->c->lim->truncated) {
            mail_defect(w->c, "a multipart has no parts: read as text");
            part->kind = MAIL_LEAF;
            snprintf(part->type, sizeof(part->type), "text/plain");
        }
    }
    w->current = stop;
}

static bool on_delimiter(struct walker *w, const char *line, size_t len, size_t level, bool last)
{
    int multi = w->stack[level];
    if (level + 1 < w->depth)
        mail_defect(w->c, "an inner multipart ends without its closing boundary");
    parts_close(w, multi, line);
    w->depth = last ? level : level + 1;
    w->at += len;
    return last || part_open(w, multi);
}

static void walk(struct walker *w)
{
    bool open = part_open(w, -1);
    while (open && w->at < w->n) {
        size_t text, level, len = mail_line_len(w->p + w->at, w->n - w->at, &text);
        bool last = false;
        const char *line = w->p + w->at;
        if (mail_late(w->c, len))
            break;
        if (*line == '-' && delimits(w, line, text, &level, &last))
            open = on_delimiter(w, line, len, level, last);
        else
            w->at += len;
    }
    if (w->depth > 0 && w->at >= w->n && !w->c->lim->truncated)
        mail_defect(w->c, "the closing boundary is missing: the mail may be cut off");
    parts_close(w, -1, w->p + w->at);
}

void mail_parts_read(struct mail_ctx *c, struct mail_parts *ps, const char *p, size_t n)
{
    struct walker w = {.c = c, .ps = ps, .p = p, .n = n, .current = -1};
    w.stack = mem_array(c->lim->depth + 1, sizeof(*w.stack));
    walk(&w);
    mem_free(w.stack);
}

void mail_parts_done(struct mail_parts *ps)
{
    for (size_t i = 0; i < ps->count; i++) {
        mail_fields_done(&ps->v[i].fields);
        mem_free(ps->v[i].type_value);
        mem_free(ps->v[i].disp_value);
        mem_free(ps->v[i].boundary);
    }
    mem_free(ps->v);
    *ps = (struct mail_parts){0};
}

void mail_part_decode(struct mail_ctx *c, const struct mail_part *p, struct buf *out)
{
    const char *e = p->encoding;
    if (mail_late(c, p->body.n))
        return;
    if (strcmp(e, "base64") == 0) {
        size_t foreign = transfer_base64(out, p->body.p, p->body.n);
        if (foreign)
            mail_defect(c, "base64 holds %zu foreign characters: they were skipped", foreign);
    } else if (strcmp(e, "quoted-printable") == 0) {
        size_t foreign = transfer_quoted(out, p->body.p, p->body.n);
        if (foreign)
            mail_defect(c, "quoted-printable holds %zu broken escapes: kept as they are", foreign);
    } else {
        if (*e && strcmp(e, "7bit") != 0 && strcmp(e, "8bit") != 0 && strcmp(e, "binary") != 0)
            mail_defect(c, "transfer encoding %s is not known: taken as it is", e);
        buf_add(out, p->body.p, p->body.n);
    }
}

void mail_part_path(const struct mail_parts *ps, size_t i, struct buf *out)
{
    const struct mail_part *p = &ps->v[i];
    unsigned path[256];
    size_t n = 0;
    for (; p->parent >= 0 && n < ARRAY_LEN(path); p = &ps->v[p->parent])
        if (ps->v[p->parent].kind != MAIL_MESSAGE || p->kind != MAIL_MULTI)
            path[n++] = p->number;
    if (n == 0)
        path[n++] = 1;
    while (n-- > 0)
        buf_printf(out, n ? "%u." : "%u", path[n]);
}
