/* SPDX-License-Identifier: ISC
 *
 * json - see json.h
 */
#include "base/json.h"

#include <string.h>

#include "base/bounds.h"
#include "base/mem.h"

const char *json_get_str(const json_t *obj, const char *key, const char *def)
{
    const char *s = json_string_value(json_object_get(obj, key));
    return s ? s : def;
}

int64_t json_get_int(const json_t *obj, const char *key, int64_t def)
{
    const json_t *v = json_object_get(obj, key);
    return json_is_integer(v) ? json_integer_value(v) : def;
}

bool json_get_bool(const json_t *obj, const char *key, bool def)
{
    const json_t *v = json_object_get(obj, key);
    return json_is_boolean(v) ? json_is_true(v) : def;
}

json_t *json_get_obj(const json_t *obj, const char *key)
{
    json_t *v = json_object_get(obj, key);
    return json_is_object(v) ? v : NULL;
}

json_t *json_get_arr(const json_t *obj, const char *key)
{
    json_t *v = json_object_get(obj, key);
    return json_is_array(v) ? v : NULL;
}

bool json_has_int(const json_t *array, int64_t v)
{
    size_t i;
    json_t *n;
    json_array_foreach((json_t *)array, i, n)
        if (json_is_integer(n) && json_integer_value(n) == v)
            return true;
    return false;
}

void json_put_str(json_t *obj, const char *key, const char *value)
{
    if (value)
        json_object_set_new(obj, key, json_string(value));
}

void json_put_int(json_t *obj, const char *key, int64_t value)
{
    json_object_set_new(obj, key, json_integer(value));
}

void json_put_bool(json_t *obj, const char *key, bool value)
{
    json_object_set_new(obj, key, json_boolean(value));
}

/* jansson recurses up to 2048 levels; ours is lower and checked before. */
static bool json_depth_ok(const char *p, size_t n)
{
    int depth = 0;
    bool in_string = false;
    for (size_t i = 0; i < n; i++) {
        if (in_string) {
            if (p[i] == '\\')
                i++;
            else if (p[i] == '"')
                in_string = false;
        } else if (p[i] == '"') {
            in_string = true;
        } else if (p[i] == '{' || p[i] == '[') {
            if (++depth > BOUND_JSON_DEPTH)
                return false;
        } else if (p[i] == '}' || p[i] == ']') {
            depth--;
        }
    }
    return true;
}

json_t *json_load_bounded(const char *p, size_t n, size_t max, struct err *e)
{
    json_error_t je;
    if (n > max) {
        err_set(e, ERR_INPUT, "JSON larger than %zu bytes", max);
        return NULL;
    }
    if (!json_depth_ok(p, n)) {
        err_set(e, ERR_INPUT, "JSON nested deeper than %d", BOUND_JSON_DEPTH);
        return NULL;
    }
    json_t *v = json_loadb(p, n, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &je);
    if (!v)
        err_set(e, ERR_INPUT, "JSON line %d column %d: %s", je.line, je.column, je.text);
    return v;
}

char *json_text(const json_t *v)
{
    char *s = json_dumps(v, JSON_COMPACT | JSON_SORT_KEYS | JSON_ENCODE_ANY);
    LEADD_ASSERT(s != NULL);
    return s;
}

/* What jansson holds is UTF-8: only what JSON itself needs is escaped. */
static void json_write_string(struct buf *b, const char *s, size_t n)
{
    static const char hex[] = "0123456789abcdef";
    size_t from = 0;
    buf_char(b, '"');
    for (size_t i = 0; i < n; i++) {
        unsigned char c = (unsigned char)s[i];
        if (c >= ' ' && c != '"' && c != '\\')
            continue;
        char escaped[] = {'\\', 'u', '0', '0', hex[c >> 4], hex[c & 15]};
        bool mark = c >= ' ';
        buf_add(b, s + from, i - from);
        if (mark)
            escaped[1] = (char)c;
        buf_add(b, escaped, mark ? 2 : sizeof(escaped));
        from = i + 1;
    }
    buf_add(b, s + from, n - from);
    buf_char(b, '"');
}

static void json_write_int(struct buf *b, int64_t v)
{
    char digits[24];
    size_t at = sizeof(digits);
    uint64_t left = v < 0 ? 0 - (uint64_t)v : (uint64_t)v;
    do
        digits[--at] = (char)('0' + left % 10);
    while (left /= 10);
    if (v < 0)
        digits[--at] = '-';
    buf_add(b, digits + at, sizeof(digits) - at);
}

static void json_write_object(struct buf *b, const json_t *v)
{
    const char *sep = "{", *key;
    const json_t *item;
    json_object_foreach((json_t *)v, key, item) {
        buf_char(b, *sep);
        json_write_string(b, key, strlen(key));
        buf_char(b, ':');
        json_write(b, item);
        sep = ",";
    }
    buf_str(b, *sep == '{' ? "{}" : "}");
}

static void json_write_array(struct buf *b, const json_t *v)
{
    const json_t *item;
    size_t i;
    buf_char(b, '[');
    json_array_foreach((json_t *)v, i, item) {
        if (i)
            buf_char(b, ',');
        json_write(b, item);
    }
    buf_char(b, ']');
}

void json_write(struct buf *b, const json_t *v)
{
    char real[64];
    switch (json_typeof(v)) {
    case JSON_OBJECT:
        json_write_object(b, v);
        break;
    case JSON_ARRAY:
        json_write_array(b, v);
        break;
    case JSON_STRING:
        json_write_string(b, json_string_value(v), json_string_length(v));
        break;
    case JSON_INTEGER:
        json_write_int(b, json_integer_value(v));
        break;
    case JSON_REAL:
        buf_add(b, real, json_dumpb(v, real, sizeof(real), JSON_ENCODE_ANY));
        break;
    case JSON_TRUE:
        buf_str(b, "true");
        break;
    case JSON_FALSE:
        buf_str(b, "false");
        break;
    case JSON_NULL:
        buf_str(b, "null");
        break;
    }
}

char *json_line(const json_t *v)
{
    struct buf b;
    buf_init(&b, SIZE_MAX / 4);
    json_write(&b, v);
    return b.data;
}

void json_cleanup(json_t **v)
{
    json_decref(*v);
}
