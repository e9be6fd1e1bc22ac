/* SPDX-License-Identifier: ISC
 *
 * fold - Unicode case folding for comparisons (see field.h)
 *
 * ASCII, which most fields are, never reaches ICU. Folding is not done piece
 * by piece: a letter and a combining mark behind it may become one.
 */
#include "rule/field.h"

#include <string.h>
#include <unicode/unorm2.h>
#include <unicode/ustring.h>

#include "base/bounds.h"
#include "base/mem.h"
#include "base/text.h"

static bool fold_ascii(const char *s, size_t n, struct buf *out)
{
    for (size_t i = 0; i < n; i++)
        if ((unsigned char)s[i] >= 0x80)
            return false;
    size_t at = out->len;
    if (buf_add(out, s, n) == 0)
        for (size_t i = at; i < out->len; i++)
            if (out->data[i] >= 'A' && out->data[i] <= 'Z')
                out->data[i] = (char)(out->data[i] + 32);
    return true;
}

/* UTF-8 to UTF-16, U+FFFD for what is none; own. */
static UChar *fold_to_u16(const char *s, size_t n, int32_t *len_out)
{
    UErrorCode ec = U_ZERO_ERROR;
    UChar *u = mem_array(n + 1, sizeof(*u)); /* never more units than bytes */
    u_strFromUTF8WithSub(u, (int32_t)n + 1, len_out, s, (int32_t)n, 0xfffd, NULL, &ec);
    LEADD_ASSERT(U_SUCCESS(ec));
    return u;
}

static UChar *fold_u16(const UChar *u, int32_t n, int32_t *len_out)
{
    UErrorCode ec = U_ZERO_ERROR;
    const UNormalizer2 *fold = unorm2_getNFKCCasefoldInstance(&ec);
    LEADD_ASSERT(U_SUCCESS(ec));
    int32_t cap = n + n / 2 + 16;
    UChar *out = mem_array((size_t)cap, sizeof(*out));
    *len_out = unorm2_normalize(fold, u, n, out, cap, &ec);
    if (ec == U_BUFFER_OVERFLOW_ERROR) {
        mem_free(out);
        ec = U_ZERO_ERROR;
        cap = *len_out + 1;
        out = mem_array((size_t)cap, sizeof(*out));
        *len_out = unorm2_normalize(fold, u, n, out, cap, &ec);
    }
    LEADD_ASSERT(U_SUCCESS(ec));
    return out;
}

void rule_fold(const char *s, size_t n, struct buf *out)
{
    if (fold_ascii(s, n, out))
        return;
    n = text_utf8_cut(s, n, BOUND_FOLD_BYTES);
    int32_t u_len, f_len, len;
    UErrorCode ec = U_ZERO_ERROR;
    AUTO_FREE UChar *u = fold_to_u16(s, n, &u_len);
    AUTO_FREE UChar *f = fold_u16(u, u_len, &f_len);
    size_t cap = (size_t)f_len * 3 + 1; /* a unit is at most three bytes */
    AUTO_FREE char *bytes = mem_alloc(cap);
    u_strToUTF8WithSub(bytes, (int32_t)cap, &len, f, f_len, 0xfffd, NULL, &ec);
    LEADD_ASSERT(U_SUCCESS(ec));
    buf_add(out, bytes, (size_t)len);
}

bool rule_fold_equal(const char *a, const char *b)
{
    struct buf fa AUTO_BUF, fb AUTO_BUF;
    buf_init(&fa, BOUND_FOLD_BYTES);
    buf_init(&fb, BOUND_FOLD_BYTES);
    rule_fold(a, strlen(a), &fa);
    rule_fold(b, strlen(b), &fb);
    return fa.len == fb.len && memcmp(fa.data, fb.data, fa.len) == 0;
}
