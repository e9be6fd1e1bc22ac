/* SPDX-License-Identifier: ISC
 *
 * charset - see charset.h
 */
#include "mail/charset.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <unicode/ucnv.h>
#include <unicode/ucnv_err.h>
#include <unicode/ucsdet.h>
#include <unicode/ustring.h>

#include "base/bounds.h"
#include "base/mem.h"
#include "base/text.h"

#define LABEL_MAX 64
#define DETECT_BYTES KIB(16)
#define DETECT_CONFIDENCE 30
#define SHORT_TEXT 40
#define HINT_TEXT 1000 /* header values and names, no texts */

/* Labels as mail has them -> the superset that their senders really write. */
static const struct {
    const char *label, *icu;
} aliases[] = {
    {"utf8", "utf-8"},           {"unicode-1-1-utf-8", "utf-8"}, {"unicode-1-1-utf-7", "utf-7"},
    {"iso-8859-1", "windows-1252"}, {"iso8859-1", "windows-1252"}, {"iso_8859-1", "windows-1252"},
    {"latin1", "windows-1252"},  {"latin-1", "windows-1252"},    {"cp-1252", "windows-1252"},
    {"win-1252", "windows-1252"}, {"ansi", "windows-1252"},
    {"windows-latin-1", "windows-1252"},
    {"iso-8859-9", "windows-1254"}, {"iso-8859-8-i", "iso-8859-8"}, {"iso-8859-8-e", "iso-8859-8"},
    {"iso-8859-11", "windows-874"}, {"tis-620", "windows-874"},
    {"gb2312", "gb18030"},       {"gbk", "gb18030"},             {"x-gbk", "gb18030"},
    {"gb_2312-80", "gb18030"},   {"euc-cn", "gb18030"},          {"x-euc-cn", "gb18030"},
    {"cp936", "gb18030"},        {"hz-gb-2312", "hz-gb-2312"},
    {"big5", "big5-hkscs"},      {"x-x-big5", "big5-hkscs"},     {"cp950", "big5-hkscs"},
    {"ks_c_5601-1987", "windows-949"}, {"ks_c_5601", "windows-949"}, {"euc-kr", "windows-949"},
    {"ksc5601", "windows-949"},  {"korean", "windows-949"},      {"x-windows-949", "windows-949"},
    {"shift_jis", "windows-31j"}, {"shift-jis", "windows-31j"},  {"x-sjis", "windows-31j"},
    {"sjis", "windows-31j"},     {"cp932", "windows-31j"},       {"ms_kanji", "windows-31j"},
    {"iso-2022-jp", "iso-2022-jp-2"}, {"cp50220", "iso-2022-jp-2"}, {"cp50221", "iso-2022-jp-2"},
    {"x-mac-roman", "macintosh"}, {"mac", "macintosh"},          {"koi8-ru", "koi8-u"},
    {"cp1251", "windows-1251"},  {"win-1251", "windows-1251"},   {"win1251", "windows-1251"},
};

/* Labels that say nothing. */
static const char *const empty_labels[] = {
    "us-ascii", "ascii", "ansi_x3.4-1968", "iso-ir-6", "x-unknown", "unknown", "unknown-8bit",
    "default", "none", "x-user-defined", "8bit", "7bit", "binary", "_autodetect", "auto",
    "iso-8859-1-none",
};

static void label_clean(const char *label, char out[LABEL_MAX])
{
    size_t n = 0;
    for (; label && *label && n + 1 < LABEL_MAX; label++) {
        char ch = *label;
        if (ch >= 'A' && ch <= 'Z')
            ch = (char)(ch + 32);
        if ((ch >= 'a' && ch <= 'z') || (ch >= '0' && ch <= '9') || strchr("-_.:+", ch))
            out[n++] = ch;
    }
    out[n] = '\0';
}

static bool label_says_nothing(const char *label)
{
    for (size_t i = 0; i < ARRAY_LEN(empty_labels); i++)
        if (strcmp(label, empty_labels[i]) == 0)
            return true;
    return *label == '\0';
}

static const char *label_icu(const char *label)
{
    for (size_t i = 0; i < ARRAY_LEN(aliases); i++)
        if (strcmp(label, aliases[i].label) == 0)
            return aliases[i].icu;
    return label;
}

struct counted {
    size_t wrong;
};

static void count_wrong(const void *ctx, UConverterToUnicodeArgs *args, const char *units,
                        int32_t length, UConverterCallbackReason reason, UErrorCode *code)
{
    struct counted *k = (struct counted *)ctx;
    if (reason <= UCNV_IRREGULAR)
        k->wrong++;
    UCNV_TO_U_CALLBACK_SUBSTITUTE(NULL, args, units, length, reason, code);
}

/* A converter under this name that counts into k, or NULL. */
static UConverter *converter_open(const char *name, struct counted *k)
{
    UErrorCode code = U_ZERO_ERROR;
    UConverter *cv = ucnv_open(name, &code);
    if (U_FAILURE(code))
        return NULL;
    ucnv_setToUCallBack(cv, count_wrong, k, NULL, NULL, &code);
    return cv;
}

static void add_utf16(struct buf *out, const UChar *u, int32_t n)
{
    UErrorCode code = U_ZERO_ERROR;
    int32_t cap = n * 3 + 4, len = 0;
    AUTO_FREE char *utf8 = mem_alloc((size_t)cap);
    u_strToUTF8WithSub(utf8, cap, &len, u, n, 0xfffd, NULL, &code);
    if (U_SUCCESS(code))
        text_add_utf8(out, utf8, (size_t)len);
}

/* Converts all of p; the converter's counter learns what was not valid. */
static void convert(UConverter *cv, struct buf *out, const char *p, size_t n)
{
    UChar chunk[2048];
    const char *src = p, *end = p + n;
    size_t have = 0, cap = n + 64;
    AUTO_FREE UChar *all = mem_array(cap, sizeof(UChar));
    UErrorCode code;
    do {
        UChar *dst = chunk;
        code = U_ZERO_ERROR;
        ucnv_toUnicode(cv, &dst, chunk + ARRAY_LEN(chunk), &src, end, NULL, true, &code);
        size_t got = (size_t)(dst - chunk);
        if (have + got > cap) {
            cap = (have + got) * 2;
            all = mem_grow(all, cap * sizeof(UChar));
        }
        memcpy(all + have, chunk, got * sizeof(UChar));
        have += got;
    } while (code == U_BUFFER_OVERFLOW_ERROR);
    add_utf16(out, all, (int32_t)have);
}

static bool is_ascii(const char *p, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if ((unsigned char)p[i] >= 0x80)
            return false;
    return true;
}

/* Escapes of ISO-2022 and HZ are 7-bit: without a label they look like ASCII. */
static bool has_escape(const char *p, size_t n)
{
    for (const char *e = memchr(p, 0x1b, n); e; e = memchr(e + 1, 0x1b, n - (size_t)(e + 1 - p)))
        if ((size_t)(e - p) + 2 < n && (e[1] == '$' || e[1] == '('))
            return true;
    return false;
}

/* A detector knows nothing about six letters with one umlaut. */
static bool is_short_western(const char *p, size_t n)
{
    size_t high = 0;
    for (size_t i = 0; i < n && n <= SHORT_TEXT; i++)
        high += (unsigned char)p[i] >= 0x80;
    return n <= SHORT_TEXT && high * 4 <= n && !has_escape(p, n);
}

/* Could the charset that the mail's text declares have produced these bytes? */
static bool fits_hint(const struct mail_ctx *c, const char *p, size_t n)
{
    struct counted k = {0};
    UConverter *cv = *c->charset && n <= HINT_TEXT ? converter_open(label_icu(c->charset), &k)
                                                   : NULL;
    if (!cv)
        return false;
    AUTO_BUF struct buf b;
    buf_init(&b, n * 4 + 64);
    convert(cv, &b, p, n);
    ucnv_close(cv);
    return k.wrong == 0;
}

static void detect_name(const struct mail_ctx *c, const char *p, size_t n, char name[LABEL_MAX])
{
    UErrorCode code = U_ZERO_ERROR;
    if (text_is_utf8(p, n) && !has_escape(p, n)) {
        snprintf(name, LABEL_MAX, "utf-8");
        return;
    }
    if (fits_hint(c, p, n)) {
        snprintf(name, LABEL_MAX, "%s", c->charset);
        return;
    }
    snprintf(name, LABEL_MAX, "windows-1252");
    UCharsetDetector *d = is_short_western(p, n) ? NULL : ucsdet_open(&code);
    if (!d || U_FAILURE(code))
        return;
    ucsdet_setText(d, p, (int32_t)(n < DETECT_BYTES ? n : DETECT_BYTES), &code);
    const UCharsetMatch *m = ucsdet_detect(d, &code);
    if (U_SUCCESS(code) && m && ucsdet_getConfidence(m, &code) >= DETECT_CONFIDENCE)
        snprintf(name, LABEL_MAX, "%s", ucsdet_getName(m, &code));
    ucsdet_close(d);
}

static void detect(struct mail_ctx *c, struct buf *out, const char *p, size_t n,
                   const char *declared, const char *what)
{
    char name[LABEL_MAX];
    detect_name(c, p, n, name);
    char clean[LABEL_MAX];
    label_clean(name, clean);
    struct counted k = {0};
    UConverter *cv = converter_open(label_icu(clean), &k);
    if (!cv)
        cv = converter_open("windows-1252", &k);
    if (*declared)
        mail_defect(c, "%s is not in its declared charset %s: read as %s", what, declared, clean);
    else
        mail_defect(c, "%s declares no charset: read as %s", what, clean);
    if (cv) {
        convert(cv, out, p, n);
        ucnv_close(cv);
    } else {
        text_add_utf8(out, p, n);
    }
}

/* Reads p by its label. False, with nothing added, when the label is unknown or
 * can hardly be right. */
static bool read_declared(struct mail_ctx *c, struct buf *out, const char *p, size_t n,
                          const char *label, const char *what)
{
    struct counted k = {0};
    UConverter *cv = converter_open(label_icu(label), &k);
    if (!cv)
        return false;
    bool single = ucnv_getMaxCharSize(cv) == 1;
    bool utf8 = text_is_utf8(p, n);
    if (single && utf8 && !is_ascii(p, n)) {
        mail_defect(c, "%s is declared as %s but is UTF-8: read as UTF-8", what, label);
        text_add_utf8(out, p, n);
        ucnv_close(cv);
        return true;
    }
    AUTO_BUF struct buf b;
    buf_init(&b, n * 4 + 64);
    convert(cv, &b, p, n);
    ucnv_close(cv);
    if (k.wrong && utf8 && !has_escape(p, n)) {
        mail_defect(c, "%s is declared as %s but is UTF-8: read as UTF-8", what, label);
        text_add_utf8(out, p, n);
        return true;
    }
    if (k.wrong > 1 && k.wrong > n / 50)
        return false;
    if (k.wrong)
        mail_defect(c, "%s has bytes that are not %s: shown as U+FFFD", what, label);
    buf_add(out, b.data, text_utf8_cut(b.data, b.len, out->max - out->len));
    return true;
}

void mail_to_utf8(struct mail_ctx *c, struct buf *out, const char *p, size_t n, const char *label,
                  const char *what)
{
    char clean[LABEL_MAX];
    label_clean(label, clean);
    mail_late(c, n * 2);
    bool none = label_says_nothing(clean);
    if (n >= 3 && memcmp(p, "\xef\xbb\xbf", 3) == 0 && text_is_utf8(p, n))
        p += 3, n -= 3;
    if (none && is_ascii(p, n) && !has_escape(p, n)) {
        text_add_utf8(out, p, n);
    } else if ((none || strcmp(label_icu(clean), "utf-8") == 0) && text_is_utf8(p, n) &&
               !has_escape(p, n)) {
        if (none)
            mail_defect(c, "%s declares no charset for 8-bit text: read as UTF-8", what);
        text_add_utf8(out, p, n);
    } else if (none || !read_declared(c, out, p, n, clean, what)) {
        detect(c, out, p, n, none ? "" : clean, what);
    }
}

void mail_charset_hint(struct mail_ctx *c, const char *label)
{
    char clean[LABEL_MAX];
    label_clean(label, clean);
    if (!label_says_nothing(clean) && strcmp(label_icu(clean), "utf-8") != 0)
        memcpy(c->charset, clean, sizeof(c->charset));
}

void mail_charset_warm_up(void)
{
    struct counted k = {0};
    UErrorCode code = U_ZERO_ERROR;
    for (size_t i = 0; i < ARRAY_LEN(aliases); i++) {
        UConverter *cv = converter_open(aliases[i].icu, &k);
        if (cv)
            ucnv_close(cv);
    }
    UCharsetDetector *d = ucsdet_open(&code);
    if (U_SUCCESS(code)) {
        ucsdet_setText(d, "h\xe9llo w\xf6rld, wie gehts dir \xfc", 28, &code);
        ucsdet_detect(d, &code);
        ucsdet_close(d);
    }
}
