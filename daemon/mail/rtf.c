/* SPDX-License-Identifier: ISC
 *
 * rtf - see rtf.h
 */
#include "mail/rtf.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "mail/charset.h"
#include "mail/transfer.h"

#define GROUPS_MAX 256
#define WORD_LEN 32

#define PACKED_HEAD 16
#define WINDOW 4096

/* What every packer and unpacker has in its window at the start. */
static const char window_start[] =
    "{\\rtf1\\ansi\\mac\\deff0\\deftab720{\\fonttbl;}{\\f0\\fnil \\froman \\fswiss \\fmodern "
    "\\fscript \\fdecor MS Sans SerifSymbolArialTimes New RomanCourier{\\colortbl\\red0\\green0"
    "\\blue0\r\n\\par \\pard\\plain\\f0\\fs20\\b\\i\\u\\tab\\tx";

struct window {
    char data[WINDOW];
    size_t at;
};

static int window_put(struct window *w, struct buf *out, char ch)
{
    w->data[w->at] = ch;
    w->at = (w->at + 1) % WINDOW;
    return buf_char(out, ch);
}

/* Eight literals or references behind one byte of flags; 1 at the end mark. */
static int unpack_run(struct window *w, struct buf *out, const unsigned char *p, size_t n,
                      size_t *at)
{
    unsigned flags = p[(*at)++];
    for (int bit = 0; bit < 8; bit++, flags >>= 1) {
        if (!(flags & 1)) {
            if (*at >= n || window_put(w, out, (char)p[(*at)++]) < 0)
                return -1;
            continue;
        }
        if (n - *at < 2)
            return -1;
        size_t from = (size_t)p[*at] << 4 | p[*at + 1] >> 4, len = (p[*at + 1] & 15u) + 2;
        *at += 2;
        if (from == w->at)
            return 1;
        for (; len > 0; len--, from++)
            if (window_put(w, out, w->data[from % WINDOW]) < 0)
                return -1;
    }
    return 0;
}

int mail_rtf_unpack(struct buf *out, const char *p, size_t n)
{
    if (n < PACKED_HEAD)
        return -1;
    if (memcmp(p + 8, "MELA", 4) == 0) /* stored as it is */
        return buf_add(out, p + PACKED_HEAD, n - PACKED_HEAD);
    if (memcmp(p + 8, "LZFu", 4) != 0)
        return -1;
    AUTO_FREE struct window *w = mem_alloc(sizeof(*w));
    w->at = sizeof(window_start) - 1;
    memcpy(w->data, window_start, w->at);
    int rc = 0;
    for (size_t at = PACKED_HEAD; at < n && rc == 0;)
        rc = unpack_run(w, out, (const unsigned char *)p, n, &at);
    return rc == 1 ? 0 : -1;
}

/* Groups that hold no words of the text. */
static const char *const silent[] = {"fonttbl", "colortbl", "stylesheet", "info", "pict",
                                     "header", "footer", "object", "themedata", "listtable"};

struct group {
    bool skip;       /* nothing of it is text */
    unsigned uc;     /* characters behind \uN that stand for it */
};

struct reader {
    struct mail_ctx *c;
    struct buf *out;
    struct buf bytes; /* 8-bit text not yet converted */
    struct group group[GROUPS_MAX];
    size_t depth;
    bool html_skip;   /* between \htmlrtf and \htmlrtf0 */
    unsigned pass;    /* characters to pass over, behind \uN */
    char charset[32];
};

static struct group *top(struct reader *r)
{
    return &r->group[r->depth < GROUPS_MAX ? r->depth : GROUPS_MAX - 1];
}

static void flush(struct reader *r)
{
    if (r->bytes.len)
        mail_to_utf8(r->c, r->out, r->bytes.data, r->bytes.len, r->charset, "winmail.dat");
    buf_reset(&r->bytes);
}

static bool is_silent(struct reader *r)
{
    return top(r)->skip || r->html_skip;
}

static void put_byte(struct reader *r, char ch)
{
    if (r->pass > 0)
        r->pass--;
    else if (!is_silent(r))
        buf_char(&r->bytes, ch);
}

static void put_unicode(struct reader *r, long v)
{
    char utf8[8];
    unsigned ch = (unsigned)(v < 0 ? v + 65536 : v);
    r->pass = top(r)->uc;
    if (is_silent(r) || ch == 0 || ch > 0xffff)
        return;
    flush(r);
    int n = ch < 0x80    ? snprintf(utf8, sizeof(utf8), "%c", (int)ch)
            : ch < 0x800 ? snprintf(utf8, sizeof(utf8), "%c%c", (int)(0xc0 | ch >> 6),
                                    (int)(0x80 | (ch & 63)))
                         : snprintf(utf8, sizeof(utf8), "%c%c%c", (int)(0xe0 | ch >> 12),
                                    (int)(0x80 | (ch >> 6 & 63)), (int)(0x80 | (ch & 63)));
    text_add_utf8(r->out, utf8, (size_t)n); /* half a surrogate becomes U+FFFD */
}

static void put_text(struct reader *r, const char *s)
{
    if (is_silent(r))
        return;
    flush(r);
    buf_str(r->out, s);
}

static void on_word(struct reader *r, const char *word, long value, bool has_value)
{
    for (size_t i = 0; i < ARRAY_LEN(silent); i++)
        if (strcmp(word, silent[i]) == 0)
            top(r)->skip = true;
    if (strcmp(word, "par") == 0 || strcmp(word, "line") == 0)
        put_text(r, "\n");
    else if (strcmp(word, "tab") == 0 || strcmp(word, "cell") == 0)
        put_text(r, "\t");
    else if (strcmp(word, "row") == 0)
        put_text(r, "\n");
    else if (strcmp(word, "u") == 0 && has_value)
        put_unicode(r, value);
    else if (strcmp(word, "uc") == 0 && has_value && value >= 0 && value < 16)
        top(r)->uc = (unsigned)value;
    else if (strcmp(word, "htmlrtf") == 0)
        r->html_skip = !has_value || value != 0;
    else if (strcmp(word, "ansicpg") == 0 && value > 0 && value < 70000)
        snprintf(r->charset, sizeof(r->charset), value == 65001 ? "utf-8" : "windows-%ld", value);
    else if (strcmp(word, "bullet") == 0)
        put_text(r, "*");
    else if (strcmp(word, "endash") == 0 || strcmp(word, "emdash") == 0)
        put_text(r, "-");
    else if (strcmp(word, "lquote") == 0 || strcmp(word, "rquote") == 0)
        put_text(r, "'");
    else if (strcmp(word, "ldblquote") == 0 || strcmp(word, "rdblquote") == 0)
        put_text(r, "\"");
}

/* What stands behind a backslash; returns how many bytes it takes. */
static size_t on_control(struct reader *r, const char *p, size_t n)
{
    char word[WORD_LEN];
    size_t len = 0, at = 0;
    long value = 0;
    if (n == 0)
        return 0;
    if (*p == '\'') {
        int v = transfer_hex(p + 1, n - 1);
        if (v > 0)
            put_byte(r, (char)v);
        return v >= 0 ? 3 : 1;
    }
    if (*p == '*')
        top(r)->skip = true; /* a group that old readers must not show */
    if ((unsigned)((*p | 0x20) - 'a') > 25) {
        if (strchr("\\{}", *p) && *p)
            put_byte(r, *p);
        else if (*p == '~')
            put_byte(r, ' ');
        else if (*p == '\n' || *p == '\r')
            put_text(r, "\n");
        return 1;
    }
    for (; at < n && (unsigned)((p[at] | 0x20) - 'a') <= 25; at++)
        if (len + 1 < sizeof(word))
            word[len++] = p[at];
    word[len] = '\0';
    bool minus = at < n && p[at] == '-', has_value = false;
    at += minus;
    for (; at < n && p[at] >= '0' && p[at] <= '9'; at++, has_value = true)
        value = value < 1000000 ? value * 10 + (p[at] - '0') : value;
    on_word(r, word, minus ? -value : value, has_value);
    return at + (at < n && p[at] == ' ');
}

void mail_rtf_to_text(struct mail_ctx *c, struct buf *out, const char *p, size_t n,
                      const char *charset)
{
    struct reader r = {.c = c, .out = out, .group = {{.uc = 1}}};
    buf_init(&r.bytes, n + 1);
    snprintf(r.charset, sizeof(r.charset), "%s", charset);
    for (size_t i = 0; i < n && !mail_late(c, 1);) {
        char ch = p[i++];
        if (ch == '{') {
            struct group outer = *top(&r);
            r.depth++;
            *top(&r) = outer;
        } else if (ch == '}') {
            r.depth -= r.depth > 0;
        } else if (ch == '\\') {
            i += on_control(&r, p + i, n - i);
        } else if (ch != '\r' && ch != '\n') {
            put_byte(&r, ch);
        }
    }
    flush(&r);
    buf_done(&r.bytes);
    if (out->len && out->data[out->len - 1] != '\n')
        buf_char(out, '\n');
}
