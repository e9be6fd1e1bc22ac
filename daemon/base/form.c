/* SPDX-License-Identifier: ISC
 *
 * form - see form.h; here: names and values, urlencoded and JSON bodies
 */
#include "base/form.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/bounds.h"
#include "base/buf.h"
#include "base/hook.h"
#include "base/mem.h"
#include "base/text.h"

#define NO_NAME "(no name)"

void form_init(struct form *f)
{
    *f = (struct form){.values = json_object(), .files = json_array(), .defects = json_array()};
}

void form_done(struct form *f)
{
    json_decref(f->values);
    json_decref(f->files);
    json_decref(f->defects);
    *f = (struct form){0};
}

void form_add_defect(struct form *f, const char *fmt, ...)
{
    struct err e = {0};
    char text[200];
    va_list ap;
    if (json_array_size(f->defects) >= BOUND_FORM_DEFECTS)
        return;
    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    text[text_utf8_cut(text, strlen(text), sizeof(text) - 4)] = '\0';
    err_set(&e, ERR_INPUT, "%s", text); /* one line */
    for (size_t i = 0; i < json_array_size(f->defects); i++)
        if (strcmp(json_string_value(json_array_get(f->defects, i)), e.text) == 0)
            return;
    json_array_append_new(f->defects, json_string(e.text));
}

enum form_charset form_charset_named(const char *name, size_t n)
{
    static const char *const latin[] = {"iso-8859-1", "windows-1252", "cp1252", "latin1",
                                        "us-ascii",   "iso8859-1",    "iso-8859-15"};
    for (size_t i = 0; i < ARRAY_LEN(latin); i++)
        if (strlen(latin[i]) == n && strncasecmp(latin[i], name, n) == 0)
            return FORM_WINDOWS_1252;
    return FORM_UTF8;
}

/* ---- values ------------------------------------------------------------ */

/* The code points of 0x80 to 0x9f in windows-1252 (WHATWG); the rest of the
 * upper half is the same as in Unicode. */
static const unsigned short win1252_high[32] = {
    0x20ac, 0x0081, 0x201a, 0x0192, 0x201e, 0x2026, 0x2020, 0x2021, 0x02c6, 0x2030, 0x0160,
    0x2039, 0x0152, 0x008d, 0x017d, 0x008f, 0x0090, 0x2018, 0x2019, 0x201c, 0x201d, 0x2022,
    0x2013, 0x2014, 0x02dc, 0x2122, 0x0161, 0x203a, 0x0153, 0x009d, 0x017e, 0x0178};

static void form_add_win1252(struct buf *out, const char *s, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        unsigned c = (unsigned char)s[i];
        if (c >= 0x80 && c < 0xa0)
            c = win1252_high[c - 0x80];
        if (c == 0)
            continue;
        if (c < 0x80) {
            buf_char(out, (char)c);
        } else if (c < 0x800) {
            char u[2] = {(char)(0xc0 | (c >> 6)), (char)(0x80 | (c & 0x3f))};
            buf_add(out, u, 2);
        } else {
            char u[3] = {(char)(0xe0 | (c >> 12)), (char)(0x80 | ((c >> 6) & 0x3f)),
                         (char)(0x80 | (c & 0x3f))};
            buf_add(out, u, 3);
        }
    }
}

/* CRLF and CR become LF, in place. */
static void form_unix_lines(struct buf *b)
{
    size_t at = 0;
    for (size_t i = 0; i < b->len; i++) {
        if (b->data[i] == '\r') {
            if (i + 1 < b->len && b->data[i + 1] == '\n')
                continue;
            b->data[at++] = '\n';
        } else {
            b->data[at++] = b->data[i];
        }
    }
    b->len = at;
    b->data[at] = '\0';
}

/* Text of at most max bytes as UTF-8. True when nothing was lost or replaced. */
static bool form_text(struct buf *out, const char *s, size_t n, size_t max, enum form_charset cs)
{
    bool clean = n <= max;
    if (n > max)
        n = text_utf8_cut(s, n, max);
    if (cs == FORM_WINDOWS_1252 && !text_is_utf8(s, n))
        form_add_win1252(out, s, n);
    else
        clean = text_add_utf8(out, s, n) && clean;
    form_unix_lines(out);
    return clean;
}

/* The key under which a value goes in: name, or name.1 ... when it is taken.
 * NULL when too many share the name. */
static const char *form_free_key(const struct form *f, const char *name, struct buf *key)
{
    if (!json_object_get(f->values, name))
        return name;
    for (int i = 1; i < BOUND_FORM_FIELDS; i++) {
        buf_reset(key);
        buf_printf(key, "%s.%d", name, i);
        if (!json_object_get(f->values, key->data))
            return key->data;
    }
    return NULL;
}

static void form_put(struct form *f, const struct buf *name, const struct buf *value)
{
    struct buf key AUTO_BUF;
    buf_init(&key, BOUND_FORM_NAME * 4);
    const char *k = form_free_key(f, name->len ? name->data : NO_NAME, &key);
    if (!k || f->text + strlen(k) + value->len > BOUND_FORM_TEXT) {
        form_add_defect(f, "%s: left out, the form holds more than %zu bytes of text", name->data,
                        (size_t)BOUND_FORM_TEXT);
        return;
    }
    f->text += strlen(k) + value->len;
    json_object_set_new(f->values, k, json_stringn(value->data, value->len));
}

void form_add_value(struct form *f, const char *name, size_t name_len, const char *value, size_t n,
                    enum form_charset cs)
{
    if (++f->fields > BOUND_FORM_FIELDS) {
        form_add_defect(f, "more than %d fields: the rest is left out", BOUND_FORM_FIELDS);
        return;
    }
    struct buf nb AUTO_BUF, vb AUTO_BUF;
    buf_init(&nb, BOUND_FORM_NAME * 3); /* U+FFFD is three bytes for one */
    buf_init(&vb, BOUND_FORM_VALUE * 3);
    if (!form_text(&nb, name, name_len, BOUND_FORM_NAME, cs))
        form_add_defect(f, "%s: a name that is too long or not UTF-8", nb.data);
    if (!form_text(&vb, value, n, BOUND_FORM_VALUE, cs))
        form_add_defect(f, n > BOUND_FORM_VALUE ? "%s: cut to 65536 bytes"
                                                : "%s: holds bytes that are not UTF-8 text",
                        nb.data);
    if (strcmp(nb.data, "_charset_") == 0)
        f->charset = form_charset_named(vb.data, vb.len);
    form_put(f, &nb, &vb);
}

/* ---- urlencoded --------------------------------------------------------- */

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

/* Decodes into out, which holds n bytes. False when a % had no two digits. */
static bool form_unescape(struct buf *out, const char *p, size_t n)
{
    bool clean = true;
    for (size_t i = 0; i < n; i++) {
        if (p[i] == '+') {
            buf_char(out, ' ');
        } else if (p[i] == '%' && i + 2 < n + HOOK("form.off_by_one") &&
                   hex_digit(p[i + 1]) >= 0 && hex_digit(p[i + 2]) >= 0) {
            buf_char(out, (char)(hex_digit(p[i + 1]) * 16 + hex_digit(p[i + 2])));
            i += 2;
        } else {
            clean = clean && p[i] != '%';
            buf_char(out, p[i]);
        }
    }
    return clean;
}

static void form_pair(struct form *f, const char *p, size_t n, enum form_charset cs)
{
    const char *eq = memchr(p, '=', n);
    size_t name_len = eq ? (size_t)(eq - p) : n, value_len = eq ? n - name_len - 1 : 0;
    struct buf nb AUTO_BUF, vb AUTO_BUF;
    buf_init(&nb, name_len);
    buf_init(&vb, value_len);
    bool clean = form_unescape(&nb, p, name_len);
    if (eq)
        clean = form_unescape(&vb, eq + 1, value_len) && clean;
    if (!clean)
        form_add_defect(f, "a percent sign without two hexadecimal digits, kept as it is");
    form_add_value(f, nb.data, nb.len, vb.data, vb.len, cs);
}

/* A `_charset_` field holds for the whole body, wherever it stands. */
static enum form_charset form_find_charset(const struct form *f, const char *p, size_t n)
{
    static const char key[] = "_charset_=";
    const char *end = p + n, *at = p;
    while ((at = memmem(at, (size_t)(end - at), key, sizeof(key) - 1)) != NULL) {
        const char *v = at + sizeof(key) - 1;
        if (at == p || at[-1] == '&') {
            const char *amp = memchr(v, '&', (size_t)(end - v));
            return form_charset_named(v, (size_t)((amp ? amp : end) - v));
        }
        at = v;
    }
    return f->charset;
}

void form_read_urlencoded(struct form *f, const char *p, size_t n)
{
    const char *end = p + n;
    if (n == 0)
        return;
    enum form_charset cs = form_find_charset(f, p, n);
    while (p < end) {
        const char *amp = memchr(p, '&', (size_t)(end - p));
        size_t len = (size_t)((amp ? amp : end) - p);
        if (len > 0)
            form_pair(f, p, len, cs);
        if (f->fields > BOUND_FORM_FIELDS)
            return;
        p += len + 1;
    }
}

/* ---- JSON --------------------------------------------------------------- */

static int form_flatten(struct form *f, struct buf *path, const json_t *v, int depth,
                        struct err *e);

static int form_flatten_child(struct form *f, struct buf *path, const char *key, const json_t *v,
                              int depth, struct err *e)
{
    size_t len = path->len;
    buf_printf(path, "%s%s", len ? "." : "", *key ? key : NO_NAME);
    bool fits = buf_ok(path);
    int r = 0;
    if (fits)
        r = form_flatten(f, path, v, depth + 1, e);
    else
        form_add_defect(f, "a name of more than %d bytes is left out", BOUND_FORM_NAME);
    path->full = false;
    path->len = len;
    path->data[len] = '\0';
    return r;
}

static int form_flatten_all(struct form *f, struct buf *path, const json_t *v, int depth,
                            struct err *e)
{
    const char *key;
    json_t *child;
    if (json_is_object(v)) {
        json_object_foreach ((json_t *)v, key, child)
            if (form_flatten_child(f, path, key, child, depth, e) < 0)
                return -1;
        return 0;
    }
    for (size_t i = 0; i < json_array_size(v) && f->fields <= BOUND_FORM_FIELDS; i++) {
        char index[24];
        snprintf(index, sizeof(index), "%zu", i);
        if (form_flatten_child(f, path, index, json_array_get(v, i), depth, e) < 0)
            return -1;
    }
    return 0;
}

static int form_flatten(struct form *f, struct buf *path, const json_t *v, int depth,
                        struct err *e)
{
    if (json_is_null(v))
        return 0;
    if (json_is_object(v) || json_is_array(v)) {
        if (depth > BOUND_FORM_DEPTH)
            return err_set(e, ERR_INPUT, "JSON nested deeper than %d", BOUND_FORM_DEPTH);
        return form_flatten_all(f, path, v, depth, e);
    }
    if (json_is_string(v)) {
        form_add_value(f, path->data, path->len, json_string_value(v), json_string_length(v),
                       FORM_UTF8);
        return 0;
    }
    AUTO_FREE char *text = json_text(v); /* numbers, true, false */
    form_add_value(f, path->data, path->len, text, strlen(text), FORM_UTF8);
    return 0;
}

int form_read_json(struct form *f, const char *p, size_t n, struct err *e)
{
    AUTO_JSON json_t *v = json_load_bounded(p, n, n, e);
    if (!v)
        return -1;
    if (!json_is_object(v))
        return err_set(e, ERR_INPUT, "expected one JSON object, {\"name\": \"value\", ...}");
    struct buf path AUTO_BUF;
    buf_init(&path, BOUND_FORM_NAME);
    return form_flatten(f, &path, v, 1, e);
}

/* ---- by content type ---------------------------------------------------- */

static bool form_type_is(const char *content_type, const char *name)
{
    size_t n = strlen(name);
    return strncasecmp(content_type, name, n) == 0 && strchr("; \t", content_type[n]) != NULL;
}

enum form_type form_type_of(const char *content_type)
{
    if (!content_type)
        return FORM_TYPE_UNKNOWN;
    content_type += strspn(content_type, " \t");
    if (form_type_is(content_type, "application/x-www-form-urlencoded"))
        return FORM_TYPE_URLENCODED;
    if (form_type_is(content_type, "multipart/form-data"))
        return FORM_TYPE_MULTIPART;
    if (form_type_is(content_type, "application/json"))
        return FORM_TYPE_JSON;
    return FORM_TYPE_UNKNOWN;
}

int form_read(struct form *f, const char *content_type, const char *body, size_t n, struct err *e)
{
    enum form_type type = form_type_of(content_type);
    if (type == FORM_TYPE_UNKNOWN)
        return err_set(e, ERR_INPUT, "expected one of " FORM_TYPES_ACCEPTED);
    size_t len = strlen(content_type);
    AUTO_FREE char *cs = form_param(content_type, len, "charset", 40);
    if (cs)
        f->charset = form_charset_named(cs, strlen(cs));
    if (type == FORM_TYPE_JSON)
        return form_read_json(f, body, n, e);
    if (type == FORM_TYPE_URLENCODED) {
        form_read_urlencoded(f, body, n);
        return 0;
    }
    AUTO_FREE char *boundary = form_param(content_type, len, "boundary", 70);
    if (!boundary || !*boundary)
        return err_set(e, ERR_INPUT, "multipart/form-data without a boundary of 1 to 70 bytes");
    return form_read_multipart(f, boundary, body, n, e);
}
