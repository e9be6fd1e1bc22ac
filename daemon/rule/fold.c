/* SPDX-License-Identifier: ISC
 *
 * fold - Unicode case folding for comparisons (see field.h)
 *
 * What is ASCII, Latin letters and common signs, as most texts are, never reaches
 * ICU. Other text goes there whole: a letter and a combining mark behind it may
 * become one. Text that is too long for the buffer is cut.
 */
#include "rule/field.h"

#include <string.h>
#include <unicode/unorm2.h>
#include <unicode/ustring.h>

#include "base/bounds.h"
#include "base/mem.h"
#include "base/text.h"

/* What becomes of one character, where no other combines with it. */
#define FOLD_LATIN 0xa0 /* .. 0x17f */
static const char fold_latin[224][8] = {
    " ", "\xc2\xa1", "\xc2\xa2", "\xc2\xa3", "\xc2\xa4", "\xc2\xa5", "\xc2\xa6", "\xc2\xa7",
    " \xcc\x88", "\xc2\xa9", "a", "\xc2\xab", "\xc2\xac", "", "\xc2\xae", " \xcc\x84",
    "\xc2\xb0", "\xc2\xb1", "2", "3", " \xcc\x81", "\xce\xbc", "\xc2\xb6", "\xc2\xb7",
    " \xcc\xa7", "1", "o", "\xc2\xbb", "1\xe2\x81\x84" "4", "1\xe2\x81\x84" "2",
    "3\xe2\x81\x84" "4", "\xc2\xbf", "\xc3\xa0", "\xc3\xa1", "\xc3\xa2", "\xc3\xa3", "\xc3\xa4",
    "\xc3\xa5", "\xc3\xa6", "\xc3\xa7", "\xc3\xa8", "\xc3\xa9", "\xc3\xaa", "\xc3\xab",
    "\xc3\xac", "\xc3\xad", "\xc3\xae", "\xc3\xaf", "\xc3\xb0", "\xc3\xb1", "\xc3\xb2",
    "\xc3\xb3", "\xc3\xb4", "\xc3\xb5", "\xc3\xb6", "\xc3\x97", "\xc3\xb8", "\xc3\xb9",
    "\xc3\xba", "\xc3\xbb", "\xc3\xbc", "\xc3\xbd", "\xc3\xbe", "ss", "\xc3\xa0", "\xc3\xa1",
    "\xc3\xa2", "\xc3\xa3", "\xc3\xa4", "\xc3\xa5", "\xc3\xa6", "\xc3\xa7", "\xc3\xa8",
    "\xc3\xa9", "\xc3\xaa", "\xc3\xab", "\xc3\xac", "\xc3\xad", "\xc3\xae", "\xc3\xaf",
    "\xc3\xb0", "\xc3\xb1", "\xc3\xb2", "\xc3\xb3", "\xc3\xb4", "\xc3\xb5", "\xc3\xb6",
    "\xc3\xb7", "\xc3\xb8", "\xc3\xb9", "\xc3\xba", "\xc3\xbb", "\xc3\xbc", "\xc3\xbd",
    "\xc3\xbe", "\xc3\xbf", "\xc4\x81", "\xc4\x81", "\xc4\x83", "\xc4\x83", "\xc4\x85",
    "\xc4\x85", "\xc4\x87", "\xc4\x87", "\xc4\x89", "\xc4\x89", "\xc4\x8b", "\xc4\x8b",
    "\xc4\x8d", "\xc4\x8d", "\xc4\x8f", "\xc4\x8f", "\xc4\x91", "\xc4\x91", "\xc4\x93",
    "\xc4\x93", "\xc4\x95", "\xc4\x95", "\xc4\x97", "\xc4\x97", "\xc4\x99", "\xc4\x99",
    "\xc4\x9b", "\xc4\x9b", "\xc4\x9d", "\xc4\x9d", "\xc4\x9f", "\xc4\x9f", "\xc4\xa1",
    "\xc4\xa1", "\xc4\xa3", "\xc4\xa3", "\xc4\xa5", "\xc4\xa5", "\xc4\xa7", "\xc4\xa7",
    "\xc4\xa9", "\xc4\xa9", "\xc4\xab", "\xc4\xab", "\xc4\xad", "\xc4\xad", "\xc4\xaf",
    "\xc4\xaf", "i\xcc\x87", "\xc4\xb1", "ij", "ij", "\xc4\xb5", "\xc4\xb5", "\xc4\xb7",
    "\xc4\xb7", "\xc4\xb8", "\xc4\xba", "\xc4\xba", "\xc4\xbc", "\xc4\xbc", "\xc4\xbe",
    "\xc4\xbe", "l\xc2\xb7", "l\xc2\xb7", "\xc5\x82", "\xc5\x82", "\xc5\x84", "\xc5\x84",
    "\xc5\x86", "\xc5\x86", "\xc5\x88", "\xc5\x88", "\xca\xbcn", "\xc5\x8b", "\xc5\x8b",
    "\xc5\x8d", "\xc5\x8d", "\xc5\x8f", "\xc5\x8f", "\xc5\x91", "\xc5\x91", "\xc5\x93",
    "\xc5\x93", "\xc5\x95", "\xc5\x95", "\xc5\x97", "\xc5\x97", "\xc5\x99", "\xc5\x99",
    "\xc5\x9b", "\xc5\x9b", "\xc5\x9d", "\xc5\x9d", "\xc5\x9f", "\xc5\x9f", "\xc5\xa1",
    "\xc5\xa1", "\xc5\xa3", "\xc5\xa3", "\xc5\xa5", "\xc5\xa5", "\xc5\xa7", "\xc5\xa7",
    "\xc5\xa9", "\xc5\xa9", "\xc5\xab", "\xc5\xab", "\xc5\xad", "\xc5\xad", "\xc5\xaf",
    "\xc5\xaf", "\xc5\xb1", "\xc5\xb1", "\xc5\xb3", "\xc5\xb3", "\xc5\xb5", "\xc5\xb5",
    "\xc5\xb7", "\xc5\xb7", "\xc3\xbf", "\xc5\xba", "\xc5\xba", "\xc5\xbc", "\xc5\xbc",
    "\xc5\xbe", "\xc5\xbe", "s",
};
#define FOLD_SIGNS 0x2010 /* dashes, quotes, dots .. 0x2027 */
static const char fold_signs[24][8] = {
    "\xe2\x80\x90", "\xe2\x80\x90", "\xe2\x80\x92", "\xe2\x80\x93", "\xe2\x80\x94",
    "\xe2\x80\x95", "\xe2\x80\x96", " \xcc\xb3", "\xe2\x80\x98", "\xe2\x80\x99", "\xe2\x80\x9a",
    "\xe2\x80\x9b", "\xe2\x80\x9c", "\xe2\x80\x9d", "\xe2\x80\x9e", "\xe2\x80\x9f",
    "\xe2\x80\xa0", "\xe2\x80\xa1", "\xe2\x80\xa2", "\xe2\x80\xa3", ".", "..", "...",
    "\xe2\x80\xa7",
};
#define FOLD_SOFT_HYPHEN 0xad

/* The fold of the character at s, NULL when ICU must see the text; n_out: its bytes. */
static const char *fold_known(const unsigned char *s, size_t n, size_t *n_out)
{
    if (n >= 2 && s[0] >= 0xc2 && s[0] <= 0xc5 && (s[1] & 0xc0) == 0x80) {
        unsigned c = (s[0] & 0x1fu) << 6 | (s[1] & 0x3fu);
        *n_out = 2;
        return c < FOLD_LATIN || c == FOLD_SOFT_HYPHEN ? NULL : fold_latin[c - FOLD_LATIN];
    }
    if (n >= 3 && s[0] == 0xe2 && s[1] == 0x80 && s[2] >= 0x90 && s[2] <= 0xa7) {
        *n_out = 3;
        return fold_signs[(s[2] & 0x3fu) + 0x2000 - FOLD_SIGNS];
    }
    if (n >= 3 && memcmp(s, "\xe2\x82\xac", 3) == 0) {
        *n_out = 3;
        return "\xe2\x82\xac";
    }
    return NULL;
}

/* Bytes from i on that are ASCII. */
static size_t fold_ascii_run(const unsigned char *s, size_t i, size_t n)
{
    size_t from = i;
    for (uint64_t w; i + 8 <= n; i += 8) {
        memcpy(&w, s + i, 8);
        if (w & UINT64_C(0x8080808080808080))
            break;
    }
    while (i < n && s[i] < 0x80)
        i++;
    return i - from;
}

/* Apart, for no store may reach what it reads: so it is done many bytes at a time. */
static void fold_ascii(unsigned char *s, size_t n)
{
    for (size_t i = 0; i < n; i++)
        s[i] = (unsigned char)(s[i] | (unsigned char)((unsigned char)(s[i] - 'A') < 26) << 5);
}

/* Text of ASCII and of characters that fold one by one; none of them combines with
 * another. False, and nothing is added, when there is anything else. */
static bool fold_simple(const char *text, size_t n, struct buf *out)
{
    const unsigned char *s = (const unsigned char *)text;
    size_t start = out->len;
    for (size_t i = 0, used; i < n; i += used) {
        used = fold_ascii_run(s, i, n);
        size_t at = out->len;
        if (used > 0 && buf_add(out, text + i, used) == 0)
            fold_ascii((unsigned char *)out->data + at, used);
        if (used > 0)
            continue;
        const char *fold = fold_known(s + i, n - i, &used);
        if (!fold) {
            out->len = start;
            out->data[start] = '\0';
            return false;
        }
        buf_str(out, fold);
    }
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
    n = text_utf8_cut(s, n, BOUND_FOLD_BYTES);
    if (fold_simple(s, n, out))
        return;
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
