/* SPDX-License-Identifier: ISC
 *
 * stamp - see stamp.h
 */
#include "web/stamp.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/hash.h"
#include "base/mem.h"
#include "base/text.h"
#include "base/units.h"

#define STAMP_MAX_MS DAY_MS

void stamp_make(const unsigned char key[STAMP_KEY], const char *form, int64_t now_ms,
                char out[STAMP_LEN])
{
    char token[HASH_TOKEN_LEN];
    AUTO_FREE char *text = mem_printf("%s %" PRId64, form, now_ms);
    hash_token(key, STAMP_KEY, "stamp", text, token);
    snprintf(out, STAMP_LEN, "%" PRId64 ".%s", now_ms, token);
}

int64_t stamp_age(const unsigned char key[STAMP_KEY], const char *form, const char *stamp,
                  int64_t now_ms)
{
    char whole[STAMP_LEN];
    int64_t at;
    size_t n = strcspn(stamp, ".");
    if (n == 0 || n > 18)
        return -1;
    AUTO_FREE char *number = mem_strn(stamp, n);
    if (text_parse_int(number, &at) < 0 || at > now_ms || now_ms - at > STAMP_MAX_MS)
        return -1;
    stamp_make(key, form, at, whole);
    return text_equal_ct(whole, stamp) ? now_ms - at : -1;
}
