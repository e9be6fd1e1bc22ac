/* SPDX-License-Identifier: ISC
 *
 * form_multipart - multipart/form-data (RFC 7578) into names, values and files
 *
 * Parts are not nested: a part that is itself a multipart is a value or a file
 * as it stands. Line ends may be CRLF or LF. A body that ends before its last
 * boundary keeps what came and gets a defect. See form.h.
 */
#include <string.h>
#include <strings.h>

#include "base/bounds.h"
#include "base/buf.h"
#include "base/form.h"
#include "base/hash.h"
#include "base/mem.h"
#include "base/text.h"

struct part {
    struct str disposition, type;
    struct str content;
    size_t at; /* of the content, in the body */
};

/* ---- header values ------------------------------------------------------ */

/* A quoted string or token at p; end is where it stops. Backslash escapes only
 * a quote: some browsers send whole Windows paths. */
static char *param_value(const char *p, const char *end, const char **stop, size_t max)
{
    struct buf b AUTO_BUF;
    buf_init(&b, max);
    bool quoted = p < end && *p == '"';
    for (p += quoted; p < end; p++) {
        if (quoted ? *p == '"' : strchr("; \t\r\n", *p) != NULL)
            break;
        if (quoted && *p == '\\' && p + 1 < end && p[1] == '"')
            p++;
        buf_char(&b, *p);
    }
    *stop = p < end && quoted ? p + 1 : p;
    return buf_ok(&b) ? buf_take(&b) : NULL;
}

char *form_param(const char *header, size_t n, const char *name, size_t max)
{
    const char *p = header, *end = header + n, *stop;
    size_t name_len = strlen(name);
    while (p < end && (p = memchr(p, ';', (size_t)(end - p))) != NULL) {
        for (p++; p < end && strchr(" \t\r\n", *p); p++)
            ;
        const char *eq = p;
        while (eq < end && *eq != '=' && *eq != ';')
            eq++;
        if (eq >= end || *eq == ';') {
            p = eq;
            continue;
        }
        size_t len = (size_t)(eq - p);
        while (len > 0 && (p[len - 1] == ' ' || p[len - 1] == '\t'))
            len--;
        AUTO_FREE char *value = param_value(eq + 1, end, &stop, max);
        if (len == name_len && strncasecmp(p, name, len) == 0) {
            char *own = value;
            value = NULL;
            return own;
        }
        p = stop;
    }
    return NULL;
}

/* Browsers write a quote and line ends in names as %22, %0D, %0A. */
static void part_unescape(char *s)
{
    char *out = s;
    for (; *s; s++) {
        if (strncmp(s, "%22", 3) == 0) {
            *out++ = '"';
            s += 2;
        } else if (strncasecmp(s, "%0d", 3) == 0 || strncasecmp(s, "%0a", 3) == 0) {
            *out++ = ' ';
            s += 2;
        } else {
            *out++ = *s;
        }
    }
    *out = '\0';
}

static void part_header(struct part *part, const char *p, size_t n)
{
    static const char disposition[] = "content-disposition:", type[] = "content-type:";
    if (n >= sizeof(disposition) - 1 && strncasecmp(p, disposition, sizeof(disposition) - 1) == 0)
        part->disposition = (struct str){p + sizeof(disposition) - 1, n - (sizeof(disposition) - 1)};
    else if (n >= sizeof(type) - 1 && strncasecmp(p, type, sizeof(type) - 1) == 0)
        part->type = (struct str){p + sizeof(type) - 1, n - (sizeof(type) - 1)};
}

/* Reads the header lines at p; returns where the content starts, or NULL. */
static const char *part_headers(struct part *part, const char *p, const char *end)
{
    const char *limit = (size_t)(end - p) > BOUND_FORM_PART_HEADERS ? p + BOUND_FORM_PART_HEADERS
                                                                    : end;
    while (p < limit) {
        const char *eol = memchr(p, '\n', (size_t)(limit - p));
        if (!eol)
            return NULL;
        size_t n = (size_t)(eol - p);
        if (n > 0 && p[n - 1] == '\r')
            n--;
        if (n == 0)
            return eol + 1;
        part_header(part, p, n);
        p = eol + 1;
    }
    return NULL;
}

/* ---- one part ----------------------------------------------------------- */

static const char *file_base_name(const char *path)
{
    for (const char *p = path; *p; p++)
        if (*p == '/' || *p == '\\')
            path = p + 1;
    return path;
}

static void put_clean(json_t *obj, const char *key, const char *s)
{
    struct buf b AUTO_BUF;
    buf_init(&b, BOUND_FORM_NAME * 3);
    text_add_utf8(&b, s, text_utf8_cut(s, strlen(s), BOUND_FORM_NAME));
    json_put_str(obj, key, b.data);
}

static void part_file(struct form *f, const struct part *part, const char *field, const char *name)
{
    char sha[HASH_SHA256_HEX];
    if (!*name && part->content.n == 0)
        return; /* no file was chosen */
    if (++f->fields > BOUND_FORM_FIELDS) {
        form_add_defect(f, "more than %d fields: the rest is left out", BOUND_FORM_FIELDS);
        return;
    }
    hash_sha256_hex(part->content.p, part->content.n, sha);
    json_t *file = json_object();
    AUTO_FREE char *type = mem_strn(part->type.p ? part->type.p : "", part->type.n);
    type[strcspn(type, ";")] = '\0';
    put_clean(file, "field", field);
    put_clean(file, "filename", file_base_name(name));
    put_clean(file, "type", *text_trim(type) ? text_trim(type) : "application/octet-stream");
    json_put_int(file, "size", (int64_t)part->content.n);
    json_put_str(file, "sha256", sha);
    json_put_int(file, "at", (int64_t)part->at);
    json_put_int(file, "bytes", (int64_t)part->content.n);
    json_put_str(file, "encoding", "binary");
    json_array_append_new(f->files, file);
}

static void part_add(struct form *f, const struct part *part)
{
    if (!part->disposition.p) {
        form_add_defect(f, "a part without Content-Disposition is left out");
        return;
    }
    AUTO_FREE char *name = form_param(part->disposition.p, part->disposition.n, "name", 4096);
    AUTO_FREE char *file = form_param(part->disposition.p, part->disposition.n, "filename", 4096);
    if (!name)
        name = mem_str("");
    part_unescape(name);
    if (file) {
        part_unescape(file);
        part_file(f, part, name, file);
        return;
    }
    enum form_charset cs = f->charset;
    AUTO_FREE char *named =
        part->type.p ? form_param(part->type.p, part->type.n, "charset", 40) : NULL;
    if (named)
        cs = form_charset_named(named, strlen(named));
    form_add_value(f, name, strlen(name), part->content.p, part->content.n, cs);
}

/* ---- the body ----------------------------------------------------------- */

struct scan {
    const char *start, *end; /* the body */
    struct str delim;        /* "--boundary" */
};

/* The next delimiter line at or after p, or NULL. */
static const char *scan_delim(const struct scan *s, const char *p)
{
    while (p < s->end && (p = memmem(p, (size_t)(s->end - p), s->delim.p, s->delim.n)) != NULL) {
        const char *after = p + s->delim.n;
        bool begins = p == s->start || p[-1] == '\n';
        bool ends = after == s->end || strchr("\r\n \t-", *after) != NULL;
        if (begins && ends && (after == s->end || *after))
            return p;
        p += s->delim.n;
    }
    return NULL;
}

/* Where the line at p ends, that is behind its LF; NULL when it does not. */
static const char *scan_line_end(const struct scan *s, const char *p)
{
    const char *eol = memchr(p, '\n', (size_t)(s->end - p));
    return eol ? eol + 1 : NULL;
}

static struct str scan_content(const struct scan *s, const char *p, const char *next)
{
    const char *stop = next ? next : s->end;
    if (next && stop > p) { /* the line end before a delimiter belongs to it */
        stop--;
        if (stop > p && stop[-1] == '\r')
            stop--;
    }
    return (struct str){p, (size_t)(stop - p)};
}

int form_read_multipart(struct form *f, const char *boundary, const char *p, size_t n,
                        struct err *e)
{
    AUTO_FREE char *delim = mem_printf("--%s", boundary);
    struct scan s = {.start = p, .end = p + n, .delim = {delim, strlen(delim)}};
    const char *at = scan_delim(&s, p);
    if (!at)
        return err_set(e, ERR_INPUT, "multipart/form-data: the boundary is nowhere in the body");
    while (at && f->fields <= BOUND_FORM_FIELDS) {
        const char *after = at + s.delim.n;
        if (s.end - after >= 2 && after[0] == '-' && after[1] == '-')
            return 0;
        struct part part = {0};
        const char *head = scan_line_end(&s, after);
        const char *content = head ? part_headers(&part, head, s.end) : NULL;
        if (!content) {
            form_add_defect(f, "a part without an end of its headers is left out");
            at = head ? scan_delim(&s, head) : NULL;
            continue;
        }
        at = scan_delim(&s, content);
        part.content = scan_content(&s, content, at);
        part.at = (size_t)(part.content.p - p);
        part_add(f, &part);
    }
    if (!at)
        form_add_defect(f, "the body ends before the last boundary");
    return 0;
}
