/* SPDX-License-Identifier: ISC
 *
 * sms_text - see sms_text.h
 */
#include "crm/sms_text.h"

#include <string.h>

#include "base/mem.h"

/* The default table outside of ASCII, and what of ASCII is not in it. */
static const uint16_t gsm_more[] = {
    0xa3, 0xa5, 0xe8, 0xe9, 0xf9, 0xec, 0xf2, 0xc7, 0xd8, 0xf8, 0xc5, 0xe5, 0x394, 0x3a6, 0x393,
    0x39b, 0x3a9, 0x3a0, 0x3a8, 0x3a3, 0x398, 0x39e, 0xc6, 0xe6, 0xdf, 0xc9, 0xa4, 0xa1, 0xc4,
    0xd6, 0xd1, 0xdc, 0xa7, 0xbf, 0xe4, 0xf6, 0xf1, 0xfc, 0xe0,
};
static const char gsm_escaped[] = "^{}\\[~]|\f"; /* and the euro sign */

/* What people's programs write by themselves, and accents that GSM has not. */
static const struct {
    uint16_t odd;
    const char *instead;
} instead_of[] = {
    {0x2018, "'"}, {0x2019, "'"}, {0x201a, "'"}, {0x2039, "'"}, {0x203a, "'"}, {0x60, "'"},
    {0xb4, "'"},   {0x201c, "\""}, {0x201d, "\""}, {0x201e, "\""}, {0xab, "\""}, {0xbb, "\""},
    {0x2010, "-"}, {0x2011, "-"}, {0x2012, "-"}, {0x2013, "-"}, {0x2014, "-"}, {0x2212, "-"},
    {0x2026, "..."}, {0xa0, " "}, {0x2009, " "}, {0x202f, " "}, {0x9, " "}, {0x2022, "*"},
    {0xb7, "*"},   {0xd7, "x"}, {0xa9, "(c)"}, {0xae, "(R)"}, {0x2122, "(TM)"}, {0xb0, "o"},
    {0xe1, "a"},   {0xe2, "a"}, {0xe3, "a"}, {0x101, "a"}, {0x103, "a"}, {0x105, "a"}, {0xe7, "c"},
    {0x107, "c"},  {0x10d, "c"}, {0x10f, "d"}, {0xea, "e"}, {0xeb, "e"}, {0x119, "e"}, {0x11b, "e"},
    {0xed, "i"},   {0xee, "i"}, {0xef, "i"}, {0x142, "l"}, {0x144, "n"}, {0x148, "n"}, {0xf3, "o"},
    {0xf4, "o"},   {0xf5, "o"}, {0x151, "o"}, {0x159, "r"}, {0x15b, "s"}, {0x161, "s"}, {0x15f, "s"},
    {0x165, "t"},  {0xfa, "u"}, {0xfb, "u"}, {0x16f, "u"}, {0x171, "u"}, {0xfd, "y"}, {0x17a, "z"},
    {0x17c, "z"},  {0x17e, "z"}, {0xc0, "A"}, {0xc1, "A"}, {0xc2, "A"}, {0xc8, "E"}, {0xca, "E"},
    {0xcd, "I"},   {0xd3, "O"}, {0xd4, "O"}, {0x150, "O"}, {0xda, "U"}, {0xdb, "U"}, {0x170, "U"},
    {0x160, "S"},  {0x17d, "Z"}, {0x10c, "C"}, {0x106, "C"}, {0x141, "L"}, {0x130, "I"}, {0x131, "i"},
    {0xad, ""},    {0x200b, ""}, {0xfeff, ""},
};

/* Septets of a character in the GSM alphabet; 0: it is not in there. */
static unsigned gsm_septets(uint32_t c)
{
    if (c == 0x20ac || (c < 0x80 && c && strchr(gsm_escaped, (int)c)))
        return 2;
    if (c == '\n' || c == '\r' || (c >= 0x20 && c < 0x7f))
        return c != '`';
    for (size_t i = 0; i < ARRAY_LEN(gsm_more); i++)
        if (gsm_more[i] == c)
            return 1;
    return 0;
}

/* The next character, and how many bytes it has; a byte that is no UTF-8 is U+FFFD. */
static uint32_t utf8_next(const unsigned char *p, size_t *n)
{
    unsigned len = *p < 0x80 ? 1 : *p >= 0xf0 ? 4 : *p >= 0xe0 ? 3 : *p >= 0xc0 ? 2 : 0;
    uint32_t c = len == 1 ? *p : *p & (0x7fu >> len);
    *n = 1;
    for (unsigned i = 1; i < len; i++) {
        if ((p[i] & 0xc0) != 0x80)
            return 0xfffd;
        c = c << 6 | (p[i] & 0x3f);
    }
    if (len == 0 || c > 0x10ffff)
        return 0xfffd;
    *n = len;
    return c;
}

static void odd_note(struct sms_count *out, uint32_t c, const unsigned char *p, size_t n)
{
    if (out->odd_count++ > 0) {
        if (strncmp(out->odd, (const char *)p, n) != 0 || out->odd[n])
            out->odd_kinds = 2;
        return;
    }
    out->odd_kinds = 1;
    memcpy(out->odd, p, n);
    for (size_t i = 0; i < ARRAY_LEN(instead_of); i++)
        if (instead_of[i].odd == c)
            out->instead = instead_of[i].instead;
}

/* Bytes of text that fit into so many parts of `room` units, of a text that is to be cut
 * into parts; parts_out: how many they take. */
static size_t parts(const char *text, enum sms_encoding enc, unsigned room, unsigned most,
                    unsigned *parts_out)
{
    const unsigned char *p = (const unsigned char *)text;
    unsigned used = 0, count = *p ? 1 : 0;
    for (size_t n; *p; p += n) {
        uint32_t c = utf8_next(p, &n);
        unsigned units = enc == SMS_UCS2 ? 1 + (c > 0xffff) : gsm_septets(c);
        if (used + units > room) {
            if (count == most)
                break;
            count++;
            used = 0;
        }
        used += units;
    }
    *parts_out = count;
    return (size_t)((const char *)p - text);
}

void sms_count(const char *text, struct sms_count *out)
{
    unsigned septets = 0, wide = 0;
    *out = (struct sms_count){.encoding = SMS_GSM7};
    for (const unsigned char *p = (const unsigned char *)text; *p;) {
        size_t n;
        uint32_t c = utf8_next(p, &n);
        unsigned s = gsm_septets(c);
        septets += s;
        wide += 1 + (c > 0xffff);
        if (s == 0) {
            out->encoding = SMS_UCS2;
            odd_note(out, c, p, n);
        }
        p += n;
    }
    out->units = out->encoding == SMS_GSM7 ? septets : wide;
    out->segments = out->units > 0;
    if (out->units > (out->encoding == SMS_GSM7 ? 160u : 70u))
        parts(text, out->encoding, out->encoding == SMS_GSM7 ? 153 : 67, 0, &out->segments);
}

size_t sms_cut(const char *text, unsigned segments)
{
    struct sms_count c;
    unsigned n;
    sms_count(text, &c);
    if (c.segments <= segments)
        return strlen(text);
    bool gsm = c.encoding == SMS_GSM7;
    unsigned room = segments == 1 ? (gsm ? 160 : 70) : (gsm ? 153 : 67);
    return parts(text, c.encoding, room, segments, &n);
}

const char *sms_encoding_name(enum sms_encoding e)
{
    return e == SMS_GSM7 ? "gsm7" : "ucs2";
}
