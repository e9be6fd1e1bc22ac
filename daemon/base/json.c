/* SPDX-License-Identifier: ISC
 *
 * json - see json.h
 */
#include "base/json.h"

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

void json_cleanup(json_t **v)
{
    json_decref(*v);
}
