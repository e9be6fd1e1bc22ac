/* SPDX-License-Identifier: ISC
 *
 * rep_text - see rep_text.h
 */
#include "crm/rep_text.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "base/bounds.h"
#include "base/buf.h"
#include "base/mem.h"
#include "base/text.h"

#define LOOK 400 /* bytes of a line that are looked at for a quotation */

size_t rep_text_line(const char *p, const char **next_out)
{
    size_t n = strcspn(p, "\n");
    *next_out = p + n + (p[n] == '\n');
    return n > 0 && p[n - 1] == '\r' ? n - 1 : n;
}

/* ---- characters --------------------------------------------------------------- */

/* The character at p and its bytes; a byte that is none stands for itself. */
static unsigned char_at(const unsigned char *p, size_t n, size_t *len)
{
    static const struct {
        unsigned char mask, lead;
        size_t more;
    } forms[] = {{0xe0, 0xc0, 1}, {0xf0, 0xe0, 2}, {0xf8, 0xf0, 3}};
    *len = 1;
    for (size_t i = 0; i < ARRAY_LEN(forms); i++) {
        unsigned c = p[0] & (unsigned char)~forms[i].mask;
        if ((p[0] & forms[i].mask) != forms[i].lead || forms[i].more >= n)
            continue;
        for (size_t k = 1; k <= forms[i].more; k++) {
            if ((p[k] & 0xc0) != 0x80)
                return p[0];
            c = c << 6 | (p[k] & 0x3fu);
        }
        *len = forms[i].more + 1;
        return c;
    }
    return p[0];
}

static bool is_blank(unsigned c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == '\v' || c == '\f' || c == 0xa0 ||
           c == 0x1680 || (c >= 0x2000 && c <= 0x200a) || c == 0x2028 || c == 0x2029 || c == 0x202f ||
           c == 0x205f || c == 0x3000;
}

/* Marks of direction, joiners, soft hyphens, variants of a sign: nobody sees them. */
static bool is_invisible(unsigned c)
{
    return c < ' ' || c == 0x7f || c == 0xad || (c >= 0x200b && c <= 0x200f) ||
           (c >= 0x202a && c <= 0x202e) || (c >= 0x2060 && c <= 0x2069) || c == 0xfeff ||
           (c >= 0xfe00 && c <= 0xfe0f) || c == 0x20e3;
}

/* 0: it stays as it is. */
static char plain_char(unsigned c)
{
    switch (c) {
    case '"':
    case 0x2018: /* single quotes */
    case 0x2019:
    case 0x201a:
    case 0x201b:
    case 0x201c: /* double quotes */
    case 0x201d:
    case 0x201e:
    case 0x201f:
    case 0xab:
    case 0xbb:
        return '\'';
    case 0x2010: /* hyphens, dashes, minus */
    case 0x2011:
    case 0x2012:
    case 0x2013:
    case 0x2014:
    case 0x2212:
        return '-';
    case 0xff0b:
        return '+';
    case 0xff1a:
        return ':';
    }
    return c >= 0xff10 && c <= 0xff19 ? (char)('0' + c - 0xff10) : 0;
}

char *rep_text_clean(const char *text, size_t n, bool plain)
{
    struct buf out AUTO_BUF;
    const unsigned char *p = (const unsigned char *)text;
    buf_init(&out, n + 1);
    for (size_t i = 0, len; i < n; i += len) {
        unsigned c = char_at(p + i, n - i, &len);
        char to = plain ? plain_char(c) : 0;
        if (is_blank(c))
            buf_char(&out, ' ');
        else if (c == 0xff03)
            buf_char(&out, '#');
        else if (to)
            buf_char(&out, to);
        else if (!is_invisible(c) && (len > 1 || p[i] < 0x80)) /* no half of a character at the end */
            buf_add(&out, p + i, len);
    }
    while (out.len > 0 && strchr(plain ? " .,;:!?" : " ", out.data[out.len - 1]))
        out.data[--out.len] = '\0';
    buf_drop(&out, strspn(out.data, " "));
    return buf_take(&out);
}

/* ---- where a quotation begins ---------------------------------------------------- */

/* "-----Original Message-----", "________", "-- ", "== forwarded ==": three and more of
 * one sign at the beginning of a line, or a signature's mark. */
static bool is_rule(const char *p, size_t n)
{
    static const char *const wide[] = {"\xe2\x80\x93", "\xe2\x80\x94", "\xe2\x94\x80", "\xe2\x94\x81",
                                       "\xef\xbc\x8d", "\xef\xbc\xbf"}; /* dashes, drawn lines */
    size_t run = 0;
    for (size_t i = 0; i < ARRAY_LEN(wide); i++)
        if (n >= 9 && !memcmp(p, wide[i], 3) && !memcmp(p + 3, wide[i], 3) &&
            !memcmp(p + 6, wide[i], 3))
            return true;
    if (n == 0 || !strchr("-_=*~", *p))
        return false;
    while (run < n && p[run] == *p)
        run++;
    return run >= 3 || (*p == '-' && run == 2 && (n == 2 || (n == 3 && p[2] == ' ')));
}

/* A colon at the end of n bytes, also the wide one of Chinese and Japanese: its bytes. */
static size_t colon_at_end(const char *p, size_t n)
{
    if (n >= 3 && !memcmp(p + n - 3, "\xef\xbc\x9a", 3))
        return 3;
    return n > 0 && p[n - 1] == ':';
}

/* "On Fri, 20 Nov 2026 at 10:00, Jo <jo@example.com> wrote:" in any language: it ends in
 * a colon, and has an address in it, or a date. */
static bool is_attribution(const char *p, size_t n)
{
    size_t run = 0, numbers = 0;
    bool year = false, date = false;
    bool address = memchr(p, '@', n) != NULL || memchr(p, '<', n) != NULL;
    while (n > 0 && (p[n - 1] == ' ' || p[n - 1] == '*' || p[n - 1] == '_'))
        n--;
    if (n < 10 || !colon_at_end(p, n) || *p == '#')
        return false;
    for (size_t i = 0; i < n; i++) {
        run = isdigit((unsigned char)p[i]) ? run + 1 : 0;
        numbers += run == 1;
        year |= run == 4;
        date |= run == 2 && i > 2 && (p[i - 2] == '.' || p[i - 2] == '/');
    }
    return address || date || (year && numbers > 1);
}

/* "From: ..", "Von: ..", "*De :* ..": a short word, a colon, something behind it. */
static bool is_header_line(const char *p, size_t n)
{
    size_t i = 0, letters = 0;
    while (i < n && i < 2 && *p == '*')
        i++, p++, n--;
    for (i = 0; i < n && i < 20 && p[i] != ':'; i++) {
        unsigned char c = (unsigned char)p[i];
        if (!isalpha(c) && c < 0x80 && c != ' ' && c != '-')
            return false;
        if (letters && colon_at_end(p, i + 3 <= n ? i + 3 : 0) == 3)
            return true;
        letters += c != ' ';
    }
    return i < n && p[i] == ':' && letters >= 1 && n > i + 1 &&
           (p[i + 1] == ' ' || p[i + 1] == '*' || p[i + 1] == '\t');
}

static bool is_block_from(const char *p, size_t n)
{
    static const char *const words[] = {"from", "von", "de", "da", "van", "od", "från", "fra"};
    size_t stars = n > 0 && *p == '*';
    for (size_t i = 0; i < ARRAY_LEN(words); i++) {
        size_t len = strlen(words[i]);
        if (n > stars + len && !strncasecmp(p + stars, words[i], len) &&
            p[stars + len + (p[stars + len] == ' ')] == ':')
            return true;
    }
    return false;
}

size_t rep_text_limit(const char *text)
{
    const char *next;
    bool header_before = false;
    size_t before = 0;
    for (const char *p = text; *p; p = next) {
        size_t n = rep_text_line(p, &next), from = strspn(p, " \t");
        const char *s = p + (from < n ? from : n);
        size_t len = (size_t)(p + n - s), look = len < LOOK ? len : LOOK;
        bool header = is_header_line(s, look);
        if (len && (*s == '>' || *s == '|' || is_rule(s, look) || is_block_from(s, look) ||
                    (len <= LOOK && is_attribution(s, look))))
            return (size_t)(p - text);
        if (header && header_before) /* two of them are the head of a quoted mail */
            return before;
        if (header)
            before = (size_t)(p - text);
        header_before = header;
    }
    return strlen(text);
}

/* ---- nothing but politeness -------------------------------------------------------- */

static bool starts_any(const char *line, const char *const *words)
{
    for (; *words; words++) {
        size_t n = strlen(*words);
        if (!strncasecmp(line, *words, n) && !isalpha((unsigned char)line[n]))
            return true;
    }
    return false;
}

/* A greeting of at most three words, or thanks, behind which a name may stand. */
bool rep_text_is_thin(const char *words)
{
    static const char *const greetings[] = {"hi", "hello", "hallo", "hey", "dear", "liebe", "lieber",
                                            "servus", "moin", "guten", "good", "bonjour", "salut",
                                            "hola", "ciao", NULL};
    static const char *const closings[] = {"thanks", "thank you", "thx", "cheers", "best", "regards",
                                           "kind regards", "warm regards", "br", "lg", "mfg", "vg",
                                           "viele grüße", "liebe grüße", "beste grüße", "gruß",
                                           "grüße", "mit freundlichen grüßen", "danke",
                                           "vielen dank", "merci", "cordialement", "gracias",
                                           "saludos", "grazie", "saluti", NULL};
    const char *next;
    bool closed = false;
    for (const char *p = words; *p; p = next) {
        size_t n = rep_text_line(p, &next), blanks = 0;
        AUTO_FREE char *line = rep_text_clean(p, n < LOOK ? n : LOOK, true);
        for (const char *s = line; *s; s++)
            blanks += *s == ' ';
        if (!*line)
            continue;
        bool closes = starts_any(line, closings);
        if (n >= LOOK || blanks > 2 || (!closed && !closes && !starts_any(line, greetings)))
            return false;
        closed |= closes;
    }
    return true;
}
