/* SPDX-License-Identifier: ISC
 *
 * maildir_parts - which parts a mail over the limit has, without keeping it
 *
 * A server says that of its mails (BODYSTRUCTURE); of a file we find it out: one
 * pass over its lines, of which only headers of parts and boundaries matter. Not
 * a parser: what is not plainly there is left out of the list. Memory is
 * bounded whatever the file holds, work is linear in its size.
 */
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/bounds.h"
#include "base/mem.h"
#include "base/text.h"
#include "intake/maildir_inner.h"

#define LINE_KEPT 1000     /* bytes of a line that are looked at */
#define BOUNDARY_MAX 200   /* RFC 2046 allows 70 */

struct scan {
    json_t *parts;
    char boundary[BOUND_MAIL_DEPTH][BOUNDARY_MAX + 1];
    int depth;
    bool header, leaf; /* in a header block; in the body of a part that is listed */
    struct buf field;  /* own; the field being read, unfolded */
    struct buf line;   /* own; the beginning of the line being read */
    size_t line_len;   /* of the whole line, so far */
    char type[100], multipart[BOUNDARY_MAX + 1];
    char filename[LINE_KEPT];
    int64_t size;
};

/* The value of a parameter such as boundary= or filename=, or false. */
static bool param(const char *value, const char *name, char *out, size_t cap)
{
    size_t len = strlen(name), n = 0;
    for (const char *p = strchr(value, ';'); p; p = strchr(p, ';')) {
        p += 1 + strspn(p + 1, " \t");
        if (strncasecmp(p, name, len) != 0 || p[len + strspn(p + len, " \t")] != '=')
            continue;
        p = strchr(p, '=') + 1;
        p += strspn(p, " \t");
        bool quoted = *p == '"';
        for (p += quoted; *p && n + 1 < cap && (quoted ? *p != '"' : !strchr("; \t", *p)); p++) {
            if (quoted && *p == '\\' && p[1])
                p++;
            out[n++] = *p;
        }
        out[n] = '\0';
        return n > 0;
    }
    return false;
}

static void scan_field(struct scan *s)
{
    const char *v = s->field.data;
    size_t n = strcspn(v, ":");
    v += n + (v[n] == ':');
    v += strspn(v, " \t");
    if (n == 12 && strncasecmp(s->field.data, "Content-Type", n) == 0) {
        snprintf(s->type, sizeof(s->type), "%.*s", (int)strcspn(v, "; \t"), v);
        text_lower(s->type);
        param(v, "boundary", s->multipart, sizeof(s->multipart));
        if (!s->filename[0])
            param(v, "name", s->filename, sizeof(s->filename));
    } else if (n == 19 && strncasecmp(s->field.data, "Content-Disposition", n) == 0) {
        param(v, "filename", s->filename, sizeof(s->filename));
    }
    buf_reset(&s->field);
}

static void scan_begin(struct scan *s)
{
    s->header = true;
    s->leaf = false;
    s->size = 0;
    s->filename[0] = s->multipart[0] = '\0';
    snprintf(s->type, sizeof(s->type), "text/plain");
    buf_reset(&s->field);
}

static void scan_header_ends(struct scan *s)
{
    scan_field(s);
    s->header = false;
    if (text_starts(s->type, "multipart/") && s->multipart[0] && s->depth < BOUND_MAIL_DEPTH)
        memcpy(s->boundary[s->depth++], s->multipart, sizeof(s->multipart));
    else
        s->leaf = true;
}

static void put_text(json_t *part, const char *key, const char *value)
{
    struct buf b AUTO_BUF;
    buf_init(&b, KIB(4));
    text_add_utf8(&b, value, strlen(value));
    json_object_set_new(part, key, json_stringn(b.data, b.len));
}

static void scan_part_ends(struct scan *s)
{
    if (s->leaf && json_array_size(s->parts) < BOUND_MAIL_PARTS) {
        json_t *part = json_object();
        put_text(part, "type", s->type);
        if (s->filename[0])
            put_text(part, "filename", s->filename);
        json_put_int(part, "size", s->size);
        json_array_append_new(s->parts, part);
    }
    s->leaf = false;
}

/* A boundary of this multipart or of one around it, which then ends what is inside. */
static bool scan_boundary(struct scan *s)
{
    const char *line = s->line.data;
    if (!text_starts(line, "--"))
        return false;
    for (int i = s->depth - 1; i >= 0; i--) {
        size_t n = strlen(s->boundary[i]);
        if (strncmp(line + 2, s->boundary[i], n) != 0)
            continue;
        const char *rest = line + 2 + n;
        bool last = text_starts(rest, "--");
        rest += last ? 2 : 0;
        if (rest[strspn(rest, " \t")])
            continue;
        scan_part_ends(s);
        s->depth = i + !last;
        s->header = false;
        if (!last)
            scan_begin(s);
        return true;
    }
    return false;
}

static void scan_line(struct scan *s)
{
    size_t n = s->line.len;
    if (n > 0 && s->line.data[n - 1] == '\r')
        s->line.data[--s->line.len] = '\0';
    if (scan_boundary(s)) {
        /* it belongs to no part */
    } else if (!s->header) {
        s->size += (int64_t)s->line_len + 1;
    } else if (s->line.len == 0) {
        scan_header_ends(s);
    } else {
        if (s->line.data[0] != ' ' && s->line.data[0] != '\t')
            scan_field(s);
        buf_add(&s->field, s->line.data, s->line.len); /* what is too long stays out */
    }
    buf_reset(&s->line);
    s->line_len = 0;
}

static void scan_bytes(struct scan *s, const char *p, size_t n)
{
    while (n > 0) {
        const char *end = memchr(p, '\n', n);
        size_t len = end ? (size_t)(end - p) : n;
        size_t room = LINE_KEPT - s->line.len, keep = len < room ? len : room;
        for (size_t i = 0; i < keep; i++)
            buf_char(&s->line, p[i] ? p[i] : ' ');
        s->line_len += len;
        if (end)
            scan_line(s);
        p += len + (end != NULL);
        n -= len + (end != NULL);
    }
}

json_t *maildir_parts(int fd)
{
    char block[KIB(64)];
    struct scan *s = mem_alloc(sizeof(*s));
    size_t done = 0;
    ssize_t got;
    s->parts = json_array();
    buf_init(&s->field, KIB(4));
    buf_init(&s->line, LINE_KEPT);
    scan_begin(s);
    while (done < BOUND_MAILDIR_READ && (got = pread(fd, block, sizeof(block), (off_t)done)) > 0) {
        scan_bytes(s, block, (size_t)got);
        done += (size_t)got;
    }
    if (s->line_len > 0)
        scan_line(s);
    scan_part_ends(s);
    json_t *parts = s->parts;
    buf_done(&s->field);
    buf_done(&s->line);
    mem_free(s);
    return parts;
}
