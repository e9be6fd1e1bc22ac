/* SPDX-License-Identifier: ISC
 *
 * header - see header.h
 */
#include "mail/header.h"

#include <string.h>
#include <strings.h>

#include "base/bounds.h"
#include "base/mem.h"

/* Beyond the limits only these are kept, and each only this often. */
static const char *const needed[] = {
    "from",         "to",         "cc",           "subject",      "date",
    "message-id",   "reply-to",   "in-reply-to",  "references",   "sender",
    "return-path",  "content-type", "content-transfer-encoding", "content-disposition",
    "auto-submitted", "precedence", "list-id",    "x-leadd-token",
};
#define NEEDED_EACH 4

size_t mail_line_len(const char *p, size_t n, size_t *text)
{
    const char *lf = memchr(p, '\n', n);
    size_t len = lf ? (size_t)(lf - p) + 1 : n;
    size_t t = lf ? len - 1 : len;
    if (t > 0 && p[t - 1] == '\r')
        t--;
    *text = t;
    return len;
}

static bool name_is(const struct str *s, const char *name)
{
    return strlen(name) == s->n && strncasecmp(s->p, name, s->n) == 0;
}

const struct mail_field *mail_fields_next(const struct mail_fields *f, const char *name,
                                          const struct mail_field *prev)
{
    for (size_t i = prev ? (size_t)(prev - f->v) + 1 : 0; i < f->count; i++)
        if (name_is(&f->v[i].name, name))
            return &f->v[i];
    return NULL;
}

const struct mail_field *mail_fields_get(const struct mail_fields *f, const char *name)
{
    return mail_fields_next(f, name, NULL);
}

size_t mail_fields_count(const struct mail_fields *f, const char *name)
{
    size_t n = 0;
    for (size_t i = 0; i < f->count; i++)
        n += name_is(&f->v[i].name, name);
    return n;
}

void mail_fields_done(struct mail_fields *f)
{
    mem_free(f->v);
    *f = (struct mail_fields){0};
}

/* The length of the field name a line begins with, or 0. White space in front
 * of the colon is obsolete syntax and still seen. */
static size_t field_name_len(const char *p, size_t n, size_t *colon)
{
    size_t i = 0;
    while (i < n && p[i] > 32 && p[i] < 127 && p[i] != ':')
        i++;
    size_t name = i;
    while (i < n && (p[i] == ' ' || p[i] == '\t'))
        i++;
    if (name == 0 || i >= n || p[i] != ':')
        return 0;
    *colon = i;
    return name;
}

struct reader {
    struct mail_ctx *c;
    struct mail_fields *f;
    const char *what;
    size_t kept; /* bytes of kept fields */
    bool cut;    /* a limit was reached */
    size_t beyond[ARRAY_LEN(needed)]; /* how many of each came behind it */
};

static bool is_needed(struct reader *r, const struct str *name)
{
    for (size_t i = 0; i < ARRAY_LEN(needed); i++)
        if (name_is(name, needed[i]))
            return r->beyond[i]++ < NEEDED_EACH;
    return false;
}

static void field_add(struct reader *r, struct mail_field field)
{
    const struct mail_limits *lim = r->c->lim;
    if (field.value.n > BOUND_MAIL_FIELD) {
        mail_defect(r->c, "%s has a field of %zu bytes: only the first %zu were read", r->what,
                    field.value.n, BOUND_MAIL_FIELD);
        field.value.n = BOUND_MAIL_FIELD;
    }
    if (r->f->count >= lim->headers || r->kept + field.value.n > lim->header_bytes) {
        if (!r->cut)
            mail_defect(r->c, "%s is over the limit of %zu fields or %zu bytes: the rest was "
                        "skipped but for the fields a message needs", r->what, lim->headers,
                        lim->header_bytes);
        r->cut = true;
        if (!is_needed(r, &field.name))
            return;
    }
    if (r->f->count == r->f->cap) {
        r->f->cap = r->f->cap ? r->f->cap * 2 : 16;
        r->f->v = mem_grow(r->f->v, r->f->cap * sizeof(*r->f->v));
    }
    r->kept += field.name.n + field.value.n;
    r->f->v[r->f->count++] = field;
}

/* A line that is no field: part of a broken header, or is the body beginning
 * without an empty line? It is broken header when a field follows it. */
static bool body_begins(const char *next, size_t n)
{
    size_t text, colon;
    mail_line_len(next, n, &text);
    return n == 0 || text == 0 || field_name_len(next, text, &colon) == 0;
}

static bool is_mbox_line(const char *p, size_t n)
{
    return (n > 5 && memcmp(p, "From ", 5) == 0) || (n > 6 && memcmp(p, ">From ", 6) == 0);
}

size_t mail_fields_read(struct mail_ctx *c, struct mail_fields *f, const char *p, size_t n,
                        const char *what, mail_stop_fn stop, void *arg)
{
    struct reader r = {.c = c, .f = f, .what = what};
    struct mail_field cur = {0};
    size_t at = 0;
    while (at < n) {
        size_t text, colon, len = mail_line_len(p + at, n - at, &text);
        const char *line = p + at;
        if (mail_late(c, len))
            break;
        if (text == 0) {
            at += len;
            goto whole;
        }
        if (stop && stop(line, text, arg))
            break;
        size_t name = field_name_len(line, text, &colon);
        if ((*line == ' ' || *line == '\t') && cur.name.p) {
            cur.value.n = (size_t)(line + text - cur.value.p);
        } else if (name > 0) {
            if (cur.name.p)
                field_add(&r, cur);
            cur.name = (struct str){line, name};
            cur.value = (struct str){line + colon + 1, text - colon - 1};
        } else if (at == 0 && is_mbox_line(line, text)) {
            /* the separator of an mbox file: no part of the mail */
        } else if (body_begins(p + at + len, n - at - len)) {
            mail_defect(c, "%s ends without an empty line: the rest was read as text", what);
            break;
        } else {
            mail_defect(c, "%s has a line that is no field: it was skipped", what);
        }
        at += len;
    }
whole:
    if (cur.name.p)
        field_add(&r, cur);
    return at;
}

void mail_field_unfold(struct buf *out, const struct mail_field *f)
{
    const char *p = f->value.p, *end = p + f->value.n;
    bool gap = false, any = false;
    for (; p < end; p++) {
        unsigned char ch = (unsigned char)*p;
        if (ch == ' ' || ch == '\t' || ch == '\r' || ch == '\n') {
            gap = any;
            if (ch == ' ' && any && p + 1 < end && p[1] == ' ')
                buf_char(out, ' '); /* inner runs of spaces stay */
            continue;
        }
        if (ch < 0x20 && ch != 0x1b) /* ESC begins ISO-2022 shifts */
            continue;
        if (gap)
            buf_char(out, ' ');
        gap = false;
        any = true;
        buf_char(out, *p);
    }
}
