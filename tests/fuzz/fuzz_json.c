/* SPDX-License-Identifier: ISC
 *
 * fuzz_json - any bytes as JSON from outside
 *
 * What is taken is no deeper and no longer than allowed, holds only valid text
 * without NUL, and its own text reads back as the same value.
 */
#include <stdint.h>
#include <string.h>

#include "base/bounds.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_text(const char *s, size_t n)
{
    LEADD_ASSERT(strlen(s) == n && text_is_utf8(s, n));
}

static void check_value(const json_t *v, int depth)
{
    const char *key;
    json_t *item;
    size_t i;
    LEADD_ASSERT(depth <= BOUND_JSON_DEPTH);
    if (json_is_string(v))
        check_text(json_string_value(v), json_string_length(v));
    json_array_foreach (v, i, item)
        check_value(item, depth + 1);
    json_object_foreach ((json_t *)v, key, item) {
        check_text(key, strlen(key));
        check_value(item, depth + 1);
    }
}

/* The getters give what they promise whatever is there. */
static void check_getters(const json_t *v)
{
    const char *key;
    json_t *item;
    json_object_foreach ((json_t *)v, key, item) {
        LEADD_ASSERT(json_get_str(v, key, "no"));
        LEADD_ASSERT(json_is_integer(item) || json_get_int(v, key, -7) == -7);
        LEADD_ASSERT(json_is_true(item) || !json_get_bool(v, key, false));
        LEADD_ASSERT(json_get_obj(v, key) == (json_is_object(item) ? item : NULL));
        LEADD_ASSERT(json_get_arr(v, key) == (json_is_array(item) ? item : NULL));
    }
    LEADD_ASSERT(json_get_int(v, "\x01", 5) == 5 && !json_get_obj(v, "\x01"));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct err e = {0};
    AUTO_JSON json_t *v = json_load_bounded((const char *)data, size, KIB(32), &e);
    LEADD_ASSERT(v ? size <= KIB(32) : e.cls != ERR_NONE && e.text[0] && text_is_single_line(e.text));
    if (!v)
        return 0;
    check_value(v, 0);
    check_getters(v);
    AUTO_FREE char *text = json_text(v);
    AUTO_JSON json_t *again = json_load_bounded(text, strlen(text), MIB(4), &e);
    LEADD_ASSERT(again && json_equal(v, again));
    return 0;
}
