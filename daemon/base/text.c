/* SPDX-License-Identifier: ISC
 *
 * text - see text.h
 */
#include "base/text.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

bool text_is_single_line(const char *s)
{
    for (; *s; s++)
        if (((unsigned char)*s < 0x20 && *s != '\t') || *s == 0x7f)
            return false;
    return true;
}

/* Length of the valid UTF-8 sequence at s, or 0. Refuses overlong forms,
 * surrogates and code points above U+10FFFF (RFC 3629). */
static size_t utf8_len(const unsigned char *s, size_t n)
{
    if (s[0] < 0x80)
        return 1;
    if (s[0] < 0xc2 || s[0] > 0xf4)
        return 0;
    size_t len = s[0] < 0xe0 ? 2 : s[0] < 0xf0 ? 3 : 4;
    if (n < len)
        return 0;
    unsigned char lo = 0x80, hi = 0xbf;
    if (s[0] == 0xe0)
        lo = 0xa0;
    else if (s[0] == 0xed)
        hi = 0x9f;
    else if (s[0] == 0xf0)
        lo = 0x90;
    else if (s[0] == 0xf4)
        hi = 0x8f;
    if (s[1] < lo || s[1] > hi)
        return 0;
    for (size_t i = 2; i < len; i++)
        if (s[i] < 0x80 || s[i] > 0xbf)
            return 0;
    return len;
}

bool text_is_utf8(const char *s, size_t n)
{
    for (size_t i = 0; i < n;) {
        size_t len = utf8_len((const unsigned char *)s + i, n - i);
        if (len == 0)
            return false;
        i += len;
    }
    return true;
}

void text_make_line(char *s)
{
    for (size_t n = strlen(s), len; n > 0; s += len, n -= len) {
        len = utf8_len((const unsigned char *)s, n);
        if (len == 0)
            *s = '?';
        else if ((unsigned char)*s < 0x20 || *s == 0x7f)
            *s = ' ';
        len += len == 0;
    }
}

bool text_add_utf8(struct buf *out, const char *s, size_t n)
{
    bool clean = true;
    for (size_t i = 0; i < n;) {
        size_t len = utf8_len((const unsigned char *)s + i, n - i);
        if (len == 1 && s[i] == '\0') {
            clean = false;
            i++;
        } else if (len > 0) {
            buf_add(out, s + i, len);
            i += len;
        } else {
            clean = false;
            buf_str(out, "\xef\xbf\xbd");
            i++;
        }
    }
    return clean;
}

size_t text_utf8_cut(const char *s, size_t n, size_t max)
{
    if (n <= max)
        return n;
    while (max > 0 && ((unsigned char)s[max] & 0xc0) == 0x80)
        max--;
    return max;
}

char *text_trim(char *s)
{
    while (isspace((unsigned char)*s))
        s++;
    size_t n = strlen(s);
    while (n > 0 && isspace((unsigned char)s[n - 1]))
        s[--n] = '\0';
    return s;
}

void text_lower(char *s)
{
    for (; *s; s++)
        if (*s >= 'A' && *s <= 'Z')
            *s = (char)(*s + 32);
}

bool text_starts(const char *s, const char *prefix)
{
    return strncmp(s, prefix, strlen(prefix)) == 0;
}

/* "8:00", "08:00", "24:00" */
static const char *parse_clock(const char *s, int *minutes_out)
{
    int h = 0, m = 0, digits = 0;
    for (; *s >= '0' && *s <= '9' && digits < 2; s++, digits++)
        h = h * 10 + (*s - '0');
    if (!digits || *s++ != ':')
        return NULL;
    for (digits = 0; *s >= '0' && *s <= '9' && digits < 2; s++, digits++)
        m = m * 10 + (*s - '0');
    if (digits != 2 || m > 59 || h * 60 + m > 24 * 60)
        return NULL;
    *minutes_out = h * 60 + m;
    return s;
}

int text_parse_hours(const char *s, int *begin_out, int *end_out)
{
    int begin, end;
    s = parse_clock(s, &begin);
    if (!s || *s != '-' || !(s = parse_clock(s + 1, &end)) || *s)
        return -1;
    *begin_out = begin;
    *end_out = end;
    return 0;
}

int text_parse_int(const char *s, int64_t *out)
{
    char *end;
    if (!isdigit((unsigned char)s[0]) && !(s[0] == '-' && isdigit((unsigned char)s[1])))
        return -1;
    errno = 0;
    long long v = strtoll(s, &end, 10);
    if (errno || *end)
        return -1;
    *out = v;
    return 0;
}

static const struct {
    const char *name;
    int64_t ms;
} duration_units[] = {
    {"ms", 1},          {"s", 1000},          {"sec", 1000},       {"second", 1000},
    {"seconds", 1000},  {"m", 60000},         {"min", 60000},      {"minute", 60000},
    {"minutes", 60000}, {"h", 3600000},       {"hour", 3600000},   {"hours", 3600000},
    {"d", 86400000},    {"day", 86400000},    {"days", 86400000},  {"w", 604800000},
    {"week", 604800000}, {"weeks", 604800000},
};

int text_parse_duration(const char *s, int64_t *ms_out)
{
    int64_t total = 0;
    bool any = false;
    while (*s) {
        while (*s == ' ')
            s++;
        if (!*s)
            break;
        int64_t v = 0;
        if (!isdigit((unsigned char)*s))
            return -1;
        for (; isdigit((unsigned char)*s); s++) {
            if (v > 1000000000000LL)
                return -1;
            v = v * 10 + (*s - '0');
        }
        while (*s == ' ')
            s++;
        size_t n = strspn(s, "abcdefghijklmnopqrstuvwxyz");
        int64_t unit = 0;
        for (size_t i = 0; i < ARRAY_LEN(duration_units); i++)
            if (strlen(duration_units[i].name) == n && memcmp(duration_units[i].name, s, n) == 0)
                unit = duration_units[i].ms;
        if (unit == 0 || v > INT64_C(3155760000000) / unit) /* 100 years */
            return -1;
        total += v * unit;
        s += n;
        any = true;
    }
    if (!any)
        return -1;
    *ms_out = total;
    return 0;
}

const char *text_format_duration(int64_t ms, char *out, size_t n)
{
    static const struct {
        char name[3];
        int64_t ms;
    } units[] = {{"d", 86400000}, {"h", 3600000}, {"m", 60000}, {"s", 1000}, {"ms", 1}};
    size_t at = 0;
    out[0] = '\0';
    if (ms == 0)
        snprintf(out, n, "0s");
    for (size_t i = 0; i < ARRAY_LEN(units) && ms > 0; i++) {
        int64_t v = ms / units[i].ms;
        ms %= units[i].ms;
        if (v > 0 && at < n)
            at += (size_t)snprintf(out + at, n - at, "%s%" PRId64 "%s", at ? " " : "", v,
                                   units[i].name);
    }
    return out;
}

int text_parse_size(const char *s, int64_t *bytes_out)
{
    int64_t v = 0;
    if (!isdigit((unsigned char)*s))
        return -1;
    for (; isdigit((unsigned char)*s); s++) {
        if (v > INT64_C(1) << 50)
            return -1;
        v = v * 10 + (*s - '0');
    }
    int shift = 0;
    if (*s == 'K' || *s == 'k')
        shift = 10;
    else if (*s == 'M' || *s == 'm')
        shift = 20;
    else if (*s == 'G' || *s == 'g')
        shift = 30;
    if (shift)
        s++;
    if (*s == 'B' && shift)
        s++;
    if (*s || v > (INT64_MAX >> shift))
        return -1;
    *bytes_out = v << shift;
    return 0;
}

static size_t text_distance(const char *a, const char *b)
{
    size_t la = strlen(a), lb = strlen(b), row[64];
    if (la >= 63 || lb >= 63)
        return 99;
    for (size_t j = 0; j <= lb; j++)
        row[j] = j;
    for (size_t i = 1; i <= la; i++) {
        size_t diag = row[0];
        row[0] = i;
        for (size_t j = 1; j <= lb; j++) {
            size_t cost = diag + (tolower((unsigned char)a[i - 1]) != tolower((unsigned char)b[j - 1]));
            diag = row[j];
            size_t best = row[j] + 1 < row[j - 1] + 1 ? row[j] + 1 : row[j - 1] + 1;
            row[j] = cost < best ? cost : best;
        }
    }
    return row[lb];
}

const char *text_nearest(const char *s, const char *const *candidates, size_t count)
{
    const char *best = NULL;
    size_t limit = strlen(s) / 3 + 1, best_d = limit + 1;
    for (size_t i = 0; i < count; i++) {
        size_t d = text_distance(s, candidates[i]);
        if (d < best_d) {
            best_d = d;
            best = candidates[i];
        }
    }
    return best;
}

void text_hex(const void *p, size_t n, char *out)
{
    static const char digits[] = "0123456789abcdef";
    const unsigned char *b = p;
    for (size_t i = 0; i < n; i++) {
        *out++ = digits[b[i] >> 4];
        *out++ = digits[b[i] & 15];
    }
    *out = '\0';
}

void text_base32(const void *p, size_t n, char *out)
{
    static const char digits[] = "abcdefghijklmnopqrstuvwxyz234567";
    const unsigned char *b = p;
    unsigned acc = 0;
    int bits = 0;
    for (size_t i = 0; i < n; i++) {
        acc = (acc << 8) | b[i];
        for (bits += 8; bits >= 5; bits -= 5)
            *out++ = digits[(acc >> (bits - 5)) & 31];
    }
    if (bits > 0)
        *out++ = digits[(acc << (5 - bits)) & 31];
    *out = '\0';
}

bool text_equal_ct(const char *a, const char *b)
{
    size_t la = strlen(a), lb = strlen(b);
    unsigned char diff = la != lb;
    for (size_t i = 0; i < la; i++)
        diff |= (unsigned char)(a[i] ^ b[lb ? i % lb : 0]);
    return diff == 0;
}
